"""A CFDI 4.0 as data, in SAT's own words. The complement of payments is in `cfdi.pagos`.

Amounts are `Decimal` and are written with exactly the decimals they carry: SAT's limits depend on
the decimals *written* (``Decimal("100.00")`` has two, ``Decimal("100")`` none).
Source: Anexo 20, http://www.sat.gob.mx/sitio_internet/cfd/4/cfdv40.xsd
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cfdi.pagos import Pagos

#: schemaLocation of a node: where its schema is said to be. It says nothing of the document.
Location = str | None


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
class ACuentaTerceros:
    """Sold on account of this third party."""

    rfc: str
    nombre: str
    regimen_fiscal: str
    domicilio_fiscal: str


@dataclass(frozen=True, slots=True)
class Parte:
    """A part of what a concept sells. Amounts are optional and bind nothing."""

    clave_prod_serv: str
    cantidad: Decimal
    descripcion: str
    no_identificacion: str | None = None
    unidad: str | None = None
    valor_unitario: Decimal | None = None
    importe: Decimal | None = None
    pedimentos: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Extranjero:
    """An element that this package does not know, kept whole: XML in UTF-8, that element alone."""

    xml: bytes


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
    a_cuenta_terceros: ACuentaTerceros | None = None
    #: NumeroPedimento of each InformacionAduanera.
    pedimentos: tuple[str, ...] = ()
    #: Numero of each CuentaPredial.
    cuentas_prediales: tuple[str, ...] = ()
    complemento: tuple[Extranjero, ...] = ()
    partes: tuple[Parte, ...] = ()


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
    #: FacAtrAdquirente: ten digits, only for who is invoiced by his buyer.
    fac_atr_adquirente: str | None = None


@dataclass(frozen=True, slots=True)
class Receptor:
    rfc: str
    nombre: str
    domicilio_fiscal: str
    regimen_fiscal: str
    uso_cfdi: str
    #: c_Pais, for XEXX010101000 alone.
    residencia_fiscal: str | None = None
    num_reg_id_trib: str | None = None


@dataclass(frozen=True, slots=True)
class InformacionGlobal:
    """Which period a global invoice covers: c_Periodicidad, c_Meses, the year."""

    periodicidad: str
    meses: str
    anio: int


@dataclass(frozen=True, slots=True)
class CfdiRelacionados:
    """Documents that this one refers to in one way (c_TipoRelacion)."""

    tipo_relacion: str
    uuids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Timbre:
    """The TFD as written. `fecha_timbrado` is a local time without a zone.

    http://www.sat.gob.mx/sitio_internet/cfd/TimbreFiscalDigital/TimbreFiscalDigitalv11.xsd
    """

    uuid: str
    fecha_timbrado: datetime
    rfc_prov_certif: str
    leyenda: str | None
    sello_cfd: str
    no_certificado_sat: str
    sello_sat: str
    schema_location: Location = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Comprobante:
    """A document before its seal. `fecha` is local time at LugarExpedicion.

    Types I (ingreso), E (egreso), T (traslado), P (pago) and N (nómina). Seal and stamp are not
    part of it: `cfdi.documento` has the whole of a document that was sealed or stamped.
    """

    fecha: datetime
    serie: str | None
    folio: str | None
    #: None in a document of payments.
    forma_pago: str | None
    metodo_pago: str | None
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
    confirmacion: str | None = None
    informacion_global: InformacionGlobal | None = None
    relacionados: tuple[CfdiRelacionados, ...] = ()
    #: What stands in Complemento, in its order, but for the TFD.
    complementos: tuple[Pagos | Extranjero, ...] = ()
    #: Children of Addenda. It is no part of what is sealed and is added after stamping only.
    addenda: tuple[Extranjero, ...] = ()
