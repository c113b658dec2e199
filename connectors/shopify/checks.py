"""Whether what was made of an order is what Shopify itself says of its money.

Each contradiction is a doubt that names both amounts: a person looks, nothing is adjusted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from connectors.shopify.money import ZERO
from connectors.shopify.order import Order
from connectors.shopify.refunds import Reckoning
from hub.domain.sale import PaymentState

#: No country rounds cash by more.
MAX_ROUNDING: Final = Decimal(1)
#: Edits of one order that its total is held against in every combination.
_MANY: Final = 6


@dataclass(frozen=True, slots=True)
class Sums:
    """Of all that was charged, tips and gift cards too, before the rounding of cash."""

    charged: Decimal  # at the quantities ordered
    removed: Decimal  # before it was paid, or in exchange
    given_back: Decimal
    goods_back: Decimal  # what the lines of all refunds are worth
    taken: frozenset[Decimal]  # what some or all of what edits ever took out is worth

    @property
    def left(self) -> Decimal:
        return self.charged - self.removed - self.given_back


def some_of(amounts: Sequence[Decimal]) -> frozenset[Decimal]:
    """Every sum of some of them; of very many only of those that came first."""
    found = {ZERO}
    for place, one in enumerate(amounts):
        before = found if place < _MANY else {sum(amounts[:place], ZERO)}
        found = found | {amount + one for amount in before}
    return frozenset(found)


#: Of a cancelled order: money came, and not all of it went back.
_KEEPS: Final = frozenset({"paid", "partially_refunded", "partially_paid"})


def of_cancelled(
    order: Order, sums: Sums, reckoning: Reckoning, due: Decimal, doubts: list[str]
) -> PaymentState:
    """Cancelling alone gives nothing back: what was kept is paid, and a person says what it is."""
    net = order.net_payment
    if order.status not in _KEEPS or reckoning.under_way or due <= 0:
        return PaymentState.CANCELLED
    if net is not None and net <= 0:
        return PaymentState.CANCELLED
    whole = order.status != "partially_paid"
    if whole and (net == sums.left or (net is None and not reckoning.removed)):
        doubts.append(
            f"El pedido se canceló y no se ha devuelto {due:.2f}: registra el reembolso en Shopify;"
            " si te quedas con el dinero, acepta la venta para que se pueda facturar."
        )
        return PaymentState.PAID
    told = "parte del dinero" if net is None else f"{net:.2f} de {sums.left:.2f}"
    doubts.append(f"El pedido se canceló y se conserva {told}: devuélvelo o factúralo aparte.")
    return PaymentState.UNKNOWN


def contradictions(
    order: Order, sums: Sums, reckoning: Reckoning, state: PaymentState
) -> list[str]:
    found = _of_total(order, sums)
    if abs(order.rounding) > MAX_ROUNDING:
        found.append(f"El redondeo de efectivo ({order.rounding:.2f}) es demasiado grande.")
    # Goods went before their money did: nothing adds up until it is there.
    if order.cancelled or reckoning.under_way:
        return found
    found += _of_what_is_left(order, sums)
    if state is PaymentState.PAID:
        found += _of_payments(order, sums, reckoning)
    return found


def _of_total(order: Order, sums: Sums) -> list[str]:
    """Whether the total goes down by an edit is not documented: it may."""
    if order.total in {sums.charged - one for one in (sums.removed, *sums.taken)}:
        return []
    return [f"Los renglones suman {sums.charged:.2f} y el total del pedido es {order.total:.2f}."]


def _of_what_is_left(order: Order, sums: Sums) -> list[str]:
    """The platform's own words may leave out what a refund gave beyond its lines."""
    either = {sums.left, sums.charged - sums.goods_back}
    found = []
    if order.current_total is not None and order.current_total not in either:
        found.append(
            f"Después de cambios y reembolsos quedan {sums.left:.2f}, y el pedido dice"
            f" {order.current_total:.2f}."
        )
    if order.ledger is not None and order.ledger not in either:
        found.append(f"El libro del pedido suma {order.ledger:.2f}, y quedan {sums.left:.2f}.")
    return found


def _of_payments(order: Order, sums: Sums, reckoning: Reckoning) -> list[str]:
    """Of what is paid, what was kept is what is left of the sale."""
    found = []
    if order.outstanding:
        what = "por cobrar" if order.outstanding > 0 else "por devolver"
        found.append(f"Quedan {abs(order.outstanding):.2f} {what} en el pedido.")
    elif order.net_payment is not None and order.net_payment != sums.left:
        found.append(
            f"Se cobraron {order.net_payment:.2f} netos y lo vendido suma {sums.left:.2f}."
        )
    if order.transactions is not None and not found:
        found += _of_transactions(order, sums, reckoning)
    return found


def _of_transactions(order: Order, sums: Sums, reckoning: Reckoning) -> list[str]:
    """The transactions one by one, not the platform's sum of them."""
    done = [one for one in order.transactions or () if one.status == "success"]
    received = sum((one.amount for one in done if one.kind in {"sale", "capture"}), ZERO)
    received -= sum((one.amount for one in done if one.kind == "change"), ZERO)
    net = received - reckoning.money
    if net == sums.left:
        return []
    return [f"Los pagos menos lo devuelto suman {net:.2f}, y lo vendido suma {sums.left:.2f}."]
