"""SIGKILL to each process at its worst moment: nothing is lost, nothing is stamped twice."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import requests

from tests.e2e.conftest import order_of, signed_headers

pytestmark = pytest.mark.slow

NUMBERS = iter(range(1000, 9000))


@pytest.fixture(scope="module")
def home(install: Any) -> Any:
    return install()


@pytest.fixture(scope="module")
def shop(home: Any) -> Any:
    return home.merchant()


@pytest.fixture(autouse=True)
def without_faults(home: Any) -> Iterator[None]:
    yield
    home.no_more_faults()


@pytest.fixture
def sold(shop: Any, link_of: Any) -> Any:
    """Sells so many times; the buyer's links by total."""

    def sell(count: int) -> dict[Decimal, Any]:
        numbers = [next(NUMBERS) for _ in range(count)]
        totals = [shop.sell(number) for number in numbers]
        shop.digested()
        rows = shop.sales()
        made = zip(totals, (rows[str(number)] for number in numbers), strict=True)
        return {total: link_of(row) for total, row in made}

    return sell


def request_all(links: dict[Decimal, Any], buyer: dict[str, str]) -> None:
    for link in links.values():
        assert link.send(buyer).status_code == 303


@pytest.mark.parametrize("mode", ["slow", "drop_after"])
def test_workers_killed_while_the_provider_has_the_document(
    home: Any, sold: Any, buyer: dict[str, str], eventually: Any, mode: str
) -> None:
    links = sold(4)
    home.fault(mode, times=4, seconds=4)
    request_all(links, buyer)
    if mode == "slow":
        time.sleep(1)
    else:  # the provider has stamped, and nobody heard of it
        eventually(lambda: {Decimal(one["total"]) for one in home.stamps()} & set(links))
    home.kill("hub.cli worker")
    home.settle(links)


def test_the_provider_killed_while_it_has_the_documents(
    home: Any, sold: Any, buyer: dict[str, str]
) -> None:
    links = sold(3)
    home.fault("slow", times=2, seconds=3)
    request_all(links, buyer)
    time.sleep(0.7)
    home.kill("hub.cli sandbox-pac")
    home.settle(links)


def test_web_killed_under_load_had_filed_all_that_it_acknowledged(
    home: Any, shop: Any, eventually: Any
) -> None:
    acknowledged: list[int] = []
    stop = threading.Event()

    def deliver() -> None:
        while not stop.is_set():
            number = next(NUMBERS)
            with contextlib.suppress(requests.RequestException):
                _, body = order_of(number)
                if shop.deliver(body, signed_headers(body, "order.created")).ok:
                    acknowledged.append(number)

    threads = [threading.Thread(target=deliver) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(2):
            before = len(acknowledged)
            eventually(lambda before=before: len(acknowledged) > before + 20)
            home.kill("hub.cli web")
            time.sleep(0.5)
            eventually(lambda: home.answers("/health"))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    shop.digested()
    assert {str(number) for number in acknowledged} <= set(shop.sales())
    home.healthy()


def test_redis_killed_is_only_a_little_slower(
    home: Any, sold: Any, buyer: dict[str, str], eventually: Any
) -> None:
    links = sold(3)
    served = home.pids("redis")
    assert len(served) == 2  # the server and who watches over it
    home.kill("redis")
    request_all(links, buyer)
    home.settle(links)

    def redis_is_back() -> bool:
        return bool(requests.get(f"{home.url}/ready", timeout=60).json()["redis"] == "ok")

    eventually(redis_is_back)
    assert set(home.pids("redis")).isdisjoint(served)


def test_the_supervisor_killed_leaves_nobody_and_starts_again(
    home: Any, sold: Any, buyer: dict[str, str], still_living: Any, eventually: Any
) -> None:
    links = sold(3)
    home.fault("slow", times=1, seconds=3)
    request_all(links, buyer)
    family = set(home.family())
    assert len(family) >= 6  # Redis and its watcher, sandbox, web, two workers
    home.process.kill()
    home.process.wait()
    eventually(lambda: not still_living(family))
    home.start()
    home.settle(links)
