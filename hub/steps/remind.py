"""remind: the buyer who was invited and has no invoice yet hears of the deadline. Once a sale."""

from __future__ import annotations

from hub.domain import policy
from hub.domain.purchase import Estado
from hub.steps.context import Context
from hub.steps.invite import has_moved, reminder_at
from hub.steps.issuer import issuer_of
from hub.steps.later import RunLater
from hub.steps.look import purchase_of
from hub.steps.tell import Occasion, tell
from hub.store.database import Tenant


def remind(ctx: Context, merchant_id: str, sale_id: str) -> None:
    """Everything is looked at again: only what is still open, and by rules as they are now.

    Raises `RunLater` where the deadline has moved on.
    """
    with ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        sale_id = tenant.objects.whole(sale_id)  # its buyer was invited to a part of it
        row, link, issuer = (
            tenant.sales.get(sale_id),
            tenant.links.current(sale_id),
            issuer_of(tenant),
        )
    if row is None or link is None or row.invited_at is None or not issuer.rules.invitar:
        return
    purchase = purchase_of(ctx, merchant_id, sale_id)
    due_at, now = reminder_at(purchase, issuer.rules), ctx.clock.now()
    if purchase.estado is not Estado.ABIERTA or due_at is None:
        return
    if due_at > now:
        raise RunLater(due_at, "the deadline has moved")
    tell(
        ctx,
        Occasion(
            "reminder",
            merchant_id,
            row,
            link,
            purchase,
            issuer,
            unless=lambda tenant: _too_late(ctx, tenant, sale_id),
        ),
    )


def _too_late(ctx: Context, tenant: Tenant, sale_id: str) -> bool:
    """Whether the purchase was asked for, joined to another, or ended within this very moment."""
    if has_moved(tenant, sale_id) or tenant.claims.of_sale(sale_id):
        return True
    row, issuer = tenant.sales.get(sale_id), issuer_of(tenant)
    if row is None:
        return True
    standing = policy.standing(
        row.sale,
        rules=issuer.rules,
        zone=issuer.zone,
        now=ctx.clock.now(),
        reasons=row.reasons,
    )
    return standing.kind is not policy.Kind.OPEN
