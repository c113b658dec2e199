"""What an answer of the provider does to the invoice. A late answer may only add a stamp."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

import structlog

from cfdi import timbre
from cfdi.findings import Finding, FixableBy
from cfdi.pac.contract import AlreadyStamped, Answer, Later, Never, Pac, Stamped, Unknown
from hub.domain.states import State
from hub.steps import customers
from hub.steps.announce import promise_news
from hub.steps.bill import held_still
from hub.steps.context import Context
from hub.steps.later import RunLater
from hub.steps.refund import STAMPED_BESIDE, notice_change
from hub.store.database import Tenant
from hub.store.errors import Refused
from hub.store.records import Attempt, Document, Invoice, Stamp

log = structlog.get_logger()

BACKOFF_FIRST, BACKOFF_LAST = timedelta(seconds=5), timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Sending:
    """One sending of one document, its attempt filed."""

    merchant_id: str
    invoice: Invoice
    document: Document
    attempt: Attempt
    pac: Pac
    zone: ZoneInfo
    #: An earlier sending of these bytes is in doubt.
    resent: bool
    #: The provider said that it stamped them, without giving the document.
    known_stamped: bool
    #: On the monotonic clock: after this the lease may be another's and nothing may leave.
    send_before: float


def settle(ctx: Context, sending: Sending, answer: Answer) -> None:
    """File the answer. One that comes after its attempt was given up may only add a stamp."""
    match answer:
        case Stamped(xml, raw):
            _accept(ctx, sending, xml, raw, "stamped")
        case AlreadyStamped(xml, raw) if xml is not None:
            _accept(ctx, sending, xml, raw, "already")
        case AlreadyStamped(_, raw):
            _doubt(ctx, sending, "already", "stamped before; its document is on its way", raw)
        case Unknown(reason, raw):
            _doubt(ctx, sending, "unknown", reason, raw)
        case Later(reason, raw):
            _later(ctx, sending, reason, raw)
        case Never(findings, raw):
            _refused(ctx, sending, findings, raw)


def _accept(ctx: Context, sending: Sending, xml: bytes, raw: bytes, outcome: str) -> None:
    """Believe a stamp only after checking that it is a stamp of what we sent."""
    try:
        accepted = timbre.accept(xml, sending.document.xml, now=ctx.clock.now(), zone=sending.zone)
        with ctx.store.transaction() as tx:
            tenant = tx.tenant(sending.merchant_id)
            held_still(tenant, sending.invoice.sale_ids)
            tenant.invoices.answer(sending.attempt, outcome, "", raw)
            record_stamp(tenant, sending.invoice.id, sending.document.version, accepted)
    except (timbre.TimbreInvalid, UuidTaken) as error:
        log.error("stamp_not_ours", invoice=sending.invoice.id, reason=error.reason)
        with ctx.store.transaction() as tx:
            tenant = tx.tenant(sending.merchant_id)
            if tenant.invoices.answer(sending.attempt, "unknown", error.reason, raw):
                to_review(tenant, sending.invoice, State.SENDING, _NOT_OURS)


class UuidTaken(Exception):
    """A stamp of another document has that UUID: the provider's answer cannot be right."""

    reason = "uuid_taken"


def record_stamp(tenant: Tenant, invoice_id: str, version: int, accepted: timbre.Accepted) -> None:
    """Write the stamp, once; a late answer finds it there already and changes nothing.

    Of one that the invoice can take no more the merchant is told: the document is in force at SAT.
    Raises `UuidTaken`; nothing of the transaction may be kept then.
    """
    invoice, known = tenant.invoices.get(invoice_id), tenant.invoices.stamp_of(invoice_id)
    if invoice is None or (known is not None and _is_same(known, accepted)):
        return
    if known is not None or not _can_take(tenant, invoice, version):
        _tell_beside(tenant, invoice, accepted)
        return
    _bring_back(tenant, invoice)
    try:
        tenant.invoices.stamp(
            invoice_id,
            version,
            accepted.timbre.uuid,
            accepted.xml,
            accepted.stamped_at,
            accepted.sat_verified,
        )
    except Refused as error:
        raise UuidTaken from error
    for before in (State.SENDING, State.UNKNOWN, State.REVIEW):
        if tenant.invoices.move(invoice_id, before, State.STAMPED, findings=()):
            tenant.promise("deliver", invoice_id, queue="mail")
            promise_news(tenant, invoice_id)
            customers.stamped(tenant, invoice_id)
            # It may have changed while nobody knew what became of the document.
            for sale_id in _sales(tenant, invoice_id):
                notice_change(tenant, sale_id)
            return


def _is_same(known: Stamp, accepted: timbre.Accepted) -> bool:
    return known.uuid.upper() == accepted.timbre.uuid.upper()


def _can_take(tenant: Tenant, invoice: Invoice, version: int) -> bool:
    """Whether it still stands for what was stamped.

    Not where a person declared that version unstamped and the sale, or the refund of a credit note,
    went on to another document.
    """
    if version != invoice.version:
        return False
    note = tenant.credits.get(invoice.id)
    if note is not None:
        return note.closed_at is None
    return set(invoice.sale_ids) <= set(_sales(tenant, invoice.id))


