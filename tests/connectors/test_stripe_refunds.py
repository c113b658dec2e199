"""What came back, each amount once: refunds, credit notes, and both of the same money."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.stripe.orders import sale_of
from hub.domain.remaining import remaining_lines
from hub.domain.sale import RefundLine, Sale
from tests.connectors.stripe_objects.render import (
    NEWEST,
    ON_TOP,
    T0,
    VERSIONS,
    WITHIN,
    Bill,
    Item,
    Json,
    Paid,
    credit_note,
    refund,
)
from tests.connectors.stripe_objects.scenarios import AFTER, BILLS, BOOK, INTENTS, PLAN

BILL = BILLS["on-top"]


def sale(document: Any, **settings: Any) -> Sale:
    return sale_of(json.dumps(document).encode(), settings)


def after(
    *, notes: tuple[Json, ...] = (), refunds: tuple[Json, ...] = (), bill: Bill = BILL, **more: Any
) -> Sale:
    """The bill with what came back of it; the charge says so as Stripe does."""
    back = sum(one["amount"] for one in refunds if one["status"] not in {"failed", "canceled"})
    paid = tuple(replace(one, refunded=back if one is bill.paid[0] else 0) for one in bill.paid)
    settings = more.pop("settings", {})
    made = replace(bill, notes=notes, refunds=refunds, paid=paid, **more)
    return sale(made.bundle(), **settings)


def told(one: Sale) -> list[tuple[str, Decimal]]:
    return [(refund.key, refund.total) for refund in one.refunds]


def lines_of(one: Sale, at: int = 0) -> list[RefundLine]:
    return list(one.refunds[at].lines)


def test_a_refund_by_itself_is_of_no_line() -> None:
    made = after(refunds=(refund("One", 11600, "MadeOnTop"),))
    assert told(made) == [("re_One", Decimal("116.00"))]
    assert lines_of(made) == []
    assert made.refunds[0].at == datetime.fromtimestamp(T0 + 7200, UTC)
    assert made.refunds[0].reason == "requested_by_customer"
    assert made.due == Decimal("810.81")
    assert made.doubts == ()


@pytest.mark.parametrize(
    ("status", "counts", "doubts"),
    [
        ("succeeded", True, 0),
        ("pending", False, 0),
        ("requires_action", False, 0),
        ("failed", False, 0),
        ("canceled", False, 0),
        ("something_new", False, 1),
        (None, False, 1),
    ],
)
def test_only_money_that_went_back_counts(status: str | None, counts: bool, doubts: int) -> None:
    one = refund("One", 11600, "MadeOnTop") | {"status": status}
    made = after(refunds=(one,))
    assert bool(made.refunds) is counts
    assert len(made.doubts) == doubts
    note = credit_note("N", BILL, {"plan": 10000}, refunds={"One": 11600})
    assert bool(after(refunds=(one,), notes=(note,)).refunds) is counts


def test_a_credit_note_with_a_refund_is_one_thing_under_the_refunds_id() -> None:
    note = credit_note("N", BILL, {"plan": 10000}, refunds={"One": 11600})
    made = after(refunds=(refund("One", 11600, "MadeOnTop"),), notes=(note,))
    assert told(made) == [("re_One", Decimal("116.00"))]
    assert lines_of(made) == [
        RefundLine("il_plan", Decimal(1), Decimal("100.00"), (Decimal("16.00"),))
    ]
    assert made.due == Decimal("810.81")


def test_the_same_in_the_older_shape() -> None:
    note = credit_note("N", BILL, {"plan": 10000}, version=VERSIONS[0])
    del note["refunds"], note["pre_payment_amount"], note["post_payment_amount"]
    note["refund"] = "re_One"
    made = after(refunds=(refund("One", 11600, "MadeOnTop"),), notes=(note,))
    newer = credit_note("N", BILL, {"plan": 10000}, refunds={"One": 11600})
    assert made == after(refunds=(refund("One", 11600, "MadeOnTop"),), notes=(newer,))
    partly = after(refunds=(refund("One", 5000, "MadeOnTop"),), notes=(note,))
    assert sorted(told(partly)) == [("cn_N", Decimal("66.00")), ("re_One", Decimal("50.00"))]


def test_a_refund_keeps_its_id_when_a_credit_note_is_made_of_it_later() -> None:
    one = refund("One", 11600, "MadeOnTop")
    note = credit_note("N", BILL, {"plan": 10000}, refunds={"One": 11600})
    before, later = after(refunds=(one,)), after(refunds=(one,), notes=(note,))
    assert told(before) == told(later)
    assert later.revision >= before.revision


def test_a_credit_note_to_the_balance_counts_by_itself() -> None:
    made = after(notes=(credit_note("N", BILL, {"seats": 9999}),))
    assert told(made) == [("cn_N", Decimal("115.99"))]
    assert lines_of(made)[0].key == "il_seats"


def test_a_credit_note_of_several_ways_is_told_in_its_parts() -> None:
    """116.00 of 232.00 refunded, 58.00 in a refund not done yet, the rest to the balance."""
    note = credit_note("N", BILL, {"plan": 20000}, refunds={"One": 11600, "Two": 5800})
    refunds = (
        refund("One", 11600, "MadeOnTop"),
        refund("Two", 5800, "MadeOnTop", status="pending"),
    )
    made = after(refunds=refunds, notes=(note,))
    assert sorted(told(made)) == [("cn_N", Decimal("58.00")), ("re_One", Decimal("116.00"))]
    for one in made.refunds:
        (line,) = one.lines
        assert line.base + sum(line.taxes) == one.total
    assert sum(line.total for line in remaining_lines(made)) == made.due


def test_a_refund_larger_than_its_note_is_one_and_names_a_part() -> None:
    note = credit_note("N", BILL, {"plan": 10000}, refunds={"One": 11600})
    one = refund("One", 20000, "MadeOnTop")
    made = after(refunds=(one,), notes=(note,))
    assert told(made) == told(after(refunds=(one,))) == [("re_One", Decimal("200.00"))]
    assert [line.base for line in lines_of(made)] == [Decimal("100.00")]
    assert abs(sum(line.total for line in remaining_lines(made)) - made.due) < Decimal("0.001")


def test_one_refund_of_two_credit_notes() -> None:
    notes = (
        credit_note("A", BILL, {"plan": 10000}, refunds={"One": 11600}),
        credit_note("B", BILL, {"seats": 9999}, refunds={"One": 11599}),
    )
    made = after(refunds=(refund("One", 23199, "MadeOnTop"),), notes=notes)
    assert told(made) == [("re_One", Decimal("231.99"))]
    assert [line.key for line in lines_of(made)] == ["il_plan", "il_seats"]
    assert told(after(refunds=(refund("One", 23199, "MadeOnTop"),), notes=notes[:1])) == told(made)


def test_a_refund_that_was_not_fetched_is_what_its_notes_say() -> None:
    note = credit_note("N", BILL, {"plan": 10000}, refunds={"One": 11600})
    assert told(after(notes=(note,))) == [("re_One", Decimal("116.00"))]


def test_notes_of_more_than_their_refund_name_no_lines() -> None:
    note = credit_note("N", BILL, {"plan": 10000}, refunds={"One": 11600})
    made = after(refunds=(refund("One", 5000, "MadeOnTop"),), notes=(note,))
    assert (told(made), lines_of(made)) == ([("re_One", Decimal("50.00"))], [])


def test_a_voided_credit_note_is_none() -> None:
    note = credit_note("N", BILL, {"plan": 10000}) | {"status": "void", "voided_at": T0 + 8000}
    made = after(notes=(note,))
    assert made.refunds == ()
    assert made.revision > sale(BILL.bundle()).revision


def test_a_credit_note_that_names_no_line_is_spread() -> None:
    made = after(notes=(credit_note("N", BILL, {"custom": 5000}),))
    assert told(made) == [("cn_N", Decimal("50.00"))]
    assert lines_of(made) == []


def test_a_credit_note_of_a_tax_the_line_has_not_is_spread() -> None:
    note = credit_note("N", BILL, {"plan": 10000})
    note["lines"]["data"][0]["taxes"][0]["tax_rate_details"]["tax_rate"] = "txr_other"
    assert lines_of(after(notes=(note,))) == []


def test_a_credit_note_upon_prices_that_hold_their_tax() -> None:
    bill = BILLS["within"]
    made = after(bill=bill, notes=(credit_note("N", bill, {"plan": 11600}),))
    assert told(made) == [("cn_N", Decimal("116.00"))]
    assert lines_of(made) == [
        RefundLine("il_plan", Decimal(1), Decimal("100.00"), (Decimal("16.00"),))
    ]


def test_a_credit_note_of_an_untaxed_line_that_holds_tax() -> None:
    bill = BILLS["untaxed"]
    note = credit_note("N", bill, {"plan": 11600})
    made = after(bill=bill, notes=(note,), settings={"untaxed_lines": "include_16"})
    (line,) = lines_of(made)
    assert (line.base, line.taxes) == (Decimal("100.000000"), (Decimal("16.000000"),))
    assert sum(one.total for one in remaining_lines(made)) == made.due


def test_shipping_can_come_back() -> None:
    bill = BILLS["shipping"]
    cost = {
        "amount_subtotal": 9900,
        "amount_tax": 1584,
        "amount_total": 11484,
        "taxes": [{"amount": 1584, "rate": ON_TOP.rendered(), "taxable_amount": 9900}],
    }
    note = credit_note("N", bill, {}) | {
        "total": 11484,
        "post_payment_amount": 11484,
        "shipping_cost": cost,
    }
    made = after(bill=bill, notes=(note,))
    assert [line.key for line in lines_of(made)] == ["shipping"]
    assert sum(one.total for one in remaining_lines(made)) == made.due


def test_all_of_it_came_back() -> None:
    one = refund("One", BILL.total, "MadeOnTop")
    made = after(refunds=(one,))
    assert made.due == 0


def test_refunds_of_which_only_the_charge_tells_are_for_a_person() -> None:
    paid = (replace(BILL.paid[0], refunded=11600),)
    made = sale(replace(BILL, paid=paid).bundle())
    assert made.doubts == ("Stripe indica devoluciones que no llegaron con la venta.",)
    event = replace(BILL, more={"post_payment_credit_notes_amount": 100}).event(NEWEST)
    assert len(sale(event).doubts) == 1


def test_what_came_back_of_too_much_is_for_a_person() -> None:
    bill = BILLS["overpaid"]
    made = after(bill=bill, refunds=(refund("One", 2116, bill.key),))
    assert any("Se pagó de más" in doubt for doubt in made.doubts)


def credited(bill: Bill, given: dict[str, int], **settings: Any) -> Sale:
    note = credit_note("N", bill, given, before=True)
    total = note["total"]
    paid = (Paid(bill.key, bill.total - total),)
    made = replace(bill, credited=total, paid=paid, notes=(note,))
    return sale(made.bundle(), **settings)


def test_what_was_credited_before_payment_was_never_sold() -> None:
    made = credited(BILL, {"plan": 10000})
    assert made.total == Decimal("810.81")
    assert made.refunds == ()
    lines = {line.key: line for line in made.lines}
    assert lines["il_plan"].total == Decimal("462.84")
    assert round(lines["il_plan"].base, 2) == Decimal("399.00")
    assert lines["il_seats"].total == Decimal("347.97")
    assert made.doubts == ()


def test_who_sells_on_credit_has_invoiced_it_already() -> None:
    made = credited(BILL, {"plan": 10000}, ppd=True)
    assert made.total == Decimal("926.81")
    assert told(made) == [("cn_N-open", Decimal("116.00"))]
    assert made.due == Decimal("810.81")


def test_credited_before_payment_without_a_word_of_which_lines() -> None:
    alike = BILLS["credited-before"]
    made = sale(alike.bundle())
    assert (made.total, made.doubts) == (Decimal("810.81"), ())
    assert sum(line.total for line in made.lines) == made.total
    odd = Bill("Odd", (PLAN, BOOK), (Paid("Odd", 70000),), credited=12884)
    made = sale(odd.bundle())
    assert made.doubts == ("Una nota de crédito no dice qué renglones bajó.",)
    assert sum(line.total for line in made.lines) == made.total == Decimal("700.00")


def test_a_bill_wholly_credited_costs_nothing() -> None:
    made = credited(BILL, {"plan": 49900, "seats": 29997})
    assert (made.total, made.lines, made.refunds) == (0, (), ())


def test_a_note_of_both_kinds() -> None:
    """Half of it before the payment, half after."""
    note = credit_note("N", BILL, {"plan": 20000}, refunds={"One": 11600})
    note |= {"type": "mixed", "pre_payment_amount": 11600, "post_payment_amount": 11600}
    made = after(notes=(note,), refunds=(refund("One", 11600, "MadeOnTop"),), credited=11600)
    assert made.total == Decimal("810.81")
    assert told(made) == [("re_One", Decimal("116.00"))]
    (line,) = made.refunds[0].lines
    assert (line.key, line.base, line.taxes) == (
        "il_plan",
        Decimal("100.000000"),
        (Decimal("16.000000"),),
    )


def test_refunds_of_a_payment_without_an_invoice() -> None:
    made = sale(INTENTS["refunded"].bundle())
    assert told(made) == [("re_MadeBack1", Decimal("58.00"))]
    assert made.due == Decimal("58.00")


@pytest.mark.parametrize("name", AFTER)
def test_what_is_left_adds_up_to_what_is_due(name: str) -> None:
    made = sale(AFTER[name].bundle())
    assert abs(sum(line.total for line in remaining_lines(made)) - made.due) < Decimal("0.001")


def test_what_is_left_after_prorations_and_a_note() -> None:
    bill = BILLS["proration"]
    made = after(bill=bill, notes=(credit_note("N", bill, {"plan": 10000}),))
    assert abs(sum(line.total for line in remaining_lines(made)) - made.due) < Decimal("0.001")


def test_a_discounted_line_of_a_note() -> None:
    bill = Bill("D", (Item("plan", "Plan", 50000, WITHIN, discounts=(5000,)),), (Paid("D", 45000),))
    note = credit_note("N", bill, {"plan": 10000})
    line = note["lines"]["data"][0]
    line["discount_amounts"] = [{"amount": 1000, "discount": "di_1"}]
    line["taxes"][0]["amount"] = 1241
    note["total"] = note["post_payment_amount"] = 9000
    made = after(bill=bill, notes=(note,))
    assert lines_of(made)[0].base == Decimal("77.59")
    del line["discount_amounts"]
    line["discount_amount"] = 1000
    assert after(bill=bill, notes=(note,)) == made


def test_a_tip_that_came_back_is_no_part_of_the_sale_either() -> None:
    tip = INTENTS["tip"]
    whole = sale(replace(tip, refunds=(refund("T", 11600, "MadeTip"),)).bundle())
    assert (told(whole), whole.due, whole.doubts) == ([("re_T", Decimal("106.00"))], 0, ())
    part = sale(replace(tip, refunds=(refund("T", 5000, "MadeTip"),)).bundle())
    assert len(part.doubts) == 1


def test_a_hold_that_was_released_is_no_refund_without_a_person() -> None:
    document = INTENTS["refunded"].bundle()
    document["charges"][0]["amount"] = 17400
    assert len(sale(document).doubts) == 1
