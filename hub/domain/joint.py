"""Several sales in one document. Pure: it is composed to the cent of what was paid, or refused.

The joined sale is a sale like any other to whoever composes, shows or compares it. Its lines are
what is left of each sale, in their order, and say which purchase they are of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from enum import StrEnum
from itertools import chain
from typing import Final

from hub.domain.charges import costs
from hub.domain.credit import totals_of
from hub.domain.placed import Basis, Share, named
from hub.domain.reasons import NotComposable
from hub.domain.remaining import remaining_lines
from hub.domain.rules import Rules
from hub.domain.sale import Payment, Sale, SaleLine

#: A page on a phone is read to its end, and a PAC takes it in one go.
MOST_SALES: Final = 20
MOST_LINES: Final = 500
_ZERO: Final = Decimal(0)


class Apart(StrEnum):
    """Why sales cannot stand in one document."""

    #: More than `MOST_SALES` or `MOST_LINES`.
    TOO_MANY = "too_many"
    #: Of different currencies, or of one at different rates.
    CURRENCY = "currency"
    #: Tests and real ones.
    TEST = "test"
    #: No document adds up, to the cent, to what was paid for all of them.
    INEXACT = "inexact"


class NotJoinable(Exception):
    """They can be invoiced one by one only. `why` says what stands against it."""

    def __init__(self, why: Apart) -> None:
        super().__init__(why.value)
        self.why = why


def joined(sales: Sequence[Sale], rules: Rules) -> Sale:
    """One sale of all of them: its `due` is the sum of theirs. Raises `NotJoinable`.

    That a document can be made of it, only composing it tells.
    """
    first = sales[0]
    if why := _apart(sales, rules):
        raise NotJoinable(why)
    due = sum((one.due for one in sales), _ZERO)
    return replace(
        first,
        number=", ".join(one.number for one in sales),
        revision=0,
        placed_at=max(one.placed_at for one in sales),
        paid_at=max((one.paid_at for one in sales if one.paid_at), default=None),
        total=due,
        lines=tuple(chain.from_iterable(_lines(place, one) for place, one in enumerate(sales))),
        payments=_payments(sales, rules),
        refunds=(),
        rounds_to=_rounds_to(sales),
        test=first.test,
        unverified=any(one.unverified for one in sales),
        doubts=(),
        excluded=tuple(chain.from_iterable(one.excluded for one in sales)),
        claims=(),
    )


def shares(sales: Sequence[Sale]) -> tuple[Share, ...]:
    """What each sale is of the document of the joined one, in their order."""
    found, place = [], 0
    for one in sales:
        lines = sum(1 for line in _left(one) if costs(line))
        found.append(Share(place, lines, one.due, Basis(one.total, totals_of(one))))
        place += lines
    return tuple(found)


def _apart(sales: Sequence[Sale], rules: Rules) -> Apart | None:
    if len(sales) > MOST_SALES or sum(len(one.lines) for one in sales) > MOST_LINES:
        return Apart.TOO_MANY
    if len({one.currency for one in sales}) > 1:
        return Apart.CURRENCY
    rates = {one.exchange_rate or rules.tipos_cambio.get(one.currency) for one in sales}
    if sales[0].currency != "MXN" and len(rates) > 1:
        return Apart.CURRENCY
    return Apart.TEST if len({one.test for one in sales}) > 1 else None


def _rounds_to(sales: Sequence[Sale]) -> Decimal | None:
    """What all of them were rounded to.

    Where that differs they have to add up to the cent: what one was rounded by would be taken from
    or given to another one's lines. Most such are of one shop, which charges cents: the amounts of
    some are whole by chance, and then nothing was rounded away.
    """
    units = {one.rounds_to for one in sales}
    return units.pop() if len(units) == 1 else None


def _lines(place: int, sale: Sale) -> tuple[SaleLine, ...]:
    return tuple(
        replace(
            line,
            key=f"{place}/{line.key}",
            description=named(line.description or "Venta", sale.number),
        )
        for line in _left(sale)
    )


def _left(sale: Sale) -> tuple[SaleLine, ...]:
    try:
        return remaining_lines(sale)
    except NotComposable as error:
        raise NotJoinable(Apart.INEXACT) from error


def _payments(sales: Sequence[Sale], rules: Rules) -> tuple[Payment, ...]:
    """What was paid by each form for what is left of it, all purchases together.

    FormaPago is "la forma de pago con la que se liquida la mayor cantidad del pago" where there
    were several (guide of Anexo 20, FormaPago): three purchases in cash may outweigh one by card.
    """
    found: dict[tuple[str | None, str], Payment] = {}
    for sale in sales:
        payments = sale.payments or (Payment("", sale.total),)
        paid = sum((one.amount for one in payments), _ZERO)
        for payment in payments:
            forma = rules.forma_pago_of(payment)
            key = (forma, "" if forma else payment.method)
            known = found.get(key)
            amount = payment.amount * sale.due / paid if paid else payment.amount
            found[key] = Payment(
                known.method if known else payment.method,
                amount + (known.amount if known else _ZERO),
                known.label if known else payment.label,
                forma_pago=forma,
            )
    return tuple(found.values())
