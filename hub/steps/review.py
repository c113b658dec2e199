"""What waits for a person, and the few things a person can do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from cfdi import timbre
from cfdi.findings import Finding
from hub.domain.sale import PaymentState
from hub.domain.states import State
from hub.steps.belong import ELSEWHERE, settle
from hub.steps.context import Context
from hub.steps.ingest import compose_reasons, go_on, welcome
from hub.steps.issuer import Issuer, issuer_of
from hub.steps.kept import DELETED
from hub.steps.notices import NOTICES
from hub.steps.outcome import UuidTaken, record_stamp
from hub.steps.refund import (
    CHANGED,
    NotCreditable,
    given_up,
    issue,
    issue_again,
    notice_change,
)
from hub.steps.stamp import may_ask_again
from hub.store.asks import Ask
from hub.store.database import Tenant
from hub.store.errors import Refused
from hub.store.records import Connection, InboxRow, Invoice

#: More than anybody settles in one sitting.
MOST = 1000


class NotResolvable(Exception):
    """What was asked for cannot be done with this item now. The message says what can."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A thing to decide.

    `kind`: invoice (in doubt), change (the sale left its invoice behind, or a cancellation did not
    come about), delivery (no sale could be made of it), sale (a decision is missing) or ask (a
    buyer's wish).
    """

    kind: str
    id: str
    sale_id: str
    number: str
    since_at: datetime
    findings: tuple[Finding, ...]
    note: str
    #: What the buyer gave with an ask: fiscal data and a message.
    form: Mapping[str, str] = field(default_factory=dict)
    #: The invoice in force of an ask's sale, "" if there is none.
    invoice_id: str = ""


def waiting(ctx: Context, merchant_id: str) -> list[Waiting]:
    """Most urgent first: documents in doubt, changes after an invoice, then what lacks a word."""
    with ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        asks = [_ask(tenant, ask) for ask in tenant.asks.list()]
        return [
            *(_invoice(tenant, one) for one in tenant.invoices.list(MOST, state=State.REVIEW)),
            *(one for one in asks if one.kind == "change"),
            *(_delivery(row) for row in tenant.inbox.list(state="dead", limit=MOST)),
            *(
                Waiting("sale", row.id, row.id, row.sale.number, row.updated_at, row.reasons, "")
                for row in tenant.sales.in_review()
            ),
            *(one for one in asks if one.kind == "ask"),
        ]


def _invoice(tenant: Tenant, invoice: Invoice) -> Waiting:
    sale_id = invoice.sale_ids[0]
    number = _number(tenant, sale_id)
    return Waiting("invoice", invoice.id, sale_id, number, invoice.updated_at, invoice.findings, "")


def _ask(tenant: Tenant, ask: Ask) -> Waiting:
    number = _number(tenant, ask.sale_id)
    form = {name: value for name, value in ask.form.items() if value}
    if ask.kind in NOTICES:
        note = "; ".join(f"{name}: {value}" for name, value in form.items())
        return Waiting("change", ask.id, ask.sale_id, number, ask.created_at, (), note)
    invoice = tenant.invoices.for_sale(ask.sale_id, ask.part)
    return Waiting(
        "ask",
        ask.id,
        ask.sale_id,
        number,
        ask.created_at,
        (),
        ask.kind,
        form,
        invoice.id if invoice else "",
    )


def _delivery(row: InboxRow) -> Waiting:
    return Waiting("delivery", row.id, "", row.order_id, row.received_at, (), row.error)


def _number(tenant: Tenant, sale_id: str) -> str:
    row = tenant.sales.get(sale_id)
    return row.sale.number if row else ""


def set_rules(ctx: Context, merchant_id: str, toml: str) -> int:
    """Store the rules and look at every waiting sale again. How many sales were freed.

    Raises `RulesInvalid` before anything is changed.
    """
    with ctx.store.transaction() as tx:
        tx.tenant(merchant_id).rules.set(toml)
    return review_again(ctx, merchant_id)


def review_again(ctx: Context, merchant_id: str) -> int:
    with ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        issuer, rows = issuer_of(tenant), tenant.sales.in_review()
        connections = {one.id: one for one in tenant.connections.list()}
    freed = 0
    for row in rows:
        if compose_reasons(row.sale, issuer, ctx.clock.now()) == row.reasons:
            continue  # else it lacks something else now, or its payment is another sale's as well
        with ctx.store.transaction() as tx:
            tenant = tx.tenant(merchant_id)
            connection = connections.get(row.connection_id) if row.connection_id else None
            freed += _look_again(ctx, tenant, issuer, row.id, connection)
    return freed


def _look_again(
    ctx: Context, tenant: Tenant, issuer: Issuer, sale_id: str, connection: Connection | None
) -> bool:
    """Judge the sale as it is now: a newer snapshot may have come since it was listed."""
    if connection is not None:
        tenant.objects.hold(connection.id, alone=True)
    before = settle(tenant, sale_id)
    row = tenant.sales.get(sale_id)
    if row is None:
        return False
    others = tuple(one for one in before if one.code in ELSEWHERE)
    reasons = (*compose_reasons(row.sale, issuer, ctx.clock.now()), *others)
    if reasons != row.reasons:
        tenant.sales.set_reasons(sale_id, reasons)
    if not reasons:
        welcome(ctx, tenant, issuer, sale_id, connection)
    return not reasons


def accept(ctx: Context, merchant_id: str, sale_id: str) -> None:
    """The merchant has looked at a doubtful sale and takes it as it is.

    Only what the connector could not place is waved through; what a document needs is not.
    """
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        connection_id = _connection_of(tenant, sale_id)
        if connection_id is not None:
            tenant.objects.hold(connection_id, alone=True)
        waited = tenant.sales.get(sale_id)
        if waited is None or not waited.reasons:
            raise NotResolvable("only a sale that waits in review can be accepted")
        settle(tenant, sale_id)
        row = tenant.sales.get(sale_id) or waited
        if any(reason.code in ELSEWHERE for reason in row.reasons):
            raise NotResolvable(
                "its payment stands in another sale: it is not invoiced twice. Cancel the other's "
                "invoice first, or mend the two in the shop"
            )
        if any(reason.code != "sale_doubtful" for reason in row.reasons):
            raise NotResolvable("it lacks a decision: `rules set`, or mend it in the shop")
        tenant.sales.set_reasons(sale_id, ())
        connection = tenant.connections.get(row.connection_id) if row.connection_id else None
        welcome(ctx, tenant, issuer_of(tenant), sale_id, connection)


def given_back(ctx: Context, merchant_id: str, sale_id: str) -> None:
    """The merchant says that nothing was kept of an order which its shop has no more.

    An invoice in force of it then waits for him as of any cancelled sale.
    """
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        tenant.claims.of_sale(sale_id)  # which holds the sale still until the end
        row = tenant.sales.get(sale_id)
        gone = row is not None and row.sale.status == DELETED
        if row is None or not gone or row.sale.payment_state is PaymentState.CANCELLED:
            raise NotResolvable(
                "this merchant has no such sale of an order that was deleted: of any other, record "
                "the refund in its shop"
            )
        over = replace(row.sale, payment_state=PaymentState.CANCELLED)
        tenant.sales.rewrite(sale_id, over, ())
        notice_change(tenant, sale_id)
        go_on(tenant, sale_id)


def _connection_of(tenant: Tenant, sale_id: str) -> str | None:
    row = tenant.sales.get(sale_id)
    return row.connection_id if row else None


def retry(ctx: Context, merchant_id: str, invoice_id: str) -> None:
    """Build the document anew: only where no earlier sending is in doubt, as the database knows."""
    try:
        with ctx.store.transaction() as tx:
            tenant = tx.tenant(merchant_id)
            invoice = tenant.invoices.get(invoice_id)
            if invoice is None or invoice.state not in {State.REVIEW, State.REJECTED}:
                raise NotResolvable("only an invoice in review or rejected can be tried again")
            if not invoice.is_note and not tenant.claims.of_invoice(invoice_id):
                raise NotResolvable("its sale stands in a global invoice: it has none of its own")
            tenant.invoices.move(
                invoice_id,
                invoice.state,
                State.REQUESTED,
                actor="staff",
                reason="retry",
                findings=(),
            )
            if invoice.is_note and _note_ended(tenant, invoice_id):
                raise NotResolvable("its refund has no need of it any more")
            job = "credit" if invoice.is_note else "seal"
            tenant.promise(job, invoice_id, queue="stamp")
    except Refused as error:
        raise NotResolvable(
            "it may have been stamped: ask the PAC again (--ask-again), give its document "
            "(--found FILE) or state that the PAC has none (--not-stamped)"
        ) from error


def _note_ended(tenant: Tenant, invoice_id: str) -> bool:
    note = tenant.credits.get(invoice_id)
    return note is None or note.closed_at is not None


def credit_note(ctx: Context, merchant_id: str, item_id: str) -> None:
    """Issue the credit notes of a sale that changed, or one that waits, on a person's word.

    What belongs to no line in particular is spread over all lines of the invoice.
    """
    try:
        with ctx.store.transaction() as tx:
            tenant = tx.tenant(merchant_id)
            invoice = tenant.invoices.get(item_id)
            sales = {ask.id: ask.sale_id for ask in tenant.asks.list() if ask.kind == CHANGED}
            if invoice is not None and invoice.is_note and invoice.state is State.REVIEW:
                issue_again(tenant, invoice)
            elif item_id in sales:
                issue(tenant, sales[item_id])
            else:
                raise NotResolvable("only a sale that changed after its invoice is credited")
    except NotCreditable as error:
        raise NotResolvable(str(error)) from error


def ask_again(ctx: Context, merchant_id: str, invoice_id: str) -> None:
    """Send the same bytes to the same provider once more."""
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        invoice = tenant.invoices.get(invoice_id)
        if invoice is None or invoice.state is not State.REVIEW or invoice.version == 0:
            raise NotResolvable("only an invoice in review that was sealed can be asked about")
        if not _in_doubt(ctx, tenant, invoice_id):
            raise NotResolvable(
                "the provider would not recognise it, or nothing of it is in doubt: give its "
                "document (--found FILE), state that there is none (--not-stamped), or --retry"
            )
        tenant.promise("ask_again", invoice_id, queue="stamp")


def _in_doubt(ctx: Context, tenant: Tenant, invoice_id: str) -> bool:
    document = tenant.invoices.document(invoice_id)
    account = tenant.pac.get(document.pac_account_id) if document else None
    if document is None or account is None:
        return False
    attempts = tenant.invoices.attempts(invoice_id)
    sent = [one for one in attempts if one.version == document.version]
    return may_ask_again(sent, ctx.pac(account).terms)


def found(ctx: Context, merchant_id: str, invoice_id: str, xml: bytes) -> str:
    """The merchant got the stamped XML from the provider. Returns its UUID once it is checked."""
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        invoice = tenant.invoices.get(invoice_id)
        document = tenant.invoices.document(invoice_id) if invoice else None
        if invoice is None or document is None or invoice.state is not State.REVIEW:
            raise NotResolvable("only an invoice in review that was sealed can take a document")
        try:
            accepted = timbre.accept(
                xml, document.xml, now=ctx.clock.now(), zone=issuer_of(tenant).zone
            )
        except timbre.TimbreInvalid as error:
            raise NotResolvable(f"that XML is not this invoice's: {error.reason}") from error
        try:
            record_stamp(tenant, invoice_id, document.version, accepted)
        except UuidTaken as error:
            raise NotResolvable("another invoice has that UUID already") from error
    return accepted.timbre.uuid


def not_stamped(ctx: Context, merchant_id: str, invoice_id: str, *, actor: str) -> None:
    """A person states that the provider has no stamp of it; the statement is kept for ever.

    The invoice goes back to the buyer, who may send the data again.
    """
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        invoice = tenant.invoices.get(invoice_id)
        if invoice is None or invoice.state is not State.REVIEW:
            raise NotResolvable("only an invoice in review can be settled like this")
        if invoice.version:
            tenant.invoices.declare_unstamped(invoice_id, invoice.version, actor)
        tenant.invoices.move(
            invoice_id, State.REVIEW, State.REJECTED, actor=actor, reason="not stamped", findings=()
        )
        if invoice.is_note:
            given_up(tenant, invoice_id)
            return
        for sale_id in sorted(invoice.sale_ids):
            notice_change(tenant, sale_id)  # one that changed may be divided no more
