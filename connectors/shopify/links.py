"""The address of an order that Shopify itself can write for its buyer.

It carries the order's confirmation number: random, and shown to nobody but the buyer and the shop.
So it works before any delivery came, from a page of Shopify, a mail, or a ticket.
https://shopify.dev/docs/api/admin-graphql/2026-10/objects/Order#field-confirmationNumber
"""

from __future__ import annotations

import re
from typing import Final

from connectors.contract import DeliveryUnreadable
from connectors.reader import glance

_NUMBER: Final = re.compile(r"[A-Za-z0-9]{6,40}")


def proof_of(order: bytes) -> str | None:
    """Of an order as fetched or delivered; None where it has none, as very old ones."""
    try:
        document = glance(order)
        if document.has("order"):
            number = document.text("order.confirmationNumber", "")
        else:
            number = document.text("confirmation_number", "")
    except DeliveryUnreadable:
        return None
    return number if _NUMBER.fullmatch(number) else None
