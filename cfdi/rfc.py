"""The form of an RFC (Registro Federal de Contribuyentes).

Pattern: `t_RFC` of http://www.sat.gob.mx/sitio_internet/cfd/tipoDatos/tdCFDI/tdCFDI.xsd
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from typing import Final, Literal

#: The general public: a receiver without an RFC.
GENERIC_NATIONAL: Final = "XAXX010101000"
GENERIC_FOREIGN: Final = "XEXX010101000"

_PATTERN = re.compile(r"[A-Z&Ñ]{3,4}([0-9]{2})([0-9]{2})([0-9]{2})[A-Z0-9]{2}[0-9A]")
#: The values of the check digit's sum are the positions in this row.
_VALUES = "0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ Ñ"
#: Far above thirteen characters with a label before and blanks between.
_LONGEST_INPUT = 1000
#: How it is read aloud, printed or copied with its label; an RFC holds none of it.
_SEPARATORS = " .,:;_/\\|'\"`´‘’“”«»()[]*<>\u00b7\u2022"
_LETTER_FOR = {"0": "OQ", "1": "IL", "2": "Z", "5": "S", "8": "B", "6": "G", "#": "Ñ", "?": "Ñ"}
_DIGIT_FOR = {"O": "0", "Q": "0", "D": "0", "I": "1", "L": "1", "Z": "2", "S": "5", "B": "8"} | {
    "G": "6",
    "T": "7",
}
#: One letter written for another: keyboards without Ñ, look-alikes, sound-alikes.
_LETTER_FOR_LETTER = {"N": "Ñ", "Ñ": "N", "O": "Q", "Q": "O", "V": "UY", "U": "V"} | {
    "M": "N",
    "B": "V",
    "I": "L",
    "L": "I",
    "S": "Z",
    "Z": "S",
}
_MOST_GUESSES = 3


def well_formed(rfc: str) -> bool:
    """Whether it has the form of an RFC in capitals, with a date that exists."""
    match = _PATTERN.fullmatch(rfc)
    if match is None:
        return False
    year, month, day = map(int, match.groups())
    try:
        # The century is not written; 29 February 1900 is the only date this lets through.
        date(2000 + year, month, day)
    except ValueError:
        return False
    return True


def tidy(text: str) -> str:
    """An RFC as it is registered, however it was typed, dictated or copied.

    Capitals, without blanks, hyphens, dots, invisible characters or the label "RFC:"; full-width
    and decomposed characters are joined. What stands for nothing else stays, so that a wrong
    character is seen and not dropped.
    """
    text = text[:_LONGEST_INPUT]
    # As copied from a page's source, or from a program that took UTF-8 for Latin-1.
    text = re.sub("&amp;", "&", text, flags=re.IGNORECASE)
    text = re.sub("Ã[‘\x91±]|&ntilde;", "Ñ", text, flags=re.IGNORECASE)
    # An accent of its own becomes a blank and an accent: taken out before and after.
    text = unicodedata.normalize("NFKC", _joined(text)).upper()
    written = unicodedata.normalize("NFC", _joined(text))
    unlabelled = written.removeprefix("RFC")
    if not well_formed(written) and well_formed(unlabelled):
        return unlabelled
    return written


def did_you_mean(rfc: str) -> tuple[str, ...]:
    """RFCs with a matching check digit that are easily mistaken for this one, nearest first.

    At most three; none where its own digit matches, or where nothing near fits. The digit cannot
    tell & from Y, whose values differ by eleven. For a person to choose from, never to put in
    its place.
    """
    if len(rfc) not in {12, 13} or check_digit_matches(rfc):
        return ()
    if rfc in {GENERIC_NATIONAL, GENERIC_FOREIGN}:
        return ()
    near = (by_shape(rfc), *_one_step_from(rfc))
    found = dict.fromkeys(each for each in near if check_digit_matches(each))
    return tuple(found)[:_MOST_GUESSES]


def by_shape(rfc: str) -> str:
    """Letters where letters stand, digits where digits stand. "" if that makes no RFC."""
    if len(rfc) not in {12, 13}:
        return ""
    date_at, tail_at = len(rfc) - 9, len(rfc) - 3
    letters = "".join(_LETTER_FOR.get(each, each)[0] for each in rfc[:date_at])
    digits = "".join(_DIGIT_FOR.get(each, each) for each in rfc[date_at:tail_at])
    last = rfc[-1] if rfc[-1] == "A" else _DIGIT_FOR.get(rfc[-1], rfc[-1])
    made = f"{letters}{digits}{rfc[tail_at:-1]}{last}"
    return made if well_formed(made) else ""


def person(rfc: str) -> Literal["fisica", "moral"] | None:
    """A company's RFC has 12 characters, a person's 13. None if it is not well formed."""
    if not well_formed(rfc):
        return None
    return "moral" if len(rfc) == 12 else "fisica"


def check_digit_matches(rfc: str) -> bool:
    """Whether the last character is the sum of the others. Never more than a warning.

    SAT has given out RFCs that fail it, and the generic ones fail too.
    """
    if not well_formed(rfc):
        return False
    # Companies count as if a blank stood before their twelve characters.
    padded = rfc.rjust(13)
    total = sum(_VALUES.index(letter) * (13 - place) for place, letter in enumerate(padded[:12]))
    digit = (11 - total % 11) % 11
    return padded[12] == ("A" if digit == 10 else str(digit))


def _joined(text: str) -> str:
    return "".join(letter for letter in text if not _separates(letter))


def _separates(letter: str) -> bool:
    return (
        letter.isspace()
        or letter in _SEPARATORS
        or unicodedata.category(letter) in {"Cf", "Pd"}
        or letter == "\u2212"  # the minus sign
    )


def _one_step_from(rfc: str) -> Iterator[str]:
    """One character read as its look-alike, then two neighbours typed the wrong way round."""
    for place, letter in enumerate(rfc):
        others = (_LETTER_FOR, _DIGIT_FOR, _LETTER_FOR_LETTER)
        for other in "".join(table.get(letter, "") for table in others):
            yield f"{rfc[:place]}{other}{rfc[place + 1 :]}"
    for place in range(len(rfc) - 1):
        yield f"{rfc[:place]}{rfc[place + 1]}{rfc[place]}{rfc[place + 2 :]}"
