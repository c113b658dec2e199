"""The connector of a shop, and what a person must mend there."""

from __future__ import annotations

from connectors.contract import Connector
from hub.steps.context import Context
from hub.store.records import Connection


class ConnectorMissing(LookupError):
    """No connector for the platform of this connection is installed in this process."""

    def __init__(self, platform: str) -> None:
        super().__init__(f"no connector for {platform!r} is installed here: install it and restart")


def connector_of(ctx: Context, connection: Connection) -> Connector:
    """Raises `ConnectorMissing`."""
    connector = ctx.connectors.get(connection.platform)
    if connector is None:
        raise ConnectorMissing(connection.platform)
    return connector


def problem_of(ctx: Context, connection: Connection) -> str:
    """What is wrong and who can mend it; "" if nothing is known."""
    try:
        connector_of(ctx, connection)
    except ConnectorMissing as error:
        return str(error)
    return connection.problem
