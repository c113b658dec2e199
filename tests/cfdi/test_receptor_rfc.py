"""The receiver's data: put in order without changing what SAT compares, and checked all at once."""

from __future__ import annotations

import json
import re
import time
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfdi import rfc
from cfdi.catalogs import REGIMEN_FISCAL, USO_CFDI
from cfdi.comprobante import Receptor
from cfdi.findings import FixableBy
from cfdi.receptor import check, normalize, usos_for, warn

GOOD = Receptor("MISC491214B86", "CECILIA MIRANDA SANCHEZ", "01010", "605", "S01")
COMPANY = Receptor("URE180429TM6", "UNIVERSIDAD ROBOTICA ESPAÑOLA", "86991", "601", "G03")

letters = st.text("ABCDEFGHIJKLMNÑOPQRSTUVWXYZ&", min_size=3, max_size=4)
dates = st.dates(date(2000, 1, 1), date(2099, 12, 31))
homoclave = st.from_regex(r"[A-Z0-9]{2}[0-9A]", fullmatch=True)


@given(letters, dates, homoclave)
def test_everything_of_the_form_is_well_formed(name: str, day: date, tail: str) -> None:
    made = f"{name}{day:%y%m%d}{tail}"
    assert rfc.well_formed(made)
    assert rfc.person(made) == ("moral" if len(name) == 3 else "fisica")


@given(letters, dates, st.from_regex(r"[A-Z0-9]{2}", fullmatch=True))
def test_exactly_one_check_digit_matches(name: str, day: date, tail: str) -> None:
    made = f"{name}{day:%y%m%d}{tail}"
    assert sum(rfc.check_digit_matches(made + digit) for digit in "0123456789A") == 1


@given(st.text(max_size=20))
def test_anything_else_is_not(text: str) -> None:
    pattern = "[A-Z&Ñ]{3,4}[0-9]{6}[A-Z0-9]{2}[0-9A]"
    if not re.fullmatch(pattern, text, re.ASCII):
        assert not rfc.well_formed(text)
        assert rfc.person(text) is None
        assert not rfc.check_digit_matches(text)


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "MISC490230B86",  # 30 February
        "MISC491314B86",
        "MISC491200B86",
        "misc491214b86",
        "MISC491214B8B",
        "MISC491214B86\n",
        " MISC491214B86",
        "MISC٤٩1214B86",  # digits of another script
        "MIS C491214B86",
        "M1SC491214B86",
        "MÉSC491214B86",
    ],
)
def test_malformed(bad: str) -> None:
    assert not rfc.well_formed(bad)


def test_leap_day_of_the_unwritten_century() -> None:
    assert rfc.well_formed("MISC000229B86")
    assert not rfc.well_formed("MISC010229B86")


def test_sats_test_taxpayers(shared: Path) -> None:
    taxpayers = json.loads((shared / "sat/csd/test-taxpayers.json").read_text())["taxpayers"]
    assert len(taxpayers) > 20
    for one in taxpayers:
        assert rfc.person(one["rfc"]) == one["tipo"]
        assert rfc.check_digit_matches(one["rfc"])
        data = normalize(one["rfc"].lower(), one["nombre"], one["cp"], one["regimen"], "S01")
        assert data.nombre == one["nombre"]
        assert check(data) == ()
        assert warn(data) == ()


@pytest.mark.parametrize("generic", [rfc.GENERIC_NATIONAL, rfc.GENERIC_FOREIGN])
def test_the_generic_ones_are_well_formed(generic: str) -> None:
    assert rfc.well_formed(generic)
    assert rfc.person(generic) == "fisica"


def test_the_public_has_a_wrong_check_digit() -> None:
    assert not rfc.check_digit_matches(rfc.GENERIC_NATIONAL)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("  cecilia   miranda\tsánchez\n", "CECILIA MIRANDA SÁNCHEZ"),
        ("Espan\u0303ola", "ESPAÑOLA"),
        ("Ma\u200bría\ufeff \u202eLópez\u00ad", "MARÍA LÓPEZ"),
        ("a\u00a0b\u2003c", "A B C"),
        ("Ruízo & Hijos, 3.0 #1", "RUÍZO & HIJOS, 3.0 #1"),
        ("ángel ñandú ü", "ÁNGEL ÑANDÚ Ü"),
        ("", ""),
        (" \u200b ", ""),
    ],
)
def test_names_are_put_in_order(written: str, kept: str) -> None:
    assert normalize("", written, "", "", "").nombre == kept


