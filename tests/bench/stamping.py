"""From the buyer's form to the stamp through the processes that `autofactura up` runs."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from urllib.parse import urlencode, urlsplit

from hub.app import TEST_BUYER
from hub.settings import load
from hub.steps.register import register
from hub.wiring import Hub, build
from tests.bench.figures import Figure, percentile
from tests.bench.parts import printing
from tests.bench.processes import children, environment, free_ports, resident_mb, running
from tests.bench.sealing import three_lines

_HIDDEN = re.compile(r'name="csrf_token" value="([^"]+)"')
#: How often the buyer's page is asked for its state: what it adds to a time is half of this.
LOOK_SECONDS = 0.01
PATIENCE_SECONDS = 30.0
MEMORY_MB = 160


@dataclass(slots=True)
class _Run:
    pages: list[float]
    page_bytes: list[int]
    stamps: list[float]
    pdfs: list[float]
    xml: bytes = b""


def measure(place: Path, sales: int) -> Iterator[Figure]:
    with _up(place / "queued") as (hub, merchant_id, supervisor):
        queued = _buy(hub, merchant_id, sales)
        memory = dict(_memory(supervisor))
    yield Figure("form → stamped p50, Redis", median(queued.stamps), "ms")
    yield Figure("form → stamped p95, Redis", percentile(queued.stamps, 95), "ms", 400)
    # A Redis that is configured and does not answer: nothing listens on the port of discard.
    with _up(place / "polled", REDIS_URL="redis://127.0.0.1:9/0") as (hub, merchant_id, _):
        polled = _buy(hub, merchant_id, sales)
    yield Figure("form → stamped p50, Redis stopped", median(polled.stamps), "ms")
    yield Figure("form → stamped p95, Redis stopped", percentile(polled.stamps, 95), "ms", 1000)
    yield Figure("buyer's page p95", percentile(queued.pages, 95), "ms")
    yield Figure("buyer's page over the wire", max(queued.page_bytes) / 1024, "KiB")
    yield Figure("PDF over HTTP p50", median(queued.pdfs), "ms")
    yield printing(polled.xml, sales)
    for name, megabytes in memory.items():
        ours = name.startswith(("web", "worker"))
        yield Figure(f"resident: {name}", megabytes, "MB", MEMORY_MB if ours else None)


@contextmanager
def _up(var_dir: Path, **more: str) -> Iterator[tuple[Hub, str, int]]:
    """The demo as `make run` starts it, once its own orders are through."""
    var_dir.mkdir(parents=True)
    port = free_ports(3)
    env = environment(var_dir, port, **more)
    health = f"http://127.0.0.1:{port}/health"
    with running(["-m", "hub.cli", "up", "--demo"], env, health, var_dir / "up.log") as process:
        hub = build(load(env))
        try:
            merchant_id = _settled(hub, var_dir)
            yield hub, merchant_id, process.pid
        finally:
            hub.close()


def _settled(hub: Hub, var_dir: Path) -> str:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        time.sleep(0.5)
        try:
            merchant_id = str(json.loads((var_dir / "demo.json").read_text())["merchant_id"])
        except (OSError, ValueError):
            continue
        with hub.ctx.store.reading() as tx:
            arrived, _ = tx.tenant(merchant_id).sales.list(limit=2)
            if len(arrived) == 2 and not tx.outbox.due(None):
                return merchant_id
    raise RuntimeError("the demo shop's orders did not arrive")


def _buy(hub: Hub, merchant_id: str, sales: int) -> _Run:
    """One buyer after the other; each asks for the mail with the PDF and downloads it."""
    run = _Run([], [], [], [])
    for number in range(sales):
        paid_at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
        row = register(hub.ctx, merchant_id, three_lines(f"bench-{number}", paid_at))
        with hub.ctx.store.reading() as tx:
            link = tx.tenant(merchant_id).links.current(row.id)
        if link is None:
            raise RuntimeError("a sale that can be invoiced has no link")
        _one(hub.ctx.link(link.token), run)
    return run


def _one(link: str, run: _Run) -> None:
    parts = urlsplit(link)
    buyer = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE_SECONDS)
    begun = time.perf_counter()
    page = _answer(buyer, "GET", parts.path)
    run.pages.append(_ms_since(begun))
    run.page_bytes.append(len(page))
    hidden = _HIDDEN.search(page.decode())
    if hidden is None:
        raise RuntimeError("the buyer's page has no form")
    form = asdict(TEST_BUYER) | {"correo": "bench@example.test", "csrf_token": hidden[1]}
    begun = time.perf_counter()
    _answer(buyer, "POST", parts.path, urlencode(form), status=303)
    while json.loads(_answer(buyer, "GET", f"{parts.path}/estado"))["estado"] != "lista":
        if _ms_since(begun) > 1000 * PATIENCE_SECONDS:
            raise RuntimeError("a sale was not stamped")
        time.sleep(LOOK_SECONDS)
    run.stamps.append(_ms_since(begun))
    begun = time.perf_counter()
    _answer(buyer, "GET", f"{parts.path}/cfdi.pdf")
    run.pdfs.append(_ms_since(begun))
    run.xml = _answer(buyer, "GET", f"{parts.path}/cfdi.xml")
    buyer.close()


def _answer(
    buyer: http.client.HTTPConnection, method: str, path: str, body: str = "", status: int = 200
) -> bytes:
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
    buyer.request(method, path, body or None, headers)
    answer = buyer.getresponse()
    content = answer.read()
    if answer.status != status:
        raise RuntimeError(f"{method} was answered {answer.status}")
    return content


def _ms_since(begun: float) -> float:
    return 1000 * (time.perf_counter() - begun)


def _memory(supervisor: int) -> Iterator[tuple[str, float]]:
    """Of each process of the hub, named as its command; workers are counted."""
    workers = 0
    for pid, arguments in sorted(children(supervisor).items()):
        name = arguments.split()[-1] if "hub.cli" in arguments else ""
        if name == "worker":
            workers += 1
            name = f"worker {workers}"
        if name:
            yield name, resident_mb(pid)
    yield "supervisor (up)", resident_mb(supervisor)
