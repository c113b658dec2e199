"""customers: what is known of those who come again, from them and from the platform."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from cfdi.findings import Finding
from connectors.abilities import KnowsCustomers, MergesGuests
from connectors.contract import CredentialsRefused, OrderNotFound, PlatformUnreachable
from hub.domain import policy
from hub.domain.customers import (
    Fiscal,
    Profile,
    Source,
    Word,
    confirmed,
    filled,
    known_by,
    may_be_served,
    same,
    weigh,
    withdrawn,
    word_of,
)
from hub.domain.purchase import FiscalForm
from hub.domain.receiver import examined
from hub.domain.rules import Rules
from hub.domain.states import State
from hub.steps.context import Context
from hub.steps.issuer import Issuer, issuer_of
from hub.steps.later import KEYS_PAUSE, SHOP_PAUSE, paused
from hub.steps.shops import report, shop_of
from hub.store.database import Tenant
from hub.store.records import Connection, Invoice, ReceptorData, SaleRow, Transition

log = structlog.get_logger(__name__)

#: Who asks where nobody does.
AUTOMATIC: Final = "automatic"
#: Who asks with the link of the purchase.
BUYER: Final = "buyer"
#: Who asks with what stands on a ticket, which anybody may have picked up.
TICKET: Final = "ticket"
#: A sale taken from a delivered copy is invoiced unasked once the shop has confirmed it, which is
#: tried after five minutes (`ingest.RECHECK`).
CONFIRMED_WITHIN: Final = timedelta(minutes=10)
#: Fields of the form: what SAT says of them it says of the customer, not of the purchase.
_OF_THE_RECEIVER: Final = frozenset({"rfc", "nombre", "cp", "regimen", "uso"})


def promise_invoice(
    tenant: Tenant, issuer: Issuer, row: SaleRow, connection: Connection | None, now: datetime
) -> bool:
    """Promise `automatic` for a new sale; False where the buyer is to be invited as ever."""
    sale, rules = row.sale, issuer.rules
    if not rules.automatico or row.invited_at is not None or not (sale.buyer.key or sale.buyer.rfc):
        return False
    since = connection.since if connection else None
    if not may_be_served(replace(sale, unverified=False), since=since):
        return False
    if sale.paid_at is None or sale.paid_at < now - timedelta(days=rules.dias_invitacion):
        return False
    due_at = now + CONFIRMED_WITHIN if sale.unverified else now
    tenant.promise("automatic", row.id, queue="stamp", due_at=due_at)
    return True


def known(tenant: Tenant, connection_id: str | None, key: str) -> Profile | None:
    """What counts for that customer now. What was tried with a test account counts for no other."""
    if connection_id is None or not known_by(key):
        return None
    found, account = tenant.customers.get(connection_id, key), tenant.pac.active()
    live = account is not None and account.environment == "live"
    return None if found is not None and found.environment == "test" and live else found


def of_buyer(ctx: Context, tenant: Tenant, row: SaleRow) -> Profile | None:
    """What is known of who bought this.

    Where anybody may buy in a customer's name only what the merchant states is known of one: what
    was typed at one purchase is no word about the buyer of another.
    """
    found = known(tenant, row.connection_id, row.sale.buyer.key)
    if found is None or found.source is Source.STAFF:
        return found
    return None if merges_guests(ctx, row) else found


def merges_guests(ctx: Context, row: SaleRow) -> bool:
    connector = ctx.connectors.get(row.platform)
    if connector is None:
        return False
    return isinstance(connector, MergesGuests) and connector.merges_guests


def of_sale(
    ctx: Context, tenant: Tenant, row: SaleRow, rules: Rules, now: datetime
) -> Profile | None:
    """What counts for who bought this, the platform's word at the purchase included."""
    return weigh(of_buyer(ctx, tenant, row), word_of_sale(row, now), rules)


def word_of_sale(row: SaleRow, now: datetime) -> Word:
    """A purchase speaks for the day when it was made, however late it is looked at."""
    return word_of(row.sale.buyer, min(row.sale.placed_at, now))


def note_word(ctx: Context, merchant_id: str, row: SaleRow) -> None:
    """Keep what the platform said at this purchase, where it counts."""
    connection_id, key = row.connection_id, row.sale.buyer.key
    if connection_id is None or not known_by(key) or merges_guests(ctx, row):
        return
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        tenant.customers.hold(connection_id)
        before = known(tenant, connection_id, key)
        after = of_sale(ctx, tenant, row, issuer_of(tenant).rules, ctx.clock.now())
        if after is not None and after != before:
            tenant.customers.keep(connection_id, key, after)


