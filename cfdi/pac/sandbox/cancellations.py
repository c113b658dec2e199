"""Cancellations at the sandbox: the issuer's signed request, the receiver's reply, what becomes.

The rules of RMF 2026 2.7.1.35 that a document can tell by itself; three days of silence count as a
yes, but not after a first no.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from lxml import etree

from cfdi.cancelacion import NAMESPACE, Motivo
from cfdi.csd import Certificate, authority
from cfdi.pac.sandbox.authority import Authority
from cfdi.pac.sandbox.memory import Cancellation, Memory, Record
from cfdi.rfc import GENERIC_FOREIGN, GENERIC_NATIONAL
from cfdi.sat.status import EsCancelable, EstatusCancelacion
from cfdi.xml import CFDI, XmlRefused, parse
from cfdi.xmldsig import SignatureUnsound, verify

#: "Tres días hábiles": the sandbox has no holidays.
SILENCE: Final = timedelta(days=3)
_CENTER: Final = ZoneInfo("America/Mexico_City")
_GENERIC: Final = frozenset({GENERIC_NATIONAL, GENERIC_FOREIGN})
_WITHOUT_ACCEPTANCE: Final = Decimal(1000)
_FREE_TYPES: Final = frozenset({"E", "T", "N"})
_CANCELLED: Final = frozenset(
    {
        EstatusCancelacion.SIN_ACEPTACION,
        EstatusCancelacion.CON_ACEPTACION,
        EstatusCancelacion.PLAZO_VENCIDO,
    }
)


class RequestRefused(Exception):
    """The whole request is bad. `code` is SAT's 13xx."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Answered:
    """SAT's word on one document. `party` signed; `said` is what a receiver replied."""

    uuid: str
    code: str
    party: str
    said: str = ""


