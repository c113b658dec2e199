from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.phone import e164


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("55 1234 5678", "", "+525512345678"),
        ("(55) 1234-5678", "MX", "+525512345678"),
        ("+52 55 1234 5678", "", "+525512345678"),
        ("+52 1 55 1234 5678", "US", "+525512345678"),
        ("52 1 55 1234 5678", "", "+525512345678"),
        ("044 55 1234 5678", "mx", "+525512345678"),
        ("045 (33) 12.34.56.78", "", "+523312345678"),
        ("0052 5512345678", "ES", "+525512345678"),
        ("525512345678", "MX", "+525512345678"),
        ("(555) 123-4567", "US", "+15551234567"),
        ("1 555 123 4567", "CA", "+15551234567"),
        ("+34 600 123 456", "ES", "+34600123456"),
        ("600 123 456", "ES", ""),
        ("5512345678", "ES", ""),
        ("+52 55 1234", "", ""),
        ("+52 55 1234 5678 90", "", ""),
        ("1234567", "", ""),
        ("", "", ""),
        ("no tengo", "", ""),
        ("5512345678 ext 3", "", ""),
        ("٥٥١٢٣٤٥٦٧٨", "", ""),
        ("+0 55 1234 5678", "", ""),
        ("+", "", ""),
        ("55 1234 5678\r\nBcc: x", "", ""),
    ],
)
def test_numbers_as_shops_keep_them(text: str, country: str, number: str) -> None:
    assert e164(text, country) == number


@given(st.text(max_size=40), st.sampled_from(["", "MX", "US", "ES", "??"]))
def test_nothing_but_a_number_comes_out(text: str, country: str) -> None:
    number = e164(text, country)
    assert number == "" or (number[0] == "+" and number[1:].isascii() and number[1:].isdigit())
    assert e164(number, country) == number
