"""One object in the words of an older version. Objects are kept in those of the newest.

What changed when: https://docs.stripe.com/changelog/basil
"""

from __future__ import annotations

import copy
from typing import Any

NEWEST = "2026-10-28.endive"
BASIL = "2025-03-31.basil"


def rendered(found: dict[str, Any], version: str, look: Any) -> dict[str, Any]:
    """`look(kind, **fields)` finds other objects of the account."""
    told = copy.deepcopy(found)
    if version >= BASIL:
        return told
    older = {"invoice": _invoice, "payment_intent": _intent, "charge": _charge,
             "credit_note": _credit_note}.get(told["object"])  # fmt: skip
    if older:
        older(told, look)
    return told


def _invoice(told: dict[str, Any], look: Any) -> None:
    details = (told.pop("parent", None) or {}).get("subscription_details") or {}
    told["subscription"] = details.get("subscription")
    told["subscription_details"] = {"metadata": details.get("metadata") or {}}
    paid = [one for one in look("invoice_payment", invoice=told["id"]) if one["status"] == "paid"]
    intent = next((one["payment"].get("payment_intent") for one in paid), None)
    charges = look("payment_intent", id=intent) if intent else []
    told["payment_intent"] = intent
    told["charge"] = charges[0]["latest_charge"] if charges else None
    told["paid"] = told["status"] == "paid"
    told["paid_out_of_band"] = told["paid"] and not intent and told["total"] > 0
    taxes = told.pop("total_taxes", None) or []
    told["total_tax_amounts"] = [_tax(one) for one in taxes]
    told["tax"] = sum(one["amount"] for one in taxes)
    told.pop("payments", None)
    told.pop("amount_overpaid", None)
    for line in told["lines"]["data"]:
        _line(line)


def _line(line: dict[str, Any]) -> None:
    pricing = line.pop("pricing", None) or {}
    price = pricing.get("price_details") or {}
    line["price"] = {
        "id": price.get("price"), "object": "price", "product": price.get("product"),
        "unit_amount_decimal": pricing.get("unit_amount_decimal"),
    }  # fmt: skip
    line["tax_amounts"] = [_tax(one) for one in line.pop("taxes", None) or []]
    line["tax_rates"] = []
    line["proration"] = False
    line["type"] = "invoiceitem"
    line.pop("parent", None)
    line.pop("quantity_decimal", None)
    line.pop("subtotal", None)


def _tax(tax: dict[str, Any]) -> dict[str, Any]:
    return {
        "amount": tax["amount"],
        "inclusive": tax["tax_behavior"] == "inclusive",
        "tax_rate": (tax.get("tax_rate_details") or {}).get("tax_rate"),
        "taxable_amount": tax["taxable_amount"],
        "taxability_reason": tax["taxability_reason"],
    }


def _intent(told: dict[str, Any], look: Any) -> None:
    paying = [
        one for one in look("invoice_payment") if one["payment"].get("payment_intent") == told["id"]
    ]
    told["invoice"] = paying[0]["invoice"] if paying else None
    told.pop("payment_details", None)


def _charge(told: dict[str, Any], look: Any) -> None:
    paying = [
        one
        for one in look("invoice_payment")
        if told["payment_intent"] and one["payment"].get("payment_intent") == told["payment_intent"]
    ]
    told["invoice"] = paying[0]["invoice"] if paying else None


def _credit_note(told: dict[str, Any], look: Any) -> None:
    refunds = told.pop("refunds", None) or []
    told["refund"] = refunds[0]["refund"] if refunds else None
    told["tax_amounts"] = [_tax(one) for one in told.pop("total_taxes", None) or []]
