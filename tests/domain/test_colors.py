"""Whatever colour a merchant has, its pages can be read."""

from __future__ import annotations

import colorsys
import math
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.colors import Palette, contrast, palettes

TOKENS = Path(__file__).resolve().parents[2] / "portal/design/tokens.css"
COLORS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def tokens() -> tuple[dict[str, str], dict[str, str]]:
    """The pages' own colours, light and dark."""
    light, dark = TOKENS.read_text(encoding="utf-8").split("@media", 1)
    found = [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", part)) for part in (light, dark)]
    return found[0], found[1]


LIGHT, DARK = tokens()


def check(palette: Palette, page: dict[str, str]) -> None:
    grounds = [page[name] for name in ("ground", "surface", "sunken")]
    for ground in [*grounds, palette.accent_soft]:
        assert contrast(palette.accent, ground) >= 4.5
        assert contrast(palette.accent_strong, ground) >= 4.5
    for button in (palette.accent, palette.accent_strong):
        assert contrast(palette.on_accent, button) >= 4.5
    for text in (page["ink"], page["ink-soft"]):
        assert contrast(text, palette.accent_soft) >= 4.5


@settings(max_examples=3000)
@given(COLORS)
def test_every_colour_can_be_read_on_every_ground(color: str) -> None:
    light, dark = palettes(color)
    check(light, LIGHT)
    check(dark, DARK)


@pytest.mark.parametrize(
    "color",
    ["#ffffff", "#000000", "#ffff00", "#ffcc00", "#00ffff", "#0000ff", "#808080", "#00ff00"],
)
def test_colours_at_the_ends(color: str) -> None:
    test_every_colour_can_be_read_on_every_ground.hypothesis.inner_test(color)  # type: ignore[attr-defined]


@pytest.mark.parametrize("color", ["#0b6b54", "#1a56db", "#7a1fa2", "#5b2100"])
def test_a_colour_that_can_be_read_stays_as_it_is(color: str) -> None:
    assert palettes(color)[0].accent == color


@given(COLORS)
def test_the_hue_stays(color: str) -> None:
    """Yellow becomes ochre and never red: within a sixth of the circle, greys aside."""
    for palette in palettes(color):
        before, after = _hsl(color), _hsl(palette.accent)
        if before[2] < 0.15 or not 0.1 < before[1] < 0.9 or after[2] < 0.1:
            continue
        turned = abs(before[0] - after[0])
        assert min(turned, 1 - turned) < 1 / 6, (color, palette.accent)


def _hsl(color: str) -> tuple[float, float, float]:
    red, green, blue = (int(color[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return colorsys.rgb_to_hls(red, green, blue)


def test_contrast_is_that_of_wcag() -> None:
    assert math.isclose(contrast("#000000", "#ffffff"), 21)
    assert math.isclose(contrast("#777777", "#ffffff"), 4.478, abs_tol=0.001)
    assert contrast("#ffffff", "#ffffff") == 1
