"""stamp: exactly these bytes, to exactly that provider, until it is known what became of them.

The order of things is the guarantee: the attempt is on disk before the first byte leaves; what may
have been stamped is only ever asked again with the same bytes; an answer is checked before it is
believed. `tests/model` proves it, `docs/stamping.md` explains it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from cfdi import timbre
from cfdi.findings import Finding, FixableBy
from cfdi.pac.contract import (
    AlreadyStamped,
    Answer,
    Dedupe,
    Later,
    Never,
    Pac,
    Stamped,
    Terms,
    Unknown,
)
from hub.domain.states import State
from hub.steps.context import Context
from hub.steps.issuer import issuer_of
from hub.steps.later import RunLater
from hub.store.database import Tenant
from hub.store.records import Attempt, Document, Invoice

log = structlog.get_logger()

#: What a lease holds beyond the provider's own time limits: filing the attempt and its answer.
MARGIN = timedelta(seconds=5)
#: SAT takes a document up to 72 h after its Fecha (RMF 2.7.2.9); an hour is kept in hand.
SENDABLE = timedelta(hours=71)
BACKOFF_FIRST, BACKOFF_LAST = timedelta(seconds=5), timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class _Sending:
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


def stamp(ctx: Context, merchant_id: str, invoice_id: str, *, reviewed: bool = False) -> None:
    """Send the sealed document, or settle what became of an earlier sending.

    `reviewed` is a person's word to ask once more about a document that is under review. Raises
    `RunLater` when it has to wait: for a quiet period, another worker, or the provider.
    """
    sending = _start(ctx, merchant_id, invoice_id, reviewed=reviewed)
    if sending is None:
        return
    if ctx.clock.monotonic() >= sending.send_before:
        _settle(ctx, sending, Later("the lease ran out before anything was sent"))
        return
    _settle(ctx, sending, _send(sending))


def lease(terms: Terms) -> timedelta:
    """How long one sending may take before it counts as lost."""
    return terms.connect_timeout + terms.read_timeout + MARGIN


def _start(ctx: Context, merchant_id: str, invoice_id: str, *, reviewed: bool) -> _Sending | None:
    """File the attempt. None if there is nothing to send (any more)."""
    before = ctx.clock.monotonic()
    now = ctx.clock.now()
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        invoice = tenant.invoices.get(invoice_id)
        document = tenant.invoices.document(invoice_id) if invoice else None
        if invoice is None or document is None:
            return None
        account = tenant.pac.get(document.pac_account_id)
        if account is None:
            raise LookupError("a sealed document names a PAC account that is not there")
        pac = ctx.pac(account)
        zone = issuer_of(tenant).zone
        age = now - document.fecha.replace(tzinfo=zone)
        wait = None
        if not (reviewed and invoice.state is State.REVIEW):
            wait = _obstacle(tenant, invoice, pac.terms, age=age, now=now)
        earlier = tenant.invoices.attempts(invoice_id)
        if wait is None and tenant.invoices.move(
            invoice_id, invoice.state, State.SENDING, actor=ctx.worker
        ):
            attempt = tenant.invoices.start_attempt(invoice_id, document.version, ctx.worker)
            return _Sending(
                merchant_id,
                invoice,
                document,
                attempt,
                pac,
                zone,
                resent=invoice.state in {State.UNKNOWN, State.REVIEW},
                known_stamped=any(one.outcome == "already" for one in earlier),
                send_before=before + MARGIN.total_seconds(),
            )
    if isinstance(wait, datetime):
        raise RunLater(wait, "not yet")
    return None


def _obstacle(
    tenant: Tenant, invoice: Invoice, terms: Terms, *, age: timedelta, now: datetime
) -> datetime | bool | None:
    """None: send now. An instant: come back then. True: nothing to send."""
    if invoice.state is State.SEALED:
        return _renew(tenant, invoice) if age > SENDABLE else None
    if invoice.state is State.SENDING:
        return _lost(tenant, invoice, terms, now)
    if invoice.state is not State.UNKNOWN:
        return True
    if invoice.quiet_until is not None and invoice.quiet_until > now:
        return invoice.quiet_until
    resendable = terms.dedupe is not Dedupe.NONE and age < min(terms.reference_lifetime, SENDABLE)
    if resendable:
        return None
    _to_review(tenant, invoice, State.UNKNOWN, _CANNOT_TELL)
    return True


def _renew(tenant: Tenant, invoice: Invoice) -> bool:
    """Too old for SAT and surely never stamped (else it would not be `sealed`): seal it anew."""
    tenant.invoices.move(invoice.id, State.SEALED, State.REQUESTED, reason="older than 71 h")
    tenant.promise("seal", invoice.id, queue="stamp")
    return True


def _lost(tenant: Tenant, invoice: Invoice, terms: Terms, now: datetime) -> datetime:
    """Somebody is sending it. If their time is over nobody will tell: it may have been stamped."""
    attempt = tenant.invoices.attempts(invoice.id)[-1]
    over_at = attempt.started_at + lease(terms)
    if over_at > now:
        return over_at
    quiet_until = over_at + terms.in_flight_max
    tenant.invoices.answer(attempt, "lost", "", b"")
    tenant.invoices.move(
        invoice.id, State.SENDING, State.UNKNOWN, reason="no answer", quiet_until=quiet_until
    )
    return max(quiet_until, now)


def _send(sending: _Sending) -> Answer:
    ask = sending.pac.recover if sending.known_stamped else sending.pac.stamp
    try:
        return ask(sending.document.xml, sending.document.reference)
    except Exception as error:  # noqa: BLE001 - a fault of the adapter says nothing of the document
        log.error("pac_adapter_failed", invoice=sending.invoice.id, error=type(error).__name__)
        return Unknown("the adapter failed")


def _settle(ctx: Context, sending: _Sending, answer: Answer) -> None:
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


def _accept(ctx: Context, sending: _Sending, xml: bytes, raw: bytes, outcome: str) -> None:
    """Believe a stamp only after checking that it is a stamp of what we sent."""
    try:
        accepted = timbre.accept(xml, sending.document.xml, now=ctx.clock.now(), zone=sending.zone)
    except timbre.TimbreInvalid as error:
        log.error("stamp_not_ours", invoice=sending.invoice.id, reason=error.reason)
        with ctx.store.transaction() as tx:
            tenant = tx.tenant(sending.merchant_id)
            tenant.invoices.answer(sending.attempt, "unknown", error.reason, raw)
            _to_review(tenant, sending.invoice, State.SENDING, _NOT_OURS)
        return
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(sending.merchant_id)
        tenant.invoices.answer(sending.attempt, outcome, "", raw)
        record_stamp(tenant, sending.invoice.id, sending.document.version, accepted)


def record_stamp(tenant: Tenant, invoice_id: str, version: int, accepted: timbre.Accepted) -> None:
    """Write the stamp, once; a late answer finds it there already and changes nothing."""
    if tenant.invoices.stamp_of(invoice_id) is not None:
        return
    tenant.invoices.stamp(
        invoice_id,
        version,
        accepted.timbre.uuid,
        accepted.xml,
        accepted.stamped_at,
        accepted.sat_verified,
    )
    for before in (State.SENDING, State.UNKNOWN, State.REVIEW):
        if tenant.invoices.move(invoice_id, before, State.STAMPED, findings=()):
            tenant.promise("deliver", invoice_id, queue="mail")
            return


def _doubt(ctx: Context, sending: _Sending, outcome: str, reason: str, raw: bytes) -> None:
    """It may exist: keep quiet until nothing can be in flight any more, then ask again."""
    quiet_until = ctx.clock.now() + sending.pac.terms.in_flight_max
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(sending.merchant_id)
        tenant.invoices.answer(sending.attempt, outcome, reason, raw)
        moved = tenant.invoices.move(
            sending.invoice.id,
            State.SENDING,
            State.UNKNOWN,
            reason=reason,
            quiet_until=quiet_until,
        )
    if moved:
        raise RunLater(quiet_until, "outcome unknown")


def _later(ctx: Context, sending: _Sending, reason: str, raw: bytes) -> None:
    """Not stamped by this sending. After an earlier doubtful one the doubt remains."""
    due_at = ctx.clock.now() + backoff(sending.attempt.number)
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(sending.merchant_id)
        tenant.invoices.answer(sending.attempt, "later", reason, raw)
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


def _refused(ctx: Context, sending: _Sending, findings: tuple[Finding, ...], raw: bytes) -> None:
    codes = ", ".join(finding.code for finding in findings)
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(sending.merchant_id)
        tenant.invoices.answer(sending.attempt, "never", codes, raw)
        if sending.resent:
            # These bytes were in doubt and are refused now: what the first sending became is open.
            _to_review(tenant, sending.invoice, State.SENDING, _CANNOT_TELL, *findings)
            return
        mendable = all(finding.fixable_by is FixableBy.BUYER for finding in findings)
        tenant.invoices.move(
            sending.invoice.id,
            State.SENDING,
            State.REJECTED if mendable else State.REVIEW,
            reason=codes,
            findings=findings,
        )


def _to_review(tenant: Tenant, invoice: Invoice, before: State, *findings: Finding) -> None:
    codes = ", ".join(finding.code for finding in findings)
    tenant.invoices.move(invoice.id, before, State.REVIEW, reason=codes, findings=findings)


_CANNOT_TELL = Finding(
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
    "El PAC respondió con un timbre que no corresponde a lo enviado. La respuesta está guardada.",
    "The PAC answered with a stamp that does not belong to what was sent. The answer is kept.",
    FixableBy.MERCHANT,
)
