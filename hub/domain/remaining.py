"""What is left of a sale once the money given back is taken off, line by line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Final

from hub.domain.money import EXACT, round_half_up
from hub.domain.reasons import NotComposable, reason
from hub.domain.sale import Refund, RefundLine, Sale, SaleLine

_HALF_CENT: Final = Decimal("0.005")
#: Refunds are typed by hand, in cents: their taxes agree with the line's to within this.
_SLACK: Final = Decimal("0.02")
_ZERO: Final = Decimal(0)


def remaining_lines(sale: Sale) -> tuple[SaleLine, ...]:
    """The lines an invoice has now; they make `sale.due` as the original ones make the total.

    A refund of a line shrinks that line, by the quantity it gives back; money given back without
    naming lines is a discount over all of them, in proportion to what each one cost. Raises
    `NotComposable` where more is given back than was charged.
    """
    if not sale.refunds:
        return sale.lines
    with localcontext(EXACT):
        lines = _less_returned(sale.lines, sale.refunds)
        unnamed = sum((_unnamed(refund) for refund in sale.refunds), _ZERO)
        return _less_unnamed(lines, unnamed)


def _unnamed(refund: Refund) -> Decimal:
    return refund.total - sum((_gross(line) for line in refund.lines), _ZERO)


def _gross(line: RefundLine) -> Decimal:
    return line.base + sum(line.taxes, _ZERO)


def _less_returned(lines: tuple[SaleLine, ...], refunds: Iterable[Refund]) -> tuple[SaleLine, ...]:
    returned: dict[str, list[RefundLine]] = defaultdict(list)
    for refund in refunds:
        for one in refund.lines:
            returned[one.key].append(one)
    if set(returned) - {line.key for line in lines}:
        raise NotComposable(reason("refund_unclear"))
    left = (_less(line, returned.get(line.key, [])) for line in lines)
    return tuple(line for line in left if line is not None)


def _less(line: SaleLine, returned: list[RefundLine]) -> SaleLine | None:
    if not returned:
        return line
    gross = line.total - sum((_gross(one) for one in returned), _ZERO)
    _refuse_unlike(line, returned)
    if abs(gross) < _HALF_CENT:
        return None
    quantity = line.quantity - sum((one.quantity for one in returned), _ZERO)
    return _scaled(line, Fraction(gross) / Fraction(line.total), quantity)


def _refuse_unlike(line: SaleLine, returned: list[RefundLine]) -> None:
    """Price and taxes come back together; a refund of the tax alone is for a person to judge."""
    given = sum((_gross(one) for one in returned), _ZERO)
    base = sum((one.base for one in returned), _ZERO)
    slack = _SLACK * len(returned) + (1 if base == base.to_integral_value() else 0)
    if given > line.total + _HALF_CENT or line.total <= 0:
        raise NotComposable(reason("refund_unclear"))
    if abs(base - line.base * given / line.total) > slack:
        raise NotComposable(reason("refund_unclear"))


def _less_unnamed(lines: tuple[SaleLine, ...], given: Decimal) -> tuple[SaleLine, ...]:
    gross = sum((line.total for line in lines), _ZERO)
    if given == 0:
        return lines
    if not 0 < given < gross:
        raise NotComposable(reason("nothing_to_invoice" if given == gross else "refund_unclear"))
    share = Fraction(gross - given) / Fraction(gross)
    return tuple(_scaled(line, share, line.quantity) for line in lines)


def _scaled(line: SaleLine, share: Fraction, quantity: Decimal) -> SaleLine:
    """The line at this share of its price: fewer pieces if some came back, the rest a discount."""
    pieces = quantity if quantity > 0 else line.quantity
    base = _times(line.base, share)
    listed = _times(line.subtotal, Fraction(pieces) / Fraction(line.quantity))
    subtotal = max(listed, base)
    taxes = tuple(replace(tax, amount=_times(tax.amount, share)) for tax in line.taxes)
    return replace(line, quantity=pieces, subtotal=subtotal, discount=subtotal - base, taxes=taxes)


def _times(amount: Decimal, share: Fraction) -> Decimal:
    exact = Fraction(amount) * share
    return round_half_up(Decimal(exact.numerator) / Decimal(exact.denominator), 6)
