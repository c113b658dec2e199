"""What waits for a person, and the few things a person can do about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cfdi import timbre
from cfdi.findings import Finding
from hub.domain.states import State
from hub.steps.context import Context
from hub.steps.ingest import compose_reasons, welcome
from hub.steps.issuer import issuer_of
from hub.steps.stamp import record_stamp
from hub.store.errors import Refused


class NotResolvable(Exception):
    """What was asked for cannot be done with this item now. The message says what can."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A thing to decide. `kind`: sale (data missing), invoice (in review) or ask (of a buyer)."""

    kind: str
    id: str
    sale_id: str
    number: str
    since_at: datetime
    findings: tuple[Finding, ...]
    note: str


def waiting(ctx: Context, merchant_id: str) -> list[Waiting]:
    with ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        sales = [
            Waiting("sale", row.id, row.id, row.sale.number, row.updated_at, row.reasons, "")
            for row in tenant.sales.in_review()
        ]
        invoices = []
        for invoice in tenant.invoices.list(limit=1000, state=State.REVIEW):
            sale = tenant.sales.get(invoice.sale_ids[0])
            number = sale.sale.number if sale else ""
            invoices.append(
                Waiting(
                    "invoice",
                    invoice.id,
                    invoice.sale_ids[0],
                    number,
                    invoice.updated_at,
                    invoice.findings,
                    "",
                )
            )
        asks = []
        for ask in tenant.asks.list():
            sale = tenant.sales.get(ask.sale_id)
            number = sale.sale.number if sale else ""
            asks.append(Waiting("ask", ask.id, ask.sale_id, number, ask.created_at, (), ask.kind))
    return [*invoices, *sales, *asks]


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
        reasons = compose_reasons(row.sale, issuer)
        if reasons == row.reasons:
            continue
        with ctx.store.transaction() as tx:
            tenant = tx.tenant(merchant_id)
            tenant.sales.set_reasons(row.id, reasons)
            if not reasons:
                freed += 1
                connection = connections.get(row.connection_id) if row.connection_id else None
                welcome(ctx, tenant, issuer, row.id, connection)
    return freed


def retry(ctx: Context, merchant_id: str, invoice_id: str) -> None:
    """Build the document anew: only where no earlier sending is in doubt, as the database knows."""
    try:
        with ctx.store.transaction() as tx:
            tenant = tx.tenant(merchant_id)
            invoice = tenant.invoices.get(invoice_id)
            if invoice is None or invoice.state not in {State.REVIEW, State.REJECTED}:
                raise NotResolvable("only an invoice in review or rejected can be tried again")
            tenant.invoices.move(
                invoice_id,
                invoice.state,
                State.REQUESTED,
                actor="staff",
                reason="retry",
                findings=(),
            )
            tenant.promise("seal", invoice_id, queue="stamp")
    except Refused as error:
        raise NotResolvable(
            "it may have been stamped: ask the PAC again (--ask-again), give its document "
            "(--found FILE) or state that the PAC has none (--not-stamped)"
        ) from error


def ask_again(ctx: Context, merchant_id: str, invoice_id: str) -> None:
    """Send the same bytes to the same provider once more."""
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        invoice = tenant.invoices.get(invoice_id)
        if invoice is None or invoice.state is not State.REVIEW or invoice.version == 0:
            raise NotResolvable("only an invoice in review that was sealed can be asked about")
        tenant.promise("ask_again", invoice_id, queue="stamp")


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
        record_stamp(tenant, invoice_id, document.version, accepted)
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


def resolve_ask(ctx: Context, merchant_id: str, ask_id: str) -> None:
    with ctx.store.transaction() as tx:
        tx.tenant(merchant_id).asks.resolve(ask_id)
