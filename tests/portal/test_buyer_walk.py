"""Where a buyer stands after each step, by eye, by ear and by keyboard; and that words are true."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect

from hub.domain.purchase import Draft, Estado, Listed, Portion, Purchase
from portal.design import made

ASKED = datetime(2026, 12, 2, 9, 0, tzinfo=ZoneInfo("America/Mexico_City"))


@pytest.fixture
def page(chromium: Browser, served: str, kit: Any) -> Any:
    context = chromium.new_context(viewport={"width": 360, "height": 740}, locale="es-MX")
    opened = context.new_page()
    opened.goto(served + kit.path)
    yield opened
    context.close()


@pytest.mark.browser
@pytest.mark.slow
def test_the_form_is_in_sight_when_it_was_turned_to_a_foreigners_and_back(page: Page) -> None:
    page.get_by_role("button", name="Soy extranjero").click()
    expect(page.locator("#datos")).to_be_focused()
    expect(page.locator("#nombre")).to_be_in_viewport()
    page.get_by_role("button", name="Tengo RFC").click()
    expect(page.locator("#datos")).to_be_focused()
    expect(page.locator("#rfc")).to_be_in_viewport()


@pytest.mark.browser
@pytest.mark.slow
def test_whoever_goes_back_to_correct_stands_at_the_form(page: Page, kit: Any) -> None:
    fill(page, kit)
    page.click("#factura .primary")
    page.get_by_role("button", name="Corregir mis datos").click()
    expect(page.locator("#datos")).to_be_focused()
    expect(page.locator("#nombre")).to_have_value(kit.good["nombre"])


def fill(page: Page, kit: Any) -> None:
    for name in ("rfc", "nombre", "cp"):
        page.fill(f"#{name}", kit.good[name])
    page.select_option("#regimen", kit.good["regimen"])
    page.select_option("#uso", kit.good["uso"])


@pytest.mark.browser
@pytest.mark.slow
def test_what_is_wrong_in_the_confirmation_is_one_press_away(page: Page, kit: Any) -> None:
    fill(page, kit)
    for name, field in (("Código postal", "cp"), ("Régimen fiscal", "regimen")):
        page.click("#factura .primary")
        page.get_by_role("button", name=f"Cambiar: {name}").click()
        expect(page.locator(f"#{field}")).to_be_focused()
        expect(page.locator(f"label[for={field}]")).to_be_in_viewport()
        expect(page.locator("#nombre")).to_have_value(kit.good["nombre"])


@pytest.mark.browser
@pytest.mark.slow
def test_no_reload_and_no_step_back_sends_anything_twice(page: Page, kit: Any) -> None:
    posted: list[str] = []
    page.on("request", lambda one: posted.append(one.method) if one.method == "POST" else None)
    fill(page, kit)
    page.fill("#cp", "1")
    page.click("#factura .primary")
    expect(page.locator("#errores")).to_be_visible()
    page.fill("#cp", kit.good["cp"])
    page.click("#factura .primary")
    expect(page.locator("h1")).to_have_text("Revisa tu factura")
    page.reload()
    expect(page.locator("#cp")).to_have_value(kit.good["cp"])
    page.click("#factura .primary")
    kit.service.after = Estado.LISTA
    page.click("#confirmar .primary")
    expect(page.locator("h1")).to_have_text("Tu factura está lista")
    sent = len(posted)
    for _ in range(3):
        page.go_back()  # to pages that were answers to a form
        expect(page.locator("h1")).to_have_text("Tu factura está lista")
    assert (len(posted), len(kit.service.requests)) == (sent, 1)


@pytest.mark.browser
@pytest.mark.slow
def test_a_message_that_was_refused_survives_a_reload(page: Page, served: str, kit: Any) -> None:
    kit.service.current = kit.purchase(Estado.CANCELADA, reason="cancelled")
    kit.service.ask = lambda _token, _form: made.REFUSED[0]
    page.goto(served + kit.path)
    page.fill("#mensaje", "No cancelé nada.")
    page.click("#aclarar .primary")
    expect(page.locator("#errores")).to_be_visible()
    page.reload()
    expect(page.locator("#errores")).to_be_hidden()
    expect(page.locator("#mensaje")).to_have_value("No cancelé nada.")


@pytest.mark.browser
@pytest.mark.slow
def test_twice_as_large_no_word_stands_letter_by_letter(page: Page, kit: Any) -> None:
    fill(page, kit)
    page.click("#factura .primary")
    expect(page.locator("h1")).to_have_text("Revisa tu factura")
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    for words in (".brand-name", "dt", "dd:not(.change)"):
        for one in page.locator(words).all():
            wide = one.evaluate("e => e.clientWidth / parseFloat(getComputedStyle(e).fontSize)")
            assert wide > 6, (words, one.inner_text())


@pytest.mark.browser
@pytest.mark.slow
def test_that_it_was_sent_is_what_has_the_focus(page: Page, kit: Any) -> None:
    kit.service.current = kit.purchase(Estado.LISTA)
    page.reload()
    page.fill("#correo", "otra@example.com")
    page.get_by_role("button", name="Enviar", exact=True).click()
    expect(page.locator(".notice.good")).to_be_focused()


@pytest.mark.browser
@pytest.mark.slow
def test_a_generic_rfc_is_called_no_person(page: Page) -> None:
    page.fill("#rfc", "CACX7605101P8")
    expect(page.locator("#rfc-nota")).to_have_text("Persona física")
    page.fill("#rfc", "XEXX010101000")
    expect(page.locator("#rfc-nota")).to_have_text("")


def test_totals_that_were_asked_for_have_the_focus(kit: Any) -> None:
    portion = Portion("1", "Libro", *(made.OPEN.total,) * 3)
    kit.service.current = kit.purchase(dividable=True)
    kit.service.draft = lambda _token, _units: Draft((portion,), (made.OPEN.total,) * 2)
    text = kit.post({"accion": "ver", "u0": "1"}, "/dividir").text
    assert 'id="totales" tabindex="-1" autofocus' in text
    assert 'id="totales"' not in kit.client.get(kit.path + "/dividir").text


@pytest.mark.parametrize("estado", [Estado.VENCIDA, Estado.EN_GLOBAL, Estado.CANCELADA])
def test_an_answer_is_promised_only_where_it_will_be(kit: Any, estado: Estado) -> None:
    """The answer stands on the page of the link alone: see `hub.steps.look`."""
    asked: Purchase = kit.purchase(estado, reason="refunded", asked_at=ASKED)
    kit.service.current = asked
    shown = kit.client.get(kit.path).text
    assert "Aquí verás su respuesta." in shown
    kit.service.current = replace(asked, proven=False)
    shown = kit.client.get(kit.path).text
    assert "verás su respuesta" not in shown
    assert "Si dejaste tu correo, te responderá ahí." in shown


def test_a_correction_is_no_promise_of_the_merchants(kit: Any) -> None:
    kit.service.current = kit.purchase(Estado.LISTA, asked_at=ASKED, asked_kind="correction")
    assert "Si el comercio la acepta" in kit.client.get(kit.path).text
    kit.service.current = kit.purchase(Estado.LISTA, corrections_left=1)
    assert "Si el comercio acepta" in kit.client.get(kit.path + "/corregir").text


def test_one_that_cannot_be_invoiced_says_how_to_go_on(kit: Any) -> None:
    listed = (
        Listed("1042", made.OPEN.placed_at, made.OPEN.total, "MXN", None),
        Listed("1043", made.OPEN.placed_at, made.OPEN.total, "MXN", made.REFUSED[0]),
    )
    kit.service.current = kit.purchase(joinable=True)
    kit.service.listed = lambda _token: listed
    kit.service.unjoinable = lambda _token: made.REFUSED[0]
    shown = kit.client.get(kit.path + "/varias").text
    assert "Quita lo que está marcado en rojo" in shown
    assert "Continuar con" not in shown


@pytest.mark.parametrize(("masked", "words"), [("", "por correo"), ("c•••@x.mx", "a otro correo")])
def test_another_address_is_asked_for_only_after_a_first(kit: Any, masked: str, words: str) -> None:
    kit.service.current = kit.purchase(Estado.LISTA, masked_email=masked)
    assert f"Enviarla {words}" in kit.client.get(kit.path).text


def test_a_page_without_a_purchase_leads_back_to_it(kit: Any) -> None:
    shown = kit.client.get(f"{kit.path}/cfdi.xml")
    assert shown.status_code == 404
    assert f'href="{kit.path}">Volver a mi compra' in shown.text
    assert "Volver" not in kit.client.get("/f/no-such-link-at-all").text
