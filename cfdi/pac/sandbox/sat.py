"""Stands in for SAT's status service: SOAP over HTTP, answered from the sandbox's memory."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any, Final

from lxml import etree

from cfdi.pac.sandbox.cancellations import Cancellations
from cfdi.pac.sandbox.http import Reply
from cfdi.pac.sandbox.memory import Memory, Record
from cfdi.sat.status import NAMESPACE, EsCancelable, Estado, EstatusCancelacion
from cfdi.xml import XmlRefused, parse

_SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_DATA: Final = "http://schemas.datacontract.org/2004/07/Sat.Cfdi.Negocio.ConsultaCfdi.Servicio"
_FOUND: Final = "S - Comprobante obtenido satisfactoriamente."
_DIFFERENT: Final = "N - 601: La expresión impresa proporcionada no es válida."
_NOT_FOUND: Final = "N - 602: Comprobante no encontrado."
_NSMAP: Final[dict[Any, str]] = {None: NAMESPACE, "a": _DATA}
_TYPE: Final = "text/xml; charset=utf-8"


def consulta(body: bytes, memory: Memory, cancellations: Cancellations) -> Reply:
    """The answer to a Consulta, or a SOAP fault."""
    try:
        asked = parse(body).findtext(f".//{{{NAMESPACE}}}expresionImpresa")
    except XmlRefused:
        asked = None
    if asked is None:
        return Reply(500, _fault("the request is no Consulta"), _TYPE)
    fields = _fields(asked)
    record = memory.by_uuid(fields.get("id", ""))
    if record is None or not cancellations.is_known(record):
        return _answer(_NOT_FOUND, Estado.NO_ENCONTRADO)
    if not _fits(fields, record):
        return _answer(_DIFFERENT, Estado.NO_ENCONTRADO)
    gone = cancellations.is_cancelled(record.uuid)
    return _answer(
        _FOUND,
        Estado.CANCELADO if gone else Estado.VIGENTE,
        cancellations.es_cancelable(record),
        cancellations.estatus(record.uuid),
        "100" if memory.situacion_69b(record.rfc_emisor) == "Definitivo" else "200",
    )


def _fields(expression: str) -> dict[str, str]:
    """An & within an RFC is written as XML has it, and is none between fields."""
    whole = expression.removeprefix("?").replace("&amp;", "\0")
    pairs = (pair.partition("=") for pair in whole.split("&"))
    return {name: value.replace("\0", "&") for name, _, value in pairs}


def _fits(fields: dict[str, str], record: Record) -> bool:
    root = etree.fromstring(record.cfdi.encode())
    try:
        same_total = Decimal(fields.get("tt", "")) == Decimal(record.total)
    except InvalidOperation:
        return False
    return (
        same_total
        and fields.get("re") == record.rfc_emisor
        and fields.get("rr") == record.rfc_receptor
        and fields.get("fe") == root.get("Sello", "")[-8:]
    )


def _answer(
    codigo: str,
    estado: Estado,
    es_cancelable: EsCancelable = EsCancelable.NOT_SAID,
    estatus: EstatusCancelacion = EstatusCancelacion.NONE,
    efos: str = "",
) -> Reply:
    envelope, body = _envelope()
    response = etree.SubElement(body, f"{{{NAMESPACE}}}ConsultaResponse", nsmap=_NSMAP)
    result = etree.SubElement(response, f"{{{NAMESPACE}}}ConsultaResult")
    for name, text in (
        ("CodigoEstatus", codigo),
        ("EsCancelable", es_cancelable),
        ("Estado", estado),
        ("EstatusCancelacion", estatus),
        ("ValidacionEFOS", efos),
    ):
        etree.SubElement(result, f"{{{_DATA}}}{name}").text = str(text)
    return Reply(200, etree.tostring(envelope, encoding="UTF-8"), _TYPE)


def _fault(text: str) -> bytes:
    envelope, body = _envelope()
    fault = etree.SubElement(body, f"{{{_SOAP}}}Fault")
    etree.SubElement(fault, "faultcode").text = "s:Client"
    etree.SubElement(fault, "faultstring").text = text
    return etree.tostring(envelope, encoding="UTF-8")


def _envelope() -> tuple[etree._Element, etree._Element]:
    envelope = etree.Element(f"{{{_SOAP}}}Envelope", nsmap={"s": _SOAP})
    return envelope, etree.SubElement(envelope, f"{{{_SOAP}}}Body")
