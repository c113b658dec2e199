"""request: fiscal data are accepted for a sale, which is claimed, and its document is promised."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from cfdi import receptor as receptores
from cfdi.comprobante import Receptor
from cfdi.findings import Finding, FixableBy
from hub.domain import policy
from hub.domain.email import check_email
from hub.domain.fingerprint import fingerprint
from hub.domain.purchase import FieldError, FiscalForm, field_error
from hub.domain.states import State
from hub.steps.context import Context
from hub.steps.fresh import is_fresh
from hub.steps.ingest import recheck
from hub.steps.issuer import Issuer, issuer_of
from hub.store.database import Tenant
from hub.store.records import Invoice, ReceptorData, SaleRow

#: Corrected data may be sent this often within an hour; nobody needs more, a guesser would.
CHANGES_PER_HOUR = 10

NOT_OPEN = FieldError(
    "",
    "not_open",
    "Esta compra ya no se puede facturar desde esta página.",
    "This purchase can no longer be invoiced from this page.",
)
TOO_MANY = FieldError(
    "",
    "too_many_changes",
    "Ya probaste varias veces. Espera una hora y vuelve a intentarlo con tu constancia a la mano.",
    "You have tried several times. Wait an hour and try again with your tax certificate at hand.",
)
TAKEN = FieldError(
    "",
    "already_requested",
    "Esta compra ya tiene una factura en proceso o emitida.",
    "This purchase already has an invoice in progress or issued.",
)
CHANGED = FieldError(
    "",
    "amounts_changed",
    "Los importes de la compra cambiaron mientras llenabas tus datos. Revísalos y vuelve a enviar.",
    "The amounts of the purchase changed while you filled in your data. Look and send again.",
)


@dataclass(frozen=True, slots=True)
class Requested:
    """The invoice that stands for the sale now, or why there is none."""

    invoice_id: str | None
    errors: tuple[FieldError, ...]


def request(ctx: Context, token: str, form: FiscalForm, language: str) -> Requested | None:
    """The buyer asks for the invoice of the link's sale. None if there is no such link.

    Asking again, with the same or other data, while an invoice is under way or done, changes
    nothing; after a rejection the new data take the place of the old. Amounts other than those
    that the form was shown with (`vista`) are not invoiced.
    """
    with ctx.store.reading() as tx:
        found = tx.doors.link(token)
    if found is None:
        return None
    merchant_id, sale_id = found
    return _request(ctx, merchant_id, sale_id, form, language=language, actor="buyer")


def issue(
    ctx: Context,
    merchant_id: str,
    sale_id: str,
    form: FiscalForm,
    *,
    actor: str,
    language: str = "es",
) -> Requested | None:
    """Staff ask for a customer; the buyer's deadline does not bind them. None: no such sale."""
    with ctx.store.reading() as tx:
        if tx.tenant(merchant_id).sales.get(sale_id) is None:
            return None
    return _request(ctx, merchant_id, sale_id, form, language=language, actor=actor)


def check(ctx: Context, token: str, form: FiscalForm) -> tuple[FieldError, ...]:
    """What `request` would say of these data, changing nothing."""
    with ctx.store.reading() as tx:
        found = tx.doors.link(token)
        if found is None:
            return (NOT_OPEN,)
        issuer = issuer_of(tx.tenant(found[0]))
    return _errors(form, issuer)[1]


def _request(
    ctx: Context, merchant_id: str, sale_id: str, form: FiscalForm, *, language: str, actor: str
) -> Requested:
    with ctx.store.reading() as tx:
        issuer = issuer_of(tx.tenant(merchant_id))
    data, errors = _errors(form, issuer)
    if errors:
        return Requested(None, errors)
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        sale = tenant.sales.get(sale_id)
        if sale is None:
            return Requested(None, (NOT_OPEN,))
        standing = tenant.invoices.for_sale(sale_id)
        if standing is not None and standing.state is not State.REJECTED:
            return _same_or_taken(standing, data, actor)
        if not _may_issue(ctx, issuer, sale, actor):
            return Requested(None, (NOT_OPEN,))
        if form.vista and form.vista != fingerprint(sale.sale):
            return Requested(None, (CHANGED,))
        if standing is None:
            requested = _first(tenant, sale, data, language, actor)
        else:
            requested = _again(ctx, tenant, standing, data, actor)
        if requested.invoice_id is not None and not requested.errors:
            _agree(ctx, tenant, requested.invoice_id, sale)
        return requested


