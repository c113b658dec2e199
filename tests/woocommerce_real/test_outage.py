"""The hub is away for an hour: the shop sells on, and everything is known afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NATIVE, OURS = "woocommerce_deliver_webhook_async", "autofactura_hub_deliver"
#: A store switches a webhook off at its seventh failure in a row.
SOLD = 8


def states(shop: Any) -> dict[str, str]:
    return {one["topic"]: one["status"] for one in shop.do("webhooks")}


def test_an_hour_without_the_hub_loses_nothing(
    shop: Any, paired: Any, eventually: Callable[..., Any]
) -> None:
    paired.stop()
    begun = time.monotonic()
    orders = shop.orders(SOLD)
    assert time.monotonic() - begun < 30, "no order waits for the hub"
    assert all(one["link"] for one in orders), "a link needs nobody"
    shop.run_queue(NATIVE)
    assert "disabled" in states(shop).values()
    assert shop.run_queue(OURS) == SOLD
    assert len(shop.do("traces")["actions"]) == SOLD, "each waits for another try"
    paired.a_day_passes()
    paired.start()
    assert shop.run_queue(OURS) == SOLD
    assert shop.do("traces")["actions"] == []
    numbers = {str(one["id"]) for one in orders}
    eventually(lambda: numbers <= set(paired.sales()), 60)
    # The daily look at the webhooks.
    eventually(lambda: set(states(shop).values()) == {"active"}, 60)
    assert len(states(shop)) == 4
    after = shop.order()
    assert shop.run_queue(NATIVE) > 0
    eventually(lambda: paired.sale(after["id"]))
