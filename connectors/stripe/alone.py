"""What a delivery says by itself that holds no sale: for a connection that cannot ask Stripe."""

from __future__ import annotations

from typing import Final

from connectors.abilities import CUT, Alone
from connectors.contract import Delivery, NoSale
from connectors.reader import Reader, glance
from connectors.stripe.client import ref
from connectors.stripe.events import kind_of

#: Of a bill's id of 27 characters `payment_details.order_reference` holds so many at least.
_SHORTEST: Final = 20
#: In the words of the merchant's review.
_CHANGES: Final = {
    "refund": "Stripe avisó de una devolución ({id}).",
    "credit_note": "Stripe avisó de una nota de crédito ({id}).",
    "dispute": "Stripe avisó de una disputa ({id}).",
}
_GIVEN_BACK: Final = "Stripe avisó de una devolución del cargo {id}."


def alone(delivery: Delivery) -> Alone:
    """Raises `NoSale` or `DeliveryUnreadable`."""
    event = glance(delivery.body)
    held = event.at("data.object")
    what = held.text("object", "")
    if what == "checkout.session" and held.text("payment_status", "") != "paid":
        raise NoSale("a Checkout that brought no money yet")
    return Alone(_about(held, what), _change(held, what, event.text("type", "")))


def _about(held: Reader, what: str) -> tuple[str, ...]:
    """All that it says it is of; itself besides where it can be a sale."""
    found = [ref(held.at(name)) for name in ("invoice", "payment_intent", "charge", "id")]
    if what == "payment_intent":
        hint = held.at("payment_details").text("order_reference", "").strip()
        if hint.startswith("in_") and len(hint) >= _SHORTEST:
            found.append(hint + CUT)
        elif not found[0]:
            return ()  # it may be of a bill, or not: nothing says which
    return tuple(dict.fromkeys(one for one in found if kind_of(one.removesuffix(CUT))))


def _change(held: Reader, what: str, word: str) -> str:
    told = _CHANGES.get(what, "")
    if what == "charge" and word.startswith("charge.refund"):
        told = _GIVEN_BACK
    return told.format(id=held.text("id", "")[:100])
