"""Stripe's own list of what was paid in a period: bills, and payments that are of no bill."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from connectors.abilities import Entry
from connectors.contract import Unfinished
from connectors.reader import Reader
from connectors.stripe.choices import choices_of
from connectors.stripe.client import Api, OutOfTime, ref, understood
from connectors.stripe.money import money_of
from connectors.stripe.payments import CANCELED, paid_at
from connectors.stripe.resolve import invoice_of
from connectors.stripe.reversals import was_cut

#: Lists go by the day on which something was made. A bill is paid so much later at most, or it is
#: found by its payment; a payment (a voucher, a bank transfer) so much.
BILL: Final = timedelta(days=60)
PAYMENT: Final = timedelta(days=30)
#: How a terminal takes cards: https://docs.stripe.com/terminal/features/collecting-tips/overview
IN_PERSON: Final = frozenset({"card_present", "interac_present"})


def entries(
    api: Api, since: datetime, until: datetime, settings: Mapping[str, Any]
) -> Iterator[Entry]:
    """Each paid bill or payment once, in no order. Raises `Unfinished` when the time is over."""
    settles = choices_of(settings).settlement
    try:
        for one in _entries(api, since, until):
            # A sale in the pesos that Stripe booked is of another amount than what was charged.
            other = settles and one.currency != "MXN"
            yield replace(one, due=None) if other else one
    except OutOfTime:
        raise Unfinished(since) from None


def _entries(api: Api, since: datetime, until: datetime) -> Iterator[Entry]:
    charges = {_owner(one): one for one in _charges(api, since - PAYMENT, until)}
    billed = set[str]()
    told = set[str]()
    period = _period(since - BILL, until)
    asked = {"status": "paid", "created": period, "expand": ["data.payments"]}
    for page in api.pages("/v1/invoices", **asked):
        for bill in page:
            with understood():
                paid = {
                    ref(one.at("payment.payment_intent"))
                    for one in bill.items("payments.data")
                    if one.text("status", "") != CANCELED
                }
                billed |= paid
                entry = _bill(bill, [charges[one] for one in paid if one in charges])
                sold = bill.decimal("total") > 0
            if sold and _within(entry, since, until):
                told.add(entry.order_id)
                yield entry
    for owner, charge in charges.items():
        with understood():
            entry = _payment(owner, charge)
        if owner in billed or not _within(entry, since, until):
            continue
        if bill_id := invoice_of(api, owner) if owner.startswith("pi_") else "":
            if bill_id not in told:
                told.add(bill_id)
                with understood():
                    late = _bill(api.get(f"/v1/invoices/{bill_id}"), [charge])
                if _within(late, since, until):
                    yield late
            continue
        yield entry


def _charges(api: Api, since: datetime, until: datetime) -> Iterator[Reader]:
    for page in api.pages(
        "/v1/charges", created=_period(since, until), expand=["data.balance_transaction"]
    ):
        for one in page:
            with understood():
                if one.text("status", "") == "succeeded" and one.flag("captured", default=True):
                    yield one


def _owner(charge: Reader) -> str:
    with understood():
        return ref(charge.at("payment_intent")) or charge.text("id")


def _payment(owner: str, charge: Reader) -> Entry:
    money = money_of(charge)
    amount = money.amount(charge, "amount_captured", money.amount(charge, "amount"))
    back = money.amount(charge, "amount_refunded", Decimal(0))
    due = None if (back and was_cut(charge, money)) or _may_hold_a_tip(charge) else amount - back
    return Entry(owner, due, money.currency, paid_at(charge))


def _may_hold_a_tip(charge: Reader) -> bool:
    """Only the payment says how much, which is no part of the sale."""
    details = charge.at("payment_method_details")
    return isinstance(details.value, dict) and details.text("type", "") in IN_PERSON


def _bill(bill: Reader, charges: list[Reader]) -> Entry:
    """What was given back by credit notes stands on the bill; without one, on the charge alone.

    Where both say something, the list does not tell whether they mean the same money.
    """
    money = money_of(bill)
    total = money.amount(bill, "total")
    before = money.amount(bill, "pre_payment_credit_notes_amount", Decimal(0))
    noted = money.amount(bill, "post_payment_credit_notes_amount", Decimal(0))
    back = sum((money.amount(one, "amount_refunded", Decimal(0)) for one in charges), Decimal(0))
    due = None if noted and back and noted != back else total - before - (noted or back)
    return Entry(bill.text("id"), due, money.currency, _at(bill, "status_transitions.paid_at"))


def _within(entry: Entry, since: datetime, until: datetime) -> bool:
    """Whether it was paid in the period."""
    return entry.paid_at is not None and since <= entry.paid_at < until


def _at(place: Reader, name: str) -> datetime | None:
    seconds = place.decimal(name, Decimal(0))
    return datetime.fromtimestamp(int(seconds), UTC) if seconds else None


def _period(since: datetime, until: datetime) -> dict[str, int]:
    return {"gte": int(since.timestamp()), "lt": int(until.timestamp()) + 1}
