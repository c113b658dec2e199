"""An order as the Admin API tells it, put together from the documents of `queries/`.

https://shopify.dev/docs/api/admin-graphql/latest/objects/Order
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from connectors.contract import DeliveryUnreadable
from connectors.reader import Reader
from connectors.shopify.money import ZERO, Column, of_pieces, rate_between, total_of
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
from connectors.shopify.reading import (
    ONE,
    digits,
    instant,
    is_pending,
    last_due,
    names_of_entity,
    nodes,
    tail,
    texts,
)


def order_of(order: Reader, settings: Mapping[str, Any]) -> Order:
    """Raises `DeliveryUnreadable`, also where a page of a list is missing."""
    shop, presentment = order.text("currencyCode"), order.text("presentmentCurrencyCode")
    column = Column.of(shop, presentment, settings)
    placed_at = instant(order, "createdAt")
    return Order(
        key=_key(order),
        number=order.text("name", ""),
        placed_at=placed_at,
        processed_at=order.instant_gmt("processedAt") or placed_at,
        updated_at=order.instant_gmt("updatedAt") or placed_at,
        cancelled=order.instant_gmt("cancelledAt") is not None,
        test=order.flag("test", default=False),
        currency=column.currency,
        taxes_included=order.flag("taxesIncluded"),
        duties_included=order.flag("dutiesIncluded", default=False),
        estimated_taxes=order.flag("estimatedTaxes", default=False),
        status=order.text("displayFinancialStatus", "").lower(),
        gateways=tuple(texts(order, "paymentGatewayNames")),
        charges=(*_items(order, column), *_others(order, column)),
        refunds=tuple(_refund(one, column) for one in order.items("refunds")),
        total=column.bag(order, "totalPriceSet"),
        current_total=_if_told(order, "currentTotalPriceSet", column),
        outstanding=_if_told(order, "totalOutstandingSet", column),
        tip=column.bag(order, "totalTipReceivedSet", ZERO),
        rounding=column.bag(order, "totalCashRoundingAdjustment.paymentSet", ZERO),
        entity=names_of_entity(order.at("merchantBusinessEntity")),
        seller_of_record=tail(order.text("merchantOfRecordApp.id", "")),
        terms=_terms(order.at("paymentTerms")),
        transactions=_transactions(order, column),
        net_payment=_if_told(order, "netPaymentSet", column),
        ledger=_ledger(order, column),
        return_fees=_return_fees(order, column),
        disputes=frozenset(one.text("status", "").lower() for one in order.items("disputes")),
        exchange_rate=_rate(order, column, shop),
    )


def _key(place: Reader) -> str:
    return digits(tail(place.text("id")), place.at("id"))


def _if_told(order: Reader, name: str, column: Column) -> Decimal | None:
    return column.bag(order, name) if order.has(name) else None


def _taxes(place: Reader, column: Column) -> tuple[Tax, ...]:
    return tuple(
        Tax(
            title=" ".join(one.text("title", "").split()),
            rate=one.decimal("rate") if one.has("rate") else None,
            amount=column.bag(one, "priceSet"),
            channel_liable=one.flag("channelLiable", default=False),
        )
        for one in place.items("taxLines")
    )


def _discount(place: Reader, column: Column) -> Decimal:
    return total_of(
        column.bag(one, "allocatedAmountSet") for one in place.items("discountAllocations")
    )


def _items(order: Reader, column: Column) -> Iterator[Charge]:
    tips = _tips(order)
    for item in nodes(order, "lineItems"):
        key, quantity = _key(item), item.decimal("quantity")
        gift_card = item.flag("isGiftCard", default=False)
        yield Charge(
            key=key,
            kind="tip" if key in tips else "gift_card" if gift_card else "product",
            name=item.text("name", ""),
            quantity=quantity,
            gross=of_pieces(column.bag(item, "originalUnitPriceSet"), quantity, item),
            discount=_discount(item, column),
            taxes=_taxes(item, column),
            sku=item.text("sku", ""),
            product=tail(item.text("product.id", "")),
            current=item.decimal("currentQuantity") if item.has("currentQuantity") else None,
            custom=not item.has("product.id"),
        )
        for duty in item.items("duties"):
            yield Charge(
                key=f"duty-{_key(duty)}",
                kind="duty",
                name="",
                quantity=ONE,
                gross=column.bag(duty, "price"),
                taxes=_taxes(duty, column),
            )


def _sales(order: Reader) -> Iterator[Reader]:
    for agreement in nodes(order, "agreements"):
        yield from nodes(agreement, "sales")


def _tips(order: Reader) -> frozenset[str]:
    """No field of a line says that it is a tip: the sale that the ledger has of it does."""
    return frozenset(
        _key(sale.at("lineItem"))
        for sale in _sales(order)
        if sale.text("lineType", "") == "TIP" and sale.has("lineItem.id")
    )


def _ledger(order: Reader, column: Column) -> Decimal | None:
    if not order.has("agreements"):
        return None
    return total_of(column.bag(sale, "totalAmount") for sale in _sales(order))


def _return_fees(order: Reader, column: Column) -> Decimal:
    """https://shopify.dev/docs/api/admin-graphql/latest/objects/FeeSale"""
    fees = (sale for sale in _sales(order) if sale.text("lineType", "") == "FEE")
    return total_of(column.bag(sale, "totalAmount") for sale in fees)


