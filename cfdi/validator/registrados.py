"""What only SAT's lists can tell of issuer, receiver and third parties: l_RFC and LCO.

An answer that the register does not have breaks nothing. Generic RFCs are nobody's.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from lxml import etree

from cfdi.rfc import GENERIC_FOREIGN, GENERIC_NATIONAL
from cfdi.validator.document import Document, amount, path_of, text
from cfdi.validator.register import UNKNOWN, Taxpayer
from cfdi.validator.rule import Needs, rule
from cfdi.xml import CFDI

#: Platforms sell on account of foreigners under it.
FOREIGN_PRINCIPAL: Final = "EXT990101NI1"
_GENERIC: Final = frozenset({GENERIC_NATIONAL, GENERIC_FOREIGN})
_ISR: Final = "001"
_RESICO: Final = "626"
_RESICO_RATE: Final = Decimal("0.0125")


def taxpayer(doc: Document, rfc: str, *, nombre: str = "", cp: str = "") -> Taxpayer:
    if doc.register is None or rfc in _GENERIC:
        return UNKNOWN
    return doc.register.taxpayer(rfc, nombre=nombre, cp=cp)


@rule("402", needs=Needs.REGISTER)
def issuer_in_lco(doc: Document) -> Iterator[str]:
    if _emisor(doc).in_lco is False or _emisor(doc).known is False:
        yield path_of(doc.emisor, "Rfc")


@rule("CFDI40138", needs=Needs.REGISTER, unless=("402",))
def issuers_name_exists(doc: Document) -> Iterator[str]:
    found = _emisor(doc)
    if found.nombre_matches is False and found.nombre_exists is False:
        yield path_of(doc.emisor, "Nombre")


@rule("CFDI40139", needs=Needs.REGISTER, unless=("402",))
def issuers_name_is_his(doc: Document) -> Iterator[str]:
    found = _emisor(doc)
    if found.nombre_matches is False and found.nombre_exists is not False:
        yield path_of(doc.emisor, "Nombre")


@rule("CFDI40143", needs=Needs.REGISTER)
def receiver_is_registered(doc: Document) -> Iterator[str]:
    if _receptor(doc).known is False:
        yield path_of(doc.receptor, "Rfc")


@rule("CFDI40144", needs=Needs.REGISTER, unless=("CFDI40143", "CFDI40146"))
def receivers_name_exists(doc: Document) -> Iterator[str]:
    found = _receptor(doc)
    if found.nombre_matches is False and found.nombre_exists is False:
        yield path_of(doc.receptor, "Nombre")


@rule("CFDI40145", needs=Needs.REGISTER, unless=("CFDI40143", "CFDI40146"))
def receivers_name_is_his(doc: Document) -> Iterator[str]:
    found = _receptor(doc)
    if found.nombre_matches is False and found.nombre_exists is not False:
        yield path_of(doc.receptor, "Nombre")


@rule("CFDI40147", needs=Needs.REGISTER, unless=("CFDI40143",))
def receivers_postal_code_exists(doc: Document) -> Iterator[str]:
    found = _receptor(doc)
    if found.cp_matches is False and found.cp_exists is False:
        yield path_of(doc.receptor, "DomicilioFiscalReceptor")


@rule("CFDI40148", needs=Needs.REGISTER, unless=("CFDI40143",))
def receivers_postal_code_is_his(doc: Document) -> Iterator[str]:
    found = _receptor(doc)
    if found.cp_matches is False and found.cp_exists is not False:
        yield path_of(doc.receptor, "DomicilioFiscalReceptor")


@rule("CFDI40187", needs=Needs.REGISTER)
def third_party_in_lco(doc: Document) -> Iterator[str]:
    for node, found in _third_parties(doc):
        if found.in_lco is False or found.known is False:
            yield path_of(node, "RfcACuentaTerceros")


@rule("CFDI40189", needs=Needs.REGISTER, unless=("CFDI40187",))
def third_partys_name_exists(doc: Document) -> Iterator[str]:
    for node, found in _third_parties(doc):
        if found.nombre_matches is False and found.nombre_exists is False:
            yield path_of(node, "NombreACuentaTerceros")


@rule("CFDI40190", needs=Needs.REGISTER, unless=("CFDI40187",))
def third_partys_name_is_his(doc: Document) -> Iterator[str]:
    for node, found in _third_parties(doc):
        if found.nombre_matches is False and found.nombre_exists is not False:
            yield path_of(node, "NombreACuentaTerceros")


@rule("CFDI40192", needs=Needs.REGISTER, unless=("CFDI40187",))
def third_partys_postal_code_exists(doc: Document) -> Iterator[str]:
    for node, found in _third_parties(doc):
        if found.cp_matches is False and found.cp_exists is False:
            yield path_of(node, "DomicilioFiscalACuentaTerceros")


@rule("CFDI40193", needs=Needs.REGISTER, unless=("CFDI40187",))
def third_partys_postal_code_is_his(doc: Document) -> Iterator[str]:
    for node, found in _third_parties(doc):
        if found.cp_matches is False and found.cp_exists is not False:
            yield path_of(node, "DomicilioFiscalACuentaTerceros")


@rule("CFDI140224", needs=Needs.REGISTER, tipos="IE")
def no_isr_is_withheld(doc: Document) -> Iterator[str]:
    if _resico_sells_to_company(doc) and _emisor(doc).retencion == "1":
        for line in doc.lines:
            for tax in line.retenciones:
                if text(tax, "Impuesto") == _ISR:
                    yield path_of(tax, "Impuesto")


@rule("CFDI140225", needs=Needs.REGISTER, tipos="IE")
def isr_is_withheld(doc: Document) -> Iterator[str]:
    if _resico_sells_to_company(doc) and _emisor(doc).retencion == "2":
        for line in doc.lines:
            rates = {
                amount(t, "TasaOCuota") for t in line.retenciones if text(t, "Impuesto") == _ISR
            }
            if _RESICO_RATE not in rates:
                yield path_of(line.node)


def _emisor(doc: Document) -> Taxpayer:
    return taxpayer(doc, text(doc.emisor, "Rfc"), nombre=text(doc.emisor, "Nombre"))


def _receptor(doc: Document) -> Taxpayer:
    node = doc.receptor
    cp = text(node, "DomicilioFiscalReceptor")
    return taxpayer(doc, text(node, "Rfc"), nombre=text(node, "Nombre"), cp=cp)


def _third_parties(doc: Document) -> Iterator[tuple[etree._Element, Taxpayer]]:
    for node in doc.root.iter(f"{{{CFDI}}}ACuentaTerceros"):
        rfc = text(node, "RfcACuentaTerceros")
        if rfc != FOREIGN_PRINCIPAL:
            nombre = text(node, "NombreACuentaTerceros")
            cp = text(node, "DomicilioFiscalACuentaTerceros")
            yield node, taxpayer(doc, rfc, nombre=nombre, cp=cp)


def _resico_sells_to_company(doc: Document) -> bool:
    """A person of régimen 626 to a company: RESICO's withholding of 1.25 % (LISR 113-J)."""
    return (
        text(doc.emisor, "RegimenFiscal") == _RESICO
        and len(text(doc.emisor, "Rfc")) == 13
        and len(text(doc.receptor, "Rfc")) == 12
    )
