"""The merchant's logo and colour: hostile files are refused, contrast is kept."""

from __future__ import annotations

import base64
import re
import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import typst
from lxml import etree

from cfdi.xml import XmlRefused, parse

#: The colour of headings where the merchant has chosen none.
ACCENT: Final = "#0f5c5c"
MAX_BYTES: Final = 512 * 1024
#: Decoded, a pixel takes four bytes: a picture of few bytes may unfold into gigabytes.
MAX_PIXELS: Final = 4_000_000
_NO_FONTS: Final = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False)
_MAX_ELEMENTS: Final = 2000
_MAX_SIDE: Final = 100_000.0
_COLOR: Final = re.compile(r"#[0-9a-fA-F]{6}")
#: Text on white and white on colour: WCAG 2.2, 1.4.3.
_CONTRAST: Final = 4.5
_SVG: Final = "http://www.w3.org/2000/svg"
#: Shapes and their paint. Nothing that draws again what was drawn (use, pattern, filter), needs a
#: font (text) or reaches out of the file (image, style sheets, scripts).
_SHAPES: Final = frozenset(
    {"svg", "g", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "defs"}
    | {"linearGradient", "radialGradient", "stop", "clipPath", "title", "desc", "metadata"}
)
_NUMBER: Final = re.compile(r"\s*([0-9]*\.?[0-9]+(?:e[+-]?[0-9]+)?)\s*(px|pt|mm|cm|in)?\s*")
_REACHES_OUT: Final = re.compile(
    r"url\(\s*['\"]?(?!#)|@import|javascript:|expression\(", re.IGNORECASE
)


class LogoRefused(ValueError):
    """The picture cannot be used. The message says why and what to do."""


class ColorRefused(ValueError):
    """Not a colour as #rrggbb."""


@dataclass(frozen=True, slots=True)
class Brand:
    """What a document shows of its issuer. Empty: the plain look. Raises what is refused."""

    logo: bytes = b""
    color: str = ""

    def __post_init__(self) -> None:
        svg_of(self.logo)
        accent_of(self.color)


