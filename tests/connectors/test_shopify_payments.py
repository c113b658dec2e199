"""How an order of Shopify was paid, when, and on what terms; and what of its words is no money."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.contract import DeliveryUnreadable
from connectors.reader import read_json
from connectors.shopify.orders import sale_of
from hub.domain.sale import PaymentState, Sale
from tests.connectors.shopify_model import EXEMPT, GID, Basket
from tests.connectors.shopify_orders import MADE

D = Decimal
WORDS = {
    "AUTHORIZED": "pending",
    "EXPIRED": "cancelled",
    "PAID": "paid",
    "PARTIALLY_PAID": "pending",
    "PARTIALLY_REFUNDED": "paid",
    "PENDING": "pending",
    "REFUNDED": "refunded",
    "VOIDED": "cancelled",
}
Change = Callable[[dict[str, Any]], None]


def sale(document: dict[str, Any]) -> Sale:
    return sale_of(read_json(json.dumps(document).encode()), {})


def changed(name: str, change: Change) -> Sale:
    document = MADE[name]().graphql()
    change(document["order"])
    return sale(document)


def both(basket: Basket) -> tuple[Sale, Sale]:
    return sale(basket.graphql()), sale(basket.rest())


@pytest.mark.parametrize(("word", "state"), WORDS.items())
def test_every_word_of_payment_is_one_state_in_both_shapes(word: str, state: str) -> None:
    basket = MADE["prices-with-tax"]()
    basket.status = word.lower()
    assert {one.payment_state for one in both(basket)} == {PaymentState(state)}


def cancelled(status: str, paid: str | None = None, back: str | None = None) -> Basket:
    basket = Basket()
    basket.status = status
    basket.add("Bufanda", "349.00", 2)
    if paid is None:
        basket.pay()
    else:
        basket.place()
        basket.pay(paid)
    if back is not None:
        basket.refund({}, money=back)
    basket.head = {"cancelledAt": "2026-11-21T10:00:00Z"}
    return basket


def test_what_was_kept_of_a_cancelled_order_waits_for_a_person() -> None:
    """Cancelling gives nothing back: income is neither invoiced nor forgotten in silence."""
    for made in both(cancelled("paid")):
        assert (made.payment_state, made.due) == (PaymentState.PAID, D("698"))
        assert "698.00" in made.doubts[0]
        assert made.status == "cancelled"
    for made in both(cancelled("partially_refunded", back="500.00")):
        assert (made.payment_state, made.due) == (PaymentState.PAID, D("198"))
        assert "198.00" in made.doubts[0]


def test_a_part_that_was_paid_of_a_cancelled_order_is_no_sale_of_all_of_it() -> None:
    made = sale(cancelled("partially_paid", paid="100.00").graphql())
    assert (made.payment_state, made.paid_at) == (PaymentState.UNKNOWN, None)
    assert "100.00 de 698.00" in made.doubts[0]


def test_a_cancelled_order_that_gave_all_back_is_over() -> None:
    for made in both(cancelled("refunded", back="698.00")):
        assert (made.payment_state, made.due, made.doubts) == (PaymentState.CANCELLED, 0, ())


@pytest.mark.parametrize("word", WORDS)
def test_only_what_was_paid_has_a_day_of_payment(word: str) -> None:
    basket = MADE["prices-with-tax"]()
    basket.status = word.lower()
    paid = WORDS[word] in {"paid", "refunded"}
    assert [one.paid_at is not None for one in both(basket)] == [paid, paid]


def test_it_was_paid_when_the_last_payment_came() -> None:
    basket = Basket()
    basket.add("Bufanda", "349.00")
    basket.pay("100.00")
    basket.seconds += 600
    basket.pay("249.00")
    made = sale(basket.graphql())
    assert [one.amount for one in made.payments] == [100, 249]
    assert made.paid_at == made.payments[1].at == datetime(2026, 11, 20, 18, 12, tzinfo=UTC)
    assert made.payments[0].at == datetime(2026, 11, 20, 18, 1, tzinfo=UTC)


@pytest.mark.parametrize("shape", ["graphql", "rest"])
def test_an_order_brought_from_elsewhere_was_paid_when_it_was_processed_there(shape: str) -> None:
    """Else whoever moves a shop's old orders to Shopify has the hub invoice them a second time."""
    old = datetime(2024, 3, 1, 18, tzinfo=UTC)
    basket = Basket(head={"processedAt": "2024-03-01T18:00:00Z"})
    basket.rest_head = {"processed_at": "2024-03-01T12:00:00-06:00"}
    basket.add("Bufanda", "349.00")
    basket.pay()  # typed in with it
    assert sale(getattr(basket, shape)()).paid_at == old


