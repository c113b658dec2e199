"""How it was paid, whether, and when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from connectors.shopify.lines import described
from connectors.shopify.money import ZERO
from connectors.shopify.order import Order, Transaction
from hub.domain.sale import Payment, PaymentState

#: https://shopify.dev/docs/api/admin-graphql/latest/enums/OrderDisplayFinancialStatus
_STATES: Final = {
    "paid": PaymentState.PAID,
    "partially_refunded": PaymentState.PAID,
    "refunded": PaymentState.REFUNDED,
    "pending": PaymentState.PENDING,
    "authorized": PaymentState.PENDING,
    "partially_paid": PaymentState.PENDING,
    "expired": PaymentState.CANCELLED,
    "voided": PaymentState.CANCELLED,
}
#: An order that was processed so long before it was made was brought from elsewhere:
#: https://shopify.dev/docs/api/admin-graphql/latest/objects/Order#field-Order.fields.processedAt
BROUGHT: Final = timedelta(days=1)
#: An authorization moves no money until it is captured.
_PAYS: Final = frozenset({"sale", "capture"})
#: Terms of which a buyer has the goods and owes the money. "Due on receipt" is no credit.
_CREDIT: Final = frozenset({"net", "fixed", "fulfillment"})
#: Point of Sale's cash drawer is c_FormaPago 01. A card is credit or debit, and nobody says which.
_CASH: Final = "cash"


def state_of(order: Order, doubts: list[str]) -> PaymentState:
    """A cancelled order is cancelled, unless it kept money (`checks.of_cancelled`)."""
    if order.cancelled:
        return PaymentState.CANCELLED
    if order.status in _STATES:
        return _STATES[order.status]
    doubts.append(f"Estado de pago desconocido: {order.status[:60]!r}.")
    return PaymentState.UNKNOWN


def payments_of(order: Order, charged: Decimal, doubts: list[str]) -> tuple[Payment, ...]:
    if order.transactions is not None:
        return tuple(_payments(order.transactions))
    return _told_by_name(order, charged, doubts)


def _payments(transactions: tuple[Transaction, ...]) -> list[Payment]:
    done = [one for one in transactions if one.status == "success"]
    change = [one for one in done if one.kind == "change"]
    found = []
    for one in done:
        if one.kind not in _PAYS:
            continue
        back = sum((other.amount for other in change if other.parent == one.key), ZERO)
        amount = one.amount + one.rounding - back
        if amount > 0:
            found.append(_payment(one, amount))
    return found


def _payment(one: Transaction, amount: Decimal) -> Payment:
    cash = one.gateway == _CASH
    label = described(one.label)
    return Payment(one.gateway, amount, label, "01" if cash else None, one.key, one.at)


def _told_by_name(order: Order, charged: Decimal, doubts: list[str]) -> tuple[Payment, ...]:
    """A delivered order names the gateways and not what was paid by each."""
    if order.status not in {"paid", "partially_refunded", "refunded"} or charged <= 0:
        return ()
    if len(order.gateways) == 1:
        cash = order.gateways[0] == _CASH
        return (Payment(order.gateways[0], charged, forma_pago="01" if cash else None),)
    if order.gateways:
        doubts.append("El pedido se pagó por varios medios y la copia no dice cuánto por cada uno.")
    return ()


def paid_at(order: Order, state: PaymentState, payments: tuple[Payment, ...]) -> datetime | None:
    """When the last payment came. A delivered order does not say; it came after it was placed."""
    if state not in {PaymentState.PAID, PaymentState.REFUNDED}:
        return None
    told = (payment.at for payment in payments if payment.at is not None)
    return last_paid(order.placed_at, order.processed_at, told)


def last_paid(placed_at: datetime, processed_at: datetime, told: Iterable[datetime]) -> datetime:
    """Of an order that was brought from elsewhere, with what had been paid for it there, the
    instants of its payments may be those at which they were typed in."""
    last = max(told, default=processed_at)
    brought = processed_at < placed_at - BROUGHT and last <= placed_at + BROUGHT
    return processed_at if brought else last


def credit_of(order: Order, state: PaymentState) -> tuple[bool, datetime | None]:
    """Whether it was sold on credit and is not wholly paid yet, and by when it is to be."""
    if state is not PaymentState.PENDING or order.terms is None or order.terms.kind not in _CREDIT:
        return False, None
    return True, order.terms.due_at
