"""Crash points × answers of the provider, on the real code: one sale never gets two stamps."""

from __future__ import annotations

from typing import Any

import pytest

from hub.domain.states import State

FORGET = 10_000
FORM_MAIL = "xochilt@example.com"
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

#: To the hub the same as one of the others: every fifth commit is enough.
LIKE_ANOTHER = {
    "500",
    "429",
    "garbage",
    "500_after_commit",
    "dropped_before",
    "dropped_twice",
    "keys_refused",
    "without_data_at_once",
    "never_merchant",
}


def walk(world: Any, merchant: Any, sale_id: str) -> bool:
    """The buyer asks, time passes; whether the process died on the way.

    The buyer sends the form again then, as people do when a page fails.
    """

    def all_of_it() -> None:
        merchant.request(sale_id)
        world.quiet()

    died = False
    while world.die(all_of_it):
        died = True
    return died


def stamps_of(world: Any, merchant: Any, sale_id: str) -> int:
    """How many stamps the provider gave for any document there ever was of the sale."""
    invoice = merchant.invoice(sale_id)
    documents = [
        merchant.of(lambda tenant, v=v: tenant.invoices.document(invoice.id, v))
        for v in range(1, invoice.version + 1)
    ]
    known = {document.sha256 for document in documents}
    return sum(stamp["sha256"] in known for stamp in world.provider.stamps())


def crash(world: Any, merchant: Any, outcome: str, at: int, when: str) -> bool:
    """One sale, one crash there; whether it came so far."""
    faults, ends = OUTCOMES[outcome]
    sale_id = merchant.keep(f"S{at}{when}")
    world.provider.calm()
    for mode, times in faults:
        world.provider.fault(mode, times)
    world.kill.arm(at, when)
    died = walk(world, merchant, sale_id)
    state = merchant.state(sale_id)
    assert state in ends, (at, when, state)
    assert stamps_of(world, merchant, sale_id) == (state is State.STAMPED), (at, when)
    assert len(world.post.to(FORM_MAIL)) <= 2
    world.post.letters.clear()
    return died


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_wherever_it_dies_there_is_one_stamp(outcome: str, world: Any, merchant: Any) -> None:
    for when in ("before_send", "after_send"):
        assert crash(world, merchant, outcome, 0, when)
    at, step = 1, 5 if outcome in LIKE_ANOTHER else 1
    while crash(world, merchant, outcome, at, "commit"):
        at += step
    assert at > 8
    assert world.violations() == []


@pytest.mark.postgres
@pytest.mark.parametrize("url", ["postgres"], indirect=True)
@pytest.mark.parametrize("outcome", ["stamped", "dropped_after", "already_without_data"])
def test_and_on_the_other_engine(outcome: str, world: Any, merchant: Any) -> None:
    for at, when in ((0, "before_send"), (0, "after_send"), *((n, "commit") for n in range(1, 9))):
        assert crash(world, merchant, outcome, at, when)
    assert world.violations() == []
