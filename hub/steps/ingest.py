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
    OutOfSight,
    PlatformUnreachable,
)
from hub.domain import compose, policy
from hub.domain.reasons import reason
from hub.domain.sale import PaymentState, Sale
from hub.domain.states import State
from hub.steps.announce import promise_open
from hub.steps.belong import ANOTHERS, keep_whole, last_of, order_of, sold_before
from hub.steps.context import Context
from hub.steps.customers import promise_invoice
from hub.steps.follow import Found, NotUnderstood, Unanswered, fetched, looked_at
from hub.steps.issuer import Issuer, issuer_of
from hub.steps.kept import ended, explained
from hub.steps.later import KEYS_PAUSE, SHOP_PAUSE, paused
from hub.steps.refund import notice_change
from hub.steps.shops import Shop, proof_of, refused, shop_of
from hub.store.database import Tenant
from hub.store.records import Connection, InboxRow, Kept

#: How soon an order taken from a delivery is asked for again while the shop does not answer.
RECHECK = timedelta(minutes=5)
#: The shop answered so long after a delivery came that the answer holds what it told of; clocks of
#: two machines differ less. Older deliveries are looked at again because somebody wants it.
SURELY_AFTER = timedelta(seconds=5)
JUST_CAME = timedelta(hours=1)
#: How a doubt ends that only the shop's answer takes away, or a person.
NOT_ASKED = "No se pudo preguntar por ello."


def ingest(ctx: Context, merchant_id: str, row: InboxRow) -> None:
    """Turn a filed delivery that names an order into a sale. Repeating it changes nothing.

    Raises `RunLater` while the shop does not answer and the delivery alone is not enough, or
    `Unanswered` where nobody may ask: what it says by itself is another step's (`alone`).
    """
    source = _source(ctx, merchant_id, row.connection_id)
    if _answered_since(ctx, source, row):
        settle(ctx, merchant_id, row.id)
        return
    began_at = ctx.clock.now()
    try:
        found = looked_at(source, row, _known_order(ctx, source, row.order_id))
    except DeliveryUnreadable as error:
        bury(ctx, merchant_id, row.id, str(error))
        return
    except CredentialsRefused as error:
        if not isinstance(error, OutOfSight):
            refused(ctx, source.connection, str(error))
        raise Unanswered(str(error)) from None
    except PlatformUnreachable:
        raise paused(ctx.clock.now(), SHOP_PAUSE, row.id, "the shop does not answer") from None
    # A complete delivery says how the order was when it came, however late it is looked at.
    delivered = found.order is not None and found.order is row.snapshot
    keep(ctx, source, found, row.received_at if delivered else began_at, row=row)


def ingest_order(ctx: Context, merchant_id: str, subject: str) -> None:
    """The same without a delivery: `subject` is "connection/order id" as a sweep found it.

    Raises `RunLater` while the shop cannot be asked: no later sweep would find this order again.
    Of one that the shop never shows again what is known stands.
    """
    connection_id, _, order_id = subject.partition("/")
    source = _source(ctx, merchant_id, connection_id)
    if not source.can_be_asked:
        return
    began_at = ctx.clock.now()
    order = _known_order(ctx, source, order_id)
    try:
        found = fetched(source, order, named=order_id)
    except NotUnderstood as error:
        set_aside(ctx, source, error)
        return
    except OutOfSight:
        return
    except CredentialsRefused as error:
        refused(ctx, source.connection, str(error))
        raise paused(ctx.clock.now(), KEYS_PAUSE, subject, "the shop refuses the keys") from None
    except PlatformUnreachable:
        raise paused(ctx.clock.now(), SHOP_PAUSE, subject, "the shop does not answer") from None
    keep(ctx, source, found, began_at)


def set_aside(ctx: Context, source: Shop, error: NotUnderstood) -> None:
    """An order that was asked for and not understood waits where unreadable deliveries do."""
    now = ctx.clock.now()
    # What has no bytes is told once a day.
    known_by = error.order or f"{error} {now:%Y-%m-%d}".encode()
    key = hashlib.sha256(known_by).hexdigest()
    notice = Notice("fetched", key, error.order_id, snapshot=error.order)
    delivery = Delivery({}, error.order or b"", now)
    with ctx.store.transaction() as tx:
        inbox = tx.tenant(source.connection.merchant_id).inbox
        filed = inbox.file(source.connection.id, source.connection.platform, notice, delivery)
        if filed is not None:
            inbox.dead(filed, str(error))


def _source(ctx: Context, merchant_id: str, connection_id: str) -> Shop:
    shop = shop_of(ctx, merchant_id, connection_id)
    if shop is None:
        raise LookupError("the connection of a filed delivery is gone")
    return shop


def _known_order(ctx: Context, source: Shop, order_id: str) -> str:
    """The order that the id is known to be part of, else the id: asked for without a detour."""
    with ctx.store.reading() as tx:
        tenant = tx.tenant(source.connection.merchant_id)
        row = order_of(tenant, source.connection.id, order_id)
    return row.sale.key if row else order_id


