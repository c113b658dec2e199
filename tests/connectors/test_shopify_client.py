"""Asking Shopify over a socket: what it answers, and everything that goes wrong."""

from __future__ import annotations

import json
import logging
import threading
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors import net
from connectors.contract import (
    ConnectionFacts,
    CredentialsRefused,
    KeysTooFew,
    OrderNotFound,
    OutOfSight,
    PlatformUnreachable,
    Unfinished,
)
from connectors.held import Held
from connectors.shopify import client, fetching
from connectors.shopify.connector import Shopify
from connectors.shopify.documents import text_of
from connectors.shopify.grant import SCOPES
from connectors.shopify.packaging import APP
from hub.domain.sale import PaymentState
from tests.fakes.shopify.admin import FakeShop
from tests.fakes.shopify.orders import Item, amount_of, instant, text, touched
from tests.fakes.shopify.server import FakeShopify, Trouble, running

SHOP = "tienda.myshopify.com"
FACTS = ConnectionFacts("c-1", SHOP, {"allow_private": True})
CUP = Item("Taza", Decimal("116.00"))


@pytest.fixture
def shopify(clock: Any) -> Iterator[FakeShopify]:
    with running(FakeShopify(now=clock.now)) as told:
        yield told


@pytest.fixture
def keys(shopify: FakeShopify) -> Held:
    return Held(shopify.connected())


@pytest.fixture
def connector(clock: Any) -> Shopify:
    return Shopify(clock)


@pytest.fixture
def shop(shopify: FakeShopify) -> FakeShop:
    return shopify.shop(SHOP)


def fetched(connector: Shopify, order: Any, keys: Held) -> Any:
    return json.loads(connector.fetch(order["legacyResourceId"], FACTS, keys))


def test_an_order_is_fetched_whole(connector: Shopify, shopify: FakeShopify, keys: Held) -> None:
    order = shopify.sell(SHOP, [CUP], shipping=Decimal("58.00"), tip=Decimal("20.00"))
    told = fetched(connector, order, keys)
    assert (told["shape"], told["api_version"]) == ("graphql", "2026-10")
    assert told["shop"]["myshopifyDomain"] == SHOP
    assert told["shop"]["businessEntities"]
    sale = connector.normalize(json.dumps(told).encode(), FACTS)
    assert (sale.payment_state, sale.total, sale.doubts) == (PaymentState.PAID, Decimal(174), ())
    assert [(one.kind, one.amount) for one in sale.excluded] == [("tip", Decimal(20))]


def test_every_page_of_everything_is_there(
    connector: Shopify, shopify: FakeShopify, keys: Held
) -> None:
    order = shopify.sell(SHOP, [Item(f"Taza {n}", Decimal("11.60"), 2) for n in range(130)])
    for _ in range(3):
        lines = {one["id"]: 1 for one in order["lineItems"] if one["currentQuantity"] == 2}
        shopify.refund(SHOP, order, lines=dict(list(lines.items())[:40]))
    big = {one["id"]: 1 for one in order["lineItems"]}
    shopify.refund(SHOP, order, lines=big)
    told = fetched(connector, order, keys)["order"]
    assert [one["id"] for one in told["lineItems"]["nodes"]] == [
        one["id"] for one in order["lineItems"]
    ]
    assert [len(one["refundLineItems"]["nodes"]) for one in told["refunds"]] == [40, 40, 40, 130]
    agreements = told["agreements"]["nodes"]
    assert [len(one["sales"]["nodes"]) for one in agreements] == [130, 40, 40, 40, 130]
    sales = {sale["id"] for one in agreements for sale in one["sales"]["nodes"]}
    assert len(sales) == 380


def test_numbers_come_exactly(connector: Shopify, shopify: FakeShopify, keys: Held) -> None:
    order = shopify.sell(SHOP, [Item("Taza", Decimal("107.99"), 3, rate=Decimal("0.08"))])
    told = fetched(connector, order, keys)["order"]["lineItems"]["nodes"][0]
    assert told["taxLines"][0]["rate"] == "0.08"
    assert told["quantity"] == 3
    assert told["originalUnitPriceSet"]["shopMoney"]["amount"] == "107.99"


