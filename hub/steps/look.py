"""What a link shows: the sale in the state it is, and its documents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hub.domain import policy
from hub.domain.fingerprint import fingerprint
from hub.domain.purchase import (
    Estado,
    FieldError,
    FiscalForm,
    Purchase,
    field_error,
)
from hub.domain.states import State
from hub.steps.context import Context
from hub.steps.issuer import Issuer, issuer_of
from hub.steps.notices import NOTICES
from hub.steps.shown import of_document, of_sale
from hub.store.database import Tenant
from hub.store.records import Attempt, Invoice, SaleRow, Stamp

#: The page's word for each state of the invoice; a rejected one depends on the sale as well.
_ESTADOS = {
    State.REQUESTED: Estado.PROCESANDO,
    State.SEALED: Estado.PROCESANDO,
    State.SENDING: Estado.PROCESANDO,
    State.UNKNOWN: Estado.POR_CONFIRMAR,
    State.REVIEW: Estado.EN_REVISION,
    State.STAMPED: Estado.LISTA,
    State.SUPERSEDED: Estado.LISTA,
    State.CANCELLING: Estado.LISTA,
    State.CANCELLED: Estado.CANCELADA,
}

_STANDINGS = {
    policy.Kind.OPEN: Estado.ABIERTA,
    policy.Kind.REVIEW: Estado.EN_REVISION,
    policy.Kind.EXPIRED: Estado.VENCIDA,
    policy.Kind.PENDING: Estado.CANCELADA,
    policy.Kind.CANCELLED: Estado.CANCELADA,
    policy.Kind.REFUNDED: Estado.CANCELADA,
    policy.Kind.FREE: Estado.CANCELADA,
}


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the rows say of one sale, read in one snapshot."""

    issuer: Issuer
    row: SaleRow
    invoice: Invoice | None
    stamp: Stamp | None
    in_global: bool
    asked_at: datetime | None
    attempts: tuple[Attempt, ...]
    live: bool


def purchase(ctx: Context, token: str) -> Purchase | None:
    """Everything the page shows, or None if there is no such link (any more)."""
    with ctx.store.reading() as tx:
        found = tx.doors.link(token)
        facts = _facts(tx.tenant(found[0]), found[1]) if found else None
    return _purchase(ctx, facts) if facts else None


def purchase_of(ctx: Context, merchant_id: str, sale_id: str) -> Purchase:
    with ctx.store.reading() as tx:
        facts = _facts(tx.tenant(merchant_id), sale_id)
    return _purchase(ctx, facts)


def stamped(ctx: Context, token: str) -> tuple[Invoice, Stamp] | None:
    """The stamped document behind a link; None while there is none."""
    with ctx.store.reading() as tx:
        found = tx.doors.link(token)
        if found is None:
            return None
        tenant = tx.tenant(found[0])
        invoice = tenant.invoices.for_sale(found[1])
        stamp = tenant.invoices.stamp_of(invoice.id) if invoice and invoice.uuid else None
        return (invoice, stamp) if invoice and stamp else None


def _facts(tenant: Tenant, sale_id: str) -> _Facts:
    row = tenant.sales.get(sale_id)
    if row is None:
        raise LookupError("a link to a sale that is not there")
    invoice = tenant.invoices.for_sale(sale_id)
    account = tenant.pac.active()
    claims, ask = tenant.claims.of_sale(sale_id), tenant.asks.of_sale(sale_id, besides=NOTICES)
    return _Facts(
        issuer=issuer_of(tenant),
        row=row,
        invoice=invoice,
        stamp=tenant.invoices.stamp_of(invoice.id) if invoice and invoice.uuid else None,
        in_global=any(claim.global_uuid for claim in claims),
        asked_at=ask.created_at if ask else None,
        attempts=tuple(tenant.invoices.attempts(invoice.id)) if invoice else (),
        live=account is not None and account.environment == "live",
    )


