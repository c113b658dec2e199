"""Customers who come again: whose word counts for their fiscal data, and what it is good for. Pure.

A profile that a person confirmed is worth more than what the platform holds, unless somebody
changed the platform's data afterwards, wholly and to something that can be invoiced.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from cfdi import receptor as receptores
from cfdi.findings import Finding
from hub.domain.email import check_email
from hub.domain.purchase import FiscalForm
from hub.domain.receiver import examined
from hub.domain.rules import Rules
from hub.domain.sale import Buyer, PaymentState, Sale

#: Far above any platform's id of a customer; a longer one names nobody.
KEY_MAX: Final = 255


class Source(StrEnum):
    """Who said so: in an invoice that was stamped, by a command of the merchant, the platform."""

    BUYER = "buyer"
    STAFF = "staff"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class Fiscal:
    """Fiscal data in order, as far as they are known; "" where they are not."""

    rfc: str = ""
    nombre: str = ""
    cp: str = ""
    regimen: str = ""
    uso: str = ""
    correo: str = ""


#: What a document is made out to; the address is only where it is sent.
_OF_THE_RECEIVER: Final = tuple(one.name for one in fields(Fiscal) if one.name != "correo")


@dataclass(frozen=True, slots=True)
class Word:
    """What the platform says of a customer, and since when at the latest it says so."""

    data: Fiscal
    at: datetime


@dataclass(frozen=True, slots=True)
class Profile:
    """The data that count for a customer."""

    data: Fiscal
    source: Source
    #: When they were confirmed, or first said by the platform.
    since_at: datetime
    #: "test" or "live": where the confirming invoice was stamped; "" if none was.
    environment: str = ""
    #: What the platform said when they were confirmed.
    said: Fiscal = Fiscal()
    #: The platform's e-mail address of the customer when they were confirmed.
    owner: str = ""
    #: Why SAT did not accept them; empty if it did or was not asked yet.
    refused: tuple[Finding, ...] = ()

    @property
    def confirmed(self) -> bool:
        return self.source is not Source.PLATFORM


class Why(StrEnum):
    """Why an invoice is not asked for without the buyer."""

    UNKNOWN = "nothing known"
    INCOMPLETE = "incomplete or invalid"
    REFUSED = "refused before"
    CONFLICT = "the purchase names another RFC"
    STRANGER = "not surely the same person"


@dataclass(frozen=True, slots=True)
class Unasked:
    """The data to ask with in the buyer's place, or why there are none."""

    form: FiscalForm | None
    why: Why | None = None


def known_by(key: str) -> bool:
    """Whether that is an id under which somebody can come again."""
    return 0 < len(key) <= KEY_MAX and key.isprintable()


def tidy(data: Fiscal) -> Fiscal:
    """As SAT writes it. An address that cannot be one is no address."""
    receptor = receptores.normalize(data.rfc, data.nombre, data.cp, data.regimen, data.uso)
    correo, wrong = check_email(data.correo)
    return Fiscal(
        receptor.rfc,
        receptor.nombre,
        receptor.domicilio_fiscal,
        receptor.regimen_fiscal,
        receptor.uso_cfdi,
        "" if wrong else correo,
    )


def word_of(buyer: Buyer, at: datetime) -> Word:
    """A postal code alone is where a parcel goes, not where somebody is registered."""
    return Word(
        tidy(
            Fiscal(
                buyer.rfc,
                buyer.fiscal_name,
                buyer.postal_code if buyer.rfc else "",
                buyer.regimen,
                buyer.uso,
                buyer.email,
            )
        ),
        at,
    )


def same(one: Fiscal, other: Fiscal) -> bool:
    """Whether a document would be made out to the same receiver in the same way."""
    return all(getattr(one, name) == getattr(other, name) for name in _OF_THE_RECEIVER)


def filled(data: Fiscal, rules: Rules) -> Fiscal:
    """With the uso and the régimen that the merchant's rules state for whom they are missing."""
    return replace(
        data,
        uso=data.uso or rules.automatico_uso,
        regimen=data.regimen or rules.automatico_regimen,
    )


def form_of(data: Fiscal) -> FiscalForm:
    return FiscalForm(data.rfc, data.nombre, data.cp, data.regimen, data.uso, data.correo)


