"""Keys of a shop: exchanged, renewed once by whoever is first, and never lost half-way."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from connectors.connecting import App, Asked, ConnectingRefused, RequestUnsigned
from connectors.contract import ConnectionFacts, CredentialsRefused, PlatformUnreachable
from connectors.held import Held
from connectors.shopify import grant, tokens
from connectors.shopify.connector import Shopify
from connectors.shopify.session import TokenInvalid, bearer, visit_of
from connectors.shopify.tokens import Place, Tokens
from hub.clock import SystemClock
from tests.fakes.shopify.oauth import FakeApp, query_hmac
from tests.fakes.shopify.server import FakeShopify, Trouble, running

SHOP = "tienda.myshopify.com"
FACTS = ConnectionFacts("c-1", SHOP, {"allow_private": True})


@pytest.fixture
def shopify(clock: Any) -> Iterator[FakeShopify]:
    with running(FakeShopify(now=clock.now)) as told:
        told.shop(SHOP)
        yield told


def place(shopify: FakeShopify) -> Place:
    return Place(f"{shopify.url}/{SHOP}", allow_private=True)


def opens(shopify: FakeShopify, keys: Held) -> bool:
    return shopify.tokens.opens(SHOP, keys.current()["access_token"]) is not None


class Shared:
    """Credentials of many threads, as a store keeps them: one at a time alone, compare and swap."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        self.keys, self.swaps = dict(keys), 0
        self._alone, self._lock = threading.Lock(), threading.Lock()

    def current(self) -> Mapping[str, str]:
        with self._lock:
            return dict(self.keys)

    def rotate(self, expected: Mapping[str, str], new: Mapping[str, str]) -> bool:
        with self._lock:
            if dict(expected) != self.keys:
                return False
            self.keys, self.swaps = dict(new), self.swaps + 1
            return True

    @contextmanager
    def alone(self, seconds: float) -> Iterator[bool]:
        mine = self._alone.acquire(blocking=False)
        try:
            yield mine
        finally:
            if mine:
                self._alone.release()


def test_an_id_token_is_changed_for_keys_that_expire(shopify: FakeShopify, clock: Any) -> None:
    token = shopify.tokens.id_token(shopify.app, SHOP)
    given = tokens.exchanged(place(shopify), shopify.hub_app(), token, clock)
    assert set(given) == set(tokens.NAMES)
    assert tokens.instant_of(given["expires_at"]) == clock.now() + timedelta(hours=1)
    assert tokens.instant_of(given["refresh_expires_at"]) == clock.now() + timedelta(days=90)
    account, keys = Shopify(clock).configure(
        SHOP, {**given, "link_secret": "x"}, allow_private=True
    )
    assert account == SHOP
    assert keys == {"shop": SHOP, **given}


def test_a_second_exchange_ends_the_first_ones_keys(shopify: FakeShopify, clock: Any) -> None:
    app, where = shopify.hub_app(), place(shopify)
    first = tokens.exchanged(where, app, shopify.tokens.id_token(shopify.app, SHOP), clock)
    second = tokens.exchanged(where, app, shopify.tokens.id_token(shopify.app, SHOP), clock)
    assert shopify.tokens.opens(SHOP, first["access_token"]) is None
    assert shopify.tokens.opens(SHOP, second["access_token"]) is not None


@pytest.mark.parametrize(
    "claims", [{"aud": "other"}, {"dest": "https://o.myshopify.com"}, {"exp": 1}]
)
def test_a_token_of_somebody_else_is_changed_for_nothing(
    shopify: FakeShopify, clock: Any, claims: dict[str, Any]
) -> None:
    token = shopify.tokens.id_token(shopify.app, SHOP, **claims)
    with pytest.raises(CredentialsRefused) as caught:
        tokens.exchanged(place(shopify), shopify.hub_app(), token, clock)
    assert token not in str(caught.value)


@pytest.mark.parametrize(
    "left", [timedelta(minutes=6), timedelta(minutes=4), timedelta(minutes=-1)]
)
def test_keys_are_renewed_five_minutes_before_their_end(
    shopify: FakeShopify, clock: Any, left: timedelta
) -> None:
    keys = Held(shopify.connected())
    clock.advance((timedelta(hours=1) - left).total_seconds())
    before = keys.current()["access_token"]
    token = Tokens(place(shopify), keys, clock).current()
    renewed = left < tokens.EARLY
    assert (token != before) is renewed
    assert shopify.tokens.grants == (["refresh_token"] if renewed else [])
    assert keys.current()["access_token"] == token
    assert keys.current()["app.client_id"] == "client-1"


