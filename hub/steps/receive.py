"""receive: a platform's delivery is verified and filed, with the promise to look at it."""

from __future__ import annotations

import hashlib
from enum import StrEnum

import structlog

from connectors.abilities import Locates
from connectors.contract import (
    Connector,
    Delivery,
    DeliveryUnreadable,
    Hint,
    Notice,
    PrivacyNotice,
    SignatureInvalid,
)
from hub.steps.context import Context
from hub.steps.doorway import Doorway, Doorways
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

    Of a connection that ended only a request for privacy is filed. Raises `SignatureInvalid` or
    `ConnectorMissing`: then nothing was kept.
    """
    connection = door.connection
    connector = connector_of(ctx, connection)
    if connector.is_greeting(delivery):
        return Received.GREETING
    connector.authenticate(delivery, door)
    try:
        hint = connector.read(delivery)
    except DeliveryUnreadable as error:
        return _set_aside(ctx, door, delivery, str(error))
    except Exception as error:  # noqa: BLE001 - a fault of the connector must not cost the delivery
        log.error("connector_failed", connection=connection.id, error=type(error).__name__)
        return _set_aside(ctx, door, delivery, f"the connector failed: {type(error).__name__}")
    if hint is None or (door.closed and not isinstance(hint, PrivacyNotice)):
        return Received.IGNORED
    return ctx.store.together(lambda tx: _file(tx, door, hint, delivery))


def receive_for_account(
    ctx: Context, doorways: Doorways, connector: Connector, office: Locates, delivery: Delivery
) -> Received:
    """The same for a delivery that says itself which account it is of.

    It is filed at the open connection of that account, if it is signed with the secret of that
    connection's own app; a request for privacy also where the account was connected before. Of an
    account that nobody has, a delivery that any app of the platform signed is ignored. Raises
    `SignatureInvalid`. `office` is the same connector, as one that can tell accounts.
    """
    if connector.is_greeting(delivery):
        return Received.GREETING
    try:
        doors = doorways.of_account(connector.platform, office.locate(delivery))
    except DeliveryUnreadable:
        return _of_nobody(doorways, connector, delivery)
    got = [
        one
        for door in ([doors.open, *doors.closed] if doors.open else doors.closed)
        if (one := _received(ctx, door, delivery)) is not None
    ]
    if got:
        return min(got, key=_WORTH.index)
    if doors.open is not None:
        raise SignatureInvalid("not signed with the secret of this connection's app")
    return _of_nobody(doorways, connector, delivery)


#: Of several answers the first of these is given.
_WORTH = (Received.FILED, Received.DUPLICATE, Received.IGNORED, Received.GREETING)


def _received(ctx: Context, door: Doorway, delivery: Delivery) -> Received | None:
    """None if it is not signed for this connection."""
    try:
        return receive(ctx, door, delivery)
    except SignatureInvalid:
        return None


def _of_nobody(doorways: Doorways, connector: Connector, delivery: Delivery) -> Received:
    """Of a shop that left or never came: nothing to keep, and no reason to send it again."""
    for credentials in doorways.apps(connector.platform):
        try:
            connector.authenticate(delivery, credentials)
        except SignatureInvalid:
            continue
        return Received.IGNORED
    raise SignatureInvalid("not signed with the secret of any app of this platform")


def _file(tx: Transaction, door: Doorway, hint: Hint, delivery: Delivery) -> Received:
    connection = door.connection
    tenant = tx.tenant(connection.merchant_id)
    filed = tenant.inbox.file(connection.id, connection.platform, hint, delivery)
    if filed is None:
        return Received.DUPLICATE
    tenant.promise("ingest", filed, queue="ingest")
    if not door.closed and door.to_note(delivery.received_at):
        tenant.connections.delivered(connection.id, delivery.received_at)
    return Received.FILED


def _set_aside(ctx: Context, door: Doorway, delivery: Delivery, problem: str) -> Received:
    """Signed but not understood: kept for a replay after a fix. Sending it again would not help."""
    if door.closed:
        return Received.IGNORED
    connection: Connection = door.connection
    key = hashlib.sha256(delivery.body).hexdigest()
    notice = Notice(event="unreadable", event_key=key, order_id="")
    with ctx.store.transaction() as tx:
        inbox = tx.tenant(connection.merchant_id).inbox
        filed = inbox.file(connection.id, connection.platform, notice, delivery)
        if filed is None:
            return Received.DUPLICATE
        inbox.dead(filed, problem)
    return Received.FILED
