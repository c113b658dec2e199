"""Tries that are counted before they are made, and no longer where they were right.

So that of many at once no more are made than may be: whoever looks first and counts afterwards lets
all of them through that look at the same time.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Final, Protocol, Self

from limits import RateLimitItem
from limits.storage import Storage

#: What is counted, and for whom.
Asked = tuple[RateLimitItem, str]
#: Of one process, some 20 MB at most; what would end soonest is forgotten first.
_KEPT: Final = 100_000


class Tally(Protocol):
    """Numbers that begin with the first one counted and end a fixed time later."""

    def add(self, key: str, seconds: int, amount: int) -> int:
        """The number after it, exact however many add at once; never below 0."""
        ...

    def left(self, key: str) -> float:
        """Seconds until it ends; 0 or less where there is none."""
        ...


class Here:
    """In this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, int]] = {}

    def add(self, key: str, seconds: int, amount: int) -> int:
        with self._lock:
            now = time.monotonic()
            until, number = self._kept.get(key, (0.0, 0))
            if until <= now:
                until, number = now + seconds, 0
                self._kept.pop(key, None)
            number = max(0, number + amount)
            if number or key in self._kept:
                self._kept[key] = (until, number)
            if len(self._kept) > _KEPT:
                self._make_room(now)
            return number

    def left(self, key: str) -> float:
        until, _ = self._kept.get(key, (0.0, 0))
        return until - time.monotonic()

    def _make_room(self, now: float) -> None:
        """Of a tenth, so that it is seldom done."""
        soonest = sorted(self._kept, key=lambda key: self._kept[key][0])
        ended = sum(until <= now for until, _ in self._kept.values())
        for key in soonest[: max(ended, _KEPT // 10)]:
            del self._kept[key]


class Shared:
    """In Redis. Raises `limits.errors.StorageError`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def add(self, key: str, seconds: int, amount: int) -> int:
        number = int(self._storage.incr(key, seconds, amount))
        if number < 0:  # it ended between the try and its taking back
            self._storage.clear(key)
        return max(0, number)

    def left(self, key: str) -> float:
        return self._storage.get_expiry(key) - time.time()


class Trial:
    """One try, counted from `with` on; at its end it counts no more unless `count` was called."""

    def __init__(self, take: Callable[[], int], give_back: Callable[[], None]) -> None:
        self._take, self._give_back = take, give_back
        self._counts = False
        #: 0: it may be made; else the seconds to wait, and nothing was counted.
        self.wait = 0

    def __enter__(self) -> Self:
        self.wait = self._take()
        return self

    def count(self) -> None:
        """It was wrong, or is what may be done so often."""
        self._counts = True

    def __exit__(self, *_error: object) -> None:
        if not self.wait and not self._counts:
            self._give_back()


def take(tally: Tally, asked: tuple[Asked, ...]) -> int:
    """Count one try of each. 0: it may be made; else the seconds to wait, and nothing is counted.

    Raises as `tally`.
    """
    for place, (item, whose) in enumerate(asked):
        key = _key(item, whose)
        if tally.add(key, item.get_expiry(), 1) > item.amount:
            give_back(tally, asked[: place + 1])
            return max(1, math.ceil(tally.left(key)))
    return 0


def give_back(tally: Tally, asked: tuple[Asked, ...]) -> None:
    """That try does not count: it was right, or was not made. Raises as `tally`."""
    for item, whose in asked:
        tally.add(_key(item, whose), item.get_expiry(), -1)


def _key(item: RateLimitItem, whose: str) -> str:
    return f"tries/{item.key_for(whose)}"