def _bring_back(tenant: Tenant, invoice: Invoice) -> None:
    """It was declared unstamped and is not: it goes back to where it was declared so."""
    if invoice.state is State.REJECTED:
        tenant.invoices.move(invoice.id, State.REJECTED, State.REQUESTED, reason=_AFTER_ALL)
    if invoice.state in {State.REJECTED, State.REQUESTED}:
        tenant.invoices.move(invoice.id, State.REQUESTED, State.REVIEW, reason=_AFTER_ALL)


def _tell_beside(tenant: Tenant, invoice: Invoice, accepted: timbre.Accepted) -> None:
    log.error("stamp_beside", invoice=invoice.id, uuid=accepted.timbre.uuid)
    told = {"uuid": accepted.timbre.uuid, "motivo": _BESIDE}
    for sale_id in sorted(invoice.sale_ids):
        tenant.asks.create(sale_id, STAMPED_BESIDE, told)


def _sales(tenant: Tenant, invoice_id: str) -> list[str]:
    note = tenant.credits.get(invoice_id)
    if note is not None:
        return [note.sale_id]
    return sorted(claim.sale_id for claim in tenant.claims.of_invoice(invoice_id))


def _doubt(ctx: Context, sending: Sending, outcome: str, reason: str, raw: bytes) -> None:
    """It may exist: keep quiet until nothing can be in flight any more, then ask again.

    Longer each time, so that one document a provider cannot cope with does not hold up the others.
    """
    wait, number = sending.pac.terms.in_flight_max, sending.attempt.number
    quiet_until = ctx.clock.now() + (wait if number == 1 else max(wait, backoff(number - 1)))
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(sending.merchant_id)
        if not tenant.invoices.answer(sending.attempt, outcome, reason, raw):
            return  # given up as lost meanwhile: the invoice is another attempt's now
        tenant.invoices.move(
            sending.invoice.id,
            State.SENDING,
            State.UNKNOWN,
            reason=reason,
            quiet_until=quiet_until,
        )
    raise RunLater(quiet_until, "outcome unknown")


def _later(ctx: Context, sending: Sending, reason: str, raw: bytes) -> None:
    """Not stamped by this sending. After an earlier doubtful one the doubt remains."""
    due_at = ctx.clock.now() + backoff(sending.attempt.number)
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(sending.merchant_id)
        if not tenant.invoices.answer(sending.attempt, "later", reason, raw):
            return
        doubtful = sending.resent
        tenant.invoices.move(
            sending.invoice.id,
            State.SENDING,
            State.UNKNOWN if doubtful else State.SEALED,
            reason=reason,
            quiet_until=due_at if doubtful else None,
        )
    raise RunLater(due_at, "the provider cannot take it now")


def backoff(number: int) -> timedelta:
    """Full jitter, so that a provider that comes back is not met by everybody at once."""
    ceiling = min(BACKOFF_FIRST * 2 ** min(number - 1, 20), BACKOFF_LAST)
    return timedelta(seconds=ceiling.total_seconds() * random.uniform(0.2, 1))  # noqa: S311 - spreads load, guards nothing


def _refused(ctx: Context, sending: Sending, findings: tuple[Finding, ...], raw: bytes) -> None:
    codes = ", ".join(finding.code for finding in findings)
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(sending.merchant_id)
        if not tenant.invoices.answer(sending.attempt, "never", codes, raw):
            return
        if sending.resent:
            # These bytes were in doubt and are refused now: what the first sending became is open.
            to_review(tenant, sending.invoice, State.SENDING, CANNOT_TELL, *findings)
            return
        mendable = not sending.invoice.is_note and all(
            finding.fixable_by is FixableBy.BUYER for finding in findings
        )
        moved = tenant.invoices.move(
            sending.invoice.id,
            State.SENDING,
            State.REJECTED if mendable else State.REVIEW,
            reason=codes,
            findings=findings,
        )
        if moved and mendable:
            customers.rejected(tenant, sending.invoice, findings)
            for sale_id in _sales(tenant, sending.invoice.id):
                notice_change(tenant, sale_id)  # one that changed may be divided no more


def to_review(tenant: Tenant, invoice: Invoice, before: State, *findings: Finding) -> None:
    codes = ", ".join(finding.code for finding in findings)
    tenant.invoices.move(invoice.id, before, State.REVIEW, reason=codes, findings=findings)


_AFTER_ALL = "stamped after all"
_BESIDE = (
    "El PAC timbró este comprobante y lo dijo después de que se declaró sin timbre. Está vigente "
    "en el SAT y este hub no lo lleva: descárgalo y cancélalo con tu PAC o en el portal del SAT."
)
CANNOT_TELL = Finding(
    "outcome_unknown",
    "",
    "No se sabe si el PAC timbró este comprobante. Pregúntale al PAC con el UUID o el folio y "
    "resuélvelo con `autofactura review resolve`.",
    "It is not known whether the PAC stamped this document. Ask the PAC by UUID or folio and "
    "settle it with `autofactura review resolve`.",
    FixableBy.MERCHANT,
)
_NOT_OURS = Finding(
    "stamp_not_ours",
    "",
    "El PAC respondió con un timbre que no corresponde a lo enviado. La respuesta está guardada: "
    "`autofactura invoice answer`.",
    "The PAC answered with a stamp that does not belong to what was sent. The answer is kept: "
    "`autofactura invoice answer`.",
    FixableBy.MERCHANT,
)
