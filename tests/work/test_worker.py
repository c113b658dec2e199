"""Worker processes, killed, frozen and robbed of Redis: nothing lost, nothing twice at once."""

from __future__ import annotations

import os
import signal
import statistics
import time
from datetime import timedelta
from itertools import count, pairwise

import pytest
from rq import Callback, Queue, Worker
from rq.serializers import JSONSerializer

from hub.clock import SystemClock
from hub.work.waker import Waker

pytestmark = pytest.mark.slow

#: Where the engine of the database makes no difference to what is tested.
on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
NUMBERS = count()


def listening(redis_server, many=1):
    with redis_server.client() as client:
        return Worker.count(connection=client) >= many


def best_of(rounds, bound, measure):
    """The shortest of so many measures, no more of them than it takes to come below `bound`.

    What has to be waited for is waited for in every round; a machine that is busy is not.
    """
    best = measure(0)
    for number in range(1, rounds):
        if best < bound:
            break
        best = min(best, measure(number))
    return best


def latencies(desk, workers, many, job="chain"):
    """Seconds from the commit of a promise to the end of what it leads to, one after the other."""
    seconds = []
    for _ in range(many):
        subject = f"{job}-{next(NUMBERS)}"
        desk.promise(job, subject)
        started = time.time()
        while subject not in workers.ended():
            assert time.time() - started < 30
            time.sleep(0.002)
        (note,) = [note for note in workers.notes("end") if note.subject == subject]
        seconds.append(note.at - started)
    return sorted(seconds)


def report(name, seconds, record_property):
    p50, p95 = statistics.median(seconds), seconds[int(len(seconds) * 0.95)]
    record_property(f"{name} p50 p95 ms", f"{p50 * 1000:.1f} {p95 * 1000:.1f}")
    print(f"{name}: p50 {p50 * 1000:.1f} ms, p95 {p95 * 1000:.1f} ms")
    return p50


@pytest.mark.redis
def test_with_redis_work_begins_at_once(live_desk, workers, redis_server, until, record_property):
    live_desk.store.on_promise(Waker(redis_server.url, SystemClock()).wake)
    workers.start(redis_server.url)
    workers.start(redis_server.url)
    until(lambda: listening(redis_server, 2))

    def half_of_them_take(_round):
        return report("two links, RQ", latencies(live_desk, workers, 20), record_property)

    assert best_of(4, 0.2, half_of_them_take) < 0.2


@on_sqlite
def test_without_redis_it_begins_within_a_moment(live_desk, workers, record_property):
    workers.start(None)
    workers.start(None)

    def half_of_them_take(_round):
        return report("two links, polling", latencies(live_desk, workers, 15), record_property)

    assert best_of(4, 0.5, half_of_them_take) < 0.5


@on_sqlite
@pytest.mark.redis
@pytest.mark.parametrize("with_redis", [True, False])
def test_a_promise_for_later_runs_soon_after_its_time(
    live_desk, workers, redis_server, until, with_redis
):
    workers.start(redis_server.url if with_redis else None)
    if with_redis:
        until(lambda: listening(redis_server))
    now = live_desk.clock.now()
    times = {f"s{part}": now + timedelta(seconds=part / 10) for part in (12, 26, 31)}
    for subject, due_at in times.items():
        live_desk.promise("slow", subject, due_at=due_at)
    until(lambda: len(workers.ended()) == len(times))
    late = [note.at - times[note.subject].timestamp() for note in workers.notes("begin")]
    assert min(late) >= 0
    assert min(late) < 1.3
    assert max(late) < 8  # the sweeper would come after fifteen


