"""connection, inbox: the shops a merchant sells in, and what they delivered."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import click

from connectors.connecting import HandsOver
from connectors.contract import ConnectionInvalid
from hub.commands.output import (
    BadArgument,
    Failed,
    command,
    opened,
    opened_with,
    table,
    tell,
    the_merchant,
)
from hub.steps.announce import SETTING
from hub.steps.connect import disconnect
from hub.steps.health import standing
from hub.steps.pairing import new_code
from hub.steps.shops import problem_of
from hub.store.records import Connection
from hub.wiring import Hub

merchant_option = click.option("--merchant", "merchant_id", required=True)


@click.group()
def connection() -> None:
    """Shops."""


@command(connection, "create")
@merchant_option
@click.option("--platform", required=True)
@click.option("--url", "account", default="", help="Address of the shop.")
@click.option("--key", default="", envvar="CONNECTION_KEY", help="API key to ask the shop with.")
@click.option("--secret", default="", envvar="CONNECTION_SECRET", help="Secret of that API key.")
@click.option("--webhook-secret", default="", envvar="CONNECTION_WEBHOOK_SECRET")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
    help="Orders before this instant (UTC) are kept, but nobody is written to. Default: now.",
)
def connection_create(
    *,
    merchant_id: str,
    platform: str,
    account: str,
    key: str,
    secret: str,
    webhook_secret: str,
    since: datetime | None,
) -> None:
    """Connect a shop; prints the address to which its webhooks must go. Makes no network call."""
    given = {"key": key, "secret": secret, "webhook_secret": webhook_secret}
    with opened_with() as (hub, settings):
        the_merchant(hub, merchant_id)
        made = create_connection(
            hub,
            merchant_id,
            platform,
            account,
            {name: value for name, value in given.items() if value},
            since=since.replace(tzinfo=UTC) if since else None,
            allow_private=settings.allow_private_hosts,
        )
    url = f"{settings.public_url}/webhooks/{platform}/{made.id}"
    tell({"id": made.id, "webhook_url": url}, f"{made.id}\n{url}")


def create_connection(
    hub: Hub,
    merchant_id: str,
    platform: str,
    account: str,
    given: dict[str, str],
    *,
    since: datetime | None,
    allow_private: bool,
) -> Connection:
    """Raises `Failed` with what is missing or wrong."""
    connector = hub.ctx.connectors.get(platform)
    if connector is None:
        known = ", ".join(sorted(hub.ctx.connectors)) or "none"
        raise BadArgument(
            "platform_unknown", f"there is no platform {platform!r}; installed: {known}"
        )
    try:
        account, credentials = connector.configure(account, given, allow_private=allow_private)
    except ConnectionInvalid as error:
        raise BadArgument("connection_invalid", str(error)) from error
    with hub.ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        shop = tenant.connections.of_shop(platform, account)
        settings = {"allow_private": True} if allow_private else {}
        if shop is not None:
            # Its sales are those of the shop: a second connection would make each of them twice.
            bond = tenant.bonds.get(shop.id)
            if bond is None or bond.state != "closed":
                raise Failed("connection_exists", "this shop is connected to the merchant already")
            tenant.connections.renew(shop.id, account, credentials, settings)
            tenant.bonds.reopen(shop.id)
            made = replace(shop, account=account)
        else:
            made = tenant.connections.create(platform, account, credentials, settings, since)
        tenant.promise("sweep", made.id, queue="ingest")
    return made


@command(connection, "pair")
@merchant_option
def connection_pair(merchant_id: str) -> None:
    """A one-use code, good for 30 minutes, to be typed in the shop that is to be connected."""
    with opened_with() as (hub, settings):
        the_merchant(hub, merchant_id)
        code, pairing = new_code(hub.ctx, merchant_id)
        pages = {
            platform: f"{settings.public_url}/connect/{platform}"
            for platform, connector in hub.ctx.connectors.items()
            if isinstance(connector, HandsOver)
        }
    until = pairing.expires_at
    lines = [code, f"until {until:%Y-%m-%d %H:%M} UTC; hub: {settings.public_url}"]
    tell(
        {"code": code, "expires_at": until, "hub": settings.public_url, "pages": pages},
        "\n".join([*lines, *(f"{name}: {url}" for name, url in pages.items())]),
    )


@command(connection, "set")
@merchant_option
@click.argument("connection_id")
@click.option(
    "--announce/--no-announce",
    default=None,
    help="Note at each order, in the shop, that its invoice was issued or cancelled.",
)
@click.option(
    "--paid-status", "paid_statuses", multiple=True, help="A status of the shop that means paid."
)
def connection_set(
    merchant_id: str, connection_id: str, *, announce: bool | None, paid_statuses: tuple[str, ...]
) -> None:
    """Change how a shop is treated; what is not named stays. Prints all settings."""
    wanted: dict[str, object] = {} if announce is None else {SETTING: announce}
    if paid_statuses:
        wanted["extra_paid_statuses"] = sorted(filter(None, paid_statuses))
    with opened() as hub:
        the_merchant(hub, merchant_id)
        with hub.ctx.store.transaction() as tx:
            connections = tx.tenant(merchant_id).connections
            known = connections.get(connection_id)
            if known is None:
                raise Failed(
                    "connection_not_found", f"the merchant has no connection {connection_id!r}"
                )
            connections.settle(connection_id, **wanted)
    settings = {**known.settings, **wanted}
    shown = {"id": connection_id, "settings": settings}
    tell(shown, "\n".join(f"{name}: {value}" for name, value in settings.items()))


@command(connection, "disconnect")
@merchant_option
@click.argument("connection_id")
def connection_disconnect(merchant_id: str, connection_id: str) -> None:
    """Take nothing from this shop any more; its sales, links and invoices stay.

    A worker then removes our webhooks at the shop and forgets its keys.
    """
    with opened() as hub:
        the_merchant(hub, merchant_id)
        if not disconnect(hub.ctx, merchant_id, connection_id):
            raise Failed(
                "connection_not_found", f"the merchant has no connection {connection_id!r}"
            )
    tell({"id": connection_id, "state": "closed"}, f"{connection_id} is closed")


@command(connection, "list")
@merchant_option
def connection_list(merchant_id: str) -> None:
    """The merchant's shops."""
    with opened() as hub:
        the_merchant(hub, merchant_id)
        with hub.ctx.store.reading() as tx:
            rows = tx.tenant(merchant_id).connections.list()
        shown = [_shown(hub, row) for row in rows]
    columns = ("id", "platform", "account", "problem")
    tell({"data": shown}, table([tuple(str(one[name]) for name in columns) for one in shown]))


