"""InformacionGlobal, rows CFDI40130 to CFDI40136."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lxml import etree

from cfdi.catalogs import MESES, PERIODICIDAD
from cfdi.rfc import GENERIC_NATIONAL
from cfdi.validator.document import Document, amount, text
from cfdi.validator.persona import PUBLICO_EN_GENERAL
from cfdi.validator.rule import rule
from cfdi.xml import CFDI

_NODE: Final = "InformacionGlobal"
_BIMONTHLY: Final = "05"
_OF_TWO_MONTHS: Final = frozenset({"13", "14", "15", "16", "17", "18"})
#: The matrix of 25-03-2026 says five; the guide for global invoices of 2023 still says one.
_YEARS_BACK: Final = 5


@rule("CFDI40130", tipos="I")
def to_everybody(doc: Document) -> Iterator[str]:
    named = (text(doc.receptor, "Rfc"), text(doc.receptor, "Nombre"))
    if named == (GENERIC_NATIONAL, PUBLICO_EN_GENERAL) and doc.child(_NODE) is None:
        yield f"{doc.path(doc.root)}/{_NODE}"


@rule("CFDI40131")
def periodicidad(doc: Document) -> Iterator[str]:
    for node in _nodes(doc):
        if text(node, "Periodicidad") not in PERIODICIDAD:
            yield doc.path(node, "Periodicidad")


@rule("CFDI40132")
def bimonthly_regimen(doc: Document) -> Iterator[str]:
    for node in _nodes(doc):
        if text(node, "Periodicidad") == _BIMONTHLY and text(doc.emisor, "RegimenFiscal") != "621":
            yield doc.path(node, "Periodicidad")


@rule("CFDI40133")
def meses(doc: Document) -> Iterator[str]:
    for node in _nodes(doc):
        if text(node, "Meses") not in MESES:
            yield doc.path(node, "Meses")


@rule("CFDI40134", unless=("CFDI40131", "CFDI40133"))
def one_month(doc: Document) -> Iterator[str]:
    for node in _nodes(doc):
        if text(node, "Periodicidad") != _BIMONTHLY and text(node, "Meses") in _OF_TWO_MONTHS:
            yield doc.path(node, "Meses")


@rule("CFDI40135", unless=("CFDI40133",))
def two_months(doc: Document) -> Iterator[str]:
    for node in _nodes(doc):
        if text(node, "Periodicidad") == _BIMONTHLY and text(node, "Meses") not in _OF_TWO_MONTHS:
            yield doc.path(node, "Meses")


@rule("CFDI40136")
def anio(doc: Document) -> Iterator[str]:
    # The year in course is that of Fecha: a document does not become invalid at New Year.
    for node in _nodes(doc):
        if not doc.fecha.year - _YEARS_BACK <= amount(node, "Año") <= doc.fecha.year:
            yield doc.path(node, "Año")


def _nodes(doc: Document) -> Iterator[etree._Element]:
    """None or one."""
    return doc.root.iterfind(f"{{{CFDI}}}{_NODE}")
