"""What people type, dictate or paste, read as the datum it can only be. Pure.

Only what stands for nothing else is read here: a letter O where an RFC has digits, a label before
a postal code, a régimen in words. What could be two things stays as typed, for the rules to refuse
and for the buyer to be asked about.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Final

from cfdi import rfc as rfcs
from cfdi.catalogs import REGIMEN_FISCAL, USO_CFDI
from cfdi.constancia import regimenes
from hub.domain.purchase import FiscalForm

#: Far above every datum; what is longer is refused by its own rule.
_LONGEST: Final = 1000
_IN_A_TEXT: Final = re.compile(
    r"(?<![A-Z0-9&Ñ])[A-Z&Ñ]{3,4}[0-9]{6}[A-Z0-9]{2}[0-9A](?![A-Z0-9&Ñ])"
)
_CP_LABEL: Final = re.compile(r"^(?:CODIGOPOSTAL|CODPOSTAL|CP)")
#: Letters where only digits can stand.
_DIGITS: Final = str.maketrans("OQIL", "0011")


def read(form: FiscalForm) -> FiscalForm:
    """The form with RFC, postal code, régimen and uso as keys; the rest as it was typed."""
    return replace(
        form,
        rfc=rfc(form.rfc),
        cp=codigo_postal(form.cp),
        regimen=regimen(form.regimen),
        uso=uso(form.uso),
    )


def rfc(text: str) -> str:
    """The RFC in `text`: alone, after a label or in a line, with letters and digits of its shape.

    Where the shape had to decide between O and 0 or I and 1, the check digit has to agree.
    """
    tidy = rfcs.tidy(text)
    if rfcs.well_formed(tidy):
        return tidy
    for each in (tidy, tidy.removeprefix("RFC")):
        shaped = rfcs.by_shape(each)
        if rfcs.check_digit_matches(shaped) and _look_alike(each, shaped):
            return shaped
    written = unicodedata.normalize("NFKC", text[:_LONGEST]).upper()
    found = {each for each in _IN_A_TEXT.findall(written) if rfcs.well_formed(each)}
    return found.pop() if len(found) == 1 else tidy


def _look_alike(one: str, other: str) -> bool:
    """Whether they differ by O for 0, and by I or L for 1, alone."""
    return one.translate(_DIGITS) == other.translate(_DIGITS)


def codigo_postal(text: str) -> str:
    """Five digits, if that is what `text` can only mean."""
    letters = unicodedata.normalize("NFKD", text[:_LONGEST]).upper()
    joined = "".join(each for each in letters if unicodedata.category(each)[0] not in "ZPCM")
    digits = _CP_LABEL.sub("", joined).translate(_DIGITS)
    return digits if re.fullmatch("[0-9]{5}", digits) else text


def cp_without_zero(cp: str) -> str:
    """The code that lost its first zero, as in a spreadsheet; "" if it is no such thing."""
    digits = cp.strip()
    return f"0{digits}" if re.fullmatch("[1-9][0-9]{3}", digits) else ""


def regimen(text: str) -> str:
    """The key of the régimen that `text` names, by key or in SAT's words."""
    key = _key(text, r"[0-9]{3}", REGIMEN_FISCAL.__contains__)
    if key:
        return key
    named = regimenes.keys_of(text)
    return named[0] if len(named) == 1 else text


def uso(text: str) -> str:
    """The key of the uso that `text` names, by key or in SAT's words."""
    key = _key(text, r"[A-Z]{1,2}[0-9]{2}", USO_CFDI.__contains__)
    return key or _usos().get(regimenes.fold(text[:_LONGEST]), text)


def _key(text: str, form: str, exists: Callable[[str], bool]) -> str:
    """The one key at the beginning or the end of `text`, as in "G03 - Gastos en general"."""
    plain = unicodedata.normalize("NFKC", text[:_LONGEST]).upper()
    words = re.findall(r"[A-Z0-9]+", plain)
    found = {word for word in (*words[:1], *words[-1:]) if re.fullmatch(form, word)}
    return next((key for key in found if len(found) == 1 and exists(key)), "")


@cache
def _usos() -> dict[str, str]:
    return {regimenes.fold(item.nombre): clave for clave, item in USO_CFDI.items()}
