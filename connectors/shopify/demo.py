"""A small store that speaks like Shopify: signed deliveries, to be connected by hand.

No API: Shopify gives keys to apps alone, and what a delivery carries suffices for the sale.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from uuid import UUID

from werkzeug.wrappers import Response

from connectors import net
from connectors.shopify.demo_orders import Order, orders
from connectors.signing import hmac_sha256_base64

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

#: What the shop is called in its deliveries; nobody is asked under this name.
SHOP: Final = "tienda-demo.myshopify.com"


class DemoShop:
    """See `connectors.demo.DemoShop`. Its secret lasts as long as it does."""

    platform = "shopify"

    def __init__(self, now: datetime, rng: random.Random) -> None:
        self.credentials: Mapping[str, str] = {"webhook_secret": f"{rng.getrandbits(256):064x}"}
        self.app: WSGIApplication = Response("{}", HTTPStatus.NOT_FOUND)
        self._orders = orders(now, rng)

    def send_orders(self, webhook_url: str) -> None:
        for number, order in enumerate(self._orders):
            deliver(order, webhook_url, self.credentials["webhook_secret"], number)


def deliver(order: Order, url: str, secret: str, number: int = 0) -> None:
    """Post the order as Shopify does. Raises `OSError` if the hub does not answer 200."""
    body = json.dumps(order, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {
        "Content-Type": "application/json",
        "X-Shopify-Topic": "orders/paid",
        "X-Shopify-Hmac-Sha256": hmac_sha256_base64(body, secret),
        "X-Shopify-Shop-Domain": SHOP,
        "X-Shopify-API-Version": "2026-10",
        "X-Shopify-Webhook-Id": str(UUID(int=number)),
        "X-Shopify-Event-Id": str(UUID(int=number)),
        "X-Shopify-Triggered-At": str(order["updated_at"]),
    }
    answer = net.send("POST", url, allow_private=True, data=body, headers=headers)
    if answer.status != HTTPStatus.OK:
        raise OSError(f"the hub answered {answer.status} to the demonstration shop")
