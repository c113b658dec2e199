"""Apps, one address for all shops, and what a customer or a shop asks by law, to the last row."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.abilities import Subscription
from connectors.contract import (
    ConnectionFacts,
    ConnectorError,
    Credentials,
    CredentialsRefused,
    CustomerNotice,
    Delivery,
    DeliveryUnreadable,
    Hint,
    HubOutdated,
    KeysTooFew,
    Notice,
    PlatformUnreachable,
    PrivacyNotice,
    ShopNotice,
    SignatureInvalid,
)
from hub.domain.customers import Fiscal, Profile, Source
from hub.domain.sale import Buyer, Payment, Sale
from hub.domain.snapshot import from_json, to_json
from hub.steps import connect, deliver, hints, privacy, review
from hub.steps.belong import keep_whole
from hub.steps.doorway import Doorways
from hub.steps.follow import Found
from hub.steps.receive import Received, receive_for_account

ANA = Buyer(
    key="c-1",
    name="ANA CANARIO",
    email="ana.canario@example.com",
    phone="+52 55 1111 2222",
    country="MX",
    postal_code="36257",
    rfc="CACX7605101P8",
    fiscal_name="ANA CANARIO",
    regimen="612",
    uso="G03",
)
CANARIES = ("CANARIO", "ana.canario", "1111 2222", "CACX7605101P8")


class Office:
    """A platform that sends all shops to one address; its deliveries say what they are."""

    platform = "shop"
    credential_names: Mapping[str, bool] = {"secret": False}

    def __init__(self) -> None:
        self.orders: dict[str, bytes] = {}

    def configure(
        self, account: str, given: Mapping[str, str], *, allow_private: bool
    ) -> tuple[str, Mapping[str, str]]:
        return account, given

    def is_greeting(self, delivery: Delivery) -> bool:
        return delivery.body == b"hello"

    def locate(self, delivery: Delivery) -> str:
        if "shop" not in delivery.headers:
            raise DeliveryUnreadable("no shop")
        return delivery.headers["shop"]

    def authenticate(self, delivery: Delivery, credentials: Credentials) -> None:
        current = credentials.current()
        names = ("secret", "app.client_secret", "app.client_secret_before")
        if delivery.headers.get("secret") not in {current.get(name) for name in names} - {None}:
            raise SignatureInvalid("not signed")

    def read(self, delivery: Delivery) -> Hint | None:
        try:
            said = json.loads(delivery.body)
        except ValueError:
            raise DeliveryUnreadable("no JSON") from None
        kind, key = said["is"], said["key"]
        if kind == "order":
            return Notice("order", key, said["order"], snapshot=said["sale"].encode())
        if kind == "customer":
            return CustomerNotice("customer", key, said["customer"])
        if kind in {"left", "changed"}:
            at = datetime.fromisoformat(said["at"]) if "at" in said else None
            return ShopNotice("shop", key, kind, at)
        if kind in {"access", "erase_customer", "erase_shop"}:
            orders = tuple(said.get("orders", ()))
            return PrivacyNotice("privacy", key, kind, said.get("customer", ""), orders)
        return None

    def can_fetch(self, credentials: Credentials) -> bool:
        return "api" in credentials.current()

    def fetch(self, order_id: str, connection: ConnectionFacts, credentials: Credentials) -> bytes:
        return self.orders[order_id]

    def changed_since(self, instant: datetime, connection: Any, credentials: Any) -> Any:
        return iter(sorted(self.orders))

    def normalize(self, order: bytes, connection: ConnectionFacts) -> Sale:
        return from_json(order.decode())


class Keyed(Office):
    """An `Office` that is asked whether it takes our keys."""

    def __init__(self, answer: ConnectorError | None) -> None:
        super().__init__()
        self.answer = answer

    def settle(self, connection: ConnectionFacts) -> str:
        return connection.account

    def check_keys(self, connection: ConnectionFacts, credentials: Credentials) -> None:
        if self.answer is not None:
            raise self.answer

    def ensure(self, url: str, known: Any, connection: Any, credentials: Any, *,
               repair: bool) -> tuple[Subscription, ...]:  # fmt: skip
        return ()

    def retire(self, url: str, connection: Any, credentials: Any) -> str:
        return ""


@dataclass
class House:
    """A merchant whose shop came by an app, seen from the platform."""

    world: Any
    merchant: Any
    office: Office
    app_id: str
    account: str = "shop.example"

    @property
    def connection_id(self) -> str:
        return str(self.merchant.connection.id)

    def send(
        self, said: Mapping[str, Any] | bytes, secret: str = "s-1", **headers: str
    ) -> Received:
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        delivery = Delivery(
            {"shop": self.account, "secret": secret, **headers}, body, self.world.clock.now()
        )
        doorways = Doorways(self.world.ctx)
        return receive_for_account(self.world.ctx, doorways, self.office, self.office, delivery)

    def sell(self, sale: Sale, key: str = "") -> str:
        self.office.orders[sale.key] = to_json(sale).encode()
        said = {"is": "order", "key": key or f"o-{sale.key}", "order": sale.key,
                "sale": to_json(sale)}  # fmt: skip
        assert self.send(said) is Received.FILED
        self.world.drain("ingest")
        return str(self.merchant.sale_id(sale.key))

    def ask(self, kind: str, key: str, **more: Any) -> None:
        assert self.send({"is": kind, "key": key, **more}) is Received.FILED
        self.world.drain("ingest")

    def open_with(self, answer: ConnectorError | None) -> None:
        """From now on the shop can be asked, and answers so about our keys."""
        self.office = Keyed(answer)
        self.world.ctx = replace(self.world.ctx, connectors={"shop": self.office})

    def bond(self) -> Any:
        return self.merchant.of(lambda tenant: tenant.bonds.get(self.connection_id))

    def inbox(self) -> list[Any]:
        return list(self.merchant.of(lambda tenant: tenant.inbox.list()))

    def audits(self) -> list[Any]:
        return list(self.merchant.of(lambda tenant: tenant.erasures.list()))

    def current(self) -> dict[str, str]:
        credentials = self.merchant.of(lambda t: t.connections.credentials(self.connection_id))
        return dict(credentials.current())


@pytest.fixture
def house(world: Any) -> House:
    office = Office()
    world.ctx = replace(world.ctx, connectors={"shop": office})
    merchant = world.settle()
    with world.store.transaction() as tx:
        app = tx.apps.add("shop", {"client_id": "a-1", "client_secret": "s-1"})
        tenant = tx.tenant(merchant.id)
        tenant.connections.renew(merchant.connection.id, "shop.example", {"api": "yes"})
        tenant.connections.by_app(merchant.connection.id, app.id)
        tenant.bonds.pair(merchant.connection.id, "shop", "shop.example")
        tenant.bonds.found(merchant.connection.id, state="connected", keys="ok")
    world.clock.advance(1)
    return House(world, merchant, office, app.id)


@pytest.fixture
def other_app(house: House) -> str:
    with house.world.store.transaction() as tx:
        return str(tx.apps.add("shop", {"client_id": "a-2", "client_secret": "s-2"}).id)


@pytest.fixture
def bought(house: House, make_sale: Callable[..., Sale]) -> Callable[..., str]:
    def buy(key: str, buyer: Buyer = ANA, **more: Any) -> str:
        return house.sell(make_sale(key, buyer=buyer, **more))

    return buy


def everything(house: House) -> str:
    """All that the merchant's rows say, opened, but for invoices and documents."""
    with house.world.store.reading() as tx:
        tenant = tx.tenant(house.merchant.id)
        told = [repr(row) for row in (*tenant.inbox.list(), *tenant.asks.list(),
                                      *tenant.sales.list()[0], *tenant.customers.list(),
                                      *tenant.erasures.list())]  # fmt: skip
    return "\n".join([*told, json.dumps(house.current())])


