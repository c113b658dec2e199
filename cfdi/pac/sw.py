"""SW Sapien's REST service: stamp and cancel documents that we sealed and signed ourselves.

https://developers.sw.com.mx/knowledge-base/timbradov4-customid
https://developers.sw.com.mx/knowledge-base/autenticacion-v2
https://developers.sw.com.mx/knowledge-base/cancelacion-cfdi-3-3/
https://developers.sw.com.mx/knowledge-base/aceptar-o-rechazar-cancelacion-cfdi
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import quote, urlsplit, urlunsplit

import requests
from requests.auth import AuthBase

from cfdi import rfc as rfcs
from cfdi.pac import sw_cancel
from cfdi.pac.breaker import Breaker
from cfdi.pac.contract import (
    AlreadyStamped,
    Answer,
    CancelAnswer,
    Later,
    Never,
    Pending,
    Registered,
    Reply,
    Stamped,
    Standing,
    Terms,
    Unknown,
)
from cfdi.pac.sw_answers import body_of, classify
from cfdi.wire import Files, Unanswered, Wire

STAMP: Final = "/v4/cfdi33/stamp/v4"
AUTHENTICATE: Final = "/v2/security/authenticate"
BALANCE: Final = "/account/balance"
CANCEL: Final = "/cfdi33/cancel/xml"
PENDINGS: Final = "/pendings/"
REPLY: Final = "/acceptreject/xml"
#: On the host whose name begins with api.
LRFC: Final = "/lrfc/"
TAXPAYERS: Final = "/taxpayers/"

REFERENCE_MAX: Final = 100
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
        self._wire = Wire(
            self._url,
            connect_timeout=terms.connect_timeout,
            read_timeout=terms.read_timeout,
            session=session,
        )

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
            status, raw = self._authorized("GET", self._url + BALANCE)
        except (Unanswered, _CredentialsRefused) as error:
            return Standing(ok=False, detail=str(error))
        body = body_of(raw)
        if status != 200 or body is None or not body.ok:
            return Standing(ok=False, detail=f"the provider refuses the account (HTTP {status})")
        left = body.data.get("saldoTimbres")
        return Standing(ok=True, detail=f"stamps left: {left}" if isinstance(left, int) else "")

    def cancel(self, request: bytes, uuid: str) -> CancelAnswer:
        def sort(status: int, raw: bytes) -> CancelAnswer:
            return sw_cancel.cancelled(status, raw, uuid)

        return self._signed(CANCEL, request, sort)

    def reply(self, request: bytes, uuid: str, reply: Reply) -> CancelAnswer:
        def sort(status: int, raw: bytes) -> CancelAnswer:
            return sw_cancel.replied(status, raw, uuid, reply)

        return self._signed(REPLY, request, sort)

    def pending(self, rfc: str) -> Pending | Later:
        try:
            return sw_cancel.pending(*self._get(self._url + PENDINGS, rfc))
        except (Unanswered, _CredentialsRefused) as error:
            return Later(str(error))

    def registered(self, rfc: str, *, nombre: str = "", cp: str = "") -> Registered | Later:
        """SW's lists hold no names and no postal codes: `nombre` and `cp` are not compared."""
        del nombre, cp
        try:
            known = sw_cancel.known(*self._get(_api(self._url) + LRFC, rfc))
            if isinstance(known, Later):
                return known
            listed = sw_cancel.listed(*self._get(self._url + TAXPAYERS, rfc))
        except (Unanswered, _CredentialsRefused) as error:
            return Later(str(error))
        return listed if isinstance(listed, Later) else Registered(known, listed_69b=listed)

    def _signed(
        self, path: str, request: bytes, sort: Callable[[int, bytes], CancelAnswer]
    ) -> CancelAnswer:
        if not self._breaker.admits():
            return Later("the provider is in trouble: nothing is sent to it for a while")
        answer: CancelAnswer = Unknown("the sending broke off")
        try:
            answer = sort(*self._post(path, "cancelacion.xml", request))
        except _CredentialsRefused as error:
            answer = Later(str(error))
        except Unanswered as error:
            answer = Unknown(error.reason) if error.sent else Later(error.reason)
        finally:
            # A Later with an answer is SAT's word on the document: the provider works.
            reached = not isinstance(answer, Unknown | Later) or bool(answer.raw)
            self._breaker.record(trouble=isinstance(answer, Unknown) or not reached)
        return answer

    def _stamp(self, sealed: bytes, reference: str) -> Answer:
        try:
            status, raw = self._post(STAMP, "cfdi.xml", sealed, {"customid": reference})
        except _CredentialsRefused as error:
            return Later(str(error))
        except Unanswered as error:
            return Unknown(error.reason) if error.sent else Later(error.reason)
        return classify(status, raw, sealed)

    def _post(
        self, path: str, name: str, xml: bytes, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        files = {"xml": (name, xml, "application/xml")}
        return self._authorized("POST", self._url + path, headers=headers, files=files)

    def _get(self, url: str, rfc: str) -> tuple[int, bytes]:
        if not rfcs.well_formed(rfc):
            raise ValueError("not the form of an RFC")
        return self._authorized("GET", url + quote(rfc, safe=""))

    def _authorized(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        files: Files | None = None,
    ) -> tuple[int, bytes]:
        """Call with the token; one that is refused is replaced once, unless it is fixed."""
        call = self._wire.call
        token = self._timely_token(refused=None)
        answer = call(method, url, headers=headers, files=files, auth=_Bearer(token))
        if answer[0] != 401 or self._fixed_token is not None:
            return answer
        token = self._timely_token(refused=token)
        return call(method, url, headers=headers, files=files, auth=_Bearer(token))

    def _timely_token(self, refused: str | None) -> str:
        """A login counts against the time that the caller has for sending: a slow one is in vain.

        The token is kept, so that the next call goes straight on.
        """
        begun = self._monotonic()
        token = self._current_token(refused)
        if self._monotonic() - begun > LOGIN_SECONDS:
            raise Unanswered("the login took too long", sent=False)
        return token

    def _current_token(self, refused: str | None) -> str:
        if self._fixed_token is not None:
            return self._fixed_token
        # Whoever waits longer for the login of another would come too late with its own.
        if not self._lock.acquire(timeout=LOGIN_SECONDS):
            raise Unanswered("the login took too long", sent=False)
        try:
            expired = self._monotonic() >= self._token_until
            if self._token is None or self._token == refused or expired:
                self._token = self._new_token()
                self._token_until = self._monotonic() + TOKEN_SECONDS
            return self._token
        finally:
            self._lock.release()

    def _new_token(self) -> str:
        try:
            status, raw = self._wire.call("POST", self._url + AUTHENTICATE, json=self._login)
        except Unanswered as error:
            raise Unanswered(error.reason, sent=False) from None  # of the document, that is
        body = body_of(raw)
        token = body.data.get("token") if body is not None and body.ok else None
        if status in {400, 401, 403}:
            raise _CredentialsRefused("the provider refuses the account's user and password")
        if status != 200 or not isinstance(token, str) or not _visible(token):
            raise Unanswered(f"the provider gives no token (HTTP {status})", sent=False)
        return token


def _api(url: str) -> str:
    """The second host of an environment; whoever stands in for SW has one for both."""
    parts = urlsplit(url)
    if not parts.netloc.startswith("services."):
        return url
    return urlunsplit(parts._replace(netloc="api." + parts.netloc.removeprefix("services.")))


def _visible(text: str) -> bool:
    """Fit to stand in a header."""
    return bool(text) and text.isascii() and text.isprintable() and " " not in text
