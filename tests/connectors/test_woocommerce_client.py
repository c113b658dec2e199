"""Asking a store, over a real socket."""

from __future__ import annotations

import json
import logging
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors import net
from connectors.contract import (
    ConnectorError,
    CredentialsRefused,
    OrderNotFound,
    PlatformUnreachable,
    Unfinished,
)
from connectors.woocommerce import client
from connectors.woocommerce.connector import WooCommerce

SECRETS = {"consumer_key": "ck_canary1", "consumer_secret": "cs_canary2"}
ORDER = b'{"id":18,"total":"748.140000","price":172.40517233333333,"refunds":[]}'


@pytest.fixture
def ask(clock: Any, server: Any, facts: Any, keys: Any) -> Any:
    woo, connection = WooCommerce(clock), facts(server.url, allow_private=True)

    class Ask:
        @staticmethod
        def fetch(order_id: str = "18") -> bytes:
            return woo.fetch(order_id, connection, keys(**SECRETS))

        @staticmethod
        def changed_since(instant: datetime) -> list[str]:
            return list(woo.changed_since(instant, connection, keys(**SECRETS)))

    return Ask


def queries(server: Any) -> list[dict[str, str]]:
    return [
        {name: values[-1] for name, values in parse_qs(urlsplit(path).query).items()}
        for path in server.asked
    ]


def test_an_order_comes_byte_for_byte(ask: Any, server: Any) -> None:
    server.says(ORDER)
    assert ask.fetch() == b'{"order":' + ORDER + b',"refunds":[]}'
    assert [urlsplit(path).path for path in server.asked] == ["/wp-json/wc/v3/orders/18"]
    assert queries(server)[0]["dp"] == "6"


def test_plain_http_is_asked_by_oauth_and_shows_no_secret(ask: Any, server: Any) -> None:
    server.says(ORDER)
    ask.fetch()
    assert queries(server)[0]["oauth_consumer_key"] == "ck_canary1"
    assert "cs_canary2" not in str(server.asked) + str(server.headers)
    assert "Authorization" not in server.headers[0]


def test_refunds_come_with_it_from_all_pages(ask: Any, server: Any) -> None:
    server.says(b'\xef\xbb\xbf{"id":18,"refunds":[{"id":22}]}')
    server.says([{"id": n} for n in range(100)])
    server.says(b' [{"id":100,"amount":"33.330000"}] ')
    document = json.loads(ask.fetch())
    assert document["order"]["id"] == 18
    assert [refund["id"] for refund in document["refunds"]] == list(range(101))
    assert [query.get("page") for query in queries(server)] == [None, "1", "2"]


def test_another_order_than_asked_is_no_answer(ask: Any, server: Any) -> None:
    server.says(ORDER)
    with pytest.raises(PlatformUnreachable):
        ask.fetch("19")


@pytest.mark.parametrize("order_id", ["", "../users", "1?x=1", "-1", "١", "1/refunds"])
def test_what_is_no_id_is_never_asked(ask: Any, server: Any, order_id: str) -> None:
    with pytest.raises(OrderNotFound):
        ask.fetch(order_id)
    assert not server.asked


GONE = {"code": "woocommerce_rest_shop_order_invalid_id"}
REFUSED = {"code": "woocommerce_rest_cannot_view"}


@pytest.mark.parametrize(
    ("status", "body", "kind", "error"),
    [
        (404, GONE, "application/json", OrderNotFound),
        (404, {"code": "rest_no_route"}, "application/json", PlatformUnreachable),
        (404, b"<html>", "text/html", PlatformUnreachable),
        (404, b"{", "application/json", PlatformUnreachable),
        (401, REFUSED, "application/json; charset=UTF-8", CredentialsRefused),
        (403, REFUSED, "application/json", CredentialsRefused),
        (403, b"<html>blocked", "text/html", PlatformUnreachable),
        (200, b"<html>maintenance", "text/html", PlatformUnreachable),
        (200, b"<br>Warning: x", "application/json", PlatformUnreachable),
        (200, b"", "application/json", PlatformUnreachable),
        (200, b"[]", "application/json", PlatformUnreachable),
        (200, b"null", "application/json", PlatformUnreachable),
        (200, b"[1]", "application/json", PlatformUnreachable),
        (200, b'{"id":18,"refunds":{"a":1}}', "application/json", PlatformUnreachable),
        (200, ORDER, "text/plain", PlatformUnreachable),
        (301, b"", "text/html", PlatformUnreachable),
        (307, ORDER, "application/json", PlatformUnreachable),
        (418, b"", "", PlatformUnreachable),
        (500, {"code": "internal_server_error"}, "application/json", PlatformUnreachable),
    ],
)
def test_each_answer_says_whose_turn_it_is(
    ask: Any, server: Any, status: int, body: Any, kind: str, error: type[Exception]
) -> None:
    server.says(body, status, kind)
    with pytest.raises(error):
        ask.fetch()


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_store_is_asked_again_soon(ask: Any, server: Any, clock: Any, status: int) -> None:
    server.says(b"busy", status, "text/html")
    server.says(b"busy", status, "text/html")
    server.says(ORDER)
    ask.fetch()
    assert len(server.asked) == 3
    assert len(clock.slept) == 2
    assert sum(clock.slept) < 4


