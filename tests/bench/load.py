"""Load over HTTP by one process with keep-alive connections; what is sent was built before."""

from __future__ import annotations

import re
import selectors
import socket
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
#: A server that says nothing for so long has failed the measurement.
SILENCE_SECONDS = 120.0


class LoadFailed(Exception):
    """The server did not answer 200: there is nothing to measure."""


@dataclass(slots=True)
class _Line:
    """One connection: at most one request is under way on it."""

    link: socket.socket
    since: float = 0.0
    answer: bytearray = field(default_factory=bytearray)

    def send(self, request: bytes, since: float) -> None:
        self.since = since
        self.answer.clear()
        self.link.sendall(request)

    def answered(self) -> bool:
        """Read what is there; whether the answer is whole. Raises `LoadFailed`."""
        self.answer += self.link.recv(65536)
        head = self.answer.find(b"\r\n\r\n")
        if head < 0:
            return False
        if not self.answer.startswith(b"HTTP/1.1 200 "):
            raise LoadFailed(self.answer[:200].decode("latin-1"))
        length = _LENGTH.search(self.answer, 0, head + 2)
        return length is not None and len(self.answer) >= head + 4 + int(length[1])


class Load:
    """`connections` open connections to one server on loopback."""

    def __init__(self, port: int, connections: int) -> None:
        self._selector = selectors.DefaultSelector()
        self._lines = [self._open(port) for _ in range(connections)]

    def _open(self, port: int) -> _Line:
        link = socket.create_connection(("127.0.0.1", port), timeout=SILENCE_SECONDS)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line = _Line(link)
        self._selector.register(link, selectors.EVENT_READ, line)
        return line

    def close(self) -> None:
        for line in self._lines:
            line.link.close()
        self._selector.close()

    def _whole_answers(self, timeout: float) -> Iterator[_Line]:
        for key, _ in self._selector.select(timeout):
            if key.data.answered():
                yield key.data

    def rate(self, requests: Sequence[bytes], seconds: float) -> float:
        """Answers a second while every connection asks again as soon as it was answered."""
        left, done = iter(requests), 0
        begun = time.perf_counter()
        until = begun + seconds
        for line in self._lines:
            line.send(next(left), begun)
        busy = len(self._lines)
        while busy:
            before = done
            for line in self._whole_answers(SILENCE_SECONDS):
                done += 1
                following = next(left, None) if time.perf_counter() < until else None
                if following is None:
                    busy -= 1
                else:
                    line.send(following, 0.0)
            if before == done and time.perf_counter() > until + SILENCE_SECONDS:
                raise LoadFailed("the server fell silent")
        return done / (time.perf_counter() - begun)

    def latencies(self, requests: Sequence[bytes], per_second: float) -> list[float]:
        """Seconds from when each request was due until its answer, at a fixed rate.

        A request that finds no free connection waits, and its waiting counts.
        """
        free, sent = deque(self._lines), 0
        taken: list[float] = []
        begun = time.perf_counter()
        while len(taken) < len(requests):
            now = time.perf_counter()
            due = begun + sent / per_second
            while free and sent < len(requests) and due <= now:
                free.popleft().send(requests[sent], due)
                sent += 1
                due = begun + sent / per_second
            waiting = SILENCE_SECONDS if sent == len(requests) or not free else due - now
            for line in self._whole_answers(max(waiting, 0.0)):
                taken.append(time.perf_counter() - line.since)
                free.append(line)
            if time.perf_counter() > due + SILENCE_SECONDS:
                raise LoadFailed("the server fell silent")
        return taken

    def times(self, requests: Sequence[bytes]) -> list[float]:
        """Seconds of each request, while every connection asks again as soon as it was answered."""
        left, taken = iter(requests), list[float]()
        for line, request in zip(self._lines, left, strict=False):
            line.send(request, time.perf_counter())
        silent_at = time.perf_counter() + SILENCE_SECONDS
        while len(taken) < len(requests):
            for line in self._whole_answers(SILENCE_SECONDS):
                now = time.perf_counter()
                taken.append(now - line.since)
                silent_at = now + SILENCE_SECONDS
                if (following := next(left, None)) is not None:
                    line.send(following, time.perf_counter())
            if time.perf_counter() > silent_at:
                raise LoadFailed("the server fell silent")
        return taken
