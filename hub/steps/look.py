"""What a link shows: the sale in the state it is, and its documents."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hub.domain import ticket
from hub.domain.customers import prefill
from hub.domain.email import masked
from hub.domain.purchase import (
    Bought,
    Estado,
    FieldError,
    FiscalForm,
    Note,
    Part,
    Purchase,
    Visit,
    Word,
    field_error,
)
from hub.domain.sale import Sale
from hub.domain.states import State
from hub.steps import asked
from hub.steps.bill import standing_of
from hub.steps.context import Context
from hub.steps.estado import AWAITED, estado_of, reason_of
from hub.steps.facts import Facts, Outline, facts_of, notes_of, outline_of
from hub.steps.fresh import Refreshing
from hub.steps.opening import Opened
from hub.steps.shown import of_document, of_sale
from hub.store.database import Tenant, Transaction
from hub.store.records import Invoice, LinkRow, Stamp


def purchase(ctx: Context, token: str) -> Purchase | None:
    """Everything the page shows, or None if there is no such link (any more)."""
    with ctx.store.reading() as tx:
        found = ctx.opened(tx, token)
        facts = facts_of(ctx, tx.tenant(found.merchant_id), found) if found else None
    if found is None or facts is None:
        return None
    return _shown(ctx, found, facts)


def _shown(ctx: Context, found: Opened, facts: Facts) -> Purchase:
    shown = _purchase(ctx, facts)
    return shown if found.proven else _unproven(shown)


def _unproven(purchase: Purchase) -> Purchase:
    """What stands on the ticket and how it is: nothing of a receiver, nothing to download."""
    return replace(
        purchase,
        estado=_to_strangers(purchase.estado),
        proven=False,
        form=FiscalForm(),
        errors=(),
        uuid=None,
        masked_email="",
        undelivered="",
        notes=(),
        corrections_left=0,
        asked_kind="",
        answer=None,
    )


def word(ctx: Context, token: str) -> Word | None:
    """How the purchase of this link is; None if there is no such link (any more)."""
    with ctx.store.reading() as tx:
        found = ctx.opened(tx, token)
        if found is None:
            return None
        told = _word(ctx, outline_of(ctx, tx.tenant(found.merchant_id), found))
    if found.proven:
        return told
    return Word(told.merchant_id, _to_strangers(told.estado))


def _word(ctx: Context, of: Outline) -> Word:
    if _is_undone(of):
        return Word(of.issuer.merchant.id, Estado.CANCELADA)
    estado = _estado(ctx, of)
    uuid = of.invoice.uuid if of.invoice and estado is Estado.LISTA else None
    return Word(of.issuer.merchant.id, estado, uuid, _errors(of, estado))


def _estado(ctx: Context, of: Outline) -> Estado:
    together = _together([_word(ctx, part).estado for part, _ in of.parts])
    standing = standing_of(of.bill, of.issuer, ctx.clock.now(), of.invoice)
    return together or estado_of(of.invoice, of.attempts, standing, in_global=of.in_global)


def visit(
    ctx: Context, token: str, *, refreshing: Refreshing | None = None, of: str | None = None
) -> Visit | None:
    """The purchase of this link, as its shop has it now if `refreshing` finds that out in time.

    None as well if it is not of the merchant `of`.
    """
    with ctx.store.reading() as tx:
        found = ctx.opened(tx, token)
        if found is None or of not in {None, found.merchant_id}:
            return None
        tenant = tx.tenant(found.merchant_id)
        if refreshing is None or not refreshing.outdated(tenant, found):
            shown = _shown(ctx, found, facts_of(ctx, tenant, found))
            return Visit(shown, _moved(tenant, found, token))
    refreshing.looked_at(token)
    return visit(ctx, token, of=of)


def _moved(tenant: Tenant, found: Opened, token: str) -> str | None:
    """The token in force of the sale that this link's one is part of; None if it is of none."""
    if not found.proven:
        return None
    link = tenant.links.current(found.sale_id, found.part)
    return link.token if link and link.token != token else None


def _to_strangers(estado: Estado) -> Estado:
    """What SAT said of somebody's data is nobody else's: to others as if nobody had asked."""
    return Estado.ABIERTA if estado is Estado.RECHAZADA else estado


def purchase_of(ctx: Context, merchant_id: str, sale_id: str) -> Purchase:
    with ctx.store.reading() as tx:
        facts = facts_of(ctx, tx.tenant(merchant_id), Opened(merchant_id, (sale_id,)))
    return _purchase(ctx, facts)


