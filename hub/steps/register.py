"""A sale without any platform: typed by staff or sent by a system of the merchant's own."""

from __future__ import annotations

from dataclasses import replace

from hub.domain.intake import read_sale
from hub.steps.context import Context
from hub.steps.ingest import compose_reasons, welcome
from hub.steps.issuer import issuer_of
from hub.steps.refund import notice_change
from hub.store.records import SaleRow


class SaleTaken(Exception):
    """The sale is in an invoice (or a global one): it cannot be corrected by sending it again."""


def register(ctx: Context, merchant_id: str, data: bytes) -> SaleRow:
    """Keep the sale, give it its link if it can be invoiced. The same key again is the same sale.

    Raises `SaleInvalid` with every problem of the JSON, `SaleTaken` for another content of a sale
    that an invoice holds.
    """
    sale = read_sale(data, now=ctx.clock.now())
    with ctx.store.reading() as tx:
        issuer = issuer_of(tx.tenant(merchant_id))
    reasons = compose_reasons(sale, issuer, ctx.clock.now())
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        known = tenant.sales.by_key(None, sale.key)
        if known is not None and tenant.claims.of_sale(known.id):
            if replace(sale, revision=known.sale.revision) != known.sale:
                raise SaleTaken
            return known
        kept = tenant.sales.keep(
            connection_id=None,
            platform="",
            sale=sale,
            reasons=reasons,
            verified_at=ctx.clock.now(),
        )
        if kept.changed and not kept.created:
            notice_change(tenant, kept.id)
        welcome(ctx, tenant, issuer, kept.id, None)
        row = tenant.sales.get(kept.id)
    if row is None:
        raise RuntimeError("a kept sale is not there")
    return row
