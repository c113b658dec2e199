"""The printed words. What the SAT asks to be printed stays in Spanish in every language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

LEGEND: Final = "Este documento es una representación impresa de un CFDI"
SANDBOX: Final = "SIN VALIDEZ FISCAL — DOCUMENTO DE PRUEBA"

TIPO_DE_COMPROBANTE: Final = {"I": "Ingreso", "E": "Egreso"}
METODO_PAGO: Final = {
    "PUE": "Pago en una sola exhibición",
    "PPD": "Pago en parcialidades o diferido",
}
EXPORTACION: Final = {
    "01": "No aplica",
    "02": "Definitiva con clave A1",
    "03": "Temporal",
    "04": "Definitiva con clave distinta a A1 o cuando no existe enajenación en términos del CFF",
}
TIPO_RELACION: Final = {
    "01": "Nota de crédito de los documentos relacionados",
    "02": "Nota de débito de los documentos relacionados",
    "03": "Devolución de mercancía sobre facturas o traslados previos",
    "04": "Sustitución de los CFDI previos",
    "05": "Traslados de mercancías facturados previamente",
    "06": "Factura generada por los traslados previos",
    "07": "CFDI por aplicación de anticipo",
}
PERIODICIDAD: Final = {
    "01": "Diario",
    "02": "Semanal",
    "03": "Quincenal",
    "04": "Mensual",
    "05": "Bimestral",
}
IMPUESTO: Final = {"001": "ISR", "002": "IVA", "003": "IEPS"}

_ES: Final = {
    "title_I": "Factura",
    "title_E": "Nota de crédito",
    "folio": "Folio",
    "uuid": "Folio fiscal (UUID)",
    "issued": "Fecha de emisión",
    "certified": "Fecha de certificación",
    "place": "Lugar de expedición (CP)",
    "kind": "Tipo de comprobante",
    "issuer": "Emisor",
    "receiver": "Receptor",
    "rfc": "RFC",
    "regimen": "Régimen fiscal",
    "domicilio": "Domicilio fiscal (CP)",
    "uso": "Uso del CFDI",
    "clave": "Clave",
    "descripcion": "Descripción",
    "cantidad": "Cantidad",
    "unidad": "Unidad",
    "valor_unitario": "Valor unitario",
    "descuento": "Descuento",
    "importe": "Importe",
    "objeto": "Objeto de impuesto",
    "base": "base",
    "retencion": "Retención",
    "exento": "exento",
    "cuota": "cuota",
    "subtotal": "Subtotal",
    "total": "Total",
    "letra": "Importe con letra",
    "forma_pago": "Forma de pago",
    "metodo_pago": "Método de pago",
    "condiciones": "Condiciones de pago",
    "moneda": "Moneda",
    "tipo_cambio": "Tipo de cambio",
    "exportacion": "Exportación",
    "relacion": "CFDI relacionados",
    "global": "Información global",
    "certificado": "Certificado del emisor",
    "certificado_sat": "Certificado del SAT",
    "pac": "RFC del proveedor de certificación",
    "leyenda_sat": "Leyenda del SAT",
    "sello": "Sello digital del CFDI",
    "sello_sat": "Sello digital del SAT",
    "cadena": "Cadena original del complemento de certificación digital del SAT",
    "verify": "Verificar en el SAT",
    "page": "Página",
    "of": "de",
}
_EN: Final = _ES | {
    "title_I": "Factura · Invoice",
    "title_E": "Nota de crédito · Credit note",
    "folio": "Number",
    "uuid": "Fiscal folio (UUID)",
    "issued": "Issued",
    "certified": "Certified",
    "place": "Place of issue (postal code)",
    "kind": "Type of document",
    "issuer": "Issuer",
    "receiver": "Receiver",
    "rfc": "RFC (tax id)",
    "regimen": "Tax regime",
    "domicilio": "Tax domicile (postal code)",
    "uso": "Use of the CFDI",
    "clave": "Key",
    "descripcion": "Description",
    "cantidad": "Quantity",
    "unidad": "Unit",
    "valor_unitario": "Unit price",
    "descuento": "Discount",
    "importe": "Amount",
    "objeto": "Subject to tax",
    "retencion": "Withheld",
    "exento": "exempt",
    "cuota": "per unit",
    "letra": "Amount in words",
    "forma_pago": "Form of payment",
    "metodo_pago": "Method of payment",
    "condiciones": "Terms of payment",
    "moneda": "Currency",
    "tipo_cambio": "Exchange rate",
    "exportacion": "Export",
    "relacion": "Related CFDI",
    "global": "Global invoice",
    "certificado": "Issuer's certificate",
    "certificado_sat": "SAT's certificate",
    "pac": "Certification provider (RFC)",
    "leyenda_sat": "SAT's legend",
    "sello": "Digital seal of the CFDI",
    "sello_sat": "Digital seal of the SAT",
    "cadena": "Original string of the SAT's certification (TFD)",
    "verify": "Verify at the SAT",
    "page": "Page",
    "of": "of",
}


def labels(language: str) -> Mapping[str, str]:
    """English for "en" and "en-…"; Spanish for everything else."""
    return _EN if language.lower().startswith("en") else _ES
