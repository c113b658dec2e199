"""The buyer's pages with many sales in the database, and what the first of them weighs."""

from __future__ import annotations

import gzip
import re
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Final

from hub.settings import load
from hub.wiring import build
from tests.bench.figures import Figure, percentile
from tests.bench.load import Load
from tests.bench.million import fill
from tests.bench.processes import environment, free_ports, running
from tests.bench.stamping import Run, one_buyer, up

#: One in so many of the sales has its invoice: a document in four tables.
INVOICED_EVERY: Final = 10
WEIGHT_KIB: Final = 40
PAGE_MS, ESTADO_MS = 15, 5
CLIENTS: Final = 4
#: What a page makes a browser fetch before and after it is painted.
_FETCHED = re.compile(rb'(?:href|src)="(/assets/[^"]+)"')


@dataclass(frozen=True, slots=True)
class Hub:
    """A database that is filled, with links of open and of invoiced sales in it."""

    var_dir: Path
    open_sales: Sequence[str]
    invoiced: Sequence[str]


def measure(place: Path, sales: int, requests: int) -> Iterator[Figure]:
    filled = _filled(place / "million", sales)
    port = free_ports(3)
    env = environment(filled.var_dir, port)
    health = f"http://127.0.0.1:{port}/health"
    with running(["-m", "hub.cli", "web"], env, health, filled.var_dir / "web.log"):
        wire = weight(port, f"/f/{filled.open_sales[0]}")
        yield Figure(
            "page over the wire, all it fetches", sum(wire.values()) / 1024, "KiB", WEIGHT_KIB
        )
        for kind, size in wire.items():
            yield Figure(f"page over the wire: {kind}", size / 1024, "KiB")
        of = f"with {sales:,} sales"
        for name, tokens, path, target in (
            ("open page", filled.open_sales, "", PAGE_MS),
            ("invoiced page", filled.invoiced, "", PAGE_MS),
            ("estado", filled.open_sales, "/estado", ESTADO_MS),
            ("estado, invoiced", filled.invoiced, "/estado", ESTADO_MS),
        ):
            asked = [_get(f"/f/{tokens[n % len(tokens)]}{path}") for n in range(requests)]
            alone, busy = _times(port, 1, asked), _times(port, CLIENTS, asked)
            yield Figure(f"{name} p50, one client", median(alone), "ms", note=of)
            yield Figure(f"{name} p95, one client", percentile(alone, 95), "ms", note=of)
            yield Figure(f"{name} p50, {CLIENTS} clients", median(busy), "ms", note=of)
            yield Figure(
                f"{name} p95, {CLIENTS} clients", percentile(busy, 95), "ms", target, note=of
            )


def _filled(var_dir: Path, sales: int) -> Hub:
    """Copies of two of the demo shop's orders, one of them invoiced, confirmed by it just now."""
    with up(var_dir) as (hub, merchant_id, _):
        with hub.ctx.store.reading() as tx:
            tenant = tx.tenant(merchant_id)
            first, second = (row.id for row in tenant.sales.list(limit=2)[0])
            link = tenant.links.current(second)
        if link is None:
            raise RuntimeError("a sale of the demo has no link")
        one_buyer(hub.ctx.link(link), Run([], [], [], []))
    hub = build(load(environment(var_dir, free_ports(3))))
    confirmed_at = datetime.now(UTC) + timedelta(days=1)  # no page asks the shop, which is gone
    try:
        invoiced = sales // INVOICED_EVERY
        store = hub.ctx.store
        done = fill(store, merchant_id, second, invoiced, at=confirmed_at)
        waiting = fill(store, merchant_id, first, sales - invoiced, at=confirmed_at)
    finally:
        hub.close()
    return Hub(var_dir, waiting, done)


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: hub\r\nAccept-Encoding: gzip\r\n\r\n".encode()


def _times(port: int, clients: int, asked: Sequence[bytes]) -> list[float]:
    """Milliseconds of each; what comes before the first hundred warms caches."""
    load_ = Load(port, clients)
    try:
        load_.times(asked[:100])
        return [1000 * one for one in load_.times(asked)]
    finally:
        load_.close()


def weight(port: int, path: str) -> dict[str, int]:
    """Bytes from the server, heads of answers included, of a page and of all that it fetches."""
    page, body = _fetched(port, path)
    sizes = {"document": page}
    for asset in dict.fromkeys(_FETCHED.findall(body)):
        address = asset.decode()
        kind = address.rpartition(".")[2]
        sizes[kind] = sizes.get(kind, 0) + _fetched(port, address)[0]
    return sizes


def _fetched(port: int, path: str) -> tuple[int, bytes]:
    """All that the server sends for it to a browser that takes gzip, and the body made plain."""
    asked = _get(path).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with socket.create_connection(("127.0.0.1", port), timeout=60) as link:
        link.sendall(asked)
        answer = b"".join(iter(lambda: link.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(f"not served: {head[:60].decode('latin-1')}")
    zipped = b"content-encoding: gzip" in head.lower()
    return len(answer), gzip.decompress(body) if zipped else body
