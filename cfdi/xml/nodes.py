"""SAT's elements: the attributes of each one in the order of its schema, and our field for each.

One table for writing, reading and the cadena original. Kind and optionality of an attribute are
those of its field. Sources: http://www.sat.gob.mx/sitio_internet/cfd/4/cfdv40.xsd,
http://www.sat.gob.mx/sitio_internet/cfd/Pagos/Pagos20.xsd.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import Enum, auto
from typing import Any, Final

from cfdi import comprobante as c
from cfdi import pagos as p
from cfdi.xml.names import PREFIXES


class Kind(Enum):
    TEXT = auto()  # blanks collapse
    VERBATIM = auto()  # blanks count
    PIPED = auto()  # may hold a "|"
    BASE64 = auto()
    AMOUNT = auto()
    MOMENT = auto()
    NUMBER = auto()
    IMPUESTO = auto()
    TIPO_FACTOR = auto()


_KINDS: Final = {
    "str": Kind.TEXT,
    "Decimal": Kind.AMOUNT,
    "datetime": Kind.MOMENT,
    "int": Kind.NUMBER,
    "Impuesto": Kind.IMPUESTO,
    "TipoFactor": Kind.TIPO_FACTOR,
}
#: The schema does not collapse these two: a NumeroPedimento holds double blanks.
_VERBATIM: Final = {"NumeroPedimento", "NumOperacion"}
#: The cadena of a payment is made of bars; for the other the schema has no pattern.
_PIPED: Final = {"CadPago", "NumRegIdTrib"}
_BASE64: Final = {"Certificado", "Sello", "SelloCFD", "SelloSAT"}


@dataclass(frozen=True, slots=True)
class Attribute:
    """`field` is "" where the value is not a field of the node's own class."""

    name: str
    field: str
    kind: Kind
    required: bool
    in_cadena: bool


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """An element. `made` is its dataclass; None where it stands for one text, or for itself."""

    prefix: str
    name: str
    made: Any
    version: str | None
    attributes: tuple[Attribute, ...]

    @property
    def tag(self) -> str:
        return f"{{{PREFIXES[self.prefix]}}}{self.name}"


def _node(
    name: str,
    made: Any,
    attributes: Mapping[str, str],
    *,
    version: str | None = None,
    unsealed: tuple[str, ...] = (),
) -> Node:
    prefix, _, local = name.partition(":")
    types = {field.name: str(field.type) for field in fields(made)} if made else {}
    row = []
    for attribute, field in attributes.items():
        annotation = types.get(field, "str")
        bare = annotation.removesuffix(" | None")
        kind = _KINDS[bare]
        if attribute in _VERBATIM:
            kind = Kind.VERBATIM
        elif attribute in _PIPED:
            kind = Kind.PIPED
        elif attribute in _BASE64:
            kind = Kind.BASE64
        sealed = attribute not in unsealed
        row.append(Attribute(attribute, field, kind, annotation == bare, sealed))
    return Node(prefix, local, made, version, tuple(row))


def _group(name: str) -> Node:
    return _node(name, None, {})


def _one(name: str, attribute: str) -> Node:
    return _node(name, None, {attribute: ""})


def _traslado(prefix: str, suffix: str) -> Node:
    return _node(
        f"{prefix}:Traslado{suffix}",
        c.Traslado,
        {
            f"Base{suffix}": "base",
            f"Impuesto{suffix}": "impuesto",
            f"TipoFactor{suffix}": "tipo_factor",
            f"TasaOCuota{suffix}": "tasa_o_cuota",
            f"Importe{suffix}": "importe",
        },
    )


def _retencion(prefix: str, suffix: str) -> Node:
    same = {one.name: one.field for one in _traslado(prefix, suffix).attributes}
    return _node(f"{prefix}:Retencion{suffix}", c.Retencion, same)


def _retencion_total(prefix: str, suffix: str) -> Node:
    names = {f"Impuesto{suffix}": "impuesto", f"Importe{suffix}": "importe"}
    return _node(f"{prefix}:Retencion{suffix}", c.RetencionTotal, names)


