"""Ask SAT what a document is now: in force, cancelled, on its way to that, or not known.

ConsultaCFDIService, SOAP 1.1; the envelope never changes, so no WSDL is read. SAT's description:
http://omawww.sat.gob.mx/factura/Documents/ConsultaCFDI_ServicioWeb_Documentacion.pdf

It is a service for everybody: the answers are kept a while, and `next_look` says when to ask again.
"""

from __future__ import annotations

import re
import threading
import time
import unicodedata
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypeVar

import requests
from lxml import etree

from cfdi.consulta import verification_url
from cfdi.pac.contract import Later
from cfdi.wire import Unanswered, Wire
from cfdi.xml import XmlRefused, parse

URL: Final = "https://consultaqr.facturaelectronica.sat.gob.mx/ConsultaCFDIService.svc"
PATH: Final = "/ConsultaCFDIService.svc"
NAMESPACE: Final = "http://tempuri.org/"
_ACTION: Final = "http://tempuri.org/IConsultaCFDIService/Consulta"
_SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_HEADERS: Final = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{_ACTION}"'}

CONNECT: Final = timedelta(seconds=5)
READ: Final = timedelta(seconds=20)
ANSWER_MAX: Final = 64 * 1024
#: How long an answer is good for whoever asks again: less than the first of `_WAITS`.
KEPT: Final = timedelta(seconds=45)
KEPT_MOST: Final = 2_000

#: Most cancellations are final in minutes; one that needs acceptance takes three working days.
_WAITS: Final = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=12),
)


class Estado(StrEnum):
    VIGENTE = "Vigente"
    CANCELADO = "Cancelado"
    NO_ENCONTRADO = "No Encontrado"
    UNKNOWN = "unknown"


class EsCancelable(StrEnum):
    """`NOT_SAID` for a document that SAT does not find."""

    SIN_ACEPTACION = "Cancelable sin aceptación"
    CON_ACEPTACION = "Cancelable con aceptación"
    NO = "No cancelable"
    NOT_SAID = ""
    UNKNOWN = "unknown"


class EstatusCancelacion(StrEnum):
    """`NONE`: nobody has asked to cancel it."""

    NONE = ""
    EN_PROCESO = "En proceso"
    SIN_ACEPTACION = "Cancelado sin aceptación"
    CON_ACEPTACION = "Cancelado con aceptación"
    #: The receiver said nothing in time, which counts as a yes.
    PLAZO_VENCIDO = "Plazo vencido"
    RECHAZADA = "Solicitud rechazada"
    UNKNOWN = "unknown"


class ValidacionEfos(StrEnum):
    """Whether the issuer stands in the list of article 69-B; 201 speaks of third parties too."""

    LISTADO = "100"
    NO_LISTADO = "200"
    NO_LISTADO_TERCEROS = "201"
    NOT_SAID = ""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Status:
    """SAT's answer. A word that we do not know is `UNKNOWN`, never one of those that we do.

    `codigo` is SAT's text: "S - …" found, "N - 601…" the expression does not fit the document,
    "N - 602…" not found, which is normal for hours after a stamp.
    """

    codigo: str
    estado: Estado
    es_cancelable: EsCancelable
    estatus_cancelacion: EstatusCancelacion
    validacion_efos: ValidacionEfos
    raw: bytes = b""

    @property
    def is_cancelled(self) -> bool:
        """SAT's last word: it never comes back from this."""
        return self.estado is Estado.CANCELADO


def expression(stamped: bytes) -> str:
    """``?id=…&re=…&rr=…&tt=…&fe=…`` of a stamped document, as its QR code has it.

    Raises what `cfdi.consulta.verification_url` raises. SAT's service splits it at each & and
    takes the one of an RFC as XML has it: https://github.com/phpcfdi/cfdi-expresiones.
    """
    _, _, query = verification_url(stamped).partition("?")
    return f"?{query.replace('%26', '&amp;')}"


