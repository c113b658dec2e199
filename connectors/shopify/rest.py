"""An order as webhooks deliver it, in the shape of the retired REST API.

https://shopify.dev/docs/api/admin-rest/latest/resources/order
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from connectors.contract import DeliveryUnreadable
from connectors.reader import Reader
from connectors.shopify.money import (
    ZERO,
    Column,
    decimals_checked,
    of_pieces,
    rate_between,
    total_of,
)
from connectors.shopify.order import (
    Adjustment,
    Charge,
    GivenBack,
    Order,
    Returned,
    Tax,
    Terms,
    Transaction,
)
from connectors.shopify.reading import ONE, decoded, digits, instant, is_pending, last_due, texts

#: A line that has one of these, were it null, is a tip: a field present only on tips.
_TIP: Final = frozenset({"tip_payment_gateway", "tip_payment_method"})


def order_of(order: Reader, settings: Mapping[str, Any]) -> Order:
    """Raises `DeliveryUnreadable`."""
    shop = order.text("currency").upper()
    column = Column.of(shop, order.text("presentment_currency", shop).upper(), settings)
    placed_at = instant(order, "created_at")
    return Order(
        key=number_of(order, "id"),
        number=order.text("name", ""),
        placed_at=placed_at,
        processed_at=order.instant_gmt("processed_at") or placed_at,
        updated_at=order.instant_gmt("updated_at") or placed_at,
        cancelled=order.instant_gmt("cancelled_at") is not None,
        test=order.flag("test", default=False),
        currency=column.currency,
        taxes_included=order.flag("taxes_included", default=False),
        duties_included=order.flag("duties_included", default=False),
        estimated_taxes=order.flag("estimated_taxes", default=False),
        status=order.text("financial_status", "").lower(),
        gateways=tuple(texts(order, "payment_gateway_names")),
        charges=(*_items(order, column), *_others(order, column)),
        refunds=tuple(_refund(one, column) for one in order.items("refunds")),
        total=column.of_set(order, "total_price"),
        current_total=_if_told(order, "current_total_price", column),
        outstanding=_outstanding(order, column),
        tip=_tip(order, column),
        rounding=_rounding(order, column),
        entity=_entity(order.text("merchant_business_entity_id", "")),
        seller_of_record=order.text("merchant_of_record_app_id", ""),
        terms=_terms(order.at("payment_terms")),
        exchange_rate=_rate(order, column, shop),
    )


def _entity(key: str) -> frozenset[str]:
    return frozenset({key}) | decoded(key) if key else frozenset()


def number_of(place: Reader, name: str) -> str:
    return digits(place.text(name), place.at(name))


def _if_told(order: Reader, name: str, column: Column) -> Decimal | None:
    told = order.has(f"{name}_set") or (column.bare and order.has(name))
    return column.of_set(order, name) if told else None


def _outstanding(order: Reader, column: Column) -> Decimal | None:
    """It has no set: it is told in the currency of the shop alone."""
    return _if_told(order, "total_outstanding", column)


def _tip(order: Reader, column: Column) -> Decimal:
    """Without a set; where it is in another currency the line of the tip tells it."""
    return _if_told(order, "total_tip_received", column) or ZERO


def _rounding(order: Reader, column: Column) -> Decimal:
    return column.of_set(order, "total_cash_rounding_payment_adjustment", ZERO)


def taxes_of(place: Reader, column: Column) -> tuple[Tax, ...]:
    return tuple(
        Tax(
            title=" ".join(one.text("title", "").split()),
            rate=one.decimal("rate") if one.has("rate") else None,
            amount=column.of_set(one, "price"),
            channel_liable=one.flag("channel_liable", default=False),
        )
        for one in place.items("tax_lines")
    )


def _discount(place: Reader, column: Column) -> Decimal:
    """`total_discount` is "0.00" whatever was taken off: only the allocations tell."""
    return total_of(column.of_set(one, "amount") for one in place.items("discount_allocations"))


def _items(order: Reader, column: Column) -> Iterator[Charge]:
    for item in order.items("line_items"):
        key, quantity = number_of(item, "id"), item.decimal("quantity", ONE)
        gift_card = item.flag("gift_card", default=False)
        tip = bool(item.names() & _TIP)
        yield Charge(
            key=key,
            kind="tip" if tip else "gift_card" if gift_card else "product",
            name=item.text("name", "") or item.text("title", ""),
            quantity=quantity,
            gross=of_pieces(column.of_set(item, "price"), quantity, item),
            discount=_discount(item, column),
            taxes=taxes_of(item, column),
            sku=item.text("sku", ""),
            product=item.text("product_id", ""),
            current=item.decimal("current_quantity") if item.has("current_quantity") else None,
            custom=not item.has("product_id"),
        )
        yield from (_duty(duty, column) for duty in item.items("duties"))


def _duty(duty: Reader, column: Column) -> Charge:
    price = duty.at("price_set") if duty.has("price_set") else duty
    key = f"duty-{number_of(duty, 'id')}"
    return Charge(key, "duty", "", ONE, column.inside(price), taxes=taxes_of(duty, column))


def _others(order: Reader, column: Column) -> Iterator[Charge]:
    for line in order.items("shipping_lines"):
        yield Charge(
            key=f"shipping-{number_of(line, 'id')}",
            kind="shipping",
            name=line.text("title", ""),
            quantity=ONE,
            gross=column.of_set(line, "price"),
            discount=_discount(line, column),
            taxes=taxes_of(line, column),
            product=line.text("code", ""),
            current=ZERO if line.flag("is_removed", default=False) else None,
        )
    for fee in order.items("additional_fees"):
        key, name = f"fee-{number_of(fee, 'id')}", fee.text("name", "")
        amount = column.of_set(fee, "price")
        yield Charge(key, "fee", name, ONE, amount, taxes=taxes_of(fee, column))


def _refund(refund: Reader, column: Column) -> GivenBack:
    by_line = [*refund.items("refund_shipping_lines")]
    returned = [_returned(one, column) for one in refund.items("refund_line_items")]
    returned += [_shipping_returned(one, column) for one in by_line]
    adjustments = []
    for one in refund.items("order_adjustments"):
        amount, tax = column.of_set(one, "amount"), column.of_set(one, "tax_amount", ZERO)
        # Before 2024-10 this was how a refund of shipping was told, without naming the line.
        if one.text("kind", "") == "shipping_refund":
            returned += [Returned("shipping-", ONE, -amount, -tax)] if not by_line else []
        else:
            adjustments.append(Adjustment(amount, tax, is_pending(one.text("reason", ""))))
    return GivenBack(
        key=number_of(refund, "id"),
        at=refund.instant_gmt("processed_at") or refund.instant_gmt("created_at"),
        note=refund.text("note", ""),
        returned=(*returned, *(_duty_returned(one, column) for one in refund.items("duties"))),
        adjustments=tuple(adjustments),
        transactions=tuple(_transaction(one, column) for one in refund.items("transactions")),
    )


def _returned(one: Reader, column: Column) -> Returned:
    return Returned(
        key=number_of(one, "line_item_id"),
        quantity=one.decimal("quantity", ZERO),
        subtotal=column.of_set(one, "subtotal"),
        tax=column.of_set(one, "total_tax", ZERO),
    )


def _shipping_returned(one: Reader, column: Column) -> Returned:
    return Returned(
        key=f"shipping-{number_of(one, 'shipping_line_id')}",
        quantity=ONE,
        subtotal=column.of_set(one, "subtotal_amount"),
        tax=column.of_set(one, "tax_amount", ZERO),
    )


def _duty_returned(one: Reader, column: Column) -> Returned:
    return Returned(f"duty-{number_of(one, 'duty_id')}", ONE, column.of_set(one, "amount"), ZERO)


def _transaction(one: Reader, column: Column) -> Transaction:
    if one.text("currency", column.currency).upper() != column.currency:
        raise DeliveryUnreadable(f"{one.path} is in another currency than the order is read in")
    return Transaction(
        key=number_of(one, "id"),
        kind=one.text("kind", "").lower(),
        status=one.text("status", "").lower(),
        gateway=one.text("gateway", ""),
        label="",
        amount=decimals_checked(one.decimal("amount"), one.at("amount")),
        rounding=column.of_set(one, "amount_rounding", ZERO),
        at=one.instant_gmt("processed_at"),
        parent=one.text("parent_id", ""),
    )


def _terms(terms: Reader) -> Terms | None:
    if terms.value is None:
        return None
    return Terms(
        terms.text("payment_terms_type", "").lower(),
        last_due(terms.items("payment_schedules"), "due_at", "completed_at"),
    )


def _rate(order: Reader, column: Column, shop: str) -> Decimal | None:
    if shop != "MXN" or column.currency == "MXN":
        return None
    bags = [order.at("total_price_set"), order.at("subtotal_price_set")]
    return rate_between(
        (bag.decimal("shop_money.amount"), bag.decimal("presentment_money.amount"))
        for bag in bags
        if bag.value is not None
    )