COMPROBANTE: Final = _node(
    "cfdi:Comprobante",
    c.Comprobante,
    {
        "Serie": "serie",
        "Folio": "folio",
        "Fecha": "fecha",
        "Sello": "",
        "FormaPago": "forma_pago",
        "NoCertificado": "",
        "Certificado": "",
        "CondicionesDePago": "condiciones_de_pago",
        "SubTotal": "sub_total",
        "Descuento": "descuento",
        "Moneda": "moneda",
        "TipoCambio": "tipo_cambio",
        "Total": "total",
        "TipoDeComprobante": "tipo_de_comprobante",
        "Exportacion": "exportacion",
        "MetodoPago": "metodo_pago",
        "LugarExpedicion": "lugar_expedicion",
        "Confirmacion": "confirmacion",
    },
    version="4.0",
    unsealed=("Sello", "Certificado"),
)
INFORMACION_GLOBAL: Final = _node(
    "cfdi:InformacionGlobal",
    c.InformacionGlobal,
    {"Periodicidad": "periodicidad", "Meses": "meses", "Año": "anio"},
)
RELACIONADOS: Final = _node(
    "cfdi:CfdiRelacionados", c.CfdiRelacionados, {"TipoRelacion": "tipo_relacion"}
)
RELACIONADO: Final = _one("cfdi:CfdiRelacionado", "UUID")
EMISOR: Final = _node(
    "cfdi:Emisor",
    c.Emisor,
    {
        "Rfc": "rfc",
        "Nombre": "nombre",
        "RegimenFiscal": "regimen_fiscal",
        "FacAtrAdquirente": "fac_atr_adquirente",
    },
)
RECEPTOR: Final = _node(
    "cfdi:Receptor",
    c.Receptor,
    {
        "Rfc": "rfc",
        "Nombre": "nombre",
        "DomicilioFiscalReceptor": "domicilio_fiscal",
        "ResidenciaFiscal": "residencia_fiscal",
        "NumRegIdTrib": "num_reg_id_trib",
        "RegimenFiscalReceptor": "regimen_fiscal",
        "UsoCFDI": "uso_cfdi",
    },
)
CONCEPTOS: Final = _group("cfdi:Conceptos")
CONCEPTO: Final = _node(
    "cfdi:Concepto",
    c.Concepto,
    {
        "ClaveProdServ": "clave_prod_serv",
        "NoIdentificacion": "no_identificacion",
        "Cantidad": "cantidad",
        "ClaveUnidad": "clave_unidad",
        "Unidad": "unidad",
        "Descripcion": "descripcion",
        "ValorUnitario": "valor_unitario",
        "Importe": "importe",
        "Descuento": "descuento",
        "ObjetoImp": "objeto_imp",
    },
)
CONCEPTO_IMPUESTOS: Final = _group("cfdi:Impuestos")
TRASLADOS: Final = _group("cfdi:Traslados")
RETENCIONES: Final = _group("cfdi:Retenciones")
TRASLADO: Final = _traslado("cfdi", "")
RETENCION: Final = _retencion("cfdi", "")
RETENCION_TOTAL: Final = _retencion_total("cfdi", "")
A_CUENTA_TERCEROS: Final = _node(
    "cfdi:ACuentaTerceros",
    c.ACuentaTerceros,
    {
        "RfcACuentaTerceros": "rfc",
        "NombreACuentaTerceros": "nombre",
        "RegimenFiscalACuentaTerceros": "regimen_fiscal",
        "DomicilioFiscalACuentaTerceros": "domicilio_fiscal",
    },
)
INFORMACION_ADUANERA: Final = _one("cfdi:InformacionAduanera", "NumeroPedimento")
CUENTA_PREDIAL: Final = _one("cfdi:CuentaPredial", "Numero")
COMPLEMENTO_CONCEPTO: Final = _group("cfdi:ComplementoConcepto")
PARTE: Final = _node(
    "cfdi:Parte",
    c.Parte,
    {
        "ClaveProdServ": "clave_prod_serv",
        "NoIdentificacion": "no_identificacion",
        "Cantidad": "cantidad",
        "Unidad": "unidad",
        "Descripcion": "descripcion",
        "ValorUnitario": "valor_unitario",
        "Importe": "importe",
    },
)
#: In the cadena each total comes after its taxes, not with the attributes.
IMPUESTOS: Final = _node(
    "cfdi:Impuestos",
    c.Impuestos,
    {
        "TotalImpuestosRetenidos": "total_retenidos",
        "TotalImpuestosTrasladados": "total_trasladados",
    },
    unsealed=("TotalImpuestosRetenidos", "TotalImpuestosTrasladados"),
)
COMPLEMENTO: Final = _group("cfdi:Complemento")
ADDENDA: Final = _group("cfdi:Addenda")

