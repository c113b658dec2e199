"""What is asked for a sale, whose part everything else is, and what a bad day at Stripe does."""

from __future__ import annotations

import json
import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import stripe as sdk

from connectors import net
from connectors.abilities import News
from connectors.contract import (
    BelongsTo,
    ConnectionFacts,
    CredentialsRefused,
    NoSale,
    OrderNotFound,
    PlatformUnreachable,
)
from connectors.held import Held
from connectors.reader import read_json
from connectors.stripe import bundle, client, transport
from connectors.stripe.client import VERSION, Api, Forbidden
from connectors.stripe.connect import named
from connectors.stripe.rates import GOOD_FOR, MOST, Rates
from hub.domain.sale import PaymentState
from tests.connectors.stripe_world import KEY, World, world


@pytest.fixture
def stripe() -> Iterator[World]:
    with world() as made:
        yield made


def bundled(stripe: World, order_id: str) -> Any:
    return json.loads(stripe.fetch(order_id))


def belongs(stripe: World, order_id: str) -> str:
    with pytest.raises(BelongsTo) as caught:
        stripe.fetch(order_id)
    return caught.value.order_id


def test_our_version_is_the_one_of_the_sdk() -> None:
    assert sdk.api_version == VERSION


class TestABill:
    def test_all_that_stands_for_it(self, stripe: World) -> None:
        customer = stripe.shop.customer(tax_ids=["XEXX010101000"])
        subscription = stripe.shop.subscription(customer)
        bill = stripe.shop.bill(11600, 5800, 2900, customer=customer, subscription=subscription)
        payment = stripe.account.look("invoice_payment")[0]
        intent = stripe.account.objects[payment["payment"]["payment_intent"]]
        refund = stripe.shop.refund(intent, 5800)
        note = stripe.shop.credit_note(bill, 5800, refund)
        dispute = stripe.shop.dispute(intent)
        told = bundled(stripe, bill["id"])
        assert told["shape"] == "bundle"
        assert told["kind"] == "invoice"
        assert told["api_version"] == VERSION
        assert told["object"]["id"] == bill["id"]
        assert len(told["lines"]) == 3
        assert told["object"]["lines"]["has_more"] is True
        assert [one["id"] for one in told["invoice_payments"]] == [payment["id"]]
        (charge,) = told["charges"]
        assert charge["balance_transaction"]["object"] == "balance_transaction"
        assert [one["id"] for one in told["refunds"]] == [refund["id"]]
        assert [one["id"] for one in told["credit_notes"]] == [note["id"]]
        assert [one["id"] for one in told["disputes"]] == [dispute["id"]]
        assert told["customer"]["tax_ids"]["data"][0]["type"] == "mx_rfc"
        assert told["subscription"]["id"] == subscription["id"]
        assert {one["percentage"] for one in told["tax_rates"].values()} == {16.0}
        assert len(told["products"]) == 3
        versions = {headers["stripe-version"] for *_, headers in stripe.account.asked}
        assert versions == {VERSION}

    def test_a_rate_is_asked_for_once_by_each_key(self, stripe: World) -> None:
        bills = [stripe.shop.bill(11600 + number) for number in range(3)]
        told = [bundled(stripe, one["id"])["tax_rates"] for one in bills]
        assert told[0] == told[1] == told[2]
        assert [one["percentage"] for one in told[2].values()] == [16.0]
        assert len(stripe.asked("tax_rates")) == 1
        stripe.account.allow("rk_test_lesser", without=("tax_rate_read",))
        lesser = replace(stripe, keys=Held({"key": "rk_test_lesser"}))
        with pytest.raises(CredentialsRefused, match="Tax rates"):
            lesser.fetch(bills[0]["id"])

    def test_a_rate_is_known_for_minutes(self) -> None:
        rates = Rates()
        rates.keep("a", "txr_1", {"percentage": 16}, 100.0)
        assert rates.get("a", "txr_1", 100.0 + GOOD_FOR - 1) == {"percentage": 16}
        assert rates.get("a", "txr_1", 100.0 + GOOD_FOR) is None
        assert rates.get("b", "txr_1", 100.0) is None
        for number in range(MOST):
            rates.keep("a", f"txr_{number}x", {}, 100.0)
        assert rates.get("a", "txr_1", 100.0) is None, "there is an end to what is kept"

    def test_it_becomes_a_sale_of_what_was_charged(self, stripe: World) -> None:
        bill = stripe.shop.bill(11600, 5801, 2899)
        sale = stripe.connector.normalize(stripe.fetch(bill["id"]), stripe.facts)
        assert (sale.total, sale.payment_state, sale.test) == (
            Decimal("203.00"), PaymentState.PAID, True,
        )  # fmt: skip
        assert sale.doubts == ()

    def test_every_number_is_as_it_was_written(self) -> None:
        text = (
            '{"a":1.10,"b":0.000000000001,"c":-0,"d":16.0,"e":[1e-7,12345678901234567890],'
            '"f":"1.10"}'
        )
        assert json.loads(bundle.dumped(read_json(text.encode()).value), parse_float=str) == (
            json.loads(text.replace("1e-7", "1E-7").replace("0.000000000001", "1E-12"),
                       parse_float=str)
        )  # fmt: skip

    def test_many_lines_are_turned_page_by_page(self, stripe: World) -> None:
        bill = stripe.shop.bill(*range(1001, 1251))
        told = bundled(stripe, bill["id"])
        assert [one["id"] for one in told["lines"]] == [one["id"] for one in bill["_lines"]]
        pages = stripe.asked("/lines")
        assert [params.get("starting_after") for _, _, params in pages] == [
            None, bill["_lines"][99]["id"], bill["_lines"][199]["id"],
        ]  # fmt: skip
        assert len(told["products"]) == 250

    def test_one_of_a_renewal_has_no_checkout_of_its_own(self, stripe: World) -> None:
        subscription = stripe.shop.subscription(stripe.shop.customer())
        first = stripe.shop.bill(subscription=subscription, billing_reason="subscription_create")
        session = stripe.shop.session(
            mode="subscription", subscription=subscription["id"], invoice=first["id"]
        )
        later = stripe.shop.bill(subscription=subscription, billing_reason="subscription_cycle")
        proof = stripe.connector.proof_of(stripe.fetch(first["id"]), stripe.keys)
        assert proof == session["id"]
        assert "session" not in bundled(stripe, later["id"])
        assert stripe.connector.proof_of(stripe.fetch(later["id"]), stripe.keys) is None

    def test_a_stranger_of_the_same_subscription_is_not_taken_for_it(self, stripe: World) -> None:
        subscription = stripe.shop.subscription(stripe.shop.customer())
        stripe.shop.session(mode="subscription", subscription=subscription["id"], invoice="in_x")
        bill = stripe.shop.bill(subscription=subscription)
        assert "session" not in bundled(stripe, bill["id"])

    def test_paid_outside_stripe(self, stripe: World) -> None:
        bill = stripe.shop.bill(out_of_band=True)
        told = bundled(stripe, bill["id"])
        assert told["charges"] == []
        assert [one["object"] for one in told["payment_records"]] == ["payment_record"]
        stripe.account.allow(KEY, without=("payment_record_read",))
        assert bundled(stripe, bill["id"])["payment_records"] == []

    def test_of_nothing(self, stripe: World) -> None:
        told = bundled(stripe, stripe.shop.bill(0)["id"])
        assert told["invoice_payments"] == []
        assert told["object"]["total"] == 0

    def test_a_deleted_customer_and_product(self, stripe: World) -> None:
        customer = stripe.shop.customer()
        bill = stripe.shop.bill(customer=customer)
        for one in [*stripe.account.look("product"), customer]:
            del stripe.account.objects[one["id"]]
        told = bundled(stripe, bill["id"])
        assert "customer" not in told
        assert told["products"] == {}

    def test_ids_that_merchants_choose(self, stripe: World) -> None:
        bill = stripe.shop.bill()
        made = stripe.account.put(
            {"id": "plan.oro ñ/1", "object": "product", "name": "Oro", "active": True}
        )
        bill["_lines"][0]["pricing"]["price_details"]["product"] = made["id"]
        bill["metadata"] = {"product": "no product at all", "txr": "txr_1"}
        told = bundled(stripe, bill["id"])
        assert list(told["products"]) == [made["id"]]
        assert "txr_1" not in told["tax_rates"]

    def test_a_draft_is_no_sale(self, stripe: World) -> None:
        bill = stripe.shop.bill(paid=False)
        bill["status"] = "draft"
        with pytest.raises(NoSale, match="draft"):
            stripe.fetch(bill["id"])


