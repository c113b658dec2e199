"""InformacionAduanera and Parte of a Concepto, rows CFDI40194 to CFDI40200."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from cfdi.catalogs import clave_prod_serv_exists
from cfdi.validator.comprobante import COMERCIO_EXTERIOR
from cfdi.validator.document import Document, amount, text
from cfdi.validator.limits import around, is_within
from cfdi.validator.rule import rule
from cfdi.xml import CFDI

_PEDIMENTO = f"{{{CFDI}}}InformacionAduanera"


@rule("CFDI40194")
def pedimento(doc: Document) -> Iterator[str]:
    for concepto in doc.conceptos:
        yield from _of_a_year_to_come(doc, concepto)


@rule("CFDI40195")
def no_pedimento_of_an_export(doc: Document) -> Iterator[str]:
    for concepto in doc.conceptos:
        yield from _with_complement(doc, concepto)


@rule("CFDI40196")
def clave_prod_serv(doc: Document) -> Iterator[str]:
    for parte in _partes(doc):
        if not clave_prod_serv_exists(text(parte, "ClaveProdServ")):
            yield doc.path(parte, "ClaveProdServ")


@rule("CFDI40197")
def valor_unitario(doc: Document) -> Iterator[str]:
    for parte in _partes(doc):
        if parte.get("ValorUnitario") is not None and amount(parte, "ValorUnitario") <= 0:
            yield doc.path(parte, "ValorUnitario")


@rule("CFDI40198", unless=("CFDI40197",))
def importe(doc: Document) -> Iterator[str]:
    for parte in _partes(doc):
        if parte.get("ValorUnitario") is None or parte.get("Importe") is None:
            continue
        factors = (around(parte, "Cantidad"), around(parte, "ValorUnitario"))
        if not is_within(parte, "Importe", *factors):
            yield doc.path(parte, "Importe")


@rule("CFDI40199")
def pedimento_of_a_part(doc: Document) -> Iterator[str]:
    for parte in _partes(doc):
        yield from _of_a_year_to_come(doc, parte)


@rule("CFDI40200")
def no_pedimento_of_an_exported_part(doc: Document) -> Iterator[str]:
    for parte in _partes(doc):
        yield from _with_complement(doc, parte)


def _of_a_year_to_come(doc: Document, node: etree._Element) -> Iterator[str]:
    """Of the rules of a pedimento the XSD has the form; the first two digits are its year."""
    for each in node.iterfind(_PEDIMENTO):
        if 2000 + int(each.get("NumeroPedimento", "")[:2]) > doc.fecha.year:
            yield doc.path(each, "NumeroPedimento")


def _with_complement(doc: Document, node: etree._Element) -> Iterator[str]:
    if doc.has_complement(*COMERCIO_EXTERIOR):
        for each in node.iterfind(_PEDIMENTO):
            yield doc.path(each, "NumeroPedimento")


def _partes(doc: Document) -> Iterator[etree._Element]:
    for concepto in doc.conceptos:
        yield from concepto.iterfind(f"{{{CFDI}}}Parte")
