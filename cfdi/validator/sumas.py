"""Sums of the whole document, rows CFDI40108, CFDI40110, CFDI40111 and CFDI40119.

They are asked last: when a number they add up is wrong itself, that is told and not the sum.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from cfdi.validator.document import Document, amount
from cfdi.validator.limits import rounded
from cfdi.validator.rule import rule

_LOCAL: Final = "{http://www.sat.gob.mx/implocal}ImpuestosLocales"
_OF_CONCEPTOS: Final = ("CFDI40113", "CFDI40166", "CFDI40167")
_OF_TOTALS: Final = (
    *("CFDI40108", "CFDI40109", "CFDI40110", "CFDI40111", "CFDI40169"),
    *("CFDI40203", "CFDI40205", "CFDI40206", "CFDI40211", "CFDI40212"),
    *("CFDI40215", "CFDI40216", "CFDI40218", "CFDI40221", "CFDI40208", "CFDI40201"),
)


@rule("CFDI40108", tipos="IEN", unless=_OF_CONCEPTOS)
def sub_total(doc: Document) -> Iterator[str]:
    if doc.decimals is None:
        return
    expected = rounded((amount(node, "Importe") for node in doc.conceptos), doc.decimals)
    if amount(doc.root, "SubTotal") != expected:
        yield doc.path(doc.root, "SubTotal")


@rule("CFDI40110", tipos="IEN", unless=("CFDI40108", "CFDI40169"))
def descuento_is_not_more(doc: Document) -> Iterator[str]:
    if amount(doc.root, "Descuento") > amount(doc.root, "SubTotal"):
        yield doc.path(doc.root, "Descuento")


@rule("CFDI40111", tipos="IETN", unless=("CFDI40110", "CFDI40113", "CFDI40169"))
def descuento(doc: Document) -> Iterator[str]:
    discounts = [amount(each, "Descuento") for each in doc.conceptos if each.get("Descuento")]
    written = doc.root.get("Descuento") is not None
    if doc.tipo == "T":
        wrong = written or bool(discounts)
    else:
        wrong = written != bool(discounts)
        if doc.decimals is not None and written:
            expected = rounded(discounts, doc.decimals)
            wrong = wrong or amount(doc.root, "Descuento") != expected
    if wrong:
        yield doc.path(doc.root, "Descuento")


@rule("CFDI40119", unless=(*_OF_CONCEPTOS, *_OF_TOTALS))
def total(doc: Document) -> Iterator[str]:
    if doc.pagos:
        return
    expected = amount(doc.root, "SubTotal") - amount(doc.root, "Descuento")
    if doc.impuestos is not None:
        expected += amount(doc.impuestos, "TotalImpuestosTrasladados")
        expected -= amount(doc.impuestos, "TotalImpuestosRetenidos")
    if amount(doc.root, "Total") != expected + _local_taxes(doc):
        yield doc.path(doc.root, "Total")


def _local_taxes(doc: Document) -> Decimal:
    """Of states and municipalities, in the complement that SAT has for them."""
    local = [node for node in doc.complements if node.tag == _LOCAL]
    return sum(
        (amount(node, "TotaldeTraslados") - amount(node, "TotaldeRetenciones") for node in local),
        Decimal(0),
    )
