"""invite: the buyer of a new, invoiceable sale is told where to get the invoice. Once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from hub.domain.purchase import Estado, Purchase
from hub.domain.rules import Rules
from hub.domain.states import State
from hub.steps.context import Context
from hub.steps.customers import is_unasked
from hub.steps.issuer import issuer_of
from hub.steps.look import purchase_of
from hub.steps.tell import Occasion, tell
from hub.store.database import Tenant

#: Nobody is reminded of what was said the day before.
SOONEST: Final = timedelta(days=2)


def invite_next(ctx: Context, merchant_id: str, sale_id: str) -> None:
    """The same, after a message did not arrive that had been taken: by the next way."""
    invite(ctx, merchant_id, sale_id, again=True)


def invite(ctx: Context, merchant_id: str, sale_id: str, *, again: bool = False) -> None:
    """Send the link, if the sale is still open and has an address. Repeating it changes nothing."""
    with ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        row, link, issuer = (
            tenant.sales.get(sale_id),
            tenant.links.current(sale_id),
            issuer_of(tenant),
        )
        invoice = tenant.invoices.for_sale(sale_id)
        unasked_and_refused = (
            invoice is not None
            and invoice.state is State.REJECTED
            and is_unasked(tenant, invoice.id)
        )
    if row is None or link is None or (row.invited_at is not None and not again):
        return
    purchase = purchase_of(ctx, merchant_id, sale_id)
    if purchase.estado is not Estado.ABIERTA and not unasked_and_refused:
        return
    told = tell(
        ctx,
        Occasion(
            "invitation",
            merchant_id,
            row,
            link,
            purchase,
            issuer,
            unless=lambda tenant: has_moved(tenant, sale_id),
        ),
    )
    if not told or again:
        return
    with ctx.store.transaction() as tx:
        tenant, now = tx.tenant(merchant_id), ctx.clock.now()
        tenant.sales.mark_invited(sale_id, now)
        due_at = reminder_at(purchase, issuer.rules)
        if due_at is not None and due_at - now >= SOONEST:
            tenant.promise("remind", sale_id, queue="mail", due_at=due_at)


def reminder_at(purchase: Purchase, rules: Rules) -> datetime | None:
    """When its buyer is reminded; None if never."""
    if purchase.deadline_at is None or not rules.recordatorio_dias:
        return None
    return purchase.deadline_at - timedelta(days=rules.recordatorio_dias)


def has_moved(tenant: Tenant, sale_id: str) -> bool:
    """Whether it is part of another sale now, whose buyer is told of that one."""
    tenant.claims.of_sale(sale_id)  # which holds the sale still until the letter is begun
    return tenant.objects.whole(sale_id) != sale_id
