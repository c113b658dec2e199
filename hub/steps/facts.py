"""facts: what the rows say of what an address opens, read in one snapshot; *look* shows it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from hub.domain.brand import Brand
from hub.domain.customers import Profile
from hub.domain.division import PARTS, NotDivisible
from hub.domain.joint import NotJoinable
from hub.domain.states import State
from hub.steps import asked, customers
from hub.steps.bill import Bill, are_free, bill_of, is_divided, meant
from hub.steps.brand import brand_of
from hub.steps.context import Context
from hub.steps.issuer import Issuer, issuer_of
from hub.steps.mailing import undelivered
from hub.steps.notices import NOT_THE_BUYERS
from hub.steps.opening import Opened
from hub.store.asks import Ask
from hub.store.database import Tenant
from hub.store.records import Attempt, Invoice, SaleRow, Stamp

#: More notes than any sale has.
_NOTES_OF_ANOTHER = 1000


@dataclass(frozen=True, slots=True)
class Outline:
    """What the rows say of how it is: all that those need who wait for the invoice."""

    opened: Opened
    issuer: Issuer
    bill: Bill
    invoice: Invoice | None
    in_global: bool
    attempts: tuple[Attempt, ...]
    #: Of a divided sale, its parts and what opens each of them.
    parts: tuple[tuple[Outline, str], ...]
    #: False: a document can be made of it no more as it was agreed.
    whole: bool


@dataclass(frozen=True, slots=True)
class Facts(Outline):
    """What the rows say of one sale, read in one snapshot."""

    stamp: Stamp | None
    #: The buyer's requests to the merchant, the newest first.
    asks: tuple[Ask, ...]
    live: bool
    notes: dict[int, tuple[Invoice, Stamp]]
    #: What counts for the customer who bought.
    profile: Profile | None
    #: Nobody gave the data of the invoice: they are the customer's, not of who holds the link.
    unasked: bool
    #: The address to which the invoice could not be mailed.
    undelivered: str
    brand: Brand
    #: Several that no invoice holds together and none can.
    apart: bool
    parts: tuple[tuple[Facts, str], ...]

    @property
    def foreign(self) -> bool:
        """The invoice is of more than was opened: what else it holds is not told."""
        return self.invoice is not None and set(self.invoice.sale_ids) != set(self.bill.sale_ids)


def outline_of(ctx: Context, tenant: Tenant, opened: Opened) -> Outline:
    issuer = issuer_of(tenant)
    if opened.proven:
        sale_ids = meant(tenant, issuer, opened.sale_ids, ctx.clock.now())
        opened = replace(opened, sale_ids=sale_ids)
    invoice = _invoice_of(tenant, opened)
    bill, whole = _bill(tenant, issuer, opened, invoice)
    alone = len(opened.sale_ids) == 1
    return Outline(
        opened=opened,
        issuer=issuer,
        bill=bill,
        invoice=invoice,
        in_global=alone and _in_global(tenant, opened),
        attempts=tuple(tenant.invoices.attempts(invoice.id)) if invoice else (),
        parts=_parts(ctx, tenant, opened, bill.rows[0]) if alone and not opened.part else (),
        whole=whole,
    )


def facts_of(ctx: Context, tenant: Tenant, opened: Opened) -> Facts:
    own, of = opened.sale_id, outline_of(ctx, tenant, opened)
    opened, issuer, bill, invoice = of.opened, of.issuer, of.bill, of.invoice
    alone, account = len(opened.sale_ids) == 1, tenant.pac.active()
    return Facts(
        opened=opened,
        issuer=issuer,
        bill=bill,
        invoice=invoice,
        stamp=tenant.invoices.stamp_of(invoice.id) if invoice and invoice.uuid else None,
        in_global=of.in_global,
        asks=asked.seen(
            tenant.asks.of_part(own, opened.part, besides=NOT_THE_BUYERS), proven=opened.proven
        ),
        attempts=of.attempts,
        live=account is not None and account.environment == "live",
        notes=notes_of(tenant, own),
        profile=customers.of_buyer(ctx, tenant, bill.rows[0]) if alone else None,
        unasked=invoice is not None and customers.is_unasked(tenant, invoice.id),
        undelivered=undelivered(tenant, invoice) if invoice and invoice.uuid else "",
        brand=brand_of(tenant, issuer),
        apart=(invoice is None or invoice.state is State.REJECTED)
        and not (of.whole and are_free(tenant, opened.sale_ids)),
        parts=tuple((facts_of(ctx, tenant, part.opened), token) for part, token in of.parts),
        whole=of.whole,
    )


def _in_global(tenant: Tenant, opened: Opened) -> bool:
    claims = tenant.claims.of_sale(opened.sale_id)
    return any(one.global_uuid and opened.part in {0, one.part} for one in claims)


def _parts(
    ctx: Context, tenant: Tenant, opened: Opened, row: SaleRow
) -> tuple[tuple[Outline, str], ...]:
    """Of a divided sale both parts, each with the token that opens it as far as this one does."""
    if not is_divided(tenant, row):
        return ()
    found = []
    for number in range(1, PARTS + 1):
        link = tenant.links.current(row.id, number if opened.proven else 0)
        token = link.token if link else ""
        if link is not None and not opened.proven:
            sold = [(row.id, link.generation)]
            token = ctx.passes.make(tenant.id, sold, ctx.clock.now(), number)
        found.append((outline_of(ctx, tenant, replace(opened, part=number)), token))
    return tuple(found)


def _bill(
    tenant: Tenant, issuer: Issuer, opened: Opened, invoice: Invoice | None
) -> tuple[Bill, bool]:
    """The bill, and whether one document can be made of it."""
    try:
        bill = bill_of(tenant, issuer, opened.sale_ids, opened.part)
    except NotJoinable:
        rows = tuple(row for row in map(tenant.sales.get, opened.sale_ids) if row is not None)
        return Bill(rows, rows[0].sale), False
    except NotDivisible:
        row = tenant.sales.get(opened.sale_id)
        if row is None:
            raise LookupError("a link to a sale that is not there") from None
        total = invoice.total if invoice else Decimal(0)
        blank = replace(row.sale, lines=(), refunds=(), excluded=(), total=total)
        return Bill((row,), blank, opened.part), False
    if bill is None:
        raise LookupError("a link to a sale that is not there")
    return bill, True


def _invoice_of(tenant: Tenant, opened: Opened) -> Invoice | None:
    """The one that holds all of them; a rejected one only if it is of them and no others."""
    held = [tenant.invoices.for_sale(sale_id, opened.part) for sale_id in opened.sale_ids]
    invoice = held[0]
    if invoice is None or any(one is None or one.id != invoice.id for one in held):
        return None
    others = set(invoice.sale_ids) != set(opened.sale_ids)
    return None if others and invoice.state is State.REJECTED else invoice


def notes_of(tenant: Tenant, sale_id: str) -> dict[int, tuple[Invoice, Stamp]]:
    """Credit notes in force on the invoice that holds the sale, by their numbers.

    Those of another sale of that invoice count from a thousand times its place in it.
    """
    ingreso = tenant.invoices.for_sale(sale_id)
    found: dict[int, tuple[Invoice, Stamp]] = {}
    if ingreso is None:
        return found
    for place, of in enumerate(ingreso.sale_ids, 1):
        first = 1 if of == sale_id else _NOTES_OF_ANOTHER * place + 1
        found |= _notes_in_force(tenant, ingreso, of, first)
    return found


def _notes_in_force(
    tenant: Tenant, ingreso: Invoice, sale_id: str, first: int
) -> dict[int, tuple[Invoice, Stamp]]:
    found = {}
    for number, note in enumerate(tenant.credits.of_sale(sale_id), first):
        if note.ingreso_id != ingreso.id:
            continue
        invoice, stamp = (
            tenant.invoices.get(note.invoice_id),
            tenant.invoices.stamp_of(note.invoice_id),
        )
        if invoice and stamp and invoice.state in {State.STAMPED, State.CANCELLING}:
            found[number] = (invoice, stamp)
    return found
