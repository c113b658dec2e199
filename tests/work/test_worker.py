"""Worker processes, killed, frozen and robbed of Redis: nothing lost, nothing twice at once."""

from __future__ import annotations

import os
import signal
import statistics
import time
from datetime import timedelta
from itertools import count, pairwise
from threading import Event, Thread, current_thread

import pytest
from rq import Callback, Queue, Worker
from rq.serializers import JSONSerializer

from hub.clock import SystemClock
from hub.work import waker as module
from hub.work.waker import Waker
from hub.work.worker import LOST_SECONDS, work

pytestmark = pytest.mark.slow

#: Where the engine of the database makes no difference to what is tested.
on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
NUMBERS = count()


def listening(redis_server, many=1):
    with redis_server.client() as client:
        return Worker.count(connection=client) >= many


#: Neither a look of its own nor a sweep leads a worker to a promise: a wake-up does.
WOKEN_ONLY = {"listen": 3600, "lost": 3602, "sweeper": (30, 3600.0), "patient": True}
#: No sweep leads it there.
UNSWEPT = {"sweeper": (30, 3600.0)}


@pytest.fixture
def patient_waker(monkeypatch):
    """A wake-up that waits for Redis as long as the machine takes, and is not void meanwhile."""
    monkeypatch.setattr(module, "LIFETIME_SECONDS", 3600)
    reach = module.connect
    monkeypatch.setattr(module, "connect", lambda url, seconds: reach(url, seconds=600))
    return lambda url: Waker(url, SystemClock()).wake


def latencies(desk, workers, until, many, job="chain"):
    """Seconds from the commit of a promise to the end of what it leads to, one after the other."""
    seconds = []
    for _ in range(many):
        subject = f"{job}-{next(NUMBERS)}"
        desk.promise(job, subject)
        started = time.time()
        until(lambda: subject in workers.ended())  # noqa: B023 - it is waited for within the turn
        (note,) = [note for note in workers.notes("end") if note.subject == subject]
        seconds.append(note.at - started)
    return sorted(seconds)


def report(name, seconds, record_property):
    """How long it took here and now; `make bench` measures it where nothing else runs."""
    p50, p95 = statistics.median(seconds), seconds[int(len(seconds) * 0.95)]
    record_property(f"{name} p50 p95 ms", f"{p50 * 1000:.1f} {p95 * 1000:.1f}")
    print(f"{name}: p50 {p50 * 1000:.1f} ms, p95 {p95 * 1000:.1f} ms")


def let_die(*processes):
    """They listen for an hour, whatever they are told."""
    for process in processes:
        process.kill()


@pytest.mark.redis
def test_with_redis_a_commit_wakes_a_worker(
    live_desk, workers, redis_server, until, patient_waker, record_property
):
    """It does not look by itself here, so that each of forty links is the work of a wake-up."""
    live_desk.store.on_promise(patient_waker(redis_server.url))
    started = [workers.start(redis_server.url, **WOKEN_ONLY) for _ in range(2)]
    until(lambda: listening(redis_server, 2))
    report("two links, RQ", latencies(live_desk, workers, until, 20), record_property)
    let_die(*started)


@on_sqlite
def test_without_redis_it_looks_every_quarter_of_a_second(live_desk):
    waits, pauses = [], Event()

    class Noted(Event):
        def wait(self, timeout=None):
            if current_thread() is not loop:
                return super().wait(timeout)
            waits.append(timeout)
            if len(waits) == 20:  # more than before it looks for a Redis again
                pauses.set()
            return super().wait(0.001)

    stop = Noted()
    options = {"worker": "w1", "clock": SystemClock(), "stop": stop}
    loop = Thread(
        target=work, args=(live_desk.store, {}, Waker(None, SystemClock())), kwargs=options
    )
    loop.start()
    assert pauses.wait(180)
    stop.set()
    loop.join()
    assert set(waits) == {0.25}


@on_sqlite
def test_without_redis_work_begins_by_looking(live_desk, workers, until, record_property):
    for _ in range(2):
        workers.start(None, **UNSWEPT)
    report("two links, polling", latencies(live_desk, workers, until, 15), record_property)


