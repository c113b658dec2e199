"""Stripe's amounts: whole numbers of the smallest unit it knows of a currency.

https://docs.stripe.com/currencies#minor-units
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Final

from connectors.contract import DeliveryUnreadable
from connectors.reader import Reader
from hub.domain.money import EXACT

ZERO: Final = Decimal(0)
_MICRO: Final = Decimal("0.000001")
_CODE: Final = re.compile(r"[A-Z]{3}")
#: ISK and UGX have no cents either, yet are sent in hundredths:
#: https://docs.stripe.com/currencies#special-cases
_WITHOUT_CENTS: Final = re.compile("BIF|CLP|DJF|GNF|JPY|KMF|KRW|MGA|PYG|RWF|VND|VUV|XAF|XOF|XPF")
#: https://docs.stripe.com/currencies#three-decimal
_WITH_THOUSANDTHS: Final = re.compile("BHD|JOD|KWD|OMR|TND")


@dataclass(frozen=True, slots=True)
class Money:
    currency: str
    decimals: int

    @property
    def unit(self) -> Decimal:
        """The smallest amount."""
        return Decimal(1).scaleb(-self.decimals)

    def amount(self, place: Reader, name: str, default: Decimal | None = None) -> Decimal:
        """An amount in the currency's main unit. Raises `DeliveryUnreadable`."""
        if default is not None and not place.has(name):
            return default
        minor = place.decimal(name)
        if minor != minor.to_integral_value():
            raise DeliveryUnreadable(f"{place.at(name).path} is not a whole number")
        return int(minor) * self.unit


def money_of(place: Reader) -> Money:
    """The currency of an object. Raises `DeliveryUnreadable`."""
    currency = place.text("currency").upper()
    if not _CODE.fullmatch(currency):
        raise DeliveryUnreadable("currency is not a code of three letters")
    if _WITHOUT_CENTS.fullmatch(currency):
        return Money(currency, 0)
    return Money(currency, 3 if _WITH_THOUSANDTHS.fullmatch(currency) else 2)


def share(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """amount × part ÷ whole, to the millionth."""
    with localcontext(EXACT):
        return (amount * part / whole).quantize(_MICRO, ROUND_HALF_UP)


def shares(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """The amount in proportion to weights of six decimals; of an amount no larger than all of
    them, no part is larger than its weight.
    """
    micros = [_micros(weight) for weight in weights]
    whole, goal, reached, done = sum(micros), _micros(amount), 0, 0
    parts = []
    for one in micros:
        reached += one
        upto = goal * reached // whole
        parts.append(Decimal(upto - done).scaleb(-6))
        done = upto
    return parts


def _micros(amount: Decimal) -> int:
    return int(amount.scaleb(6, EXACT))
