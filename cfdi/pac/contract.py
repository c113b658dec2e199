"""What the hub asks of a certification provider (PAC), and the only answers it may give.

The answers are sorted by what to do next, not by what went wrong. Anything that is not surely one
of the others is `Unknown`: a document that may have been stamped must never be built again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from cfdi.findings import Finding


class Dedupe(StrEnum):
    """By what the provider recognises that it was sent the same document again."""

    BYTES = "bytes"
    REFERENCE = "reference"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a PAC account promises; the stamping leases and quiet periods are computed from it."""

    dedupe: Dedupe
    reference_lifetime: timedelta
    #: How long after sending a stamp may still come to be at the provider. 120 s or more if live.
    in_flight_max: timedelta
    connect_timeout: timedelta
    read_timeout: timedelta


@dataclass(frozen=True, slots=True)
class Stamped:
    """The document with its TFD, as the provider gave it: not yet checked."""

    xml: bytes
    raw: bytes


@dataclass(frozen=True, slots=True)
class AlreadyStamped:
    """Good news: it was stamped before. The document may be missing from the answer."""

    xml: bytes | None
    raw: bytes


@dataclass(frozen=True, slots=True)
class Later:
    """Surely not stamped, nothing wrong with the document: send the same bytes later."""

    reason: str
    raw: bytes = b""


@dataclass(frozen=True, slots=True)
class Never:
    """Surely not stamped, and these bytes never will be: the findings say what is wrong."""

    findings: tuple[Finding, ...]
    raw: bytes


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have been stamped. The same bytes to the same provider, after the quiet period."""

    reason: str
    raw: bytes = b""


Answer = Stamped | AlreadyStamped | Later | Never | Unknown


@dataclass(frozen=True, slots=True)
class CancelFiled:
    """SAT has the request (201), or had it before (202). The document is *not yet* cancelled.

    `acuse` is SAT's signed receipt, empty where the provider gave none.
    """

    code: str
    acuse: bytes
    raw: bytes


@dataclass(frozen=True, slots=True)
class CancelRefused:
    """This request never succeeds as it is (203, 204, 207 to 212, 300 to 312)."""

    findings: tuple[Finding, ...]
    raw: bytes


#: `Later` when surely nothing was filed, 205 included (SAT does not know the document yet, which is
#: normal for 72 hours after its stamp). After `Unknown` the same request may be sent again: SAT
#: answers 202 to a second one.
CancelAnswer = CancelFiled | CancelRefused | Later | Unknown


class Reply(StrEnum):
    """What a receiver says to a request for cancellation."""

    ACEPTACION = "Aceptacion"
    RECHAZO = "Rechazo"


@dataclass(frozen=True, slots=True)
class Pending:
    """Documents whose cancellation waits for the word of the receiver who was asked about."""

    uuids: tuple[str, ...]
    raw: bytes


@dataclass(frozen=True, slots=True)
class Registered:
    """What the provider's copy of SAT's lists says of an RFC. None: it did not say.

    `known`: in l_RFC; `name_matches`, `cp_matches`: as given; `listed_69b`: its situation in the
    list of article 69-B (Presunto, Definitivo, Desvirtuado, Sentencia Favorable), "" if it is not
    there.
    """

    known: bool | None
    name_matches: bool | None = None
    cp_matches: bool | None = None
    listed_69b: str | None = None
    raw: bytes = b""


@dataclass(frozen=True, slots=True)
class NotOffered:
    """The provider has no such service."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether the account can be used now (`pac test`). `detail` never holds a secret."""

    ok: bool
    detail: str


class Pac(Protocol):
    """One account at one provider. Network calls; never inside a database transaction.

    No method raises for what the provider or the network does: that is what `Answer` is for.
    """

    name: str
    terms: Terms

    def stamp(self, sealed: bytes, reference: str) -> Answer:
        """Send these exact bytes. `reference` is the same for the same bytes, for ever."""
        ...

    def recover(self, sealed: bytes, reference: str) -> Answer:
        """Ask for a stamp that the provider said exists, without making a new one.

        `Stamped` with the document, `Later` when there is surely none, `Unknown` when it cannot
        tell.
        """
        ...

    def check(self) -> Standing:
        """Reach the provider with the account's credentials without stamping anything."""
        ...

    def cancel(self, request: bytes, uuid: str) -> CancelAnswer:
        """Pass on the issuer's signed request (`cfdi.cancelacion`), which names this one UUID.

        Of `CancelFiled` SAT's status service tells what becomes (`cfdi.sat.status`).
        """
        ...

    def pending(self, rfc: str) -> Pending | Later | NotOffered:
        """What waits for the word of this receiver. Raises `ValueError` for what is no RFC."""
        ...

    def reply(self, request: bytes, uuid: str, reply: Reply) -> CancelAnswer | NotOffered:
        """Pass on the receiver's signed reply for this one UUID.

        `CancelFiled` (1000; 1002 if there was a reply before) does not say what the issuer's
        document is now.
        """
        ...

    def registered(
        self, rfc: str, *, nombre: str = "", cp: str = ""
    ) -> Registered | Later | NotOffered:
        """What SAT's lists say of an RFC. Raises `ValueError` for what is no RFC."""
        ...
