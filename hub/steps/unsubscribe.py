"""unsubscribe: a buyer wants no more invitations of a merchant. Invoices still come."""

from __future__ import annotations

from hub.domain.brand import Brand
from hub.steps.brand import brand_of
from hub.steps.context import Context


def leaving(ctx: Context, token: str) -> Brand | None:
    """Whose invitations this token ends; None if nobody's."""
    found = ctx.passes.read_leaving(token)
    if found is None:
        return None
    with ctx.store.reading() as tx:
        known = tx.merchants.get(found[0]) is not None
        return brand_of(tx.tenant(found[0])) if known else None


def unsubscribe(ctx: Context, token: str) -> Brand | None:
    """As `leaving`, and from now on it is so. Doing it again changes nothing."""
    brand, found = leaving(ctx, token), ctx.passes.read_leaving(token)
    if brand is None or found is None:
        return None
    with ctx.store.transaction() as tx:
        tx.tenant(found[0]).optouts.add(found[1])
    return brand
