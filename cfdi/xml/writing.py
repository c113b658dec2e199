"""A `Comprobante` as XML in the order of Anexo 20, together with its cadena original.

Order of children and attributes: http://www.sat.gob.mx/sitio_internet/cfd/4/cfdv40.xsd and
http://www.sat.gob.mx/sitio_internet/cfd/Pagos/Pagos20.xsd. The text is what libxml2 would write
for the same tree; the tests hold it to that and the cadena to SAT's style sheet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from lxml import etree

from cfdi.comprobante import (
    CfdiRelacionados,
    Comprobante,
    Concepto,
    Extranjero,
    Impuestos,
    Parte,
    Timbre,
)
from cfdi.pagos import DoctoRelacionado, Pago, Pagos
from cfdi.xml import names
from cfdi.xml import nodes as n
from cfdi.xml.parsing import DECLARATION, XmlRefused, parse
from cfdi.xml.sheet import SELLO, Sheet
from cfdi.xml.values import escaped

_OWN_PARSER = etree.XMLParser(
    encoding="utf-8", resolve_entities=False, no_network=True, huge_tree=True
)


@dataclass(frozen=True, slots=True)
class Seals:
    """What stands on a document besides what it says; empty texts are not written.

    `timbre_at` is the place of the TFD among the complements, None for the last one.
    `location` is the root's schemaLocation: None for ours, "" for none.
    """

    no_certificado: str = ""
    certificado: str = ""
    sello: str = ""
    timbre: Timbre | None = None
    timbre_at: int | None = None
    location: str | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A document as text. `cadena` is None where only SAT's style sheet can tell it."""

    parts: list[str]
    sello_at: int | None
    cadena: str | None

    def xml(self, sello: str | None = None) -> bytes:
        """In UTF-8 with its declaration; `sello` takes the place that was held for it."""
        if sello is not None and self.sello_at is not None:
            self.parts[self.sello_at] = f'{SELLO}{escaped(sello)}"'
        return "".join((DECLARATION, *self.parts)).encode()

    def tree(self) -> etree._Element:
        return etree.fromstring(self.xml(), _OWN_PARSER)


def build(
    comprobante: Comprobante, *, no_certificado: str = "", certificado: str = ""
) -> etree._Element:
    """The document without its seal; given a certificate, with it and a `Sello` yet to be set.

    The addenda is left out: it is added to the stamped document (`add_addenda`). Raises
    `ValueError` naming the attribute for what no CFDI can say: a negative or infinite amount, a
    `|` or control character, an instant with a zone.
    """
    sello = "-" if certificado else ""
    return write(comprobante, Seals(no_certificado, certificado, sello)).tree()


def write(comprobante: Comprobante, seals: Seals, *, addenda: bool = False) -> Text:
    """The document with these seals. Raises as `build`."""
    sheet = Sheet()
    _root(sheet, comprobante, seals)
    if comprobante.informacion_global is not None:
        sheet.put(n.INFORMACION_GLOBAL, comprobante.informacion_global)
    for relacionados in comprobante.relacionados:
        _relacionados(sheet, relacionados)
    sheet.put(n.EMISOR, comprobante.emisor)
    sheet.put(n.RECEPTOR, comprobante.receptor)
    sheet.open(n.CONCEPTOS)
    for concepto in comprobante.conceptos:
        _concepto(sheet, concepto)
    sheet.close(n.CONCEPTOS)
    if comprobante.impuestos is not None:
        _impuestos(sheet, comprobante.impuestos)
    _complementos(sheet, comprobante, seals)
    if addenda and comprobante.addenda:
        sheet.xml.append(_addenda(comprobante.addenda))
    sheet.close(n.COMPROBANTE)
    cadena = f"||{'|'.join(sheet.cadena)}||" if sheet.cadena_known else None
    return Text(sheet.xml, sheet.sello_at, cadena)


def add_addenda(stamped: bytes, addenda: Sequence[Extranjero]) -> bytes:
    """The stamped document with an Addenda at its end, every other byte as it was.

    Raises `XmlRefused` for what is no XML, `ValueError` for a document that is not stamped or has
    an Addenda.
    """
    root = parse(stamped)
    if root.tag != names.COMPROBANTE or root.find(f".//{names.TIMBRE}") is None:
        raise ValueError("only a stamped CFDI 4.0 is given an Addenda")
    if root.find(names.ADDENDA) is not None:
        raise ValueError("the document has an Addenda already")
    if not addenda:
        return stamped
    # The last end tag is the root's, unless a comment after it holds another.
    head, end, tail = stamped.rpartition(b"</cfdi:Comprobante")
    made = b"".join((head, _addenda(addenda).encode(), end, tail))
    if not _says_the_same(root, made):
        raise ValueError("the document does not end as a CFDI does")
    return made


def _says_the_same(root: etree._Element, made: bytes) -> bool:
    try:
        again = parse(made)
    except XmlRefused:
        return False
    added = again.find(names.ADDENDA)
    if added is None:
        return False
    again.remove(added)
    both = (etree.tostring(each, method="c14n", with_comments=True) for each in (root, again))
    return next(both) == next(both)


def _addenda(addenda: Iterable[Extranjero]) -> str:
    return f"<cfdi:Addenda>{''.join(map(_foreign, addenda))}</cfdi:Addenda>"


def _root(sheet: Sheet, comprobante: Comprobante, seals: Seals) -> None:
    pagos = any(isinstance(each, Pagos) for each in comprobante.complementos)
    prefixes = ("cfdi", "xsi", "pago20") if pagos else ("cfdi", "xsi")
    ours = f"{names.LOCATION} {names.LOCATION_PAGOS}" if pagos else names.LOCATION
    serie, folio, fecha, forma_pago, *others = _HEAD(comprobante)
    sello, number, certificado = seals.sello, seals.no_certificado, seals.certificado
    sheet.root(
        n.COMPROBANTE,
        prefixes,
        ours if seals.location is None else seals.location,
        (serie, folio, fecha, sello, forma_pago, number, certificado, *others),
    )


