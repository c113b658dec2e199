"""What `connection create` and `connection renew` do to the rows."""

from __future__ import annotations

from datetime import datetime

from connectors.abilities import Identifies, Subscribes
from connectors.connecting import AddressUnusable, ConnectionUnknown
from connectors.contract import ConnectionInvalid
from hub.commands.output import BadArgument, Failed
from hub.steps.pairing import renew
from hub.steps.reopen import PRIVATE, is_closed, reopen
from hub.store.records import Connection
from hub.wiring import Hub


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
        if isinstance(connector, Identifies) and tx.pairing.taken(platform, account, merchant_id):
            raise Failed("connection_exists", "another merchant of this hub has this account")
        shop = tenant.connections.of_shop(platform, account)
        if shop is None:
            settings = {PRIVATE: True} if allow_private else {}
            made = tenant.connections.create(platform, account, credentials, settings, since)
        elif is_closed(tenant, shop.id):
            # Its sales are those of the shop: a second connection would make each of them twice.
            made = reopen(
                tenant, shop, account, credentials, allow_private=allow_private, since=since
            )
        else:
            raise Failed("connection_exists", "this shop is connected to the merchant already")
        makes_webhooks = isinstance(connector, Subscribes) and not given.get("webhook_secret")
        if makes_webhooks or (isinstance(connector, Identifies) and given.get("key")):
            tenant.promise("connect", made.id, queue="ingest")
        tenant.promise("sweep", made.id, queue="ingest")
    return made


def renew_keys(
    hub: Hub, merchant_id: str, connection_id: str, given: dict[str, str], *, allow_private: bool
) -> None:
    """Raises `Failed` with what is missing or wrong; then nothing was changed."""
    absent = Failed(
        "connection_not_found", f"the merchant has no open connection {connection_id!r}"
    )
    with hub.ctx.store.reading() as tx:
        known = tx.tenant(merchant_id).connections.get(connection_id)
    if known is None:
        raise absent
    connector = hub.ctx.connectors[known.platform]
    try:
        renew(hub.ctx, connector, known, given, allow_private=allow_private)
    except ConnectionUnknown as error:
        raise absent from error
    except AddressUnusable as error:
        raise BadArgument("connection_invalid", str(error)) from error
