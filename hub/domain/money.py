"""Amounts of money as integers of 10⁻⁶ units and back, and SAT's rounding."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final

MICROS: Final = 1_000_000
#: Both engines keep a signed 64-bit integer.
MICROS_MAX: Final = 2**63 - 1

#: Wide enough that no sum or product of amounts is ever rounded silently.
EXACT: Final = Context(prec=80, rounding=ROUND_HALF_UP)


class MoneyInvalid(ValueError):
    """Not an amount that can be kept: not finite, finer than a millionth, or too large."""


def to_micros(amount: Decimal) -> int:
    """The amount in millionths, exactly. Raises `MoneyInvalid` rather than lose anything."""
    if not amount.is_finite():
        raise MoneyInvalid("an amount of money has to be a finite number")
    if amount.adjusted() > 18:
        raise MoneyInvalid("the amount is too large: 64 bits of millionths are kept")
    scaled = amount.scaleb(6, context=EXACT) if amount else Decimal(0)
    micros = int(scaled)
    if micros != scaled:
        raise MoneyInvalid("an amount of money has at most 6 decimals")
    if abs(micros) > MICROS_MAX:
        raise MoneyInvalid("the amount is too large: 64 bits of millionths are kept")
    return micros


def from_micros(micros: int) -> Decimal:
    """The amount with the decimals it needs and at least two: 1500000 → 1.50."""
    if abs(micros) > MICROS_MAX:
        raise MoneyInvalid("the amount is too large: 64 bits of millionths are kept")
    amount = Decimal(micros).scaleb(-6, context=EXACT)
    places = 6
    while places > 2 and micros % 10 == 0:
        micros //= 10
        places -= 1
    return round_half_up(amount, places)


def round_half_up(amount: Decimal, decimals: int) -> Decimal:
    """Rounded as SAT rounds ("redondeo"): a tie goes away from zero."""
    return amount.quantize(Decimal(1).scaleb(-decimals), context=EXACT)
