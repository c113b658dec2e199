"""The same orders in the shape that webhooks carry."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.fakes.shopify.orders import Order, amount_of


def number(gid: str) -> int:
    return int(gid.rsplit("/", 1)[-1])


def money(told: dict[str, Any]) -> str:
    return f"{amount_of(told)}"


def _set(told: dict[str, Any]) -> dict[str, Any]:
    return {
        "shop_money": {"amount": money(told), "currency_code": "MXN"},
        "presentment_money": {"amount": money(told), "currency_code": "MXN"},
    }


def _taxes(line: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "title": one["title"],
            "rate": one["rate"],
            "price": money(one["priceSet"]),
            "price_set": _set(one["priceSet"]),
            "channel_liable": one["channelLiable"],
        }
        for one in line["taxLines"]
    ]


def _discounts(line: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "amount": money(one["allocatedAmountSet"]),
            "amount_set": _set(one["allocatedAmountSet"]),
            "discount_application_index": 0,
        }
        for one in line["discountAllocations"]
    ]


def order_of(order: Order, shop: str) -> dict[str, Any]:
    taxes = [
        tax for line in (*order["lineItems"], *order["shippingLines"]) for tax in line["taxLines"]
    ]
    tax = sum((amount_of(one["priceSet"]) for one in taxes), Decimal(0))
    told = {
        "id": number(order["id"]),
        "admin_graphql_api_id": order["id"],
        "name": order["name"],
        "confirmation_number": order["confirmationNumber"],
        "created_at": order["createdAt"],
        "processed_at": order["processedAt"],
        "updated_at": order["updatedAt"],
        "cancelled_at": order["cancelledAt"],
        "test": order["test"],
        "source_name": order["sourceName"],
        "currency": "MXN",
        "presentment_currency": "MXN",
        "taxes_included": True,
        "duties_included": False,
        "estimated_taxes": False,
        "financial_status": order["displayFinancialStatus"].lower(),
        "payment_gateway_names": order["paymentGatewayNames"],
        "email": order["email"],
        "phone": order["phone"],
        "note_attributes": [],
        "customer": {"id": number(order["customer"]["id"])},
        "billing_address": None,
        "payment_terms": None,
        "merchant_business_entity_id": order["merchantBusinessEntity"]["id"].rsplit("/", 1)[-1],
        "merchant_of_record_app_id": None,
        "total_tax": f"{tax}",
        "total_tax_set": _set(_bag(tax)),
        "order_status_url": f"https://{shop}/1/orders/{'0' * 32}/authenticate?key=played",
        "line_items": [_line(one, order) for one in order["lineItems"]],
        "shipping_lines": [_shipping(one) for one in order["shippingLines"]],
        "refunds": [refund_of(one, order) for one in order["refunds"]],
        "total_tip_received": money(order["totalTipReceivedSet"]),
        "total_outstanding": money(order["totalOutstandingSet"]),
    }
    for name, field in (
        ("total_price", "totalPriceSet"),
        ("subtotal_price", "subtotalPriceSet"),
        ("current_total_price", "currentTotalPriceSet"),
    ):
        told |= {name: money(order[field]), f"{name}_set": _set(order[field])}
    return told


def _bag(amount: Decimal) -> dict[str, Any]:
    return {"shopMoney": {"amount": f"{amount}"}}


def _line(line: dict[str, Any], order: Order) -> dict[str, Any]:
    tip = line["product"] is None and order["totalTipReceivedSet"]["shopMoney"]["amount"] != "0.00"
    return {
        "id": number(line["id"]),
        "name": line["name"],
        "title": line["name"],
        "sku": line["sku"],
        "quantity": line["quantity"],
        "current_quantity": line["currentQuantity"],
        "gift_card": line["isGiftCard"],
        "product_id": number(line["product"]["id"]) if line["product"] else None,
        "product_exists": line["product"] is not None,
        "taxable": bool(line["taxLines"]),
        "price": money(line["originalUnitPriceSet"]),
        "price_set": _set(line["originalUnitPriceSet"]),
        "total_discount": "0.00",
        "discount_allocations": _discounts(line),
        "tax_lines": _taxes(line),
        "duties": [],
    } | ({"tip_payment_gateway": "shopify_payments", "tip_payment_method": "card"} if tip else {})


def _shipping(line: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": number(line["id"]),
        "title": line["title"],
        "code": line["code"],
        "is_removed": line["isRemoved"],
        "price": money(line["originalPriceSet"]),
        "price_set": _set(line["originalPriceSet"]),
        "discount_allocations": _discounts(line),
        "tax_lines": _taxes(line),
    }


def refund_of(refund: dict[str, Any], order: Order) -> dict[str, Any]:
    """Amounts of its lines are numbers here, as Shopify sends them."""
    return {
        "id": number(refund["id"]),
        "order_id": number(order["id"]),
        "created_at": refund["createdAt"],
        "processed_at": refund["processedAt"],
        "note": refund["note"],
        "refund_line_items": [
            {
                "id": number(one["id"]),
                "line_item_id": number(one["lineItem"]["id"]),
                "quantity": one["quantity"],
                "restock_type": "return",
                "subtotal": float(money(one["subtotalSet"])),
                "subtotal_set": _set(one["subtotalSet"]),
                "total_tax": float(money(one["totalTaxSet"])),
                "total_tax_set": _set(one["totalTaxSet"]),
            }
            for one in refund["refundLineItems"]
        ],
        "refund_shipping_lines": [
            {
                "id": number(one["id"]),
                "shipping_line": {"id": number(one["shippingLine"]["id"])},
                "subtotal_amount_set": _set(one["subtotalAmountSet"]),
                "tax_amount_set": _set(one["taxAmountSet"]),
            }
            for one in refund["refundShippingLines"]
        ],
        "order_adjustments": [
            {
                "id": number(one["id"]),
                "kind": "refund_discrepancy",
                "reason": "Refund discrepancy",
                "amount": money(one["amountSet"]),
                "amount_set": _set(one["amountSet"]),
                "tax_amount": money(one["taxAmountSet"]),
                "tax_amount_set": _set(one["taxAmountSet"]),
            }
            for one in refund["orderAdjustments"]
        ],
        "duties": [],
        "transactions": [transaction_of(one, order) for one in refund["transactions"]],
    }


def transaction_of(one: dict[str, Any], order: Order) -> dict[str, Any]:
    parent = one["parentTransaction"]
    return {
        "id": number(one["id"]),
        "order_id": number(order["id"]),
        "kind": one["kind"].lower(),
        "status": one["status"].lower(),
        "gateway": one["gateway"],
        "amount": money(one["amountSet"]),
        "currency": "MXN",
        "parent_id": number(parent["id"]) if parent else None,
        "processed_at": one["processedAt"],
        "created_at": one["processedAt"],
        "test": one["test"],
    }


def shop_of(shop: str) -> dict[str, Any]:
    """What app/uninstalled and shop/update carry alike."""
    return {
        "id": 548380009,
        "name": shop.partition(".")[0],
        "domain": shop,
        "myshopify_domain": shop,
        "country": "MX",
        "currency": "MXN",
        "iana_timezone": "America/Mexico_City",
        "taxes_included": True,
        "plan_name": "basic",
        "updated_at": "2026-11-01T10:00:00-06:00",
    }
