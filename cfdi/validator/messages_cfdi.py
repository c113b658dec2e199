"""The rules of CFDI 4.0 in plain words: Spanish, English, who can mend it."""

from __future__ import annotations

from typing import Final

from cfdi.findings import FixableBy

_OURS: Final = FixableBy.DEVELOPER
_MERCHANT: Final = FixableBy.MERCHANT

MESSAGES: Final[dict[str, tuple[str, str, FixableBy]]] = {}
