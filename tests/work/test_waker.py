"""A wake-up is a hint: cheap, coalesced, and never in anybody's way."""

from __future__ import annotations

import signal
import time

import pytest
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from hub.clock import SystemClock
from hub.work.waker import DOWN_SECONDS, LIFETIME_SECONDS, Waker

pytestmark = pytest.mark.redis


def took(action) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def thousand_wakes(waker) -> float:
    """Seconds of the processor: a busy machine takes it away for as long as it likes."""
    started = time.thread_time()
    for _ in range(1000):
        waker.wake("stamp")
    return time.thread_time() - started


@pytest.fixture
def queue(redis_server):
    with redis_server.client() as client:
        yield Queue("stamp", connection=client, serializer=JSONSerializer)


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


def test_one_that_nobody_took_blocks_the_next_ones_only_for_a_while(redis_server, queue, clock):
    """A worker killed between taking the id and reading the job leaves the job behind."""
    waker = Waker(redis_server.url, clock)
    waker.wake("stamp")
    queue.connection.lpop(queue.key)
    assert 0 < queue.connection.ttl("rq:job:drain-stamp") <= LIFETIME_SECONDS


def test_without_redis_there_is_nothing_to_do(clock):
    Waker(None, clock).wake("stamp")


def test_an_address_that_redis_does_not_know_is_refused_at_the_start(clock):
    with pytest.raises(ValueError, match="scheme"):
        Waker("http://127.0.0.1:6379", clock)


def test_while_redis_is_away_it_costs_nothing(redis_server, clock):
    waker = Waker(redis_server.url, clock)
    waker.wake("stamp")
    redis_server.kill()
    assert took(lambda: waker.wake("stamp")) < 5
    assert thousand_wakes(waker) < 0.05


def test_a_redis_that_hangs_is_not_waited_for(redis_server):
    waker = Waker(redis_server.url, SystemClock())
    redis_server.send(signal.SIGSTOP)
    assert took(lambda: waker.wake("stamp")) < 10
    assert took(lambda: [waker.wake("stamp") for _ in range(1000)]) < 10


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


def test_a_restart_between_two_wake_ups_goes_unnoticed(redis_server, queue, clock):
    waker = Waker(redis_server.url, clock)
    waker.wake("stamp")
    redis_server.kill()
    redis_server.start()
    waker.wake("stamp")
    assert queue.job_ids == ["drain-stamp"]
