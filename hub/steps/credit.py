"""credit: an asked-for credit note becomes a document, sealed once; *stamp* does the rest.

What its invoice has left is what earlier notes did not take; those that may be in force count as if
they were.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import cfdi
from cfdi.comprobante import Comprobante
from cfdi.documents import Expedicion, Factura
from cfdi.findings import Finding, FixableBy
from cfdi.seal import Sealed
from cfdi.seal import seal as sealed_with
from hub.domain import credit as notes
from hub.domain.placed import Share
from hub.domain.reasons import NotComposable
from hub.domain.sale import Refund
from hub.domain.states import State
from hub.steps.context import Context
from hub.steps.issuer import Issuer, issuer_of
from hub.steps.later import RunLater
from hub.steps.refund import stands, withdraw
from hub.steps.seal import NotSealable, fecha_of, means, opened, put_on_file
from hub.store.credits import CreditNote
from hub.store.database import Tenant
from hub.store.records import CsdRow, Invoice, PacAccount, SaleRow, Stamp


@dataclass(frozen=True, slots=True)
class _Desk:
    """All that goes into one credit note."""

    invoice: Invoice
    note: CreditNote
    refund: Refund
    sale: SaleRow
    ingreso: Stamp
    #: Keys of the refunds that the ingreso accounts for.
    accounted: frozenset[str]
    #: What the sale is of an ingreso of several.
    share: Share | None
    #: Every other note on it that is or may be in force: which version, and its bytes.
    others: tuple[tuple[str, int, bytes], ...]
    issuer: Issuer
    csd: CsdRow
    account: PacAccount
    folio: int


def credit(ctx: Context, merchant_id: str, invoice_id: str) -> None:
    """Compose, check, seal and file the credit note, with the promise to stamp it.

    One whose refund is gone by now is withdrawn. Raises `RunLater` if anything it is made of
    changed meanwhile; nothing was filed then.
    """
    try:
        desk = _desk(ctx, merchant_id, invoice_id)
        if desk is None:
            return
        comprobante = _composed(desk, fecha_of(ctx, desk.issuer))
        sealed = sealed_with(comprobante, opened(desk.csd))
    except NotSealable as error:
        _to_review(ctx, merchant_id, invoice_id, error.findings)
        return
    _file(ctx, merchant_id, desk, comprobante, sealed)


def _desk(ctx: Context, merchant_id: str, invoice_id: str) -> _Desk | None:
    now = ctx.clock.now()
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        invoice, note = tenant.invoices.get(invoice_id), tenant.credits.get(invoice_id)
        if invoice is None or note is None or invoice.state is not State.REQUESTED:
            return None
        refund = stands(tenant, note)
        if refund is None:
            withdraw(tenant, note)
            return None
        sale, account, certificate = means(tenant, note.sale_id, now)
        ingreso = tenant.invoices.get(note.ingreso_id)
        stamp = tenant.invoices.stamp_of(note.ingreso_id)
        if ingreso is None or stamp is None or ingreso.environment != account.environment:
            raise NotSealable(_OTHER_ENVIRONMENT)
        issuer = issuer_of(tenant)
        share = tenant.credits.share(note.ingreso_id, stamp.version, note.sale_id)
        basis = share.basis if share else tenant.credits.basis(note.ingreso_id, stamp.version)
        return _Desk(
            invoice,
            note,
            refund,
            sale,
            stamp,
            frozenset(basis.refunds) if basis else frozenset(),
            share,
            _others(tenant, note),
            issuer,
            certificate,
            account,
            tenant.invoices.next_folio(issuer.rules.serie_nota),
        )


def _others(tenant: Tenant, note: CreditNote) -> tuple[tuple[str, int, bytes], ...]:
    found = []
    for other in tenant.credits.of_ingreso(note.ingreso_id):
        invoice = tenant.invoices.get(other.invoice_id)
        if other.invoice_id == note.invoice_id or invoice is None:
            continue
        document = tenant.invoices.document(other.invoice_id)
        if document is not None and invoice.state is not State.REQUESTED:
            found.append((other.invoice_id, document.version, document.xml))
    return tuple(found)


def _composed(desk: _Desk, fecha: datetime) -> Comprobante:
    factura = Factura(
        desk.ingreso.uuid,
        cfdi.read(desk.ingreso.xml).comprobante,
        tuple(cfdi.read(xml).comprobante for _, _, xml in desk.others),
    )
    expedicion = Expedicion(
        desk.issuer.emisor,
        desk.issuer.lugar_expedicion,
        fecha,
        desk.issuer.rules.serie_nota,
        str(desk.folio),
    )
    try:
        return notes.compose(
            factura,
            desk.refund,
            desk.sale.sale,
            accounted=desk.accounted,
            expedicion=expedicion,
            spread=desk.note.actor == "staff",
            share=desk.share,
        )
    except NotComposable as error:
        raise NotSealable(*error.findings) from error


def _file(
    ctx: Context, merchant_id: str, desk: _Desk, comprobante: Comprobante, sealed: Sealed
) -> None:
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        unchanged = (
            stands(tenant, desk.note) == desk.refund  # which holds the sale still until the end
            and tenant.invoices.get(desk.invoice.id) == desk.invoice
            and tenant.credits.get(desk.invoice.id) == desk.note
            and tenant.sales.get(desk.sale.id) == desk.sale
            and _others(tenant, desk.note) == desk.others
        )
        if not unchanged:
            raise RunLater(ctx.clock.now(), "it changed while it was being sealed")
        put_on_file(tenant, desk.invoice.id, comprobante, sealed, desk.account)


def _to_review(
    ctx: Context, merchant_id: str, invoice_id: str, findings: tuple[Finding, ...]
) -> None:
    """No buyer can mend a credit note: it waits for the merchant."""
    with ctx.store.transaction() as tx:
        tx.tenant(merchant_id).invoices.move(
            invoice_id,
            State.REQUESTED,
            State.REVIEW,
            reason=", ".join(finding.code for finding in findings),
            findings=findings,
        )


_OTHER_ENVIRONMENT = Finding(
    "other_environment",
    "",
    "La factura se timbró en otro ambiente del PAC (pruebas o producción) que el de ahora.",
    "The invoice was stamped in another environment of the PAC (test or live) than today's.",
    FixableBy.MERCHANT,
)
