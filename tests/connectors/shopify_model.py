"""A model of Shopify's arithmetic, and what it makes of a basket in both shapes.

It was written from what Shopify documents and from recorded orders, and shares nothing with the
connector: taxes are rounded once for each line, a discount of the order is spread over the prices
of the lines after their own discounts, and the last line takes what rounding leaves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

D = Decimal
ZERO, ONE, CENT = D(0), D(1), D("0.01")
IVA = (("IVA", D("0.16")),)
FRONTERA = (("IVA", D("0.08")),)
EXEMPT: tuple[tuple[str, Decimal], ...] = ()
ZERO_RATE = (("IVA", D(0)),)
IEPS_IVA = (("IEPS", D("0.08")), ("IVA", D("0.16")))
GID = "gid://shopify"
SHOP = {
    "id": f"{GID}/Shop/548380009",
    "name": "Tienda",
    "myshopifyDomain": "tienda.myshopify.com",
    "currencyCode": "MXN",
    "ianaTimezone": "America/Mexico_City",
    "taxesIncluded": True,
    "plan": {"partnerDevelopment": False},
    "businessEntities": [
        {"id": f"{GID}/BusinessEntity/MTU0ODM4MDAwOQ", "legalEntityId": "77001", "primary": True},
        {"id": f"{GID}/BusinessEntity/MTU0ODM4MDAxMA", "legalEntityId": "77002", "primary": False},
    ],
}


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


@dataclass
class Line:
    """A line item, a shipping line or a fee."""

    id: int
    name: str
    price: Decimal
    quantity: int = 1
    rates: tuple[tuple[str, Decimal], ...] = IVA
    off: list[Decimal] = field(default_factory=list)
    kind: str = "product"
    sku: str = ""
    product: int | None = 7001
    removed: int = 0
    given: Decimal = ZERO
    given_tax: Decimal = ZERO
    duties: list[Line] = field(default_factory=list)
    channel_liable: bool = False
    hidden: bool = False

    @property
    def net(self) -> Decimal:
        return self.price * self.quantity - sum(self.off, ZERO)


@dataclass
class Basket:
    id: int = 5001
    included: bool = True
    currency: str = "MXN"
    shop_currency: str = "MXN"
    fx: Decimal = ONE
    status: str = "paid"
    lines: list[Line] = field(default_factory=list)
    shipping: list[Line] = field(default_factory=list)
    fees: list[Line] = field(default_factory=list)
    paid: list[dict[str, Any]] = field(default_factory=list)
    refunds: list[dict[str, Any]] = field(default_factory=list)
    ledger: list[tuple[str, list[tuple[str, Decimal, int | None]]]] = field(default_factory=list)
    rounding: Decimal = ZERO
    tip_outside: Decimal = ZERO
    head: dict[str, Any] = field(default_factory=dict)
    rest_head: dict[str, Any] = field(default_factory=dict)
    seconds: int = 0
    added: Decimal = ZERO

    # What happens in the shop.

    def add(self, name: str, price: str | Decimal, quantity: int = 1, **more: Any) -> Line:
        line = Line(9000 + len(self.lines), name, D(price), quantity, **more)
        self.lines.append(line)
        return line

    def ship(self, price: str | Decimal, *off: str, **more: Any) -> Line:
        line = Line(6000 + len(self.shipping), "Envío estándar", D(price), **more)
        line.off = [D(one) for one in off]
        self.shipping.append(line)
        return line

    def fee(self, name: str, price: str, **more: Any) -> None:
        self.fees.append(Line(4000 + len(self.fees), name, D(price), **more))

    def discount(self, amount: str | Decimal) -> None:
        """Off the whole order: by what each line costs now, the last takes the remainder."""
        some = [one for one in self.lines if one.kind == "product" and one.net > 0]
        whole = sum((one.net for one in some), ZERO)
        left = min(D(amount), whole)
        aim = left
        for one in some[:-1]:
            part = cents(aim * one.net / whole)
            part = min(part, left, one.net)
            one.off.append(part)
            left -= part
        if some:
            some[-1].off.append(min(left, some[-1].net))

    def taxes(self, line: Line, net: Decimal | None = None) -> list[Decimal]:
        """Once for the whole line; prices that include several taxes include their sum."""
        net = line.net if net is None else net
        if not self.included:
            return [cents(net * rate) for _, rate in line.rates]
        whole = 1 + sum((rate for _, rate in line.rates), ZERO)
        return [cents(net * rate / whole) for _, rate in line.rates]

    def worth(self, line: Line) -> Decimal:
        return line.net + (ZERO if self.included else sum(self.taxes(line), ZERO))

    @property
    def charges(self) -> list[Line]:
        duties = [duty for line in self.lines for duty in line.duties]
        shown = [one for one in self.shipping if not one.hidden]
        return [*self.lines, *duties, *shown, *self.fees]

    @property
    def total(self) -> Decimal:
        return sum((self.worth(one) for one in self.charges), ZERO) + self.tip_outside

    @property
    def current(self) -> Decimal:
        return sum((amount for _, sales in self.ledger for _, amount, _ in sales), ZERO)

    @property
    def tip(self) -> Decimal:
        tips = (one.net for one in self.lines if one.kind == "tip")
        return sum(tips, ZERO) + self.tip_outside

    def place(self) -> None:
        kinds = {"product": "PRODUCT", "tip": "TIP", "gift_card": "GIFT_CARD"}
        sales = [(kinds[one.kind], self.worth(one), one.id) for one in self.lines]
        sales += [("DUTY", self.worth(d), None) for one in self.lines for d in one.duties]
        sales += [("SHIPPING", self.worth(one), None) for one in self.shipping if not one.hidden]
        sales += [("ADDITIONAL_FEE", self.worth(one), None) for one in self.fees]
        if self.tip_outside:
            sales.append(("UNKNOWN", self.tip_outside, None))
        self.ledger.append(("ORDER", sales))

    def at(self) -> str:
        self.seconds += 60
        return f"2026-11-{20 + self.seconds // 3600:02d}T18:{self.seconds // 60 % 60:02d}:00Z"

    def pay(
        self, amount: str | Decimal | None = None, gateway: str = "shopify_payments", **more: Any
    ) -> None:
        if not self.ledger:
            self.place()
        due = self.current - self.received if amount is None else D(amount)
        number = 8000 + len(self.paid)
        told = {"id": number, "kind": "sale", "status": "success", "gateway": gateway}
        self.paid.append(told | {"amount": due, "at": self.at(), "rounding": ZERO} | more)

    @property
    def received(self) -> Decimal:
        done = [one for one in self.paid if one["status"] == "success"]
        into = sum((one["amount"] for one in done if one["kind"] in {"sale", "capture"}), ZERO)
        return into - sum((one["amount"] for one in done if one["kind"] == "change"), ZERO)

    @property
    def returned(self) -> Decimal:
        return sum((one["money"] for one in self.refunds if one["status"] == "success"), ZERO)

    def refund(
        self,
        pieces: Mapping[int, int] | None = None,
        *,
        shipping: str | Decimal | None = None,
        money: str | Decimal | None = None,
        reason: str = "REFUND_DISCREPANCY",
        adjust: bool = True,
        **more: Any,
    ) -> None:
        """Pieces of lines, shipping, or an amount alone; what differs is an adjustment."""
        back = [self._back(number, count) for number, count in (pieces or {}).items()]
        goods = sum((gross for _, _, gross, _ in back), ZERO)
        ship = D(shipping) if shipping is not None else ZERO
        ship_tax = self._tax_within(ship) if ship else ZERO
        goods += ship
        given = goods if money is None else D(money)
        told = {
            "id": 3000 + len(self.refunds),
            "at": self.at(),
            "back": back,
            "ship": ship,
            "ship_tax": ship_tax,
            "money": given,
            "adjustment": goods - given if adjust and goods != given else ZERO,
            "reason": reason,
            "status": "success",
            "gateway": "shopify_payments",
            "rounding": ZERO,
        }
        self.refunds.append(told | more)
        sales: list[tuple[str, Decimal, int | None]] = [
            (("TIP" if line.kind == "tip" else "PRODUCT"), -gross, line.id)
            for line, _, gross, _ in back
        ]
        if ship:
            sales.append(("SHIPPING", -ship, None))
        if told["adjustment"]:
            sales.append(("ADJUSTMENT", told["adjustment"], None))
        self.ledger.append(("REFUND", sales))

    def exchange(self, pieces: Mapping[int, int], name: str, price: str, **more: Any) -> None:
        """Goods for goods: only the difference moves, and no adjustment says so."""
        new = self.add(name, price)
        goods = sum((self._back(n, c, dry=True)[2] for n, c in pieces.items()), ZERO)
        left = max(goods - self.worth(new), ZERO)
        self.refund(pieces, money=left, adjust=False, **more)
        self.ledger[-1][1].append(("PRODUCT", self.worth(new), new.id))

    def return_for_a_fee(
        self, pieces: Mapping[int, int], fee: str, *, money: str | None = None
    ) -> None:
        """Shopify's returns charge a fee as a sale of its own; no adjustment tells of it."""
        goods = sum((self._back(n, c, dry=True)[2] for n, c in pieces.items()), ZERO)
        self.refund(pieces, money=goods - D(fee) if money is None else money, adjust=False)
        self.ledger[-1][1].append(("FEE", D(fee), None))

    def edit_in(self, name: str, price: str, **more: Any) -> None:
        new = self.add(name, price, **more)
        self.ledger.append(("ORDER_EDIT", [("PRODUCT", self.worth(new), new.id)]))

    def ship_no_more(self) -> None:
        """An edit takes the shipping out; no refund tells of it."""
        line = self.shipping[0]
        line.hidden = True
        self.ledger.append(("ORDER_EDIT", [("SHIPPING", -self.worth(line), None)]))

    def _tax_within(self, gross: Decimal) -> Decimal:
        line = self.shipping[0]
        whole = sum(self.taxes(line), ZERO)
        return cents(gross * whole / self.worth(line)) if self.worth(line) else ZERO

    def _back(
        self, number: int, count: int, *, dry: bool = False
    ) -> tuple[Line, int, Decimal, Decimal]:
        line = next(one for one in self.lines if one.id == number)
        gone = line.removed + count
        gross = cents(self.worth(line) * gone / line.quantity) - line.given
        tax = cents(sum(self.taxes(line), ZERO) * gone / line.quantity) - line.given_tax
        if not dry:
            line.removed, line.given, line.given_tax = (
                gone,
                line.given + gross,
                line.given_tax + tax,
            )
        return line, count, gross, tax

    # The two shapes.

    def bag(self, amount: Decimal) -> dict[str, Any]:
        return {
            "shopMoney": self.money(cents(amount * self.fx), self.shop_currency),
            "presentmentMoney": self.money(amount, self.currency),
        }

    def money(self, amount: Decimal, currency: str) -> dict[str, Any]:
        return {"amount": f"{amount:.2f}", "currencyCode": currency}

    def set_(self, amount: Decimal) -> dict[str, Any]:
        bag = self.bag(amount)
        return {
            f"{side}_money": {
                "amount": bag[f"{side}Money"]["amount"],
                "currency_code": bag[f"{side}Money"]["currencyCode"],
            }
            for side in ("shop", "presentment")
        }

    def told(self, name: str, amount: Decimal) -> dict[str, Any]:
        return {name: f"{cents(amount * self.fx):.2f}", f"{name}_set": self.set_(amount)}

    def graphql(self) -> dict[str, Any]:
        order = {
            "id": f"{GID}/Order/{self.id}",
            "legacyResourceId": str(self.id),
            "name": f"#{self.id - 4000}",
            "confirmationNumber": "XPAV284CT",
            "createdAt": "2026-11-20T18:00:00Z",
            "processedAt": "2026-11-20T18:00:00Z",
            "updatedAt": f"2026-11-21T18:{self.seconds // 60:02d}:00Z",
            "cancelledAt": None,
            "test": False,
            "edited": any(kind == "ORDER_EDIT" for kind, _ in self.ledger),
            "sourceName": "web",
            "currencyCode": self.shop_currency,
            "presentmentCurrencyCode": self.currency,
            "taxesIncluded": self.included,
            "dutiesIncluded": False,
            "estimatedTaxes": False,
            "displayFinancialStatus": self.status.upper(),
            "paymentGatewayNames": self._gateways(),
            "email": None,
            "phone": None,
            "customAttributes": [],
            "localizedFields": {"nodes": [], "pageInfo": {"hasNextPage": False}},
            "merchantBusinessEntity": dict(SHOP["businessEntities"][0]),  # type: ignore[index,arg-type] # a list of dicts
            "merchantOfRecordApp": None,
            "disputes": [],
            "totalPriceSet": self.bag(self.total),
            "subtotalPriceSet": self.bag(sum((one.net for one in self.lines), ZERO)),
            "currentTotalPriceSet": self.bag(self.current),
            "totalTipReceivedSet": self.bag(self.tip),
            "totalOutstandingSet": self.bag(self.current - self.received + self.returned),
            "netPaymentSet": self.bag(self.received - self.returned),
            "totalCashRoundingAdjustment": {
                "paymentSet": self.bag(self.rounding),
                "refundSet": self.bag(sum((one["rounding"] for one in self.refunds), ZERO)),
            },
            "additionalFees": [
                {
                    "id": f"{GID}/AdditionalFee/{one.id}",
                    "name": one.name,
                    "price": self.bag(one.net),
                    "taxLines": self._tax_lines(one),
                }
                for one in self.fees
            ],
            "billingAddress": None,
            "customer": None,
            "paymentTerms": None,
            "shippingLines": {"nodes": [self._shipping(one) for one in self.shipping]},
            "transactionsCount": {"count": len(self._transactions()), "precision": "EXACT"},
            "transactions": self._transactions(),
            "refunds": [self._refund(one) for one in self.refunds],
            "lineItems": {"nodes": [self._item(one) for one in self.lines]},
            "agreements": {"nodes": self._agreements()},
        }
        return {
            "shape": "graphql",
            "api_version": "2026-10",
            "order": order | self.head,
            "shop": dict(SHOP),
        }

    def _gateways(self) -> list[str]:
        return list(dict.fromkeys(one["gateway"] for one in self.paid))

    def _tax_lines(self, line: Line) -> list[dict[str, Any]]:
        return [
            {
                "title": title,
                "rate": float(rate),
                "channelLiable": line.channel_liable,
                "priceSet": self.bag(amount),
            }
            for (title, rate), amount in zip(line.rates, self.taxes(line), strict=True)
        ]

    def _item(self, line: Line) -> dict[str, Any]:
        return {
            "id": f"{GID}/LineItem/{line.id}",
            "name": line.name,
            "sku": line.sku or None,
            "quantity": line.quantity,
            "currentQuantity": line.quantity - line.removed,
            "isGiftCard": line.kind == "gift_card",
            "product": {"id": f"{GID}/Product/{line.product}"} if line.product else None,
            "originalUnitPriceSet": self.bag(line.price),
            "discountAllocations": [{"allocatedAmountSet": self.bag(off)} for off in line.off],
            "taxLines": self._tax_lines(line),
            "duties": [
                {
                    "id": f"{GID}/Duty/{duty.id}",
                    "price": self.bag(duty.net),
                    "taxLines": self._tax_lines(duty),
                }
                for duty in line.duties
            ],
        }

    def _shipping(self, line: Line) -> dict[str, Any]:
        return {
            "id": f"{GID}/ShippingLine/{line.id}",
            "title": line.name,
            "code": "standard",
            "isRemoved": line.hidden,
            "originalPriceSet": self.bag(line.price),
            "discountAllocations": [{"allocatedAmountSet": self.bag(off)} for off in line.off],
            "taxLines": self._tax_lines(line),
        }

    def _transactions(self) -> list[dict[str, Any]]:
        found = [
            {
                "id": f"{GID}/OrderTransaction/{one['id']}",
                "kind": one["kind"].upper(),
                "status": one["status"].upper(),
                "gateway": one["gateway"],
                "formattedGateway": one["gateway"].replace("_", " ").title(),
                "test": False,
                "processedAt": one["at"],
                "amountSet": self.bag(one["amount"]),
                "amountRoundingSet": self.bag(one["rounding"]),
                "parentTransaction": (
                    {"id": f"{GID}/OrderTransaction/{one['parent']}"} if "parent" in one else None
                ),
            }
            for one in self.paid
        ]
        return found + [self._back_transaction(one) for one in self.refunds if one["money"]]

    def _back_transaction(self, refund: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": f"{GID}/OrderTransaction/{refund['id'] + 5500}",
            "kind": "REFUND",
            "status": refund["status"].upper(),
            "gateway": refund["gateway"],
            "formattedGateway": refund["gateway"].replace("_", " ").title(),
            "test": False,
            "processedAt": refund["at"],
            "amountSet": self.bag(refund["money"]),
            "amountRoundingSet": self.bag(refund["rounding"]),
            "parentTransaction": None,
        }

    def _refund(self, one: dict[str, Any]) -> dict[str, Any]:
        moved = [self._back_transaction(one)] if one["money"] else []
        told = ("formattedGateway", "test", "processedAt", "parentTransaction")
        for transaction in moved:
            for name in told:
                del transaction[name]
        ship_net = one["ship"] if self.included else one["ship"] - one["ship_tax"]
        return {
            "id": f"{GID}/Refund/{one['id']}",
            "legacyResourceId": str(one["id"]),
            "createdAt": one["at"],
            "processedAt": one["at"],
            "note": None,
            "totalRefundedSet": self.bag(one["money"] if one["status"] == "success" else ZERO),
            "refundLineItems": {
                "nodes": [
                    {
                        "id": f"{GID}/RefundLineItem/{one['id'] * 10 + place}",
                        "quantity": count,
                        "restockType": "RETURN",
                        "lineItem": {"id": f"{GID}/LineItem/{line.id}"},
                        "subtotalSet": self.bag(gross if self.included else gross - tax),
                        "totalTaxSet": self.bag(tax),
                    }
                    for place, (line, count, gross, tax) in enumerate(one["back"])
                ]
            },
            "refundShippingLines": {
                "nodes": [
                    {
                        "id": f"{GID}/RefundShippingLine/{one['id'] * 10}",
                        "shippingLine": {"id": f"{GID}/ShippingLine/{self.shipping[0].id}"},
                        "subtotalAmountSet": self.bag(ship_net),
                        "taxAmountSet": self.bag(one["ship_tax"]),
                    }
                ]
                if one["ship"]
                else []
            },
            "orderAdjustments": {
                "nodes": [
                    {
                        "id": f"{GID}/OrderAdjustment/{one['id'] * 10}",
                        "reason": one["reason"],
                        "amountSet": self.bag(one["adjustment"]),
                        "taxAmountSet": self.bag(ZERO),
                    }
                ]
                if one["adjustment"]
                else []
            },
            "duties": [],
            "transactions": {"nodes": moved},
        }

    def _agreements(self) -> list[dict[str, Any]]:
        types = {
            "ORDER": "OrderAgreement",
            "ORDER_EDIT": "OrderEditAgreement",
            "REFUND": "RefundAgreement",
        }
        return [
            {
                "__typename": types[kind],
                "id": f"{GID}/SalesAgreement/{2000 + place}",
                "happenedAt": "2026-11-20T18:00:00Z",
                "reason": kind,
                "sales": {
                    "nodes": [self._sale(place * 50 + n, one) for n, one in enumerate(sales)]
                },
            }
            for place, (kind, sales) in enumerate(self.ledger)
        ]

    def _sale(self, number: int, sale: tuple[str, Decimal, int | None]) -> dict[str, Any]:
        kind, amount, line = sale
        told: dict[str, Any] = {
            "__typename": "TipSale" if kind == "TIP" else "ProductSale",
            "id": f"{GID}/Sale/{100 + number}",
            "actionType": "RETURN" if amount < 0 else "ORDER",
            "lineType": kind,
            "quantity": 1,
            "totalAmount": self.bag(amount),
        }
        return told | ({"lineItem": {"id": f"{GID}/LineItem/{line}"}} if kind == "TIP" else {})

    def rest(self) -> dict[str, Any]:
        ours = self.graphql()["order"]
        order: dict[str, Any] = {
            "id": self.id,
            "admin_graphql_api_id": ours["id"],
            "name": ours["name"],
            "confirmation_number": ours["confirmationNumber"],
            "created_at": "2026-11-20T12:00:00-06:00",
            "processed_at": "2026-11-20T12:00:00-06:00",
            "updated_at": ours["updatedAt"].replace("Z", "+00:00"),
            "cancelled_at": ours["cancelledAt"],
            "test": ours["test"],
            "currency": self.shop_currency,
            "presentment_currency": self.currency,
            "taxes_included": self.included,
            "duties_included": ours["dutiesIncluded"],
            "estimated_taxes": ours["estimatedTaxes"],
            "financial_status": self.status.lower(),
            "payment_gateway_names": self._gateways(),
            "email": ours["email"],
            "phone": ours["phone"],
            "note_attributes": [
                {"name": one["key"], "value": one["value"]} for one in ours["customAttributes"]
            ],
            "merchant_business_entity_id": ours["merchantBusinessEntity"]["id"].rsplit("/")[-1],
            "merchant_of_record_app_id": None,
            **self.told("total_price", self.total),
            **self.told("subtotal_price", sum((one.net for one in self.lines), ZERO)),
            **self.told("current_total_price", self.current),
            "total_discounts": "0.00",
            "total_tip_received": f"{cents(self.tip * self.fx):.2f}",
            "total_outstanding": (
                f"{cents((self.current - self.received + self.returned) * self.fx):.2f}"
            ),
            "total_cash_rounding_payment_adjustment_set": self.set_(self.rounding),
            "total_cash_rounding_refund_adjustment_set": self.set_(
                sum((one["rounding"] for one in self.refunds), ZERO)
            ),
            "additional_fees": [
                {
                    "id": one.id,
                    "name": one.name,
                    **self.told("price", one.net),
                    "tax_lines": self._rest_taxes(one),
                }
                for one in self.fees
            ],
            "billing_address": None,
            "customer": None,
            "line_items": [self._rest_item(one) for one in self.lines],
            "shipping_lines": [self._rest_shipping(one) for one in self.shipping],
            "refunds": [self._rest_refund(one) for one in self.refunds],
        }
        return order | self.rest_head

    def _rest_taxes(self, line: Line) -> list[dict[str, Any]]:
        return [
            {
                "title": title,
                "rate": float(rate),
                "channel_liable": line.channel_liable,
                **self.told("price", amount),
            }
            for (title, rate), amount in zip(line.rates, self.taxes(line), strict=True)
        ]

    def _rest_item(self, line: Line) -> dict[str, Any]:
        told = {
            "id": line.id,
            "name": line.name,
            "title": line.name,
            "sku": line.sku,
            "quantity": line.quantity,
            "current_quantity": line.quantity - line.removed,
            "gift_card": line.kind == "gift_card",
            "product_id": line.product,
            "product_exists": line.product is not None,
            "taxable": bool(line.rates),
            "total_discount": "0.00",
            **self.told("price", line.price),
            "discount_allocations": [self.told("amount", off) for off in line.off],
            "tax_lines": self._rest_taxes(line),
            "duties": [
                {"id": str(duty.id), **self.set_(duty.net), "tax_lines": self._rest_taxes(duty)}
                for duty in line.duties
            ],
        }
        # Present, were it null, only on tips.
        return told | ({"tip_payment_gateway": None} if line.kind == "tip" else {})

    def _rest_shipping(self, line: Line) -> dict[str, Any]:
        return {
            "id": line.id,
            "title": line.name,
            "code": "standard",
            "is_removed": line.hidden,
            **self.told("price", line.price),
            "discount_allocations": [self.told("amount", off) for off in line.off],
            "tax_lines": self._rest_taxes(line),
        }

    def _rest_refund(self, one: dict[str, Any]) -> dict[str, Any]:
        """Here subtotals are JSON numbers, and shipping is an adjustment that names no line."""
        ship_net = one["ship"] if self.included else one["ship"] - one["ship_tax"]
        adjustments = []
        if one["ship"]:
            adjustments.append(
                {
                    "id": one["id"] * 10 + 1,
                    "kind": "shipping_refund",
                    "reason": "Shipping refund",
                    **self.told("amount", -ship_net),
                    **self.told("tax_amount", -one["ship_tax"]),
                }
            )
        if one["adjustment"]:
            adjustments.append(
                {
                    "id": one["id"] * 10,
                    "kind": "refund_discrepancy",
                    "reason": one["reason"].replace("_", " ").capitalize(),
                    **self.told("amount", one["adjustment"]),
                    **self.told("tax_amount", ZERO),
                }
            )
        moved = {
            "id": one["id"] + 5500,
            "kind": "refund",
            "status": one["status"],
            "gateway": one["gateway"],
            "amount": f"{one['money']:.2f}",
            "currency": self.currency,
            "amount_rounding_set": self.set_(one["rounding"]),
            "processed_at": one["at"],
        }
        return {
            "id": one["id"],
            "created_at": one["at"],
            "processed_at": one["at"],
            "note": None,
            "refund_line_items": [
                {
                    "id": one["id"] * 10 + place,
                    "line_item_id": line.id,
                    "quantity": count,
                    "restock_type": "return",
                    "subtotal": float(gross if self.included else gross - tax),
                    "subtotal_set": self.set_(gross if self.included else gross - tax),
                    "total_tax": float(tax),
                    "total_tax_set": self.set_(tax),
                }
                for place, (line, count, gross, tax) in enumerate(one["back"])
            ],
            "order_adjustments": adjustments,
            "duties": [],
            "transactions": [moved] if one["money"] else [],
        }


def written(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"
