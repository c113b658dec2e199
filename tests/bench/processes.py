"""Processes of the hub as an operator starts them, and how much memory they hold."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parents[2]
#: What of the caller's environment would change what is measured.
_OURS = ("DATABASE_URL", "REDIS_URL", "SMTP_URL", "PUBLIC_URL", "AUTOFACTURA_KEYS", "SECRET_KEY")
START_SECONDS = 300.0


def environment(var_dir: Path, port: int, **more: str) -> dict[str, str]:
    """The environment of a hub that lives in `var_dir` and listens on `port`."""
    kept = {name: value for name, value in os.environ.items() if name not in _OURS}
    own = {"VAR_DIR": str(var_dir), "PORT": str(port), "LOG_LEVEL": "warning"}
    return kept | own | more


def free_ports(count: int) -> int:
    """The first of `count` neighbouring ports that nobody listens on.

    Below those that outgoing connections are given, so that none of them takes one meanwhile.
    """
    for first in range(12_000 + os.getpid() % 1000 * 10, 32_000, 10):
        try:
            with ExitStack() as stack:
                for port in range(first, first + count):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
    raise RuntimeError("no free ports on 127.0.0.1")


@contextmanager
def running(
    arguments: list[str], env: Mapping[str, str], health: str, log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A Python program, up until the end of the block; what it said is in `log`."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments], env=dict(env), cwd=ROOT, stdout=output, stderr=output
        )
        try:
            _wait(process, health, log)
            yield process
        finally:
            process.terminate()
            process.wait(120)


def _wait(process: subprocess.Popen[bytes], health: str, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            with urlopen(health, timeout=2) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"{health} did not come up:\n{log.read_text(errors='replace')[-3000:]}")


def children(parent: int) -> dict[int, str]:
    """The processes that `parent` started, with their command lines."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    return {int(row[0]): row[2] for row in rows if len(row) == 3 and int(row[1]) == parent}


def resident_mb(pid: int) -> float:
    """Megabytes (10⁶) of memory that are in RAM for this process, shared libraries included."""
    listed = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True
    ).stdout
    return int(listed) * 1024 / 1e6
