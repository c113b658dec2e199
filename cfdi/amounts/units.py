"""Amounts as whole millionths or whole units of a currency, and back.

Exact, whatever the context of decimal is.
"""

from __future__ import annotations

from decimal import Context, Decimal
from typing import Final

MICROS: Final = 10**6
EXACT: Final = Context(prec=80)
#: Millionths in a unit of the last of so many decimals.
UNIT: Final = tuple(10 ** (6 - decimals) for decimals in range(7))


def in_micros(amount: Decimal | None) -> int:
    """Of an amount with 6 decimals at most; 0 for one that is not stated."""
    return 0 if amount is None else in_units(amount, 6)


def in_units(amount: Decimal, decimals: int) -> int:
    """Of an amount with so many decimals at most."""
    return int(amount.scaleb(decimals, EXACT))


def of_units(units: int, decimals: int) -> Decimal:
    """Written with exactly these decimals."""
    return Decimal(f"{units}E-{decimals}")


def half_up(numerator: int, denominator: int) -> int:
    """The quotient of integers that are not negative, a tie going up."""
    return (2 * numerator + denominator) // (2 * denominator)
