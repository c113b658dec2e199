"""One bounded exchange over HTTP with a service that may answer anything, late or not at all.

No redirect is followed, no answer is read beyond a size and a time, and what went wrong says
whether a byte of the request may have arrived: that decides what may be done next.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
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
        monotonic: Callable[[], float],
        session: requests.Session | None = None,
        answer_max: int = ANSWER_MAX,
    ) -> None:
        self._timeout = (connect_timeout.total_seconds(), read_timeout.total_seconds())
        self._monotonic = monotonic
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
        deadline = self._monotonic() + sum(self._timeout)
        try:
            with self._session.request(
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
            ) as response:
                return response.status_code, self._read(response, deadline)
        except HTTPError:
            raise Unanswered(_BROKE, sent=True) from None
        except requests.RequestException as error:
            sent = _may_have_been_sent(error)
            raise Unanswered(_reason(error, sent=sent), sent=sent) from None

    def _read(self, response: requests.Response, deadline: float) -> bytes:
        raw = bytearray()
        # read1 returns what has come; the others wait for more, each byte with a time limit anew.
        while chunk := response.raw.read1(64 * 1024):
            raw += chunk
            if len(raw) > self._answer_max:
                raise Unanswered("an answer of too many bytes", sent=True)
            if self._monotonic() > deadline:
                raise Unanswered("an answer that does not end", sent=True)
        return bytes(raw)


_BROKE: Final = "the connection broke before the answer was complete"


def _session(url: str) -> requests.Session:
    session = requests.Session()
    # A kept connection that the other side closes meanwhile would look like a lost document.
    session.headers["Connection"] = "close"
    session.headers["Accept-Encoding"] = "identity"
    session.headers["User-Agent"] = "autofactura-hub"
    # A proxy of the environment cannot reach our own loopback.
    session.trust_env = (urlsplit(url).hostname or "") not in {"127.0.0.1", "::1", "localhost"}
    return session


def _may_have_been_sent(error: requests.RequestException) -> bool:
    """False only where no connection came to be, or no request (a URL or header that is none)."""
    if isinstance(error, requests.ConnectTimeout | ValueError):
        return False
    inner = error.args[0] if error.args else None
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
        return "the provider cannot be reached"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    return _BROKE