def _agree(ctx: Context, tenant: Tenant, invoice_id: str, sale: SaleRow) -> None:
    """Keep what was asked for; if the shop did not confirm it in time, it is asked afterwards."""
    now = ctx.clock.now()
    verified = is_fresh(sale, now)
    tenant.invoices.agree(invoice_id, fingerprint(sale.sale), verified=verified)
    if not verified:
        recheck(ctx, tenant, str(sale.connection_id), sale.sale.key)


def _same_or_taken(invoice: Invoice, data: ReceptorData, actor: str) -> Requested:
    """To the buyer the page tells what there is; staff must hear that theirs was not taken."""
    if actor == "buyer" or invoice.receptor == data:
        return Requested(invoice.id, ())
    return Requested(invoice.id, (TAKEN,))


def _may_issue(ctx: Context, issuer: Issuer, sale: SaleRow, actor: str) -> bool:
    now = ctx.clock.now()
    standing = policy.standing(sale.sale, rules=issuer.rules, zone=issuer.zone, now=now)
    kinds = {policy.Kind.OPEN} if actor == "buyer" else {policy.Kind.OPEN, policy.Kind.EXPIRED}
    return standing.kind in kinds and not sale.reasons


def _first(
    tenant: Tenant, sale: SaleRow, data: ReceptorData, language: str, actor: str
) -> Requested:
    account = tenant.pac.active()
    if tenant.claims.of_sale(sale.id):
        return Requested(None, (TAKEN,))
    invoice = tenant.invoices.create(
        sale_ids=(sale.id,),
        receptor=data,
        origin="buyer" if actor == "buyer" else "staff",
        language=language,
        environment=account.environment if account else "test",
        total=sale.sale.due,
        currency=sale.sale.currency,
    )
    if not tenant.claims.open(sale.id, invoice_id=invoice.id):
        raise RuntimeError("a free sale could not be claimed inside the write transaction")
    tenant.promise("seal", invoice.id, queue="stamp")
    return Requested(invoice.id, ())


def _again(
    ctx: Context, tenant: Tenant, invoice: Invoice, data: ReceptorData, actor: str
) -> Requested:
    since = ctx.clock.now() - timedelta(hours=1)
    recent = [
        move
        for move in tenant.invoices.transitions(invoice.id)
        if move.after is State.REQUESTED and move.at > since
    ]
    if actor == "buyer" and len(recent) >= CHANGES_PER_HOUR:
        return Requested(invoice.id, (TOO_MANY,))
    tenant.invoices.set_receptor(invoice.id, data)
    if not tenant.invoices.move(
        invoice.id, State.REJECTED, State.REQUESTED, actor=actor, reason="new data", findings=()
    ):
        raise RuntimeError("a rejected invoice moved inside the write transaction")
    tenant.promise("seal", invoice.id, queue="stamp")
    return Requested(invoice.id, ())


def _errors(form: FiscalForm, issuer: Issuer) -> tuple[ReceptorData, tuple[FieldError, ...]]:
    receptor = receptores.normalize(form.rfc, form.nombre, form.cp, form.regimen, form.uso)
    correo, mail_findings = check_email(form.correo)
    findings = (*receptores.check(receptor), *_uso(receptor, issuer), *mail_findings)
    data = ReceptorData(
        rfc=receptor.rfc,
        nombre=receptor.nombre,
        codigo_postal=receptor.domicilio_fiscal,
        regimen=receptor.regimen_fiscal,
        uso=receptor.uso_cfdi,
        correo=correo,
    )
    return data, tuple(field_error(finding) for finding in findings)


def _uso(receptor: Receptor, issuer: Issuer) -> tuple[Finding, ...]:
    allowed = issuer.rules.usos
    if not allowed or receptor.uso_cfdi in allowed or not receptor.uso_cfdi:
        return ()
    return (
        Finding(
            "uso_not_allowed",
            "uso",
            "El comercio no factura con ese uso. Elige uno de la lista.",
            "The merchant does not invoice with that use. Choose one from the list.",
            FixableBy.BUYER,
        ),
    )
