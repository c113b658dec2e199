"""What `fetch` brings: all that stands for one sale, put together of Stripe's answers, exactly.

`{"shape": "bundle", "api_version", "kind": "invoice" | "payment", "object", "lines", …}`: a name
that is absent was not asked for, an empty list was and is empty.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from connectors.contract import OrderNotFound, PlatformUnreachable
from connectors.reader import Reader
from connectors.stripe.client import VERSION, Api, Forbidden, ref, understood
from connectors.stripe.money import ZERO
from connectors.stripe.shapes import instant

#: A bill may be told of as paid before its payments are listed. Less than the five minutes after
#: which the hub asks again.
LISTED_WITHIN: Final = timedelta(minutes=4)
#: Of one sale. More of either is none that a person made.
MAX_RATES: Final = 60
MAX_PAYMENTS: Final = 50
#: Products that one request names.
AT_ONCE: Final = 50
LONGEST_ID: Final = 100
_RATE: Final = re.compile(r"txr_[A-Za-z0-9]{1,100}")
#: Where people write, and no id of Stripe stands.
_WORDS: Final = frozenset({"metadata", "description", "custom_fields"})
#: Why a bill was made, where no Checkout of its own stands behind it.
_RENEWALS: Final = frozenset(
    {"subscription_cycle", "subscription_update", "subscription_threshold"}
)


def of_invoice(api: Api, found: Reader) -> bytes:
    with understood():
        invoice_id = found.text("id")
        subscription = ref(found.at("parent.subscription_details.subscription")) or ref(
            found.at("subscription")
        )
        renewal = found.text("billing_reason", "") in _RENEWALS
        held = found.at("lines")
    lines = api.rest(held, f"/v1/invoices/{invoice_id}/lines")
    payments = api.every("/v1/invoice_payments", invoice=invoice_id)
    _wait_for_all(api, found, payments)
    paid = list(_paid(payments))
    charges = [one for kind, key in paid for one in _charges(api, kind, key)]
    made = {
        "kind": "invoice",
        "object": found.value,
        "lines": _values(lines),
        "invoice_payments": _values(payments),
        "charges": _values(charges),
        "payment_records": _values(_records(api, paid)),
        "credit_notes": _credit_notes(api, invoice_id),
        **_reversals(api, charges),
        **_customer(api, found),
    }
    if subscription:
        made |= _maybe(api, "subscription", f"/v1/subscriptions/{subscription}")
    if not renewal:
        intents = [key for kind, key in paid if kind == "payment_intent"]
        made |= _session(api, {invoice_id, *intents}, intents, subscription)
    return _written(api, made)


def of_payment(api: Api, found: Reader) -> bytes:
    """`found` has its charge expanded."""
    with understood():
        payment_id, charge = found.text("id"), found.at("latest_charge")
        charges = [charge] if isinstance(charge.value, dict) else []
    made = {
        "kind": "payment",
        "object": found.value,
        "charges": _values(charges),
        "refunds": _values(api.every("/v1/refunds", payment_intent=payment_id)),
        "disputes": _values(api.every("/v1/disputes", payment_intent=payment_id)),
        **_customer(api, found),
        **_session(api, {payment_id}, [payment_id], ""),
    }
    return _written(api, made)


def of_charge(api: Api, found: Reader) -> bytes:
    """A charge of the old kind, with no PaymentIntent over it."""
    made = {
        "kind": "payment",
        "object": found.value,
        "charges": [found.value],
        **_reversals(api, [found]),
        **_customer(api, found),
    }
    return _written(api, made)


def _wait_for_all(api: Api, bill: Reader, payments: Iterable[Reader]) -> None:
    """Raises `PlatformUnreachable` while not all that just paid this bill is listed with it."""
    with understood():
        paid_at = instant(bill, "status_transitions.paid_at")
        told = sum(
            one.decimal("amount_paid", ZERO) for one in payments if one.text("status", "") == "paid"
        )
        told += bill.decimal("amount_paid_off_stripe", ZERO)
        missing = bill.text("status", "") == "paid" and bill.decimal("amount_paid", ZERO) > told
    if missing and paid_at is not None and api.clock.now() - paid_at < LISTED_WITHIN:
        raise PlatformUnreachable("the payments of this bill are not all listed with it yet")


def _paid(payments: Iterable[Reader]) -> Iterator[tuple[str, str]]:
    """Kind and id of each payment that was made."""
    for number, one in enumerate(payments):
        with understood():
            kind, paid = one.text("payment.type", ""), one.text("status", "") == "paid"
            key = ref(one.at(f"payment.{kind}")) if kind else ""
        if number >= MAX_PAYMENTS:
            raise PlatformUnreachable("this bill has more payments than any")
        if paid and key:
            yield kind, key


def _charges(api: Api, kind: str, key: str) -> list[Reader]:
    if kind == "charge":
        return [api.get(f"/v1/charges/{key}", expand=["balance_transaction"])]
    if kind != "payment_intent":
        return []
    intent = api.get(f"/v1/payment_intents/{key}", expand=["latest_charge.balance_transaction"])
    with understood():
        charge = intent.at("latest_charge")
    return [Reader(charge.value)] if isinstance(charge.value, dict) else []


def _records(api: Api, paid: Iterable[tuple[str, str]]) -> list[Reader]:
    """Money that came outside Stripe. What they say is how; that it came the bill says itself."""
    found = []
    for kind, key in paid:
        if kind != "payment_record":
            continue
        try:
            found.append(api.get(f"/v1/payment_records/{key}"))
        except Forbidden:  # no restricted key was able to read them at first
            continue
    return found


def _reversals(api: Api, charges: Iterable[Reader]) -> dict[str, list[Any]]:
    refunds: list[Any] = []
    disputes: list[Any] = []
    for one in charges:
        with understood():
            intent, charge = ref(one.at("payment_intent")), one.text("id")
        by = {"payment_intent": intent} if intent else {"charge": charge}
        refunds += _values(api.every("/v1/refunds", **by))
        disputes += _values(api.every("/v1/disputes", **by))
    return {"refunds": refunds, "disputes": disputes}


def _credit_notes(api: Api, invoice_id: str) -> list[Any]:
    found = []
    for note in api.every("/v1/credit_notes", invoice=invoice_id):
        with understood():
            held, note_id = note.at("lines"), note.text("id")
        lines = _values(api.rest(held, f"/v1/credit_notes/{note_id}/lines"))
        found.append(note.value | {"lines": _whole(lines)})
    return found


def _customer(api: Api, found: Reader) -> dict[str, Any]:
    with understood():
        customer = ref(found.at("customer"))
    if not customer:
        return {}
    return _maybe(api, "customer", f"/v1/customers/{customer}", expand=["tax_ids"])


def _session(api: Api, own: set[str], intents: list[str], subscription: str) -> dict[str, Any]:
    """The Checkout of this very sale: that of a subscription is the one of its first bill."""
    asked = [{"payment_intent": one} for one in intents[:1]]
    asked += [{"subscription": subscription}] if subscription else []
    for by in asked:
        page = api.get("/v1/checkout/sessions", limit=10, **by)
        for session in page.items("data"):
            with understood():
                key = session.text("id")
                whose = {ref(session.at("invoice")), ref(session.at("payment_intent"))}
            if own & whose:
                lines = api.every(
                    f"/v1/checkout/sessions/{key}/line_items",
                    expand=["data.taxes", "data.discounts"],
                )
                return {"session": session.value | {"line_items": _whole(_values(lines))}}
    return {}


def _maybe(api: Api, name: str, path: str, **params: Any) -> dict[str, Any]:
    """What may have been deleted since."""
    try:
        return {name: api.get(path, **params).value}
    except OrderNotFound:
        return {}


def _written(api: Api, made: dict[str, Any]) -> bytes:
    made |= {
        "tax_rates": dict(_rates(api, sorted(_rate_ids(made)))),
        "products": dict(_products(api, sorted(_product_ids(made)))),
    }
    return dumped({"shape": "bundle", "api_version": VERSION, **made}).encode()


def _rates(api: Api, ids: list[str]) -> Iterator[tuple[str, Any]]:
    """A line says which rate it was taxed with and what came of it, not how high the rate is."""
    for key in ids[:MAX_RATES]:
        with suppress(OrderNotFound):
            yield key, api.rate(key)


def _products(api: Api, ids: list[str]) -> Iterator[tuple[str, Any]]:
    for start in range(0, len(ids), AT_ONCE):
        page = api.get("/v1/products", ids=ids[start : start + AT_ONCE], limit=100)
        with understood():
            yield from ((one.text("id"), one.value) for one in page.items("data"))


def _rate_ids(value: Any) -> set[str]:
    """Every rate of tax, wherever it stands."""
    if isinstance(value, str):
        return {value} if _RATE.fullmatch(value) else set()
    return set().union(*(_rate_ids(one) for _, one in _parts(value)))


def _product_ids(value: Any) -> set[str]:
    """What every line sold. Merchants choose some of these ids, so only their place tells."""
    found = set()
    for name, one in _parts(value):
        sold = one.get("id") if name == "product" and isinstance(one, dict) else one
        if name == "product" and isinstance(sold, str) and 0 < len(sold) <= LONGEST_ID:
            found.add(sold)
        else:
            found |= _product_ids(one)
    return found


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        return ((name, one) for name, one in value.items() if name not in _WORDS)
    return (("", one) for one in (value if isinstance(value, list) else ()))


def _values(found: Iterable[Reader]) -> list[Any]:
    return [one.value for one in found]


def _whole(values: list[Any]) -> dict[str, Any]:
    return {"object": "list", "data": values, "has_more": False}


def dumped(value: Any) -> str:
    """JSON with every number as it was written."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{dumped(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(dumped, value)) + "]"
    return json.dumps(value)
