"""Deliveries of Shopify: who signed them, what they prove, and what no header may do."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.abilities import (
    Announces,
    AnnouncesLinks,
    KeepsBooks,
    Locates,
    News,
    Proves,
    Subscribes,
)
from connectors.connecting import Grants, Speaks
from connectors.contract import (
    ConnectionFacts,
    ConnectionInvalid,
    CredentialsRefused,
    Delivery,
    DeliveryUnreadable,
    Notice,
    OrderNotFound,
    PlatformUnreachable,
    PrivacyNotice,
    ShopNotice,
    SignatureInvalid,
)
from connectors.held import Held
from connectors.shopify.connector import Shopify
from connectors.shopify.grant import SCOPES
from tests.fakes.shopify.courier import PAUSES, Courier, signed_headers
from tests.fakes.shopify.orders import Item
from tests.fakes.shopify.rest import order_of, refund_of, shop_of, transaction_of
from tests.fakes.shopify.server import FakeShopify, running

SHOP, OTHER = "tienda.myshopify.com", "otra.myshopify.com"
SECRET = "shpss_0123456789abcdef0123456789abcdef"
AT = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
CONNECTOR = Shopify()
KEYS = Held({"shop": SHOP, "app.client_id": "client-1", "app.client_secret": SECRET})
FACTS = ConnectionFacts("c-1", SHOP, {"allow_private": True})
PLAYED = FakeShopify(now=lambda: AT)
ORDER = PLAYED.sell(SHOP, [Item("Taza", Decimal("116.00"), 2)])
REFUND = PLAYED.refund(SHOP, ORDER, amount=Decimal(10))
BODY = order_of(ORDER, SHOP)
NUMBER = str(BODY["id"])
CUSTOMER = {
    "shop_id": 1,
    "shop_domain": SHOP,
    "customer": {"id": 77, "email": "x@y.example"},
}
REDACT = {**CUSTOMER, "orders_to_redact": [11, 12]}
REQUEST = {**CUSTOMER, "orders_requested": [11], "data_request": {"id": 9}}
SHOP_REDACT = {"shop_id": 1, "shop_domain": SHOP}


def sent(
    topic: str,
    told: Any,
    *,
    secret: str = SECRET,
    shop: str = SHOP,
    events: bool = False,
    **more: str,
) -> Delivery:
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    headers = signed_headers(body, secret, shop, topic, at=AT, events=events)
    first = "shopify-" if events else "x-shopify-"
    named = {first + name.replace("_", "-"): value for name, value in more.items()}
    return Delivery({**headers, **named}, body, AT)


def test_it_can_do_what_it_says() -> None:
    for ability in (
        Subscribes, Announces, AnnouncesLinks, Proves, Locates, KeepsBooks, Grants, Speaks,
    ):  # fmt: skip
        assert isinstance(CONNECTOR, ability), ability


# Who signed.


@pytest.mark.parametrize("events", [False, True])
def test_both_families_of_headers_are_read(events: bool) -> None:
    one = sent("orders/paid", BODY, events=events)
    CONNECTOR.authenticate(one, KEYS)
    assert CONNECTOR.locate(one) == SHOP
    told = CONNECTOR.read(one)
    assert isinstance(told, Notice)
    assert (told.event, told.order_id) == ("orders/paid", NUMBER)


@pytest.mark.parametrize(
    ("keys", "good"),
    [
        ({"app.client_secret": SECRET}, True),
        ({"app.client_secret": "new", "app.client_secret_before": SECRET}, True),
        ({"webhook_secret": SECRET}, True),
        ({"webhook_secret": "new", "webhook_secret_before": SECRET}, True),
        ({"app.client_secret": "new"}, False),
        ({"app.client_secret": ""}, False),
        ({"access_token": SECRET, "refresh_token": SECRET, "app.private_key": SECRET}, False),
        ({"link_secret": SECRET, "app.client_id": SECRET}, False),
        ({}, False),
    ],
)
def test_the_secrets_that_sign(keys: dict[str, str], good: bool) -> None:
    if good:
        CONNECTOR.authenticate(sent("orders/paid", BODY), Held(keys))
        return
    with pytest.raises(SignatureInvalid):
        CONNECTOR.authenticate(sent("orders/paid", BODY), Held(keys))


@pytest.mark.parametrize("value", ["", " ", "é" * 44, "\udcff", "A" * 44, "=", "\x00", "0"])
def test_no_signature_of_a_stranger(value: str) -> None:
    one = sent("orders/paid", BODY)
    for header in ("x-shopify-hmac-sha256", "shopify-hmac-sha256"):
        forged = {**{k: v for k, v in one.headers.items() if "hmac" not in k}, header: value}
        with pytest.raises(SignatureInvalid):
            CONNECTOR.authenticate(replace(one, headers=forged), KEYS)
    with pytest.raises(SignatureInvalid):
        CONNECTOR.authenticate(replace(one, headers={}), KEYS)


def test_a_query_signed_by_the_same_secret_is_no_delivery() -> None:
    """Hexadecimal, over other bytes: what signs the address of an app signs no body."""
    one = sent("orders/paid", BODY)
    hexadecimal = {**one.headers, "x-shopify-hmac-sha256": "0" * 64}
    with pytest.raises(SignatureInvalid):
        CONNECTOR.authenticate(replace(one, headers=hexadecimal), KEYS)


@pytest.mark.parametrize(
    ("topic", "told"),
    [
        ("app/uninstalled", shop_of(OTHER)),
        ("shop/update", shop_of(OTHER)),
        ("shop/redact", {**SHOP_REDACT, "shop_domain": OTHER}),
        ("customers/redact", {**REDACT, "shop_domain": OTHER}),
        ("orders/paid", {**BODY, "shop_domain": OTHER}),
    ],
)
def test_what_is_signed_for_another_shop_does_nothing_to_this_one(topic: str, told: Any) -> None:
    """An app signs for all its shops with one secret, and the shop of a header is not signed."""
    with pytest.raises(SignatureInvalid, match="another shop"):
        CONNECTOR.authenticate(sent(topic, told, shop=SHOP), KEYS)
    CONNECTOR.authenticate(sent(topic, told, shop=SHOP), Held({**KEYS.keys, "shop": ""}))


@pytest.mark.parametrize(
    "shop",
    ["", "evil.example", f"{SHOP}.evil.example", "tienda.myshopify.com\n.x", "a b.myshopify.com",
     "-x.myshopify.com", ".myshopify.com", "myshopify.com", "é.myshopify.com", f"{SHOP}/x"],
)  # fmt: skip
def test_only_a_shop_is_located(shop: str) -> None:
    with pytest.raises(DeliveryUnreadable):
        CONNECTOR.locate(sent("orders/paid", BODY, shop_domain=shop))
    assert CONNECTOR.locate(sent("orders/paid", BODY, shop_domain=SHOP.upper())) == SHOP


# What it says.


@pytest.mark.parametrize(
    "topic", ["orders/create", "orders/updated", "orders/paid", "orders/cancelled"]
)
def test_an_order_names_itself_and_is_its_own_snapshot(topic: str) -> None:
    told = CONNECTOR.read(sent(topic, BODY))
    assert isinstance(told, Notice)
    assert (told.order_id, told.gone, told.complete) == (NUMBER, False, False)
    assert told.snapshot == json.dumps(BODY).encode()
    assert CONNECTOR.normalize(told.snapshot, FACTS).total == Decimal(232)


def test_an_order_that_was_cut_down_is_a_hint_alone() -> None:
    told = CONNECTOR.read(sent("orders/updated", {"id": 5, "updated_at": "x"}))
    assert isinstance(told, Notice)
    assert (told.order_id, told.snapshot, told.gone) == ("5", None, False)


@pytest.mark.parametrize(
    ("topic", "told"),
    [
        ("orders/edited", {"order_edit": {"id": 1, "order_id": int(NUMBER)}}),
        ("refunds/create", refund_of(REFUND, ORDER)),
        ("order_transactions/create", transaction_of(REFUND["transactions"][0], ORDER)),
        ("returns/approve", {"id": 1, "order": {"id": int(NUMBER)}}),
        ("disputes/create", {"id": 1, "order_id": int(NUMBER)}),
    ],
)
def test_a_part_of_an_order_leads_to_it(topic: str, told: Any) -> None:
    found = CONNECTOR.read(sent(topic, told))
    assert isinstance(found, Notice)
    assert (found.order_id, found.snapshot, found.gone) == (NUMBER, None, False)


def test_what_is_of_no_order_is_of_no_use() -> None:
    assert CONNECTOR.read(sent("order_transactions/create", {"id": 1, "order_id": None})) is None
    for topic in ("products/update", "bulk_operations/finish", "", "orders", "ORDERS/PAID", "é"):
        assert CONNECTOR.read(sent(topic, BODY)) is None


def test_only_a_bare_id_is_a_deletion() -> None:
    told = CONNECTOR.read(sent("orders/delete", {"id": int(NUMBER)}))
    assert isinstance(told, Notice)
    assert (told.gone, told.order_id, told.snapshot) == (True, NUMBER, None)
    replayed = CONNECTOR.read(sent("orders/delete", BODY))
    assert isinstance(replayed, Notice)
    assert not replayed.gone


@pytest.mark.parametrize("one", [-1, 0.5, "x", "../1", True, None, [], {}, "9" * 40])
def test_an_id_is_a_number(one: Any) -> None:
    for topic, told in (
        ("orders/paid", {**BODY, "id": one}),
        ("orders/delete", {"id": one}),
        ("refunds/create", {"order_id": one}),
        ("customers/redact", {**REDACT, "orders_to_redact": [one]}),
    ):
        if one is None and topic == "refunds/create":
            continue
        try:
            found = CONNECTOR.read(sent(topic, told))
        except DeliveryUnreadable:
            continue
        assert one is None, (topic, found)
        assert topic == "customers/redact"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"7", b"{}", b"\xff", b'{"id":', b"[" * 9999]
)
@pytest.mark.parametrize(
    "topic", ["orders/paid", "refunds/create", "app/uninstalled", "shop/redact"]
)
def test_what_cannot_be_read_is_said(topic: str, body: bytes) -> None:
    one = sent(topic, body)
    CONNECTOR.authenticate(one, KEYS)
    try:
        told = CONNECTOR.read(one)
    except DeliveryUnreadable:
        return
    assert body == b"{}"
    assert told is None or (isinstance(told, ShopNotice) and told.kind == "changed")


def test_leaving_and_changing_are_told_apart() -> None:
    left = CONNECTOR.read(sent("app/uninstalled", shop_of(SHOP)))
    assert isinstance(left, ShopNotice)
    assert (left.kind, left.at) == ("left", AT)
    for topic in ("shop/update", "app/scopes_update"):
        told = CONNECTOR.read(sent(topic, shop_of(SHOP)))
        assert isinstance(told, ShopNotice)
        assert told.kind == "changed"
    other = CONNECTOR.read(sent("app/uninstalled", BODY))
    assert isinstance(other, ShopNotice)
    assert other.kind == "changed"
    for instant in ("yesterday", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
        when = CONNECTOR.read(sent("app/uninstalled", shop_of(SHOP), triggered_at=instant))
        assert isinstance(when, ShopNotice)
        assert when.at is None


def test_requests_of_persons_and_of_the_shop() -> None:
    access = CONNECTOR.read(sent("customers/data_request", REQUEST))
    assert isinstance(access, PrivacyNotice)
    assert (access.kind, access.customer_id, access.order_ids) == ("access", "77", ("11",))
    erase = CONNECTOR.read(sent("customers/redact", REDACT))
    assert isinstance(erase, PrivacyNotice)
    assert (erase.kind, erase.customer_id, erase.order_ids) == (
        "erase_customer",
        "77",
        ("11", "12"),
    )
    shop = CONNECTOR.read(sent("shop/redact", SHOP_REDACT))
    assert isinstance(shop, PrivacyNotice)
    assert (shop.kind, shop.order_ids) == ("erase_shop", ())
    nobody = CONNECTOR.read(sent("customers/redact", {**REDACT, "customer": {"id": None}}))
    assert isinstance(nobody, PrivacyNotice)
    assert nobody.customer_id == ""


@pytest.mark.parametrize(
    ("topic", "told"),
    [
        ("shop/redact", REDACT),
        ("shop/redact", REQUEST),
        ("shop/redact", BODY),
        ("shop/redact", shop_of(SHOP)),
        ("customers/redact", REQUEST),
        ("customers/redact", SHOP_REDACT),
        ("customers/redact", BODY),
        ("customers/data_request", REDACT),
        ("customers/redact", {**REDACT, "orders_to_redact": "all"}),
    ],
)
def test_no_header_turns_one_request_into_another(topic: str, told: Any) -> None:
    with pytest.raises(DeliveryUnreadable):
        CONNECTOR.read(sent(topic, told))


# The same fact.


def key_of(one: Delivery) -> str:
    told = CONNECTOR.read(one)
    assert told is not None
    return told.event_key


REPLAYS: list[Callable[[Delivery], Delivery]] = [
    lambda one: replace(one, headers={**one.headers, "x-shopify-event-id": "another"}),
    lambda one: replace(one, headers={**one.headers, "x-shopify-webhook-id": "another"}),
    lambda one: replace(one, headers={**one.headers, "x-shopify-triggered-at": "2027-01-01"}),
    lambda one: replace(one, received_at=one.received_at + timedelta(days=1)),
]


@pytest.mark.parametrize("replay", REPLAYS)
@pytest.mark.parametrize(
    ("topic", "told"),
    [
        ("orders/paid", BODY),
        ("orders/delete", {"id": 5}),
        ("refunds/create", refund_of(REFUND, ORDER)),
        ("customers/redact", REDACT),
    ],
)
def test_no_header_makes_a_new_fact_of_an_old_body(
    topic: str, told: Any, replay: Callable[[Delivery], Delivery]
) -> None:
    one = sent(topic, told)
    assert key_of(replay(one)) == key_of(one)


def test_another_body_is_another_fact() -> None:
    later = {**BODY, "updated_at": "2026-11-20T19:00:00Z"}
    assert key_of(sent("orders/paid", later)) != key_of(sent("orders/paid", BODY))


def test_a_shop_may_leave_twice_and_be_erased_twice_with_the_same_bytes() -> None:
    left = sent("app/uninstalled", shop_of(SHOP))
    assert key_of(left) != key_of(
        replace(left, headers={**left.headers, "x-shopify-triggered-at": ""})
    )
    erase = sent("shop/redact", SHOP_REDACT)
    again = replace(erase, headers={**erase.headers, "x-shopify-event-id": "another"})
    assert key_of(erase) != key_of(again)
    assert key_of(erase) == key_of(sent("shop/redact", SHOP_REDACT))


# By hand, and links.


def test_a_shop_may_be_connected_by_hand() -> None:
    account, keys = CONNECTOR.configure(
        "https://Tienda.myshopify.com/", {"webhook_secret": SECRET}, allow_private=False
    )
    assert account == SHOP
    held = Held(keys)
    one = sent("orders/paid", BODY)
    CONNECTOR.authenticate(one, held)
    assert not CONNECTOR.can_fetch(held)
    told = CONNECTOR.read(one)
    assert isinstance(told, Notice)
    assert told.snapshot
    assert not told.complete
    with pytest.raises(SignatureInvalid):
        CONNECTOR.authenticate(sent("orders/paid", BODY, secret="the app's"), held)


@pytest.mark.parametrize(
    ("typed", "account"),
    [
        ("tienda", SHOP),
        (" tienda.myshopify.com ", SHOP),
        ("http://tienda.myshopify.com", SHOP),
        ("https://tienda.myshopify.com/admin/orders?x=1", SHOP),
        ("https://admin.shopify.com/store/tienda", SHOP),
        ("admin.shopify.com/store/Tienda/orders", SHOP),
        ("tienda.example", None),
        ("https://www.tienda.mx", None),
        (f"{SHOP}.evil.example", None),
        (f"https://evil.example/{SHOP}", None),
        (f"x@{SHOP}", None),
        (f"{SHOP}:8443", None),
        (f"{SHOP}#@evil.example", SHOP),
        ("http://127.0.0.1:8000", None),
        ("http://[::1", None),
        ("", None),
    ],
)
def test_the_name_of_a_shop(typed: str, account: str | None) -> None:
    given = {"webhook_secret": "w"}
    if account is None:
        with pytest.raises(ConnectionInvalid):
            CONNECTOR.configure(typed, given, allow_private=False)
    else:
        assert CONNECTOR.configure(typed, given, allow_private=False)[0] == account
        assert CONNECTOR.settle(ConnectionFacts("c", account, {})) == account


@pytest.mark.parametrize("given", [{}, {"secret": "shpat_x"}, {"webhook_secret": "w", "key": "k"}])
def test_what_is_missing_is_said(given: dict[str, str]) -> None:
    with pytest.raises(ConnectionInvalid) as caught:
        CONNECTOR.configure(SHOP, given, allow_private=False)
    assert "shpat_x" not in str(caught.value)


def test_a_paired_shop_keeps_no_secret_that_nobody_signs_with() -> None:
    given = {"access_token": "a", "refresh_token": "r", "webhook_secret": "w", "link_secret": "l"}
    _, keys = CONNECTOR.configure(SHOP, given, allow_private=False)
    assert keys == {"shop": SHOP, "access_token": "a", "refresh_token": "r"}


def test_the_confirmation_number_opens_the_link() -> None:
    number = ORDER["confirmationNumber"]
    fetched = json.dumps({"shape": "graphql", "order": ORDER}).encode()
    assert CONNECTOR.proof_of(fetched, KEYS) == number
    assert CONNECTOR.proof_of(json.dumps(BODY).encode(), KEYS) == number
    for one in (None, "", "ab", "x" * 50, "a b c d e", 7):
        assert (
            CONNECTOR.proof_of(json.dumps({**BODY, "confirmation_number": one}).encode(), KEYS)
            is None
        )
    assert CONNECTOR.proof_of(b"{", KEYS) is None


# What is written at the order.


def test_news_are_written_once_and_call_forth_no_more_than_one_echo() -> None:
    with running(FakeShopify()) as shopify:
        keys, shop = Held(shopify.connected()), shopify.shop(SHOP)
        order = shopify.sell(SHOP, [Item("Taza", Decimal(116))])
        shopify.courier.url = "http://127.0.0.1:9/"
        number, connector = order["legacyResourceId"], Shopify()
        link = "https://hub.example/f/token"
        for _ in range(3):
            connector.announce(number, News("open", "", "no", link), FACTS, keys)
        assert order["metafields"] == {"$app.factura_url": link, "$app.factura_estado": "abierta"}
        assert len(shopify.courier.waiting) == 2  # one for each metafield, as Shopify may do
        assert shop.asked.count("MetafieldsSet") == 1
        connector.announce(number, News("stamped", "UUID-1", "CFDI UUID-1", ""), FACTS, keys)
        assert order["metafields"] == {"$app.factura_url": link, "$app.factura_estado": "lista"}
        connector.announce(number, News("cancelled", "UUID-1", "x", ""), FACTS, keys)
        assert order["metafields"]["$app.factura_estado"] == "cancelada"
        assert "UUID-1" not in str(order["metafields"])
        with pytest.raises(OrderNotFound):
            connector.announce("1", News("open", "", "x", link), FACTS, keys)
        shopify.app.scopes = ("read_orders",)
        with pytest.raises(CredentialsRefused, match="write_orders"):
            connector.announce(number, News("open", "", "x", link), FACTS, keys)
        shopify.app.scopes = SCOPES
        order["metafields"].clear()
        sale = connector.normalize(connector.fetch(number, FACTS, keys), FACTS)
        connector.announce(number, News("open", "", "x", link), FACTS, keys)
        echo = connector.normalize(connector.fetch(number, FACTS, keys), FACTS)
        assert replace(echo, revision=sale.revision) == sale


# The player itself.


def test_the_courier_tries_eight_times_more_over_four_hours(clock: Any) -> None:
    courier = Courier(clock.now, lambda: SECRET, url="http://127.0.0.1:9/")
    courier.send(SHOP, "orders/paid", BODY)
    began = clock.now()
    while courier.waiting:
        courier.run()
        clock.advance(60)
    assert len(courier.given_up[0].answers) == 9
    assert timedelta(hours=3.9) < clock.now() - began < timedelta(hours=4.2)
    assert sum(PAUSES, timedelta()) < timedelta(hours=4)


def test_an_unreachable_shop_is_no_refusal() -> None:
    facts = ConnectionFacts("c", SHOP, {"allow_private": True})
    keys = Held({"access_token": "a", "app.api_root": "http://127.0.0.1:9"})
    with pytest.raises(PlatformUnreachable):
        Shopify().check_keys(facts, keys)