def test_a_store_that_stays_busy_is_left_alone(ask: Any, server: Any, clock: Any) -> None:
    server.says(b"busy", 503, "text/html")
    with pytest.raises(PlatformUnreachable, match="503"):
        ask.fetch()
    assert len(server.asked) == client.TRIES


def test_a_refusal_is_not_asked_again(ask: Any, server: Any) -> None:
    server.says(REFUSED, 401)
    with pytest.raises(CredentialsRefused):
        ask.fetch()
    assert len(server.asked) == 1


def test_a_hung_up_line_is_no_answer(ask: Any, server: Any) -> None:
    server.by_hand = lambda handler: handler.wfile.write(
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"
    )
    with pytest.raises(PlatformUnreachable):
        ask.fetch()
    assert len(server.asked) == client.TRIES


def test_a_giant_answer_is_cut(ask: Any, server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(net, "MAX_BYTES", 1000)
    server.says(b'{"id":18,"x":"' + b"x" * 2000 + b'"}')
    with pytest.raises(PlatformUnreachable, match="larger"):
        ask.fetch()


@pytest.mark.parametrize("account", ["http://tienda.example", "https://127.0.0.1", "ftp://x", ""])
def test_addresses_inside_are_refused_without_a_try(
    clock: Any, facts: Any, keys: Any, account: str
) -> None:
    with pytest.raises(PlatformUnreachable):
        WooCommerce(clock).fetch("1", facts(account), keys(**SECRETS))
    assert not clock.slept


def test_without_keys_nothing_is_asked(clock: Any, facts: Any, keys: Any, server: Any) -> None:
    woo = WooCommerce(clock)
    for some in ({}, {"consumer_key": "ck"}, {"consumer_key": "ck", "consumer_secret": ""}):
        assert not woo.can_fetch(keys(**some))
        with pytest.raises(CredentialsRefused):
            woo.fetch("1", facts(server.url, allow_private=True), keys(**some))
    assert woo.can_fetch(keys(**SECRETS))
    assert not server.asked


def test_no_secret_in_errors_or_logs(
    ask: Any, server: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.says({"message": "ck_canary1 cs_canary2"}, 500)
    for prepare in (lambda: None, lambda: setattr(server, "by_hand", lambda handler: None)):
        prepare()
        with pytest.raises(ConnectorError) as caught:
            ask.fetch()
        error: BaseException | None = caught.value
        while error:
            assert "canary" not in repr(error) + str(vars(error))
            error = error.__cause__ or error.__context__
    # Of urllib3's own lines only the address asked holds the key's public half (OAuth).
    ours = [record for record in caplog.records if not record.name.startswith("urllib3")]
    assert "canary" not in str([record.getMessage() for record in ours])
    assert "cs_canary2" not in caplog.text


class Store:
    """Orders under the rules of the list: modified after, oldest first, pages; it may change."""

    def __init__(self, server: Any) -> None:
        self.changed: dict[int, datetime] = {}
        self.between: list[tuple[int, datetime]] = []
        self.excludes = True
        #: Equals come as a database finds them: each time in another order. None: by their ids.
        self.dice: random.Random | None = random.Random(7)
        server.by_hand = self.answer

    def answer(self, handler: Any) -> None:
        query = {
            name: values[-1] for name, values in parse_qs(urlsplit(handler.path).query).items()
        }
        assert query["orderby"] == "modified"
        assert query["order"] == "asc"
        assert query["dates_are_gmt"] == "true"
        after = datetime.fromisoformat(query["modified_after"]).replace(tzinfo=UTC)
        excluded = query.get("exclude", "") if self.excludes else ""
        left = sorted(set(self.changed) - {int(one) for one in excluded.split(",") if one})
        if self.dice:
            self.dice.shuffle(left)
        found = [(at, one) for one in left if (at := self.changed[one]) > after]
        found.sort(key=lambda change: change[0])
        size, page = int(query["per_page"]), int(query["page"])
        rows = [
            {"id": one, "date_modified_gmt": at.strftime("%Y-%m-%dT%H:%M:%S")}
            for at, one in found[size * (page - 1) : size * page]
        ]
        if self.between:
            one, at = self.between.pop(0)
            self.changed[one] = at
        body = json.dumps(rows).encode()
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_the_sweep_finds_every_change_once(ask: Any, server: Any) -> None:
    store = Store(server)
    store.changed = {n: NOON + timedelta(seconds=n // 3) for n in range(1, 451)}
    store.changed[900] = NOON - timedelta(minutes=4)  # within the overlap
    store.changed[901] = NOON - timedelta(minutes=6)
    found = ask.changed_since(NOON)
    assert sorted(found, key=int) == [*(str(n) for n in range(1, 451)), "900"]
    instants = [store.changed[int(one)] for one in found]
    assert instants == sorted(instants)


@pytest.mark.parametrize("excludes", [True, False])
def test_many_changes_in_one_second_are_all_found(ask: Any, server: Any, excludes: bool) -> None:
    """In whatever order; a store that excludes nothing is asked page by page, in its own."""
    store = Store(server)
    store.excludes, store.dice = excludes, store.dice if excludes else None
    store.changed = dict.fromkeys(range(1, 351), NOON)
    store.changed[400] = NOON + timedelta(seconds=1)
    found = ask.changed_since(NOON)
    assert len(found) == 351
    assert set(found) == {str(n) for n in store.changed}


def test_so_many_in_one_second_are_not_all_named(
    ask: Any, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond that there are pages again, which this store keeps in order."""
    monkeypatch.setattr(client, "MAX_EXCLUDED", 100)
    store = Store(server)
    store.dice = None
    store.changed = dict.fromkeys(range(1_000_001, 1_000_731), NOON)
    assert len(ask.changed_since(NOON)) == 730
    assert max(len(one) for one in server.asked) < 8000


def test_orders_that_change_meanwhile_hide_no_other(ask: Any, server: Any) -> None:
    """With page numbers, each order that moves to the end would make one be skipped."""
    store = Store(server)
    store.changed = {n: NOON + timedelta(seconds=n) for n in range(1, 301)}
    store.between = [(n, NOON + timedelta(hours=1, seconds=n)) for n in (1, 2, 3)]
    assert set(ask.changed_since(NOON)) == {str(n) for n in range(1, 301)}


def test_nothing_new_is_one_question(ask: Any, server: Any) -> None:
    Store(server)
    assert ask.changed_since(NOON) == []
    assert len(server.asked) == 1


def test_a_list_without_end_is_an_error(
    ask: Any, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "MAX_PAGES", 5)
    server.says([{"id": n, "date_modified_gmt": "2026-11-20T00:00:00"} for n in range(100)])
    with pytest.raises(Unfinished):
        ask.changed_since(NOON)


def test_a_sweep_that_is_out_of_time_says_how_far_it_came(
    ask: Any, clock: Any, server: Any
) -> None:
    def slowly(handler: Any) -> None:
        minute = len(server.asked)
        clock.sleep(client.SWEEP_SECONDS / 3)
        orders = [
            {"id": minute * 1000 + n, "date_modified_gmt": f"2026-11-20T12:{minute:02}:00"}
            for n in range(100)
        ]
        body = json.dumps(orders).encode()
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    server.by_hand = slowly
    with pytest.raises(Unfinished) as told:
        ask.changed_since(NOON)
    assert len(server.asked) == 3
    assert told.value.until == datetime(2026, 11, 20, 12, 2, 59, tzinfo=UTC)


def test_all_answers_of_a_store_together_have_their_time(ask: Any, clock: Any, server: Any) -> None:
    """Each in time, and a page of refunds after every page: nobody waits for the last."""

    def slowly(handler: Any) -> None:
        clock.sleep(client.ORDER_SECONDS / 3)
        refunds = json.dumps([{"id": n} for n in range(100)]).encode()
        body = refunds if "/refunds" in handler.path else b'{"id":18,"refunds":[{"id":22}]}'
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    server.by_hand = slowly
    with pytest.raises(PlatformUnreachable, match="too long"):
        ask.fetch()
    assert len(server.asked) == 3


def test_refunds_without_end_are_not_gathered(
    ask: Any, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(net, "MAX_BYTES", 20_000)
    server.says(b'{"id":18,"refunds":[{"id":22}]}')
    server.says([{"id": n, "reason": "x" * 50} for n in range(100)])
    with pytest.raises(PlatformUnreachable, match="end"):
        ask.fetch()
    assert len(server.asked) < 6


@pytest.mark.parametrize(
    "orders",
    [
        [{"id": n, "date_modified_gmt": "2026-11-20T12:00:00"} for n in range(101)],
        [{"id": "7/../8", "date_modified_gmt": "2026-11-20T12:00:00"}],
        [{"id": "9" * 21, "date_modified_gmt": "2026-11-20T12:00:00"}],
    ],
)
def test_more_than_was_asked_for_or_no_ids_is_no_list(ask: Any, server: Any, orders: Any) -> None:
    server.says(orders)
    with pytest.raises(PlatformUnreachable):
        ask.changed_since(NOON)


@pytest.mark.parametrize("body", [b"{}", b"null", b'{"id":1}', b"<html>", b"[{}]", b"[1]"])
def test_a_sweep_of_no_list_is_unreachable(ask: Any, server: Any, body: bytes) -> None:
    server.says(body)
    with pytest.raises(PlatformUnreachable):
        ask.changed_since(NOON)
