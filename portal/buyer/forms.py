"""Reading what was posted: as typed, bounded, and only from our own page."""

from __future__ import annotations

import hashlib
import re
from enum import Enum

from flask import Request
from itsdangerous import BadSignature, SignatureExpired, TimestampSigner

from hub.clock import Clock
from hub.domain.purchase import FieldError, FiscalForm

#: A form of six fields is below 4 KB even in the worst encoding.
BODY_MAX = 64 * 1024
#: SAT's longest field, the name, has 300 characters at most.
FIELD_MAX = 500
MESSAGE_MAX = 1000
FIELDS = ("rfc", "nombre", "cp", "regimen", "uso", "correo")
FORM_LIFETIME = 24 * 3600

#: Nor what turns the direction of a line around: the merchant reads in a terminal what was typed.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class Posting(Enum):
    """Whether a form may be acted upon."""

    OURS = "ours"
    OLD = "old"  # ours, but signed too long ago
    FOREIGN = "foreign"


class FormSigner:
    """Signs the hidden field that a form of this link carries, in place of a cookie."""

    def __init__(self, secret_key: str, clock: Clock) -> None:
        self._secret_key = secret_key
        self._clock = clock

    def sign(self, token: str) -> str:
        return self._signer(token).sign(b"1").decode()

    def verify(self, token: str, value: str) -> Posting:
        try:
            self._signer(token).unsign(value.encode(), max_age=FORM_LIFETIME)
        except SignatureExpired:
            return Posting.OLD
        except BadSignature:
            return Posting.FOREIGN
        return Posting.OURS

    def _signer(self, token: str) -> TimestampSigner:
        bound = hashlib.sha256(token.encode("utf-8", "replace")).digest()
        return _ClockSigner(self._secret_key, self._clock, salt=b"buyer-form" + bound)


class _ClockSigner(TimestampSigner):
    def __init__(self, secret_key: str, clock: Clock, *, salt: bytes) -> None:
        super().__init__(secret_key, salt=salt, digest_method=hashlib.sha256)
        self._clock = clock

    def get_timestamp(self) -> int:
        return int(self._clock.now().timestamp())


def same_origin(request: Request, origin: str) -> bool:
    """Whether a browser says that this form was ours, as far as it says anything.

    Under our own `Referrer-Policy: no-referrer` browsers send `Origin: null` even from our own
    page (https://fetch.spec.whatwg.org/#append-a-request-origin-header); then Sec-Fetch-Site
    tells, where there is one. A frame needs `allow-same-origin` if it is sandboxed.
    """
    given = request.headers.get("Origin", "null").lower()
    if given != "null":
        return given == origin
    return request.headers.get("Sec-Fetch-Site", "none") in {"same-origin", "none"}


def fiscal_form(request: Request) -> FiscalForm:
    """The six fields as typed, bounded; control characters, which nobody types, are blanks.

    A suggestion that was pressed (`usar_nombre`) takes the place of what was typed.
    """
    given = {name: field(request, f"usar_{name}") or field(request, name) for name in FIELDS}
    return FiscalForm(**given, vista=field(request, "vista"))


def field(request: Request, name: str, limit: int = FIELD_MAX) -> str:
    """The first value of this name, with one character over the limit if it was over."""
    return _CONTROL.sub(" ", request.form.get(name, ""))[: limit + 1]


def too_long(form: FiscalForm) -> tuple[FieldError, ...]:
    """An error for each field no such datum can fill."""
    return tuple(
        FieldError(
            name,
            "demasiado_largo",
            "Este dato es demasiado largo. Escríbelo como aparece en tu constancia.",
            "This is too long. Type it as printed on your tax certificate.",
        )
        for name in FIELDS
        if len(getattr(form, name)) > FIELD_MAX
    )
