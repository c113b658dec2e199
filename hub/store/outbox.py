"""What was promised and is not done yet, and who holds which lease."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from peewee import SQL, fn

from hub.store import schema, statements
from hub.store.engines import told
from hub.store.errors import RowUnknown
from hub.store.records import OutboxRow
from hub.store.session import Scope, Session

#: Written out, because a partial index is not used for a value that comes as a parameter.
READY, CLAIMED, DEAD = SQL("state = 'ready'"), SQL("state = 'claimed'"), SQL("state = 'dead'")
box = schema.Outbox

_JOIN = (
    "ON CONFLICT (merchant_id, job, subject) WHERE state = 'ready' DO UPDATE "
    "SET due_at = excluded.due_at WHERE excluded.due_at < outbox.due_at"
)
#: While one is being run its like waits: a step is never run twice at once for one subject.
_ALONE = (
    "AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.merchant_id = outbox.merchant_id "
    "AND o.job = outbox.job AND o.subject = outbox.subject AND o.state = 'claimed')"
)
_OLDEST = f"AND state = 'ready' AND due_at <= ? {_ALONE} ORDER BY due_at, id LIMIT 1"
_OVER = "AND state = 'claimed' AND claimed_until <= ? LIMIT 1000"
_CLAIM = (
    "UPDATE outbox SET state = 'claimed', fence = ?, worker = ?, claimed_until = ? "
    "WHERE merchant_id = ? AND id = ?"
)
_DONE = "DELETE FROM outbox WHERE merchant_id = ? AND id = ? AND fence = ? AND state = 'claimed'"


def _record(row: schema.Outbox) -> OutboxRow:
    return OutboxRow(
        row.id,
        row.merchant_id,
        row.job,
        row.subject,
        row.due_at,
        row.tries,
        row.fence,
        row.error,
    )


def _make_ready(session: Session, values: dict[str, Any]) -> None:
    """Add a promise, or join an equal one that waits: the earlier time of both holds.

    The waiting row is locked even if it stays as it is, so that nobody can claim it before what
    was written in this transaction can be seen.
    """
    values = {**values, "state": "ready", "worker": "", "claimed_until": None}
    with told():
        statements.insert(session.engine.db, box, values, _JOIN)


def promise(scope: Scope, job: str, subject: str, queue: str, due_at: datetime | None) -> None:
    session, now = scope.session, scope.clock.now()
    due_at = now if due_at is None else due_at
    _make_ready(
        session,
        {
            "merchant_id": scope.merchant_id,
            "id": scope.clock.new_id(),
            "job": job,
            "subject": subject,
            "queue": queue,
            "due_at": due_at,
            "tries": 0,
            "fence": 0,
            "error": "",
            "created_at": now,
        },
    )
    if due_at <= now:
        session.promised.add(queue)


class Outbox:
    """The work of all tenants. A row is claimed for a time, run, then done, retried or buried."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def claim(
        self, queues: Sequence[str], worker: str, seconds: float | Callable[[str], float]
    ) -> OutboxRow | None:
        """The row that is due for the longest, of the first of these queues that has one.

        Not one whose like, for the same job and subject, is being run. It is the worker's for
        `seconds`, which may depend on the job.
        """
        session, now = self._session, self._session.clock.now()
        for queue in queues:
            rest = f"{_OLDEST} {session.engine.skip_locked}"
            found = session.select(box, rest, [box.due_at.db_value(now)], queue=queue)
            if found:
                held = seconds if isinstance(seconds, int | float) else seconds(found[0].job)
                return self._claimed(found[0], worker, now + timedelta(seconds=held))
        return None

    def _claimed(self, row: schema.Outbox, worker: str, until: datetime) -> OutboxRow:
        row.fence += 1
        until_raw = box.claimed_until.db_value(until)
        self._session.sql(_CLAIM, row.fence, worker, until_raw, row.merchant_id, row.id)
        return _record(row)

    def done(self, row: OutboxRow) -> None:
        """Forget it. Nothing happens if the claim was lost meanwhile: it belongs to another."""
        self._session.sql(_DONE, row.merchant_id, row.id, row.fence)

    def retry(self, row: OutboxRow, due_at: datetime, error: str, *, counted: bool = True) -> None:
        """Give it back for later. `counted`: it failed; else it only had to wait."""
        held = self._session.one(box.select().where(*self._held(row)))
        if held is not None:
            self._give_back(held, due_at, error, tries=held.tries + int(counted))

    def bury(self, row: OutboxRow, error: str) -> None:
        """Dead letter: kept for a person, never run again unless revived."""
        query = box.update(
            state="dead", claimed_until=None, error=error, tries=box.tries + 1
        ).where(*self._held(row))
        self._session.run(query)

    def expire(self) -> int:
        """Make due again what was claimed for a time that is over; the number of rows."""
        now = self._session.clock.now()
        rest = f"{_OVER} {self._session.engine.skip_locked}"
        rows = self._session.select(box, rest, [box.due_at.db_value(now)])
        for row in rows:
            self._give_back(row, now, "the worker did not come back", tries=row.tries + 1)
            self._session.promised.add(row.queue)
        return len(rows)

    def due(self, queues: Sequence[str] | None) -> dict[str, int]:
        """How much is due now, by queue; queues with nothing due are left out."""
        query = box.select(box.queue, fn.COUNT(box.id)).where(
            READY, box.due_at <= self._session.clock.now()
        )
        if queues is not None:
            query = query.where(box.queue.in_(list(queues)))
        return dict(self._session.run(query.group_by(box.queue).tuples()))

    def next_due_at(self) -> datetime | None:
        """When the next waiting row is due; in the past if one is due already."""
        row = self._session.one(box.select(box.due_at).where(READY).order_by(box.due_at).limit(1))
        return None if row is None else row.due_at

    def waiting(self, limit: int) -> list[OutboxRow]:
        """What is not done yet, the work in hand included; the soonest due first."""
        query = box.select().where((box.state == "ready") | (box.state == "claimed"))
        rows = self._session.run(query.order_by(box.due_at, box.id).limit(limit))
        return [_record(row) for row in rows]

    def held_up(self, queue: str, since: datetime, until: datetime) -> list[OutboxRow]:
        """What was promised before `since`, could not be done, and is tried again by `until`."""
        query = box.select().where(
            READY, box.queue == queue, box.created_at < since, box.due_at < until, box.error != ""
        )
        return [_record(row) for row in self._session.run(query.order_by(box.created_at, box.id))]

    def dead(self, limit: int) -> list[OutboxRow]:
        rows = self._session.run(box.select().where(DEAD).order_by(box.id).limit(limit))
        return [_record(row) for row in rows]

    def revive(self, row_id: str) -> None:
        """Let a dead letter be run again, now, as if it had never failed."""
        row = self._session.one(box.select().where(DEAD, box.id == row_id))
        if row is None:
            raise RowUnknown("no such dead letter")
        self._give_back(row, self._session.clock.now(), "", tries=0)
        self._session.promised.add(row.queue)

    def _give_back(self, row: schema.Outbox, due_at: datetime, error: str, *, tries: int) -> None:
        self._session.run(box.delete().where(box.merchant_id == row.merchant_id, box.id == row.id))
        kept = ("merchant_id", "id", "job", "subject", "queue", "fence", "created_at")
        values = {name: getattr(row, name) for name in kept}
        _make_ready(self._session, {**values, "due_at": due_at, "error": error, "tries": tries})

    def _held(self, row: OutboxRow) -> tuple[Any, ...]:
        return (
            CLAIMED,
            box.merchant_id == row.merchant_id,
            box.id == row.id,
            box.fence == row.fence,
        )


