"""What the address of a buyer carries: the id of the Checkout Session, which Stripe writes itself.

`success_url` may hold `{CHECKOUT_SESSION_ID}`: https://docs.stripe.com/payments/checkout/custom-success-page.
The id has more than 200 random bits; the buyer's browser sees it, and the merchant's server.
"""

from __future__ import annotations

from connectors.contract import DeliveryUnreadable
from connectors.reader import glance
from connectors.stripe.events import kind_of


def proof_of(order: bytes) -> str | None:
    """The session of this very sale; None if it was not paid in one, or is a delivered copy."""
    try:
        session = glance(order).at("session.id").value
    except DeliveryUnreadable:
        return None
    if not (isinstance(session, str) and kind_of(session) == "session"):
        return None
    return session
