"""Pagos 2.0, rows CRP20212 to CRP20235, 20276 and 20277: one payment, its money and its means."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from lxml import etree

from cfdi.catalogs import FORMA_PAGO, MONEDA
from cfdi.rfc import GENERIC_FOREIGN
from cfdi.validator.document import Document, amount, decimals, path_of, text
from cfdi.validator.pagos_nodes import (
    all_documents,
    decimals_of,
    documents,
    equivalencia,
    payments,
)
from cfdi.validator.registrados import taxpayer
from cfdi.validator.rule import Needs, rule

_EPSILON: Final = Decimal("1e-16")
_ANY_ACCOUNT: Final = r"[0-9]{10,11}|[0-9]{15,16}|[0-9]{18}|[A-Z0-9_]{10,50}"
#: c_FormaPago, "Patrón para cuenta ordenante": the forms that may name who pays.
_PATTERN_ORD: Final = {
    "02": r"[0-9]{11}|[0-9]{18}",
    "03": r"[0-9]{10}|[0-9]{16}|[0-9]{18}",
    "04": r"[0-9]{16}",
    "05": _ANY_ACCOUNT,
    "06": r"[0-9]{10}",
    "28": r"[0-9]{16}",
    "29": r"[0-9]{15,16}",
}
#: "Patrón para cuenta beneficiaria": those that may name who is paid. Electronic money may not.
_PATTERN_BEN: Final = {
    "02": _ANY_ACCOUNT,
    "03": r"[0-9]{10}|[0-9]{18}",
    "04": _ANY_ACCOUNT,
    "05": _ANY_ACCOUNT,
    "28": _ANY_ACCOUNT,
    "29": _ANY_ACCOUNT,
}
_TO_BE_DEFINED: Final = "99"
_TRANSFER: Final = "03"


def _in_catalog(
    nodes: Callable[[Document], Iterable[etree._Element]], name: str, catalog: Container[str]
) -> None:
    """The matrix has no row for it: the XSD's catalog refuses it."""

    @rule("301")
    def in_catalog(doc: Document) -> Iterator[str]:
        for node in nodes(doc):
            if node.get(name) is not None and text(node, name) not in catalog:
                yield path_of(node, name)


def _doctos(doc: Document) -> Iterator[etree._Element]:
    return (docto for _, docto in all_documents(doc))


_in_catalog(payments, "FormaDePagoP", FORMA_PAGO)
_in_catalog(payments, "MonedaP", MONEDA)
_in_catalog(payments, "TipoCadPago", frozenset({"01"}))
_in_catalog(_doctos, "MonedaDR", MONEDA)


@rule("CRP20212")
def forma_known(doc: Document) -> Iterator[str]:
    for pago in payments(doc):
        if text(pago, "FormaDePagoP") == _TO_BE_DEFINED:
            yield path_of(pago, "FormaDePagoP")


@rule("CRP20213")
def a_real_currency(doc: Document) -> Iterator[str]:
    for pago in payments(doc):
        if text(pago, "MonedaP") == "XXX":
            yield path_of(pago, "MonedaP")


@rule("CRP20214", unless=("301",))
def rate_of_a_foreign_currency(doc: Document) -> Iterator[str]:
    for pago in payments(doc):
        if text(pago, "MonedaP") not in {"MXN", "XXX"} and pago.get("TipoCambioP") is None:
            yield path_of(pago, "TipoCambioP")


@rule("CRP20215")
def pesos_are_pesos(doc: Document) -> Iterator[str]:
    for pago in payments(doc):
        if text(pago, "MonedaP") == "MXN" and text(pago, "TipoCambioP") != "1":
            yield path_of(pago, "TipoCambioP")


@rule("CRP20218")
def something_was_paid(doc: Document) -> Iterator[str]:
    for pago in payments(doc):
        if amount(pago, "Monto") <= 0:
            yield path_of(pago, "Monto")


@rule("CRP20217", unless=("CRP20218",))
def not_more_than_was_paid(doc: Document) -> Iterator[str]:
    """All in one currency: no tolerance."""
    for pago in payments(doc):
        if not _foreign(pago):
            paid = sum((amount(docto, "ImpPagado") for docto in documents(pago)), Decimal(0))
            if paid > amount(pago, "Monto"):
                yield path_of(pago, "Monto")


@rule("CRP20219", unless=("CRP20213",))
def decimals_of_monto(doc: Document) -> Iterator[str]:
    for pago in payments(doc):
        if decimals(pago, "Monto") > decimals_of(text(pago, "MonedaP")):
            yield path_of(pago, "Monto")


@rule("CRP20276", unless=("CRP20218",))
def within_the_margin(doc: Document) -> Iterator[str]:
    for pago in payments(doc):
        if _foreign(pago) and not _within(pago, ten=False) and not _within(pago, ten=True):
            yield path_of(pago, "Monto")


@rule("CRP20277", unless=("CRP20218",))
def within_the_margin_of_ten_decimals(doc: Document) -> Iterator[str]:
    """Monto fits only if "1" is read without decimals, which gives it a margin of one half."""
    for pago in payments(doc):
        if _foreign(pago) and _within(pago, ten=False) and not _within(pago, ten=True):
            yield path_of(pago, "Monto")