@on_sqlite
@pytest.mark.redis
def test_with_redis_it_listens_for_a_second_before_it_looks_by_itself(workers, redis_server, until):
    told = []

    def listen():
        with redis_server.client() as client, client.monitor() as monitor:
            watching.set()
            for said in monitor.listen():
                words = said["command"].split()
                if words[0].upper() == "BLPOP":
                    told.append(float(words[-1]))
                    if len(told) == 3:
                        return

    watching = Event()
    watcher = Thread(target=listen, daemon=True)
    watcher.start()
    assert watching.wait(180)
    workers.start(redis_server.url)
    until(lambda: len(told) == 3)
    watcher.join()
    assert told == [1.0] * 3


@on_sqlite
@pytest.mark.redis
@pytest.mark.parametrize("with_redis", [True, False])
def test_a_promise_for_later_runs_after_its_time_and_without_a_sweep(
    live_desk, workers, redis_server, until, with_redis
):
    workers.start(redis_server.url if with_redis else None, **UNSWEPT)
    if with_redis:
        until(lambda: listening(redis_server))
    now = live_desk.clock.now()
    times = {f"s{part}": now + timedelta(seconds=part / 10) for part in (12, 26, 31)}
    for subject, due_at in times.items():
        live_desk.promise("slow", subject, due_at=due_at)
    until(lambda: len(workers.ended()) == len(times))
    late = [note.at - times[note.subject].timestamp() for note in workers.notes("begin")]
    assert min(late) >= 0


@on_sqlite
@pytest.mark.redis
@pytest.mark.parametrize("together", [True, False])
def test_the_second_buyer_does_not_wait_for_the_first(
    live_desk, workers, redis_server, until, patient_waker, together
):
    """While one worker is at a step the next wake-up must reach the other one."""
    live_desk.store.on_promise(patient_waker(redis_server.url))
    started = [workers.start(redis_server.url, seconds=3600, **WOKEN_ONLY) for _ in range(2)]
    until(lambda: listening(redis_server, 2))

    def begun(subject):
        return subject in [note.subject for note in workers.notes("begin")]

    for turn in range(5):
        first, second = f"first-{turn}", f"second-{turn}"
        if together:
            live_desk.promise("slow", first, second)
        else:
            live_desk.promise("slow", first)
            until(lambda: begun(first))  # noqa: B023 - it is waited for within the turn
            live_desk.promise("slow", second)
        until(lambda: begun(first) and begun(second))  # noqa: B023
        workers.let_go(first, second)
        until(lambda: {first, second} <= set(workers.ended()))  # noqa: B023
    let_die(*started)


@on_sqlite
@pytest.mark.redis
def test_a_lost_wake_up_costs_a_look_and_no_promise(live_desk, workers, redis_server, until):
    """The process that promises cannot reach Redis, the worker can, and looks once a second."""
    workers.start(redis_server.url, **UNSWEPT)
    until(lambda: listening(redis_server))
    for number in range(3):
        live_desk.promise("slow", f"s{number}")
        until(lambda: len(workers.ended()) == number + 1)  # noqa: B023


@on_sqlite
@pytest.mark.redis
@pytest.mark.parametrize("with_redis", [True, False])
def test_sigterm_lets_it_finish_what_is_in_hand(
    live_desk, workers, redis_server, until, with_redis
):
    process = workers.start(redis_server.url if with_redis else None, seconds=3600)
    live_desk.promise("slow", "s1", "s2", "s3")
    until(lambda: workers.notes("begin"))
    process.send_signal(signal.SIGTERM)
    workers.let_go("s1", "s2", "s3")
    assert process.wait(180) == 0
    assert workers.ended() == ["s1"]
    assert workers.notes("stop")
    assert live_desk.due() == {"stamp": 2}


@on_sqlite
@pytest.mark.redis
def test_an_idle_worker_stops_within_a_moment(live_desk, workers, redis_server, until):
    process = workers.start(redis_server.url)
    until(lambda: listening(redis_server))
    process.send_signal(signal.SIGTERM)
    assert process.wait(180) == 0
    assert not listening(redis_server)


