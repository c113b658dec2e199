"""outbox: what is promised and not done yet, and what was given up, of all merchants."""

from __future__ import annotations

import click

from hub.commands.output import Failed, command, opened, table, tell
from hub.store.errors import RowUnknown
from hub.wiring import Hub

#: More than anybody revives in one sitting; what is left is told.
MOST = 10_000


@click.group()
def outbox() -> None:
    """Promises: the work that workers still have to do."""


@command(outbox, "list")
@click.option("--dead", is_flag=True, help="What failed too often and is not tried any more.")
@click.option("--limit", default=100, type=click.IntRange(1, MOST))
def outbox_list(*, dead: bool, limit: int) -> None:
    """The soonest due first; with --dead the oldest first."""
    with opened() as hub, hub.ctx.store.reading() as tx:
        rows = tx.outbox.dead(limit) if dead else tx.outbox.waiting(limit)
    data = [
        {
            "id": row.id,
            "merchant": row.merchant_id,
            "job": row.job,
            "subject": row.subject,
            "due_at": row.due_at,
            "tries": row.tries,
            "error": row.error,
        }
        for row in rows
    ]
    lines = [
        (
            row.id,
            f"{row.due_at:%Y-%m-%d %H:%M}",
            row.job,
            row.subject,
            f"{row.tries} tries",
            row.error,
        )
        for row in rows
    ]
    tell({"data": data}, table(lines) or "nothing")


@command(outbox, "revive")
@click.argument("row_id", metavar="[ID]", required=False)
@click.option("--all", "everything", is_flag=True, help="All that was given up.")
def outbox_revive(row_id: str | None, *, everything: bool) -> None:
    """Let a promise that was given up be tried again, now, as if it had never failed."""
    if (row_id is None) == (not everything):
        raise click.UsageError("name one promise, or say --all")
    with opened() as hub:
        revived = _revive(hub, row_id)
    tell({"revived": revived}, f"{revived} promises will be tried again")


def _revive(hub: Hub, row_id: str | None) -> int:
    with hub.ctx.store.transaction() as tx:
        ids = [row.id for row in tx.outbox.dead(MOST)] if row_id is None else [row_id]
        try:
            for one in ids:
                tx.outbox.revive(one)
        except RowUnknown as error:
            raise Failed(
                "promise_not_found", f"no promise {row_id!r} was given up: `outbox list --dead`"
            ) from error
    return len(ids)
