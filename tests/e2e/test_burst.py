"""A sale of the year: thousands of orders told of at once, twice, and the old after the new.

`BURST_ORDERS` and `BURST_SECONDS` (the longest wait until all is looked at) make it longer.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from connectors.woocommerce.demo import shop as store_of
from tests.waitresses import on_waitress

pytestmark = pytest.mark.slow

ORDERS = int(os.environ.get("BURST_ORDERS", "300"))
SECONDS = float(os.environ.get("BURST_SECONDS", "900"))
KEY, SECRET, HUSH = "ck_burst", "cs_burst", "whsec_e2e_0123456789"


def order_of(captured: dict[str, Any], number: int, *, final: bool) -> dict[str, Any]:
    """A captured order under another number. As it was first: not paid, and at another price."""
    order: dict[str, Any] = json.loads(json.dumps(captured))
    net = Decimal(10_000 + 10 * number + (0 if final else 5)) / 100
    tax = (net * 16 / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
    [line], [rate] = order["line_items"], order["tax_lines"]
    amounts = {"subtotal": f"{net:.6f}", "total": f"{net:.6f}"}
    line |= amounts | {"subtotal_tax": f"{tax:.6f}", "total_tax": f"{tax:.6f}"}
    line["taxes"] = [{"id": 1, "subtotal": f"{tax:.6f}", "total": f"{tax:.6f}"}]
    rate["tax_total"] = f"{tax:.6f}"
    order |= {"id": number, "number": f"{number}", "total": f"{net + tax:.6f}", "refunds": []}
    order |= {"prices_include_tax": False, "status": "processing" if final else "pending"}
    changed = datetime.now(UTC) - timedelta(minutes=1 if final else 2)
    order["date_created_gmt"] = (changed - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S")
    order["date_modified_gmt"] = changed.strftime("%Y-%m-%dT%H:%M:%S")
    order["date_paid_gmt"] = order["date_modified_gmt"] if final else None
    return order


@pytest.fixture
def final(captures: list[Any]) -> list[dict[str, Any]]:
    [captured] = [one for one in captures if one.name.startswith("024-")]
    return [order_of(captured.order(), number, final=True) for number in range(1, ORDERS + 1)]


@pytest.fixture
def store(final: list[dict[str, Any]]) -> Iterator[str]:
    with on_waitress(store_of(final, KEY, SECRET)) as address:
        yield address


def test_every_order_is_one_sale_of_its_total(
    install: Any,
    store: str,
    final: list[dict[str, Any]],
    captures: list[Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    home = install(workers=2, ALLOW_PRIVATE_HOSTS="1")
    shop = home.merchant()
    words = ("connection", "create", "--merchant", shop.merchant_id, "--platform", "woocommerce")
    keys = ("--key", KEY, "--secret", SECRET, "--webhook-secret", HUSH, "--since", "2026-01-01")
    shop.webhook_url = home.cli(*words, "--url", store, *keys)["webhook_url"]
    [captured] = [one for one in captures if one.name.startswith("024-")]
    told = [(order, "order.updated") for order in final]
    told += [(order_of(captured.order(), one["id"], final=False), "order.created") for one in final]
    rng = random.Random("burst")
    told += rng.sample(told, len(told) // 2)
    rng.shuffle(told)
    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(lambda one: shop.order(*one).status_code, told))
    filed = time.monotonic() - began
    assert answers == {200}
    shop.digested(SECONDS)
    took = time.monotonic() - began
    rows = shop.sales()
    assert {number: Decimal(row["total"]) for number, row in rows.items()} == {
        order["number"]: Decimal(order["total"]) for order in final
    }
    assert {row["state"] for row in rows.values()} == {"abierta"}
    assert shop.waiting() == []
    home.healthy()
    with capsys.disabled():
        print(
            f"\n{len(final)} orders in {len(told)} deliveries: filed in {filed:.1f} s "
            f"({len(told) / filed:.0f}/s), all looked at after {took:.1f} s"
        )