def profile(at: datetime) -> Profile:
    return Profile(Fiscal(rfc=ANA.rfc, nombre=ANA.fiscal_name), Source.BUYER, at)


class TestOneAddress:
    def test_each_delivery_is_for_the_connection_whose_app_signed_it(
        self, house: House, make_sale: Any, other_app: str
    ) -> None:
        assert house.send(b"hello", "") is Received.GREETING
        house.sell(make_sale())
        said = {"is": "order", "key": "k", "order": "7002", "sale": to_json(make_sale("7002"))}
        for secret in ("s-2", "x", ""):
            with pytest.raises(SignatureInvalid):
                house.send(said, secret)
        assert len(house.inbox()) == 1
        assert house.send(said) is Received.FILED
        assert house.send(said) is Received.DUPLICATE
        assert house.send({"is": "useless", "key": "u"}) is Received.IGNORED

    def test_a_secret_that_is_being_replaced_is_taken_too(self, house: House) -> None:
        with house.world.store.transaction() as tx:
            tx.apps.rotate_secret(house.app_id, "s-new")
        for number, secret in enumerate(("s-1", "s-new")):
            said = {"is": "changed", "key": str(number)}
            assert house.send(said, secret) is Received.FILED
        with house.world.store.transaction() as tx:
            tx.apps.forget_old_secret(house.app_id)
        with pytest.raises(SignatureInvalid):
            house.send({"is": "changed", "key": "9"})

    @pytest.mark.parametrize("headers", [{"shop": "unknown.example"}, {"shop": ""}])
    def test_a_shop_that_nobody_has_is_ignored_if_an_app_signed(
        self, house: House, other_app: str, headers: dict[str, str]
    ) -> None:
        for secret in ("s-1", "s-2"):
            assert house.send({"is": "order"}, secret, **headers) is Received.IGNORED
        with pytest.raises(SignatureInvalid):
            house.send({"is": "order"}, "x", **headers)
        assert house.inbox() == []

    def test_a_delivery_that_names_no_shop(self, house: House) -> None:
        ctx, office = house.world.ctx, house.office
        for secret, fails in (("s-1", False), ("x", True)):
            delivery = Delivery({"secret": secret}, b"{}", house.world.clock.now())
            if fails:
                with pytest.raises(SignatureInvalid):
                    receive_for_account(ctx, Doorways(ctx), office, office, delivery)
            else:
                got = receive_for_account(ctx, Doorways(ctx), office, office, delivery)
                assert got is Received.IGNORED

    def test_signed_rubbish_waits_for_a_person(self, house: House) -> None:
        assert house.send(b"garbled") is Received.FILED
        assert [row.state for row in house.inbox()] == ["dead"]

    def test_of_a_shop_that_left_only_requests_for_privacy_are_taken(
        self, house: House, make_sale: Any, bought: Any
    ) -> None:
        bought("7001")
        house.ask("left", "l-1")
        assert house.bond().state == "closed"
        said = {"is": "order", "key": "late", "order": "7009", "sale": to_json(make_sale("7009"))}
        assert house.send(said) is Received.IGNORED
        assert house.send(b"garbled") is Received.IGNORED
        house.world.clock.advance(48 * 3600)
        house.ask("erase_shop", "p-1")
        assert [row.action for row in house.audits()] == ["erase_shop"]
        assert not [canary for canary in CANARIES if canary in everything(house)]

    def test_a_shop_that_moved_to_another_merchant(
        self, house: House, other_app: str, bought: Any
    ) -> None:
        """Its requests for privacy are carried out where it was, its orders go where it is."""
        bought("7001")
        house.ask("left", "l-1")
        newer = house.world.settle(1)
        with house.world.store.transaction() as tx:
            tenant = tx.tenant(newer.id)
            tenant.connections.renew(newer.connection.id, "shop.example", {"api": "yes"})
            tenant.connections.by_app(newer.connection.id, other_app)
        assert house.send({"is": "erase_customer", "key": "p", "customer": "c-1"}) is Received.FILED
        said = {"is": "changed", "key": "n"}
        assert house.send(said, "s-2") is Received.FILED
        house.world.drain("ingest")
        assert [row.action for row in house.audits()] == ["erase_customer"]
        assert [row.kind for row in newer.of(lambda tenant: tenant.inbox.list())] == ["shop"]


