"""Concepto, rows CFDI40162 to CFDI40172 and CFDI140226 to CFDI140228."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lxml import etree

from cfdi.catalogs import (
    CLAVES_CON_IVA,
    OBJETO_IMP,
    clave_prod_serv_exists,
    clave_unidad_exists,
)
from cfdi.validator.document import Document, Line, amount, decimals, text
from cfdi.validator.limits import around, is_within
from cfdi.validator.rule import rule
from cfdi.xml import CFDI

_WITH_AMOUNTS: Final = "IEN"
#: A document of payments has the rows of Pagos 2.0 for its one Concepto.
_BUT_PAYMENTS: Final = "IETN"
_FUELS: Final = frozenset({"15101505", "15101514", "15101515"})
_OF_FUELS: Final = "{http://www.sat.gob.mx/hidrocarburospetroliferos}"
_WITHOUT_TAXES: Final = frozenset({"01", "03", "04", "05"})
_WITHOUT_IVA_AND_IEPS: Final = frozenset({"06", "08"})
_IVA, _IEPS = "002", "003"


@rule("CFDI40162")
def clave_prod_serv(doc: Document) -> Iterator[str]:
    for node in _of_goods(doc):
        if not clave_prod_serv_exists(text(node, "ClaveProdServ")):
            yield doc.path(node, "ClaveProdServ")


@rule("CFDI40164", tipos="IE")
def clave_that_demands_iva(doc: Document) -> Iterator[str]:
    for line in doc.lines:
        if text(line.node, "ClaveProdServ") in CLAVES_CON_IVA and _IVA not in _impuestos(line):
            yield doc.path(line.node, "ClaveProdServ")


@rule("CFDI140228", tipos="IE")
def fuels_with_complement(doc: Document) -> Iterator[str]:
    for node in doc.conceptos:
        if text(node, "ClaveProdServ") in _FUELS and not _has_complement(node, _OF_FUELS):
            yield doc.path(node, "ClaveProdServ")


@rule("CFDI40165")
def clave_unidad(doc: Document) -> Iterator[str]:
    for node in _of_goods(doc):
        if not clave_unidad_exists(text(node, "ClaveUnidad")):
            yield doc.path(node, "ClaveUnidad")


@rule("CFDI40166", tipos=_WITH_AMOUNTS)
def valor_unitario(doc: Document) -> Iterator[str]:
    for node in _of_goods(doc):
        if amount(node, "ValorUnitario") <= 0:
            yield doc.path(node, "ValorUnitario")


@rule("CFDI40167", tipos=_BUT_PAYMENTS, unless=("CFDI40166",))
def importe(doc: Document) -> Iterator[str]:
    for node in doc.conceptos:
        factors = (around(node, "Cantidad"), around(node, "ValorUnitario"))
        if not is_within(node, "Importe", *factors):
            yield doc.path(node, "Importe")


@rule("CFDI40168", tipos=_BUT_PAYMENTS)
def descuento_decimals(doc: Document) -> Iterator[str]:
    for node in doc.conceptos:
        if decimals(node, "Descuento") > decimals(node, "Importe"):
            yield doc.path(node, "Descuento")


@rule("CFDI40169", tipos=_BUT_PAYMENTS)
def descuento(doc: Document) -> Iterator[str]:
    for node in doc.conceptos:
        if amount(node, "Descuento") > amount(node, "Importe"):
            yield doc.path(node, "Descuento")


@rule("CFDI40170")
def objeto_imp(doc: Document) -> Iterator[str]:
    for node in _of_goods(doc):
        if text(node, "ObjetoImp") not in OBJETO_IMP:
            yield doc.path(node, "ObjetoImp")


@rule("CFDI40171", tipos=_BUT_PAYMENTS, unless=("CFDI40164",))
def taxes_are_there(doc: Document) -> Iterator[str]:
    for line in doc.lines:
        if text(line.node, "ObjetoImp") == "02" and not line.has_impuestos:
            yield f"{doc.path(line.node)}/Impuestos"


@rule("CFDI40172", tipos=_BUT_PAYMENTS)
def taxes_are_not_there(doc: Document) -> Iterator[str]:
    for line in doc.lines:
        if text(line.node, "ObjetoImp") in _WITHOUT_TAXES and line.has_impuestos:
            yield f"{doc.path(line.node)}/Impuestos"


@rule("CFDI140226", tipos=_BUT_PAYMENTS)
def neither_iva_nor_ieps(doc: Document) -> Iterator[str]:
    for line in doc.lines:
        of_isr_alone = text(line.node, "ObjetoImp") in _WITHOUT_IVA_AND_IEPS
        if of_isr_alone and {_IVA, _IEPS} & _impuestos(line):
            yield doc.path(line.node, "ObjetoImp")


@rule("CFDI140227", tipos=_BUT_PAYMENTS)
def ieps_without_iva(doc: Document) -> Iterator[str]:
    for line in doc.lines:
        if text(line.node, "ObjetoImp") != "07":
            continue
        transferred = {text(tax, "Impuesto") for tax in line.traslados}
        if _IVA in _impuestos(line) or _IEPS not in transferred:
            yield doc.path(line.node, "ObjetoImp")


def _of_goods(doc: Document) -> tuple[etree._Element, ...]:
    """None where payments are documented: what their one Concepto is, Pagos 2.0 says."""
    return () if doc.pagos else doc.conceptos


def _impuestos(line: Line) -> set[str]:
    return {text(tax, "Impuesto") for tax in (*line.traslados, *line.retenciones)}


def _has_complement(node: etree._Element, space: str) -> bool:
    holder = node.find(f"{{{CFDI}}}ComplementoConcepto")
    return holder is not None and any(str(child.tag).startswith(space) for child in holder)
