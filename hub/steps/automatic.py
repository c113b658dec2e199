"""automatic: a customer whose data are known gets the invoice unasked, if the merchant wants it."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from hub.domain import policy
from hub.domain.customers import Unasked, Why, known_by, unasked
from hub.domain.fingerprint import fingerprint
from hub.domain.purchase import FiscalForm
from hub.domain.states import State
from hub.steps import request
from hub.steps.context import Context
from hub.steps.customers import note_word, of_sale, waits
from hub.steps.issuer import Issuer, issuer_of
from hub.steps.later import RunLater
from hub.store.database import Tenant
from hub.store.records import Connection, Invoice, SaleRow

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Case:
    """What the rows say of one sale."""

    row: SaleRow
    issuer: Issuer
    connection: Connection | None
    #: Whether nobody gave data for it yet, and it may be invoiced unasked.
    waits: bool
    answer: Unasked


def automatic(ctx: Context, merchant_id: str, sale_id: str) -> None:
    """Ask for the invoice in the buyer's place, or else invite the buyer. Repeating it is no harm.

    Raises `RunLater` if sale or customer changed at this very moment.
    """
    with ctx.store.reading() as tx:
        case = _case(ctx, tx.tenant(merchant_id), sale_id)
    if case is None:
        return
    form = case.answer.form if case.waits else None
    if form is None:
        _invite(ctx, merchant_id, case)
        return
    note_word(ctx, merchant_id, case.row)
    vista = fingerprint(case.row.sale)
    done = request.unasked(
        ctx,
        merchant_id,
        sale_id,
        _with_vista(form, vista),
        language=case.issuer.rules.idioma,
        still=lambda tenant: _still(ctx, tenant, sale_id, form),
    )
    if done.invoice_id is None and request.TAKEN not in done.errors:
        raise RunLater(ctx.clock.now(), "sale or customer changed meanwhile")
    if request.TOO_MANY in done.errors:
        _invite(ctx, merchant_id, case)
        return
    log.info("invoice_unasked", sale=sale_id, invoice=done.invoice_id)


def _with_vista(form: FiscalForm, vista: str) -> FiscalForm:
    return FiscalForm(form.rfc, form.nombre, form.cp, form.regimen, form.uso, form.correo, vista)


def _still(ctx: Context, tenant: Tenant, sale_id: str, form: FiscalForm) -> bool:
    """Whether the same data would be asked with now, within the transaction that asks."""
    case = _case(ctx, tenant, sale_id)
    return case is not None and case.waits and case.answer.form == form


def _case(ctx: Context, tenant: Tenant, sale_id: str) -> _Case | None:
    row = tenant.sales.get(sale_id)
    if row is None:
        return None
    issuer = issuer_of(tenant)
    connection = tenant.connections.get(row.connection_id) if row.connection_id else None
    waiting = (
        issuer.rules.automatico
        and _can_issue(ctx, tenant)
        and waits(ctx, tenant, issuer, row, connection)
    )
    profile = of_sale(ctx, tenant, row, issuer.rules, ctx.clock.now())
    answer = unasked(profile, row.sale, issuer.rules)
    if answer.form is not None and _was_refused(tenant, sale_id, answer.form):
        answer = Unasked(None, Why.REFUSED)
    return _Case(row, issuer, connection, waiting, answer)


def _can_issue(ctx: Context, tenant: Tenant) -> bool:
    """Without an account and a certificate a buyer who asks waits; nobody else is made to."""
    return tenant.pac.active() is not None and tenant.csd.active_until(ctx.clock.now()) is not None


def _was_refused(tenant: Tenant, sale_id: str, form: FiscalForm) -> bool:
    """Whether this very sale was turned down with these data, for them."""
    invoice = tenant.invoices.for_sale(sale_id)
    if invoice is None or invoice.state is not State.REJECTED:
        return False
    changed = any(one.code == "amounts_changed" for one in invoice.findings)
    return not changed and _sent(invoice) == (
        form.rfc,
        form.nombre,
        form.cp,
        form.regimen,
        form.uso,
    )


def _sent(invoice: Invoice) -> tuple[str, ...]:
    data = invoice.receptor
    return data.rfc, data.nombre, data.codigo_postal, data.regimen, data.uso


def _invite(ctx: Context, merchant_id: str, case: _Case) -> None:
    """As it would have been at once, if nothing had been known."""
    row, since = case.row, case.connection.since if case.connection else None
    if known_by(row.sale.buyer.key) and case.answer.why is not None:
        log.info("not_unasked", sale=row.id, why=case.answer.why.value)
    if row.invited_at is not None:
        return
    if policy.may_invite(row.sale, rules=case.issuer.rules, now=ctx.clock.now(), since=since):
        with ctx.store.transaction() as tx:
            tx.tenant(merchant_id).promise("invite", row.id, queue="mail")
