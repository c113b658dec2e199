"""How much memory a process of many threads keeps for itself."""

from __future__ import annotations

import ctypes
import sys
from typing import Final

#: From glibc's malloc.h: how many separate heaps ("arenas") the threads of a process share.
M_ARENA_MAX: Final = -8
ARENAS: Final = 2


def share_heaps() -> None:
    """Let all threads share two heaps, where glibc would give each its own and never take it back.

    Call it before any thread starts. Does nothing with another C library.
    https://man7.org/linux/man-pages/man3/mallopt.3.html
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, ARENAS)
