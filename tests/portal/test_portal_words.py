"""Texts are there in both languages, compiled, and numbers read as they should."""

from __future__ import annotations

import io
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

import portal
from portal import formats

PORTAL = Path(portal.__file__).parent
ENGLISH = PORTAL / "locale" / "en" / "LC_MESSAGES"


def texts_of_templates() -> set[str | tuple[str, ...]]:
    found: set[str | tuple[str, ...]] = set()
    for folder in ("buyer", "connect", "design"):
        for _, _, message, _, _ in extract_from_dir(
            str(PORTAL / folder / "templates"), method_map=[("**.html", "jinja2")]
        ):
            found.add(message)
    return found


def test_every_text_has_its_english_and_no_english_is_left_over() -> None:
    with (ENGLISH / "messages.po").open("rb") as file:
        english = {entry.id: entry.string for entry in read_po(file) if entry.id}
    texts = texts_of_templates()
    assert len(texts) > 100
    assert texts == set(english)
    for text, translation in english.items():
        assert all(translation) if isinstance(text, tuple) else translation


def test_the_compiled_texts_are_those_of_the_source() -> None:
    with (ENGLISH / "messages.po").open("rb") as file:
        source = read_po(file)
    compiled = io.BytesIO()
    write_mo(compiled, source)
    assert (ENGLISH / "messages.mo").read_bytes() == compiled.getvalue()


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("1234.5", "MXN", "$1,234.50\u00a0MXN"),
        ("0", "MXN", "$0.00\u00a0MXN"),
        ("-100", "MXN", "\u2212$100.00\u00a0MXN"),
        ("1234567.891", "USD", "$1,234,567.89\u00a0USD"),
        ("1234", "JPY", "1,234\u00a0JPY"),
        ("1.5", "EUR", "1.50\u00a0EUR"),
    ],
)
def test_money(amount: str, currency: str, text: str) -> None:
    assert formats.money(Decimal(amount), currency) == text


def test_dates_are_those_of_the_instants_own_zone() -> None:
    late = datetime(2026, 11, 30, 23, 59, 59, tzinfo=ZoneInfo("America/Tijuana"))
    assert formats.day(late, "es_MX") == "30 de noviembre de 2026"
    assert formats.day_and_time(late, "es_MX") == "lunes 30 de noviembre de 2026 a las 23:59"
    assert formats.day_and_time(late, "en") == "Monday, November 30, 2026 at 23:59"


@pytest.mark.parametrize(("value", "text"), [("2.000", "2"), ("1.5", "1.5"), ("1200", "1,200")])
def test_quantities_lose_their_zeros(value: str, text: str) -> None:
    assert formats.quantity(Decimal(value), "es_MX") == text
