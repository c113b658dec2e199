"""Pagos 2.0, rows CRP20101 to CRP20123: what a document of payments is besides its payments.

A document of another type with payments in it breaks CRP20101 alone: what else it is then is no
mistake of its own. Source: SAT's matrix for "Recepción de pagos 2.0", revision B,
http://omawww.sat.gob.mx/tramitesyservicios/Paginas/recepcion_de_pagos.htm
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

from lxml import etree

from cfdi.validator.document import Document, amount, path_of, text
from cfdi.validator.rule import rule
from cfdi.xml import CFDI

#: Attributes that must not be there: of the document, of its Concepto.
_ABSENT: Final = {
    "CRP20105": "FormaPago",
    "CRP20106": "MetodoPago",
    "CRP20107": "CondicionesDePago",
    "CRP20108": "Descuento",
    "CRP20109": "TipoCambio",
}
_ABSENT_IN_CONCEPTO: Final = {
    "CRP20114": "NoIdentificacion",
    "CRP20117": "Unidad",
    "CRP20121": "Descuento",
}
#: What must stand there: words letter by letter, numbers with whatever decimals.
_FIXED: Final[dict[str, tuple[str, str | Decimal]]] = {
    "CRP20102": ("Exportacion", "01"),
    "CRP20103": ("SubTotal", Decimal(0)),
    "CRP20104": ("Moneda", "XXX"),
    "CRP20110": ("Total", Decimal(0)),
}
_FIXED_IN_CONCEPTO: Final[dict[str, tuple[str, str | Decimal]]] = {
    "CRP20113": ("ClaveProdServ", "84111506"),
    "CRP20115": ("Cantidad", Decimal(1)),
    "CRP20116": ("ClaveUnidad", "ACT"),
    "CRP20118": ("Descripcion", "Pago"),
    "CRP20119": ("ValorUnitario", Decimal(0)),
    "CRP20120": ("Importe", Decimal(0)),
    "CRP20122": ("ObjetoImp", "01"),
}
_CHILD_ALLOWED: Final = f"{{{CFDI}}}ACuentaTerceros"


@rule("CRP20101", unless=("CFDI40121",))
def of_type_p(doc: Document) -> Iterator[str]:
    if doc.pagos and doc.tipo != "P":
        yield path_of(doc.root, "TipoDeComprobante")


@rule("pagos_missing", tipos="P")
def some_payments(doc: Document) -> Iterator[str]:
    """SAT has no row for it: the XSD lets a document of type P be without."""
    if not doc.pagos:
        yield path_of(doc.root)


@rule("CRP20111", tipos="P")
def one_concepto(doc: Document) -> Iterator[str]:
    if doc.pagos and len(doc.conceptos) > 1:
        yield path_of(doc.conceptos[1])


@rule("CRP20112", tipos="P")
def nothing_in_concepto(doc: Document) -> Iterator[str]:
    for concepto in _concepto(doc):
        for child in concepto.iterchildren(etree.Element):
            if child.tag != _CHILD_ALLOWED:
                yield path_of(child)


@rule("CRP20123", tipos="P")
def no_impuestos(doc: Document) -> Iterator[str]:
    if doc.pagos and doc.impuestos is not None:
        yield path_of(doc.impuestos)


def _root(doc: Document) -> list[etree._Element]:
    return [doc.root] if doc.pagos else []


def _concepto(doc: Document) -> list[etree._Element]:
    """The first: of more than one CRP20111 tells."""
    return list(doc.conceptos[:1]) if doc.pagos else []


def _must_be_absent(
    code: str, nodes: Callable[[Document], list[etree._Element]], name: str
) -> None:
    @rule(code, tipos="P")
    def absent(doc: Document) -> Iterator[str]:
        for node in nodes(doc):
            if node.get(name) is not None:
                yield path_of(node, name)


def _must_be(
    code: str, nodes: Callable[[Document], list[etree._Element]], name: str, fixed: str | Decimal
) -> None:
    @rule(code, tipos="P")
    def as_fixed(doc: Document) -> Iterator[str]:
        for node in nodes(doc):
            found = amount(node, name) if isinstance(fixed, Decimal) else text(node, name)
            if found != fixed:
                yield path_of(node, name)


for _code, _name in _ABSENT.items():
    _must_be_absent(_code, _root, _name)
for _code, _name in _ABSENT_IN_CONCEPTO.items():
    _must_be_absent(_code, _concepto, _name)
for _code, (_name, _fixed) in _FIXED.items():
    _must_be(_code, _root, _name, _fixed)
for _code, (_name, _fixed) in _FIXED_IN_CONCEPTO.items():
    _must_be(_code, _concepto, _name, _fixed)
