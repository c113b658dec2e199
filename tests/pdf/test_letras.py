from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfdi.pdf.letras import importe_con_letra

NINES = "NOVECIENTOS NOVENTA Y NUEVE"


@pytest.mark.parametrize(
    ("importe", "words"),
    [
        ("0", "CERO PESOS 00/100 M.N."),
        ("0.05", "CERO PESOS 05/100 M.N."),
        ("1.00", "UN PESO 00/100 M.N."),
        ("2.50", "DOS PESOS 50/100 M.N."),
        ("16", "DIECISÉIS PESOS 00/100 M.N."),
        ("21.10", "VEINTIÚN PESOS 10/100 M.N."),
        ("22", "VEINTIDÓS PESOS 00/100 M.N."),
        ("31", "TREINTA Y UN PESOS 00/100 M.N."),
        ("40", "CUARENTA PESOS 00/100 M.N."),
        ("99.99", "NOVENTA Y NUEVE PESOS 99/100 M.N."),
        ("100", "CIEN PESOS 00/100 M.N."),
        ("101", "CIENTO UN PESOS 00/100 M.N."),
        ("121", "CIENTO VEINTIÚN PESOS 00/100 M.N."),
        ("500", "QUINIENTOS PESOS 00/100 M.N."),
        ("777.77", "SETECIENTOS SETENTA Y SIETE PESOS 77/100 M.N."),
        ("1000", "MIL PESOS 00/100 M.N."),
        ("1001", "MIL UN PESOS 00/100 M.N."),
        ("1100", "MIL CIEN PESOS 00/100 M.N."),
        ("21000", "VEINTIÚN MIL PESOS 00/100 M.N."),
        ("31001", "TREINTA Y UN MIL UN PESOS 00/100 M.N."),
        ("100000", "CIEN MIL PESOS 00/100 M.N."),
        ("201000", "DOSCIENTOS UN MIL PESOS 00/100 M.N."),
        ("1000000", "UN MILLÓN DE PESOS 00/100 M.N."),
        ("1000000.50", "UN MILLÓN DE PESOS 50/100 M.N."),
        ("1000001", "UN MILLÓN UN PESOS 00/100 M.N."),
        ("2000000", "DOS MILLONES DE PESOS 00/100 M.N."),
        ("21000000", "VEINTIÚN MILLONES DE PESOS 00/100 M.N."),
        ("1001000", "UN MILLÓN MIL PESOS 00/100 M.N."),
        (
            "999999999.99",
            f"{NINES} MILLONES {NINES} MIL {NINES} PESOS 99/100 M.N.",
        ),
        ("1000000000", "MIL MILLONES DE PESOS 00/100 M.N."),
        ("1000000000000", "UN BILLÓN DE PESOS 00/100 M.N."),
    ],
)
def test_pesos(importe: str, words: str) -> None:
    assert importe_con_letra(Decimal(importe), "MXN") == words


@pytest.mark.parametrize(
    ("importe", "moneda", "words"),
    [
        ("1", "USD", "UN DÓLAR 00/100 USD"),
        ("21.5", "EUR", "VEINTIÚN EUROS 50/100 EUR"),
        ("1500", "JPY", "MIL QUINIENTOS YENES JPY"),
        # Feminine or unknown to us: no noun, so the number keeps its own ending.
        ("21", "GBP", "VEINTIUNO 00/100 GBP"),
        ("1000000", "GBP", "UN MILLÓN 00/100 GBP"),
        # Divided into thousandths and more: SAT's c_Moneda has three and four decimals for some.
        ("1392.145", "KWD", "MIL TRESCIENTOS NOVENTA Y DOS 145/1000 KWD"),
        ("1392.140", "KWD", "MIL TRESCIENTOS NOVENTA Y DOS 14/100 KWD"),
        ("2.0005", "CLF", "DOS 0005/10000 CLF"),
    ],
)
def test_other_currencies(importe: str, moneda: str, words: str) -> None:
    assert importe_con_letra(Decimal(importe), moneda) == words


@pytest.mark.parametrize("importe", ["-1", "1e18", "NaN", "Infinity"])
def test_what_no_total_can_be_is_refused(importe: str) -> None:
    with pytest.raises(ValueError, match="from 0 to 10"):
        importe_con_letra(Decimal(importe), "MXN")


@pytest.mark.parametrize(("importe", "moneda"), [("0.001", "MXN"), ("0.00001", "KWD")])
def test_more_decimals_than_a_currency_has_are_refused(importe: str, moneda: str) -> None:
    with pytest.raises(ValueError, match="more decimals"):
        importe_con_letra(Decimal(importe), moneda)


NAMES = """CERO UNO DOS TRES CUATRO CINCO SEIS SIETE OCHO NUEVE DIEZ ONCE DOCE TRECE CATORCE QUINCE
DIECISÉIS DIECISIETE DIECIOCHO DIECINUEVE VEINTE VEINTIUNO VEINTIDÓS VEINTITRÉS VEINTICUATRO
VEINTICINCO VEINTISÉIS VEINTISIETE VEINTIOCHO VEINTINUEVE"""
SMALL = {word: number for number, word in enumerate(NAMES.split())}
SMALL |= {"UN": 1, "VEINTIÚN": 21, "Y": 0, "CIEN": 100, "CIENTO": 100, "QUINIENTOS": 500}
SMALL |= {"DOSCIENTOS": 200, "TRESCIENTOS": 300, "CUATROCIENTOS": 400, "SEISCIENTOS": 600}
SMALL |= {"SETECIENTOS": 700, "OCHOCIENTOS": 800, "NOVECIENTOS": 900, "TREINTA": 30}
SMALL |= {"CUARENTA": 40, "CINCUENTA": 50, "SESENTA": 60, "SETENTA": 70, "OCHENTA": 80}
SMALL |= {"NOVENTA": 90}


def read_back(words: str) -> int:
    millions = thousands = units = 0
    for word in words.split():
        if word in ("MILLÓN", "MILLONES"):
            millions, thousands, units = thousands + units, 0, 0
        elif word == "MIL":
            thousands, units = (units or 1) * 1000, 0
        else:
            units += SMALL[word]
    return millions * 1_000_000 + thousands + units


@given(st.integers(0, 99_999_999_999))
def test_the_words_read_back_as_the_amount(centavos: int) -> None:
    words = importe_con_letra(Decimal(centavos) / 100, "MXN")
    match = re.fullmatch(r"(.+?)(?: DE)? PESOS? (\d\d)/100 M\.N\.", words)
    assert match
    assert read_back(match[1]) * 100 + int(match[2]) == centavos
