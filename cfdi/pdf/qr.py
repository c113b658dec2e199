"""The QR code of a document."""

from __future__ import annotations

import io

import segno

from cfdi.consulta import NAMESPACES, timbre_of, url_of, verification_url

__all__ = ["NAMESPACES", "svg", "timbre_of", "url_of", "verification_url"]


def svg(text: str) -> str:
    """The QR code as an SVG without a border; the page leaves the quiet zone.

    The mask is given: weighing all eight takes three times as long as the rest of the code, and
    upon text as even as a UUID and a seal they come out alike.
    """
    image = io.BytesIO()
    code = segno.make(text, error="m", micro=False, mask=3)
    code.save(image, kind="svg", border=0, xmldecl=False)
    return image.getvalue().decode()
