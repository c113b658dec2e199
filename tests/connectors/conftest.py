"""Recorded payloads of every platform, keys in memory, and a store on loopback."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from connectors import net
from connectors.contract import ConnectionFacts, Delivery
from connectors.held import Held
from connectors.shopify import client
from connectors.woocommerce import connector

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

#: More folders of recorded payloads: a connector of another package brings its own.
FOLDERS = [
    Path(__file__).parent / "payloads",
    *(Path(more) for more in os.environ.get("AUTOFACTURA_PAYLOADS", "").split(os.pathsep) if more),
]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who answers is not given up because the machine was busy; some tests shorten this again."""
    for name in ("CONNECT_SECONDS", "CONNECTING_SECONDS", "HOP_SECONDS", "HOPS_SECONDS"):
        monkeypatch.setattr(net, name, 120.0)
    monkeypatch.setattr(client, "CHECK_SECONDS", 120.0)
    monkeypatch.setattr(connector, "CALLBACK_SECONDS", 120.0)


@dataclass(frozen=True)
class Recorded:
    """What was recorded of one platform."""

    deliveries: tuple[tuple[str, Delivery], ...]
    orders: tuple[tuple[str, bytes], ...]
    keys: Held


def delivery_of(path: Path) -> Delivery:
    told = json.loads(path.with_suffix(".headers.json").read_text("utf-8"))
    headers = {name.lower(): value for name, value in told["headers"]}
    return Delivery(headers, path.read_bytes(), datetime(2026, 11, 20, 18, 5, tzinfo=UTC))


def load(platform: str) -> Recorded:
    for folder in FOLDERS:
        place = folder / platform
        if place.is_dir():
            return Recorded(
                deliveries=tuple((p.stem, delivery_of(p)) for p in sorted(place.glob("*.body"))),
                orders=tuple((p.stem, p.read_bytes()) for p in sorted(place.glob("orders/*.json"))),
                keys=Held(json.loads((place / "credentials.json").read_text("utf-8"))),
            )
    pytest.fail(f"no recorded payloads for {platform}: make tests/connectors/payloads/{platform}/")


@pytest.fixture(scope="session")
def recorded() -> Callable[[str], Recorded]:
    return load


@pytest.fixture
def keys() -> Callable[..., Held]:
    return lambda **given: Held(given)


@pytest.fixture
def facts() -> Callable[..., ConnectionFacts]:
    def make(account: str = "https://tienda.example", **settings: Any) -> ConnectionFacts:
        return ConnectionFacts("connection-1", account, settings)

    return make


@dataclass
class Server:
    """A real HTTP server. `answers` are given in turn, the last one for ever."""

    url: str
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    #: If set, writes the answer itself.
    by_hand: Callable[[BaseHTTPRequestHandler], None] | None = None

    def says(self, body: bytes | object, status: int = 200, kind: str = "application/json") -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answers.append((status, {"Content-Type": kind}, raw))


@pytest.fixture
def server() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.asked.append(self.path)
            told.headers.append(dict(self.headers))
            if told.by_hand:
                told.by_hand(self)
                return
            status, headers, body = (
                told.answers.pop(0) if len(told.answers) > 1 else told.answers[0]
            )
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    httpd.handle_error = lambda *_: None  # type: ignore[method-assign] # clients hang up on purpose
    told = Server(f"http://127.0.0.1:{httpd.server_port}")
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield told
    httpd.shutdown()
    httpd.server_close()
    thread.join()


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        pass


@pytest.fixture
def serve() -> Iterator[Callable[[WSGIApplication], str]]:
    """Any number of applications on loopback, each by its address."""
    running = []

    def start(app: WSGIApplication) -> str:
        httpd = make_server("127.0.0.1", 0, app, handler_class=Quiet)
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        running.append((httpd, thread))
        return f"http://127.0.0.1:{httpd.server_port}"

    yield start
    for httpd, thread in running:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


@pytest.fixture
def sent(
    serve: Callable[[WSGIApplication], str],
) -> Callable[..., list[Delivery]]:
    """What a demonstration shop brings to a hub that gives this answer."""

    def by(send: Callable[[str], None], status: str = "200 OK") -> list[Delivery]:
        came: list[Delivery] = []

        def hub(environ: Any, start_response: Any) -> list[bytes]:
            body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            headers = {
                name[5:].replace("_", "-").lower(): value
                for name, value in environ.items()
                if name.startswith("HTTP_")
            }
            came.append(Delivery(headers, body, datetime.now(UTC)))
            start_response(status, [])
            return []

        send(serve(hub))
        return came

    return by