class TestAPayment:
    def test_a_checkout_with_its_lines(self, stripe: World) -> None:
        intent = stripe.shop.payment(58000)
        told = bundled(stripe, intent["id"])
        assert told["kind"] == "payment"
        assert told["object"]["latest_charge"]["balance_transaction"]["fee"] == 999
        (item,) = told["session"]["line_items"]["data"]
        assert item["taxes"][0]["rate"]["percentage"] == 16.0
        sale = stripe.connector.normalize(stripe.fetch(intent["id"]), stripe.facts)
        assert (sale.total, sale.doubts) == (Decimal("580.00"), ())
        proof = stripe.connector.proof_of(stripe.fetch(intent["id"]), stripe.keys)
        assert proof == told["session"]["id"]
        assert proof in sale.claims

    def test_a_bare_one_has_no_address_for_its_buyer(self, stripe: World) -> None:
        intent = stripe.shop.payment(checkout=False)
        assert stripe.connector.proof_of(stripe.fetch(intent["id"]), stripe.keys) is None
        assert stripe.connector.proof_of(b'{"session":{"id":"../x"}}', stripe.keys) is None
        assert stripe.connector.proof_of(b"not json", stripe.keys) is None

    def test_a_voucher_is_not_money(self, stripe: World) -> None:
        intent, session = stripe.shop.voucher(30000)
        assert belongs(stripe, session["id"]) == intent["id"]
        sale = stripe.connector.normalize(stripe.fetch(intent["id"]), stripe.facts)
        assert sale.payment_state is PaymentState.PENDING
        stripe.shop.pay_voucher(intent, session)
        sale = stripe.connector.normalize(stripe.fetch(intent["id"]), stripe.facts)
        assert sale.payment_state is PaymentState.PAID
        assert sale.payments[0].forma_pago == "01"

    def test_a_charge_of_the_old_kind(self, stripe: World) -> None:
        charge = stripe.shop.legacy_charge()
        told = bundled(stripe, charge["id"])
        assert (told["kind"], told["object"]["id"]) == ("payment", charge["id"])
        refund = stripe.account.put({
            "id": "re_old", "object": "refund", "charge": charge["id"], "payment_intent": None,
            "amount": 100, "currency": "mxn", "status": "succeeded",
        })  # fmt: skip
        assert belongs(stripe, refund["id"]) == charge["id"]
        assert [one["id"] for one in bundled(stripe, charge["id"])["refunds"]] == ["re_old"]


