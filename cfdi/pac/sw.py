"""SW Sapien's REST service: stamp a document that we sealed ourselves.

https://developers.sw.com.mx/knowledge-base/timbradov4-customid
https://developers.sw.com.mx/knowledge-base/autenticacion-v2
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable
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

from cfdi.pac.breaker import Breaker
from cfdi.pac.contract import (
    AlreadyStamped,
    Answer,
    Later,
    Never,
    Stamped,
    Standing,
    Terms,
    Unknown,
)
from cfdi.pac.sw_answers import body_of, classify

STAMP: Final = "/v4/cfdi33/stamp/v4"
AUTHENTICATE: Final = "/v2/security/authenticate"
BALANCE: Final = "/account/balance"

REFERENCE_MAX: Final = 100
#: A CFDI of a thousand lines is about half a megabyte, and comes with its QR code and strings.
ANSWER_MAX: Final = 8 * 1024 * 1024
#: Less than the margin of the caller's lease, so that the document leaves within it.
LOGIN_SECONDS: Final = 2.0
#: A token lives two hours.
TOKEN_SECONDS: Final = 90 * 60


class _Bearer(AuthBase):
    """Sets the token itself, so that no .netrc of the machine replaces it; its repr is silent."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class _Unanswered(Exception):
    """No complete answer. `sent`: whether a byte of the request may have reached the provider."""

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent


class _CredentialsRefused(Exception):
    """The provider gave no token for the account's user and password."""


