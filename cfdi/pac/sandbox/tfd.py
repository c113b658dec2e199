"""The TFD the sandbox gives: really signed, and marked as without fiscal value."""

from __future__ import annotations

import base64
import io
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import segno
from lxml import etree

from cfdi.cadena import cadena_timbre
from cfdi.pac.sandbox import LEYENDA
from cfdi.pac.sandbox.authority import PAC_RFC, Authority
from cfdi.pac.timbrado import with_timbre
from cfdi.xml import CFDI, SCHEMA_LOCATION, TFD, TIMBRE, XSI

#: The XSD of the TFD: "debe corresponder con la hora de la Zona Centro".
#: http://www.sat.gob.mx/sitio_internet/cfd/TimbreFiscalDigital/TimbreFiscalDigitalv11.xsd
_ZONE: Final = ZoneInfo("America/Mexico_City")
_LOCATION: Final = (
    f"{TFD} http://www.sat.gob.mx/sitio_internet/cfd/TimbreFiscalDigital/TimbreFiscalDigitalv11.xsd"
)


@dataclass(frozen=True, slots=True)
class Made:
    uuid: str
    tfd: str
    cfdi: str


def make(sealed: bytes, root: etree._Element, authority: Authority, now: datetime) -> Made:
    folio_fiscal = str(uuid.uuid4())
    node = etree.Element(TIMBRE, nsmap={"tfd": TFD, "xsi": XSI})
    node.set(SCHEMA_LOCATION, _LOCATION)
    node.set("Version", "1.1")
    node.set("UUID", folio_fiscal)
    node.set("FechaTimbrado", now.astimezone(_ZONE).strftime("%Y-%m-%dT%H:%M:%S"))
    node.set("RfcProvCertif", PAC_RFC)
    node.set("Leyenda", LEYENDA)
    node.set("SelloCFD", root.get("Sello", ""))
    node.set("NoCertificadoSAT", authority.pac.no_certificado)
    node.set("SelloSAT", authority.sign(cadena_timbre(node)))
    tfd = etree.tostring(node, encoding="UTF-8")
    return Made(folio_fiscal, tfd.decode(), with_timbre(sealed, tfd).decode())


def v4_data(tfd: str, cfdi: str) -> dict[str, str]:
    """The fields of SW's answer in version 4.

    https://developers.sw.com.mx/knowledge-base/stamping-version-4/
    """
    node, root = etree.fromstring(tfd.encode()), etree.fromstring(cfdi.encode())
    return {
        "cadenaOriginalSAT": cadena_timbre(node),
        "noCertificadoSAT": node.get("NoCertificadoSAT", ""),
        "noCertificadoCFDI": root.get("NoCertificado", ""),
        "uuid": node.get("UUID", ""),
        "selloSAT": node.get("SelloSAT", ""),
        "selloCFDI": node.get("SelloCFD", ""),
        "fechaTimbrado": node.get("FechaTimbrado", ""),
        "qrCode": _qr(root, node.get("UUID", "")),
        "cfdi": cfdi,
    }


def parties(root: etree._Element) -> tuple[str, str]:
    """The RFCs of issuer and receiver."""
    nodes = (root.find(f"{{{CFDI}}}{name}") for name in ("Emisor", "Receptor"))
    emisor, receptor = ("" if node is None else node.get("Rfc", "") for node in nodes)
    return emisor, receptor


def _qr(root: etree._Element, folio_fiscal: str) -> str:
    """PNG in base64 of the address where a real document could be verified."""
    emisor, receptor = parties(root)
    text = (
        "https://verificacfdi.facturaelectronica.sat.gob.mx/default.aspx"
        f"?id={folio_fiscal}&re={emisor}&rr={receptor}"
        f"&tt={root.get('Total', '')}&fe={root.get('Sello', '')[-8:]}"
    )
    png = io.BytesIO()
    segno.make(text, error="m").save(png, kind="png")
    return base64.b64encode(png.getvalue()).decode("ascii")
