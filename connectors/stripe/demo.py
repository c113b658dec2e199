"""A small account that bills by Stripe: signed deliveries of invoices that were just paid.

A demonstration has no key, so the hub makes each sale of what was delivered: events hold the
invoice as it was (README.md, "What is a sale").
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from hashlib import sha256
from hmac import new as hmac
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from connectors import net
from connectors.stripe.client import VERSION
from connectors.stripe.verify import HEADER
from hub.clock import SystemClock

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Item:
    name: str
    amount: int  # centavos
    holds_tax: bool
    percent_off: int = 0


_PLAN: Final = _Item("Plan profesional, mensual", 49_900, holds_tax=True)
_SEATS: Final = _Item("Usuarios adicionales", 12_345, holds_tax=True)
_SETUP: Final = _Item("Puesta en marcha", 150_000, holds_tax=False, percent_off=15)
_IVA: Final = Decimal("0.16")


class DemoShop:
    """See `connectors.demo.DemoShop`. Its secret lasts as long as it does."""

    platform = "stripe"

    def __init__(self, now: datetime, rng: random.Random) -> None:
        self.credentials: Mapping[str, str] = {"webhook_secret": f"whsec_{rng.getrandbits(192):x}"}
        first = rng.randrange(1_000, 9_000)
        self.invoices = [
            _invoice(first, now - timedelta(minutes=25), [_PLAN, _SEATS], rng),
            _invoice(first + 1, now - timedelta(minutes=15), [_SETUP], rng),
        ]

    @staticmethod
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:  # noqa: ARG004 - WSGI's
        """It is asked nothing: there is no key to ask it with."""
        start_response("401 Unauthorized", [("Content-Type", "application/json")])
        return [b'{"error": {"type": "invalid_request_error"}}']

    def send_orders(self, webhook_url: str) -> None:
        for invoice in self.invoices:
            deliver(event_of(invoice), webhook_url, self.credentials["webhook_secret"])


def sign(body: bytes, secret: str, at: int) -> str:
    """The Stripe-Signature of a body: https://docs.stripe.com/webhooks#verify-manually"""
    signed = hmac(secret.encode(), b"%d." % at + body, sha256).hexdigest()
    return f"t={at},v1={signed}"


def deliver(event: Json, url: str, secret: str) -> None:
    """Post an event as Stripe does. Raises `OSError` if it is not taken."""
    body = json.dumps(event, indent=2).encode()
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        HEADER: sign(body, secret, int(SystemClock().now().timestamp())),
    }
    answer = net.send("POST", url, allow_private=True, data=body, headers=headers)
    if answer.status != HTTPStatus.OK:
        raise OSError(f"the hub answered {answer.status} to the demonstration account")


def event_of(invoice: Json) -> Json:
    return {
        "id": f"evt_{invoice['id'][3:]}",
        "object": "event",
        "api_version": VERSION,
        "created": invoice["status_transitions"]["paid_at"],
        "livemode": invoice["livemode"],
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": "invoice.paid",
        "data": {"object": invoice},
    }


def _invoice(number: int, paid_at: datetime, sold: list[_Item], rng: random.Random) -> Json:
    key = f"in_1{rng.getrandbits(90):023x}"
    lines = [_line(f"il_{place}{key[4:]}", one) for place, one in enumerate(sold, 1)]
    subtotal = sum(one["amount"] for one in lines)
    off = sum(one["amount"] for line in lines for one in line["discount_amounts"])
    total = subtotal - off + sum(_on_top(lines))
    seconds = int(paid_at.timestamp())
    return {
        "id": key, "object": "invoice", "number": f"DEMO-{number}", "livemode": True,
        "status": "paid", "currency": "mxn", "created": seconds - 60,
        "status_transitions": {"finalized_at": seconds - 60, "paid_at": seconds,
                               "voided_at": None, "marked_uncollectible_at": None},
        "billing_reason": "subscription_cycle", "collection_method": "charge_automatically",
        "customer": f"cus_demo{number}", "customer_name": "Cliente de demostración",
        "customer_email": f"suscriptor-{number}@example.com",
        "customer_address": {"country": "MX", "postal_code": "64000"}, "customer_tax_ids": [],
        "issuer": {"type": "self"}, "on_behalf_of": None, "metadata": {},
        "starting_balance": 0, "ending_balance": 0, "shipping_cost": None, "discounts": [],
        "subtotal": subtotal, "total": total, "amount_due": total, "amount_paid": total,
        "amount_remaining": 0, "amount_overpaid": 0, "amount_paid_off_stripe": 0,
        "pre_payment_credit_notes_amount": 0, "post_payment_credit_notes_amount": 0,
        "total_taxes": [tax for line in lines for tax in line["taxes"]],
        "lines": {"object": "list", "data": lines, "has_more": False},
    }  # fmt: skip


def _line(key: str, sold: _Item) -> Json:
    """With IVA at 16 %, each line rounded by itself as Stripe does."""
    amount, within = sold.amount, sold.holds_tax
    off = _rounded(Decimal(amount * sold.percent_off) / 100)
    paid = amount - off
    tax = _rounded(paid * _IVA / (1 + _IVA) if within else paid * _IVA)
    return {
        "id": key, "object": "line_item", "amount": amount, "currency": "mxn",
        "description": sold.name, "quantity": 1, "quantity_decimal": "1", "subtotal": amount,
        "discount_amounts": [{"amount": off, "discount": "di_demo"}] if off else [],
        "discounts": [], "metadata": {}, "pretax_credit_amounts": [],
        "parent": {"type": "subscription_item_details",
                   "subscription_item_details": {"proration": False}},
        "pricing": {"type": "price_details", "unit_amount_decimal": str(amount),
                    "price_details": {"price": "price_demo", "product": "prod_demo"}},
        "taxes": [{"amount": tax, "tax_behavior": "inclusive" if within else "exclusive",
                   "taxable_amount": paid - tax if within else paid,
                   "taxability_reason": "standard_rated", "type": "tax_rate_details",
                   "tax_rate_details": {"tax_rate": "txr_within" if within else "txr_ontop"}}],
    }  # fmt: skip


def _on_top(lines: list[Json]) -> Iterator[int]:
    for line in lines:
        yield from (tax["amount"] for tax in line["taxes"] if tax["tax_behavior"] == "exclusive")


def _rounded(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))
