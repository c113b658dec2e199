"""Orders of the demonstration store, in the shape and with the rounding of Shopify's webhooks.

Prices include tax, as in most stores of Mexico; the tax of a line is rounded once, on the line.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

Order = dict[str, Any]

_CENT: Final = Decimal("0.01")
_ZERO: Final = Decimal(0)
#: The store's own clock: central Mexico keeps no summer time since 2022.
_LOCAL: Final = timezone(timedelta(hours=-6))


@dataclass(frozen=True, slots=True)
class _Item:
    product: int
    sku: str
    name: str
    price: Decimal  # tax included
    rate: Decimal = Decimal("0.16")


@dataclass(frozen=True, slots=True)
class _Sold:
    item: _Item
    quantity: int
    discount: Decimal = _ZERO

    @property
    def paid(self) -> Decimal:
        return self.item.price * self.quantity - self.discount


_LAMP: Final = _Item(30, "LAM-1", "Lámpara de mesa", Decimal("749.00"))
_CANDLE: Final = _Item(31, "VEL-3", "Vela de cera de abeja", Decimal("129.90"))
_BASKET: Final = _Item(32, "CAN-2", "Canasta de palma tejida", Decimal("389.50"))
_ATLAS: Final = _Item(33, "LIB-9", "Atlas ilustrado de México", Decimal("520.00"), _ZERO)
_SHIPPING: Final = Decimal("119.00")


def orders(now: datetime, rng: random.Random) -> list[Order]:
    """Three paid orders dated within the hour before `now`: shipped, discounted, at rate 0."""
    first, many = rng.randrange(1_000, 9_000), rng.randrange(2, 5)
    off = (_BASKET.price * many * 15 / 100).quantize(_CENT, ROUND_HALF_UP)
    plans = [
        ([_Sold(_LAMP, 1), _Sold(_CANDLE, many)], _SHIPPING, "shopify_payments"),
        ([_Sold(_BASKET, many, off)], _ZERO, "Depósito bancario"),
        ([_Sold(_ATLAS, 1), _Sold(_CANDLE, 1)], _ZERO, "paypal"),
    ]
    return [
        _order(first + n, now - timedelta(minutes=45 - 10 * n), *plan)
        for n, plan in enumerate(plans)
    ]


def _order(
    number: int, placed_at: datetime, sold: list[_Sold], shipping: Decimal, gateway: str
) -> Order:
    key = 6_200_000_000_000 + number
    at = placed_at.astimezone(_LOCAL).isoformat("T", "seconds")
    goods = sum((one.paid for one in sold), _ZERO)
    return {
        "id": key,
        "admin_graphql_api_id": f"gid://shopify/Order/{key}",
        "name": f"#{number}",
        "confirmation_number": f"D{number}EM7KQ"[:9],
        "created_at": at,
        "processed_at": at,
        "updated_at": at,
        "cancelled_at": None,
        "test": False,
        "source_name": "web",
        "currency": "MXN",
        "presentment_currency": "MXN",
        "taxes_included": True,
        "duties_included": False,
        "estimated_taxes": False,
        "financial_status": "paid",
        "payment_gateway_names": [gateway],
        "email": None,
        "phone": None,
        "note_attributes": [],
        "customer": None,
        "billing_address": None,
        "payment_terms": None,
        "line_items": [_line(key * 10 + n, one) for n, one in enumerate(sold)],
        "shipping_lines": [_shipping(key * 10 + 9, shipping)] if shipping else [],
        "refunds": [],
        "total_tip_received": "0.00",
        "total_outstanding": "0.00",
        **_money("total_price", goods + shipping),
        **_money("current_total_price", goods + shipping),
        **_money("subtotal_price", goods),
    }


def _line(key: int, sold: _Sold) -> dict[str, Any]:
    off = {**_money("amount", sold.discount), "discount_application_index": 0}
    return {
        "id": key,
        "name": sold.item.name,
        "title": sold.item.name,
        "sku": sold.item.sku,
        "quantity": sold.quantity,
        "current_quantity": sold.quantity,
        "gift_card": False,
        "product_id": sold.item.product,
        "product_exists": True,
        "taxable": True,
        **_money("price", sold.item.price),
        "total_discount": "0.00",  # whatever was taken off
        "discount_allocations": [off] if sold.discount else [],
        "tax_lines": [_tax(sold.paid, sold.item.rate)],
        "duties": [],
    }


def _shipping(key: int, price: Decimal) -> dict[str, Any]:
    return {
        "id": key,
        "title": "Envío estándar",
        "code": "estandar",
        "is_removed": False,
        **_money("price", price),
        "discount_allocations": [],
        "tax_lines": [_tax(price, Decimal("0.16"))],
    }


def _tax(paid: Decimal, rate: Decimal) -> dict[str, Any]:
    tax = (paid * rate / (1 + rate)).quantize(_CENT, ROUND_HALF_UP)
    return {"title": "IVA", "rate": float(rate), "channel_liable": False, **_money("price", tax)}


def _money(name: str, amount: Decimal) -> dict[str, Any]:
    told = f"{amount.quantize(_CENT)}"
    both = {"amount": told, "currency_code": "MXN"}
    return {name: told, f"{name}_set": {"shop_money": both, "presentment_money": both}}
