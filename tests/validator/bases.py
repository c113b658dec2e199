"""Small valid documents of every kind, and the changes that make one defect in them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache
from typing import Final

from lxml import etree

from cfdi.xml import CFDI

Change = Callable[[etree._Element], None]

_HEAD = (
    '<cfdi:Comprobante xmlns:cfdi="http://www.sat.gob.mx/cfd/4" Version="4.0" Serie="F" Folio="1" '
    'Fecha="2026-11-20T12:00:00" Sello="" NoCertificado="" Certificado="" {head} '
    'LugarExpedicion="42501">{before}'
    '<cfdi:Emisor Rfc="EKU9003173C9" Nombre="ESCUELA KEMPER URGATE" RegimenFiscal="{regimen}"/>'
    "{receptor}<cfdi:Conceptos>{conceptos}</cfdi:Conceptos>{after}</cfdi:Comprobante>"
)
_RECEPTOR = (
    '<cfdi:Receptor Rfc="MISC491214B86" Nombre="CECILIA MIRANDA SANCHEZ" '
    'DomicilioFiscalReceptor="01010" RegimenFiscalReceptor="612" UsoCFDI="G03"/>'
)
_EVERYBODY = (
    '<cfdi:Receptor Rfc="XAXX010101000" Nombre="PUBLICO EN GENERAL" '
    'DomicilioFiscalReceptor="42501" RegimenFiscalReceptor="616" UsoCFDI="S01"/>'
)
_FOREIGNER = (
    '<cfdi:Receptor Rfc="XEXX010101000" Nombre="JOHN DOE" DomicilioFiscalReceptor="42501" '
    'ResidenciaFiscal="USA" NumRegIdTrib="123456789" RegimenFiscalReceptor="616" UsoCFDI="S01"/>'
)
_OWN = (
    '<cfdi:Receptor Rfc="EKU9003173C9" Nombre="ESCUELA KEMPER URGATE" '
    'DomicilioFiscalReceptor="42501" RegimenFiscalReceptor="601" UsoCFDI="S01"/>'
)
_CONCEPTO = (
    '<cfdi:Concepto ClaveProdServ="{clave}" Cantidad="{cantidad}" ClaveUnidad="H87" '
    'Descripcion="Taza" ValorUnitario="{valor}" Importe="{importe}" {more} ObjetoImp="{objeto}">'
    "{inside}</cfdi:Concepto>"
)
_MONEY: Final = 'FormaPago="03" SubTotal="{}" {} Total="{}" MetodoPago="PUE" Exportacion="{}"'


def concepto(
    importe: str,
    inside: str = "",
    *,
    objeto: str = "02",
    cantidad: str = "1",
    valor: str = "",
    more: str = "",
    clave: str = "53102500",
) -> str:
    return _CONCEPTO.format(
        importe=importe,
        inside=inside,
        objeto=objeto,
        cantidad=cantidad,
        valor=valor or importe,
        more=more,
        clave=clave,
    )


def traslado(base: str, importe: str, rate: str = "0.160000", impuesto: str = "002") -> str:
    return (
        f'<cfdi:Traslado Base="{base}" Impuesto="{impuesto}" TipoFactor="Tasa" '
        f'TasaOCuota="{rate}" Importe="{importe}"/>'
    )


def exento(base: str) -> str:
    return f'<cfdi:Traslado Base="{base}" Impuesto="002" TipoFactor="Exento"/>'


def retencion(base: str, importe: str, rate: str = "0.106667", impuesto: str = "002") -> str:
    return (
        f'<cfdi:Retencion Base="{base}" Impuesto="{impuesto}" TipoFactor="Tasa" '
        f'TasaOCuota="{rate}" Importe="{importe}"/>'
    )


def impuestos(traslados: str = "", retenciones: str = "") -> str:
    """Of a concept."""
    first = f"<cfdi:Traslados>{traslados}</cfdi:Traslados>" if traslados else ""
    last = f"<cfdi:Retenciones>{retenciones}</cfdi:Retenciones>" if retenciones else ""
    return f"<cfdi:Impuestos>{first}{last}</cfdi:Impuestos>"


def total_impuestos(
    traslados: str = "", retenciones: str = "", transferred: str = "", withheld: str = ""
) -> str:
    """Of the document."""
    last = f"<cfdi:Traslados>{traslados}</cfdi:Traslados>" if traslados else ""
    first = f"<cfdi:Retenciones>{retenciones}</cfdi:Retenciones>" if retenciones else ""
    totals = f' TotalImpuestosRetenidos="{withheld}"' if withheld else ""
    totals += f' TotalImpuestosTrasladados="{transferred}"' if transferred else ""
    return f"<cfdi:Impuestos{totals}>{first}{last}</cfdi:Impuestos>"


_ONE_LINE = concepto("100.00", impuestos(traslado("100.00", "16.00")))
_ONE_TAX = total_impuestos(traslado("100.00", "16.00"), transferred="16.00")
_COMERCIO_EXTERIOR = (
    '<cfdi:Complemento><cce20:ComercioExterior xmlns:cce20="http://www.sat.gob.mx/'
    'ComercioExterior20" Version="2.0" ClaveDePedimento="A1" CertificadoOrigen="0" '
    'TipoCambioUSD="18.50" TotalUSD="100.00"><cce20:Mercancias><cce20:Mercancia '
    'NoIdentificacion="A" ValorDolares="100.00"/></cce20:Mercancias></cce20:ComercioExterior>'
    "</cfdi:Complemento>"
)
_TERCERO = (
    '<cfdi:ACuentaTerceros RfcACuentaTerceros="CACX7605101P8" '
    'NombreACuentaTerceros="XOCHILT CASAS CHAVEZ" RegimenFiscalACuentaTerceros="612" '
    'DomicilioFiscalACuentaTerceros="36257"/>'
)
_PEDIMENTO = '<cfdi:InformacionAduanera NumeroPedimento="26  47  3807  6003832"/>'
_PARTE = (
    '<cfdi:Parte ClaveProdServ="53102500" Cantidad="2" Descripcion="Asa" ValorUnitario="10.00" '
    f'Importe="20.00">{_PEDIMENTO}</cfdi:Parte>'
)
_HIDROCARBUROS = (
    "<cfdi:ComplementoConcepto><hidrocarburospetroliferos:HidroYPetro "
    'xmlns:hidrocarburospetroliferos="http://www.sat.gob.mx/hidrocarburospetroliferos" '
    'Version="1.0" TipoPermiso="PER01" NumeroPermiso="PL/1234/EXP/ES/2015" ClaveHYP="15101514" '
    'SubProductoHYP="SP16"/></cfdi:ComplementoConcepto>'
)
_LOCAL = (
    '<cfdi:Complemento><implocal:ImpuestosLocales xmlns:implocal="http://www.sat.gob.mx/implocal" '
    'version="1.0" TotaldeRetenciones="0.00" TotaldeTraslados="3.00"><implocal:TrasladosLocales '
    'ImpLocTrasladado="ISH" TasadeTraslado="3.00" Importe="3.00"/></implocal:ImpuestosLocales>'
    "</cfdi:Complemento>"
)


def _document(
    head: str,
    conceptos: str,
    after: str = "",
    *,
    receptor: str = _RECEPTOR,
    before: str = "",
    regimen: str = "601",
) -> str:
    return _HEAD.format(
        head=head,
        conceptos=conceptos,
        after=after,
        receptor=receptor,
        before=before,
        regimen=regimen,
    )


def _sold(
    sub_total: str, total: str, *, descuento: str = "", tipo: str = "I", export: str = "01"
) -> str:
    more = f'Descuento="{descuento}"' if descuento else ""
    money = _MONEY.format(sub_total, more, total, export)
    return f'{money} Moneda="MXN" TipoDeComprobante="{tipo}"'


_SIMPLE = _sold("100.00", "116.00")
_MONTH = '<cfdi:InformacionGlobal Periodicidad="04" Meses="11" Año="2026"/>'

BASES: Final[dict[str, str]] = {
    "sale": _document(_SIMPLE, _ONE_LINE, _ONE_TAX),
    "mixed": _document(
        _sold("160.00", "154.80", descuento="10.00"),
        concepto(
            "100.00",
            impuestos(traslado("90.00", "14.40"), retencion("90.00", "9.60")),
            cantidad="2",
            valor="50.00",
            more='Descuento="10.00"',
        )
        + concepto("50.00", impuestos(exento("50.00")))
        + concepto("10.00", objeto="01"),
        total_impuestos(
            traslado("90.00", "14.40") + exento("50.00"),
            '<cfdi:Retencion Impuesto="002" Importe="9.60"/>',
            "14.40",
            "9.60",
        ),
    ),
    "exempt": _document(
        _sold("50.00", "50.00"),
        concepto("50.00", impuestos(exento("50.00"))),
        total_impuestos(exento("50.00")),
    ),
    "untaxed": _document(_sold("100.00", "100.00"), concepto("100.00", objeto="01")),
    "ieps": _document(
        _sold("100.00", "108.00"),
        concepto("100.00", impuestos(traslado("100.00", "8.00", "0.080000", "003")), objeto="07"),
        total_impuestos(traslado("100.00", "8.00", "0.080000", "003"), transferred="8.00"),
    ),
    "isr": _document(
        _sold("100.00", "98.75"),
        concepto(
            "100.00",
            impuestos("", retencion("100.00", "1.25", "0.012500", "001")),
            objeto="06",
        ),
        total_impuestos("", '<cfdi:Retencion Impuesto="001" Importe="1.25"/>', withheld="1.25"),
    ),
    "local": _document(_sold("100.00", "119.00"), _ONE_LINE, _ONE_TAX + _LOCAL),
    "global": _document(_SIMPLE, _ONE_LINE, _ONE_TAX, receptor=_EVERYBODY, before=_MONTH),
    "foreigner": _document(_SIMPLE, _ONE_LINE, _ONE_TAX, receptor=_FOREIGNER),
    "export": _document(
        _sold("100.00", "116.00", export="02"),
        _ONE_LINE,
        _ONE_TAX + _COMERCIO_EXTERIOR,
        receptor=_FOREIGNER,
    ),
    "credit": _document(
        _sold("100.00", "116.00", tipo="E"),
        _ONE_LINE,
        _ONE_TAX,
        before='<cfdi:CfdiRelacionados TipoRelacion="01"><cfdi:CfdiRelacionado '
        'UUID="11111111-2222-4333-8444-555555555555"/></cfdi:CfdiRelacionados>',
    ),
    "transfer": _document(
        'SubTotal="0" Total="0" Moneda="XXX" TipoDeComprobante="T" Exportacion="01"',
        concepto("0", objeto="01", cantidad="3"),
        receptor=_OWN,
    ),
    "terceros": _document(
        _SIMPLE,
        concepto("100.00", impuestos(traslado("100.00", "16.00")) + _TERCERO),
        _ONE_TAX,
    ),
    "parts": _document(
        _SIMPLE,
        concepto("100.00", impuestos(traslado("100.00", "16.00")) + _PEDIMENTO + _PARTE),
        _ONE_TAX,
    ),
    "fuel": _document(
        _SIMPLE,
        concepto(
            "100.00",
            impuestos(traslado("100.00", "16.00")) + _HIDROCARBUROS,
            clave="15101514",
        ),
        _ONE_TAX,
    ),
}


@cache
def _parsed(name: str) -> etree._Element:
    return etree.fromstring(BASES[name])


def base(name: str, *changes: Change) -> etree._Element:
    """A copy of the document of that name after the changes, not yet sealed."""
    root = copy.deepcopy(_parsed(name))
    for change in changes:
        change(root)
    return root


def at(root: etree._Element, place: str) -> etree._Element:
    """`place` is a path like "Conceptos/Concepto[2]", "" the root."""
    steps = "/".join(f"{{{CFDI}}}{step}" for step in place.split("/") if step)
    found = root.find(steps) if steps else root
    assert found is not None, f"{place} is not in the document"
    return found


def put(place: str = "", **attributes: str | None) -> Change:
    """Attributes as given; None takes one away."""

    def change(root: etree._Element) -> None:
        node = at(root, place)
        for name, value in attributes.items():
            if value is None:
                del node.attrib[name]
            else:
                node.set(name, value)

    return change


def drop(place: str) -> Change:
    def change(root: etree._Element) -> None:
        node = at(root, place)
        above = node.getparent()
        assert above is not None
        above.remove(node)

    return change


def insert(place: str, xml: str, index: int = 0) -> Change:
    """As a child of `place`, before its child of that index (-1: as the last)."""

    def change(root: etree._Element) -> None:
        node = at(root, place)
        new = etree.fromstring(f'<x xmlns:cfdi="{CFDI}">{xml}</x>')[0]
        node.insert(len(node) if index < 0 else index, new)

    return change


#: Places that many cases name.
LINE = "Conceptos/Concepto"
LINE_TAX = f"{LINE}/Impuestos/Traslados/Traslado"
LINE_WITHHELD = f"{LINE}/Impuestos/Retenciones/Retencion"
TAX = "Impuestos/Traslados/Traslado"
WITHHELD = "Impuestos/Retenciones/Retencion"
