"""What Shopify signs, and what a signature proves.

A signature of a delivery is over its body alone, with the secret of the app or of the shop: no
header is signed, the name of the shop and the topic neither.
https://shopify.dev/docs/apps/build/webhooks/subscribe/https#step-2-validate-the-origin-of-your-webhook-to-ensure-its-coming-from-shopify
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from shopify.session import Session
from shopify.utils.shop_url import sanitize_shop_domain

from connectors import net
from connectors.contract import Delivery, DeliveryUnreadable
from connectors.reader import Reader, glance
from connectors.signing import signed_with_any

#: Classic webhooks and the newer Events name the same things differently.
FAMILIES: Final = ("x-shopify-", "shopify-")
#: How far the clock of Shopify may be from ours in the query of a return, both ways.
SKEW_SECONDS: Final = 90
_SHOP: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\.myshopify\.com")
_ADMIN: Final = re.compile(r"(?:https://)?admin\.shopify\.com/store/([a-z0-9][a-z0-9-]*)(?:/.*)?")
#: Longer than any query of Shopify's; a stranger may send anything.
_MAX_QUERY: Final = 4096


def header(delivery: Delivery, name: str) -> str:
    """A header of either family, e.g. "topic"; "" if there is none."""
    for family in FAMILIES:
        if value := delivery.headers.get(family + name, ""):
            return value
    return ""


def is_shop(text: str) -> bool:
    """Whether this is the permanent name of a shop, whole and in its one spelling."""
    return _SHOP.fullmatch(text) is not None


def account_of(text: str, *, allow_private: bool = False) -> str | None:
    """The permanent name of the shop that somebody typed, in any usual form; None if it is none.

    With `allow_private` also the address of a Shopify that is played on this network.
    """
    text = text.strip()
    if allow_private and text.startswith("http://"):
        try:
            return net.shop_url(text, allow_private=True)
        except net.AddressRefused:
            return None
    if found := _ADMIN.fullmatch(text.lower()):
        text = found[1]
    try:
        name = sanitize_shop_domain(text)
    except ValueError:  # of urllib, for brackets and the like
        return None
    return name if isinstance(name, str) and is_shop(name) else None


def secrets(keys: Mapping[str, str]) -> Iterator[str]:
    """The app's secret, and the one that is being replaced; or the shop's own, without an app."""
    for name, secret in keys.items():
        if name in {"app.client_secret", "app.client_secret_before"} or name.startswith(
            "webhook_secret"
        ):
            yield secret


def signed(delivery: Delivery, keys: Mapping[str, str]) -> bool:
    """Whether these very bytes were signed with one of the secrets, by either header."""
    known = list(secrets(keys))
    found = [
        signed_with_any(delivery.body, delivery.headers[name], known)
        for name in (family + "hmac-sha256" for family in FAMILIES)
        if name in delivery.headers
    ]
    return any(found)


def is_of(delivery: Delivery, shop: str) -> bool:
    """False if the signed body names another shop than `shop`, a permanent name or "".

    An app signs the deliveries of all shops with one secret, and the shop a header names is not
    signed. Orders name no shop; the notices that close or erase something do.
    """
    if not is_shop(shop):
        return True
    try:
        told = glance(delivery.body)
        names = {told.text(name, "") for name in ("myshopify_domain", "shop_domain")}
    except DeliveryUnreadable:
        return True
    return not {name.lower() for name in names if name} - {shop}


def shop_told(delivery: Delivery) -> str:
    """The shop that a header names. Raises `DeliveryUnreadable`."""
    shop = header(delivery, "shop-domain").strip().lower()
    if not is_shop(shop):
        raise DeliveryUnreadable("the delivery names no shop of Shopify")
    return shop


def query_of(target: str) -> Mapping[str, str] | None:
    """The parameters of an address; None if one is repeated, which no signature covers twice."""
    query = urlsplit(target).query if len(target) <= _MAX_QUERY else ""
    pairs = parse_qsl(query, keep_blank_values=True)
    found = dict(pairs)
    return found if len(found) == len(pairs) else None


def query_signed(
    query: Mapping[str, str], secrets: Iterable[str], now: datetime, *, ever: bool = False
) -> bool:
    """Whether Shopify signed these parameters with one of the secrets, within 90 seconds.

    With `ever` at any time: for an address that Shopify loads again and that opens nothing.

    ShopifyAPI alone would take any instant of the last day or of the future, and fails on one that
    is no number.
    """
    time = query.get("timestamp", "")
    if not (time.isascii() and time.isdigit() and len(time) <= 12):
        return False
    if not ever and abs(int(time) - now.timestamp()) > SKEW_SECONDS:
        return False
    good = False
    for secret in secrets:
        good |= bool(secret) and bool(_signing(secret).validate_hmac(dict(query)))
    return good


def _signing(secret: str) -> type[Session]:
    """A class of its own: ShopifyAPI keeps the secret at the class, for all threads and apps."""
    return type("_Signing", (Session,), {"secret": secret})


def text_of(told: Reader, name: str) -> str:
    """An id as text, "" if absent: digits, for it becomes part of a question to Shopify."""
    value = told.text(name, "")
    if value and not is_id(value):
        raise DeliveryUnreadable(f"{name} is not the number of anything at Shopify")
    return value


def is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 20
