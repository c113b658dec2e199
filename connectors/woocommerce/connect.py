"""What the plug-in asks of the hub, and how a store hands its keys over by itself.

Pairing and status: the plug-in of `plugin/`. Hand-off: WooCommerce's own page of consent,
https://woocommerce.github.io/woocommerce-rest-api-docs/#rest-api-keys
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from connectors import net
from connectors.abilities import Subscription
from connectors.connecting import AddressUnusable, Asked, Desk, Malformed, Problem, Route
from connectors.contract import DeliveryUnreadable
from connectors.reader import Reader, read_json
from connectors.woocommerce import links

PLATFORM: Final = "woocommerce"
APP_NAME: Final = "Autofactura"
MAX_PAIRING: Final = 16 * 1024
_LONGEST: Final = 200


def pair(asked: Asked, desk: Desk) -> Mapping[str, Any]:
    """`POST /connect/woocommerce/pair`: a one-use code and the store's keys."""
    told = _told(asked.body)
    account = _account(_field(told, "store_url", 500), allow_private=desk.allow_private)
    given = {"key": _field(told, "key"), "secret": _field(told, "secret")}
    paired = desk.pair(_field(told, "code"), account, given, asked.address)
    return {
        "connection": paired.connection_id,
        "webhook_url": paired.webhook_url,
        "webhook_secret": paired.webhook_secret,
        "link_secret": paired.link_secret,
        "merchant": paired.merchant_name,
        "hub": desk.public_url,
    }


def status(asked: Asked, desk: Desk) -> Mapping[str, Any]:
    connection_id = _signed(asked, desk)
    standing = desk.standing(connection_id)
    kind, text, text_es = standing.window
    return {
        "state": standing.state,
        "merchant": standing.merchant_name,
        "keys": standing.keys,
        "webhooks": [_subscription(one) for one in standing.subscriptions],
        "last_delivery_at": _instant(standing.last_delivery_at),
        "last_fetch_at": _instant(standing.last_fetch_at),
        "problems": [_problem(one) for one in standing.problems],
        "window": {"kind": kind, "text": text, "text_es": text_es},
    }


def order(asked: Asked, desk: Desk) -> Mapping[str, Any]:
    shown = desk.order(_signed(asked, desk), asked.values["order"])
    return {"estado": shown.estado, "uuid": shown.uuid, "link": shown.link}


def disconnect(asked: Asked, desk: Desk) -> Mapping[str, Any]:
    """`{"tidied": true}`: the plug-in has removed our webhooks and is about to revoke our key."""
    connection_id = _signed(asked, desk)
    try:
        tidied = _told(asked.body).flag("tidied", default=False)
    except DeliveryUnreadable as error:
        raise Malformed(str(error)) from None
    desk.disconnect(connection_id, tidied=tidied)
    return {"disconnected": True}


ROUTES: Final = (
    Route("POST", "/pair", pair),
    Route("GET", "/<connection>/status", status),
    Route("GET", "/<connection>/orders/<order>", order),
    Route("POST", "/<connection>/disconnect", disconnect),
)


def consent_url(account: str, *, nonce: str, return_url: str, callback_url: str) -> str:
    """All five are mandatory: includes/class-wc-auth.php.

    With a read key alone the hub could not make its webhooks, with a write key it could read
    nothing.
    """
    query = {
        "app_name": APP_NAME,
        "scope": "read_write",
        "user_id": nonce,
        "return_url": return_url,
        "callback_url": callback_url,
    }
    return f"{account}/wc-auth/v1/authorize?{urlencode(query)}"


def handed(body: bytes) -> tuple[str, Mapping[str, str]]:
    """What the store posts, unsigned and without saying which store it is."""
    told = read_json(body, max_bytes=MAX_PAIRING)
    keys = {"key": told.text("consumer_key"), "secret": told.text("consumer_secret")}
    if told.text("key_permissions", "read_write") != "read_write":
        raise DeliveryUnreadable("key_permissions is not read_write")
    return told.text("user_id"), keys


def returned(query: Mapping[str, str]) -> tuple[str, bool]:
    """`success` proves nothing; the keys do."""
    return query.get("user_id", ""), query.get("success") == "1"


def _signed(asked: Asked, desk: Desk) -> str:
    connection_id = asked.values["connection"]
    secret = desk.secrets(connection_id).get("webhook_secret", "")
    links.check(asked, secret)
    return connection_id


def _told(body: bytes) -> Reader:
    try:
        told = read_json(body, max_bytes=MAX_PAIRING)
        told.names()
    except DeliveryUnreadable as error:
        raise Malformed(str(error)) from None
    return told


def _field(told: Reader, name: str, longest: int = _LONGEST) -> str:
    try:
        text = told.text(name).strip()
    except DeliveryUnreadable as error:
        raise Malformed(str(error)) from None
    if not text or len(text) > longest or not text.isprintable():
        raise Malformed(f"{name} is empty or too long")
    return text


def _account(text: str, *, allow_private: bool) -> str:
    try:
        return net.shop_url(text, allow_private=allow_private)
    except net.AddressRefused as error:
        raise AddressUnusable(f"The address of the store: {error}.") from None


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()


def _subscription(one: Subscription) -> dict[str, str]:
    return {"topic": one.topic, "status": one.status}


def _problem(one: Problem) -> dict[str, str]:
    return {"code": one.code, "message": one.message, "message_es": one.message_es}
