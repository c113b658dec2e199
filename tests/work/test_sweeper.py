"""One of many holds the lease; what it does now and then, and what it does not stop."""

from __future__ import annotations

from threading import Event

import pytest

from hub.clock import SystemClock
from hub.work import sweeper as module
from hub.work.sweeper import LEASE_SECONDS, Sweep, Sweeper


@pytest.fixture
def woken():
    return []


@pytest.fixture
def sweeper_of(desk, woken):
    def make(owner, *sweeps):
        return Sweeper(desk.store, woken.append, sweeps, owner=owner, clock=desk.clock)

    return make


def test_of_two_one_holds(sweeper_of):
    first, second = sweeper_of("a"), sweeper_of("b")
    assert first.turn()
    assert not second.turn()
    assert first.turn()
    assert (first.holding(), second.holding()) == (True, False)


def test_who_dies_is_followed(sweeper_of, desk):
    first, second = sweeper_of("a"), sweeper_of("b")
    assert first.turn()
    desk.clock.advance(LEASE_SECONDS - 1)
    assert not second.turn()
    desk.clock.advance(1)
    assert second.turn()
    assert not first.holding()
    assert not first.turn()


def test_who_leaves_is_followed_at_once(sweeper_of):
    first, second = sweeper_of("a"), sweeper_of("b")
    assert first.turn()
    first.join()
    assert second.turn()


def test_a_turn_frees_what_died_and_wakes_what_is_due(sweeper_of, desk, woken):
    desk.promise("stamp", "s1")
    desk.promise("ingest", "i1", queue="ingest")
    assert desk.claim("stamp", seconds=20) is not None
    sweeper = sweeper_of("a")
    assert sweeper.turn()
    assert woken == ["ingest"]
    assert desk.due() == {"ingest": 1}
    desk.clock.advance(20)
    assert sweeper.turn()
    assert desk.due() == {"ingest": 1, "stamp": 1}
    assert sorted(woken) == ["ingest", "ingest", "stamp"]


def test_who_holds_no_lease_touches_nothing(sweeper_of, desk, woken):
    assert sweeper_of("a").turn()
    desk.promise("stamp", "s1")
    ran = []
    second = sweeper_of("b", Sweep("x", 1, lambda: ran.append(1)))
    assert not second.turn()
    second.sweep()
    assert (woken, ran) == ([], [])


def test_each_sweep_has_its_own_pace(sweeper_of, desk):
    ran = []
    sweeper = sweeper_of(
        "a",
        Sweep("fast", 10, lambda: ran.append("fast")),
        Sweep("slow", 25, lambda: ran.append("slow")),
    )
    for _ in range(6):
        sweeper.turn()
        sweeper.sweep()
        desk.clock.advance(5)
    assert ran == ["fast", "slow", "fast", "fast", "slow"]


def test_a_sweep_that_fails_stops_no_other_and_comes_again(sweeper_of, desk):
    ran = []

    def fail():
        ran.append("bad")
        raise RuntimeError("x")

    sweeper = sweeper_of("a", Sweep("bad", 10, fail), Sweep("good", 10, lambda: ran.append("good")))
    for _ in range(2):
        sweeper.turn()
        sweeper.sweep()
        desk.clock.advance(10)
    assert ran == ["bad", "good", "bad", "good"]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_sweep_that_waits_for_a_platform_does_not_lose_the_lease(
    desk, sweeper_of, until, monkeypatch
):
    monkeypatch.setattr(module, "TURN_SECONDS", 0.01)
    began, answers, stop, turns = Event(), Event(), Event(), []

    class Counted(Sweeper):
        def turn(self):
            turns.append(super().turn())
            return turns[-1]

    def wait():
        began.set()
        assert answers.wait(600)

    sweeps = [Sweep("w", 60, wait)]
    first = Counted(desk.store, [].append, sweeps, owner="a", clock=desk.clock)
    first.start(stop)
    assert began.wait(180)
    second, held = sweeper_of("b"), []
    for _ in range(10):
        desk.clock.advance(LEASE_SECONDS - 1)
        seen = len(turns)
        until(lambda: len(turns) >= seen + 2)  # noqa: B023 - the second of them began afterwards
        held.append(second.turn())
    answers.set()
    stop.set()
    first.join(180)
    assert held == [False] * 10
    assert set(turns) == {True}
    assert second.turn()


def test_a_database_that_is_away_ends_no_thread(until, monkeypatch):
    monkeypatch.setattr(module, "TURN_SECONDS", 0.05)
    stop, turns = Event(), []

    class Away:
        def transaction(self):
            turns.append(1)
            raise OSError

    sweeper = Sweeper(Away(), [].append, [], owner="a", clock=SystemClock())  # type: ignore[arg-type]
    sweeper.start(stop)
    until(lambda: len(turns) > 3)
    stop.set()
    sweeper.join()
