"""Single parts by themselves: the printed document, the inbox, the queue."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from cfdi import pdf
from connectors.contract import Delivery, Notice
from hub.clock import SystemClock
from hub.store.database import Store
from hub.store.keys import Keyring
from tests.bench.figures import Figure


def measure(place: Path, times: int) -> Iterator[Figure]:
    store = Store.open(
        f"sqlite:///{place / 'parts.sqlite3'}", keyring=Keyring.generate("k1"), clock=SystemClock()
    )
    try:
        store.migrate()
        store.check_keys()
        yield from _queue(store, times)
    finally:
        store.close()


def _queue(store: Store, times: int) -> Iterator[Figure]:
    with store.transaction() as tx:
        merchant = tx.merchants.create(
            rfc="EKU9003173C9", nombre="ESCUELA KEMPER URGATE", regimen="601", codigo_postal="42501"
        )
        shop = tx.tenant(merchant.id).connections.create(
            "woocommerce", "http://127.0.0.1:8088", {}, {}, None
        )
    body = b"x" * 6144
    numbers = iter(range(times))

    def file_one() -> None:
        number = next(numbers)
        delivery = Delivery({"content-type": "application/json"}, body, datetime.now(UTC))
        notice = Notice("order.created", f"{number:064x}", str(number), body)
        with store.transaction() as tx:
            tenant = tx.tenant(merchant.id)
            filed = tenant.inbox.file(shop.id, "woocommerce", notice, delivery)
            tenant.promise("ingest", str(filed), queue="ingest")

    def claim_and_end_one() -> None:
        with store.transaction() as tx:
            row = tx.outbox.claim(["ingest"], "bench", 60)
        with store.transaction() as tx:
            if row is None:
                raise RuntimeError("a promise is missing")
            tx.outbox.done(row)

    yield Figure("inbox row + promise, one commit each", _per_second(file_one, times), "/s")
    yield Figure("claim + done, a commit each", _per_second(claim_and_end_one, times), "/s")


def _per_second(work: Callable[[], None], times: int) -> float:
    begun = time.perf_counter()
    for _ in range(times):
        work()
    return times / (time.perf_counter() - begun)


def printing(stamped: bytes, times: int) -> Figure:
    """The printed form of this document, after the fonts were loaded."""
    pdf.render(stamped, sandbox=True)
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        pdf.render(stamped, sandbox=True)
        taken.append(1000 * (time.perf_counter() - begun))
    return Figure("PDF, 3 lines, p50", median(taken), "ms", 25)
