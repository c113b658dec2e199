"""Run what is due: claim one promise, run its step, settle it, claim the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from hub.clock import Clock
from hub.log import whereabouts
from hub.steps.later import RunLater
from hub.store.database import Store, Transaction
from hub.store.records import OutboxRow
from hub.work.jobs import SOONEST, TRIES, Jobs, pause

log = structlog.get_logger(__name__)

#: Settles a row within the transaction that claims the next one.
Settle = Callable[[Transaction], None]


@dataclass(frozen=True, slots=True)
class Drained:
    done: int
    #: It ended at its limit of rows or time: there may be more.
    more: bool


def _never() -> bool:
    return False


def drain(
    store: Store,
    jobs: Jobs,
    queues: Sequence[str],
    worker: str,
    clock: Clock,
    *,
    rows: int = 100,
    seconds: float = 2.0,
    stopping: Callable[[], bool] = _never,
) -> Drained:
    """Run due promises of `queues`, the first queue first, until none is due or a limit is reached.

    Promises made meanwhile are run too. No step's failure ends it; an error of the store does, and
    the row in hand comes back when its claim expires.
    """
    until = clock.monotonic() + seconds

    def claim(tx: Transaction) -> OutboxRow | None:
        return tx.outbox.claim(queues, worker, lambda job: _lease(jobs, job))

    done = 0
    with store.transaction() as tx:
        row = claim(tx)
    while row is not None:
        settle = _run(row, jobs, clock)
        done += 1
        enough = done >= rows or clock.monotonic() >= until or stopping()
        with store.transaction() as tx:
            settle(tx)
            row = None if enough else claim(tx)
        if enough:
            return Drained(done, more=True)
    return Drained(done, more=False)


def _lease(jobs: Jobs, name: str) -> float:
    return jobs[name].seconds if name in jobs else 1.0


def _run(row: OutboxRow, jobs: Jobs, clock: Clock) -> Settle:
    if row.tries >= TRIES:  # the last of them took the whole worker with it
        return _bury(row, row.error)
    try:
        jobs[row.job].run(row.merchant_id, row.subject)
    except RunLater as later:
        log.info("job_later", job=row.job, subject=row.subject, reason=later.reason)
        return _postponed(row, max(later.due_at, clock.now() + SOONEST), later.reason)
    except Exception as error:  # noqa: BLE001 - whatever a step does, the queue goes on
        return _failed(row, whereabouts(error), clock)
    return lambda tx: tx.outbox.done(row)


def _postponed(row: OutboxRow, due_at: datetime, why: str) -> Settle:
    return lambda tx: tx.outbox.retry(row, due_at, why, counted=False)


def _failed(row: OutboxRow, what: str, clock: Clock) -> Settle:
    tries = row.tries + 1
    if tries >= TRIES:
        return _bury(row, what)
    due_at = clock.now() + pause(tries, row.id)
    log.warning("job_failed", job=row.job, subject=row.subject, error=what, tries=tries)
    return lambda tx: tx.outbox.retry(row, due_at, what)


def _bury(row: OutboxRow, what: str) -> Settle:
    log.error("job_buried", job=row.job, subject=row.subject, error=what)
    return lambda tx: tx.outbox.bury(row, what)