def test_an_order_that_was_brought_unpaid_is_paid_when_its_money_comes() -> None:
    basket = Basket(head={"processedAt": "2024-03-01T18:00:00Z"})
    basket.add("Bufanda", "349.00")
    basket.pay(at="2026-11-23T09:00:00Z")
    assert sale(basket.graphql()).paid_at == datetime(2026, 11, 23, 9, tzinfo=UTC)


def test_change_is_taken_off_the_payment_it_is_of() -> None:
    basket = Basket()
    basket.add("Bufanda", "349.00")
    basket.pay("200.00", "cash")
    basket.pay("200.00", "cash")
    basket.pay("51.00", "cash", kind="change", parent=8001)
    made = sale(basket.graphql())
    assert [(one.key, one.amount) for one in made.payments] == [("8000", D(200)), ("8001", D(149))]
    assert made.doubts == ()


def test_money_that_was_handed_back_whole_is_no_payment() -> None:
    basket = Basket()
    basket.add("Bufanda", "349.00")
    basket.pay("400.00", "cash")
    basket.pay("400.00", "cash", kind="change", parent=8000)
    basket.pay("349.00")
    made = sale(basket.graphql())
    assert [(one.key, one.amount) for one in made.payments] == [("8002", D(349))]
    assert made.doubts == ()


@pytest.mark.parametrize(
    ("kind", "credit"),
    [
        ("NET", True),
        ("FIXED", True),
        ("FULFILLMENT", True),
        ("RECEIPT", False),
        ("UNKNOWN", False),
        ("EVENT", False),
    ],
)
def test_terms_of_credit_are_these(kind: str, credit: bool) -> None:
    def terms(order: dict[str, Any]) -> None:
        order["paymentTerms"]["paymentTermsType"] = kind

    assert changed("on-credit-to-a-company", terms).on_credit is credit


def test_what_is_due_last_of_what_is_not_paid_yet_is_when_it_is_due() -> None:
    def parts(order: dict[str, Any]) -> None:
        dates = [("2026-12-01", None), ("2026-12-15", None), ("2027-01-15", "2026-11-21")]
        order["paymentTerms"]["paymentSchedules"]["nodes"] = [
            {"dueAt": f"{due}T06:00:00Z", "completedAt": f"{done}T06:00:00Z" if done else None}
            for due, done in dates
        ]

    made = changed("on-credit-to-a-company", parts)
    assert made.due_at == datetime(2026, 12, 15, 6, tzinfo=UTC)


@pytest.mark.parametrize("status", ["LOST", "ACCEPTED", "CHARGE_REFUNDED"])
def test_a_dispute_that_took_the_money_is_for_a_person(status: str) -> None:
    one = {"id": f"{GID}/OrderDisputeSummary/1", "initiatedAs": "CHARGEBACK", "status": status}
    made = changed("prices-with-tax", lambda order: order.update(disputes=[one]))
    assert (made.hold, len(made.doubts)) == ("", 1)


def test_taxes_of_what_nobody_paid_yet_hold_nothing() -> None:
    def unpaid(order: dict[str, Any]) -> None:
        order["displayFinancialStatus"] = "PENDING"

    assert changed("with-taxes-still-estimated", unpaid).hold == ""


def test_a_total_that_is_what_is_left_is_a_doubt() -> None:
    """The total of an order is of what was ordered, whatever came back since."""

    def left(order: dict[str, Any]) -> None:
        order["totalPriceSet"] = order["currentTotalPriceSet"]

    assert "el total del pedido" in " ".join(changed("pieces-given-back", left).doubts)
    assert changed("pieces-given-back", lambda order: None).doubts == ()


