"""What a merchant may give, whose a key is, what it may not do, and the endpoint that is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from connectors.abilities import (
    ACTIVE,
    Announces,
    Identifies,
    KeepsBooks,
    KnowsCustomers,
    Proves,
    Subscribes,
)
from connectors.contract import (
    ConnectionInvalid,
    CredentialsRefused,
    PlatformUnreachable,
)
from connectors.held import Held
from connectors.stripe import events, permissions, webhooks
from connectors.stripe.client import VERSION
from connectors.stripe.connect import named
from connectors.stripe.connector import Stripe
from tests.connectors.stripe_world import KEY, URL, World, world

LIVE = "rk_live_51HubOfTests0000abcdef"


@pytest.fixture
def stripe() -> Iterator[World]:
    with world() as made:
        yield made


def configure(account: str = "", *, private: bool = False, **given: str) -> tuple[str, Any]:
    return Stripe().configure(account, given, allow_private=private)


def test_it_declares_all_that_it_can() -> None:
    for ability in (Subscribes, Announces, Proves, KnowsCustomers, KeepsBooks, Identifies):
        assert isinstance(Stripe(), ability), ability


class TestWhatIsGiven:
    def test_the_name_of_the_account_and_the_mode_of_the_key(self) -> None:
        assert configure("acct_1A", key=LIVE) == ("acct_1A/live", {"key": LIVE})
        assert configure("acct_1A/test", key=KEY)[0] == "acct_1A/test"
        assert configure("https://dashboard.stripe.com/acct_1A/test/home", key=KEY)[0] == (
            "acct_1A/test"
        )

    def test_once_spelled_it_stays(self) -> None:
        for account in ("", "acct_1A"):
            spelled, keys = configure(account, key=LIVE)
            assert configure(spelled, **keys) == (spelled, keys)

    def test_without_a_name_each_key_is_an_account(self) -> None:
        one, two = configure(key=LIVE)[0], configure(key=LIVE + "x")[0]
        assert one != two
        assert one.startswith("key-")
        assert one.endswith("/live")
        assert LIVE not in one

    def test_a_new_key_of_the_same_account_keeps_the_name(self) -> None:
        spelled, _ = configure(key=LIVE)
        assert configure(spelled, key=LIVE + "x")[0] == spelled

    def test_a_signing_secret_alone_is_enough_to_receive(self) -> None:
        account, keys = configure("acct_1A", webhook_secret="whsec_abc")
        assert (account, keys) == ("acct_1A", {"webhook_secret": "whsec_abc"})
        assert not Stripe().can_fetch(Held(keys))

    @pytest.mark.parametrize(
        ("given", "told"),
        [
            ({}, "rk_"),
            ({"key": "pk_live_abcdef"}, "publishable"),
            ({"key": "sk_live_abcdef"}, "allow_secret_key=yes"),
            ({"key": "sk_live_abcdef", "allow_secret_key": "no"}, "allow_secret_key=yes"),
            ({"key": "rk_prod_abcdef"}, "no key"),
            ({"key": "hello"}, "no key"),
            ({"key": "rk_live_abc def"}, "no key"),
            ({"key": LIVE, "secret": "x"}, "no secret"),
            ({"key": LIVE, "webhook_secret": "we_1A"}, "whsec_"),
            ({"webhook_secret": "we_1A"}, "whsec_"),
        ],
    )
    def test_the_wrong_thing_is_refused_with_the_right_one(
        self, given: dict[str, str], told: str
    ) -> None:
        with pytest.raises(ConnectionInvalid, match=told) as caught:
            configure("acct_1A", **given)
        assert "abcdef" not in str(caught.value)

    def test_a_secret_key_only_for_whoever_insists(self) -> None:
        account, keys = configure("acct_1A", key="sk_live_abcdef", allow_secret_key="yes")
        assert (account, keys) == ("acct_1A/live", {"key": "sk_live_abcdef"})

    @pytest.mark.parametrize(
        "account",
        ["acct_", "acct_1A/sandbox", "1A", "acct_1A/live/x", "https://api.stripe.com/acct_1A",
         "https://evil.example/acct_1A", "http://127.0.0.1:1/acct_1A", "acct_1A?x", "../acct_1A"],
    )  # fmt: skip
    def test_an_account_that_is_none(self, account: str) -> None:
        with pytest.raises(ConnectionInvalid, match="acct_"):
            configure(account, key=LIVE)

    def test_the_two_modes_are_two_accounts(self) -> None:
        with pytest.raises(ConnectionInvalid, match="mode"):
            configure("acct_1A/live", key=KEY)

    def test_another_address_than_stripes_is_for_tests_alone(self) -> None:
        account, _ = configure("http://127.0.0.1:5/acct_1A", key=KEY, private=True)
        assert account == "http://127.0.0.1:5/acct_1A/test"
        assert named(account, allow_private=False) is None


class TestWhoseItIs:
    def test_a_key_that_may_ask(self, stripe: World) -> None:
        stripe.account.allow(KEY, "accounts_kyc_basic_read")
        self.named_by_its_key(stripe)

    def test_a_refusal_names_the_account_too(self, stripe: World) -> None:
        self.named_by_its_key(stripe)

    def named_by_its_key(self, stripe: World) -> None:
        stripe.account_name, _ = stripe.connector.configure(
            stripe.fake.base, {"key": KEY}, allow_private=True
        )
        assert "/key-" in stripe.account_name
        with pytest.raises(PlatformUnreachable, match="looked up"):
            stripe.connector.changed_since(stripe.at(0), stripe.facts, stripe.keys)
        found = stripe.connector.account_of(stripe.facts, stripe.keys)
        assert found == f"{stripe.fake.base}/acct_1HubOfTests/test"

    def test_where_nobody_says_it_all_goes_on_under_the_keys_name(self, stripe: World) -> None:
        stripe.account_name, _ = stripe.connector.configure(
            stripe.fake.base, {"key": KEY}, allow_private=True
        )
        began, bill = stripe.account.now, stripe.shop.bill(11600)
        stripe.account.id = ""
        assert stripe.connector.account_of(stripe.facts, stripe.keys) == stripe.account_name
        told = stripe.connector.changed_since(stripe.at(began), stripe.facts, stripe.keys)
        assert bill["id"] in list(told)

    def test_the_key_of_another_account_is_refused(self, stripe: World) -> None:
        stripe.account_name = f"{stripe.fake.base}/acct_other/test"
        with pytest.raises(CredentialsRefused, match=r"acct_1HubOfTests.*acct_other"):
            stripe.connector.account_of(stripe.facts, stripe.keys)


class TestPermissions:
    def test_all_that_is_missing_is_named_at_once(self, stripe: World) -> None:
        stripe.account.allow(KEY, without=("invoice_read", "dispute_read", "tax_rate_read"))
        with pytest.raises(CredentialsRefused) as caught:
            stripe.connector.check_keys(stripe.facts, stripe.keys)
        told = str(caught.value)
        for words in ("Invoices: Read", "Disputes: Read", "Tax rates: Read"):
            assert told.count(words) == 1
        assert "Customers" not in told
        assert KEY[-6:] not in told

    @pytest.mark.parametrize("one", permissions.READ, ids=lambda one: one.path)
    def test_each_is_tried(self, stripe: World, one: permissions.Permission) -> None:
        stripe.connector.check_keys(stripe.facts, stripe.keys)
        assert stripe.asked(one.path)
        subject = {"/v1/invoice_payments": "invoice", "/v1/refunds": "charge"}.get(one.path)
        subject = subject or next(
            name for name in ("invoice", "credit_note", "payment_intent", "charge", "dispute",
                              "balance_transaction_source", "customer", "checkout_session",
                              "subscription", "product", "plan", "tax_rate", "event")
            if permissions.words(f"rak_{name}_read") == one.words
        )  # fmt: skip
        stripe.account.allow(KEY, without=(f"{subject}_read",))
        with pytest.raises(CredentialsRefused, match=one.words):
            stripe.connector.check_keys(stripe.facts, stripe.keys)

    def test_a_word_of_tomorrow_is_told_as_it_is(self) -> None:
        assert permissions.words("rak_moon_read") == "rak_moon_read"
        assert permissions.words("rak_invoice_write") == "Invoices: Write"

    def test_a_revoked_key(self, stripe: World) -> None:
        stripe.account.keys.clear()
        with pytest.raises(CredentialsRefused, match="rolled, revoked or deleted") as caught:
            stripe.connector.check_keys(stripe.facts, stripe.keys)
        assert KEY[:12] not in str(caught.value)


class TestTheEndpoint:
    def ensure(self, stripe: World, url: str = URL) -> dict[str, str]:
        told = stripe.connector.ensure(url, (), stripe.facts, stripe.keys, repair=False)
        return {one.topic: one.status for one in told}

    def endpoints(self, stripe: World) -> list[dict[str, Any]]:
        return stripe.account.look("webhook_endpoint")

    def test_made_with_exactly_our_events_at_our_version(self, stripe: World) -> None:
        assert self.ensure(stripe) == dict.fromkeys(events.EVENTS, ACTIVE)
        (one,) = self.endpoints(stripe)
        assert one["url"] == URL
        assert one["api_version"] == VERSION
        assert sorted(one["enabled_events"]) == sorted(events.EVENTS)
        assert "*" not in one["enabled_events"]
        assert "invoice.created" not in one["enabled_events"]
        secret = stripe.account.secrets[one["id"]]
        assert stripe.keys.current()[f"endpoint.{one['id']}"] == secret

    def test_again_changes_nothing(self, stripe: World) -> None:
        self.ensure(stripe)
        before = dict(stripe.keys.current()), [dict(one) for one in self.endpoints(stripe)]
        self.ensure(stripe)
        assert before == (stripe.keys.current(), self.endpoints(stripe))
        assert len(stripe.asked("webhook_endpoints", "POST")) == 1

    def test_more_for_sales_on_credit_and_old_charges(self, stripe: World) -> None:
        self.ensure(stripe)
        stripe.settings |= {"ppd": True, "legacy_charges": True}
        assert set(self.ensure(stripe)) == {*events.EVENTS, *events.ON_CREDIT, *events.LEGACY}
        (one,) = self.endpoints(stripe)
        assert set(events.ON_CREDIT) < set(one["enabled_events"])
        assert len(events.swept(stripe.settings)) <= 20

    @pytest.mark.parametrize(
        "change",
        [{"status": "disabled"}, {"enabled_events": ["invoice.paid"]},
         {"enabled_events": ["*"]}, {"url": "https://old.example/webhooks/stripe/connection-1"}],
    )  # fmt: skip
    def test_what_was_changed_is_mended_in_place(
        self, stripe: World, change: dict[str, Any]
    ) -> None:
        self.ensure(stripe)
        (one,) = self.endpoints(stripe)
        one |= change
        assert self.ensure(stripe) == dict.fromkeys(events.EVENTS, ACTIVE)
        (now,) = self.endpoints(stripe)
        assert (now["id"], now["status"], now["url"]) == (one["id"], "enabled", URL)
        assert sorted(now["enabled_events"]) == sorted(events.EVENTS)

    def test_a_deleted_one_is_made_anew(self, stripe: World) -> None:
        self.ensure(stripe)
        (one,) = self.endpoints(stripe)
        del stripe.account.objects[one["id"]]
        self.ensure(stripe)
        (now,) = self.endpoints(stripe)
        assert [name for name in stripe.keys.current() if name != "key"] == [
            f"endpoint.{now['id']}"
        ]

    def test_one_whose_secret_nobody_knows_is_replaced(self, stripe: World) -> None:
        """As after a crash between its making and its keeping."""
        self.ensure(stripe)
        stripe.keys.keys = {"key": KEY}
        (one,) = self.endpoints(stripe)
        self.ensure(stripe)
        (now,) = self.endpoints(stripe)
        assert now["id"] != one["id"]

    def test_an_older_version_goes_on_beside_its_successor_for_a_while(self, stripe: World) -> None:
        self.ensure(stripe)
        (old,) = self.endpoints(stripe)
        old["api_version"] = "2025-03-31.basil"
        self.ensure(stripe)
        self.ensure(stripe)
        assert len(self.endpoints(stripe)) == 2
        assert len(stripe.keys.current()) == 3
        stripe.account.now += webhooks.OVERLAP_SECONDS + 60
        self.ensure(stripe)
        (new,) = self.endpoints(stripe)
        assert new["api_version"] == VERSION
        assert set(stripe.keys.current()) == {"key", f"endpoint.{new['id']}"}

    def test_those_of_others_are_left_alone(self, stripe: World) -> None:
        others = [
            stripe.account.put({
                "id": f"we_{number}", "object": "webhook_endpoint", "url": url,
                "status": "enabled", "enabled_events": ["*"], "api_version": None,
            })
            for number, url in enumerate(
                ("https://x.example/", "https://hub.example/webhooks/stripe/connection-2",
                 "https://hub.example/webhooks/stripe/connection-1/more")
            )
        ]  # fmt: skip
        self.ensure(stripe)
        assert stripe.connector.retire(URL, stripe.facts, stripe.keys) == ""
        assert {one["id"] for one in self.endpoints(stripe)} == {one["id"] for one in others}

    def test_keys_changed_meanwhile_leave_no_orphan(self, stripe: World) -> None:
        class Changing(Held):
            def rotate(self, expected: Any, new: Any) -> bool:
                return False

        stripe.keys = Changing(stripe.keys.keys)
        with pytest.raises(PlatformUnreachable, match="changed meanwhile"):
            self.ensure(stripe)
        assert self.endpoints(stripe) == []

    def test_two_workers_make_one(self, stripe: World, monkeypatch: pytest.MonkeyPatch) -> None:
        class Busy(Held):
            tries = 0

            @contextmanager
            def alone(self, seconds: float) -> Iterator[bool]:
                self.tries += 1
                yield False

        busy = Busy(stripe.keys.keys)
        stripe.keys = busy
        monkeypatch.setattr(webhooks, "PATIENCE", 2)
        with pytest.raises(PlatformUnreachable, match="another worker"):
            self.ensure(stripe)
        assert (self.endpoints(stripe), busy.tries) == ([], 2)

    def test_the_one_who_comes_second_waits_a_moment(self, stripe: World) -> None:
        """What it is to bring may be newer than what the first one does."""

        class Leaving(Held):
            left = 3

            @contextmanager
            def alone(self, seconds: float) -> Iterator[bool]:
                self.left -= 1
                yield self.left == 0

        stripe.keys = Leaving(stripe.keys.keys)
        self.ensure(stripe)
        assert len(self.endpoints(stripe)) == 1

    def test_the_answer_is_lost_and_the_same_one_is_given_again(self, stripe: World) -> None:
        """The SDK repeats a request under its key; the secret comes with the second answer."""
        stripe.fails("drop_after", times=2, method="POST")
        self.ensure(stripe)
        assert len(stripe.asked("webhook_endpoints", "POST")) == 3
        (one,) = self.endpoints(stripe)
        assert f"endpoint.{one['id']}" in stripe.keys.current()

    def test_a_full_account_says_so(self, stripe: World) -> None:
        for number in range(16):
            stripe.account.put({
                "id": f"we_{number}", "object": "webhook_endpoint", "status": "enabled",
                "url": f"https://x.example/{number}", "enabled_events": ["*"],
                "api_version": None,
            })  # fmt: skip
        with pytest.raises(PlatformUnreachable, match="400"):
            self.ensure(stripe)

    def test_without_the_permission_it_says_what_to_do_by_hand(self, stripe: World) -> None:
        stripe.account.keys[KEY] -= {"webhook_write"}
        with pytest.raises(CredentialsRefused) as caught:
            self.ensure(stripe)
        told = str(caught.value)
        assert URL in told
        assert all(event in told for event in events.EVENTS)
        assert "--webhook-secret" in told
        assert VERSION in told

    def by_hand(self, stripe: World, *wanted: str) -> dict[str, Any]:
        stripe.keys.keys = {"key": KEY, "webhook_secret": "whsec_byhand"}
        return stripe.account.put({
            "id": "we_hand", "object": "webhook_endpoint", "url": URL, "status": "enabled",
            "enabled_events": list(wanted), "api_version": "2024-06-20",
        })  # fmt: skip

    def test_one_made_by_hand_is_looked_at_and_left(self, stripe: World) -> None:
        one = self.by_hand(stripe, "invoice.paid")
        told = self.ensure(stripe)
        assert told["invoice.paid"] == ACTIVE
        assert told["refund.created"] == webhooks.MISSING
        one["status"] = "disabled"
        assert self.ensure(stripe)["invoice.paid"] == "disabled"
        one |= {"status": "enabled", "enabled_events": ["*"]}
        assert set(self.ensure(stripe).values()) == {ACTIVE}
        assert not stripe.asked("webhook_endpoints", "POST")
        stripe.account.keys[KEY] -= {"webhook_write", "webhook_read"}
        assert self.ensure(stripe) == {}

    def test_retired(self, stripe: World) -> None:
        self.ensure(stripe)
        moved = "https://new.example/webhooks/stripe/connection-1"
        assert stripe.connector.retire(moved, stripe.facts, stripe.keys) == ""
        assert self.endpoints(stripe) == []
        assert stripe.connector.retire(URL, stripe.facts, stripe.keys) == ""

    def test_what_could_not_be_deleted_is_named(self, stripe: World) -> None:
        self.ensure(stripe)
        (one,) = self.endpoints(stripe)
        stripe.account.keys[KEY] -= {"webhook_write"}
        assert one["id"] in stripe.connector.retire(URL, stripe.facts, stripe.keys)
