"""What a shop is answered: exactly 200 once it is on disk, else what it should do about it."""

from __future__ import annotations

import http.client
import json
import socket
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from hub.app import create_app
from hub.wiring import build

MIB = 1024 * 1024


@pytest.fixture
def door(site: Any) -> str:
    connection_id = site.connection(site.merchant())
    return f"/webhooks/woocommerce/{connection_id}"


def filed(site: Any) -> int:
    (merchant,) = site.told("merchant", "list")["data"]
    return len(site.told("inbox", "list", "--merchant", merchant["id"])["data"])


def test_filed_then_a_duplicate_then_of_no_use(
    site: Any, door: str, order: bytes, sign: Callable[..., dict[str, str]]
) -> None:
    post = site.client.post
    first = post(door, data=order, headers=sign(order))
    again = post(door, data=order, headers=sign(order))
    useless = post(door, data=order, headers=sign(order, topic="product.updated"))
    assert [(one.status_code, one.text) for one in (first, again, useless)] == [
        (200, "filed\n"),
        (200, "duplicate\n"),
        (200, "ignored\n"),
    ]
    assert filed(site) == 1


def test_a_greeting_files_nothing(site: Any, door: str) -> None:
    answer = site.client.post(door, data={"webhook_id": "7"})
    assert (answer.status_code, answer.text) == (200, "greeting\n")
    assert filed(site) == 0


@pytest.mark.parametrize(
    "signature",
    ["", "x", "é", "ñandú=", "AAAA" * 5000, "RIS1Mwad7QHnx4cG7uAUvX5R9kl1VNWKJRRi2En7QTI="],
)
def test_a_wrong_signature_is_401_and_leaves_nothing(
    site: Any, door: str, order: bytes, sign: Callable[..., dict[str, str]], signature: str
) -> None:
    wrong = sign(order) | {"X-WC-Webhook-Signature": signature}
    wire = {name: value.encode().decode("latin-1") for name, value in wrong.items()}
    assert site.client.post(door, data=order, headers=wire).status_code == 401
    assert filed(site) == 0


def test_one_changed_byte_is_401(
    site: Any, door: str, order: bytes, sign: Callable[..., dict[str, str]]
) -> None:
    assert site.client.post(door, data=order + b" ", headers=sign(order)).status_code == 401


@pytest.mark.parametrize(
    "place", ["woocommerce/{}0", "shopify/{}", "WooCommerce/{}", "woocommerce/%01"]
)
def test_what_is_no_connection_is_404(
    site: Any, door: str, order: bytes, sign: Callable[..., dict[str, str]], place: str
) -> None:
    path = "/webhooks/" + place.format(door.rpartition("/")[2])
    answer = site.client.post(path, data=order, headers=sign(order))
    assert (answer.status_code, answer.text) == (404, "no such connection\n")


def test_another_merchants_secret_opens_nothing(
    site: Any, door: str, order: bytes, sign: Callable[..., dict[str, str]]
) -> None:
    other = site.merchant("IIA040805DZ4", "INDISTRIA ILUMINADORA DE ALMACENES")
    site.connection(other, "other", "whsec_of-another-merchant")
    headers = sign(order, "whsec_of-another-merchant")
    assert site.client.post(door, data=order, headers=headers).status_code == 401


def test_a_body_of_unknown_length_is_411(site: Any, door: str, serve: Callable[[Any], str]) -> None:
    head = f"POST {door} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert exchange(serve(site.app), head.encode()).startswith(b"HTTP/1.1 411")


def test_two_mebibytes_are_read_and_one_byte_more_is_not(
    site: Any, door: str, sign: Callable[..., dict[str, str]]
) -> None:
    order = json.dumps({"id": 7, "status": "processing", "note": ""}).encode()
    whole = order.replace(b'""', b'"' + b"x" * (2 * MIB - len(order)) + b'"')
    assert len(whole) == 2 * MIB
    assert site.client.post(door, data=whole, headers=sign(whole)).status_code == 200
    more = whole.replace(b'"x', b'"xx')
    assert site.client.post(door, data=more, headers=sign(more)).status_code == 413
    assert filed(site) == 1


def test_signed_rubbish_is_kept_for_a_person(
    site: Any, door: str, sign: Callable[..., dict[str, str]]
) -> None:
    for body in (b"\xff\xfe", b"[]", b'{"id": "../../etc"}', b'{"id": 1e400}'):
        assert site.client.post(door, data=body, headers=sign(body)).status_code == 200
    (merchant,) = site.told("merchant", "list")["data"]
    rows = site.told("inbox", "list", "--merchant", merchant["id"])["data"]
    assert rows
    assert {row["state"] for row in rows} == {"dead"}


