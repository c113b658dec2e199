"""divided: what becomes of a sale in two parts when the sale, or a part's invoice, changes."""

from __future__ import annotations

from typing import Final

from hub.domain.division import agreed
from hub.domain.sale import PaymentState
from hub.domain.states import State
from hub.store.database import Tenant
from hub.store.records import SaleRow


def settled(tenant: Tenant, sale_id: str) -> bool:
    """Whether a divided sale is as it was divided, or not divided any more.

    One that changed is divided no more, as long as nothing of it is invoiced or on its way. False
    where something is: the rest of it waits for the merchant.
    """
    tenant.claims.of_sale(sale_id)  # which holds the sale still until the end
    row = tenant.sales.get(sale_id)
    division = tenant.divisions.current(sale_id)
    if row is None or division is None:
        return True
    if division.fingerprint == agreed(row.sale, division.units) and not ended(row):
        return True
    release_rejected(tenant, sale_id)
    if tenant.claims.of_sale(sale_id):
        return False
    tenant.divisions.undo(sale_id)
    return True


def release_rejected(tenant: Tenant, sale_id: str) -> None:
    """Free the parts whose invoices were turned down."""
    for claim in tenant.claims.of_sale(sale_id):
        invoice = tenant.invoices.get(claim.invoice_id) if claim.invoice_id else None
        if invoice is not None and invoice.state is State.REJECTED:
            tenant.claims.release(invoice.id)


def ended(row: SaleRow) -> bool:
    """Not paid any more, whatever its lines say."""
    return row.sale.payment_state is not PaymentState.PAID


CHANGED_SINCE: Final = (
    "La compra está dividida en dos facturas y cambió después. Revisa las dos: emite la nota de "
    "crédito que corresponda, o cancela la que ya no sea correcta; sin ninguna vigente la compra "
    "se puede facturar otra vez."
)
