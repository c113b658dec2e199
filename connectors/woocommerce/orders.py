"""An order of WooCommerce as a `Sale`. Pure. Why each field is read as it is: README.md."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from connectors.contract import DeliveryUnreadable
from connectors.reader import Reader
from connectors.woocommerce import fees
from connectors.woocommerce.buyer import buyer_of
from connectors.woocommerce.lines import CENT, ZERO, description, lines_of, money, unit_of
from connectors.woocommerce.refunds import refunds_of
from hub.domain.sale import Payment, PaymentState, Sale, SaleLine

#: https://woocommerce.com/document/managing-orders/order-statuses/
_STATES: Final = {
    "pending": PaymentState.PENDING,
    "on-hold": PaymentState.PENDING,
    "failed": PaymentState.PENDING,
    "checkout-draft": PaymentState.PENDING,
    "cancelled": PaymentState.CANCELLED,
    "trash": PaymentState.CANCELLED,
    "refunded": PaymentState.REFUNDED,
}
_PAID_STATUSES: Final = frozenset({"processing", "completed"})
#: Decimals that WooCommerce stores amounts with.
_STORED: Final = 6
_CURRENCY: Final = re.compile(r"[A-Z]{3}")


def sale_of(document: Reader, settings: Mapping[str, Any]) -> Sale:
    """Of what `fetch` returned ({"order", "refunds"}) or of an order as it was delivered."""
    fetched = document.at("order")
    order = fetched if fetched.value is not None else document
    order.names()
    doubts: list[str] = []
    lines = fees.lower(lines_of(order, doubts), order, doubts)
    total = money(order, "total")
    unit = unit_of(order)
    fine = len(order.text("total").partition(".")[2]) >= _STORED
    _check_sum(lines, total, unit, doubts, fine=fine)
    status = order.text("status")
    paid_at = order.instant_gmt("date_paid_gmt")
    key = order.text("id")
    refunds = refunds_of(document, order, lines)
    state = _payment_state(status, paid_at, settings, doubts)
    due = total - sum((refund.total for refund in refunds), ZERO)
    if state is PaymentState.CANCELLED and paid_at and due > 0:
        # Cancelling gives nothing back, and the date of payment outlives it.
        state = PaymentState.PAID
        doubts.append(
            f"El pedido se canceló después de pagado y no se ha devuelto {due:.2f}: registra el"
            " reembolso en la tienda; si te quedas con el dinero, acepta la venta para que se pueda"
            " facturar."
        )
    return Sale(
        key=key,
        number=order.text("number", "") or key,
        revision=_revision(order),
        placed_at=_placed_at(order),
        paid_at=paid_at,
        payment_state=state,
        currency=_currency(order),
        total=total,
        lines=lines,
        payments=_payments(order, total),
        refunds=refunds,
        buyer=buyer_of(order),
        status=status,
        rounds_to=unit if unit > CENT else None,
        unverified=order is document,
        doubts=tuple(doubts),
    )


def _placed_at(order: Reader) -> datetime:
    placed_at = order.instant_gmt("date_created_gmt")
    if placed_at is None:
        raise DeliveryUnreadable("date_created_gmt is missing")
    return placed_at


def _revision(order: Reader) -> int:
    """Seconds: WooCommerce keeps no finer ones, so two changes can share a revision."""
    return int((order.instant_gmt("date_modified_gmt") or _placed_at(order)).timestamp())


def _currency(order: Reader) -> str:
    currency = order.text("currency").upper()
    if not _CURRENCY.fullmatch(currency):
        raise DeliveryUnreadable("currency is not a code of three letters")
    return currency


def _payment_state(
    status: str, paid_at: datetime | None, settings: Mapping[str, Any], doubts: list[str]
) -> PaymentState:
    """Paid is said by the date and the status together: a date outlives cancelling, and
    cash on delivery is "processing" without one."""
    if status in _STATES:
        return _STATES[status]
    if status in _PAID_STATUSES | _extra_paid(settings):
        return PaymentState.PAID if paid_at else PaymentState.PENDING
    doubts.append(f"Estado de pedido desconocido: {status[:60]!r}.")
    return PaymentState.UNKNOWN


def _extra_paid(settings: Mapping[str, Any]) -> frozenset[str]:
    """The merchant's own statuses, with or without the "wc-" that WordPress stores them with."""
    given = settings.get("extra_paid_statuses") or ()
    return frozenset(str(status).removeprefix("wc-") for status in given)


def _payments(order: Reader, total: Decimal) -> tuple[Payment, ...]:
    """One, if the order names a method: WooCommerce knows no split payments."""
    method = order.text("payment_method", "")
    if not method or total == 0:
        return ()
    label = description(order.text("payment_method_title", ""))
    return (Payment(method=method, amount=total, label=label),)


def _check_sum(
    lines: tuple[SaleLine, ...],
    total: Decimal,
    unit: Decimal,
    doubts: list[str],
    *,
    fine: bool,
) -> None:
    """A doubt if the lines miss the total by more than rounding explains.

    Each amount of a line (net, each tax) and the total itself may have been rounded by itself to
    `unit`, cents mostly, so each may be half of one off. Anything more was charged or given
    outside the lines. What was rounded leaves fractions of the unit: a line without any explains
    no gap, be it whole by chance or not. With fewer decimals than are stored (`dp`, six where it
    was fetched) fractions of a cent cannot be seen.
    """
    blind = unit <= CENT and not fine
    rounded = [line for line in lines if blind or _is_fraction(line, unit)]
    amounts = sum(1 + len(line.taxes) for line in rounded) + (1 if rounded or blind else 0)
    gap = sum((line.total for line in lines), ZERO) - total
    if abs(gap) > unit / 2 * amounts:
        doubts.append(f"Los renglones difieren del total cobrado por {abs(gap):.2f}.")


def _is_fraction(line: SaleLine, unit: Decimal) -> bool:
    return any(amount % unit for amount in (line.base, *(tax.amount for tax in line.taxes)))
