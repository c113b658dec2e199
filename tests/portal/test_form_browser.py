"""The form in Chromium: nothing typed is lost, what may be kept is kept here alone, live help."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import segno
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, expect

from cfdi.constancia import reading
from hub.domain.brand import Brand
from hub.domain.pagina import Pagina
from hub.domain.purchase import Estado, FieldError, FiscalForm

pytestmark = [pytest.mark.browser, pytest.mark.slow]

COMPANY = FiscalForm("EKU9003173C9", "ESCUELA KEMPER URGATE", "42501", "601", "G03", "")
PERSON = FiscalForm("CACX7605101P8", "XOCHILT CASAS CHAVEZ", "36257", "612", "S01", "")
DAY = 24 * 3600 * 1000


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    made = chromium.new_context(viewport={"width": 360, "height": 740}, locale="es-MX")
    yield made
    made.close()


Visit = Callable[..., Page]


@pytest.fixture
def visit(context: BrowserContext, served: str, kit: Any) -> Visit:
    def opened(query: str = "") -> Page:
        page = context.new_page()
        page.goto(served + kit.path + query)
        return page

    return opened


def fill(page: Page, form: FiscalForm) -> None:
    for name in ("rfc", "nombre", "cp", "correo"):
        page.fill(f"#{name}", getattr(form, name))
    page.select_option("#regimen", form.regimen)
    page.select_option("#uso", form.uso)


def shows(page: Page, form: FiscalForm) -> None:
    for name in ("rfc", "nombre", "cp", "regimen", "uso", "correo"):
        expect(page.locator(f"#{name}")).to_have_value(getattr(form, name))


def stored(page: Page) -> dict[str, str]:
    return dict(page.evaluate("Object.fromEntries(Object.entries(localStorage))"))


def go_on(page: Page) -> None:
    page.click("#factura .primary")
    expect(page.locator("h1")).to_have_text("Revisa tu factura")


def test_a_closed_tab_loses_nothing(visit: Visit) -> None:
    page = visit()
    fill(page, COMPANY)
    page.close()
    page = visit()
    expect(page.locator("#recuperado")).to_be_visible()
    shows(page, COMPANY)
    page.reload()
    shows(page, COMPANY)
    page.click("text=Borrar y escribir otros")
    shows(page, FiscalForm())
    page.reload()
    expect(page.locator("#recuperado")).to_be_hidden()
    shows(page, FiscalForm())


def test_a_draft_names_no_link_and_ends_after_a_week(visit: Visit, kit: Any) -> None:
    page = visit()
    page.fill("#nombre", "ESCUELA")
    [key] = stored(page)
    assert key == "borrador:" + hashlib.sha256(kit.token.encode()).hexdigest()[:16]
    assert kit.token not in str(stored(page))
    page.context.clock.set_fixed_time(page.evaluate("Date.now()") + 8 * DAY)
    page = visit()
    expect(page.locator("#nombre")).to_have_value("")
    assert stored(page) == {}


def test_a_draft_is_gone_once_there_is_an_invoice(visit: Visit, kit: Any) -> None:
    page = visit()
    fill(page, COMPANY)
    go_on(page)
    assert len(stored(page)) == 1
    kit.service.after = Estado.LISTA
    page.click("text=Generar mi factura")
    expect(page.locator("h1")).to_have_text("Tu factura está lista")
    assert stored(page) == {}


def test_what_came_back_with_an_error_is_kept_rather_than_an_older_draft(visit: Visit) -> None:
    page = visit()
    fill(page, COMPANY)
    page.fill("#cp", "1")
    page.click("#factura .primary")
    expect(page.locator("#cp-error")).to_be_visible()
    page.close()
    expect(visit().locator("#cp")).to_have_value("1")


@pytest.mark.parametrize("where", ["form", "confirmation"])
def test_a_dead_network_is_told_calmly_and_nothing_is_lost(
    visit: Visit, context: BrowserContext, kit: Any, where: str
) -> None:
    page = visit()
    fill(page, COMPANY)
    if where == "confirmation":
        go_on(page)
    context.set_offline(True)
    page.locator(".primary").click()
    told = page.locator("#sin-red")
    expect(told).to_contain_text("no se perdió nada")
    expect(told).to_be_focused()
    assert page.locator(".primary").get_attribute("aria-disabled") is None
    page.click("text=Intentar otra vez")
    expect(told).to_contain_text("no se perdió nada")
    assert kit.service.requests == []
    context.set_offline(False)
    page.click("text=Intentar otra vez")
    if where == "form":
        expect(page.locator("h1")).to_have_text("Revisa tu factura")
    else:
        expect(page.locator("h1")).to_have_text("Estamos generando tu factura")
        assert len(kit.service.requests) == 1


def test_data_are_kept_only_if_wanted_and_offered_the_next_time(visit: Visit, kit: Any) -> None:
    kit.service.after = Estado.LISTA
    for form, wanted in ((COMPANY, True), (PERSON, True), (PERSON, False)):
        kit.service.current = kit.purchase()
        page = visit()
        fill(page, form)
        if wanted:
            page.check("#guardar")
        go_on(page)
        page.click("text=Generar mi factura")
        expect(page.locator("h1")).to_have_text("Tu factura está lista")
        page.close()
    kit.service.current = kit.purchase()
    page = visit()
    shows(page, FiscalForm())  # offered, not forced
    offered = page.locator("#guardados")
    expect(offered).to_contain_text("Usar mis datos: EKU9••••3C9 · Empresa")
    expect(offered).to_contain_text("Usar mis datos: CACX••••1P8 · Personal")
    assert "EKU9003173C9" not in offered.inner_text()
    page.click("text=EKU9••••3C9 · Empresa")
    shows(page, COMPANY)
    page.click("text=CACX••••1P8 · Personal")
    shows(page, PERSON)
    page.click("[aria-label='Olvidar EKU9••••3C9']")
    page.click("[aria-label='Olvidar CACX••••1P8']")
    expect(offered).to_be_hidden()
    assert stored(page)["mis-datos"] == "[]"


def test_five_taxpayers_at_most_and_none_where_nobody_wants(visit: Visit) -> None:
    page = visit()
    expect(page.locator("#guardar")).not_to_be_checked()
    many = [{"rfc": f"EKU90031{number}3C9"} for number in range(9)]
    page.evaluate("many => localStorage.setItem('mis-datos', JSON.stringify(many))", many)
    page.reload()
    expect(page.locator("#guardados > div")).to_have_count(5)


@pytest.mark.parametrize(
    "broken", ["{", "7", "null", '"x"', "[1,null,{}]", '[{"rfc": {}}]', '{"at": "x"}', "[[]]"]
)
def test_a_broken_store_is_as_good_as_none(visit: Visit, kit: Any, broken: str) -> None:
    page = visit()
    key = "borrador:" + hashlib.sha256(kit.token.encode()).hexdigest()[:16]
    for name in ("mis-datos", key, "borrador:x"):
        page.evaluate("([name, text]) => localStorage.setItem(name, text)", [name, broken])
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.reload()
    expect(page.locator("#guardados")).to_be_hidden()
    fill(page, COMPANY)
    go_on(page)
    assert problems == []


def test_without_any_store_the_page_works(visit: Visit, context: BrowserContext, kit: Any) -> None:
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no') }})"
    )
    problems: list[str] = []
    page = visit()
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.reload()
    expect(page.locator("#guardar-caja")).to_be_hidden()
    fill(page, COMPANY)
    go_on(page)
    page.click("text=Generar mi factura")
    expect(page.locator("h1")).to_have_text("Estamos generando tu factura")
    assert problems == []


def test_known_data_are_cleared_in_place(visit: Visit, kit: Any) -> None:
    kit.service.current = kit.purchase(form=PERSON)
    page = visit()
    shows(page, PERSON)
    page.click("text=Borrar y escribir otros")
    shows(page, FiscalForm())
    expect(page.locator("#rfc")).to_be_focused()


@pytest.mark.parametrize(
    ("typed", "note", "error"),
    [
        ("eku9003173c9", "Empresa o persona moral", None),
        ("EKU9OO3173C9", "Empresa o persona moral", None),
        ("RFC: CACX-760510-1P8.", "Persona física", None),
        ("EKU9003173C8", "letra por letra", None),
        ("EKU9013173C9", "Empresa", "primero van las letras"),
        ("EKU90031", "", "13 caracteres"),
        ("XAXX010101000", "", "genérico"),
    ],
)
def test_the_rfc_is_looked_at_while_it_is_typed(
    visit: Visit, typed: str, note: str, error: str | None
) -> None:
    page = visit()
    page.fill("#rfc", typed)
    if note:
        expect(page.locator("#rfc-nota")).to_contain_text(note)
    page.locator("#rfc").blur()
    if error is None:
        expect(page.locator("#rfc-error")).to_have_count(0)
    else:
        expect(page.locator("#rfc-error")).to_contain_text(error)


def test_the_only_choice_is_made(visit: Visit, kit: Any) -> None:
    kit.service.current = kit.purchase(usos=("G03", "D01"))
    page = visit()
    page.fill("#rfc", COMPANY.rfc)
    expect(page.locator("#uso")).to_have_value("G03")
    page.fill("#rfc", PERSON.rfc)
    assert page.locator("#uso option").count() == 3


def test_an_offer_is_taken_in_place(visit: Visit, kit: Any) -> None:
    error = FieldError("nombre", "CFDI40145", "No es el del SAT.", "It differs.")
    form = FiscalForm("S&S051221SE2", "S Y SOFTWARE", "76022", "601", "G03")
    kit.service.current = kit.purchase(Estado.RECHAZADA, form=form, errors=(error,))
    page = visit()
    page.fill("#correo", "nuevo@example.com")
    page.click("button:has-text('S & SOFTWARE')")
    expect(page.locator("#nombre")).to_have_value("S & SOFTWARE")
    expect(page.locator("#nombre")).to_be_focused()
    expect(page.locator("#nombre-error")).to_have_count(0)
    expect(page.locator("#correo")).to_have_value("nuevo@example.com")


def photo() -> bytes:
    """As a phone takes it: large, noisy, with the code in a part of it."""
    address = "https://siat.sat.gob.mx/app/qr/faces/pages/mobile/validadorqr.jsf"
    code = io.BytesIO()
    segno.make(f"{address}?D1=10&D2=1&D3=12345678901_CACX7605101P8", error="m").save(
        code, kind="png", scale=24
    )
    whole = Image.effect_noise((3000, 4000), 90).convert("RGB")
    whole.paste(Image.open(code).convert("RGB"), (600, 1200))
    out = io.BytesIO()
    whole.save(out, "JPEG", quality=92)
    return out.getvalue()


def test_a_photo_of_megabytes_is_made_small_and_read(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "SECONDS", 600.0)
    picture = photo()
    assert len(picture) > 2_000_000
    page = visit()
    page.fill("#correo", "a@example.com")
    page.click("text=Leer mi constancia")
    file: FilePayload = {"name": "IMG.jpg", "mimeType": "image/jpeg", "buffer": picture}
    page.set_input_files("#constancia", files=[file])
    expect(page.locator("#leida")).to_contain_text("Leímos tu RFC")
    expect(page.locator("#leida")).to_be_focused()
    expect(page.locator("#rfc")).to_have_value("CACX7605101P8")
    expect(page.locator("#correo")).to_have_value("a@example.com")


def test_a_file_too_large_is_told_before_it_is_sent(visit: Visit) -> None:
    page = visit()
    page.click("text=Leer mi constancia")
    data = b"%PDF" + b"x" * 900_000
    large: FilePayload = {"name": "a.pdf", "mimeType": "application/pdf", "buffer": data}
    page.set_input_files("#constancia", files=[large])
    expect(page.locator("#constancia-error")).to_contain_text("demasiado grande")


def test_it_works_in_a_frame_of_the_merchants_site(
    context: BrowserContext, served: str, kit: Any
) -> None:
    brand = Brand(pagina=Pagina(marcos=("http://shop.example",)))
    kit.service.current = kit.purchase(brand=brand)
    page = context.new_page()
    rights = "allow-scripts allow-forms allow-same-origin"
    body = f'<iframe sandbox="{rights}" src="{served}{kit.path}"></iframe>'
    page.route(
        "http://shop.example/", lambda route: route.fulfill(body=body, content_type="text/html")
    )
    page.goto("http://shop.example/")
    frame = page.frame_locator("iframe")
    frame.locator("#rfc").fill(COMPANY.rfc)
    expect(frame.locator("#rfc-nota")).to_have_text("Empresa o persona moral")
    frame.locator("#nombre").fill(COMPANY.nombre)
    frame.locator("#cp").fill(COMPANY.cp)
    frame.locator("#regimen").select_option(COMPANY.regimen)
    frame.locator("#uso").select_option(COMPANY.uso)
    frame.locator("#factura .primary").click()
    expect(frame.locator("h1")).to_have_text("Revisa tu factura")
