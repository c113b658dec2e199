"""How the sandbox misbehaves when it is told to."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Any, Final

from cfdi.pac.cancel_codes import FILED, LATER, REFUSED
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
CANCEL_CODES: Final = FILED | frozenset(LATER) | frozenset(REFUSED)
#: What a fault may strike. SAT's status service is "status".
STAMP: Final = "stamp"
CANCEL: Final = "cancel"
STATUS: Final = "status"
ON: Final = frozenset({STAMP, CANCEL, STATUS})
_MOST = 100_000
_LONGEST = 600.0
_LONGEST_UNKNOWN = 72 * 3600.0


class FaultUnknown(ValueError):
    """The message says what may be asked for."""


@dataclass(frozen=True, slots=True)
class Fault:
    mode: str
    seconds: float = 0.0
    on: str = STAMP

    @property
    def rejected_code(self) -> str:
        return self.mode.removeprefix(REJECT) if self.mode.startswith(REJECT) else ""


class Faults:
    """Planned faults, used up one by each request of their kind in the order they came.

    Thread safe.
    """

    def __init__(self) -> None:
        self._planned: deque[tuple[Fault, int]] = deque()
        self._latency = 0.0
        self._unknown_for = 0.0
        self._lock = threading.Lock()

    def plan(self, wish: dict[str, Any]) -> None:
        """``{"mode", "times": 1, "seconds": 0, "on": "stamp"}``. Raises `FaultUnknown`."""
        mode, times, on = wish.get("mode"), wish.get("times", 1), wish.get("on", STAMP)
        if on not in ON:
            raise FaultUnknown(f"on must be one of {', '.join(sorted(ON))}")
        if not isinstance(mode, str) or not _known(mode, on):
            choice = ", ".join(sorted(MODES))
            raise FaultUnknown(f"mode must be one of {choice}, or reject:<code> of SAT's")
        if not isinstance(times, int) or isinstance(times, bool) or not 0 < times <= _MOST:
            raise FaultUnknown(f"times must be a whole number from 1 to {_MOST}")
        with self._lock:
            self._planned.append((Fault(mode, _seconds(wish), on), times))

    def slow_down(self, wish: dict[str, Any]) -> None:
        """``{"seconds"}`` before every stamp from now on."""
        self._latency = _seconds(wish)

    def forget(self, wish: dict[str, Any]) -> None:
        """``{"seconds"}``: SAT knows nothing of a document until it is so old (205, N-602)."""
        self._unknown_for = _seconds(wish, most=_LONGEST_UNKNOWN)

    def take(self, on: str = STAMP) -> Fault | None:
        """The next fault for this kind of request."""
        with self._lock:
            for place, (fault, times) in enumerate(self._planned):
                if fault.on != on:
                    continue
                if times > 1:
                    self._planned[place] = (fault, times - 1)
                else:
                    del self._planned[place]
                return fault
        return None

    def clear(self) -> None:
        with self._lock:
            self._planned.clear()
        self._latency = 0.0
        self._unknown_for = 0.0

    @property
    def latency(self) -> float:
        return self._latency

    @property
    def unknown_for(self) -> float:
        """Seconds."""
        return self._unknown_for


def _known(mode: str, on: str) -> bool:
    if mode == WITHOUT_DATA:
        return on == STAMP
    codes = {STAMP: frozenset(MESSAGES), CANCEL: CANCEL_CODES}.get(on, frozenset())
    return mode in MODES or (mode.startswith(REJECT) and mode.removeprefix(REJECT) in codes)


def _seconds(wish: dict[str, Any], most: float = _LONGEST) -> float:
    seconds = wish.get("seconds", 0)
    if not isinstance(seconds, int | float) or not 0 <= seconds <= most:
        raise FaultUnknown(f"seconds must be a number from 0 to {most:g}")
    return float(seconds)
