"""Attributes of the Comprobante itself, rows CFDI40101 to CFDI40129 and CFDI40222.

A document of payments is told of what may not stand in it by the rows of Pagos 2.0. Sums over the
conceptos are in `sumas`.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from cfdi.catalogs import (
    EXPORTACION,
    FORMA_PAGO,
    METODO_PAGO,
    MONEDA,
    TIPO_DE_COMPROBANTE,
    codigo_postal_exists,
)
from cfdi.validator.document import Document, amount, decimals, text
from cfdi.validator.rule import rule

#: In force and not yet out of use.
COMERCIO_EXTERIOR: Final = ("ComercioExterior11", "ComercioExterior20")
_WITHOUT_PAYMENT: Final = "TNP"
_WITH_AMOUNTS: Final = "IEN"


@rule("CFDI40121")
def tipo_de_comprobante(doc: Document) -> Iterator[str]:
    if doc.tipo not in TIPO_DE_COMPROBANTE:
        yield doc.path(doc.root, "TipoDeComprobante")


@rule("CFDI40103", tipos=_WITHOUT_PAYMENT)
def no_forma_pago(doc: Document) -> Iterator[str]:
    if _has(doc, "FormaPago") and not doc.pagos:
        yield doc.path(doc.root, "FormaPago")


@rule("CFDI40104", unless=("CFDI40103",))
def forma_pago(doc: Document) -> Iterator[str]:
    known = text(doc.root, "FormaPago") in FORMA_PAGO
    if _has(doc, "FormaPago") and not known and not doc.pagos:
        yield doc.path(doc.root, "FormaPago")


@rule("CFDI40105", tipos="IE", unless=("CFDI40104",))
def deferred_payment(doc: Document) -> Iterator[str]:
    if text(doc.root, "MetodoPago") == "PPD" and text(doc.root, "FormaPago") != "99":
        yield doc.path(doc.root, "FormaPago")


@rule("CFDI40107", tipos=_WITH_AMOUNTS)
def sub_total_decimals(doc: Document) -> Iterator[str]:
    if doc.decimals is not None and decimals(doc.root, "SubTotal") > doc.decimals:
        yield doc.path(doc.root, "SubTotal")


@rule("CFDI40109", tipos="TP")
def sub_total_of_nothing(doc: Document) -> Iterator[str]:
    if amount(doc.root, "SubTotal") != 0 and not doc.pagos:
        yield doc.path(doc.root, "SubTotal")


@rule("CFDI40112", tipos=_WITH_AMOUNTS)
def descuento_decimals(doc: Document) -> Iterator[str]:
    if doc.decimals is not None and decimals(doc.root, "Descuento") > doc.decimals:
        yield doc.path(doc.root, "Descuento")


@rule("CFDI40113")
def moneda(doc: Document) -> Iterator[str]:
    if text(doc.root, "Moneda") not in MONEDA and not doc.pagos:
        yield doc.path(doc.root, "Moneda")


@rule("CFDI40114")
def rate_of_pesos(doc: Document) -> Iterator[str]:
    # "1" and "1.0" are one number to the XSD, and providers stamp either.
    is_one = amount(doc.root, "TipoCambio") == Decimal(1)
    in_pesos = text(doc.root, "Moneda") == "MXN" and not doc.pagos
    if in_pesos and _has(doc, "TipoCambio") and not is_one:
        yield doc.path(doc.root, "TipoCambio")


@rule("CFDI40115", unless=("CFDI40113",))
def rate_of_foreign_money(doc: Document) -> Iterator[str]:
    foreign = text(doc.root, "Moneda") not in {"MXN", "XXX"}
    if foreign and not _has(doc, "TipoCambio") and not doc.pagos:
        yield doc.path(doc.root, "TipoCambio")


@rule("CFDI40116")
def rate_of_no_money(doc: Document) -> Iterator[str]:
    if text(doc.root, "Moneda") == "XXX" and _has(doc, "TipoCambio") and not doc.pagos:
        yield doc.path(doc.root, "TipoCambio")


@rule("CFDI40123")
def exportacion(doc: Document) -> Iterator[str]:
    if text(doc.root, "Exportacion") not in EXPORTACION and not doc.pagos:
        yield doc.path(doc.root, "Exportacion")


@rule("CFDI40122")
def export_with_complement(doc: Document) -> Iterator[str]:
    definitive = text(doc.root, "Exportacion") == "02"
    if definitive and not doc.has_complement(*COMERCIO_EXTERIOR) and not doc.pagos:
        yield doc.path(doc.root, "Exportacion")


@rule("CFDI40222")
def no_export_with_complement(doc: Document) -> Iterator[str]:
    without = text(doc.root, "Exportacion") in {"01", "03"}
    if without and doc.has_complement(*COMERCIO_EXTERIOR):
        yield doc.path(doc.root, "Exportacion")


@rule("CFDI40125", tipos="TP")
def no_metodo_pago(doc: Document) -> Iterator[str]:
    if _has(doc, "MetodoPago") and not doc.pagos:
        yield doc.path(doc.root, "MetodoPago")


@rule("CFDI40124", unless=("CFDI40125",))
def metodo_pago(doc: Document) -> Iterator[str]:
    known = text(doc.root, "MetodoPago") in METODO_PAGO
    if _has(doc, "MetodoPago") and not known and not doc.pagos:
        yield doc.path(doc.root, "MetodoPago")


@rule("CFDI40126")
def lugar_expedicion(doc: Document) -> Iterator[str]:
    if not codigo_postal_exists(text(doc.root, "LugarExpedicion")):
        yield doc.path(doc.root, "LugarExpedicion")


def _has(doc: Document, name: str) -> bool:
    return doc.root.get(name) is not None