PAGOS: Final = _node("pago20:Pagos", p.Pagos, {}, version="2.0")
TOTALES: Final = _node(
    "pago20:Totales",
    p.Totales,
    {
        "TotalRetencionesIVA": "retenciones_iva",
        "TotalRetencionesISR": "retenciones_isr",
        "TotalRetencionesIEPS": "retenciones_ieps",
        "TotalTrasladosBaseIVA16": "traslados_base_iva16",
        "TotalTrasladosImpuestoIVA16": "traslados_impuesto_iva16",
        "TotalTrasladosBaseIVA8": "traslados_base_iva8",
        "TotalTrasladosImpuestoIVA8": "traslados_impuesto_iva8",
        "TotalTrasladosBaseIVA0": "traslados_base_iva0",
        "TotalTrasladosImpuestoIVA0": "traslados_impuesto_iva0",
        "TotalTrasladosBaseIVAExento": "traslados_base_iva_exento",
        "MontoTotalPagos": "monto_total_pagos",
    },
)
PAGO: Final = _node(
    "pago20:Pago",
    p.Pago,
    {
        "FechaPago": "fecha",
        "FormaDePagoP": "forma_pago",
        "MonedaP": "moneda",
        "TipoCambioP": "tipo_cambio",
        "Monto": "monto",
        "NumOperacion": "num_operacion",
        "RfcEmisorCtaOrd": "rfc_emisor_cta_ord",
        "NomBancoOrdExt": "nom_banco_ord_ext",
        "CtaOrdenante": "cta_ordenante",
        "RfcEmisorCtaBen": "rfc_emisor_cta_ben",
        "CtaBeneficiario": "cta_beneficiario",
        "TipoCadPago": "tipo_cad_pago",
        "CertPago": "cert_pago",
        "CadPago": "cad_pago",
        "SelloPago": "sello_pago",
    },
)
DOCTO_RELACIONADO: Final = _node(
    "pago20:DoctoRelacionado",
    p.DoctoRelacionado,
    {
        "IdDocumento": "id_documento",
        "Serie": "serie",
        "Folio": "folio",
        "MonedaDR": "moneda",
        "EquivalenciaDR": "equivalencia",
        "NumParcialidad": "num_parcialidad",
        "ImpSaldoAnt": "saldo_anterior",
        "ImpPagado": "pagado",
        "ImpSaldoInsoluto": "saldo_insoluto",
        "ObjetoImpDR": "objeto_imp",
    },
)
IMPUESTOS_DR: Final = _group("pago20:ImpuestosDR")
RETENCIONES_DR: Final = _group("pago20:RetencionesDR")
RETENCION_DR: Final = _retencion("pago20", "DR")
TRASLADOS_DR: Final = _group("pago20:TrasladosDR")
TRASLADO_DR: Final = _traslado("pago20", "DR")
IMPUESTOS_P: Final = _group("pago20:ImpuestosP")
RETENCIONES_P: Final = _group("pago20:RetencionesP")
RETENCION_P: Final = _retencion_total("pago20", "P")
TRASLADOS_P: Final = _group("pago20:TrasladosP")
TRASLADO_P: Final = _traslado("pago20", "P")

TIMBRE: Final = _node(
    "tfd:TimbreFiscalDigital",
    c.Timbre,
    {
        "UUID": "uuid",
        "FechaTimbrado": "fecha_timbrado",
        "RfcProvCertif": "rfc_prov_certif",
        "Leyenda": "leyenda",
        "SelloCFD": "sello_cfd",
        "NoCertificadoSAT": "no_certificado_sat",
        "SelloSAT": "sello_sat",
    },
    version="1.1",
    unsealed=("SelloSAT",),
)
