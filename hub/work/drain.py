"""Run what is due: claim one promise, run its step, settle it, claim the next."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from hub.clock import Clock
from hub.steps.later import RunLater
from hub.store.database import Store, Transaction
from hub.store.records import OutboxRow
from hub.work.jobs import TRIES, Jobs, pause

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
    leases = {queue: _lease(jobs, queue) for queue in queues}
    done = 0
    with store.transaction() as tx:
        row = _claim(tx, leases, worker)
    while row is not None:
        settle = _run(row, jobs, clock)
        done += 1
        enough = done >= rows or clock.monotonic() >= until or stopping()
        with store.transaction() as tx:
            settle(tx)
            row = None if enough else _claim(tx, leases, worker)
        if enough:
            return Drained(done, more=True)
    return Drained(done, more=False)


def _lease(jobs: Jobs, queue: str) -> int:
    return max((job.seconds for job in jobs.values() if job.queue == queue), default=60)


def _claim(tx: Transaction, leases: Mapping[str, int], worker: str) -> OutboxRow | None:
    for queue, seconds in leases.items():
        row = tx.outbox.claim([queue], worker, seconds)
        if row is not None:
            return row
    return None


def _run(row: OutboxRow, jobs: Jobs, clock: Clock) -> Settle:
    try:
        jobs[row.job].run(row.merchant_id, row.subject)
    except RunLater as later:
        log.info("job_later", job=row.job, subject=row.subject, reason=later.reason)
        return _postpone(row, jobs[row.job].queue, later)
    except Exception as error:  # noqa: BLE001 - whatever a step does, the queue goes on
        return _failed(row, error, clock)
    return lambda tx: tx.outbox.done(row)


def _postpone(row: OutboxRow, queue: str, later: RunLater) -> Settle:
    """A new promise in the place of this one, so that its tries count from the beginning."""

    def settle(tx: Transaction) -> None:
        tx.outbox.done(row)
        tx.tenant(row.merchant_id).promise(row.job, row.subject, queue=queue, due_at=later.due_at)

    return settle


def _failed(row: OutboxRow, error: Exception, clock: Clock) -> Settle:
    tries = max(row.tries, 1)
    what = _whereabouts(error)
    known = {"job": row.job, "subject": row.subject, "error": what, "tries": tries}
    if tries >= TRIES:
        log.error("job_buried", **known)
        return lambda tx: tx.outbox.bury(row, what)
    due_at = clock.now() + pause(tries, row.id)
    log.warning("job_failed", **known, due_at=due_at.isoformat())
    return lambda tx: tx.outbox.retry(row, due_at, what)


def _whereabouts(error: Exception) -> str:
    """The kind of error and the line of code, never its message: that may hold personal data."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return type(error).__name__
    last = frames[-1]
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"
