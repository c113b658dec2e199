"""The amounts a page shows: of the sale before there is an invoice, of the invoice after."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass
from decimal import Decimal

from lxml import etree

from cfdi.comprobante import Impuesto
from cfdi.xml import CFDI, parse
from hub.domain.money import round_half_up
from hub.domain.purchase import PurchaseLine
from hub.domain.sale import Sale, SaleTax

_TAX_NAME = re.compile(r"\b(IVA|IEPS)\b", re.IGNORECASE)
_NS = {"cfdi": CFDI}


@dataclass(frozen=True, slots=True)
class Shown:
    currency: str
    lines: tuple[PurchaseLine, ...]
    subtotal: Decimal  # after discount, without tax
    taxes: tuple[tuple[str, Decimal], ...]
    refunded: Decimal
    total: Decimal


def of_sale(sale: Sale) -> Shown:
    sums: OrderedDict[str, Decimal] = OrderedDict()
    for line in sale.lines:
        for tax in line.taxes:
            label = _label(tax)
            sums[label] = sums.get(label, Decimal(0)) + tax.amount
    return Shown(
        currency=sale.currency,
        lines=tuple(
            PurchaseLine(line.description, line.quantity, round_half_up(line.total, 2))
            for line in sale.lines
        ),
        subtotal=round_half_up(sum((line.base for line in sale.lines), Decimal(0)), 2),
        taxes=tuple((label, round_half_up(amount, 2)) for label, amount in sums.items()),
        refunded=sale.refunded,
        total=sale.due,
    )


def of_document(xml: bytes) -> Shown:
    """What the stamped document says, whatever became of its sale afterwards."""
    root = parse(xml)
    discount = Decimal(root.get("Descuento", "0"))
    return Shown(
        currency=root.get("Moneda", ""),
        lines=tuple(_line(one) for one in root.iterfind("cfdi:Conceptos/cfdi:Concepto", _NS)),
        subtotal=Decimal(root.get("SubTotal", "0")) - discount,
        taxes=tuple(
            _tax(one) for one in root.iterfind("cfdi:Impuestos/cfdi:Traslados/cfdi:Traslado", _NS)
        ),
        refunded=Decimal(0),
        total=Decimal(root.get("Total", "0")),
    )


def _line(concepto: etree._Element) -> PurchaseLine:
    taxes = concepto.iterfind("cfdi:Impuestos/cfdi:Traslados/cfdi:Traslado", _NS)
    total = (
        Decimal(concepto.get("Importe", "0"))
        - Decimal(concepto.get("Descuento", "0"))
        + sum((Decimal(tax.get("Importe", "0")) for tax in taxes), Decimal(0))
    )
    return PurchaseLine(
        concepto.get("Descripcion", ""),
        Decimal(concepto.get("Cantidad", "1")),
        round_half_up(total, 2),
    )


def _tax(node: etree._Element) -> tuple[str, Decimal]:
    tax = SaleTax(
        amount=Decimal(node.get("Importe", "0")),
        rate=Decimal(node.get("TasaOCuota", "0")),
        impuesto=Impuesto(node.get("Impuesto", "002")).name,
        factor=node.get("TipoFactor", "Tasa"),
    )
    return _label(tax), tax.amount


def _label(tax: SaleTax) -> str:
    """SAT's word and the rate where both are known ("IVA 16%"), else what the platform calls it."""
    named = _TAX_NAME.search(tax.label)
    name = tax.impuesto or (named.group().upper() if named else tax.label) or "Impuesto"
    if tax.factor == "Exento":
        return f"{name} exento"
    if tax.rate is None or tax.factor == "Cuota" or "%" in name:
        return name
    return f"{name} {(tax.rate * 100).normalize():f}%"
