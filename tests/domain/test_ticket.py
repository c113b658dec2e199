"""Codes and totals as people type them."""

from __future__ import annotations

import string
import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.clock import CODE_ALPHABET
from hub.domain import ticket

CODES = st.text(CODE_ALPHABET, min_size=ticket.CODE_LENGTH, max_size=ticket.CODE_LENGTH)


@given(
    CODES,
    st.sampled_from(["", " ", "-", "–", ".", "\u00a0", "\u200b", "_"]),
    st.sampled_from(["", "Código: ", "CÓDIGO DE TU TICKET ", "code=", "https://a.mx/facturar?codigo="]),
    st.booleans(),
    st.booleans(),
)  # fmt: skip
def test_any_spelling_of_a_code_is_the_code(
    code: str, between: str, before: str, small: bool, wide: bool
) -> None:
    spelt = between.join(code)
    if wide:
        ascii_letters = string.ascii_letters + string.digits
        spelt = "".join(chr(ord(c) + 0xFEE0) if c in ascii_letters else c for c in spelt)
    typed = before + (spelt.lower() if small else spelt) + between
    assert ticket.code(typed) == code
    assert ticket.readings(code)[0] == code
    assert ticket.code(ticket.shown(code)) == code


@pytest.mark.parametrize(
    "typed",
    ["", " ", "7KQ4M2X", "7KQ4M2XDA", "código", "7KQ4M2Xñññ", "😀" * 8, "-" * 500],
)  # fmt: skip
def test_what_is_no_code(typed: str) -> None:
    found = ticket.code(typed)
    assert found == "" or len(found) == ticket.CODE_LENGTH


@given(CODES, st.data())
def test_a_look_alike_is_read_as_what_it_looks_like(code: str, data: st.DataObject) -> None:
    alike = {"5": "S", "S": "5", "8": "B", "B": "8", "2": "Z", "Z": "2", "6": "G", "G": "6"}
    printed = {"Q": "O", "D": "0", "V": "U", "7": "1", "T": "I", "J": "L"} | alike
    place = data.draw(st.integers(0, len(code) - 1))
    typed = code[:place] + printed.get(code[place], code[place]) + code[place + 1 :]
    assert code in ticket.readings(typed)
    assert ticket.folded(typed) == ticket.folded(code)
    assert len(ticket.readings(typed)) <= ticket.MOST_READINGS
    assert all(set(one) <= set(CODE_ALPHABET) for one in ticket.readings(typed))
    assert {ticket.folded(one) for one in ticket.readings(typed)} == {ticket.folded(code)}


def test_readings_are_few_and_the_nearest_first() -> None:
    assert len(ticket.readings("58265826")) == ticket.MOST_READINGS
    assert ticket.readings("AAAAAAA5") == ("AAAAAAA5", "AAAAAAAS")
    assert ticket.readings("AAAAAAA0") == ("AAAAAAAQ", "AAAAAAAD")
    assert ticket.readings("AAAAAAA_") == ()


AMOUNTS = {
    "1234.50": "1234.50",
    "$1,234.50": "1234.50",
    "1234.5": "1234.5",
    "1 234,50 MXN": "1234.50",
    "１２３４．５０": "1234.50",
    "1.234,50": "1234.50",
    "1'234.50": "1234.50",
    "1,234": "1234",
    "1.234": "1234",
    "1,234,567.89": "1234567.89",
    "1.234.567,8": "1234567.8",
    "116": "116",
    "116.": "116",
    "116,00": "116.00",
    ".50": "0.50",
    "Total: $ 116.00 M.N.": "116.00",
    "MXN1234.50": "1234.50",
    "US$ 20.00": "20.00",
    "٢٠": None,
    "0": "0",
}


@pytest.mark.parametrize(("typed", "amount"), AMOUNTS.items())
def test_a_total(typed: str, amount: str | None) -> None:
    found = ticket.total(typed)
    assert found == (None if amount is None else Decimal(amount))


@pytest.mark.parametrize(
    "typed",
    ["", "abc", "-5", "−5", "$ -116.00", "1,2,3", "1..5", "12,34.56.7", "1e5", "NaN", "Infinity",
     "2 de 116.00 y 3", "9" * 400, "1" + ",000" * 20, "0x10", "½"],
)  # fmt: skip
def test_what_is_no_total(typed: str) -> None:
    found = ticket.total(typed)
    assert found is None


@given(st.decimals(0, 10**9, places=2, allow_nan=False), st.sampled_from("., ’'"))
def test_any_amount_in_any_spelling(amount: Decimal, thousands: str) -> None:
    decimals = "," if thousands == "." else "."
    text = f"{amount:,.2f}".translate(str.maketrans({",": thousands, ".": decimals}))
    assert ticket.total(f"$ {text} pesos") == amount
    assert ticket.total(f"{amount:.2f}") == amount


@given(st.text(max_size=400))
def test_no_text_breaks_anything(text: str) -> None:
    code = ticket.code(text)
    assert code == "" or (len(code) == 8 and code.isascii() and code.isalnum())
    found = ticket.total(text)
    assert found is None or (found.is_finite() and found >= 0)
    assert unicodedata.normalize("NFKD", ticket.shown(code)) == ticket.shown(code)
