"""Ports for programs that tests start: nobody else's between the choice and the start.

They lie below those that the system hands out for connections, and each worker of pytest-xdist has
a part of them for itself.
"""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterator

import pytest

FIRST, WORKERS, EACH = 15_000, 8, 2_000


def _of_this_worker() -> Iterator[int]:
    """Starts of four in a row, again and again, from anywhere: others may test here as well."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % WORKERS
    mine = range(FIRST + number * EACH, FIRST + (number + 1) * EACH, 4)
    here = random.SystemRandom().randrange(len(mine))
    while True:
        yield from (*mine[here:], *mine[:here])


_STARTS = _of_this_worker()


def free_ports(count: int = 1) -> int:
    """The first of so many in a row, four at most, that nobody uses."""
    for _ in range(EACH // 4):
        port = next(_STARTS)
        probes = [socket.socket() for _ in range(count)]
        try:
            for number, probe in enumerate(probes):
                probe.bind(("127.0.0.1", port + number))
        except OSError:
            continue
        else:
            return port
        finally:
            for probe in probes:
                probe.close()
    pytest.fail(f"no {count} free ports in a row")