class TestWhosePartItIs:
    def test_everything_leads_to_its_bill(self, stripe: World) -> None:
        bill = stripe.shop.bill()
        intent = stripe.account.look("payment_intent")[0]
        refund = stripe.shop.refund(intent, 100)
        note = stripe.shop.credit_note(bill, 100, refund)
        assert belongs(stripe, intent["id"]) == bill["id"]
        assert belongs(stripe, intent["latest_charge"]) == intent["id"]
        assert belongs(stripe, refund["id"]) == intent["id"]
        assert belongs(stripe, note["id"]) == bill["id"]
        assert belongs(stripe, stripe.shop.dispute(intent)["id"]) == intent["id"]
        session = stripe.shop.session(intent=intent, invoice=bill["id"])
        assert belongs(stripe, session["id"]) == bill["id"]

    def test_the_hint_of_a_payment_is_heeded_for_minutes_and_believed_never(
        self, stripe: World
    ) -> None:
        hint = {"order_reference": "in_1SS01XKXBGcbgpbZeYvAQ"}
        intent = stripe.shop.payment(payment_details=hint)
        with pytest.raises(PlatformUnreachable, match="not listed with it yet"):
            stripe.fetch(intent["id"])
        stripe.account.now += 601
        assert bundled(stripe, intent["id"])["kind"] == "payment"

    @pytest.mark.parametrize("status", ["void", "paid"])
    def test_a_payment_that_its_bill_gave_up_is_money_of_its_own(
        self, stripe: World, status: str
    ) -> None:
        """A voucher that somebody pays at a till after the bill was voided, or paid otherwise."""
        bill = stripe.shop.bill(11600, paid=status == "paid")
        bill["status"] = status
        late = stripe.shop.payment(11600, checkout=False)
        attached = stripe.account.put({
            "id": "inpay_given_up", "object": "invoice_payment", "invoice": bill["id"],
            "status": "canceled", "amount_paid": None, "currency": "mxn",
            "payment": {"type": "payment_intent", "payment_intent": late["id"]},
        })  # fmt: skip
        assert bundled(stripe, late["id"])["kind"] == "payment"
        sale = stripe.connector.normalize(stripe.fetch(bill["id"]), stripe.facts)
        assert late["id"] not in sale.claims
        attached["status"] = "open"
        assert belongs(stripe, late["id"]) == bill["id"]

    def test_a_bill_waits_until_all_that_paid_it_is_listed(self, stripe: World) -> None:
        """How it was paid goes onto the invoice."""
        bill = stripe.shop.bill(11600)
        (listed,) = stripe.account.look("invoice_payment")
        for status in ("open", None):
            listed["status"] = status
            if status is None:
                del stripe.account.objects[listed["id"]]
            with pytest.raises(PlatformUnreachable, match="not all listed with it yet"):
                stripe.fetch(bill["id"])
        stripe.account.now += 241
        sale = stripe.connector.normalize(stripe.fetch(bill["id"]), stripe.facts)
        assert [(one.method, one.amount) for one in sale.payments] == [
            ("out_of_band", Decimal(116))
        ]

    @pytest.mark.parametrize(
        "more",
        [
            {"amount_paid": 0, "amount_due": 0, "starting_balance": -11600},
            {"amount_paid_off_stripe": 11600},
            {"status": "open", "amount_paid": 5000},
        ],
    )
    def test_of_what_no_payment_brought_none_is_waited_for(
        self, stripe: World, more: dict[str, Any]
    ) -> None:
        bill = stripe.shop.bill(11600)
        stripe.account.objects.pop(stripe.account.look("invoice_payment")[0]["id"])
        bill |= more
        assert bundled(stripe, bill["id"])["invoice_payments"] == []

    def test_checkouts_without_a_charge(self, stripe: World) -> None:
        setup = stripe.shop.session(mode="setup", payment_status="no_payment_required")
        with pytest.raises(NoSale, match="keeps a payment method"):
            stripe.fetch(setup["id"])
        gone = stripe.shop.session(status="expired", payment_status="unpaid")
        with pytest.raises(NoSale, match="without a charge"):
            stripe.fetch(gone["id"])
        still = stripe.shop.session(status="open", payment_status="unpaid")
        with pytest.raises(PlatformUnreachable, match="still open"):
            stripe.fetch(still["id"])
        subscription = stripe.shop.subscription(stripe.shop.customer())
        trial = stripe.shop.session(mode="subscription", subscription=subscription["id"])
        with pytest.raises(NoSale):
            stripe.fetch(trial["id"])
        subscription["latest_invoice"] = stripe.shop.bill(0)["id"]
        assert belongs(stripe, trial["id"]) == subscription["latest_invoice"]

    @pytest.mark.parametrize(
        "order_id",
        ["in_unknown", "pi_unknown", "ch_unknown", "py_unknown", "cs_test_unknown", "re_unknown",
         "cn_unknown", "dp_unknown", "du_unknown", "pyr_unknown"],
    )  # fmt: skip
    def test_unknown_or_of_another_account(self, stripe: World, order_id: str) -> None:
        with pytest.raises(OrderNotFound):
            stripe.fetch(order_id)
        assert stripe.asked(order_id)

    @pytest.mark.parametrize(
        "order_id",
        ["", "1", "in_", "in", "cus_1", "evt_1", "in_1/../pi_2", "in_1?x=1", "in_1#", "in_ñ",
         "in_" + "x" * 300, "IN_1", " in_1", "in_1\n", "sub_1"],
    )  # fmt: skip
    def test_what_is_no_id_is_asked_of_nobody(self, stripe: World, order_id: str) -> None:
        with pytest.raises(OrderNotFound):
            stripe.fetch(order_id)
        assert stripe.account.asked == []

    def test_another_object_than_asked_for(self, stripe: World) -> None:
        bill = stripe.shop.bill()
        stripe.account.objects["in_other"] = bill
        with pytest.raises(PlatformUnreachable, match="not that object"):
            stripe.fetch("in_other")

    def test_a_missing_part_does_not_make_the_whole_disappear(self, stripe: World) -> None:
        bill = stripe.shop.bill()
        intent = stripe.account.look("payment_intent")[0]
        del stripe.account.objects[intent["id"]]
        with pytest.raises(PlatformUnreachable, match="not all that belongs"):
            stripe.fetch(bill["id"])
        trial = stripe.shop.session(mode="subscription", subscription="sub_gone")
        with pytest.raises(PlatformUnreachable, match="not all that belongs"):
            stripe.fetch(trial["id"])

    def test_an_address_that_stripe_does_not_know_is_no_missing_bill(self, stripe: World) -> None:
        """As of a later version, or by something on the way."""
        stripe.fails("404")
        with pytest.raises(PlatformUnreachable, match="404"):
            stripe.fetch("in_1")

    def test_a_deleted_one(self, stripe: World) -> None:
        stripe.account.put({"id": "in_gone", "object": "invoice", "deleted": True,
                            "lines": {"data": []}})  # fmt: skip
        with pytest.raises(OrderNotFound):
            stripe.fetch("in_gone")


