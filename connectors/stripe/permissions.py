"""What a restricted key has to be allowed, in the words of Stripe's dashboard.

https://docs.stripe.com/keys/restricted-api-keys. The names of refusals ("rak_invoice_read") are
those that https://docs.stripe.com/stripe-apps/reference/permissions lists without "rak_".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Permission:
    words: str  # of the dashboard
    path: str  # a list that it opens


READ: Final = (
    Permission("Invoices: Read", "/v1/invoices"),
    Permission("Invoices: Read", "/v1/invoice_payments"),
    Permission("Credit notes: Read", "/v1/credit_notes"),
    Permission("PaymentIntents: Read", "/v1/payment_intents"),
    Permission("Charges and Refunds: Read", "/v1/charges"),
    Permission("Charges and Refunds: Read", "/v1/refunds"),
    Permission("Disputes: Read", "/v1/disputes"),
    Permission("Balance transaction sources: Read", "/v1/balance_transactions"),
    Permission("Customers: Read", "/v1/customers"),
    Permission("Checkout Sessions: Read", "/v1/checkout/sessions"),
    Permission("Subscriptions: Read", "/v1/subscriptions"),
    Permission("Products: Read", "/v1/products"),
    Permission("Prices: Read", "/v1/prices"),
    Permission("Tax rates: Read", "/v1/tax_rates"),
    Permission("Events: Read", "/v1/events"),
)
WEBHOOKS: Final = Permission("Webhook Endpoints: Write", "/v1/webhook_endpoints")

_SUBJECTS: Final = MappingProxyType(
    {
        "invoice": "Invoices",
        "credit_note": "Credit notes",
        "payment_intent": "PaymentIntents",
        "charge": "Charges and Refunds",
        "refund": "Charges and Refunds",
        "dispute": "Disputes",
        "balance_transaction_source": "Balance transaction sources",
        "balance": "Balance transaction sources",
        "customer": "Customers",
        "checkout_session": "Checkout Sessions",
        "subscription": "Subscriptions",
        "product": "Products",
        "plan": "Prices",
        "price": "Prices",
        "tax_rate": "Tax rates",
        "event": "Events",
        "webhook": "Webhook Endpoints",
        "webhook_endpoint": "Webhook Endpoints",
        "payment_record": "Payment Records",
    }
)
_NAME: Final = re.compile(r"rak_(\w+)_(read|write)")


def words(name: str) -> str:
    """What a person looks for in the dashboard; Stripe's own name where it is a new one."""
    match = _NAME.fullmatch(name)
    if match is None:
        return name
    subject, access = match.groups()
    known = _SUBJECTS.get(subject)
    return f"{known}: {access.capitalize()}" if known else name
