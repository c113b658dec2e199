"""Rules of the Conceptos: catalogs and the limits of Anexo 20, rubro I.F, on each line.

Written apart from the code that composes documents, so that one can find the other's mistakes.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext

from lxml import etree

from cfdi.catalogs import clave_prod_serv_exists, clave_unidad_exists, tasa_exists
from cfdi.xml import CFDI

_EPSILON = Decimal("1e-12")
_FUELS = frozenset({"15101505", "15101514", "15101515"})
_WITHOUT_TAXES = frozenset({"01", "03", "04", "05"})
_IVA, _IEPS = "002", "003"


def conceptos(root: etree._Element) -> Iterator[str]:
    for node in root.iterfind(f"{{{CFDI}}}Conceptos/{{{CFDI}}}Concepto"):
        yield from _catalogs(node)
        yield from _amounts(node)
        yield from _objeto(node)
        for tax in taxes_of(node, "Traslado"):
            yield from _traslado(tax)
        for tax in taxes_of(node, "Retencion"):
            yield from _retencion(tax)


def taxes_of(node: etree._Element, kind: str) -> list[etree._Element]:
    """The Traslado or Retencion nodes of a concept or of the document."""
    plural = {"Traslado": "Traslados", "Retencion": "Retenciones"}[kind]
    return node.findall(f"{{{CFDI}}}Impuestos/{{{CFDI}}}{plural}/{{{CFDI}}}{kind}")


def amount(node: etree._Element, name: str) -> Decimal:
    """Zero if the attribute is missing."""
    return Decimal(node.get(name, "0").strip())


def decimals(node: etree._Element, name: str) -> int:
    """How many are written, trailing zeros too."""
    return len(node.get(name, "").strip().partition(".")[2])


def _catalogs(node: etree._Element) -> Iterator[str]:
    clave = node.get("ClaveProdServ", "")
    if not clave_prod_serv_exists(clave):
        yield "CFDI40162"
    if clave in _FUELS:
        yield "CFDI140228"
    if not clave_unidad_exists(node.get("ClaveUnidad", "")):
        yield "CFDI40165"


def _amounts(node: etree._Element) -> Iterator[str]:
    if amount(node, "ValorUnitario") <= 0:
        yield "CFDI40166"
    factors = (_around(node, "Cantidad"), _around(node, "ValorUnitario"))
    if not _within(node, *factors):
        yield "CFDI40167"
    if decimals(node, "Descuento") > decimals(node, "Importe"):
        yield "CFDI40168"
    if amount(node, "Descuento") > amount(node, "Importe"):
        yield "CFDI40169"


def _objeto(node: etree._Element) -> Iterator[str]:
    objeto, has_node = node.get("ObjetoImp"), node.find(f"{{{CFDI}}}Impuestos") is not None
    traslados = {tax.get("Impuesto") for tax in taxes_of(node, "Traslado")}
    retenciones = {tax.get("Impuesto") for tax in taxes_of(node, "Retencion")}
    if objeto == "02" and not has_node:
        yield "CFDI40171"
    if objeto in _WITHOUT_TAXES and has_node:
        yield "CFDI40172"
    if has_node and not traslados | retenciones:
        yield "CFDI40173"
    if objeto in {"06", "08"} and {_IVA, _IEPS} & (traslados | retenciones):
        yield "CFDI140226"
    if objeto == "07" and (_IVA in traslados | retenciones or _IEPS not in traslados):
        yield "CFDI140227"


def _traslado(tax: etree._Element) -> Iterator[str]:
    if amount(tax, "Base") <= 0:
        yield "CFDI40174"
    given = [name for name in ("TasaOCuota", "Importe") if tax.get(name) is not None]
    if tax.get("TipoFactor") == "Exento":
        if given:
            yield "CFDI40177"
        elif not tasa_exists(tax.get("Impuesto", ""), "Exento", None):
            yield "CFDI40179"
        return
    if len(given) < 2:
        yield "CFDI40178"
        return
    if not _tasa_exists(tax, traslado=True):
        yield "CFDI40179"
    if not _within(tax, _around(tax, "Base"), _exactly(tax, "TasaOCuota")):
        yield "CFDI40180"


def _retencion(tax: etree._Element) -> Iterator[str]:
    if amount(tax, "Base") <= 0:
        yield "CFDI40181"
    if tax.get("TipoFactor") == "Exento":
        yield "CFDI40184"
    elif not _tasa_exists(tax, traslado=False):
        yield "CFDI40185"
    if not _within(tax, _around(tax, "Base"), _exactly(tax, "TasaOCuota")):
        yield "CFDI40186"


def _tasa_exists(tax: etree._Element, *, traslado: bool) -> bool:
    # "En el XML siempre con seis decimales": c_TasaOCuota writes them so.
    return decimals(tax, "TasaOCuota") == 6 and tasa_exists(
        tax.get("Impuesto", ""),
        tax.get("TipoFactor", ""),
        amount(tax, "TasaOCuota"),
        traslado=traslado,
    )


Bounds = tuple[Decimal, Decimal]


def _around(node: etree._Element, name: str) -> Bounds:
    """The value less and plus half a unit of its last written decimal."""
    half = Decimal(1).scaleb(-decimals(node, name)) / 2
    value = amount(node, name)
    return value - half, value + half - _EPSILON


def _exactly(node: etree._Element, name: str) -> Bounds:
    return amount(node, name), amount(node, name)


def _within(node: etree._Element, first: Bounds, second: Bounds) -> bool:
    """Whether Importe lies between the product of the lower, cut off, and of the upper, raised."""
    unit = Decimal(1).scaleb(-decimals(node, "Importe"))
    with localcontext(prec=60):
        lower = (first[0] * second[0]).quantize(unit, ROUND_FLOOR)
        upper = (first[1] * second[1]).quantize(unit, ROUND_CEILING)
        return lower <= amount(node, "Importe") <= upper
