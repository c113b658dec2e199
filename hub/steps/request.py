"""request: fiscal data are accepted for a sale, which is claimed, and its document is promised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from hub.domain import policy
from hub.domain.division import PARTS, NotDivisible
from hub.domain.joint import NotJoinable
from hub.domain.purchase import FieldError, FiscalForm, field_error
from hub.domain.receiver import Receiver, examined
from hub.domain.states import State
from hub.steps.bill import (
    Bill,
    bill_of,
    held_still,
    is_held,
    meant,
    refuse_inexact,
    standing_of,
)
from hub.steps.context import Context
from hub.steps.customers import AUTOMATIC, BUYER, TICKET
from hub.steps.divided import settled
from hub.steps.fresh import is_fresh
from hub.steps.ingest import recheck
from hub.steps.issuer import Issuer, issuer_of
from hub.store.database import Tenant
from hub.store.records import Invoice, ReceptorData

#: Corrected data may be sent this often within an hour; nobody needs more, a guesser would.
CHANGES_PER_HOUR = 10
#: What the sales are part of may change while they are looked up; not three times in a row.
_TRIES = 3
#: They ask in a buyer's place, within a buyer's deadline and limits.
_BUYERS = frozenset({BUYER, TICKET, AUTOMATIC})

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
TAKEN_OF_MANY = FieldError(
    "",
    "already_requested",
    "Una de estas compras ya tiene una factura en proceso o emitida. Quítala de la lista.",
    "One of these purchases already has an invoice in progress or issued. Take it off the list.",
)
DIVIDED = FieldError(
    "",
    "divided",
    "Esta compra está dividida en dos facturas: pide cada una por su parte.",
    "This purchase is divided into two invoices: ask for each of them by its part.",
)
DIVIDED_NO_MORE = FieldError(
    "",
    "divided_no_more",
    "Esta compra cambió o ya no está dividida. Pide a quien la dividió que lo haga otra vez.",
    "This purchase changed or is divided no more. Ask whoever divided it to do it again.",
)
APART = FieldError(
    "",
    "not_joinable",
    "Estas compras no se pueden poner en una sola factura. Factúralas por separado.",
    "These purchases cannot be put into one invoice. Invoice them one by one.",
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


def _always(_tenant: Tenant) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class _Asking:
    """Who asks, and in which language. `proven`: by a link, which is about all of its invoice."""

    actor: str
    language: str
    proven: bool = False
    still: Callable[[Tenant], bool] = _always
    #: Of a divided sale, the part that is asked for; 0: the sale.
    part: int = 0


@dataclass(frozen=True, slots=True)
class _Asked:
    """With which data, beside which amounts and by whom."""

    data: ReceptorData
    vista: str
    by: _Asking


def request(ctx: Context, token: str, form: FiscalForm, language: str) -> Requested | None:
    """The buyer asks for the invoice of what the address opens. None if there is no such address.

    Asking again, with the same or other data, while an invoice is under way or done, changes
    nothing; after a rejection the new data take the place of the old. Amounts other than those
    that the form was shown with (`vista`) are not invoiced.
    """
    with ctx.store.reading() as tx:
        found = ctx.opened(tx, token)
    if found is None:
        return None
    asking = _Asking(BUYER if found.proven else TICKET, language, found.proven)
    return _request(ctx, found.merchant_id, found.sale_ids, form, replace(asking, part=found.part))


def issue(
    ctx: Context,
    merchant_id: str,
    sale_id: str,
    form: FiscalForm,
    *,
    actor: str,
    language: str = "es",
    part: int = 0,
) -> Requested | None:
    """Staff ask for a customer; the buyer's deadline does not bind them. None: no such sale.

    `part` is that of a sale which its buyer divided.
    """
    with ctx.store.reading() as tx:
        if tx.tenant(merchant_id).sales.get(sale_id) is None:
            return None
    return _request(ctx, merchant_id, (sale_id,), form, _Asking(actor, language, part=part))


def unasked(
    ctx: Context,
    merchant_id: str,
    sale_id: str,
    form: FiscalForm,
    *,
    language: str,
    still: Callable[[Tenant], bool],
) -> Requested:
    """Ask in the place of a customer who is known, unless `still` says no in the transaction."""
    asking = _Asking(AUTOMATIC, language, still=still)
    return _request(ctx, merchant_id, (sale_id,), form, asking)


def examine(ctx: Context, token: str, form: FiscalForm) -> Receiver | None:
    """What `request` would make the document out to, and what is wrong with it.

    Changes nothing. None if there is no such link.
    """
    with ctx.store.reading() as tx:
        found = ctx.opened(tx, token)
        issuer = issuer_of(tx.tenant(found.merchant_id)) if found else None
    return examined(form, issuer.rules, issuer.lugar_for_foreigners) if issuer else None


def _request(
    ctx: Context,
    merchant_id: str,
    sale_ids: tuple[str, ...],
    form: FiscalForm,
    asking: _Asking,
) -> Requested:
    with ctx.store.reading() as tx:
        issuer = issuer_of(tx.tenant(merchant_id))
    data, errors = _errors(form, issuer, asking.actor)
    if errors:
        return Requested(None, errors)
    for _ in range(_TRIES):
        with ctx.store.reading() as tx:
            target = _target(ctx, tx.tenant(merchant_id), issuer, sale_ids, asking)
        with ctx.store.transaction() as tx:
            tenant = tx.tenant(merchant_id)
            held_still(tenant, target)
            if _target(ctx, tenant, issuer, sale_ids, asking) == target:
                return _asked(ctx, tenant, issuer, target, _Asked(data, form.vista, asking))
    return Requested(None, (CHANGED,))


def _target(
    ctx: Context, tenant: Tenant, issuer: Issuer, sale_ids: tuple[str, ...], asking: _Asking
) -> tuple[str, ...]:
    """The sales as a buyer's address means them now: they may have become parts of others."""
    if asking.actor not in {BUYER, TICKET}:
        return sale_ids
    wholes = tuple(dict.fromkeys(tenant.objects.whole(sale_id) for sale_id in sale_ids))
    return meant(tenant, issuer, wholes, ctx.clock.now()) if asking.proven else wholes


