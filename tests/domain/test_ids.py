"""Identifiers of one process ascend, however fast they are made and whatever its clock does."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from hub import clock
from tests.conftest import FixedClock


def test_ids_ascend_within_a_millisecond_and_never_repeat() -> None:
    made = [clock.SystemClock().new_id() for _ in range(20_000)]
    assert sorted(set(made)) == made
    assert {(one.version, one.variant) for one in map(uuid.UUID, made)} == {(7, uuid.RFC_4122)}


def test_a_clock_that_is_set_back_puts_no_id_before_older_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clock, "_last", (0, 0))
    instants = (5_000, 5_000, 4_000, 5_000, 5_001, 9)
    made = [clock.ascending_id(instant) for instant in instants]
    assert sorted(made) == made
    assert [int(one[:12], 16) for one in made] == [5_000] * 4 + [5_001] * 2


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads that take turns after every few instructions."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("one", [clock.SystemClock(), FixedClock()], ids=["system", "fixed"])
def test_threads_share_no_id(one: clock.Clock) -> None:
    def many(_: int) -> list[str]:
        return [one.new_id() for _ in range(2_000)]

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(many, range(8)))
    assert len({one for some in made for one in some}) == 16_000
    assert all(sorted(some) == some for some in made)
