"""The lines of an order: what each cost without tax, and the taxes it was charged.

How WooCommerce rounds, and which of its amounts add up to what was charged: README.md, "Money".
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from connectors.reader import Reader
from hub.domain.sale import SaleLine, SaleTax

CENT: Final = Decimal("0.01")
ZERO: Final = Decimal(0)
#: cfdi:Concepto/@Descripcion: http://omawww.sat.gob.mx/tramitesyservicios/Paginas/anexo_20.htm
MAX_DESCRIPTION: Final = 1000

_INLINE: Final = re.compile(
    r"</?(?:a|b|em|i|mark|small|span|strong|sub|sup|u)\b[^<>]*>", re.IGNORECASE
)
_TAG: Final = re.compile(r"</?[A-Za-z!][^<>]*>")

#: What the store keeps (WC_ROUNDING_PRECISION); a plug-in may write more.
_STORED: Final = Decimal("0.000001")

#: What a store may round to: its setting "number of decimals" is 2, or less.
_UNITS: Final = (Decimal(1), Decimal("0.1"), CENT)


@dataclass(frozen=True, slots=True)
class Rates:
    """The rates of an order by id, whether its prices held the tax, and what was rounded to."""

    by_id: Mapping[str, Reader]
    gross: bool
    unit: Decimal


def money(place: Reader, name: str, default: Decimal | None = None) -> Decimal:
    """An amount of at most six decimals."""
    amount = place.decimal(name, default)
    exponent = amount.as_tuple().exponent
    too_fine = isinstance(exponent, int) and exponent < -6
    return amount.quantize(_STORED, ROUND_HALF_UP) if too_fine else amount


def rates_of(order: Reader) -> Rates:
    return Rates(
        by_id={rate.text("rate_id"): rate for rate in order.items("tax_lines")},
        gross=order.flag("prices_include_tax", default=False),
        unit=unit_of(order),
    )


def unit_of(order: Reader) -> Decimal:
    """What the store rounds to, as far as the order tells: 0.01, or more if all it rounded is.

    A guess by order, which only ever decides how much of a gap rounding explains: the Total of a
    document is what was charged, or there is none. Of an order of cents whose amounts are whole by
    chance it explains nothing: whole amounts were not rounded (`orders._check_sum`).
    """
    by_rate = [
        money(rate, name, ZERO)
        for rate in order.items("tax_lines")
        for name in ("tax_total", "shipping_tax_total")
    ]
    by_line = [
        money(item, "total_tax", ZERO)
        for kind in ("line_items", "shipping_lines", "fee_lines")
        for item in order.items(kind)
    ]
    rounded = [money(order, "total"), *by_rate]
    # A shop that rounds at subtotal keeps those of the lines as they were computed.
    if not by_rate or sum(by_line) == sum(by_rate):
        rounded += by_line
    return next((unit for unit in _UNITS if not any(one % unit for one in rounded)), CENT)


def lines_of(order: Reader, doubts: list[str]) -> tuple[SaleLine, ...]:
    """Every charge of the order as a line; negative fees are not among them (`fees.lower`)."""
    rates = rates_of(order)
    lines = [_product(item, rates, doubts) for item in order.items("line_items")]
    lines += [_shipping(item, rates, doubts) for item in order.items("shipping_lines")]
    lines += [
        fee_line(item, rates, doubts)
        for item in order.items("fee_lines")
        if money(item, "total", ZERO) >= 0
    ]
    # A free shipping method is no concept of an invoice; a free product is one that was given.
    kept = tuple(line for line in lines if line.kind == "product" or line.total != 0)
    doubts += [
        f"El renglón {line.key} tiene cantidad o importe negativo, o cantidad cero."
        for line in kept
        if line.base < 0 or line.quantity <= 0
    ]
    return kept


def _product(item: Reader, rates: Rates, doubts: list[str]) -> SaleLine:
    total = money(item, "total")
    # By hand a price can be raised: then "total" is above "subtotal" and there is no discount.
    subtotal = max(money(item, "subtotal", total), total)
    return SaleLine(
        key=item.text("id"),
        description=description(item.text("name", "")) or "Producto",
        quantity=item.decimal("quantity", Decimal(1)),
        subtotal=subtotal,
        discount=subtotal - total,
        taxes=_taxes(item, rates, doubts, gross=rates.gross),
        sku=item.text("sku", ""),
        # 0 once the product is deleted. A variation is found by its sku or by its product.
        product="" if (ref := item.text("product_id", "0")) == "0" else ref,
    )


def _shipping(item: Reader, rates: Rates, doubts: list[str]) -> SaleLine:
    total = money(item, "total", ZERO)
    return SaleLine(
        key=item.text("id"),
        description=description(item.text("method_title", "")) or "Envío",
        quantity=Decimal(1),
        subtotal=total,
        discount=ZERO,
        taxes=_taxes(item, rates, doubts, gross=False),
        kind="shipping",
        product=item.text("method_id", ""),
    )


def fee_line(item: Reader, rates: Rates, doubts: list[str]) -> SaleLine:
    total = money(item, "total", ZERO)
    return SaleLine(
        key=item.text("id"),
        description=description(item.text("name", "")) or "Cargo",
        quantity=Decimal(1),
        subtotal=total,
        discount=ZERO,
        taxes=_taxes(item, rates, doubts, gross=False),
        kind="fee",
    )


def _taxes(item: Reader, rates: Rates, doubts: list[str], *, gross: bool) -> tuple[SaleTax, ...]:
    # A rate that does not apply to a line is stated with an empty amount.
    stated = [tax for tax in item.items("taxes") if tax.has("total") and tax.text("total")]
    amounts = [money(tax, "total") for tax in stated]
    charged = money(item, "total_tax", sum(amounts, ZERO))
    if abs(sum(amounts, ZERO) - charged) > rates.unit * len(amounts):
        doubts.append(
            f"Los impuestos del renglón {item.text('id')} no suman su total de impuestos."
        )
    else:
        amounts = _as_charged(amounts, charged, rates.unit, gross=gross)
    return tuple(
        _tax(tax.text("id"), amount, rates) for tax, amount in zip(stated, amounts, strict=True)
    )


def _as_charged(
    amounts: list[Decimal], charged: Decimal, unit: Decimal, *, gross: bool
) -> list[Decimal]:
    """The amounts of the taxes that, with the line's net, make what the buyer paid.

    Where tax was put on top, that is the sum of the rounded taxes (`total_tax`). Where the price
    includes it, net and unrounded taxes together are the price; `total_tax` is not used, unless
    the taxes themselves came rounded (a delivered order, `dp=2`).
    """
    rounded = [amount.quantize(unit, ROUND_HALF_UP) for amount in amounts]
    if not amounts or sum(amounts, ZERO) == charged or (gross and rounded != amounts):
        return amounts
    largest = max(range(len(rounded)), key=lambda i: abs(rounded[i]))
    rounded[largest] += charged - sum(rounded, ZERO)
    return rounded


def _tax(ref: str, amount: Decimal, rates: Rates) -> SaleTax:
    rate = rates.by_id.get(ref)
    if rate is None:
        return SaleTax(amount=amount, ref=ref)
    percent = rate.decimal("rate_percent") if rate.has("rate_percent") else None
    return SaleTax(
        amount=amount,
        rate=None if percent is None else percent / 100,
        label=description(rate.text("label", "")),
        ref=ref,
    )


def description(name: str) -> str:
    """The name without markup, on one line, as long as an invoice can hold."""
    bare = html.unescape(_TAG.sub(" ", _INLINE.sub("", name)))
    return " ".join(_TAG.sub(" ", _INLINE.sub("", bare)).split())[:MAX_DESCRIPTION].strip()
