"""A merchant's page in a browser: framed by its own site, at a host of its own, in its looks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from tests.waitresses import on_waitress

pytestmark = pytest.mark.browser

#: Browsers take every name below localhost for this machine (RFC 6761 §6.3).
OWN_HOST = "facturas.mitienda.localhost"
RULES = """
[forma_pago]
default = "04"
[producto.default]
clave_prod_serv = "01010101"
clave_unidad = "H87"
[pagina]
nombre = "Mi Tienda"
color = "#ffcc00"
mensaje = "Gracias por tu compra."
marcos = ["{shop}"]
"""
#: As in a browser that keeps nothing for frames of other sites.
NO_STORAGE = """for (const name of ['localStorage', 'sessionStorage', 'indexedDB'])
  Object.defineProperty(window, name, {get() { throw new DOMException('denied', 'SecurityError') }})
"""


@dataclass
class Standing:
    """A hub on a socket, and a shop's own site on another one."""

    site: Any
    merchant_id: str
    shop: str  # origin of the shop's site
    frames: dict[str, str]  # what its pages hold, by path

    def link(self) -> str:
        return str(self.site.sell(self.merchant_id, f"PED-{len(self.frames)}")["link"])

    def framed(self, link: str, more: str = "") -> str:
        path = f"/{len(self.frames)}"
        self.frames[path] = (
            f'<!doctype html><title>Tienda</title><iframe id="f" src="{link}" {more} '
            'style="width:100%;height:900px;border:0"></iframe>'
        )
        return self.shop + path


@pytest.fixture
def standing(make_site: Callable[..., Any], sandbox: Any, tmp_path: Any) -> Iterator[Standing]:
    holder: dict[str, Any] = {}

    def app(environ: Any, start: Any) -> Any:
        return holder["app"](environ, start)

    frames: dict[str, str] = {}

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = frames.get(self.path, "").encode()
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    shop = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    shop.daemon_threads = True
    serving = threading.Thread(target=shop.serve_forever, daemon=True)
    serving.start()
    stack = ExitStack()
    site = make_site(PUBLIC_URL=stack.enter_context(on_waitress(app)))
    holder["app"] = site.app
    merchant_id = site.merchant()
    # Another name of this machine is another site to a browser.
    origin = f"http://localhost:{shop.server_port}"
    rules = site.file("brand.toml", RULES.replace("{shop}", origin))
    site.told("rules", "set", "--merchant", merchant_id, "--file", rules)
    site.stamps_with(sandbox, merchant_id, "EKU9003173C9", "ESCUELA KEMPER URGATE")
    with stack:
        yield Standing(site, merchant_id, origin, frames)
    shop.shutdown()
    shop.server_close()
    serving.join()


def fill_and_issue(page: Page | FrameLocator, buyer: dict[str, str]) -> None:
    for name in ("rfc", "nombre", "cp"):
        page.locator(f"#{name}").fill(buyer[name])
    page.locator("#regimen").select_option(buyer["regimen"])
    page.locator("#uso").select_option(buyer["uso"])
    page.locator("#factura .primary").click()
    expect(page.locator("h1")).to_have_text("Revisa tu factura")
    page.get_by_role("button", name="Generar mi factura").click()
    expect(page.locator("h1")).to_have_text("Estamos generando tu factura")


def stamped(standing: Standing, page: Page | FrameLocator) -> None:
    for _ in range(3):
        standing.site.work()
    expect(page.locator("h1")).to_have_text("Tu factura está lista")


@pytest.mark.parametrize("storage", [True, False], ids=["storage", "no-storage"])
@pytest.mark.parametrize("sandboxed", [False, True], ids=["frame", "sandboxed-frame"])
def test_an_invoice_is_had_in_a_frame_of_the_shops_site(
    chromium: Browser,
    standing: Standing,
    buyer: dict[str, str],
    *,
    storage: bool,
    sandboxed: bool,
) -> None:
    more = 'sandbox="allow-forms allow-scripts allow-same-origin allow-downloads"'
    address = standing.framed(standing.link(), more if sandboxed else "")
    context = chromium.new_context(locale="es-MX")
    if not storage:
        context.add_init_script(NO_STORAGE)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    frame = page.frame_locator("#f")
    fill_and_issue(frame, buyer)
    stamped(standing, frame)
    with page.expect_download() as download:
        frame.get_by_text("Descargar PDF").first.click()
    assert download.value.suggested_filename.endswith(".pdf")
    assert context.cookies() == []
    assert errors == []
    context.close()


def test_no_other_site_may_frame_it(chromium: Browser, standing: Standing) -> None:
    context = chromium.new_context(locale="es-MX")
    page = context.new_page()
    address = standing.framed(standing.link()).replace("localhost", "127.0.0.1")
    page.goto(address)  # the same pages under a name that was not given
    frame = page.query_selector("#f").content_frame()  # type: ignore[union-attr]
    assert frame is not None
    assert "chrome-error" in frame.url or frame.query_selector("h1") is None
    context.close()


def test_an_invoice_is_had_at_the_merchants_own_host(
    chromium: Browser, standing: Standing, buyer: dict[str, str]
) -> None:
    of = ("--merchant", standing.merchant_id)
    standing.site.told("brand", "address", "add", *of, "--host", OWN_HOST)
    link = standing.link()
    assert f"//{OWN_HOST}:" in link
    context = chromium.new_context(locale="es-MX")
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(link)
    fill_and_issue(page, buyer)
    stamped(standing, page)
    assert {url.split("/")[2].partition(":")[0] for url in asked} == {OWN_HOST}
    page.goto(link.partition("/f/")[0])
    expect(page.locator("h1")).to_have_text("Factura tu compra")
    expect(page.locator(".brand-name")).to_contain_text("Mi Tienda")
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_merchants_colour_is_drawn_and_can_be_read(
    chromium: Browser, standing: Standing, theme: Any
) -> None:
    context = chromium.new_context(locale="es-MX", color_scheme=theme)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(standing.link())
    drawn = page.evaluate(
        "() => { const s = getComputedStyle(document.querySelector('#factura .primary'));"
        " return [s.backgroundColor, s.color] }"
    )
    assert drawn[0] == {"light": "rgb(130, 103, 0)", "dark": "rgb(255, 204, 0)"}[theme]
    assert complaints == []
    context.close()
