"""ingest: the fact behind a hint becomes a sale, kept if it is newer than what we have."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta

from cfdi.findings import Finding
from connectors.contract import (
    CredentialsRefused,
    Delivery,
    DeliveryUnreadable,
    Notice,
    OrderNotFound,
    PlatformUnreachable,
)
from hub.domain import compose, policy
from hub.domain.sale import PaymentState, Sale
from hub.domain.states import State
from hub.steps.context import Context
from hub.steps.issuer import Issuer, issuer_of
from hub.steps.later import KEYS_PAUSE, SHOP_PAUSE, paused
from hub.steps.shops import Shop, proof_of, report, shop_of
from hub.store.database import Tenant
from hub.store.records import Connection, InboxRow

#: The kind of request under which a sale that left its invoice behind waits for the merchant.
CHANGED = "changed_after_invoice"
#: How soon an order taken from a delivery is asked for again while the shop does not answer.
RECHECK = timedelta(minutes=5)
#: The shop answered so long after a delivery came that the answer holds what it told of; clocks of
#: two machines differ less. Older deliveries are looked at again because somebody wants it.
SURELY_AFTER = timedelta(seconds=5)
JUST_CAME = timedelta(hours=1)


def ingest(ctx: Context, merchant_id: str, inbox_id: str) -> None:
    """Turn a filed delivery into a sale. Repeating it changes nothing.

    Raises `RunLater` while the shop does not answer and the delivery alone is not enough.
    """
    with ctx.store.reading() as tx:
        filed = tx.tenant(merchant_id).inbox.get(inbox_id)
    if filed is None or filed.state != "filed":
        return
    source = _source(ctx, merchant_id, filed.connection_id)
    if _answered_since(ctx, source, filed):
        _useless(ctx, merchant_id, inbox_id)
        return
    began_at = ctx.clock.now()
    try:
        row = filed if filed.order_id else _reread(source, filed)
        if row is None:
            _useless(ctx, merchant_id, inbox_id)
            return
        sale, order, asked = _sale_of(source, row)
    except DeliveryUnreadable as error:
        _park(ctx, merchant_id, filed, str(error))
        return
    except CredentialsRefused as error:
        _park(ctx, merchant_id, filed, str(error))
        report(ctx, source.connection, str(error))
        return
    except PlatformUnreachable:
        raise paused(ctx.clock.now(), SHOP_PAUSE, inbox_id, "the shop does not answer") from None
    # A complete delivery says how the order was when it came, however late it is looked at.
    seen_at = row.received_at if order is not None and order is row.snapshot else began_at
    _keep(ctx, source, sale, row.order_id, seen_at, order=order, row=row, asked=asked)


def ingest_order(ctx: Context, merchant_id: str, subject: str) -> None:
    """The same without a delivery: `subject` is "connection/order id" as a sweep found it.

    Raises `RunLater` while the shop cannot be asked: no later sweep would find this order again.
    """
    connection_id, _, order_id = subject.partition("/")
    source = _source(ctx, merchant_id, connection_id)
    if not source.can_be_asked:
        return
    began_at = ctx.clock.now()
    try:
        order = source.connector.fetch(order_id, source.facts, source.credentials)
    except OrderNotFound:
        _keep(ctx, source, None, order_id, began_at)
        return
    except CredentialsRefused as error:
        report(ctx, source.connection, str(error))
        raise paused(ctx.clock.now(), KEYS_PAUSE, subject, "the shop refuses the keys") from None
    except PlatformUnreachable:
        raise paused(ctx.clock.now(), SHOP_PAUSE, subject, "the shop does not answer") from None
    take(ctx, source, order_id, order, began_at)


def take(ctx: Context, source: Shop, order_id: str, order: bytes, seen_at: datetime) -> bool:
    """Keep an order that was fetched from `seen_at` on; False if it was not understood."""
    try:
        sale = source.connector.normalize(order, source.facts)
    except DeliveryUnreadable as error:
        _set_aside(ctx, source, order_id, order=order, problem=str(error))
        return False
    _keep(ctx, source, sale, order_id, seen_at, order=order)
    return True


def _set_aside(ctx: Context, source: Shop, order_id: str, *, order: bytes, problem: str) -> None:
    """An order that was asked for and not understood waits where unreadable deliveries do."""
    key = hashlib.sha256(order).hexdigest()
    notice = Notice(event="fetched", event_key=key, order_id=order_id, snapshot=order)
    delivery = Delivery({}, order, ctx.clock.now())
    with ctx.store.transaction() as tx:
        inbox = tx.tenant(source.connection.merchant_id).inbox
        filed = inbox.file(source.connection.id, source.connection.platform, notice, delivery)
        if filed is not None:
            inbox.dead(filed, problem)


def _source(ctx: Context, merchant_id: str, connection_id: str) -> Shop:
    shop = shop_of(ctx, merchant_id, connection_id)
    if shop is None:
        raise LookupError("the connection of a filed delivery is gone")
    return shop


def _sale_of(source: Shop, row: InboxRow) -> tuple[Sale | None, bytes | None, bool]:
    """The order as the platform has it now, else as it was delivered; None if it is gone.

    And whether it is the platform that says so.
    """
    if source.can_be_asked:
        try:
            order = source.connector.fetch(row.order_id, source.facts, source.credentials)
            return source.connector.normalize(order, source.facts), order, True
        except OrderNotFound:
            return None, None, True
        except (PlatformUnreachable, CredentialsRefused):
            if row.snapshot is None and not row.gone:
                raise
    if row.gone:
        return None, None, False
    if row.snapshot is None:
        raise DeliveryUnreadable("the delivery holds no order, and the shop cannot be asked")
    sale = source.connector.normalize(row.snapshot, source.facts)
    complete = _complete(source, row)
    return (sale if complete else replace(sale, unverified=True)), row.snapshot, complete


def _complete(source: Shop, row: InboxRow) -> bool:
    """Whether the delivery holds all that the shop would have answered."""
    notice = source.connector.read(Delivery(row.headers, row.body, row.received_at))
    return notice is not None and notice.complete


def _reread(source: Shop, row: InboxRow) -> InboxRow | None:
    """A delivery that nobody understood when it came; None if it turns out to be of no use."""
    notice = source.connector.read(Delivery(row.headers, row.body, row.received_at))
    if notice is None:
        return None
    return replace(row, order_id=notice.order_id, snapshot=notice.snapshot, gone=notice.gone)


def _answered_since(ctx: Context, source: Shop, filed: InboxRow) -> bool:
    """Whether the shop told of this order after the delivery came: in a burst it is asked once."""
    if not source.can_be_asked or ctx.clock.now() - filed.received_at > JUST_CAME:
        return False
    with ctx.store.reading() as tx:
        sales = tx.tenant(source.connection.merchant_id).sales
        known = sales.by_key(source.connection.id, filed.order_id) if filed.order_id else None
    if known is None or known.verified_at is None or known.sale.unverified:
        return False
    return known.verified_at >= filed.received_at + SURELY_AFTER


def _useless(ctx: Context, merchant_id: str, inbox_id: str) -> None:
    with ctx.store.transaction() as tx:
        tx.tenant(merchant_id).inbox.done(inbox_id)


def _keep(
    ctx: Context,
    source: Shop,
    sale: Sale | None,
    order_id: str,
    seen_at: datetime,
    *,
    order: bytes | None = None,
    row: InboxRow | None = None,
    asked: bool = True,
) -> None:
    now, merchant_id = ctx.clock.now(), source.connection.merchant_id
    proof = proof_of(source, order) if order is not None else None
    with ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        issuer = issuer_of(tenant)
        known = tenant.sales.by_key(source.connection.id, order_id)
    if sale is None and known is not None:
        sale = replace(known.sale, payment_state=PaymentState.CANCELLED, status="deleted")
    reasons = compose_reasons(sale, issuer, now) if sale is not None else ()
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        if sale is not None:
            kept = tenant.sales.keep(
                connection_id=source.connection.id,
                platform=source.connection.platform,
                sale=sale,
                reasons=reasons,
                verified_at=seen_at if asked and not sale.unverified else None,
            )
            if proof is not None:
                tenant.proofs.keep(source.connection.id, order_id, proof)
            if kept.changed:
                notice_change(tenant, kept.id)
            welcome(ctx, tenant, issuer, kept.id, source.connection)
            # A delivered copy may be old, and what a shop deleted it may have again.
            if not asked and source.can_be_asked:
                recheck(ctx, tenant, source.connection.id, order_id)
        if row is not None:
            tenant.inbox.done(row.id)


def compose_reasons(sale: Sale, issuer: Issuer, now: datetime) -> tuple[Finding, ...]:
    """Why a person must look at this sale first. Nothing is asked of a sale that cannot be paid."""
    if contradictions := policy.contradictions(sale, now=now):
        return contradictions
    if sale.payment_state is not PaymentState.PAID or sale.due <= 0:
        return ()
    return compose.review(
        sale,
        rules=issuer.rules,
        emisor=issuer.emisor,
        lugar_expedicion=issuer.lugar_expedicion,
    )


def notice_change(tenant: Tenant, sale_id: str) -> None:
    """A sale that no longer agrees with its stamped invoice goes to the merchant's review.

    What is due then (a credit note, a cancellation) the merchant decides; income and invoice would
    differ in silence otherwise.
    """
    invoice = tenant.invoices.for_sale(sale_id)
    row = tenant.sales.get(sale_id)
    if row is None or invoice is None or invoice.uuid is None:
        return
    if invoice.state in {State.CANCELLING, State.CANCELLED}:
        return  # it is being dealt with, or was
    sale = row.sale
    paid = sale.payment_state is PaymentState.PAID
    if paid and (sale.due, sale.currency) == (invoice.total, invoice.currency):
        return
    tenant.asks.create(
        sale_id,
        CHANGED,
        {
            "facturado": f"{invoice.total:f} {invoice.currency}",
            "ahora": f"{sale.due:f} {sale.currency}",
            "estado": sale.payment_state.value,
        },
    )


def welcome(
    ctx: Context, tenant: Tenant, issuer: Issuer, sale_id: str, connection: Connection | None
) -> None:
    """Give an invoiceable sale its link, and the buyer a letter if the sale is new enough."""
    row = tenant.sales.get(sale_id)
    if row is None or row.reasons:
        return
    now = ctx.clock.now()
    standing = policy.standing(row.sale, rules=issuer.rules, zone=issuer.zone, now=now)
    if standing.kind is not policy.Kind.OPEN or tenant.claims.of_sale(sale_id):
        return
    tenant.links.make(sale_id)
    since = connection.since if connection else None
    if row.invited_at is None and policy.may_invite(
        row.sale, rules=issuer.rules, now=now, since=since
    ):
        tenant.promise("invite", sale_id, queue="mail")


def recheck(ctx: Context, tenant: Tenant, connection_id: str, order_id: str) -> None:
    """Promise to ask the shop for an order that was taken without its word."""
    due_at = ctx.clock.now() + RECHECK
    tenant.promise("ingest_order", f"{connection_id}/{order_id}", queue="ingest", due_at=due_at)


def _park(ctx: Context, merchant_id: str, row: InboxRow, problem: str) -> None:
    """No sale can be made of it as things are; it stays, to be replayed after a fix."""
    with ctx.store.transaction() as tx:
        tx.tenant(merchant_id).inbox.dead(row.id, problem)
