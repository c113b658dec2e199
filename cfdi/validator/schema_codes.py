"""SAT's code for an attribute that the XSD refuses; 301 where the matrix has no row for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lxml import etree

from cfdi.xml import CFDI, PAGO20

MALFORMED: Final = "301"
_OURS: Final = (f"{{{CFDI}}}", f"{{{PAGO20}}}")
_TOO_SMALL: Final = "SCHEMAV_CVC_MININCLUSIVE_VALID"

#: Any value that the XSD refuses at the place: "parent/element/attribute".
_BY_PLACE: Final[Mapping[str, str]] = {
    "/Comprobante/Fecha": "CFDI40101",
    "/Comprobante/TipoCambio": "CFDI40117",
    "Comprobante/InformacionGlobal/Año": "CFDI40136",
    "Comprobante/Emisor/FacAtrAdquirente": "CFDI40142",
    "Concepto/InformacionAduanera/NumeroPedimento": "CFDI40194",
    "Parte/InformacionAduanera/NumeroPedimento": "CFDI40199",
}
#: A number that is smaller than the XSD allows.
_BY_PLACE_TOO_SMALL: Final[Mapping[str, str]] = {
    "Traslados/Traslado/Base": "CFDI40174",
    "Retenciones/Retencion/Base": "CFDI40181",
    "RetencionesDR/RetencionDR/BaseDR": "CRP20249",
    "TrasladosDR/TrasladoDR/BaseDR": "CRP20255",
}
#: Every code that is told without a rule being asked.
CODES: Final = frozenset({MALFORMED, *_BY_PLACE.values(), *_BY_PLACE_TOO_SMALL.values()})
_MISSING: Final = "SCHEMAV_CVC_COMPLEX_TYPE_4"


def code_at(node: etree._Element, attribute: str, kind: str) -> str:
    """`kind` is libxml2's name of the error. An attribute that is missing is 301."""
    if not attribute or kind == _MISSING or not str(node.tag).startswith(_OURS):
        return MALFORMED
    parent = node.getparent()
    above = "" if parent is None else etree.QName(parent).localname
    place = f"{above}/{etree.QName(node).localname}/{attribute}"
    if kind == _TOO_SMALL and place in _BY_PLACE_TOO_SMALL:
        return _BY_PLACE_TOO_SMALL[place]
    return _BY_PLACE.get(place, MALFORMED)
