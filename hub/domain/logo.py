"""A merchant's own picture made anew: small, without anything but pixels in it.

Nothing of the file that was given is kept but its picture: no metadata, no second picture, nothing
behind its end. https://pillow.readthedocs.io/en/stable/handbook/security.html
"""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageOps

from hub.domain.brand import Logo

#: Bytes of the file, and pixels of the picture in it: one of few bytes may unfold into gigabytes.
MAX_BYTES: Final = 5 * 1024 * 1024
MAX_PIXELS: Final = 16_000_000
#: Of the picture on documents and in letters.
PRINT_SIDE: Final = 512
#: On pages, where it is shown at half of its size: it costs buyers on slow phones.
PAGE_SIZES: Final = ((480, 80), (360, 64), (240, 48), (160, 32))
PAGE_BYTES: Final = 10 * 1024
_COLORS: Final = (256, 64, 16)
_FORMATS: Final = ("PNG", "JPEG", "WEBP")
#: So bright on average that it cannot be made out upon white.
_PALE: Final = 225


class LogoUnusable(ValueError):
    """The picture cannot be used. The message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Picture:
    """PNG."""

    facts: Logo
    image: bytes


@dataclass(frozen=True, slots=True)
class Prepared:
    page: Picture
    print: Picture
    #: Hardly to be seen on white, where it stands in letters and on documents.
    pale: bool


def prepare(data: bytes) -> Prepared:
    """Both sizes of a PNG, JPEG or WebP. Raises `LogoUnusable`."""
    picture = _trimmed(_read(data))
    large = picture.copy()
    large.thumbnail((PRINT_SIDE, PRINT_SIDE))
    return Prepared(_for_pages(picture), _picture(large, _png(large)), _is_pale(picture))


def _read(data: bytes) -> Image.Image:
    if len(data) > MAX_BYTES:
        raise LogoUnusable(f"the logo is larger than {MAX_BYTES // 2**20} MB: save it smaller")
    if b"<svg" in data[:4096].lower():
        raise LogoUnusable(
            "an SVG is not taken: it is a program as much as a picture, and letters do not show "
            "it. Export it as PNG, 512 pixels wide"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            opened = Image.open(io.BytesIO(data), formats=_FORMATS)
    except Exception:  # noqa: BLE001 - whatever Pillow says of what is no picture, or a bomb
        raise LogoUnusable("the logo is no PNG, JPEG or WebP, or is far too large") from None
    if opened.width * opened.height > MAX_PIXELS:
        raise LogoUnusable(f"the logo has more than {MAX_PIXELS // 10**6} million pixels")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = ImageOps.exif_transpose(opened).convert("RGBA")
    except Exception:  # noqa: BLE001 - a file that ends too soon fails in a hundred ways
        raise LogoUnusable("the logo is damaged: save it again as PNG") from None
    picture.info.clear()  # profiles and comments would be saved with it
    return picture


def _trimmed(picture: Image.Image) -> Image.Image:
    """Without an empty border, which would make it smaller than it has to be."""
    box = picture.getchannel("A").getbbox()
    if box is None:
        raise LogoUnusable("the logo is empty: every pixel of it is transparent")
    return picture.crop(box)


def _for_pages(picture: Image.Image) -> Picture:
    """The best that is small enough; the last of them always is."""
    found = None
    for small, image in _tries(picture):
        found = _picture(small, image)
        if len(image) <= PAGE_BYTES:
            break
    if found is None:
        raise LogoUnusable("the logo cannot be made smaller")
    return found


def _tries(picture: Image.Image) -> Iterator[tuple[Image.Image, bytes]]:
    for size in PAGE_SIZES:
        small = picture.copy()
        small.thumbnail(size)
        for colors in _COLORS:
            # The method that keeps transparency.
            fewer = small.quantize(colors, method=Image.Quantize.FASTOCTREE)
            yield small, _png(fewer)


def _png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()


def _picture(drawn: Image.Image, image: bytes) -> Picture:
    digest = hashlib.sha256(image).hexdigest()[:16]
    return Picture(Logo(digest, drawn.width, drawn.height), image)


def _is_pale(picture: Image.Image) -> bool:
    seen = picture.getchannel("A").point(lambda alpha: 255 if alpha > 127 else 0)
    counts = picture.convert("L").histogram(seen)
    pixels = sum(counts)
    brightness = sum(shade * count for shade, count in enumerate(counts)) / max(pixels, 1)
    return brightness > _PALE
