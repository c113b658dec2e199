"""Tax rates as they were asked for lately: a percentage never changes, and every line names a rate.

https://docs.stripe.com/api/tax_rates/update: name and kind can be changed, so ten minutes it is.
"""

from __future__ import annotations

from threading import Lock
from typing import Any, Final

GOOD_FOR: Final = 600.0
MOST: Final = 1000


class Rates:
    """Of one process, by the key that may read them. Seconds are of the monotonic clock."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str], tuple[float, Any]] = {}
        self._lock = Lock()

    def get(self, reader: str, rate_id: str, now: float) -> Any | None:
        """None if it was not asked for lately."""
        with self._lock:
            until, value = self._held.get((reader, rate_id), (now, None))
        return value if now < until else None

    def keep(self, reader: str, rate_id: str, value: Any, now: float) -> None:
        with self._lock:
            if len(self._held) >= MOST:
                self._held.clear()
            self._held[reader, rate_id] = (now + GOOD_FOR, value)
