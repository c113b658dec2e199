"""ACuentaTerceros, rows CFDI40187 to CFDI40193 and CFDI140223, without SAT's lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lxml import etree

from cfdi.catalogs import REGIMEN_FISCAL
from cfdi.validator.document import Document, text
from cfdi.validator.rule import rule
from cfdi.xml import CFDI

#: Stands for whoever sells from abroad through a platform in Mexico.
FOREIGN_SELLER: Final = "EXT990101NI1"
_NAME_OF_FOREIGN_SELLER: Final = (
    "EXPEDICIÓN DE CFDI POR RESIDENTES EN MÉXICO QUE PRESTAN SERVICIOS DE INTERMEDIACIÓN ENTRE "
    "TERCEROS A OFERENTES DE BIENES Y SERVICIOS RESIDENTES EN EL EXTRANJERO"
)


@rule("CFDI40188")
def somebody_else(doc: Document) -> Iterator[str]:
    parties = {text(doc.emisor, "Rfc"), text(doc.receptor, "Rfc")}
    for node in terceros(doc):
        if text(node, "RfcACuentaTerceros") in parties:
            yield doc.path(node, "RfcACuentaTerceros")


@rule("CFDI40189")
def nombre_of_foreign_seller(doc: Document) -> Iterator[str]:
    for node in _foreign(doc):
        if text(node, "NombreACuentaTerceros") != _NAME_OF_FOREIGN_SELLER:
            yield doc.path(node, "NombreACuentaTerceros")


@rule("CFDI40191")
def regimen(doc: Document) -> Iterator[str]:
    for node in terceros(doc):
        if text(node, "RegimenFiscalACuentaTerceros") not in REGIMEN_FISCAL:
            yield doc.path(node, "RegimenFiscalACuentaTerceros")


@rule("CFDI140223", unless=("CFDI40191",))
def regimen_of_foreign_seller(doc: Document) -> Iterator[str]:
    for node in _foreign(doc):
        if text(node, "RegimenFiscalACuentaTerceros") != "616":
            yield doc.path(node, "RegimenFiscalACuentaTerceros")


@rule("CFDI40193")
def domicilio_of_foreign_seller(doc: Document) -> Iterator[str]:
    for node in _foreign(doc):
        if text(node, "DomicilioFiscalACuentaTerceros") != text(doc.root, "LugarExpedicion"):
            yield doc.path(node, "DomicilioFiscalACuentaTerceros")


def terceros(doc: Document) -> Iterator[etree._Element]:
    for concepto in doc.conceptos:
        yield from concepto.iterfind(f"{{{CFDI}}}ACuentaTerceros")


def _foreign(doc: Document) -> Iterator[etree._Element]:
    return (each for each in terceros(doc) if text(each, "RfcACuentaTerceros") == FOREIGN_SELLER)