#: What stands between the characters of an RFC that was typed, dictated or copied.
between = st.sampled_from(
    [
        "",
        "",
        "",
        " ",
        "  ",
        "-",
        ".",
        "\u00a0",
        "\u200b",
        "\ufeff",
        "\u2013",
        "\u2011",
        "\t",
        "_",
        "/",
    ]
)
labels = st.sampled_from(["", "RFC: ", "rfc:", "R.F.C. ", "RFC ", "  ", "\u202a", "RFC\n", "“"])
ends = st.sampled_from(["", " ", ".", "\n", "\u202c", "\r\n", ",", "”", ";"])
shapes = st.sampled_from(["NFC", "NFD", "wide", "small", "mixed", "html"])


def _shaped(text: str, shape: str) -> str:
    if shape == "wide":
        return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)
    if shape == "small":
        return text.lower()
    if shape == "mixed":
        return "".join(c.lower() if number % 2 else c for number, c in enumerate(text))
    if shape == "html":
        return text.replace("&", "&amp;")
    return unicodedata.normalize(shape, text)


@settings(max_examples=400)
@given(letters, dates, homoclave, st.lists(between, min_size=13, max_size=13), labels, ends, shapes)
def test_an_rfc_is_the_same_however_it_was_typed(
    name: str, day: date, tail: str, gaps: list[str], label: str, end: str, shape: str
) -> None:
    plain = f"{name}{day:%y%m%d}{tail}"
    parts = [f"{_shaped(c, shape)}{gap}" for c, gap in zip(plain, gaps, strict=False)]
    assert rfc.tidy(f"{label}{''.join(parts)}{end}") == plain


@settings(max_examples=200)
@given(
    st.sampled_from([GOOD, COMPANY]),
    st.sampled_from([" ", "  ", "\u00a0", "\t", "\u2003", " \u200b", "\u00a0\u00a0"]),
    st.sampled_from(["", " ", "\u200b", "\ufeff", "\n"]),
    st.sampled_from(["NFC", "NFD", "NFKD"]),
    st.sampled_from([str, str.lower, str.title, str.swapcase]),
)
def test_the_same_data_typed_in_many_ways(
    data: Receptor,
    gap: str,
    edge: str,
    form: Literal["NFC", "NFD", "NFKD"],
    case: Callable[[str], str],
) -> None:
    def typed(text: str) -> str:
        return edge + unicodedata.normalize(form, case(text)).replace(" ", gap) + edge

    assert (
        normalize(
            f"RFC: {typed(data.rfc)}",
            typed(data.nombre),
            edge + "".join(chr(ord(digit) + 0xFEE0) for digit in data.domicilio_fiscal),
            typed(data.regimen_fiscal),
            typed(data.uso_cfdi),
        )
        == data
    )


@pytest.mark.parametrize(
    "written",
    ["MÉSC491214B86", "MISC491214B8б", "M\u0456SC491214B86", "MISC491214B86X", "RFC", "MIS$C4"],
)
def test_what_is_no_rfc_stays_none(written: str) -> None:
    assert not rfc.well_formed(rfc.tidy(written))


def test_a_company_whose_letters_are_rfc() -> None:
    assert rfc.tidy("RFC900101AB1") == "RFC900101AB1"
    assert rfc.tidy("RFC: RFC900101AB1") == "RFC900101AB1"


