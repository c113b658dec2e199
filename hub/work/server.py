"""The web server of a process: waitress, the one of its kind that slow clients cannot stop."""

from __future__ import annotations

import io
import logging
import signal
from types import FrameType
from typing import TYPE_CHECKING, Any

import waitress
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.utilities import RequestEntityTooLarge

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

#: A request's body in all: a webhook of 2 MiB and its headers.
MAX_BODY = 3 * 1024 * 1024
#: Longer ones are of shops alone. Of a page's nothing beyond it is kept: waitress would write it
#: to a file, and what buyers send (a Constancia) stands on no disk of ours, not for a moment.
PAGE_BODY = 512 * 1024
_OF_SHOPS = "/webhooks/"
#: A client that says nothing for so long is let go.
CHANNEL_SECONDS = 30


def serve(app: WSGIApplication, host: str, port: int, *, threads: int) -> None:
    """Serve until SIGTERM or SIGINT; requests in hand are finished.

    https://docs.pylonsproject.org/projects/waitress/en/stable/arguments.html
    """
    # A line for each request that has to wait a moment is no news and costs more than the request:
    # https://docs.pylonsproject.org/projects/waitress/en/stable/logging.html
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = bounded(app, host, port, threads=threads)

    def end(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    try:
        server.run()
    finally:
        server.close()


def bounded(app: WSGIApplication, host: str, port: int, *, threads: int) -> Any:
    """Waitress's server, which listens and does not run yet."""
    HTTPChannel.parser_class = _Parser  # there is no argument for it
    return waitress.create_server(
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


class _Parser(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
    """What is too long is read to its end and thrown away: whoever sent it gets an answer."""

    error: Any

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        if self._is_long(self.content_length):
            self.body_rcv.buf = _Nothing()

    def received(self, data: bytes) -> int:
        consumed: int = super().received(data)
        if self.chunked and not self.error and self._is_long(self.body_bytes_received):
            self.error = RequestEntityTooLarge(f"exceeds {PAGE_BODY} bytes")
            self.completed = True
        return consumed

    def _is_long(self, size: int) -> bool:
        return size > PAGE_BODY and not self.path.startswith(_OF_SHOPS)


class _Nothing:
    """A buffer of waitress's that keeps nothing. Applications look at Content-Length first."""

    def append(self, piece: bytes) -> None:
        """Forget it."""

    def getfile(self) -> io.BytesIO:
        return io.BytesIO()

    def __len__(self) -> int:
        return 0

    def close(self) -> None:
        """Nothing is open."""
