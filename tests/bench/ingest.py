"""Deliveries of a shop: filed durably, beside a bare Flask that only says ok."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from statistics import median

from connectors.signing import hmac_sha256_base64
from hub.settings import load
from hub.wiring import build
from tests.bench.figures import Figure, percentile
from tests.bench.load import Load
from tests.bench.processes import ROOT, environment, free_ports, running

#: What WooCommerce 11.0.1 sent of a real checkout; see tests/connectors/payloads.
_CAPTURED = ROOT / (
    "tests/connectors/payloads/woocommerce/"
    "012-05-zero-rate-ieps-exempt-fixed-coupon-order.created.body"
)
ORDER_BYTES = 6 * 1024
CONNECTIONS = 16
PER_SECOND = 400
_ID = 900_000_000_000


@dataclass(frozen=True, slots=True)
class Extent:
    """How long it is measured. A request of `rate` is prepared for `ceiling` answers a second."""

    rounds: int = 3
    seconds: float = 4.0
    steady_seconds: float = 6.0
    ceiling: int = 4000


def measure(place: Path, extent: Extent) -> Iterator[Figure]:
    yield Figure("disk: 12 KiB written and synchronised, p50", _disk_ms(place), "ms")
    orders = _Orders()
    with ExitStack() as stack:
        bare = stack.enter_context(_bare(place))
        hub = stack.enter_context(_hub(place / "plain", orders))
        rates: dict[int, list[float]] = {bare: [], hub: []}
        for _ in range(extent.rounds):
            for port, taken in rates.items():
                wanted = int(extent.seconds * extent.ceiling)
                taken.append(_rate(port, orders.signed(hub, wanted), extent.seconds))
        flask, durable = median(rates[bare]), median(rates[hub])
        yield Figure("bare Flask POST", flask, "/s")
        yield Figure("durable ingest", durable, "/s", note="no Redis, no workers running")
        yield Figure("durable ingest ÷ bare Flask", durable / flask, "×", 0.45, at_least=True)
        yield from _steady(hub, orders, extent, "")
    redis = shutil.which("redis-server")
    if redis is not None:
        with (
            _private_redis(Path(redis)) as url,
            _hub(place / "woken", orders, REDIS_URL=url) as hub,
        ):
            wanted = int(extent.seconds * extent.ceiling)
            woken = _rate(hub, orders.signed(hub, wanted), extent.seconds)
            yield Figure("durable ingest with Redis ÷ bare Flask", woken / flask, "×")
            yield from _steady(hub, orders, extent, " with Redis")


def _disk_ms(place: Path, times: int = 100) -> float:
    """What one wait for this disk takes now: no commit is faster."""
    taken = []
    with (place / "disk").open("wb", buffering=0) as file:
        for _ in range(times):
            begun = time.perf_counter()
            file.write(bytes(12 * 1024))
            os.fsync(file.fileno())
            taken.append(1000 * (time.perf_counter() - begun))
    return median(taken)


def _steady(hub: int, orders: _Orders, extent: Extent, how: str) -> Iterator[Figure]:
    load = Load(hub, CONNECTIONS)
    requests = orders.signed(hub, int(PER_SECOND * extent.steady_seconds))
    taken = [1000 * seconds for seconds in load.latencies(requests, PER_SECOND)]
    load.close()
    yield Figure(f"ingest p50 at {PER_SECOND}/s{how}", median(taken), "ms")
    target = None if how else 25
    yield Figure(f"ingest p99 at {PER_SECOND}/s{how}", percentile(taken, 99), "ms", target)


def _rate(port: int, requests: list[bytes], seconds: float) -> float:
    load = Load(port, CONNECTIONS)
    try:
        return load.rate(requests, seconds)
    finally:
        load.close()


class _Orders:
    """Signed deliveries of one shop, no two of the same order."""

    def __init__(self) -> None:
        self.secret = secrets.token_urlsafe(32)
        self.connections: dict[int, str] = {}
        order = json.loads(_CAPTURED.read_bytes())
        order["id"] = _ID
        lines = order["line_items"]
        while len(_dumped(order)) < ORDER_BYTES:
            order["line_items"] = order["line_items"] + lines[:1]
        self._template = _dumped(order)
        self._numbers = count(_ID + 1)

    def signed(self, port: int, wanted: int) -> list[bytes]:
        return [self._request(self.connections[port], next(self._numbers)) for _ in range(wanted)]

    def _request(self, connection: str, number: int) -> bytes:
        body = self._template.replace(b"%d" % _ID, b"%d" % number, 1)
        headers = (
            f"POST /webhooks/woocommerce/{connection} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            "User-Agent: WooCommerce/11.0.1 Hookshot (WordPress/7.0.4)\r\nAccept: */*\r\n"
            "Accept-Encoding: deflate, gzip, br, zstd\r\nContent-Type: application/json\r\n"
            "X-WC-Webhook-Source: http://127.0.0.1:8088/\r\nX-WC-Webhook-Topic: order.created\r\n"
            "X-WC-Webhook-Resource: order\r\nX-WC-Webhook-Event: created\r\n"
            f"X-WC-Webhook-Signature: {hmac_sha256_base64(body, self.secret)}\r\n"
            f"X-WC-Webhook-ID: 1\r\nX-WC-Webhook-Delivery-ID: {number:032x}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return headers.encode("ascii") + body


def _dumped(order: object) -> bytes:
    return json.dumps(order, separators=(",", ":")).encode("ascii")


@contextmanager
def _bare(place: Path) -> Iterator[int]:
    port = free_ports(1)
    arguments = ["-m", "tests.bench.bare", str(port)]
    health = f"http://127.0.0.1:{port}/health"
    with running(arguments, os.environ, health, place / "bare.log"):
        yield port


@contextmanager
def _hub(var_dir: Path, orders: _Orders, **more: str) -> Iterator[int]:
    """`autofactura web` with one connected shop, and nothing else of the hub."""
    port = free_ports(3)
    env = environment(var_dir, port, **more)
    orders.connections[port] = _connected(env, orders.secret)
    health = f"http://127.0.0.1:{port}/health"
    with running(["-m", "hub.cli", "web"], env, health, var_dir / "web.log"):
        yield port


def _connected(env: dict[str, str], secret: str) -> str:
    hub = build(load(env))
    try:
        hub.ctx.store.migrate()
        hub.ctx.store.check_keys()
        with hub.ctx.store.transaction() as tx:
            made = tx.merchants.create(
                rfc="EKU9003173C9",
                nombre="ESCUELA KEMPER URGATE",
                regimen="601",
                codigo_postal="42501",
            )
            connection = tx.tenant(made.id).connections.create(
                platform="woocommerce",
                account="http://127.0.0.1:8088",
                credentials={"webhook_secret": secret},
                settings={},
                since=datetime.now(UTC),
            )
    finally:
        hub.close()
    return connection.id


@contextmanager
def _private_redis(program: Path) -> Iterator[str]:
    """A Redis as `autofactura up` runs it, on a socket in a short path."""
    with tempfile.TemporaryDirectory(prefix="bench-") as short:
        where = Path(short) / "r.sock"
        argv = [sys.executable, "-m", "hub.work.redis", str(program), short, str(where)]
        process = subprocess.Popen(argv, cwd=ROOT)
        try:
            while not where.exists() and process.poll() is None:
                time.sleep(0.05)
            yield f"unix://{where}"
        finally:
            process.terminate()
            process.wait(60)
