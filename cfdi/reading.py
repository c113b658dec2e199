"""Any CFDI 4.0 as data, with Pagos 2.0 and the TFD; nothing of it is lost or read for another.

What a document says is kept whole or refused by name. Comments, and blanks between SAT's elements,
say nothing and are not kept; in complements and addendas that this package does not know they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from lxml import etree

from cfdi.comprobante import (
    ACuentaTerceros,
    CfdiRelacionados,
    Comprobante,
    Concepto,
    Emisor,
    Impuestos,
    InformacionGlobal,
    Parte,
    Receptor,
    Retencion,
    RetencionTotal,
    Timbre,
    Traslado,
)
from cfdi.documento import Documento
from cfdi.pagos import DoctoRelacionado, Pago, Pagos, Totales
from cfdi.xml import nodes as n
from cfdi.xml.cursor import Cursor, DocumentUnreadable, Room
from cfdi.xml.names import COMPROBANTE, SCHEMA_LOCATION
from cfdi.xml.nodes import Node
from cfdi.xml.parsing import XmlRefused, parse

__all__ = ["DocumentUnreadable", "read", "read_element"]

_T = TypeVar("_T")

#: Elements and end tags: a global invoice of ten thousand tickets has about 150 000.
_MOST_TAGS = 600_000
_OLDER = {"http://www.sat.gob.mx/cfd/3", "http://www.sat.gob.mx/cfd/2"}


def read(xml: bytes) -> Documento:
    """The document as data. Raises `DocumentUnreadable`, and nothing else.

    Its rules are not judged (that is `cfdi.validate`), nor its seals (`cfdi.verify`): a value is
    refused only if it is none of its kind at all.
    """
    try:
        # "<" stands in no attribute, so this bounds the elements before they are made.
        if isinstance(xml, bytes) and xml.count(b"<") > _MOST_TAGS:
            raise DocumentUnreadable("xml", "more elements than a CFDI has")
        root = parse(xml)
    except XmlRefused as refused:
        raise DocumentUnreadable("xml", str(refused)) from None
    return read_element(root)


def read_element(root: etree._Element) -> Documento:
    """As `read`, of a document that was parsed by `cfdi.xml.parse`."""
    _refuse_other_documents(root)
    head = Cursor(root, n.COMPROBANTE, "Comprobante", Room())
    said = head.attributes(also=(SCHEMA_LOCATION,))
    location = said.pop(SCHEMA_LOCATION)
    number, certificado, sello = (
        said.pop(name) or "" for name in ("NoCertificado", "Certificado", "Sello")
    )
    comprobante = Comprobante(
        **said,
        informacion_global=head.maybe(n.INFORMACION_GLOBAL, _plain(InformacionGlobal)),
        relacionados=head.all(n.RELACIONADOS, _relacionados),
        emisor=head.needed(n.EMISOR, _plain(Emisor)),
        receptor=head.needed(n.RECEPTOR, _plain(Receptor)),
        conceptos=head.needed(n.CONCEPTOS, lambda group: group.some(n.CONCEPTO, _concepto)),
        impuestos=head.maybe(n.IMPUESTOS, _impuestos),
    )
    inside = head.maybe(n.COMPLEMENTO, _complemento) or []
    addenda = tuple(head.maybe(n.ADDENDA, lambda group: group.mixed(())) or ())
    head.end()
    stamps = [place for place, one in enumerate(inside) if isinstance(one, Timbre)]
    if len(stamps) > 1:
        raise head.refused("structure", "more than one TimbreFiscalDigital")
    timbre_at = stamps[0] if stamps else None
    timbre = None if timbre_at is None else inside.pop(timbre_at)
    whole = replace(comprobante, complementos=tuple(inside), addenda=addenda)
    return Documento(whole, number, certificado, sello, timbre, timbre_at, location)


def _refuse_other_documents(root: etree._Element) -> None:
    if root.tag == COMPROBANTE:
        return
    name = etree.QName(root)
    if name.localname == "Comprobante" and name.namespace in _OLDER:
        raise DocumentUnreadable("version", "an older CFDI: only version 4.0 is read")
    raise DocumentUnreadable("not_cfdi", "not a CFDI 4.0: its root is not cfdi:Comprobante")


def _plain(made: Callable[..., _T]) -> Callable[[Cursor], _T]:
    """A reader of elements that are attributes alone."""

    def reader(cursor: Cursor) -> _T:
        said = cursor.attributes()
        cursor.end()
        return made(**said)

    return reader


def _relacionados(cursor: Cursor) -> CfdiRelacionados:
    said = cursor.attributes()
    uuids = cursor.all(n.RELACIONADO, Cursor.only)
    cursor.end()
    return CfdiRelacionados(**said, uuids=uuids)


def _group(node: Node, made: Callable[..., _T]) -> Callable[[Cursor], tuple[_T, ...]]:
    """A reader of an element that holds others of one kind."""
    return lambda cursor: cursor.some(node, _plain(made))


_TRASLADOS = _group(n.TRASLADO, Traslado)
_RETENCIONES = _group(n.RETENCION, Retencion)
_RETENCIONES_TOTALES = _group(n.RETENCION_TOTAL, RetencionTotal)
_TRASLADOS_DR = _group(n.TRASLADO_DR, Traslado)
_RETENCIONES_DR = _group(n.RETENCION_DR, Retencion)
_TRASLADOS_P = _group(n.TRASLADO_P, Traslado)
_RETENCIONES_P = _group(n.RETENCION_P, RetencionTotal)

_Taxes = tuple[tuple[Traslado, ...], tuple[Retencion, ...]]


def _concepto(cursor: Cursor) -> Concepto:
    said = cursor.attributes()
    traslados, retenciones = cursor.maybe(n.CONCEPTO_IMPUESTOS, _concepto_impuestos) or ((), ())
    made = Concepto(
        **said,
        traslados=traslados,
        retenciones=retenciones,
        a_cuenta_terceros=cursor.maybe(n.A_CUENTA_TERCEROS, _plain(ACuentaTerceros)),
        pedimentos=cursor.all(n.INFORMACION_ADUANERA, Cursor.only),
        cuentas_prediales=cursor.all(n.CUENTA_PREDIAL, Cursor.only),
        complemento=tuple(
            cursor.maybe(n.COMPLEMENTO_CONCEPTO, lambda group: group.mixed(())) or ()
        ),
        partes=cursor.all(n.PARTE, _parte),
    )
    cursor.end()
    return made


def _concepto_impuestos(cursor: Cursor) -> _Taxes:
    traslados = cursor.maybe(n.TRASLADOS, _TRASLADOS) or ()
    retenciones = cursor.maybe(n.RETENCIONES, _RETENCIONES) or ()
    return _some_taxes(cursor, traslados, retenciones)


def _impuestos_dr(cursor: Cursor) -> _Taxes:
    retenciones = cursor.maybe(n.RETENCIONES_DR, _RETENCIONES_DR) or ()
    traslados = cursor.maybe(n.TRASLADOS_DR, _TRASLADOS_DR) or ()
    return _some_taxes(cursor, traslados, retenciones)


def _impuestos_p(cursor: Cursor) -> tuple[tuple[Traslado, ...], tuple[RetencionTotal, ...]]:
    retenciones = cursor.maybe(n.RETENCIONES_P, _RETENCIONES_P) or ()
    traslados = cursor.maybe(n.TRASLADOS_P, _TRASLADOS_P) or ()
    return _some_taxes(cursor, traslados, retenciones)


def _some_taxes(
    cursor: Cursor, traslados: tuple[Traslado, ...], retenciones: tuple[_T, ...]
) -> tuple[tuple[Traslado, ...], tuple[_T, ...]]:
    cursor.attributes()
    cursor.end()
    if not (traslados or retenciones):
        raise cursor.refused("structure", "is empty")
    return traslados, retenciones


def _parte(cursor: Cursor) -> Parte:
    said = cursor.attributes()
    pedimentos = cursor.all(n.INFORMACION_ADUANERA, Cursor.only)
    cursor.end()
    return Parte(**said, pedimentos=pedimentos)


def _impuestos(cursor: Cursor) -> Impuestos:
    said = cursor.attributes()
    retenciones = cursor.maybe(n.RETENCIONES, _RETENCIONES_TOTALES) or ()
    traslados = cursor.maybe(n.TRASLADOS, _TRASLADOS) or ()
    cursor.end()
    made = Impuestos(**said, traslados=traslados, retenciones=retenciones)
    if made == Impuestos():
        raise cursor.refused("structure", "is empty")
    return made


def _complemento(cursor: Cursor) -> list[Any]:
    return cursor.mixed(((n.PAGOS, _pagos), (n.TIMBRE, _timbre)))


def _timbre(cursor: Cursor) -> Timbre:
    said = cursor.attributes(also=(SCHEMA_LOCATION,))
    cursor.end()
    return Timbre(schema_location=said.pop(SCHEMA_LOCATION), **said)


def _pagos(cursor: Cursor) -> Pagos:
    said = cursor.attributes(also=(SCHEMA_LOCATION,))
    totales = cursor.needed(n.TOTALES, _plain(Totales))
    pagos = cursor.all(n.PAGO, _pago)
    cursor.end()
    return Pagos(totales, pagos, schema_location=said[SCHEMA_LOCATION])


def _pago(cursor: Cursor) -> Pago:
    said = cursor.attributes()
    documentos = cursor.all(n.DOCTO_RELACIONADO, _documento)
    traslados, retenciones = cursor.maybe(n.IMPUESTOS_P, _impuestos_p) or ((), ())
    cursor.end()
    return Pago(**said, documentos=documentos, traslados=traslados, retenciones=retenciones)


def _documento(cursor: Cursor) -> DoctoRelacionado:
    said = cursor.attributes()
    traslados, retenciones = cursor.maybe(n.IMPUESTOS_DR, _impuestos_dr) or ((), ())
    cursor.end()
    return DoctoRelacionado(**said, traslados=traslados, retenciones=retenciones)
