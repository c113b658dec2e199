"""Rules of the head of the document: when it was made, with which certificate, in which terms."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from lxml import etree

from cfdi.cadena import cadena_original
from cfdi.catalogs import CodigoPostalUnknown, zone
from cfdi.csd import Certificate, CsdRefused, authority
from cfdi.rfc import GENERIC_NATIONAL
from cfdi.seal import signed
from cfdi.xml import CFDI

#: RMF 2.7.1.9: a document is stamped within 72 hours of its Fecha.
OLDEST = timedelta(hours=72)
#: Clocks differ; providers allow this much.
AHEAD = timedelta(minutes=5)
_FIRST_CFDI = datetime(2012, 1, 1)  # noqa: DTZ001 - local time, as in Fecha
_ACCEPTED_AUTHORITIES = frozenset({"sandbox", "sat-test"})
_GLOBAL = "PUBLICO EN GENERAL"


def fecha(root: etree._Element, now: datetime) -> Iterator[str]:
    """`now` is aware; Fecha is local time at LugarExpedicion."""
    local = datetime.fromisoformat(root.get("Fecha", ""))
    if local <= _FIRST_CFDI:
        yield "403"
    try:
        instant = local.replace(tzinfo=zone(root.get("LugarExpedicion", "")))
    except CodigoPostalUnknown:
        yield "CFDI40126"
        return
    if not now - OLDEST <= instant.astimezone(UTC) <= now + AHEAD:
        yield "401"


def certificate(root: etree._Element, own_root: bytes) -> Iterator[str]:
    """The certificate inside and the seal made with it."""
    try:
        found = Certificate.read(base64.b64decode(root.get("Certificado", ""), validate=True))
    except (CsdRefused, ValueError, binascii.Error):
        yield "CFDI40106"
        return
    if authority(found, (own_root,)) not in _ACCEPTED_AUTHORITIES:
        yield "308"
    if found.is_fiel:
        yield "306"
    if found.no_certificado != root.get("NoCertificado"):
        yield "CFDI40106"
    if found.rfc != _emisor(root).get("Rfc"):
        yield "303"
    if not found.not_before <= _instant(root) <= found.not_after:
        yield "305"
    if not signed(found, root.get("Sello", ""), cadena_original(root)):
        yield "CFDI40102"


def terms(root: etree._Element) -> Iterator[str]:
    """FormaPago, MetodoPago, TipoCambio, Exportacion and the global invoice's node."""
    if root.get("MetodoPago") == "PPD" and root.get("FormaPago") != "99":
        yield "CFDI40105"
    yield from _tipo_cambio(root.get("Moneda"), root.get("TipoCambio"))
    if root.get("Exportacion") == "02":
        yield "CFDI40122"
    receptor = root.find(f"{{{CFDI}}}Receptor")
    if receptor is None or root.get("TipoDeComprobante") != "I":
        return
    to_everybody = (receptor.get("Rfc"), receptor.get("Nombre")) == (GENERIC_NATIONAL, _GLOBAL)
    if to_everybody and root.find(f"{{{CFDI}}}InformacionGlobal") is None:
        yield "CFDI40130"


def _tipo_cambio(moneda: str | None, tipo_cambio: str | None) -> Iterator[str]:
    if moneda == "MXN" and tipo_cambio not in {None, "1"}:
        yield "CFDI40114"
    if moneda not in {"MXN", "XXX"} and tipo_cambio is None:
        yield "CFDI40115"
    if moneda == "XXX" and tipo_cambio is not None:
        yield "CFDI40116"


def _instant(root: etree._Element) -> datetime:
    local = datetime.fromisoformat(root.get("Fecha", ""))
    return local.replace(tzinfo=zone(root.get("LugarExpedicion", ""))).astimezone(UTC)


def _emisor(root: etree._Element) -> etree._Element:
    found = root.find(f"{{{CFDI}}}Emisor")
    if found is None:  # the XSD was asked first
        raise ValueError("a document without Emisor")
    return found