def next_look(asked_at: datetime, tries: int) -> datetime:
    """When to look again, `tries` looks after the request for cancellation, the last `asked_at`.

    Longer each time, at most twelve hours: six looks on the first day, two on each one after.
    """
    if tries < 0:
        raise ValueError("tries cannot be negative")
    return asked_at + _WAITS[min(tries, len(_WAITS) - 1)]


class SatStatus:
    """SAT's service, or whoever stands in for it at `url`. Thread safe; raises nothing."""

    def __init__(
        self,
        url: str = URL,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        connect_timeout: timedelta = CONNECT,
        read_timeout: timedelta = READ,
        kept: timedelta = KEPT,
        session: requests.Session | None = None,
    ) -> None:
        self._url = url
        self._monotonic = monotonic
        self._kept_seconds = kept.total_seconds()
        self._kept: OrderedDict[str, tuple[float, Status]] = OrderedDict()
        self._lock = threading.Lock()
        self._wire = Wire(
            url,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            session=session,
            answer_max=ANSWER_MAX,
        )

    def ask(self, expression: str) -> Status | Later:
        """Of `expression`. `Later`: SAT said nothing that can be understood."""
        found = self._recall(expression)
        if found is not None:
            return found
        try:
            status, raw = self._wire.call(
                "POST", self._url, headers=_HEADERS, data=envelope(expression)
            )
        except Unanswered as error:
            return Later(error.reason)
        if status != 200:
            return Later(f"SAT's status service does not work (HTTP {status})")
        try:
            answer = read(raw)
        except ValueError as error:
            return Later(str(error), raw)
        self._keep(expression, answer)
        return answer

    def _recall(self, expression: str) -> Status | None:
        with self._lock:
            at, found = self._kept.get(expression, (0.0, None))
            good = found is not None and self._monotonic() - at < self._kept_seconds
            return found if good else None

    def _keep(self, expression: str, answer: Status) -> None:
        with self._lock:
            self._kept[expression] = (self._monotonic(), answer)
            self._kept.move_to_end(expression)
            while len(self._kept) > KEPT_MOST:
                self._kept.popitem(last=False)


def envelope(expression: str) -> bytes:
    root = etree.Element(f"{{{_SOAP}}}Envelope", nsmap={"s": _SOAP})
    body = etree.SubElement(root, f"{{{_SOAP}}}Body")
    consulta = etree.SubElement(body, f"{{{NAMESPACE}}}Consulta", nsmap={"c": NAMESPACE})
    etree.SubElement(consulta, f"{{{NAMESPACE}}}expresionImpresa").text = expression
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def read(raw: bytes) -> Status:
    """Raises `ValueError` for what is no answer of the service."""
    try:
        root = parse(raw)
    except XmlRefused:
        raise ValueError("SAT's status service answers something that is no XML") from None
    results = root.findall(f".//{{{NAMESPACE}}}ConsultaResult")
    if len(results) != 1:
        raise ValueError("SAT's status service answers without a result")
    return status_of(
        {
            etree.QName(node).localname: node.text or ""
            for node in results[0]
            if isinstance(node.tag, str)
        },
        raw,
    )


def status_of(said: dict[str, str], raw: bytes = b"") -> Status:
    """From SAT's five fields, however they came. Raises `ValueError` without an Estado."""
    estado = said.get("Estado", "").strip()
    if not estado:
        raise ValueError("SAT's status service answers without an Estado")
    return Status(
        codigo=said.get("CodigoEstatus", "").strip()[:200],
        estado=_word(Estado, estado),
        es_cancelable=_word(EsCancelable, said.get("EsCancelable", "")),
        estatus_cancelacion=_word(EstatusCancelacion, said.get("EstatusCancelacion", "")),
        validacion_efos=_word(ValidacionEfos, said.get("ValidacionEFOS", "")),
        raw=raw,
    )


_Word = TypeVar("_Word", bound=StrEnum)


def _word(known: type[_Word], text: str) -> _Word:
    """SAT has written the same word with and without its accent and in other capitals."""
    plain = _plain(text)
    for word in known:
        if word.name != "UNKNOWN" and _plain(word.value) == plain:
            return word
    return known["UNKNOWN"]


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFD", text.casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return re.sub(r"\s+", " ", plain).strip()
