"""kept: money of an order that ended in its shop, which nothing says was given back."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from hub.domain.sale import PaymentState, Sale

#: `Sale.status` of an order that its shop has no more.
DELETED: Final = "deleted"


def explained(sale: Sale) -> Sale:
    """Refunded, as the shop says, by refunds that do not make what was paid: a person looks at it.

    Of an order that has no day of payment nothing was kept.
    """
    if sale.payment_state is not PaymentState.REFUNDED or sale.paid_at is None or sale.due <= 0:
        return sale
    doubt = (
        f"La tienda dice que se devolvió todo y falta registrar la devolución de {_due(sale)}:"
        " regístrala en la tienda; si te quedas con el dinero, acepta la venta para que se pueda"
        " facturar."
    )
    return _doubted(replace(sale, payment_state=PaymentState.PAID), doubt)


def ended(sale: Sale, reason: str) -> Sale:
    """There is no such order any more, or, as `reason` says, it turned out to be no sale.

    Deleting an order gives nothing back: what it had kept waits for a person. Doing it again
    changes nothing.
    """
    if reason:
        return replace(sale, payment_state=PaymentState.CANCELLED, status="not a sale")
    sale = replace(explained(sale), status=DELETED)
    if not _kept(sale):
        return replace(sale, payment_state=PaymentState.CANCELLED)
    # What would have ended the hold is gone as well.
    sale = replace(sale, hold="")
    if sale.payment_state is PaymentState.PAID:
        doubt = (
            f"El pedido se borró de la tienda y no consta que se devolviera {_due(sale)}: si se"
            " devolvió, ciérralo con `review resolve --given-back`; si te quedas con el dinero,"
            " acepta la venta para que se pueda facturar."
        )
        return _doubted(sale, doubt)
    doubt = (
        "El pedido se borró de la tienda y no se sabe cuánto se cobró: factura aparte lo que te"
        " quedes, y ciérralo con `review resolve --given-back`."
    )
    return _doubted(replace(sale, payment_state=PaymentState.UNKNOWN), doubt)


def _kept(sale: Sale) -> bool:
    """As far as anybody knows: a sale on credit may have been paid in part."""
    if sale.barred or sale.due <= 0:
        return False
    in_part = sale.on_credit and bool(sale.payments)
    return sale.payment_state in {PaymentState.PAID, PaymentState.UNKNOWN} or (
        sale.payment_state is PaymentState.PENDING and in_part
    )


def _due(sale: Sale) -> str:
    return f"{sale.due:.2f} {sale.currency}"


def _doubted(sale: Sale, doubt: str) -> Sale:
    return replace(sale, doubts=tuple(dict.fromkeys((*sale.doubts, doubt))))
