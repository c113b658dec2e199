"""The part of a ticket that says how to get the invoice, for printers of 58 and of 80 mm.

Its QR code holds the address with the code and never the total: a ticket lies about, and the total
is what its holder has to know.
"""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from hub.domain import ticket
from portal import qr

#: Characters a line, in the font that printers of this width begin with.
COLUMNS: Final = {58: 32, 80: 48}
_WORDS: Final = {
    "es": {
        "title": "¿Necesitas factura?",
        "scan": "Escanea el código QR o entra a",
        "type": "Entra a",
        "code": "Código",
        "total": "Total",
        "until": "Plazo",
    },
    "en": {
        "title": "Do you need an invoice?",
        "scan": "Scan the QR code or go to",
        "type": "Go to",
        "code": "Code",
        "total": "Total",
        "until": "Until",
    },
}

# Epson's commands, which printers of other makers know as well:
# https://download4.epson.biz/sec_pubs/pos/reference_en/escpos/
_INIT: Final = b"\x1b@"
_PC858: Final = b"\x1bt\x13"
_CENTRED: Final = b"\x1ba\x01"
_LEFT: Final = b"\x1ba\x00"
_LARGE: Final = b"\x1d!\x11"
_NORMAL: Final = b"\x1d!\x00"
_QR: Final = b"\x1d(k"
_DOTS: Final = {58: 5, 80: 6}


@dataclass(frozen=True, slots=True)
class Ticket:
    merchant: str
    code: str
    total: str  # with its currency
    until: str  # a day; "" where there is none
    address: str  # of the page for code and total
    short_address: str  # the same, to be typed
    language: str = "es"

    @property
    def scanned(self) -> str:
        """What the QR code holds."""
        return f"{self.address}?codigo={quote(self.code)}"

    @property
    def typed(self) -> str:
        """The address as people type it."""
        return self.short_address.partition("://")[2]

    def lines(self) -> list[tuple[str, str]]:
        """Label and value of what is on it."""
        words = _WORDS[self.language]
        found = [(words["code"], ticket.shown(self.code)), (words["total"], self.total)]
        return [*found, (words["until"], self.until)] if self.until else found


def text(printed: Ticket, millimetres: int = 80) -> str:
    """Lines of characters alone, for whatever prints no pictures; so without the QR code."""
    columns, words = COLUMNS[millimetres], _WORDS[printed.language]
    title = [printed.merchant, words["title"]]
    centred = [line.center(columns).rstrip() for one in title for line in _wrapped(one, columns)]
    below = [line for one in (words["type"], printed.typed) for line in _wrapped(one, columns)]
    facts = [f"{label}: {value}" for label, value in printed.lines()]
    return "\n".join([*centred, "", *facts, "", *below, ""])


def escpos(printed: Ticket, millimetres: int = 80) -> bytes:
    """For a printer that speaks ESC/POS: to be sent as it is, before the paper is cut."""
    columns, words = COLUMNS[millimetres], _WORDS[printed.language]
    (label, code), *facts = printed.lines()
    parts = [_INIT, _PC858, _CENTRED]
    parts += [_line(one, columns) for one in (printed.merchant, words["title"])]
    parts += [_qr(printed.scanned, _DOTS[millimetres]), b"\n", _line(label, columns)]
    parts += [_LARGE, _line(code, columns // 2), _NORMAL]
    parts += [_line(f"{name}: {value}", columns) for name, value in facts]
    parts += [_line(one, columns) for one in (words["scan"], printed.typed)]
    return b"".join([*parts, b"\n", _LEFT])


def page(printed: Ticket, millimetres: int = 80, *, kind: str = "pdf") -> bytes:
    """A page of the paper's width, as long as it needs: "pdf", "svg" or "png"."""
    words = _WORDS[printed.language]
    data = {
        "width": millimetres,
        "merchant": printed.merchant,
        "title": words["title"],
        "how": words["scan"],
        "address": printed.typed,
        "lines": printed.lines(),
        "qr": qr.svg(printed.scanned),
    }
    made = _compiler().compile(
        format=kind, sys_inputs={"data": json.dumps(data)}, ppi=203.0 if kind == "png" else None
    )
    if not isinstance(made, bytes):
        raise TypeError("a ticket has one page")
    return made


@cache
def _compiler() -> Any:
    import typst  # noqa: PLC0415 - every process reads this file, few print a page

    folder = files("font_source_sans_pro").joinpath("files")
    fonts = typst.Fonts(include_system_fonts=False, font_paths=[str(folder)])
    template = Path(__file__).with_name("ticket.typ")
    return typst.Compiler(template, root=template.parent, font_paths=fonts)


def _wrapped(line: str, columns: int) -> list[str]:
    return textwrap.wrap(line, columns, break_long_words=True, break_on_hyphens=False) or [""]


def _line(line: str, columns: int) -> bytes:
    """Printable characters of PC858; what it has not is a question mark."""
    plain = "".join(one if one.isprintable() else " " for one in line)
    return "".join(f"{one}\n" for one in _wrapped(plain, columns)).encode("cp858", "replace")


def _qr(content: str, dots: int) -> bytes:
    """Model 2, error correction M, `dots` to a module's edge: stored, then printed."""
    data = content.encode("ascii")

    def function(*what: int, more: bytes = b"") -> bytes:
        body = bytes((49, *what)) + more
        return _QR + len(body).to_bytes(2, "little") + body

    return b"".join(
        (
            function(65, 50, 0),
            function(67, dots),
            function(69, 49),
            function(80, 48, more=data),
            function(81, 48),
        )
    )
