"""Read a Timbre Fiscal Digital, and believe a stamped document only after checking it.

http://www.sat.gob.mx/sitio_internet/cfd/TimbreFiscalDigital/TimbreFiscalDigitalv11.xsd
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

from lxml import etree

from cfdi.cadena import cadena_timbre
from cfdi.comprobante import Timbre
from cfdi.csd import Certificate, CsdRefused
from cfdi.seal import signed
from cfdi.xml import COMPLEMENTO, COMPROBANTE, SCHEMA_LOCATION, TIMBRE, XmlRefused, parse

__all__ = ["AFTER_NOW", "BEFORE_FECHA", "Accepted", "Timbre", "TimbreInvalid", "accept", "read"]

#: FechaTimbrado may lie this much before Fecha: the clocks of hub and PAC differ.
BEFORE_FECHA = timedelta(minutes=5)
#: FechaTimbrado may lie this much in the future, for the same reason.
AFTER_NOW = timedelta(minutes=5)

_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_LOCAL_TIME = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d")
_CENTER = ZoneInfo("America/Mexico_City")


class TimbreInvalid(Exception):
    """The stamp is not what it should be. `reason` is stable; the message is for people."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Accepted:
    """A stamped document that is ours; `sat_verified` if SelloSAT was checked too."""

    timbre: Timbre
    stamped_at: datetime
    sat_verified: bool
    xml: bytes


def read(xml: bytes) -> Timbre:
    """The TFD of a stamped document. Raises `TimbreInvalid`.

    Nothing is checked against what was sent: that is `accept`.
    """
    return _timbre(_node(_root(xml)))


def accept(
    stamped: bytes,
    sealed: bytes,
    *,
    now: datetime,
    zone: ZoneInfo,
    sat_certificates: Mapping[str, bytes] = {},
) -> Accepted:
    """The stamp, if this is the document we sealed with a TFD of its own. Raises `TimbreInvalid`.

    `now` is aware, `zone` that of LugarExpedicion, `sat_certificates` the known certificates of
    SAT's seal (DER or PEM) by number. The document must say what `sealed` says but for its TFD;
    blanks between elements, unused namespaces and schemaLocation, which say nothing, may differ.
    """
    root, ours = _root(stamped), parse(sealed)
    node = _node(root)
    timbre = _timbre(node)
    if timbre.sello_cfd != ours.get("Sello"):
        raise TimbreInvalid("sello_cfd", "SelloCFD is not the seal of the document that was sent.")
    verified = _sello_sat_verified(node, timbre, sat_certificates)
    _take_out(node)
    if _canonical(root) != _canonical(ours):
        raise TimbreInvalid(
            "document_changed", "The stamped document is not the one that was sent."
        )
    stamped_at = _instant(timbre.fecha_timbrado, _local_time(ours, "Fecha"), now, zone)
    return Accepted(timbre, stamped_at, verified, stamped)


def _root(xml: bytes) -> etree._Element:
    try:
        root = parse(xml)
    except XmlRefused as refused:
        raise TimbreInvalid("unreadable", f"The stamped document: {refused}.") from None
    if root.tag != COMPROBANTE:
        raise TimbreInvalid("unreadable", "The stamped document is not a CFDI 4.0.")
    return root


def _node(root: etree._Element) -> etree._Element:
    nodes = root.findall(f".//{TIMBRE}")
    if len(nodes) != 1 or [n.tag for n in nodes[0].iterancestors()] != [COMPLEMENTO, COMPROBANTE]:
        raise TimbreInvalid("no_timbre", "There must be one TimbreFiscalDigital, in Complemento.")
    return nodes[0]


def _timbre(node: etree._Element) -> Timbre:
    if node.get("Version") != "1.1" or not _UUID.fullmatch(node.get("UUID", "")):
        raise TimbreInvalid("timbre_malformed", "The TFD is not version 1.1 or has no valid UUID.")
    return Timbre(
        uuid=_required(node, "UUID"),
        fecha_timbrado=_local_time(node, "FechaTimbrado"),
        rfc_prov_certif=_required(node, "RfcProvCertif"),
        leyenda=node.get("Leyenda"),
        sello_cfd=_required(node, "SelloCFD"),
        no_certificado_sat=_required(node, "NoCertificadoSAT"),
        sello_sat=_required(node, "SelloSAT"),
    )


def _required(node: etree._Element, name: str) -> str:
    value = node.get(name, "").strip()
    if not value:
        raise TimbreInvalid("timbre_malformed", f"The TFD has no {name}.")
    return value


def _local_time(node: etree._Element, name: str) -> datetime:
    written = _required(node, name)
    if _LOCAL_TIME.fullmatch(written):
        with suppress(ValueError):  # the 31st of February
            return datetime.fromisoformat(written)
    raise TimbreInvalid("timbre_malformed", f"{name} is not a local date and time.")


def _sello_sat_verified(
    node: etree._Element, timbre: Timbre, sat_certificates: Mapping[str, bytes]
) -> bool:
    """False if SAT's certificate is not known. Raises `TimbreInvalid` if its seal is not good."""
    known = sat_certificates.get(timbre.no_certificado_sat)
    if known is None:
        return False
    try:
        good = signed(Certificate.read(known), timbre.sello_sat, cadena_timbre(node))
    except CsdRefused:
        return False
    if not good:
        raise TimbreInvalid("sello_sat", "SelloSAT is not the seal of SAT's certificate.")
    return True


def _take_out(timbre: etree._Element) -> None:
    """Remove the TFD, and the Complemento that was made for it."""
    complemento = timbre.getparent()
    if complemento is None:
        return
    complemento.remove(timbre)
    root = complemento.getparent()
    if root is not None and not len(complemento) and not complemento.attrib:
        root.remove(complemento)


def _canonical(root: etree._Element) -> bytes:
    """What the document says, whatever its layout: C14N without the blanks between elements."""
    root.attrib.pop(SCHEMA_LOCATION, "")
    for node in root.iter():
        node.text = (node.text or "").strip(" \t\r\n") or None
        node.tail = (node.tail or "").strip(" \t\r\n") or None
    return etree.tostring(root, method="c14n", exclusive=True, with_comments=True)


def _instant(written: datetime, fecha: datetime, now: datetime, zone: ZoneInfo) -> datetime:
    """FechaTimbrado in UTC: the reading of it that lies between Fecha and now.

    The TFD's XSD puts it in the time of Mexico's Center, RMF 2.7.2.9 reckons in that of
    LugarExpedicion, and providers do either. At the border the hour after summer time comes twice.
    """
    earliest = fecha.replace(tzinfo=zone).astimezone(UTC) - BEFORE_FECHA
    for place, fold in product((_CENTER, zone), (0, 1)):
        instant = written.replace(tzinfo=place, fold=fold).astimezone(UTC)
        if earliest <= instant <= now + AFTER_NOW:
            return instant
    raise TimbreInvalid("fecha_timbrado", "FechaTimbrado is not between Fecha and now.")
