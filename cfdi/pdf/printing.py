"""From the stamped XML to the pages: typst lays out `cfdi.typ`, with its embedded fonts only."""

from __future__ import annotations

import ctypes
import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final, cast
from zoneinfo import ZoneInfo

import typst
from lxml import etree

from cfdi.catalogs import CodigoPostalUnknown, zone
from cfdi.pdf import labels as words
from cfdi.pdf.brand import Brand
from cfdi.pdf.fields import printed_fields
from cfdi.pdf.qr import timbre_of
from cfdi.xml import COMPROBANTE, parse

_TEMPLATE = Path(__file__).with_name("cfdi.typ")
_NOTHING = _TEMPLATE.with_name("nothing.typ")
#: No logo, the usual colour.
PLAIN: Final = Brand()
#: Typst keeps the layout of a document until ten more were compiled. These empty ones make it
#: forget sooner: 97 instead of 162 MB after 150 documents of 60 lines, for 2 ms each.
#: https://docs.rs/comemo/latest/comemo/fn.evict.html
_FORGETTING = 3
#: One thread alone: a compiler refuses to be used by two at a time, and glibc would keep what the
#: layout needed once for every thread that ever printed (171 instead of 130 MB in a web process).
#: https://sourceware.org/glibc/manual/latest/html_node/The-GNU-Allocator.html
_PRINTER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pdf")


class NotPrintable(ValueError):
    """Not a stamped CFDI 4.0 of type I, E, T or P. The message says what is missing."""


def render(
    stamped: bytes,
    *,
    sandbox: bool,
    cancelled: bool = False,
    language: str = "es",
    brand: Brand = PLAIN,
) -> bytes:
    """The printed representation of a stamped CFDI 4.0 as a PDF; equal input makes equal bytes.

    `sandbox` marks every page as without fiscal value, `cancelled` as cancelled. What stands in an
    Addenda is not printed; complements other than payments are named. Raises `XmlRefused` for what
    is no XML, `NotPrintable` for what is no stamped document.
    """
    root = parse(stamped)
    if root.tag != COMPROBANTE:
        raise NotPrintable("not a CFDI 4.0: its root is not cfdi:Comprobante")
    if root.get("TipoDeComprobante") not in words.TIPO_DE_COMPROBANTE:
        raise NotPrintable("only documents of type I, E, T and P can be printed")
    marks = (words.SANDBOX,) * sandbox + (words.CANCELLED,) * cancelled
    try:
        fields = printed_fields(root, marks=marks, language=language, brand=brand)
        certified_at = _certified_at(root)
    except (ValueError, ArithmeticError) as missing:
        raise NotPrintable(f"the document cannot be printed: {missing}") from missing
    printing = _PRINTER.submit(_compile, json.dumps(fields), certified_at)
    _PRINTER.submit(_forget)
    return printing.result()


def _certified_at(root: etree._Element) -> datetime:
    """FechaTimbrado in UTC, read as the place's time (`cfdi.timbre` says what else it may be)."""
    local = datetime.fromisoformat(timbre_of(root).get("FechaTimbrado", ""))
    try:
        place = zone(root.get("LugarExpedicion", ""))
    except CodigoPostalUnknown:
        place = ZoneInfo("America/Mexico_City")
    return local.replace(tzinfo=place).astimezone(UTC)


@cache
def _compilers() -> tuple[typst.Compiler, typst.Compiler]:
    """The template's, which keeps the fonts and the parsed template, and one of nothing."""
    folder = files("font_source_sans_pro").joinpath("files")
    fonts = typst.Fonts(include_system_fonts=False, font_paths=[str(folder)])
    template = typst.Compiler(_TEMPLATE, root=_TEMPLATE.parent, font_paths=fonts)
    return template, typst.Compiler(_NOTHING, root=_TEMPLATE.parent, font_paths=fonts)


def _compile(data: str, certified_at: datetime) -> bytes:
    template, _ = _compilers()
    pdf = template.compile(
        format="pdf", sys_inputs={"data": data}, timestamp=int(certified_at.timestamp())
    )
    if not isinstance(pdf, bytes):
        raise TypeError("typst gave no PDF")
    return pdf


def _forget() -> None:
    """While the document is on its way already."""
    _, nothing = _compilers()
    for _ in range(_FORGETTING):
        nothing.compile(format="pdf")
    _give_back()


@cache
def _malloc_trim() -> Callable[[int], int] | None:
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    return cast("Callable[[int], int] | None", trim)


def _give_back() -> None:
    """Let go of what the layout needed: glibc would keep it for the next one.

    https://man7.org/linux/man-pages/man3/malloc_trim.3.html
    """
    trim = _malloc_trim()
    if trim is not None:
        trim(0)