def _asked(
    ctx: Context, tenant: Tenant, issuer: Issuer, sale_ids: tuple[str, ...], asked: _Asked
) -> Requested:
    """Within the transaction that holds the sales still."""
    part = asked.by.part
    if any(is_blocked(tenant, sale_id, part) for sale_id in sale_ids):
        return Requested(None, (DIVIDED_NO_MORE if part else DIVIDED,))
    standing = [tenant.invoices.for_sale(sale_id, part) for sale_id in sale_ids]
    for taken in standing:
        if taken is not None and taken.state is not State.REJECTED:
            return _same_or_taken(taken, sale_ids, asked)
    try:
        bill = bill_of(tenant, issuer, sale_ids, part)
    except (NotJoinable, NotDivisible) as error:
        none = APART if isinstance(error, NotJoinable) else DIVIDED_NO_MORE
        return Requested(None, (none,))
    rejected = next((one for one in standing if one and one.sale_ids == sale_ids), None)
    refusal: FieldError | None = NOT_OPEN
    if bill is not None:
        allowed = standing_of(bill, issuer, ctx.clock.now(), rejected)
        refusal = _refusal(tenant, bill, allowed, asked)
    if bill is None or refusal is not None:
        return Requested(None, (refusal or NOT_OPEN,))
    if asked.by.actor in _BUYERS and _too_often(ctx, tenant, sale_ids):
        return Requested(rejected.id if rejected else None, (TOO_MANY,))
    if rejected is None:
        requested = _first(tenant, issuer, bill, asked)
    else:
        requested = _again(tenant, rejected, asked.data, asked.by.actor)
    if requested.invoice_id is not None and not requested.errors:
        _agree(ctx, tenant, requested.invoice_id, bill)
    return requested


def is_blocked(tenant: Tenant, sale_id: str, part: int) -> bool:
    """Whether the sale is divided and the whole is asked for, or the other way round.

    A division that the sale has outgrown is undone on the way, as long as nothing of it is issued.
    """
    settled(tenant, sale_id)
    return (tenant.divisions.current(sale_id) is not None) != bool(part)


