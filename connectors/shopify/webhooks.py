"""What a delivery of Shopify says.

The topic stands in a header and is not signed. So it decides only where to look; what the body
itself cannot prove is asked of the shop, and never closes or erases by the header alone: a notice
that the app was removed has the very body of one that the shop's settings changed.
https://shopify.dev/docs/api/webhooks
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Final

from connectors.contract import (
    Delivery,
    DeliveryUnreadable,
    Hint,
    Notice,
    PrivacyNotice,
    ShopNotice,
)
from connectors.reader import Reader, glance
from connectors.shopify.verify import header, is_shop, text_of

#: The body is the order.
ORDERS: Final = frozenset(
    {"orders/create", "orders/updated", "orders/paid", "orders/cancelled", "orders/fulfilled",
     "orders/partially_fulfilled"}
)  # fmt: skip
DELETED: Final = "orders/delete"
#: The body is something of an order, and names it at this place.
PARTS: Final = {
    "orders/edited": "order_edit.order_id",
    "refunds/create": "order_id",
    "order_transactions/create": "order_id",
    "tender_transactions/create": "order_id",
    "returns/approve": "order.id",
    "returns/close": "order.id",
    "disputes/create": "order_id",
    "disputes/update": "order_id",
}
UNINSTALLED: Final = "app/uninstalled"
CHANGED: Final = frozenset({"app/scopes_update", "shop/update"})
ACCESS: Final = "customers/data_request"
ERASE: Final = "customers/redact"
ERASE_SHOP: Final = "shop/redact"

#: Of an order with less than this no sale could be made: the app's settings cut the body down.
_WHOLE: Final = frozenset({"id", "line_items", "total_price", "financial_status", "updated_at"})
#: Orders that one request of erasure names at most; a customer with more is erased by its id.
_MAX_ORDERS: Final = 5000


def read(delivery: Delivery) -> Hint | None:
    """Raises `DeliveryUnreadable`."""
    topic = header(delivery, "topic")
    if topic in ORDERS or topic == DELETED:
        return _order(topic, delivery)
    if topic in PARTS:
        return _part(topic, delivery)
    if topic == UNINSTALLED or topic in CHANGED:
        return _shop(topic, delivery)
    if topic in {ACCESS, ERASE, ERASE_SHOP}:
        return _privacy(topic, delivery)
    return None


def _order(topic: str, delivery: Delivery) -> Notice:
    """A real deletion says the id and nothing else, so that an old order under its topic makes
    nothing disappear. A shop may be told to send less than an order: then it is only a hint."""
    order = glance(delivery.body)
    names = order.names()
    return Notice(
        event=topic,
        event_key=_key(topic, delivery),
        order_id=_id(order, "id"),
        snapshot=delivery.body if names >= _WHOLE else None,
        gone=topic == DELETED and names == {"id"},
    )


def _part(topic: str, delivery: Delivery) -> Notice | None:
    """None for one that is of no order: a payment may be of none yet."""
    told = glance(delivery.body)
    told.names()
    if not told.has(PARTS[topic]):
        return None
    return Notice(topic, _key(topic, delivery), _id(told, PARTS[topic]))


def _shop(topic: str, delivery: Delivery) -> ShopNotice:
    told = glance(delivery.body)
    told.names()
    left = topic == UNINSTALLED and is_shop(told.text("myshopify_domain", "").lower())
    return ShopNotice(
        event=topic,
        # A shop that was not changed meanwhile leaves a second time with the very same body.
        event_key=_key(topic, delivery, header(delivery, "triggered-at")),
        kind="left" if left else "changed",
        at=_instant(header(delivery, "triggered-at")),
    )


def _privacy(topic: str, delivery: Delivery) -> PrivacyNotice:
    """The body has to be of the kind that the header says. https://shopify.dev/docs/apps/build/compliance/privacy-law-compliance"""
    told = glance(delivery.body)
    names = told.names()
    if not {"shop_id", "shop_domain"} <= names:
        raise DeliveryUnreadable("the request names no shop")
    if topic == ERASE_SHOP:
        if names & {"customer", "orders_to_redact", "orders_requested", "data_request"}:
            raise DeliveryUnreadable("the request is of a customer, not of a shop")
        # Two such requests of one shop are the same bytes, and may be a year apart.
        told_once = header(delivery, "event-id") or header(delivery, "webhook-id")
        return PrivacyNotice(topic, _key(topic, delivery, told_once), "erase_shop")
    orders = "orders_to_redact" if topic == ERASE else "orders_requested"
    if (
        orders not in names
        or "customer" not in names
        or (topic == ERASE and "data_request" in names)
    ):
        raise DeliveryUnreadable("the request is not of the kind that its header says")
    return PrivacyNotice(
        event=topic,
        event_key=_key(topic, delivery),
        kind="erase_customer" if topic == ERASE else "access",
        customer_id=text_of(told, "customer.id"),
        order_ids=tuple(_numbers(told, orders)),
    )


def _numbers(told: Reader, name: str) -> list[str]:
    value = told.at(name).value or []
    if not isinstance(value, list) or len(value) > _MAX_ORDERS:
        raise DeliveryUnreadable(f"{name} is not a list (of fair length)")
    return [text_of(Reader({"id": one}, name), "id") for one in value]


def _id(told: Reader, place: str) -> str:
    order_id = text_of(told, place)
    if not order_id:
        raise DeliveryUnreadable(f"{place} is missing")
    return order_id


def _key(topic: str, delivery: Delivery, more: str = "") -> str:
    """Of the body, which holds the instant of the change: no header is signed, and a replay under
    another delivery id must make no new fact."""
    told = f"{topic}\n{more}\n".encode("utf-8", "replace")
    return hashlib.sha256(told + delivery.body).hexdigest()


def _instant(text: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
        return instant.replace(tzinfo=instant.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):  # in UTC it may lie before the year 1
        return None