def test_enie_broken_by_another_program() -> None:
    for written in ("RAQÃ‘7701212M3", "raqÃ±7701212m3", "RAQ&Ntilde;7701212M3"):
        assert rfc.tidy(written) == "RAQÑ7701212M3"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("EKU90O3173C9", "EKU9003173C9"),  # O for 0
        ("EKU9OO3173C9", "EKU9003173C9"),
        ("EKU9003I73C9", "EKU9003173C9"),  # I for 1
        ("EKU90031T3C9", "EKU9003173C9"),
        ("M1SC491214B86", "MISC491214B86"),  # 1 for I
        ("RAQN7701212M3", "RAQÑ7701212M3"),
        ("EKU9003713C9", "EKU9003173C9"),  # the wrong way round
    ],
)
def test_what_was_probably_meant(typed: str, meant: str) -> None:
    assert rfc.did_you_mean(typed)[0] == meant


@given(letters, dates, st.from_regex(r"[A-Z0-9]{2}", fullmatch=True), st.text(max_size=15))
def test_guesses_are_rfcs_with_their_digit(name: str, day: date, tail: str, text: str) -> None:
    for digit in "0123456789A":
        typed = f"{name}{day:%y%m%d}{tail}{digit}"
        guesses = rfc.did_you_mean(typed)
        assert len(guesses) <= 3
        assert typed not in guesses
        assert all(rfc.check_digit_matches(guess) for guess in guesses)
        assert not (guesses and rfc.check_digit_matches(typed))
    rfc.did_you_mean(text)


def test_the_generic_ones_are_not_mistaken_for_others() -> None:
    assert rfc.did_you_mean(rfc.GENERIC_NATIONAL) == ()


def test_the_other_fields_are_put_in_order() -> None:
    read = normalize(" misc-491214 b86\u200b", "x", " 01010 ", " 605 ", "s01")
    assert replace(read, nombre=GOOD.nombre) == GOOD


@given(*[st.text()] * 5)
def test_to_put_in_order_twice_changes_nothing(a: str, b: str, c: str, d: str, e: str) -> None:
    once = normalize(a, b, c, d, e)
    again = normalize(
        once.rfc, once.nombre, once.domicilio_fiscal, once.regimen_fiscal, once.uso_cfdi
    )
    assert again == once or len(b) > 300
    assert unicodedata.is_normalized("NFC", once.nombre)
    check(once)
    warn(once)


def test_a_hostile_name_takes_no_time() -> None:
    started = time.process_time()
    data = normalize("x" * 10**6, "a" + "\u0301\u0316" * 10**6, "9" * 10**6, "", "")
    codes = [finding.code for finding in check(data)]
    assert time.process_time() - started < 1
    assert codes[:3] == ["rfc_malformed", "nombre_too_long", "cp_malformed"]


def test_good_data_raise_no_finding() -> None:
    assert check(GOOD) == check(COMPANY) == ()
    assert warn(GOOD) == warn(COMPANY) == ()


@pytest.mark.parametrize(
    ("field", "value", "code", "path"),
    [
        ("rfc", "", "rfc_missing", "rfc"),
        ("rfc", "URE180429TM6", "CFDI40158", "regimen"),  # a company's
        ("rfc", "MISC491214B8", "rfc_malformed", "rfc"),
        ("rfc", "MISC49121486", "rfc_malformed", "rfc"),
        ("rfc", rfc.GENERIC_NATIONAL, "rfc_generic", "rfc"),
        ("rfc", rfc.GENERIC_FOREIGN, "rfc_generic", "rfc"),
        ("nombre", "", "nombre_missing", "nombre"),
        ("nombre", "A" * 301, "nombre_too_long", "nombre"),
        ("nombre", "A|B", "nombre_characters", "nombre"),
        ("nombre", "A\x00B", "nombre_characters", "nombre"),
        ("nombre", "A\ud800B", "nombre_characters", "nombre"),
        ("nombre", "A\ue000B", "nombre_characters", "nombre"),
        ("nombre", "PUBLICO EN GENERAL", "CFDI40146", "nombre"),
        ("nombre", "PÚBLICO EN GENERAL", "CFDI40146", "nombre"),
        ("domicilio_fiscal", "", "cp_malformed", "cp"),
        ("domicilio_fiscal", "0101", "cp_malformed", "cp"),
        ("domicilio_fiscal", "٠١٠١٠", "cp_malformed", "cp"),
        ("domicilio_fiscal", "00000", "CFDI40147", "cp"),
        ("domicilio_fiscal", "00001", "CFDI40147", "cp"),
        ("regimen_fiscal", "", "CFDI40157", "regimen"),
        ("regimen_fiscal", "609", "CFDI40157", "regimen"),  # the XSD still has it
        ("regimen_fiscal", "601", "CFDI40158", "regimen"),
        ("uso_cfdi", "", "CFDI40160", "uso"),
        ("uso_cfdi", "P01", "CFDI40160", "uso"),  # the XSD still has it
        ("uso_cfdi", "CP01", "CFDI40160", "uso"),
        ("uso_cfdi", "CN01", "CFDI40160", "uso"),
        ("uso_cfdi", "G03", "CFDI40161", "uso"),
    ],
)
def test_each_rule(field: str, value: str, code: str, path: str) -> None:
    first = check(replace(GOOD, **{field: value}))[0]
    assert (first.code, first.path, first.fixable_by) == (code, path, FixableBy.BUYER)
    assert first.message_es
    assert first.message_en


