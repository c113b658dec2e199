"""The signed requests of SAT's cancellation services, and SAT's receipt for them.

One document a request: SAT's service often hangs on several, and one of them can spoil the rest.
https://www.sat.gob.mx/consultas/91447/nuevo-esquema-de-cancelacion
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from lxml import etree

from cfdi import rfc as rfcs
from cfdi.csd import Csd
from cfdi.pac.contract import Reply
from cfdi.xml import XSI, XmlRefused, parse, serialize
from cfdi.xmldsig import SIGNATURE, sign

NAMESPACE: Final = "http://cancelacfd.sat.gob.mx"
_XSD: Final = "http://www.w3.org/2001/XMLSchema"
#: lxml takes None for the default namespace; its types do not say so.
_NSMAP: Final[dict[Any, str]] = {None: NAMESPACE, "xsd": _XSD, "xsi": XSI}
#: "Fecha y hora de la zona centro", whatever the zone of LugarExpedicion.
_CENTER: Final = ZoneInfo("America/Mexico_City")
_UUID: Final = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")


class Motivo(StrEnum):
    """Why a document is cancelled (CFF 29-A)."""

    #: Made with errors; another one, issued before with relation 04, takes its place.
    ERRORES_CON_RELACION = "01"
    #: Made with errors, and nothing takes its place.
    ERRORES_SIN_RELACION = "02"
    #: The operation did not take place.
    NO_SE_LLEVO_A_CABO = "03"
    #: A global invoice that holds a ticket which the customer now wants an invoice for.
    NOMINATIVA_EN_GLOBAL = "04"


class AcuseUnreadable(ValueError):
    """Not a receipt of SAT's. The message never repeats it."""


@dataclass(frozen=True, slots=True)
class Acuse:
    """SAT's word on a request. A 201 in it is not yet a cancellation.

    `fecha` is as SAT writes it, Mexico's Center without a zone; `codigos` by UUID in upper case.
    `signature` is SAT's, an HMAC whose key only SAT has: it is kept, nobody else can verify it.
    """

    fecha: str
    rfc_emisor: str
    codigos: Mapping[str, str]
    signature: bytes
    xml: bytes


def cancelacion(
    csd: Csd, uuid: str, motivo: Motivo, *, now: datetime, folio_sustitucion: str = ""
) -> bytes:
    """The issuer's request, signed. `now` is aware.

    Raises `ValueError` for a UUID that is none, and if `folio_sustitucion` is missing with motivo
    01 or given with another.
    """
    if (motivo is Motivo.ERRORES_CON_RELACION) != bool(folio_sustitucion):
        raise ValueError("motivo 01, and no other, names the substitute's UUID")
    folio = {"UUID": _uuid(uuid), "Motivo": str(motivo)}
    if folio_sustitucion:
        folio["FolioSustitucion"] = _uuid(folio_sustitucion)
        if folio["FolioSustitucion"] == folio["UUID"]:
            raise ValueError("a document cannot be its own substitute")
    root = _root("Cancelacion", RfcEmisor=csd.certificate.rfc, Fecha=_fecha(now))
    etree.SubElement(_child(root, "Folios"), f"{{{NAMESPACE}}}Folio", folio)
    return _signed(root, csd)


def respuesta(csd: Csd, uuid: str, reply: Reply, *, now: datetime, rfc_pac: str) -> bytes:
    """The receiver's word on a request for cancellation, signed with the receiver's CSD.

    `now` is aware; `rfc_pac` is that of the provider who passes it on. Raises `ValueError`.
    """
    root = _root(
        "SolicitudAceptacionRechazo",
        Fecha=_fecha(now),
        RfcPacEnviaSolicitud=_rfc(rfc_pac),
        RfcReceptor=csd.certificate.rfc,
    )
    folios = _child(root, "Folios")
    _child(folios, "UUID").text = _uuid(uuid)
    _child(folios, "Respuesta").text = str(reply)
    return _signed(root, csd)


def relacionados(csd: Csd, uuid: str, *, rfc_pac: str, is_emisor: bool) -> bytes:
    """Which documents refer to this one, asked by its issuer or its receiver. Raises `ValueError`.

    One of the two RFCs is empty: that of the other party.
    """
    own = csd.certificate.rfc
    root = _root(
        "PeticionConsultaRelacionados",
        RfcEmisor=own if is_emisor else "",
        RfcPacEnviaSolicitud=_rfc(rfc_pac),
        RfcReceptor="" if is_emisor else own,
        Uuid=_uuid(uuid),
    )
    return _signed(root, csd)


def read_acuse(data: bytes) -> Acuse:
    """SAT's receipt, bare or in the SOAP envelope in which some providers hand it on.

    Raises `AcuseUnreadable`.
    """
    try:
        root = parse(data)
    except XmlRefused as refused:
        raise AcuseUnreadable(f"the receipt: {refused}") from None
    found = [node for node in _elements(root) if _name(node) in {"Acuse", "CancelaCFDResult"}]
    if len(found) != 1:
        raise AcuseUnreadable("there must be one Acuse")
    acuse = found[0]
    signatures = [node for node in acuse if node.tag == SIGNATURE]
    return Acuse(
        fecha=acuse.get("Fecha", ""),
        rfc_emisor=acuse.get("RfcEmisor", ""),
        codigos=dict(_codes(acuse)),
        signature=etree.tostring(signatures[0], with_tail=False) if signatures else b"",
        xml=data,
    )


def _codes(acuse: etree._Element) -> list[tuple[str, str]]:
    codes = []
    for folios in (node for node in _elements(acuse) if _name(node) == "Folios"):
        said = {_name(node): (node.text or "").strip() for node in _elements(folios)}
        if uuid := said.get("UUID"):
            codes.append((uuid.upper(), said.get("EstatusUUID", "")))
    return codes


def _elements(root: etree._Element) -> list[etree._Element]:
    return [node for node in root.iter() if isinstance(node.tag, str)]


def _name(node: etree._Element) -> str:
    """Without its namespace, which SAT's receipts do not agree on."""
    return etree.QName(node).localname


def _signed(root: etree._Element, csd: Csd) -> bytes:
    sign(root, csd)
    return serialize(root)


def _root(name: str, **attributes: str) -> etree._Element:
    return etree.Element(f"{{{NAMESPACE}}}{name}", attributes, nsmap=_NSMAP)


def _child(parent: etree._Element, name: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")


def _uuid(text: str) -> str:
    """SAT's service knows them in upper case only."""
    uuid = text.strip().upper()
    if not _UUID.fullmatch(uuid):
        raise ValueError("not a UUID")
    return uuid


def _rfc(text: str) -> str:
    if not rfcs.well_formed(text):
        raise ValueError("not the form of an RFC")
    return text


def _fecha(now: datetime) -> str:
    if now.tzinfo is None:
        raise ValueError("now must be aware")
    return now.astimezone(_CENTER).strftime("%Y-%m-%dT%H:%M:%S")