def given_by(tenant: Tenant, invoice_id: str) -> Transition | None:
    """When and by whom the receiver's data of this invoice were given."""
    moves = tenant.invoices.transitions(invoice_id)
    asked = [one for one in moves if one.after is State.REQUESTED and one.reason != "retry"]
    return asked[-1] if asked else None


def is_unasked(tenant: Tenant, invoice_id: str) -> bool:
    """Whether nobody gave the data that it was asked for with."""
    given = given_by(tenant, invoice_id)
    return given is not None and given.actor == AUTOMATIC


def stamped(tenant: Tenant, invoice_id: str) -> None:
    """SAT took these data, and a person gave them: from now on they are the customer's."""
    invoice = tenant.invoices.get(invoice_id)
    given = given_by(tenant, invoice_id)
    if invoice is None or given is None or given.actor == AUTOMATIC:
        return
    if any(one.actor == TICKET for one in tenant.invoices.transitions(invoice_id)):
        return  # nor does who then corrects them by the link that they opened speak for a customer
    if len(invoice.sale_ids) > 1 or tenant.claims.part_of(invoice_id, invoice.sale_ids[0]):
        return  # of several purchases, or a part of one: whoever pays for others is no customer yet
    for claim in tenant.claims.of_invoice(invoice.id):
        row = tenant.sales.get(claim.sale_id)
        if row is None or row.connection_id is None or not known_by(row.sale.buyer.key):
            continue
        tenant.customers.hold(row.connection_id)
        before = tenant.customers.get(row.connection_id, row.sale.buyer.key)
        if before is not None and before.environment == "live" != invoice.environment:
            continue  # practice overrules no earnest
        after = confirmed(
            before,
            _fiscal(invoice.receptor),
            source=Source.BUYER,
            at=given.at,
            word=word_of_sale(row, given.at),
            environment=invoice.environment,
        )
        if after != before:
            tenant.customers.keep(row.connection_id, row.sale.buyer.key, after)


def rejected(tenant: Tenant, invoice: Invoice, findings: tuple[Finding, ...]) -> None:
    """An invoice that nobody asked for was turned down: the buyer has to be asked after all.

    Data that SAT does not know like this are not tried again until they change.
    """
    if not is_unasked(tenant, invoice.id):
        return
    about_receiver = tuple(one for one in findings if one.path in _OF_THE_RECEIVER)
    for claim in tenant.claims.of_invoice(invoice.id):
        row = tenant.sales.get(claim.sale_id)
        if about_receiver and row is not None:
            _mark_refused(tenant, row, invoice.receptor, about_receiver)
        tenant.promise("automatic", claim.sale_id, queue="stamp")


def _mark_refused(
    tenant: Tenant, row: SaleRow, sent: ReceptorData, findings: tuple[Finding, ...]
) -> None:
    connection_id, key = row.connection_id, row.sale.buyer.key
    if connection_id is None or not known_by(key):
        return
    tenant.customers.hold(connection_id)
    profile = tenant.customers.get(connection_id, key)
    rules = issuer_of(tenant).rules
    if profile is not None and same(filled(profile.data, rules), _fiscal(sent)):
        tenant.customers.keep(connection_id, key, replace(profile, refused=findings))


def state(
    ctx: Context, merchant_id: str, connection_id: str, key: str, form: FiscalForm
) -> tuple[Finding, ...]:
    """The merchant states a customer's data. What is wrong with them; nothing is kept then."""
    now = ctx.clock.now()
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        rules = issuer_of(tenant).rules
        if wrong := examined(form, rules).findings:
            return wrong
        tenant.customers.hold(connection_id)
        before = tenant.customers.get(connection_id, key)
        data = Fiscal(form.rfc, form.nombre, form.cp, form.regimen, form.uso, form.correo)
        after = confirmed(
            before,
            data,
            source=Source.STAFF,
            at=now,
            word=_last_word(tenant, connection_id, key, before, now),
            environment="",
        )
        tenant.customers.keep(connection_id, key, after)
        if rules.automatico:
            tenant.promise("serve_customer", f"{connection_id}/{key}", queue="ingest")
    return ()


def _last_word(
    tenant: Tenant, connection_id: str, key: str, before: Profile | None, now: datetime
) -> Word:
    """What the platform says of the customer, as far as we heard."""
    if before is not None and not before.confirmed:
        return Word(before.data, before.since_at)
    rows = [tenant.sales.get(one) for one in tenant.customers.sales(connection_id, key)]
    theirs = [row for row in rows if row is not None and row.sale.buyer.key == key]
    if theirs:
        return word_of_sale(max(theirs, key=lambda row: row.sale.placed_at), now)
    return Word(before.said if before else Fiscal(), now)


