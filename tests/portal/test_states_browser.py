"""Every page of `portal.design.examples` in Chromium, for everybody: WCAG 2.2 AA and a little more.

A new page is judged as soon as it stands in that table. Each is opened once for all that is asked
of every page, because opening one takes longer than looking at it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any, Literal

import flask
import lxml.html
import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Route, expect
from pypdf import PdfReader

from hub.clock import SystemClock
from portal.buyer.routes import blueprint
from portal.buyer.settings import PageSettings
from portal.design import gallery
from portal.design.examples import EXAMPLES
from tests.axe import OF_LOOKS, complaints, judged
from tests.portal.conftest import TEST_DATA, UUID, MemoryService
from tests.waitresses import on_waitress

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PHONE, DESKTOP, REFLOW = 360, 1280, 320
#: Seconds; nothing here measures how long an answer takes.
PATIENCE = 120
#: Everything a key or a finger reaches; not what the Enter key alone presses.
CONTROLS = ", ".join(
    f"{each}:not([tabindex='-1'])"
    for each in ("a[href]", "button", "input:not([type=hidden])", "select", "textarea", "summary")
)


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The gallery beside a buyer's page, on a socket of this machine."""
    settings = PageSettings(
        public_url="http://127.0.0.1",
        secret_key="a secret of these tests only",
        test_data=TEST_DATA,
        clock=SystemClock(),
    )
    app = flask.Flask("gallery-under-test")
    app.register_blueprint(blueprint(MemoryService(), settings))
    app.register_blueprint(gallery.blueprint(settings))
    with on_waitress(app) as address:
        yield address


@dataclass
class Visitor:
    """Opens pages, and writes down what they complain of."""

    browser: Browser
    site: str
    #: One for each kind of visitor, for all tests: making one takes longer than a page.
    contexts: dict[str, BrowserContext]
    pages: list[Page] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def page(self, name: str, *, width: int = PHONE, lang: str = "es", **more: Any) -> Page:
        kind = repr(more)
        if kind not in self.contexts:
            self.contexts[kind] = self.browser.new_context(**more)
        page = self.contexts[kind].new_page()
        self.pages.append(page)
        page.set_viewport_size({"width": width, "height": 800})
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.route("**/estado*", _unchanged)
        answer = page.goto(f"{self.site}/design/{name}?lang={lang}".replace("/?", "?"))
        assert answer
        assert answer.ok, answer.status
        return page


def _unchanged(route: Route) -> None:
    """What a made purchase answers to its waiting page: the estado it is in."""
    waiting = "procesando" if "/procesando" in (route.request.frame.url) else "por_confirmar"
    route.fulfill(json={"estado": waiting})


@pytest.fixture(scope="module")
def contexts(chromium: Browser) -> Iterator[dict[str, BrowserContext]]:
    made: dict[str, BrowserContext] = {}
    yield made
    for context in made.values():
        context.close()


@pytest.fixture
def visitor(chromium: Browser, site: str, contexts: dict[str, BrowserContext]) -> Iterator[Visitor]:
    made = Visitor(chromium, site, contexts)
    yield made
    for page in made.pages:
        page.close()
    assert made.complaints == []