def test_silence_of_weeks_is_survived_and_of_months_is_said(
    shopify: FakeShopify, clock: Any
) -> None:
    keys = Held(shopify.connected())
    for _ in range(20):
        clock.advance(timedelta(days=7).total_seconds())
        Tokens(place(shopify), keys, clock).current()
    clock.advance(timedelta(days=91).total_seconds())
    kept = dict(keys.current())
    with pytest.raises(CredentialsRefused, match="open the app once"):
        Tokens(place(shopify), keys, clock).current()
    assert keys.current() == kept


@pytest.mark.parametrize("silent", [{"expires_in"}, {"expires_in", "refresh_token_expires_in"}])
def test_an_answer_without_its_time_lasts_an_hour_and_not_for_ever(
    shopify: FakeShopify, clock: Any, silent: set[str]
) -> None:
    shopify.tokens.silent = silent
    keys = Held({**shopify.connected(), "expires_at": ""})
    Tokens(place(shopify), keys, clock).current()
    assert tokens.instant_of(keys.current()["expires_at"]) == clock.now() + timedelta(hours=1)
    clock.advance(3600)
    Tokens(place(shopify), keys, clock).current()
    assert shopify.tokens.grants == ["refresh_token"] * 2


@pytest.mark.parametrize("kept", ["", "soon", "2026-11-20", "2026-13-01T00:00:00+00:00"])
def test_an_end_that_cannot_be_read_is_now(shopify: FakeShopify, clock: Any, kept: str) -> None:
    keys = Held({**shopify.connected(), "expires_at": kept})
    Tokens(place(shopify), keys, clock).current()
    assert shopify.tokens.grants == ["refresh_token"]


def test_after_a_lost_answer_the_same_refresh_token_is_good_again(
    shopify: FakeShopify, clock: Any
) -> None:
    keys = Held(shopify.connected())
    clock.advance(3600)
    before = dict(keys.current())
    shopify.token_troubles = [Trouble("lost")]
    with pytest.raises(PlatformUnreachable):
        Tokens(place(shopify), keys, clock).current()
    assert keys.current() == before
    Tokens(place(shopify), keys, clock).current()
    assert opens(shopify, keys)
    assert shopify.tokens.grants == ["refresh_token"] * 2


PASSING = [Trouble("status", 500), Trouble("page", 403), Trouble("truncated"), Trouble("drop")]


@pytest.mark.parametrize("trouble", [*PASSING, Trouble("huge"), Trouble("redirect", to="http://x")])
def test_a_renewal_that_fails_loses_nothing(
    shopify: FakeShopify, clock: Any, trouble: Trouble
) -> None:
    keys = Held(shopify.connected())
    clock.advance(3600)
    before = dict(keys.current())
    shopify.token_troubles = [trouble]
    with pytest.raises(PlatformUnreachable) as caught:
        Tokens(place(shopify), keys, clock).current()
    assert keys.current() == before
    assert before["refresh_token"] not in repr(caught.value)
    assert Tokens(place(shopify), keys, clock).current()


