"""A child of the supervisor ends when the supervisor does, even by SIGKILL.

The supervisor holds the only writing end of a pipe; each child inherits the reading end and sees
it end when the supervisor is gone, whatever the reason. Works alike on Linux and macOS.
"""

from __future__ import annotations

import os
import signal
from threading import Event, Thread
from typing import Final

VARIABLE: Final = "AUTOFACTURA_LIFELINE"


def hold_lifeline(grace_seconds: float = 10.0) -> bool:
    """Watch the supervisor from a thread; False if this process has none.

    When it is gone, this process gets SIGTERM, and is ended hard `grace_seconds` later. Call it
    first of all, before anything that takes time. Raises `ValueError` if the variable is no number.
    """
    number = os.environ.pop(VARIABLE, "")
    if not number:
        return False
    pipe = int(number)
    os.set_inheritable(pipe, False)  # noqa: FBT003 - the standard library's signature
    Thread(target=_watch, args=(pipe, grace_seconds), name="lifeline", daemon=True).start()
    return True


def _watch(pipe: int, grace_seconds: float) -> None:
    while os.read(pipe, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    Event().wait(grace_seconds)
    os._exit(1)
