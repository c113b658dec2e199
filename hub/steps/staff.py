"""What the staff of a shop sees: its last sales, and what was sold without a key of SAT's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from connectors.connecting import Gap, SaleShown
from hub.domain.purchase import LINKED
from hub.domain.rules import PRODUCTO, Rules
from hub.domain.sale import SaleLine
from hub.steps.context import Context
from hub.steps.issuer import issuer_of
from hub.steps.look import purchase_of
from hub.store.records import SaleRow

#: So many of the last sales tell what is sold now.
LATELY: Final = 100


def sales(ctx: Context, merchant_id: str, connection_id: str, limit: int) -> Sequence[SaleShown]:
    """The last sales of the connection, newest first; a hundred at most."""
    with ctx.store.reading() as tx:
        limit = min(max(limit, 1), LATELY)
        rows = tx.tenant(merchant_id).sales.of_connection(connection_id, limit)
    return [_shown(ctx, merchant_id, row) for row in rows]


def _shown(ctx: Context, merchant_id: str, row: SaleRow) -> SaleShown:
    purchase = purchase_of(ctx, merchant_id, row.id)
    with ctx.store.reading() as tx:
        link = tx.tenant(merchant_id).links.current(row.id)
    return SaleShown(
        number=row.sale.number,
        placed_at=row.sale.placed_at,
        total=row.sale.total,
        currency=row.sale.currency,
        estado=purchase.estado.value,
        uuid=purchase.uuid,
        link=ctx.link(link) if link and purchase.estado in LINKED else None,
    )


def gaps(ctx: Context, merchant_id: str, connection_id: str) -> Sequence[Gap]:
    """What was sold lately under the key that says nothing, what was sold most first."""
    with ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        rules = issuer_of(tenant).rules
        rows = tenant.sales.of_connection(connection_id, LATELY)
    found: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        found.update(set(_unnamed(row, rules)))
    ordered = sorted(found.items(), key=lambda one: (-one[1], one[0]))
    return [Gap(named, sku, product, count) for (named, sku, product), count in ordered]


def _unnamed(row: SaleRow, rules: Rules) -> Iterator[tuple[str, str, str]]:
    for line in row.sale.lines:
        if rules.product_of(line).clave_prod_serv == PRODUCTO.clave_prod_serv and not _meant(
            line, rules
        ):
            yield line.description, line.sku, line.product


def _meant(line: SaleLine, rules: Rules) -> bool:
    """Whether a rule about this very thing names that key."""
    near = (
        rules.skus.get(line.sku),
        rules.productos.get(line.product),
        rules.categorias.get(line.category),
    )
    return any(rule is not None and rule.clave_prod_serv for rule in near)
