"""seal: a requested invoice becomes a document, sealed once, its exact bytes kept before use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from cfdi import amounts, csd
from cfdi.comprobante import Comprobante, Receptor
from cfdi.findings import Finding, FixableBy
from cfdi.seal import Sealed
from cfdi.seal import seal as sealed_with
from hub.domain import policy
from hub.domain.compose import NotComposable, compose
from hub.domain.division import NotDivisible
from hub.domain.joint import NotJoinable
from hub.domain.states import State
from hub.steps import customers
from hub.steps.bill import (
    Bill,
    bill_of_invoice,
    held_still,
    shares_of,
    standing_of,
)
from hub.steps.context import Context
from hub.steps.issuer import Issuer, issuer_of
from hub.steps.later import HOLD_PAUSE, RunLater, paused
from hub.steps.refund import notice_change
from hub.store.database import Tenant
from hub.store.records import CsdRow, Invoice, PacAccount, SaleRow

#: Who asked in time is served though the deadline has passed since.
_SEALABLE: Final = frozenset({policy.Kind.OPEN, policy.Kind.EXPIRED})


class NotSealable(Exception):
    """The document cannot be made as things are; the findings say why and who can mend it."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__(", ".join(finding.code for finding in findings))
        self.findings = findings


@dataclass(frozen=True, slots=True)
class _Desk:
    """All that goes into one document."""

    invoice: Invoice
    bill: Bill
    issuer: Issuer
    csd: CsdRow
    account: PacAccount
    folio: int


def seal(ctx: Context, merchant_id: str, invoice_id: str) -> None:
    """Compose, check, seal and file the document, with the promise to stamp it.

    Raises `RunLater` if the sale or the request changed meanwhile, or while the sale is on hold;
    nothing was filed then.
    """
    try:
        desk = _desk(ctx, merchant_id, invoice_id)
        if desk is None:
            return
        comprobante = _composed(desk, fecha_of(ctx, desk.issuer))
        sealed = sealed_with(comprobante, opened(desk.csd))
    except NotSealable as error:
        _refuse(ctx, merchant_id, invoice_id, error.findings)
        return
    _file(ctx, merchant_id, desk, comprobante, sealed)


def _desk(ctx: Context, merchant_id: str, invoice_id: str) -> _Desk | None:
    now = ctx.clock.now()
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        invoice = tenant.invoices.get(invoice_id)
        if invoice is None or invoice.state is not State.REQUESTED or invoice.is_note:
            return None
        issuer = issuer_of(tenant)
        bill, account, certificate = _bill(tenant, issuer, invoice, now)
        standing = standing_of(bill, issuer, now)
        if (bill.part or len(bill.rows) > 1) and standing.kind not in _SEALABLE:
            raise NotSealable(_APART)  # one of them must not keep the others waiting
        if bill.reasons:
            raise NotSealable(*bill.reasons)
        if standing.kind is policy.Kind.HELD:
            raise paused(now, HOLD_PAUSE, invoice_id, "the sale is on hold")
        if standing.kind not in _SEALABLE:
            raise NotSealable(_NOT_INVOICEABLE)
        agreed = tenant.invoices.agreement(invoice_id)
        if agreed is not None and agreed.fingerprint != bill.fingerprint:
            raise NotSealable(_AMOUNTS_CHANGED)
        folio = tenant.invoices.next_folio(issuer.rules.serie, first=issuer.rules.folio_inicial)
    return _Desk(invoice, bill, issuer, certificate, account, folio)


def _bill(
    tenant: Tenant, issuer: Issuer, invoice: Invoice, now: datetime
) -> tuple[Bill, PacAccount, CsdRow]:
    """What the invoice is of, and the means for every sale of it. Raises `NotSealable`."""
    held_still(tenant, invoice.sale_ids)
    found = [means(tenant, sale_id, now) for sale_id in invoice.sale_ids]
    try:
        bill = bill_of_invoice(tenant, issuer, invoice)
    except NotJoinable as error:
        raise NotSealable(_APART) from error
    except NotDivisible as error:
        raise NotSealable(_DIVIDED_NO_MORE) from error
    if bill is None:
        raise NotSealable(_NOT_INVOICEABLE)
    _, account, certificate = found[0]
    return bill, account, certificate


def fecha_of(ctx: Context, issuer: Issuer) -> datetime:
    """Fecha of a document: the instant of sealing in the zone of LugarExpedicion, naive."""
    return ctx.clock.now().astimezone(issuer.zone).replace(tzinfo=None, microsecond=0)


def means(tenant: Tenant, sale_id: str, now: datetime) -> tuple[SaleRow, PacAccount, CsdRow]:
    """The sale, and what a document of it is sealed with and stamped by. Raises `NotSealable`."""
    sale = tenant.sales.get(sale_id)
    account, certificate = tenant.pac.active(), tenant.csd.active(now)
    if sale is None or account is None or certificate is None:
        raise NotSealable(_NO_PAC if account is None else _NO_CSD)
    if account.environment == "live" and certificate.authority != "sat":
        raise NotSealable(_TEST_CSD_LIVE)
    if account.environment == "live" and sale.sale.test:
        raise NotSealable(_TEST_SALE_LIVE)
    return sale, account, certificate


def _composed(desk: _Desk, fecha: datetime) -> Comprobante:
    data = desk.invoice.receptor
    receptor = Receptor(data.rfc, data.nombre, data.codigo_postal, data.regimen, data.uso)
    try:
        comprobante = compose(
            desk.bill.sale,
            rules=desk.issuer.rules,
            emisor=desk.issuer.emisor,
            lugar_expedicion=desk.issuer.lugar_expedicion,
            receptor=receptor,
            fecha=fecha,
            serie=desk.issuer.rules.serie,
            folio=str(desk.folio),
        )
    except NotComposable as error:
        raise NotSealable(*error.findings) from error
    # Checked again by code that shares nothing with the composer: a wrong cent is never sealed.
    if comprobante.total != desk.bill.sale.due or not _says_each(desk.bill, comprobante):
        raise NotSealable(_WRONG_TOTAL)
    if findings := amounts.limits_hold(comprobante):
        raise NotSealable(*findings)
    return comprobante


