"""A sale without any platform: typed by staff or sent by a system of the merchant's own."""

from __future__ import annotations

from hub.domain.intake import read_sale
from hub.steps.context import Context
from hub.steps.ingest import compose_reasons, welcome
from hub.steps.issuer import issuer_of
from hub.store.records import SaleRow


def register(ctx: Context, merchant_id: str, data: bytes) -> SaleRow:
    """Keep the sale, give it its link if it can be invoiced. The same key again is the same sale.

    Raises `SaleInvalid` with every problem of the JSON.
    """
    sale = read_sale(data, now=ctx.clock.now())
    with ctx.store.reading() as tx:
        issuer = issuer_of(tx.tenant(merchant_id))
    reasons = compose_reasons(sale, issuer)
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        kept = tenant.sales.keep(
            connection_id=None,
            platform="",
            sale=sale,
            reasons=reasons,
            verified_at=ctx.clock.now(),
        )
        welcome(ctx, tenant, issuer, kept.id, None)
        row = tenant.sales.get(kept.id)
    if row is None:
        raise RuntimeError("a kept sale is not there")
    return row
