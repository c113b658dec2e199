"""Every refusal is explained to the person who can mend it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfdi.explanations import AMOUNTS, DOCUMENT, FORM, ISSUER, RESIDENCE
from cfdi.findings import FixableBy, at_form, code_of, explain


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("CFDI40145 - El campo Nombre del receptor, debe pertenecer…", "CFDI40145"),
        ("307. El comprobante contiene un timbre previo.", "307"),
        ("401 - El rango de la fecha de generación no debe de ser mayor a 72 horas", "401"),
        ("CFDI3307 - Timbre duplicado. El customId proporcionado está duplicado.", "CFDI3307"),
        ("CRP20206: x", "CRP20206"),
        ("Error (CFDI40158): régimen", "CFDI40158"),
        ("cfdi40158 - régimen", "CFDI40158"),
        ("CFDI140225 - ISR", "CFDI140225"),
        ("302", "302"),
        ("El código postal 42501 no existe", ""),
        ("Total 348.00", ""),
        ("", ""),
        ("X" * 10_000 + " 307.", ""),
    ],
)
def test_codes_are_found_in_free_text(message: str, code: str) -> None:
    assert code_of(message) == code


@pytest.mark.parametrize(
    ("code", "path", "who"),
    [
        ("CFDI40143", "rfc", FixableBy.BUYER),
        ("CFDI40144", "nombre", FixableBy.BUYER),
        ("CFDI40145", "nombre", FixableBy.BUYER),
        ("CFDI40146", "nombre", FixableBy.BUYER),
        ("CFDI40147", "cp", FixableBy.BUYER),
        ("CFDI40148", "cp", FixableBy.BUYER),
        ("CFDI40157", "regimen", FixableBy.BUYER),
        ("CFDI40158", "regimen", FixableBy.BUYER),
        ("CFDI40160", "uso", FixableBy.BUYER),
        ("CFDI40161", "uso", FixableBy.BUYER),
        ("40161", "uso", FixableBy.BUYER),
        ("301", "", FixableBy.DEVELOPER),
        ("302", "sello", FixableBy.DEVELOPER),
        ("303", "csd", FixableBy.MERCHANT),
        ("304", "csd", FixableBy.MERCHANT),
        ("305", "csd", FixableBy.MERCHANT),
        ("306", "csd", FixableBy.MERCHANT),
        ("307", "", FixableBy.MERCHANT),
        ("308", "csd", FixableBy.MERCHANT),
        ("401", "fecha", FixableBy.MERCHANT),
        ("402", "emisor.rfc", FixableBy.MERCHANT),
        ("403", "fecha", FixableBy.DEVELOPER),
        ("CFDI40102", "sello", FixableBy.DEVELOPER),
        ("CFDI40119", "importes", FixableBy.DEVELOPER),
        ("CFDI40221", "importes", FixableBy.DEVELOPER),
        ("CFDI40151", "receptor", FixableBy.DEVELOPER),
        ("CFDI40139", "emisor.nombre", FixableBy.MERCHANT),
        ("CFDI140225", "conceptos.impuestos", FixableBy.MERCHANT),
        ("CFDI3307", "", FixableBy.DEVELOPER),
        ("3307", "", FixableBy.DEVELOPER),
        ("CRP20206", "", FixableBy.MERCHANT),
    ],
)
def test_who_can_mend_what(code: str, path: str, who: FixableBy) -> None:
    found = explain(code, "Texto del SAT")
    assert (found.path, found.fixable_by) == (path, who)


def test_every_code_of_the_matrix_is_explained(shared: Path) -> None:
    rows = json.loads((shared / "sat/validation/cfdi40-matrix.json").read_text())["rows"]
    known = {*FORM, *ISSUER, *DOCUMENT, *AMOUNTS, *RESIDENCE}
    for row in rows:
        found = explain(row["codigo"], row["mensaje"])
        assert found.message_es
        assert found.message_en
        # What we cannot explain keeps SAT's own words.
        assert found.code in known or row["mensaje"][:40] in found.message_es


def test_every_code_a_buyer_can_cause_is_explained(shared: Path) -> None:
    text = (shared / "sat/validation/buyer-input-errors.md").read_text()
    codes = set(re.findall(r"^\| (CFDI\d+) \|", text, re.MULTILINE))
    assert len(codes) == 19
    assert codes <= {*FORM, *DOCUMENT, *RESIDENCE}


def test_an_unknown_refusal_keeps_its_words() -> None:
    found = explain("CO1234", "CO1234 - Algo\n nuevo  del   PAC" + "x" * 5000)
    assert found.code == "CO1234"
    assert "CO1234 - Algo nuevo del PAC" in found.message_es
    assert "CO1234 - Algo nuevo del PAC" in found.message_en
    assert len(found.message_es) < 700
    assert explain("", "").message_es


@given(st.text(), st.text())
def test_explaining_never_breaks(code: str, message: str) -> None:
    found = explain(code_of(message) or code, message)
    assert found.message_es
    assert found.message_en


def test_the_words_of_the_form_are_for_people() -> None:
    """No SAT jargon of XML at the buyer, and no field without both languages."""
    for code in FORM:
        found = at_form(code)
        assert found.path in {"rfc", "nombre", "cp", "regimen", "uso"}
        for message in (found.message_es, found.message_en):
            assert message.endswith(".")
            assert "  " not in message
            assert not re.search(r"XML|nodo|atributo|l_RFC|catálogo c_", message)


def test_whoever_fills_the_form_is_called_tu() -> None:
    """As on the pages: no "su constancia", and no imperative of usted."""
    formal = re.compile(
        r"(?i)\b(usted|sus?|escr[ií]ba(lo)?|rev[ií]se(lo|la)?|el[ií]ja|use|corr[ií]ja(lo|la)?|"
        r"s[uú]ba(lo)?|avise|b[oó]rrelo|qu[ií]telo|int[eé]ntelo|vuelva|contin[uú]e)\b"
    )
    for code, (_path, es, _en) in FORM.items():
        assert not formal.search(es), code
    imperatives = re.compile(formal.pattern.replace("usted|sus?|", ""))
    for code, (_path, es, _en) in (ISSUER | DOCUMENT).items():
        assert not imperatives.search(es), code
    assert not imperatives.search(explain("302", "").message_es)
