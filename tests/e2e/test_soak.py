"""Many sales stamped while workers are killed at random and the provider misbehaves.

`SOAK_SALES` and `SOAK_SECONDS` (the longest wait for the last invoice) make it longer, `SOAK_SEED`
another.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest

pytestmark = pytest.mark.slow

SALES = int(os.environ.get("SOAK_SALES", "120"))
SECONDS = float(os.environ.get("SOAK_SECONDS", "900"))
SEED = os.environ.get("SOAK_SEED", "1")
#: What the provider does to one stamp request. "slow" for no time at all is a good answer.
WEIGHTS = {
    ("slow", 0.0): 75,
    ("slow", 1.5): 7,
    ("drop_before", 0.0): 4,
    ("drop_after", 0.0): 4,
    ("500_after_commit", 0.0): 4,
    ("307_without_data", 0.0): 3,
    ("429", 0.0): 3,
}
#: A worker that is killed again and again is started again ever later, as it should be.
KILLS = max(8, SALES // 40)


class Killer(threading.Thread):
    """SIGKILL to a random worker every now and then."""

    def __init__(self, home: Any, rng: random.Random) -> None:
        super().__init__(daemon=True)
        self.home, self.rng = home, rng
        self.enough = threading.Event()
        self.killed = 0

    def run(self) -> None:
        while self.killed < KILLS and not self.enough.wait(self.rng.uniform(0.5, 3)):
            workers = self.home.pids("hub.cli worker")
            if workers:
                with suppress(ProcessLookupError):
                    os.kill(self.rng.choice(workers), signal.SIGKILL)
                self.killed += 1


def test_every_sale_gets_exactly_one_stamp(
    install: Any, link_of: Any, buyer: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    rng = random.Random(SEED)
    home = install(workers=3)
    shop = home.merchant()
    with ThreadPoolExecutor(6) as pool:
        totals: list[Decimal] = list(pool.map(shop.sell, range(1, SALES + 1)))
    assert len(set(totals)) == SALES
    shop.digested(SECONDS)
    rows = shop.sales()
    links = {total: link_of(rows[str(number)]) for number, total in enumerate(totals, 1)}
    for mode, seconds in rng.choices(list(WEIGHTS), list(WEIGHTS.values()), k=SALES):
        home.fault(mode, seconds=seconds)
    killer, started = Killer(home, rng), time.monotonic()
    killer.start()

    def request(link: Any) -> int:
        time.sleep(rng.uniform(0, 0.5))  # so that kills meet every phase
        return int(link.send(buyer).status_code)

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(request, links.values())) == {303}
    killer.join(SECONDS)
    killer.enough.set()
    home.settle(links, SECONDS)
    assert len(home.stamps()) == SALES
    assert killer.killed == KILLS
    with capsys.disabled():
        took = time.monotonic() - started
        print(f"\nsoak: {SALES} sales, {killer.killed} kills, {took:.0f} s, 0 lost, 0 double")
