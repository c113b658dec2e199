"""What must happen now and then: by one worker of all, the one that holds the lease `sweeper`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event, Thread
from typing import Final

import structlog

from hub.clock import Clock
from hub.store.database import Store

log = structlog.get_logger(__name__)

LEASE: Final = "sweeper"
LEASE_SECONDS: Final = 30
TURN_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class Sweep:
    """Work that nobody promised, e.g. asking a platform what its webhooks did not tell.

    It may be run twice at once when a holder was taken for dead.
    """

    name: str
    every_seconds: float
    run: Callable[[], None]


class Sweeper:
    def __init__(
        self,
        store: Store,
        wake: Callable[[str], None],
        sweeps: Sequence[Sweep],
        *,
        owner: str,
        clock: Clock,
    ) -> None:
        self._store, self._wake, self._sweeps = store, wake, tuple(sweeps)
        self._owner, self._clock = owner, clock
        self._held_until = float("-inf")
        self._due_at = {sweep.name: float("-inf") for sweep in self._sweeps}
        self._threads: list[Thread] = []

    def start(self, stop: Event) -> None:
        """Two threads until `stop`: a sweep may wait for a platform, the lease must not."""
        for name, step, seconds in (("turn", self.turn, TURN_SECONDS), ("sweep", self.sweep, 1.0)):
            thread = Thread(
                target=_repeat, args=(step, seconds, stop), name=f"sweeper-{name}", daemon=True
            )
            thread.start()
            self._threads.append(thread)

    def join(self, seconds: float = 5.0) -> None:
        """After `stop`: wait for what is in hand, then let another worker hold the lease."""
        for thread in self._threads:
            thread.join(seconds)
        if self.holding():
            with self._store.transaction() as tx:
                tx.leases.release(LEASE, self._owner)

    def holding(self) -> bool:
        return self._clock.monotonic() < self._held_until

    def turn(self) -> bool:
        """Take or keep the lease; if held, free what a dead worker claimed and wake what is due."""
        asked = self._clock.monotonic()
        with self._store.transaction() as tx:
            fence = tx.leases.hold(LEASE, self._owner, LEASE_SECONDS)
            freed = tx.outbox.expire() if fence is not None else 0
        if fence is None:
            self._held_until = float("-inf")
            return False
        self._held_until = asked + LEASE_SECONDS
        if freed:
            log.warning("claims_expired", count=freed)
        with self._store.reading() as tx:
            due = tx.outbox.due(None)
        for queue, waiting in due.items():
            if waiting:
                self._wake(queue)
        return True

    def sweep(self) -> None:
        """Run the sweeps whose time has come. One that fails is logged and comes again."""
        for sweep in self._sweeps:
            if not self.holding():
                return
            now = self._clock.monotonic()
            if now < self._due_at[sweep.name]:
                continue
            self._due_at[sweep.name] = now + sweep.every_seconds
            _guarded(sweep.name, sweep.run)


def _repeat(step: Callable[[], object], seconds: float, stop: Event) -> None:
    while not stop.is_set():
        _guarded("sweeper", step)
        stop.wait(seconds)


def _guarded(name: str, run: Callable[[], object]) -> None:
    try:
        run()
    except Exception as error:
        # One sweep failing never stops the others.
        log.warning("sweep_failed", sweep=name, exc_info=error)
