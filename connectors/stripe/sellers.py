"""Sales that are not this merchant's to invoice."""

from __future__ import annotations

from typing import Final

from connectors.stripe.choices import Choices
from connectors.stripe.payments import charges_of
from connectors.stripe.shapes import Document, ident

OTHER_SELLER: Final = "another seller of record"
OTHER_MODE: Final = "not of the mode of this connection's key"


def barred(document: Document, choices: Choices) -> str:
    """Why not; "" if it is his."""
    thing = document.object
    if choices.livemode is not None and thing.flag("livemode") is not choices.livemode:
        return OTHER_MODE
    return OTHER_SELLER if _sold_by_another(document, choices) else ""


def _sold_by_another(document: Document, choices: Choices) -> bool:
    """Charged for a connected account, issued by another, or sold by Stripe itself.

    https://docs.stripe.com/connect/charges#on_behalf_of,
    https://docs.stripe.com/api/invoices/object#invoice_object-issuer,
    https://docs.stripe.com/payments/managed-payments
    """
    thing = document.object
    sellers = {ident(place, "on_behalf_of") for place in (thing, *charges_of(document))}
    if sellers - {"", choices.account}:
        return True
    if thing.has("issuer") and thing.text("issuer.type") != "self":
        return ident(thing.at("issuer"), "account") not in {choices.account} - {""}
    return any(
        place.at("managed_payments").value is not None
        and place.flag("managed_payments.enabled", default=False)
        for place in (thing, document.one("subscription"), document.one("session"))
        if place.value is not None
    )
