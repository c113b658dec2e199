"""correct: the buyer gives other fiscal data for an invoice in force; the merchant makes it anew.

For SAT that is another invoice that takes the place of the first (relation 04), which is cancelled
then (motivo 01). The merchant does both; until then the first one is in force.
https://www.sat.gob.mx/consultas/91447/nuevo-esquema-de-cancelacion
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Final

from hub.domain.asks import CAME_BY, LINK, AskKind
from hub.domain.purchase import FieldError, FiscalForm, field_error
from hub.domain.receiver import Receiver, examined
from hub.steps import asked
from hub.steps.ask import wrong
from hub.steps.context import Context
from hub.steps.issuer import issuer_of
from hub.steps.look import stamped
from hub.steps.notices import NOT_THE_BUYERS
from hub.store.records import Invoice, Stamp
from hub.store.transaction import Transaction

NOT_CORRECTABLE: Final = FieldError(
    "",
    "not_correctable",
    "Esta factura ya no se puede corregir desde aquí.",
    "This invoice can no longer be corrected here.",
)
UNCHANGED: Final = FieldError(
    "",
    "unchanged",
    "Son los mismos datos que ya tiene tu factura. Cambia lo que esté mal.",
    "These are the data your invoice has already. Change what is wrong.",
)
#: The field of the request that names what differs from the invoice in force, and the one that
#: names the invoice.
CHANGES: Final = "cambia"
UUID: Final = "uuid"
_FISCAL: Final = ("rfc", "nombre", "cp", "regimen", "uso")


def data_of(ctx: Context, token: str) -> FiscalForm | None:
    """What the invoice in force was made out to; None if the link shows none.

    As the document tells it, without the address: the page shows that masked, and who holds the
    link may not be who gave it.
    """
    found = stamped(ctx, token)
    return replace(_given(found[0]), correo="") if found else None


def correct(
    ctx: Context, token: str, form: FiscalForm, mensaje: str, language: str
) -> tuple[FieldError, ...]:
    """File the request, if the rules still allow one and none waits. Nothing: it waits now."""
    behind = stamped(ctx, token)
    with ctx.store.reading() as tx:
        found = ctx.opened(tx, token)
        issuer = issuer_of(tx.tenant(found.merchant_id)) if found else None
    if behind is None or issuer is None:
        return (NOT_CORRECTABLE,)
    given = examined(form, issuer.rules, issuer.lugar_for_foreigners)
    clean = _as_form(given)
    filed = asdict(clean) | {"mensaje": mensaje, "idioma": language}
    del filed["vista"]
    if given.findings:
        return tuple(field_error(finding) for finding in given.findings)
    error = wrong(filed)
    if error is not None:
        return (error,)
    changes = _changes(_given(behind[0]), clean)
    if not changes:
        return (UNCHANGED,)
    filed |= {CAME_BY: LINK, CHANGES: ", ".join(changes), UUID: behind[1].uuid}
    with ctx.store.transaction() as tx:
        return () if _file(ctx, tx, token, behind, filed) else (NOT_CORRECTABLE,)


def _file(
    ctx: Context,
    tx: Transaction,
    token: str,
    behind: tuple[Invoice, Stamp],
    filed: Mapping[str, str],
) -> bool:
    """False where it may not be; one that waits already stays as it is."""
    found = ctx.opened(tx, token)
    if found is None or not found.proven:
        return False
    tenant, sale_id, part = tx.tenant(found.merchant_id), found.sale_id, found.part
    if tenant.asks.is_open(sale_id, AskKind.CORRECTION, part=part):
        return True
    held = tenant.invoices.for_sale(sale_id, part)
    asks = tenant.asks.of_part(sale_id, part, besides=NOT_THE_BUYERS)
    left = asked.left(ctx, issuer_of(tenant), asks, held, behind[1])
    if not left or held is None or held.id != behind[0].id:
        return False
    tenant.asks.create(sale_id, AskKind.CORRECTION, filed, part=part)
    return True


def _given(invoice: Invoice) -> FiscalForm:
    data = invoice.receptor
    return FiscalForm(
        data.rfc, data.nombre, data.codigo_postal, data.regimen, data.uso, data.correo
    )


def _as_form(given: Receiver) -> FiscalForm:
    receptor = given.receptor
    return FiscalForm(
        receptor.rfc,
        receptor.nombre,
        receptor.domicilio_fiscal,
        receptor.regimen_fiscal,
        receptor.uso_cfdi,
        given.correo,
    )


def _changes(before: FiscalForm, after: FiscalForm) -> tuple[str, ...]:
    """The fields that SAT sees and that differ; the address is no part of a CFDI."""
    return tuple(name for name in _FISCAL if getattr(before, name) != getattr(after, name))
