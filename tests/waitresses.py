"""Applications on a real waitress of this process, as `web` runs them, that end in one piece."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from waitress import wasyncore
from waitress.server import create_server

#: Nothing takes so long: whoever waits for it hangs.
END_SECONDS = 120.0


@contextmanager
def on_waitress(app: Any, *, threads: int = 4, **more: Any) -> Iterator[str]:
    """The application on a socket of this machine, of its own loop; its address.

    `server.close()` from outside takes the sockets away under the loop that waits for them, and
    lets a thread that still answers write to whatever has their numbers next.
    """
    server = create_server(app, map={}, host="127.0.0.1", port=0, threads=threads, **more)
    with looped(server):
        yield f"http://127.0.0.1:{server.effective_port}"


@contextmanager
def looped(server: Any) -> Iterator[None]:
    """A server of waitress's that listens already, at work until the end."""
    loop = threading.Thread(target=server.run, daemon=True)
    loop.start()
    try:
        yield
    finally:
        server.task_dispatcher.shutdown(timeout=END_SECONDS)
        server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map))
        loop.join(END_SECONDS)
        assert not loop.is_alive(), "the server does not end"
