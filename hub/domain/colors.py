"""A merchant's colour made readable: its hue stays, its lightness gives way to contrast.

Lightness is moved in OKLCH, where equal steps look equal (https://bottosson.github.io/posts/oklab/);
contrast is that of WCAG 2.2 (https://www.w3.org/TR/WCAG22/#contrast-minimum).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

#: Of text and of what is written on buttons, with a little room for rounding.
CONTRAST: Final = 4.6
#: The darkest ground of light pages and the lightest of dark ones that stand beside the colour.
LIGHT_GROUND: Final = "#e9eeec"
DARK_GROUND: Final = "#222d29"
_WHITE: Final = "#ffffff"
_STEPS: Final = 14

Rgb = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours as #rrggbb: of links and buttons, of them pressed, of grounds, of text on them."""

    accent: str
    accent_strong: str
    accent_soft: str
    on_accent: str


@lru_cache(maxsize=256)
def palettes(color: str) -> tuple[Palette, Palette]:
    """For light and for dark pages, of any `#rrggbb`."""
    lightness, chroma, hue = _oklch(color)
    return _light(lightness, chroma, hue), _dark(lightness, chroma, hue)


def contrast(one: str, other: str) -> float:
    """1 to 21; https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def luminance(color: str) -> float:
    red, green, blue = (_linear(part) for part in _rgb(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _light(lightness: float, chroma: float, hue: float) -> Palette:
    soft = _hex(0.955, min(chroma, 0.025), hue)
    darkest = min((LIGHT_GROUND, soft), key=luminance)
    accent = _moved(lightness, 0.0, chroma, hue, against=darkest)
    shade = _oklch(accent)[0]
    # What is nearly black already can only answer a finger by becoming lighter.
    strong = _hex(shade - 0.08 if shade > 0.3 else shade + 0.1, chroma, hue)
    return Palette(accent, strong, soft, _WHITE)


def _dark(lightness: float, chroma: float, hue: float) -> Palette:
    soft = _hex(0.29, min(chroma, 0.04), hue)
    lightest = max((DARK_GROUND, soft), key=luminance)
    accent = _moved(lightness, 1.0, chroma, hue, against=lightest)
    shade = _oklch(accent)[0]
    strong = _hex(shade + 0.07 if shade < 0.9 else shade - 0.07, chroma, hue)
    return Palette(accent, strong, soft, _hex(0.19, min(chroma, 0.03), hue))


def _moved(start: float, end: float, chroma: float, hue: float, *, against: str) -> str:
    """The colour nearest to `start`, on the way to `end`, that can be read upon `against`."""
    if contrast(_hex(start, chroma, hue), against) >= CONTRAST and (
        (start > _oklch(against)[0]) == (end > 0.5)
    ):
        return _hex(start, chroma, hue)
    far, near = end, start
    for _ in range(_STEPS):
        middle = (far + near) / 2
        readable = contrast(_hex(middle, chroma, hue), against) >= CONTRAST
        beyond = (middle > _oklch(against)[0]) == (end > 0.5)
        far, near = (middle, near) if readable and beyond else (far, middle)
    return _hex(far, chroma, hue)


def _hex(lightness: float, chroma: float, hue: float) -> str:
    """The colour, paler where screens cannot show it as strong."""
    lightness = min(max(lightness, 0.0), 1.0)
    low, high = 0.0, chroma
    if not _shown(_from_oklch(lightness, chroma, hue)):
        for _ in range(_STEPS):
            middle = (low + high) / 2
            fits = _shown(_from_oklch(lightness, middle, hue))
            low, high = (middle, high) if fits else (low, middle)
        chroma = low
    parts = (_gamma(part) for part in _from_oklch(lightness, chroma, hue))
    return "#" + "".join(f"{round(min(max(part, 0.0), 1.0) * 255):02x}" for part in parts)


def _shown(color: Rgb) -> bool:
    return all(-1e-4 <= part <= 1 + 1e-4 for part in color)


def _rgb(color: str) -> Rgb:
    red, green, blue = (int(color[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return red, green, blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _gamma(part: float) -> float:
    part = max(part, 0.0)
    return 12.92 * part if part <= 0.0031308 else float(1.055 * part ** (1 / 2.4) - 0.055)


def _oklch(color: str) -> Rgb:
    red, green, blue = (_linear(part) for part in _rgb(color))
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return lightness, math.hypot(a, b), math.atan2(b, a)


def _from_oklch(lightness: float, chroma: float, hue: float) -> Rgb:
    """Linear red, green and blue; outside of 0 to 1 where no screen shows it."""
    a, b = chroma * math.cos(hue), chroma * math.sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
