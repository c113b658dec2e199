"""Many buyers at the same moment, each as a browser is: page, form, stamp, downloads."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Final
from urllib.parse import urlencode, urlsplit

from lxml import etree

from hub.app import TEST_BUYER
from hub.steps.register import register
from hub.wiring import Hub
from tests.bench.figures import Figure, percentile
from tests.bench.stamping import HIDDEN, answer_of, up

BUYERS: Final = 50
WORKERS: Final = (2, 4)
#: As often as the page's own script asks at first.
LOOK_SECONDS: Final = 0.25
PATIENCE_SECONDS: Final = 600.0


@dataclass(frozen=True, slots=True)
class Bought:
    """What a buyer got. Seconds: from the form to the stamp, and from the first page to the PDF."""

    asked: Decimal
    total: Decimal
    uuid: str
    to_stamp: float
    in_all: float


def measure(place: Path, buyers: int) -> Iterator[Figure]:
    for workers in WORKERS:
        with up(place / f"crowd-{workers}", "--workers", str(workers)) as (hub, merchant_id, _):
            bought = all_at_once(links(hub, merchant_id, buyers))
        check(bought)
        name = f"{buyers} buyers at once, {workers} workers"
        stamped, whole = [one.to_stamp for one in bought], [one.in_all for one in bought]
        yield Figure(f"{name}: form → stamped p50", median(stamped), "s")
        yield Figure(f"{name}: form → stamped, the last", max(stamped), "s")
        yield Figure(f"{name}: page → PDF p95", percentile(whole, 95), "s")


def check(bought: Sequence[Bought]) -> None:
    """Each has the invoice of its own sale to the cent, and none has another's."""
    wrong = [one for one in bought if one.total != one.asked]
    if wrong or len({one.uuid for one in bought}) != len(bought):
        raise RuntimeError(f"{len(wrong)} wrong totals, or a document twice")


def links(hub: Hub, merchant_id: str, sales: int) -> list[tuple[str, Decimal]]:
    """So many sales, each of another total, with the address of each."""
    found = []
    for number in range(sales):
        total = Decimal(100) + Decimal(number) / 100
        row = register(hub.ctx, merchant_id, _sale(number, total))
        with hub.ctx.store.reading() as tx:
            link = tx.tenant(merchant_id).links.current(row.id)
        if link is None:
            raise RuntimeError("a sale that can be invoiced has no link")
        found.append((hub.ctx.link(link), total))
    return found


def _sale(number: int, total: Decimal) -> bytes:
    paid_at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
    line = {"description": "Taza de cerámica", "quantity": 1, "total": str(total), "rate": "0.16"}
    sale = {"number": f"crowd-{number}", "paid_at": paid_at.isoformat(), "forma_pago": "04"}
    return json.dumps(sale | {"lines": [line]}).encode()


def all_at_once(sales: Sequence[tuple[str, Decimal]]) -> list[Bought]:
    """One thread a buyer, all let go together. Raises what went wrong for any of them."""
    gate = threading.Barrier(len(sales))

    def buy(link: str, total: Decimal) -> Bought:
        gate.wait(PATIENCE_SECONDS)
        return one(link, total)

    with ThreadPoolExecutor(len(sales)) as pool:
        return list(pool.map(lambda sale: buy(*sale), sales))


def one(link: str, total: Decimal) -> Bought:
    """A buyer as a browser is one: the page, its form, looking until it is done, the documents."""
    parts = urlsplit(link)
    begun = time.perf_counter()
    buyer = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE_SECONDS)
    hidden = HIDDEN.search(answer_of(buyer, "GET", parts.path).decode())
    if hidden is None:
        raise RuntimeError("the buyer's page has no form")
    form = asdict(TEST_BUYER) | {"csrf_token": hidden[1]}
    asked_at = time.perf_counter()
    answer_of(buyer, "POST", parts.path, urlencode(form), status=303)
    uuid = _stamped(buyer, parts.path)
    stamped_at = time.perf_counter()
    document = etree.fromstring(answer_of(buyer, "GET", f"{parts.path}/cfdi.xml"))
    if not answer_of(buyer, "GET", f"{parts.path}/cfdi.pdf").startswith(b"%PDF-"):
        raise RuntimeError("not a PDF")
    buyer.close()
    return Bought(
        asked=total,
        total=Decimal(document.get("Total", "0")),
        uuid=uuid,
        to_stamp=stamped_at - asked_at,
        in_all=time.perf_counter() - begun,
    )


def _stamped(buyer: http.client.HTTPConnection, path: str) -> str:
    until = time.perf_counter() + PATIENCE_SECONDS
    while time.perf_counter() < until:
        told = json.loads(answer_of(buyer, "GET", f"{path}/estado"))
        if told["estado"] == "lista":
            return str(told["uuid"])
        if told["estado"] not in {"procesando", "por_confirmar"}:
            raise RuntimeError(f"a sale is {told['estado']}")
        time.sleep(LOOK_SECONDS)
    raise RuntimeError("a sale was not stamped in time")
