"""Text and numbers as they are printed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal

from cfdi.pdf.glyphs import printable

ZERO_WIDTH_SPACE = "\u200b"
#: Marks that turn the direction of what follows: printed, they could show a number backwards.
#: https://www.unicode.org/reports/tr9/#Explicit_Directional_Embeddings
_DIRECTION_MARKS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F])

#: t_Importe and its like, with room to spare.
_AMOUNT = re.compile(r"-?[0-9]{1,24}(\.[0-9]{1,12})?")


def plain(text: str, run: int = 24) -> str:
    """The text as the fonts can show it; a word longer than `run` may be broken every `run`."""
    return re.sub(
        rf"\S{{{run}}}(?=\S)",
        lambda long_word: long_word.group() + ZERO_WIDTH_SPACE,
        printable(unicodedata.normalize("NFC", text.translate(_DIRECTION_MARKS))),
    )


def shortened(text: str, longest: int) -> str:
    """The text, cut with an ellipsis where it is longer."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def rows(text: str, width: int) -> list[str]:
    """The text cut into rows of `width` characters: for seals, printed in fixed pitch."""
    return [text[start : start + width] for start in range(0, len(text), width)]


def decimal_of(written: str) -> Decimal:
    """An amount as SAT's schemas write it. Raises ValueError: 1E999999 would fill the memory."""
    if not _AMOUNT.fullmatch(written):
        raise ValueError("an amount is not written as digits with a point")
    return Decimal(written)


def number(written: str, least_decimals: int = 2) -> str:
    """With thousands apart and no insignificant zeros beyond `least_decimals`: 1,234.50."""
    entero, _, decimals = format(decimal_of(written), "f").partition(".")
    kept = decimals.rstrip("0").ljust(least_decimals, "0")
    grouped = f"{Decimal(entero):,f}"
    return f"{grouped}.{kept}" if kept else grouped


def exact(written: str) -> tuple[str, str]:
    """The number as `number` has it, apart at the cents: ("1,086.20", "6897")."""
    text = number(written)
    cents = text.index(".") + 3
    return text[:cents], text[cents:]


def amount(written: str) -> str:
    """A document amount with the decimals it was written with: 1,234.50."""
    return f"{decimal_of(written):,f}"


def percent(rate: str) -> str:
    """A fraction as a percentage: 0.160000 is 16 %."""
    return f"{number(f'{decimal_of(rate) * 100:f}', 0)} %"


def moment(written: str) -> str:
    """2026-11-20T12:00:00 with a blank in its middle."""
    return written.replace("T", " ")


def named(key: str | None, names: Mapping[str, str]) -> str | None:
    """A key of a catalog with what it means: "G03 – Gastos en general"."""
    if not key:
        return None
    name = names.get(key, "").rstrip(".")
    return f"{key} – {name}" if name else key


def pairs(*items: tuple[str, str | None]) -> list[tuple[str, str]]:
    """Label and text of what there is; what the document lacks is not printed."""
    return [(label, plain(text)) for label, text in items if text]
