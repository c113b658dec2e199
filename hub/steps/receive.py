"""receive: a platform's delivery is verified and filed, with the promise to look at it."""

from __future__ import annotations

import hashlib
from enum import StrEnum

import structlog

from connectors.contract import Delivery, DeliveryUnreadable, Notice
from hub.steps.context import Context
from hub.steps.doorway import Doorway
from hub.steps.shops import connector_of
from hub.store.database import Transaction
from hub.store.records import Connection

log = structlog.get_logger()


class Received(StrEnum):
    FILED = "filed"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    GREETING = "greeting"


def receive(ctx: Context, door: Doorway, delivery: Delivery) -> Received:
    """File the delivery, or say why there is nothing to file. When it returns, it is on disk.

    Raises `SignatureInvalid` or `ConnectorMissing`: then nothing was kept.
    """
    connection = door.connection
    connector = connector_of(ctx, connection)
    if connector.is_greeting(delivery):
        return Received.GREETING
    connector.authenticate(delivery, door)
    try:
        notice = connector.read(delivery)
    except DeliveryUnreadable as error:
        return _set_aside(ctx, connection, delivery, str(error))
    except Exception as error:  # noqa: BLE001 - a fault of the connector must not cost the delivery
        log.error("connector_failed", connection=connection.id, error=type(error).__name__)
        return _set_aside(
            ctx, connection, delivery, f"the connector failed: {type(error).__name__}"
        )
    if notice is None:
        return Received.IGNORED
    return ctx.store.together(lambda tx: _file(tx, door, notice, delivery))


def _file(tx: Transaction, door: Doorway, notice: Notice, delivery: Delivery) -> Received:
    connection = door.connection
    tenant = tx.tenant(connection.merchant_id)
    filed = tenant.inbox.file(connection.id, connection.platform, notice, delivery)
    if filed is None:
        return Received.DUPLICATE
    tenant.promise("ingest", filed, queue="ingest")
    if door.to_note(delivery.received_at):
        tenant.connections.delivered(connection.id, delivery.received_at)
    return Received.FILED


def _set_aside(ctx: Context, connection: Connection, delivery: Delivery, problem: str) -> Received:
    """Signed but not understood: kept for a replay after a fix. Sending it again would not help."""
    key = hashlib.sha256(delivery.body).hexdigest()
    notice = Notice(event="unreadable", event_key=key, order_id="")
    with ctx.store.transaction() as tx:
        inbox = tx.tenant(connection.merchant_id).inbox
        filed = inbox.file(connection.id, connection.platform, notice, delivery)
        if filed is None:
            return Received.DUPLICATE
        inbox.dead(filed, problem)
    return Received.FILED
