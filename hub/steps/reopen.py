"""reopen: a shop that was disconnected is connected again, as the connection that it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from hub.store.database import Tenant
from hub.store.records import Connection

#: A setting of whoever connects, not of the merchant.
PRIVATE: Final = "allow_private"


def is_closed(tenant: Tenant, connection_id: str) -> bool:
    bond = tenant.bonds.get(connection_id)
    return bond is not None and bond.state == "closed"


def reopen(
    tenant: Tenant,
    known: Connection,
    account: str,
    keys: Mapping[str, str],
    *,
    allow_private: bool,
    since: datetime | None,
) -> Connection:
    """Give a closed connection these keys: its sales are those of the shop, and stay so.

    What the merchant decided about it stays. It goes on where it ended, or begins at `since` (UTC).
    """
    connections = tenant.connections
    kept = {name: value for name, value in known.settings.items() if name != PRIVATE}
    settings = {**kept, **({PRIVATE: True} if allow_private else {})}
    connections.renew(known.id, account, keys, settings)
    connections.by_app(known.id, None)
    if since is not None:
        connections.begin(known.id, since)
    tenant.bonds.reopen(known.id)
    return replace(known, account=account, app_id=None)
