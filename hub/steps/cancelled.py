"""cancelled: SAT is asked what became of a request, until it says its last word.

201 is a receipt, not a cancellation: a receiver may have three working days to say no, and what
was stamped within 72 hours SAT may not know yet.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from cfdi.cancelacion import Motivo
from cfdi.findings import Finding
from cfdi.pac.contract import Later
from cfdi.sat.status import (
    Estado,
    EstatusCancelacion,
    SatStatus,
    Status,
    expression,
    next_look,
)
from hub.domain import cancellation as rules
from hub.domain.states import State
from hub.steps.announce import promise_news
from hub.steps.context import Context, Letter
from hub.steps.issuer import issuer_of
from hub.steps.later import RunLater
from hub.steps.look import link_of_invoice, purchase_of_invoice
from hub.steps.mailing import mail_once, message_id
from hub.steps.notices import CANCEL_FAILED, CANCEL_SLOW, NOTICES
from hub.steps.refund import note_cancelled, notice_change
from hub.store.brand import PRINT
from hub.store.database import Tenant
from hub.store.records import Cancellation, Stamp

#: A test account of a real provider: SAT never hears of its documents.
NO_SAT = "test account"


@dataclass(frozen=True, slots=True)
class _Matter:
    cancellation: Cancellation
    stamp: Stamp
    sat: SatStatus | None


def watch(ctx: Context, merchant_id: str, invoice_id: str) -> None:
    """Ask SAT about an invoice that is being cancelled. Repeating it changes nothing.

    Raises `RunLater` until SAT has said its last word.
    """
    matter = _matter(ctx, merchant_id, invoice_id)
    if matter is None:
        return
    said = matter.sat.ask(expression(matter.stamp.xml)) if matter.sat else None
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        wish = under_way(tenant, invoice_id)
        if wish is None or wish.number != matter.cancellation.number:
            return
        if _settled(ctx, tenant, wish, said):
            return
    due_at = next_look(ctx.clock.now(), _looks(matter.cancellation))
    raise RunLater(due_at, "SAT has not said its last word")


def status(ctx: Context, merchant_id: str, invoice_id: str) -> Status | Later | None:
    """SAT's word on a stamped invoice now. None where SAT never hears of it.

    Raises `LookupError` if it is not stamped.
    """
    with ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        stamp = tenant.invoices.stamp_of(invoice_id)
        if stamp is None:
            raise LookupError("no stamped invoice of this merchant")
        sat = _sat_of(ctx, tenant, invoice_id)
    return sat.ask(expression(stamp.xml)) if sat else None


def given_up(
    tenant: Tenant, invoice_id: str, wish: Cancellation, findings: Iterable[Finding]
) -> None:
    """It did not come about: the invoice is in force as before, and the merchant is told why."""
    findings = tuple(findings)
    codes = ", ".join(finding.code for finding in findings)
    tenant.invoices.move(
        invoice_id, State.CANCELLING, wish.was, reason=f"not cancelled: {codes}", findings=findings
    )
    told = {finding.code: finding.message_es for finding in findings}
    _resolve(tenant, invoice_id, {CANCEL_SLOW})
    for sale_id in sorted(_sales(tenant, invoice_id)):
        tenant.asks.create(sale_id, CANCEL_FAILED, told)
        notice_change(tenant, sale_id)


def tell_slow(ctx: Context, tenant: Tenant, wish: Cancellation, why: Mapping[str, str]) -> None:
    """Ten days without an end: the merchant is told, once for each time that it was asked for."""
    if ctx.clock.now() - wish.asked_at <= rules.OVERDUE:
        return
    for sale_id in _sales(tenant, wish.invoice_id):
        if not tenant.asks.made_since(sale_id, CANCEL_SLOW, wish.asked_at):
            tenant.asks.create(sale_id, CANCEL_SLOW, why)


def tell(ctx: Context, merchant_id: str, invoice_id: str) -> None:
    """Mail the receiver that the invoice is cancelled, once."""
    with ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        invoice, issuer = tenant.invoices.get(invoice_id), issuer_of(tenant)
        if invoice is None or invoice.uuid is None or not invoice.receptor.correo:
            return
        link, logo = link_of_invoice(tenant, invoice), tenant.logos.image(PRINT) or b""
    purchase = purchase_of_invoice(ctx, merchant_id, invoice)
    url = ctx.link(link) if link else ""
    wording = ctx.letters.cancelled(purchase, invoice.uuid, url, invoice.language, logo=logo)
    letter = Letter(
        to=invoice.receptor.correo,
        subject=wording.subject,
        text=wording.text,
        html=wording.html,
        images=wording.images,
        message_id=message_id(ctx, "cancelled", invoice.uuid, invoice.receptor.correo),
        reply_to=issuer.rules.correo,
        sender_name=issuer.rules.nombre or issuer.merchant.nombre,
    )
    mail_once(ctx, merchant_id, "cancelled", invoice_id, letter, sale_id=invoice.sale_ids[0])


def _matter(ctx: Context, merchant_id: str, invoice_id: str) -> _Matter | None:
    with ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        wish, stamp = under_way(tenant, invoice_id), tenant.invoices.stamp_of(invoice_id)
        if wish is None or stamp is None or wish.when("filed") is None:
            return None
        return _Matter(wish, stamp, _sat_of(ctx, tenant, invoice_id))


def under_way(tenant: Tenant, invoice_id: str) -> Cancellation | None:
    """The newest wish, if the invoice is being cancelled."""
    invoice = tenant.invoices.get(invoice_id)
    if invoice is None or invoice.state is not State.CANCELLING:
        return None
    return tenant.cancellations.current(invoice_id)


def _sat_of(ctx: Context, tenant: Tenant, invoice_id: str) -> SatStatus | None:
    document = tenant.invoices.document(invoice_id)
    account = tenant.pac.get(document.pac_account_id) if document else None
    if account is None:
        raise LookupError("a stamped invoice without the account that stamped it")
    return ctx.sat(account)


def _settled(ctx: Context, tenant: Tenant, wish: Cancellation, said: Status | Later | None) -> bool:
    """Whether that was the last word. Every answer is kept."""
    if said is None:
        tenant.cancellations.note(wish, "ended", NO_SAT)
        _end(tenant, wish)
        return True
    if isinstance(said, Later):
        tenant.cancellations.note(wish, "later", said.reason, said.raw)
        tell_slow(ctx, tenant, wish, {"sat": said.reason})
        return False
    word = f"{said.estado} / {said.estatus_cancelacion} / {said.es_cancelable}"
    if said.is_cancelled:
        tenant.cancellations.note(wish, "ended", word, said.raw)
        _end(tenant, wish)
        return True
    age = ctx.clock.now() - (wish.when("filed") or wish.asked_at)
    rejected = said.estatus_cancelacion is EstatusCancelacion.RECHAZADA
    if rejected and (_was_in_process(wish) or age > rules.STALE):
        tenant.cancellations.note(wish, "rejected", word, said.raw)
        given_up(tenant, wish.invoice_id, wish, (rules.REFUSED_BY_RECEIVER,))
        return True
    tenant.cancellations.note(wish, "looked", word, said.raw)
    unheard = said.estatus_cancelacion is EstatusCancelacion.NONE
    if said.estado is Estado.VIGENTE and unheard and age > rules.LOST:
        given_up(tenant, wish.invoice_id, wish, (rules.NEVER_SHOWN,))
        return True
    tell_slow(ctx, tenant, wish, {"sat": word})
    return False


def _looks(wish: Cancellation) -> int:
    """How often SAT was asked since it was filed, with or without an answer."""
    filed = next(event.step for event in wish.events if event.kind == "filed")
    return len(wish.events) - filed


def _was_in_process(wish: Cancellation) -> bool:
    """Until SAT has said so of this request, a no may still be the answer to an earlier one."""
    known = str(EstatusCancelacion.EN_PROCESO)
    return any(event.kind == "looked" and known in event.code for event in wish.events)


def _end(tenant: Tenant, wish: Cancellation) -> None:
    """It is cancelled. With motivo 02 the purchase can be invoiced anew; with 01 the substitute
    stands for it, and with 03 there was no operation."""
    tenant.invoices.move(
        wish.invoice_id, State.CANCELLING, State.CANCELLED, reason=f"motivo {wish.motivo}"
    )
    if wish.motivo is Motivo.ERRORES_SIN_RELACION:
        tenant.claims.release(wish.invoice_id)
    if tenant.credits.get(wish.invoice_id) is None:
        _resolve(tenant, wish.invoice_id, NOTICES)
        for sale_id in sorted(_sales(tenant, wish.invoice_id)):
            notice_change(tenant, sale_id)  # what else there is of it may be another matter
    else:
        _resolve(tenant, wish.invoice_id, {CANCEL_FAILED, CANCEL_SLOW})
        replaced = wish.motivo is Motivo.ERRORES_CON_RELACION
        note_cancelled(tenant, wish.invoice_id, replaced=replaced)
    tenant.promise("tell_cancelled", wish.invoice_id, queue="mail")
    promise_news(tenant, wish.invoice_id)


def _resolve(tenant: Tenant, invoice_id: str, kinds: Collection[str]) -> None:
    sales = _sales(tenant, invoice_id)
    for notice in tenant.asks.list():
        if notice.sale_id in sales and notice.kind in kinds:
            tenant.asks.resolve(notice.id)


def _sales(tenant: Tenant, invoice_id: str) -> tuple[str, ...]:
    invoice = tenant.invoices.get(invoice_id)
    return invoice.sale_ids if invoice else ()
