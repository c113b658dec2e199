"""The sandbox provider as a WSGI application, in the dialect of SW Sapien's REST service.

https://developers.sw.com.mx/knowledge-base/timbradov4-customid
"""

from __future__ import annotations

import hashlib
import io
import secrets
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from cfdi.pac.sandbox import IN_FLIGHT_MAX, PASSWORD, TOKEN, USER, faults, tfd
from cfdi.pac.sandbox.authority import Authority
from cfdi.pac.sandbox.cancellations import Cancellations
from cfdi.pac.sandbox.control import Control
from cfdi.pac.sandbox.desk import SIGNED, STATUS, Desk
from cfdi.pac.sandbox.faults import Fault, Faults
from cfdi.pac.sandbox.http import (
    BadRequest,
    Reply,
    answer,
    body_of,
    failure,
    file_of,
    json_of,
    success,
)
from cfdi.pac.sandbox.judge import AlreadyTimbrado, Judge, Refused
from cfdi.pac.sandbox.memory import Memory, Record, ReferenceOfAnother
from cfdi.pac.sandbox.messages import MESSAGES
from cfdi.pac.sandbox.register import Register

STAMP_PATHS: Final = frozenset({"/v4/cfdi33/stamp/v4", "/cfdi33/stamp/v4"})
ACCOUNT: Final = frozenset(
    {
        ("POST", "/v2/security/authenticate"),
        ("POST", "/security/authenticate"),
        ("GET", "/account/balance"),
    }
)
_BAD_LOGIN: Final = (
    "AU2000 - El usuario y/o contraseña son inválidos, no se puede autenticar el servicio."
)
_STAMPED_BEFORE: Final = "307. El comprobante contiene un timbre previo."
_REFERENCE_TAKEN: Final = "CFDI3307 - Timbre duplicado. El customId proporcionado está duplicado."
_TOKEN_LIFE: Final = timedelta(hours=2)
#: A slow answer that still keeps the promise of `IN_FLIGHT_MAX` is stamped at this age.
_LATE: Final = IN_FLIGHT_MAX.total_seconds() / 2


