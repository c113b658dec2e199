"""Taxes of a Concepto, rows CFDI40173 to CFDI40186.

A Base that is not above zero (CFDI40174, CFDI40181) is refused by the XSD already.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lxml import etree

from cfdi.catalogs import tasa_exists
from cfdi.comprobante import Impuesto, TipoFactor
from cfdi.validator.document import Document, amount, decimals, text
from cfdi.validator.limits import around, exactly, is_within
from cfdi.validator.rule import rule

EXENTO: Final = TipoFactor.EXENTO.value
IMPUESTOS: Final = frozenset(impuesto.value for impuesto in Impuesto)
_FACTORES: Final = frozenset(factor.value for factor in TipoFactor)
#: "En el XML siempre con seis decimales": c_TasaOCuota writes them so.
_RATE_DECIMALS: Final = 6


@rule("CFDI40173")
def some_tax(doc: Document) -> Iterator[str]:
    for line in doc.lines:
        if line.has_impuestos and not (line.traslados or line.retenciones):
            yield f"{doc.path(line.node)}/Impuestos"


@rule("CFDI40175")
def impuesto_transferred(doc: Document) -> Iterator[str]:
    for tax in _traslados(doc):
        if text(tax, "Impuesto") not in IMPUESTOS:
            yield doc.path(tax, "Impuesto")


@rule("CFDI40176")
def factor_transferred(doc: Document) -> Iterator[str]:
    for tax in _traslados(doc):
        if text(tax, "TipoFactor") not in _FACTORES:
            yield doc.path(tax, "TipoFactor")


@rule("CFDI40177")
def exempt_without_rate(doc: Document) -> Iterator[str]:
    for tax in _traslados(doc):
        if text(tax, "TipoFactor") == EXENTO:
            for name in ("TasaOCuota", "Importe"):
                if tax.get(name) is not None:
                    yield doc.path(tax, name)


@rule("CFDI40178", unless=("CFDI40176",))
def charged_with_rate(doc: Document) -> Iterator[str]:
    for tax in _traslados(doc):
        if text(tax, "TipoFactor") != EXENTO:
            for name in ("TasaOCuota", "Importe"):
                if tax.get(name) is None:
                    yield doc.path(tax, name)


@rule("CFDI40179", unless=("CFDI40175", "CFDI40176", "CFDI40177", "CFDI40178"))
def rate_transferred(doc: Document) -> Iterator[str]:
    for tax in _traslados(doc):
        if not rate_is_known(tax, traslado=True):
            yield doc.path(tax, "TasaOCuota")


@rule("CFDI40180", unless=("CFDI40176", "CFDI40177", "CFDI40178"))
def importe_transferred(doc: Document) -> Iterator[str]:
    for tax in _traslados(doc):
        if text(tax, "TipoFactor") != EXENTO and not _importe_is_within(tax):
            yield doc.path(tax, "Importe")


@rule("CFDI40182")
def impuesto_withheld(doc: Document) -> Iterator[str]:
    for tax in _retenciones(doc):
        if text(tax, "Impuesto") not in IMPUESTOS:
            yield doc.path(tax, "Impuesto")


@rule("CFDI40183")
def factor_withheld(doc: Document) -> Iterator[str]:
    for tax in _retenciones(doc):
        if text(tax, "TipoFactor") not in _FACTORES:
            yield doc.path(tax, "TipoFactor")


@rule("CFDI40184")
def not_exempt_withheld(doc: Document) -> Iterator[str]:
    for tax in _retenciones(doc):
        if text(tax, "TipoFactor") == EXENTO:
            yield doc.path(tax, "TipoFactor")


@rule("CFDI40185", unless=("CFDI40182", "CFDI40183", "CFDI40184"))
def rate_withheld(doc: Document) -> Iterator[str]:
    for tax in _retenciones(doc):
        if not rate_is_known(tax, traslado=False):
            yield doc.path(tax, "TasaOCuota")


@rule("CFDI40186")
def importe_withheld(doc: Document) -> Iterator[str]:
    for tax in _retenciones(doc):
        if not _importe_is_within(tax):
            yield doc.path(tax, "Importe")


def rate_is_known(tax: etree._Element, *, traslado: bool) -> bool:
    """Whether c_TasaOCuota has it for this Impuesto and TipoFactor."""
    has_rate = tax.get("TasaOCuota") is not None
    if has_rate and decimals(tax, "TasaOCuota") != _RATE_DECIMALS:
        return False
    rate = amount(tax, "TasaOCuota") if has_rate else None
    return tasa_exists(text(tax, "Impuesto"), text(tax, "TipoFactor"), rate, traslado=traslado)


def _importe_is_within(tax: etree._Element) -> bool:
    return is_within(tax, "Importe", around(tax, "Base"), exactly(tax, "TasaOCuota"))


def _traslados(doc: Document) -> Iterator[etree._Element]:
    for line in doc.lines:
        yield from line.traslados


def _retenciones(doc: Document) -> Iterator[etree._Element]:
    for line in doc.lines:
        yield from line.retenciones