@on_sqlite
@pytest.mark.redis
@pytest.mark.parametrize("together", [True, False])
def test_the_second_buyer_does_not_wait_for_the_first(
    live_desk, workers, redis_server, until, together
):
    """While one worker is at a step the next wake-up must reach the other one."""
    live_desk.store.on_promise(Waker(redis_server.url, SystemClock()).wake)
    for _ in range(2):
        workers.start(redis_server.url, seconds=60)
    until(lambda: listening(redis_server, 2))

    def begun(subject):
        return subject in [note.subject for note in workers.notes("begin")]

    def wait_of_the_second():
        first, second = f"first-{next(NUMBERS)}", f"second-{next(NUMBERS)}"
        if together:
            live_desk.promise("slow", first, second)
        else:
            live_desk.promise("slow", first)
            until(lambda: begun(first))
            live_desk.promise("slow", second)
        promised_at = time.time()
        until(lambda: begun(second))
        waited = time.time() - promised_at
        workers.let_go(first, second)
        until(lambda: {first, second} <= set(workers.ended()))
        return waited

    # An idle worker looks by itself once a second: three times in a row that is no luck.
    assert best_of(4, 0.4, lambda _: max(wait_of_the_second() for _ in range(3))) < 0.4


@on_sqlite
@pytest.mark.redis
def test_a_lost_wake_up_costs_a_second(live_desk, workers, redis_server, until):
    """The process that promises cannot reach Redis, the worker can."""
    workers.start(redis_server.url)
    until(lambda: listening(redis_server))

    def seconds(number):
        began = time.time()
        live_desk.promise("slow", f"s{number}")
        until(lambda: len(workers.ended()) == number + 1, 10)
        return time.time() - began

    assert best_of(3, 2, seconds) < 2


@on_sqlite
@pytest.mark.redis
@pytest.mark.parametrize("with_redis", [True, False])
def test_sigterm_lets_it_finish_what_is_in_hand(
    live_desk, workers, redis_server, until, with_redis
):
    process = workers.start(redis_server.url if with_redis else None, seconds=2.0)
    live_desk.promise("slow", "s1", "s2", "s3")
    until(lambda: workers.notes("begin"))
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert workers.ended() == ["s1"]
    assert workers.notes("stop")
    assert live_desk.due() == {"stamp": 2}


@on_sqlite
@pytest.mark.redis
def test_an_idle_worker_stops_within_a_moment(live_desk, workers, redis_server, until):
    process = workers.start(redis_server.url)
    until(lambda: listening(redis_server))
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert not listening(redis_server)


def test_what_a_killed_worker_held_is_run_again_after_its_lease(live_desk, workers, until):
    first = workers.start(None, seconds=30, lease=2, sweeper=(1, 0.3))
    live_desk.promise("slow", "s1")
    until(lambda: workers.notes("begin"))
    first.kill()
    first.wait()
    killed_at = time.time()
    assert live_desk.due() == {}
    second = workers.start(None, seconds=0, lease=2, sweeper=(1, 0.3))
    until(lambda: workers.ended() == ["s1"])
    first_begin, second_begin = workers.notes("begin")
    assert second_begin.at - first_begin.at >= 2.0
    assert time.time() - killed_at < 20  # a step of this one would have taken thirty
    time.sleep(0.6)
    assert workers.ended() == ["s1"]
    assert second_begin.pid == second.pid
    assert live_desk.due() == {}
    assert live_desk.next_due_at() is None


def never_twice_at_once(workers):
    """Within each subject, every begin is followed by its own end."""
    spans = {}
    for note in workers.notes("begin") + workers.notes("end"):
        spans.setdefault(note.subject, []).append(note)
    for notes in spans.values():
        ordered = sorted(notes, key=lambda note: (note.at, note.what != "begin"))
        for before, after in pairwise(ordered):
            assert (before.what, after.what) != ("begin", "begin")


@pytest.mark.redis
@pytest.mark.parametrize("with_redis", [True, False])
def test_many_workers_run_each_promise_once(live_desk, workers, redis_server, until, with_redis):
    redis_url = redis_server.url if with_redis else None
    live_desk.store.on_promise(Waker(redis_url, SystemClock()).wake)
    for _ in range(3):
        workers.start(redis_url, seconds=0.01)
    subjects = [f"s{number}" for number in range(120)]
    for first in range(0, 120, 10):
        live_desk.promise("slow", *subjects[first : first + 10])
    until(lambda: len(workers.ended()) >= 120, 60)
    assert sorted(workers.ended()) == sorted(subjects)
    never_twice_at_once(workers)
    assert len({note.pid for note in workers.notes("end")}) == 3, "they share the work"


