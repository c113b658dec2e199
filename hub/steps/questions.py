"""questions: shops are asked beside the pages, so many at a time, about the same thing once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Hashable
from concurrent.futures import Future, wait
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

#: How long those may wait for whom there is no seat.
GLIMPSE_SECONDS: Final = 0.2


class Questions(Generic[K, T]):
    """Each on a thread of its own, and it goes on after whoever asked has gone.

    The end of the process does not wait for a shop: these threads hold nothing open, and a store
    that was closed lets nobody in (`Store.close`). The threads of a `ThreadPoolExecutor` would be
    waited for, as long as a silent shop likes: https://docs.python.org/3/library/concurrent.futures.html
    """

    def __init__(self, name: str, *, at_once: int, at_one_shop: int, seats: int) -> None:
        """`seats`: how many may wait for an answer at a time; each holds a thread that answers."""
        self._name, self._at_once, self._at_one_shop = name, at_once, at_one_shop
        self._running: dict[K, tuple[str, Future[T]]] = {}
        self._lock = threading.Lock()
        self._seats = threading.BoundedSemaphore(seats)

    def under_way(self) -> int:
        return len(self._running)

    def ask(self, key: K, shop: str, work: Callable[[], T]) -> Future[T] | None:
        """The question under way, or a new one; None where too many are."""
        with self._lock:
            known = self._running.get(key)
            if known is not None:
                return known[1]
            at_shops = Counter(shop for shop, _ in self._running.values())
            if len(self._running) >= self._at_once or at_shops[shop] >= self._at_one_shop:
                return None
            future: Future[T] = Future()
            thread = threading.Thread(
                target=self._answer, args=(key, future, work), name=self._name, daemon=True
            )
            try:
                thread.start()
            except RuntimeError:
                return None  # the system has no thread for it
            self._running[key] = shop, future
            return future

    def wait(self, future: Future[T], seconds: float) -> bool:
        """Whether it was answered within `seconds`; less where others wait already."""
        if not self._seats.acquire(blocking=False):
            return bool(wait([future], min(seconds, GLIMPSE_SECONDS)).done)
        try:
            return bool(wait([future], seconds).done)
        finally:
            self._seats.release()

    def _answer(self, key: K, future: Future[T], work: Callable[[], T]) -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - it is raised where it was asked for
            self._over(key)
            future.set_exception(error)
        else:
            self._over(key)
            future.set_result(result)

    def _over(self, key: K) -> None:
        with self._lock:
            del self._running[key]
