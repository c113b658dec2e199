"""stamp: exactly these bytes, to exactly that provider, until it is known what became of them.

The order of things is the guarantee: the attempt is on disk before the first byte leaves; what may
have been stamped is only ever asked again with the same bytes; an answer is checked before it is
believed. `tests/model` proves it, `docs/stamping.md` explains it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from cfdi.pac.contract import Answer, Dedupe, Later, Terms, Unknown
from hub.domain.sale import PaymentState
from hub.domain.states import State
from hub.steps.context import Context
from hub.steps.issuer import issuer_of
from hub.steps.later import RunLater
from hub.steps.outcome import CANNOT_TELL, Sending, settle, to_review
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
        earlier = [
            one for one in tenant.invoices.attempts(invoice_id) if one.version == document.version
        ]
        wait: datetime | bool | None
        if reviewed and invoice.state is State.REVIEW:
            wait = None if may_ask_again(earlier, pac.terms) else True
        else:
            wait = _obstacle(tenant, invoice, document, pac.terms, age=age, now=now)
        if wait is None and tenant.invoices.move(
            invoice_id, invoice.state, State.SENDING, actor=ctx.worker
        ):
            attempt = tenant.invoices.start_attempt(invoice_id, document.version, ctx.worker)
            return Sending(
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


def may_ask_again(attempts: Sequence[Attempt], terms: Terms) -> bool:
    """Whether a person may have the same bytes sent once more.

    Only what is in doubt, and only where the provider recognises a repeat: a document that was
    clearly refused may hold data that were corrected since, and is built anew.
    """
    doubtful = any(one.outcome not in {"never", "later"} for one in attempts)
    return doubtful and terms.dedupe is not Dedupe.NONE


def _obstacle(
    tenant: Tenant,
    invoice: Invoice,
    document: Document,
    terms: Terms,
    *,
    age: timedelta,
    now: datetime,
) -> datetime | bool | None:
    """None: send now. An instant: come back then. True: nothing to send."""
    if invoice.state is State.SEALED:
        useless = _useless(tenant, invoice, document, age)
        return _renew(tenant, invoice, useless) if useless else None
    if invoice.state is State.SENDING:
        return _lost(tenant, invoice, terms, now)
    if invoice.state is not State.UNKNOWN:
        return True
    if invoice.quiet_until is not None and invoice.quiet_until > now:
        return invoice.quiet_until
    if terms.dedupe is Dedupe.NONE or age >= min(terms.reference_lifetime, SENDABLE):
        to_review(tenant, invoice, State.UNKNOWN, CANNOT_TELL)
        return True
    return None


def _useless(tenant: Tenant, invoice: Invoice, document: Document, age: timedelta) -> str:
    """Why the sealed document is not worth sending any more; "" if it is."""
    if age > SENDABLE:
        return "older than 71 h"
    row = tenant.sales.get(invoice.sale_ids[0])
    if row is None or row.updated_at > document.sealed_at:
        return "the sale changed"
    paid = row.sale.payment_state is PaymentState.PAID
    return "" if paid and row.sale.due == document.total else "the sale changed"


def _renew(tenant: Tenant, invoice: Invoice, reason: str) -> bool:
    """Of no use any more and surely never stamped (else it would not be `sealed`): seal anew."""
    tenant.invoices.move(invoice.id, State.SEALED, State.REQUESTED, reason=reason)
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


def _send(sending: Sending) -> Answer:
    ask = sending.pac.recover if sending.known_stamped else sending.pac.stamp
    try:
        return ask(sending.document.xml, sending.document.reference)
    except Exception as error:  # noqa: BLE001 - a fault of the adapter says nothing of the document
        log.error("pac_adapter_failed", invoice=sending.invoice.id, error=type(error).__name__)
        return Unknown("the adapter failed")
