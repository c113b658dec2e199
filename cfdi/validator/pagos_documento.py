"""Pagos 2.0, rows CRP20236 to CRP20261, 20278 and 20279: each document that a payment pays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lxml import etree

from cfdi.amounts.limits import tax_limits
from cfdi.catalogs import OBJETO_IMP, tasa_exists
from cfdi.validator.document import Document, amount, decimals, path_of, text
from cfdi.validator.pagos_nodes import (
    IEPS,
    IMPUESTOS,
    IVA,
    TIPOS_FACTOR,
    all_documents,
    decimals_of,
    tag,
    taxes_of,
    taxes_of_documents,
)
from cfdi.validator.rule import rule

_WITH_TAXES: Final = "02"
_WITHOUT_TAXES: Final = frozenset({"01", "03", "04", "05"})
_WITHOUT_IVA_NOR_IEPS: Final = frozenset({"06", "08"})
_ONLY_IEPS: Final = "07"
_EXENTO: Final = "Exento"


@rule("CRP20236")
def a_real_currency(doc: Document) -> Iterator[str]:
    for _, docto in all_documents(doc):
        if text(docto, "MonedaDR") == "XXX":
            yield path_of(docto, "MonedaDR")


@rule("CRP20237")
def rate_between_currencies(doc: Document) -> Iterator[str]:
    for pago, docto in all_documents(doc):
        other = text(docto, "MonedaDR") not in {text(pago, "MonedaP"), "XXX"}
        if other and docto.get("EquivalenciaDR") is None:
            yield path_of(docto, "EquivalenciaDR")


@rule("CRP20238")
def one_in_the_same_currency(doc: Document) -> Iterator[str]:
    for pago, docto in all_documents(doc):
        same = text(docto, "MonedaDR") == text(pago, "MonedaP")
        if same and text(docto, "EquivalenciaDR") != "1":
            yield path_of(docto, "EquivalenciaDR")


def _positive(code: str, name: str) -> None:
    @rule(code)
    def above_zero(doc: Document) -> Iterator[str]:
        for _, docto in all_documents(doc):
            if amount(docto, name) <= 0:
                yield path_of(docto, name)


def _decimals(code: str, name: str) -> None:
    @rule(code, unless=("CRP20236",))
    def as_fine_as_the_currency(doc: Document) -> Iterator[str]:
        for _, docto in all_documents(doc):
            if decimals(docto, name) > decimals_of(text(docto, "MonedaDR")):
                yield path_of(docto, name)


_positive("CRP20239", "ImpSaldoAnt")
_positive("CRP20241", "ImpPagado")
_decimals("CRP20240", "ImpSaldoAnt")
_decimals("CRP20242", "ImpPagado")
_decimals("CRP20243", "ImpSaldoInsoluto")


@rule("CRP20244", unless=("CRP20239",))
def balance(doc: Document) -> Iterator[str]:
    for _, docto in all_documents(doc):
        left = amount(docto, "ImpSaldoAnt") - amount(docto, "ImpPagado")
        if left < 0 or amount(docto, "ImpSaldoInsoluto") != left:
            yield path_of(docto, "ImpSaldoInsoluto")


@rule("CRP20245")
def objeto_of_the_catalog(doc: Document) -> Iterator[str]:
    for _, docto in all_documents(doc):
        if text(docto, "ObjetoImpDR") not in OBJETO_IMP:
            yield path_of(docto, "ObjetoImpDR")


@rule("CRP20246")
def taxed_with_taxes(doc: Document) -> Iterator[str]:
    for _, docto in all_documents(doc):
        if text(docto, "ObjetoImpDR") == _WITH_TAXES and _impuestos(docto) is None:
            yield path_of(docto, "ObjetoImpDR")


@rule("CRP20247")
def untaxed_without_taxes(doc: Document) -> Iterator[str]:
    for _, docto in all_documents(doc):
        if text(docto, "ObjetoImpDR") in _WITHOUT_TAXES and _impuestos(docto) is not None:
            yield path_of(docto, "ObjetoImpDR")


@rule("CRP20248")
def some_tax(doc: Document) -> Iterator[str]:
    for _, docto in all_documents(doc):
        node = _impuestos(docto)
        if node is not None and next(node.iterchildren(etree.Element), None) is None:
            yield path_of(node)


@rule("CRP20278")
def neither_iva_nor_ieps(doc: Document) -> Iterator[str]:
    for _, docto in all_documents(doc):
        found = {*_kinds(docto, "Traslado"), *_kinds(docto, "Retencion")}
        if text(docto, "ObjetoImpDR") in _WITHOUT_IVA_NOR_IEPS and found & {IVA, IEPS}:
            yield path_of(docto, "ObjetoImpDR")


@rule("CRP20279")
def ieps_without_iva(doc: Document) -> Iterator[str]:
    for _, docto in all_documents(doc):
        charged, withheld = _kinds(docto, "Traslado"), _kinds(docto, "Retencion")
        broken = IVA in charged | withheld or IEPS not in charged
        if text(docto, "ObjetoImpDR") == _ONLY_IEPS and broken:
            yield path_of(docto, "ObjetoImpDR")


def _in_catalog(code: str, kind: str, name: str, catalog: frozenset[str]) -> None:
    @rule(code)
    def in_catalog(doc: Document) -> Iterator[str]:
        for tax in taxes_of_documents(doc, kind):
            if text(tax, name) not in catalog:
                yield path_of(tax, name)


_in_catalog("CRP20250", "Retencion", "ImpuestoDR", IMPUESTOS)
_in_catalog("CRP20251", "Retencion", "TipoFactorDR", TIPOS_FACTOR)
_in_catalog("CRP20256", "Traslado", "ImpuestoDR", IMPUESTOS)
_in_catalog("CRP20257", "Traslado", "TipoFactorDR", TIPOS_FACTOR)


@rule("CRP20252")
def never_exempt_from_withholding(doc: Document) -> Iterator[str]:
    for tax in taxes_of_documents(doc, "Retencion"):
        if text(tax, "TipoFactorDR") == _EXENTO:
            yield path_of(tax, "TipoFactorDR")


@rule("CRP20258")
def exempt_without_amount(doc: Document) -> Iterator[str]:
    for tax in taxes_of_documents(doc, "Traslado"):
        if text(tax, "TipoFactorDR") == _EXENTO and _given(tax):
            yield path_of(tax, "TipoFactorDR")


@rule("CRP20259")
def rate_with_amount(doc: Document) -> Iterator[str]:
    for tax in taxes_of_documents(doc, "Traslado"):
        if text(tax, "TipoFactorDR") != _EXENTO and len(_given(tax)) < 2:
            yield path_of(tax, "TipoFactorDR")


def _base_above_zero(code: str, kind: str) -> None:
    @rule(code)
    def above_zero(doc: Document) -> Iterator[str]:
        for tax in taxes_of_documents(doc, kind):
            if amount(tax, "BaseDR") <= 0:
                yield path_of(tax, "BaseDR")


def _rate_of_the_catalog(code: str, kind: str, unless: tuple[str, ...]) -> None:
    @rule(code, unless=unless)
    def in_catalog(doc: Document) -> Iterator[str]:
        for tax in taxes_of_documents(doc, kind):
            if not _rate_exists(tax, kind):
                yield path_of(tax, "TasaOCuotaDR")


def _within_limits(code: str, kind: str, unless: str) -> None:
    @rule(code, unless=(unless,))
    def within(doc: Document) -> Iterator[str]:
        for tax in taxes_of_documents(doc, kind):
            if len(_given(tax)) == 2 and not _holds(tax):
                yield path_of(tax, "ImporteDR")


_base_above_zero("CRP20249", "Retencion")
_base_above_zero("CRP20255", "Traslado")
_rate_of_the_catalog("CRP20253", "Retencion", ("CRP20250", "CRP20251", "CRP20252"))
_rate_of_the_catalog("CRP20260", "Traslado", ("CRP20256", "CRP20257", "CRP20258"))
_within_limits("CRP20254", "Retencion", "CRP20253")
_within_limits("CRP20261", "Traslado", "CRP20260")


def _impuestos(docto: etree._Element) -> etree._Element | None:
    return docto.find(tag("ImpuestosDR"))


def _kinds(docto: etree._Element, kind: str) -> set[str]:
    return {text(tax, "ImpuestoDR") for tax in taxes_of(docto, kind)}


def _given(tax: etree._Element) -> list[str]:
    return [name for name in ("TasaOCuotaDR", "ImporteDR") if tax.get(name) is not None]


def _rate_exists(tax: etree._Element, kind: str) -> bool:
    impuesto, factor = text(tax, "ImpuestoDR"), text(tax, "TipoFactorDR")
    if factor == _EXENTO:
        return tasa_exists(impuesto, factor, None)
    if tax.get("TasaOCuotaDR") is None:  # CRP20259
        return True
    # As c_TasaOCuota writes them: with six decimals.
    return decimals(tax, "TasaOCuotaDR") == 6 and tasa_exists(
        impuesto, factor, amount(tax, "TasaOCuotaDR"), traslado=kind == "Traslado"
    )


def _holds(tax: etree._Element) -> bool:
    base, rate = amount(tax, "BaseDR"), amount(tax, "TasaOCuotaDR")
    lower, upper = tax_limits(base, rate, decimals(tax, "ImporteDR"))
    return lower <= amount(tax, "ImporteDR") <= upper
