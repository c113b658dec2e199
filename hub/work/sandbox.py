"""The sandbox PAC as a process of its own: a provider to practise with, on loopback only."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Final

from waitress import create_server

from cfdi.pac.sandbox.app import application
from cfdi.pac.sandbox.authority import Authority
from hub.clock import Clock

HOST: Final = "127.0.0.1"


def serve_sandbox(directory: Path, port: int, clock: Clock, *, threads: int = 8) -> None:
    """Serve until SIGTERM or SIGINT. What it certified stands in `directory`, with its authority.

    It listens only once SAT's schema is compiled, which takes seconds. Raises `OSError` if the port
    is taken.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = Authority.open(directory, now=clock.now())
    app = application(
        directory / "sandbox.db",
        authority,
        now=clock.now,
        monotonic=clock.monotonic,
        sleep=clock.sleep,
    )
    signal.signal(signal.SIGTERM, _leave)
    create_server(app, host=HOST, port=port, threads=threads, ident="sandbox-pac").run()


def _leave(_number: int, _frame: FrameType | None) -> None:
    """Waitress answers what it has begun, then ends."""
    sys.exit(0)
