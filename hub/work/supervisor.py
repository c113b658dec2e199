"""`autofactura up`: run the processes of an installation together, and end them together.

Every child runs in a session of its own, so that Ctrl-C reaches the supervisor alone, and holds a
lifeline (`hub/work/lifeline.py`), so that none outlives it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from threading import Event, Lock, Thread
from typing import IO, Final
from urllib.parse import urlsplit

import structlog

from hub.clock import Clock
from hub.work.lifeline import VARIABLE
from hub.work.stopping import stop_on_signals

log = structlog.get_logger(__name__)

FIRST_PAUSE: Final = 0.25
LONGEST_PAUSE: Final = 30.0
#: Who lived so long is started again at once.
STEADY_SECONDS: Final = 60.0
#: So often may a child end before all are ready; then the start has failed.
START_FAILURES: Final = 3
LOOK_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class Child:
    """A process to keep alive. `env` is added to the supervisor's own.

    `ready` says when it is up: an URL that answers 200 ("http://127.0.0.1:8080/health"), a socket
    that takes connections ("tcp://127.0.0.1:8081", "unix:///run/x.sock"), or "" for at once.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: str = ""


def up(
    children: Sequence[Child],
    clock: Clock,
    *,
    on_ready: Callable[[], None] = lambda: None,
    ready_seconds: float = 180.0,
    grace_seconds: float = 10.0,
    stop: Event | None = None,
    output: IO[bytes] | None = None,
) -> int:
    """Run `children` until SIGINT, SIGTERM or `stop`; 0 if they came up, 1 if they never did.

    `on_ready` is called once, when all are ready. A child that ends is started again, after a pause
    that doubles each time. At the end each gets SIGTERM and, `grace_seconds` later, SIGKILL.
    """
    stop = stop or Event()
    stop_on_signals(stop)
    supervisor = _Supervisor(children, clock, stop, output or sys.stdout.buffer)
    try:
        return supervisor.run(on_ready, ready_seconds)
    finally:
        supervisor.end(grace_seconds)


@dataclass(slots=True)
class _Running:
    child: Child
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    start_at: float = float("-inf")
    pause: float = FIRST_PAUSE
    failures: int = 0


class _Supervisor:
    def __init__(
        self, children: Sequence[Child], clock: Clock, stop: Event, output: IO[bytes]
    ) -> None:
        self._running = [_Running(child) for child in children]
        self._clock, self._stop, self._output = clock, stop, output
        self._width = max((len(child.name) for child in children), default=0)
        self._printing = Lock()
        self._lifeline, self._hold = os.pipe()

    def run(self, on_ready: Callable[[], None], ready_seconds: float) -> int:
        if not self._come_up(self._clock.monotonic() + ready_seconds):
            return 0 if self._stop.is_set() else 1
        on_ready()
        while not self._stop.wait(LOOK_SECONDS):
            self._look_after()
        return 0

    def _come_up(self, until: float) -> bool:
        waiting = list(self._running)
        while waiting and not self._stop.is_set():
            self._look_after()
            waiting = [one for one in waiting if not _is_ready(one.child.ready)]
            failed = [one.child.name for one in self._running if one.failures >= START_FAILURES]
            if failed or self._clock.monotonic() > until:
                names = failed or [one.child.name for one in waiting]
                log.error("start_failed", processes=names)
                return False
            if waiting:
                self._stop.wait(LOOK_SECONDS)
        return not self._stop.is_set()

    def _look_after(self) -> None:
        for one in self._running:
            if one.process is not None and one.process.poll() is not None:
                self._has_ended(one, one.process)
            if one.process is None and (now := self._clock.monotonic()) >= one.start_at:
                self._start(one, now)

    def _has_ended(self, one: _Running, process: subprocess.Popen[bytes]) -> None:
        now = self._clock.monotonic()  # after its end: the pause begins no earlier
        if now - one.started >= STEADY_SECONDS:
            one.pause = FIRST_PAUSE
        log.warning("process_ended", process=one.child.name, status=process.returncode)
        one.failures += 1
        one.start_at = now + one.pause
        one.pause = min(one.pause * 2, LONGEST_PAUSE)
        one.process = None

    def _start(self, one: _Running, now: float) -> None:
        child = one.child
        own = {"PYTHONUNBUFFERED": "1", VARIABLE: str(self._lifeline)}
        process = subprocess.Popen(  # noqa: S603 - commands of our own
            child.argv,
            env={**os.environ, **child.env, **own},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=[self._lifeline],
            start_new_session=True,
        )
        one.process, one.started = process, now
        Thread(target=self._print, args=(child.name, process.stdout), daemon=True).start()

    def _print(self, name: str, lines: IO[bytes]) -> None:
        prefix = f"{name:<{self._width}} | ".encode()
        with lines:
            for line in lines:
                with self._printing, suppress(OSError, ValueError):
                    self._output.write(prefix + line.rstrip(b"\n") + b"\n")
                    self._output.flush()

    def end(self, grace_seconds: float) -> None:
        """SIGTERM to all, the last one first; SIGKILL to the whole session of who is left."""
        living = [one.process for one in reversed(self._running) if one.process is not None]
        for process in living:
            process.terminate()
        until = self._clock.monotonic() + grace_seconds
        for process in living:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(until - self._clock.monotonic(), 0.0))
        for process in living:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        os.close(self._hold)
        os.close(self._lifeline)


def _is_ready(ready: str) -> bool:
    if not ready:
        return True
    url = urlsplit(ready)
    try:
        if url.scheme == "unix":
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(1.0)
                probe.connect(url.path)
            return True
        if url.scheme == "tcp":
            with socket.create_connection((url.hostname, url.port), timeout=1.0):
                return True
        return _answers(url.hostname or "", url.port or 80, url.path or "/")
    except (OSError, HTTPException):
        return False


def _answers(host: str, port: int, path: str) -> bool:
    connection = HTTPConnection(host, port, timeout=2.0)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    finally:
        connection.close()