def usable(data: Fiscal, rules: Rules) -> bool:
    """Whether an invoice can be asked for with these: complete, valid, nobody's generic RFC."""
    return not examined(form_of(filled(data, rules)), rules).findings


def weigh(known: Profile | None, word: Word, rules: Rules) -> Profile | None:
    """The profile that counts after the platform has spoken.

    What is incomplete or invalid, unchanged, or older than what is known replaces nothing.
    """
    if not usable(word.data, rules):
        return known
    fresh = Profile(word.data, Source.PLATFORM, word.at)
    if known is None:
        return fresh
    if same(known.data, word.data) or word.at < known.since_at:
        return known
    if known.confirmed and (word.at == known.since_at or not edited(known.said, word.data)):
        return known
    return fresh


def edited(before: Fiscal, now: Fiscal) -> bool:
    """Whether it says anything that was not said before; what is left out says nothing."""
    return any(
        getattr(now, name) and getattr(now, name) != getattr(before, name)
        for name in _OF_THE_RECEIVER
    )


def withdrawn(known: Profile | None, record: Word) -> bool:
    """Whether the platform no longer says what is only known from it.

    `record` is all it holds of the customer, not what stands at one purchase.
    """
    if known is None or known.confirmed or record.at < known.since_at:
        return False
    return record.data.rfc != known.data.rfc


def confirmed(
    known: Profile | None,
    data: Fiscal,
    *,
    source: Source,
    at: datetime,
    word: Word,
    environment: str,
) -> Profile:
    """The profile after a person gave `data` at `at`, while the platform said `word`.

    What was changed since, by a person again or at the platform, stays.
    """
    later = known is not None and known.since_at > at and not same(known.data, data)
    if known is not None and later and (known.confirmed or edited(word.data, known.data)):
        return known
    owner = word.data.correo.casefold()
    return Profile(tidy(data), source, at, environment, word.data, owner)


def unasked(known: Profile | None, sale: Sale, rules: Rules) -> Unasked:
    """The data with which this sale may be invoiced although nobody asked for it."""
    if known is None:
        return Unasked(None, Why.UNKNOWN)
    word = word_of(sale.buyer, sale.placed_at)
    if known.refused:
        return Unasked(None, Why.REFUSED)
    if word.at > known.since_at and word.data.rfc not in {"", known.data.rfc, known.said.rfc}:
        return Unasked(None, Why.CONFLICT)
    if known.source is Source.BUYER and not _same_person(known, word):
        return Unasked(None, Why.STRANGER)
    data = filled(known.data, rules)
    if not usable(data, rules):
        return Unasked(None, Why.INCOMPLETE)
    return Unasked(form_of(replace(data, correo=data.correo or word.data.correo)))


def _same_person(known: Profile, word: Word) -> bool:
    """One record of a shop may stand for many people ("público en general"): it has no address."""
    return bool(known.owner) and known.owner == word.data.correo.casefold()


def may_be_served(sale: Sale, *, since: datetime | None) -> bool:
    """Whether a sale may ever be invoiced unasked: paid for good, for real, and not before us."""
    if sale.test or sale.hold or sale.barred or sale.unverified:
        return False
    if sale.payment_state is not PaymentState.PAID or sale.paid_at is None or sale.due <= 0:
        return False
    return since is None or sale.paid_at >= since


def prefill(known: Profile | None, sale: Sale) -> FiscalForm:
    """What a form shows to whoever holds the link, before anything was typed.

    What the platform says of the customer is shown. Of what a person once gave, only what names
    nobody: a link can be passed on.
    """
    said = word_of(sale.buyer, sale.placed_at).data
    shown = FiscalForm(
        rfc=sale.buyer.rfc,
        nombre=sale.buyer.fiscal_name,
        cp=sale.buyer.postal_code if sale.buyer.rfc else "",
        regimen=sale.buyer.regimen,
        uso=sale.buyer.uso,
        correo=sale.buyer.email,
    )
    if known is None or said.rfc not in {"", known.data.rfc}:
        return shown
    if known.confirmed:
        if not _same_person(known, word_of(sale.buyer, sale.placed_at)):
            return shown
        more = Fiscal(regimen=known.data.regimen, uso=known.data.uso)
    else:
        more = replace(known.data, correo="")
    gaps = {name: getattr(more, name) for name in _OF_THE_RECEIVER if not getattr(shown, name)}
    return replace(shown, **gaps)