def width_of(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth"))


@pytest.fixture(scope="module")
def window(
    chromium: Browser, contexts: dict[str, BrowserContext], request: pytest.FixtureRequest
) -> Page:
    """One for all pages. What is not of axe-core is tested without it as well."""
    contexts["every page"] = context = chromium.new_context()
    with contextlib.suppress(pytest.skip.Exception):
        context.add_init_script(request.getfixturevalue("axe"))
    page = context.new_page()
    page.route("**/estado*", _unchanged)
    return page


@pytest.fixture(scope="module", params=EXAMPLES)
def shown(window: Page, site: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Each page in turn. Whoever changes the window's looks sets those that it needs."""
    complained: list[str] = []

    def told(message: ConsoleMessage) -> None:
        complained.append(message.text)

    def failed(error: Any) -> None:
        complained.append(str(error))

    window.on("console", told)
    window.on("pageerror", failed)
    _look(window, PHONE, "light")
    answer = window.goto(f"{site}/design/{request.param}?lang=es")
    assert answer
    assert answer.ok, answer.status
    yield window
    window.remove_listener("console", told)
    window.remove_listener("pageerror", failed)
    assert complained == []


def _look(page: Page, width: int, theme: Literal["light", "dark"]) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=theme)


def _is_for_everybody(page: Page, axe: str) -> None:
    _look(page, PHONE, "light")
    expect(page.locator("h1")).to_have_count(1)
    judged(page, axe)
    _look(page, PHONE, "dark")
    assert complaints(page, *OF_LOOKS) == []
    _look(page, DESKTOP, "dark")
    assert complaints(page, *OF_LOOKS) == []
    _look(page, DESKTOP, "light")
    assert complaints(page, *OF_LOOKS) == []


def _fits(page: Page) -> None:
    """At the width of 400 % zoom, with text twice as large, and written from the right."""
    _look(page, REFLOW, "light")
    assert width_of(page) <= REFLOW
    page.evaluate("document.documentElement.dir = 'rtl'")
    assert width_of(page) <= REFLOW
    page.evaluate("document.documentElement.dir = 'ltr'")
    for width in (PHONE, DESKTOP):
        _look(page, width, "light")
        assert width_of(page) <= width
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert width_of(page) <= width, "text of 200 %"
        page.evaluate("document.documentElement.style.fontSize = ''")


def test_everybody_can_use_it(shown: Page, axe: str) -> None:
    _is_for_everybody(shown, axe)


def test_nothing_is_cut_off(shown: Page) -> None:
    _fits(shown)


def test_the_gallery_is_a_page_like_the_others(visitor: Visitor, axe: str) -> None:
    page = visitor.page("")
    _is_for_everybody(page, axe)
    _fits(page)


def test_the_keyboard_reaches_every_control_in_order_and_shows_where_it_is(shown: Page) -> None:
    _look(shown, DESKTOP, "light")
    if shown.locator(".error-summary").count():
        # It takes the focus by itself, a moment late.
        shown.wait_for_function("document.activeElement !== document.body")
    shown.evaluate("document.activeElement.blur()")
    expected = shown.evaluate(
        """controls => [...document.querySelectorAll(controls)].filter(one =>
             one.checkVisibility({visibilityProperty: true}) && one.getClientRects().length
           ).map(one => one.outerHTML.slice(0, 120))""",
        CONTROLS,
    )
    met: list[str] = []
    while len(met) < len(expected):
        shown.keyboard.press("Tab")
        at = shown.evaluate(
            """() => {
              const one = document.activeElement, style = getComputedStyle(one);
              if (one === document.body) { return null; }
              const box = one.getBoundingClientRect();
              const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2
                && box.bottom > 0 && box.top < innerHeight;
              return {html: one.outerHTML.slice(0, 120), seen: seen};
            }"""
        )
        if at is None:
            continue  # past the last one, before the first one
        assert at["seen"], at["html"]
        met.append(at["html"])
    assert sorted(met) == sorted(expected)
    # The order of the page, wherever the walk began.
    start = met.index(expected[0])
    assert met[start:] + met[:start] == expected


@pytest.mark.parametrize("name", EXAMPLES)
def test_in_english_it_is_the_same_page(site: str, name: str) -> None:
    """But for its words: so what is found of one is found of both."""
    pages = {
        language: lxml.html.fromstring(
            requests.get(f"{site}/design/{name}?lang={lang}", timeout=PATIENCE).content
        )
        for lang, language in (("es", "es-MX"), ("en", "en"))
    }
    made = []
    for language, page in pages.items():
        assert page.get("lang") == language
        for each in page.iter():
            for attribute in ("aria-label", "alt", "placeholder", "title"):
                assert each.get(attribute, "words") or attribute == "alt", attribute
        made.append([(each.tag, sorted(each.attrib)) for each in page.iter()])
    assert made[0] == made[1]


@pytest.mark.parametrize(
    "name", {name.partition("-")[0]: name for name in reversed(EXAMPLES)}.values()
)
def test_everybody_can_use_it_in_english(visitor: Visitor, axe: str, name: str) -> None:
    judged(visitor.page(name, lang="en"), axe)


@pytest.mark.parametrize("name", ["abierta", "lista", "vencida", "tienda", "lista-con-notas"])
def test_what_is_pressed_is_large(visitor: Visitor, name: str) -> None:
    """But for links within a sentence, which WCAG excepts (2.5.8)."""
    page = visitor.page(name)
    for one in page.locator(CONTROLS).all():
        if one.is_visible() and not one.evaluate("one => one.matches('.skip, p a:not(.button)')"):
            # A box or a dot is pressed by its words as well.
            pressed = "one => (one.closest('.choice') || one).getBoundingClientRect().height"
            assert one.evaluate(pressed) >= 44, one.evaluate("one => one.outerHTML")


def test_who_hears_the_page_hears_what_it_is(visitor: Visitor) -> None:
    heard = visitor.page("lista").locator("body").aria_snapshot()
    for line in (
        'link "Ir al contenido"',
        'link "English"',
        'heading "Tu factura está lista" [level=1]',
        'link "Descargar PDF"',
        'link "Descargar XML"',
        'button "Copiar el folio fiscal"',
        'textbox "Enviarla a otro correo"',
        'button "Enviar"',
        "Verificar la factura en el SAT (se abre en otra pestaña)",
        'button "Copiar el enlace"',
        'heading "Tu compra" [level=2]',
    ):
        assert line in heard, heard


def test_who_wants_no_motion_gets_none(visitor: Visitor) -> None:
    page = visitor.page("procesando", reduced_motion="reduce")
    moving = "getComputedStyle(document.querySelector('.spinner')).animationDuration"
    assert float(page.evaluate(moving).removesuffix("s")) < 0.001
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(moving) == "1s"


def test_colours_of_the_system_leave_edges(visitor: Visitor) -> None:
    page = visitor.page("lista", forced_colors="active")
    for one in page.locator(".button, .card, .receipt, .copy").all():
        assert one.evaluate("one => getComputedStyle(one).borderTopStyle") == "solid"


def test_the_folio_and_the_address_are_copied(visitor: Visitor) -> None:
    page = visitor.page("lista", permissions=["clipboard-read", "clipboard-write"])
    # "Copiado" stays for a moment, which a busy machine may not see: time stands still.
    page.clock.install()
    page.clock.pause_at(datetime.now(UTC) + timedelta(hours=1))
    page.click("text=Copiar el folio fiscal")
    expect(page.locator(".copy [role=status]")).to_have_text("Copiado")
    assert page.evaluate("navigator.clipboard.readText()") == UUID
    page.click("text=Copiar el enlace")
    assert page.evaluate("navigator.clipboard.readText()") == f"{visitor.site}/design/lista"
    page.clock.run_for(3000)
    expect(page.locator(".copy button")).to_have_text("Copiar el folio fiscal")


def test_without_a_script_nothing_promises_to_copy_and_the_detail_opens(visitor: Visitor) -> None:
    page = visitor.page("lista", java_script_enabled=False)
    expect(page.get_by_text("Copiar", exact=False)).to_have_count(2)
    for one in page.get_by_text("Copiar", exact=False).all():
        expect(one).to_be_hidden()
    expect(page.locator(".lines").first).to_be_hidden()
    page.click("text=Ver el detalle")
    expect(page.locator(".lines").first).to_be_visible()


def test_on_a_wide_screen_the_detail_stands_open(visitor: Visitor) -> None:
    page = visitor.page("abierta", width=DESKTOP)
    expect(page.locator(".lines").first).to_be_visible()
    expect(page.get_by_text("Ver el detalle")).to_be_hidden()
    assert "IVA 16%" in page.locator("aside").aria_snapshot()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_success_page_prints_on_less_than_one_sheet(visitor: Visitor, theme: Any) -> None:
    page = visitor.page("lista", width=DESKTOP, color_scheme=theme)
    printed = PdfReader(BytesIO(page.pdf(format="Letter"))).pages
    assert len(printed) == 1
    text = printed[0].extract_text()
    assert UUID in text.replace("\n", "")
    assert "Playera de algodón" in text
    assert "Descargar" not in text
    page.emulate_media(media="print", color_scheme=theme)
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert colour == "rgb(255, 255, 255)"


def test_fifty_lines_are_all_printed(visitor: Visitor) -> None:
    page = visitor.page("lista-larga", width=DESKTOP)
    text = "".join(each.extract_text() for each in PdfReader(BytesIO(page.pdf())).pages)
    assert all(f"Refacción {n}," in text for n in range(1, 51))


def test_a_page_that_waits_for_a_shop_goes_on_by_itself(visitor: Visitor) -> None:
    """It asks again without loading, and leaves once the answer is another page."""
    page = visitor.page("lista")  # only to have a page on this origin
    answers = ["espera", "espera", "lista"]
    asked: list[str] = []

    def shop(route: Route) -> None:
        asked.append(route.request.resource_type)
        body = "<h1>Tu compra</h1>"
        if answers.pop(0) == "espera":
            body = (
                '<h1>Espera</h1><div data-again="/s/x?n=2" data-seconds="0.2"></div>'
                f'<script src="{script}"></script>'
            )
        route.fulfill(body=body, content_type="text/html")

    source = page.context.new_page()
    source.goto(f"{visitor.site}/design/tienda-esperando")
    script = source.get_attribute("script[src*='wait']", "src")
    page.route("**/s/x*", shop)
    answers.append("lista")  # the page itself, once it is there
    page.goto(f"{visitor.site}/s/x?n=1")
    expect(page.locator("h1")).to_have_text("Tu compra")
    assert asked == ["document", "fetch", "fetch", "document"]