class Cancellations:
    """What is asked of documents in `memory`. Thread safe."""

    def __init__(
        self,
        memory: Memory,
        own: Authority,
        now: Callable[[], datetime],
        unknown_for: Callable[[], float],
    ) -> None:
        self._memory = memory
        self._roots = (own.root_der,)
        self._now = now
        self._unknown_for = unknown_for

    def request(self, xml: bytes) -> Answered:
        """An issuer's Cancelacion. Raises `RequestRefused`."""
        root, certificate = self._signed(xml, "Cancelacion")
        rfc = root.get("RfcEmisor", "")
        if certificate.rfc != rfc:
            raise RequestRefused("1305", "El certificado no corresponde al RFC del emisor")
        folios = root.findall(f"{{{NAMESPACE}}}Folios/{{{NAMESPACE}}}Folio")
        if len(folios) != 1:
            raise RequestRefused("1302", "La estructura del folio no es válida")
        uuid = folios[0].get("UUID", "")
        return Answered(uuid, self._filed(folios[0], uuid, rfc), rfc)

    def reply(self, xml: bytes) -> Answered:
        """A receiver's SolicitudAceptacionRechazo. Raises `RequestRefused`."""
        root, certificate = self._signed(xml, "SolicitudAceptacionRechazo")
        rfc = root.get("RfcReceptor", "")
        uuid, said = (
            root.findtext(f"{{{NAMESPACE}}}Folios/{{{NAMESPACE}}}{name}", "")
            for name in ("UUID", "Respuesta")
        )
        if said not in {"Aceptacion", "Rechazo"}:
            raise RequestRefused("1301", "XML mal formado")
        record = self._memory.by_uuid(uuid)
        if certificate.rfc != rfc or (record and record.rfc_receptor != rfc):
            return Answered(uuid, "1003", rfc, said)
        estatus = EstatusCancelacion.CON_ACEPTACION
        if said == "Rechazo":
            estatus = EstatusCancelacion.RECHAZADA
        return Answered(uuid, "1000" if self.decide(uuid, estatus) else "1001", rfc, said)

    def decide(self, uuid: str, estatus: EstatusCancelacion) -> bool:
        """End what waits for a receiver. False if nothing does."""
        before = self._memory.cancellation(uuid)
        if before is None or self.estatus(uuid) is not EstatusCancelacion.EN_PROCESO:
            return False
        return self._memory.keep_cancellation(replace(before, estatus=str(estatus)), before)

    def waiting_for(self, rfc: str) -> list[str]:
        """UUIDs whose receiver is asked."""
        return [
            filed.uuid
            for filed in self._memory.cancellations()
            if self.estatus(filed.uuid) is EstatusCancelacion.EN_PROCESO
            and self._receptor_of(filed.uuid) == rfc
        ]

    def estatus(self, uuid: str) -> EstatusCancelacion:
        filed = self._memory.cancellation(uuid)
        if filed is None:
            return EstatusCancelacion.NONE
        estatus = EstatusCancelacion(filed.estatus)
        silent_for = self._now().timestamp() - filed.requested_at
        lapsed = filed.requests == 1 and silent_for >= SILENCE.total_seconds()
        if estatus is EstatusCancelacion.EN_PROCESO and lapsed:
            return EstatusCancelacion.PLAZO_VENCIDO
        return estatus

    def is_cancelled(self, uuid: str) -> bool:
        return self.estatus(uuid) in _CANCELLED

    def es_cancelable(self, record: Record) -> EsCancelable:
        if self.is_cancelled(record.uuid) or self._referring(record):
            return EsCancelable.NO
        if self._needs_acceptance(record):
            return EsCancelable.CON_ACEPTACION
        return EsCancelable.SIN_ACEPTACION

    def is_known(self, record: Record | None) -> bool:
        """SAT hears of a stamp later than the provider gives it."""
        if record is None:
            return False
        return self._now().timestamp() - record.stamped_at >= self._unknown_for()

    def _filed(self, folio: etree._Element, uuid: str, rfc: str) -> str:
        """SAT's code for the request."""
        motivo, sustitucion = folio.get("Motivo", ""), folio.get("FolioSustitucion", "")
        record = self._memory.by_uuid(uuid)
        if code := _bad_motivo(motivo, sustitucion):
            return code
        # In lower case SAT's service finds none.
        if record is None or uuid != uuid.upper() or not self.is_known(record):
            return "205"
        if code := self._objection(record, rfc, sustitucion):
            return code
        before = self._memory.cancellation(uuid)
        wanted = Cancellation(
            uuid=uuid.upper(),
            motivo=motivo,
            estatus=str(self._first_estatus(record)),
            requested_at=self._now().timestamp(),
            requests=before.requests + 1 if before else 1,
        )
        return "201" if self._memory.keep_cancellation(wanted, before) else "202"

    def _objection(self, record: Record, rfc: str, sustitucion: str) -> str:
        """Why this document cannot be cancelled so, or need not; "" if it can."""
        if record.rfc_emisor != rfc:
            return "203"
        if sustitucion and not self._substitutes(sustitucion, record):
            return "212" if self._memory.by_uuid(sustitucion) else "208"
        if self.estatus(record.uuid) not in {EstatusCancelacion.NONE, EstatusCancelacion.RECHAZADA}:
            return "202"
        others = (other.uuid.upper() for other in self._referring(record))
        return "204" if any(other != sustitucion.upper() for other in others) else ""

    def _first_estatus(self, record: Record) -> EstatusCancelacion:
        if self._needs_acceptance(record):
            return EstatusCancelacion.EN_PROCESO
        return EstatusCancelacion.SIN_ACEPTACION

    def _needs_acceptance(self, record: Record) -> bool:
        root = parse(record.cfdi.encode())
        kind = root.get("TipoDeComprobante", "I")
        if kind in _FREE_TYPES or record.rfc_receptor in _GENERIC:
            return False
        pesos = Decimal(root.get("Total", "0")) * Decimal(root.get("TipoCambio", "1"))
        if pesos <= _WITHOUT_ACCEPTANCE and kind != "P":
            return False
        stamped_on = datetime.fromtimestamp(record.stamped_at, _CENTER).date()
        return stamped_on != self._now().astimezone(_CENTER).date()

    def _referring(self, record: Record) -> list[Record]:
        """Documents in force that refer to this one."""
        others = self._memory.referring_to(record.uuid)
        return [other for other in others if not self.is_cancelled(other.uuid)]

    def _substitutes(self, sustitucion: str, record: Record) -> bool:
        """Whether it exists and says itself that it takes the other's place (relation 04)."""
        other = self._memory.by_uuid(sustitucion)
        if other is None:
            return False
        relations = parse(other.cfdi.encode()).iterfind(f"{{{CFDI}}}CfdiRelacionados")
        return any(
            node.get("UUID", "").upper() == record.uuid.upper()
            for relation in relations
            if relation.get("TipoRelacion") == "04"
            for node in relation
        )

    def _receptor_of(self, uuid: str) -> str:
        record = self._memory.by_uuid(uuid)
        return record.rfc_receptor if record else ""

    def _signed(self, xml: bytes, name: str) -> tuple[etree._Element, Certificate]:
        try:
            root = parse(xml)
        except XmlRefused:
            raise RequestRefused("1301", "XML mal formado") from None
        if root.tag != f"{{{NAMESPACE}}}{name}":
            raise RequestRefused("1301", "XML mal formado")
        try:
            certificate = verify(root)
        except SignatureUnsound:
            raise RequestRefused("1309", "Firma mal formada o inválida") from None
        if certificate.is_fiel:
            raise RequestRefused("1307", "Uso de certificado de e.firma inválido")
        if authority(certificate, self._roots) not in {"sandbox", "sat-test"}:
            raise RequestRefused("1308", "Certificado revocado o caduco")
        if not certificate.not_before <= self._now() <= certificate.not_after:
            raise RequestRefused("1306", "El certificado no está vigente")
        return root, certificate


def _bad_motivo(motivo: str, sustitucion: str) -> str:
    if motivo not in {str(known) for known in Motivo}:
        return "207"
    if motivo == Motivo.ERRORES_CON_RELACION:
        return "" if sustitucion else "208"
    return "209" if sustitucion else ""
