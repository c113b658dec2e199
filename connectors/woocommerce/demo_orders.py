"""Orders of the demonstration store, in the shape and with the rounding of WooCommerce 11.

Prices include tax and each line is rounded by itself, the usual settings in Mexico.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal
from typing import Any, Final

_CENT: Final = Decimal("0.01")
_STORED: Final = Decimal("0.000001")
#: The store's own clock: central Mexico keeps no summer time since 2022.
_LOCAL: Final = timezone(timedelta(hours=-6))


@dataclass(frozen=True, slots=True)
class _Rate:
    id: int
    label: str
    percent: int
    compound: bool = False


_IVA: Final = _Rate(1, "IVA", 16)
_IEPS: Final = _Rate(2, "IEPS", 8)
_IVA_ON_IEPS: Final = _Rate(3, "IVA", 16, compound=True)
_IVA_0: Final = _Rate(4, "IVA 0", 0)


@dataclass(frozen=True, slots=True)
class _Product:
    id: int
    sku: str
    name: str
    price: Decimal  # tax included
    rates: tuple[_Rate, ...] = (_IVA,)
    tax_class: str = ""


_COFFEE: Final = _Product(10, "CAF-1", "Café de altura 500 g", Decimal("199.99"))
_MUG: Final = _Product(11, "TAZ-1", "Taza de barro", Decimal("89.90"))
_SHIRT: Final = _Product(12, "PLA-1", "Playera de algodón &amp; lino", Decimal("349.00"))
_BOOK: Final = _Product(13, "LIB-1", "Libro", Decimal("250.00"), (_IVA_0,), "tasa-cero")
_DRINK: Final = _Product(
    14, "BEB-1", "Bebida energética 473 ml", Decimal("25.00"), (_IEPS, _IVA_ON_IEPS), "ieps-8"
)


def orders(now: datetime, rng: random.Random) -> list[dict[str, Any]]:
    """Four paid orders dated within the hour before `now`, amounts with six decimals (`dp=6`)."""
    first = rng.randrange(1_000, 9_000)
    many = rng.randrange(2, 5)
    plans: list[tuple[list[dict[str, Any]], list[dict[str, Any]], tuple[str, str]]] = [
        (
            [_line(1, _COFFEE, many), _line(2, _MUG, 1)],
            [_flat_rate(3)],
            ("woocommerce_payments", "Tarjeta"),
        ),
        ([_line(1, _SHIRT, many, percent_off=10)], [], ("bacs", "Transferencia bancaria")),
        ([_line(1, _BOOK, 1), _line(2, _MUG, many)], [], ("cod", "Pago contra entrega")),
        ([_line(1, _DRINK, many * 3)], [], ("woocommerce_payments", "Tarjeta")),
    ]
    return [
        _order(first + i, now - timedelta(minutes=50 - 10 * i), *plan)
        for i, plan in enumerate(plans)
    ]


def _line(key: int, product: _Product, quantity: int, percent_off: int = 0) -> dict[str, Any]:
    full = product.price * quantity
    paid = full - (full * percent_off / 100).quantize(_CENT, ROUND_HALF_DOWN)
    subtotal, taxes_before = _split(full, product.rates)
    total, taxes = _split(paid, product.rates)
    return {
        "id": key,
        "name": product.name,
        "product_id": product.id,
        "variation_id": 0,
        "quantity": quantity,
        "tax_class": product.tax_class,
        "subtotal": str(subtotal),
        "subtotal_tax": _rounded(taxes_before),
        "total": str(total),
        "total_tax": _rounded(taxes),
        "taxes": [
            {"id": rate.id, "total": str(after), "subtotal": str(before)}
            for rate, after, before in zip(product.rates, taxes, taxes_before, strict=True)
        ],
        "meta_data": [],
        "sku": product.sku,
        "price": float(total / quantity),
        "parent_name": None,
    }


def _split(gross: Decimal, rates: tuple[_Rate, ...]) -> tuple[Decimal, list[Decimal]]:
    """Net and taxes of a price that includes them; a compound tax is the outermost."""
    inner, taxes = gross, list[Decimal]()
    for rate in reversed(rates):
        net = (inner * 100 / (100 + rate.percent)).quantize(_STORED)
        taxes.insert(0, inner - net)
        inner = net
    return inner, taxes


def _rounded(taxes: list[Decimal]) -> str:
    """Half down where prices include tax: WC_TAX_ROUNDING_MODE, class-woocommerce.php."""
    whole = sum((tax.quantize(_CENT, ROUND_HALF_DOWN) for tax in taxes), Decimal(0))
    return str(whole.quantize(_STORED))


def _gross(charge: dict[str, Any]) -> Decimal:
    return sum((Decimal(tax["total"]) for tax in charge["taxes"]), Decimal(charge["total"]))


def _flat_rate(key: int) -> dict[str, Any]:
    return {
        "id": key,
        "method_title": "Envío a domicilio",
        "method_id": "flat_rate",
        "instance_id": "1",
        "total": "99.000000",
        "total_tax": "15.840000",
        "taxes": [{"id": _IVA.id, "total": "15.840000", "subtotal": ""}],
        "meta_data": [],
    }


def _order(
    order_id: int,
    placed_at: datetime,
    lines: list[dict[str, Any]],
    shipping: list[dict[str, Any]],
    paid_by: tuple[str, str],
) -> dict[str, Any]:
    charges = lines + shipping
    total_tax = sum((Decimal(one["total_tax"]) for one in charges), Decimal(0))
    total = sum((_gross(one) for one in charges), Decimal(0))
    method, title = paid_by
    dates = _dates(created=placed_at, paid=placed_at, modified=placed_at + timedelta(seconds=2))
    return {
        "id": order_id,
        "parent_id": 0,
        "status": "completed" if method == "cod" else "processing",
        "currency": "MXN",
        "version": "11.0.1",
        "prices_include_tax": True,
        "total": str(total.quantize(_CENT, ROUND_HALF_UP).quantize(_STORED)),
        "total_tax": str(total_tax),
        "number": str(order_id),
        "billing": _billing(order_id),
        "payment_method": method,
        "payment_method_title": title,
        "meta_data": [],
        "line_items": lines,
        "tax_lines": _tax_lines(charges),
        "shipping_lines": shipping,
        "fee_lines": [],
        "coupon_lines": [],
        "refunds": [],
        **dates,
    }


def _dates(**instants: datetime) -> dict[str, str]:
    """Without offsets, once on the store's clock and once in UTC, as WooCommerce writes them."""
    form = "%Y-%m-%dT%H:%M:%S"
    return {
        f"date_{name}{suffix}": instant.astimezone(zone).strftime(form)
        for name, instant in instants.items()
        for suffix, zone in (("", _LOCAL), ("_gmt", UTC))
    }


def _billing(order_id: int) -> dict[str, str]:
    return {
        "first_name": "Cliente de",
        "last_name": "demostración",
        "company": "",
        "city": "Monterrey",
        "state": "NL",
        "postcode": "64000",
        "country": "MX",
        "email": f"cliente-{order_id}@example.com",
        "phone": "",
    }


def _tax_lines(charges: list[dict[str, Any]]) -> list[dict[str, Any]]:
    used = {tax["id"] for charge in charges for tax in charge["taxes"]}
    return [
        {
            "id": 100 + rate.id,
            "rate_code": f"MX-{rate.label}-{rate.id}",
            "rate_id": rate.id,
            "label": rate.label,
            "compound": rate.compound,
            "rate_percent": rate.percent,
            "meta_data": [],
        }
        for rate in (_IVA, _IEPS, _IVA_ON_IEPS, _IVA_0)
        if rate.id in used
    ]
