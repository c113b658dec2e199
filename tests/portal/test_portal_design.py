"""The colours of both themes can be read: WCAG 2.2, 1.4.3 and 1.4.11."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import portal

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
    ("danger", "surface"),
    ("danger", "danger-soft"),
    ("warning", "warning-soft"),
]
EDGES = [("field-line", "surface"), ("focus", "surface"), ("focus", "ground")]


def luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(theme: dict[str, str], one: str, other: str) -> float:
    low, high = sorted((luminance(theme[one]), luminance(theme[other])))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_every_text_and_edge_stands_out(theme: dict[str, str]) -> None:
    weak = [pair for pair in TEXT if contrast(theme, *pair) < 4.5]
    weak += [pair for pair in EDGES if contrast(theme, *pair) < 3.0]
    assert weak == []


def test_every_token_that_is_used_exists_and_the_other_way_round() -> None:
    components = (DESIGN / "components.css").read_text()
    defined = set(re.findall(r"(--[a-z0-9-]+):", TOKENS))
    used = set(re.findall(r"var\((--[a-z0-9-]+)\)", components))
    assert used == defined