def test_no_question_costs_more_than_shopify_allows(
    connector: Shopify, shopify: FakeShopify, keys: Held, shop: FakeShop, clock: Any
) -> None:
    order = shopify.sell(SHOP, [CUP])
    shopify.refund(SHOP, order, amount=Decimal(1))
    fetched(connector, order, keys)
    list(connector.changed_since(clock.now(), FACTS, keys))
    list(connector.entries(clock.now(), clock.now(), FACTS, keys))
    assert set(shop.costs) >= {"Order", "OrderLines", "OrderAgreements", "Refund", "Shop"}
    assert max(shop.costs.values()) <= 1000


def test_a_question_that_costs_too_much_is_halved(
    connector: Shopify, shopify: FakeShopify, keys: Held, shop: FakeShop
) -> None:
    order = shopify.sell(SHOP, [Item(f"Taza {n}", Decimal("11.60")) for n in range(60)])
    shop.max_cost = 400
    told = fetched(connector, order, keys)
    assert len(told["order"]["lineItems"]["nodes"]) == 60
    shop.max_cost = 5
    with pytest.raises(PlatformUnreachable, match="update the hub"):
        fetched(connector, order, keys)


def test_halving_leaves_single_digits_alone() -> None:
    assert "first: 12, after" in text_of("order_lines", 1)
    assert "first: 1)" in text_of("order_first", 3) or "first: 1," in text_of("order_first", 3)
    assert "agreements(first: 1," in text_of("order_agreements", 3)


def test_more_refunds_than_are_told_at_once_are_refused(
    connector: Shopify, shopify: FakeShopify, keys: Held
) -> None:
    order = shopify.sell(SHOP, [Item("Taza", Decimal("2000.00"))])
    for _ in range(100):
        shopify.refund(SHOP, order, amount=Decimal(1))
    with pytest.raises(PlatformUnreachable, match="more refunds"):
        fetched(connector, order, keys)


def test_an_order_that_changes_between_its_pages_is_read_again(
    connector: Shopify, shopify: FakeShopify, keys: Held, shop: FakeShop, clock: Any
) -> None:
    order = shopify.sell(SHOP, [Item(f"Taza {n}", Decimal("11.60")) for n in range(30)])

    def change(operation: str) -> None:
        if operation == "OrderLines" and not order["refunds"]:
            shopify.refund(SHOP, order, lines={order["lineItems"][0]["id"]: 1})

    shop.before_answer = change
    told = fetched(connector, order, keys)["order"]
    assert len(told["refunds"]) == 1
    assert shop.asked.count("Order") == 2

    shop.before_answer = lambda operation: (
        touched(order, clock.now()) if operation == "OrderLines" else None
    )
    with pytest.raises(PlatformUnreachable, match="faster"):
        fetched(connector, order, keys)


@pytest.mark.parametrize("order_id", ["0", "9" * 20, "1", "../1", "1 or 1", "", "é", "9" * 21])
def test_no_such_order(connector: Shopify, shopify: FakeShopify, keys: Held, order_id: str) -> None:
    shopify.app.scopes = (*SCOPES, "read_all_orders")
    shopify.sell(SHOP, [CUP])
    with pytest.raises(OrderNotFound):
        connector.fetch(order_id, FACTS, keys)


def test_an_order_older_than_may_be_seen_was_not_deleted(
    connector: Shopify, shopify: FakeShopify, keys: Held, clock: Any
) -> None:
    old = shopify.sell(SHOP, [CUP])
    clock.advance(timedelta(days=61).total_seconds())
    keys.keys = shopify.connected()
    with pytest.raises(OutOfSight, match="60 days"):
        connector.fetch(old["legacyResourceId"], FACTS, keys)  # not one order can be seen
    new, gone = shopify.sell(SHOP, [CUP]), shopify.sell(SHOP, [CUP])
    shopify.delete(SHOP, gone)
    with pytest.raises(OutOfSight, match="60 days"):
        connector.fetch(old["legacyResourceId"], FACTS, keys)
    with pytest.raises(OrderNotFound):
        connector.fetch(gone["legacyResourceId"], FACTS, keys)
    assert fetched(connector, new, keys)
    shopify.app.scopes = (*SCOPES, "read_all_orders")
    assert fetched(connector, old, keys)


