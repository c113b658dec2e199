"""Fifty buyers in the same second on two cores: each gets the invoice of its own sale, once.

`make bench` tells how long they wait, with two and four workers; here each must get there.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import requests

from tests.bench.crowd import all_at_once, check

pytestmark = pytest.mark.slow

BUYERS = 50


def test_fifty_buyers_at_once(install: Any, eventually: Any) -> None:
    home = install(workers=2)
    shop = home.merchant()
    for number in range(1, BUYERS + 1):
        shop.sell(number)
    rows = eventually(lambda: found if len(found := shop.sales()) == BUYERS else None)
    sales = [(row["link"], Decimal(row["total"])) for row in rows.values()]
    assert len({total for _, total in sales}) == BUYERS
    _slow_down(home, 0.2)

    bought = all_at_once(sales)

    check(bought)
    stamps = home.stamps()
    assert sorted(one["uuid"].upper() for one in stamps) == sorted(b.uuid.upper() for b in bought)
    assert sorted(Decimal(one["total"]) for one in stamps) == sorted(b.asked for b in bought)
    home.healthy()
    assert not shop.waiting()


def _slow_down(home: Any, seconds: float) -> None:
    """A provider that answers at once would let no two buyers be under way together."""
    wish = {"seconds": seconds}
    requests.post(f"{home.sandbox}/sandbox/latency", json=wish, timeout=60).raise_for_status()
