"""A worker process: RQ wakes it, the database says what to do.

With Redis it listens by RQ and is at work within milliseconds of a commit. Whenever Redis cannot be
reached, at the start or later, the same process looks into the database every 250 ms instead and
goes back to RQ once Redis answers. Both ways it looks at least once a second for promises whose
time has come, so a lost wake-up costs a second and never a promise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Any, Final

import structlog
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.exceptions import DequeueTimeout
from rq.job import Job as RqJob
from rq.serializers import JSONSerializer
from rq.worker import WorkerStatus

from hub.clock import Clock
from hub.store.database import Store
from hub.work.drain import drain
from hub.work.jobs import QUEUES, Jobs
from hub.work.stopping import stop_on_signals
from hub.work.sweeper import Sweep, Sweeper
from hub.work.waker import Waker, answers, connect

log = structlog.get_logger(__name__)

#: How long it listens to Redis before it looks at the time of later promises.
LISTEN_SECONDS: Final = 1
POLL_SECONDS: Final = 0.25
REDIS_RETRY_SECONDS: Final = 2.0
#: A Redis that says nothing for so long is lost; RQ itself would wait for a minute.
LOST_SECONDS: Final = LISTEN_SECONDS + 2
#: After so long without a sign of life Redis forgets the worker.
RQ_SECONDS: Final = 60


def work(
    store: Store,
    jobs: Jobs,
    waker: Waker,
    *,
    worker: str,
    clock: Clock,
    queues: Sequence[str] = QUEUES,
    sweeps: Sequence[Sweep] = (),
    stop: Event | None = None,
) -> None:
    """Work until SIGTERM, SIGINT or `stop`; the promise in hand is finished first.

    `worker` must differ between any two processes that live at the same time, on any host.
    """
    stop = stop or Event()
    stop_on_signals(stop)
    sweeper = Sweeper(store, waker.wake, sweeps, owner=worker, clock=clock)
    sweeper.start(stop)
    try:
        _Loop(store, jobs, waker, worker, clock, tuple(queues), stop).run()
    finally:
        stop.set()
        sweeper.join()


@dataclass(slots=True)
class _Loop:
    store: Store
    jobs: Jobs
    waker: Waker
    worker: str
    clock: Clock
    queues: tuple[str, ...]
    stop: Event

    def run(self) -> None:
        while not self.stop.is_set():
            if self._redis_answers():
                self._listen()
            self._poll(REDIS_RETRY_SECONDS)

    def run_due(self) -> None:
        """Run everything that is due. An error of the store is logged and waited out."""
        try:
            while not self.stop.is_set() and self._drain_once():
                pass
        except Exception as error:  # noqa: BLE001 - a database that is away comes back
            log.warning("drain_failed", error=type(error).__name__)
            self.stop.wait(1.0)

    def _drain_once(self) -> bool:
        with self.store.reading() as tx:
            due = tx.outbox.due(self.queues)
        if not any(due.values()):
            return False
        for queue, waiting in due.items():
            if waiting > 1:  # enough for two: an idle worker may share
                self.waker.wake(queue)
        return drain(
            self.store,
            self.jobs,
            self.queues,
            self.worker,
            self.clock,
            stopping=self.stop.is_set,
        ).more

    def _poll(self, seconds: float) -> None:
        until = self.clock.monotonic() + seconds
        while not self.stop.is_set() and self.clock.monotonic() < until:
            self.run_due()
            self.stop.wait(POLL_SECONDS)

    def _redis_answers(self) -> bool:
        return self.waker.redis_url is not None and answers(self.waker.redis_url)

    def _listen(self) -> None:
        """Listen by RQ until Redis is lost or the process is to stop."""
        assert self.waker.redis_url is not None  # noqa: S101 - `_redis_answers` was true
        redis = connect(self.waker.redis_url, seconds=LOST_SECONDS, retries=0)
        log.info("listening", queues=self.queues)
        try:
            listener = Listener(self.queues, redis, run_due=self.run_due, stop=self.stop)
            listener.work(logging_level="WARNING")
        except (RedisError, OSError) as error:
            log.warning("redis_lost", error=type(error).__name__)
        finally:
            redis.close()


class Listener(SimpleWorker):
    """RQ's worker, for which a job is a wake-up and nothing more.

    Nothing that stands in Redis is imported or executed, no command is taken from it, and no alarm
    interrupts a step: every step has its own time limits.
    """

    def __init__(
        self,
        queues: Sequence[str],
        redis: Any,
        *,
        run_due: Callable[[], None],
        stop: Event,
    ) -> None:
        super().__init__(
            list(queues), connection=redis, serializer=JSONSerializer, worker_ttl=RQ_SECONDS
        )
        self._run_due = run_due
        self._stop = stop
        self._lost = False

    @property
    def connection_timeout(self) -> int:
        return LOST_SECONDS

    def dequeue_job_and_maintain_ttl(
        self,
        timeout: int | None,  # noqa: ARG002 - RQ's: a minute, too long for later promises
        max_idle_time: int | None = None,  # noqa: ARG002 - RQ's
    ) -> tuple[RqJob, Queue] | None:
        """Wait for a wake-up and look at the time of later promises; None ends RQ's loop.

        RQ itself waits through a lost Redis, in growing pauses of up to a minute.
        """
        while not self._stop.is_set() and not self._lost:
            self.heartbeat()
            self._run_due()
            try:
                return self._dequeue()
            except DequeueTimeout:
                continue
            except (RedisError, OSError) as error:
                self._lose(error)
            except Exception as error:  # noqa: BLE001 - whatever was put there is no job of ours
                log.warning("wake_up_unreadable", error=type(error).__name__)
        return None

    def _dequeue(self) -> tuple[RqJob, Queue] | None:
        if self._stop.is_set():
            return None
        self.set_state(WorkerStatus.IDLE)
        return Queue.dequeue_any(
            self._ordered_queues,
            LISTEN_SECONDS,
            connection=self.connection,
            serializer=JSONSerializer,
        )

    def _lose(self, error: Exception) -> None:
        self._lost = True
        if not self._stop.is_set():
            log.warning("redis_lost", error=type(error).__name__)

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        try:
            super().heartbeat(timeout, pipeline)
        except (RedisError, OSError) as error:
            self._lose(error)

    def execute_job(self, job: RqJob, queue: Queue) -> None:
        """Take the wake-up away before looking, so that one sent from now on is not lost."""
        self.connection.lrem(queue.intermediate_queue_key, 1, job.id)
        self.connection.delete(job.key)
        self.set_state(WorkerStatus.BUSY)
        self._run_due()

    def teardown(self) -> None:
        if not self._lost:
            super().teardown()  # type: ignore[no-untyped-call]  # RQ's is untyped

    def subscribe(self) -> None:
        """No commands by Redis: whoever can write there must not stop a worker."""

    def unsubscribe(self) -> None:
        """Nothing was subscribed."""

    def check_for_suspension(self, burst: bool) -> None:  # noqa: FBT001 - RQ's signature
        """`rq suspend` does not apply: a promise in the database is due all the same."""

    def _install_signal_handlers(self) -> None:
        """`work` has set its own: RQ's raise in the midst of whatever is running."""