def test_what_the_app_may_not_know_of_the_buyer_is_not_needed(
    connector: Shopify, shopify: FakeShopify, keys: Held, shop: FakeShop
) -> None:
    order = shopify.sell(SHOP, [CUP])
    shop.hidden = frozenset({"customer", "email", "phone", "billingAddress", "businessEntities"})
    told = fetched(connector, order, keys)
    assert told["order"]["customer"] is None
    sale = connector.normalize(json.dumps(told).encode(), FACTS)
    assert (sale.total, sale.buyer.email, sale.doubts) == (Decimal(116), "", ())


def test_an_order_is_whole_with_what_the_app_asks_for_and_nothing_more(
    connector: Shopify, shopify: FakeShopify, keys: Held
) -> None:
    """Shopify answers a field of another kind of thing only with the scope of that kind."""
    declared = tomllib.loads((APP / "shopify.app.toml").read_text("utf-8"))["access_scopes"]
    shopify.app.scopes = tuple(declared["scopes"].split(","))
    assert shopify.app.scopes == SCOPES
    order = shopify.sell(SHOP, [CUP])
    told = fetched(connector, order, keys)
    sale = connector.normalize(json.dumps(told).encode(), FACTS)
    assert sale.lines[0].product == order["lineItems"][0]["product"]["id"].rsplit("/", 1)[-1]
    assert told["order"]["customer"] is None, "nobody asked for read_customers"


def test_terms_that_may_not_be_seen_are_none_and_products_are_needed(
    connector: Shopify, shopify: FakeShopify, keys: Held
) -> None:
    """Without its product a line would fall under another rule of the merchant's."""
    order = shopify.sell(SHOP, [CUP])
    shopify.app.scopes = ("read_orders", "read_products")
    assert fetched(connector, order, keys)["order"]["paymentTerms"] is None
    shopify.app.scopes = ("read_orders", "read_payment_terms")
    with pytest.raises(KeysTooFew, match=r"lineItems\.nodes\.product"):
        fetched(connector, order, keys)


def test_a_hidden_amount_is_no_amount(
    connector: Shopify, shopify: FakeShopify, keys: Held, shop: FakeShop
) -> None:
    order = shopify.sell(SHOP, [CUP])
    for name in ("totalPriceSet", "transactions", "displayFinancialStatus"):
        shop.hidden = frozenset({name})
        with pytest.raises(CredentialsRefused):
            fetched(connector, order, keys)


def test_a_hidden_field_that_takes_the_order_with_it_deletes_nothing(
    connector: Shopify, shopify: FakeShopify, keys: Held, shop: FakeShop
) -> None:
    """`localizedFields` may not be null: where it is denied the whole order becomes null."""
    order = shopify.sell(SHOP, [CUP])
    shop.hidden = frozenset({"localizedFields"})
    with pytest.raises((CredentialsRefused, PlatformUnreachable)):
        fetched(connector, order, keys)


PASSING = [
    Trouble("status", 500),
    Trouble("status", 503),
    Trouble("status", 429, headers={"retry-after": "2.0"}),
    Trouble("status", 429, headers={"retry-after": "soon"}),
    Trouble("drop"),
    Trouble("truncated"),
    Trouble("cut"),
    Trouble("throttled"),
    Trouble("page", 502),
]


@pytest.mark.parametrize("trouble", PASSING, ids=lambda one: f"{one.kind}-{one.status}")
def test_what_passes_is_tried_again(
    connector: Shopify, shopify: FakeShopify, keys: Held, trouble: Trouble
) -> None:
    order = shopify.sell(SHOP, [CUP])
    shopify.troubles = [trouble, trouble]
    assert fetched(connector, order, keys)


