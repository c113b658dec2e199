"""Who an RFC may belong to."""

from __future__ import annotations

from typing import Final

from cfdi.catalogs import RegimenFiscal, UsoCfdi
from cfdi.rfc import GENERIC_FOREIGN, GENERIC_NATIONAL

#: The receiver of a global invoice, letter by letter.
PUBLICO_EN_GENERAL: Final = "PUBLICO EN GENERAL"
GENERIC: Final = frozenset({GENERIC_NATIONAL, GENERIC_FOREIGN})
_OF_A_COMPANY: Final = 12


def is_for(item: RegimenFiscal | UsoCfdi, rfc: str) -> bool:
    """Whether it is open to the kind of person, of which the length of the RFC tells."""
    return item.moral if len(rfc) == _OF_A_COMPANY else item.fisica