def _says_each(bill: Bill, comprobante: Comprobante) -> bool:
    """Whether every line is of the purchase that it is said to be of, where there are several."""
    found = shares_of(bill)
    return not found or sum(share.lines for share in found) == len(comprobante.conceptos)


@lru_cache(maxsize=200)
def opened(row: CsdRow) -> csd.Csd:
    """The key is opened once a process: opening it costs as much as a hundred seals."""
    return csd.Csd(csd.Certificate.read(row.certificate_der), csd.load_key(row.key_der))


def _file(
    ctx: Context, merchant_id: str, desk: _Desk, comprobante: Comprobante, sealed: Sealed
) -> None:
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        bill = desk.bill
        held_still(tenant, bill.sale_ids)
        if tenant.invoices.get(desk.invoice.id) != desk.invoice or any(
            tenant.sales.get(row.id) != row for row in bill.rows
        ):
            raise RunLater(ctx.clock.now(), "it changed while it was being sealed")
        version = put_on_file(tenant, desk.invoice.id, comprobante, sealed, desk.account)
        if len(bill.rows) == 1:
            tenant.credits.account_for(desk.invoice.id, version, bill.rows[0].sale)
        for row, share in zip(bill.rows, shares_of(bill), strict=False):
            tenant.credits.account_for_share(desk.invoice.id, version, row.id, share)


def put_on_file(
    tenant: Tenant, invoice_id: str, comprobante: Comprobante, sealed: Sealed, account: PacAccount
) -> int:
    """The exact bytes, before anybody is sent them, and the promise to stamp them; their version.

    Within the transaction in which what they are made of was seen not to have changed.
    """
    version = tenant.invoices.seal(
        invoice_id,
        serie=comprobante.serie or "",
        folio=comprobante.folio or "",
        fecha=comprobante.fecha,
        total=comprobante.total,
        xml=sealed.xml,
        sha256=sealed.sha256,
        sello=sealed.sello,
        pac_account_id=account.id,
        reference=sealed.sha256,
    )
    if not tenant.invoices.move(invoice_id, State.REQUESTED, State.SEALED):
        raise RuntimeError("the invoice moved while it was being sealed; nothing was filed")
    tenant.promise("stamp", invoice_id, queue="stamp")
    return version


def _refuse(ctx: Context, merchant_id: str, invoice_id: str, findings: tuple[Finding, ...]) -> None:
    """Back to the buyer if the buyer can mend all of it, else to the merchant's review."""
    mendable = all(finding.fixable_by is FixableBy.BUYER for finding in findings)
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        after = State.REJECTED if mendable else State.REVIEW
        moved = tenant.invoices.move(
            invoice_id,
            State.REQUESTED,
            after,
            reason=", ".join(finding.code for finding in findings),
            findings=findings,
        )
        invoice = tenant.invoices.get(invoice_id)
        if moved and mendable and invoice is not None:
            customers.rejected(tenant, invoice, findings)
            for sale_id in sorted(invoice.sale_ids):
                notice_change(tenant, sale_id)  # one that changed may be divided no more


def _merchant(code: str, es: str, en: str) -> Finding:
    return Finding(code, "", es, en, FixableBy.MERCHANT)


_NO_CSD = _merchant(
    "no_csd",
    "No hay un certificado de sello digital vigente: súbelo con `autofactura csd add`.",
    "There is no valid seal certificate (CSD): add one with `autofactura csd add`.",
)
_NO_PAC = _merchant(
    "no_pac",
    "No hay una cuenta de PAC: configúrala con `autofactura pac set`.",
    "There is no PAC account: set one with `autofactura pac set`.",
)
_TEST_CSD_LIVE = _merchant(
    "test_csd_on_live",
    "El certificado es de pruebas y la cuenta del PAC es de producción: sube el CSD real.",
    "The certificate is a test one and the PAC account is live: add the real CSD.",
)
_TEST_SALE_LIVE = _merchant(
    "test_sale_on_live",
    "La venta es de prueba y la cuenta del PAC es de producción: no se factura.",
    "The sale is a test and the PAC account is live: it is not invoiced.",
)
_NOT_INVOICEABLE = _merchant(
    "not_invoiceable",
    "La venta cambió después de pedir la factura (cancelada, devuelta o sin pago).",
    "The sale changed after the invoice was asked for (cancelled, refunded or not paid).",
)
_AMOUNTS_CHANGED = Finding(
    "amounts_changed",
    "",
    "Los importes de la compra cambiaron después de pedir la factura. Revísalos y vuelve a enviar.",
    "The amounts of the purchase changed after the invoice was asked for. Look and send again.",
    FixableBy.BUYER,
)
_APART = Finding(
    "not_joinable",
    "",
    "Estas compras ya no se pueden poner en una sola factura. Factúralas por separado.",
    "These purchases can no longer be put into one invoice. Invoice them one by one.",
    FixableBy.BUYER,
)
_DIVIDED_NO_MORE = Finding(
    "divided_no_more",
    "",
    "La compra cambió después de dividirla. Pide a quien la dividió que lo haga otra vez.",
    "The purchase changed after it was divided. Ask whoever divided it to do it again.",
    FixableBy.BUYER,
)
_WRONG_TOTAL = _merchant(
    "total_differs",
    "El total del comprobante no es igual a lo cobrado.",
    "The document's total is not what was charged.",
)