def test_all_is_said_at_once_in_the_order_of_the_form() -> None:
    found = check(Receptor("x", "", "1", "999", "X"))
    assert [finding.path for finding in found] == ["rfc", "nombre", "cp", "regimen", "uso"]


def test_a_company_has_no_personal_deductions() -> None:
    assert [f.code for f in check(replace(COMPANY, uso_cfdi="D01"))] == ["CFDI40161"]


def test_checks_and_lists_agree() -> None:
    for base in (GOOD, COMPANY):
        regimenes = {
            clave
            for clave, each in REGIMEN_FISCAL.items()
            if (each.moral if base is COMPANY else each.fisica)
        }
        for regimen in REGIMEN_FISCAL:
            usos = {each.clave for each in usos_for(base.rfc, regimen)}
            for uso in USO_CFDI:
                data = replace(base, regimen_fiscal=regimen, uso_cfdi=uso)
                offered = regimen in regimenes and uso in usos
                assert (check(data) == ()) == offered, (regimen, uso)


def test_lists_for_the_form() -> None:
    assert [u.clave for u in usos_for(GOOD.rfc, "605")][-1] == "S01"
    for without in ("605", "616"):
        assert "G03" not in {uso.clave for uso in usos_for("fisica", without)}
    assert [u.clave for u in usos_for("moral", "601", ("S01", "G03", "D01"))] == ["G03", "S01"]
    assert len(usos_for("", "")) == len(USO_CFDI) - 2


@pytest.mark.parametrize(
    "suffix",
    [
        *(" S.A. DE C.V.", " SA DE CV", ", S.A. DE C.V.", " S A DE C V", " S.A.", " SC", " A.C."),
        *(" S. DE R.L. DE C.V.", " S DE RL", " SAPI DE CV", " S.A.P.I. DE C.V.", " SAS"),
        *(" S. EN C.", " S.A.B. DE C.V.", " S. DE R.L. MI"),
    ],
)
def test_a_regimen_de_capital_is_doubted_never_refused(suffix: str) -> None:
    data = replace(COMPANY, nombre=COMPANY.nombre + suffix)
    assert [finding.code for finding in warn(data)] == ["nombre_capital"]
    assert check(data) == ()
    assert warn(replace(GOOD, nombre=GOOD.nombre + suffix)) == ()


@pytest.mark.parametrize("nombre", ["CASA", "COSAS DE CASA", "ABC", "SA", "LUCES & OBRAS", "X Y"])
def test_names_that_only_look_alike_are_not_doubted(nombre: str) -> None:
    data = replace(COMPANY, nombre=nombre)
    assert [finding.code for finding in warn(data)] == ["nombre_unlike_rfc"]


def test_a_name_of_another_rfc_is_only_doubted() -> None:
    data = replace(GOOD, nombre=COMPANY.nombre)
    assert [finding.code for finding in warn(data)] == ["nombre_unlike_rfc"]
    assert check(data) == ()


def test_a_check_digit_that_does_not_match_is_only_doubted() -> None:
    data = replace(GOOD, rfc="MISC491214B85")
    assert [finding.code for finding in warn(data)] == ["rfc_check_digit"]
    assert check(data) == ()