@rule("CRP20222", needs=Needs.REGISTER)
def bank_is_registered(doc: Document) -> Iterator[str]:
    for pago in payments(doc):
        rfc = text(pago, "RfcEmisorCtaOrd")
        if rfc not in {"", GENERIC_FOREIGN} and taxpayer(doc, rfc).known is False:
            yield path_of(pago, "RfcEmisorCtaOrd")


@rule("CRP20223")
def foreign_bank_has_a_name(doc: Document) -> Iterator[str]:
    for pago in payments(doc):
        foreign = text(pago, "RfcEmisorCtaOrd") == GENERIC_FOREIGN
        if foreign and pago.get("NomBancoOrdExt") is None:
            yield path_of(pago, "NomBancoOrdExt")


@rule("CRP20229")
def chain_of_a_transfer_only(doc: Document) -> Iterator[str]:
    for pago in payments(doc):
        if pago.get("TipoCadPago") is not None and text(pago, "FormaDePagoP") != _TRANSFER:
            yield path_of(pago, "TipoCadPago")


def _only_with(code: str, name: str, allowed: frozenset[str]) -> None:
    @rule(code)
    def only_with_a_bank(doc: Document) -> Iterator[str]:
        for pago in payments(doc):
            if pago.get(name) is not None and text(pago, "FormaDePagoP") not in allowed:
                yield path_of(pago, name)


def _as_in_catalog(code: str, name: str, patterns: dict[str, str]) -> None:
    @rule(code)
    def fits_the_pattern(doc: Document) -> Iterator[str]:
        for pago in payments(doc):
            pattern = patterns.get(text(pago, "FormaDePagoP"))
            given = pago.get(name) is not None
            if given and pattern and not re.fullmatch(pattern, text(pago, name)):
                yield path_of(pago, name)


def _if_and_only_if_chain(missing: str, unwanted: str, name: str) -> None:
    @rule(missing)
    def with_the_chain(doc: Document) -> Iterator[str]:
        for pago in payments(doc):
            if pago.get("TipoCadPago") is not None and pago.get(name) is None:
                yield path_of(pago, name)

    @rule(unwanted)
    def not_without_the_chain(doc: Document) -> Iterator[str]:
        for pago in payments(doc):
            if pago.get("TipoCadPago") is None and pago.get(name) is not None:
                yield path_of(pago, name)


# With 99 CRP20212 says what is wrong.
_ORD: Final = frozenset(_PATTERN_ORD) | {_TO_BE_DEFINED}
_BEN: Final = frozenset(_PATTERN_BEN) | {_TO_BE_DEFINED}
_only_with("CRP20221", "RfcEmisorCtaOrd", _ORD)
_only_with("CRP20224", "CtaOrdenante", _ORD)
_only_with("CRP20227", "RfcEmisorCtaBen", _BEN)
_only_with("CRP20228", "CtaBeneficiario", _BEN)
_as_in_catalog("CRP20225", "CtaOrdenante", _PATTERN_ORD)
_as_in_catalog("CRP20226", "CtaBeneficiario", _PATTERN_BEN)
_if_and_only_if_chain("CRP20230", "CRP20231", "CertPago")
_if_and_only_if_chain("CRP20232", "CRP20233", "CadPago")
_if_and_only_if_chain("CRP20234", "CRP20235", "SelloPago")


def _foreign(pago: etree._Element) -> bool:
    """Whether some document is in another currency than the payment."""
    return any(text(docto, "MonedaDR") != text(pago, "MonedaP") for docto in documents(pago))


def _within(pago: etree._Element, *, ten: bool) -> bool:
    """Whether Monto lies between the sums of the limits of each ImpPagado.

    With `ten` an EquivalenciaDR "1" is read as 1.0000000000 where SAT demands it: where one
    document of two or more is in the payment's currency (and another is not, or nobody would
    ask). True where a rate is missing.
    """
    found = documents(pago)
    same = any(text(docto, "MonedaDR") == text(pago, "MonedaP") for docto in found)
    ten = ten and same
    unit = Decimal(1).scaleb(-decimals_of(text(pago, "MonedaP")))
    lower, upper = Decimal(0), Decimal(0)
    for docto in found:
        rate = equivalencia(docto)
        if rate is None:  # CRP20237
            return True
        places = 10 if ten and rate == 1 else decimals(docto, "EquivalenciaDR")
        least, most = _limits(docto, rate, Decimal(1).scaleb(-places) / 2)
        lower += least.quantize(unit, ROUND_FLOOR)
        upper += most.quantize(unit, ROUND_CEILING)
    return lower <= amount(pago, "Monto") <= upper


def _limits(docto: etree._Element, rate: Decimal, half: Decimal) -> tuple[Decimal, Decimal]:
    """In the payment's currency, of one ImpPagado and its rate, which is known to half a unit."""
    paid = amount(docto, "ImpPagado")
    half_paid = Decimal(1).scaleb(-decimals(docto, "ImpPagado")) / 2
    least = (paid - half_paid) / (rate + half - _EPSILON)
    return least, (paid + half_paid - _EPSILON) / (rate - half)
