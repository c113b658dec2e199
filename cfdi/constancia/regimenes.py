"""The régimen in the words of SAT's papers, as keys of c_RegimenFiscal."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final

from cfdi.catalog_tables import REGIMENES

_CALLED = r"(?:REGIMEN(?:ES)?(?:FISCAL(?:ES)?)?(?:DE)?(?:LOS|LAS|LA|EL|L)?)*"
#: Where the papers use other words than the catalog.
_ALSO: Final = {
    "605": ("SUELDOSYSALARIOS",),
    "610": ("RESIDENTEENELEXTRANJEROSINESTABLECIMIENTOPERMANENTEENMEXICO",),
    "611": ("INGRESOSPORDIVIDENDOS",),
    "612": ("ACTIVIDADESEMPRESARIALESYPROFESIONALES",),
    "621": ("INCORPORACIONFISCALRIF",),
    "625": ("ACTIVIDADESEMPRESARIALESCONINGRESOSATRAVESDEPLATAFORMASTECNOLOGICAS",),
    "626": ("SIMPLIFICADODECONFIANZA", "SIMPLIFICADODECONFIANZARESICO"),
}
_LONGEST_WORDS: Final = 2000


def fold(text: str) -> str:
    """Capital letters and digits alone: accents, blanks, hyphens and line breaks say nothing."""
    letters = unicodedata.normalize("NFKD", text).upper()
    return "".join(letter for letter in letters if letter.isascii() and letter.isalnum())


def keys_of(words: str) -> tuple[str, ...]:
    """Every régimen named in `words`, which hold nothing else; () if they do.

    Several may stand together, as where a table is read column by column. A key before the words
    ("626 Régimen…") must be that of the words.
    """
    folded = fold(words[:_LONGEST_WORDS])
    keys: list[str] = []
    at = 0
    while at < len(folded):
        found = _one().match(folded, at)
        if found is None:
            return ()
        named = _names().get(found["name"] or "", "")
        if found["key"] and found["key"] != named:
            return ()
        keys.append(named or found["bare"])
        at = found.end()
    return tuple(dict.fromkeys(keys))


@cache
def _names() -> dict[str, str]:
    names = {re.sub(f"^{_CALLED}", "", fold(row[0])): clave for clave, row in REGIMENES.items()}
    return names | {name: clave for clave, also in _ALSO.items() for name in also}


@cache
def _one() -> re.Pattern[str]:
    """A name, the longest that fits, perhaps after its key; or a key alone."""
    names = "|".join(sorted(_names(), key=len, reverse=True))
    keys = "|".join(REGIMENES)
    return re.compile(rf"(?P<key>{keys})?{_CALLED}(?P<name>{names})|(?P<bare>{keys})")
