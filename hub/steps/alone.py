"""alone: what a delivery without an order says by itself, where nobody can be asked."""

from __future__ import annotations

from dataclasses import replace

from connectors.abilities import CUT, Alone, SpeaksAlone
from connectors.contract import Delivery, DeliveryUnreadable, NoSale
from hub.domain.sale import PaymentState
from hub.steps.belong import order_of
from hub.steps.context import Context
from hub.steps.ingest import JUST_CAME, NOT_ASKED, bury, compose_reasons, settle
from hub.steps.issuer import issuer_of
from hub.steps.later import SHOP_PAUSE, paused
from hub.steps.shops import shop_of
from hub.store.database import Tenant
from hub.store.records import InboxRow, SaleRow


def judge_alone(ctx: Context, merchant_id: str, row: InboxRow, problem: str) -> None:
    """Settle what another delivery tells too; let a person see what else changed.

    `problem` is why nobody was asked. Raises `RunLater` while that other delivery may yet come.
    """
    try:
        told = _told(ctx, merchant_id, row)
    except NoSale as error:
        settle(ctx, merchant_id, row.id, str(error))
        return
    except DeliveryUnreadable as error:
        bury(ctx, merchant_id, row.id, str(error))
        return
    with ctx.store.reading() as tx:
        known = _known(tx.tenant(merchant_id), row.connection_id, told)
    if known is not None and known.sale.payment_state is PaymentState.PENDING and not told.change:
        known = None  # that it was paid is told by its own delivery
    if known is None and told.about and ctx.clock.now() - row.received_at < JUST_CAME:
        raise paused(ctx.clock.now(), SHOP_PAUSE, row.id, "what it is about was not told yet")
    if told.change:
        _doubt(ctx, merchant_id, known, f"{told.change} {NOT_ASKED}")
        changes = f"it changes sale {known.sale.number}" if known else "it changes no known sale"
        bury(ctx, merchant_id, row.id, f"{changes}: {problem}")
    elif known is not None:
        settle(ctx, merchant_id, row.id, f"part of {known.sale.number}")
    else:
        bury(ctx, merchant_id, row.id, problem)


def _told(ctx: Context, merchant_id: str, row: InboxRow) -> Alone:
    shop = shop_of(ctx, merchant_id, row.connection_id)
    if shop is None or row.erased or not isinstance(shop.connector, SpeaksAlone):
        return Alone(())
    return shop.connector.alone(Delivery(row.headers, row.body, row.received_at))


def _known(tenant: Tenant, connection_id: str, told: Alone) -> SaleRow | None:
    for one in told.about:
        found = (
            tenant.sales.beginning(connection_id, one.removesuffix(CUT))
            if one.endswith(CUT)
            else order_of(tenant, connection_id, one)
        )
        if found is not None:
            return found
    return None


def _doubt(ctx: Context, merchant_id: str, known: SaleRow | None, change: str) -> None:
    """The sale waits for a person until the shop is asked, or he says that it is right."""
    if known is None:
        return
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        tenant.claims.of_sale(known.id)  # which holds the sale still until the end
        row = tenant.sales.get(known.id)
        if row is None or change in row.sale.doubts:
            return
        sale = replace(row.sale, doubts=(*row.sale.doubts, change))
        tenant.sales.rewrite(
            row.id, sale, compose_reasons(sale, issuer_of(tenant), ctx.clock.now())
        )
