"""Pagos 2.0, rows CRP20262 to CRP20274: the taxes of a payment, added up from its documents.

A sum is exact where nothing is divided. Where a document is in another currency each share may be
rounded either way at the decimals that are written: SAT gives no rule for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final, NamedTuple

from lxml import etree

from cfdi.catalogs import tasa_exists
from cfdi.validator.document import Document, amount, decimals, path_of, text
from cfdi.validator.pagos_nodes import (
    IMPUESTOS,
    TIPOS_FACTOR,
    documents,
    equivalencia,
    payments,
    taxes_of,
)
from cfdi.validator.rule import rule

_EXENTO: Final = "Exento"
#: A Monto that its documents do not add up to: their EquivalenciaDR may be what is wrong.
_RATE_WRONG: Final = ("CRP20276", "CRP20277")
#: Wrong taxes of documents or payments, from which wrong sums follow.
_RETENCION_WRONG: Final = (
    *_RATE_WRONG,
    *("CRP20249", "CRP20250", "CRP20251", "CRP20252", "CRP20253", "CRP20254"),
    *("CRP20262", "CRP20263"),
)
_TRASLADO_WRONG: Final = (
    *_RATE_WRONG,
    *("CRP20255", "CRP20256", "CRP20257", "CRP20258", "CRP20259", "CRP20260", "CRP20261"),
    *("301", "CRP20266", "CRP20270", "CRP20271", "CRP20272"),
)
#: From which wrong totals follow.
RETENCIONES_WRONG: Final = (*_RETENCION_WRONG, "CRP20265")
TRASLADOS_WRONG: Final = (*_TRASLADO_WRONG, "CRP20268", "CRP20269", "CRP20274")


class _Share(NamedTuple):
    """An amount of a document's tax and the document's EquivalenciaDR."""

    value: Decimal
    rate: Decimal


class _Group(NamedTuple):
    """What is added up together. Of withheld taxes the tax alone counts."""

    impuesto: str
    factor: str = ""
    rate: Decimal | None = None


def _in_catalog(code: str, kind: str, name: str, catalog: frozenset[str]) -> None:
    @rule(code)
    def in_catalog(doc: Document) -> Iterator[str]:
        for pago in payments(doc):
            for tax in taxes_of(pago, kind):
                if text(tax, name) not in catalog:
                    yield path_of(tax, name)


_in_catalog("CRP20262", "Retencion", "ImpuestoP", IMPUESTOS)
_in_catalog("CRP20270", "Traslado", "ImpuestoP", IMPUESTOS)
# The matrix has no row for it: the XSD's catalog refuses it.
_in_catalog("301", "Traslado", "TipoFactorP", TIPOS_FACTOR)


@rule("CRP20263")
def one_retencion_each(doc: Document) -> Iterator[str]:
    for pago in payments(doc):
        yield from _repeated(taxes_of(pago, "Retencion"), "Retencion")


@rule("CRP20271")
def one_traslado_each(doc: Document) -> Iterator[str]:
    for pago in payments(doc):
        yield from _repeated(taxes_of(pago, "Traslado"), "Traslado")


@rule("CRP20266")
def exempt_without_amount(doc: Document) -> Iterator[str]:
    for pago in payments(doc):
        for tax in taxes_of(pago, "Traslado"):
            given = tax.get("TasaOCuotaP") is not None or tax.get("ImporteP") is not None
            if text(tax, "TipoFactorP") == _EXENTO and given:
                yield path_of(tax, "TipoFactorP")


@rule("CRP20272", unless=("301", "CRP20266", "CRP20270"))
def rate_of_the_catalog(doc: Document) -> Iterator[str]:
    for pago in payments(doc):
        for tax in taxes_of(pago, "Traslado"):
            if not _rate_exists(tax):
                yield path_of(tax, "TasaOCuotaP")


@rule("CRP20265", unless=_RETENCION_WRONG)
def retenciones_are_sums(doc: Document) -> Iterator[str]:
    yield from _not_the_sum(doc, "Retencion", "Importe", exempt=False)


@rule("CRP20268", unless=_TRASLADO_WRONG)
def bases_are_sums(doc: Document) -> Iterator[str]:
    yield from _not_the_sum(doc, "Traslado", "Base", exempt=False)


@rule("CRP20269", unless=_TRASLADO_WRONG)
def exempt_bases_are_sums(doc: Document) -> Iterator[str]:
    yield from _not_the_sum(doc, "Traslado", "Base", exempt=True)


@rule("CRP20274", unless=_TRASLADO_WRONG)
def importes_are_sums(doc: Document) -> Iterator[str]:
    yield from _not_the_sum(doc, "Traslado", "Importe", exempt=False)


def _not_the_sum(doc: Document, kind: str, value: str, *, exempt: bool) -> Iterator[str]:
    for pago in payments(doc):
        found = documents(pago)
        if any(equivalencia(docto) is None for docto in found):
            continue  # CRP20237
        shares = _shares(found, kind, value)
        given = {_group(tax, kind, "P"): tax for tax in taxes_of(pago, kind)}
        for group in (group for group in shares if group not in given):
            # Of a tax that is missing altogether one row tells.
            if (group.factor == _EXENTO) is exempt and (kind, value) != ("Traslado", "Importe"):
                yield path_of(pago)
        for group, tax in given.items():
            if (group.factor == _EXENTO) is exempt and not _is_sum(
                tax, shares.get(group, ()), f"{value}P"
            ):
                yield path_of(tax, f"{value}P")


def _shares(
    found: Iterable[etree._Element], kind: str, value: str
) -> Mapping[_Group, Sequence[_Share]]:
    """What each document adds to each group."""
    shares: dict[_Group, list[_Share]] = {}
    for docto in found:
        rate = equivalencia(docto) or Decimal(1)
        for tax in taxes_of(docto, kind):
            share = _Share(amount(tax, f"{value}DR"), rate)
            shares.setdefault(_group(tax, kind, "DR"), []).append(share)
    return shares


def _is_sum(tax: etree._Element, shares: Iterable[_Share], name: str) -> bool:
    unit = Decimal(1).scaleb(-decimals(tax, name))
    lower, upper = Decimal(0), Decimal(0)
    for value, rate in shares:
        exact = value / rate
        lower += exact if rate == 1 else exact.quantize(unit, ROUND_FLOOR)
        upper += exact if rate == 1 else exact.quantize(unit, ROUND_CEILING)
    return lower <= amount(tax, name) <= upper


def _repeated(nodes: Iterable[etree._Element], kind: str) -> Iterator[str]:
    seen: set[_Group] = set()
    for tax in nodes:
        group = _group(tax, kind, "P")
        if group in seen:
            yield path_of(tax)
        seen.add(group)


def _group(tax: etree._Element, kind: str, level: str) -> _Group:
    impuesto = text(tax, f"Impuesto{level}")
    if kind == "Retencion":
        return _Group(impuesto)
    name = f"TasaOCuota{level}"
    rate = None if tax.get(name) is None else amount(tax, name)
    return _Group(impuesto, text(tax, f"TipoFactor{level}"), rate)


def _rate_exists(tax: etree._Element) -> bool:
    impuesto, factor = text(tax, "ImpuestoP"), text(tax, "TipoFactorP")
    if factor == _EXENTO:
        return tasa_exists(impuesto, factor, None)
    # As c_TasaOCuota writes them: with six decimals.
    return decimals(tax, "TasaOCuotaP") == 6 and tasa_exists(
        impuesto, factor, amount(tax, "TasaOCuotaP")
    )