#: The fields of the root, less the three that are not the comprobante's own.
_HEAD = attrgetter(*(row.field for row in n.COMPROBANTE.attributes if row.field))


def _relacionados(sheet: Sheet, relacionados: CfdiRelacionados) -> None:
    sheet.put(n.RELACIONADOS, relacionados, closed=False)
    for uuid in relacionados.uuids:
        sheet.one(n.RELACIONADO, uuid)
    sheet.close(n.RELACIONADOS)


def _concepto(sheet: Sheet, concepto: Concepto) -> None:
    empty = not (
        concepto.traslados
        or concepto.retenciones
        or concepto.a_cuenta_terceros
        or concepto.pedimentos
        or concepto.cuentas_prediales
        or concepto.complemento
        or concepto.partes
    )
    sheet.put(n.CONCEPTO, concepto, closed=empty)
    if empty:
        return
    if concepto.traslados or concepto.retenciones:
        # In a concept the transferred taxes come first; in the document they come last.
        sheet.open(n.CONCEPTO_IMPUESTOS)
        sheet.many(n.TRASLADOS, n.TRASLADO, concepto.traslados)
        sheet.many(n.RETENCIONES, n.RETENCION, concepto.retenciones)
        sheet.close(n.CONCEPTO_IMPUESTOS)
    if concepto.a_cuenta_terceros is not None:
        sheet.put(n.A_CUENTA_TERCEROS, concepto.a_cuenta_terceros)
    for pedimento in concepto.pedimentos:
        sheet.one(n.INFORMACION_ADUANERA, pedimento)
    for predial in concepto.cuentas_prediales:
        sheet.one(n.CUENTA_PREDIAL, predial)
    if concepto.complemento:
        sheet.open(n.COMPLEMENTO_CONCEPTO)
        for each in concepto.complemento:
            sheet.unknown(_foreign(each))
        sheet.close(n.COMPLEMENTO_CONCEPTO)
    for parte in concepto.partes:
        _parte(sheet, parte)
    sheet.close(n.CONCEPTO)


def _parte(sheet: Sheet, parte: Parte) -> None:
    sheet.put(n.PARTE, parte, closed=not parte.pedimentos)
    for pedimento in parte.pedimentos:
        sheet.one(n.INFORMACION_ADUANERA, pedimento)
    if parte.pedimentos:
        sheet.close(n.PARTE)


_NO_TAXES: Final = Impuestos()


def _impuestos(sheet: Sheet, impuestos: Impuestos) -> None:
    if impuestos == _NO_TAXES:
        return
    sheet.put(n.IMPUESTOS, impuestos, closed=False)
    sheet.many(n.RETENCIONES, n.RETENCION_TOTAL, impuestos.retenciones)
    sheet.total(n.IMPUESTOS, "total_retenidos", impuestos)
    sheet.many(n.TRASLADOS, n.TRASLADO, impuestos.traslados)
    sheet.total(n.IMPUESTOS, "total_trasladados", impuestos)
    sheet.close(n.IMPUESTOS)


def _complementos(sheet: Sheet, comprobante: Comprobante, seals: Seals) -> None:
    inside: list[Pagos | Extranjero | Timbre] = [*comprobante.complementos]
    if seals.timbre is not None:
        at = len(inside) if seals.timbre_at is None else seals.timbre_at
        inside.insert(at, seals.timbre)
    if not inside:
        return
    sheet.open(n.COMPLEMENTO)
    for each in inside:
        if isinstance(each, Pagos):
            _pagos(sheet, each)
        elif isinstance(each, Timbre):
            sheet.declared(n.TIMBRE, each, each.schema_location, sealed=False)
        else:
            sheet.unknown(_foreign(each))
    sheet.close(n.COMPLEMENTO)


def _pagos(sheet: Sheet, pagos: Pagos) -> None:
    sheet.declared(n.PAGOS, pagos, pagos.schema_location, sealed=True)
    sheet.put(n.TOTALES, pagos.totales)
    for pago in pagos.pagos:
        _pago(sheet, pago)
    sheet.close(n.PAGOS)


def _pago(sheet: Sheet, pago: Pago) -> None:
    sheet.put(n.PAGO, pago, closed=False)
    for documento in pago.documentos:
        _documento(sheet, documento)
    if pago.traslados or pago.retenciones:
        sheet.open(n.IMPUESTOS_P)
        sheet.many(n.RETENCIONES_P, n.RETENCION_P, pago.retenciones)
        sheet.many(n.TRASLADOS_P, n.TRASLADO_P, pago.traslados)
        sheet.close(n.IMPUESTOS_P)
    sheet.close(n.PAGO)


def _documento(sheet: Sheet, documento: DoctoRelacionado) -> None:
    taxed = bool(documento.traslados or documento.retenciones)
    sheet.put(n.DOCTO_RELACIONADO, documento, closed=not taxed)
    if taxed:
        sheet.open(n.IMPUESTOS_DR)
        sheet.many(n.RETENCIONES_DR, n.RETENCION_DR, documento.retenciones)
        sheet.many(n.TRASLADOS_DR, n.TRASLADO_DR, documento.traslados)
        sheet.close(n.IMPUESTOS_DR)
        sheet.close(n.DOCTO_RELACIONADO)


def _foreign(foreign: Extranjero) -> str:
    """What is given may be anything: only what was parsed as one element is written."""
    return etree.tostring(parse(foreign.xml), encoding="unicode", with_tail=False)
