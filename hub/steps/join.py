"""join: a buyer lists purchases of one merchant, to have them in one invoice.

The list is the address itself: a pass for all of them. Whoever adds one knows what its ticket says,
or has its link.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from hub.domain.joint import Apart, NotJoinable
from hub.domain.policy import Kind
from hub.domain.purchase import FieldError, Joined, Listed
from hub.domain.states import State
from hub.steps.bill import Bill, are_free, bill_of, meant, refuse_inexact, standing_of
from hub.steps.context import Context
from hub.steps.find import Found, matching, passed
from hub.steps.issuer import Issuer, issuer_of
from hub.steps.opening import Opened
from hub.store.database import Tenant

#: The token in an address of ours, whatever its host.
_LINK: Final = re.compile(r"/f/([A-Za-z0-9._-]{20,4000})")


def listed(ctx: Context, token: str) -> tuple[Listed, ...]:
    """The purchases behind an address, each with what keeps it out of an invoice with others."""
    with ctx.store.reading() as tx:
        opened = ctx.opened(tx, token)
        if opened is None or opened.part:
            return ()
        tenant = tx.tenant(opened.merchant_id)
        issuer, sale_ids = issuer_of(tenant), _meant(ctx, tenant, opened)
        found = [_listed(ctx, tenant, issuer, sale_id) for sale_id in sale_ids]
        return tuple(one for one in found if one is not None)


def problem(ctx: Context, token: str) -> FieldError | None:
    """What stands against one invoice of all that are listed; None if nothing does."""
    with ctx.store.reading() as tx:
        opened = ctx.opened(tx, token)
        if opened is None:
            return NOT_FOUND
        tenant = tx.tenant(opened.merchant_id)
        return _problem(ctx, tenant, issuer_of(tenant), _meant(ctx, tenant, opened))


def add(ctx: Context, token: str, code: str, total: Decimal) -> Joined:
    """One more, by the code and total of its ticket. Whatever does not fit is not found."""
    with ctx.store.reading() as tx:
        opened = ctx.opened(tx, token)
    found = matching(ctx, code, total, opened.merchant_id) if opened else None
    return _added(ctx, token, (found.sale_id,) if found else ())


def add_link(ctx: Context, token: str, text: str) -> Joined:
    """One more, by its own address."""
    named = _LINK.search(text)
    with ctx.store.reading() as tx:
        mine = ctx.opened(tx, token)
        theirs = ctx.opened(tx, named[1]) if named else None
    alike = mine is not None and theirs is not None and mine.merchant_id == theirs.merchant_id
    return _added(ctx, token, theirs.sale_ids if theirs and alike and not theirs.part else ())


def take_off(ctx: Context, token: str, place: int) -> str | None:
    """The address of the list without that one (0 is the first); None if it is not so long."""
    with ctx.store.reading() as tx:
        opened = ctx.opened(tx, token)
        sale_ids = list(_meant(ctx, tx.tenant(opened.merchant_id), opened)) if opened else []
    if opened is None or len(sale_ids) < 2 or not 0 <= place < len(sale_ids):
        return None
    del sale_ids[place]
    return passed(ctx, *(Found(opened.merchant_id, sale_id) for sale_id in sale_ids))


def separate(ctx: Context, token: str) -> bool:
    """Let go of purchases whose one invoice was turned down: each is by itself again."""
    with ctx.store.transaction() as tx:
        opened = ctx.opened(tx, token)
        if opened is None or not opened.proven:
            return False
        tenant = tx.tenant(opened.merchant_id)
        invoice = tenant.invoices.for_sale(opened.sale_id)
        if invoice is None or invoice.state is not State.REJECTED or len(invoice.sale_ids) < 2:
            return False
        return bool(tenant.claims.release(invoice.id))


def _added(ctx: Context, token: str, more: tuple[str, ...]) -> Joined:
    if not more:
        return Joined(None, NOT_FOUND)
    with ctx.store.reading() as tx:
        opened = ctx.opened(tx, token)
        if opened is None or opened.part:
            return Joined(None, NOT_FOUND)
        tenant = tx.tenant(opened.merchant_id)
        issuer, before = issuer_of(tenant), _meant(ctx, tenant, opened)
        if not issuer.rules.pagina.juntar or set(more) <= set(before):
            return Joined(None, SAME if issuer.rules.pagina.juntar else NOT_FOUND)
        sale_ids = tuple(dict.fromkeys((*before, *more)))
        error = _problem(ctx, tenant, issuer, sale_ids)
    if error is not None:
        return Joined(None, error)
    return Joined(passed(ctx, *(Found(opened.merchant_id, sale_id) for sale_id in sale_ids)))


def _meant(ctx: Context, tenant: Tenant, opened: Opened) -> tuple[str, ...]:
    if not opened.proven:
        return opened.sale_ids
    return meant(tenant, issuer_of(tenant), opened.sale_ids, ctx.clock.now())


def _listed(ctx: Context, tenant: Tenant, issuer: Issuer, sale_id: str) -> Listed | None:
    row = tenant.sales.get(sale_id)
    if row is None:
        return None
    bill = Bill((row,), row.sale)
    return Listed(
        row.sale.number,
        row.sale.placed_at.astimezone(issuer.zone),
        row.sale.due,
        row.sale.currency,
        _obstacle(ctx, tenant, issuer, bill),
    )


def _obstacle(ctx: Context, tenant: Tenant, issuer: Issuer, bill: Bill) -> FieldError | None:
    """What keeps this one purchase out of any invoice now."""
    if not are_free(tenant, bill.sale_ids):
        return TAKEN
    if tenant.divisions.current(bill.rows[0].id) is not None:
        return DIVIDED
    kind = standing_of(bill, issuer, ctx.clock.now()).kind
    return None if kind is Kind.OPEN else _CLOSED.get(kind, ENDED)


def _problem(
    ctx: Context, tenant: Tenant, issuer: Issuer, sale_ids: tuple[str, ...]
) -> FieldError | None:
    for sale_id in sale_ids:
        row = tenant.sales.get(sale_id)
        obstacle = _obstacle(ctx, tenant, issuer, Bill((row,), row.sale)) if row else NOT_FOUND
        if obstacle is not None:
            return obstacle
    try:
        bill = bill_of(tenant, issuer, sale_ids)
        if bill is not None:
            refuse_inexact(bill, issuer)
    except NotJoinable as error:
        return _APART[error.why]
    return None


NOT_FOUND: Final = FieldError(
    "",
    "not_found",
    "No encontramos esa compra en este comercio. Revisa el código y el total de tu ticket.",
    "We cannot find that purchase at this merchant. Check the code and total of your ticket.",
)
SAME: Final = FieldError(
    "",
    "same",
    "Esa compra ya está en la lista.",
    "That purchase is on the list already.",
)
TAKEN: Final = FieldError(
    "",
    "taken",
    "Esta compra ya tiene factura, o está en proceso.",
    "This purchase has an invoice already, or one is in progress.",
)
DIVIDED: Final = FieldError(
    "",
    "divided",
    "Esta compra está dividida en dos facturas.",
    "This purchase is divided into two invoices.",
)
ENDED: Final = FieldError(
    "",
    "ended",
    "Esta compra no se puede facturar: se canceló, se devolvió o no está pagada.",
    "This purchase cannot be invoiced: it was cancelled, given back or is not paid.",
)
_CLOSED: Final = {
    Kind.EXPIRED: FieldError(
        "",
        "expired",
        "El plazo para facturar esta compra ya venció.",
        "The time to invoice this purchase is over.",
    ),
    Kind.REVIEW: FieldError(
        "",
        "review",
        "El comercio está revisando esta compra.",
        "The merchant is looking at this purchase.",
    ),
    Kind.HELD: FieldError(
        "",
        "held",
        "El pago de esta compra está en aclaración.",
        "The payment of this purchase is being settled.",
    ),
}
_APART: Final = {
    Apart.TOO_MANY: FieldError(
        "",
        "too_many",
        "Son demasiadas para una sola factura: caben 20 compras y 500 renglones.",
        "They are too many for one invoice: it holds 20 purchases and 500 lines.",
    ),
    Apart.CURRENCY: FieldError(
        "",
        "currency",
        "Son de monedas distintas. Factúralas por separado.",
        "They are in different currencies. Invoice them one by one.",
    ),
    Apart.TEST: FieldError(
        "",
        "test",
        "Una es de prueba y otra no. Factúralas por separado.",
        "One is a test and another is not. Invoice them one by one.",
    ),
    Apart.INEXACT: FieldError(
        "",
        "inexact",
        "Sus importes no cuadran al centavo en una sola factura. Factúralas por separado.",
        "Their amounts do not add up to the cent in one invoice. Invoice them one by one.",
    ),
}
