"""How the sandbox misbehaves when it is told to."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Any, Final

from cfdi.pac.sandbox.messages import MESSAGES

SLOW: Final = "slow"
DROP_BEFORE: Final = "drop_before"
DROP_AFTER: Final = "drop_after"
ERROR_AFTER_COMMIT: Final = "500_after_commit"
WITHOUT_DATA: Final = "307_without_data"
GARBAGE: Final = "garbage"
REJECT: Final = "reject:"
#: Answered with that status before the document is looked at.
STATUSES: Final = frozenset({"401", "402", "403", "429", "500", "503"})
MODES: Final = STATUSES | {
    SLOW,
    DROP_BEFORE,
    DROP_AFTER,
    ERROR_AFTER_COMMIT,
    WITHOUT_DATA,
    GARBAGE,
}
_MOST = 100_000
_LONGEST = 600.0


class FaultUnknown(ValueError):
    """The message says what may be asked for."""


@dataclass(frozen=True, slots=True)
class Fault:
    mode: str
    seconds: float = 0.0

    @property
    def rejected_code(self) -> str:
        return self.mode.removeprefix(REJECT) if self.mode.startswith(REJECT) else ""


class Faults:
    """Planned faults, used up one by each stamp request in the order they came. Thread safe."""

    def __init__(self) -> None:
        self._planned: deque[tuple[Fault, int]] = deque()
        self._latency = 0.0
        self._lock = threading.Lock()

    def plan(self, wish: dict[str, Any]) -> None:
        """``{"mode", "times": 1, "seconds": 0}``. Raises `FaultUnknown`."""
        mode, times = wish.get("mode"), wish.get("times", 1)
        if not isinstance(mode, str) or not _known(mode):
            choice = ", ".join(sorted(MODES))
            raise FaultUnknown(f"mode must be one of {choice}, or reject:<code> of SAT's")
        if not isinstance(times, int) or isinstance(times, bool) or not 0 < times <= _MOST:
            raise FaultUnknown(f"times must be a whole number from 1 to {_MOST}")
        with self._lock:
            self._planned.append((Fault(mode, _seconds(wish)), times))

    def slow_down(self, wish: dict[str, Any]) -> None:
        """``{"seconds"}`` before every stamp from now on."""
        self._latency = _seconds(wish)

    def take(self) -> Fault | None:
        with self._lock:
            if not self._planned:
                return None
            fault, times = self._planned.popleft()
            if times > 1:
                self._planned.appendleft((fault, times - 1))
            return fault

    def clear(self) -> None:
        with self._lock:
            self._planned.clear()
        self._latency = 0.0

    @property
    def latency(self) -> float:
        return self._latency


def _known(mode: str) -> bool:
    return mode in MODES or (mode.startswith(REJECT) and mode.removeprefix(REJECT) in MESSAGES)


def _seconds(wish: dict[str, Any]) -> float:
    seconds = wish.get("seconds", 0)
    if not isinstance(seconds, int | float) or not 0 <= seconds <= _LONGEST:
        raise FaultUnknown(f"seconds must be a number from 0 to {_LONGEST:g}")
    return float(seconds)
