"""Who signed a delivery and when; what it says; late, twice and shuffled, it makes one sale."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self

import pytest
import stripe as sdk

from connectors.abilities import Alone
from connectors.contract import (
    BelongsTo,
    CustomerNotice,
    Delivery,
    DeliveryUnreadable,
    NoSale,
    Notice,
    SignatureInvalid,
)
from connectors.held import Held
from connectors.stripe import events, verify
from connectors.stripe.connector import Stripe
from hub.domain.sale import PaymentState, Sale
from tests.connectors.stripe_world import KEY, URL, Post, World, delivery, world

AT = 1_795_000_000
SECRET = "whsec_current"


@pytest.fixture
def stripe() -> Iterator[World]:
    with world() as made:
        yield made


def event(word: str = "invoice.paid", held: Any = None, **more: Any) -> dict[str, Any]:
    held = {"id": "in_1A", "object": "invoice"} if held is None else held
    return {
        "id": "evt_1Abcdefgh", "object": "event", "api_version": "2026-10-28.endive",
        "created": AT, "type": word, "livemode": False, "data": {"object": held}, **more,
    }  # fmt: skip


def read(word: str = "invoice.paid", held: Any = None, **more: Any) -> Any:
    return Stripe().read(delivery(event(word, held, **more), SECRET, at=AT))


class TestTheSignature:
    def check(self, one: Delivery, **keys: str) -> None:
        Stripe().authenticate(one, Held(keys or {"webhook_secret": SECRET}))

    def refused(self, one: Delivery, **keys: str) -> None:
        with pytest.raises(SignatureInvalid) as caught:
            self.check(one, **keys)
        assert SECRET not in repr(caught.value)
        assert caught.value.__context__ is None

    def test_of_any_secret_in_force(self) -> None:
        one = delivery(event(), SECRET, at=AT)
        self.check(one)
        self.check(one, webhook_secret="whsec_old", **{"endpoint.we_1": SECRET})
        self.check(one, **{"endpoint.we_1": "whsec_x", "endpoint.we_2": SECRET})
        self.refused(one, webhook_secret="whsec_old")
        self.refused(one, key=SECRET)

    def test_while_a_secret_is_rolled_both_sign(self) -> None:
        one = delivery(event(), "whsec_new", SECRET, at=AT)
        self.check(one)
        self.check(one, webhook_secret="whsec_new")

    @pytest.mark.parametrize("skew", [301.0, 86400.0, -301.0, -86400.0])
    def test_too_old_or_of_the_future(self, skew: float) -> None:
        self.refused(delivery(event(), SECRET, at=AT, skew=skew))

    @pytest.mark.parametrize("skew", [299.0, 0.0, -299.0])
    def test_a_clock_that_is_a_little_off(self, skew: float) -> None:
        self.check(delivery(event(), SECRET, at=AT, skew=skew))

    def test_another_body(self) -> None:
        one = delivery(event(), SECRET, at=AT)
        for body in (one.body + b"\n", one.body[:-1], b"", b"\xff\xfe", one.body.upper()):
            self.refused(replace(one, body=body))

    @pytest.mark.parametrize(
        "header",
        ["", " ", "t=", "v1=abc", "t=1,v1=", "t=x,v1=y", "t=1795000000", "t=1795000000,v1=é",
         "t=1795000000,v1=\udcff", "t=1795000000,v0={good}", "t=1795000001,v1={good}",
         "t=1795000000 v1={good}", "v1={good}", "t=1795000000,v1={good}x", "{good}",
         "t=" + "9" * 5000 + ",v1={good}", "t=1795000000," + "v1=00," * 5000 + "v1={good}",
         "t=0,t=1795000000,v1={good}", "t=-1795000000,v1={good}", "t=nan,v1={good}"],
    )  # fmt: skip
    def test_another_header(self, header: str) -> None:
        one = delivery(event(), SECRET, at=AT)
        good = one.headers[verify.HEADER].partition("v1=")[2].partition(",")[0]
        self.check(replace(one, headers={verify.HEADER: f"t={AT},v1={good}"}))
        forged = header.replace("{good}", good)
        self.refused(replace(one, headers={verify.HEADER: forged}))

    @pytest.mark.parametrize("at", ["9" * 400, "-" + "9" * 400, "1" + "0" * 12])
    def test_a_time_that_is_none_by_who_knows_the_secret(self, at: str) -> None:
        one = delivery(event(), SECRET, at=AT)
        signed = sdk.WebhookSignature._compute_signature(f"{at}.{one.body.decode()}", SECRET)
        self.refused(replace(one, headers={verify.HEADER: f"t={at},v1={signed}"}))

    @pytest.mark.parametrize("secret", ["", " ", "\n", "ñ", "\udcff"])
    def test_a_secret_that_is_none(self, secret: str) -> None:
        body = json.dumps(event()).encode()
        signed = sdk.WebhookSignature._compute_signature(
            f"{AT}.{body.decode()}", secret.strip("\udcff")
        )
        headers = {verify.HEADER: f"t={AT},v1={signed}"}
        one = replace(delivery(event(), SECRET, at=AT), body=body, headers=headers)
        self.refused(one, webhook_secret=secret)

    def test_no_secret_at_all(self) -> None:
        one = delivery(event(), SECRET, at=AT)
        with pytest.raises(SignatureInvalid):
            Stripe().authenticate(one, Held({}))


class TestWhatItSays:
    @pytest.mark.parametrize(
        ("word", "held", "order_id", "whole"),
        [
            ("invoice.paid", {"id": "in_1", "object": "invoice"}, "in_1", True),
            ("invoice.finalized", {"id": "in_1", "object": "invoice"}, "in_1", True),
            ("payment_intent.succeeded", {"id": "pi_1", "object": "payment_intent"}, "pi_1", False),
            ("payment_intent.succeeded",
             {"id": "pi_1", "object": "payment_intent", "invoice": None}, "pi_1", True),
            ("payment_intent.succeeded",
             {"id": "pi_1", "object": "payment_intent", "invoice": "in_7"}, "in_7", False),
            ("payment_intent.succeeded",
             {"id": "pi_1", "object": "payment_intent",
              "payment_details": {"order_reference": "in_1SS01XKXBGcbgpbZeYvAQc"}}, "pi_1", False),
            ("payment_intent.succeeded",
             {"id": "pi_1", "object": "payment_intent",
              "payment_details": {"order_reference": None}}, "pi_1", False),
            ("payment_intent.succeeded",
             {"id": "pi_1", "object": "payment_intent",
              "payment_details": {"order_reference": "PEDIDO-7"}}, "pi_1", True),
            ("charge.succeeded", {"id": "ch_1", "object": "charge"}, "ch_1", False),
            ("charge.refunded", {"id": "py_1", "object": "charge"}, "py_1", False),
            ("checkout.session.completed", {"id": "cs_test_a1", "object": "checkout.session"},
             "cs_test_a1", False),
            ("refund.updated", {"id": "re_1", "object": "refund"}, "re_1", False),
            ("credit_note.voided", {"id": "cn_1", "object": "credit_note"}, "cn_1", False),
            ("charge.dispute.closed", {"id": "du_1", "object": "dispute"}, "du_1", False),
            ("invoice_payment.paid",
             {"id": "inpay_1", "object": "invoice_payment", "invoice": "in_7"}, "in_7", False),
            ("invoice_payment.paid",
             {"id": "inpay_1", "object": "invoice_payment", "invoice": {"id": "in_7"}}, "in_7",
             False),
        ],
    )  # fmt: skip
    def test_of_an_order(self, word: str, held: Any, order_id: str, whole: bool) -> None:
        one = delivery(event(word, held), SECRET, at=AT)
        notice = Stripe().read(one)
        assert notice == Notice(
            word, "evt_1Abcdefgh", order_id, snapshot=one.body if whole else None
        )

    def test_of_a_customer(self) -> None:
        told = CustomerNotice("customer.updated", "evt_1Abcdefgh", "cus_1")
        assert read("customer.updated", {"id": "cus_1", "object": "customer"}) == told
        tax_id = {"id": "txi_1", "object": "tax_id", "customer": "cus_1"}
        assert read("customer.tax_id.deleted", tax_id).customer_id == "cus_1"
        for held in ({"id": "txi_1"}, {"id": "txi_1", "customer": "../x"}, {"customer": 7}):
            with pytest.raises(DeliveryUnreadable):
                read("customer.tax_id.created", held)

    def test_every_event_we_ask_for_is_understood(self, stripe: World) -> None:
        kinds = {
            "invoice": ("in_1", "invoice"), "invoice_payment": ("inpay_1", "invoice_payment"),
            "payment_intent": ("pi_1", "payment_intent"), "charge": ("ch_1", "charge"),
            "checkout": ("cs_test_1", "checkout.session"), "refund": ("re_1", "refund"),
            "credit_note": ("cn_1", "credit_note"), "customer": ("cus_1", "customer"),
        }  # fmt: skip
        for word in (*events.EVENTS, *events.ON_CREDIT, *events.LEGACY):
            key, kind = kinds[word.split(".")[0]]
            held = {"id": key, "object": kind, "customer": "cus_1", "invoice": "in_1"}
            assert read(word, held), word

    @pytest.mark.parametrize("word", ["invoice.created", "balance.available", "invoice.updated",
                                      "payment_intent.created", "", "x" * 1000])  # fmt: skip
    def test_what_is_of_no_use(self, word: str) -> None:
        assert read(word) is None

    def test_of_another_account(self, caplog: pytest.LogCaptureFixture) -> None:
        assert read(account="acct_other") is None
        assert "of_another_account" in caplog.text

    def test_a_thin_event_is_refused_with_what_to_choose(self) -> None:
        thin = {"id": "evt_1", "object": "v2.core.event", "type": "v1.invoice.paid",
                "related_object": {"id": "in_1", "type": "invoice"}}  # fmt: skip
        with pytest.raises(DeliveryUnreadable, match="Snapshot"):
            Stripe().read(delivery(thin, SECRET, at=AT))

    @pytest.mark.parametrize("held", [
        {}, [], "in_1", 7, {"id": 7}, {"id": None}, {"id": ""}, {"id": "in_"}, {"id": "../x"},
        {"id": "in_1/x"}, {"id": "in_" + "x" * 500}, {"id": "acct_1"}, {"id": "cus_1"},
        {"id": ["in_1"]}, {"id": {"id": 7}}, {"object": "invoice_payment", "invoice": None},
    ])  # fmt: skip
    def test_an_object_that_is_none(self, held: Any) -> None:
        with pytest.raises(DeliveryUnreadable):
            read("invoice.paid", held)

    @pytest.mark.parametrize("body", [
        b"", b"[]", b"null", b"7", b'"event"', b"{}", b'{"object":"event"}', b"\xff", b"{",
        b'{"object":["event"]}', b'{"object":"event","type":7.5}', b"[" * 99999,
        b'{"object":"event","type":"invoice.paid"}',
        b'{"object":"event","type":"invoice.paid","id":"evt_12345","data":[7]}',
    ])  # fmt: skip
    def test_a_body_that_is_none(self, body: bytes) -> None:
        with pytest.raises(DeliveryUnreadable):
            Stripe().read(replace(delivery(event(), SECRET, at=AT), body=body))

    def test_a_key_is_the_events_own(self) -> None:
        older = read(
            api_version="2022-11-15", data={"object": {"id": "in_1A", "object": "invoice"}}
        )
        assert older.event_key == read().event_key
        assert read(id="evt_2Abcdefgh").event_key != read().event_key
        assert 8 <= len(read(id="x").event_key) <= 200
        assert 8 <= len(read(id="evt_" + "x" * 9999).event_key) <= 200


class Inbox:
    """An endpoint that verifies and files, as the hub does; it refuses the first tries."""

    def __init__(self, stripe: World, post: Post, refuse: int = 0) -> None:
        self.stripe, self.post, self.refuse = stripe, post, refuse
        self.filed: dict[str, Any] = {}
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                one = Delivery(headers, body, inbox.stripe.at(int(inbox.post.clock())))
                self.send_response(inbox.take(one))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/webhooks/stripe/connection-1"

    def __enter__(self) -> Self:
        Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def take(self, one: Delivery) -> int:
        self.refuse -= 1
        if self.refuse >= 0:
            return 503
        try:
            self.stripe.connector.authenticate(one, self.stripe.keys)
        except SignatureInvalid:
            return 401
        notice = self.stripe.connector.read(one)
        if notice:
            self.filed.setdefault(notice.event_key, notice)
        return 200


def sales_of(stripe: World, inbox: Inbox) -> dict[str, Sale]:
    """What the notices lead to: each is asked for, and followed to whose part it is."""
    found: dict[str, Sale] = {}
    for notice in inbox.filed.values():
        if not isinstance(notice, Notice):
            continue
        order_id = notice.order_id
        for _ in range(4):
            try:
                raw = stripe.fetch(order_id)
            except BelongsTo as other:
                order_id = other.order_id
                continue
            found[order_id] = stripe.connector.normalize(raw, stripe.facts)
            break
        else:
            pytest.fail(f"{notice.order_id} leads in circles")
    return found


@pytest.mark.parametrize("seed", range(5))
def test_any_order_any_number_makes_one_sale_of_each_payment(stripe: World, seed: int) -> None:
    post = Post(stripe.account, clock=lambda: stripe.account.now)
    with Inbox(stripe, post, refuse=seed) as inbox:
        stripe.connector.ensure(inbox.url, (), stripe.facts, stripe.keys, repair=False)
        customer = stripe.shop.customer()
        bill = stripe.shop.bill(11600, customer=customer)
        intent = stripe.shop.payment(58000)
        voucher, session = stripe.shop.voucher(30000)
        stripe.shop.pay_voucher(voucher, session)
        billed = stripe.account.objects[
            stripe.account.look("invoice_payment")[0]["payment"]["payment_intent"]
        ]
        stripe.shop.credit_note(bill, 5800, stripe.shop.refund(billed, 5800))
        stripe.shop.dispute(intent)
        stripe.account.happens("customer.updated", customer)
        answers = post.deliver(repeat=2, order=random.Random(seed), retries=5)
        assert set(answers) == {200}
        assert post.waiting == []
        sales = sales_of(stripe, inbox)
    assert set(sales) == {bill["id"], intent["id"], voucher["id"]}
    assert all(one.payment_state is PaymentState.PAID for one in sales.values())
    assert [one.refunded for one in sales.values() if one.key == bill["id"]] == [58]
    claimed = [claim for one in sales.values() for claim in one.claims]
    assert len(claimed) == len(set(claimed))
    assert any(isinstance(one, CustomerNotice) for one in inbox.filed.values())


def test_two_endpoints_of_two_versions_tell_of_one_event(stripe: World) -> None:
    post = Post(stripe.account, clock=lambda: stripe.account.now)
    with Inbox(stripe, post) as inbox:
        stripe.connector.ensure(inbox.url, (), stripe.facts, stripe.keys, repair=False)
        (old,) = stripe.account.look("webhook_endpoint")
        old["api_version"] = "2022-11-15"
        stripe.connector.ensure(inbox.url, (), stripe.facts, stripe.keys, repair=False)
        stripe.shop.bill()
        bodies = [body["data"]["object"] for _, body in post.waiting
                  if body["type"] == "invoice.paid"]  # fmt: skip
        assert [("payment_intent" in one, "parent" in one) for one in bodies] in (
            [(True, False), (False, True)], [(False, True), (True, False)],
        )  # fmt: skip
        assert len(post.waiting) == 4
        post.deliver()
        assert len(inbox.filed) == 2


def test_what_nobody_takes_goes_on_waiting(stripe: World) -> None:
    post = Post(stripe.account, clock=lambda: stripe.account.now)
    with Inbox(stripe, post, refuse=99) as inbox:
        stripe.connector.ensure(inbox.url, (), stripe.facts, stripe.keys, repair=False)
        stripe.shop.bill()
        assert set(post.deliver()) == {503}
        assert len(post.waiting) == 2
        inbox.refuse = 0
        post.deliver()
        assert len(inbox.filed) == 2


@pytest.mark.parametrize(
    "version", ["2022-11-15", "2024-06-20", "2025-03-31.basil", "2026-10-28.endive"]
)
def test_without_a_key_the_delivered_copy_makes_the_sale(stripe: World, version: str) -> None:
    """As after a revocation: of the same money, marked as not verified by the hub."""
    stripe.account.version = version
    bill = stripe.shop.bill(11600)
    told = stripe.account.events[-1]
    notice = stripe.connector.read(delivery(told, SECRET, at=AT))
    assert isinstance(notice, Notice)
    assert notice.snapshot
    sale = stripe.connector.normalize(notice.snapshot, stripe.facts)
    asked = stripe.connector.normalize(stripe.fetch(bill["id"]), stripe.facts)
    assert (sale.key, sale.total, sale.paid_at) == (asked.key, asked.total, asked.paid_at)


@pytest.mark.parametrize(
    "version", ["2022-11-15", "2024-06-20", "2025-03-31.basil", "2026-10-28.endive"]
)
def test_without_a_key_a_payment_of_a_bill_is_no_sale_of_its_own(
    stripe: World, version: str
) -> None:
    """Its bill is told of as well, and nothing could say that the two are one."""
    stripe.account.version = version
    bill = stripe.shop.bill(11600)
    made = {}
    for told in stripe.account.events:
        notice = stripe.connector.read(delivery(told, SECRET, at=AT))
        assert isinstance(notice, Notice)
        if notice.snapshot:
            made[notice.order_id] = stripe.connector.normalize(notice.snapshot, stripe.facts)
    assert set(made) == {bill["id"]}


@pytest.mark.parametrize(
    ("held", "about"),
    [
        ({"id": "pi_1", "object": "payment_intent", "invoice": "in_7"}, ("in_7", "pi_1")),
        ({"id": "pi_1", "object": "payment_intent", "payment_details":
          {"order_reference": "in_1SS01XKXBGcbgpbZeYvAQc"}},
         ("pi_1", "in_1SS01XKXBGcbgpbZeYvAQc…")),
        ({"id": "pi_1", "object": "payment_intent",
          "payment_details": {"order_reference": "in_1"}}, ()),
        ({"id": "pi_1", "object": "payment_intent"}, ()),
        ({"id": "cs_1", "object": "checkout.session", "payment_status": "paid",
          "invoice": None, "payment_intent": {"id": "pi_2"}}, ("pi_2", "cs_1")),
        ({"id": "inpay_1", "object": "invoice_payment", "invoice": "in_7"}, ("in_7",)),
        ({"id": "ch_1", "object": "charge", "payment_intent": "pi_2"}, ("pi_2", "ch_1")),
    ],
)  # fmt: skip
def test_what_a_delivery_without_a_sale_is_about(held: Any, about: tuple[str, ...]) -> None:
    """Nothing is told that the bill or payment does not tell itself."""
    told = Stripe().alone(delivery(event("payment_intent.succeeded", held), SECRET, at=AT))
    assert told == Alone(about)


@pytest.mark.parametrize(
    ("word", "held", "about"),
    [
        ("refund.created", {"id": "re_1", "object": "refund", "payment_intent": "pi_2",
                            "charge": "ch_3"}, ("pi_2", "ch_3", "re_1")),
        ("credit_note.voided", {"id": "cn_1", "object": "credit_note", "invoice": "in_7",
                                "refund": None}, ("in_7", "cn_1")),
        ("charge.dispute.created", {"id": "dp_1", "object": "dispute", "charge": "ch_3"},
         ("ch_3", "dp_1")),
        ("charge.refunded", {"id": "ch_1", "object": "charge", "invoice": "in_7"},
         ("in_7", "ch_1")),
    ],
)  # fmt: skip
def test_what_changes_a_sale_and_nobody_can_look_at(
    word: str, held: Any, about: tuple[str, ...]
) -> None:
    told = Stripe().alone(delivery(event(word, held), SECRET, at=AT))
    assert told.about == about
    assert held["id"] in told.change


def test_a_checkout_that_brought_no_money_is_nothing_to_wait_for() -> None:
    for status in ("unpaid", "no_payment_required"):
        held = {"id": "cs_1", "object": "checkout.session", "payment_status": status}
        with pytest.raises(NoSale):
            Stripe().alone(delivery(event("checkout.session.completed", held), SECRET, at=AT))


def test_a_test_event_at_a_live_connection_is_no_sale(stripe: World) -> None:
    stripe.shop.bill(11600)
    told = stripe.account.events[-1]
    live = replace(stripe.facts, account="acct_1HubOfTests/live")
    sale = stripe.connector.normalize(json.dumps(told).encode(), live)
    assert sale.test or sale.barred
    assert sale.barred


def test_the_address_and_key_of_these_tests() -> None:
    assert URL.startswith("https://")
    assert KEY.startswith("rk_test_")