@pytest.mark.parametrize("amount", ["349.0000001", "0.0000004"])
def test_an_amount_finer_than_money_is_unreadable(amount: str) -> None:
    def fine(order: dict[str, Any]) -> None:
        for side in order["lineItems"]["nodes"][0]["originalUnitPriceSet"].values():
            side["amount"] = amount

    with pytest.raises(DeliveryUnreadable, match="six decimals"):
        changed("prices-with-tax", fine)


@pytest.mark.parametrize("key", ["٥٠٠١", "50 01", "5001a", "9" * 21, "../5001"])
def test_an_id_is_digits(key: str) -> None:
    for document in (MADE["prices-with-tax"]().graphql(), MADE["prices-with-tax"]().rest()):
        order = document.get("order", document)
        order["id"] = f"{GID}/Order/{key}" if "order" in document else key
        if "/" in key and "order" in document:
            continue  # the last part of a global id has no slash
        with pytest.raises(DeliveryUnreadable):
            sale(document)


def test_shipping_told_by_its_line_and_as_an_adjustment_came_back_once() -> None:
    basket = MADE["shipping-given-back"]()
    document, expected = basket.rest(), sale(basket.rest())
    [refund] = document["refunds"]
    [told] = [one for one in refund["order_adjustments"] if one["kind"] == "shipping_refund"]
    turned = json.loads(json.dumps(told).replace('"-', '"'))
    refund["refund_shipping_lines"] = [
        {
            "id": 1,
            "shipping_line_id": basket.shipping[0].id,
            "subtotal_amount_set": turned["amount_set"],
            "tax_amount_set": turned["tax_amount_set"],
        }
    ]
    made = sale(document)
    assert (made.refunds, made.due, made.doubts) == (expected.refunds, expected.due, ())


def test_a_piece_given_back_in_cash_leaves_nothing_to_ask() -> None:
    """What the drawer rounded is no part of what Shopify counts as given back."""
    basket = Basket(status="partially_refunded", rounding=D("-0.02"))
    basket.add("Pan", "33.34", 3)
    basket.pay(gateway="cash", rounding=D("-0.02"))
    basket.refund({9000: 1}, gateway="cash", rounding=D("0.01"))
    for made in both(basket):
        assert (made.refunds[0].total, made.due, made.doubts) == (D("33.35"), D("66.65"), ())


def test_only_a_shop_of_pesos_tells_what_a_dollar_cost() -> None:
    """TipoCambio is of pesos: what the shop's own euros cost says nothing of them."""
    for shop in ("MXN", "EUR"):
        basket = MADE["in-dollars-for-much-money"]()
        basket.shop_currency = shop
        assert [one.exchange_rate is not None for one in both(basket)] == [shop == "MXN"] * 2


def test_a_duty_may_have_its_price_in_a_set() -> None:
    document, expected = MADE["duties-and-a-fee"]().rest(), sale(MADE["duties-and-a-fee"]().rest())
    [duty] = document["line_items"][0]["duties"]
    document["line_items"][0]["duties"] = [
        {
            "id": duty["id"],
            "tax_lines": duty["tax_lines"],
            "price_set": {side: duty[side] for side in ("shop_money", "presentment_money")},
        }
    ]
    assert sale(document) == expected


def test_a_duty_given_back_names_its_line() -> None:
    document = MADE["duties-and-a-fee"]().graphql()
    order = document["order"]
    [duty] = order["lineItems"]["nodes"][0]["duties"]
    assert duty["id"].endswith("/4500")
    back = MADE["an-amount-given-back"]().graphql()["order"]["refunds"]
    money = duty["price"]
    back[0]["orderAdjustments"]["nodes"] = []
    back[0]["transactions"]["nodes"][0]["amountSet"] = money
    back[0]["duties"] = [{"originalDuty": {"id": duty["id"]}, "amountSet": money}]
    order["refunds"] = back
    [made] = sale(document).refunds
    assert (made.total, [one.key for one in made.lines]) == (D(310), ["duty-4500"])


def test_goods_of_the_shops_list_are_no_tip_whatever_they_cost() -> None:
    basket = Basket()
    basket.add("Café", "42.00", rates=EXEMPT)
    basket.tip_outside = D("42.00")
    basket.pay()
    for made in both(basket):
        assert [(one.kind, one.total) for one in made.lines] == [("product", D(42))]
        assert [(one.kind, one.amount) for one in made.excluded] == [("tip", D(42))]
        assert (made.total, made.doubts) == (D(42), ())
