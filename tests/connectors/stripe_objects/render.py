"""Objects of Stripe made of plain facts, in the shape of any API version from 2022 to 2026.

Field names and shapes are those of https://docs.stripe.com/api and of its changelog; the arithmetic
is Stripe's own: each tax rounded by line, discounts before tax.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

VERSIONS = (
    "2022-11-15",
    "2024-06-20",
    "2025-03-31.basil",
    "2025-10-29.clover",
    "2026-10-28.endive",
)
NEWEST = VERSIONS[-1]
#: 2026-11-18 17:00:00 UTC.
T0 = 1795021200

Json = dict[str, Any]


def is_basil(version: str) -> bool:
    return version >= "2025-03-31"


def half_up(numerator: int, denominator: int) -> int:
    sign = -1 if numerator < 0 else 1
    return sign * ((2 * abs(numerator) + denominator) // (2 * denominator))


@dataclass(frozen=True)
class Rate:
    id: str
    display_name: str
    percentage: int
    inclusive: bool
    tax_type: str | None = "vat"
    country: str = "MX"
    reason: str = "standard_rated"

    def of(self, amount: int) -> int:
        """The tax of a line, rounded by itself."""
        if self.inclusive:
            return half_up(amount * self.percentage, 100 + self.percentage)
        return half_up(amount * self.percentage, 100)

    def rendered(self) -> Json:
        return {
            "id": self.id,
            "object": "tax_rate",
            "active": True,
            "country": self.country,
            "created": T0 - 900_000,
            "display_name": self.display_name,
            "inclusive": self.inclusive,
            "percentage": float(self.percentage),
            "tax_type": self.tax_type,
        }


ON_TOP = Rate("txr_1Made16OnTop", "IVA", 16, inclusive=False)
WITHIN = Rate("txr_1Made16Within", "IVA", 16, inclusive=True)
BORDER = Rate("txr_1Made08OnTop", "IVA frontera", 8, inclusive=False)
ZERO_RATED = Rate("txr_1Made00", "IVA", 0, inclusive=False, reason="zero_rated")
EXEMPT = Rate("txr_1MadeExempt", "IVA Exento", 0, inclusive=False, reason="product_exempt")


@dataclass(frozen=True)
class Item:
    key: str
    description: str
    amount: int
    rate: Rate | None = None
    quantity: int = 1
    discounts: tuple[int, ...] = ()
    grant: int = 0
    product: str = "prod_MadePlan"
    proration: bool = False

    @property
    def after(self) -> int:
        return self.amount - sum(self.discounts) - self.grant

    @property
    def tax(self) -> int:
        return self.rate.of(self.after) if self.rate else 0

    @property
    def gross(self) -> int:
        return self.after + (self.tax if self.rate and not self.rate.inclusive else 0)

    def rendered(self, version: str, currency: str) -> Json:
        found: Json = {
            "id": f"il_{self.key}",
            "object": "line_item",
            "amount": self.amount,
            "currency": currency,
            "description": self.description,
            "discount_amounts": [
                {"amount": one, "discount": f"di_{self.key}{number}"}
                for number, one in enumerate(self.discounts)
            ],
            "discountable": not self.proration,
            "livemode": False,
            "metadata": {},
            "period": {"start": T0, "end": T0 + 2_592_000},
            "quantity": self.quantity,
        }
        if version >= "2024-06-20":
            found["pretax_credit_amounts"] = [
                {"amount": one, "discount": f"di_{self.key}{number}", "type": "discount"}
                for number, one in enumerate(self.discounts)
            ]
            if self.grant:
                found["pretax_credit_amounts"].append(
                    {"amount": self.grant, "type": "credit_balance_transaction"}
                )
        return found | (self._basil(version) if is_basil(version) else self._older(currency))

    def _older(self, currency: str) -> Json:
        return {
            "plan": None,
            "price": {
                "id": f"price_{self.key}",
                "object": "price",
                "currency": currency,
                "product": self.product,
            },
            "proration": self.proration,
            "subscription": None,
            "tax_amounts": [
                {
                    "amount": self.tax,
                    "inclusive": self.rate.inclusive,
                    "tax_rate": self.rate.id,
                    "taxability_reason": self.rate.reason,
                    "taxable_amount": self.after - (self.tax if self.rate.inclusive else 0),
                }
            ]
            if self.rate
            else [],
            "tax_rates": [self.rate.rendered()] if self.rate else [],
            "type": "invoiceitem",
        }

    def _basil(self, version: str) -> Json:
        found: Json = {
            "parent": {
                "type": "invoice_item_details",
                "invoice_item_details": {
                    "invoice_item": f"ii_{self.key}",
                    "proration": self.proration,
                },
                "subscription_item_details": None,
            },
            "pricing": {
                "type": "price_details",
                "price_details": {"price": f"price_{self.key}", "product": self.product},
                "unit_amount_decimal": str(self.amount),
            },
            "taxes": [
                {
                    "amount": self.tax,
                    "tax_behavior": "inclusive" if self.rate.inclusive else "exclusive",
                    "tax_rate_details": {"tax_rate": self.rate.id},
                    "taxability_reason": self.rate.reason,
                    "taxable_amount": self.after - (self.tax if self.rate.inclusive else 0),
                    "type": "tax_rate_details",
                }
            ]
            if self.rate
            else [],
        }
        if version >= "2026-03-25":
            found["quantity_decimal"] = str(self.quantity)
        return found


CARD: Json = {"type": "card", "card": {"brand": "visa", "funding": "credit", "last4": "4242"}}
DEBIT: Json = {"type": "card", "card": {"brand": "visa", "funding": "debit", "last4": "5556"}}
OXXO: Json = {"type": "oxxo", "oxxo": {"number": "98000000000000000000000000000000"}}
SPEI: Json = {"type": "customer_balance", "customer_balance": {}}


@dataclass(frozen=True)
class Paid:
    """One payment by Stripe: a PaymentIntent with its charge."""

    key: str
    amount: int
    method: Json = field(default_factory=lambda: CARD)
    at: int = T0 + 60
    refunded: int = 0
    disputed: bool = False
    #: Currency and amount in which Stripe booked it, if that is another.
    booked: tuple[str, int, float] | None = None
    on_behalf_of: str | None = None

    def charge(self, version: str, currency: str, invoice: str | None) -> Json:
        book = self.booked or (currency, self.amount, None)
        found: Json = {
            "id": f"ch_{self.key}",
            "object": "charge",
            "amount": self.amount,
            "amount_captured": self.amount,
            "amount_refunded": self.refunded,
            "balance_transaction": {
                "id": f"txn_{self.key}",
                "object": "balance_transaction",
                "amount": book[1],
                "created": self.at,
                "currency": book[0],
                "exchange_rate": book[2],
                "type": "charge",
            },
            "billing_details": {"address": None, "email": None, "name": None, "phone": None},
            "captured": True,
            "created": self.at,
            "currency": currency,
            "disputed": self.disputed,
            "livemode": False,
            "on_behalf_of": self.on_behalf_of,
            "paid": True,
            "payment_intent": f"pi_{self.key}",
            "payment_method_details": self.method,
            "status": "succeeded",
        }
        return found if is_basil(version) else {**found, "invoice": invoice}

    def invoice_payment(self, invoice: str, currency: str, amount: int) -> Json:
        return {
            "id": f"inpay_{self.key}",
            "object": "invoice_payment",
            "amount_paid": amount,
            "created": self.at,
            "currency": currency,
            "invoice": invoice,
            "is_default": True,
            "livemode": False,
            "payment": {"type": "payment_intent", "payment_intent": f"pi_{self.key}"},
            "status": "paid",
            "status_transitions": {"paid_at": self.at, "canceled_at": None},
        }


CUSTOMER: Json = {
    "id": "cus_MadeOne",
    "object": "customer",
    "address": {"country": "MX", "postal_code": "36257", "city": None, "line1": None},
    "created": T0 - 500_000,
    "email": "compras@cliente.example",
    "livemode": False,
    "metadata": {},
    "name": "XOCHILT CASAS CHAVEZ",
    "phone": "+525555550000",
    "tax_ids": {
        "object": "list",
        "data": [{"id": "txi_1", "object": "tax_id", "type": "mx_rfc", "value": "CACX7605101P8"}],
    },
}


@dataclass(frozen=True)
class Bill:
    """An invoice with everything around it."""

    key: str
    items: tuple[Item, ...]
    paid: tuple[Paid, ...] = ()
    currency: str = "mxn"
    status: str = "paid"
    shipping: tuple[int, Rate | None] | None = None
    #: What credit notes took off while it was open.
    credited: int = 0
    starting_balance: int = 0
    ending_balance: int = 0
    outside: int = 0
    overpaid: int = 0
    collection_method: str = "charge_automatically"
    due_date: int | None = None
    customer: Json | None = field(default_factory=lambda: CUSTOMER)
    metadata: Json = field(default_factory=dict)
    subscription_metadata: Json = field(default_factory=dict)
    notes: tuple[Json, ...] = ()
    refunds: tuple[Json, ...] = ()
    disputes: tuple[Json, ...] = ()
    products: tuple[Json, ...] = ()
    records: tuple[Json, ...] = ()
    more: Json = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"in_{self.key}"

    @property
    def shipping_gross(self) -> int:
        if self.shipping is None:
            return 0
        amount, rate = self.shipping
        return amount + (rate.of(amount) if rate and not rate.inclusive else 0)

    @property
    def total(self) -> int:
        return sum(item.gross for item in self.items) + self.shipping_gross

    @property
    def due(self) -> int:
        if self.total <= 0:
            return 0
        return self.total - self.credited - (self.ending_balance - self.starting_balance)

    def rendered(self, version: str) -> Json:
        amount_paid = sum(one.amount for one in self.paid) - self.overpaid
        customer = self.customer or {}
        ids = customer.get("tax_ids", {}).get("data", [])
        lines = [item.rendered(version, self.currency) for item in self.items]
        found: Json = {
            "id": self.id,
            "object": "invoice",
            "amount_due": self.due,
            "amount_paid": amount_paid + (self.outside if is_basil(version) else 0),
            "billing_reason": "manual",
            "collection_method": self.collection_method,
            "created": T0 - 3600,
            "currency": self.currency,
            "customer": customer.get("id"),
            "customer_address": customer.get("address"),
            "customer_email": customer.get("email"),
            "customer_name": customer.get("name"),
            "customer_phone": customer.get("phone"),
            "customer_tax_ids": [{"type": one["type"], "value": one["value"]} for one in ids],
            "due_date": self.due_date,
            "ending_balance": self.ending_balance,
            "from_invoice": None,
            "issuer": {"type": "self"},
            "lines": {"object": "list", "data": lines, "has_more": False},
            "livemode": False,
            "metadata": self.metadata,
            "number": f"{self.key[-8:].upper()}-0001",
            "on_behalf_of": None,
            "post_payment_credit_notes_amount": 0,
            "pre_payment_credit_notes_amount": self.credited,
            "shipping_cost": self._shipping(),
            "starting_balance": self.starting_balance,
            "status": self.status,
            "status_transitions": {
                "finalized_at": T0 if self.status != "draft" else None,
                "marked_uncollectible_at": None,
                "paid_at": T0 + 61 if self.status == "paid" else None,
                "voided_at": T0 + 90 if self.status == "void" else None,
            },
            "total": self.total,
        }
        found |= self._basil(version) if is_basil(version) else self._older()
        return {**found, **self.more}

    def _shipping(self) -> Json | None:
        if self.shipping is None:
            return None
        amount, rate = self.shipping
        tax = rate.of(amount) if rate else 0
        return {
            "amount_subtotal": amount,
            "amount_tax": tax,
            "amount_total": self.shipping_gross,
            "shipping_rate": "shr_MadeOne",
            "taxes": [
                {
                    "amount": tax,
                    "rate": rate.rendered(),
                    "taxability_reason": rate.reason,
                    "taxable_amount": amount,
                }
            ]
            if rate
            else [],
        }

    def _older(self) -> Json:
        first = self.paid[0].key if self.paid else None
        return {
            "charge": f"ch_{first}" if first else None,
            "discount": None,
            "paid": self.status == "paid",
            "paid_out_of_band": bool(self.outside),
            "payment_intent": f"pi_{first}" if first else None,
            "subscription": None,
            "subscription_details": {"metadata": self.subscription_metadata},
        }

    def _basil(self, version: str) -> Json:
        found: Json = {
            "amount_overpaid": self.overpaid,
            "parent": {
                "type": "subscription_details",
                "quote_details": None,
                "subscription_details": {
                    "metadata": self.subscription_metadata,
                    "subscription": "sub_MadeOne",
                },
            },
            "total_taxes": [],
        }
        if version >= "2026-05-27":
            found["amount_paid_off_stripe"] = self.outside
        return found

    def bundle(self, version: str = NEWEST) -> Json:
        charges = [one.charge(version, self.currency, self.id) for one in self.paid]
        made: Json = {
            "shape": "bundle",
            "api_version": version,
            "kind": "invoice",
            "object": self.rendered(version),
            "lines": [item.rendered(version, self.currency) for item in self.items],
            "charges": charges,
            "payment_records": list(self.records),
            "refunds": list(self.refunds),
            "credit_notes": list(self.notes),
            "disputes": list(self.disputes),
            "tax_rates": {rate.id: rate.rendered() for rate in self._rates()},
            "products": {one["id"]: one for one in self.products},
        }
        if self.customer:
            made["customer"] = self.customer
        if is_basil(version):
            made["invoice_payments"] = [
                one.invoice_payment(self.id, self.currency, one.amount - over)
                for one, over in zip(self.paid, self._over(), strict=True)
            ] + [_recorded(self, one) for one in self.records]
        return made

    def _over(self) -> list[int]:
        return [self.overpaid if one is self.paid[-1] else 0 for one in self.paid]

    def _rates(self) -> list[Rate]:
        found = [item.rate for item in self.items if item.rate]
        return [*found, *([self.shipping[1]] if self.shipping and self.shipping[1] else [])]

    def event(self, version: str, word: str = "invoice.paid") -> Json:
        return event_of(self.rendered(version), word, version, self.key)


def _recorded(bill: Bill, record: Json) -> Json:
    return {
        "id": f"inpay_{record['id']}",
        "object": "invoice_payment",
        "amount_paid": bill.outside,
        "created": T0 + 60,
        "currency": bill.currency,
        "invoice": bill.id,
        "payment": {"type": "payment_record", "payment_record": record["id"]},
        "status": "paid",
        "status_transitions": {"paid_at": T0 + 60, "canceled_at": None},
    }


def event_of(held: Json, word: str, version: str, key: str) -> Json:
    return {
        "id": f"evt_{key}{version[:4]}{version[5:7]}",
        "object": "event",
        "api_version": version,
        "created": T0 + 62,
        "data": {"object": held},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": word,
    }


@dataclass(frozen=True)
class Intent:
    """A payment without an invoice, with its Checkout Session if it had one."""

    key: str
    amount: int
    items: tuple[Item, ...] = ()
    paid: Paid | None = None
    currency: str = "mxn"
    status: str = "succeeded"
    description: str | None = None
    shipping: tuple[int, Rate | None] | None = None
    customer: Json | None = None
    details: Json | None = None
    fields: tuple[Json, ...] = ()
    refunds: tuple[Json, ...] = ()
    disputes: tuple[Json, ...] = ()
    tip: int | None = None
    metadata: Json = field(default_factory=dict)
    more: Json = field(default_factory=dict)
    session_more: Json = field(default_factory=dict)

    def rendered(self, version: str) -> Json:
        done = self.status == "succeeded"
        found: Json = {
            "id": f"pi_{self.key}",
            "object": "payment_intent",
            "amount": self.amount,
            "amount_details": {"tip": {} if self.tip is None else {"amount": self.tip}},
            "amount_received": self.amount if done else 0,
            "canceled_at": None,
            "created": T0,
            "currency": self.currency,
            "customer": (self.customer or {}).get("id"),
            "description": self.description,
            "latest_charge": f"ch_{self.paid.key}" if self.paid else None,
            "livemode": False,
            "metadata": self.metadata,
            "on_behalf_of": None,
            "receipt_email": None,
            "status": self.status,
        }
        return {**found, **({} if is_basil(version) else {"invoice": None}), **self.more}

    def session(self) -> Json:
        gross = sum(item.gross for item in self.items)
        return {
            "id": f"cs_test_{self.key}",
            "object": "checkout.session",
            "amount_total": gross + (self._shipping_gross() if self.shipping else 0),
            "currency": self.currency,
            "custom_fields": list(self.fields),
            "customer_details": self.details,
            "invoice": None,
            "line_items": {
                "object": "list",
                "data": [_at_checkout(item, self.currency) for item in self.items],
                "has_more": False,
            },
            "livemode": False,
            "metadata": {},
            "mode": "payment",
            "payment_intent": f"pi_{self.key}",
            "payment_status": "paid" if self.status == "succeeded" else "unpaid",
            "shipping_cost": Bill("x", (), shipping=self.shipping)._shipping(),
            **self.session_more,
        }

    def _shipping_gross(self) -> int:
        return Bill("x", (), shipping=self.shipping).shipping_gross

    def bundle(self, version: str = NEWEST) -> Json:
        charge = self.paid.charge(version, self.currency, None) if self.paid else None
        made: Json = {
            "shape": "bundle",
            "api_version": version,
            "kind": "payment",
            "object": self.rendered(version) | ({"latest_charge": charge} if charge else {}),
            "charges": [charge] if charge else [],
            "refunds": list(self.refunds),
            "disputes": list(self.disputes),
            "tax_rates": {item.rate.id: item.rate.rendered() for item in self.items if item.rate},
            "products": {},
        }
        if self.items:
            made["session"] = self.session()
        if self.customer:
            made["customer"] = self.customer
        return made

    def event(self, version: str, word: str = "payment_intent.succeeded") -> Json:
        return event_of(self.rendered(version), word, version, self.key)


def _at_checkout(item: Item, currency: str) -> Json:
    return {
        "id": f"li_{item.key}",
        "object": "item",
        "amount_discount": sum(item.discounts),
        "amount_subtotal": item.amount,
        "amount_tax": item.tax,
        "amount_total": item.gross,
        "currency": currency,
        "description": item.description,
        "price": {"id": f"price_{item.key}", "object": "price", "product": item.product},
        "quantity": item.quantity,
        "taxes": [
            {
                "amount": item.tax,
                "rate": item.rate.rendered(),
                "taxability_reason": item.rate.reason,
                "taxable_amount": item.after,
            }
        ]
        if item.rate
        else [],
    }


def refund(key: str, amount: int, payment: str, *, status: str = "succeeded") -> Json:
    return {
        "id": f"re_{key}",
        "object": "refund",
        "amount": amount,
        "charge": f"ch_{payment}",
        "created": T0 + 7200,
        "currency": "mxn",
        "payment_intent": f"pi_{payment}",
        "reason": "requested_by_customer",
        "status": status,
    }


def dispute(key: str, amount: int, payment: str, status: str) -> Json:
    return {
        "id": f"du_{key}",
        "object": "dispute",
        "amount": amount,
        "charge": f"ch_{payment}",
        "created": T0 + 9000,
        "currency": "mxn",
        "payment_intent": f"pi_{payment}",
        "status": status,
    }


def credit_note(
    key: str,
    bill: Bill,
    given: dict[str, int],
    *,
    refunds: dict[str, int] | None = None,
    before: bool = False,
    version: str = NEWEST,
    **more: Any,
) -> Json:
    """`given`: by line of the bill, of its listed amount; another key is a line of its own."""
    items = {item.key: item for item in bill.items}
    lines, total = [], 0
    for name, amount in given.items():
        item = Item(name, "Nota", amount, items[name].rate if name in items else None)
        total += item.gross
        shown = item.rendered(version, bill.currency)
        lines.append(
            {
                **{one: shown[one] for one in ("amount", "quantity", "discount_amounts")},
                **{one: shown[one] for one in ("taxes", "tax_amounts") if one in shown},
                "id": f"cnli_{key}{name}",
                "object": "credit_note_line_item",
                "description": "Nota",
                "discount_amount": 0,
                "invoice_line_item": f"il_{name}" if name in items else None,
                "type": "invoice_line_item" if name in items else "custom_line_item",
            }
        )
    back = 0 if before else total
    return {
        "id": f"cn_{key}",
        "object": "credit_note",
        "amount": total,
        "created": T0 + 7100,
        "currency": bill.currency,
        "invoice": bill.id,
        "lines": {"object": "list", "data": lines, "has_more": False},
        "memo": None,
        "out_of_band_amount": None,
        "post_payment_amount": back,
        "pre_payment_amount": total - back,
        "reason": "order_change",
        "refunds": [
            {"amount_refunded": amount, "refund": f"re_{one}", "type": "refund"}
            for one, amount in (refunds or {}).items()
        ],
        "shipping_cost": None,
        "status": "issued",
        "total": total,
        "type": "pre_payment" if before else "post_payment",
        "voided_at": None,
        **more,
    }
