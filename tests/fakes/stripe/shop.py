"""What happens at a merchant in Mexico: bills, Checkouts, vouchers, refunds. Prices hold IVA."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.fakes.stripe.account import Account


@dataclass
class Shop:
    account: Account

    def rate(self) -> dict[str, Any]:
        known = self.account.look("tax_rate")
        return known[0] if known else self._put("txr", "tax_rate", display_name="IVA",
            percentage=16.0, effective_percentage=16.0, inclusive=True, country="MX",
            active=True, tax_type="vat", jurisdiction="MX")  # fmt: skip

    def product(self, name: str = "Plan mensual", **metadata: str) -> dict[str, Any]:
        return self._put("prod", "product", name=name, active=True, metadata=metadata)

    def customer(self, **more: Any) -> dict[str, Any]:
        tax_ids = more.pop("tax_ids", [])
        listed = [
            {"id": self.account.new_id("txi"), "object": "tax_id", "type": "mx_rfc", "value": one}
            for one in tax_ids
        ]
        told = {"email": "compras@cliente.example", "name": "Cliente de Prueba",
                "address": {"country": "MX", "postal_code": "06600"}, **more}  # fmt: skip
        return self._put("cus", "customer", **told,
                         tax_ids={"object": "list", "data": listed, "has_more": False})  # fmt: skip

    def bill(
        self,
        *amounts: int,
        customer: dict[str, Any] | None = None,
        subscription: dict[str, Any] | None = None,
        paid: bool = True,
        out_of_band: bool = False,
        tell: bool = True,
        **more: Any,
    ) -> dict[str, Any]:
        """A finalized invoice over gross amounts in centavos, paid by card unless said."""
        amounts = amounts or (11600,)
        key = self.account.new_id("in")
        lines = [self._line(key, amount) for amount in amounts]
        total, tax = sum(amounts), sum(one["taxes"][0]["amount"] for one in lines)
        details = {"subscription": subscription["id"], "metadata": {}} if subscription else None
        parent = (
            {"type": "subscription_details", "subscription_details": details} if details else None
        )
        first = lines[:2] if len(lines) > 2 else lines
        told = {
            "number": f"HUB-{int(key[5:])}", "currency": "mxn",
            "status": "paid" if paid else "open",
            "total": total, "subtotal": total, "amount_due": total, "amount_paid": total * paid,
            "amount_remaining": total * (not paid), "starting_balance": 0, "ending_balance": 0,
            "pre_payment_credit_notes_amount": 0, "post_payment_credit_notes_amount": 0,
            "amount_overpaid": 0, "amount_paid_off_stripe": total * out_of_band,
            "billing_reason": "manual", "collection_method": "charge_automatically",
            "customer": customer["id"] if customer else None,
            "customer_email": customer["email"] if customer else None,
            "parent": parent, "issuer": {"type": "self"}, "on_behalf_of": None,
            "total_taxes": [self._tax(total, tax)], "shipping_cost": None, "discounts": [],
            "lines": {"object": "list", "data": first, "has_more": len(lines) > 2},
            "_lines": lines, **more,
        }  # fmt: skip
        bill = self._put("in", "invoice", key, **told)
        bill["status_transitions"] = {"finalized_at": bill["created"], "paid_at": None}
        if paid:
            self.pay(bill, out_of_band=out_of_band, tell=tell)
        elif tell:
            self.account.happens("invoice.finalized", bill)
        return bill

    def pay(
        self, bill: dict[str, Any], *, out_of_band: bool = False, tell: bool = True
    ) -> dict[str, Any] | None:
        intent = None
        payment: dict[str, Any] = {}
        if bill["total"] > 0 and out_of_band:
            record = self._put("pr", "payment_record", payment_method_details={"type": "custom"})
            payment = {"type": "payment_record", "payment_record": record["id"]}
        elif bill["total"] > 0:
            hint = {"order_reference": bill["id"][:25]}
            intent = self._intent(bill["total"], bill["customer"], payment_details=hint)
            payment = {"type": "payment_intent", "payment_intent": intent["id"]}
        if payment:
            self._put("inpay", "invoice_payment", invoice=bill["id"], status="paid",
                      amount_paid=bill["total"], payment=payment, currency="mxn",
                      is_default=True)  # fmt: skip
        bill["status"] = "paid"
        bill["amount_paid"], bill["amount_remaining"] = bill["total"], 0
        bill["status_transitions"]["paid_at"] = self.account.now
        if tell:
            if intent:
                self.account.happens("payment_intent.succeeded", intent)
            self.account.happens("invoice.paid", bill)
        return intent

    def subscription(self, customer: dict[str, Any]) -> dict[str, Any]:
        return self._put("sub", "subscription", customer=customer["id"], status="active",
                         latest_invoice=None)  # fmt: skip

    def payment(
        self, amount: int = 58000, *, checkout: bool = True, tell: bool = True, **more: Any
    ) -> dict[str, Any]:
        """Money without a bill: a Checkout in mode payment, or a bare PaymentIntent."""
        intent = self._intent(amount, more.pop("customer", None), **more)
        session = self.session(intent=intent, amount=amount) if checkout else None
        if tell:
            self.account.happens("payment_intent.succeeded", intent)
            if session:
                self.account.happens("checkout.session.completed", session)
        return intent

    def voucher(self, amount: int = 30000) -> tuple[dict[str, Any], dict[str, Any]]:
        """An OXXO voucher that nobody paid yet: the PaymentIntent and its Checkout."""
        intent = self._put("pi", "payment_intent", amount=amount, amount_received=0,
                           currency="mxn", status="requires_action", customer=None,
                           latest_charge=None, payment_method_types=["oxxo"])  # fmt: skip
        session = self.session(intent=intent, amount=amount, payment_status="unpaid")
        self.account.happens("checkout.session.completed", session)
        return intent, session

    def pay_voucher(self, intent: dict[str, Any], session: dict[str, Any]) -> None:
        charge = self._charge(intent, {"type": "oxxo", "oxxo": {"number": "1"}})
        intent |= {
            "status": "succeeded", "amount_received": intent["amount"],
            "latest_charge": charge["id"],
        }  # fmt: skip
        session["payment_status"] = "paid"
        self.account.happens("payment_intent.succeeded", intent)
        self.account.happens("checkout.session.async_payment_succeeded", session)

    def session(
        self, *, intent: dict[str, Any] | None = None, amount: int = 0, **more: Any
    ) -> dict[str, Any]:
        number = len(self.account.look("checkout.session"))
        key = f"cs_test_a1{number:056d}"
        tax = amount - round(amount / 1.16)
        item = {
            "id": self.account.new_id("li"), "object": "item", "description": "Curso",
            "quantity": 1, "currency": "mxn", "amount_subtotal": amount, "amount_total": amount,
            "amount_tax": tax, "amount_discount": 0, "discounts": [],
            "taxes": [{"amount": tax, "rate": self.rate(), "taxability_reason": "standard_rated",
                       "taxable_amount": amount - tax}],
            "price": {"id": "price_1", "object": "price", "product": self.product("Curso")["id"],
                      "tax_behavior": "inclusive"},
        }  # fmt: skip
        told = {
            "mode": "payment", "status": "complete", "payment_status": "paid", "currency": "mxn",
            "amount_total": amount, "amount_subtotal": amount, "invoice": None,
            "subscription": None, "payment_intent": intent["id"] if intent else None,
            "customer_details": {"email": "compras@cliente.example", "tax_ids": []},
            "custom_fields": [], "total_details": {"amount_discount": 0, "amount_shipping": 0,
                                                   "amount_tax": tax},
            "shipping_cost": None, "_line_items": [item] if amount else [], **more,
        }  # fmt: skip
        return self._put("cs", "checkout.session", key, **told)

    def refund(
        self, intent: dict[str, Any], amount: int, *, status: str = "succeeded", tell: bool = True
    ) -> dict[str, Any]:
        charge = self.account.objects[intent["latest_charge"]]
        made = self._put("re", "refund", amount=amount, currency="mxn", status=status,
                         payment_intent=intent["id"], charge=charge["id"],
                         reason="requested_by_customer")  # fmt: skip
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
        if tell:
            self.account.happens("refund.created", made)
        return made

    def credit_note(
        self, bill: dict[str, Any], amount: int, refund: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        tax = amount - round(amount / 1.16)
        line = {
            "id": self.account.new_id("cnli"), "object": "credit_note_line_item",
            "amount": amount, "quantity": 1, "type": "custom_line_item", "description": "Ajuste",
            "taxes": [self._tax(amount, tax)], "discount_amounts": [],
        }  # fmt: skip
        linked = [{"refund": refund["id"], "amount_refunded": amount}] if refund else []
        bill["post_payment_credit_notes_amount"] += amount
        note = self._put("cn", "credit_note", invoice=bill["id"], amount=amount, total=amount,
                         currency="mxn", status="issued", type="post_payment", refunds=linked,
                         post_payment_amount=amount, pre_payment_amount=0,
                         total_taxes=[self._tax(amount, tax)], _lines=[line],
                         lines={"object": "list", "data": [line], "has_more": False})  # fmt: skip
        self.account.happens("credit_note.created", note)
        return note

    def dispute(self, intent: dict[str, Any], status: str = "needs_response") -> dict[str, Any]:
        charge = self.account.objects[intent["latest_charge"]]
        charge["disputed"] = True
        made = self._put("dp", "dispute", amount=charge["amount"], currency="mxn", status=status,
                         charge=charge["id"], payment_intent=intent["id"])  # fmt: skip
        self.account.happens("charge.dispute.created", made)
        return made

    def legacy_charge(self, amount: int = 11600) -> dict[str, Any]:
        charge = self._charge({"id": None, "amount": amount, "customer": None}, _card())
        self.account.happens("charge.succeeded", charge)
        return charge

    def _intent(self, amount: int, customer: str | None, **more: Any) -> dict[str, Any]:
        told = {"amount": amount, "amount_received": amount, "currency": "mxn",
                "status": "succeeded", "customer": customer, "latest_charge": None,
                "payment_method_types": ["card"], "on_behalf_of": None, **more}  # fmt: skip
        intent = self._put("pi", "payment_intent", **told)
        intent["latest_charge"] = self._charge(intent, _card())["id"]
        return intent

    def _charge(self, intent: dict[str, Any], details: dict[str, Any]) -> dict[str, Any]:
        amount = intent["amount"]
        books = self._put("txn", "balance_transaction", amount=amount, currency="mxn", fee=999,
                          net=amount - 999, exchange_rate=None, type="charge")  # fmt: skip
        return self._put("ch", "charge", amount=amount, amount_captured=amount, captured=True,
                         amount_refunded=0, refunded=False, disputed=False, currency="mxn",
                         status="succeeded", paid=True, payment_intent=intent["id"],
                         customer=intent["customer"], balance_transaction=books["id"],
                         billing_details={"email": "compras@cliente.example"},
                         payment_method_details=details)  # fmt: skip

    def _line(self, bill: str, amount: int) -> dict[str, Any]:
        tax = amount - round(amount / 1.16)
        product = self.product()
        return {
            "id": self.account.new_id("il"), "object": "line_item", "amount": amount,
            "currency": "mxn", "description": "Plan mensual", "quantity": 1,
            "quantity_decimal": "1", "discount_amounts": [], "discounts": [], "metadata": {},
            "invoice": bill, "subtotal": amount,
            "parent": {"type": "invoice_item_details",
                       "invoice_item_details": {"proration": False}},
            "pricing": {"type": "price_details", "unit_amount_decimal": str(amount),
                        "price_details": {"price": "price_1", "product": product["id"]}},
            "taxes": [self._tax(amount, tax)],
        }  # fmt: skip

    def _tax(self, amount: int, tax: int) -> dict[str, Any]:
        return {"amount": tax, "tax_behavior": "inclusive", "taxable_amount": amount - tax,
                "taxability_reason": "standard_rated", "type": "tax_rate_details",
                "tax_rate_details": {"tax_rate": self.rate()["id"]}}  # fmt: skip

    def _put(self, prefix: str, kind: str, key: str = "", **fields: Any) -> dict[str, Any]:
        return self.account.put(
            {"id": key or self.account.new_id(prefix), "object": kind, **fields}
        )


def _card() -> dict[str, Any]:
    return {"type": "card", "card": {"brand": "visa", "funding": "credit", "country": "MX"}}
