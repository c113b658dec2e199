"""What a page says of the buyer's requests to the merchant, made and still possible."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict

from hub.domain.asks import AFTERWARDS, CAME_BY, TICKET, Answer, AskKind, corrections_left
from hub.domain.states import State
from hub.steps.context import Context
from hub.steps.issuer import Issuer
from hub.store.asks import Ask
from hub.store.records import Invoice, Stamp


class Asked(TypedDict):
    """Fields of `Purchase`."""

    asked_at: datetime | None
    asked_kind: str
    answer: Answer | None
    corrections_left: int


def shown(
    ctx: Context,
    issuer: Issuer,
    asks: Sequence[Ask],
    invoice: Invoice | None,
    stamp: Stamp | None,
) -> Asked:
    """Of the requests of a sale, the newest first. `stamp`: the page shows the invoice in force."""
    waits = _open(asks, afterwards=stamp is not None)
    return Asked(
        asked_at=waits.created_at.astimezone(issuer.zone) if waits else None,
        asked_kind=waits.kind if waits else "",
        answer=_answer(issuer, asks),
        corrections_left=left(ctx, issuer, asks, invoice, stamp),
    )


def left(
    ctx: Context,
    issuer: Issuer,
    asks: Sequence[Ask],
    invoice: Invoice | None,
    stamp: Stamp | None,
) -> int:
    """How often the data of the invoice may still be corrected."""
    if invoice is None or stamp is None:
        return 0
    return corrections_left(
        issuer.rules.pagina,
        stamped_at=stamp.stamped_at,
        now=ctx.clock.now(),
        made=sum(one.kind == AskKind.CORRECTION for one in asks),
        cancelling=invoice.state is not State.STAMPED,
    )


def waits_by_ticket(one: Ask) -> bool:
    """Somebody who knows the ticket alone asks; whoever has the link may ask beside it."""
    return one.resolved_at is None and one.form.get(CAME_BY) == TICKET


def seen(asks: Sequence[Ask], *, proven: bool) -> tuple[Ask, ...]:
    """Those that a page counts for whoever opened it: what strangers ask is not the buyer's."""
    return tuple(one for one in asks if not (proven and waits_by_ticket(one)))


def _open(asks: Sequence[Ask], *, afterwards: bool) -> Ask | None:
    """What still waits: about the invoice in force, or for one."""
    waiting = (
        one for one in asks if one.resolved_at is None and (one.kind in AFTERWARDS) is afterwards
    )
    return next(waiting, None)


def _answer(issuer: Issuer, asks: Sequence[Ask]) -> Answer | None:
    """To the newest request, where it was answered."""
    newest = next(iter(asks), None)
    if newest is None or newest.resolved_at is None or not newest.outcome:
        return None
    asked_at, at = newest.created_at, newest.resolved_at.astimezone(issuer.zone)
    return Answer(newest.outcome, newest.answer, asked_at.astimezone(issuer.zone), at)
