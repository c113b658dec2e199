"""The connector of a shop, and what a person must mend there."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.abilities import Proves
from connectors.contract import ConnectionFacts, Connector, Credentials
from hub.steps.context import Context
from hub.steps.later import SHOP_PAUSE, paused
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
    with ctx.store.reading() as tx:
        bond = tx.tenant(connection.merchant_id).bonds.get(connection.id)
    told = [bond.problem if bond else "", connection.problem]
    return "; ".join(one for one in told if one)


@dataclass(frozen=True, slots=True)
class Shop:
    """All that it takes to ask a connected shop."""

    connection: Connection
    connector: Connector
    credentials: Credentials
    facts: ConnectionFacts
    #: "manual", "checking" (its keys were not tried yet), "connected" or "closed".
    state: str = "manual"

    @property
    def has_keys(self) -> bool:
        return self.connector.can_fetch(self.credentials)

    @property
    def can_be_asked(self) -> bool:
        return self.state != "closed" and self.has_keys


def shop_of(ctx: Context, merchant_id: str, connection_id: str) -> Shop | None:
    """None if there is no such connection. Raises `RunLater` while its connector is missing."""
    with ctx.store.reading() as tx:
        connections = tx.tenant(merchant_id).connections
        connection = connections.get(connection_id)
        credentials = connections.credentials(connection_id)
        bond = tx.tenant(merchant_id).bonds.get(connection_id)
    if connection is None:
        return None
    try:
        connector = connector_of(ctx, connection)
    except ConnectorMissing as error:
        raise paused(ctx.clock.now(), SHOP_PAUSE, connection_id, str(error)) from None
    facts = ConnectionFacts(connection.id, connection.account, connection.settings)
    state = bond.state if bond else "manual"
    return Shop(connection, connector, credentials, facts, state)


def proof_of(shop: Shop, order: bytes) -> str | None:
    """What the address that the shop writes for this order carries; None if it writes none."""
    if not isinstance(shop.connector, Proves):
        return None
    return shop.connector.proof_of(order, shop.credentials)


def refused(ctx: Context, connection: Connection, problem: str) -> None:
    """The shop takes our keys no longer: say so, and look at once whether that is so.

    Until that look a page that could renew the keys would not know that they are needed.
    """
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(connection.merchant_id)
        tenant.connections.set_problem(connection.id, problem)
        tenant.promise("connect", connection.id, queue="ingest")


def report(ctx: Context, connection: Connection, problem: str) -> None:
    """Say at the connection what a person must mend."""
    with ctx.store.transaction() as tx:
        tx.tenant(connection.merchant_id).connections.set_problem(connection.id, problem)
