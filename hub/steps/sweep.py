"""The guarantee behind the webhooks: what no delivery told of is found by asking the platform."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from connectors.contract import CredentialsRefused, PlatformUnreachable, Unfinished
from hub.domain.states import State
from hub.steps.context import Context
from hub.steps.later import SHOP_PAUSE, RunLater, paused
from hub.steps.shops import refused, report, shop_of
from hub.steps.stamp import lease
from hub.store.database import Tenant
from hub.store.records import Connection, Invoice

#: Asked for again: a change may be written at the platform after a later one was already listed.
OVERLAP = timedelta(minutes=10)
#: A look at the webhooks for their silence alone is not repeated sooner.
LOOKED_LATELY = timedelta(hours=1)
STUCK_AFTER = timedelta(minutes=5)

#: What has to go on by itself, and the job that makes it.
_MOVED_BY = {
    State.REQUESTED: "seal",
    State.SEALED: "stamp",
    State.SENDING: "stamp",
    State.UNKNOWN: "stamp",
}


def sweep(ctx: Context, merchant_id: str, connection_id: str) -> None:
    """Promise to look at every order that changed since the last sweep of this connection.

    Raises `RunLater` while the shop does not answer, and says so at the connection.
    """
    shop = shop_of(ctx, merchant_id, connection_id)
    if shop is None or not shop.can_be_asked or shop.state == "checking":
        return
    connection = shop.connection
    started_at = ctx.clock.now()
    since = connection.swept_until - OVERLAP if connection.swept_until else connection.since
    changed, until = list[str](), started_at
    try:
        for order_id in shop.connector.changed_since(since, shop.facts, shop.credentials):
            changed.append(order_id)
    except Unfinished as error:
        # A later sweep goes on from there; one that came no further would stay where it is.
        if error.until - OVERLAP <= since:
            raise _unanswered(ctx, connection, started_at, error) from None
        until = min(error.until, started_at)
    except CredentialsRefused as error:
        refused(ctx, connection, str(error))
        return
    except PlatformUnreachable as error:
        raise _unanswered(ctx, connection, started_at, error) from None
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        for order_id in changed:
            tenant.promise("ingest_order", f"{connection_id}/{order_id}", queue="ingest")
        tenant.connections.swept(connection_id, until)
        tenant.connections.set_problem(connection_id, "")
        if connection.problem or (changed and _silent(tenant, connection, started_at)):
            tenant.promise("connect", connection_id, queue="ingest")


def _unanswered(
    ctx: Context, connection: Connection, now: datetime, error: PlatformUnreachable
) -> RunLater:
    last = connection.swept_until or connection.created_at
    report(ctx, connection, f"no answer since {last:%Y-%m-%d %H:%M} UTC: {error}")
    return paused(now, SHOP_PAUSE, connection.id, "the shop does not answer")


def _silent(tenant: Tenant, connection: Connection, now: datetime) -> bool:
    """Orders changed and no delivery told of them: its webhooks may be gone or switched off."""
    bond, since = tenant.bonds.get(connection.id), connection.swept_until
    if since is None or bond is None or bond.paired_at is None:
        return False
    if bond.checked_at is not None and bond.checked_at > now - LOOKED_LATELY:
        return False
    last = connection.last_delivery_at
    return last is None or last < since - OVERLAP


def sweep_all(ctx: Context) -> None:
    """Promise a sweep of every connection, of every merchant."""
    with ctx.store.transaction() as tx:
        for connection in tx.doors.connections():
            tx.tenant(connection.merchant_id).promise("sweep", connection.id, queue="ingest")


def nudge_stuck(ctx: Context) -> None:
    """Promise again what should have moved by now. Promises are never lost; this costs nothing."""
    now = ctx.clock.now()
    with ctx.store.reading() as tx:
        merchants = [merchant.id for merchant in tx.merchants.list()]
    for merchant_id in merchants:
        with ctx.store.reading() as tx:
            stuck = list(_stuck(tx.tenant(merchant_id), now - STUCK_AFTER))
        if not stuck:
            continue
        with ctx.store.transaction() as tx:
            tenant = tx.tenant(merchant_id)
            for job, invoice in stuck:
                due_at = max(now, invoice.quiet_until or now)
                tenant.promise(job, invoice.id, queue="stamp", due_at=due_at)


def ask_for_waiting(tenant: Tenant, connection_id: str) -> None:
    """Promise to ask for every sale that waits for a person: the connection's settings changed."""
    for row in tenant.sales.in_review():
        if row.connection_id == connection_id:
            subject = f"{connection_id}/{row.sale.key}"
            tenant.promise("ingest_order", subject, queue="ingest")


def nudge_lost(ctx: Context) -> None:
    """Promise to look at every sending whose lease is over: nobody is left to tell of it.

    The claim of its promise holds longer, because it has to do for the slowest provider, and keeps
    its like waiting: so this is a promise of another name.
    """
    with ctx.store.reading() as tx:
        merchants = [merchant.id for merchant in tx.merchants.list()]
    for merchant_id in merchants:
        with ctx.store.reading() as tx:
            lost = list(_lost(ctx, tx.tenant(merchant_id)))
        if lost:
            with ctx.store.transaction() as tx:
                for invoice_id in lost:
                    tx.tenant(merchant_id).promise("stamp_lost", invoice_id, queue="stamp")


def _lost(ctx: Context, tenant: Tenant) -> Iterator[str]:
    for invoice in tenant.invoices.each(State.SENDING):
        document = tenant.invoices.document(invoice.id)
        account = tenant.pac.get(document.pac_account_id) if document else None
        if account is None:
            continue
        started_at = tenant.invoices.attempts(invoice.id)[-1].started_at
        if started_at + lease(ctx.pac(account).terms) <= ctx.clock.now():
            yield invoice.id


def _stuck(tenant: Tenant, before: datetime) -> Iterator[tuple[str, Invoice]]:
    for state, job in _MOVED_BY.items():
        for one in tenant.invoices.each(state):
            if one.updated_at < before:
                yield ("credit" if one.is_note and job == "seal" else job), one
