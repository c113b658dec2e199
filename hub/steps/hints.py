"""What a filed delivery speaks of (order, customer, shop, privacy), and which step looks at it."""

from __future__ import annotations

from dataclasses import replace

import structlog

from connectors.contract import (
    CustomerNotice,
    Delivery,
    DeliveryUnreadable,
    Hint,
    Notice,
    PrivacyNotice,
    ShopNotice,
)
from hub.steps import connect, customers
from hub.steps.alone import judge_alone
from hub.steps.context import Context
from hub.steps.follow import Unanswered
from hub.steps.ingest import bury, ingest, settle
from hub.steps.later import SHOP_PAUSE, paused
from hub.steps.shops import ConnectorMissing, connector_of
from hub.store.records import InboxRow

log = structlog.get_logger(__name__)


def look_into(ctx: Context, merchant_id: str, inbox_id: str) -> None:
    """Have a filed delivery looked at by the step that it is for. Repeating it changes nothing.

    Raises `RunLater` while its connector is missing, or as `ingest` does.
    """
    with ctx.store.reading() as tx:
        row = tx.tenant(merchant_id).inbox.get(inbox_id)
    if row is None or row.state != "filed":
        return
    if row.kind == "order" and row.order_id:
        _ingest(ctx, merchant_id, row)
        return
    if row.erased:
        settle(ctx, merchant_id, inbox_id)  # whatever it said was carried out or asked to be erased
        return
    try:
        hint = read_again(ctx, merchant_id, row)
    except DeliveryUnreadable:
        return
    _carry_out(ctx, merchant_id, row, hint)


def _ingest(ctx: Context, merchant_id: str, row: InboxRow) -> None:
    try:
        ingest(ctx, merchant_id, row)
    except Unanswered as error:
        judge_alone(ctx, merchant_id, row, str(error))


def _carry_out(ctx: Context, merchant_id: str, row: InboxRow, hint: Hint | None) -> None:
    if isinstance(hint, Notice):
        # Nobody understood it when it came.
        known = replace(row, order_id=hint.order_id, snapshot=hint.snapshot, gone=hint.gone)
        _ingest(ctx, merchant_id, known)
        return
    if isinstance(hint, PrivacyNotice):
        # A job of its own: it may take long, and it settles the delivery itself.
        with ctx.store.transaction() as tx:
            tx.tenant(merchant_id).promise("privacy", row.id, queue="ingest")
        return
    if isinstance(hint, CustomerNotice):
        customers.customer_changed(ctx, merchant_id, row.connection_id, hint.customer_id)
    elif isinstance(hint, ShopNotice) and hint.kind == "left":
        at = min(hint.at or row.received_at, row.received_at)
        connect.left(ctx, merchant_id, row.connection_id, at)
    elif isinstance(hint, ShopNotice):
        with ctx.store.transaction() as tx:
            tx.tenant(merchant_id).promise("connect", row.connection_id, queue="ingest")
    settle(ctx, merchant_id, row.id)


def read_again(ctx: Context, merchant_id: str, row: InboxRow) -> Hint | None:
    """What the delivery says. Raises `RunLater` without its connector.

    One that is not understood is buried, and raises `DeliveryUnreadable`.
    """
    with ctx.store.reading() as tx:
        connection = tx.tenant(merchant_id).connections.get(row.connection_id)
    if connection is None:
        raise LookupError("the connection of a filed delivery is gone")
    try:
        connector = connector_of(ctx, connection)
    except ConnectorMissing as error:
        raise paused(ctx.clock.now(), SHOP_PAUSE, row.id, str(error)) from None
    try:
        return connector.read(Delivery(row.headers, row.body, row.received_at))
    except DeliveryUnreadable as error:
        bury(ctx, merchant_id, row.id, str(error))
        raise
