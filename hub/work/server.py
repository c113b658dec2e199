"""The web server of a process: waitress, the one of its kind that slow clients cannot stop."""

from __future__ import annotations

import logging
import signal
from types import FrameType
from typing import TYPE_CHECKING

import waitress

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

#: A request's body in all: a webhook of 2 MiB and its headers.
MAX_BODY = 3 * 1024 * 1024
#: A client that says nothing for so long is let go.
CHANNEL_SECONDS = 30


def serve(app: WSGIApplication, host: str, port: int, *, threads: int) -> None:
    """Serve until SIGTERM or SIGINT; requests in hand are finished.

    https://docs.pylonsproject.org/projects/waitress/en/stable/arguments.html
    """
    # A line for each request that has to wait a moment is no news and costs more than the request:
    # https://docs.pylonsproject.org/projects/waitress/en/stable/logging.html
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = waitress.create_server(
        app,
        host=host,
        port=port,
        threads=threads,
        channel_timeout=CHANNEL_SECONDS,
        max_request_body_size=MAX_BODY,
        connection_limit=500,
        ident=None,
        # The address of the client is made out by ProxyFix, by as many hops as were stated.
        clear_untrusted_proxy_headers=False,
    )

    def end(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    try:
        server.run()
    finally:
        server.close()
