"""receive: a platform's delivery is verified and filed, with the promise to look at it."""

from __future__ import annotations

import hashlib
from enum import StrEnum

from connectors.contract import Delivery, DeliveryUnreadable, Notice
from hub.steps.context import Context
from hub.store.database import Transaction
from hub.store.records import Connection


class Received(StrEnum):
    FILED = "filed"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    GREETING = "greeting"


def receive(ctx: Context, connection: Connection, delivery: Delivery) -> Received:
    """File the delivery, or say why there is nothing to file. When it returns, it is on disk.

    Raises `SignatureInvalid`: then nothing was kept.
    """
    connector = ctx.connectors[connection.platform]
    if connector.is_greeting(delivery):
        return Received.GREETING
    with ctx.store.reading() as tx:
        credentials = tx.tenant(connection.merchant_id).connections.credentials(connection.id)
        connector.authenticate(delivery, credentials)
    try:
        notice = connector.read(delivery)
    except DeliveryUnreadable as error:
        return _set_aside(ctx, connection, delivery, str(error))
    if notice is None:
        return Received.IGNORED
    return ctx.store.together(lambda tx: _file(tx, connection, notice, delivery))


def _file(tx: Transaction, connection: Connection, notice: Notice, delivery: Delivery) -> Received:
    tenant = tx.tenant(connection.merchant_id)
    filed = tenant.inbox.file(connection.id, connection.platform, notice, delivery)
    if filed is None:
        return Received.DUPLICATE
    tenant.promise("ingest", filed, queue="ingest")
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
