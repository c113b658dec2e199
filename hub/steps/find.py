"""find: a purchase by what stands on its ticket, and what whoever holds that has still to prove."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from hmac import compare_digest
from typing import Final

from cfdi import rfc as rfcs
from cfdi.receptor import normalize
from hub.domain import ticket, typed
from hub.domain.brand import Brand
from hub.domain.sale import Sale
from hub.domain.states import State
from hub.steps.brand import brand_of
from hub.steps.context import Context
from hub.steps.deliver import promise_copy
from hub.steps.look import link_of_invoice
from hub.store.brand import HOST, SLUG
from hub.store.database import Tenant, Transaction

#: A miss is answered after so long, whatever it was that did not fit: far more than looking for
#: it takes, so that nothing is learnt from the time of an answer.
MISS_SECONDS: Final = 0.1
#: Every buyer without an RFC has one of these: knowing it proves nothing.
_GENERIC: Final = frozenset({rfcs.GENERIC_NATIONAL, rfcs.GENERIC_FOREIGN})


@dataclass(frozen=True, slots=True)
class Found:
    merchant_id: str
    sale_id: str


def seller(ctx: Context, name: str) -> Brand | None:
    """The merchant that an address names, as its buyers know it."""
    with ctx.store.reading() as tx:
        merchant_id = tx.doors.merchant_named(name)
        return brand_of(tx.tenant(merchant_id)) if merchant_id else None


def address(ctx: Context, tenant: Tenant) -> str:
    """Where buyers of the merchant find a purchase."""
    return _address(ctx, tenant, tenant.id)


def short_address(ctx: Context, tenant: Tenant) -> str:
    """The same to be typed from a ticket: of a merchant without a name, the page of all."""
    return _address(ctx, tenant, "")


def _address(ctx: Context, tenant: Tenant, nameless: str) -> str:
    host = tenant.addresses.first(HOST)
    name = "" if host else tenant.addresses.first(SLUG) or nameless
    return f"{ctx.origin(host)}/facturar" + (f"/{name}" if name else "")


def find(ctx: Context, code: str, total: Decimal, merchant_id: str | None = None) -> str | None:
    """A pass for the one purchase with this code (`ticket.code`) and total.

    Without a merchant among those of all. None as `matching`.
    """
    found = matching(ctx, code, total, merchant_id)
    return passed(ctx, found) if found else None


def matching(
    ctx: Context, code: str, total: Decimal, merchant_id: str | None = None
) -> Found | None:
    """The one purchase that they name.

    None for whatever does not fit, or more than one that does, always after the same time.
    """
    began = ctx.clock.monotonic()
    found = _named(ctx, code, total, merchant_id)
    if found is None:
        ctx.clock.sleep(max(0.0, MISS_SECONDS - (ctx.clock.monotonic() - began)))
    return found


def _named(ctx: Context, code: str, total: Decimal, merchant_id: str | None) -> Found | None:
    """As typed before what is read for it."""
    readings = ticket.readings(code)
    if not readings:
        return None
    with ctx.store.reading() as tx:
        fitting = [
            (of, Found(merchant, sale_id))
            for merchant, sale_id, of in tx.doors.sales_of_code(readings, merchant_id)
            if _fits(tx, merchant, sale_id, total)
        ]
    exact = [found for of, found in fitting if of == code]
    named = exact or [found for _, found in fitting]
    return named[0] if len(named) == 1 else None


def passed(ctx: Context, *found: Found) -> str:
    """A pass for purchases of one merchant."""
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(found[0].merchant_id)
        sales = [(one.sale_id, tenant.links.make(one.sale_id).generation) for one in found]
    return ctx.passes.make(found[0].merchant_id, sales, ctx.clock.now())


def prove(ctx: Context, token: str, rfc: str, nombre: str = "") -> str | None:
    """The token of the link, for who knows the RFC that the invoice is made out to.

    Of a receiver without an RFC of its own the name has to be known as well.
    """
    known = normalize(typed.rfc(rfc), nombre, "", "", "")
    with ctx.store.reading() as tx:
        found = ctx.opened(tx, token)
        if found is None:
            return None
        tenant = tx.tenant(found.merchant_id)
        invoice = tenant.invoices.for_sale(found.sale_id, found.part)
        link = link_of_invoice(tenant, invoice) if invoice else None
    if invoice is None or link is None:
        return None
    receiver = invoice.receptor
    same = _same(receiver.rfc, known.rfc)
    if known.rfc in _GENERIC:
        same = same and _same(receiver.nombre, known.nombre)
    return link.token if same else None


def resend(ctx: Context, token: str) -> None:
    """The invoice goes once more to the address it was given with, if it was given with one."""
    with ctx.store.transaction() as tx:
        found = ctx.opened(tx, token)
        if found is None:
            return
        tenant = tx.tenant(found.merchant_id)
        invoice = tenant.invoices.for_sale(found.sale_id, found.part)
        if invoice is None or invoice.uuid is None or invoice.state is State.CANCELLED:
            return
        if invoice.receptor.correo:
            promise_copy(tenant, invoice, invoice.receptor.correo, invoice.language)


def _same(one: str, other: str) -> bool:
    return compare_digest(one.encode(), other.encode("utf-8", "replace"))


def _fits(tx: Transaction, merchant_id: str, sale_id: str, total: Decimal) -> bool:
    tenant = tx.tenant(merchant_id)
    row = tenant.sales.get(sale_id)
    return row is not None and total in _totals(row.sale) and not _only_a_test(tenant, row.sale)


def _totals(sale: Sale) -> frozenset[Decimal]:
    """What a ticket may say was paid: with a tip or without, before a refund or after."""
    excluded = sum((one.amount for one in sale.excluded), Decimal(0))
    return frozenset({sale.total, sale.total + excluded, sale.due})


def _only_a_test(tenant: Tenant, sale: Sale) -> bool:
    """A sale of nothing, at a merchant who invoices in earnest."""
    account = tenant.pac.active() if sale.test else None
    return account is not None and account.environment == "live"
