"""The two seals of a stamped document: the issuer's and SAT's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from lxml import etree

from cfdi import seal
from cfdi.cadena import cadena_timbre
from cfdi.csd import Certificate, CsdRefused
from cfdi.xml import COMPLEMENTO, COMPROBANTE, TIMBRE, XmlRefused, parse
from cfdi.xml.cursor import DocumentUnreadable

_NONE: Mapping[str, bytes] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Verification:
    """`issuer`: Sello is of this document, by the certificate inside, which is the issuer's.

    `stamped`: there is one TFD and its SelloCFD is the document's Sello. `sat`: SelloSAT is of that
    TFD, by SAT's certificate of that number; None if it is not known or there is no TFD.
    """

    issuer: bool
    stamped: bool
    sat: bool | None


def verify(xml: bytes, *, sat_certificates: Mapping[str, bytes] = _NONE) -> Verification:
    """Whether both seals hold. Raises `DocumentUnreadable` for what is no CFDI 4.0.

    `sat_certificates` are those of SAT's seal (DER or PEM) by number; SAT publishes them at
    https://rdc.sat.gob.mx/rccf/. Who issued the certificates and until when is not looked at.
    """
    try:
        root = parse(xml)
    except XmlRefused as refused:
        raise DocumentUnreadable("xml", str(refused)) from None
    if root.tag != COMPROBANTE:
        raise DocumentUnreadable("not_cfdi", "not a CFDI 4.0: its root is not cfdi:Comprobante")
    stamps = root.findall(f"{COMPLEMENTO}/{TIMBRE}")
    stamped = len(stamps) == 1 and stamps[0].get("SelloCFD", "-") == root.get("Sello")
    sat = _sat(stamps[0], sat_certificates) if len(stamps) == 1 else None
    return Verification(_issuer(root), stamped, sat)


def _issuer(root: etree._Element) -> bool:
    emisor = root.find("cfdi:Emisor", {"cfdi": etree.QName(COMPROBANTE).namespace or ""})
    if emisor is None or not seal.verify(root):
        return False
    return seal.certificate_of(root).rfc == emisor.get("Rfc")


def _sat(tfd: etree._Element, certificates: Mapping[str, bytes]) -> bool | None:
    known = certificates.get(tfd.get("NoCertificadoSAT", ""))
    if known is None:
        return None
    try:
        certificate = Certificate.read(known)
    except CsdRefused:
        return None
    return seal.signed(certificate, tfd.get("SelloSAT", ""), cadena_timbre(tfd))