LASTING = [
    (Trouble("status", 500), PlatformUnreachable, "500"),
    (Trouble("status", 429), PlatformUnreachable, "too long"),
    (Trouble("throttled"), PlatformUnreachable, "too long"),
    (Trouble("drop"), PlatformUnreachable, "does not answer"),
    (Trouble("truncated"), PlatformUnreachable, "not usable"),
    (Trouble("huge"), PlatformUnreachable, "larger"),
    (Trouble("page", 200), PlatformUnreachable, "200"),
    (Trouble("page", 403), PlatformUnreachable, "403"),
    (Trouble("status", 402), PlatformUnreachable, "frozen"),
    (Trouble("status", 404), PlatformUnreachable, "no such shop"),
    (Trouble("status", 423), PlatformUnreachable, "locked"),
    (Trouble("status", 403), CredentialsRefused, "scopes"),
    (Trouble("status", 401), CredentialsRefused, "open the app"),
]


@pytest.mark.parametrize(
    ("trouble", "error", "words"), LASTING, ids=lambda one: f"{getattr(one, 'kind', '')}"
)
def test_what_lasts_is_said_and_ends(
    connector: Shopify,
    shopify: FakeShopify,
    keys: Held,
    clock: Any,
    trouble: Trouble,
    error: type[Exception],
    words: str,
) -> None:
    order = shopify.sell(SHOP, [CUP])
    shopify.always = trouble
    began = clock.monotonic()
    with pytest.raises(error, match=words) as caught:
        fetched(connector, order, keys)
    assert clock.monotonic() - began <= client.ORDER_SECONDS
    secret = shopify.app.client_secret
    assert secret not in repr(caught.value)
    assert keys.current()["access_token"] not in repr(caught.value)


def test_nobody_is_followed_to_another_host(
    connector: Shopify, shopify: FakeShopify, keys: Held
) -> None:
    order = shopify.sell(SHOP, [CUP])
    with running(FakeShopify()) as thief:
        shopify.always = Trouble(
            "redirect", to=f"{thief.url}/{SHOP}/admin/api/2026-10/graphql.json"
        )
        with pytest.raises(PlatformUnreachable, match="redirects"):
            fetched(connector, order, keys)
        assert thief.requests == []


