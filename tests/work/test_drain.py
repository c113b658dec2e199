"""Claim, run, settle: in order of priority, whatever a step does."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from hub.steps.later import RunLater
from hub.work.drain import Drained, drain
from hub.work.jobs import LONGEST_PAUSE, QUEUES, SHORTEST_PAUSE, SOONEST, TRIES, Job, pause


class Shop:
    """Jobs that do as told and remember what was run."""

    def __init__(self, desk):
        self.desk, self.ran, self.do = desk, [], {}

    def job(self, name, queue):
        def run(merchant_id, subject):
            assert merchant_id == self.desk.merchant_id
            self.ran.append(subject)
            self.do.get(subject, lambda: None)()

        return Job(name, queue, run, 60)

    def drain(self, *queues, worker="w", **limits):
        jobs = {name: self.job(name, name) for name in QUEUES}
        clock = self.desk.clock
        return drain(self.desk.store, jobs, queues or QUEUES, worker, clock, **limits)


@pytest.fixture
def shop(desk):
    return Shop(desk)


def failing(error):
    def step():
        raise error

    return step


def test_nothing_due_is_done_at_once(shop):
    assert shop.drain() == Drained(0, more=False)


def test_the_first_queue_goes_first_then_the_oldest(shop, desk):
    now = desk.clock.now()
    desk.promise("ingest", "i1", queue="ingest", due_at=now - timedelta(seconds=9))
    desk.promise("mail", "m1", queue="mail", due_at=now - timedelta(seconds=5))
    desk.promise("stamp", "s2", due_at=now - timedelta(seconds=1))
    desk.promise("stamp", "s1", due_at=now - timedelta(seconds=2))
    assert shop.drain() == Drained(4, more=False)
    assert shop.ran == ["s1", "s2", "m1", "i1"]
    assert desk.due() == {}


def test_a_buyer_who_comes_meanwhile_goes_before_the_rest_of_the_line(shop, desk):
    desk.promise("ingest", "i1", "i2", "i3", queue="ingest")
    shop.do["i1"] = lambda: desk.promise("stamp", "s1")
    shop.do["s1"] = lambda: desk.promise("mail", "m1", queue="mail")
    assert shop.drain() == Drained(5, more=False)
    assert shop.ran == ["i1", "s1", "m1", "i2", "i3"]


def test_only_the_queues_asked_for(shop, desk):
    desk.promise("ingest", "i1", queue="ingest")
    desk.promise("stamp", "s1")
    assert shop.drain("stamp") == Drained(1, more=False)
    assert desk.due() == {"ingest": 1}


def test_it_stops_at_its_limits_with_nothing_in_hand(shop, desk):
    desk.promise("stamp", *(f"s{n}" for n in range(6)))
    assert shop.drain(rows=2) == Drained(2, more=True)
    for subject in ("s2", "s3", "s4"):
        shop.do[subject] = lambda: desk.clock.advance(1.0)
    assert shop.drain(seconds=2.0) == Drained(2, more=True)
    assert shop.drain(stopping=lambda: True) == Drained(1, more=True)
    assert desk.due() == {"stamp": 1}
    assert shop.drain() == Drained(1, more=False)
    assert sorted(shop.ran) == [f"s{n}" for n in range(6)]


def test_a_failure_is_tried_again_later_and_stops_nobody(shop, desk):
    desk.promise("stamp", "bad")
    desk.promise("mail", "good", queue="mail")
    shop.do["bad"] = failing(RuntimeError("x"))
    before = desk.clock.now()
    assert shop.drain() == Drained(2, more=False)
    assert shop.ran == ["bad", "good"]
    assert desk.due() == {}
    assert before + SHORTEST_PAUSE <= desk.next_due_at() <= before + timedelta(seconds=5)
    del shop.do["bad"]
    desk.clock.advance(5)
    assert shop.drain() == Drained(1, more=False)
    assert desk.next_due_at() is None


def test_after_twenty_failures_it_is_buried_where_a_person_sees_it(shop, desk):
    desk.promise("stamp", "bad")
    shop.do["bad"] = failing(RuntimeError("x"))
    for _ in range(TRIES):
        assert desk.dead() == []
        shop.drain()
        desk.clock.advance(LONGEST_PAUSE.total_seconds())
    assert len(shop.ran) == TRIES
    (row,) = desk.dead()
    assert (row.job, row.subject, row.tries) == ("stamp", "bad", TRIES)
    assert row.error.startswith("RuntimeError at test_drain.py:")
    assert shop.drain() == Drained(0, more=False)


def test_what_kills_its_worker_each_time_is_buried_too(shop, desk):
    desk.promise("stamp", "deadly")
    for _ in range(TRIES):
        assert desk.claim(seconds=10) is not None
        desk.clock.advance(10)
        with desk.store.transaction() as tx:
            assert tx.outbox.expire() == 1
    shop.drain()
    assert shop.ran == []
    assert [row.subject for row in desk.dead()] == ["deadly"]


def test_a_job_nobody_here_knows_waits_for_who_does(shop, desk):
    desk.promise("of-a-newer-version", "n1")
    desk.promise("stamp", "s1")
    assert shop.drain() == Drained(2, more=False)
    assert shop.ran == ["s1"]
    assert desk.next_due_at() > desk.clock.now()


def test_run_later_is_no_failure(shop, desk):
    desk.promise("stamp", "s1")
    due_at = desk.clock.now() + timedelta(minutes=2)
    shop.do["s1"] = failing(RunLater(due_at, "quiet period"))
    for _ in range(TRIES + 1):
        assert shop.drain() == Drained(1, more=False)
        assert desk.next_due_at() == due_at
        assert shop.drain() == Drained(0, more=False)
        desk.clock.advance(120)
        due_at = desk.clock.now() + timedelta(minutes=2)
        shop.do["s1"] = failing(RunLater(due_at))
    assert desk.dead() == []
    assert desk.claim().tries == 0


def test_run_later_in_the_past_does_not_spin(shop, desk):
    desk.promise("stamp", "s1")
    shop.do["s1"] = failing(RunLater(desk.clock.now() - timedelta(days=1)))
    assert shop.drain() == Drained(1, more=False)
    assert desk.next_due_at() == desk.clock.now() + SOONEST


def test_who_was_overtaken_does_not_end_the_other_ones_claim(shop, desk):
    """A worker slept through its lease; the row is another's by the time it comes back."""
    desk.promise("stamp", "s1")
    others = []

    def sleep():
        desk.clock.advance(61)
        with desk.store.transaction() as tx:
            assert tx.outbox.expire() == 1
        others.append(desk.claim(seconds=600))

    shop.do["s1"] = sleep
    assert shop.drain(seconds=600) == Drained(1, more=False)
    assert desk.due() == {}
    desk.clock.advance(601)
    with desk.store.transaction() as tx:
        assert tx.outbox.expire() == 1, "the second worker's claim was settled by the first"
    assert others[0].subject == "s1"


