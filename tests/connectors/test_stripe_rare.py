"""What Stripe tells of rarely: each of it is a sale as it should be, or a person's to judge."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from connectors.contract import DeliveryUnreadable
from connectors.stripe.orders import sale_of
from hub.domain.sale import PaymentState, Sale
from tests.connectors.stripe_objects.render import (
    ON_TOP,
    T0,
    ZERO_RATED,
    Bill,
    Item,
    Paid,
    credit_note,
    refund,
)
from tests.connectors.stripe_objects.scenarios import AFTER, BILLS, BOOK, INTENTS, PLAN

BILL = BILLS["on-top"]


def sale(document: Any, account: str = "", **settings: Any) -> Sale:
    return sale_of(json.dumps(document).encode(), settings, account)


@pytest.mark.parametrize(("status", "paid"), [("void", False), ("deleted", False), ("paid", True)])
def test_a_bill_that_is_over_has_a_day_of_payment_only_if_it_is_paid(
    status: str, paid: bool
) -> None:
    document = BILL.bundle()
    document["object"]["status"] = status
    document["object"]["status_transitions"]["paid_at"] = T0
    document["object"]["amount_paid"] *= paid
    made = sale(document)
    assert made.payment_state is (PaymentState.PAID if paid else PaymentState.CANCELLED)
    assert (made.paid_at is not None) is paid


@pytest.mark.parametrize("status", ["void", "uncollectible", "deleted"])
def test_what_was_paid_of_a_bill_that_ended_is_never_silent(status: str) -> None:
    """Nobody may invoice the whole of it, and a person sees what was kept."""
    document = BILL.bundle()
    document["object"] |= {
        "status": status,
        "amount_paid": 10050,
        "collection_method": "send_invoice",
    }
    made = sale(document)
    assert (made.payment_state, made.paid_at) == (PaymentState.UNKNOWN, None)
    assert "100.50" in made.doubts[0]
    document["object"]["amount_paid"] = 0
    assert not sale(document).doubts
    document["object"]["amount_paid"] = 10050
    if status == "uncollectible":  # a merchant who sells on credit has it as owed
        assert sale(document, ppd=True).payment_state is PaymentState.PENDING


def test_a_note_that_lowered_a_line_below_nothing_is_for_a_person() -> None:
    two = Bill("Two", (PLAN, BOOK), (Paid("Two", 82884 - 30000),), credited=30000)
    note = credit_note("N", two, {"book": 30000}, before=True)
    made = sale(replace(two, notes=(note,)).bundle())
    assert made.total == Decimal("528.84")
    assert "Una nota de crédito no cabe en los renglones de la factura." in made.doubts
    fits = credit_note("N", two, {"book": 20000}, before=True)
    paid = Bill("Two", (PLAN, BOOK), (Paid("Two", 82884 - 20000),), credited=20000, notes=(fits,))
    assert sale(paid.bundle()).doubts == ()


def test_an_older_debt_that_was_charged_with_the_bill_is_for_a_person() -> None:
    owed = replace(
        BILL, starting_balance=580, paid=(replace(BILL.paid[0], amount=BILL.total + 580),)
    )
    made = sale(owed.bundle())
    assert made.total * 100 == BILL.total
    assert len(made.doubts) == 1


def test_an_issuer_without_a_name_is_not_taken_for_an_account_without_one() -> None:
    document = replace(BILL, more={"issuer": {"type": "account", "account": None}}).bundle()
    assert sale(document).barred == "another seller of record"


def test_a_tip_larger_than_the_last_refund_is_not_taken_off_it() -> None:
    """10.00 of tip; 109.00 and then 7.00 came back."""
    backs = (refund("A", 10900, "MadeTip"), refund("B", 700, "MadeTip"))
    made = sale(replace(INTENTS["tip"], refunds=backs).bundle())
    assert [one.total for one in made.refunds] == [Decimal("109.00"), Decimal("7.00")]
    assert len(made.doubts) == 1


@pytest.mark.parametrize("name", AFTER)
def test_pesos_need_no_settlement_whatever_came_back(name: str) -> None:
    document = AFTER[name].bundle()
    assert sale(document, currency="settlement") == sale(document)


def test_dollars_whose_lines_do_not_make_them_stay_dollars() -> None:
    items = (Item("a", "Uno", 10000, ON_TOP),)
    paid = Paid("Gap", 11601, booked=("mxn", 208818, 18.0))
    document = Bill("Gap", items, (paid,), currency="usd").bundle()
    document["object"]["total"] = 11601
    made = sale(document, currency="settlement")
    assert (made.currency, made.total) == ("USD", Decimal("116.01"))
    assert "No se puede expresar" in made.doubts[-1]


def test_dollars_with_a_line_below_nothing_stay_dollars() -> None:
    items = (Item("a", "Uno", 10000, ON_TOP), Item("b", "Dos", -1000, ZERO_RATED))
    paid = Paid("Below", 10600, booked=("mxn", 190800, 18.0))
    made = sale(Bill("Below", items, (paid,), currency="usd").bundle(), currency="settlement")
    assert (made.currency, made.total) == ("USD", Decimal("106.00"))
    assert "No se puede expresar" in made.doubts[-1]


def test_a_refund_that_failed_explains_no_money_that_went_back() -> None:
    back = refund("F", 11600, "MadeOnTop", status="failed")
    gone = replace(BILL, paid=(replace(BILL.paid[0], refunded=11600),), refunds=(back,))
    made = sale(gone.bundle())
    assert (made.refunds, len(made.doubts)) == ((), 1)
    stayed = sale(replace(BILL, refunds=(back,)).bundle())
    assert (stayed.refunds, stayed.doubts) == ((), ())


def test_a_note_whose_lines_do_not_make_it_names_none() -> None:
    note = credit_note("N", BILL, {"plan": 10000}) | {"total": 11500, "post_payment_amount": 11500}
    [made] = sale(replace(BILL, notes=(note,)).bundle()).refunds
    assert (made.total, made.lines) == (Decimal("115.00"), ())


@pytest.mark.parametrize("currency", ["bhd", "jod", "kwd", "omr", "tnd"])
def test_currencies_of_thousandths(currency: str) -> None:
    made = sale(replace(BILL, currency=currency).bundle())
    assert made.total * 1000 == BILL.total


def test_a_bundle_of_another_kind_than_it_says_is_unreadable() -> None:
    document = BILL.bundle() | {"kind": "payment"}
    with pytest.raises(DeliveryUnreadable):
        sale(document)


def test_a_card_that_was_refused_first_is_not_how_the_bill_was_paid() -> None:
    document = BILL.bundle()
    (charge,) = document["charges"]
    refused = json.loads(json.dumps(charge))
    refused |= {"id": f"{charge['id']}x", "status": "failed", "paid": False}
    funding = charge["payment_method_details"]["card"]["funding"]
    other = "debit" if funding == "credit" else "credit"
    refused["payment_method_details"]["card"]["funding"] = other
    document["charges"] = [refused, charge]
    (payment,) = sale(document).payments
    (alone,) = sale(BILL.bundle()).payments
    assert payment.forma_pago == alone.forma_pago == {"credit": "04", "debit": "28"}[funding]
