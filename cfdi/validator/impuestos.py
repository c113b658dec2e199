"""Impuestos of the document, rows CFDI40201 to CFDI40221: exact sums, half up, node by node.

What is wrong in a concept is told there; the sums over concepts are asked when those are right.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

from lxml import etree

from cfdi.validator.conceptos_impuestos import EXENTO, IMPUESTOS, rate_is_known
from cfdi.validator.document import Document, amount, decimals, text
from cfdi.validator.limits import rounded
from cfdi.validator.rule import rule

_WITH_TAXES: Final = "IEN"
_OBJETO: Final = ("CFDI40171", "CFDI40172", "CFDI140226", "CFDI140227", "CFDI40164")
_OF_TRASLADOS: Final = tuple(f"CFDI{number}" for number in range(40175, 40181))
_OF_RETENCIONES: Final = tuple(f"CFDI{number}" for number in range(40182, 40187))

#: What one node of the document sums up: Impuesto, TipoFactor, TasaOCuota.
Key = tuple[str, str, Decimal | None]


@rule("CFDI40201", tipos="TP")
def no_taxes(doc: Document) -> Iterator[str]:
    if doc.impuestos is not None and not doc.pagos:
        yield doc.path(doc.impuestos)


@rule("CFDI40206", tipos=_WITH_TAXES)
def total_withheld_is_there(doc: Document) -> Iterator[str]:
    if doc.retenciones and not _has(doc, "TotalImpuestosRetenidos"):
        yield f"{_place(doc)}/@TotalImpuestosRetenidos"


@rule("CFDI40207", tipos=_WITH_TAXES, unless=_OF_RETENCIONES)
def impuesto_withheld(doc: Document) -> Iterator[str]:
    for tax in doc.retenciones:
        if text(tax, "Impuesto") not in IMPUESTOS:
            yield doc.path(tax, "Impuesto")


@rule("CFDI40208", tipos=_WITH_TAXES)
def one_retencion_each(doc: Document) -> Iterator[str]:
    seen: set[str] = set()
    for tax in doc.retenciones:
        if text(tax, "Impuesto") in seen:
            yield doc.path(tax, "Impuesto")
        seen.add(text(tax, "Impuesto"))


@rule("CFDI40210", tipos=_WITH_TAXES)
def retencion_decimals(doc: Document) -> Iterator[str]:
    yield from _too_fine(doc, doc.retenciones, "Importe")


@rule("CFDI40211", tipos=_WITH_TAXES, unless=(*_OBJETO, *_OF_RETENCIONES, "CFDI40207", "CFDI40208"))
def retencion_is_the_sum(doc: Document) -> Iterator[str]:
    if doc.decimals is None:
        return
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for line in doc.lines:
        for tax in line.retenciones:
            sums[text(tax, "Impuesto")] += amount(tax, "Importe")
    for tax in doc.retenciones:
        expected = rounded([sums.pop(text(tax, "Impuesto"), Decimal(0))], doc.decimals)
        if amount(tax, "Importe") != expected:
            yield doc.path(tax, "Importe")
    if sums:
        yield f"{_place(doc)}/Retenciones"


@rule("CFDI40202", tipos=_WITH_TAXES)
def total_withheld_decimals(doc: Document) -> Iterator[str]:
    yield from _too_fine(doc, _node(doc), "TotalImpuestosRetenidos")


@rule("CFDI40203", tipos=_WITH_TAXES, unless=("CFDI40206", "CFDI40208", "CFDI40211"))
def total_withheld(doc: Document) -> Iterator[str]:
    yield from _not_the_sum(doc, "TotalImpuestosRetenidos", doc.retenciones)


@rule("CFDI40212", tipos=_WITH_TAXES)
def total_transferred_is_there(doc: Document) -> Iterator[str]:
    charged = any(text(tax, "TipoFactor") != EXENTO for line in doc.lines for tax in line.traslados)
    if charged and not _has(doc, "TotalImpuestosTrasladados"):
        yield f"{_place(doc)}/@TotalImpuestosTrasladados"


@rule("CFDI40213", tipos=_WITH_TAXES, unless=_OF_TRASLADOS)
def exempt_without_rate(doc: Document) -> Iterator[str]:
    for tax in doc.traslados:
        if text(tax, "TipoFactor") == EXENTO:
            for name in ("TasaOCuota", "Importe"):
                if tax.get(name) is not None:
                    yield doc.path(tax, name)


@rule("CFDI40214", tipos=_WITH_TAXES)
def base_decimals(doc: Document) -> Iterator[str]:
    yield from _too_fine(doc, doc.traslados, "Base")


@rule("CFDI40217", tipos=_WITH_TAXES, unless=_OF_TRASLADOS)
def impuesto_transferred(doc: Document) -> Iterator[str]:
    for tax in doc.traslados:
        if text(tax, "Impuesto") not in IMPUESTOS:
            yield doc.path(tax, "Impuesto")


@rule("CFDI40218", tipos=_WITH_TAXES)
def one_traslado_each(doc: Document) -> Iterator[str]:
    seen: Counter[Key] = Counter()
    for tax in doc.traslados:
        if seen[_key(tax)]:
            yield doc.path(tax)
        seen[_key(tax)] += 1


@rule("CFDI40219", tipos=_WITH_TAXES, unless=(*_OF_TRASLADOS, "CFDI40213", "CFDI40217"))
def rate(doc: Document) -> Iterator[str]:
    for tax in doc.traslados:
        if not rate_is_known(tax, traslado=True):
            yield doc.path(tax, "TasaOCuota")


@rule("CFDI40220", tipos=_WITH_TAXES)
def importe_decimals(doc: Document) -> Iterator[str]:
    yield from _too_fine(doc, doc.traslados, "Importe")


#: Sums are not asked while the nodes do not stand for what the conceptos have.
_UNCLEAR: Final = (
    *(*_OBJETO, *_OF_TRASLADOS),
    *("CFDI40212", "CFDI40213", "CFDI40217", "CFDI40218", "CFDI40219"),
)


@rule("CFDI40215", tipos=_WITH_TAXES, unless=_UNCLEAR)
def base_is_the_sum(doc: Document) -> Iterator[str]:
    if not _all_exempt(doc):
        yield from _sums_differ(doc, "Base")


@rule("CFDI40216", tipos=_WITH_TAXES, unless=_UNCLEAR)
def exempt_base_is_the_sum(doc: Document) -> Iterator[str]:
    if _all_exempt(doc):
        yield from _sums_differ(doc, "Base")


@rule("CFDI40221", tipos=_WITH_TAXES, unless=(*_UNCLEAR, "CFDI40215", "CFDI40216"))
def importe_is_the_sum(doc: Document) -> Iterator[str]:
    yield from _sums_differ(doc, "Importe")


@rule("CFDI40204", tipos=_WITH_TAXES)
def total_transferred_decimals(doc: Document) -> Iterator[str]:
    yield from _too_fine(doc, _node(doc), "TotalImpuestosTrasladados")


@rule("CFDI40205", tipos=_WITH_TAXES, unless=(*_UNCLEAR, "CFDI40215", "CFDI40216", "CFDI40221"))
def total_transferred(doc: Document) -> Iterator[str]:
    yield from _not_the_sum(doc, "TotalImpuestosTrasladados", doc.traslados)


def _sums_differ(doc: Document, name: str) -> Iterator[str]:
    if doc.decimals is None:
        return
    sums: dict[Key, Decimal] = defaultdict(Decimal)
    for line in doc.lines:
        for tax in line.traslados:
            sums[_key(tax)] += amount(tax, name)
    for tax in doc.traslados:
        expected = rounded([sums.pop(_key(tax), Decimal(0))], doc.decimals)
        if amount(tax, name) != expected:
            yield doc.path(tax, name)
    if sums:
        yield f"{_place(doc)}/Traslados"


def _not_the_sum(doc: Document, name: str, taxes: Iterable[etree._Element]) -> Iterator[str]:
    """The total is the sum of the *rounded* nodes."""
    expected = sum((amount(tax, "Importe") for tax in taxes), Decimal(0))
    for node in _node(doc):
        if node.get(name) is not None and amount(node, name) != expected:
            yield doc.path(node, name)


def _too_fine(doc: Document, nodes: Iterable[etree._Element], name: str) -> Iterator[str]:
    for node in nodes:
        if doc.decimals is not None and decimals(node, name) > doc.decimals:
            yield doc.path(node, name)


def _all_exempt(doc: Document) -> bool:
    return all(text(tax, "TipoFactor") == EXENTO for line in doc.lines for tax in line.traslados)


def _key(tax: etree._Element) -> Key:
    rate = None if tax.get("TasaOCuota") is None else amount(tax, "TasaOCuota")
    return text(tax, "Impuesto"), text(tax, "TipoFactor"), rate


def _node(doc: Document) -> tuple[etree._Element, ...]:
    return () if doc.impuestos is None else (doc.impuestos,)


def _place(doc: Document) -> str:
    """Of Impuestos, be it there or not."""
    return f"{doc.path(doc.root)}/Impuestos"


def _has(doc: Document, name: str) -> bool:
    return doc.impuestos is not None and doc.impuestos.get(name) is not None
