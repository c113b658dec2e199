"""What people type is read where it can be one thing only, and else left as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain import typed
from hub.domain.email import check_email
from hub.domain.purchase import FiscalForm
from hub.domain.receiver import examined
from hub.domain.rules import Rules


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("EKU9OO3173C9", "EKU9003173C9"),
        ("eku9oo3l73c9", "EKU9003173C9"),
        ("RFC: EKU9OO3173C9", "EKU9003173C9"),
        ("el rfc es EKU9003173C9, gracias", "EKU9003173C9"),
        ("X0JI74O9I9U48", "XOJI740919U48"),
        # The check digit does not agree: it may as well be another RFC.
        ("EKU9OO3173C8", "EKU9OO3173C8"),
        # Not look-alikes of ours: offered, never done.
        ("FUNK67I22BPH6", "FUNK67I22BPH6"),
        # Two of them: which one is meant?
        ("EKU9003173C9 o CACX7605101P8", "EKU9003173C9OCACX7605101P8"),
        ("", ""),
    ],
)
def test_an_rfc_is_read_where_its_shape_decides(text: str, read: str) -> None:
    assert typed.rfc(text) == read


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("C.P. 06 700", "06700"),
        ("O67OO", "06700"),
        ("０６７００", "06700"),
        ("6700", "6700"),
        ("06700-1234", "06700-1234"),
        ("٤٢٥٠١", "٤٢٥٠١"),
        ("6700 y 06700", "6700 y 06700"),
        ("$06700", "$06700"),
    ],
)
def test_a_postal_code_is_five_digits_or_as_typed(text: str, read: str) -> None:
    assert typed.codigo_postal(text) == read


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("626", "626"),
        ("626 · Régimen Simplificado de Confianza", "626"),
        ("simplificado de confianza", "626"),
        ("Sueldos y salarios", "605"),
        ("Sueldos y salarios y dividendos", "Sueldos y salarios y dividendos"),
        ("601 612", "601 612"),
        ("999", "999"),
        ("sueldos", "sueldos"),
    ],
)
def test_a_regimen_is_named_by_its_key_or_in_words(text: str, read: str) -> None:
    assert typed.regimen(text) == read


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("g03", "G03"),
        ("Gastos en general (G03)", "G03"),
        ("GASTOS EN GENERAL", "G03"),
        ("G01 G03", "G01 G03"),
        ("gastos", "gastos"),
        ("Z99", "Z99"),
    ],
)
def test_a_uso_is_named_by_its_key_or_in_words(text: str, read: str) -> None:
    assert typed.uso(text) == read


@pytest.mark.parametrize(
    ("cp", "offered"), [("6700", "06700"), (" 6700 ", "06700"), ("0670", ""), ("67", ""), ("", "")]
)
def test_a_lost_zero_is_offered(cp: str, offered: str) -> None:
    assert typed.cp_without_zero(cp) == offered


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (" ana@example.com. ", "ana@example.com"),
        ("mailto:ana@example.com", "ana@example.com"),
        ("<ana@example.com>;", "ana@example.com"),
        ("ana @ EXAMPLE . com", "ana@example.com"),
        ("Ana.Lopez@example.com", "Ana.Lopez@example.com"),
        ("ana＠example.com", "ana@example.com"),
    ],
)
def test_an_address_loses_what_stands_around_it(text: str, address: str) -> None:
    assert check_email(text) == (address, ())


@pytest.mark.parametrize(
    "text", ["ana lopez@example.com", "a@example.com b@example.com", "@", "a@"]
)
def test_what_may_be_two_addresses_is_refused(text: str) -> None:
    assert check_email(text)[1]


GENERIC = FiscalForm("XEXX010101000", "John Smith", "", "", "", "")


def test_a_foreigner_needs_a_name_alone() -> None:
    found = examined(GENERIC, Rules(usos=("G03",)), "42501")
    assert found.findings == ()
    made = found.receptor
    assert (made.domicilio_fiscal, made.regimen_fiscal, made.uso_cfdi) == ("42501", "616", "S01")


@pytest.mark.parametrize(
    ("form", "lugar"),
    [
        (GENERIC, ""),  # nobody is invoiced so unasked
        (FiscalForm("XEXX010101000", "John Smith", "42501", "601", "G03"), "42501"),
        (FiscalForm("XAXX010101000", "John Smith", "42501", "616", "S01"), "42501"),
    ],
)
def test_a_generic_rfc_is_refused_with_anything_else(form: FiscalForm, lugar: str) -> None:
    assert "rfc_generic" in {each.code for each in examined(form, Rules(), lugar).findings}


def test_a_foreigner_without_a_name_is_told() -> None:
    form = FiscalForm("XEXX010101000", " ")
    assert [each.code for each in examined(form, Rules(), "42501").findings] == ["nombre_missing"]


@given(st.text(max_size=60), st.text(max_size=30))
def test_reading_again_changes_nothing(one: str, other: str) -> None:
    once = typed.read(FiscalForm(one, other, one, other, one, other))
    assert typed.read(once) == once
