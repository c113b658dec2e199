"""A telephone number as shops keep it, in the form in which messages are addressed (E.164)."""

from __future__ import annotations

import re
from typing import Final

#: ITU-T E.164: at most 15 digits, the first of a country code is none of 0.
_E164: Final = re.compile(r"[1-9][0-9]{7,14}")
#: Anything people write into or around a number.
_MARKS: Final = re.compile(r"[\s().\-/\u2010-\u2015\u00a0]+")
_NATIONAL: Final = 10
#: National numbers of ten digits; of every other country the number has to say its own.
_CODES: Final = {"": "52", "MX": "52", "US": "1", "CA": "1"}
#: Before Mexico's numbering plan of 2019: mobile from abroad, and at home.
_OLD_MOBILE: Final = ("521", "044", "045")


def e164(text: str, country: str = "") -> str:
    """With + and country code; "" if it is no number, or of nobody knows which country.

    `country` (ISO 3166) is where the buyer lives; Mexico if nobody said. Old ways to write Mexican
    numbers are understood (IFT, Plan Técnico Fundamental de Numeración, 2018: ten digits).
    """
    plain = _MARKS.sub("", text)
    international = plain.startswith(("+", "00"))
    digits = plain.removeprefix("+") if plain.startswith("+") else plain.removeprefix("00")
    if not (digits.isascii() and digits.isdigit()):
        return ""
    code = _CODES.get(country.strip().upper(), "")
    mexican = code == "52" or international
    if mexican and len(digits) == 13 and digits.startswith(_OLD_MOBILE):
        digits = f"52{digits[3:]}"
    elif not international and len(digits) == _NATIONAL and code:
        digits = f"{code}{digits}"
    elif (not international and not (code and digits.startswith(code))) or (
        digits.startswith("52") and len(digits) != 12
    ):
        return ""
    return f"+{digits}" if _E164.fullmatch(digits) else ""
