"""From whatever object an event named to the bill or the payment that is the sale.

Authority over whose a payment is: the list of invoice payments. A PaymentIntent has not named its
bill since 2025-03-31 (https://docs.stripe.com/changelog/basil/2025-03-31/add-support-for-multiple-partial-payments-on-invoices).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from connectors.contract import (
    BelongsTo,
    NoSale,
    OrderNotFound,
    PlatformUnreachable,
)
from connectors.reader import Reader
from connectors.stripe import bundle
from connectors.stripe.client import Api, ref, understood
from connectors.stripe.events import kind_of
from connectors.stripe.payments import CANCELED

T = TypeVar("T")

#: A payment may be told of before its bill lists it.
YOUNG: Final = timedelta(minutes=10)


def fetch(api: Api, order_id: str) -> bytes:
    """The bundle of a sale, or the exception that says whose part this is."""
    match kind_of(order_id):
        case "invoice":
            found = _found(api, f"/v1/invoices/{order_id}", order_id)
            return _whole(_invoice, api, found)
        case "payment_intent":
            charge = ["latest_charge.balance_transaction"]
            found = _found(api, f"/v1/payment_intents/{order_id}", order_id, expand=charge)
            return _whole(_payment, api, found)
        case "charge":
            found = _found(api, f"/v1/charges/{order_id}", order_id, expand=["balance_transaction"])
            return _whole(_charge, api, found)
        case "session":
            found = _found(api, f"/v1/checkout/sessions/{order_id}", order_id)
            raise _whole(_of_session, api, found)
        case "refund":
            raise _part(_found(api, f"/v1/refunds/{order_id}", order_id))
        case "dispute":
            raise _part(_found(api, f"/v1/disputes/{order_id}", order_id))
        case "credit_note":
            raise _part(_found(api, f"/v1/credit_notes/{order_id}", order_id))
        case _:
            raise OrderNotFound("this is no id of a bill, payment, checkout or refund of Stripe")


def _whole(make: Callable[[Api, Reader], T], api: Api, found: Reader) -> T:
    """It is there: if something that it names is not, that does not make it disappear."""
    try:
        return make(api, found)
    except OrderNotFound:
        raise PlatformUnreachable("Stripe has not all that belongs to this object") from None


def _invoice(api: Api, found: Reader) -> bytes:
    with understood():
        if found.text("status", "") == "draft":
            raise NoSale("an invoice of Stripe that is still a draft")
    return bundle.of_invoice(api, found)


def _payment(api: Api, found: Reader) -> bytes:
    if invoice := invoice_of(api, found.text("id")):
        raise BelongsTo(invoice)
    with understood():
        if _hints_at_invoice(found) and api.clock.now() - _made(found) < YOUNG:
            raise PlatformUnreachable("the bill of this payment is not listed with it yet")
    return bundle.of_payment(api, found)


def _charge(api: Api, found: Reader) -> bytes:
    with understood():
        whose = ref(found.at("payment_intent")) or ref(found.at("invoice"))
    if whose:
        raise BelongsTo(whose)
    return bundle.of_charge(api, found)


def invoice_of(api: Api, payment_id: str) -> str:
    """The bill that a PaymentIntent pays; "" if it pays none, or its bill gave it up."""
    asked = {"type": "payment_intent", "payment_intent": payment_id}
    page = api.get("/v1/invoice_payments", payment=asked, limit=10)
    with understood():
        pays = [one for one in page.items("data") if one.text("status", "") != CANCELED]
        bills = [ref(one.at("invoice")) for one in pays]
    return next((bill for bill in bills if kind_of(bill) == "invoice"), "")


def _of_session(api: Api, found: Reader) -> Exception:
    with understood():
        whose = ref(found.at("invoice")) or ref(found.at("payment_intent"))
        subscription, mode = ref(found.at("subscription")), found.text("mode", "")
        status = found.text("status", "")
    if whose:
        return BelongsTo(whose)
    if mode == "setup":
        return NoSale("a Checkout that keeps a payment method and charges nothing")
    if subscription:
        first = api.get(f"/v1/subscriptions/{subscription}")
        with understood():
            if bill := ref(first.at("latest_invoice")):
                return BelongsTo(bill)
    if status == "open":
        return PlatformUnreachable("this Checkout is still open")
    return NoSale("a Checkout that ended without a charge")


def _part(found: Reader) -> Exception:
    with understood():
        places = ("invoice", "payment_intent", "charge")
        whose = [ref(found.at(place)) for place in places if found.has(place)]
    for one in whose:
        if kind_of(one):
            return BelongsTo(one)
    return NoSale("a reversal of something that is neither a bill nor a payment")


def _found(api: Api, path: str, object_id: str, **params: list[str]) -> Reader:
    found = api.get(path, **params)
    with understood():
        if found.flag("deleted", default=False):
            raise OrderNotFound("it was deleted at Stripe")
        if found.text("id", "") != object_id:
            raise PlatformUnreachable("Stripe answered with something that is not that object")
    return found


def _hints_at_invoice(found: Reader) -> bool:
    """It holds the bill's id cut to 25 characters; merchants may set it too: never more."""
    return found.at("payment_details").text("order_reference", "").startswith("in_")


def _made(found: Reader) -> datetime:
    return datetime.fromtimestamp(int(found.decimal("created")), UTC)
