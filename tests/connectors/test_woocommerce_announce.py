"""The state of an invoice at its order: one note, two metas, whatever breaks between."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from connectors.abilities import Announces, News
from connectors.contract import (
    ConnectionFacts,
    CredentialsRefused,
    OrderNotFound,
    PlatformUnreachable,
)
from connectors.woocommerce.announce import ESTADO, UUID
from connectors.woocommerce.connector import WooCommerce

ISSUED = News("stamped", "5fb2822e-396d-4725-8521-cdc4bdd20ccf", "CFDI emitido: 5fb2822e")
GONE = News("cancelled", ISSUED.uuid, "CFDI cancelado: 5fb2822e")


class Store:
    """Orders with notes and metas, as far as they are asked for, over HTTP."""

    def __init__(self) -> None:
        self.metas: list[dict[str, Any]] = [{"id": 1, "key": "_other", "value": {"a": 1}}]
        self.notes: list[dict[str, Any]] = []
        self.asked: list[str] = []
        #: Statuses answered instead, by method.
        self.instead: dict[str, list[int]] = {}
        self.url = ""

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        self.asked.append(f"{method} {path.partition('?')[0]}")
        if self.instead.get(method):
            status = self.instead[method].pop(0)
            code = "woocommerce_rest_shop_order_invalid_id" if status == 404 else "no"
            return status, {"code": code}
        if path.partition("?")[0].endswith("/notes"):
            if method == "GET":
                assert "type=internal" in path
                return 200, self.notes
            self.notes.append({"id": len(self.notes) + 1, **body})
            return 201, self.notes[-1]
        if method == "PUT":
            assert set(body) == {"meta_data"}
            for meta in body["meta_data"]:
                self.metas = [one for one in self.metas if one["key"] != meta["key"]]
                self.metas.append({"id": 9, **meta})
        return 200, {"id": 18, "meta_data": self.metas}

    @property
    def ours(self) -> dict[str, str]:
        return {one["key"]: one["value"] for one in self.metas if one["key"] in {ESTADO, UUID}}


@pytest.fixture
def store() -> Iterator[Store]:
    made = Store()

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            status, answer = made.answer(self.command, self.path, body)
            raw = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_PUT = _any  # noqa: N815 - the names of http.server

        def log_message(self, *_: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{httpd.server_port}"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def tell(store: Store, keys: Any, news: News = ISSUED, order_id: str = "18") -> None:
    connector = WooCommerce()
    assert isinstance(connector, Announces)
    facts = ConnectionFacts("c", store.url, {"allow_private": True})
    connector.announce(order_id, news, facts, keys(consumer_key="ck_1", consumer_secret="cs_1"))


def test_one_note_and_two_metas_however_often(store: Store, keys: Any) -> None:
    for _ in range(3):
        tell(store, keys)
    assert [one["note"] for one in store.notes] == [ISSUED.text]
    assert store.ours == {ESTADO: "lista", UUID: ISSUED.uuid}
    assert store.metas[0]["key"] == "_other"
    # Each write is a change of the order, of which the store tells everybody.
    assert [one.partition(" ")[0] for one in store.asked if "GET" not in one] == ["POST", "PUT"]


def test_the_buyer_is_never_written_to(store: Store, keys: Any) -> None:
    """With customer_note the store would mail it."""
    tell(store, keys)
    assert all(set(one) == {"id", "note"} for one in store.notes)


def test_each_state_has_its_note(store: Store, keys: Any) -> None:
    tell(store, keys)
    tell(store, keys, GONE)
    tell(store, keys, GONE)
    assert [one["note"] for one in store.notes] == [ISSUED.text, GONE.text]
    assert store.ours == {ESTADO: "cancelada", UUID: GONE.uuid}


def test_what_broke_between_note_and_metas_repeats_no_note(store: Store, keys: Any) -> None:
    store.instead["PUT"] = [500, 500]
    for _ in range(2):
        with pytest.raises(PlatformUnreachable):
            tell(store, keys)
    tell(store, keys)
    assert len(store.notes) == 1
    assert store.ours == {ESTADO: "lista", UUID: ISSUED.uuid}


def test_metas_that_a_renewal_copied_are_no_news_of_it(store: Store, keys: Any) -> None:
    store.metas += [
        {"key": ESTADO, "value": "lista"},
        {"key": UUID, "value": "of another order"},
    ]
    tell(store, keys)
    assert len(store.notes) == 1
    assert store.ours[UUID] == ISSUED.uuid


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, CredentialsRefused), (403, CredentialsRefused), (404, OrderNotFound)],
)
def test_what_the_store_says_no_to(
    store: Store, keys: Any, status: int, error: type[Exception]
) -> None:
    store.instead["POST"] = [status]
    with pytest.raises(error):
        tell(store, keys)
    assert store.ours == {}


def test_an_id_that_is_none_of_theirs_asks_nothing(store: Store, keys: Any) -> None:
    with pytest.raises(OrderNotFound):
        tell(store, keys, order_id="18/../../users")
    assert store.asked == []
