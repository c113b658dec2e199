"""A circuit breaker: after too many answers that tell nothing, leave the provider alone a while."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable


class Breaker:
    """Opens when half of the last `window` calls were trouble; then lets one probe a rest through.

    Thread safe. One for each account, in each process; nothing of it is stored.
    """

    def __init__(
        self, monotonic: Callable[[], float], *, window: int = 20, rest_seconds: float = 30.0
    ) -> None:
        self._monotonic = monotonic
        self._limit = window // 2
        self._rest = rest_seconds
        self._recent: deque[bool] = deque(maxlen=window)
        self._open_until: float | None = None
        self._lock = threading.Lock()

    def admits(self) -> bool:
        """Whether a call may be made now. While open, True once in each rest: that is the probe."""
        with self._lock:
            if self._open_until is None:
                return True
            now = self._monotonic()
            if now < self._open_until:
                return False
            self._open_until = now + self._rest
            return True

    def record(self, *, trouble: bool) -> None:
        """How an admitted call ended. Any that ends well closes the breaker at once."""
        with self._lock:
            if not trouble and self._open_until is not None:
                self._open_until = None
                self._recent.clear()
            self._recent.append(trouble)
            if sum(self._recent) >= self._limit and self._open_until is None:
                self._open_until = self._monotonic() + self._rest
