"""stamp: exactly these bytes, to exactly that provider, until it is known what became of them.

The order of things is the guarantee: the attempt is on disk before the first byte leaves; what may
have been stamped is only ever asked again with the same bytes; an answer is checked before it is
believed. `tests/model` proves it, `docs/stamping.md` explains it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from zoneinfo import ZoneInfo

import structlog

from cfdi.pac.contract import Answer, Dedupe, Later, Pac, Terms, Unknown
from hub.domain.division import NotDivisible
from hub.domain.joint import NotJoinable
from hub.domain.sale import PaymentState
from hub.domain.states import State
from hub.steps.bill import bill_of_invoice
from hub.steps.context import Context
from hub.steps.issuer import issuer_of
from hub.steps.later import RunLater
from hub.steps.outcome import CANNOT_TELL, Sending, settle, to_review
from hub.steps.refund import stands
from hub.store.database import Tenant
from hub.store.records import Attempt, Document, Invoice

log = structlog.get_logger()

#: What a lease holds beyond the provider's own time limits: filing the attempt and its answer.
MARGIN = timedelta(seconds=5)
#: SAT takes a document up to 72 h after its Fecha (RMF 2.7.2.9); an hour is kept in hand.
SENDABLE = timedelta(hours=71)


def stamp(ctx: Context, merchant_id: str, invoice_id: str, *, reviewed: bool = False) -> None:
    """Send the sealed document, or settle what became of an earlier sending.

    `reviewed` is a person's word to ask once more about a document that is under review. Raises
    `RunLater` when it has to wait: for a quiet period, another worker, or the provider.
    """
    sending = _start(ctx, merchant_id, invoice_id, reviewed=reviewed)
    if sending is None:
        return
    if ctx.clock.monotonic() >= sending.send_before:
        settle(ctx, sending, Later("the lease ran out before anything was sent"))
        return
    settle(ctx, sending, _send(sending))


def lease(terms: Terms) -> timedelta:
    """How long one sending may take before it counts as lost."""
    return terms.connect_timeout + terms.read_timeout + MARGIN


def _start(ctx: Context, merchant_id: str, invoice_id: str, *, reviewed: bool) -> Sending | None:
    """File the attempt. None if there is nothing to send (any more)."""
    before = ctx.clock.monotonic()
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        matter = _matter(ctx, tenant, merchant_id, invoice_id)
        if matter is None:
            return None
        if reviewed and matter.invoice.state is State.REVIEW:
            asked = may_ask_again(matter.earlier, matter.pac.terms)
            verdict: _Verdict | _Wait = _Verdict.SEND if asked else _Verdict.NOTHING
        else:
            verdict = _verdict(tenant, matter, ctx.clock.now())
        if verdict is _Verdict.SEND:
            return _filed(ctx, tenant, matter, send_before=before + MARGIN.total_seconds())
    if isinstance(verdict, _Wait):
        raise RunLater(verdict.until, "not yet")
    return None


@dataclass(frozen=True, slots=True)
class _Matter:
    """The newest document of an invoice and what became of it so far."""

    merchant_id: str
    invoice: Invoice
    document: Document
    earlier: tuple[Attempt, ...]
    pac: Pac
    zone: ZoneInfo
    age: timedelta


class _Verdict(Enum):
    SEND = "send"
    #: It is settled, or on its way to another state.
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class _Wait:
    until: datetime


def _matter(ctx: Context, tenant: Tenant, merchant_id: str, invoice_id: str) -> _Matter | None:
    invoice = tenant.invoices.get(invoice_id)
    document = tenant.invoices.document(invoice_id) if invoice else None
    if invoice is None or document is None:
        return None
    account = tenant.pac.get(document.pac_account_id)
    if account is None:
        raise LookupError("a sealed document names a PAC account that is not there")
    zone = issuer_of(tenant).zone
    attempts = tenant.invoices.attempts(invoice_id)
    return _Matter(
        merchant_id=merchant_id,
        invoice=invoice,
        document=document,
        earlier=tuple(one for one in attempts if one.version == document.version),
        pac=ctx.pac(account),
        zone=zone,
        age=ctx.clock.now() - document.fecha.replace(tzinfo=zone),
    )


def _filed(ctx: Context, tenant: Tenant, matter: _Matter, *, send_before: float) -> Sending | None:
    """The attempt on disk, ready to be sent; None if another worker was faster."""
    invoice, document = matter.invoice, matter.document
    if not tenant.invoices.move(invoice.id, invoice.state, State.SENDING, actor=ctx.worker):
        return None
    return Sending(
        matter.merchant_id,
        invoice,
        document,
        tenant.invoices.start_attempt(invoice.id, document.version, ctx.worker),
        matter.pac,
        matter.zone,
        resent=invoice.state in {State.UNKNOWN, State.REVIEW},
        known_stamped=any(one.outcome == "already" for one in matter.earlier),
        send_before=send_before,
    )


def may_ask_again(attempts: Sequence[Attempt], terms: Terms) -> bool:
    """Whether a person may have the same bytes sent once more.

    Only what is in doubt, and only where the provider recognises a repeat: a document that was
    clearly refused may hold data that were corrected since, and is built anew.
    """
    doubtful = any(one.outcome not in {"never", "later"} for one in attempts)
    return doubtful and terms.dedupe is not Dedupe.NONE


def _verdict(tenant: Tenant, matter: _Matter, now: datetime) -> _Verdict | _Wait:
    """What to do with it now. What turns out to be lost or of no use is moved on here."""
    invoice = matter.invoice
    if invoice.state is State.SEALED:
        useless = _useless(tenant, invoice, matter.document, matter.age)
        if not useless:
            return _Verdict.SEND
        _renew(tenant, invoice, useless)
        return _Verdict.NOTHING
    if invoice.state is State.SENDING:
        return _Wait(_lost(tenant, invoice, matter.pac.terms, now))
    return _in_doubt(tenant, matter, now) if invoice.state is State.UNKNOWN else _Verdict.NOTHING


def _in_doubt(tenant: Tenant, matter: _Matter, now: datetime) -> _Verdict | _Wait:
    """It may have been stamped: ask with the same bytes, if the provider still recognises them."""
    invoice, terms = matter.invoice, matter.pac.terms
    if invoice.quiet_until is not None and invoice.quiet_until > now:
        return _Wait(invoice.quiet_until)
    if terms.dedupe is Dedupe.NONE or matter.age >= min(terms.reference_lifetime, SENDABLE):
        to_review(tenant, invoice, State.UNKNOWN, CANNOT_TELL)
        return _Verdict.NOTHING
    return _Verdict.SEND


def _useless(tenant: Tenant, invoice: Invoice, document: Document, age: timedelta) -> str:
    """Why the sealed document is not worth sending any more; "" if it is."""
    if age > SENDABLE:
        return "older than 71 h"
    note = tenant.credits.get(invoice.id)
    if note is not None:
        return "" if stands(tenant, note) else "the refund is gone"
    try:
        bill = bill_of_invoice(tenant, issuer_of(tenant), invoice)
    except (NotJoinable, NotDivisible):
        return "the sale changed"
    if bill is None or any(row.updated_at > document.sealed_at for row in bill.rows):
        return "the sale changed"
    paid = all(row.sale.payment_state is PaymentState.PAID for row in bill.rows)
    calm = not bill.reasons and not any(row.sale.hold for row in bill.rows)
    return "" if paid and calm and bill.sale.due == document.total else "the sale changed"


def _renew(tenant: Tenant, invoice: Invoice, reason: str) -> None:
    """Of no use any more and surely never stamped (else it would not be `sealed`): seal anew."""
    tenant.invoices.move(invoice.id, State.SEALED, State.REQUESTED, reason=reason)
    tenant.promise("credit" if invoice.is_note else "seal", invoice.id, queue="stamp")


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


def _send(sending: Sending) -> Answer:
    ask = sending.pac.recover if sending.known_stamped else sending.pac.stamp
    try:
        return ask(sending.document.xml, sending.document.reference)
    except Exception as error:  # noqa: BLE001 - a fault of the adapter says nothing of the document
        log.error("pac_adapter_failed", invoice=sending.invoice.id, error=type(error).__name__)
        return Unknown("the adapter failed")
