"""Taxes in words: of lines, of documents, and of payments, whose attributes end in DR or P."""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from cfdi.pdf import labels as words
from cfdi.pdf.text import amount, number, percent


def tax_name(tax: etree._Element, label: Mapping[str, str]) -> str:
    """Key, name and rate: "002 IVA 16 %"."""
    key = _get(tax, "Impuesto") or ""
    name = f"{key} {words.IMPUESTO.get(key, '')}".strip()
    if etree.QName(tax).localname.startswith("Retencion"):
        name = f"{label['retencion']} {name}"
    match _get(tax, "TipoFactor"), _get(tax, "TasaOCuota"):
        case "Exento", _:
            return f"{name} {label['exento']}"
        case "Cuota", str(rate):
            return f"{name} {label['cuota']} {number(rate)}"
        case _, str(rate):
            return f"{name} {percent(rate)}"
    return name


def tax_line(tax: etree._Element, label: Mapping[str, str]) -> str:
    """With its base and amount, as a note under what it is of."""
    base, importe = _get(tax, "Base"), _get(tax, "Importe")
    return " · ".join(
        filter(
            None,
            (
                tax_name(tax, label),
                f"{label['base']} {number(base)}" if base else "",
                f"{label['importe'].lower()} {number(importe)}" if importe else "",
            ),
        )
    )


def tax_with_base(tax: etree._Element, label: Mapping[str, str]) -> str:
    """As a line of the totals."""
    return f"{tax_name(tax, label)} ({label['base']} {amount(tax.get('Base', '0'))})"


def _get(tax: etree._Element, name: str) -> str | None:
    return tax.get(name) or tax.get(f"{name}DR") or tax.get(f"{name}P")
