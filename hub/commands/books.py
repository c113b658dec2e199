"""connection reconcile: the platform's own list of what was paid, held against the sales."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from connectors.contract import CredentialsRefused, PlatformUnreachable
from hub.commands.connection import connection
from hub.commands.output import (
    BadArgument,
    Failed,
    command,
    merchant_option,
    opened,
    table,
    tell,
    the_merchant,
)
from hub.domain.books import Difference
from hub.steps.reconcile import BACK, FRESH, LONGEST, NoBooks, look

_WHEN = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])


@command(connection, "reconcile")
@merchant_option
@click.argument("connection_id")
@click.option("--from", "since", type=_WHEN, help="Paid at or after (UTC). Default: 3 days ago.")
@click.option("--to", "until", type=_WHEN, help="Paid before (UTC). Default: 15 minutes ago.")
def connection_reconcile(
    *, merchant_id: str, connection_id: str, since: datetime | None, until: datetime | None
) -> None:
    """Ask the shop what it was paid, list what differs from the sales, and look at that again.

    This is done daily by itself. Run it twice: what is listed the second time did not heal.
    """
    with opened() as hub:
        the_merchant(hub, merchant_id)
        now = hub.ctx.clock.now()
        begin = since.replace(tzinfo=UTC) if since else now - BACK
        end = until.replace(tzinfo=UTC) if until else now - FRESH
        if not timedelta() < end - begin <= LONGEST:
            raise BadArgument("period_invalid", f"--from to --to: at most {LONGEST.days} days")
        with hub.ctx.store.reading() as tx:
            if tx.tenant(merchant_id).connections.get(connection_id) is None:
                raise Failed(
                    "connection_not_found", f"the merchant has no connection {connection_id!r}"
                )
        try:
            told = look(hub.ctx, merchant_id, connection_id, begin, end)
        except NoBooks as error:
            raise Failed("no_books", str(error)) from error
        except CredentialsRefused as error:
            raise Failed("keys_refused", str(error)) from error
        except PlatformUnreachable as error:
            raise Failed("platform_unreachable", f"no answer, try again later: {error}") from error
    heading = (
        f"{told.entries} paid from {told.since:%Y-%m-%d %H:%M} to {told.until:%Y-%m-%d %H:%M} UTC; "
        f"{len(told.differences)} differ"
    )
    shown = [_shown(one) for one in told.differences]
    rows = [tuple("" if one is None else str(one) for one in row.values()) for row in shown]
    tell(
        {
            "since": told.since,
            "until": told.until,
            "entries": told.entries,
            "differences": shown,
        },
        "\n".join([heading, *([table(rows)] if rows else [])]),
    )


def _shown(one: Difference) -> dict[str, object]:
    return {
        "order": one.order_id,
        "difference": one.odd.value,
        "theirs": one.theirs,
        "ours": one.ours,
        "currency": one.currency,
    }
