"""connection: the shops a merchant sells in."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from connectors.connecting import Grants, HandsOver
from hub.commands.connecting import create_connection, renew_keys
from hub.commands.given import given_option, setting_option
from hub.commands.output import (
    Failed,
    command,
    merchant_option,
    opened,
    opened_with,
    outline,
    table,
    tell,
    the_merchant,
)
from hub.steps.announce import SETTING
from hub.steps.connect import disconnect
from hub.steps.health import standing
from hub.steps.pairing import new_code
from hub.steps.shops import problem_of
from hub.steps.sweep import ask_for_waiting
from hub.store.records import Connection
from hub.wiring import Hub


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
@given_option
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
    more: dict[str, str],
    since: datetime | None,
) -> None:
    """Connect a shop; prints the address to which its webhooks must go. Makes no network call."""
    given = {**more, "key": key, "secret": secret, "webhook_secret": webhook_secret}
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
            if isinstance(connector, HandsOver | Grants)
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
@setting_option
def connection_set(
    merchant_id: str,
    connection_id: str,
    *,
    announce: bool | None,
    paid_statuses: tuple[str, ...],
    more: dict[str, object],
) -> None:
    """Change how a shop is treated; what is not named stays. Prints all settings."""
    wanted = {**more, **({} if announce is None else {SETTING: announce})}
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
            if more:  # what a shop tells us of may depend on them, and what a sale is
                tenant = tx.tenant(merchant_id)
                tenant.promise("connect", connection_id, queue="ingest")
                ask_for_waiting(tenant, connection_id)
    settings = {**known.settings, **wanted}
    shown = {"id": connection_id, "settings": settings}
    tell(shown, "\n".join(f"{name}: {value}" for name, value in settings.items()))


@command(connection, "renew")
@merchant_option
@click.argument("connection_id")
@click.option("--key", default="", envvar="CONNECTION_KEY")
@click.option("--secret", default="", envvar="CONNECTION_SECRET")
@click.option("--webhook-secret", default="", envvar="CONNECTION_WEBHOOK_SECRET")
@given_option
def connection_renew(
    *,
    merchant_id: str,
    connection_id: str,
    key: str,
    secret: str,
    webhook_secret: str,
    more: dict[str, str],
) -> None:
    """Give a shop's new keys to its connection; those not given stay. A worker then tries them."""
    given = {**more, "key": key, "secret": secret, "webhook_secret": webhook_secret}
    with opened_with() as (hub, settings):
        the_merchant(hub, merchant_id)
        renew_keys(
            hub,
            merchant_id,
            connection_id,
            {name: value for name, value in given.items() if value},
            allow_private=settings.allow_private_hosts,
        )
    tell({"id": connection_id}, f"{connection_id} has new keys")


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
    tell(shown, "\n".join(outline(shown)))


def _shown(hub: Hub, row: Connection) -> dict[str, object]:
    return {
        "id": row.id,
        "platform": row.platform,
        "account": row.account,
        "since": row.since,
        "swept_until": row.swept_until,
        "last_delivery_at": row.last_delivery_at,
        "app": row.app_id,
        "problem": problem_of(hub.ctx, row),
    }