def test_what_a_killed_worker_held_is_run_again_after_its_lease(live_desk, workers, until):
    first = workers.start(None, seconds=3600, lease=2, sweeper=(1, 3600.0))
    live_desk.promise("slow", "s1")
    until(lambda: workers.notes("begin"))
    first.kill()
    first.wait()
    assert live_desk.due() == {}
    held_until = live_desk.claimed_until("s1")
    second = workers.start(None, sweeper=(1, 0.3))
    until(lambda: workers.ended() == ["s1"])
    _, again = workers.notes("begin")
    assert again.at >= held_until.timestamp()
    assert again.pid == second.pid
    until(lambda: live_desk.fences() == [])
    time.sleep(0.6)
    assert workers.ended() == ["s1"]
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
        workers.start(redis_url, seconds=3600)
    subjects = [f"s{number}" for number in range(120)]
    live_desk.promise("slow", *subjects[:10])
    until(lambda: len({note.pid for note in workers.notes("begin")}) == 3)  # they share the work
    assert len(workers.notes("begin")) == 3
    workers.let_go(*subjects)
    for first in range(10, 120, 10):
        live_desk.promise("slow", *subjects[first : first + 10])
    until(lambda: len(workers.ended()) >= 120)
    assert sorted(workers.ended()) == sorted(subjects)
    never_twice_at_once(workers)


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
    until(lambda: len(workers.ended()) >= 150)
    assert sorted(workers.ended()) == sorted(subjects)
    never_twice_at_once(workers)
    until(lambda: listening(redis_server, 2))


@on_sqlite
@pytest.mark.redis
def test_a_redis_that_hangs_or_forgets_everything_delays_but_loses_nothing(
    live_desk, workers, redis_server, until
):
    live_desk.store.on_promise(Waker(redis_server.url, SystemClock()).wake)
    workers.start(redis_server.url, lost=LOST_SECONDS)
    until(lambda: listening(redis_server))
    redis_server.send(signal.SIGSTOP)
    live_desk.promise("slow", "frozen")
    until(lambda: workers.ended() == ["frozen"])  # RQ itself would wait until Redis goes on
    redis_server.send(signal.SIGCONT)
    until(lambda: listening(redis_server))
    with redis_server.client() as client:
        client.flushall()
    live_desk.promise("slow", "forgotten")
    until(lambda: workers.ended() == ["frozen", "forgotten"])


@on_sqlite
@pytest.mark.redis
def test_it_starts_without_redis_and_goes_to_it(live_desk, workers, redis_server, until):
    redis_server.kill()
    workers.start(redis_server.url)
    live_desk.promise("slow", "s1")
    until(lambda: workers.ended() == ["s1"])
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
    until(lambda: workers.ended() == ["s1"])
    assert process.poll() is None
    assert not [mark for mark in marks if mark.exists()]


def test_a_worker_that_was_frozen_past_its_lease_settles_nothing(live_desk, workers, until):
    """The zombie wakes up, ends its step, and finds that the promise is another's."""
    zombie = workers.start(None, seconds=3600, lease=2, sweeper=(1, 3600.0))
    live_desk.promise("slow", "s1")
    until(lambda: workers.notes("begin"))
    os.kill(zombie.pid, signal.SIGSTOP)
    workers.start(None, seconds=3600, sweeper=(1, 0.3))
    until(lambda: len(workers.notes("begin")) == 2)
    os.kill(zombie.pid, signal.SIGCONT)
    workers.let_go("s1", of=zombie.pid)
    until(lambda: workers.ended() == ["s1"])
    live_desk.promise("slow", "s2")
    # The other one is busy: when the zombie is at the next step, it has settled the last.
    until(lambda: [note.subject for note in workers.notes("begin")] == ["s1", "s1", "s2"])
    assert workers.notes("begin")[-1].pid == zombie.pid
    assert sorted(live_desk.fences()) == [1, 2], "the claim of the other one stands"
    assert live_desk.due() == {}
    workers.let_go("s1", "s2")
    until(lambda: sorted(workers.ended()) == ["s1", "s1", "s2"])
    assert len(workers.notes("begin")) == 3