def customer_changed(ctx: Context, merchant_id: str, connection_id: str, customer_id: str) -> None:
    """The platform told that something of this customer changed: promise to look, once for all."""
    if not known_by(customer_id):
        return
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        tenant.promise("look_at_customer", f"{connection_id}/{customer_id}", queue="ingest")


def look_at_customer(ctx: Context, merchant_id: str, subject: str) -> None:
    """Ask the platform who this is now; if that counts, serve the sales that wait for it.

    `subject` is "connection/customer". Raises `RunLater` while the shop cannot be asked.
    """
    connection_id, _, key = subject.partition("/")
    shop = shop_of(ctx, merchant_id, connection_id)
    if shop is None or not shop.can_be_asked or not isinstance(shop.connector, KnowsCustomers):
        return
    now = ctx.clock.now()
    try:
        buyer = shop.connector.customer(key, shop.facts, shop.credentials)
    except OrderNotFound:
        _gone(ctx, merchant_id, connection_id, key)
        return
    except CredentialsRefused as error:
        report(ctx, shop.connection, str(error))
        raise paused(now, KEYS_PAUSE, subject, "the shop refuses the keys") from None
    except PlatformUnreachable:
        raise paused(now, SHOP_PAUSE, subject, "the shop does not answer") from None
    _hear(ctx, merchant_id, connection_id, key, word_of(buyer, now))


def _gone(ctx: Context, merchant_id: str, connection_id: str, key: str) -> None:
    """What only the platform said goes with its customer; what the buyer confirmed stays."""
    with ctx.store.transaction() as tx:
        customers = tx.tenant(merchant_id).customers
        customers.hold(connection_id)
        profile = customers.get(connection_id, key)
        if profile is not None and not profile.confirmed:
            customers.forget(connection_id, key)


def _hear(ctx: Context, merchant_id: str, connection_id: str, key: str, record: Word) -> None:
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        tenant.customers.hold(connection_id)
        rules, before = issuer_of(tenant).rules, known(tenant, connection_id, key)
        after = weigh(before, record, rules)
        if after is not None and after != before:
            tenant.customers.keep(connection_id, key, after)
            if rules.automatico:
                tenant.promise("serve_customer", f"{connection_id}/{key}", queue="ingest")
        elif withdrawn(before, record):
            tenant.customers.forget(connection_id, key)


def serve_customer(ctx: Context, merchant_id: str, subject: str) -> None:
    """Promise the invoice of every sale of this customer that waits for data, oldest first."""
    connection_id, _, key = subject.partition("/")
    with ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        issuer, connection = issuer_of(tenant), tenant.connections.get(connection_id)
        found = [tenant.sales.get(one) for one in tenant.customers.sales(connection_id, key)]
        waiting = [
            (row.sale.paid_at, row.id)
            for row in found
            if row is not None
            and row.sale.buyer.key == key
            and waits(ctx, tenant, issuer, row, connection)
        ]
    if not issuer.rules.automatico:
        return
    now = ctx.clock.now()
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        for place, (_, sale_id) in enumerate(sorted(waiting, reverse=True), 1):
            # The soonest due is run first, so each older one is due a little before.
            due_at = now - timedelta(microseconds=place)
            tenant.promise("automatic", sale_id, queue="stamp", due_at=due_at)


def waits(
    ctx: Context, tenant: Tenant, issuer: Issuer, row: SaleRow, connection: Connection | None
) -> bool:
    """Whether nobody has given data for this sale yet, and it may be invoiced unasked."""
    if row.reasons or not may_be_served(row.sale, since=connection.since if connection else None):
        return False
    now = ctx.clock.now()
    standing = policy.standing(row.sale, rules=issuer.rules, zone=issuer.zone, now=now)
    if standing.kind is not policy.Kind.OPEN:
        return False
    invoice = tenant.invoices.for_sale(row.id)
    if invoice is None:
        return not (tenant.claims.of_sale(row.id) or tenant.divisions.current(row.id))
    return invoice.state is State.REJECTED and is_unasked(tenant, invoice.id)


def _fiscal(data: ReceptorData) -> Fiscal:
    return Fiscal(data.rfc, data.nombre, data.codigo_postal, data.regimen, data.uso, data.correo)
