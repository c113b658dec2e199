"""Rules of the document's sums: exact, half-up to the currency's decimals (Anexo 20, rubro I.F)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal, localcontext

from lxml import etree

from cfdi.catalogs import MONEDA
from cfdi.pac.sandbox.rules_lines import amount, decimals, taxes_of
from cfdi.xml import CFDI

Key = tuple[str, str, Decimal | None]


def totals(root: etree._Element) -> Iterator[str]:
    with localcontext(prec=60):
        found = tuple(_all(root))
    yield from found


def _all(root: etree._Element) -> Iterator[str]:
    places = MONEDA.get(root.get("Moneda", ""))
    if places is None:
        yield "CFDI40113"
        return
    lines = root.findall(f"{{{CFDI}}}Conceptos/{{{CFDI}}}Concepto")
    yield from _sub_total(root, lines, places)
    yield from _descuento(root, lines, places)
    yield from _retenciones(root, lines, places)
    yield from _traslados(root, lines, places)
    yield from _total(root)


def _sub_total(root: etree._Element, lines: Iterable[etree._Element], places: int) -> Iterator[str]:
    if decimals(root, "SubTotal") > places:
        yield "CFDI40107"
    if amount(root, "SubTotal") != _rounded((amount(line, "Importe") for line in lines), places):
        yield "CFDI40108"


def _descuento(root: etree._Element, lines: Iterable[etree._Element], places: int) -> Iterator[str]:
    discounted = [line for line in lines if line.get("Descuento") is not None]
    if amount(root, "Descuento") > amount(root, "SubTotal"):
        yield "CFDI40110"
    expected = _rounded((amount(line, "Descuento") for line in discounted), places)
    has_one = root.get("Descuento") is not None
    if has_one != bool(discounted) or amount(root, "Descuento") != expected:
        yield "CFDI40111"
    if decimals(root, "Descuento") > places:
        yield "CFDI40112"


def _total(root: etree._Element) -> Iterator[str]:
    taxes = root.find(f"{{{CFDI}}}Impuestos")
    expected = amount(root, "SubTotal") - amount(root, "Descuento")
    if taxes is not None:
        expected += amount(taxes, "TotalImpuestosTrasladados")
        expected -= amount(taxes, "TotalImpuestosRetenidos")
    if amount(root, "Total") != expected:
        yield "CFDI40119"


def _retenciones(
    root: etree._Element, lines: Iterable[etree._Element], places: int
) -> Iterator[str]:
    given = taxes_of(root, "Retencion")
    if given or _has(root, "TotalImpuestosRetenidos"):
        yield from _sum_of(root, "TotalImpuestosRetenidos", given, places, _CODES_RETENIDOS)
    found = [str(tax.get("Impuesto")) for tax in given]
    if len(set(found)) < len(found):
        yield "CFDI40208"
    if any(decimals(tax, "Importe") > places for tax in given):
        yield "CFDI40210"
    of_lines = [tax for line in lines for tax in taxes_of(line, "Retencion")]
    expected = {
        impuesto: _rounded(
            (amount(tax, "Importe") for tax in of_lines if tax.get("Impuesto") == impuesto), places
        )
        for impuesto in {str(tax.get("Impuesto")) for tax in of_lines}
    }
    if {str(tax.get("Impuesto")): amount(tax, "Importe") for tax in given} != expected:
        yield "CFDI40211"


def _traslados(root: etree._Element, lines: Iterable[etree._Element], places: int) -> Iterator[str]:
    given = taxes_of(root, "Traslado")
    of_lines = [tax for line in lines for tax in taxes_of(line, "Traslado")]
    charged = [tax for tax in given if tax.get("TipoFactor") != "Exento"]
    if charged or _has(root, "TotalImpuestosTrasladados"):
        yield from _sum_of(root, "TotalImpuestosTrasladados", charged, places, _CODES_TRASLADADOS)
    yield from _exentos(given)
    for name, code in (("Base", "CFDI40214"), ("Importe", "CFDI40220")):
        if any(decimals(tax, name) > places for tax in given):
            yield code
    if len({_key(tax) for tax in given}) < len(given):
        yield "CFDI40218"
    only_exento = all(tax.get("TipoFactor") == "Exento" for tax in of_lines)
    if _groups(given, "Base", places) != _groups(of_lines, "Base", places):
        yield "CFDI40216" if only_exento else "CFDI40215"
    if _groups(given, "Importe", places) != _groups(of_lines, "Importe", places):
        yield "CFDI40221"


def _exentos(given: Iterable[etree._Element]) -> Iterator[str]:
    for tax in given:
        says_amount = tax.get("TasaOCuota") is not None or tax.get("Importe") is not None
        if (tax.get("TipoFactor") == "Exento") == says_amount:
            yield "CFDI40213" if says_amount else "CFDI40219"


#: Decimals, sum, missing.
_CODES_RETENIDOS = ("CFDI40202", "CFDI40203", "CFDI40206")
_CODES_TRASLADADOS = ("CFDI40204", "CFDI40205", "CFDI40212")


def _sum_of(
    root: etree._Element,
    name: str,
    given: list[etree._Element],
    places: int,
    codes: tuple[str, str, str],
) -> Iterator[str]:
    """A total of taxes: the sum of the *rounded* nodes; it stands there if and only if they do."""
    too_fine, not_the_sum, missing = codes
    node = root.find(f"{{{CFDI}}}Impuestos")
    if node is None or node.get(name) is None:
        yield missing
        return
    if decimals(node, name) > places:
        yield too_fine
    if not given or amount(node, name) != sum(amount(tax, "Importe") for tax in given):
        yield not_the_sum


def _has(root: etree._Element, name: str) -> bool:
    node = root.find(f"{{{CFDI}}}Impuestos")
    return node is not None and node.get(name) is not None


def _key(tax: etree._Element) -> Key:
    rate = tax.get("TasaOCuota")
    return (
        str(tax.get("Impuesto")),
        str(tax.get("TipoFactor")),
        None if rate is None else Decimal(rate),
    )


def _groups(taxes: Iterable[etree._Element], name: str, places: int) -> Mapping[Key, Decimal]:
    sums: dict[Key, Decimal] = {}
    for tax in taxes:
        sums[_key(tax)] = sums.get(_key(tax), Decimal(0)) + amount(tax, name)
    return {key: _rounded([value], places) for key, value in sums.items()}


def _rounded(values: Iterable[Decimal], places: int) -> Decimal:
    return sum(values, Decimal(0)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
