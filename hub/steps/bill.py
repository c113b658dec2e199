"""bill: what one invoice is of: a sale, several sales together, or one part of a sale."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from cfdi.findings import Finding
from hub.domain import compose, policy
from hub.domain.division import NotDivisible, Whole, agreed, divided
from hub.domain.fingerprint import fingerprint
from hub.domain.joint import Apart, NotJoinable, joined, shares
from hub.domain.placed import Share
from hub.domain.sale import Sale
from hub.domain.states import State
from hub.steps.issuer import Issuer
from hub.store.database import Tenant
from hub.store.records import Invoice, SaleRow


@dataclass(frozen=True, slots=True)
class Bill:
    """`sale` is what the document says: of several sales, one that is made of them."""

    rows: tuple[SaleRow, ...]
    sale: Sale
    #: Of a divided sale, which part; 0: all of it.
    part: int = 0

    @property
    def sale_ids(self) -> tuple[str, ...]:
        return tuple(row.id for row in self.rows)

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.sale)

    @property
    def reasons(self) -> tuple[Finding, ...]:
        """Why a person must look first, at whichever of the sales."""
        return tuple(one for row in self.rows for one in row.reasons)


def bill_of(tenant: Tenant, issuer: Issuer, sale_ids: Sequence[str], part: int = 0) -> Bill | None:
    """The bill as the rows are now; None for a sale that is not there.

    Raises `NotJoinable`, and `NotDivisible` for a part of a sale that is divided no more.
    """
    rows = [tenant.sales.get(sale_id) for sale_id in sale_ids]
    found = tuple(row for row in rows if row is not None)
    if not found or len(found) < len(rows):
        return None
    if part:
        return Bill(found, parts_of(tenant, found[0])[part - 1], part)
    if len(found) == 1:
        return Bill(found, found[0].sale)
    return Bill(found, joined([row.sale for row in found], issuer.rules))


def bill_of_invoice(tenant: Tenant, issuer: Issuer, invoice: Invoice) -> Bill | None:
    """What an ingreso is of. Raises as `bill_of` where that can be said no longer."""
    part = tenant.claims.part_of(invoice.id, invoice.sale_ids[0])
    return bill_of(tenant, issuer, invoice.sale_ids, part)


def parts_of(tenant: Tenant, row: SaleRow) -> tuple[Sale, Sale]:
    """The parts of a divided sale. Raises `NotDivisible` where it is not, or changed since."""
    division = tenant.divisions.current(row.id)
    if division is None or division.fingerprint != agreed(row.sale, division.units):
        raise NotDivisible(Whole.CHANGED)
    return divided(row.sale, division.units)


def is_divided(tenant: Tenant, row: SaleRow) -> bool:
    """Whether it is invoiced in parts: as was agreed, or since one of them is claimed."""
    division = tenant.divisions.current(row.id)
    if division is None:
        return False
    as_agreed = division.fingerprint == agreed(row.sale, division.units)
    return as_agreed or bool(tenant.claims.of_sale(row.id))


def meant(
    tenant: Tenant, issuer: Issuer, sale_ids: tuple[str, ...], now: datetime
) -> tuple[str, ...]:
    """The sales that an address of these is about: all of the invoice that holds the one.

    Not those of a rejected one that can be asked for no more: then the one stands by itself.
    """
    invoice = tenant.invoices.for_sale(sale_ids[0]) if len(sale_ids) == 1 else None
    if invoice is None or len(invoice.sale_ids) == 1:
        return sale_ids
    if invoice.state is State.REJECTED and not can_be_asked_for(tenant, issuer, invoice, now):
        return sale_ids
    return invoice.sale_ids


def can_be_asked_for(tenant: Tenant, issuer: Issuer, rejected: Invoice, now: datetime) -> bool:
    """Whether a buyer may have all that was turned down asked for again, in one invoice."""
    sale_ids = rejected.sale_ids
    try:
        bill = bill_of(tenant, issuer, sale_ids)
    except NotJoinable:
        return False
    if bill is None or not are_free(tenant, sale_ids):
        return False
    return standing_of(bill, issuer, now, rejected).kind is policy.Kind.OPEN


def are_free(tenant: Tenant, sale_ids: Sequence[str]) -> bool:
    """Whether nothing holds any of them but, at most, an invoice that was turned down."""
    for sale_id in sale_ids:
        invoice = tenant.invoices.for_sale(sale_id)
        rejected = invoice is not None and invoice.state is State.REJECTED
        if tenant.claims.of_sale(sale_id) and not rejected:
            return False
    return True


def is_held(tenant: Tenant, bill: Bill, rejected: Collection[str]) -> bool:
    """Whether anything but these invoices, which were turned down, holds any of what it is of."""
    return any(
        (claim.part == bill.part or not bill.part) and claim.invoice_id not in rejected
        for sale_id in bill.sale_ids
        for claim in tenant.claims.of_sale(sale_id)
    )


def shares_of(bill: Bill) -> tuple[Share, ...]:
    """What each of several sales is of the document; nothing for a bill of one."""
    return shares([row.sale for row in bill.rows]) if len(bill.rows) > 1 else ()


def held_still(tenant: Tenant, sale_ids: Sequence[str]) -> None:
    """Until the end of the transaction. Always in the same order: two never wait for each other."""
    for sale_id in sorted(set(sale_ids)):
        tenant.claims.of_sale(sale_id)


def refuse_inexact(bill: Bill, issuer: Issuer) -> None:
    """Raises `NotJoinable` where no document says, to the cent, what was paid for it."""
    if (bill.part or len(bill.rows) > 1) and compose.review(
        bill.sale,
        rules=issuer.rules,
        emisor=issuer.emisor,
        lugar_expedicion=issuer.lugar_expedicion,
    ):
        raise NotJoinable(Apart.INEXACT)


def standing_of(
    bill: Bill, issuer: Issuer, now: datetime, asked: Invoice | None = None
) -> policy.Standing:
    """Of several sales the worst, with the earliest deadline. Reasons of the rows count.

    Of an invoice that was `asked` for in time and turned down the data may be mended for a while,
    though the deadline has passed since.
    """
    found = [
        policy.standing(
            row.sale, rules=issuer.rules, zone=issuer.zone, now=now, reasons=row.reasons
        )
        for row in bill.rows
    ]
    worst = max(found, key=lambda one: _BADNESS.get(one.kind, 2))
    until = min((one.deadline_at for one in found if one.deadline_at), default=None)
    if worst.kind is policy.Kind.EXPIRED and until is not None and asked is not None:
        mended_by = asked.updated_at + policy.SHORTEST
        if asked.state is State.REJECTED and asked.created_at <= until and now <= mended_by:
            return policy.Standing(policy.Kind.OPEN, "", mended_by)
    return policy.Standing(worst.kind, worst.reason, until)


_BADNESS = {policy.Kind.OPEN: 0, policy.Kind.EXPIRED: 1}
