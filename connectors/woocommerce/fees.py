"""Negative fees (a discount for paying by transfer): an invoice has no negative concept.

They become discount on the lines they lower. WooCommerce splits the tax of a negative fee over
the tax classes of the order in proportion to what each cost, as a true discount does:
WC_Order_Item_Fee::calculate_taxes in includes/class-wc-order-item-fee.php.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from connectors.reader import Reader
from connectors.woocommerce.lines import ZERO, fee_line, money, rates_of, unit_of
from hub.domain.sale import SaleLine

_MICRO: Final = Decimal("0.000001")

Taxes = dict[str, Decimal]


def lower(lines: tuple[SaleLine, ...], order: Reader, doubts: list[str]) -> tuple[SaleLine, ...]:
    """The lines less every negative fee of the order.

    A fee that does not fit (its tax is not that of the lines) stays as a negative line, so that
    the sums hold, with a doubt: a person decides.
    """
    unit = unit_of(order)
    for fee in order.items("fee_lines"):
        base = -money(fee, "total", ZERO)
        if base <= 0:
            continue
        taxes = _taxes_of(fee, unit)
        reached = _reached(lines, base, taxes, unit)
        if reached:
            lines = _spread(lines, reached, base, taxes)
        else:
            doubts.append(
                f"El cargo negativo {fee.text('id')} no se pudo repartir entre renglones."
            )
            lines = (*lines, fee_line(fee, rates_of(order), doubts))
    return lines


def _taxes_of(fee: Reader, unit: Decimal) -> Taxes:
    """Positive amounts by rate, adding up to the fee's rounded total_tax."""
    taxes: Taxes = {}
    for tax in fee.items("taxes"):
        taxes[tax.text("id")] = -money(tax, "total", ZERO)
    charged = -money(fee, "total_tax", -sum(taxes.values(), ZERO))
    gap = charged - sum(taxes.values(), ZERO)
    if taxes and abs(gap) <= unit * len(taxes):
        largest = max(taxes, key=lambda ref: taxes[ref])
        taxes[largest] += gap
    return {ref: amount for ref, amount in taxes.items() if amount != 0}


def _reached(
    lines: tuple[SaleLine, ...], base: Decimal, taxes: Taxes, unit: Decimal
) -> frozenset[str]:
    """The keys of the lines whose taxes the fee lowers in the same proportion as their bases."""
    everything = [line for line in lines if line.base > 0]
    for some in (everything, [line for line in everything if line.kind == "product"]):
        if _fits(some, base, taxes, unit):
            return frozenset(line.key for line in some)
    return frozenset()


def _fits(lines: list[SaleLine], base: Decimal, taxes: Taxes, unit: Decimal) -> bool:
    whole = sum((line.base for line in lines), ZERO)
    charged = _by_rate(lines)
    if base > whole or any(not charged.get(ref) for ref in taxes):
        return False
    # The store rounded the tax of the fee, and that of each line before.
    slack = unit / 2 * (1 + len(taxes) + len(lines) * base / whole)
    return all(
        abs(taxes.get(ref, ZERO) - charged.get(ref, ZERO) * base / whole) <= slack
        for ref in charged.keys() | taxes.keys()
    )


def _by_rate(lines: list[SaleLine]) -> Taxes:
    sums: Taxes = {}
    for line in lines:
        for tax in line.taxes:
            sums[tax.ref] = sums.get(tax.ref, ZERO) + tax.amount
    return sums


def _spread(
    lines: tuple[SaleLine, ...], reached: frozenset[str], base: Decimal, taxes: Taxes
) -> tuple[SaleLine, ...]:
    bases = shares(base, [line.base if line.key in reached else ZERO for line in lines])
    lowered = [
        replace(line, discount=line.discount + share)
        for line, share in zip(lines, bases, strict=True)
    ]
    for ref, amount in taxes.items():
        weights = [_charged(line, ref) if line.key in reached else ZERO for line in lines]
        lowered = [
            _less_tax(line, ref, share)
            for line, share in zip(lowered, shares(amount, weights), strict=True)
        ]
    return tuple(lowered)


def _charged(line: SaleLine, ref: str) -> Decimal:
    return sum((tax.amount for tax in line.taxes if tax.ref == ref), ZERO)


def _less_tax(line: SaleLine, ref: str, share: Decimal) -> SaleLine:
    """Only the first tax of that rate is lowered: a line states each rate once."""
    taxes = list(line.taxes)
    for i, tax in enumerate(taxes):
        if tax.ref == ref:
            taxes[i] = replace(tax, amount=tax.amount - share)
            break
    return replace(line, taxes=tuple(taxes))


def shares(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """`amount` in proportion to the weights, to 10⁻⁶; the largest takes what rounding leaves."""
    whole = sum(weights, ZERO)
    if not whole:
        return [ZERO for _ in weights]
    parts = [(amount * weight / whole).quantize(_MICRO, ROUND_HALF_EVEN) for weight in weights]
    largest = max(range(len(weights)), key=lambda i: weights[i])
    parts[largest] += amount - sum(parts, ZERO)
    return parts
