"""Wakes workers through Redis. Only ever a hint: what is to be done stands in the database."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.exceptions import DuplicateJobError
from rq.serializers import JSONSerializer

from hub.clock import Clock

log = structlog.get_logger(__name__)

#: What the job is called in Redis. Workers never import what Redis names: a job only wakes them.
FUNCTION: Final = "hub.work.drain.drain"

#: A wake-up that nobody took for so long is void, so that a lost one cannot block those after it.
LIFETIME_SECONDS: Final = 15

DOWN_SECONDS: Final = 3.0


def connect(redis_url: str, *, seconds: float, retries: int = 1) -> Redis:
    """A client that gives up after `seconds` a try. It opens no connection yet.

    The one retry is for a connection that a restart of Redis has cut meanwhile.
    Raises `ValueError` if the URL is of no scheme Redis knows.
    """
    return Redis.from_url(
        redis_url,
        socket_connect_timeout=min(seconds, 1.0),
        socket_timeout=seconds,
        retry=Retry(NoBackoff(), retries),
    )


def answers(redis_url: str) -> bool:
    """Whether Redis can be reached at this moment; asks for half a second at most."""
    redis = connect(redis_url, seconds=0.5)
    try:
        return bool(redis.ping())
    except (RedisError, OSError):
        return False
    finally:
        redis.close()


def job_id(queue: str) -> str:
    return f"drain-{queue}"


class Waker:
    """One coalesced RQ job per queue. Without Redis (`redis_url` None) it does nothing.

    `wake` is called after a commit, on the path of a request: it never raises, and while Redis is
    away it costs nothing.
    """

    def __init__(self, redis_url: str | None, clock: Clock) -> None:
        self.redis_url = redis_url
        self._clock = clock
        self._redis = connect(redis_url, seconds=0.25) if redis_url else None
        self._down_until = float("-inf")

    def wake(self, queue: str) -> None:
        """Make an idle worker look at `queue`. Workers look by themselves too, a little later."""
        if self._redis is None or self._clock.monotonic() < self._down_until:
            return
        try:
            self._enqueue(self._redis, queue)
        except (RedisError, OSError) as error:
            self._down_until = self._clock.monotonic() + DOWN_SECONDS
            log.warning("redis_away", error=type(error).__name__)

    def _enqueue(self, redis: Redis, queue: str) -> None:
        with suppress(DuplicateJobError):
            Queue(queue, connection=redis, serializer=JSONSerializer).enqueue_call(
                FUNCTION,
                args=(queue,),
                job_id=job_id(queue),
                unique=True,
                ttl=LIFETIME_SECONDS,
                result_ttl=0,
                failure_ttl=LIFETIME_SECONDS,
                description=job_id(queue),
            )
