"""A lock between processes that serves who waits in turn, as SQLite's own does not."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.store.errors import StoreUnavailable

#: Seconds that a thread waits for the other threads of its process.
PATIENCE = 30.0


class FairLock:
    """flock(2) between processes, and a lock between the threads of this one.

    The kernel frees it when the holder dies, however it dies.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        self._threads = threading.Lock()

    @contextmanager
    def held(self) -> Iterator[None]:
        if not self._threads.acquire(timeout=PATIENCE):
            raise StoreUnavailable("another thread holds the database for too long")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)
        finally:
            self._threads.release()

    def close(self) -> None:
        with self._threads:
            os.close(self._file)