def test_each_job_has_its_own_lease(desk):
    desk.promise("quick", "q")
    desk.promise("long", "l")
    clock, store = desk.clock, desk.store
    expired = []

    def after(seconds):
        def run(_merchant_id, _subject):
            clock.advance(seconds)
            with store.transaction() as tx:
                expired.append(tx.outbox.expire())

        return run

    jobs = {
        "quick": Job("quick", "stamp", after(31), 30),
        "long": Job("long", "stamp", after(31), 600),
    }
    drain(store, jobs, ["stamp"], "w", clock, rows=2, seconds=600)
    assert expired == [1, 0]


def test_an_interrupt_leaves_the_row_to_the_next(shop, desk):
    desk.promise("stamp", "s1")
    shop.do["s1"] = failing(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        shop.drain()
    desk.clock.advance(61)
    with desk.store.transaction() as tx:
        tx.outbox.expire()
    assert desk.due() == {"stamp": 1}


CANARIES = ("CACX7605101P8", "buyer@example.com", "token-canary")


def test_no_message_of_an_error_is_logged_or_kept(shop, desk):
    desk.promise("stamp", "s1")
    shop.do["s1"] = failing(ValueError(" ".join(CANARIES)))
    with capture_logs() as logs:
        shop.drain()
    (event,) = logs
    assert event["event"] == "job_failed"
    assert (event["job"], event["subject"], event["tries"]) == ("stamp", "s1", 1)
    assert event["error"].startswith("ValueError at ")
    desk.clock.advance(5)
    kept = json.dumps([event, repr(desk.claim())])
    assert not [canary for canary in CANARIES if canary in kept]


def test_pauses_grow_with_full_jitter_up_to_a_quarter_of_an_hour():
    for tries in range(1, TRIES + 1):
        ceiling = min(timedelta(seconds=5) * 2 ** (tries - 1), timedelta(minutes=15))
        pauses = [pause(tries, f"row-{n}") for n in range(400)]
        assert all(SHORTEST_PAUSE <= one <= ceiling for one in pauses)
        assert max(pauses) > ceiling * 0.9
        assert min(pauses) < max(ceiling * 0.1, SHORTEST_PAUSE * 1.01)
        assert pause(tries, "row-1") == pauses[1]
    assert pause(10**9, "x") <= LONGEST_PAUSE
