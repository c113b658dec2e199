"""The complement "Recepción de pagos" 2.0 as data, in SAT's own words.

Amounts are written with exactly the decimals they carry, as in `cfdi.comprobante`.
Source: http://www.sat.gob.mx/sitio_internet/cfd/Pagos/Pagos20.xsd
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from cfdi.comprobante import Location, Retencion, RetencionTotal, Traslado


@dataclass(frozen=True, slots=True)
class DoctoRelacionado:
    """A document that this payment pays, in whole or in part."""

    id_documento: str
    moneda: str
    #: Units of `moneda` for one of the payment's currency; "1" exactly where they are the same.
    #: The schema lets it be left out, SAT's rules do not (CRP20237, CRP20238).
    equivalencia: Decimal | None
    num_parcialidad: int
    saldo_anterior: Decimal
    pagado: Decimal
    saldo_insoluto: Decimal
    objeto_imp: str
    serie: str | None = None
    folio: str | None = None
    #: TrasladoDR and RetencionDR.
    traslados: tuple[Traslado, ...] = ()
    retenciones: tuple[Retencion, ...] = ()


@dataclass(frozen=True, slots=True)
class Pago:
    """One payment received. `fecha` is local time without a zone."""

    fecha: datetime
    forma_pago: str
    moneda: str
    tipo_cambio: Decimal | None
    monto: Decimal
    documentos: tuple[DoctoRelacionado, ...]
    #: TrasladoP and RetencionP, in the payment's currency.
    traslados: tuple[Traslado, ...] = ()
    retenciones: tuple[RetencionTotal, ...] = ()
    num_operacion: str | None = None
    rfc_emisor_cta_ord: str | None = None
    nom_banco_ord_ext: str | None = None
    cta_ordenante: str | None = None
    rfc_emisor_cta_ben: str | None = None
    cta_beneficiario: str | None = None
    tipo_cad_pago: str | None = None
    cert_pago: str | None = None
    cad_pago: str | None = None
    sello_pago: str | None = None


@dataclass(frozen=True, slots=True)
class Totales:
    """Sums of all payments, in pesos. What is not there is None."""

    monto_total_pagos: Decimal
    retenciones_iva: Decimal | None = None
    retenciones_isr: Decimal | None = None
    retenciones_ieps: Decimal | None = None
    traslados_base_iva16: Decimal | None = None
    traslados_impuesto_iva16: Decimal | None = None
    traslados_base_iva8: Decimal | None = None
    traslados_impuesto_iva8: Decimal | None = None
    traslados_base_iva0: Decimal | None = None
    traslados_impuesto_iva0: Decimal | None = None
    traslados_base_iva_exento: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Pagos:
    """The complement: its totals and one payment or more."""

    totales: Totales
    pagos: tuple[Pago, ...]
    schema_location: Location = field(default=None, compare=False, repr=False)
