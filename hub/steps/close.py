"""Tickets of a global invoice made elsewhere: listed to make it, then marked so that none is
declared twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from hub.domain import policy
from hub.domain.division import PARTS, NotDivisible
from hub.domain.states import State
from hub.steps.belong import ELSEWHERE
from hub.steps.bill import Bill, are_free, parts_of
from hub.steps.context import Context
from hub.steps.divided import settled
from hub.steps.issuer import Issuer, issuer_of
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
) -> list[Bill]:
    """Paid sales, or parts of them, in [start, end) that stand in no invoice and no global one."""
    with ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        rows = _paid(ctx, tenant, start, end)
        return [ticket for row in rows for ticket in _tickets(tenant, row)]


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
        issuer = issuer_of(tx.tenant(merchant_id))
        rows = list(_paid(ctx, tx.tenant(merchant_id), None, until))
    for row in rows:
        with ctx.store.transaction() as tx:
            tenant = tx.tenant(merchant_id)
            settled(tenant, row.id)  # which holds the sale still
            now_row = tenant.sales.get(row.id)
            if now_row is None or not _is_ticket(now_row, issuer, ctx.clock.now()):
                continue  # part of another sale, cancelled or put on hold meanwhile
            tickets = _tickets(tenant, now_row)
            marked += sum(_claimed(tenant, one, global_uuid) for one in tickets)
            skipped += bool(_invoices(tenant, row.id))
    return Closed(marked, skipped)


def _claimed(tenant: Tenant, ticket: Bill, global_uuid: str) -> bool:
    sale_id = ticket.rows[0].id
    rejected = tenant.invoices.for_sale(sale_id, ticket.part)
    if rejected is not None:
        tenant.claims.release(rejected.id)
    part, parts = (ticket.part, PARTS) if ticket.part else (1, 1)
    return tenant.claims.open(sale_id, global_uuid=global_uuid, part=part, parts=parts)


def _tickets(tenant: Tenant, row: SaleRow) -> list[Bill]:
    """What of the sale stands in no invoice: all of it, parts of it, or nothing.

    Of one that changed since it was divided and partly invoiced nobody knows: it is in review.
    """
    if tenant.divisions.current(row.id) is None:
        return [Bill((row,), row.sale)] if are_free(tenant, (row.id,)) else []
    taken = {
        claim.part
        for claim in tenant.claims.of_sale(row.id)
        if not (claim.invoice_id and _is_rejected(tenant, claim.invoice_id))
    }
    try:
        parts = parts_of(tenant, row)
    except NotDivisible:
        # Nothing of it is issued: `close` finds it divided no more, and so does whoever asks.
        return [] if taken else [Bill((row,), row.sale)]
    return [Bill((row,), sale, part) for part, sale in enumerate(parts, 1) if part not in taken]


def _invoices(tenant: Tenant, sale_id: str) -> list[str]:
    return [one.invoice_id for one in tenant.claims.of_sale(sale_id) if one.invoice_id]


def _is_rejected(tenant: Tenant, invoice_id: str) -> bool:
    invoice = tenant.invoices.get(invoice_id)
    return invoice is not None and invoice.state is State.REJECTED


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
            if _is_ticket(row, issuer, now):
                yield row
        if after is None:
            return


def _is_ticket(row: SaleRow, issuer: Issuer, now: datetime) -> bool:
    """Its money is this merchant's, and stands in no other sale."""
    standing = policy.standing(row.sale, rules=issuer.rules, zone=issuer.zone, now=now)
    elsewhere = any(one.code in ELSEWHERE for one in row.reasons)
    return standing.kind in {policy.Kind.OPEN, policy.Kind.EXPIRED} and not elsewhere
