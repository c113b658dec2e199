"""What is printed of the complement of payments, Pagos 2.0."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from lxml import etree

from cfdi.catalogs import FORMA_PAGO
from cfdi.pdf.taxes import tax_line
from cfdi.pdf.text import amount, decimal_of, moment, named, number, pairs, plain

Fields = dict[str, Any]
_NS = {"pago20": "http://www.sat.gob.mx/Pagos20"}
#: Attribute of Totales, its words.
_TOTALES = {
    "TotalTrasladosBaseIVA16": "Base IVA 16 %",
    "TotalTrasladosImpuestoIVA16": "IVA 16 %",
    "TotalTrasladosBaseIVA8": "Base IVA 8 %",
    "TotalTrasladosImpuestoIVA8": "IVA 8 %",
    "TotalTrasladosBaseIVA0": "Base IVA 0 %",
    "TotalTrasladosImpuestoIVA0": "IVA 0 %",
    "TotalTrasladosBaseIVAExento": "Base IVA exento",
    "TotalRetencionesIVA": "Retención IVA",
    "TotalRetencionesISR": "Retención ISR",
    "TotalRetencionesIEPS": "Retención IEPS",
}


def payments(root: etree._Element, label: Mapping[str, str]) -> list[Fields]:
    """Each Pago, with the documents that it pays."""
    found = root.findall("{*}Complemento/pago20:Pagos/pago20:Pago", _NS)
    return [
        _payment(pago, f"{label['pago']} {place}" if len(found) > 1 else label["pago"], label)
        for place, pago in enumerate(found, 1)
    ]


def totals(root: etree._Element) -> list[tuple[str, str]]:
    """Of Totales, all in pesos: taxes by rate. None of it if there is no such complement."""
    node = root.find("{*}Complemento/pago20:Pagos/pago20:Totales", _NS)
    if node is None:
        return []
    return [
        (words, amount(node.get(name, ""))) for name, words in _TOTALES.items() if node.get(name)
    ]


def total_paid(root: etree._Element) -> Decimal | None:
    """MontoTotalPagos, in pesos."""
    node = root.find("{*}Complemento/pago20:Pagos/pago20:Totales", _NS)
    return None if node is None else decimal_of(node.get("MontoTotalPagos", "0"))


def _payment(pago: etree._Element, title: str, label: Mapping[str, str]) -> Fields:
    moneda, rate = pago.get("MonedaP", ""), pago.get("TipoCambioP")
    taxes = [tax_line(tax, label) for tax in pago.iterfind("pago20:ImpuestosP/*/*", _NS)]
    return {
        "title": title,
        "amount": f"{amount(pago.get('Monto', '0'))} {moneda}",
        "facts": pairs(
            (label["fecha_pago"], moment(pago.get("FechaPago", ""))),
            (label["forma_pago"], named(pago.get("FormaDePagoP"), FORMA_PAGO)),
            (
                label["tipo_cambio"],
                f"1 {moneda} = {number(rate)} MXN" if rate and moneda != "MXN" else None,
            ),
            (label["operacion"], pago.get("NumOperacion")),
            (
                label["ordenante"],
                _account(pago, "RfcEmisorCtaOrd", "NomBancoOrdExt", "CtaOrdenante"),
            ),
            (label["beneficiaria"], _account(pago, "RfcEmisorCtaBen", "CtaBeneficiario")),
            (label["cadena_pago"], pago.get("CadPago")),
            *((label["impuestos_pago"], tax) for tax in taxes),
        ),
        "documents": [
            _document(paid, moneda, label) for paid in pago.iterfind("pago20:DoctoRelacionado", _NS)
        ],
    }


def _account(pago: etree._Element, *names: str) -> str | None:
    return " · ".join(filter(None, map(pago.get, names))) or None


def _document(paid: etree._Element, moneda: str, label: Mapping[str, str]) -> Fields:
    rate = paid.get("EquivalenciaDR", "1")
    currency = paid.get("MonedaDR", "")
    foreign = [f"{label['equivalencia']}: 1 {moneda} = {number(rate)} {currency}"]
    return {
        "name": plain("-".join(filter(None, (paid.get("Serie"), paid.get("Folio"))))),
        "uuid": plain(paid.get("IdDocumento", ""), 40),
        "currency": currency,
        "part": paid.get("NumParcialidad", ""),
        "before": amount(paid.get("ImpSaldoAnt", "0")),
        "paid": amount(paid.get("ImpPagado", "0")),
        "after": amount(paid.get("ImpSaldoInsoluto", "0")),
        "notes": [
            *(foreign if currency != moneda else ()),
            *(tax_line(tax, label) for tax in paid.iterfind("pago20:ImpuestosDR/*/*", _NS)),
        ],
    }
