"""Find and read the nodes of the complement Pagos 2.0. The XSD was asked before."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from lxml import etree

from cfdi.catalogs import MONEDA
from cfdi.validator.document import Document, amount, text
from cfdi.xml import PAGO20

_PLURAL: Final = {"Traslado": "Traslados", "Retencion": "Retenciones"}

ISR: Final = "001"
IVA: Final = "002"
IEPS: Final = "003"
IMPUESTOS: Final = frozenset({ISR, IVA, IEPS})
TIPOS_FACTOR: Final = frozenset({"Tasa", "Cuota", "Exento"})


def tag(name: str) -> str:
    return f"{{{PAGO20}}}{name}"


def payments(doc: Document) -> Iterator[etree._Element]:
    for pagos in doc.pagos:
        yield from pagos.iterfind(tag("Pago"))


def documents(pago: etree._Element) -> list[etree._Element]:
    return pago.findall(tag("DoctoRelacionado"))


def all_documents(doc: Document) -> Iterator[tuple[etree._Element, etree._Element]]:
    """Each payment with each of its DoctoRelacionado."""
    for pago in payments(doc):
        for docto in documents(pago):
            yield pago, docto


def taxes_of(node: etree._Element, kind: str) -> list[etree._Element]:
    """TrasladoDR or RetencionDR of a DoctoRelacionado, TrasladoP or RetencionP of a Pago."""
    level = "P" if node.tag == tag("Pago") else "DR"
    names = (f"Impuestos{level}", f"{_PLURAL[kind]}{level}", f"{kind}{level}")
    return node.findall("/".join(map(tag, names)))


def taxes_of_documents(doc: Document, kind: str) -> Iterator[etree._Element]:
    for _, docto in all_documents(doc):
        yield from taxes_of(docto, kind)


def decimals_of(moneda: str) -> int:
    """Of a currency; six, the most that can be written, for one that the catalog does not have."""
    return MONEDA.get(moneda, 6)


def equivalencia(docto: etree._Element) -> Decimal | None:
    """Units of the document's currency for one of the payment's; None if it is missing or zero."""
    if docto.get("EquivalenciaDR") is not None:
        return amount(docto, "EquivalenciaDR") or None
    same = text(docto, "MonedaDR") == text(_payment(docto), "MonedaP")
    return Decimal(1) if same else None


def tipo_cambio(pago: etree._Element) -> Decimal | None:
    """Pesos for one unit of the payment's currency; None if it is missing."""
    if pago.get("TipoCambioP") is not None:
        return amount(pago, "TipoCambioP")
    return Decimal(1) if text(pago, "MonedaP") == "MXN" else None


def _payment(docto: etree._Element) -> etree._Element:
    parent = docto.getparent()
    if parent is None:
        raise ValueError("a DoctoRelacionado outside of a Pago")
    return parent