def _answered_since(ctx: Context, source: Shop, filed: InboxRow) -> bool:
    """Whether the shop told of this order after the delivery came: in a burst it is asked once."""
    if not source.can_be_asked or ctx.clock.now() - filed.received_at > JUST_CAME:
        return False
    with ctx.store.reading() as tx:
        tenant = tx.tenant(source.connection.merchant_id)
        known = last_of(tenant, source.connection.id, filed.order_id)
    if known is None or known.verified_at is None or known.sale.unverified:
        return False
    return known.verified_at >= filed.received_at + SURELY_AFTER


def settle(ctx: Context, merchant_id: str, inbox_id: str, note: str = "") -> None:
    """Nothing is left to do about this delivery; `note` says why no sale came of it."""
    with ctx.store.transaction() as tx:
        tx.tenant(merchant_id).inbox.done(inbox_id, note)


def keep(
    ctx: Context, source: Shop, found: Found, seen_at: datetime, *, row: InboxRow | None = None
) -> None:
    """Keep what stands behind an id, as it was at `seen_at`; `row` told of it."""
    now, merchant_id, connection = ctx.clock.now(), source.connection.merchant_id, source.connection
    proof = proof_of(source, found.order) if found.order is not None else None
    with ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        issuer = issuer_of(tenant)
        known = tenant.sales.by_key(connection.id, found.order_id)
        theirs = found.sale is not None and sold_before(tx, connection, found.sale)
    if found.sale is None and known is not None:
        found = replace(found, sale=ended(known.sale, found.reason))
    elif found.sale is not None:
        sale = explained(found.sale)
        if known is not None and not found.asked:
            sale = _doubted(sale, known.sale)
        found = replace(found, sale=sale)
    if theirs and found.sale is not None:
        found = replace(found, sale=replace(found.sale, barred=ANOTHERS))
    reasons = compose_reasons(found.sale, issuer, now) if found.sale else ()
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        if found.sale is not None:
            verified_at = seen_at if found.asked and not found.sale.unverified else None
            kept = keep_whole(tenant, connection, found, reasons=reasons, verified_at=verified_at)
            if proof is not None:
                tenant.proofs.keep(connection.id, found.order_id, proof)
            if kept is not None:
                _follow_up(ctx, tenant, issuer, kept, connection)
            # A delivered copy may be old, and what a shop deleted it may have again.
            if source.can_be_asked and (kept is None or not found.asked):
                recheck(ctx, tenant, connection.id, found.order_id)
        if row is not None:
            tenant.inbox.done(row.id, found.reason)


def _doubted(copy: Sale, known: Sale) -> Sale:
    """The same delivered again takes back nothing that another delivery told (`alone`)."""
    told = [one for one in known.doubts if one.endswith(NOT_ASKED)]
    if copy.revision != known.revision:
        return copy
    return replace(copy, doubts=tuple(dict.fromkeys((*copy.doubts, *told))))


def _follow_up(
    ctx: Context, tenant: Tenant, issuer: Issuer, kept: Kept, connection: Connection
) -> None:
    if kept.changed:
        notice_change(tenant, kept.id)
        go_on(tenant, kept.id)
    welcome(ctx, tenant, issuer, kept.id, connection)


def go_on(tenant: Tenant, sale_id: str) -> None:
    """What waited for a change of the sale, such as the end of a dispute, is looked at again."""
    for claim in tenant.claims.of_sale(sale_id):
        invoice = tenant.invoices.get(claim.invoice_id) if claim.invoice_id else None
        if invoice is not None and invoice.state is State.REQUESTED:
            tenant.promise("seal", invoice.id, queue="stamp")


def compose_reasons(sale: Sale, issuer: Issuer, now: datetime) -> tuple[Finding, ...]:
    """Why a person must look at this sale first. Nothing is asked of a sale that is not paid."""
    if sale.barred:
        return ()
    if contradictions := policy.contradictions(sale, now=now):
        return contradictions
    if sale.payment_state is PaymentState.UNKNOWN and sale.due > 0:
        doubts = (reason("sale_doubtful", "", doubt=doubt) for doubt in sale.doubts)
        return (reason("state_unknown", "payment_state"), *doubts)
    if sale.payment_state is not PaymentState.PAID or sale.due <= 0:
        return ()
    return compose.review(
        sale,
        rules=issuer.rules,
        emisor=issuer.emisor,
        lugar_expedicion=issuer.lugar_expedicion,
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
    if tenant.links.current(sale_id) is None:
        tenant.links.make(sale_id)
        promise_open(tenant, sale_id)
    since = connection.since if connection else None
    unasked = promise_invoice(tenant, issuer, row, connection, now)
    may_invite = policy.may_invite(row.sale, rules=issuer.rules, now=now, since=since)
    if row.invited_at is None and may_invite and not unasked:
        tenant.promise("invite", sale_id, queue="mail")


def recheck(ctx: Context, tenant: Tenant, connection_id: str, order_id: str) -> None:
    """Promise to ask the shop for an order that was taken without its word."""
    due_at = ctx.clock.now() + RECHECK
    tenant.promise("ingest_order", f"{connection_id}/{order_id}", queue="ingest", due_at=due_at)


def bury(ctx: Context, merchant_id: str, inbox_id: str, problem: str) -> None:
    """Nothing can be made of it as things are; it stays, to be replayed after a fix."""
    with ctx.store.transaction() as tx:
        tx.tenant(merchant_id).inbox.dead(inbox_id, problem)
