"""What SAT's papers say, from PDFs laid out like them and from every order text comes in."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfdi import constancia as reader
from cfdi.catalogs import REGIMEN_FISCAL
from cfdi.constancia import ConstanciaRefused, paper, regimenes
from cfdi.constancia.layout import regimenes_of
from cfdi.receptor import check, normalize

Make = Callable[..., bytes]


def test_a_person(constancia: Make, person: Any) -> None:
    read = reader.read(constancia(person))
    assert read == reader.Constancia(
        rfc="CACX7605101P8",
        id_cif="12345678901",
        nombre="XOCHILT CASAS CHAVEZ",
        cp="36257",
        regimenes=("612", "605"),  # 621 has an end date
        qr_agrees=True,
    )
    assert person.curp not in json.dumps(read.as_json())


def test_a_company(constancia: Make) -> None:
    assert reader.read(constancia()) == reader.Constancia(
        rfc="EKU9003173C9",
        id_cif="12345678901",
        nombre="ESCUELA KEMPER URGATE",
        regimen_capital="SOCIEDAD ANONIMA DE CAPITAL VARIABLE",
        cp="42501",
        regimenes=("601",),
        qr_agrees=True,
    )


def test_what_was_read_fills_the_form(constancia: Make, person: Any) -> None:
    for made in (constancia(person), constancia()):
        read = reader.read(made)
        data = normalize(read.rfc, read.nombre, read.cp, read.regimenes[0], "S01")
        assert check(data) == ()


@pytest.mark.parametrize("holder", ["person", "company"])
def test_a_cedula(cedula: Make, holder: str, request: pytest.FixtureRequest) -> None:
    one = request.getfixturevalue(holder)
    read = reader.read(cedula(one))
    assert (read.rfc, read.nombre, read.cp) == (one.rfc, one.on_card, one.cp)
    assert set(read.regimenes) == ({"612", "605", "621"} if holder == "person" else {"601"})
    assert read.qr_agrees


LONG = (
    "UNIVERSIDAD ROBOTICA ESPAÑOLA DE INVESTIGACION Y DESARROLLO DE SISTEMAS & SERVICIOS "
    "TECNOLOGICOS DEL NOROESTE DE LA REPUBLICA MEXICANA"
)


@pytest.mark.parametrize(
    ("rfc", "nombre"),
    [
        ("URE180429TM6", LONG),
        ("H&E951128469", "HERRERIA & ELECTRICOS"),
        ("OÑO120726RX3", "ORGANICOS ÑAVEZ OSORIO"),
        ("S&S051221SE2", "S & SOFTWARE"),
        ("EKU9003173C9", "RFC CODIGO POSTAL Y REGIMEN, CONSULTORES 3.0 #1"),
    ],
)
def test_names_of_companies(constancia: Make, rfc: str, nombre: str) -> None:
    name = (("Denominación/Razón Social:", nombre), ("Régimen Capital:", "SOCIEDAD CIVIL"))
    read = reader.read(constancia(rfc=rfc, name=name, on_card=nombre))
    assert (read.rfc, read.nombre) == (rfc, nombre)
    assert read.regimen_capital == "SOCIEDAD CIVIL"
    assert read.qr_agrees


@pytest.mark.parametrize(
    ("rfc", "parts"),
    [
        ("RAQÑ7701212M3", ("ÑEVES", "RAMIREZ", "QUEZADA")),
        ("IAÑL750210963", ("LUIS", "IAN", "ÑUZCO")),
        ("XIQB891116QE4", ("BERENICE", "XIMO", "")),
        ("MISC491214B86", ("CECILIA MARÍA DE LA LUZ", "DE LA MIRANDA", "DEL SÁNCHEZ Y ROJAS")),
    ],
)
def test_names_of_persons(constancia: Make, person: Any, rfc: str, parts: Any) -> None:
    labels = ("Nombre (s):", "Primer Apellido:", "Segundo Apellido:")
    name = tuple(zip(labels, parts, strict=True))
    nombre = " ".join(filter(None, parts))
    read = reader.read(constancia(person, rfc=rfc, name=name, on_card=nombre, curp=""))
    assert read.nombre == nombre


def test_a_regimen_that_is_not_known_is_kept_in_words(constancia: Make) -> None:
    rows = (
        ("Régimen de las Cosas Nuevas de 2027", "01/01/2027"),
        ("Régimen General de Ley Personas Morales", "17/03/1990"),
        ("Régimen de Arrendamiento", "17/03/1990"),  # not for a company
    )
    read = reader.read(constancia(regimenes=rows))
    assert read.regimenes == ("601",)
    assert read.regimenes_unknown == ("Régimen de las Cosas Nuevas de 2027", "Arrendamiento")


def test_many_pages_of_obligations_change_nothing(constancia: Make) -> None:
    assert reader.read(constancia(obligations=150)) == reader.read(constancia())


@pytest.mark.parametrize("order", ["", "-raw", "-layout"])
def test_the_orders_of_another_program(
    constancia: Make, cedula: Make, person: Any, company: Any, order: str, tmp_path: Path
) -> None:
    program = shutil.which("pdftotext")
    if program is None:
        pytest.skip("NOT TESTED: no pdftotext on PATH")
    for number, (one, made) in enumerate(
        ((person, constancia(person)), (company, constancia(company)), (person, cedula(person)))
    ):
        path = tmp_path / f"{number}.pdf"
        path.write_bytes(made)
        command = [program, *([order] if order else []), str(path), "-"]
        text = subprocess.run(command, capture_output=True, check=True).stdout.decode()
        read = paper.of_text(text, [])
        assert (read.rfc, read.nombre, read.cp) == (one.rfc, one.on_card, one.cp), order
        assert read.id_cif == one.id_cif
        assert {"612", "605"} <= set(read.regimenes) or read.regimenes == ("601",)


TITLE = "CONSTANCIA DE SITUACIÓN FISCAL\n"
CARD = (
    "EKU9003173C9\nRegistro Federal de Contribuyentes\nESCUELA KEMPER\nURGATE\n"
    "Nombre, denominación o razón\nsocial\nidCIF: 12345678901\n"
)
ROWS = (
    ("RFC:", "EKU9003173C9"),
    ("Denominación/Razón Social:", "ESCUELA KEMPER URGATE"),
    ("Régimen Capital:", "SOCIEDAD CIVIL"),
    ("Fecha inicio de operaciones:", "17 DE MARZO DE 1990"),
    ("Código Postal:", "42501"),
    ("Regímenes:", "Régimen General de Ley Personas Morales"),
)


@given(
    between=st.sampled_from([" ", "\n", "", "   ", "\n\n", "\t", "\u00a0"]),
    after=st.sampled_from(["\n", "  ", "\n\n", " "]),
    plain=st.booleans(),
    joined=st.booleans(),
    upper=st.booleans(),
    decomposed=st.booleans(),
)
def test_every_way_to_write_a_row(
    between: str, after: str, plain: bool, joined: bool, upper: bool, decomposed: bool
) -> None:
    def label(text: str) -> str:
        if plain:
            text = text.translate(str.maketrans("óéí", "oei"))
        text = text.replace(" ", "") if joined else text
        return text.upper() if upper else text

    text = TITLE + after.join(f"{label(name)}{between}{value}" for name, value in ROWS)
    read = paper.of_text(unicodedata.normalize("NFD", text) if decomposed else text, [])
    assert read == reader.Constancia(
        rfc="EKU9003173C9",
        nombre="ESCUELA KEMPER URGATE",
        regimen_capital="SOCIEDAD CIVIL",
        cp="42501",
        regimenes=("601",),
    )


def test_all_labels_before_all_values() -> None:
    text = TITLE + "\n".join(name for name, _ in ROWS) + "\n" + "\n".join(v for _, v in ROWS)
    read = paper.of_text(text, [])
    assert (read.nombre, read.cp, read.regimenes) == ("ESCUELA KEMPER URGATE", "42501", ("601",))


def test_labels_and_values_that_cannot_be_paired_are_not_guessed() -> None:
    values = [value for name, value in ROWS if name != "Denominación/Razón Social:"]
    text = TITLE + CARD + "\n".join(name for name, _ in ROWS) + "\n" + "\n".join(values)
    read = paper.of_text(text, [])
    assert (read.rfc, read.nombre) == ("EKU9003173C9", "ESCUELA KEMPER URGATE")
    assert (read.regimen_capital, read.cp) == ("", "")


def test_the_card_alone_gives_the_name() -> None:
    read = paper.of_text(TITLE + CARD, [])
    assert (read.nombre, read.id_cif) == ("ESCUELA KEMPER URGATE", "12345678901")
    spelled = CARD.replace("URGATE", "URGATE\nSOCIEDAD ANONIMA DE CAPITAL VARIABLE")
    read = paper.of_text(TITLE + spelled, [])
    assert read.nombre == "ESCUELA KEMPER URGATE"
    assert read.regimen_capital == "SOCIEDAD ANONIMA DE CAPITAL VARIABLE"


@pytest.mark.parametrize("clave", REGIMEN_FISCAL)
def test_every_regimen_of_the_catalog_is_found(clave: str) -> None:
    one = REGIMEN_FISCAL[clave]
    bare = re.sub(r"^Régimen (de las |de los |de )?", "", one.nombre)
    broken = bare[: len(bare) // 2] + "-\n" + bare[len(bare) // 2 :]
    plain = unicodedata.normalize("NFD", bare).encode("ascii", "ignore").decode()
    for words in (
        one.nombre,
        bare,
        f"Régimen de {bare}",
        f"Régimen de los {bare}",
        f"RÉGIMEN DE LAS {bare.upper()}",
        broken,
        bare.replace(" ", "\n"),
        plain,
        f"{clave} {one.nombre}",
        f"{clave} - {bare}.",
        clave,
    ):
        assert regimenes.keys_of(words) == (clave,), words


@given(st.lists(st.sampled_from(sorted(REGIMEN_FISCAL)), min_size=1, max_size=6, unique=True))
def test_a_table_read_by_columns(claves: list[str]) -> None:
    names = "\n".join(f"Régimen de {REGIMEN_FISCAL[clave].nombre}" for clave in claves)
    dates = "\n".join("01/01/2020" for _ in claves)
    section = f"Régimen\n{names}\nFecha Inicio\n{dates}\nFecha Fin"
    keys, unknown = regimenes_of(section, None)
    assert (set(keys), unknown) == (set(claves), ())


@pytest.mark.parametrize("words", ["", "Régimen", "626 Arrendamiento", "Arrendamientos", "6011"])
def test_words_that_name_no_regimen(words: str) -> None:
    assert regimenes.keys_of(words) == ()


@given(st.text(max_size=400))
def test_any_text_is_read_or_refused(text: str) -> None:
    for prefix in ("", TITLE, TITLE + CARD, "CÉDULA DE DATOS FISCALES\nRFC\nEKU9003173C9\n"):
        try:
            read = paper.of_text(prefix + text, [text])
        except ConstanciaRefused:
            continue
        said = json.loads(json.dumps(read.as_json()))
        assert reader.Constancia.of_json(said) == read


GOOD_ANSWER = {
    "rfc": "EKU9003173C9",
    "id_cif": "",
    "nombre": "X",
    "regimen_capital": "",
    "cp": "",
    "regimenes": ["601"],
    "regimenes_unknown": [],
    "qr_agrees": False,
}


@pytest.mark.parametrize(
    "change",
    [
        {"rfc": "XAXX010101000"},
        {"rfc": "EKU9003173C"},
        {"rfc": None},
        {"nombre": "X" * 301},
        {"nombre": "X\x00"},
        {"nombre": 3},
        {"id_cif": "12x"},
        {"cp": "4250"},
        {"regimenes": ["999"]},
        {"regimenes": "601"},
        {"regimenes": ["601"] * 21},
        {"regimenes_unknown": [{}]},
    ],
    ids=str,
)
def test_an_answer_of_the_other_process_is_not_believed(change: dict[str, Any]) -> None:
    assert reader.Constancia.of_json(GOOD_ANSWER).regimenes == ("601",)
    with pytest.raises(ValueError, match=r"^not "):
        reader.Constancia.of_json(GOOD_ANSWER | change)
    with pytest.raises(ValueError, match=r"^not "):
        reader.Constancia.of_json(None)


def test_a_regimen_with_an_end_date_is_over() -> None:
    from cfdi.constancia.layout import regimenes_of  # noqa: PLC0415 # this test alone

    over = "Régimen de Incorporación Fiscal 01/01/2014 31/12/2021\n"
    current = "Régimen Simplificado de Confianza 01/01/2022\n"
    assert regimenes_of(over + current, "fisica") == (("626",), ())
    assert regimenes_of(current + over, "fisica") == (("626",), ())
