"""Rules of Emisor and Receptor: catalogs, régimen, person and use, and SAT's list of RFCs."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from lxml import etree

from cfdi.catalogs import REGIMEN_FISCAL, USO_CFDI
from cfdi.csd import Certificate, authority
from cfdi.pac.sandbox.register import Register
from cfdi.rfc import GENERIC_FOREIGN, GENERIC_NATIONAL, person
from cfdi.xml import CFDI

_GLOBAL = "PUBLICO EN GENERAL"
_GENERIC = frozenset({GENERIC_NATIONAL, GENERIC_FOREIGN})
_WITHOUT_OBLIGATIONS = "616"


def emisor(root: etree._Element, register: Register, own_root: bytes) -> Iterator[str]:
    node = root.find(f"{{{CFDI}}}Emisor")
    if node is None:
        return
    rfc, nombre = node.get("Rfc", ""), node.get("Nombre", "")
    if nombre != _registered_name(root, rfc, register, own_root):
        yield "CFDI40139" if register.knows_name(nombre) else "CFDI40138"
    regimen = REGIMEN_FISCAL.get(node.get("RegimenFiscal", ""))
    if regimen is None:
        yield "CFDI40140"
    elif not (regimen.fisica if person(rfc) == "fisica" else regimen.moral):
        yield "CFDI40141"


def _registered_name(
    root: etree._Element, rfc: str, register: Register, own_root: bytes
) -> str | None:
    """Our own certificates carry the registered name; SAT's also the régimen de capital."""
    found = Certificate.read(base64.b64decode(root.get("Certificado", "")))
    if authority(found, (own_root,)) == "sandbox":
        return found.nombre
    taxpayer = register.find(rfc)
    # SAT published test certificates of a few taxpayers that no provider's list has.
    return taxpayer.nombre if taxpayer else found.nombre


def receptor(root: etree._Element, register: Register) -> Iterator[str]:
    node = root.find(f"{{{CFDI}}}Receptor")
    if node is None:
        return
    if node.get("Rfc") in _GENERIC:
        yield from _generic(node, root.get("LugarExpedicion", ""))
    else:
        yield from _registered(node, register)
        yield from _regimen(node)
    yield from _uso(node)


def _generic(node: etree._Element, lugar_expedicion: str) -> Iterator[str]:
    if node.get("Nombre") == _GLOBAL and node.get("Rfc") != GENERIC_NATIONAL:
        yield "CFDI40146"
    if node.get("DomicilioFiscalReceptor") != lugar_expedicion:
        yield "CFDI40149"
    yield from _residence(node)
    if node.get("RegimenFiscalReceptor") != _WITHOUT_OBLIGATIONS:
        yield "CFDI40159"


def _registered(node: etree._Element, register: Register) -> Iterator[str]:
    nombre, cp = node.get("Nombre", ""), node.get("DomicilioFiscalReceptor", "")
    if nombre == _GLOBAL:
        yield "CFDI40146"
    taxpayer = register.find(node.get("Rfc", ""))
    if taxpayer is None:
        yield "CFDI40143"
        return
    if nombre != taxpayer.nombre:
        yield "CFDI40145" if register.knows_name(nombre) else "CFDI40144"
    if cp != taxpayer.cp:
        yield "CFDI40148" if register.knows_codigo_postal(cp) else "CFDI40147"
    yield from _residence(node)


def _residence(node: etree._Element) -> Iterator[str]:
    """ResidenciaFiscal and NumRegIdTrib are for the foreign generic RFC, both or none."""
    country, number = node.get("ResidenciaFiscal"), node.get("NumRegIdTrib")
    foreign = node.get("Rfc") == GENERIC_FOREIGN
    if country is not None and not foreign:
        yield "CFDI40151"
    if country == "MEX":
        yield "CFDI40152"
    if foreign and number is not None and country is None:
        yield "CFDI40153"
    if number is not None and not foreign:
        yield "CFDI40154"


def _regimen(node: etree._Element) -> Iterator[str]:
    regimen = REGIMEN_FISCAL.get(node.get("RegimenFiscalReceptor", ""))
    if regimen is None:
        yield "CFDI40157"
    elif not (regimen.fisica if person(node.get("Rfc", "")) == "fisica" else regimen.moral):
        yield "CFDI40158"


def _uso(node: etree._Element) -> Iterator[str]:
    uso = USO_CFDI.get(node.get("UsoCFDI", ""))
    rfc = node.get("Rfc", "")
    if uso is None:
        yield "CFDI40160"
        return
    fits_person = rfc in _GENERIC or (uso.fisica if person(rfc) == "fisica" else uso.moral)
    fits_regimen = node.get("RegimenFiscalReceptor") in uso.regimenes
    foreign_without_effect = rfc != GENERIC_FOREIGN or uso.clave == "S01"
    if not (fits_person and fits_regimen and foreign_without_effect):
        yield "CFDI40161"
