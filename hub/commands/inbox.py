"""inbox: what shops delivered, as it came."""

from __future__ import annotations

import click

from hub.commands.output import Failed, command, merchant_option, opened, table, tell, the_merchant
from hub.wiring import Hub


@click.group()
def inbox() -> None:
    """What platforms delivered, kept as it came."""


@command(inbox, "list")
@merchant_option
@click.option("--state", type=click.Choice(["filed", "done", "dead"]))
@click.option("--limit", default=50, type=click.IntRange(1, 500))
@click.option("--after", default=None)
def inbox_list(merchant_id: str, state: str | None, limit: int, after: str | None) -> None:
    """Newest first; `dead` are those no sale could be made of."""
    with opened() as hub:
        the_merchant(hub, merchant_id)
        with hub.ctx.store.reading() as tx:
            rows = tx.tenant(merchant_id).inbox.list(state=state, limit=limit, after=after)
    data = [
        {
            "id": row.id,
            "connection": row.connection_id,
            "event": row.event,
            "kind": row.kind,
            "order": row.order_id,
            "erased": row.erased,
            "state": row.state,
            "error": row.error,
            "received_at": row.received_at,
        }
        for row in rows
    ]
    lines = [(row.id, row.event, row.order_id, row.state, row.error) for row in rows]
    tell({"data": data, "next": rows[-1].id if len(rows) == limit else None}, table(lines))


@command(inbox, "show")
@merchant_option
@click.argument("inbox_id")
def inbox_show(merchant_id: str, inbox_id: str) -> None:
    """One delivery, with its headers and body as they came."""
    with opened() as hub:
        the_merchant(hub, merchant_id)
        with hub.ctx.store.reading() as tx:
            row = tx.tenant(merchant_id).inbox.get(inbox_id)
        if row is None:
            raise Failed("delivery_not_found", f"the merchant has no delivery {inbox_id!r}")
    body = row.body.decode("utf-8", "replace")
    told = "(erased by request)" if row.erased else body
    note = f"{row.state}: {row.error}\n\n" if row.error else ""
    shown = {"id": row.id, "state": row.state, "error": row.error, "erased": row.erased}
    tell({**shown, "headers": dict(row.headers), "body": body}, note + told)


@command(inbox, "replay")
@merchant_option
@click.argument("inbox_id", required=False)
@click.option("--dead", is_flag=True, help="All of which no sale could be made.")
def inbox_replay(merchant_id: str, inbox_id: str | None, *, dead: bool) -> None:
    """Look at deliveries again, e.g. after an update. Repeating changes nothing twice."""
    if (inbox_id is None) == (not dead):
        raise click.UsageError("name one delivery, or say --dead")
    with opened() as hub:
        the_merchant(hub, merchant_id)
        replayed = _replay(hub, merchant_id, inbox_id)
    tell({"replayed": replayed}, f"{replayed} deliveries will be looked at again")


def _replay(hub: Hub, merchant_id: str, inbox_id: str | None) -> int:
    with hub.ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        if inbox_id is not None:
            row = tenant.inbox.get(inbox_id)
            if row is None:
                raise Failed("delivery_not_found", f"the merchant has no delivery {inbox_id!r}")
            rows = [row]
        else:
            rows = tenant.inbox.list(state="dead", limit=10_000)
        for row in rows:
            tenant.inbox.reopen(row.id)
            tenant.promise("ingest", row.id, queue="ingest")
    return len(rows)
