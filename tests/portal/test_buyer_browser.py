"""The pages in Chromium: every estado, phone and desktop, with and without JavaScript."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from hub.domain.purchase import DOWN, Estado, FieldError, FiscalForm

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PHONE, DESKTOP = 360, 1280


Opener = Callable[..., Page]


@pytest.fixture
def open_page(chromium: Browser, served: str, kit: Any) -> Iterator[Opener]:
    """Opens the purchase's page; at the end nothing may have complained or gone elsewhere."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def opened(*, width: int = PHONE, script: bool = True, query: str = "", **more: Any) -> Page:
        size = {"width": width, "height": 800}
        context = chromium.new_context(
            viewport=size, java_script_enabled=script, locale="es-MX", **more
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda request: request.url.startswith(served) or complaints.append(request.url),
        )
        page.goto(served + kit.path + query)
        return page

    yield opened
    cookies = [cookie for context in contexts for cookie in context.cookies()]
    for context in contexts:
        context.close()
    # Chromium itself reports an answer 422 as a failed load.
    complaints = [each for each in complaints if "status of 422" not in each]
    assert complaints == []
    assert cookies == []


def fill(page: Page, data: dict[str, str]) -> None:
    for name in ("rfc", "nombre", "cp"):
        page.fill(f"#{name}", data[name])
    page.select_option("#regimen", data["regimen"])
    page.select_option("#uso", data["uso"])
    page.fill("#correo", data["correo"])


def issue(page: Page) -> None:
    """Through the page that shows what would be stamped."""
    page.click("#factura .primary")
    expect(page.locator("h1")).to_have_text("Revisa tu factura")
    page.click("text=Generar mi factura")