def test_a_busy_database_is_503_and_the_next_try_is_filed(
    site: Any, door: str, order: bytes, sign: Callable[..., dict[str, str]]
) -> None:
    site.hub.ctx.store._engine.db.execute_sql("PRAGMA busy_timeout = 200")
    other = sqlite3.connect(site.var_dir / "hub.sqlite3", timeout=1)
    other.execute("BEGIN IMMEDIATE")
    answer = site.client.post(door, data=order, headers=sign(order))
    assert (answer.status_code, answer.text) == (503, "not stored, please send it again\n")
    other.rollback()
    other.close()
    assert site.client.post(door, data=order, headers=sign(order)).text == "filed\n"


def test_a_connector_that_is_not_installed_is_503_and_told(
    site: Any, door: str, order: bytes, sign: Callable[..., dict[str, str]], capsys: Any
) -> None:
    hub = site.hub
    without = replace(hub, ctx=replace(hub.ctx, connectors={}))
    client = create_app(without, site.settings).test_client()
    answer = client.post(door, data=order, headers=sign(order))
    assert (answer.status_code, answer.text) == (503, "not stored, please send it again\n")
    events = [json.loads(one) for one in capsys.readouterr().err.splitlines()]
    told = [one["connection"] for one in events if one["event"] == "connector_missing"]
    assert told == [door.rpartition("/")[2]]
    assert site.client.post(door, data=order, headers=sign(order)).text == "filed\n"


def test_a_damaged_database_is_503(
    site: Any, door: str, order: bytes, sign: Callable[..., dict[str, str]]
) -> None:
    (site.var_dir / "hub.sqlite3").write_bytes(b"not a database at all" * 100)
    for name in ("wal", "shm"):
        (site.var_dir / f"hub.sqlite3-{name}").unlink(missing_ok=True)
    hub = build(site.settings)
    client = create_app(hub, site.settings).test_client()
    assert client.post(door, data=order, headers=sign(order)).status_code == 503
    assert client.get("/ready").status_code == 503
    assert client.get("/metrics").status_code == 503
    assert client.get("/health").status_code == 200
    hub.close()


def exchange(address: str, raw: bytes, some_sent: Callable[[], object] | None = None) -> bytes:
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as peer:
        if some_sent is not None:
            peer.sendall(raw[:50])
            some_sent()
        peer.sendall(raw[50:] if some_sent else raw)
        answer = b""
        while chunk := peer.recv(65536):
            answer += chunk
    return answer


def test_chunked_bytes_over_a_real_server(
    site: Any,
    door: str,
    order: bytes,
    sign: Callable[..., dict[str, str]],
    serve: Callable[[Any], str],
) -> None:
    """PHP's own client sends a length; a proxy in between may not."""
    parts = urlsplit(serve(site.app))
    peer = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    halves = iter([order[:1000], order[1000:]])
    peer.request("POST", door, body=halves, headers=sign(order), encode_chunked=True)
    answer = peer.getresponse()
    assert (answer.status, answer.read()) == (200, b"filed\n")
    peer.close()


def test_far_too_much_is_refused_by_the_server_itself(
    site: Any, door: str, serve: Callable[[Any], str]
) -> None:
    head = f"POST {door} HTTP/1.1\r\nHost: x\r\nContent-Length: {10**12}\r\n\r\n"
    assert exchange(serve(site.app), head.encode()).startswith(b"HTTP/1.1 413")


def test_header_bytes_that_are_no_ascii(site: Any, door: str, serve: Callable[[Any], str]) -> None:
    head = (
        f"POST {door} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n"
        "X-WC-Webhook-Topic: order.ñ\r\nX-WC-Webhook-Signature: ñ\xa0é\r\n\r\n{}"
    )
    assert exchange(serve(site.app), head.encode()).startswith(b"HTTP/1.1 401")
    assert exchange(serve(site.app), head.encode("latin-1")).startswith(b"HTTP/1.1 401")


def test_slow_senders_do_not_stop_the_others(
    site: Any,
    door: str,
    order: bytes,
    sign: Callable[..., dict[str, str]],
    serve: Callable[[Any], str],
) -> None:
    """Waitress reads a whole request before a thread takes it: 20 slow ones against 4 threads."""
    address = serve(site.app)
    parts = urlsplit(address)
    headers = "".join(f"{name}: {value}\r\n" for name, value in sign(order).items())
    length = f"Content-Length: {len(order)}\r\nConnection: close\r\n"
    raw = f"POST {door} HTTP/1.1\r\nHost: x\r\n{headers}{length}\r\n".encode() + order
    answers: list[bytes] = []
    begun, go_on = threading.Barrier(21), threading.Event()

    def some_sent() -> None:
        begun.wait(120)
        go_on.wait(120)

    slow = [
        threading.Thread(target=lambda: answers.append(exchange(address, raw, some_sent)))
        for _ in range(20)
    ]
    for one in slow:
        one.start()
    begun.wait(120)
    try:
        peer = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        peer.request("GET", "/health")
        assert peer.getresponse().status == 200
        peer.close()
    finally:
        go_on.set()
    for one in slow:
        one.join()
    assert sorted(answer.rpartition(b"\r\n")[2] for answer in answers) == (
        [b"duplicate\n"] * 19 + [b"filed\n"]
    )
