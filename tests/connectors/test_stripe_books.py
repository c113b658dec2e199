"""What a sweep finds, whatever no webhook told of; and what Stripe's own books say was paid."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from connectors.abilities import Entry
from connectors.contract import CredentialsRefused, PlatformUnreachable, Unfinished
from connectors.stripe import client, events, sweep
from tests.connectors.stripe_world import KEY, World, world

DAY = 86_400


@pytest.fixture
def stripe() -> Iterator[World]:
    with world() as made:
        yield made


def changed(stripe: World, since: int) -> list[str]:
    return list(stripe.connector.changed_since(stripe.at(since), stripe.facts, stripe.keys))


def later(stripe: World, seconds: int) -> int:
    stripe.account.now += seconds
    return stripe.account.now


class TestASweep:
    def test_all_that_changed_the_oldest_first(self, stripe: World) -> None:
        stripe.shop.bill()
        since = later(stripe, 100) + 1
        bill = stripe.shop.bill()
        first = stripe.account.events[-2]["data"]["object"]["id"]
        intent = stripe.shop.payment()
        voucher, session = stripe.shop.voucher()
        stripe.shop.pay_voucher(voucher, session)
        stripe.shop.refund(intent, 100)
        assert changed(stripe, since) == [first, bill["id"], intent["id"], voucher["id"]]

    def test_nothing(self, stripe: World) -> None:
        since = later(stripe, 100)
        assert changed(stripe, since) == []
        assert changed(stripe, since + 9999) == []

    @pytest.mark.parametrize("version", ["2020-08-27", "2024-06-20", "2026-10-28.endive"])
    def test_events_keep_the_words_of_their_time(self, stripe: World, version: str) -> None:
        """Older ones name the bill of a payment, of a charge and of a refund's charge."""
        stripe.account.version = version
        since = later(stripe, 1)
        bill = stripe.shop.bill()
        intent = stripe.account.look("payment_intent")[0]
        stripe.shop.credit_note(bill, 100, stripe.shop.refund(intent, 100))
        found = changed(stripe, since)
        assert bill["id"] in found
        assert set(found) <= {bill["id"], intent["id"]}
        told = [one for one in stripe.account.events if one["type"] == "invoice.paid"]
        stripe.account.events[:] = told
        assert changed(stripe, since) == [bill["id"]]

    def test_only_what_we_understand_is_asked_for(self, stripe: World) -> None:
        since = later(stripe, 1)
        customer = stripe.shop.customer()
        stripe.account.happens("customer.updated", customer)
        stripe.account.happens("balance.available", {"id": "x", "object": "balance"})
        stripe.account.happens("refund.created", {"id": "re_1", "object": "refund", "charge": 7,
                                                  "payment_intent": {"no": "id"}})  # fmt: skip
        assert changed(stripe, since) == ["re_1"]
        (_, _, params), *_ = stripe.asked("/v1/events")
        assert set(params["types"]) == set(events.swept({}))

    def test_many_pages(self, stripe: World) -> None:
        since = later(stripe, 1)
        bills = [stripe.shop.bill(0)["id"] for _ in range(230)]
        assert changed(stripe, since) == bills
        assert len(stripe.asked("/v1/events")) == 3

    def test_a_full_day_is_read_in_pieces(
        self, stripe: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sweep, "MAX_PIECE", 1)
        monkeypatch.setattr(sweep, "PER_PAGE", 20)
        monkeypatch.setattr(client, "PER_PAGE", 20)
        since, bills = later(stripe, 1), []
        for _ in range(90):
            bills.append(stripe.shop.bill(0)["id"])
            later(stripe, 600)
        assert changed(stripe, since) == bills

    def test_in_one_second_more_than_a_piece(
        self, stripe: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sweep, "MAX_PIECE", 1)
        monkeypatch.setattr(sweep, "PER_PAGE", 2)
        monkeypatch.setattr(client, "PER_PAGE", 2)
        since = later(stripe, 1)
        bills = [stripe.shop.bill(0)["id"] for _ in range(9)]
        for one in stripe.account.events:
            one["created"] = since + 5
        assert changed(stripe, since) == bills

    def test_days_and_weeks(self, stripe: World) -> None:
        since, bills = later(stripe, 1), []
        for _ in range(12):
            bills.append(stripe.shop.bill(0)["id"])
            later(stripe, 2 * DAY)
        assert changed(stripe, since) == bills

    def test_before_events_can_be_listed_the_objects_are(self, stripe: World) -> None:
        since = later(stripe, 1)
        bill = stripe.shop.bill()
        waiting = stripe.shop.bill(paid=False)
        old = stripe.shop.payment()
        stripe.shop.refund(old, 100)
        failed = stripe.account.put({**stripe.account.objects[old["latest_charge"]],
                                     "id": "ch_failed", "status": "failed",
                                     "payment_intent": "pi_failed"})  # fmt: skip
        stripe.account.events.clear()
        later(stripe, 40 * DAY)
        new = stripe.shop.payment()
        found = changed(stripe, since)
        assert {bill["id"], old["id"], new["id"]} <= set(found)
        assert not {failed["id"], "pi_failed", waiting["id"]} & set(found)
        assert found[-1] == new["id"]

    def test_cut_short_it_says_how_far_it_came(self, stripe: World) -> None:
        since, bills = later(stripe, 1), []
        for _ in range(8):
            bills.append(stripe.shop.bill(0)["id"])
            later(stripe, DAY)
        found: list[str] = []
        told = stripe.connector.changed_since(stripe.at(since), stripe.facts, stripe.keys)
        found += [next(told) for _ in range(3)]
        stripe.fails("429", times=99)
        with pytest.raises(Unfinished) as caught:
            found.extend(told)
        assert found == bills[:3]
        assert caught.value.until > stripe.at(since)
        stripe.account.faults.clear()
        rest = changed(stripe, int(caught.value.until.timestamp()))
        assert found + [one for one in rest if one not in found] == bills

    def test_at_once_out_of_time(self, stripe: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(client, "SWEEP_SECONDS", 0.0)
        since = later(stripe, 1)
        with pytest.raises(Unfinished) as caught:
            changed(stripe, since)
        assert caught.value.until == stripe.at(since)

    def test_a_bad_day(self, stripe: World) -> None:
        stripe.fails("429", times=99)
        with pytest.raises(PlatformUnreachable, match="429"):
            changed(stripe, stripe.account.now)
        stripe.account.faults.clear()
        stripe.account.allow(KEY, without=("event_read",))
        with pytest.raises(CredentialsRefused, match="Events: Read"):
            changed(stripe, stripe.account.now)


class TestTheBooks:
    def entries(self, stripe: World, since: int, until: int) -> dict[str, Entry]:
        found = list(
            stripe.connector.entries(stripe.at(since), stripe.at(until), stripe.facts, stripe.keys)
        )
        assert len({one.order_id for one in found}) == len(found), "each once"
        return {one.order_id: one for one in found}

    def due(self, stripe: World, since: int, until: int) -> dict[str, Any]:
        return {key: one.due for key, one in self.entries(stripe, since, until).items()}

    def test_bills_and_payments_each_once_less_what_went_back(self, stripe: World) -> None:
        since = later(stripe, 1)
        plain, noted, refunded = (stripe.shop.bill(11600) for _ in range(3))
        intents = {one["invoice"]: stripe.account.objects[one["payment"]["payment_intent"]]
                   for one in stripe.account.look("invoice_payment")}  # fmt: skip
        back = stripe.shop.refund(intents[noted["id"]], 1600)
        stripe.shop.credit_note(noted, 1600, back)
        stripe.shop.refund(intents[refunded["id"]], 600)
        outside = stripe.shop.bill(5000, out_of_band=True)
        stripe.shop.bill(7000, paid=False)
        stripe.shop.bill(0)
        stripe.shop.bill(1000, -3000)
        payment = stripe.shop.payment(58000)
        stripe.shop.refund(payment, 8000)
        stripe.shop.voucher()
        old = stripe.shop.legacy_charge(1000)
        assert self.due(stripe, since, later(stripe, 1)) == {
            plain["id"]: Decimal(116), noted["id"]: Decimal(100), refunded["id"]: Decimal(110),
            outside["id"]: Decimal(50), payment["id"]: Decimal(500), old["id"]: Decimal(10),
        }  # fmt: skip

    def test_they_agree_with_the_sales(self, stripe: World) -> None:
        since = later(stripe, 1)
        bill, payment = stripe.shop.bill(11600, 2900), stripe.shop.payment(58000)
        stripe.shop.refund(payment, 8000)
        told = self.entries(stripe, since, later(stripe, 1))
        for key in (bill["id"], payment["id"]):
            sale = stripe.connector.normalize(stripe.fetch(key), stripe.facts)
            assert (sale.due, sale.paid_at, sale.currency) == (
                told[key].due, told[key].paid_at, told[key].currency,
            )  # fmt: skip

    def test_what_the_sale_is_not_invoiced_at_is_not_compared(self, stripe: World) -> None:
        """Else it would differ daily, and nothing could mend it."""
        since = later(stripe, 1)
        pesos, dollars = stripe.shop.payment(58000), stripe.shop.payment(58000)
        terminal, held = stripe.shop.payment(58000), stripe.shop.payment(58000)
        charge = {
            one["id"]: stripe.account.objects[one["latest_charge"]]
            for one in (dollars, terminal, held)
        }
        for one in (dollars, charge[dollars["id"]]):
            one["currency"] = "usd"
        terminal["amount_details"] = {"tip": {"amount": 8000}}
        charge[terminal["id"]]["payment_method_details"] = {
            "type": "card_present", "card_present": {"funding": "credit"},
        }  # fmt: skip
        charge[held["id"]] |= {"amount_captured": 50000, "amount_refunded": 8000}
        known = {pesos["id"]: Decimal(580), terminal["id"]: None, held["id"]: None}
        assert self.due(stripe, since, later(stripe, 1)) == {
            **known, dollars["id"]: Decimal(580),
        }  # fmt: skip
        stripe.settings["currency"] = "settlement"
        assert self.due(stripe, since, later(stripe, 1)) == {**known, dollars["id"]: None}

    def test_what_is_given_back_twice_over_is_not_guessed(self, stripe: World) -> None:
        since = later(stripe, 1)
        bill = stripe.shop.bill(11600)
        intent = stripe.account.look("payment_intent")[0]
        stripe.shop.refund(intent, 600)
        stripe.shop.credit_note(bill, 1600)
        assert self.due(stripe, since, later(stripe, 1)) == {bill["id"]: None}

    def test_money_that_its_bill_gave_up(self, stripe: World) -> None:
        since = later(stripe, 1)
        bill, late = stripe.shop.bill(11600), stripe.shop.payment(58000, checkout=False)
        stripe.account.put({
            "id": "inpay_given_up", "object": "invoice_payment", "invoice": bill["id"],
            "status": "canceled", "amount_paid": None, "currency": "mxn",
            "payment": {"type": "payment_intent", "payment_intent": late["id"]},
        })  # fmt: skip
        assert self.due(stripe, since, later(stripe, 1)) == {
            bill["id"]: Decimal(116), late["id"]: Decimal(580),
        }  # fmt: skip

    def test_by_the_day_it_was_paid(self, stripe: World) -> None:
        waiting, long_ago = stripe.shop.bill(11600, paid=False), stripe.shop.bill(5800, paid=False)
        long_ago["created"] -= 80 * DAY
        since = later(stripe, 20 * DAY)
        for one in (waiting, long_ago):
            stripe.shop.pay(one)
        until = later(stripe, 1)
        stripe.shop.payment()
        assert self.due(stripe, since, until) == {
            waiting["id"]: Decimal(116), long_ago["id"]: Decimal(58),
        }  # fmt: skip
        assert self.due(stripe, until, later(stripe, 99)).keys() == {
            stripe.account.look("payment_intent")[0]["id"]
        }

    def test_out_of_time(self, stripe: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(client, "SWEEP_SECONDS", 0.0)
        with pytest.raises(Unfinished):
            self.entries(stripe, 0, stripe.account.now)