def test_a_slow_answer_holds_nobody_beyond_its_time(
    shopify: FakeShopify, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys, connector = Held(shopify.connected()), Shopify()
    keys.keys = {**keys.keys, "expires_at": "2099-01-01T00:00:00+00:00"}
    monkeypatch.setattr(client, "CHECK_SECONDS", 0.4)
    given: list[tuple[float, float]] = []
    send = net.send

    def noted(*asked: Any, **more: Any) -> Any:
        given.append((more["seconds"], more["total"]))
        return send(*asked, **more)

    monkeypatch.setattr(net, "send", noted)
    shopify.always = Trouble("slow", seconds=60.0)
    with pytest.raises(PlatformUnreachable):
        connector.check_keys(FACTS, keys)
    assert given
    assert all(0 < seconds <= 0.4 and 0 < total <= 0.4 for seconds, total in given)


def test_waiting_for_points_is_as_long_as_shopify_says(
    connector: Shopify, shopify: FakeShopify, keys: Held, shop: FakeShop, clock: Any
) -> None:
    order = shopify.sell(SHOP, [CUP])
    shop.bucket.left, shop.bucket.at = 0.0, clock.now()
    fetched(connector, order, keys)
    cost = shop.costs["Order"]
    assert clock.slept[0] == pytest.approx(cost / 100, abs=0.1)
    assert len([one for one in clock.slept if one > 1]) < 6


def test_another_version_is_an_alarm(
    connector: Shopify,
    shopify: FakeShopify,
    keys: Held,
    caplog: pytest.LogCaptureFixture,
) -> None:
    order = shopify.sell(SHOP, [CUP])
    connector.ensure("", (), FACTS, keys, repair=True)
    shopify.version = "2027-10"
    with caplog.at_level(logging.ERROR):
        assert fetched(connector, order, keys)["api_version"] == "2027-10"
    assert "2027-10" in caplog.text
    with pytest.raises(PlatformUnreachable, match="2027-10"):
        connector.ensure("", (), FACTS, keys, repair=True)


def test_the_scopes_that_are_needed_are_looked_at(
    connector: Shopify, shopify: FakeShopify, keys: Held
) -> None:
    connector.check_keys(FACTS, keys)
    assert connector.ensure("", (), FACTS, keys, repair=True) == ()
    shopify.app.scopes = ("write_orders", "write_products")
    connector.check_keys(FACTS, keys)
    shopify.app.scopes = ("read_orders",)
    with pytest.raises(KeysTooFew, match="read_products"):
        connector.check_keys(FACTS, keys)
    shopify.app.scopes = ("read_products",)
    with pytest.raises(CredentialsRefused, match="read_orders"):
        connector.check_keys(FACTS, keys)
    with pytest.raises(CredentialsRefused, match="read_orders"):
        connector.ensure("", (), FACTS, keys, repair=True)


def test_a_field_that_shopify_lacks_is_told_to_the_operator(
    connector: Shopify,
    shopify: FakeShopify,
    keys: Held,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    order = shopify.sell(SHOP, [CUP])
    monkeypatch.setattr(client, "text_of", lambda *_: "query Order { shop { nameOfTheBuyer } }")
    with pytest.raises(PlatformUnreachable, match="update the hub"):
        fetched(connector, order, keys)
    assert "undefinedField" in caplog.text
    assert "nameOfTheBuyer" not in caplog.text


def test_a_sweep_finds_every_change_once_however_orders_move(
    connector: Shopify, shopify: FakeShopify, keys: Held, shop: FakeShop, clock: Any
) -> None:
    orders = []
    for _ in range(250):
        orders.append(shopify.sell(SHOP, [CUP]))
        clock.advance(1)
    since = instant(orders[20]["createdAt"])
    moved = iter([orders[30], orders[120], orders[249]])

    def move(operation: str) -> None:
        order = next(moved, None)
        if order is not None:
            touched(order, clock.now())

    shop.before_answer = move
    found = list(connector.changed_since(since, FACTS, keys))
    assert len(found) == len(set(found))
    assert {one["legacyResourceId"] for one in orders[20:]} <= set(found)
    before = since - fetching.OVERLAP
    early = {o["legacyResourceId"] for o in orders if instant(o["updatedAt"]) < before}
    assert not early & set(found)


def test_a_sweep_that_is_out_of_time_says_how_far_it_came(
    connector: Shopify, shopify: FakeShopify, keys: Held, clock: Any
) -> None:
    orders = []
    for _ in range(150):
        orders.append(shopify.sell(SHOP, [CUP]))
        clock.advance(10)
    found = list[str]()

    def all_of_it() -> None:
        for order_id in connector.changed_since(instant(orders[0]["createdAt"]), FACTS, keys):
            found.append(order_id)
            if len(found) == 100:
                shopify.always = Trouble("throttled")

    with pytest.raises(Unfinished) as caught:
        all_of_it()
    assert text(caught.value.until) == orders[99]["updatedAt"]
    assert len(found) == 100


def test_the_books_hold_what_was_paid_in_the_period(
    connector: Shopify, shopify: FakeShopify, keys: Held, clock: Any
) -> None:
    begin = clock.now()
    early = shopify.sell(SHOP, [CUP], paid=False)
    clock.advance(3600)
    start = clock.now()
    shopify.pay(SHOP, early)  # ordered before, paid within
    plain = shopify.sell(SHOP, [CUP])
    tipped = shopify.sell(SHOP, [CUP], tip=Decimal(20))
    card = shopify.sell(SHOP, [CUP, Item("Tarjeta", Decimal(500), gift_card=True)])
    shopify.sell(SHOP, [CUP], paid=False)
    shopify.sell(SHOP, [CUP], test=True)
    given = shopify.sell(SHOP, [Item("Taza", Decimal("116.00"), 2)])
    shopify.refund(SHOP, given, lines={given["lineItems"][0]["id"]: 1})
    back = shopify.sell(SHOP, [CUP], tip=Decimal(20))
    [served] = [one for one in back["lineItems"] if one["name"] == "Tip"]
    shopify.refund(SHOP, back, lines={served["id"]: 1})
    brought = shopify.sell(SHOP, [CUP])
    brought["processedAt"] = "2024-03-01T18:00:00Z"
    clock.advance(60)
    end = clock.now()
    shopify.sell(SHOP, [CUP])
    found = {one.order_id: one for one in connector.entries(start, end, FACTS, keys)}
    wanted = [
        (plain, "116.00"),
        (early, "116.00"),
        (tipped, "116.00"),
        (card, None),
        (given, "116.00"),
        (back, None),  # what of it was the tip the list does not tell
    ]
    assert {k: v.due for k, v in found.items()} == {
        one["legacyResourceId"]: due and Decimal(due) for one, due in wanted
    }
    assert all(one.currency == "MXN" for one in found.values())
    assert list(connector.entries(begin, start, FACTS, keys)) == []


def test_no_address_of_another_host_is_asked(keys: Held, shopify: FakeShopify) -> None:
    """Neither by a connection that may not go into private networks, nor by a strange account."""
    connector = Shopify()
    for account in (
        "evil.example",
        "tienda.myshopify.com.evil.example",
        "tienda.myshopify.com/x",
        "evil.example#.myshopify.com",
        "tienda.myshopify.com\n",
        "",
        "https://127.0.0.1",
        "127.0.0.1",
    ):
        with pytest.raises(PlatformUnreachable):
            connector.fetch("1", ConnectionFacts("c", account, {"allow_private": True}), keys)
    assert shopify.requests == []


def test_without_private_hosts_no_played_shopify_is_asked(
    shopify: FakeShopify, keys: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = []

    def refuse(method: str, url: str, **_: Any) -> Any:
        urls.append(url)
        raise net.AddressRefused("no")

    monkeypatch.setattr(net, "send", refuse)
    with pytest.raises(PlatformUnreachable):
        Shopify().fetch("1", ConnectionFacts("c", SHOP, {}), keys)
    assert all(url.startswith(f"https://{SHOP}/") for url in urls)
    assert urls


def test_a_token_that_is_revoked_during_the_work_is_renewed_once(
    connector: Shopify, shopify: FakeShopify, keys: Held, shop: FakeShop
) -> None:
    order = shopify.sell(SHOP, [CUP])
    once = threading.Event()

    def expire(operation: str) -> None:
        if operation == "OrderLines" and not once.is_set():
            once.set()
            shopify.tokens.expire(shopify.app, SHOP)

    shop.before_answer = expire
    assert fetched(connector, order, keys)
    assert shopify.tokens.grants == ["refresh_token"]


def test_a_token_that_is_gone_for_good_asks_for_a_person(
    connector: Shopify, shopify: FakeShopify, keys: Held, shop: FakeShop
) -> None:
    order = shopify.sell(SHOP, [CUP])
    shop.before_answer = lambda operation: (
        shopify.tokens.revoke(shopify.app, SHOP) if operation == "OrderLines" else None
    )
    with pytest.raises(CredentialsRefused, match="open the app"):
        fetched(connector, order, keys)


def test_amounts_of_the_player_are_shopifys(shopify: FakeShopify) -> None:
    """19.00 with 20 % in it holds 3.17; two of them 6.33: the line is rounded, not the piece."""
    for count, tax in ((1, "3.17"), (2, "6.33")):
        item = Item("Cosa", Decimal("19.00"), count, rate=Decimal("0.20"))
        order = shopify.sell(SHOP, [item])
        assert f"{amount_of(order['lineItems'][0]['taxLines'][0]['priceSet'])}" == tax
