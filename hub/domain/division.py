"""One sale in two documents. Pure: both add up, to the cent, to what was paid, or it is refused.

A part is a sale like any other to whoever composes, shows or compares it: some units of the lines
that are left, at their own price.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal, localcontext
from enum import StrEnum
from fractions import Fraction
from typing import Final

from cfdi import catalogs
from hub.domain.charges import costs
from hub.domain.fingerprint import fingerprint
from hub.domain.money import EXACT, round_half_up
from hub.domain.reasons import NotComposable
from hub.domain.remaining import remaining_lines
from hub.domain.sale import Sale, SaleLine

#: Two companions, two RFCs. More would be more parts of the same claim.
PARTS: Final = 2
#: Cantidad of a Concepto has at most six decimals (Anexo 20).
_PLACES: Final = 6
_ZERO: Final = Decimal(0)


class Whole(StrEnum):
    """Why a sale cannot be divided like that."""

    #: Units that are no number, less than none or more than were bought; or of no line.
    UNITS = "units"
    #: All of it is in one of the two.
    EMPTY = "empty"
    #: It changed since it was divided, or is not divided (any more).
    CHANGED = "changed"
    #: A part would cost less than the smallest coin, or does not add up to the cent.
    INEXACT = "inexact"


class NotDivisible(Exception):
    """It can be invoiced whole. `why` says what stands against dividing it like that."""

    def __init__(self, why: Whole) -> None:
        super().__init__(why.value)
        self.why = why


def lines_of(sale: Sale) -> tuple[SaleLine, ...]:
    """What can be divided: the lines that are left and cost something. Raises `NotDivisible`."""
    try:
        found = tuple(line for line in remaining_lines(sale) if costs(line))
    except NotComposable as error:
        raise NotDivisible(Whole.INEXACT) from error
    if len({line.key for line in found}) < len(found):
        raise NotDivisible(Whole.UNITS)  # two lines of one name: which would be meant?
    return found


def half(sale: Sale) -> dict[str, Decimal]:
    """Half of every line for the first part; of what has no half, the larger one."""
    return {line.key: round_half_up(line.quantity / 2, _PLACES) for line in lines_of(sale)}


def divided(sale: Sale, units: Mapping[str, Decimal]) -> tuple[Sale, Sale]:
    """The two parts. `units` has, by the key of a line, how many are in the first.

    Their dues make the sale's exactly; so do quantity, price, discount and taxes of each line, to
    the millionth, the second part having what is left. Raises `NotDivisible`.
    """
    lines = lines_of(sale)
    if set(units) - {line.key for line in lines}:
        raise NotDivisible(Whole.UNITS)
    first, second = list[SaleLine](), list[SaleLine]()
    with localcontext(EXACT):
        for line in lines:
            mine, rest = _split(line, units.get(line.key, _ZERO))
            first += [mine] if mine else []
            second += [rest] if rest else []
        if not first or not second:
            raise NotDivisible(Whole.EMPTY)
        decimales = catalogs.MONEDA.get(sale.currency) or 0
        due = round_half_up(sum((line.total for line in first), _ZERO), decimales)
    if not 0 < due < sale.due:
        raise NotDivisible(Whole.INEXACT)
    return _part(sale, first, due), _part(sale, second, sale.due - due)


def agreed(sale: Sale, units: Mapping[str, Decimal]) -> str:
    """Names what was divided and how; "" where it cannot be divided like that.

    Two snapshots that a page shows alike may differ in fractions of a cent, or in the keys of their
    lines: enough for another cent or another dish in the first part.
    """
    try:
        first, _ = divided(sale, units)
    except NotDivisible:
        return ""
    return f"{fingerprint(sale)}/{fingerprint(first)}"


def _part(sale: Sale, lines: list[SaleLine], due: Decimal) -> Sale:
    """Doubts are of the whole: whoever lets it pass has answered them."""
    return replace(
        sale, total=due, lines=tuple(lines), refunds=(), doubts=(), excluded=(), claims=()
    )


def _split(line: SaleLine, units: Decimal) -> tuple[SaleLine | None, SaleLine | None]:
    if not units.is_finite() or not 0 <= units <= line.quantity or units != round(units, _PLACES):
        raise NotDivisible(Whole.UNITS)
    if units == 0:
        return None, line
    if units == line.quantity:
        return line, None
    share = Fraction(units) / Fraction(line.quantity)
    base, subtotal = _times(line.base, share), _times(line.subtotal, share)
    subtotal = max(subtotal, base)
    taxes = tuple(replace(tax, amount=_times(tax.amount, share)) for tax in line.taxes)
    mine = replace(line, quantity=units, subtotal=subtotal, discount=subtotal - base, taxes=taxes)
    return mine, _less(line, mine)


def _less(line: SaleLine, mine: SaleLine) -> SaleLine:
    return replace(
        line,
        quantity=line.quantity - mine.quantity,
        subtotal=line.subtotal - mine.subtotal,
        discount=line.discount - mine.discount,
        taxes=tuple(
            replace(whole, amount=whole.amount - one.amount)
            for whole, one in zip(line.taxes, mine.taxes, strict=True)
        ),
    )


def _times(amount: Decimal, share: Fraction) -> Decimal:
    exact = Fraction(amount) * share
    return round_half_up(Decimal(exact.numerator) / Decimal(exact.denominator), _PLACES)
