"""The form of an RFC (Registro Federal de Contribuyentes).

Pattern: `t_RFC` of http://www.sat.gob.mx/sitio_internet/cfd/tipoDatos/tdCFDI/tdCFDI.xsd
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final, Literal

#: The general public: a receiver without an RFC.
GENERIC_NATIONAL: Final = "XAXX010101000"
GENERIC_FOREIGN: Final = "XEXX010101000"

_PATTERN = re.compile(r"[A-Z&Ñ]{3,4}([0-9]{2})([0-9]{2})([0-9]{2})[A-Z0-9]{2}[0-9A]")
#: The values of the check digit's sum are the positions in this row.
_VALUES = "0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ Ñ"


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
