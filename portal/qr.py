"""QR codes of addresses: for pages and letters, and for what a till prints.

Error correction M, which ISO/IEC 18004 has for common use, and the quiet zone of four modules that
readers need; white behind it, so that it is read from a dark page as well.
"""

from __future__ import annotations

import io

import segno

_QUIET = 4
_LIGHT, _DARK = "#fff", "#000"


def svg(url: str) -> str:
    """An image without a size of its own: it fills what holds it."""
    image = io.BytesIO()
    _code(url).save(
        image,
        kind="svg",
        border=_QUIET,
        light=_LIGHT,
        dark=_DARK,
        omitsize=True,
        svgclass=None,
        lineclass=None,
        xmldecl=False,
        nl=False,
    )
    return image.getvalue().decode()


def png(url: str, *, pixels: int = 8) -> bytes:
    """`pixels`: of one module's edge."""
    image = io.BytesIO()
    _code(url).save(image, kind="png", border=_QUIET, scale=pixels, light=_LIGHT, dark=_DARK)
    return image.getvalue()


def text(url: str) -> str:
    """Of half blocks, for a terminal and a printer of text."""
    image = io.StringIO()
    _code(url).terminal(image, border=_QUIET, compact=True)
    return image.getvalue()


def _code(url: str) -> segno.QRCode:
    return segno.make(url, error="m", micro=False)
