"""audit: what was told or erased because a customer or a shop asked for it."""

from __future__ import annotations

import click

from hub.commands.output import command, merchant_option, opened, table, tell, the_merchant


@click.group()
def audit() -> None:
    """What was told or erased by request."""


@command(audit, "list")
@merchant_option
@click.option("--limit", default=50, type=click.IntRange(1, 500))
@click.option("--after", default=None)
def audit_list(merchant_id: str, limit: int, after: str | None) -> None:
    """Newest first: when, what, and how much of it; never whose."""
    with opened() as hub:
        the_merchant(hub, merchant_id)
        with hub.ctx.store.reading() as tx:
            rows = tx.tenant(merchant_id).erasures.list(limit, after)
    data = [
        {
            "id": row.id,
            "connection": row.connection_id,
            "action": row.action,
            "sales": row.sales,
            "deliveries": row.deliveries,
            "addresses": row.addresses,
            "done_at": row.done_at,
        }
        for row in rows
    ]
    lines = [
        (
            f"{row.done_at:%Y-%m-%d %H:%M}",
            row.action,
            row.connection_id,
            f"{row.sales} sales, {row.deliveries} deliveries, {row.addresses} addresses",
        )
        for row in rows
    ]
    tell({"data": data, "next": rows[-1].id if len(rows) == limit else None}, table(lines))
