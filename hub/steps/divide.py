"""divide: a buyer has one purchase invoiced in two, to two receivers, until one of them is asked.

What is divided is fixed by the first who says so, and undone by anybody who could have done it.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from hub.domain import policy
from hub.domain.division import PARTS, NotDivisible, Whole, agreed, divided, half, lines_of
from hub.domain.fingerprint import fingerprint
from hub.domain.joint import NotJoinable
from hub.domain.money import round_half_up
from hub.domain.purchase import Draft, FieldError, Portion
from hub.domain.sale import Sale, SaleLine
from hub.steps.bill import Bill, are_free, refuse_inexact, standing_of
from hub.steps.context import Context
from hub.steps.divided import release_rejected, settled
from hub.steps.issuer import Issuer, issuer_of
from hub.steps.opening import Opened
from hub.store.database import Tenant
from hub.store.records import SaleRow


def draft(ctx: Context, token: str, units: Mapping[str, Decimal] | None) -> Draft | None:
    """What would be of each line in the first invoice, and both totals; `units` None: half of all.

    None for a purchase that cannot be divided now.
    """
    with ctx.store.reading() as tx:
        opened = ctx.opened(tx, token)
        row = _row(tx.tenant(opened.merchant_id), opened) if opened else None
        if opened is None or row is None:
            return None
        tenant = tx.tenant(opened.merchant_id)
        issuer = issuer_of(tenant)
        if _refusal(ctx, tenant, issuer, row) is not None:
            return None
    try:
        lines = lines_of(row.sale)
        units = half(row.sale) if units is None else units
    except NotDivisible as error:
        return Draft((), None, _ERRORS[error.why])
    portions = tuple(_portion(line, units.get(line.key, Decimal(0))) for line in lines)
    try:
        one, two = _parts(issuer, row, units)
    except NotDivisible as error:
        return Draft(portions, None, _ERRORS[error.why])
    return Draft(portions, (one.due, two.due))


def divide(ctx: Context, token: str, units: Mapping[str, Decimal], vista: str) -> FieldError | None:
    """Fix it, with a link for each part. `vista` names the amounts that were shown.

    None if it is done, also where it was divided just so before.
    """
    with ctx.store.transaction() as tx:
        opened = ctx.opened(tx, token)
        if opened is None:
            return NOT_OPEN
        tenant = tx.tenant(opened.merchant_id)
        settled(tenant, opened.sale_id)  # which holds the sale still until the end
        row, known = _row(tenant, opened), tenant.divisions.current(opened.sale_id)
        if row is None or (known is not None and known.units == units):
            return NOT_OPEN if row is None else None
        issuer = issuer_of(tenant)
        error = _refusal(ctx, tenant, issuer, row)
        if error is None and vista != fingerprint(row.sale):
            error = CHANGED
        return error or _fixed(tenant, issuer, row, units)


def _fixed(
    tenant: Tenant, issuer: Issuer, row: SaleRow, units: Mapping[str, Decimal]
) -> FieldError | None:
    try:
        _parts(issuer, row, units)
    except NotDivisible as impossible:
        return _ERRORS[impossible.why]
    rejected = tenant.invoices.for_sale(row.id)
    if rejected is not None:
        tenant.claims.release(rejected.id)
    tenant.divisions.make(row.id, agreed(row.sale, units), units)
    for part in range(1, PARTS + 1):
        tenant.links.make(row.id, part)
    return None


def unite(ctx: Context, token: str) -> FieldError | None:
    """Undo it, while neither part is invoiced or on its way. Whoever has a part alone cannot."""
    with ctx.store.transaction() as tx:
        opened = ctx.opened(tx, token)
        if opened is None or opened.part or len(opened.sale_ids) > 1:
            return NOT_OPEN
        tenant = tx.tenant(opened.merchant_id)
        tenant.claims.of_sale(opened.sale_id)  # which holds the sale still until the end
        release_rejected(tenant, opened.sale_id)
        if tenant.claims.of_sale(opened.sale_id):
            return TAKEN
        tenant.divisions.undo(opened.sale_id)
    return None


def _row(tenant: Tenant, opened: Opened) -> SaleRow | None:
    """The one whole sale that an address opens."""
    alone = len(opened.sale_ids) == 1 and not opened.part
    return tenant.sales.get(opened.sale_id) if alone else None


def _refusal(ctx: Context, tenant: Tenant, issuer: Issuer, row: SaleRow) -> FieldError | None:
    if not issuer.rules.pagina.dividir:
        return NOT_OPEN
    if tenant.divisions.current(row.id) is not None or not are_free(tenant, (row.id,)):
        return TAKEN
    held = tenant.invoices.for_sale(row.id)
    if held is not None and len(held.sale_ids) > 1:
        return TAKEN
    kind = standing_of(Bill((row,), row.sale), issuer, ctx.clock.now()).kind
    return None if kind is policy.Kind.OPEN else NOT_OPEN


def _parts(issuer: Issuer, row: SaleRow, units: Mapping[str, Decimal]) -> tuple[Sale, Sale]:
    """Both, once each is known to make a document to the cent. Raises `NotDivisible`."""
    parts = divided(row.sale, units)
    try:
        for number, sale in enumerate(parts, 1):
            refuse_inexact(Bill((row,), sale, number), issuer)
    except NotJoinable as error:
        raise NotDivisible(Whole.INEXACT) from error
    return parts


def _portion(line: SaleLine, first: Decimal) -> Portion:
    return Portion(line.key, line.description, line.quantity, round_half_up(line.total, 2), first)


NOT_OPEN: Final = FieldError(
    "",
    "not_divisible",
    "Esta compra no se puede dividir.",
    "This purchase cannot be divided.",
)
TAKEN: Final = FieldError(
    "",
    "taken",
    "Ya hay una factura de esta compra en proceso o emitida, o ya está dividida.",
    "An invoice of this purchase is in progress or issued, or it is divided already.",
)
CHANGED: Final = FieldError(
    "",
    "amounts_changed",
    "Los importes de la compra cambiaron. Revísalos y divídela otra vez.",
    "The amounts of the purchase changed. Look at them and divide it again.",
)
_ERRORS: Final = {
    Whole.UNITS: FieldError(
        "",
        "units",
        "Revisa las cantidades: de cada renglón, entre cero y lo que compraste.",
        "Check the quantities: of each line, between none and what you bought.",
    ),
    Whole.EMPTY: FieldError(
        "",
        "empty",
        "Deja algo en cada una de las dos facturas.",
        "Leave something in each of the two invoices.",
    ),
    Whole.INEXACT: FieldError(
        "",
        "inexact",
        "Así no cuadra al centavo. Prueba con otras cantidades.",
        "Like this it does not add up to the cent. Try other quantities.",
    ),
    Whole.CHANGED: CHANGED,
}
