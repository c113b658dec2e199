"""One bounded exchange over HTTP with a service that may answer anything, late or not at all.

No redirect is followed, no answer is read beyond a size and a time, and what went wrong says
whether a byte of the request may have arrived: that decides what may be done next.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from contextvars import ContextVar
from datetime import timedelta
from typing import Any, Final, Self
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    InvalidHeader,
    LocationValueError,
    MaxRetryError,
    NewConnectionError,
    ProxyError,
    SSLError,
)

#: A CFDI of a thousand lines is about half a megabyte, and comes with its QR code and strings.
ANSWER_MAX: Final = 8 * 1024 * 1024

Files = Mapping[str, tuple[str, bytes, str]]


class Unanswered(Exception):
    """No complete answer. `sent`: whether a byte of the request may have reached the other side."""

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent


class Wire:
    """Thread safe, as far as `requests` is: nothing of a session changes between calls."""

    def __init__(
        self,
        url: str,
        *,
        connect_timeout: timedelta,
        read_timeout: timedelta,
        session: requests.Session | None = None,
        answer_max: int = ANSWER_MAX,
    ) -> None:
        self._timeout = (connect_timeout.total_seconds(), read_timeout.total_seconds())
        self._answer_max = answer_max
        self._session = session or _session(url)

    def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        files: Files | None = None,
        data: bytes | None = None,
        json: Mapping[str, str] | None = None,
        auth: AuthBase | None = None,
    ) -> tuple[int, bytes]:
        """Status and body. Raises `Unanswered`, and nothing else for what the network does."""
        try:
            with (
                _Deadline(sum(self._timeout)) as deadline,
                self._session.request(
                    method,
                    url,
                    headers=headers,
                    files=files,
                    data=data,
                    json=json,
                    auth=auth,
                    timeout=self._timeout,
                    allow_redirects=False,
                    stream=True,
                ) as response,
            ):
                return response.status_code, self._read(response, deadline)
        except LocationValueError:
            raise Unanswered(_UNREACHED, sent=False) from None
        except HTTPError:
            raise Unanswered(_BROKE, sent=True) from None
        except requests.RequestException as error:
            sent = _may_have_been_sent(error)
            raise Unanswered(_reason(error, sent=sent), sent=sent) from None

    def _read(self, response: requests.Response, deadline: _Deadline) -> bytes:
        raw = bytearray()
        # read1 returns what has come; the others wait for more, each byte with a time limit anew.
        while chunk := response.raw.read1(64 * 1024):
            raw += chunk
            if len(raw) > self._answer_max:
                raise Unanswered("an answer of too many bytes", sent=True)
        if deadline.is_over:  # a cut connection looks like the end of an answer without a length
            raise Unanswered("an answer that does not end", sent=True)
        return bytes(raw)


_UNREACHED: Final = "the provider cannot be reached"
_BROKE: Final = "the connection broke before the answer was complete"


class _Deadline:
    """Cuts the connection of one call when its time is over, wherever the call waits in it.

    The limits of the libraries begin anew with each byte: of the status, of a header, of a chunk.
    """

    def __init__(self, seconds: float) -> None:
        self.is_over = False
        self._socks: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._token = _DEADLINE.set(self)
        self._timer.start()
        return self

    def __exit__(self, *exc: object) -> None:
        _DEADLINE.reset(self._token)
        self._timer.cancel()
        for sock in self._socks:
            sock.close()

    def watches(self, sock: socket.socket) -> bool:
        """False if the time is over. Holds a duplicate: TLS takes the original's descriptor."""
        self._socks.append(sock.dup())
        return not self.is_over

    def _cut(self) -> None:
        self.is_over = True
        for sock in self._socks:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


_DEADLINE: Final[ContextVar[_Deadline]] = ContextVar("_DEADLINE")


class _Watched(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        if not _DEADLINE.get().watches(sock):
            sock.close()
            raise ConnectTimeoutError(self, "connected too late")
        return sock


class _WatchedTLS(_Watched, HTTPSConnection):
    pass


class _Adapter(HTTPAdapter):
    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> ConnectionPool:
        pool = super().get_connection_with_tls_context(*args, **kwargs)
        if isinstance(pool, HTTPConnectionPool):
            secure = isinstance(pool, HTTPSConnectionPool)
            pool.ConnectionCls = _WatchedTLS if secure else _Watched
        return pool


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: else a redirect that is not followed is still prepared, its body read without end
        and an address that is none raised."""


def _session(url: str) -> requests.Session:
    session = _Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter())
    # A kept connection that the other side closes meanwhile would look like a lost document.
    session.headers["Connection"] = "close"
    session.headers["Accept-Encoding"] = "identity"
    session.headers["User-Agent"] = "autofactura-hub"
    # A proxy of the environment cannot reach our own loopback.
    session.trust_env = (urlsplit(url).hostname or "") not in {"127.0.0.1", "::1", "localhost"}
    return session


def _may_have_been_sent(error: requests.RequestException) -> bool:
    """False only where no connection came to be, or no request (a URL or header that is none)."""
    inner = error.args[0] if error.args else None
    if isinstance(inner, InvalidHeader):  # the answer's; of one of ours requests says it itself
        return True
    if isinstance(error, requests.ConnectTimeout | ValueError):
        return False
    if not isinstance(inner, MaxRetryError):
        return True
    cause = inner.reason
    if isinstance(cause, ProxyError):
        cause = cause.original_error
    if isinstance(cause, SSLError) and cause.args:
        return not isinstance(cause.args[0], ssl.SSLCertVerificationError)
    return not isinstance(cause, NewConnectionError | ConnectTimeoutError)


def _reason(error: requests.RequestException, *, sent: bool) -> str:
    """In our own words: the texts of the libraries may quote what was sent."""
    if not sent:
        return _UNREACHED
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    return _BROKE