def test_eight_at_once_renew_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has seen the same dead token; one asks Shopify, seven take what it got."""
    for name in ("PATIENCE_SECONDS", "ASKING_SECONDS"):  # a busy machine may take its time
        monkeypatch.setattr(tokens, name, 120.0)
    with running(FakeShopify()) as shopify:
        shopify.shop(SHOP)
        old = {**shopify.connected(), "expires_at": "2020-01-01T00:00:00+00:00"}
        shared, shopify.token_seconds = Shared(old), 0.3
        where, begin = place(shopify), threading.Barrier(8)

        def work(_: int) -> str:
            begin.wait()
            return Tokens(where, shared, SystemClock()).current()

        with ThreadPoolExecutor(8) as pool:
            found = set(pool.map(work, range(8)))
        assert shopify.tokens.grants == ["refresh_token"]
        assert found == {shared.keys["access_token"]}
        assert shared.swaps == 1
        assert shopify.tokens.opens(SHOP, found.pop())


def test_whoever_comes_second_with_a_refused_token_takes_the_new_one(
    shopify: FakeShopify, clock: Any
) -> None:
    keys = Held(shopify.connected())
    used = keys.current()["access_token"]
    new = Tokens(place(shopify), keys, clock).renewed(used)
    assert Tokens(place(shopify), keys, clock).renewed(used) == new
    assert shopify.tokens.grants == ["refresh_token"]


def test_a_renewal_of_somebody_who_died_is_waited_for_and_no_longer(
    shopify: FakeShopify, clock: Any
) -> None:
    shared = Shared(shopify.connected())
    clock.advance(3600)
    began = clock.monotonic()
    with shared.alone(1.0) as mine:
        assert mine
        with pytest.raises(PlatformUnreachable, match="just being renewed"):
            Tokens(place(shopify), shared, clock).current()
    assert clock.monotonic() - began <= tokens.PATIENCE_SECONDS + 1
    assert shopify.tokens.grants == []


def test_keys_that_came_by_the_page_meanwhile_are_not_overwritten(
    shopify: FakeShopify, clock: Any
) -> None:
    """The merchant opens the app while a worker renews: what the page got stays."""

    class Busy(Held):
        def rotate(self, expected: Mapping[str, str], new: Mapping[str, str]) -> bool:
            token = shopify.tokens.id_token(shopify.app, SHOP)
            given = tokens.exchanged(place(shopify), shopify.hub_app(), token, clock)
            self.keys = {**self.keys, **given}
            return super().rotate(expected, new)

    keys = Busy(shopify.connected())
    clock.advance(3600)
    Tokens(place(shopify), keys, clock).current()
    assert opens(shopify, keys)


def test_both_secrets_are_tried_while_one_is_replaced(shopify: FakeShopify, clock: Any) -> None:
    keys = Held(
        {
            **shopify.connected(),
            "app.client_secret": "shpss_not-yet-in-force-0000000000000",
            "app.client_secret_before": shopify.app.client_secret,
        }
    )
    clock.advance(3600)
    assert Tokens(place(shopify), keys, clock).current()
    assert shopify.tokens.grants == ["refresh_token"] * 2


def test_a_token_made_by_hand_is_never_renewed(shopify: FakeShopify, clock: Any) -> None:
    account, given = Shopify(clock).configure(
        SHOP, {"webhook_secret": "w", "secret": "shpat_by-hand"}, allow_private=True
    )
    keys = Held({**given, "app.api_root": shopify.url})
    assert Tokens(place(shopify), keys, clock).current() == "shpat_by-hand"
    with pytest.raises(CredentialsRefused):
        Shopify(clock).fetch("1", ConnectionFacts("c", account, {"allow_private": True}), keys)
    assert shopify.tokens.grants == []


@pytest.fixture(scope="module")
def pem() -> tuple[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    own = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    told = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return own, told


def test_an_app_with_a_key_needs_no_refresh_token(
    shopify: FakeShopify, clock: Any, pem: tuple[str, str]
) -> None:
    app = FakeApp("client-2", "shpss_another-secret-0123456789abcdef", public_key=pem[1])
    shopify.tokens.install(app, SHOP)
    hub_app = {f"app.{k}": v for k, v in shopify.hub_app(app, private_key=pem[0]).keys.items()}
    keys = Held({"shop": SHOP, **hub_app})
    connector = Shopify(clock)
    assert connector.can_fetch(keys)
    connector.check_keys(FACTS, keys)
    assert "refresh_token" not in keys.current()
    connector.check_keys(FACTS, keys)
    assert shopify.tokens.grants == ["client_credentials"]
    clock.advance(3600)
    connector.check_keys(FACTS, keys)
    assert shopify.tokens.grants == ["client_credentials"] * 2


@pytest.mark.parametrize("wrong", ["", "x", "-----BEGIN PRIVATE KEY-----", "ec"])
def test_a_key_that_is_none_is_said_and_never_shown(
    shopify: FakeShopify, clock: Any, wrong: str
) -> None:
    if wrong == "ec":
        made = ec.generate_private_key(ec.SECP256R1())
        wrong = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    keys = Held({**shopify.connected(), "access_token": "", "app.private_key": wrong or " "})
    with pytest.raises(CredentialsRefused) as caught:
        Tokens(place(shopify), keys, clock).renewed("")
    assert wrong == "" or wrong not in repr(caught.value)


def test_no_key_at_all_asks_for_a_person(shopify: FakeShopify, clock: Any) -> None:
    connector = Shopify(clock)
    keys = Held({"shop": SHOP, "webhook_secret": "w"})
    assert not connector.can_fetch(keys)
    with pytest.raises(CredentialsRefused):
        connector.fetch("1", FACTS, keys)


def test_a_shop_that_left_and_came_back_while_its_leaving_was_told(
    shopify: FakeShopify, clock: Any
) -> None:
    keys, connector = Held(shopify.connected()), Shopify(clock)
    shopify.uninstall(SHOP)
    with pytest.raises(CredentialsRefused):
        connector.check_keys(FACTS, keys)
    shopify.tokens.install(shopify.app, SHOP)
    with pytest.raises(CredentialsRefused):
        connector.check_keys(FACTS, keys)  # the old keys stay dead
    token = shopify.tokens.id_token(shopify.app, SHOP)
    given = tokens.exchanged(place(shopify), shopify.hub_app(), token, clock)
    keys.keys = {**keys.keys, **given}
    connector.check_keys(FACTS, keys)


# The authorization code.


def asked(query: str, clock: Any) -> Asked:
    return Asked("GET", f"/connect/shopify/return?{query}", {}, b"", {}, None, clock.now())


def back(shopify: FakeShopify, connector: Shopify, clock: Any) -> str:
    """The browser goes to Shopify, its person agrees, and comes back."""
    url = connector.grant_url(
        SHOP, nonce="nonce-1", return_url="https://hub.example/return", app=shopify.hub_app()
    )
    query = dict(parse_qsl(urlsplit(url).query))
    assert query["scope"] == "read_orders,write_orders,read_products,read_payment_terms"
    location = requests.get(url, allow_redirects=False, timeout=60).headers["location"]
    assert location.startswith("https://hub.example/return?")
    return urlsplit(location).query


def test_a_code_is_changed_for_keys_once(shopify: FakeShopify, clock: Any) -> None:
    connector = Shopify(clock)
    query = back(shopify, connector, clock)
    assert connector.nonce_of(asked(query, clock)) == "nonce-1"
    given = connector.granted(asked(query, clock), SHOP, shopify.hub_app())
    assert shopify.tokens.opens(SHOP, given["access_token"])
    assert given["refresh_token"]
    with pytest.raises(grant.NotGranted):
        connector.granted(asked(query, clock), SHOP, shopify.hub_app())


def resigned(shopify: FakeShopify, query: str, **changed: str) -> str:
    told = {k: v for k, v in parse_qsl(query) if k != "hmac"} | changed
    told = {k: v for k, v in told.items() if v}
    return urlencode({**told, "hmac": query_hmac(told, shopify.app.client_secret)})


@pytest.mark.parametrize("seconds", [91, -91, 86_400, -86_400])
def test_an_old_or_future_return_is_refused(shopify: FakeShopify, clock: Any, seconds: int) -> None:
    connector = Shopify(clock)
    query = back(shopify, connector, clock)
    shifted = replace(asked(query, clock), received_at=clock.now() + timedelta(seconds=seconds))
    with pytest.raises(RequestUnsigned):
        connector.granted(shifted, SHOP, shopify.hub_app())
    assert connector.granted(asked(query, clock), SHOP, shopify.hub_app())


@pytest.mark.parametrize("name", ["hmac", "shop", "code", "timestamp", "state", "host"])
def test_a_parameter_that_is_there_twice_is_refused(
    shopify: FakeShopify, clock: Any, name: str
) -> None:
    connector = Shopify(clock)
    query = back(shopify, connector, clock)
    value = dict(parse_qsl(query))[name]
    for twice in (f"{query}&{name}={value}", f"{name}=x&{query}"):
        with pytest.raises(RequestUnsigned):
            connector.granted(asked(twice, clock), SHOP, shopify.hub_app())
        assert connector.nonce_of(asked(twice, clock)) == ""


def test_a_return_that_was_changed_or_is_of_another_is_refused(
    shopify: FakeShopify, clock: Any
) -> None:
    connector = Shopify(clock)
    query = back(shopify, connector, clock)
    for wrong in (
        query.replace("tienda", "otra"),
        query.replace("nonce-1", "nonce-2"),
        f"{query}&more=1",
        "",
        "hmac=",
        resigned(shopify, query, timestamp="abc"),
        resigned(shopify, query, timestamp="１７００００００００"),
        resigned(shopify, query, timestamp=""),
    ):
        with pytest.raises(RequestUnsigned):
            connector.granted(asked(wrong, clock), SHOP, shopify.hub_app())
    for told in (
        resigned(shopify, query, shop="otra.myshopify.com"),
        resigned(shopify, query, shop=f"{SHOP}.evil.example"),
        resigned(shopify, query, shop=SHOP.upper()),
        resigned(shopify, query, code=""),
        resigned(shopify, query, code="guessed"),
    ):
        with pytest.raises(grant.NotGranted):
            connector.granted(asked(told, clock), SHOP, shopify.hub_app())
    other = App("app-2", {"client_id": "client-1", "client_secret": "shpss_other"})
    with pytest.raises(RequestUnsigned):
        connector.granted(asked(query, clock), SHOP, other)


def test_a_return_while_shopify_is_down_can_be_tried_again(
    shopify: FakeShopify, clock: Any
) -> None:
    connector = Shopify(clock)
    query = back(shopify, connector, clock)
    shopify.token_troubles = [Trouble("status", 503)]
    with pytest.raises(grant.NotAnswered) as caught:
        connector.granted(asked(query, clock), SHOP, shopify.hub_app())
    assert isinstance(caught.value, ConnectingRefused)
    assert connector.granted(asked(query, clock), SHOP, shopify.hub_app())


# The page of the app.


@pytest.fixture
def now_shopify() -> FakeShopify:
    """ShopifyAPI looks at the world's clock."""
    return FakeShopify(now=lambda: datetime.now(UTC))


