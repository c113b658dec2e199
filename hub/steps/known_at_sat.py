"""Whether SAT knows an RFC, as the merchant's provider tells, before anything is asked for with it.

A provider holds SAT's list l_RFC, as old as a day, and refuses by it what it is sent: this only
says so at the field, sooner. Whoever does not answer at once is not waited for.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import structlog

from cfdi.findings import Finding, FixableBy
from cfdi.pac.contract import Later, NotOffered, Registered
from cfdi.rfc import GENERIC_FOREIGN, GENERIC_NATIONAL, well_formed
from hub.domain.receiver import Receiver
from hub.steps.context import Context
from hub.steps.issuer import issuer_of
from hub.steps.questions import Questions
from hub.store.records import PacAccount

log = structlog.get_logger(__name__)

#: How long a buyer waits for the provider at most.
SECONDS: Final = 1.0
#: How long an answer is good: nobody leaves the list within a day, but whoever has just registered
#: may come into it within the hour.
KNOWN_FOR: Final = timedelta(days=1)
UNKNOWN_FOR: Final = timedelta(minutes=15)
#: A provider that did not answer is not asked for so long; one without such a list for a day.
REST: Final = timedelta(seconds=30)
AT_ONCE: Final = 8
SEATS: Final = 4
#: So many are looked up for one purchase within an hour: nobody needs more, and each is asked of
#: the provider with the merchant's account.
PER_HOUR: Final = 20
_HOUR: Final = 3600.0
#: RFCs, and purchases, that one process remembers.
MOST: Final = 10_000

UNKNOWN_AT_SAT: Final = Finding(
    "rfc_not_registered",
    "rfc",
    "El SAT no reconoce ese RFC como activo. Revísalo letra por letra en tu constancia. Si lo "
    "acabas de tramitar, espera un día.",
    "SAT does not know this RFC as active. Check it letter by letter on your tax certificate. If "
    "you have just obtained it, wait a day.",
    FixableBy.BUYER,
)
_GENERIC: Final = frozenset({GENERIC_NATIONAL, GENERIC_FOREIGN})


@dataclass(frozen=True, slots=True)
class _Question:
    account_id: str
    rfc: str


class KnownAtSat:
    """Asks each provider about an RFC once a day, beside the pages. Thread safe."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self.questions: Questions[_Question, bool | None] = Questions(
            "lrfc", at_once=AT_ONCE, at_one_shop=AT_ONCE, seats=SEATS
        )
        #: What is known, and until when by the clock that only goes forward.
        self._known: OrderedDict[_Question, tuple[bool, float]] = OrderedDict()
        self._rests: dict[str, float] = {}
        #: When those of a purchase were looked up.
        self._lately: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def examined(self, token: str, receiver: Receiver) -> Receiver:
        """The same, with a finding at the RFC if SAT does not know it. Within `SECONDS`."""
        rfc = receiver.receptor.rfc
        wrong = any(finding.path == "rfc" for finding in receiver.findings)
        if wrong or rfc in _GENERIC or not well_formed(rfc):
            return receiver
        account, sale_id = self._account(token)
        if account is None or self._answer(account, rfc, sale_id) is not False:
            return receiver
        return replace(receiver, findings=(UNKNOWN_AT_SAT, *receiver.findings))

    def _account(self, token: str) -> tuple[PacAccount | None, str]:
        """Whom to ask, where the merchant wants it; and for which purchase."""
        with self._ctx.store.reading() as tx:
            found = self._ctx.opened(tx, token)
            tenant = tx.tenant(found.merchant_id) if found else None
            if found is None or tenant is None or not issuer_of(tenant).rules.pagina.validar_rfc:
                return None, ""
            return tenant.pac.active(), found.sale_id

    def _answer(self, account: PacAccount, rfc: str, sale_id: str) -> bool | None:
        question, now = _Question(account.id, rfc), self._ctx.clock.monotonic()
        known = self._known.get(question)
        if known is not None and now < known[1]:
            return known[0]
        if now < self._rests.get(account.id, now) or not self._may(sale_id, now):
            return None
        future = self.questions.ask(question, account.id, lambda: self._asked(account, question))
        if future is None or not self.questions.wait(future, SECONDS):
            return None
        return future.result()

    def _may(self, sale_id: str, now: float) -> bool:
        """Count a look-up for that purchase. False: it had enough of them."""
        with self._lock:
            lately = self._lately.setdefault(sale_id, deque(maxlen=PER_HOUR))
            self._lately.move_to_end(sale_id)
            while len(self._lately) > MOST:
                self._lately.popitem(last=False)
            if len(lately) == PER_HOUR and now - lately[0] < _HOUR:
                return False
            lately.append(now)
            return True

    def _asked(self, account: PacAccount, question: _Question) -> bool | None:
        """On a thread of its own: what comes too late serves the next who asks."""
        try:
            found = self._ctx.pac(account).registered(question.rfc)
        except Exception as error:  # noqa: BLE001 - nobody waits for it; SAT judges the document
            log.warning("register_not_asked", kind=type(error).__name__, account=account.id)
            found = Later("it failed")
        if isinstance(found, Registered) and found.known is not None:
            self._remember(question, known=found.known)
            return found.known
        rest = KNOWN_FOR if isinstance(found, NotOffered) else REST
        self._rests[account.id] = self._ctx.clock.monotonic() + rest.total_seconds()
        return None

    def _remember(self, question: _Question, *, known: bool) -> None:
        good_for = KNOWN_FOR if known else UNKNOWN_FOR
        self._known[question] = known, self._ctx.clock.monotonic() + good_for.total_seconds()
        self._known.move_to_end(question)
        while len(self._known) > MOST:
            self._known.popitem(last=False)
