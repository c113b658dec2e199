"""Amounts in one of the two currencies that Shopify tells every amount in.

https://shopify.dev/docs/api/admin-graphql/latest/objects/MoneyBag
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, localcontext
from typing import Any, Final

from connectors.contract import DeliveryUnreadable
from connectors.reader import MAX_AMOUNT_DIGITS, Reader

ZERO: Final = Decimal(0)
CENT: Final = Decimal("0.01")
MICRO: Final = Decimal("0.000001")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
#: Wide enough that no sum of amounts of thirty digits is ever rounded silently.
_DIGITS: Final = 80


def decimals_checked(amount: Decimal, place: Reader) -> Decimal:
    """An amount is told to six decimals at most: finer ones are no money."""
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -6 and amount != round(amount, 6):
        raise DeliveryUnreadable(f"{place.path} has more than six decimals")
    return amount


def of_pieces(price: Decimal, quantity: Decimal, place: Reader) -> Decimal:
    """The price of all pieces, no longer than any one amount may be."""
    whole = price * quantity
    if whole and whole.adjusted() >= MAX_AMOUNT_DIGITS:
        raise DeliveryUnreadable(f"{place.path} costs more than any amount")
    return decimals_checked(whole, place)


@dataclass(frozen=True, slots=True)
class Column:
    """The currency an order is read in: the one the buyer paid, or the shop's own."""

    currency: str
    shop: bool
    #: REST's amounts without a set are in the currency of the shop.
    bare: bool

    @classmethod
    def of(cls, shop: str, presentment: str, settings: Mapping[str, Any]) -> Column:
        """`currency = "shop"` in the connection's settings takes the shop's; else the buyer's."""
        for one in (shop, presentment):
            if not _CURRENCY.fullmatch(one):
                raise DeliveryUnreadable("the currency is not a code of three letters")
        own = settings.get("currency") == "shop"
        return cls(shop if own else presentment, own, own or shop == presentment)

    def bag(self, place: Reader, name: str, default: Decimal | None = None) -> Decimal:
        """GraphQL: the amount of a MoneyBag."""
        side = "shopMoney" if self.shop else "presentmentMoney"
        return self._money(place.at(name), side, "currencyCode", default)

    def of_set(self, place: Reader, name: str, default: Decimal | None = None) -> Decimal:
        """REST: the amount of `<name>_set`, or `name` itself where it is in this currency."""
        both = place.at(f"{name}_set")
        if both.value is not None:
            return self.inside(both, default)
        if self.bare or place.at(name).value is None:
            return decimals_checked(place.decimal(name, default), place.at(name))
        raise DeliveryUnreadable(f"{both.path} is missing")

    def inside(self, place: Reader, default: Decimal | None = None) -> Decimal:
        """REST: of an object that holds both currencies."""
        side = "shop_money" if self.shop else "presentment_money"
        return self._money(place, side, "currency_code", default)

    def _money(self, bag: Reader, side: str, code: str, default: Decimal | None) -> Decimal:
        if bag.value is None and default is not None:
            return default
        told = bag.at(side)
        if told.text(code) != self.currency:
            raise DeliveryUnreadable(f"{told.path} is in another currency than the order")
        return decimals_checked(told.decimal("amount"), told.at("amount"))


def total_of(amounts: Iterable[Decimal]) -> Decimal:
    with localcontext() as exact:
        exact.prec = _DIGITS
        return sum(amounts, ZERO)


def share(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """`amount` × part ÷ whole to six decimals; 0 of nothing."""
    with localcontext() as exact:
        exact.prec = _DIGITS
        return (amount * part / whole).quantize(MICRO, ROUND_HALF_EVEN) if whole else ZERO


def tidy(amount: Decimal) -> Decimal:
    """The same amount with two decimals, or with as many as it needs."""
    return round(amount, 2) if amount == round(amount, 2) else amount.normalize()


def shares(amount: Decimal, weights: Sequence[Decimal]) -> tuple[Decimal, ...]:
    """`amount` in proportion to the weights; the largest takes what rounding leaves."""
    whole = total_of(weights)
    parts = [share(amount, weight, whole) for weight in weights]
    if whole:
        largest = max(range(len(parts)), key=lambda i: weights[i])
        parts[largest] += amount - total_of(parts)
    return tuple(parts)


def rate_between(pairs: Iterable[tuple[Decimal, Decimal]]) -> Decimal | None:
    """Units of the first currency for one of the second, if the amounts allow one value alone.

    Both amounts of a pair were rounded to cents by themselves, so each pair allows a range. SAT
    takes six decimals (TipoCambio): where two values of six decimals fit, none is known.
    """
    low, high = ZERO, Decimal("Infinity")
    with localcontext() as exact:
        exact.prec = _DIGITS
        for own, theirs in pairs:
            if own > CENT and theirs > CENT:
                low = max(low, (own - CENT / 2) / (theirs + CENT / 2))
                high = min(high, (own + CENT / 2) / (theirs - CENT / 2))
        if not high.is_finite():
            return None
        first, last = low.quantize(MICRO, ROUND_CEILING), high.quantize(MICRO, ROUND_FLOOR)
    return first if first == last and first > 0 else None
