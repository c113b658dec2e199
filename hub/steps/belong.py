"""belong: one payment is one sale, whichever of its parts a shop told of first."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from cfdi.findings import Finding
from hub.domain.reasons import reason
from hub.domain.sale import PaymentState, Sale
from hub.steps.follow import Found
from hub.steps.mailing import INVITATIONS
from hub.store.database import Tenant, Transaction
from hub.store.records import Connection, Kept, SaleRow

#: Codes of the reasons that only another sale's fate takes away, never a person's word.
ELSEWHERE: Final = frozenset({"payment_invoiced", "payment_shared"})
#: `Sale.barred` of what was sold while the shop was another merchant's.
ANOTHERS: Final = "another merchant of this hub"
#: The kind of request under which two invoices of one payment wait for the merchant.
TWICE: Final = "invoiced_twice"


def order_of(tenant: Tenant, connection_id: str, object_id: str) -> SaleRow | None:
    """The sale that an id of the platform stands for; None if unknown, or if it came to nothing."""
    sale_id = tenant.objects.owner(connection_id, object_id)
    row = tenant.sales.get(sale_id) if sale_id else None
    return row if row is not None and _lives(tenant, row) else None


def last_of(tenant: Tenant, connection_id: str, object_id: str) -> SaleRow | None:
    """The same, or what became of the sale of that very id."""
    whole = order_of(tenant, connection_id, object_id)
    return whole or tenant.sales.by_key(connection_id, object_id)


def sold_before(tx: Transaction, connection: Connection, sale: Sale) -> bool:
    """Whether this very order was sold while the shop was another merchant's, who invoices it.

    Its link is in the buyer's mail: were it this merchant's as well, one sale had two invoices.
    """
    for other, state in tx.doors.of_shop(connection.platform, connection.account):
        if state != "closed" or other.merchant_id == connection.merchant_id:
            continue
        tenant = tx.tenant(other.merchant_id)
        row = tenant.sales.by_key(other.id, sale.key)
        # A shop that was set up anew counts its orders from one again.
        if row is not None and row.sale.placed_at == sale.placed_at and is_sold(tenant, row):
            return True
    return False


def is_sold(tenant: Tenant, row: SaleRow) -> bool:
    """Whether it is that merchant's to invoice, or is invoiced: whatever became of its money."""
    if tenant.claims.of_sale(row.id):
        return True
    sale = row.sale
    paid = sale.payment_state in {PaymentState.PAID, PaymentState.REFUNDED}
    kept = sale.payment_state is PaymentState.CANCELLED and bool(sale.payments)
    return (paid or kept) and not sale.barred and not sale.test


def keep_whole(
    tenant: Tenant,
    connection: Connection,
    found: Found,
    *,
    reasons: tuple[Finding, ...],
    verified_at: datetime | None,
) -> Kept | None:
    """Keep the sale with every id of its money, first thing in a transaction.

    None if it is only a part of a sale that is kept already.
    """
    sale = found.sale
    if sale is None:
        raise ValueError("there is no sale to keep")
    many = bool(found.aliases or sale.claims)
    tenant.objects.hold(connection.id, alone=many)
    known = tenant.sales.by_key(connection.id, sale.key)
    whole = order_of(tenant, connection.id, sale.key)
    if whole is not None and _is_part(whole, known, found):
        for one in found.aliases:
            tenant.objects.take(connection.id, one, whole.id)
        return None
    # An id that once was said to be of this order stays so: a later answer may name fewer.
    earlier = known.sale.claims if known else ()
    claims = tuple(sorted({*sale.claims, *found.aliases, *earlier} - {sale.key}))
    kept = tenant.sales.keep(
        connection_id=connection.id,
        platform=connection.platform,
        sale=replace(sale, claims=claims),
        reasons=reasons,
        verified_at=verified_at,
    )
    tenant.objects.give(connection.id, sale.key, kept.id)
    _remember(tenant, kept.id, claims)
    settle(tenant, kept.id)
    return kept


def _is_part(whole: SaleRow, known: SaleRow | None, found: Found) -> bool:
    """Unless the platform says now that it is the other way round."""
    return (known is None or whole.id != known.id) and whole.sale.key not in found.aliases