def accent_of(color: str) -> str:
    """The colour, darkened until text of it can be read on white. Raises `ColorRefused`."""
    if not color:
        return ACCENT
    if not _COLOR.fullmatch(color):
        raise ColorRefused("a colour is written as # and six digits 0-9 a-f, such as #0f5c5c")
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    for step in range(100, 0, -2):
        darker = tuple(part * step // 100 for part in (red, green, blue))
        if 1.05 / (_luminance(darker) + 0.05) >= _CONTRAST:
            return "#{:02x}{:02x}{:02x}".format(*darker)
    return "#000000"


def _luminance(color: tuple[int, ...]) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    linear = [
        part / 255 / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4
        for part in color
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@lru_cache(maxsize=32)
def svg_of(logo: bytes) -> str:
    """The logo as an SVG that reaches nowhere; "" for none. Raises `LogoRefused`."""
    if not logo:
        return ""
    if len(logo) > MAX_BYTES:
        raise LogoRefused(f"the logo is larger than {MAX_BYTES // 1024} KB: save it smaller")
    svg = _as_svg(logo)
    _try_to_print(svg)
    return svg


def _as_svg(logo: bytes) -> str:
    if logo.startswith(b"\x89PNG\r\n\x1a\n"):
        return _framed(logo, "png", _png_size(logo))
    if logo.startswith(b"\xff\xd8\xff"):
        return _framed(logo, "jpeg", _jpeg_size(logo))
    if b"<svg" in logo[:4096]:
        return _cleaned(logo)
    raise LogoRefused("the logo must be a PNG, JPEG or SVG file")


def _try_to_print(svg: str) -> None:
    """Only the printer knows whether it can draw it: a bad logo must show here, not on a sale."""
    page = b'#image(bytes(sys.inputs.svg), format: "svg", width: 2cm, height: 1cm)'
    try:
        typst.compile(page, format="pdf", sys_inputs={"svg": svg}, font_paths=_NO_FONTS)
    except (typst.TypstError, RuntimeError):
        raise LogoRefused("the logo cannot be drawn: save it again, or use a PNG") from None


def _framed(picture: bytes, kind: str, size: tuple[int, int]) -> str:
    width, height = size
    if not (width and height) or width * height > MAX_PIXELS:
        raise LogoRefused(f"the logo must have between 1 and {MAX_PIXELS // 10**6} million pixels")
    data = base64.b64encode(picture).decode()
    return (
        f'<svg xmlns="{_SVG}" viewBox="0 0 {width} {height}"><image width="{width}" '
        f'height="{height}" href="data:image/{kind};base64,{data}"/></svg>'
    )


def _png_size(picture: bytes) -> tuple[int, int]:
    """Of IHDR, always the first chunk: https://www.w3.org/TR/png-3/#11IHDR"""
    if len(picture) < 33 or picture[12:16] != b"IHDR":
        raise LogoRefused("the logo is not a whole PNG file: save it again")
    width, height = struct.unpack(">II", picture[16:24])
    return width, height


def _jpeg_size(picture: bytes) -> tuple[int, int]:
    """Of the frame header SOFn: https://www.w3.org/Graphics/JPEG/itu-t81.pdf B.2.2"""
    at = 2
    while at + 9 <= len(picture) and picture[at] == 0xFF:
        marker, length = picture[at + 1], int.from_bytes(picture[at + 2 : at + 4])
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            height, width = struct.unpack(">HH", picture[at + 5 : at + 9])
            return width, height
        at += 2 + max(length, 2)
    raise LogoRefused("the logo is not a whole JPEG file: save it again")


def _cleaned(logo: bytes) -> str:
    try:
        root = parse(logo, max_bytes=MAX_BYTES)
    except XmlRefused as refused:
        raise LogoRefused(
            f"the SVG cannot be read ({refused}): export it as a plain SVG in UTF-8, or use a PNG"
        ) from None
    etree.strip_tags(root, etree.Comment, etree.ProcessingInstruction)
    elements = list(root.iter())
    if root.tag != f"{{{_SVG}}}svg" or len(elements) > _MAX_ELEMENTS:
        raise LogoRefused(f"the SVG must have <svg> at its root and up to {_MAX_ELEMENTS} elements")
    for element in elements:
        _check(element)
    for clip in root.iter(f"{{{_SVG}}}clipPath"):
        if any(_clips(element) for element in clip.iter()):
            raise LogoRefused("the SVG clips what it clips with: flatten it, or use a PNG")
    _check_size(root)
    return etree.tostring(root, encoding="unicode")


def _clips(element: etree._Element) -> bool:
    """Ten clip paths, each of ten shapes that the next one clips, take 10^10 steps to draw."""
    return "clip-path" in element.attrib or "clip-path" in element.get("style", "").lower()


def _check(element: etree._Element) -> None:
    name = etree.QName(element)
    if name.namespace != _SVG:
        parent = element.getparent()
        inside_metadata = any(up.tag == f"{{{_SVG}}}metadata" for up in element.iterancestors())
        if parent is None or inside_metadata or not len(element):
            return  # an editor's own notes, which draw nothing
    if name.localname not in _SHAPES and name.namespace == _SVG:
        raise LogoRefused(
            f"the SVG holds <{name.localname[:20]}>, which is not accepted: in your editor turn "
            "text into paths, flatten effects and save as plain SVG, or use a PNG"
        )
    for attribute, written in element.attrib.items():
        local, value = etree.QName(attribute).localname.lower(), str(written)
        if local.startswith("on") or (local == "href" and not value.startswith("#")):
            raise LogoRefused("the SVG holds a script or a link: save it as plain SVG")
        if _REACHES_OUT.search(value) or (local == "style" and "\\" in value):
            raise LogoRefused("the SVG refers to another file: save it as plain SVG")


def _check_size(root: etree._Element) -> None:
    box = root.get("viewBox", "").replace(",", " ").split()
    sides = box[2:] if len(box) == 4 else [root.get("width", ""), root.get("height", "")]
    for side in sides:
        found = _NUMBER.fullmatch(side)
        if found is None or not 0 < float(found.group(1)) <= _MAX_SIDE:
            raise LogoRefused("the SVG needs a viewBox of a usual size: export it again")
