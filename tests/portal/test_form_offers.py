"""What the form asks about, shows before it is stamped, and takes of whoever is hostile."""

from __future__ import annotations

import html
import io
import re
from dataclasses import replace
from typing import Any

import pytest

from hub.domain.brand import Brand
from hub.domain.pagina import Pagina
from hub.domain.purchase import Estado, FieldError, FiscalForm


def hidden(page: str, form: str) -> dict[str, str]:
    body = page[page.index(f'id="{form}"') :].partition("</form>")[0]
    found = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', body)
    return {name: html.unescape(value) for name, value in found}


def offers(page: str) -> list[tuple[str, str]]:
    return re.findall(r'name="usar_(\w+)" value="([^"]*)"', page)


def test_what_is_shown_is_what_is_sent(kit: Any) -> None:
    typed = kit.good | {"rfc": "rfc: eku9oo3173c9", "cp": "c.p. 42501", "accion": "revisar"}
    page = kit.post(typed).text
    assert "Leímos tu RFC como EKU9003173C9" in page
    sent = hidden(page, "confirmar")
    assert {name: sent[name] for name in kit.good} == kit.good
    assert kit.client.post(kit.path, data=sent | {"accion": "generar"}).status_code == 303
    assert kit.service.requests == [(FiscalForm(**kit.good), "es")]


def test_data_as_they_should_be_are_asked_nothing(kit: Any) -> None:
    page = kit.post(kit.good | {"accion": "revisar"}).text
    assert offers(page) == []
    assert 'class="notice' not in page


def test_an_offer_is_taken_by_pressing_it_alone(kit: Any) -> None:
    typed = kit.good | {"nombre": "Escuela Kemper Urgate, S.A. de C.V.", "accion": "revisar"}
    page = kit.post(typed).text
    assert offers(page) == [("nombre", "ESCUELA KEMPER URGATE")]
    kept = hidden(page, "confirmar")
    assert kept["nombre"] == "ESCUELA KEMPER URGATE, S.A. DE C.V."
    page = kit.post(typed | {"usar_nombre": "ESCUELA KEMPER URGATE"}).text
    assert hidden(page, "confirmar")["nombre"] == "ESCUELA KEMPER URGATE"
    assert kit.service.requests == []


def test_a_mistyped_rfc_is_asked_about(kit: Any) -> None:
    page = kit.post(kit.good | {"rfc": "EKU9003174C9", "accion": "revisar"}).text
    assert "Revisa tu RFC letra por letra" in page
    refused = kit.post(kit.good | {"rfc": "URE1B0429TM6", "accion": "revisar"})
    assert refused.status_code == 422
    assert offers(refused.text) == [("rfc", "URE180429TM6")]


def test_after_sat_refused_the_name_other_spellings_are_offered(kit: Any) -> None:
    error = FieldError("nombre", "CFDI40145", "No es el del SAT.", "It differs.")
    form = FiscalForm(**kit.good | {"rfc": "S&S051221SE2", "nombre": "S Y SOFTWARE"})
    kit.service.current = kit.purchase(Estado.RECHAZADA, form=form, errors=(error,))
    page = kit.client.get(kit.path).text
    assert ("nombre", "S &amp; SOFTWARE") in offers(page)
    assert 'form="sugerencias"' in page
    again = hidden(page, "sugerencias") | {"usar_nombre": "S & SOFTWARE"}
    page = kit.client.post(kit.path, data=again | {"cp": "76022"}).text
    assert hidden(page, "confirmar")["nombre"] == "S & SOFTWARE"


def test_without_a_script_the_lists_are_those_of_the_rfc(kit: Any) -> None:
    page = kit.post(kit.good | {"cp": "1", "uso": "", "accion": "revisar"}).text
    person = page.partition('<optgroup label="Persona física')[2].partition(">")[0]
    company = page.partition('<optgroup label="Empresa')[2].partition(">")[0]
    assert "disabled" in person
    assert "disabled" not in company
    use = dict(re.findall(r'<option value="([A-Z]\d\d|CP01)"[^>]*?( disabled)?>', page))
    assert use["D01"] == " disabled"
    assert use["G03"] == ""


def test_the_only_uso_there_is_is_chosen(kit: Any) -> None:
    kit.service.current = replace(kit.service.current, usos=("S01",))
    page = kit.client.get(kit.path).text
    assert re.search(r'<option value="S01"[^>]* selected', page)


def test_known_data_are_shown_with_a_way_to_clear_them(kit: Any) -> None:
    known = FiscalForm("CACX7605101P8", "XOCHILT CASAS CHAVEZ", "36257")
    kit.service.current = kit.purchase(form=known)
    page = kit.client.get(kit.path).text
    assert "Estos datos ya los tenía el comercio" in page
    assert "CACX7605101P8" in page
    empty = kit.client.get(f"{kit.path}?vacio=1").text
    assert "CACX7605101P8" not in empty
    assert "ya los tenía" not in empty


def test_an_address_alone_is_no_news(kit: Any) -> None:
    kit.service.current = kit.purchase(form=FiscalForm(correo="a@example.com"))
    assert "ya los tenía" not in kit.client.get(kit.path).text


