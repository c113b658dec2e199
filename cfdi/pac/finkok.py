"""Finkok's SOAP services: stamp and cancel documents that we sealed and signed ourselves.

https://wiki.finkok.com/en/home/webservices. Known faults, with what was observed:
https://github.com/phpcfdi/finkok/tree/main/docs/issues
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

import requests

from cfdi import rfc as rfcs
from cfdi.pac import finkok_answers as answers
from cfdi.pac.breaker import Breaker
from cfdi.pac.contract import (
    Answer,
    CancelAnswer,
    Later,
    NotOffered,
    Pending,
    Reply,
    Standing,
    Terms,
    Unknown,
)
from cfdi.pac.finkok_soap import CANCEL, STAMP, UTILITIES, NoResult, Result, encoded, envelope
from cfdi.sat.status import Status, status_of
from cfdi.wire import Unanswered, Wire

_PATH: Final = "/servicios/soap/"

_Said = TypeVar("_Said")


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where a stamp is on its way to SAT: "S" stamped and being delivered, "F" finished."""

    status: str
    xml: bytes


@dataclass(frozen=True, slots=True)
class Relations:
    """UUIDs of the documents that this one refers to, and of those that refer to it."""

    parents: tuple[str, ...]
    children: tuple[str, ...]


class Finkok:
    """One account at Finkok. Thread safe.

    Finkok knows a repeat by its bytes; `reference` is not sent. `Later` speaks of one sending.
    """

    def __init__(
        self,
        url: str,
        *,
        user: str,
        password: str,
        terms: Terms,
        name: str = "finkok",
        session: requests.Session | None = None,
        breaker: Breaker | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.terms = terms
        self._url = url.rstrip("/")
        self._login = {"username": user, "password": password}
        self._breaker = breaker or Breaker(monotonic)
        self._wire = Wire(
            self._url,
            connect_timeout=terms.connect_timeout,
            read_timeout=terms.read_timeout,
            session=session,
        )

    def __repr__(self) -> str:
        return f"Finkok({self.name!r}, {self._url!r})"

    def stamp(self, sealed: bytes, reference: str) -> Answer:
        del reference
        request = {"xml": encoded(sealed)} | self._login
        return self._sent(STAMP, "stamp", request, answers.stamped)

    def recover(self, sealed: bytes, reference: str) -> Answer:
        """By the bytes. Never `Later`: for seconds after a stamp Finkok denies that it gave one."""
        del reference
        request = {"xml": encoded(sealed)} | self._login
        match self._sent(STAMP, "stamped", request, answers.recovered):
            case Later(reason=reason, raw=raw):
                return Unknown(reason, raw)
            case answer:
                return answer

    def check(self) -> Standing:
        """Ask for the time, which Finkok tells to its accounts alone."""
        try:
            result = self._asked(UTILITIES, "datetime", self._login)
        except (Unanswered, NoResult) as error:
            return Standing(ok=False, detail=str(error))
        if result.text("datetime") and not result.text("error"):
            return Standing(ok=True, detail="")
        return Standing(ok=False, detail="the provider refuses the account's user and password")

    def cancel(self, request: bytes, uuid: str) -> CancelAnswer:
        """Not kept by Finkok for a later try: what SAT had is only known from SAT's own answer."""
        parameters = {"xml": encoded(request)} | self._login | {"store_pending": "false"}

        def sort(status: int, raw: bytes) -> CancelAnswer:
            return answers.cancelled(status, raw, uuid)

        return self._sent(CANCEL, "cancel_signature", parameters, sort)

    def pending(self, rfc: str) -> Pending | Later:
        parameters = self._login | {"rtaxpayer_id": _well_formed(rfc)}
        try:
            return answers.pending(*self._call(CANCEL, "get_pending", parameters))
        except Unanswered as error:
            return Later(error.reason)

    def reply(self, request: bytes, uuid: str, reply: Reply) -> CancelAnswer:
        parameters = {"xml": encoded(request)} | self._login

        def sort(status: int, raw: bytes) -> CancelAnswer:
            return answers.replied(status, raw, uuid, reply)

        return self._sent(CANCEL, "accept_reject_signature", parameters, sort)

    def registered(self, rfc: str, *, nombre: str = "", cp: str = "") -> NotOffered:
        del nombre, cp
        _well_formed(rfc)
        return NotOffered()

    def query_pending(self, uuid: str) -> Delivery | Later:
        """Whether SAT has the document yet, and the document. An unknown UUID is `Later`."""
        try:
            result = self._asked(STAMP, "query_pending", self._login | {"uuid": uuid})
        except (Unanswered, NoResult) as error:
            return Later(str(error))
        xml = result.text("xml")
        if result.text("status") not in {"S", "F"}:
            return Later("the provider does not say where the document is")
        return Delivery(result.text("status"), xml.encode() if xml.startswith("<") else b"")

    def sat_status(self, emisor: str, receptor: str, uuid: str, total: str) -> Status | Later:
        """SAT's status service, asked by Finkok."""
        parameters = {"taxpayer_id": emisor, "rtaxpayer_id": receptor, "uuid": uuid, "total": total}
        try:
            said = self._asked(CANCEL, "get_sat_status", self._login | parameters).fields()
            return status_of(said)
        except (Unanswered, NoResult, ValueError) as error:
            return Later(str(error))

    def receipt(self, rfc: str, uuid: str) -> bytes | Later:
        """SAT's receipt of a cancellation (acuse), for `cfdi.cancelacion.read_acuse`."""
        parameters = {"taxpayer_id": rfc, "uuid": uuid, "type": "C"}
        try:
            result = self._asked(CANCEL, "get_receipt", self._login | parameters)
        except (Unanswered, NoResult) as error:
            return Later(str(error))
        if result.text("success").lower() not in {"true", "1"} or not result.text("receipt"):
            return Later("the provider has no receipt yet")
        return result.text("receipt").encode()

    def related(self, request: bytes) -> Relations | Later:
        """By a request of `cfdi.cancelacion.relacionados`."""
        parameters = {"xml": encoded(request)} | self._login
        try:
            result = self._asked(CANCEL, "get_related_signature", parameters)
        except (Unanswered, NoResult) as error:
            return Later(str(error))
        if result.text("error"):
            return Later("the provider does not tell the relations")
        parents, children = (
            tuple(each["uuid"].upper() for each in result.each(name) if each.get("uuid"))
            for name in ("Padre", "Hijo")
        )
        return Relations(parents, children)

    def _sent(
        self,
        service: str,
        operation: str,
        parameters: dict[str, str],
        sort: Callable[[int, bytes], _Said],
    ) -> _Said | Later | Unknown:
        """What may leave something behind: guarded by the breaker, and in doubt once it left."""
        if not self._breaker.admits():
            return Later("the provider is in trouble: nothing is sent to it for a while")
        answer: _Said | Later | Unknown = Unknown("the sending broke off")
        try:
            answer = sort(*self._call(service, operation, parameters))
        except Unanswered as error:
            answer = Unknown(error.reason) if error.sent else Later(error.reason)
        finally:
            self._breaker.record(
                trouble=isinstance(answer, Unknown | Later) and not _is_word(answer)
            )
        return answer

    def _asked(self, service: str, operation: str, parameters: dict[str, str]) -> Result:
        """Raises `Unanswered` or `NoResult`."""
        status, raw = self._call(service, operation, parameters)
        if status != 200:
            raise NoResult
        return Result.read(raw, operation)

    def _call(self, service: str, operation: str, parameters: dict[str, str]) -> tuple[int, bytes]:
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{operation}"'}
        body = envelope(service, operation, parameters)
        return self._wire.call("POST", f"{self._url}{_PATH}{service}", headers=headers, data=body)


def _is_word(answer: Later | Unknown) -> bool:
    """A `Later` that holds an answer is the word of SAT or of Finkok: both work."""
    return isinstance(answer, Later) and bool(answer.raw)


def _well_formed(rfc: str) -> str:
    if not rfcs.well_formed(rfc):
        raise ValueError("not the form of an RFC")
    return rfc
