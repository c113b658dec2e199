"""The platform's books held against the sales: what one side has and the other has not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from hub.domain.sale import PaymentState, Sale


class Odd(StrEnum):
    #: The platform was paid for an order of which there is no sale.
    MISSING = "missing"
    #: Both have it, and another amount or currency is due.
    AMOUNT = "amount"
    #: The platform was paid, and the sale says that it was not, or no longer is.
    UNPAID = "unpaid"
    #: There is a paid sale of that time, and the platform's books know nothing of it.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Difference:
    order_id: str
    odd: Odd
    #: What is due by the platform and by the sale; None where a side has nothing.
    theirs: Decimal | None
    ours: Decimal | None
    currency: str


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The platform's books of `since` to `until`, held against the sales at `checked_at`."""

    connection_id: str
    since: datetime
    until: datetime
    entries: int  # paid orders that the platform listed
    differences: tuple[Difference, ...]
    checked_at: datetime


def compare(due: Decimal | None, currency: str, sale: Sale | None) -> Odd | None:
    """What is odd about an order that the platform lists as paid; None if both agree.

    `due` None: the list names no amount, so only the state is compared.
    """
    if sale is None:
        return Odd.MISSING
    if sale.payment_state is PaymentState.PAID:
        if due is None or (due, currency) == (sale.due, sale.currency):
            return None
        return Odd.AMOUNT
    if due is not None and due <= 0:
        return None  # paid once, and wholly given back or free: there is nothing to invoice
    return Odd.UNPAID
