"""visit: a buyer comes by an address that the shop wrote, perhaps before any delivery did."""

from __future__ import annotations

from hmac import compare_digest

from connectors.contract import CredentialsRefused, OrderNotFound, PlatformUnreachable
from hub.steps.context import Context
from hub.steps.ingest import take
from hub.steps.later import RunLater
from hub.steps.shops import ConnectorMissing, proof_of, shop_of
from hub.store.records import Connection


class Unclear(Exception):
    """Whether there is such an order cannot be told now: ask again soon."""


def known(ctx: Context, connection: Connection, order_id: str, proof: str) -> str | None:
    """The token of the sale's link, if this proof is known to open it. No network."""
    with ctx.store.reading() as tx:
        tenant = tx.tenant(connection.merchant_id)
        if not tenant.proofs.opens(connection.id, order_id, proof):
            return None
        row = tenant.sales.by_key(connection.id, order_id)
        link = tenant.links.current(row.id) if row else None
    if row is None:
        return None
    return link.token if link else _made(ctx, connection, row.id)


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
        order = shop.connector.fetch(order_id, shop.facts, shop.credentials)
    except OrderNotFound:
        return None
    except (PlatformUnreachable, CredentialsRefused, ConnectorMissing, RunLater):
        raise Unclear from None
    expected = proof_of(shop, order)
    if expected is None or not compare_digest(expected.encode(), proof.encode("utf-8", "replace")):
        return None
    if not take(ctx, shop, order_id, order, began_at):
        raise Unclear
    return known(ctx, connection, order_id, proof)
