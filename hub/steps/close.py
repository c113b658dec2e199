"""Tickets of a global invoice made elsewhere: listed to make it, then marked so that none is
declared twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from hub.domain import policy
from hub.domain.states import State
from hub.steps.context import Context
from hub.steps.issuer import issuer_of
from hub.store.database import Tenant
from hub.store.records import SaleRow

PAGE = 500


@dataclass(frozen=True, slots=True)
class Closed:
    marked: int
    #: Sales with an invoice under way: they belong to no global invoice.
    skipped: int


def open_tickets(
    ctx: Context, merchant_id: str, start: datetime | None, end: datetime | None
) -> list[SaleRow]:
    """Paid sales in [start, end) that stand in no invoice and in no global one."""
    with ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        return [row for row in _paid(ctx, tenant, start, end) if not _held(tenant, row)]


class DayNotOver(Exception):
    """A global invoice holds whole days: the last one has to be over."""


def reopen(ctx: Context, merchant_id: str, global_uuid: str) -> int:
    """Undo `close` for that global invoice, e.g. because it was cancelled. How many were freed."""
    with ctx.store.transaction() as tx:
        return tx.tenant(merchant_id).claims.release_global(global_uuid)


def close(ctx: Context, merchant_id: str, until: datetime, global_uuid: str) -> Closed:
    """Claim every open ticket paid before `until` for that global invoice.

    Raises `DayNotOver`: what is paid later that day would be missing in the global invoice.
    """
    if until > ctx.clock.now():
        raise DayNotOver
    marked = skipped = 0
    with ctx.store.reading() as tx:
        rows = list(_paid(ctx, tx.tenant(merchant_id), None, until))
    for row in rows:
        with ctx.store.transaction() as tx:
            tenant = tx.tenant(merchant_id)
            invoice = tenant.invoices.for_sale(row.id)
            if invoice is not None and invoice.state is State.REJECTED:
                tenant.claims.release(invoice.id)
            if tenant.claims.open(row.id, global_uuid=global_uuid):
                marked += 1
            elif invoice is not None:
                skipped += 1
    return Closed(marked, skipped)


def _paid(
    ctx: Context, tenant: Tenant, start: datetime | None, end: datetime | None
) -> Iterator[SaleRow]:
    issuer, now = issuer_of(tenant), ctx.clock.now()
    after: str | None = None
    while True:
        rows, after = tenant.sales.list(limit=PAGE, after=after)
        for row in rows:
            paid_at = row.sale.paid_at
            if row.sale.test or paid_at is None:
                continue
            if (start and paid_at < start) or (end and paid_at >= end):
                continue
            standing = policy.standing(row.sale, rules=issuer.rules, zone=issuer.zone, now=now)
            if standing.kind in {policy.Kind.OPEN, policy.Kind.EXPIRED}:
                yield row
        if after is None:
            return


def _held(tenant: Tenant, row: SaleRow) -> bool:
    invoice = tenant.invoices.for_sale(row.id)
    if invoice is not None and invoice.state is State.REJECTED:
        return False
    return bool(tenant.claims.of_sale(row.id))
