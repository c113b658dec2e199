"""A wake-up is a hint: cheap, coalesced, and never in anybody's way."""

from __future__ import annotations

import signal
import socket
import time

import pytest
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from hub.work import waker as module
from hub.work.waker import DOWN_SECONDS, LIFETIME_SECONDS, Waker

pytestmark = pytest.mark.redis


def took(action) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def thousand_wakes(waker) -> None:
    for _ in range(1000):
        waker.wake("stamp")


@pytest.fixture
def patient(monkeypatch):
    """It waits for a Redis that answers, however busy the machine is."""
    reach = module.connect
    monkeypatch.setattr(module, "connect", lambda url, seconds: reach(url, seconds=600))
    monkeypatch.setattr(module, "LIFETIME_SECONDS", 3600)


@pytest.fixture
def queue(redis_server):
    with redis_server.client() as client:
        yield Queue("stamp", connection=client, serializer=JSONSerializer)


@pytest.mark.usefixtures("patient")
def test_many_wake_ups_are_one_job_that_names_a_queue_only(redis_server, queue, clock):
    waker = Waker(redis_server.url, clock)
    for _ in range(50):
        waker.wake("stamp")
    waker.wake("mail")
    assert queue.job_ids == ["drain-stamp"]
    job = Job.fetch("drain-stamp", connection=queue.connection, serializer=JSONSerializer)
    assert (job.args, job.kwargs) == (["stamp"], {}) or (list(job.args), job.kwargs) == (
        ["stamp"],
        {},
    )
    assert job.data.startswith(b"[")
    assert job.result_ttl == 0
    assert job.retries_left is None


@pytest.mark.usefixtures("patient")
def test_one_that_nobody_took_blocks_the_next_ones_only_for_a_while(redis_server, queue, clock):
    """A worker killed between taking the id and reading the job leaves the job behind."""
    waker = Waker(redis_server.url, clock)
    waker.wake("stamp")
    queue.connection.lpop(queue.key)
    assert 0 < queue.connection.ttl("rq:job:drain-stamp") <= 3600
    assert LIFETIME_SECONDS <= 15


def test_without_redis_there_is_nothing_to_do(clock):
    Waker(None, clock).wake("stamp")


def test_an_address_that_redis_does_not_know_is_refused_at_the_start(clock):
    with pytest.raises(ValueError, match="scheme"):
        Waker("http://127.0.0.1:6379", clock)


def test_while_redis_is_away_it_costs_nothing(redis_server, clock):
    """Nobody is even called: who would take the call is there again, and hears none."""
    waker = Waker(redis_server.url, clock)
    waker.wake("stamp")
    redis_server.kill()
    waker.wake("stamp")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(redis_server.socket))
        listener.listen()
        listener.setblocking(False)
        thousand_wakes(waker)
        with pytest.raises(BlockingIOError):
            listener.accept()
    redis_server.socket.unlink()


def test_a_redis_that_hangs_is_not_waited_for(redis_server, clock):
    """Half a second and its own start; of several one is fast on a busy machine too."""
    redis_server.send(signal.SIGSTOP)
    wakers = [Waker(redis_server.url, clock) for _ in range(6)]
    assert min(took(lambda: waker.wake("stamp")) for waker in wakers) < 5  # noqa: B023
    # Each that waited again would wait a quarter of a second at least.
    assert took(lambda: thousand_wakes(wakers[0])) < 120


@pytest.mark.usefixtures("patient")
def test_it_comes_back_with_redis(redis_server, queue, clock):
    waker = Waker(redis_server.url, clock)
    waker.wake("stamp")
    redis_server.kill()
    waker.wake("stamp")
    redis_server.start()
    waker.wake("stamp")
    assert queue.job_ids == []
    clock.advance(DOWN_SECONDS)
    waker.wake("stamp")
    assert queue.job_ids == ["drain-stamp"]


@pytest.mark.usefixtures("patient")
def test_a_restart_between_two_wake_ups_goes_unnoticed(redis_server, queue, clock):
    waker = Waker(redis_server.url, clock)
    waker.wake("stamp")
    redis_server.kill()
    redis_server.start()
    waker.wake("stamp")
    assert queue.job_ids == ["drain-stamp"]