def application(
    state: Path,
    authority: Authority,
    *,
    now: Callable[[], datetime],
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> WSGIApplication:
    """`state` is the file that it remembers in. Compiles SAT's XSD before it returns."""
    return Sandbox(state, authority, now, monotonic, sleep)


class Sandbox:
    """One provider: authentication, stamping, balance; a desk for the rest; /sandbox steers it."""

    def __init__(
        self,
        state: Path,
        authority: Authority,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._memory = Memory(state)
        self._authority = authority
        register = Register(self._memory.taxpayers)
        self._judge = Judge(register, authority.root_der)
        self._faults = Faults()
        cancellations = Cancellations(
            self._memory, authority, now, lambda: self._faults.unknown_for
        )
        self._desk = Desk(self._memory, cancellations, register, authority, now)
        self._control = Control(self._memory, self._faults, cancellations)
        self._now, self._monotonic, self._sleep = now, monotonic, sleep
        self._tokens: dict[str, datetime] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            reply = self._route(environ)
        except BadRequest as error:
            reply = failure(str(error), error.status)
        return reply.send(start_response)

    def _route(self, environ: WSGIEnvironment) -> Reply:
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
        if method == "POST" and path in STAMP_PATHS:
            return self._stamp(environ)
        if self._desk.answers(method, path):
            return self._at_desk(path, environ)
        if (method, path) in ACCOUNT:
            return self._account(path, environ)
        if (method, path) == ("POST", STATUS):
            return self._struck(faults.STATUS, lambda: self._desk.status(environ), _refusal)
        if (method, path) == ("GET", "/"):
            return answer({"service": "sandbox-pac", "status": "ok"})
        return self._control.route(method, path, environ)

    def _account(self, path: str, environ: WSGIEnvironment) -> Reply:
        if path == "/account/balance":
            return self._balance(environ)
        if path == "/security/authenticate":
            return self._authenticate(environ.get("HTTP_USER"), environ.get("HTTP_PASSWORD"))
        login = json_of(environ)
        return self._authenticate(login.get("user"), login.get("password"))

    def _authenticate(self, user: object, password: object) -> Reply:
        if (user, password) != (USER, PASSWORD):
            return failure(_BAD_LOGIN, 401)
        now, token = self._now(), secrets.token_urlsafe(32)
        until = now + _TOKEN_LIFE
        valid = {old: its_end for old, its_end in self._tokens.items() if now < its_end}
        self._tokens = valid | {token: until}
        data = {"token": token, "expires_in": int(until.timestamp()), "tokeny_type": "Bearer"}
        return success(data)

    def _authorized(self, environ: WSGIEnvironment) -> bool:
        kind, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        until = self._tokens.get(token)
        return kind == "Bearer" and (token == TOKEN or (until is not None and self._now() < until))

    def _balance(self, environ: WSGIEnvironment) -> Reply:
        if not self._authorized(environ):
            return failure(_BAD_LOGIN, 401)
        used = len(self._memory.records())
        return success({"saldoTimbres": 1_000_000, "timbresUtilizados": used, "unlimited": True})

    def _stamp(self, environ: WSGIEnvironment) -> Reply:
        """Read the whole request, then misbehave before, stamp, misbehave after."""
        arrived = self._monotonic()
        sealed, customid = file_of(environ, "xml"), environ.get("HTTP_CUSTOMID", "")
        if not self._authorized(environ):
            return failure(_BAD_LOGIN, 401)
        if sealed is None or len(customid) > 100:
            return failure("Parámetros incompletos", detail="xml (archivo), customid de 100")
        self._sleep(self._faults.latency)
        return self._struck(
            faults.STAMP, lambda: self._stamped(sealed, customid, arrived), _refusal
        )

    def _at_desk(self, path: str, environ: WSGIEnvironment) -> Reply:
        if not self._authorized(environ):
            return failure(_BAD_LOGIN, 401)
        if path not in SIGNED:
            return self._desk.serve(path, environ)
        request = environ | {"wsgi.input": io.BytesIO(body_of(environ))}
        return self._struck(
            faults.CANCEL,
            lambda: self._desk.serve(path, request),
            lambda code: self._desk.coded(path, request, code),
        )

    def _struck(self, on: str, serve: Callable[[], Reply], refuse: Callable[[str], Reply]) -> Reply:
        """What is served, unless a fault was planned for it."""
        fault = self._faults.take(on)
        if fault is None:
            return serve()
        if early := self._before(fault, refuse):
            return early
        return self._after(fault, serve())

    def _before(self, fault: Fault, refuse: Callable[[str], Reply]) -> Reply | None:
        if fault.mode == faults.DROP_BEFORE:
            return Reply(200, b"", cut=True)
        if fault.mode == faults.GARBAGE:
            return Reply(200, b"<html>Service", "text/html")
        if fault.mode in faults.STATUSES:
            return failure("", int(fault.mode))
        if code := fault.rejected_code:
            return refuse(code)
        if fault.mode == faults.SLOW:
            self._sleep(min(fault.seconds, _LATE))
        return None

    def _after(self, fault: Fault, reply: Reply) -> Reply:
        if fault.mode == faults.SLOW:
            self._sleep(max(fault.seconds - _LATE, 0))
        if fault.mode == faults.DROP_AFTER:
            return Reply(200, b"", cut=True)
        if fault.mode == faults.ERROR_AFTER_COMMIT:
            return failure("", 500)
        if fault.mode == faults.WITHOUT_DATA and reply.status in {200, 400}:
            return failure(_STAMPED_BEFORE)
        return reply

    def _stamped(self, sealed: bytes, customid: str, arrived: float) -> Reply:
        sha256 = hashlib.sha256(sealed).hexdigest()
        try:
            found = self._memory.find(sha256, customid, self._now())
            return _previous(found) if found else self._new(sealed, sha256, customid, arrived)
        except Refused as refused:
            return failure(refused.message, detail=refused.detail)
        except AlreadyTimbrado:
            return failure(_STAMPED_BEFORE)
        except ReferenceOfAnother:
            return failure(_REFERENCE_TAKEN)

    def _new(self, sealed: bytes, sha256: str, customid: str, arrived: float) -> Reply:
        now = self._now()
        root = self._judge.examine(sealed, now)
        made = tfd.make(sealed, root, self._authority, now)
        emisor, receptor = tfd.parties(root)
        record = Record(
            sha256=sha256,
            customid=customid,
            uuid=made.uuid,
            rfc_emisor=emisor,
            rfc_receptor=receptor,
            total=root.get("Total", ""),
            stamped_at=now.timestamp(),
            tfd=made.tfd,
            cfdi=made.cfdi,
        )
        if self._monotonic() - arrived > IN_FLIGHT_MAX.total_seconds():
            return failure("", 503)
        kept = self._memory.keep(record, now)
        if kept is not record:
            return _previous(kept)
        return success(tfd.v4_data(made.tfd, made.cfdi))


def _refusal(code: str) -> Reply:
    return failure(f"{code} - {MESSAGES[code]}")


def _previous(found: Record) -> Reply:
    return failure(_STAMPED_BEFORE, data={"tfd": found.tfd, "cfdi": found.cfdi})
