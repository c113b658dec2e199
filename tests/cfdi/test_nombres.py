"""Names: the régimen de capital found and taken off only by consent, what else a name may be."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfdi import nombres
from cfdi.iniciales import fits
from cfdi.nombres import split_capital, suggestions, tidy

ABBREVIATED = [
    *(
        "SA",
        "SA DE CV",
        "SAB",
        "SAB DE CV",
        "SAPI",
        "SAPI DE CV",
        "SAPIB DE CV",
        "SAS",
        "SAS DE CV",
    ),
    *("S DE RL", "S DE RL DE CV", "S DE RL MI", "S DE RL DE IP", "SC", "AC", "SC DE RL"),
    *("SC DE RL DE CV", "SPR DE RL", "SPR DE RI", "SPR DE RL DE CV", "SPR DE RS", "S EN C"),
    *("S EN C POR A", "S EN NC", "S EN CS", "IAP", "ABP", "IBP", "SSS", "SCL", "AR"),
    *(
        "SA DE CV SOFOM ENR",
        "SAPI DE CV SOFOM ER",
        "SA DE CV SFP",
        "SC DE P DE RL",
        "SC DE C DE RL",
    ),
]
SPELLED_OUT = [
    "SOCIEDAD ANONIMA DE CAPITAL VARIABLE",
    "SOCIEDAD ANÓNIMA DE CAPITAL VARIABLE",
    "SOCIEDAD ANONIMA PROMOTORA DE INVERSION DE CAPITAL VARIABLE",
    "SOCIEDAD DE RESPONSABILIDAD LIMITADA DE CAPITAL VARIABLE",
    "SOCIEDAD POR ACCIONES SIMPLIFICADA",
    "SOCIEDAD CIVIL",
    "ASOCIACION CIVIL",
    "INSTITUCION DE ASISTENCIA PRIVADA",
    (
        "SOCIEDAD ANONIMA DE CAPITAL VARIABLE SOCIEDAD FINANCIERA DE OBJETO MULTIPLE "
        "ENTIDAD NO REGULADA"
    ),
]
WORDS_BETWEEN = {"DE", "EN", "POR"}


def _dotted(capital: str, after: str) -> str:
    return " ".join(
        word if word in WORDS_BETWEEN else after.join(word) + after.rstrip()
        for word in capital.split()
    )


WAYS = {
    "plain": lambda capital: f" {capital}",
    "dotted": lambda capital: f" {_dotted(capital, '.')}",
    "dotted and spaced": lambda capital: f" {_dotted(capital, '. ')}",
    "spaced": lambda capital: f" {_dotted(capital, ' ')}",
    "after a comma": lambda capital: f", {_dotted(capital, '.')}",
    "after a comma and no blank": lambda capital: f",{capital}",
    "with a dot at the end": lambda capital: f" {capital}.",
    "small": lambda capital: f" {_dotted(capital, '.').lower()}",
    "without blanks": lambda capital: f" {_dotted(capital, '.').replace('. ', '.')}",
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("capital", ABBREVIATED)
def test_every_abbreviation_in_every_way(capital: str, way: str) -> None:
    stem, found = split_capital(f"Luces & Obras del Sur{WAYS[way](capital)}")
    assert stem == "LUCES & OBRAS DEL SUR"
    letters = "".join(letter for letter in found if letter.isalpha())
    assert letters == capital.replace(" ", "")


@pytest.mark.parametrize("capital", SPELLED_OUT)
@pytest.mark.parametrize("before", [" ", ", ", "  "])
def test_every_one_spelled_out(capital: str, before: str) -> None:
    assert split_capital(f"PEÑA Y ASOCIADOS{before}{capital}") == ("PEÑA Y ASOCIADOS", capital)


@pytest.mark.parametrize(
    "nombre",
    [
        *(
            "",
            "SA",
            "SA DE CV",
            ", S.A.",
            "CASA",
            "LA CASA SALA",
            "ABC",
            "GRUPO SAER",
            "COSAS",
            "X Y",
        ),
        *("SOCIEDAD CIVIL", "SA DE CV DE LOS ANDES", "S.A.", "UNION DE CREDITO", "CINE", "MARCA"),
    ],
)
def test_names_without_one_stay(nombre: str) -> None:
    assert split_capital(nombre) == (tidy(nombre), "")


@given(st.text(max_size=60))
def test_nothing_but_the_capital_is_taken(text: str) -> None:
    stem, capital = split_capital(text)
    assert tidy(text).startswith(stem)
    if capital:
        assert tidy(text)[len(stem) :].strip(" ,") == capital
        assert stem.strip(" ,.")
    else:
        assert stem == tidy(text)


@given(st.text("SADECVRL., &", max_size=200))
def test_no_text_of_the_same_letters_takes_long(text: str) -> None:
    before = time.process_time()
    split_capital(text * 5)
    suggestions(text * 5, "EKU9003173C9")
    assert time.process_time() - before < 1


def _first(nombre: str, rfc: str) -> nombres.Suggestion:
    return suggestions(nombre, rfc)[0]


@pytest.mark.parametrize(
    ("nombre", "rfc", "meant", "code"),
    [
        ("ESCUELA KEMPER URGATE, S.A. DE C.V.", "EKU9003173C9", "ESCUELA KEMPER URGATE", "capital"),
        ("HERRERIA Y ELECTRICOS", "H&E951128469", "HERRERIA & ELECTRICOS", "and_as_sign"),
        ("HERRERIA &AMP; ELECTRICOS", "H&E951128469", "HERRERIA & ELECTRICOS", "entity"),
        (
            "INNOVACION VALOR & DESARROLLO",
            "IVD920810GU2",
            "INNOVACION VALOR Y DESARROLLO",
            "and_as_word",
        ),
        ("UNIVERSIDAD ROBOTICA ESPANOLA", "URE180429TM6", "UNIVERSIDAD ROBOTICA ESPAÑOLA", "enie"),
        ("«ESCUELA KEMPER URGATE»", "EKU9003173C9", "ESCUELA KEMPER URGATE", "quotes"),
        ("ESCUELA KEMPER URGATE.", "EKU9003173C9", "ESCUELA KEMPER URGATE", "final_mark"),
        ("ESCUELA  KEMPER URGATE", "EKU9003173C9", "ESCUELA KEMPER URGATE", "blanks"),
        ("CECILIA MIRANDA SÁNCHEZ", "MISC491214B86", "CECILIA MIRANDA SANCHEZ", "accents_off"),
        ("CECILIA MIRANDA SANCHEZ", "MISC491214B86", "CECILIA MIRANDA SÁNCHEZ", "accents_on"),
        ("CASAS CHAVEZ XOCHILT", "CACX7605101P8", "XOCHILT CASAS CHAVEZ", "order"),
        ("CASAS CHAVEZ, XOCHILT", "CACX7605101P8", "XOCHILT CASAS CHAVEZ", "order"),
        ("LIC. CECILIA MIRANDA SANCHEZ", "MISC491214B86", "CECILIA MIRANDA SANCHEZ", "title"),
        ("MA. WATEMBER TORRES", "WATM640917J45", "MARIA WATEMBER TORRES", "maria"),
        ("KEMPER (ESCUELA KEMPER URGATE)", "EKU9003173C9", "ESCUELA KEMPER URGATE", "trade_name"),
        (
            "LA KEMPER - ESCUELA KEMPER URGATE",
            "EKU9003173C9",
            "ESCUELA KEMPER URGATE",
            "trade_name",
        ),
        ("JIMENEZ, ESTRADA, SALAS", "JES900109Q90", "JIMENEZ ESTRADA SALAS", "dots"),
    ],
)
def test_what_helps_is_suggested(nombre: str, rfc: str, meant: str, code: str) -> None:
    found = {one.nombre: one for one in suggestions(nombre, rfc)}
    assert meant in found
    assert code in found[meant].codes
    assert found[meant].fits
    assert found[meant].reason_es
    assert found[meant].reason_en


def test_two_things_at_once() -> None:
    one = _first("Herrería y Eléctricos, S.A. de C.V.", "H&E951128469")
    assert one.fits
    assert "HERRERIA & ELECTRICOS" in {
        each.nombre for each in suggestions("Herrería y Eléctricos, S.A. de C.V.", "H&E951128469")
    }


def test_what_fits_the_rfc_comes_first() -> None:
    said = suggestions("Casas Chávez Xochilt", "CACX7605101P8")
    assert [one.fits for one in said] == sorted((one.fits for one in said), reverse=True)
    assert said[0].nombre == "XOCHILT CASAS CHÁVEZ"


def test_a_person_keeps_what_looks_like_a_company() -> None:
    assert all("capital" not in one.codes for one in suggestions("ANA SC", "MISC491214B86"))


@given(st.text(max_size=80), st.sampled_from(["", "EKU9003173C9", "CACX7605101P8", "bad"]))
def test_suggestions_of_any_text(text: str, rfc: str) -> None:
    said = suggestions(text, rfc)
    assert len(said) <= 6
    names = [one.nombre for one in said]
    assert len(set(names)) == len(names)
    for one in said:
        assert one.nombre
        assert one.nombre != text
        assert tidy(one.nombre) == one.nombre
        assert one.codes


@given(st.text(max_size=80))
def test_to_tidy_twice_changes_nothing(text: str) -> None:
    assert tidy(tidy(text)) == tidy(text)


def test_sats_test_taxpayers_fit_their_own_rfc_alone(shared: Path) -> None:
    listed = json.loads((shared / "sat/csd/test-taxpayers.json").read_text())["taxpayers"]
    assert len(listed) > 20
    for one in listed:
        for other in listed:
            if one["tipo"] == other["tipo"]:
                assert fits(one["nombre"], other["rfc"]) == (one is other)


@pytest.mark.parametrize(
    ("nombre", "letters"),
    [
        # The rules' own cases: particles, José and María, one surname, a short one, rude words.
        ("MARIA DEL CARMEN DE LA PEÑA RAMIREZ", "PERC"),
        ("JOSE ANTONIO DEL VALLE Y ROJAS", "VARA"),
        ("MA. LUISA MC GREGOR ARCE", "GEAL"),
        ("MARIA LOPEZ ROJAS", "LORM"),
        ("ALVARO DE LA O LOZANO", "OLAL"),
        ("ERNESTO EK RIVERA", "ERER"),
        ("LUZ MARIA FERNANDEZ", "FELU"),
        ("JUAN PEREZ", "PEJU"),
        ("OFELIA PEDRERO DOMINGUEZ", "PEDX"),
        ("RUBEN AGUILA LOPEZ", "AULR"),
        ("ÁNGEL NÚÑEZ ÜRGEL", "NUUA"),
        ("NOE ÑANDU IBARRA", "ÑAIN"),
        ("ROBERTO O'FARRILL CARBALLO", "OACR"),
        ("RUBEN D´ANGELO FARGO", "DAFR"),
        ("RUBEN D ANGELO FARGO", "DAFR"),
        ("ANA O LOPEZ", "OLAN"),
    ],
)
def test_letters_of_persons(nombre: str, letters: str) -> None:
    assert fits(nombre, f"{letters}800101AB1")
    assert not fits(nombre, "ZZZZ800101AB1")


@pytest.mark.parametrize(
    ("nombre", "letters"),
    [
        ("SONORA INDUSTRIAL AZUCARERA SA DE CV", "SIA"),
        ("EL ABASTECEDOR FERRETERO ELECTRICO", "AFE"),
        ("CIA. MINERA DEL NORTE Y SUR", "MNS"),
        ("CERVECERIA MODELO", "CMO"),
        ("PALETAS", "PAL"),
        ("LUCES & OBRAS", "L&O"),
        ("Z", "ZXX"),
        ("L'OREAL DE MEXICO", "LME"),
    ],
)
def test_letters_of_companies(nombre: str, letters: str) -> None:
    assert fits(nombre, f"{letters}800101AB1")
    assert not fits(nombre, "QQQ800101AB1")


def test_where_nothing_can_be_said_nothing_is() -> None:
    for rfc in ("", "bad", "XAXX010101000", "XEXX010101000"):
        assert fits("CUALQUIERA", rfc)
    assert fits("7 ELEVEN MEXICO", "SEM980701STA")
    assert fits("", "EKU9003173C9")
    assert fits("...", "EKU9003173C9")


def test_a_name_of_many_words_takes_no_time() -> None:
    before = time.process_time()
    fits("PALABRA " * 500, "EKUX900317C91")
    assert time.process_time() - before < 0.5