def _others(order: Reader, column: Column) -> Iterator[Charge]:
    for line in nodes(order, "shippingLines"):
        yield Charge(
            key=f"shipping-{_key(line)}",
            kind="shipping",
            name=line.text("title", ""),
            quantity=ONE,
            gross=column.bag(line, "originalPriceSet"),
            discount=_discount(line, column),
            taxes=_taxes(line, column),
            product=line.text("code", ""),
            current=ZERO if line.flag("isRemoved", default=False) else None,
        )
    for fee in order.items("additionalFees"):
        key, name = f"fee-{_key(fee)}", fee.text("name", "")
        yield Charge(key, "fee", name, ONE, column.bag(fee, "price"), taxes=_taxes(fee, column))


def _refund(refund: Reader, column: Column) -> GivenBack:
    returned = [
        Returned(
            _key(one.at("lineItem")),
            one.decimal("quantity", ZERO),
            column.bag(one, "subtotalSet"),
            column.bag(one, "totalTaxSet", ZERO),
        )
        for one in nodes(refund, "refundLineItems")
    ]
    returned += [
        Returned(
            f"shipping-{_key(one.at('shippingLine'))}",
            ONE,
            column.bag(one, "subtotalAmountSet"),
            column.bag(one, "taxAmountSet", ZERO),
        )
        for one in nodes(refund, "refundShippingLines")
    ]
    returned += [
        Returned(
            f"duty-{tail(one.text('originalDuty.id', ''))}",
            ONE,
            column.bag(one, "amountSet"),
            ZERO,
        )
        for one in refund.items("duties")
    ]
    return GivenBack(
        key=_key(refund),
        at=refund.instant_gmt("processedAt") or refund.instant_gmt("createdAt"),
        note=refund.text("note", ""),
        returned=tuple(returned),
        adjustments=tuple(_adjustment(one, column) for one in nodes(refund, "orderAdjustments")),
        transactions=tuple(_transaction(one, column) for one in nodes(refund, "transactions")),
    )


def _adjustment(one: Reader, column: Column) -> Adjustment:
    return Adjustment(
        column.bag(one, "amountSet"),
        column.bag(one, "taxAmountSet", ZERO),
        is_pending(one.text("reason", "")),
    )


def _transactions(order: Reader, column: Column) -> tuple[Transaction, ...]:
    found = nodes(order, "transactions")
    if order.decimal("transactionsCount.count", ZERO) > len(found):
        raise DeliveryUnreadable("transactions is not whole: there are more")
    return tuple(_transaction(one, column) for one in found)


def _transaction(one: Reader, column: Column) -> Transaction:
    gateway = one.text("gateway", "")
    return Transaction(
        key=_key(one),
        kind=one.text("kind", "").lower(),
        status=one.text("status", "").lower(),
        gateway=gateway,
        label=one.text("formattedGateway", ""),
        amount=column.bag(one, "amountSet"),
        rounding=column.bag(one, "amountRoundingSet", ZERO),
        at=one.instant_gmt("processedAt"),
        parent=tail(one.text("parentTransaction.id", "")),
    )


def _terms(terms: Reader) -> Terms | None:
    if terms.value is None:
        return None
    schedules = nodes(terms, "paymentSchedules")
    return Terms(
        terms.text("paymentTermsType", "").lower(), last_due(schedules, "dueAt", "completedAt")
    )


def _rate(order: Reader, column: Column, shop: str) -> Decimal | None:
    if shop != "MXN" or column.currency == "MXN":
        return None
    bags = [order.at("totalPriceSet"), order.at("subtotalPriceSet")]
    return rate_between(
        (bag.decimal("shopMoney.amount"), bag.decimal("presentmentMoney.amount"))
        for bag in bags
        if bag.value is not None
    )