def test_a_foreigner_is_asked_for_a_name(kit: Any) -> None:
    page = kit.post({"nombre": "John Smith", "accion": "extranjero"}).text
    assert 'name="nombre" value="John Smith"' in page
    assert 'id="regimen"' not in page
    form = hidden(page, "factura")
    assert form["rfc"] == "XEXX010101000"
    page = kit.client.post(kit.path, data=form | {"nombre": "John", "accion": "revisar"}).text
    sent = hidden(page, "confirmar")
    assert (sent["cp"], sent["regimen"], sent["uso"]) == ("42501", "616", "S01")
    assert "así lo pide el SAT para extranjeros" in page
    back = kit.client.post(kit.path, data=sent | {"accion": "corregir"}).text
    assert 'name="nombre" value="JOHN"' in back
    assert 'id="regimen"' not in back
    mexican = kit.client.post(kit.path, data=sent | {"accion": "con_rfc"}).text
    assert 'id="regimen"' in mexican
    assert "XEXX" not in mexican


def test_who_has_no_rfc_is_shown_the_way_where_it_is_asked_for(kit: Any) -> None:
    """Not below six fields that such a buyer cannot fill in, nor between two that are tabbed."""
    page = kit.client.get(kit.path).text
    assert page.index("<form") < page.index('value="extranjero"') < page.index('id="rfc"')
    foreign = kit.post({"accion": "extranjero"}).text
    assert foreign.index('value="con_rfc"') < foreign.index('id="nombre"')


def test_words_of_sat_are_spanish_on_an_english_page(kit: Any) -> None:
    page = kit.post(kit.good | {"accion": "revisar"}, query="?lang=en").text
    assert '<dd lang="es">601 · General de Ley Personas Morales</dd>' in page
    assert '<dd lang="es">G03 · Gastos en general</dd>' in page


def test_what_the_merchant_says_is_in_its_language(kit: Any) -> None:
    kit.service.current = kit.purchase(
        brand=Brand("m1", "Tienda", pagina=Pagina(mensaje="Ten tu ticket a la mano."))
    )
    for language in ("es", "en"):
        page = kit.client.get(f"{kit.path}?lang={language}").text
        assert '<p lang="es">Ten tu ticket a la mano.</p>' in page


@pytest.mark.parametrize("rfc", ["XAXX010101000", "XEXX010101000"])
def test_a_generic_rfc_in_the_form_has_a_way_out(kit: Any, rfc: str) -> None:
    page = kit.post(kit.good | {"rfc": rfc, "accion": "revisar"})
    assert page.status_code == 422
    assert "elige «Soy extranjero»" in page.text
    assert kit.service.requests == []


def test_a_merchant_may_leave_either_out(kit: Any) -> None:
    page = kit.client.get(kit.path).text
    assert "Soy extranjero" in page
    assert 'id="constancia"' in page
    brand = Brand(pagina=Pagina(extranjeros=False, constancia=False))
    kit.service.current = kit.purchase(brand=brand)
    page = kit.client.get(kit.path).text
    assert "Soy extranjero" not in page
    assert 'id="constancia"' not in page
    answer = kit.post({"constancia": (io.BytesIO(b"%PDF-"), "a.pdf")}, "/constancia")
    assert answer.status_code == 303


EVIL = {
    "a megabyte": "A" * 1_000_000,
    "NUL": "\x00EKU\x009003173C9\x00",
    "right to left": "\u202e\u2066EKU9003173C9\u2069",
    "emoji": "\U0001f4a9" * 200,
    "SQL": "'; DROP TABLE sale; --",
    "HTML": '"><script>alert(1)</script><img src=x onerror=alert(1)>',
    "template": "{{7*7}}${7*7}#{7*7}",
    "lines": "EKU9003173C9\r\nSet-Cookie: a=b",
    "combining": "e" + "\u0301" * 499,
    "regex": "a" * 400 + "!",
    "blanks": " " * 490,
    "points": "." * 490,
    "labels": "RFC:" * 120,
    "amps": "&" * 490,
}


@pytest.mark.parametrize("kind", EVIL)
@pytest.mark.parametrize("name", ["rfc", "nombre", "cp", "regimen", "uso", "correo", "usar_nombre"])
@pytest.mark.parametrize("action", ["revisar", "corregir"])
def test_a_hostile_field_is_only_ever_text(kit: Any, kind: str, name: str, action: str) -> None:
    answer = kit.post(kit.good | {name: EVIL[kind], "accion": action})
    assert answer.status_code in {200, 413, 422}
    assert "<script>alert" not in answer.text
    assert "<img src=x" not in answer.text
    assert "\x00" not in answer.text
    assert "Set-Cookie" not in answer.headers
    assert "Algo falló" not in answer.text
    assert kit.service.requests == []


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"rfc": ["EKU9003173C9", "XAXX010101000"]},
        {"rfc[]": "EKU9003173C9", "nombre[0][a]": "x"},
        {f"field{number}": "1" for number in range(4_000)},
        {"usar_rfc": ["A", "B"], "usar_uso": "G03"},
        {"accion": "revisar", "vista": "x" * 600},
    ],
    ids=["nothing", "twice", "arrays", "thousands", "offers", "vista"],
)
def test_a_hostile_form_is_no_failure(kit: Any, data: dict[str, Any]) -> None:
    answer = kit.post(data | {"accion": data.get("accion", "revisar")})
    assert answer.status_code in {413, 422}
    assert kit.service.requests == []


def test_ten_thousand_fields_are_refused(kit: Any) -> None:
    many = {f"a{number}": "1" for number in range(10_000)}
    assert kit.post(many).status_code == 413