@command(connection, "show")
@merchant_option
@click.argument("connection_id")
def connection_show(merchant_id: str, connection_id: str) -> None:
    """One shop: address for webhooks, last delivery, last sweep, what must be mended."""
    with opened_with() as (hub, settings):
        the_merchant(hub, merchant_id)
        with hub.ctx.store.reading() as tx:
            row = tx.tenant(merchant_id).connections.get(connection_id)
        if row is None:
            raise Failed(
                "connection_not_found", f"the merchant has no connection {connection_id!r}"
            )
        stands = standing(hub.ctx, merchant_id, connection_id)
        shown = _shown(hub, row)
    shown |= {
        "webhook_url": f"{settings.public_url}/webhooks/{row.platform}/{row.id}",
        "state": stands.state,
        "keys": stands.keys,
        "webhooks": {one.topic: one.status for one in stands.subscriptions},
        "last_fetch_at": stands.last_fetch_at,
    }
    tell(shown, "\n".join(f"{name}: {value}" for name, value in shown.items()))


def _shown(hub: Hub, row: Connection) -> dict[str, object]:
    return {
        "id": row.id,
        "platform": row.platform,
        "account": row.account,
        "since": row.since,
        "swept_until": row.swept_until,
        "last_delivery_at": row.last_delivery_at,
        "problem": problem_of(hub.ctx, row),
    }


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
            "order": row.order_id,
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
    tell({"id": row.id, "headers": dict(row.headers), "body": body}, body)


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