def test_a_visit_is_of_the_app_and_shop_that_signed(now_shopify: FakeShopify) -> None:
    app = now_shopify.app
    other = App(
        "app-0", {"client_id": "client-0", "client_secret": "shpss_of-another-app-00000000000"}
    )
    told = visit_of(now_shopify.tokens.id_token(app, SHOP), [other, now_shopify.hub_app()])
    assert (told.shop, told.app.id, told.user) == (SHOP, "app-1", "42")
    assert app.client_secret not in repr(told)


def test_the_secret_before_is_good_too(now_shopify: FakeShopify) -> None:
    keys = {
        "client_id": "client-1",
        "client_secret": "shpss_the-new-one-0123456789abcdef",
        "client_secret_before": now_shopify.app.client_secret,
    }
    assert (
        visit_of(now_shopify.tokens.id_token(now_shopify.app, SHOP), [App("a", keys)]).shop == SHOP
    )


OTHERS: list[dict[str, Any]] = [
    {"exp": 1},
    {"exp": None},
    {"aud": "client-2"},
    {"aud": None},
    {"iss": None, "sid": None},  # as the tokens of extensions are
    {"iss": "https://otra.myshopify.com/admin"},
    {"dest": "https://otra.myshopify.com"},
    {"dest": None},
    {"dest": 7},
    {"iss": "7", "dest": "7"},
    {"dest": "https://evil.example", "iss": "https://evil.example/admin"},
    {"dest": f"https://{SHOP}.evil.example", "iss": f"https://{SHOP}.evil.example/admin"},
    {"dest": f"https://{SHOP}:8443", "iss": f"https://{SHOP}:8443/admin"},
    {"dest": f"http://{SHOP}", "iss": f"http://{SHOP}/admin"},
    {"dest": f"https://x@{SHOP}", "iss": f"https://x@{SHOP}/admin"},
    {"nbf": 4_000_000_000},
]


@pytest.mark.parametrize("claims", OTHERS, ids=str)
def test_any_other_token_opens_nothing(now_shopify: FakeShopify, claims: dict[str, Any]) -> None:
    token = now_shopify.tokens.id_token(now_shopify.app, SHOP, **claims)
    with pytest.raises(TokenInvalid) as caught:
        visit_of(token, [now_shopify.hub_app()])
    assert token not in repr(caught.value)


@pytest.mark.parametrize(
    "token",
    ["", "x", "a.b.c", "é", "x" * 9000, "eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJub25lIn0.e30"],
)
def test_what_is_no_token_opens_nothing(now_shopify: FakeShopify, token: str) -> None:
    with pytest.raises(TokenInvalid):
        visit_of(token, [now_shopify.hub_app(), App("empty", {}), App("half", {"client_id": "c"})])


def test_bearer() -> None:
    assert bearer({"authorization": "Bearer abc"}) == "abc"
    assert bearer({"authorization": "bearer  abc "}) == "abc"
    assert bearer({"authorization": "Basic abc"}) == ""
    assert bearer({}) == ""
