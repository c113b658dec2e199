"""fresh: what a buyer sees and asks for is what the shop says now, if it answers in time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog

from hub.domain.states import State
from hub.steps.bill import meant
from hub.steps.context import Context
from hub.steps.ingest import ingest_order
from hub.steps.issuer import issuer_of
from hub.steps.later import RunLater
from hub.steps.opening import Opened
from hub.steps.questions import Questions
from hub.steps.shops import shop_of
from hub.store.database import Tenant
from hub.store.records import SaleRow

log = structlog.get_logger(__name__)

#: An answer of the shop is as good as new for so long.
GOOD_FOR: Final = timedelta(minutes=5)
#: At the moment of asking for the invoice; longer than a double click takes.
GOOD_FOR_ASKING: Final = timedelta(seconds=15)
#: How long a page, and how long a buyer who asks for the invoice, waits for the shop at most.
OPEN_SECONDS: Final = 0.7
ASK_SECONDS: Final = 2.0
#: Questions at once by one process, and to one shop, so that a slow one is not in others' way.
AT_ONCE: Final = 8
AT_ONE_SHOP: Final = 3
#: Visitors of one process who may wait so long: each holds a thread that deliveries and other
#: merchants' buyers need as well (hub/commands/run.py).
PATIENT: Final = 4
#: No page waits for a shop that was slow or silent within so many seconds.
REST_SECONDS: Final = 30.0


def is_fresh(row: SaleRow, now: datetime, good_for: timedelta = GOOD_FOR) -> bool:
    """Whether the amounts are as good as the shop's own word; without a shop they are."""
    if row.connection_id is None:
        return True
    return row.verified_at is not None and now - row.verified_at <= good_for


@dataclass(frozen=True, slots=True)
class _Question:
    merchant_id: str
    connection_id: str
    sale_id: str
    order_id: str


class Refreshing:
    """Asks shops beside the pages: one question for a sale at a time, however many wait for it.

    A question goes on after whoever asked has gone: what it brings is kept for the next look.
    """

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self.questions: Questions[_Question, None] = Questions(
            "refresh", at_once=AT_ONCE, at_one_shop=AT_ONE_SHOP, seats=PATIENT
        )
        self._rests: dict[str, float] = {}

    def looked_at(self, token: str) -> None:
        """A buyer opens the page. Returns within `OPEN_SECONDS`, at once if a shop is slow."""
        found = self._questions(token, GOOD_FOR)
        self._ask([one for one in found if not self._rests_now(one.connection_id)], OPEN_SECONDS)

    def asked_for(self, token: str) -> None:
        """A buyer asks for the invoice. Returns within `ASK_SECONDS`."""
        self._ask(self._questions(token, GOOD_FOR_ASKING), ASK_SECONDS)

    def _questions(self, token: str, good_for: timedelta) -> list[_Question]:
        """Of each sale whose shop need and can be asked."""
        with self._ctx.store.reading() as tx:
            opened = self._ctx.opened(tx, token)
            if opened is None:
                return []
            found = self.outdated(tx.tenant(opened.merchant_id), opened, good_for)
        return [one for one in found if self._can_be_asked(one.merchant_id, one.connection_id)]

    def outdated(
        self, tenant: Tenant, opened: Opened, good_for: timedelta = GOOD_FOR
    ) -> list[_Question]:
        """What there is to ask of shops: an invoice keeps the amounts it has."""
        now = self._ctx.clock.now()
        found: list[_Question] = []
        sale_ids = meant(tenant, issuer_of(tenant), opened.sale_ids, now)
        for sale_id in sale_ids if opened.proven else opened.sale_ids:
            row = tenant.sales.get(sale_id)
            invoice = tenant.invoices.for_sale(sale_id, opened.part)
            if row is None or row.connection_id is None or is_fresh(row, now, good_for):
                continue
            if invoice is not None and invoice.state is not State.REJECTED:
                continue
            found.append(_Question(tenant.id, row.connection_id, row.id, row.sale.key))
        return found

    def _can_be_asked(self, merchant_id: str, connection_id: str) -> bool:
        try:
            shop = shop_of(self._ctx, merchant_id, connection_id)
        except RunLater:
            return False  # its connector is missing in this process
        return shop is not None and shop.can_be_asked and shop.state != "checking"

    def _ask(self, questions: list[_Question], seconds: float) -> None:
        """All at once, as far as their shops take them, and no longer than `seconds` for all."""
        until, asked = self._ctx.clock.monotonic() + seconds, []
        for one in questions:
            future = self.questions.ask(one, one.connection_id, partial(self._answer, one))
            if future is not None:
                asked.append((one, future))
        for one, future in asked:
            left = max(until - self._ctx.clock.monotonic(), 0.0)
            if not self.questions.wait(future, left):
                self._rest(one.connection_id)

    def _answer(self, question: _Question) -> None:
        subject = f"{question.connection_id}/{question.order_id}"
        try:
            ingest_order(self._ctx, question.merchant_id, subject)
        except RunLater:
            self._rest(question.connection_id)
        except Exception as error:  # noqa: BLE001 - nobody waits for it; the page has its snapshot
            log.error("refresh_failed", kind=type(error).__name__, sale=question.sale_id)
            self._rest(question.connection_id)

    def _rests_now(self, connection_id: str) -> bool:
        return self._rests.get(connection_id, 0.0) > self._ctx.clock.monotonic()

    def _rest(self, connection_id: str) -> None:
        self._rests[connection_id] = self._ctx.clock.monotonic() + REST_SECONDS
