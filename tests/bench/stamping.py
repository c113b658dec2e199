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
from urllib.request import Request, urlopen

from hub.app import TEST_BUYER
from hub.settings import load
from hub.steps.register import register
from hub.wiring import Hub, build
from tests.bench.figures import Figure, percentile
from tests.bench.parts import printing
from tests.bench.processes import children, environment, free_ports, resident_mb, running
from tests.bench.sealing import three_lines

HIDDEN = re.compile(r'name="csrf_token" value="([^"]+)"')
#: How often the buyer's page is asked for its state: what it adds to a time is half of this.
LOOK_SECONDS = 0.01
PATIENCE_SECONDS = 600.0
MEMORY_MB = 160
#: A provider that answers after so long, and what the hub may add to that.
PROVIDER_SECONDS = 1.0
ADDED_MS = 150
#: A Redis that is configured and does not answer: nothing listens on the port of discard.
NO_REDIS = {"REDIS_URL": "redis://127.0.0.1:9/0"}


@dataclass(slots=True)
class Run:
    pages: list[float]
    page_bytes: list[int]
    stamps: list[float]
    pdfs: list[float]
    xml: bytes = b""


def measure(place: Path, sales: int) -> Iterator[Figure]:
    with up(place / "queued") as (hub, merchant_id, supervisor):
        queued = buy(hub, merchant_id, sales)
        memory = dict(_memory(supervisor))
    yield Figure("form → stamped p50, Redis", median(queued.stamps), "ms")
    yield Figure("form → stamped p95, Redis", percentile(queued.stamps, 95), "ms", 400)
    with up(place / "polled", **NO_REDIS) as (hub, merchant_id, _):
        polled = buy(hub, merchant_id, sales)
    yield Figure("form → stamped p50, Redis stopped", median(polled.stamps), "ms")
    yield Figure("form → stamped p95, Redis stopped", percentile(polled.stamps, 95), "ms", 1000)
    yield from _slow_provider(place, sales // 3 + 2)
    yield Figure("buyer's page p95", percentile(queued.pages, 95), "ms")
    yield Figure("buyer's page over the wire", max(queued.page_bytes) / 1024, "KiB")
    yield Figure("PDF over HTTP p50", median(queued.pdfs), "ms")
    yield printing(polled.xml, sales)
    for name, megabytes in memory.items():
        ours = name.startswith(("web", "worker"))
        yield Figure(f"resident: {name}", megabytes, "MB", MEMORY_MB if ours else None)


def _slow_provider(place: Path, sales: int) -> Iterator[Figure]:
    """What the hub adds to a provider that takes its time."""
    for name, more in (("Redis", {}), ("Redis stopped", NO_REDIS)):
        with up(place / f"slow-{len(more)}", "--workers", "4", **more) as (hub, merchant_id, _):
            _slow_down(hub, PROVIDER_SECONDS)
            added = [one - 1000 * PROVIDER_SECONDS for one in buy(hub, merchant_id, sales).stamps]
        yield Figure(f"form → stamped less the provider's 1 s, p50, {name}", median(added), "ms")
        bound = ADDED_MS if not more else None
        yield Figure(
            f"form → stamped less the provider's 1 s, p95, {name}",
            percentile(added, 95),
            "ms",
            bound,
        )


def _slow_down(hub: Hub, seconds: float) -> None:
    port = (urlsplit(hub.ctx.public_url).port or 0) + 1
    wish = Request(
        f"http://127.0.0.1:{port}/sandbox/latency",
        json.dumps({"seconds": seconds}).encode(),
        {"Content-Type": "application/json"},
    )
    with urlopen(wish, timeout=60):
        pass


@contextmanager
def up(var_dir: Path, *options: str, **more: str) -> Iterator[tuple[Hub, str, int]]:
    """The demo as `make run` starts it, once its own orders are through."""
    var_dir.mkdir(parents=True)
    port = free_ports(3)
    env = environment(var_dir, port, **more)
    health = f"http://127.0.0.1:{port}/health"
    command = ["-m", "hub.cli", "up", "--demo", *options]
    with running(command, env, health, var_dir / "up.log") as process:
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


def buy(hub: Hub, merchant_id: str, sales: int) -> Run:
    """One buyer after the other; each asks for the mail with the PDF and downloads it."""
    run = Run([], [], [], [])
    for number in range(sales):
        paid_at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
        row = register(hub.ctx, merchant_id, three_lines(f"bench-{number}", paid_at))
        with hub.ctx.store.reading() as tx:
            link = tx.tenant(merchant_id).links.current(row.id)
        if link is None:
            raise RuntimeError("a sale that can be invoiced has no link")
        one_buyer(hub.ctx.link(link), run)
    return run


def one_buyer(link: str, run: Run) -> None:
    parts = urlsplit(link)
    buyer = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE_SECONDS)
    begun = time.perf_counter()
    page = answer_of(buyer, "GET", parts.path)
    run.pages.append(ms_since(begun))
    run.page_bytes.append(len(page))
    hidden = HIDDEN.search(page.decode())
    if hidden is None:
        raise RuntimeError("the buyer's page has no form")
    form = asdict(TEST_BUYER) | {"correo": "bench@example.test", "csrf_token": hidden[1]}
    begun = time.perf_counter()
    answer_of(buyer, "POST", parts.path, urlencode(form), status=303)
    while json.loads(answer_of(buyer, "GET", f"{parts.path}/estado"))["estado"] != "lista":
        if ms_since(begun) > 1000 * PATIENCE_SECONDS:
            raise RuntimeError("a sale was not stamped")
        time.sleep(LOOK_SECONDS)
    run.stamps.append(ms_since(begun))
    begun = time.perf_counter()
    answer_of(buyer, "GET", f"{parts.path}/cfdi.pdf")
    run.pdfs.append(ms_since(begun))
    run.xml = answer_of(buyer, "GET", f"{parts.path}/cfdi.xml")
    buyer.close()


def answer_of(
    buyer: http.client.HTTPConnection, method: str, path: str, body: str = "", status: int = 200
) -> bytes:
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
    buyer.request(method, path, body or None, headers)
    answer = buyer.getresponse()
    content = answer.read()
    if answer.status != status:
        raise RuntimeError(f"{method} was answered {answer.status}")
    return content


def ms_since(begun: float) -> float:
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
