"""Which taxes a line was charged, and what each of them is.

Newer payloads state amounts and the id of a rate, never its percentage. The rate object says it,
where it was fetched; else the one rate of IVA that makes every amount, if there is just one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from connectors.reader import Reader
from connectors.stripe.money import ZERO, Money
from connectors.stripe.shapes import Document, ident, listed
from hub.domain.sale import SaleTax

#: LIVA, articles 1 and 2 with the decree of the northern border: 16 % and 8 %. A tax of nothing
#: may be rate 0 as well as exempt, so its amount tells nothing.
_IVA: Final = (Decimal("0.16"), Decimal("0.08"))
#: https://docs.stripe.com/tax/zero-tax: no tax was charged at all, for a reason of Stripe's.
_NOT_CHARGED: Final = frozenset(
    {
        "customer_exempt",
        "excluded_territory",
        "jurisdiction_unsupported",
        "not_available",
        "not_collecting",
        "not_subject_to_tax",
        "not_supported",
        "product_exempt",
        "product_exempt_holiday",
        "reverse_charge",
    }
)
_NAMED: Final = re.compile(r"\b(?:IVA|IEPS)\b", re.IGNORECASE)
_EXEMPT: Final = re.compile(r"exen|exempt", re.IGNORECASE)
#: What a buyer withholds lowers the price; Stripe can only put it on top.
_WITHHELD: Final = re.compile(r"\bret|\bISR\b|withh", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Charged:
    """A tax as a line states it."""

    amount: Decimal
    ref: str
    reason: str = ""
    #: The rate itself, where it stands in place of its id.
    rate: Reader | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """What a tax is. `rate` None: nobody said, or it is exempt."""

    rate: Decimal | None
    label: str
    factor: str = "Tasa"

    def on(self, tax: Charged) -> SaleTax:
        if self.factor == "Exento":
            impuesto = "IEPS" if "IEPS" in self.label.upper() else "IVA"
            return SaleTax(ZERO, None, self.label, tax.ref, impuesto, self.factor)
        return SaleTax(tax.amount, self.rate, self.label, tax.ref)


class Stated:
    """The taxes of one line: base without tax, and each tax."""

    def __init__(self, base: Decimal, taxes: Sequence[Charged]) -> None:
        self.base, self.taxes = base, taxes


def charged(item: Reader, money: Money) -> list[tuple[Charged, bool]]:
    """The taxes of a line of an invoice or credit note, each with whether the price holds it.

    https://docs.stripe.com/changelog/basil/2025-03-31/invoice-tax-configurations
    """
    if item.has("taxes"):
        return [
            (
                _charged(tax, tax.at("tax_rate_details"), "tax_rate", money),
                tax.text("tax_behavior", "") == "inclusive",
            )
            for tax in item.items("taxes")
        ]
    return [
        (_charged(tax, tax, "tax_rate", money), tax.flag("inclusive", default=False))
        for tax in item.items("tax_amounts")
    ]


def charged_at_checkout(item: Reader, money: Money) -> list[Charged]:
    """The taxes of a line of a Checkout Session, or of what shipping cost.

    https://docs.stripe.com/api/checkout/sessions/line_items#checkout_session_line_items-data-taxes
    """
    found = [_charged(tax, tax, "rate", money) for tax in item.items("taxes")]
    whole = money.amount(item, "amount_tax", ZERO)
    if not found and whole:
        return [Charged(whole, "")]
    return found


def _charged(tax: Reader, place: Reader, name: str, money: Money) -> Charged:
    rate = place.at(name) if place.value is not None else place
    return Charged(
        amount=money.amount(tax, "amount", ZERO),
        ref=ident(place, name) if place.value is not None else "",
        reason=tax.text("taxability_reason", ""),
        rate=rate if isinstance(rate.value, dict) else None,
    )


def was_charged(tax: Charged, rate: Rate) -> bool:
    """False for a tax of nothing that Stripe names only to say why it is not there."""
    return tax.amount != 0 or rate.factor == "Exento" or tax.reason not in _NOT_CHARGED


def rates_of(
    document: Document,
    items: Iterable[Reader],
    lines: Sequence[Stated],
    money: Money,
    doubts: list[str],
) -> Mapping[str, Rate]:
    """What each tax of the lines is, by its id."""
    inline = _inline(document, items, lines)
    by_ref: dict[str, Rate] = {}
    for line in lines:
        for tax in line.taxes:
            if tax.ref in by_ref:
                continue
            fetched = document.by_id("tax_rates", tax.ref)
            place = fetched if fetched.value is not None else inline.get(tax.ref)
            by_ref[tax.ref] = (
                _guessed(tax, lines, money, doubts)
                if place is None
                else _of_object(place, tax.reason, doubts)
            )
    return by_ref


def _inline(
    document: Document, items: Iterable[Reader], lines: Sequence[Stated]
) -> dict[str, Reader]:
    """Rates that stand in the document itself, as older versions have them at each line."""
    places = [tax.rate for line in lines for tax in line.taxes if tax.rate]
    for item in (*items, document.object):
        for name in ("tax_rates", "default_tax_rates"):
            places += [one for one in listed(item, name) if isinstance(one.value, dict)]
    return {place.text("id", ""): place for place in reversed(places)}


def _of_object(place: Reader, reason: str, doubts: list[str]) -> Rate:
    """https://docs.stripe.com/api/tax_rates/object"""
    name = " ".join(place.text("display_name", "").split())
    percentage = place.decimal("percentage") if place.has("percentage") else None
    rate = None if percentage is None else percentage / 100
    if _WITHHELD.search(name) or (rate is not None and rate < 0):
        doubts.append(f"El impuesto «{name[:60]}» parece una retención: revísalo.")
        return Rate(None, "")
    if _EXEMPT.search(name) and not rate:
        return Rate(None, name, "Exento")
    if not _NAMED.search(name) and _is_mexican_vat(place):
        name = f"{name} (IVA)".strip()
    if reason == "zero_rated":
        rate = ZERO
    return Rate(rate, name)


def _is_mexican_vat(place: Reader) -> bool:
    return place.text("tax_type", "") == "vat" and place.text("country", "MX") == "MX"


def _guessed(tax: Charged, lines: Sequence[Stated], money: Money, doubts: list[str]) -> Rate:
    found = [
        (line.base, one.amount, one.reason)
        for line in lines
        for one in line.taxes
        if one.ref == tax.ref
    ]
    if all(reason == "zero_rated" and not amount for _, amount, reason in found):
        return Rate(ZERO, "IVA")
    fitting = [rate for rate in _IVA if all(_makes(rate, *one[:2], money) for one in found)]
    if len(fitting) == 1 and any(amount for _, amount, _ in found):
        return Rate(fitting[0], "IVA")
    if any(amount or reason not in _NOT_CHARGED for _, amount, reason in found):
        doubts.append("No se conoce la tasa de un impuesto cobrado por Stripe.")
    return Rate(None, "")


def _makes(rate: Decimal, base: Decimal, amount: Decimal, money: Money) -> bool:
    """Stripe rounds the tax of each line; a price that holds it takes what is left."""
    return abs(base * rate - amount) <= money.unit / 2 * (1 + rate)
