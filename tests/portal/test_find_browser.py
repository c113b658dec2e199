"""The page for code and total in Chromium: by hand, by camera, without a script, for axe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from hub.domain.purchase import Estado
from tests.axe import judged

pytestmark = pytest.mark.browser

PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
#: Chromium has a detector on phones and Macs alone, and this machine has no camera: both are
#: stood in for; what the page does with what they see is the page's own.
CAMERA = """
window.seen = [];
window.BarcodeDetector = class {
  static getSupportedFormats() { return Promise.resolve(["qr_code"]); }
  detect() { return Promise.resolve(window.seen.map((rawValue) => ({ rawValue }))); }
};
navigator.mediaDevices.getUserMedia = () => {
  if (window.refused) { return Promise.reject(new DOMException("no", "NotAllowedError")); }
  const canvas = document.createElement("canvas");
  canvas.getContext("2d").fillRect(0, 0, 10, 10);
  window.stream = canvas.captureStream(5);
  return Promise.resolve(window.stream);
};
"""


@pytest.fixture
def pages(chromium: Browser) -> Iterator[Callable[..., Page]]:
    made = []

    def make(**more: Any) -> Page:
        context = chromium.new_context(**{"viewport": PHONE, "locale": "es-MX"} | more)
        made.append(context)
        return context.new_page()

    yield make
    for context in made:
        context.close()


@pytest.fixture
def scanner(pages: Callable[..., Page], served: str) -> Page:
    """The page, its camera open."""
    page = pages()
    page.add_init_script(CAMERA)
    page.goto(f"{served}/facturar/m1")
    page.click("text=Escanear el QR con la cámara")
    expect(page.locator("#camara-vista")).to_be_visible()
    return page


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_two_data_and_the_purchase_is_there(
    pages: Callable[..., Page], served: str, kit: Any, script: bool
) -> None:
    page = pages(java_script_enabled=script, is_mobile=True)
    page.goto(f"{served}/facturar/m1?codigo=7KQ4M2XD")
    expect(page.locator("#codigo")).to_have_value("7KQ4-M2XD")
    expect(page.locator("#camara")).to_be_hidden()
    page.fill("#total", "1,062.01")
    page.click("text=Buscar mi compra")
    expect(page.get_by_role("alert")).to_contain_text("No encontramos esa compra")
    expect(page.locator("#total")).to_have_value("1,062.01")
    page.fill("#total", "$ 1,062")
    page.press("#total", "Enter")
    expect(page).to_have_url(served + kit.path)
    expect(page.locator("h1")).to_have_text("Factura tu compra")


def test_the_camera_reads_a_code(scanner: Page) -> None:
    scanner.evaluate("window.seen = ['7kq4-m2xd']")
    expect(scanner.locator("#codigo")).to_have_value("7KQ4-M2XD")
    expect(scanner.locator("#camara-nota")).to_have_text(
        "Leímos el código. Ahora escribe el total."
    )
    expect(scanner.locator("#total")).to_be_focused()
    expect(scanner.locator("#camara-vista")).to_be_hidden()
    assert scanner.evaluate("window.stream.getTracks().every(one => one.readyState === 'ended')")


def test_the_camera_reads_a_ticket_and_a_link(scanner: Page, served: str, kit: Any) -> None:
    scanner.evaluate(f"window.seen = ['{served}/facturar/m1?codigo=7KQ4M2XD']")
    expect(scanner.locator("#codigo")).to_have_value("7KQ4M2XD")
    scanner.evaluate(f"window.seen = ['{served}{kit.path}']")
    scanner.click("text=Escanear el QR con la cámara")
    expect(scanner).to_have_url(served + kit.path)


@pytest.mark.parametrize(
    "seen",
    [
        "https://evil.example/f/kA3-_9ZbQm7Yw2Xc5Vd8Re1Tf4Gg6Hh0Jj2Kk5Ll8Mn",
        "https://evil.example/facturar?codigo=7KQ4M2XD",
        "javascript:document.title='x'",
        "data:text/html,<script>alert(1)</script>",
        "//evil.example/f/x",
        "SERVED@evil.example/f/x",
        "SERVED/webhooks/x",
        "SERVED/f/../panel",
        "SERVED/facturar?codigo=<img src=x>",
        "tel:900",
        "https://verificacfdi.facturaelectronica.sat.gob.mx/default.aspx?id=1",
        "x" * 5000,
    ],
)
def test_the_camera_follows_nothing_else(scanner: Page, served: str, seen: str) -> None:
    asked: list[str] = []
    scanner.on("request", lambda request: asked.append(request.url))
    scanner.evaluate("text => { window.seen = [text]; }", seen.replace("SERVED", served))
    expect(scanner.locator("#camara-nota")).to_contain_text("no es de aquí")
    expect(scanner.locator("#codigo")).to_have_value("")
    assert scanner.url == f"{served}/facturar/m1"
    assert asked == []
    scanner.click("text=Cerrar la cámara")
    expect(scanner.locator("#camara-vista")).to_be_hidden()


def test_a_camera_that_is_refused(pages: Callable[..., Page], served: str) -> None:
    page = pages()
    page.add_init_script(CAMERA + "window.refused = true;")
    page.goto(f"{served}/facturar")
    page.click("text=Escanear el QR con la cámara")
    expect(page.locator("#camara-nota")).to_contain_text("No pudimos abrir la cámara")
    expect(page.locator("#codigo")).to_be_editable()


@pytest.mark.parametrize(
    ("size", "scheme", "lang"), [(PHONE, "light", "es"), (DESK, "dark", "en")], ids=["360", "1280"]
)
def test_everybody_can_use_what_is_unfolded(
    pages: Callable[..., Page], served: str, kit: Any, axe: str,
    size: dict[str, int], scheme: str, lang: str,
) -> None:  # fmt: skip
    """Folded, the pages are judged with all others in test_states_browser.py."""
    page = pages(viewport=size, color_scheme=scheme, bypass_csp=True)
    page.add_init_script(CAMERA)
    page.goto(f"{served}/facturar/m1?lang={lang}&codigo=7KQ4M2XD")
    page.click(".more summary")
    page.click("#camara-abrir")
    expect(page.locator("#camara-vista")).to_be_visible()
    judged(page, axe)
    kit.service.current = replace(kit.purchase(Estado.LISTA), proven=False, uuid=None)
    page.goto(f"{served}{kit.path}?lang={lang}")
    for summary in page.locator(".rows summary").all():
        summary.click()
    judged(page, axe)
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


def test_a_merchants_site_may_hold_the_search_in_a_frame(kit: Any) -> None:
    seller = kit.service.seller("m1")
    framed = replace(seller, pagina=replace(seller.pagina, marcos=("https://shop.example",)))
    kit.service.seller = lambda _name: framed
    policy = kit.client.get("/facturar/m1").headers["Content-Security-Policy"]
    assert policy.endswith("frame-ancestors https://shop.example")
    everybody = kit.client.get("/facturar").headers["Content-Security-Policy"]
    assert everybody.endswith("frame-ancestors 'none'")