def purchase_of_invoice(ctx: Context, merchant_id: str, invoice: Invoice) -> Purchase:
    """What an invoice, or a credit note, is of: all the purchases, or the part of one."""
    with ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        part = tenant.claims.part_of(invoice.id, invoice.sale_ids[0])
        facts = facts_of(ctx, tenant, Opened(merchant_id, invoice.sale_ids, part=part))
    return _purchase(ctx, facts)


def link_of_invoice(tenant: Tenant, invoice: Invoice) -> LinkRow | None:
    """The address of its page: that of its first sale, or of the part that it is of."""
    sale_id = invoice.sale_ids[0]
    return tenant.links.current(sale_id, tenant.claims.part_of(invoice.id, sale_id))


def stamped(ctx: Context, token: str) -> tuple[Invoice, Stamp] | None:
    """The stamped document behind a link; None while there is none."""
    with ctx.store.reading() as tx:
        found = behind(ctx, tx, token)
        if found is None:
            return None
        tenant, invoice = found
        stamp = tenant.invoices.stamp_of(invoice.id) if invoice.uuid else None
        return (invoice, stamp) if stamp else None


def behind(ctx: Context, tx: Transaction, token: str) -> tuple[Tenant, Invoice] | None:
    """The invoice that a link opens, and whose it is; None while there is none, and by a pass."""
    found = ctx.opened(tx, token)
    if found is None or not found.proven:
        return None
    tenant = tx.tenant(found.merchant_id)
    invoice = tenant.invoices.for_sale(found.sale_id, found.part)
    return (tenant, invoice) if invoice else None


def noted(ctx: Context, token: str, number: int) -> tuple[Invoice, Stamp] | None:
    """The credit note of that number behind a link; None if there is none in force."""
    with ctx.store.reading() as tx:
        found = ctx.opened(tx, token)
        known = found is not None and found.proven
        notes = notes_of(tx.tenant(found.merchant_id), found.sale_id) if found and known else {}
    return notes.get(number)


def _purchase(ctx: Context, facts: Facts) -> Purchase:
    if _is_undone(facts):
        return _undone(_purchase(ctx, replace(facts, whole=True)))
    sale, zone, rows = facts.bill.sale, facts.issuer.zone, facts.bill.rows
    standing = standing_of(facts.bill, facts.issuer, ctx.clock.now(), facts.invoice)
    parts = _shown_parts(ctx, facts)
    estado = _estado(ctx, facts)
    stamp = facts.stamp if estado is Estado.LISTA else None
    shown = of_document(stamp.xml) if stamp and not facts.foreign else of_sale(sale)
    return Purchase(
        estado=estado,
        merchant_id=facts.issuer.merchant.id,
        merchant_name=facts.issuer.rules.nombre or facts.issuer.merchant.nombre,
        issuer_name=facts.issuer.merchant.nombre,
        merchant_rfc=facts.issuer.merchant.rfc,
        number=", ".join(row.sale.number for row in rows),
        code=ticket.shown(rows[0].code) if len(rows) == 1 and not facts.bill.part else "",
        placed_at=sale.placed_at.astimezone(zone),
        currency=shown.currency,
        lines=shown.lines,
        subtotal=shown.subtotal,
        taxes=shown.taxes,
        refunded=shown.refunded,
        total=shown.total,
        deadline_at=standing.deadline_at.astimezone(zone) if standing.deadline_at else None,
        usos=facts.issuer.rules.usos,
        form=_form(facts, estado),
        errors=_errors(facts, estado),
        uuid=stamp.uuid if stamp else None,
        issued_at=stamp.stamped_at.astimezone(zone) if stamp else None,
        masked_email=_mailed_to(facts, estado),
        undelivered=masked(facts.undelivered) if _mailed_to(facts, estado) else "",
        sandbox=facts.invoice.environment != "live" if facts.invoice else not facts.live,
        reason=reason_of(ctx, facts.invoice, facts.attempts, estado, standing),
        cancelling=facts.invoice is not None and facts.invoice.state is State.CANCELLING,
        vista=facts.bill.fingerprint,
        notes=tuple(
            Note(
                number,
                invoice.total,
                invoice.currency,
                document.uuid,
                document.stamped_at.astimezone(zone),
            )
            for number, (invoice, document) in facts.notes.items()
            if stamp
        ),
        **asked.shown(ctx, facts.issuer, facts.asks, facts.invoice, stamp),
        excluded=_excluded(sale, shown.currency),
        brand=facts.brand,
        group=_group(facts) if len(rows) > 1 else (),
        apart=len(rows) > 1 and (facts.apart or _ended(facts, estado)),
        part=facts.bill.part,
        parts=parts,
        **_choices(facts, estado),
    )