def _purchase(ctx: Context, facts: _Facts) -> Purchase:
    sale, zone = facts.row.sale, facts.issuer.zone
    standing = policy.standing(
        sale, rules=facts.issuer.rules, zone=zone, now=ctx.clock.now(), reasons=facts.row.reasons
    )
    estado = _estado(facts, standing)
    stamp = facts.stamp if estado is Estado.LISTA else None
    shown = of_document(stamp.xml) if stamp else of_sale(sale)
    return Purchase(
        estado=estado,
        merchant_id=facts.issuer.merchant.id,
        merchant_name=facts.issuer.rules.nombre or facts.issuer.merchant.nombre,
        issuer_name=facts.issuer.merchant.nombre,
        merchant_rfc=facts.issuer.merchant.rfc,
        number=sale.number,
        code=facts.row.code,
        placed_at=sale.placed_at.astimezone(zone),
        currency=shown.currency,
        lines=shown.lines,
        subtotal=shown.subtotal,
        taxes=shown.taxes,
        refunded=shown.refunded,
        total=shown.total,
        deadline_at=standing.deadline_at.astimezone(zone) if standing.deadline_at else None,
        usos=facts.issuer.rules.usos,
        form=_form(facts, estado),
        errors=_errors(facts, estado),
        uuid=stamp.uuid if stamp else None,
        issued_at=stamp.stamped_at.astimezone(zone) if stamp else None,
        masked_email=masked(facts.invoice.receptor.correo) if facts.invoice and stamp else "",
        sandbox=facts.invoice.environment != "live" if facts.invoice else not facts.live,
        reason="invoice_cancelled" if _is_cancelled(facts) else standing.reason,
        cancelling=facts.invoice is not None and facts.invoice.state is State.CANCELLING,
        vista=fingerprint(sale),
        asked_at=facts.asked_at.astimezone(zone) if facts.asked_at else None,
    )


def _estado(facts: _Facts, standing: policy.Standing) -> Estado:
    if facts.in_global:
        return Estado.EN_GLOBAL
    if facts.invoice is None:
        return _STANDINGS[standing.kind]
    state = facts.invoice.state
    if state is State.REJECTED:
        return Estado.RECHAZADA if standing.kind is policy.Kind.OPEN else _STANDINGS[standing.kind]
    if state is State.SEALED and any(a.version == facts.invoice.version for a in facts.attempts):
        return Estado.POR_CONFIRMAR  # sent, turned away for now: the provider or SAT is down
    return _ESTADOS[state]


def _form(facts: _Facts, estado: Estado) -> FiscalForm:
    """After a rejection what was sent; before the first try what the platform already knows."""
    if facts.invoice is not None and estado is Estado.RECHAZADA:
        data = facts.invoice.receptor
        return FiscalForm(
            data.rfc, data.nombre, data.codigo_postal, data.regimen, data.uso, data.correo
        )
    if estado is not Estado.ABIERTA:
        return FiscalForm()
    buyer = facts.row.sale.buyer
    return FiscalForm(
        rfc=buyer.rfc,
        nombre=buyer.fiscal_name,
        cp=buyer.postal_code if buyer.rfc else "",
        regimen=buyer.regimen,
        uso=buyer.uso,
        correo=buyer.email,
    )


def _errors(facts: _Facts, estado: Estado) -> tuple[FieldError, ...]:
    if facts.invoice is None or estado is not Estado.RECHAZADA:
        return ()
    return tuple(field_error(finding) for finding in facts.invoice.findings)


def _is_cancelled(facts: _Facts) -> bool:
    return facts.invoice is not None and facts.invoice.state is State.CANCELLED


def masked(address: str) -> str:
    """First letter and domain alone: enough to recognise one's own, useless to anybody else."""
    name, at, domain = address.partition("@")
    return f"{name[0]}•••{at}{domain}" if name and domain else ""
