"""seal: a requested invoice becomes a document, sealed once, its exact bytes kept before use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from cfdi import amounts, csd
from cfdi.comprobante import Comprobante, Receptor
from cfdi.findings import Finding, FixableBy
from cfdi.seal import Sealed
from cfdi.seal import seal as sealed_with
from hub.domain import policy
from hub.domain.compose import NotComposable, compose
from hub.domain.fingerprint import fingerprint
from hub.domain.states import State
from hub.steps.context import Context
from hub.steps.issuer import Issuer, issuer_of
from hub.steps.later import RunLater
from hub.store.records import CsdRow, Invoice, PacAccount, SaleRow


class NotSealable(Exception):
    """The document cannot be made as things are; the findings say why and who can mend it."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__(", ".join(finding.code for finding in findings))
        self.findings = findings


@dataclass(frozen=True, slots=True)
class _Desk:
    """All that goes into one document."""

    invoice: Invoice
    sale: SaleRow
    issuer: Issuer
    csd: CsdRow
    account: PacAccount
    folio: int


def seal(ctx: Context, merchant_id: str, invoice_id: str) -> None:
    """Compose, check, seal and file the document, with the promise to stamp it.

    Raises `RunLater` if the sale or the request changed meanwhile; nothing was filed then.
    """
    try:
        desk = _desk(ctx, merchant_id, invoice_id)
        if desk is None:
            return
        fecha = ctx.clock.now().astimezone(desk.issuer.zone).replace(tzinfo=None, microsecond=0)
        comprobante = _composed(desk, fecha)
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
        if invoice is None or invoice.state is not State.REQUESTED:
            return None
        sale = tenant.sales.get(invoice.sale_ids[0])
        account, certificate = tenant.pac.active(), tenant.csd.active(now)
        issuer = issuer_of(tenant)
        if sale is None or account is None or certificate is None:
            raise NotSealable(_NO_PAC if account is None else _NO_CSD)
        _check_environment(account, certificate, sale)
        if sale.reasons:
            raise NotSealable(*sale.reasons)
        standing = policy.standing(sale.sale, rules=issuer.rules, zone=issuer.zone, now=now)
        if standing.kind not in {policy.Kind.OPEN, policy.Kind.EXPIRED}:
            raise NotSealable(_NOT_INVOICEABLE)
        agreed = tenant.invoices.agreement(invoice_id)
        if agreed is not None and agreed.fingerprint != fingerprint(sale.sale):
            raise NotSealable(_AMOUNTS_CHANGED)
        folio = tenant.invoices.next_folio(issuer.rules.serie, first=issuer.rules.folio_inicial)
    return _Desk(invoice, sale, issuer, certificate, account, folio)


def _check_environment(account: PacAccount, certificate: CsdRow, sale: SaleRow) -> None:
    if account.environment == "live" and certificate.authority != "sat":
        raise NotSealable(_TEST_CSD_LIVE)
    if account.environment == "live" and sale.sale.test:
        raise NotSealable(_TEST_SALE_LIVE)


def _composed(desk: _Desk, fecha: datetime) -> Comprobante:
    data = desk.invoice.receptor
    receptor = Receptor(data.rfc, data.nombre, data.codigo_postal, data.regimen, data.uso)
    try:
        comprobante = compose(
            desk.sale.sale,
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
    if comprobante.total != desk.sale.sale.due:
        raise NotSealable(_WRONG_TOTAL)
    if findings := amounts.limits_hold(comprobante):
        raise NotSealable(*findings)
    return comprobante


@lru_cache(maxsize=200)
def opened(row: CsdRow) -> csd.Csd:
    """The key is opened once a process: opening it costs as much as a hundred seals."""
    return csd.Csd(csd.Certificate.read(row.certificate_der), csd.load_key(row.key_der))


def _file(
    ctx: Context, merchant_id: str, desk: _Desk, comprobante: Comprobante, sealed: Sealed
) -> None:
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        tenant.claims.of_sale(desk.sale.id)  # which holds the sale still until the end
        if (
            tenant.invoices.get(desk.invoice.id) != desk.invoice
            or tenant.sales.get(desk.sale.id) != desk.sale
        ):
            raise RunLater(ctx.clock.now(), "it changed while it was being sealed")
        tenant.invoices.seal(
            desk.invoice.id,
            serie=comprobante.serie or "",
            folio=comprobante.folio or "",
            fecha=comprobante.fecha,
            total=comprobante.total,
            xml=sealed.xml,
            sha256=sealed.sha256,
            sello=sealed.sello,
            pac_account_id=desk.account.id,
            reference=sealed.sha256,
        )
        if not tenant.invoices.move(desk.invoice.id, State.REQUESTED, State.SEALED):
            raise RuntimeError("the invoice moved while it was being sealed; nothing was filed")
        tenant.promise("stamp", desk.invoice.id, queue="stamp")


def _refuse(ctx: Context, merchant_id: str, invoice_id: str, findings: tuple[Finding, ...]) -> None:
    """Back to the buyer if the buyer can mend all of it, else to the merchant's review."""
    mendable = all(finding.fixable_by is FixableBy.BUYER for finding in findings)
    with ctx.store.transaction() as tx:
        invoices = tx.tenant(merchant_id).invoices
        after = State.REJECTED if mendable else State.REVIEW
        invoices.move(
            invoice_id,
            State.REQUESTED,
            after,
            reason=", ".join(finding.code for finding in findings),
            findings=findings,
        )


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
_WRONG_TOTAL = _merchant(
    "total_differs",
    "El total del comprobante no es igual a lo cobrado.",
    "The document's total is not what was charged.",
)