class TestABadDay:
    @pytest.fixture(autouse=True)
    def hurry(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(transport, "READ_SECONDS", 1.0)
        monkeypatch.setattr("stripe.HTTPClient._sleep_time_seconds", lambda *_: 0.001)

    @pytest.mark.parametrize("kind", ["500", "drop", "drop_after", "slow"])
    def test_what_passes_is_tried_again(self, stripe: World, kind: str) -> None:
        bill = stripe.shop.bill()
        stripe.fails(kind, times=2, seconds=1.5)
        assert bundled(stripe, bill["id"])["kind"] == "invoice"

    @pytest.mark.parametrize("kind", ["429", "500", "drop", "slow", "html", "redirect"])
    def test_what_does_not_pass_is_told(self, stripe: World, kind: str) -> None:
        bill = stripe.shop.bill()
        stripe.fails(kind, times=99, seconds=1.5)
        with pytest.raises(PlatformUnreachable) as caught:
            stripe.fetch(bill["id"])
        told = f"{caught.value!r}{caught.value.__cause__!r}{caught.value.__context__!r}"
        assert KEY not in told
        assert "127.0.0.1" not in told

    @pytest.mark.parametrize("within", [
        "/lines", "invoice_payments", "payment_intents", "credit_notes", "refunds", "disputes",
        "customers", "sessions", "tax_rates", "products", "subscriptions",
    ])  # fmt: skip
    def test_no_part_is_left_out_in_silence(self, stripe: World, within: str) -> None:
        customer = stripe.shop.customer()
        bill = stripe.shop.bill(1, 2, 3, customer=customer,
                                subscription=stripe.shop.subscription(customer))  # fmt: skip
        stripe.fails("429", times=99, within=within)
        with pytest.raises(PlatformUnreachable, match="429"):
            stripe.fetch(bill["id"])
        assert stripe.asked(within)

    @pytest.mark.parametrize(("subject", "words"), [
        ("invoice", "Invoices: Read"), ("charge", "Charges and Refunds: Read"),
        ("customer", "Customers: Read"), ("tax_rate", "Tax rates: Read"),
        ("product", "Products: Read"), ("checkout_session", "Checkout Sessions: Read"),
    ])  # fmt: skip
    def test_a_missing_permission_is_named(self, stripe: World, subject: str, words: str) -> None:
        bill = stripe.shop.bill(customer=stripe.shop.customer())
        stripe.account.allow(KEY, without=(f"{subject}_read",))
        with pytest.raises(CredentialsRefused, match=words) as caught:
            stripe.fetch(bill["id"])
        assert isinstance(caught.value, Forbidden)
        assert caught.value.account == "acct_1HubOfTests"

    def test_a_revoked_key(self, stripe: World) -> None:
        bill = stripe.shop.bill()
        del stripe.account.keys[KEY]
        with pytest.raises(CredentialsRefused, match="revoked"):
            stripe.fetch(bill["id"])

    def test_no_key(self, stripe: World) -> None:
        with pytest.raises(CredentialsRefused, match="rk_"):
            stripe.connector.fetch("in_1", stripe.facts, Held({"webhook_secret": "whsec_1"}))

    def test_all_requests_of_one_question_share_a_time(self, stripe: World) -> None:
        bill = stripe.shop.bill(1, 2, 3)
        account = named(stripe.account_name, allow_private=True)
        assert account
        api = Api(account, KEY, stripe.connector._clock, seconds=0.8)
        stripe.fails("slow", times=99, seconds=0.3)
        with pytest.raises(client.OutOfTime):
            [api.get(f"/v1/invoices/{bill['id']}") for _ in range(50)]
        assert len(stripe.account.asked) <= 3  # of 0.3 s each, or more on a busy machine

    def test_nobody_there(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with world() as made:
            facts = ConnectionFacts("c", f"http://127.0.0.1:{port}/acct_1/test",
                                    {"allow_private": True})  # fmt: skip
            with pytest.raises(PlatformUnreachable, match="does not answer"):
                made.connector.fetch("in_1", facts, made.keys)

    def test_an_address_inside_is_not_asked_unless_allowed(self, stripe: World) -> None:
        facts = ConnectionFacts("c", stripe.account_name, {})
        with pytest.raises(PlatformUnreachable):
            stripe.connector.fetch("in_1", facts, stripe.keys)
        assert stripe.account.asked == []

    def test_a_list_that_never_ends(self, stripe: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(client, "MAX_PAGES", 2)
        bill = stripe.shop.bill(*range(1, 302))
        with pytest.raises(PlatformUnreachable, match="does not end"):
            stripe.fetch(bill["id"])

    @pytest.mark.parametrize("status", [200, 400, 403, 500])
    @pytest.mark.parametrize("body", [
        b'{"error":[]}', b'{"error":{"message":7}}', b'{"error":"invalid_grant"}',
        b"", b"[]", b"null", b'"x"', b"{", b"\xff", b"[" * 1000, b'{"id":1e99999}',
        b'{"id":"in_1","lines":7}', b'{"id":"in_1","lines":{"data":{}}}', b'{"id":["in_1"]}',
        b'{"id":"in_1","lines":{"data":[],"has_more":"no"}}',
        b'{"id":"in_1","object":"invoice","lines":{"data":["x"],"has_more":true}}',
    ])  # fmt: skip
    def test_an_answer_that_is_none(
        self, stripe: World, body: bytes, status: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def send(*_: Any, **__: Any) -> net.Answer:
            headers = net.requests.structures.CaseInsensitiveDict({})
            return net.Answer(status, "application/json", headers, body)

        monkeypatch.setattr(net, "send", send)
        with pytest.raises((PlatformUnreachable, CredentialsRefused)):
            stripe.fetch("in_1")

    def test_nothing_of_it_is_logged(self, stripe: World, caplog: pytest.LogCaptureFixture) -> None:
        bill = stripe.shop.bill(customer=stripe.shop.customer())
        with caplog.at_level(logging.DEBUG):
            logging.getLogger("stripe").setLevel(logging.WARNING)
            stripe.fetch(bill["id"])
            stripe.account.keys.clear()
            with pytest.raises(CredentialsRefused):
                stripe.fetch(bill["id"])
        for word in (KEY, KEY[:8], "compras@", "Cliente"):
            assert word not in caplog.text


class TestWhatIsWritten:
    def news(self, state: str, uuid: str = "5FB2822E", link: str = "") -> News:
        return News(state, uuid, "CFDI emitido", link)

    def tell(self, stripe: World, order_id: str, news: News) -> None:
        stripe.connector.announce(order_id, news, stripe.facts, stripe.keys)

    def allow(self, stripe: World) -> None:
        stripe.account.allow(KEY, "invoice_write", "payment_intent_write", "charge_write",
                             "customer_write")  # fmt: skip

    def test_from_open_to_cancelled(self, stripe: World) -> None:
        self.allow(stripe)
        bill = stripe.shop.bill()
        for _ in range(2):
            self.tell(stripe, bill["id"], self.news("open", "", "https://hub.example/f/x"))
            assert bill["metadata"] == {
                "cfdi_estado": "abierta", "cfdi_link": "https://hub.example/f/x",
            }  # fmt: skip
        self.tell(stripe, bill["id"], self.news("stamped"))
        assert bill["metadata"]["cfdi_uuid"] == "5FB2822E"
        assert bill["metadata"]["cfdi_estado"] == "lista"
        self.tell(stripe, bill["id"], self.news("cancelled"))
        assert bill["metadata"]["cfdi_estado"] == "cancelada"
        assert len(stripe.asked(bill["id"], "POST")) == 3
        self.tell(stripe, bill["id"], self.news("stamped"))
        assert bill["metadata"]["cfdi_estado"] == "lista"

    def test_at_a_payment_and_an_old_charge(self, stripe: World) -> None:
        self.allow(stripe)
        intent, charge = stripe.shop.payment(), stripe.shop.legacy_charge()
        for one in (intent, charge):
            self.tell(stripe, one["id"], self.news("stamped"))
            assert one["metadata"]["cfdi_uuid"] == "5FB2822E"

    def test_a_lost_answer_writes_once(
        self, stripe: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("stripe.HTTPClient._sleep_time_seconds", lambda *_: 0.001)
        self.allow(stripe)
        bill = stripe.shop.bill()
        stripe.fails("drop_after", method="POST")
        self.tell(stripe, bill["id"], self.news("stamped"))
        keys = [headers["idempotency-key"] for how, *_, headers in stripe.account.asked
                if how == "POST"]  # fmt: skip
        assert len(keys) == 2
        assert len(set(keys)) == 1
        updated = [one for one in stripe.account.events if one["type"] == "invoice.updated"]
        assert len(updated) == 1

    def test_without_the_permission(self, stripe: World) -> None:
        with pytest.raises(CredentialsRefused, match="Invoices: Write"):
            self.tell(stripe, stripe.shop.bill()["id"], self.news("stamped"))

    def test_nothing_to_write_at(self, stripe: World) -> None:
        for order_id in ("in_gone", "cs_test_1", "../x"):
            with pytest.raises(OrderNotFound):
                self.tell(stripe, order_id, self.news("stamped"))

    def test_a_footer_for_the_next_bills_only_where_there_is_none(self, stripe: World) -> None:
        self.allow(stripe)
        stripe.settings["invoice_footer"] = "Tu CFDI: https://hub.example/facturar/x"
        ours, theirs = stripe.shop.customer(), stripe.shop.customer()
        theirs["invoice_settings"] = {"footer": "Gracias"}
        for _ in range(2):
            for customer in (ours, theirs):
                bill = stripe.shop.bill(customer=customer)
                self.tell(stripe, bill["id"], self.news("stamped"))
        assert ours["invoice_settings"]["footer"] == stripe.settings["invoice_footer"]
        assert theirs["invoice_settings"]["footer"] == "Gracias"
        assert len(stripe.asked("customers", "POST")) == 1


class TestACustomer:
    def test_as_stripe_knows_it_now(self, stripe: World) -> None:
        customer = stripe.shop.customer(tax_ids=["CACX7605101P8"], metadata={"uso_cfdi": "G03"})
        buyer = stripe.connector.customer(customer["id"], stripe.facts, stripe.keys)
        assert (buyer.key, buyer.rfc, buyer.uso) == (customer["id"], "CACX7605101P8", "G03")

    def test_an_rfc_typed_at_a_checkout_is_not_taken_back(self, stripe: World) -> None:
        """And by itself it is nothing to invoice with: name and régimen may be another's."""
        customer = stripe.shop.customer(metadata={"regimen_fiscal": "601"})
        for rfc in ("EKU9003173C9", "CACX7605101P8", ""):
            typed = {"key": "rfc", "type": "text", "label": {"custom": "RFC"},
                     "text": {"value": rfc}}  # fmt: skip
            stripe.shop.session(customer=customer["id"], custom_fields=[typed])
        buyer = stripe.connector.customer(customer["id"], stripe.facts, stripe.keys)
        assert (buyer.key, buyer.rfc, buyer.email) == (
            customer["id"], "CACX7605101P8", customer["email"],
        )  # fmt: skip
        assert (buyer.fiscal_name, buyer.postal_code, buyer.regimen) == ("", "", "")
        customer["tax_ids"]["data"] = [{"type": "mx_rfc", "value": "URE180429TM6"}]
        buyer = stripe.connector.customer(customer["id"], stripe.facts, stripe.keys)
        assert (buyer.rfc, buyer.regimen) == ("URE180429TM6", "601")

    def test_gone(self, stripe: World) -> None:
        stripe.account.put({"id": "cus_gone", "object": "customer", "deleted": True})
        for customer_id in ("cus_gone", "cus_unknown", "in_1", "../x", ""):
            with pytest.raises(OrderNotFound):
                stripe.connector.customer(customer_id, stripe.facts, stripe.keys)


def test_the_fake_is_a_process_too() -> None:
    asked = [sys.executable, "-m", "tests.fakes.stripe", "--key", KEY, "--bills", "2"]
    with subprocess.Popen(asked, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            account = process.stdout.readline().strip()
            facts = ConnectionFacts("c", account, {"allow_private": True})
            with world() as made:
                since = made.at(int(time.time()) - 3600)
                connector = type(made.connector)()
                found = list(connector.changed_since(since, facts, made.keys))
                assert len([one for one in found if one.startswith("in_")]) == 2
                bill = next(one for one in found if one.startswith("in_"))
                assert connector.fetch(bill, facts, made.keys)
        finally:
            process.kill()


def test_many_at_once(stripe: World) -> None:
    bills = [stripe.shop.bill(100 + number) for number in range(12)]
    totals = list[int]()

    def ask(bill: dict[str, Any]) -> None:
        totals.append(bundled(stripe, bill["id"])["object"]["total"])

    threads = [threading.Thread(target=ask, args=(one,)) for one in bills]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(totals) == [100 + number for number in range(12)]
