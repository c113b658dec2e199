"""What `fetch` brought, or a delivered copy of it, as a `Sale`. Pure. Why each field is read as it
is: README.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.reader import read_json
from connectors.stripe.choices import choices_of
from connectors.stripe.intents import sale_of_payment
from connectors.stripe.invoices import sale_of_invoice
from connectors.stripe.shapes import document_of
from hub.domain.sale import Sale


def sale_of(order: bytes, settings: Mapping[str, Any], account: str = "") -> Sale:
    """Of a bundle, of an event with an invoice or a payment in it, or of either by itself.

    Raises `DeliveryUnreadable`.
    """
    document = document_of(read_json(order))
    choices = choices_of(settings, account)
    if document.kind == "invoice":
        return sale_of_invoice(document, choices)
    return sale_of_payment(document, choices)
