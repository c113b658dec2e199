"""Values that remember how they were written, for documents that are written again as they were.

SAT's schemas let "01.50" and "1.50", or blanks in excess, stand for one value, but the document
is sealed and compared as it was written. Arithmetic with such a value gives plain values.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Self

#: xs:decimal (https://www.w3.org/TR/xmlschema-2/#decimal), and of that what is not negative.
_DECIMAL = re.compile(r"\+?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_XML_BLANKS = re.compile(r"[ \t\r\n]+")


def collapsed(text: str) -> str:
    """xs:whiteSpace collapse, which is also what the style sheet of the cadena original does."""
    return _XML_BLANKS.sub(" ", text).strip(" ")


class AmountAsWritten(Decimal):
    """An amount in a spelling that a Decimal does not give back: "01.50", ".5", "+1".

    Raises `ValueError` for what no schema of SAT's takes for an amount.
    """

    __slots__ = ("written",)
    written: str

    def __new__(cls, written: str) -> Self:
        plain = collapsed(written)
        if not _DECIMAL.fullmatch(plain):
            raise ValueError("not an amount of zero or more")
        amount = super().__new__(cls, plain)
        amount.written = written
        return amount

    def __reduce__(self) -> tuple[type[AmountAsWritten], tuple[str]]:
        return AmountAsWritten, (self.written,)


class TextAsWritten(str):
    """A text that was written with blanks in excess; its value has none."""

    __slots__ = ("written",)
    written: str

    def __new__(cls, written: str) -> Self:
        text = super().__new__(cls, collapsed(written))
        text.written = written
        return text

    def __reduce__(self) -> tuple[type[TextAsWritten], tuple[str]]:
        return TextAsWritten, (self.written,)
