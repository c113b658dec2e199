from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from cfdi.pdf import Brand, ColorRefused, LogoRefused, render
from cfdi.pdf.brand import MAX_BYTES, accent_of

Stamped = Callable[..., bytes]
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 10">%b</svg>'
RECT = SVG % b'<rect width="40" height="10" fill="#b3261e"/>'


def png(width: int, height: int, rows: int | None = None) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress((b"\0" + b"\xb3\x26\x1e" * width) * (height if rows is None else rows))
    start = b"\x89PNG\r\n\x1a\n"
    return start + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize("logo", [png(40, 10), RECT, b"\xef\xbb\xbf" + RECT])
def test_a_logo_is_printed(stamped: Stamped, logo: bytes) -> None:
    plain, branded = (
        render(stamped(), sandbox=False, brand=Brand(logo=given)) for given in (b"", logo)
    )
    assert plain != branded
    assert "1,260.00 MXN" in PdfReader(io.BytesIO(branded)).pages[0].extract_text()


def test_the_colour_changes_the_page(stamped: Stamped) -> None:
    assert render(stamped(), sandbox=False, brand=Brand(color="#b3261e")) != render(
        stamped(), sandbox=False
    )


HOSTILE = {
    "no picture": b"GIF89a" + b"\0" * 50,
    "a script": SVG % b"<script>alert(1)</script>",
    "a handler": SVG % b'<rect onload="x()" width="1" height="1"/>',
    "a picture elsewhere": SVG % b'<image href="file:///etc/passwd"/>',
    "a link": SVG % b'<path href="http://example.com/a" d="M0 0"/>',
    "paint elsewhere": SVG % b'<rect fill="url(http://example.com/#a)"/>',
    "a style sheet": SVG % b"<style>@import url(http://example.com)</style>",
    "style elsewhere": SVG % b"<rect style=\"fill: URL( 'http://example.com' )\"/>",
    "itself again": SVG % b'<g id="a"><use href="#a"/></g>',
    "letters": SVG % b"<text>Hola</text>",
    "a filter": SVG % b'<filter id="f"><feGaussianBlur stdDeviation="999"/></filter>',
    "html": SVG % b"<foreignObject><p>x</p></foreignObject>",
    "entities": b'<!DOCTYPE svg [<!ENTITY a "x">]>' + RECT,
    "no size": b'<svg xmlns="http://www.w3.org/2000/svg"><rect/></svg>',
    "an endless size": b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1e30 1"/>',
    "a clip path in a clip path": SVG
    % (
        b'<clipPath id="a"><rect width="9" height="9" clip-path="url(#b)"/></clipPath>'
        b'<clipPath id="b"><rect width="9" height="9"/></clipPath>'
    ),
    "one clipped by another": SVG % b'<clipPath id="a" clip-path="url(#a)"><rect/></clipPath>',
    "one in its style": SVG
    % b'<clipPath id="a"><rect style="Clip-Path: url(#a)" width="9" height="9"/></clipPath>',
    "a style in disguise": SVG % b'<rect style="cl\\69p-path: url(#a)" width="9" height="9"/>',
    "no end": RECT[:-3],
    "too many shapes": SVG % (b"<g/>" * 3000),
    "too many bytes": SVG % (b"<desc>" + b"x" * MAX_BYTES + b"</desc>"),
    "no svg": b"<html><svg xmlns='http://www.w3.org/2000/svg'/></html>",
    "a bomb": png(60_000, 60_000, rows=1),
    "no pixels": png(0, 10),
    "half a head": png(10, 10)[:20],
    "half a jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF",
}


@pytest.mark.parametrize("logo", HOSTILE.values(), ids=HOSTILE)
def test_hostile_logos_are_refused_in_words(logo: bytes) -> None:
    with pytest.raises(LogoRefused) as refused:
        Brand(logo=logo)
    assert "passwd" not in str(refused.value)
    assert "example" not in str(refused.value)


def test_a_clipped_logo_is_printed(stamped: Stamped) -> None:
    clipped = SVG % (
        b'<clipPath id="a"><circle r="4"/></clipPath>'
        b'<g clip-path="url(#a)"><rect width="40" height="10" fill="#b3261e"/></g>'
    )
    assert render(stamped(), sandbox=False, brand=Brand(logo=clipped)) != render(
        stamped(), sandbox=False
    )


def test_a_picture_that_breaks_off_still_prints_the_document(stamped: Stamped) -> None:
    """Its head is right, its pixels are not: only decoding tells."""
    broken = png(200, 200, rows=2)
    try:
        printed = render(stamped(), sandbox=False, brand=Brand(logo=broken))
    except LogoRefused:
        return
    assert "1,260.00 MXN" in PdfReader(io.BytesIO(printed)).pages[0].extract_text()


def test_an_editors_own_notes_do_no_harm(stamped: Stamped) -> None:
    logo = SVG % (
        b'<x:view xmlns:x="http://www.inkscape.org/namespaces/inkscape" zoom="2"/>'
        b"<!-- made by hand --><metadata/><rect width='9' height='9'/>"
    )
    assert render(stamped(), sandbox=False, brand=Brand(logo=logo))


@given(st.from_regex(r"#[0-9a-f]{6}", fullmatch=True))
def test_text_in_any_colour_can_be_read_on_white(color: str) -> None:
    accent = accent_of(color)
    red, green, blue = (int(accent[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)
    ]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    assert 1.05 / (luminance + 0.05) >= 4.5


def test_a_colour_that_can_be_read_is_kept() -> None:
    assert accent_of("#0B5FFF") == "#0b5fff"


@pytest.mark.parametrize("color", ["red", "#fff", "#12345g", "#1234567", '"]) #panic()'])
def test_what_is_no_colour_is_refused(color: str) -> None:
    with pytest.raises(ColorRefused):
        Brand(color=color)
