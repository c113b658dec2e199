"""What a connector is given of a request, and the few threads that may wait for a platform."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

import flask

from connectors.connecting import Asked, TooManyTries


def asked(now: datetime, *, body: bytes = b"", values: Mapping[str, str] | None = None) -> Asked:
    """The request at hand, untouched."""
    request = flask.request
    query = request.query_string.decode("ascii", "replace")
    return Asked(
        method=request.method,
        target=request.path + (f"?{query}" if query else ""),
        headers={name.lower(): value for name, value in request.headers},
        body=body,
        values=values or {},
        address=request.remote_addr,
        received_at=now,
    )


class Seats:
    """Threads of a process that may wait for a platform here, however slowly it answers."""

    def __init__(self, number: int) -> None:
        self._free = threading.BoundedSemaphore(number)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Raises `TooManyTries` where none is free."""
        with self.tried() as seated:
            if not seated:
                raise TooManyTries
            yield

    @contextmanager
    def tried(self) -> Iterator[bool]:
        """Whether there was one."""
        seated = self._free.acquire(blocking=False)
        try:
            yield seated
        finally:
            if seated:
                self._free.release()