@on_sqlite
@pytest.mark.redis
def test_redis_may_be_killed_at_any_moment(live_desk, workers, redis_server, until):
    live_desk.store.on_promise(Waker(redis_server.url, SystemClock()).wake)
    for _ in range(2):
        workers.start(redis_server.url, seconds=0.005)
    subjects = [f"s{number}" for number in range(150)]
    for number, subject in enumerate(subjects):
        live_desk.promise("slow", subject)
        time.sleep(0.01)
        if number % 50 == 20:
            redis_server.kill()
        if number % 50 == 45:
            redis_server.start()
    until(lambda: len(workers.ended()) >= 150, 60)
    assert sorted(workers.ended()) == sorted(subjects)
    never_twice_at_once(workers)
    until(lambda: listening(redis_server, 2))


@on_sqlite
@pytest.mark.redis
def test_a_redis_that_hangs_or_forgets_everything_delays_but_loses_nothing(
    live_desk, workers, redis_server, until
):
    live_desk.store.on_promise(Waker(redis_server.url, SystemClock()).wake)
    workers.start(redis_server.url)
    until(lambda: listening(redis_server))
    redis_server.send(signal.SIGSTOP)
    live_desk.promise("slow", "frozen")
    until(lambda: workers.ended() == ["frozen"], 40)  # RQ itself would wait for a minute
    redis_server.send(signal.SIGCONT)
    until(lambda: listening(redis_server))
    with redis_server.client() as client:
        client.flushall()
    live_desk.promise("slow", "forgotten")
    until(lambda: workers.ended() == ["frozen", "forgotten"], 10)


@on_sqlite
@pytest.mark.redis
def test_it_starts_without_redis_and_goes_to_it(live_desk, workers, redis_server, until):
    redis_server.kill()
    workers.start(redis_server.url)
    live_desk.promise("slow", "s1")
    until(lambda: workers.ended() == ["s1"], 10)
    redis_server.start()
    until(lambda: listening(redis_server))


@on_sqlite
@pytest.mark.redis
def test_what_stands_in_redis_is_never_executed(live_desk, workers, redis_server, until, tmp_path):
    """Who can write to Redis can wake a worker, and no more."""
    process = workers.start(redis_server.url)
    until(lambda: listening(redis_server))
    marks = [tmp_path / name for name in ("function", "pickle")]
    with redis_server.client() as client:
        queue = Queue("stamp", connection=client, serializer=JSONSerializer)
        queue.enqueue("os.mkdir", str(marks[0]), on_success=Callback("os.getpid"))
        pickled = Queue("stamp", connection=client)
        pickled.enqueue("os.mkdir", str(marks[1]))
        client.rpush(queue.key, "no-such-job", b"\xff\xfe")
        client.hset("rq:job:odd", mapping={"data": b"\x00\x01", "created_at": "never"})
        client.rpush(queue.key, "odd")
        client.publish(
            f"rq:pubsub:{Worker.all_keys(connection=client)[0][len('rq:worker:') :]}",
            '{"command": "shutdown"}',
        )
        client.set("rq:suspended", 1)
        until(lambda: queue.count == 0)
    live_desk.promise("slow", "s1")
    until(lambda: workers.ended() == ["s1"], 10)
    assert process.poll() is None
    assert not [mark for mark in marks if mark.exists()]


def test_a_worker_that_was_frozen_past_its_lease_settles_nothing(live_desk, workers, until):
    """The zombie wakes up, ends its step, and finds that the promise is another's."""
    zombie = workers.start(None, seconds=1.0, lease=2, sweeper=(1, 0.3))
    live_desk.promise("slow", "s1")
    until(lambda: workers.notes("begin"))
    os.kill(zombie.pid, signal.SIGSTOP)
    workers.start(None, seconds=3.0, lease=20, sweeper=(1, 0.3))
    until(lambda: len(workers.notes("begin")) == 2)
    os.kill(zombie.pid, signal.SIGCONT)
    until(lambda: len(workers.ended()) >= 1)
    time.sleep(0.3)
    with live_desk.store.transaction() as tx:
        assert tx.outbox.expire() == 0
    assert live_desk.due() == {}
    until(lambda: len(workers.ended()) == 2)
    assert len(workers.notes("begin")) == 2
