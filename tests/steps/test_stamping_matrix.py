"""Crash points × answers of the provider, on the real code: one sale never gets two stamps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cfdi.pac.contract import Answer, Stamped
from hub.domain.states import State

#: More commits than one walk has: the last points are walks without a crash.
COMMITS = 14
POINTS = [
    *((at, when) for at in range(1, COMMITS + 1) for when in ("before", "after")),
    (0, "before_send"),
    (0, "after_send"),
]
FORGET = 10_000
STAMPED, REJECTED, REVIEW = {State.STAMPED}, {State.REJECTED}, {State.REVIEW}

#: The faults the provider is told before each walk, and the states a sale may end in.
OUTCOMES: dict[str, tuple[list[tuple[str, int]], set[State]]] = {
    "stamped": ([], STAMPED),
    "dropped_before": ([("drop_before", 1)], STAMPED),
    "dropped_after": ([("drop_after", 1)], STAMPED),
    "dropped_twice": ([("drop_after", 2)], STAMPED),
    "500_after_commit": ([("500_after_commit", 1)], STAMPED),
    "500": ([("500", 1)], STAMPED),
    "429": ([("429", 1)], STAMPED),
    "no_credit": ([("402", 2)], STAMPED),
    "keys_refused": ([("401", 1)], STAMPED),
    "garbage": ([("garbage", 1)], STAMPED),
    "already_without_data": ([("drop_after", 1), ("307_without_data", 2)], STAMPED),
    "without_data_at_once": ([("307_without_data", 1)], STAMPED),
    "never_buyer": ([("reject:CFDI40145", FORGET)], REJECTED | REVIEW),
    "never_merchant": ([("reject:402", FORGET)], REVIEW),
    "doubt_then_never": ([("drop_before", 1), ("reject:CFDI40145", FORGET)], REJECTED | REVIEW),
}


def walk(world: Any, merchant: Any, sale_id: str) -> None:
    merchant.request(sale_id)
    world.drain()


def crash_and_recover(world: Any, merchant: Any, sale_id: str, at: int, when: str) -> None:
    """The buyer sends the form again, as people do when a page fails; then time passes."""
    world.kill.arm(at, when)
    if world.die(lambda: walk(world, merchant, sale_id)):
        merchant.request(sale_id)
    world.quiet()


def stamps_of(world: Any, merchant: Any, sale_id: str) -> int:
    """How many stamps the provider gave for any document there ever was of the sale."""
    invoice = merchant.invoice(sale_id)
    documents = [
        merchant.of(lambda tenant, v=v: tenant.invoices.document(invoice.id, v))
        for v in range(1, invoice.version + 1)
    ]
    known = {document.sha256 for document in documents}
    return sum(stamp["sha256"] in known for stamp in world.provider.stamps())


@pytest.fixture
def sales(merchant: Any) -> Iterator[Callable[[], str]]:
    numbers = iter(range(1, 10_000))
    return lambda: merchant.keep(f"S{next(numbers)}")


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_wherever_it_dies_there_is_one_stamp(
    outcome: str, world: Any, merchant: Any, sales: Callable[[], str]
) -> None:
    faults, ends = OUTCOMES[outcome]
    died = 0
    for at, when in POINTS:
        sale_id = sales()
        world.provider.calm()
        for mode, times in faults:
            world.provider.fault(mode, times)
        world.kill.commits = 0
        crash_and_recover(world, merchant, sale_id, at, when)
        died += 1
        state = merchant.state(sale_id)
        assert state in ends, (at, when, state)
        assert stamps_of(world, merchant, sale_id) == (state is State.STAMPED), (at, when)
    assert len(world.provider.stamps()) == (died if ends == STAMPED else 0)
    assert world.violations() == []
