"""visit: a buyer comes by an address that the shop wrote, perhaps before any delivery did."""

from __future__ import annotations

from hmac import compare_digest

from connectors.contract import CredentialsRefused, OutOfSight, PlatformUnreachable
from hub.steps.belong import is_sold, last_of
from hub.steps.context import Context
from hub.steps.follow import NotUnderstood, fetched
from hub.steps.ingest import keep, set_aside
from hub.steps.later import RunLater
from hub.steps.shops import ConnectorMissing, Shop, proof_of, shop_of
from hub.store.database import Tenant, Transaction
from hub.store.records import Connection, SaleRow


class Unclear(Exception):
    """Whether there is such an order cannot be told now: ask again soon."""


def known(ctx: Context, connection: Connection, order_id: str, proof: str) -> str | None:
    """The token of the sale's link, if this proof is known to open it. No network."""
    with ctx.store.reading() as tx:
        tenant = tx.tenant(connection.merchant_id)
        row = last_of(tenant, connection.id, order_id)
        if row is None or not _opens(tenant, connection.id, order_id, row, proof):
            return None
        link = tenant.links.current(row.id)
    return link.token if link else _made(ctx, connection, row.id)


def door_of(tx: Transaction, platform: str, account: str, order_id: str) -> Connection | None:
    """Which connection of the shop answers for this order: the one where it was sold, if any.

    The links of a shop that left, or that is another merchant's now, go on where its sales are.
    What nobody had paid is for whoever has the shop now.
    """
    here = tx.doors.open_of_shop(platform, account)
    ever = [connection for connection, _ in tx.doors.of_shop(platform, account)]
    known = []
    for one in ever:
        tenant = tx.tenant(one.merchant_id)
        row = tenant.sales.by_key(one.id, order_id)
        if row is not None and is_sold(tenant, row):
            return one
        if row is not None and not row.sale.barred:
            known.append(one)
    return here or next(iter([*known, *ever]), None)


def may_come(ctx: Context, connection: Connection, order_id: str) -> bool:
    """Whether the order may be one that the shop makes just now: its number is above the last.

    A page of the shop may show a buyer the address of an order a moment before the order is there.
    """
    if not (order_id.isascii() and order_id.isdigit()):
        return False
    with ctx.store.reading() as tx:
        last = tx.tenant(connection.merchant_id).sales.of_connection(connection.id, 1)
    return not last or not last[0].sale.key.isdigit() or int(order_id) > int(last[0].sale.key)


def _opens(tenant: Tenant, connection_id: str, order_id: str, row: SaleRow, proof: str) -> bool:
    """Whether the proof was found at this order, or at what turned out to be a part of it."""
    of = tenant.proofs.order_of(connection_id, proof)
    if of is None:
        return False
    return of in {order_id, row.sale.key} or tenant.objects.owner(connection_id, of) == row.id


def _made(ctx: Context, connection: Connection, sale_id: str) -> str:
    with ctx.store.transaction() as tx:
        return tx.tenant(connection.merchant_id).links.make(sale_id).token


def asked(ctx: Context, connection: Connection, order_id: str, proof: str) -> str | None:
    """The same by asking the shop, and keeping the order as a delivery would have been.

    None if there is no such order or the proof is not its. Raises `Unclear` while the shop cannot
    tell. Takes as long for an order that is known as for one that is not: nothing is learnt from
    the time of an answer.
    """
    began_at = ctx.clock.now()
    try:
        shop = shop_of(ctx, connection.merchant_id, connection.id)
        if shop is None or not shop.can_be_asked:
            return None
        found = fetched(shop, order_id)
    except NotUnderstood as error:
        if shop is not None and _proves(shop, error.order, proof):
            set_aside(ctx, shop, error)
            raise Unclear from None
        return None
    except OutOfSight:
        return None
    except (PlatformUnreachable, CredentialsRefused, ConnectorMissing, RunLater):
        raise Unclear from None
    if not _proves(shop, found.order, proof):
        return None
    keep(ctx, shop, found, began_at)
    return known(ctx, connection, order_id, proof)


def _proves(shop: Shop, order: bytes | None, proof: str) -> bool:
    expected = None if order is None else proof_of(shop, order)
    if expected is None:
        return False
    return compare_digest(expected.encode(), proof.encode("utf-8", "replace"))
