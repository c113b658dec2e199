"""What a buyer may ask the merchant for, in which state of the purchase, and how often. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from hub.domain.pagina import Pagina


class AskKind(StrEnum):
    """Words of rows and of `review list`; fixed."""

    VENCIDA = "vencida"
    EN_GLOBAL = "en_global"
    EN_REVISION = "en_revision"
    #: The shop says so, and the buyer thinks that it is wrong.
    CANCELLED = "cancelled"
    REFUNDED = "refunded"
    #: It was invoiced, SAT has cancelled that, and the buyer needs another.
    INVOICE_CANCELLED = "invoice_cancelled"
    #: Other fiscal data for an invoice in force, as often as the rules allow.
    CORRECTION = "correction"
    #: Something is wrong with an invoice in force.
    QUESTION = "question"
    #: Whoever holds the ticket did not ask for the invoice that there is.
    DISPUTED = "disputed"


#: What the buyer asks, in the words of whoever reads the queue.
WISHES: Final = {
    AskKind.VENCIDA: "wants an invoice; the time for it is over",
    AskKind.EN_GLOBAL: "wants an invoice; the purchase stands in a global one",
    AskKind.EN_REVISION: "wants an invoice; the purchase waits for you",
    AskKind.CANCELLED: "says that the purchase was not cancelled",
    AskKind.REFUNDED: "says that the purchase was not given back",
    AskKind.INVOICE_CANCELLED: "wants another invoice; the first was cancelled",
    AskKind.CORRECTION: "wants the invoice made out to these data instead",
    AskKind.QUESTION: "says that something is wrong with the invoice",
    AskKind.DISPUTED: "has the ticket and did not ask for the invoice that there is",
}
#: These come with fiscal data; all others with a message alone.
WITH_DATA: Final = frozenset(
    {AskKind.VENCIDA, AskKind.EN_GLOBAL, AskKind.EN_REVISION, AskKind.CORRECTION}
)
#: The field of a request that says by what the buyer came: a link of its own, or a ticket that
#: others may have seen. To whom came by a ticket no link is ever sent.
CAME_BY: Final = "por"
LINK: Final = "enlace"
TICKET: Final = "ticket"
#: Asked for about an invoice in force.
AFTERWARDS: Final = frozenset({AskKind.CORRECTION, AskKind.QUESTION})


@dataclass(frozen=True, slots=True)
class Answer:
    """What the merchant said to the newest request: `outcome` is done, declined or answered."""

    outcome: str
    text: str
    asked_at: datetime
    answered_at: datetime


def corrections_left(
    rules: Pagina, *, stamped_at: datetime, now: datetime, made: int, cancelling: bool
) -> int:
    """How often the buyer may still correct the data; `made` counts every time before."""
    if cancelling or now > stamped_at + timedelta(days=rules.correcciones_dias):
        return 0
    return max(rules.correcciones - made, 0)