def _shown_parts(ctx: Context, facts: Facts) -> tuple[Part, ...]:
    found = []
    for number, (one, token) in enumerate(facts.parts, 1):
        shown = _purchase(ctx, one)
        found.append(Part(number, shown.total, shown.estado, token))
    return tuple(found)


def _together(estados: list[Estado]) -> Estado | None:
    """One word for both parts: something is left to do as long as it is for one of them."""
    if Estado.ABIERTA in estados or Estado.RECHAZADA in estados:
        return Estado.ABIERTA
    return next((one for one in estados if one is not Estado.LISTA), next(iter(estados), None))


def _choices(facts: Facts, estado: Estado) -> dict[str, bool]:
    """Whether it can be put together with others, or divided, or that be undone."""
    pagina, bill = facts.issuer.rules.pagina, facts.bill
    is_open = estado is Estado.ABIERTA and not (facts.parts or bill.part)
    free = all(_unheld(one) and not one.in_global for one, _ in facts.parts)
    return {
        "joinable": is_open and pagina.juntar,
        "dividable": is_open and pagina.dividir and len(bill.rows) == 1,
        "unitable": bool(facts.parts) and free,
    }


def _ended(facts: Facts, estado: Estado) -> bool:
    """Not every one of several can be invoiced any more, and no invoice holds them."""
    return _unheld(facts) and estado not in {Estado.ABIERTA, Estado.RECHAZADA}


def _is_undone(facts: Outline) -> bool:
    """It is a part of a sale that is divided so no more, and nothing holds it."""
    return bool(facts.bill.part) and not facts.whole and _unheld(facts)


def _unheld(facts: Outline) -> bool:
    return facts.invoice is None or facts.invoice.state is State.REJECTED


def _undone(shown: Purchase) -> Purchase:
    """A part of a sale that is divided no more, or changed: nothing of the sale is told."""
    return replace(
        shown,
        estado=Estado.CANCELADA,
        reason="divided_no_more",
        form=FiscalForm(),
        errors=(),
        deadline_at=None,
        vista="",
    )


def _group(facts: Facts) -> tuple[Bought, ...]:
    """Each of several purchases; of a document that is stamped it alone tells the amounts."""
    zone, told = facts.issuer.zone, facts.stamp is None
    return tuple(
        Bought(
            row.sale.number,
            row.sale.placed_at.astimezone(zone),
            of_sale(row.sale).lines if told else (),
            row.sale.due if told else None,
        )
        for row in facts.bill.rows
    )


def _excluded(sale: Sale, currency: str) -> tuple[tuple[str, Decimal], ...]:
    """Only beside amounts of the same currency."""
    if sale.currency != currency:
        return ()
    return tuple((one.kind, one.amount) for one in sale.excluded if one.amount)


def _mailed_to(facts: Facts, estado: Estado) -> str:
    """Where the invoice was mailed or will be, with most of it hidden."""
    told = estado is Estado.LISTA or (estado in AWAITED and not facts.unasked)
    return masked(facts.invoice.receptor.correo) if facts.invoice and told else ""


def _form(facts: Facts, estado: Estado) -> FiscalForm:
    """After a rejection what was sent; before the first try what the platform already knows."""
    if facts.invoice is not None and estado is Estado.RECHAZADA and not facts.unasked:
        data = facts.invoice.receptor
        return FiscalForm(
            data.rfc, data.nombre, data.codigo_postal, data.regimen, data.uso, data.correo
        )
    if estado not in {Estado.ABIERTA, Estado.RECHAZADA}:
        return FiscalForm()
    if len(facts.bill.rows) > 1 or facts.bill.part or facts.parts:
        return FiscalForm()  # whose data would it be?
    return prefill(facts.profile, facts.bill.rows[0].sale)


def _errors(facts: Outline, estado: Estado) -> tuple[FieldError, ...]:
    if facts.invoice is None or estado is not Estado.RECHAZADA:
        return ()
    return tuple(field_error(finding) for finding in facts.invoice.findings)