class TestShops:
    def test_one_that_left_has_no_keys_and_keeps_its_sales(self, house: House, bought: Any) -> None:
        sale_id = bought("7001")
        house.ask("left", "l-1", at=house.world.clock.now().isoformat())
        bond = house.bond()
        assert (bond.state, bond.problem_code) == ("closed", "app_removed")
        assert house.current() == {"app.client_id": "a-1", "app.client_secret": "s-1"}
        assert house.merchant.of(lambda t: t.links.current(sale_id)) is not None
        assert {row.state for row in house.inbox()} == {"done"}

    @pytest.mark.parametrize("how", ["paired", "renewed", "at is in the future"])
    def test_one_that_came_back_since_stays(self, house: House, how: str) -> None:
        at = house.world.clock.now()
        house.send({"is": "left", "key": "l-1", "at": at.isoformat() if "at" not in how
                    else (at + timedelta(days=1)).isoformat()})  # fmt: skip
        house.world.clock.advance(5)
        house.merchant.change(
            lambda t: (
                t.bonds.renewed(house.connection_id)
                if how == "renewed"
                else t.bonds.pair(house.connection_id, "shop", "shop.example")
            )
        )
        house.world.drain("ingest")
        assert house.bond().state != "closed"
        assert house.current()["api"] == "yes"

    def test_an_old_message_replayed_ends_nothing(self, house: House) -> None:
        house.ask("left", "l-1")
        (row,) = house.inbox()
        house.world.clock.advance(60)
        house.merchant.change(lambda t: t.bonds.pair(house.connection_id, "shop", "shop.example"))
        house.merchant.change(lambda t: (t.inbox.reopen(row.id),
                                         t.promise("ingest", row.id, queue="ingest")))  # fmt: skip
        house.world.drain("ingest")
        assert house.bond().state == "checking"

    def test_one_that_changed_is_looked_at(self, house: House) -> None:
        house.send({"is": "changed", "key": "k"})
        (row,) = house.inbox()
        hints.look_into(house.world.ctx, house.merchant.id, row.id)
        with house.world.store.reading() as tx:
            waiting = {(one.job, one.subject) for one in tx.outbox.waiting(10)}
        assert ("connect", house.connection_id) in waiting

    def test_a_customer_that_changed_is_handed_on(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        told: list[tuple[str, ...]] = []
        monkeypatch.setattr(
            "hub.steps.customers.customer_changed", lambda _ctx, *about: told.append(about)
        )
        house.ask("customer", "k", customer="c-1")
        assert told == [(house.merchant.id, house.connection_id, "c-1")]
        (row,) = house.inbox()
        assert (row.kind, row.customer_id, row.state) == ("customer", "c-1", "done")

    def test_what_is_understood_after_an_update_goes_its_way(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Filed as rubbish, then replayed by a connector that knows such a delivery."""
        house.send(b"garbled")
        (row,) = house.inbox()
        notice = ShopNotice("shop", "k", "left")
        monkeypatch.setattr(house.office, "read", lambda _delivery: notice)
        house.world.clock.advance(10)
        house.merchant.change(lambda t: (t.inbox.reopen(row.id),
                                         t.promise("ingest", row.id, queue="ingest")))  # fmt: skip
        house.world.drain("ingest")
        assert house.bond().state == "closed"


class TestAccess:
    def test_the_merchant_reads_which_sales(self, house: House, bought: Any) -> None:
        bought("7001")
        bought("7002")
        bought("7003", Buyer(key="c-2", name="OTRA"))
        house.ask("access", "p-1", customer="c-1", orders=["7001", "9999"])
        (waiting,) = review.waiting(house.world.ctx, house.merchant.id)
        assert waiting.kind == "change"
        assert "7001, 7002" in waiting.note
        assert "7003" not in waiting.note
        assert "review resolve" in waiting.note
        (audit,) = house.audits()
        assert (audit.action, audit.sales) == ("access", 2)
        asked = next(row for row in house.inbox() if row.kind == "privacy")
        assert asked.erased

    def test_of_nobody_known_nothing_is_queued(self, house: House) -> None:
        house.ask("access", "p-1", customer="c-9", orders=["9999"])
        assert review.waiting(house.world.ctx, house.merchant.id) == []
        assert [row.sales for row in house.audits()] == [0]


class TestErasure:
    def test_nothing_personal_stays_and_no_cent_goes(
        self, house: House, bought: Any, form: Any
    ) -> None:
        issued, waits = bought("7001"), bought("7002")
        other = bought("7003", Buyer(key="c-2", name="OTRA PERSONA", email="otra@example.com"))
        before = house.merchant.of(lambda t: t.sales.get(waits))
        house.merchant.request(issued, form)
        house.world.drain("stamp")
        uuid = house.merchant.invoice(issued).uuid
        token = house.merchant.token(issued)
        assert deliver.send_again(house.world.ctx, token, "ana.canario@example.com", "es") is None
        house.merchant.change(lambda t: t.asks.create(waits, "late", {"rfc": "CACX7605101P8"}))
        house.send(b'garbled "c-1" of ANA CANARIO')
        house.send(b'garbled "c-11" of OTRA')
        house.ask("customer", "k", customer="c-1", name="ANA CANARIO")
        house.ask("access", "p-1", customer="c-1")
        house.ask("erase_customer", "p-2", customer="c-1", orders=["7001"], email="ana.canario@x")
        kept = everything(house)
        assert not [canary for canary in CANARIES if canary in kept]
        assert "OTRA PERSONA" in kept
        assert "c-11" in kept
        after = house.merchant.of(lambda t: t.sales.get(waits))
        assert after.sale == replace(before.sale, buyer=Buyer())
        assert house.merchant.invoice(issued).uuid == uuid
        assert house.merchant.invoice(issued).receptor.rfc == form.rfc
        assert house.merchant.token(issued) == token
        assert house.merchant.of(lambda t: t.sales.get(other)).sale.buyer.name == "OTRA PERSONA"
        audit = house.audits()[0]
        assert (audit.action, audit.sales, audit.deliveries, audit.addresses) == (
            "erase_customer", 2, 2, 1)  # fmt: skip
        house.world.post.letters.clear()
        house.world.drain("mail")
        assert not [one for one in house.world.post.letters if "ana.canario" in one.to]

    def test_it_does_not_come_back(self, house: House, bought: Any, make_sale: Any) -> None:
        sale_id = bought("7001")
        house.ask("erase_customer", "p-1", customer="c-1", orders=["7001", "7777"])
        cash = Payment("cash", Decimal("116.00"), forma_pago="01")
        newer = make_sale("7001", revision=9, buyer=ANA, payments=(cash,))
        house.sell(newer, "again")
        house.office.orders["7777"] = to_json(make_sale("7777", buyer=ANA)).encode()
        house.merchant.promise("sweep", house.connection_id, queue="ingest")
        for _ in range(3):
            house.world.drain("ingest")
        assert house.merchant.of(lambda t: t.sales.get(sale_id)).sale == replace(
            newer, buyer=Buyer()
        )
        assert house.merchant.sale_id("7777")
        assert not [canary for canary in CANARIES if canary in everything(house)]
        assert house.merchant.of(lambda t: t.customers.sales(house.connection_id, "c-1")) == []

    def test_replaying_what_was_erased_changes_nothing(self, house: House, bought: Any) -> None:
        sale_id = bought("7001")
        house.ask("erase_customer", "p-1", customer="c-1")
        before = house.merchant.of(lambda t: t.sales.get(sale_id)).sale
        for row in house.inbox():
            assert (row.erased, row.body, row.headers, row.snapshot) == (True, b"", {}, None)
            house.merchant.change(lambda t, row=row: (
                t.inbox.reopen(row.id), t.promise("ingest", row.id, queue="ingest")))  # fmt: skip
        house.world.drain("ingest")
        house.merchant.change(lambda t: t.connections.forget(house.connection_id))
        row = next(row for row in house.inbox() if row.order_id)
        house.merchant.change(lambda t: (
            t.inbox.reopen(row.id), t.promise("ingest", row.id, queue="ingest")))  # fmt: skip
        house.world.drain("ingest")
        assert house.merchant.of(lambda t: t.sales.get(sale_id)).sale == before
        assert len(house.audits()) == 1

    def test_it_ends_what_began_whenever_it_dies(
        self, house: House, bought: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """At each commit of the job; the count at the end is that of the whole."""
        monkeypatch.setattr(privacy, "AT_ONCE", 1)
        for number in range(3):
            bought(f"80{number}")
        assert house.send({"is": "erase_customer", "key": "p", "customer": "c-1"}) is Received.FILED
        row = house.inbox()[0]
        for at in range(1, 20):
            house.world.kill.arm(at, "commit")
            died = house.world.die(
                lambda: privacy.privacy(house.world.ctx, house.merchant.id, row.id)
            )
            if not died:
                break
        else:
            pytest.fail("it never ends")
        house.world.kill.arm(0, "")
        assert at > 4
        assert [(one.sales, one.deliveries) for one in house.audits()] == [(3, 3)]
        assert not [canary for canary in CANARIES if canary in everything(house)]

    def test_a_whole_shop(self, house: House, bought: Any, make_sale: Any) -> None:
        bought("7001")
        bought("7002", Buyer(key="c-2", name="OTRA CANARIO"))
        house.send({"is": "order", "key": "n", "order": "7003",
                    "sale": to_json(make_sale("7003", buyer=ANA))})  # fmt: skip
        unread = house.inbox()[0].id
        house.merchant.change(lambda t: t.inbox.dead(unread, "no"))
        house.ask("left", "l")
        house.ask("erase_shop", "p")
        assert not [canary for canary in CANARIES if canary in everything(house)]
        assert house.current() == {"app.client_id": "a-1", "app.client_secret": "s-1"}
        (audit,) = house.audits()
        assert (audit.action, audit.sales, audit.deliveries) == ("erase_shop", 2, 3)

    def test_a_shop_that_came_back_keeps_its_keys(self, house: House, bought: Any) -> None:
        bought("7001")
        house.ask("erase_shop", "p")
        assert house.current()["api"] == "yes"
        assert not [canary for canary in CANARIES if canary in everything(house)]

    @pytest.mark.parametrize(
        "answer", [None, KeysTooFew("a scope"), HubOutdated("a version")], ids=repr
    )
    def test_an_old_request_again_takes_nothing_of_a_shop_that_takes_our_keys(
        self, house: House, bought: Any, answer: ConnectorError | None
    ) -> None:
        """No header is signed: whoever saw one such request can send it again as another."""
        house.open_with(answer)
        old = bought("7001", Buyer(key="c-2", name="ANTES CANARIO"))
        house.world.clock.advance(60)
        house.merchant.change(lambda t: t.bonds.pair(house.connection_id, "shop", "shop.example"))
        house.world.clock.advance(60)
        new = bought("7002")
        house.merchant.change(
            lambda t: t.customers.keep(house.connection_id, "c-1", profile(house.world.clock.now()))
        )
        house.send(b"garbled of ANA CANARIO")
        house.ask("erase_shop", "p")
        assert house.merchant.of(lambda t: t.sales.get(old)).sale.buyer == Buyer()
        assert house.merchant.of(lambda t: t.sales.get(new)).sale.buyer == ANA
        assert "ANTES" not in everything(house)
        assert {row.order_id: row.erased for row in house.inbox() if row.order_id} == {
            "7001": True, "7002": False}  # fmt: skip
        assert [row.erased for row in house.inbox() if row.state == "dead"] == [False]
        assert house.merchant.of(lambda t: t.customers.sales(house.connection_id, "c-1")) == [new]
        assert house.merchant.of(lambda t: t.customers.sales(house.connection_id, "c-2")) == []
        assert house.merchant.of(lambda t: t.customers.get(house.connection_id, "c-1")) is not None
        assert [(one.action, one.sales) for one in house.audits()] == [("erase_shop", 1)]

    @pytest.mark.parametrize("how", ["refused", "left"])
    def test_a_shop_that_takes_no_keys_is_erased_whole(
        self, house: House, bought: Any, how: str
    ) -> None:
        house.open_with(CredentialsRefused("no") if how == "refused" else None)
        house.world.clock.advance(60)
        bought("7001")
        if how == "left":
            house.merchant.change(lambda t: t.bonds.close(house.connection_id))
        house.ask("erase_shop", "p")
        assert not [canary for canary in CANARIES if canary in everything(house)]

    def test_a_shop_that_does_not_say_is_asked_again(self, house: House, bought: Any) -> None:
        house.open_with(PlatformUnreachable("away"))
        bought("7001")
        house.ask("erase_shop", "p")
        assert house.audits() == []
        assert "ANA CANARIO" in everything(house)
        house.world.clock.advance(3700)
        house.world.drain("ingest")
        assert [one.action for one in house.audits()] == ["erase_shop"]
        assert not [canary for canary in CANARIES if canary in everything(house)]

    @pytest.mark.parametrize("kind", ["erase_customer", "erase_shop"])
    def test_an_order_that_is_being_kept_meanwhile_is_erased_too(
        self, house: House, make_sale: Any, kind: str
    ) -> None:
        said = {"is": "order", "key": "n", "order": "7001", "sale": "garbled"}
        assert house.send(said) is Received.FILED
        house.send({"is": kind, "key": "p", "customer": "c-1", "orders": ["7001"]})
        request = next(row for row in house.inbox() if row.kind == "privacy")
        found = Found("7001", make_sale("7001", buyer=ANA), None, (), asked=True)
        with ThreadPoolExecutor(1) as pool:
            with house.world.store.transaction() as tx:
                tenant = tx.tenant(house.merchant.id)
                connection = house.merchant.connection
                assert keep_whole(tenant, connection, found, reasons=(), verified_at=None)
                ctx, merchant_id = house.world.ctx, house.merchant.id
                done = pool.submit(privacy.privacy, ctx, merchant_id, request.id)
                with pytest.raises(TimeoutError):
                    done.result(timeout=1)
            done.result(timeout=600)
        kept = house.merchant.of(lambda t: t.sales.by_key(connection.id, "7001"))
        assert kept.sale.buyer == Buyer()
        assert [one.sales for one in house.audits()] == [1]

    def test_another_connection_of_the_same_orders_keeps_its_own(
        self, house: House, bought: Any, make_sale: Any
    ) -> None:
        bought("7001")
        other = house.world.settle(1)
        other.change(lambda t: t.connections.move(other.connection.id, "other.example"))
        with house.world.store.transaction() as tx:
            theirs = tx.tenant(other.id).sales.keep(
                connection_id=other.connection.id, platform="shop",
                sale=make_sale("7001", buyer=ANA), reasons=(), verified_at=None,
            )  # fmt: skip
        house.ask("erase_customer", "p", customer="c-1", orders=["7001"])
        assert other.of(lambda t: t.sales.get(theirs.id)).sale.buyer == ANA
        assert other.of(lambda t: t.erasures.list()) == []

    def test_what_cannot_be_read_waits_for_a_person(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        house.send({"is": "erase_customer", "key": "p", "customer": "c-1"})
        (row,) = house.inbox()

        def fail(_delivery: Delivery) -> Hint:
            raise DeliveryUnreadable("garbled")

        monkeypatch.setattr(house.office, "read", fail)
        house.world.drain("ingest")
        privacy.privacy(house.world.ctx, house.merchant.id, row.id)
        assert [one.state for one in house.inbox()] == ["dead"]
        assert house.audits() == []


def test_the_keys_of_the_app_are_never_written_to_the_connection(house: House) -> None:
    credentials = house.merchant.of(lambda t: t.connections.credentials(house.connection_id))
    current = dict(credentials.current())
    assert current["app.client_secret"] == "s-1"
    assert credentials.rotate(current, {**current, "api": "newer", "app.client_secret": "evil"})
    with house.world.store.transaction() as tx:
        tx.apps.rotate_secret(house.app_id, "s-2")
    assert house.current() == {"api": "newer", "app.client_id": "a-1", "app.client_secret": "s-2",
                               "app.client_secret_before": "s-1"}  # fmt: skip
    # What the app's secret is by now does not keep a renewal from being the first one.
    assert credentials.rotate({**current, "api": "newer"}, {"api": "newest"})
    assert not credentials.rotate(current, {"api": "lost"})
    assert house.current()["api"] == "newest"


def test_left_of_no_connection(house: House) -> None:
    assert not connect.left(house.world.ctx, house.merchant.id, "0" * 32, house.world.clock.now())
