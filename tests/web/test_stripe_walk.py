"""A Stripe account at the hub: connected by a key, told of by signed events, healed by sweeps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pytest

import hub.wiring
from connectors.registry import connectors
from connectors.stripe import events
from connectors.stripe.connector import Stripe
from tests.fakes.stripe import Account, FakeStripe, Post, Shop

KEY = "rk_test_51HubOfTests0000abcdef"


@dataclass
class Connected:
    site: Any
    fake: FakeStripe
    post: Post
    merchant_id: str
    id: str = ""

    @property
    def account(self) -> Account:
        return self.fake.account

    @property
    def shop(self) -> Shop:
        return Shop(self.account)

    def create(self, *more: str, key: str = KEY, url: str = "/acct_1HubOfTests") -> str:
        return str(self.site.told(
            "connection", "create", "--merchant", self.merchant_id, "--platform", "stripe",
            "--url", f"{self.fake.base}{url}", "--key", key, *more,
        )["id"])  # fmt: skip

    def shown(self, connection_id: str = "") -> dict[str, Any]:
        found: dict[str, Any] = self.site.told(
            "connection", "show", "--merchant", self.merchant_id, connection_id or self.id
        )
        return found

    def work(self) -> None:
        while self.site.work():
            pass

    def deliver(self) -> list[str]:
        """What happened, to the hub's own door."""
        told = []
        for endpoint_id, event in self.post.waiting:
            url = self.account.objects[endpoint_id]["url"]
            body, headers = self.post.signed(event, endpoint_id)
            path = "/webhooks/" + url.partition("/webhooks/")[2]
            told.append(self.site.client.post(path, data=body, headers=headers).text.strip())
        self.post.waiting.clear()
        return told

    def sweep(self) -> None:
        ctx = self.site.hub.ctx
        with ctx.store.transaction() as tx:
            tx.tenant(self.merchant_id).promise("sweep", self.id, queue="ingest")
        self.work()

    def inbox(self) -> list[tuple[str, str]]:
        """Of each delivery what it is about, and what became of it."""
        of = ("--merchant", self.merchant_id)
        return sorted(
            (one["order"][:2], one["state"]) for one in self.site.told("inbox", "list", *of)["data"]
        )

    def waiting(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.site.told(
            "review", "list", "--merchant", self.merchant_id
        )["data"]
        return found

    def again(self) -> None:
        """All deliveries are looked at once more."""
        of = ("--merchant", self.merchant_id)
        for one in self.site.told("inbox", "list", *of)["data"]:
            self.site.told("inbox", "replay", *of, one["id"])
        self.work()

    def sales(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.site.told(
            "sale", "list", "--merchant", self.merchant_id
        )["data"]
        return found


@pytest.fixture
def there(make_site: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Connected]:
    known = MappingProxyType({**connectors(), "stripe": Stripe()})
    monkeypatch.setattr(hub.wiring, "connectors", lambda: known)
    site = make_site(ALLOW_PRIVATE_HOSTS="1")
    account = Account(now=int(time.time()) - 60)
    account.allow(KEY, "webhook_write", "invoice_write")
    with FakeStripe(account) as fake:
        yield Connected(site, fake, Post(account), site.merchant())


@pytest.fixture
def connected(there: Connected) -> Connected:
    there.id = there.create()
    there.work()
    return there


def test_a_key_is_all_it_takes(connected: Connected) -> None:
    shown = connected.shown()
    assert (shown["state"], shown["keys"]) == ("connected", "ok")
    assert shown["account"].endswith("/acct_1HubOfTests/test")
    assert shown["webhooks"] == dict.fromkeys(events.EVENTS, "active")
    (endpoint,) = connected.account.look("webhook_endpoint")
    assert endpoint["url"] == shown["webhook_url"]


def test_a_paid_bill_becomes_a_link_however_often_it_is_told(connected: Connected) -> None:
    bill = connected.shop.bill(11600, customer=connected.shop.customer())
    waiting = list(connected.post.waiting)
    assert set(connected.deliver()) == {"filed"}
    connected.post.waiting += waiting
    assert set(connected.deliver()) == {"duplicate"}
    connected.work()
    (sale,) = [one for one in connected.sales() if one["link"]]
    assert (sale["number"], sale["total"]) == (bill["number"], "116.00")
    assert connected.site.client.get("/f/" + sale["link"].rpartition("/")[2]).status_code == 200


def test_all_that_is_told_of_one_payment_is_one_sale(connected: Connected) -> None:
    shop = connected.shop
    bill, paid = shop.bill(11600), shop.payment(58000)
    voucher, session = shop.voucher(30000)
    billed = connected.account.look("invoice_payment")[0]["payment"]["payment_intent"]
    shop.credit_note(bill, 5800, shop.refund(connected.account.objects[billed], 5800))
    connected.post.waiting.reverse()
    connected.deliver()
    connected.work()
    sales = {one["number"]: one for one in connected.sales()}
    assert set(sales) == {bill["number"], paid["id"], voucher["id"]}
    assert sales[voucher["id"]]["link"] is None
    shop.pay_voucher(voucher, session)
    connected.deliver()
    connected.work()
    links = {one["number"]: bool(one["link"]) for one in connected.sales()}
    assert links == dict.fromkeys(sales, True)


def test_the_page_after_the_checkout_needs_no_webhook(connected: Connected) -> None:
    """`success_url` = …/s/stripe/<connection>/{CHECKOUT_SESSION_ID}"""
    get = connected.site.client.get
    paid = connected.shop.payment(58000)
    (session,) = connected.account.look("checkout.session", payment_intent=paid["id"])
    connected.post.waiting.clear()
    door = f"/s/stripe/{connected.id}/"
    for _ in range(2):
        answer = get(door + session["id"])
        assert answer.status_code == 303
        assert "/f/" in answer.location
    assert [one["number"] for one in connected.sales()] == [paid["id"]]
    assert get(door + session["id"] + ".").status_code == 303
    wrong = [session["id"][:-1] + "x", paid["id"], "x" * 66, "x" * 101, "7", session["id"] + "0"]
    assert {get(door + one).status_code for one in wrong} == {404}
    assert get(f"{door}{paid['id']}?c={session['id']}").status_code == 303
    assert get(f"{door}{session['id']}?c=").status_code == 404


def test_what_no_event_told_of_a_sweep_finds(connected: Connected) -> None:
    bill = connected.shop.bill(11600)
    connected.post.waiting.clear()
    connected.sweep()
    assert [one["number"] for one in connected.sales() if one["link"]] == [bill["number"]]


def test_a_forged_event_is_refused(connected: Connected) -> None:
    connected.shop.bill()
    endpoint_id, event = connected.post.waiting[0]
    body, headers = connected.post.signed(event, endpoint_id)
    path = "/webhooks/" + connected.account.objects[endpoint_id]["url"].partition("/webhooks/")[2]
    post = connected.site.client.post
    assert post(path, data=body + b" ", headers=headers).status_code == 401
    assert post(path, data=body, headers={}).status_code == 401
    assert post(path[:-1] + "x", data=body, headers=headers).status_code == 404
    assert post(path, data=body, headers=headers).status_code == 200


def test_keys_say_whose_they_are(there: Connected) -> None:
    there.id = there.create(url="")
    assert "/key-" in there.shown()["account"]
    there.work()
    assert there.shown()["account"].endswith("/acct_1HubOfTests/test")
    assert there.shown()["state"] == "connected"


def test_one_account_is_connected_once(connected: Connected) -> None:
    other = connected.account.allow("rk_test_another", "webhook_write")
    second = connected.create(url="", key=other)
    connected.work()
    shown = connected.shown(second)
    assert shown["state"] == "closed"
    assert connected.id in shown["problem"]
    assert connected.shown()["state"] == "connected"
    assert len(connected.account.look("webhook_endpoint")) == 1
    refused = connected.site.cli(
        "connection", "create", "--merchant", connected.merchant_id, "--platform", "stripe",
        "--url", f"{connected.fake.base}/acct_1HubOfTests", "--key", other,
    )  # fmt: skip
    assert refused.exit_code == 1
    assert "connected to the merchant already" in refused.output


def test_one_account_is_one_merchants(connected: Connected) -> None:
    """Else each of its sales would be made, and invoiced, by both."""
    first = connected.merchant_id
    other = connected.site.merchant("URE180429TM6", "UNIVERSIDAD ROBOTICA ESPAÑOLA")
    wanted = (
        "connection", "create", "--merchant", other, "--platform", "stripe", "--key", KEY,
        "--url", f"{connected.fake.base}/acct_1HubOfTests",
    )  # fmt: skip
    refused = connected.site.cli(*wanted)
    assert refused.exit_code == 1
    assert "another merchant" in refused.output
    assert connected.site.told("connection", "list", "--merchant", other)["data"] == []
    connected.site.told("connection", "disconnect", "--merchant", first, connected.id)
    connected.work()
    assert connected.site.told(*wanted)["id"] != connected.id
    connected.work()
    refused = connected.site.cli(*(first if one == other else one for one in wanted))
    assert refused.exit_code == 1, "nor does it come back while the other has it"


def test_a_rolled_key_is_told_and_a_new_one_mends_it(connected: Connected) -> None:
    new = connected.account.allow("rk_test_new0001", "webhook_write")
    del connected.account.keys[KEY]
    connected.shop.bill()
    connected.deliver()
    connected.work()
    assert [one["total"] for one in connected.sales()] == ["116.00"], "made of the copy"
    connected.sweep()
    assert "rolled, revoked or deleted" in connected.shown()["problem"]
    renew = ("connection", "renew", "--merchant", connected.merchant_id, connected.id)
    connected.site.told(*renew, "--key", new)
    connected.work()
    shown = connected.shown()
    assert (shown["keys"], shown["state"], shown["problem"]) == ("ok", "connected", "")
    assert len(connected.account.look("webhook_endpoint")) == 1
    for wrong in ("sk_test_abc", "pk_test_abc", "rk_live_abc"):
        assert connected.site.cli(*renew, "--key", wrong).exit_code == 2
    assert connected.site.cli(*renew, "--given", "app=0123").exit_code == 2
    assert connected.shown()["keys"] == "ok", "what was refused changed nothing"


def test_a_key_of_another_account_changes_nothing_but_its_problem(connected: Connected) -> None:
    with FakeStripe(Account("acct_other")) as other:
        other.account.allow("rk_test_other01", "webhook_write")
        connected.account.keys.clear()
        connected.account.id = "acct_other"
        connected.account.allow("rk_test_other01", "webhook_write")
        renew = ("connection", "renew", "--merchant", connected.merchant_id, connected.id)
        connected.site.told(*renew, "--key", "rk_test_other01")
        connected.work()
    shown = connected.shown()
    assert "acct_other" in shown["problem"]
    assert shown["account"].endswith("/acct_1HubOfTests/test")


def test_a_signing_secret_by_hand(there: Connected) -> None:
    there.account.allow(KEY, without=("webhook_read",))
    there.account.keys[KEY] -= {"webhook_write"}
    there.id = there.create()
    there.work()
    problem = there.shown()["problem"]
    assert "--webhook-secret" in problem
    assert there.shown()["webhook_url"] in problem
    there.site.told("connection", "renew", "--merchant", there.merchant_id, there.id,
                    "--webhook-secret", "whsec_byhand")  # fmt: skip
    there.work()
    assert there.shown()["problem"] == ""
    there.account.put({
        "id": "we_hand", "object": "webhook_endpoint", "url": there.shown()["webhook_url"],
        "status": "enabled", "enabled_events": ["*"], "api_version": "2022-11-15",
    })  # fmt: skip
    there.account.secrets["we_hand"] = "whsec_byhand"
    there.shop.bill()
    assert set(there.deliver()) == {"filed"}


@pytest.fixture
def keyless(there: Connected) -> Connected:
    """An endpoint made by hand, and no key."""
    made = there.site.told("connection", "create", "--merchant", there.merchant_id,
                           "--platform", "stripe", "--webhook-secret", "whsec_byhand")  # fmt: skip
    there.id = str(made["id"])
    there.site.told("connection", "set", "--merchant", there.merchant_id, there.id,
                    "--setting", "untaxed_lines=include_16")  # fmt: skip
    there.work()
    there.account.put({
        "id": "we_hand", "object": "webhook_endpoint", "url": there.shown()["webhook_url"],
        "status": "enabled", "enabled_events": ["*"], "api_version": "2024-06-20",
    })  # fmt: skip
    there.account.secrets["we_hand"] = "whsec_byhand"
    return there


def test_without_a_key_only_what_nobody_told_waits(keyless: Connected) -> None:
    """The payment, the charge and the Checkout of a bill say nothing that the bill does not."""
    shop = keyless.shop
    bill = shop.bill(11600, tell=False)
    (paid,) = keyless.account.look("invoice_payment", invoice=bill["id"])
    intent = keyless.account.objects[paid["payment"]["payment_intent"]]
    session = shop.session(amount=11600, invoice=bill["id"])
    voucher, unpaid = shop.voucher(30000)
    keyless.post.waiting.clear()
    keyless.account.happens("checkout.session.completed", unpaid)
    keyless.account.happens("payment_intent.succeeded", intent)
    keyless.account.happens("checkout.session.completed", session)
    keyless.deliver()
    keyless.work()
    assert keyless.inbox() == [("cs", "done"), ("cs", "filed"), ("in", "filed")], (
        "the bill may yet come"
    )
    keyless.account.happens("invoice.paid", bill)
    keyless.deliver()
    keyless.work()
    keyless.again()
    assert {state for _, state in keyless.inbox()} == {"done"}
    assert keyless.waiting() == []
    shop.pay_voucher(voucher, unpaid)
    keyless.deliver()
    keyless.work()
    assert [one["link"] is not None for one in keyless.sales()] == [True, True]


def test_without_a_key_money_that_went_back_makes_the_sale_wait(keyless: Connected) -> None:
    """A dispute or a refund that nobody can ask about is not passed over in silence."""
    shop = keyless.shop
    bill, paid = shop.bill(11600), shop.payment(58000)
    late, keyless.post.waiting[:] = list(keyless.post.waiting), []
    refund = shop.refund(paid, 5800)
    keyless.deliver()
    keyless.work()
    assert keyless.waiting() == [], "what it is of may yet come"
    keyless.post.waiting += late
    keyless.deliver()
    keyless.work()
    assert {one["state"] for one in keyless.sales()} == {"abierta"}
    note = shop.credit_note(bill, 1160)
    keyless.deliver()
    keyless.again()
    assert {one["state"] for one in keyless.sales()} == {"en_revision"}
    told = [" ".join(str(one[name]) for name in ("number", "note", "reasons"))
            for one in keyless.waiting()]  # fmt: skip
    for key in (refund["id"], note["id"]):
        assert len([one for one in told if key in one]) == 2, "the delivery, and its sale"
    assert [one for one in told if f"it changes sale {bill['number']}" in one]
    sale = next(one for one in keyless.sales() if one["number"] == bill["number"])
    keyless.site.told(
        "review", "resolve", "--merchant", keyless.merchant_id, sale["id"], "--accept"
    )
    keyless.again()
    after = {one["number"]: one["state"] for one in keyless.sales()}
    assert after == {bill["number"]: "abierta", paid["id"]: "en_revision"}, "told once"


def test_settings_of_its_own(connected: Connected) -> None:
    of = ("connection", "set", "--merchant", connected.merchant_id, connected.id)
    told = connected.site.told(
        *of, "--setting", "ppd=true", "--setting", "untaxed_lines=include_16"
    )
    assert told["settings"]["ppd"] is True
    assert told["settings"]["untaxed_lines"] == "include_16"
    connected.work()
    (endpoint,) = connected.account.look("webhook_endpoint")
    assert set(endpoint["enabled_events"]) == {*events.EVENTS, *events.ON_CREDIT}
    for wrong in ("allow_private=true", "livemode=true", "PPD=true", "ppd", "=x"):
        assert connected.site.cli(*of, "--setting", wrong).exit_code == 2


def test_a_setting_frees_what_waited_for_it(connected: Connected) -> None:
    for amount in (11600, 23200):
        bill = connected.shop.bill(amount, tell=False)
        for line in (*bill["lines"]["data"], *bill["_lines"]):
            line["taxes"] = []
        connected.account.happens("invoice.paid", bill)
    connected.deliver()
    connected.work()
    assert [one["state"] for one in connected.sales()] == ["en_revision"] * 2
    connected.site.told("connection", "set", "--merchant", connected.merchant_id, connected.id,
                        "--setting", "untaxed_lines=include_16")  # fmt: skip
    connected.work()
    assert [one["state"] for one in connected.sales()] == ["abierta"] * 2
    assert {bool(one["link"]) for one in connected.sales()} == {True}
    assert connected.waiting() == []


def test_disconnected_its_endpoint_is_gone(connected: Connected) -> None:
    connected.site.told("connection", "disconnect", "--merchant", connected.merchant_id,
                        connected.id)  # fmt: skip
    connected.work()
    assert connected.account.look("webhook_endpoint") == []
    assert connected.shown()["state"] == "closed"
    renew = ("connection", "renew", "--merchant", connected.merchant_id, connected.id)
    refused = connected.site.cli(*renew, "--key", KEY)
    assert (refused.exit_code, "no open connection" in refused.output) == (1, True)
    assert connected.shown()["state"] == "closed"


class TestConnectedAgain:
    """After a disconnection: the same connection, for its sales are those of the account."""

    @staticmethod
    def end(of: Connected) -> None:
        of.site.told("connection", "disconnect", "--merchant", of.merchant_id, of.id)
        of.work()

    @staticmethod
    def stands(of: Connected) -> None:
        shown = of.shown()
        assert (shown["state"], shown["keys"], shown["problem"]) == ("connected", "ok", "")
        (endpoint,) = of.account.look("webhook_endpoint")
        assert endpoint["url"] == shown["webhook_url"]

    def test_what_the_merchant_decided_stays(self, connected: Connected) -> None:
        of = ("connection", "set", "--merchant", connected.merchant_id, connected.id)
        before = connected.site.told(
            *of, "--setting", "untaxed_lines=include_16", "--setting", "ppd=true", "--announce"
        )
        self.end(connected)
        assert connected.create() == connected.id
        connected.work()
        self.stands(connected)
        assert connected.site.told(*of)["settings"] == before["settings"]
        (endpoint,) = connected.account.look("webhook_endpoint")
        assert set(endpoint["enabled_events"]) == {*events.EVENTS, *events.ON_CREDIT}

    def test_it_begins_when_it_is_told_to(self, connected: Connected) -> None:
        began = connected.shown()["since"]
        self.end(connected)
        connected.create()
        assert connected.shown()["since"] == began
        self.end(connected)
        connected.create("--since", "2026-01-02")
        assert connected.shown()["since"].startswith("2026-01-02T00:00:00")

    @pytest.mark.parametrize("key", [KEY, "rk_test_another"])
    def test_a_key_alone_finds_its_connection(self, connected: Connected, key: str) -> None:
        bill = connected.shop.bill(11600)
        connected.deliver()
        connected.work()
        began = connected.shown()["since"]
        self.end(connected)
        connected.account.allow(key, "webhook_write")
        missed = connected.shop.bill(23200)
        provisional = connected.create(url="", key=key)
        connected.work()
        assert connected.shown(provisional)["state"] == "closed"
        assert connected.id in connected.shown(provisional)["problem"]
        self.stands(connected)
        assert connected.shown()["since"] == began
        assert {one["number"] for one in connected.sales()} == {bill["number"], missed["number"]}
        listed = connected.site.told("connection", "list", "--merchant", connected.merchant_id)
        assert len(listed["data"]) == 2

    def test_a_key_alone_with_a_day_to_begin(self, connected: Connected) -> None:
        self.end(connected)
        connected.create("--since", "2026-01-02", url="", key=KEY)
        connected.work()
        self.stands(connected)
        assert connected.shown()["since"].startswith("2026-01-02T00:00:00")
