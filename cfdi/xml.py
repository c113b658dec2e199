"""A `Comprobante` as XML in the order of Anexo 20, and foreign XML read without trusting it.

Order of children and attributes: http://www.sat.gob.mx/sitio_internet/cfd/4/cfdv40.xsd
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from lxml import etree

from cfdi.comprobante import (
    Comprobante,
    Concepto,
    Impuestos,
    Retencion,
    Traslado,
)

CFDI = "http://www.sat.gob.mx/cfd/4"
PAGO20 = "http://www.sat.gob.mx/Pagos20"
TFD = "http://www.sat.gob.mx/TimbreFiscalDigital"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
SCHEMA_LOCATION = f"{{{XSI}}}schemaLocation"
COMPROBANTE = f"{{{CFDI}}}Comprobante"
COMPLEMENTO = f"{{{CFDI}}}Complemento"
TIMBRE = f"{{{TFD}}}TimbreFiscalDigital"
#: A global invoice of ten thousand tickets stays below this.
MAX_BYTES = 16 * 1024 * 1024

_LOCATION = f"{CFDI} http://www.sat.gob.mx/sitio_internet/cfd/4/cfdv40.xsd"
_XML_BLANKS = re.compile(r"[ \t\r\n]+")
# Characters that XML 1.0 does not know (§2.2) and the one that SAT's patterns refuse in any text.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|\\|")

_Value = str | Decimal | datetime | None


class XmlRefused(ValueError):
    """Bytes that are not XML we are willing to read. The message never repeats them."""


def build(
    comprobante: Comprobante, *, no_certificado: str = "", certificado: str = ""
) -> etree._Element:
    """The document without its seal; given a certificate, with it and a `Sello` yet to be set.

    Raises `ValueError` naming the attribute for what no CFDI can say: a negative or infinite
    amount, a `|` or control character, an instant with a zone.
    """
    head = _text(_head(comprobante, no_certificado, certificado))
    head = {SCHEMA_LOCATION: _LOCATION, **head}
    root = etree.Element(COMPROBANTE, head, nsmap={"cfdi": CFDI, "xsi": XSI})
    _emisor_and_receptor(root, comprobante)
    conceptos = _child(root, "Conceptos")
    for concepto in comprobante.conceptos:
        _concepto(conceptos, concepto)
    if comprobante.impuestos is not None:
        _impuestos(root, comprobante.impuestos)
    return root


def parse(data: bytes, *, max_bytes: int = MAX_BYTES) -> etree._Element:
    """The root of a document in UTF-8: no DTD, no entities, no network, at most `max_bytes`.

    Raises `XmlRefused`.
    """
    if not isinstance(data, bytes):
        raise XmlRefused("XML is read from bytes only")
    if len(data) > max_bytes:
        raise XmlRefused(f"larger than {max_bytes} bytes")
    # The parser is held to UTF-8 below, so no other encoding can hide a DTD from this look.
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise XmlRefused("a document type or entity is not accepted")
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        return etree.fromstring(data.removeprefix(b"\xef\xbb\xbf"), parser)
    except (etree.XMLSyntaxError, ValueError):
        raise XmlRefused("not well-formed XML in UTF-8") from None


def serialize(root: etree._Element) -> bytes:
    """UTF-8 with its declaration."""
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + etree.tostring(root, encoding="UTF-8")


def _head(comprobante: Comprobante, no_certificado: str, certificado: str) -> Mapping[str, _Value]:
    return {
        "Version": "4.0",
        "Serie": comprobante.serie,
        "Folio": comprobante.folio,
        "Fecha": comprobante.fecha,
        # Holds its place: the seal is made of the finished document, in which it takes no part.
        "Sello": "-" if certificado else None,
        "FormaPago": comprobante.forma_pago,
        "NoCertificado": no_certificado,
        "Certificado": certificado,
        "CondicionesDePago": comprobante.condiciones_de_pago,
        "SubTotal": comprobante.sub_total,
        "Descuento": comprobante.descuento,
        "Moneda": comprobante.moneda,
        "TipoCambio": comprobante.tipo_cambio,
        "Total": comprobante.total,
        "TipoDeComprobante": comprobante.tipo_de_comprobante,
        "Exportacion": comprobante.exportacion,
        "MetodoPago": comprobante.metodo_pago,
        "LugarExpedicion": comprobante.lugar_expedicion,
    }


def _emisor_and_receptor(root: etree._Element, comprobante: Comprobante) -> None:
    emisor, receptor = comprobante.emisor, comprobante.receptor
    _child(
        root,
        "Emisor",
        {"Rfc": emisor.rfc, "Nombre": emisor.nombre, "RegimenFiscal": emisor.regimen_fiscal},
    )
    _child(
        root,
        "Receptor",
        {
            "Rfc": receptor.rfc,
            "Nombre": receptor.nombre,
            "DomicilioFiscalReceptor": receptor.domicilio_fiscal,
            "RegimenFiscalReceptor": receptor.regimen_fiscal,
            "UsoCFDI": receptor.uso_cfdi,
        },
    )


def _concepto(conceptos: etree._Element, concepto: Concepto) -> None:
    node = _child(
        conceptos,
        "Concepto",
        {
            "ClaveProdServ": concepto.clave_prod_serv,
            "NoIdentificacion": concepto.no_identificacion,
            "Cantidad": concepto.cantidad,
            "ClaveUnidad": concepto.clave_unidad,
            "Unidad": concepto.unidad,
            "Descripcion": concepto.descripcion,
            "ValorUnitario": concepto.valor_unitario,
            "Importe": concepto.importe,
            "Descuento": concepto.descuento,
            "ObjetoImp": concepto.objeto_imp,
        },
    )
    if concepto.traslados or concepto.retenciones:
        # In a concept the transferred taxes come first; in the document they come last.
        impuestos = _child(node, "Impuestos")
        _group(impuestos, "Traslado", [_tax(each) for each in concepto.traslados])
        _group(impuestos, "Retencion", [_tax(each) for each in concepto.retenciones])


def _impuestos(root: etree._Element, impuestos: Impuestos) -> None:
    if not (impuestos.traslados or impuestos.retenciones):
        return
    totals = {
        "TotalImpuestosRetenidos": impuestos.total_retenidos,
        "TotalImpuestosTrasladados": impuestos.total_trasladados,
    }
    retenidos: list[Mapping[str, _Value]] = [
        {"Impuesto": str(each.impuesto), "Importe": each.importe} for each in impuestos.retenciones
    ]
    node = _child(root, "Impuestos", totals)
    _group(node, "Retencion", retenidos)
    _group(node, "Traslado", [_tax(each) for each in impuestos.traslados])


#: The plural is irregular in one of the two.
_PLURAL = {"Traslado": "Traslados", "Retencion": "Retenciones"}


def _group(parent: etree._Element, name: str, taxes: Sequence[Mapping[str, _Value]]) -> None:
    if taxes:
        group = _child(parent, _PLURAL[name])
        for tax in taxes:
            _child(group, name, tax)


def _tax(tax: Traslado | Retencion) -> Mapping[str, _Value]:
    return {
        "Base": tax.base,
        "Impuesto": str(tax.impuesto),
        "TipoFactor": str(tax.tipo_factor),
        "TasaOCuota": tax.tasa_o_cuota,
        "Importe": tax.importe,
    }


def _child(
    parent: etree._Element, name: str, attributes: Mapping[str, _Value] | None = None
) -> etree._Element:
    return etree.SubElement(parent, f"{{{CFDI}}}{name}", _text(attributes or {}))


def _text(attributes: Mapping[str, _Value]) -> dict[str, str]:
    """What is said, as it is written; what is not said is left out."""
    return {
        name: _written(name, value)
        for name, value in attributes.items()
        if value is not None and value != ""
    }


def _written(name: str, value: str | Decimal | datetime) -> str:
    if isinstance(value, Decimal):
        if not value.is_finite() or value.is_signed():
            raise ValueError(f"{name}: not a finite amount of zero or more")
        return f"{value:f}"
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            raise ValueError(f"{name}: must be the local time at LugarExpedicion, without a zone")
        return value.isoformat(timespec="seconds")
    if value.isalnum():  # most are, and nothing of them is a blank, a control or "|"
        return value
    if _FORBIDDEN.search(value):
        raise ValueError(f"{name}: holds a character that SAT does not accept ('|' or a control)")
    # xs:whiteSpace collapse; what is written is then what the cadena original says.
    return _XML_BLANKS.sub(" ", value).strip(" ")