class Leases:
    """Who alone may do a thing for a while. The fence grows with every new holder."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def hold(self, name: str, owner: str, seconds: float) -> int | None:
        """Take it or renew one's own: the fence; None while another holds it."""
        lease, now = schema.Lease, self._session.clock.now()
        until = now + timedelta(seconds=seconds)
        fresh = lease.insert(name=name, owner=owner, fence=0, expires_at=now).on_conflict(
            conflict_target=(lease.name,), update={lease.name: name}
        )
        self._session.run(fresh.as_rowcount())
        row = self._session.one(lease.select().where(lease.name == name))
        if row.owner != owner and row.expires_at > now:
            return None
        fence = row.fence + int(row.owner != owner or row.fence == 0)
        self._session.run(
            lease.update(owner=owner, fence=fence, expires_at=until).where(lease.name == name)
        )
        return int(fence)

    def release(self, name: str, owner: str) -> None:
        """Give it back early; nothing happens if it is another's."""
        lease, now = schema.Lease, self._session.clock.now()
        self._session.run(
            lease.update(expires_at=now).where(lease.name == name, lease.owner == owner)
        )

    def held(self, name: str) -> bool:
        """Whether anybody holds it now."""
        lease, now = schema.Lease, self._session.clock.now()
        query = lease.select(lease.name).where(lease.name == name, lease.expires_at > now)
        return self._session.one(query) is not None
