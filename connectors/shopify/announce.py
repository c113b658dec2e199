"""The state of the invoice and the buyer's link, written at the order as metafields of the app.

Shopify's page of the order shows them to its buyer by the app's extension. Writing one changes the
order, so Shopify tells us of it: an echo that changes no sale. What stands there already is not
written again, so no echo calls forth another.
https://shopify.dev/docs/api/admin-graphql/2026-10/mutations/metafieldsSet
"""

from __future__ import annotations

from typing import Final

from connectors.abilities import News
from connectors.contract import (
    CredentialsRefused,
    DeliveryUnreadable,
    OrderNotFound,
    PlatformUnreachable,
)
from connectors.shopify.client import Shop, unusable
from connectors.shopify.fetching import ORDER
from connectors.shopify.verify import is_id

#: Declared in app/shopify.app.toml. "$app" is Shopify's word for what belongs to this app alone.
NAMESPACE: Final = "$app"
URL: Final = "factura_url"
ESTADO: Final = "factura_estado"
#: The words of the buyer's page, which the extension shows.
ESTADOS: Final = {"open": "abierta", "stamped": "lista", "cancelled": "cancelada"}
_TYPES: Final = {URL: "url", ESTADO: "single_line_text_field"}
#: Of `userErrors`: the app may not write here.
_DENIED: Final = frozenset({"APP_NOT_AUTHORIZED"})


def announce(shop: Shop, order_id: str, news: News) -> None:
    """Once for each state: nothing is written that stands there. Never a UUID or a name."""
    if not is_id(order_id):
        raise OrderNotFound("the id of an order of Shopify is a number")
    wanted = {ESTADO: ESTADOS[news.state]} | ({URL: news.link} if news.link else {})
    there = _there(shop, ORDER + order_id)
    missing = {key: value for key, value in wanted.items() if there[key] != value}
    if missing:
        _write(shop, ORDER + order_id, missing)


def _there(shop: Shop, gid: str) -> dict[str, str]:
    order = shop.ask("order_metafields", id=gid).at("order")
    if order.value is None:
        raise OrderNotFound("the shop has no such order, or the app may not see it any more")
    try:
        return {URL: order.text("url.value", ""), ESTADO: order.text("estado.value", "")}
    except DeliveryUnreadable as error:
        raise unusable(error) from None


def _write(shop: Shop, gid: str, values: dict[str, str]) -> None:
    metafields = [
        {
            "ownerId": gid,
            "namespace": NAMESPACE,
            "key": key,
            "type": _TYPES[key],
            "value": value,
        }
        for key, value in values.items()
    ]
    told = shop.ask("metafields_set", metafields=metafields).at("metafieldsSet")
    try:
        codes = {one.text("code", "UNKNOWN") for one in told.items("userErrors")}
    except DeliveryUnreadable as error:
        raise unusable(error) from None
    if codes & _DENIED:
        raise CredentialsRefused("the app may not write at orders: grant it write_orders")
    if codes:
        raise PlatformUnreachable(
            f"Shopify did not take the metafields: {', '.join(sorted(codes))}"
        )
