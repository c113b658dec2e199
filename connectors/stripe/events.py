"""What an event says: which object it is about. https://docs.stripe.com/api/events/types"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from connectors.contract import CustomerNotice, Delivery, DeliveryUnreadable, Hint, Notice
from connectors.reader import Reader, glance

_log = logging.getLogger(__name__)

#: Kinds of object by the first letters of an id.
KINDS: Final = MappingProxyType(
    {
        "in": "invoice",
        "pi": "payment_intent",
        "ch": "charge",
        "py": "charge",
        "cs": "session",
        "re": "refund",
        "pyr": "refund",
        "cn": "credit_note",
        "dp": "dispute",
        "du": "dispute",
    }
)
_ID: Final = re.compile(r"([a-z]{2,3})_[A-Za-z0-9_]{1,200}")
_EVENT_ID: Final = re.compile(r"evt_[A-Za-z0-9_]{4,150}")
_CUSTOMER: Final = re.compile(r"cus_[A-Za-z0-9_]{1,200}")

#: Told of money, with the object as it is then.
_MONEY: Final = ("invoice.paid", "payment_intent.succeeded")
_CHECKOUT: Final = ("checkout.session.completed", "checkout.session.async_payment_succeeded")
_BACK: Final = (
    "credit_note.created",
    "credit_note.voided",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.closed",
)
_CUSTOMERS: Final = (
    "customer.updated",
    "customer.tax_id.created",
    "customer.tax_id.updated",
    "customer.tax_id.deleted",
    "customer.deleted",
)
#: What an endpoint of ours is told of. Never "*" and never invoice.created: an account whose
#: endpoint does not answer that one finalizes its invoices up to 72 hours later.
#: https://docs.stripe.com/billing/subscriptions/webhooks
EVENTS: Final = (*_MONEY, *_CHECKOUT, *_BACK, *_CUSTOMERS)
#: More for a merchant who invoices before being paid (setting `ppd`).
ON_CREDIT: Final = (
    "invoice.finalized",
    "invoice.voided",
    "invoice.marked_uncollectible",
    "invoice_payment.paid",
)
#: More for one who still makes charges without a PaymentIntent (setting `legacy_charges`).
LEGACY: Final = ("charge.succeeded",)

#: Whoever made the endpoint by hand may have chosen these; the sale is the same.
_UNDERSTOOD: Final = frozenset(
    {
        *EVENTS, *ON_CREDIT, *LEGACY, "invoice.payment_succeeded", "invoice.overpaid",
        "charge.refunded", "charge.refund.updated", "charge.dispute.updated",
        "charge.dispute.funds_reinstated", "charge.dispute.funds_withdrawn",
    }
)  # fmt: skip


def wanted(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """What this connection has to be told of."""
    more = ON_CREDIT if settings.get("ppd") is True else ()
    return (*EVENTS, *more, *(LEGACY if settings.get("legacy_charges") is True else ()))


def swept(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """The same without customers. A list of events takes 20 names at most."""
    return tuple(one for one in wanted(settings) if one not in _CUSTOMERS)


def kind_of(object_id: str) -> str | None:
    """What an id names; None if it is none of those that stand for money."""
    match = _ID.fullmatch(object_id)
    return KINDS.get(match.group(1)) if match else None


def read(delivery: Delivery) -> Hint | None:
    """Its key is the event's id: two endpoints of one account are told of the same event.

    Of what two events tell (`invoice.paid`, `payment_intent.succeeded`) the sale's claims say that
    it is one. Raises `DeliveryUnreadable`.
    """
    event = glance(delivery.body)
    what = event.text("object", "")
    if what == "v2.core.event":
        raise DeliveryUnreadable(
            "a thin event, which holds no object: choose the payload style Snapshot at the endpoint"
        )
    if what != "event":
        raise DeliveryUnreadable("the document is no event of Stripe")
    word = event.text("type")
    if word not in _UNDERSTOOD:
        return None
    if event.has("account"):
        # Of a Connect endpoint: another's money. The key of this connection could not ask for it.
        _log.warning("stripe_event_ignored reason=of_another_account type=%s", word)
        return None
    key, held = _key(event), event.at("data.object")
    if word in _CUSTOMERS:
        return CustomerNotice(word, key, _customer_of(word, held))
    order_id = subject_of(held)
    alone = _stands_alone(held, kind_of(order_id))
    return Notice(word, key, order_id, snapshot=delivery.body if alone else None)


def _stands_alone(held: Reader, kind: str | None) -> bool:
    """Whether the delivered object by itself is a sale, where Stripe cannot be asked.

    A payment is none unless it says itself that it is of no bill: told twice of one payment, as
    its bill and as itself, the hub would make two invoices. Until 2025-03-31 "invoice" said it;
    later versions say nothing, but put (a part of) the bill's id where else a reference of the
    merchant's own stands.
    """
    what = held.text("object", "")
    if what == kind == "invoice":
        return True
    if not (what == kind == "payment_intent"):
        return False
    reference = held.at("payment_details").text("order_reference", "")
    own = reference.strip() != "" and not reference.strip().startswith("in_")
    return own or "invoice" in held.names()


def subject_of(held: Reader) -> str:
    """The id of the object, or of the bill that it says it is a payment of."""
    what = held.text("object", "")
    billed = what == "invoice_payment" or (what == "payment_intent" and held.has("invoice"))
    place = held.at("invoice") if billed else held.at("id")
    found = place.value.get("id") if isinstance(place.value, dict) else place.value
    if not (isinstance(found, str) and kind_of(found)):
        raise DeliveryUnreadable(f"{place.path} names nothing that stands for money")
    return found


def _customer_of(word: str, held: Reader) -> str:
    place = held.at("customer") if word.startswith("customer.tax_id.") else held.at("id")
    found = place.value.get("id") if isinstance(place.value, dict) else place.value
    if not (isinstance(found, str) and _CUSTOMER.fullmatch(found)):
        raise DeliveryUnreadable(f"{place.path} names no customer")
    return found


def is_customer(customer_id: str) -> bool:
    return _CUSTOMER.fullmatch(customer_id) is not None


def _key(event: Reader) -> str:
    event_id = event.text("id")
    if _EVENT_ID.fullmatch(event_id):
        return event_id
    return hashlib.sha256(event_id.encode("utf-8", "replace")).hexdigest()
