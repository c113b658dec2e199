"""The colours of both themes can be read: WCAG 2.2, 1.4.3 and 1.4.11."""

from __future__ import annotations

import itertools
import re
from dataclasses import asdict
from pathlib import Path

import pytest

import portal
from hub.domain.colors import palettes
from portal.design.assets import STYLES

DESIGN = Path(portal.__file__).parent / "design"
TOKENS = (DESIGN / "tokens.css").read_text()
LIGHT, DARK = (
    dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))
    for block in TOKENS.split("@media (prefers-color-scheme: dark)")
)
TEXT = [
    ("ink", "ground"),
    ("ink", "surface"),
    ("ink", "accent-soft"),
    ("ink-soft", "ground"),
    ("ink-soft", "surface"),
    ("accent", "surface"),
    ("accent", "accent-soft"),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("ink", "sunken"),
    ("ink", "good-soft"),
    ("ink-soft", "sunken"),
    ("accent", "ground"),
    ("accent-strong", "surface"),
    ("accent-strong", "accent-soft"),
    ("good", "good-soft"),
    ("danger", "surface"),
    ("danger", "danger-soft"),
    ("warning", "warning-soft"),
]
EDGES = [
    ("field-line", "surface"),
    ("field-line", "ground"),
    ("accent", "surface"),
    ("danger", "surface"),
    ("good", "surface"),
    ("warning-line", "surface"),
    ("focus", "surface"),
    ("focus", "ground"),
    ("focus", "danger-soft"),
]


def luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(theme: dict[str, str], one: str, other: str) -> float:
    low, high = sorted((luminance(theme[one]), luminance(theme[other])))
    return (high + 0.05) / (low + 0.05)


def weak(theme: dict[str, str]) -> list[tuple[str, str]]:
    found = [pair for pair in TEXT if contrast(theme, *pair) < 4.5]
    return found + [pair for pair in EDGES if contrast(theme, *pair) < 3.0]


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_every_text_and_edge_stands_out(theme: dict[str, str]) -> None:
    assert weak(theme) == []


@pytest.mark.parametrize("levels", ["00", "55", "aa", "ff"])
def test_they_do_in_the_colours_of_a_merchant_too(levels: str) -> None:
    for pair in itertools.product(("00", "55", "aa", "ff"), repeat=2):
        color = f"#{levels}{''.join(pair)}"
        for theme, palette in zip((LIGHT, DARK), palettes(color), strict=True):
            own = {name.replace("_", "-"): value for name, value in asdict(palette).items()}
            assert weak(theme | own) == [], color


def test_every_token_that_is_used_exists_and_the_other_way_round() -> None:
    components = "".join((DESIGN / f"{part}.css").read_text() for part in STYLES[1:])
    defined = set(re.findall(r"(--[a-z0-9-]+):", TOKENS))
    used = set(re.findall(r"var\((--[a-z0-9-]+)\)", components))
    assert used == defined
