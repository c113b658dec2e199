"""After the button, in Chromium on the real installation: waiting, correcting, all documents."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SALES = 8
PHONE: ViewportSize = {"width": 360, "height": 740}
RULES = """\
[forma_pago]
default = "04"
[pagina]
correcciones = 1
"""


@pytest.fixture(scope="module")
def shop(chromium: Browser, install: Any) -> Any:
    del chromium
    return install().merchant(rules=RULES)


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    made = chromium.new_context(viewport=PHONE, locale="es-MX", is_mobile=True)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture(scope="module")
def links(shop: Any) -> Iterator[str]:
    """Of sales that nobody has looked at, made all at once: each command takes a second."""
    for number in range(1, SALES + 1):
        shop.sell(number)
    shop.digested()
    return iter([str(one["link"]) for one in shop.sales().values()])


def ask(page: Page, link: str, data: dict[str, str], correo: str = "") -> None:
    page.goto(link)
    for name in ("rfc", "nombre", "cp"):
        page.fill(f"#{name}", data[name])
    page.fill("#correo", correo)
    page.select_option("#regimen", data["regimen"])
    page.select_option("#uso", data["uso"])
    page.click("#factura .primary")
    page.click("text=Generar mi factura")


def mailed(mail_server: Any, to: str) -> list[Any]:
    """Letters with a document."""
    return [one for one in mail_server.letters(to) if list(one.iter_attachments())]


def promised(shop: Any, *jobs: str) -> list[Any]:
    return [one for one in shop.home.cli("outbox", "list")["data"] if one["job"] in jobs]


# What the provider does is the hub's matter, what the page does the browser's: not each by each.
@pytest.mark.parametrize(("mode", "script"), [("drop_after", True), ("500_after_commit", False)])
def test_whoever_waits_for_a_doubtful_answer_is_told_the_truth_and_mailed_once(
    shop: Any,
    links: Iterator[str],
    chromium: Browser,
    buyer: dict[str, str],
    mail_server: Any,
    eventually: Any,
    mode: str,
    script: bool,
) -> None:
    context = chromium.new_context(viewport=PHONE, locale="es-MX", java_script_enabled=script)
    page, mine = context.new_page(), f"espera-{mode}-{script}@example.com"
    before = len(shop.home.stamps())
    shop.home.fault(mode, times=1000)  # until the page has been seen
    ask(page, next(links), buyer)
    expect(page.locator("h1")).to_have_text("Estamos confirmando tu factura con el SAT")
    expect(page.get_by_text("No la generes otra vez.")).to_be_visible()
    page.fill("#correo", mine)
    page.click("text=Avisarme")
    expect(page.get_by_text("e•••@example.com")).to_be_visible()
    shop.home.no_more_faults()
    expect(page.locator("h1")).to_have_text("Tu factura está lista")
    eventually(lambda: mailed(mail_server, mine))
    eventually(lambda: not promised(shop, "deliver", "send_copy"))
    assert len(mailed(mail_server, mine)) == 1
    assert len(shop.home.stamps()) == before + 1
    context.close()


def test_an_account_that_is_refused_saves_the_request_and_ends_well(
    shop: Any, links: Iterator[str], page: Page, buyer: dict[str, str]
) -> None:
    before = len(shop.home.stamps())
    shop.home.fault("402", times=1000)
    ask(page, next(links), buyer, "guardada@example.com")
    expect(page.locator("h1")).to_have_text("Guardamos tu solicitud")
    expect(page.get_by_text("g•••@example.com")).to_be_visible()
    shop.home.no_more_faults()
    expect(page.locator("h1")).to_have_text("Tu factura está lista")
    assert len(shop.home.stamps()) == before + 1


def test_what_takes_time_shows_that_it_is_under_way(
    shop: Any, links: Iterator[str], page: Page, buyer: dict[str, str]
) -> None:
    with shop.home.nobody_works():  # until a busy browser has come to look
        ask(page, next(links), buyer)
        expect(page.locator("h1")).to_have_text("Estamos generando tu factura")
    expect(page.locator("h1")).to_have_text("Tu factura está lista")


def test_an_rfc_that_sat_does_not_know_is_told_at_its_field_and_nothing_is_sent(
    shop: Any, links: Iterator[str], page: Page, buyer: dict[str, str], eventually: Any
) -> None:
    before = len(shop.home.stamps())
    link = next(links)

    def looked_over() -> bool:
        """Whether the provider said it in time: a page waits a second for it, and goes on."""
        page.goto(link)
        for name in ("rfc", "nombre", "cp"):
            page.fill(f"#{name}", (buyer | {"rfc": "UNO010101AB8"})[name])
        page.select_option("#regimen", buyer["regimen"])
        page.select_option("#uso", buyer["uso"])
        page.click("#factura .primary")
        page.wait_for_selector("#rfc-error, #confirmar")
        return page.locator("#rfc-error").count() == 1

    eventually(looked_over, 10.0)
    expect(page.locator("#rfc-error")).to_contain_text("no reconoce ese RFC")
    expect(page.locator("#nombre")).to_have_value(buyer["nombre"])
    assert requests.get(f"{link}/estado", timeout=60).json()["estado"] == "abierta"
    assert len(shop.home.stamps()) == before


def test_a_correction_goes_to_the_merchant_and_the_answer_comes_back(
    shop: Any,
    links: Iterator[str],
    page: Page,
    buyer: dict[str, str],
    mail_server: Any,
    eventually: Any,
) -> None:
    link, of = next(links), ("--merchant", shop.merchant_id)
    ask(page, link, buyer)
    expect(page.locator("h1")).to_have_text("Tu factura está lista")
    page.click("text=Corregir mis datos")
    expect(page.locator("#rfc")).to_have_value(buyer["rfc"])
    page.select_option("#uso", "S01")
    page.fill("#correo", "corrige@example.com")
    page.fill("#mensaje", "El uso no era ese.")
    page.click("text=Pedir la corrección")
    expect(page.get_by_text("Pediste corregir esta factura")).to_be_visible()
    expect(page.get_by_text("Corregir mis datos")).to_have_count(0)
    [wish] = [one for one in shop.waiting() if one["kind"] == "ask"]
    assert (wish["note"], wish["form"]["cambia"], wish["form"]["uso"]) == (
        "correction",
        "uso",
        "S01",
    )
    assert "instead" in wish["asks"]
    assert wish["command"].split()[1:3] == ["invoice", "show"]
    shown = shop.home.cli(*wish["command"].split()[1:])
    assert shown["uuid"] == wish["form"]["uuid"]
    words = ("--declined", "--answer", "Ya declaramos el mes.")
    shop.home.cli("review", "resolve", *of, wish["id"], *words)
    page.reload()
    expect(page.get_by_text("El comercio no pudo hacer lo que pediste.")).to_be_visible()
    expect(page.get_by_text("Ya declaramos el mes.")).to_be_visible()
    page.click("text=Pide la corrección al comercio")  # the one time is used up
    page.fill("#mensaje", "Entonces el mes que viene.")
    page.click("text=Enviar al comercio")
    expect(page.get_by_text("Le escribiste al comercio")).to_be_visible()
    [wish] = [one for one in shop.waiting() if one["kind"] == "ask"]
    assert wish["note"] == "question"
    shop.home.cli("review", "resolve", *of, wish["id"], "--done")
    [letter] = eventually(lambda: mail_server.letters("corrige@example.com"))
    assert "Ya declaramos el mes." in letter.get_body(("plain",)).get_content()


def test_what_this_device_remembers_comes_in_one_file(
    shop: Any, links: Iterator[str], page: Page, buyer: dict[str, str], tmp_path: Any
) -> None:
    first, second = next(links), next(links)
    for link in (first, second):
        ask(page, link, buyer)
        expect(page.locator("h1")).to_have_text("Tu factura está lista")
        page.click("summary:has-text('ZIP')")
        expect(page.locator("#paquete-boton")).to_have_text(
            "Descargar el archivo" if link == first else "Descargar mis 2 facturas de aquí"
        )
        page.check("#recordar")
    with page.expect_download() as download:
        page.click("#paquete-boton")
    target = tmp_path / "facturas.zip"
    download.value.save_as(target)
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        assert len([one for one in archive.namelist() if one.endswith(".pdf")]) == 2
        assert len([one for one in archive.namelist() if one.endswith(".xml")]) == 2
    page.click("#olvidar")
    expect(page.locator("#paquete-boton")).to_have_text("Descargar el archivo")
    assert "facturas:" not in page.evaluate("Object.keys(localStorage).join()")


def test_the_invariants_hold(shop: Any) -> None:
    shop.home.healthy()
