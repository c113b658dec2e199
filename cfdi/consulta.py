"""Where anyone can check a document at the SAT: the address that its QR code holds."""

from __future__ import annotations

from decimal import Decimal

from lxml import etree

from cfdi.xml import CFDI, TFD, parse

NAMESPACES = {"cfdi": CFDI, "tfd": TFD}
_PAGE = "https://verificacfdi.facturaelectronica.sat.gob.mx/default.aspx"


def verification_url(stamped: bytes) -> str:
    """The SAT's page for this document. Raises `XmlRefused`, or ValueError if it is not stamped."""
    return url_of(parse(stamped))


def url_of(root: etree._Element) -> str:
    """As `verification_url`, of a parsed document.

    Anexo 20 §I.D: id, re, rr, tt (no insignificant zeros, at least one decimal) and fe, the last 8
    characters of the seal as they are. It does not say how the & of an RFC is written; %26 is what
    a browser understands.
    """
    issuer = root.find("cfdi:Emisor", NAMESPACES)
    receiver = root.find("cfdi:Receptor", NAMESPACES)
    if issuer is None or receiver is None:
        raise ValueError("the document has no Emisor or no Receptor")
    uuid = timbre_of(root).get("UUID", "")
    issuer_rfc, receiver_rfc = (
        party.get("Rfc", "").replace("&", "%26") for party in (issuer, receiver)
    )
    total, seal = _shortest(root.get("Total", "0")), root.get("Sello", "")[-8:]
    return f"{_PAGE}?id={uuid}&re={issuer_rfc}&rr={receiver_rfc}&tt={total}&fe={seal}"


def timbre_of(root: etree._Element) -> etree._Element:
    """The TFD. Raises ValueError if the document was not stamped."""
    tfd = root.find("cfdi:Complemento/tfd:TimbreFiscalDigital", NAMESPACES)
    if tfd is None:
        raise ValueError("the document has no TimbreFiscalDigital: it is not stamped")
    return tfd


def _shortest(total: str) -> str:
    entero, _, decimals = format(Decimal(total), "f").partition(".")
    return f"{entero}.{decimals.rstrip('0') or '0'}"
