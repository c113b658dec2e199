"""A CFDI 4.0 as data, in SAT's own words.

Amounts are `Decimal` and are written with exactly the decimals they carry: SAT's limits depend on
the decimals *written* (``Decimal("100.00")`` has two, ``Decimal("100")`` none).
Source: Anexo 20, http://www.sat.gob.mx/sitio_internet/cfd/4/cfdv40.xsd
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Impuesto(StrEnum):
    """c_Impuesto."""

    ISR = "001"
    IVA = "002"
    IEPS = "003"


class TipoFactor(StrEnum):
    """c_TipoFactor."""

    TASA = "Tasa"
    CUOTA = "Cuota"
    EXENTO = "Exento"


@dataclass(frozen=True, slots=True)
class Traslado:
    """A transferred tax. `tasa_o_cuota` and `importe` are None if and only if it is Exento."""

    base: Decimal
    impuesto: Impuesto
    tipo_factor: TipoFactor
    tasa_o_cuota: Decimal | None = None
    importe: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Retencion:
    """A withheld tax of a concept."""

    base: Decimal
    impuesto: Impuesto
    tipo_factor: TipoFactor
    tasa_o_cuota: Decimal
    importe: Decimal


@dataclass(frozen=True, slots=True)
class Concepto:
    clave_prod_serv: str
    cantidad: Decimal
    clave_unidad: str
    descripcion: str
    valor_unitario: Decimal
    importe: Decimal
    objeto_imp: str
    no_identificacion: str | None = None
    unidad: str | None = None
    descuento: Decimal | None = None
    traslados: tuple[Traslado, ...] = ()
    retenciones: tuple[Retencion, ...] = ()


@dataclass(frozen=True, slots=True)
class RetencionTotal:
    """A withheld tax of the document: no base, no rate."""

    impuesto: Impuesto
    importe: Decimal


@dataclass(frozen=True, slots=True)
class Impuestos:
    """Taxes of the document, each node rounded to the currency's decimals."""

    traslados: tuple[Traslado, ...] = ()
    retenciones: tuple[RetencionTotal, ...] = ()
    total_trasladados: Decimal | None = None
    total_retenidos: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Emisor:
    rfc: str
    nombre: str
    regimen_fiscal: str


@dataclass(frozen=True, slots=True)
class Receptor:
    rfc: str
    nombre: str
    domicilio_fiscal: str
    regimen_fiscal: str
    uso_cfdi: str


@dataclass(frozen=True, slots=True)
class Comprobante:
    """A document of type I (ingreso) before its seal. `fecha` is local time at LugarExpedicion."""

    fecha: datetime
    serie: str | None
    folio: str | None
    forma_pago: str
    metodo_pago: str
    moneda: str
    tipo_cambio: Decimal | None
    sub_total: Decimal
    descuento: Decimal | None
    total: Decimal
    lugar_expedicion: str
    emisor: Emisor
    receptor: Receptor
    conceptos: tuple[Concepto, ...]
    impuestos: Impuestos | None
    tipo_de_comprobante: str = "I"
    exportacion: str = "01"
    condiciones_de_pago: str | None = None
