"""How the long-lived processes are told to end: SIGTERM and Ctrl-C set an event, nothing more."""

from __future__ import annotations

import signal
from threading import Event, current_thread, main_thread
from types import FrameType


def stop_on_signals(stop: Event) -> None:
    """Set `stop` on SIGTERM and SIGINT. Outside the main thread, which alone may ask, nothing."""
    if current_thread() is not main_thread():
        return

    def handle(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)