class SwSapien:
    """One account at SW Sapien, with a token without end or a user and password. Thread safe.

    `Later` speaks of this one sending: earlier sendings that ended `Unknown` stay unknown.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        user: str | None = None,
        password: str | None = None,
        terms: Terms,
        name: str = "sw",
        session: requests.Session | None = None,
        breaker: Breaker | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.terms = terms
        self._url = url.rstrip("/")
        self._fixed_token = token
        self._login = {"user": user or "", "password": password or ""}
        self._token = token
        self._token_until = 0.0
        self._monotonic = monotonic
        self._breaker = breaker or Breaker(monotonic)
        self._lock = threading.Lock()
        self._session = session or _session(self._url)

    def __repr__(self) -> str:
        return f"SwSapien({self.name!r}, {self._url!r})"

    def stamp(self, sealed: bytes, reference: str) -> Answer:
        if len(reference) > REFERENCE_MAX or not _visible(reference):
            raise ValueError(f"a reference has 1 to {REFERENCE_MAX} visible ASCII characters")
        if not self._breaker.admits():
            return Later("the provider is in trouble: no document is sent to it for a while")
        answer: Answer = Unknown("the sending broke off")
        try:
            answer = self._stamp(sealed, reference)
        finally:
            self._breaker.record(trouble=isinstance(answer, Unknown | Later))
        return answer

    def recover(self, sealed: bytes, reference: str) -> Answer:
        """The same bytes again, which SW answers with the stamp it has for them.

        Never `Later`: that the provider cannot be asked does not mean that there is no stamp.
        """
        match self.stamp(sealed, reference):
            case Stamped() as stamped:
                return stamped
            case AlreadyStamped(xml=bytes(xml), raw=raw):
                return Stamped(xml, raw)
            case AlreadyStamped(raw=raw):
                return Unknown("stamped, but the answer holds no document", raw)
            case Never(raw=raw):
                return Unknown("the provider denies the stamp that it spoke of", raw)
            case Later(reason=reason, raw=raw):
                return Unknown(reason, raw)
            case answer:
                return answer

    def check(self) -> Standing:
        try:
            status, raw = self._authorized("GET", BALANCE)
        except (_Unanswered, _CredentialsRefused) as error:
            return Standing(ok=False, detail=str(error))
        body = body_of(raw)
        if status != 200 or body is None or not body.ok:
            return Standing(ok=False, detail=f"the provider refuses the account (HTTP {status})")
        left = body.data.get("saldoTimbres")
        return Standing(ok=True, detail=f"stamps left: {left}" if isinstance(left, int) else "")

    def _stamp(self, sealed: bytes, reference: str) -> Answer:
        try:
            status, raw = self._authorized(
                "POST",
                STAMP,
                headers={"customid": reference},
                files={"xml": ("cfdi.xml", sealed, "application/xml")},
            )
        except _CredentialsRefused as error:
            return Later(str(error))
        except _Unanswered as error:
            return Unknown(error.reason) if error.sent else Later(error.reason)
        return classify(status, raw, sealed)

    def _authorized(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str] | None = None,
        files: dict[str, tuple[str, bytes, str]] | None = None,
    ) -> tuple[int, bytes]:
        """Call with the token; one that is refused is replaced once, unless it is fixed."""
        token = self._timely_token(refused=None)
        answer = self._call(method, path, headers=headers, files=files, auth=_Bearer(token))
        if answer[0] != 401 or self._fixed_token is not None:
            return answer
        token = self._timely_token(refused=token)
        return self._call(method, path, headers=headers, files=files, auth=_Bearer(token))

    def _timely_token(self, refused: str | None) -> str:
        """A login counts against the time that the caller has for sending: a slow one is in vain.

        The token is kept, so that the next call goes straight on.
        """
        begun = self._monotonic()
        token = self._current_token(refused)
        if self._monotonic() - begun > LOGIN_SECONDS:
            raise _Unanswered("the login took too long", sent=False)
        return token

    def _current_token(self, refused: str | None) -> str:
        if self._fixed_token is not None:
            return self._fixed_token
        with self._lock:
            expired = self._monotonic() >= self._token_until
            if self._token is None or self._token == refused or expired:
                self._token = self._new_token()
                self._token_until = self._monotonic() + TOKEN_SECONDS
            return self._token

    def _new_token(self) -> str:
        try:
            status, raw = self._call("POST", AUTHENTICATE, json=self._login)
        except _Unanswered as error:
            raise _Unanswered(error.reason, sent=False) from None  # of the document, that is
        body = body_of(raw)
        token = body.data.get("token") if body is not None and body.ok else None
        if status in {400, 401, 403}:
            raise _CredentialsRefused("the provider refuses the account's user and password")
        if status != 200 or not isinstance(token, str) or not _visible(token):
            raise _Unanswered(f"the provider gives no token (HTTP {status})", sent=False)
        return token

    def _call(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str] | None = None,
        files: dict[str, tuple[str, bytes, str]] | None = None,
        json: dict[str, str] | None = None,
        auth: AuthBase | None = None,
    ) -> tuple[int, bytes]:
        timeout = (
            self.terms.connect_timeout.total_seconds(),
            self.terms.read_timeout.total_seconds(),
        )
        deadline = self._monotonic() + sum(timeout)
        try:
            with self._session.request(
                method,
                self._url + path,
                headers=headers,
                files=files,
                json=json,
                auth=auth,
                timeout=timeout,
                allow_redirects=False,
                stream=True,
            ) as response:
                return response.status_code, self._read(response, deadline)
        except HTTPError:
            raise _Unanswered(
                "the connection broke before the answer was complete", sent=True
            ) from None
        except requests.RequestException as error:
            sent = _may_have_been_sent(error)
            raise _Unanswered(_reason(error, sent=sent), sent=sent) from None

    def _read(self, response: requests.Response, deadline: float) -> bytes:
        raw = bytearray()
        # read1 returns what has come; the others wait for more, each byte with a time limit anew.
        while chunk := response.raw.read1(64 * 1024):
            raw += chunk
            if len(raw) > ANSWER_MAX:
                raise _Unanswered("an answer of too many bytes", sent=True)
            if self._monotonic() > deadline:
                raise _Unanswered("an answer that does not end", sent=True)
        return bytes(raw)


def _session(url: str) -> requests.Session:
    session = requests.Session()
    # A kept connection that the provider closes meanwhile would look like a lost document.
    session.headers["Connection"] = "close"
    session.headers["Accept-Encoding"] = "identity"
    session.headers["User-Agent"] = "autofactura-hub"
    # A proxy of the environment cannot reach our own loopback.
    session.trust_env = (urlsplit(url).hostname or "") not in {"127.0.0.1", "::1", "localhost"}
    return session


def _visible(text: str) -> bool:
    """Fit to stand in a header."""
    return bool(text) and text.isascii() and text.isprintable() and " " not in text


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
    return "the connection broke before the answer was complete"