def _remember(tenant: Tenant, sale_id: str, claims: tuple[str, ...]) -> None:
    """An answer that was too old to be kept may still have named ids that no newer one did."""
    row = tenant.sales.get(sale_id)
    if row is not None and (more := set(claims) - set(row.sale.claims)):
        every = tuple(sorted({*row.sale.claims, *more}))
        tenant.sales.rewrite(sale_id, replace(row.sale, claims=every), row.reasons)


def settle(tenant: Tenant, sale_id: str) -> tuple[Finding, ...]:
    """Give the sale the ids of its money, and those sales that turn out to be parts of it.

    What is left is said in its reasons, which are returned. Call with the sale's ids held.
    """
    tenant.claims.of_sale(sale_id)  # which holds the sale still until the end
    row = tenant.sales.get(sale_id)
    if row is None or row.connection_id is None:
        return row.reasons if row else ()
    for object_id in row.sale.claims:
        holder_id = tenant.objects.take(row.connection_id, object_id, row.id)
        if holder_id != row.id and row.sale.payment_state is not PaymentState.CANCELLED:
            _contend(tenant, row, holder_id, object_id)
    others = elsewhere(tenant, row)
    if any(one.code == "payment_invoiced" for one in others) and tenant.claims.of_sale(row.id):
        _tell_twice(tenant, row, others)
    reasons = (*(one for one in row.reasons if one.code not in ELSEWHERE), *others)
    if reasons != row.reasons:
        tenant.sales.set_reasons(row.id, reasons)
    return reasons


def elsewhere(tenant: Tenant, row: SaleRow) -> tuple[Finding, ...]:
    """Why the sale must not be invoiced: what was paid for it stands in another one."""
    if row.connection_id is None or row.sale.payment_state is not PaymentState.PAID:
        return ()
    ids = (row.sale.key, *row.sale.claims)
    owners = {tenant.objects.owner(row.connection_id, one) for one in ids} - {row.id, None}
    found = []
    for owner in sorted(str(one) for one in owners):
        other = tenant.sales.get(owner)
        if other is None or not _lives(tenant, other):
            continue
        taken = bool(tenant.claims.of_sale(owner))
        code = "payment_invoiced" if taken else "payment_shared"
        found.append(reason(code, "claims", number=other.sale.number))
    return tuple(found)


def _tell_twice(tenant: Tenant, row: SaleRow, others: tuple[Finding, ...]) -> None:
    """Both were invoiced before anybody could know: the merchant has to cancel one of them."""
    if not tenant.asks.made_since(row.id, TWICE, row.created_at):
        told = "; ".join(one.message_es for one in others)
        tenant.asks.create(row.id, TWICE, {"facturada_dos_veces": told})


def _contend(tenant: Tenant, row: SaleRow, holder_id: str, object_id: str) -> None:
    """Another sale has an id of this one's money: it is part of this one, or came to nothing."""
    claimed = tenant.claims.of_sale(holder_id)  # which holds that sale still too
    holder = tenant.sales.get(holder_id)
    if claimed or holder is None or row.connection_id is None:
        return
    if not _lives(tenant, holder):
        tenant.objects.give(row.connection_id, object_id, row.id)
    elif holder.sale.key in row.sale.claims and not row.sale.unverified:
        _join(tenant, holder, row)


def _join(tenant: Tenant, part: SaleRow, whole: SaleRow) -> None:
    """The part is no sale any more. Its buyer was told once, and its link goes on working."""
    tenant.objects.join(part.id, whole.id)
    status = f"part of {whole.sale.number}"
    ended = replace(part.sale, payment_state=PaymentState.CANCELLED, status=status)
    tenant.sales.rewrite(part.id, ended, ())
    told_at = part.invited_at or tenant.mails.told_at(INVITATIONS, part.id)
    if told_at is not None:
        tenant.sales.mark_invited(whole.id, told_at)
    if tenant.links.current(part.id) is not None:
        tenant.links.make(whole.id)


def _lives(tenant: Tenant, row: SaleRow) -> bool:
    """Whether anything is, or may yet be, invoiced for it."""
    paid_for = row.sale.payment_state is not PaymentState.CANCELLED
    return paid_for or bool(tenant.claims.of_sale(row.id))