def _agree(ctx: Context, tenant: Tenant, invoice_id: str, bill: Bill) -> None:
    """Keep what was asked for; a shop that did not confirm it in time is asked afterwards."""
    now = ctx.clock.now()
    unsure = [row for row in bill.rows if not is_fresh(row, now)]
    tenant.invoices.agree(invoice_id, bill.fingerprint, verified=not unsure)
    for row in unsure:
        recheck(ctx, tenant, str(row.connection_id), row.sale.key)


def _same_or_taken(invoice: Invoice, sale_ids: tuple[str, ...], asked: _Asked) -> Requested:
    """To the buyer the page tells what there is; staff must hear that theirs was not taken.

    So must whoever asks for several together, of which this one holds not all.
    """
    missed = not set(sale_ids) <= set(invoice.sale_ids)
    if not missed and (asked.by.actor in {BUYER, TICKET} or invoice.receptor == asked.data):
        return Requested(invoice.id, ())
    return Requested(None if missed else invoice.id, (TAKEN_OF_MANY if missed else TAKEN,))


def _refusal(
    tenant: Tenant, bill: Bill, standing: policy.Standing, asked: _Asked
) -> FieldError | None:
    """Why it cannot be invoiced now, or not beside the amounts that were shown."""
    own = asked.by.actor in _BUYERS
    kinds = {policy.Kind.OPEN} if own else {policy.Kind.OPEN, policy.Kind.EXPIRED}
    if standing.kind not in kinds or bill.reasons or not asked.by.still(tenant):
        return NOT_OPEN
    return CHANGED if asked.vista and asked.vista != bill.fingerprint else None


def _first(tenant: Tenant, issuer: Issuer, bill: Bill, asked: _Asked) -> Requested:
    """All claims and the invoice, or nothing. What a rejected invoice of others held is free."""
    found = [tenant.invoices.for_sale(sale_id, bill.part) for sale_id in bill.sale_ids]
    rejected = sorted({one.id for one in found if one is not None})
    if is_held(tenant, bill, rejected):
        return Requested(None, (TAKEN,))
    try:
        refuse_inexact(bill, issuer)
    except NotJoinable:
        return Requested(None, (APART,))
    for invoice_id in rejected:
        tenant.claims.release(invoice_id)
    account = tenant.pac.active()
    invoice = tenant.invoices.create(
        sale_ids=bill.sale_ids,
        receptor=asked.data,
        origin=asked.by.actor if asked.by.actor in _BUYERS else "staff",
        language=asked.by.language,
        environment=account.environment if account else "test",
        total=bill.sale.due,
        currency=bill.sale.currency,
    )
    for sale_id in bill.sale_ids:
        part, parts = (bill.part, PARTS) if bill.part else (1, 1)
        if not tenant.claims.open(sale_id, invoice_id=invoice.id, part=part, parts=parts):
            raise RuntimeError("a free sale could not be claimed inside the write transaction")
    tenant.promise("seal", invoice.id, queue="stamp")
    return Requested(invoice.id, ())


def _too_often(ctx: Context, tenant: Tenant, sale_ids: tuple[str, ...]) -> bool:
    since = ctx.clock.now() - timedelta(hours=1)
    return any(tenant.invoices.times_asked(one, since) >= CHANGES_PER_HOUR for one in sale_ids)


def _again(tenant: Tenant, invoice: Invoice, data: ReceptorData, actor: str) -> Requested:
    tenant.invoices.set_receptor(invoice.id, data)
    if not tenant.invoices.move(
        invoice.id, State.REJECTED, State.REQUESTED, actor=actor, reason="new data", findings=()
    ):
        raise RuntimeError("a rejected invoice moved inside the write transaction")
    tenant.promise("seal", invoice.id, queue="stamp")
    return Requested(invoice.id, ())


def _errors(
    form: FiscalForm, issuer: Issuer, actor: str
) -> tuple[ReceptorData, tuple[FieldError, ...]]:
    lugar = issuer.lugar_for_foreigners if actor in _BUYERS else issuer.lugar_expedicion
    given = examined(form, issuer.rules, lugar)
    receptor = given.receptor
    data = ReceptorData(
        rfc=receptor.rfc,
        nombre=receptor.nombre,
        codigo_postal=receptor.domicilio_fiscal,
        regimen=receptor.regimen_fiscal,
        uso=receptor.uso_cfdi,
        correo=given.correo,
    )
    return data, tuple(field_error(finding) for finding in given.findings)
