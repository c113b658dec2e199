"""How each kind of value is written: as the attribute of an element, and in the cadena original."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from enum import Enum
from string import ascii_letters, digits
from typing import Any, Final

from cfdi.comprobante import Impuesto, TipoFactor
from cfdi.xml.nodes import Kind
from cfdi.xml.spelling import AmountAsWritten, TextAsWritten, collapsed

#: What is written in the attribute, escaped, and what the cadena says.
Written = tuple[str, str]

# Characters that XML 1.0 does not know (§2.2).
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_PLAIN: Final = re.compile('[\x00-\x1f|&<>"\ud800-\udfff\ufffe\uffff]')
_DIGITS: Final = frozenset("0123456789")
#: As libxml2 does it in attributes (https://www.w3.org/TR/xml-c14n#ProcessingModel is alike but
#: for ">").
_ESCAPES: Final = (
    ("&", "&amp;"),  # first: the others bring ampersands of their own
    ("<", "&lt;"),
    (">", "&gt;"),
    ('"', "&quot;"),
    ("\t", "&#9;"),
    ("\n", "&#10;"),
    ("\r", "&#13;"),
)
_BASE64: Final = (ascii_letters + digits + "+/=").encode()


def escaped(text: str) -> str:
    for mark, reference in _ESCAPES:
        text = text.replace(mark, reference)
    return text


def _text(name: str, said: Any) -> Written:
    if type(said) is str and (
        said.isalnum()  # most are, and nothing of them is a blank, a control or a mark
        or not said
        or not (_NOT_PLAIN.search(said) or "  " in said or said[0] == " " or said[-1] == " ")
    ):
        return said, said
    return _careful(name, said, bars=False, blanks=False)


def _verbatim(name: str, said: Any) -> Written:
    return _careful(name, said, bars=False, blanks=True)


def _piped(name: str, said: Any) -> Written:
    return _careful(name, said, bars=True, blanks=False)


def _base64(name: str, said: Any) -> Written:
    if type(said) is str and said.isascii() and not said.encode().translate(None, _BASE64):
        return said, said
    return _text(name, said)


def _careful(name: str, said: Any, *, bars: bool, blanks: bool) -> Written:
    text = said.value if isinstance(said, Enum) else said
    if not isinstance(text, str):
        raise TypeError(f"{name}: not a text")
    raw = text.written if isinstance(text, TextAsWritten) else str(text)
    if _NOT_XML.search(raw) or ("|" in raw and not bars):
        raise ValueError(f"{name}: holds a character that SAT does not accept ('|' or a control)")
    plain = collapsed(raw)
    if not plain:
        return "", ""
    # What is written is what the cadena says, unless it has to be as it was.
    exact = blanks or isinstance(text, TextAsWritten)
    return escaped(raw if exact else plain), plain


def _amount(name: str, said: Any) -> Written:
    if type(said) is Decimal:
        text = str(said)
        if text[0] in _DIGITS and "E" not in text:
            return text, text
    if not isinstance(said, Decimal):
        raise TypeError(f"{name}: not a Decimal")
    if not said.is_finite() or said.is_signed():
        raise ValueError(f"{name}: not a finite amount of zero or more")
    text = said.written if isinstance(said, AmountAsWritten) else f"{said:f}"
    return escaped(text), collapsed(text)


def _moment(name: str, said: Any) -> Written:
    if not isinstance(said, datetime):
        raise TypeError(f"{name}: not a date and time")
    if said.tzinfo is not None:
        raise ValueError(f"{name}: must be the local time at LugarExpedicion, without a zone")
    text = said.isoformat(timespec="seconds")
    return text, text


def _number(name: str, said: Any) -> Written:
    if not isinstance(said, int) or said < 0:
        raise ValueError(f"{name}: not a whole number")
    return str(int(said)), str(int(said))


def _key(name: str, said: Any) -> Written:
    if isinstance(said, (Impuesto, TipoFactor)):
        return _KEYS[said]
    return _text(name, said)


_KEYS: Final = {key: (key.value, key.value) for key in (*Impuesto, *TipoFactor)}

WRITERS: Final[dict[Kind, Callable[[str, Any], Written]]] = {
    Kind.TEXT: _text,
    Kind.VERBATIM: _verbatim,
    Kind.PIPED: _piped,
    Kind.BASE64: _base64,
    Kind.AMOUNT: _amount,
    Kind.MOMENT: _moment,
    Kind.NUMBER: _number,
    Kind.IMPUESTO: _key,
    Kind.TIPO_FACTOR: _key,
}
