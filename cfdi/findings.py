"""What is wrong with a document or with the data for it, and who can mend it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FixableBy(StrEnum):
    BUYER = "buyer"
    MERCHANT = "merchant"
    DEVELOPER = "developer"


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that does not hold. `code` is SAT's own where SAT has one, `path` is where.

    For data of the receiver `path` is the name of the form's field:
    rfc, nombre, cp, regimen, uso or correo.
    """

    code: str
    path: str
    message_es: str
    message_en: str
    fixable_by: FixableBy
