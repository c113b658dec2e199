"""Pagos 2.0, rows CRP20201 to CRP20211, 20264, 20267 and 20273: the totals, in pesos.

Each total is the half-up rounded sum of what the payments carry, times their TipoCambioP. A total
that should be there and is not breaks one of the three rows that ask for "at least one", or where
another one is there its own row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from lxml import etree

from cfdi.validator.document import Document, amount, path_of, text
from cfdi.validator.pagos_impuestos import RETENCIONES_WRONG, TRASLADOS_WRONG
from cfdi.validator.pagos_nodes import (
    IEPS,
    ISR,
    IVA,
    tag,
    taxes_of,
    tipo_cambio,
)
from cfdi.validator.rule import rule

_CENT: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class _Total:
    """One attribute of Totales and the nodes of the payments that it adds up."""

    name: str
    kind: str
    value: str
    impuesto: str
    factor: str = ""
    rate: Decimal | None = None

    def nodes(self, pago: etree._Element) -> list[etree._Element]:
        return [tax for tax in taxes_of(pago, self.kind) if self._covers(tax)]

    def _covers(self, tax: etree._Element) -> bool:
        if text(tax, "ImpuestoP") != self.impuesto:
            return False
        if self.kind == "Retencion":
            return True
        given = tax.get("TasaOCuotaP") is not None
        same_rate = self.rate is None or (given and amount(tax, "TasaOCuotaP") == self.rate)
        return text(tax, "TipoFactorP") == self.factor and same_rate


def _iva(name: str, value: str, rate: str) -> _Total:
    return _Total(name, "Traslado", value, IVA, "Tasa", Decimal(rate))


_TOTALS: Final = {
    "CRP20201": _Total("TotalRetencionesIVA", "Retencion", "ImporteP", IVA),
    "CRP20202": _Total("TotalRetencionesISR", "Retencion", "ImporteP", ISR),
    "CRP20203": _Total("TotalRetencionesIEPS", "Retencion", "ImporteP", IEPS),
    "CRP20204": _iva("TotalTrasladosBaseIVA16", "BaseP", "0.16"),
    "CRP20205": _iva("TotalTrasladosImpuestoIVA16", "ImporteP", "0.16"),
    "CRP20206": _iva("TotalTrasladosBaseIVA8", "BaseP", "0.08"),
    "CRP20207": _iva("TotalTrasladosImpuestoIVA8", "ImporteP", "0.08"),
    "CRP20208": _iva("TotalTrasladosBaseIVA0", "BaseP", "0"),
    "CRP20209": _iva("TotalTrasladosImpuestoIVA0", "ImporteP", "0"),
    "CRP20210": _Total("TotalTrasladosBaseIVAExento", "Traslado", "BaseP", IVA, "Exento"),
}
#: "At least one of": the row that asks for it, and the totals among which it may choose.
_AT_LEAST_ONE: Final = {
    "CRP20264": ("CRP20201", "CRP20202", "CRP20203"),
    "CRP20267": ("CRP20204", "CRP20206", "CRP20208", "CRP20210"),
    "CRP20273": ("CRP20205", "CRP20207", "CRP20209"),
}


@rule("CRP20211", unless=("CRP20218",))
def monto_total(doc: Document) -> Iterator[str]:
    for pagos in doc.pagos:
        values = [(pago, amount(pago, "Monto")) for pago in pagos.iterfind(tag("Pago"))]
        expected = _in_pesos(values)
        totales = _totales(pagos)
        if expected is not None and amount(totales, "MontoTotalPagos") != expected:
            yield path_of(totales, "MontoTotalPagos")


def _sum_of(code: str, total: _Total) -> None:
    group = next(members for members in _AT_LEAST_ONE.values() if code in members)

    @rule(code, unless=_wrong(total))
    def is_the_sum(doc: Document) -> Iterator[str]:
        for pagos in doc.pagos:
            totales, nodes = _totales(pagos), _nodes(pagos, total)
            if totales.get(total.name) is None and (not nodes or _none_of(totales, group)):
                continue
            expected = _in_pesos((pago, amount(tax, total.value)) for pago, tax in nodes)
            missing = totales.get(total.name) is None
            if expected is not None and (missing or amount(totales, total.name) != expected):
                yield path_of(totales, total.name)


def _wrong(total: _Total) -> tuple[str, ...]:
    return RETENCIONES_WRONG if total.kind == "Retencion" else TRASLADOS_WRONG


def _one_of(code: str, group: tuple[str, ...]) -> None:
    @rule(code, unless=_wrong(_TOTALS[group[0]]))
    def at_least_one(doc: Document) -> Iterator[str]:
        for pagos in doc.pagos:
            totales = _totales(pagos)
            needed = any(_nodes(pagos, _TOTALS[member]) for member in group)
            if needed and _none_of(totales, group):
                yield path_of(totales)


for _code, _total in _TOTALS.items():
    _sum_of(_code, _total)
for _code, _group in _AT_LEAST_ONE.items():
    _one_of(_code, _group)


def _totales(pagos: etree._Element) -> etree._Element:
    found = pagos.find(tag("Totales"))
    if found is None:
        raise ValueError("a Pagos without Totales")
    return found


def _nodes(pagos: etree._Element, total: _Total) -> list[tuple[etree._Element, etree._Element]]:
    return [(pago, tax) for pago in pagos.iterfind(tag("Pago")) for tax in total.nodes(pago)]


def _none_of(totales: etree._Element, group: tuple[str, ...]) -> bool:
    return all(totales.get(_TOTALS[member].name) is None for member in group)


def _in_pesos(values: Iterable[tuple[etree._Element, Decimal]]) -> Decimal | None:
    """None where a TipoCambioP is missing, which is another row's matter."""
    found = Decimal(0)
    for pago, value in values:
        rate = tipo_cambio(pago)
        if rate is None:
            return None
        found += value * rate
    return found.quantize(_CENT, ROUND_HALF_UP)
