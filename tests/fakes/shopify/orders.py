"""Orders of a shop that is played: made, paid, edited, given back and cancelled by Shopify's rules.

An order is kept as the Admin API tells it (a dict with every field of `admin.graphql`, lists
whole); `rest.py` tells the same as webhooks do. Prices include their taxes; the tax of a line is
rounded once, on the line: `round(total · rate / (1 + rate), 2)`.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

CENT = Decimal("0.01")
GID = "gid://shopify/"
Order = dict[str, Any]


@dataclass(frozen=True)
class Item:
    title: str
    price: Decimal
    quantity: int = 1
    rate: Decimal = Decimal("0.16")
    discount: Decimal = Decimal(0)
    sku: str = ""
    gift_card: bool = False


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def bag(amount: Decimal) -> dict[str, Any]:
    money = {"amount": f"{cents(amount)}", "currencyCode": "MXN"}
    return {"shopMoney": money, "presentmentMoney": dict(money)}


def amount_of(told: dict[str, Any]) -> Decimal:
    return Decimal(told["shopMoney"]["amount"])


def text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def instant(told: str) -> datetime:
    return datetime.fromisoformat(told)


def taxes_of(total: Decimal, rate: Decimal) -> list[dict[str, Any]]:
    if not rate:
        return []
    tax = cents(total * rate / (1 + rate))
    return [{"title": "IVA", "rate": float(rate), "channelLiable": False, "priceSet": bag(tax)}]


class Ledger:
    """Makes orders and what happens to them. Ids grow, as Shopify's do."""

    def __init__(self, first: int = 5_500_000_000_001) -> None:
        self.last = first
        self.products: dict[str, str] = {}

    def number(self) -> int:
        self.last += 1
        return self.last

    def id(self, kind: str) -> str:
        return f"{GID}{kind}/{self.number()}"

    def _product(self, name: str) -> str:
        """One thing keeps its id from sale to sale."""
        return self.products.setdefault(name, self.id("Product"))

    def sell(
        self,
        items: list[Item],
        at: datetime,
        *,
        shipping: Decimal = Decimal(0),
        tip: Decimal = Decimal(0),
        paid: bool = True,
        gateway: str = "shopify_payments",
        test: bool = False,
    ) -> Order:
        number = self.number()
        lines = [self._line(item) for item in items]
        goods = sum((i.price * i.quantity - i.discount for i in items), Decimal(0))
        order = self._head(number, at, test=test)
        order |= {
            "lineItems": lines,
            "shippingLines": [self._shipping(shipping)] if shipping else [],
            "totalTipReceivedSet": bag(tip),
            "totalPriceSet": bag(goods + shipping + tip),
            "subtotalPriceSet": bag(goods),
            "agreements": [],
        }
        order["agreements"].append(self._agreement("OrderAgreement", "ORDER", at, order))
        if tip:
            self._tip(order, tip)
        self._settle(order)
        if paid:
            self.pay(order, at, gateway=gateway)
        return order

    def pay(self, order: Order, at: datetime, *, gateway: str = "shopify_payments") -> None:
        owed = amount_of(order["totalOutstandingSet"])
        if owed <= 0:
            return
        order["transactions"].append(self._transaction("SALE", owed, at, gateway))
        order["paymentGatewayNames"] = sorted({*order["paymentGatewayNames"], gateway})
        self._settle(order)

    def refund(
        self,
        order: Order,
        at: datetime,
        *,
        lines: dict[str, int] | None = None,
        shipping: bool = False,
        amount: Decimal | None = None,
        note: str = "",
    ) -> dict[str, Any]:
        """By lines (their ids and how many pieces), the shipping, or only an amount."""
        refund = self._empty_refund(at, note)
        for line in order["lineItems"]:
            if count := (lines or {}).get(line["id"], 0):
                refund["refundLineItems"].append(self._returned(line, count))
                line["currentQuantity"] -= count
        if shipping:
            refund["refundShippingLines"] += [
                self._returned_shipping(one) for one in order["shippingLines"]
            ]
        worth = sum(
            (amount_of(one["subtotalSet"]) for one in refund["refundLineItems"]), Decimal(0)
        ) + sum(
            (amount_of(one["subtotalAmountSet"]) for one in refund["refundShippingLines"]),
            Decimal(0),
        )
        given = worth if amount is None else amount
        if given != worth:
            refund["orderAdjustments"].append(self._adjustment(worth - given))
        if given:
            back = self._transaction("REFUND", given, at, order["transactions"][-1]["gateway"])
            back["parentTransaction"] = {"id": order["transactions"][0]["id"]}
            refund["transactions"].append(back)
            order["transactions"].append(back)
        refund["totalRefundedSet"] = bag(given)
        order["refunds"].append(refund)
        order["agreements"].append(self._given_back(refund, at, given))
        self._settle(order)
        return refund

    def cancel(self, order: Order, at: datetime) -> dict[str, Any] | None:
        """All that is left is given back."""
        order["cancelledAt"] = text(at)
        left = {one["id"]: one["currentQuantity"] for one in order["lineItems"]}
        paid = amount_of(order["netPaymentSet"]) > 0
        refund = self.refund(order, at, lines=left, shipping=True) if paid else None
        self._settle(order)
        return refund

    def edit(self, order: Order, at: datetime, *, add: Item | None = None) -> None:
        """A line more; what it costs is outstanding."""
        order["edited"] = True
        if add is not None:
            line = self._line(add)
            order["lineItems"].append(line)
            total = add.price * add.quantity - add.discount
            for name in ("totalPriceSet", "subtotalPriceSet"):
                order[name] = bag(amount_of(order[name]) + total)
            agreement = self._agreement(
                "OrderEditAgreement", "ORDER_EDIT", at, {"lineItems": [line]}
            )
            order["agreements"].append(agreement)
        self._settle(order)

    def _settle(self, order: Order) -> None:
        def moved(*kinds: str) -> Decimal:
            done = [one for one in order["transactions"] if one["kind"] in kinds]
            return sum((amount_of(one["amountSet"]) for one in done), Decimal(0))

        paid, back = moved("SALE", "CAPTURE"), moved("REFUND")
        total = amount_of(order["totalPriceSet"])
        order["netPaymentSet"] = bag(paid - back)
        order["currentTotalPriceSet"] = bag(total - back)
        order["totalOutstandingSet"] = bag(Decimal(0) if order["cancelledAt"] else total - paid)
        order["transactionsCount"] = {
            "count": len(order["transactions"]),
            "precision": "EXACT",
        }
        order["displayFinancialStatus"] = _status(total, paid, back, bool(order["cancelledAt"]))

    def _head(self, number: int, at: datetime, *, test: bool) -> Order:
        return {
            "id": f"{GID}Order/{number}",
            "legacyResourceId": str(number),
            "name": f"#{number % 10_000}",
            "confirmationNumber": f"C{number:08d}"[-9:].replace("0", "K"),
            "createdAt": text(at),
            "processedAt": text(at),
            "updatedAt": text(at),
            "cancelledAt": None,
            "test": test,
            "edited": False,
            "sourceName": "web",
            "currencyCode": "MXN",
            "presentmentCurrencyCode": "MXN",
            "taxesIncluded": True,
            "dutiesIncluded": False,
            "estimatedTaxes": False,
            "paymentGatewayNames": [],
            "email": "cliente@tienda.example",
            "phone": None,
            "customAttributes": [],
            "localizedFields": [],
            "merchantBusinessEntity": ENTITY,
            "merchantOfRecordApp": None,
            "disputes": [],
            "totalCashRoundingAdjustment": {
                "paymentSet": bag(Decimal(0)),
                "refundSet": bag(Decimal(0)),
            },
            "additionalFees": [],
            "billingAddress": None,
            "customer": {"id": f"{GID}Customer/{7_700_000_000_000 + number % 97}"},
            "paymentTerms": None,
            "transactions": [],
            "refunds": [],
            "metafields": {},
        }

    def _line(self, item: Item) -> dict[str, Any]:
        total = item.price * item.quantity - item.discount
        off = [{"allocatedAmountSet": bag(item.discount)}] if item.discount else []
        return {
            "id": self.id("LineItem"),
            "name": item.title,
            "sku": item.sku,
            "quantity": item.quantity,
            "currentQuantity": item.quantity,
            "isGiftCard": item.gift_card,
            "product": {"id": self._product(item.sku or item.title)},
            "originalUnitPriceSet": bag(item.price),
            "discountAllocations": off,
            "taxLines": taxes_of(total, Decimal(0) if item.gift_card else item.rate),
            "duties": [],
        }

    def _tip(self, order: Order, tip: Decimal) -> None:
        line = self._line(Item("Tip", tip, rate=Decimal(0)))
        line["product"] = None
        order["lineItems"].append(line)
        sale = self._sale("TipSale", "TIP", 1, tip)
        order["agreements"][0]["sales"].append({**sale, "lineItem": {"id": line["id"]}})

    def _shipping(self, price: Decimal) -> dict[str, Any]:
        return {
            "id": self.id("ShippingLine"),
            "title": "Envío",
            "code": "standard",
            "isRemoved": False,
            "originalPriceSet": bag(price),
            "discountAllocations": [],
            "taxLines": taxes_of(price, Decimal("0.16")),
        }

    def _transaction(
        self, kind: str, amount: Decimal, at: datetime, gateway: str
    ) -> dict[str, Any]:
        return {
            "id": self.id("OrderTransaction"),
            "kind": kind,
            "status": "SUCCESS",
            "gateway": gateway,
            "formattedGateway": gateway.replace("_", " ").title(),
            "test": False,
            "processedAt": text(at),
            "amountSet": bag(amount),
            "amountRoundingSet": None,
            "parentTransaction": None,
        }

    def _empty_refund(self, at: datetime, note: str) -> dict[str, Any]:
        number = self.number()
        return {
            "id": f"{GID}Refund/{number}",
            "legacyResourceId": str(number),
            "createdAt": text(at),
            "processedAt": text(at),
            "note": note,
            "refundLineItems": [],
            "refundShippingLines": [],
            "orderAdjustments": [],
            "duties": [],
            "transactions": [],
        }

    def _returned(self, line: dict[str, Any], count: int) -> dict[str, Any]:
        whole = amount_of(line["originalUnitPriceSet"]) * line["quantity"]
        off = sum(
            (amount_of(x["allocatedAmountSet"]) for x in line["discountAllocations"]), Decimal(0)
        )
        tax = sum((amount_of(x["priceSet"]) for x in line["taxLines"]), Decimal(0))
        share = Decimal(count) / line["quantity"]
        return {
            "id": self.id("RefundLineItem"),
            "quantity": count,
            "restockType": "RETURN",
            "lineItem": line,
            "subtotalSet": bag((whole - off) * share),
            "totalTaxSet": bag(tax * share),
        }

    def _returned_shipping(self, line: dict[str, Any]) -> dict[str, Any]:
        tax = sum((amount_of(x["priceSet"]) for x in line["taxLines"]), Decimal(0))
        return {
            "id": self.id("RefundShippingLine"),
            "shippingLine": line,
            "subtotalAmountSet": line["originalPriceSet"],
            "taxAmountSet": bag(tax),
        }

    def _adjustment(self, amount: Decimal) -> dict[str, Any]:
        return {
            "id": self.id("OrderAdjustment"),
            "reason": "REFUND_DISCREPANCY",
            "amountSet": bag(amount),
            "taxAmountSet": bag(Decimal(0)),
        }

    def _sale(self, kind: str, line_type: str, quantity: int, total: Decimal) -> dict[str, Any]:
        return {
            "__typename": kind,
            "id": self.id("Sale"),
            "actionType": "ORDER" if total >= 0 else "RETURN",
            "lineType": line_type,
            "quantity": quantity,
            "totalAmount": bag(total),
        }

    def _agreement(self, kind: str, reason: str, at: datetime, order: Order) -> dict[str, Any]:
        sales = []
        for line in order["lineItems"]:
            off = sum(
                (amount_of(x["allocatedAmountSet"]) for x in line["discountAllocations"]),
                Decimal(0),
            )
            total = amount_of(line["originalUnitPriceSet"]) * line["quantity"] - off
            sales.append(self._sale("ProductSale", "PRODUCT", line["quantity"], total))
        for line in order.get("shippingLines", ()):
            total = amount_of(line["originalPriceSet"])
            sales.append(self._sale("ShippingLineSale", "SHIPPING", 1, total))
        return self._agreed(kind, reason, at, sales)

    def _given_back(self, refund: dict[str, Any], at: datetime, given: Decimal) -> dict[str, Any]:
        sales = [
            self._sale("ProductSale", "PRODUCT", -one["quantity"], -amount_of(one["subtotalSet"]))
            for one in refund["refundLineItems"]
        ]
        sales += [
            self._sale("ShippingLineSale", "SHIPPING", -1, -amount_of(one["subtotalAmountSet"]))
            for one in refund["refundShippingLines"]
        ]
        rest = -given - sum((amount_of(one["totalAmount"]) for one in sales), Decimal(0))
        if rest:
            sales.append(self._sale("AdjustmentSale", "ADJUSTMENT", 0, rest))
        return self._agreed("RefundAgreement", "REFUND", at, sales)

    def _agreed(self, kind: str, reason: str, at: datetime, sales: list[Any]) -> dict[str, Any]:
        return {
            "__typename": kind,
            "id": self.id("SalesAgreement"),
            "happenedAt": text(at),
            "reason": reason,
            "sales": sales,
        }


ENTITY = {
    "id": f"{GID}BusinessEntity/MQ",
    "legalEntityId": None,
    "primary": True,
}


def touched(order: Order, now: datetime) -> None:
    """A change: the instant of an order moves on by a second at least."""
    last = instant(order["updatedAt"])
    order["updatedAt"] = text(max(now, last + timedelta(seconds=1)))


def frozen(order: Order) -> Order:
    return copy.deepcopy(order)


def _status(total: Decimal, paid: Decimal, back: Decimal, cancelled: bool) -> str:
    if back and back >= paid:
        return "REFUNDED"
    if back:
        return "PARTIALLY_REFUNDED"
    if paid >= total and paid > 0:
        return "PAID"
    if cancelled:
        return "VOIDED"
    return "PARTIALLY_PAID" if paid else "PENDING"