@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_every_estado_fits_and_complains_of_nothing(
    kit: Any, open_page: Opener, width: int, language: str
) -> None:
    page = open_page(width=width, query=f"?lang={language}")
    address = page.url
    for estado in Estado:
        page.goto("about:blank")  # a page that waits would load the next estado by itself
        errors = (FieldError("nombre", "CFDI40145", "No coincide. " * 9, "Differs. " * 9),)
        kit.service.current = kit.purchase(
            estado,
            sandbox=True,
            errors=errors if estado is Estado.RECHAZADA else (),
            merchant_name="Comercializadora de Productos Agropecuarios y Veterinarios",
            number="WC-0000000000000000000000000000000000001042",
        )
        page.goto(address)
        expect(page.locator("h1")).to_have_count(1)
        expect(page.locator("h1")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, estado


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_the_form_is_filled_and_the_invoice_comes(
    kit: Any, open_page: Opener, width: int, script: bool
) -> None:
    page = open_page(width=width, script=script)
    fill(page, kit.good)
    issue(page)
    expect(page.locator("h1")).to_have_text("Estamos generando tu factura")
    assert kit.service.requests == [(FiscalForm(**kit.good), "es")]
    kit.service.current = kit.purchase(Estado.LISTA)
    # By polling, or by the refresh that the page asks for where there is no script.
    expect(page.locator("h1")).to_have_text("Tu factura está lista")
    with page.expect_download() as download:
        page.click("text=Descargar PDF")
    assert download.value.suggested_filename == f"{kit.uuid}.pdf"


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_errors_have_the_focus_and_lead_to_their_fields(
    kit: Any, open_page: Opener, script: bool
) -> None:
    page = open_page(script=script)
    fill(page, kit.good | {"cp": "425", "nombre": ""})
    page.click("#factura .primary")
    expect(page.locator("#errores")).to_be_focused()
    expect(page.locator("#rfc")).to_have_value(kit.good["rfc"])
    expect(page.locator("#regimen")).to_have_value(kit.good["regimen"])
    expect(page.locator("#uso")).to_have_value(kit.good["uso"])
    expect(page.locator("#correo")).to_have_value(kit.good["correo"])
    page.click("#errores a[href='#cp']")
    expect(page.locator("#cp")).to_be_focused()
    page.fill("#cp", kit.good["cp"])
    page.fill("#nombre", kit.good["nombre"])
    issue(page)
    expect(page.locator("h1")).to_have_text("Estamos generando tu factura")


def values(page: Page, select: str) -> set[str]:
    options = page.eval_on_selector_all(f"#{select} option", "all => all.map(o => o.value)")
    return set(options) - {""}


def test_the_rfc_decides_the_regimen_and_the_regimen_the_uso(open_page: Opener) -> None:
    page = open_page()
    everything = values(page, "uso")
    page.fill("#rfc", "eku-9003173 c9")
    expect(page.locator("#rfc-nota")).to_have_text("Empresa o persona moral")
    assert "601" in values(page, "regimen")
    assert "605" not in values(page, "regimen")
    assert not any(uso.startswith("D") for uso in values(page, "uso"))
    page.select_option("#regimen", "601")
    page.select_option("#uso", "G03")
    page.fill("#rfc", "CACX7605101P8")
    expect(page.locator("#rfc-nota")).to_have_text("Persona física")
    expect(page.locator("#regimen")).to_have_value("")
    expect(page.locator("#regimen-nota")).to_contain_text("Elige tu régimen otra vez")
    assert "601" not in values(page, "regimen")
    page.select_option("#regimen", "605")
    assert "G03" not in values(page, "uso")
    assert "S01" in values(page, "uso")
    expect(page.locator("#uso")).to_have_value("")
    expect(page.locator("#uso-nota")).to_contain_text("Elige el uso otra vez")
    page.fill("#rfc", "")
    assert values(page, "regimen") >= {"601", "605"}
    page.select_option("#regimen", "")
    page.select_option("#regimen", "605")
    assert values(page, "uso") < everything


def test_a_choice_that_still_fits_is_kept(open_page: Opener) -> None:
    page = open_page()
    page.select_option("#regimen", "626")
    page.select_option("#uso", "G03")
    page.fill("#rfc", "CACX7605101P8")
    expect(page.locator("#regimen")).to_have_value("626")
    expect(page.locator("#uso")).to_have_value("G03")


def test_a_rfc_of_a_wrong_length_is_told_at_once_and_forgotten_once_mended(
    open_page: Opener,
) -> None:
    page = open_page()
    page.fill("#rfc", "EKU9003173")
    page.locator("#rfc").blur()
    expect(page.locator("#rfc-error")).to_contain_text("13 caracteres")
    expect(page.locator("#rfc")).to_have_attribute("aria-invalid", "true")
    page.fill("#rfc", "EKU9003173C9")
    expect(page.locator("#rfc-error")).to_have_count(0)
    assert page.get_attribute("#rfc", "aria-describedby") == "rfc-pista rfc-nota"


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_test_data_take_one_click(kit: Any, open_page: Opener, script: bool) -> None:
    mine = FiscalForm(correo="compras@example.com")
    kit.service.current = kit.purchase(sandbox=True, form=mine)
    page = open_page(script=script)
    page.click("text=Usar datos de prueba")
    expect(page.locator("#correo")).to_have_value(mine.correo)
    expect(page.locator("#rfc")).to_have_value(kit.test_data.rfc)
    expect(page.locator("#regimen")).to_have_value(kit.test_data.regimen)
    expect(page.locator("#uso")).to_have_value(kit.test_data.uso)
    issue(page)
    expect(page.locator("h1")).to_have_text("Estamos generando tu factura")
    assert kit.service.requests == [(replace(kit.test_data, correo=mine.correo), "es")]


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_a_review_can_be_corrected_and_then_issued(
    kit: Any, open_page: Opener, script: bool
) -> None:
    page = open_page(script=script)
    fill(page, kit.good)
    page.click("#factura .primary")
    expect(page.locator("h1")).to_have_text("Revisa tu factura")
    page.click("text=Corregir mis datos")
    expect(page.locator("#nombre")).to_have_value(kit.good["nombre"])
    page.click("#factura .primary")
    assert kit.service.requests == []
    page.click("text=Generar mi factura")
    expect(page.locator("h1")).to_have_text("Estamos generando tu factura")


def test_a_double_click_posts_once(kit: Any, open_page: Opener) -> None:
    page = open_page()
    fill(page, kit.good)
    page.click("#factura .primary")
    expect(page.locator("h1")).to_have_text("Revisa tu factura")
    told: list[str] = []
    page.on("request", lambda request: told.append(request.method))
    page.evaluate(
        """() => {
          const button = document.querySelector(".primary");
          for (let click = 0; click < 3; click += 1) button.click();
        }"""
    )
    expect(page.locator("h1")).to_have_text("Estamos generando tu factura")
    assert told.count("POST") == 1
    assert kit.service.calls == 1


def test_the_keyboard_alone_is_enough(kit: Any, open_page: Opener) -> None:
    page = open_page()
    keys = page.keyboard
    keys.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.focus("#rfc")
    keys.type(kit.good["rfc"])
    keys.press("Tab")
    keys.type(kit.good["nombre"])
    keys.press("Tab")
    keys.type(kit.good["cp"])
    keys.press("Tab")
    for name, wanted in (("regimen", "601"), ("uso", "G03")):
        # Not by typing its key: letters more than a second apart are two searches to a browser.
        for _ in page.locator(f"#{name} option").all():
            if page.input_value(f"#{name}") != wanted:
                keys.press("ArrowDown")
        expect(page.locator(f"#{name}")).to_have_value(wanted)
        keys.press("Tab")
    keys.type(kit.good["correo"])
    keys.press("Enter")
    expect(page.locator("h1")).to_be_focused()
    expect(page.locator("h1")).to_have_text("Revisa tu factura")
    page.locator("text=Generar mi factura").focus()
    keys.press("Enter")
    expect(page.locator("h1")).to_have_text("Estamos generando tu factura")
    assert kit.service.requests == [(FiscalForm(**kit.good), "es")]


def test_polling_slows_down(kit: Any, open_page: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    kit.service.current = kit.purchase(Estado.PROCESANDO)
    asked: list[float] = []
    answer = kit.service.purchase

    def noted(token: str) -> Any:
        asked.append(time.monotonic())
        return answer(token)

    page = open_page()
    monkeypatch.setattr(kit.service, "purchase", noted)
    until = time.monotonic() + 180
    while len(asked) < 6 and time.monotonic() < until:
        page.wait_for_timeout(200)
    # A busy machine asks later, never earlier: five pauses that grow by a third, from 0.35 s.
    assert len(asked) >= 6
    assert asked[5] - asked[0] > 2.5


def test_who_waits_for_long_is_told_what_the_page_says_by_then(kit: Any, open_page: Opener) -> None:
    """Of the same estado: that the request is kept, and a field for an address."""
    kit.service.current = kit.purchase(Estado.PROCESANDO, masked_email="")
    page = open_page()
    page.clock.install()
    page.reload()
    expect(page.locator("#espera")).to_have_attribute("data-lento", re.compile("tardando"))
    kit.service.current = kit.purchase(Estado.PROCESANDO, masked_email="", reason=DOWN)
    page.clock.run_for(40_000)
    expect(page.locator("h1")).to_have_text("Estamos generando tu factura")
    page.clock.run_for(40_000)
    expect(page.locator(".notice")).to_contain_text("Guardamos tu solicitud")
    # Nothing is loaded again under whoever types there.
    page.fill("#correo", "ana@exam")
    page.clock.run_for(200_000)
    expect(page.locator("#correo")).to_have_value("ana@exam")


def test_a_lost_connection_is_told_and_survived(kit: Any, open_page: Opener) -> None:
    kit.service.current = kit.purchase(Estado.POR_CONFIRMAR)
    page = open_page()
    page.route("**/estado*", lambda route: route.fulfill(status=200, body="busy"))
    expect(page.locator("#espera")).to_have_text("No hay conexión. Seguimos intentando.")
    page.unroute("**/estado*")
    kit.service.current = kit.purchase(Estado.LISTA)
    expect(page.locator("h1")).to_have_text("Tu factura está lista")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_the_merchant_is_asked_from_an_expired_page(
    kit: Any, open_page: Opener, script: bool
) -> None:
    kit.service.current = kit.purchase(Estado.VENCIDA)
    page = open_page(script=script)
    fill(page, kit.good)
    page.fill("#mensaje", "Por favor")
    page.click("text=Pedir mi factura")
    expect(page.locator(".notice.good")).to_contain_text("Ya se la pedimos")
    assert kit.service.questions[0]["mensaje"] == "Por favor"


def test_a_printed_page_has_no_buttons_and_all_facts(kit: Any, open_page: Opener) -> None:
    kit.service.current = kit.purchase(Estado.LISTA)
    page = open_page(width=DESKTOP)
    page.emulate_media(media="print")
    expect(page.locator("text=Descargar PDF")).to_be_hidden()
    expect(page.locator("#correo")).to_be_hidden()
    expect(page.locator(f"text={kit.uuid}")).to_be_visible()


def test_taps_are_large_enough(kit: Any, open_page: Opener) -> None:
    page = open_page()
    for box in page.locator("button, input:not([type=hidden]), select, summary").all():
        if (
            box.get_attribute("aria-hidden")
            or not box.is_visible()
            or box.get_attribute("type") == "checkbox"
        ):
            continue
        size = box.bounding_box()
        assert size
        assert size["height"] >= 44
