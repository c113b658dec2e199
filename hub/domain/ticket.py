"""A ticket's code and total as people type them, forgiven as far as it is unambiguous. Pure."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from hub.clock import CODE_ALPHABET

#: 30⁸ codes a merchant.
CODE_LENGTH: Final = 8
#: Nobody types more, whatever is pasted with it.
LONGEST: Final = 300
#: So many readings of one code are looked for at most.
MOST_READINGS: Final = 40

#: The last eight characters, beginning a word: what stands before is a label, or the rest of the
#: address that the ticket's QR code holds.
_CODE: Final = re.compile(r"(?<![A-Z0-9])(?:[A-Z0-9][^A-Z0-9]*){8}$")
#: Characters that are read for each other.
_ALIKE: Final = ("5S", "8B", "2Z", "6G", "7T1JIL", "QD0O", "VU")
_READINGS: Final = {one: one + other for a, b in _ALIKE[:4] for one, other in ((a, b), (b, a))} | {
    "0": "QD",
    "O": "QD",
    "1": "7TJ",
    "I": "JT7",
    "L": "JT7",
    "U": "V",
}
_FOLDED: Final = {one: group[0] for group in _ALIKE for one in group}

_AMOUNT: Final = re.compile(r"[.,]?[0-9](?:[0-9 .,']*[0-9])?")
_NEGATIVE: Final = re.compile(r"[-\u2212][^0-9]*[0-9]")
#: Thousands apart by commas, or not apart; then decimals after a point.
_GROUPED: Final = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]{1,2})?")
_PLAIN: Final = re.compile(r"[0-9]*(?:\.[0-9]{1,2})?")
_LONGEST_AMOUNT: Final = 20
_OTHER_SIGNS: Final = str.maketrans(",.", ".,")


def code(text: str) -> str:
    """The bare characters of a typed code; "" if there is none.

    Case, blanks, hyphens, a label before it and full-width characters do not matter.
    """
    found = _CODE.search(_simple(text).upper())
    return re.sub(r"[^A-Z0-9]", "", found[0]) if found else ""


def readings(bare: str) -> tuple[str, ...]:
    """The codes that these characters can be, those with fewer changes first."""
    choices = [_READINGS.get(one, one if one in CODE_ALPHABET else "") for one in bare]
    return tuple("".join(one) for one in itertools.islice(_nearest(choices), MOST_READINGS))


def _nearest(choices: list[str]) -> Iterator[tuple[str, ...]]:
    """All combinations, those with fewer changes first."""
    for number in range(len(choices) + 1):
        for changed in itertools.combinations(range(len(choices)), number):
            yield from itertools.product(
                *(each[1:] if place in changed else each[:1] for place, each in enumerate(choices))
            )


def folded(bare: str) -> str:
    """The same for all codes that are read for each other, to count how often one was tried."""
    return "".join(_FOLDED.get(one, one) for one in bare)


def shown(bare: str) -> str:
    """A code as it is printed: two groups are easier to copy than eight characters."""
    return f"{bare[:4]}-{bare[4:]}" if len(bare) == CODE_LENGTH else bare


def total(text: str) -> Decimal | None:
    """The amount that was typed; None if it is not one.

    With or without a currency, commas or points for thousands or for decimals. A sign followed by
    three figures separates thousands: money has no three decimals here.
    """
    plain = _simple(text).replace("\u2019", "'")
    found = _AMOUNT.findall(plain)
    if len(found) != 1 or _NEGATIVE.search(plain):
        return None
    figures = re.sub(r"[ ']", "", found[0])
    for spelt in (figures, figures.translate(_OTHER_SIGNS)):
        if len(spelt) <= _LONGEST_AMOUNT and (_GROUPED.fullmatch(spelt) or _PLAIN.fullmatch(spelt)):
            return Decimal(spelt.replace(",", ""))
    return None


def _simple(text: str) -> str:
    """Without accents, full-width forms and odd blanks."""
    decomposed = unicodedata.normalize("NFKD", text[:LONGEST])
    return re.sub(r"\s", " ", "".join(one for one in decomposed if not unicodedata.combining(one)))
