"""Signatures between a store and the hub: of requests, and of the addresses given to buyers."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from typing import Final

from connectors.connecting import Asked, ClockSkewed, RequestUnsigned
from connectors.contract import DeliveryUnreadable
from connectors.reader import glance

#: How far the clock of a store may be from ours; older requests are replays.
SKEW_SECONDS: Final = 300


def proof(link_secret: str, order_id: str, order_key: str) -> str:
    """What the address of an order carries: only who has seen the order's key can make it.

    `order_key` is WooCommerce's own bearer secret of its guest pages ("wc_order_…").
    """
    return _mac(link_secret, f"{order_id}\n{order_key}".encode())


def proof_of(order: bytes, link_secret: str) -> str | None:
    """Of an order as fetched ({"order", "refunds"}) or delivered; None if it has no key."""
    try:
        document = glance(order)
        found = document.at("order") if document.has("order") else document
        order_id, order_key = found.text("id", ""), found.text("order_key", "")
    except DeliveryUnreadable:
        return None
    return proof(link_secret, order_id, order_key) if order_id and order_key else None


def signature(secret: str, method: str, target: str, time: str, body: bytes) -> str:
    return _mac(secret, f"{method}\n{target}\n{time}\n".encode("utf-8", "replace") + body)


def check(asked: Asked, secret: str) -> None:
    """Raise `RequestUnsigned` unless the store signed this request, lately."""
    time = asked.headers.get("x-autofactura-time", "")
    given = asked.headers.get("x-autofactura-signature", "")
    expected = signature(secret, asked.method, asked.target, time, asked.body)
    same = hmac.compare_digest(expected.encode(), given.strip().encode("utf-8", "replace"))
    if not (same and secret):
        raise RequestUnsigned
    if not _recent(time, asked.received_at):
        raise ClockSkewed


def _recent(time: str, now: datetime) -> bool:
    if not (time.isascii() and time.isdigit() and len(time) <= 12):
        return False
    return abs(int(time) - now.timestamp()) <= SKEW_SECONDS


def _mac(secret: str, message: bytes) -> str:
    digest = hmac.new(secret.encode("utf-8", "replace"), message, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")
