"""The app's page inside Shopify's admin, in Chromium, against a whole hub and a played Shopify.

The admin is a page of its own that frames ours; App Bridge is a stand-in that does the one thing
asked of it, to hand out the tokens that Shopify signs.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, BrowserContext, Frame, Page, Route, expect

from tests.axe import judged
from tests.fakes.shopify.oauth import FakeApp, query_hmac
from tests.fakes.shopify.orders import Item
from tests.fakes.shopify.server import FakeShopify, running

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SHOP, OTHER = "tienda.myshopify.com", "otra.myshopify.com"
ADMIN = "https://admin.shopify.com"
PHONE, DESKTOP = 360, 1280
CUP = Item("Taza de barro vidriado con asa, pintada a mano", Decimal("116.00"), 2, sku="TAZ-1")
#: What this one is asked for, and nothing else: https://shopify.dev/docs/api/app-bridge-library
BRIDGE = "window.shopify = {idToken: () => window.shopifySigns()};"
#: Pictures of the page are left here, if this names a folder.
PICTURES = os.environ.get("PICTURES", "")


@dataclass
class Admin:
    """The admin of a shop, whose staff opens the page of the app."""

    site: Any
    url: str
    shopify: FakeShopify
    merchant_id: str
    chromium: Browser
    contexts: list[BrowserContext] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    #: Who makes the tokens that the page gets; None: nobody.
    token: Callable[[], str | None] = lambda: None
    width: int = DESKTOP

    def path(self, shop: str = SHOP, locale: str = "es", app: FakeApp | None = None) -> str:
        """The address that Shopify loads in its frame, signed."""
        now = int(self.shopify.now().timestamp())
        query = {
            "embedded": "1",
            "host": "YWRtaW4uc2hvcGlmeS5jb20vc3RvcmUvdGllbmRh",
            "locale": locale,
            "session": "0" * 64,
            "shop": shop,
            "timestamp": f"{now}",
        }
        secret = (app or self.shopify.app).client_secret
        return f"/connect/shopify/app?{urlencode({**query, 'hmac': query_hmac(query, secret)})}"

    def open(
        self,
        *,
        width: int = DESKTOP,
        locale: str = "es-MX",
        path: str = "",
        around: str = ADMIN,
        dark: bool = False,
    ) -> Frame:
        """The frame of our page; it may be empty, where it may not be framed."""
        self.width = width
        context = self.chromium.new_context(
            viewport={"width": width, "height": 900},
            locale=locale,
            color_scheme="dark" if dark else "light",
        )
        self.contexts.append(context)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        context.expose_function("shopifySigns", self.token)
        page = context.new_page()
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self._outside(request.url, around))
        source = self.url + (path or self.path(locale=locale))
        page.route(f"{around}/**", lambda route: _framed(route, source, locale))
        page.route(
            "https://cdn.shopify.com/**",
            lambda route: route.fulfill(content_type="text/javascript", body=BRIDGE),
        )
        page.goto(f"{around}/store/tienda/apps/facturas")
        # By its element: a frame whose page is refused may have lost its name by now.
        found = page.wait_for_selector("iframe", state="attached").content_frame()
        assert found is not None
        return found

    def _outside(self, url: str, around: str) -> None:
        if not url.startswith((self.url, around, "https://cdn.shopify.com/")):
            self.complaints.append(url)

    def code(self) -> str:
        made = self.site.told("connection", "pair", "--merchant", self.merchant_id)
        return str(made["code"])

    def work(self) -> None:
        while self.site.work():
            pass

    def deliver(self) -> None:
        for one in self.shopify.courier.waiting:
            answer = self.site.client.post("/webhooks/shopify", data=one.body, headers=one.headers)
            assert answer.status_code == 200, answer.text
        self.shopify.courier.waiting.clear()
        self.work()

    def pair(self) -> None:
        """Without a browser."""
        answer = self.ask("pair", {"code": self.code()})
        assert answer.status_code == 200, answer.text
        self.work()

    def ask(self, what: str, body: Any = None, token: str | None = None) -> Any:
        own = self.shopify.tokens.id_token(self.shopify.app, SHOP) if token is None else token
        path, headers = f"/connect/shopify/app/{what}", {"authorization": f"Bearer {own}"}
        if body is None:
            return self.site.client.get(path, headers=headers)
        return self.site.client.post(path, json=body, headers=headers)

    def shown(self) -> dict[str, Any]:
        (one,) = self.site.told("connection", "list", "--merchant", self.merchant_id)["data"]
        of = ("--merchant", self.merchant_id)
        found: dict[str, Any] = self.site.told("connection", "show", *of, one["id"])
        return found


def _framed(route: Route, source: str, locale: str) -> None:
    """Shopify's admin as far as it matters here: a title, and our page in a frame below."""
    address = source.replace("&", "&amp;")
    route.fulfill(
        content_type="text/html",
        body=f"<!doctype html><html lang='{locale}'><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width'><title>Admin</title>"
        "<link rel='icon' href='data:,'>"
        "<style>body{margin:0}iframe{border:0;width:100%;height:100vh;display:block}</style>"
        f"<main><h1 style='position:absolute;left:-999em'>Admin</h1>"
        f"<iframe name='app' title='Facturas' src='{address}'></iframe></main></html>",
    )


@pytest.fixture
def admin(make_site: Any, serve: Any, chromium: Browser) -> Iterator[Admin]:
    with running() as shopify:
        shopify.shop(SHOP)
        shopify.courier.url = "the hub"
        site = make_site(ALLOW_PRIVATE_HOSTS="1")
        app = shopify.app
        site.told(
            "app", "add", "--platform", "shopify", "--client-id", app.client_id,
            "--client-secret", app.client_secret, "--key", f"api_root={shopify.url}",
        )  # fmt: skip
        made = Admin(site, serve(site.app), shopify, site.merchant(), chromium)
        made.token = lambda: shopify.tokens.id_token(app, SHOP)
        yield made
        cookies = [cookie for context in made.contexts for cookie in context.cookies()]
        for context in made.contexts:
            context.close()
        assert cookies == []


@pytest.fixture
def quiet(admin: Admin) -> Iterator[Admin]:
    """At the end the browser may not have complained of anything, nor gone anywhere else."""
    yield admin
    # Chromium itself reports a refusal, and a clipboard that is closed to a frame.
    known = ("status of 403", "Clipboard API has been blocked")
    assert [one for one in admin.complaints if not any(each in one for each in known)] == []


def fits(frame: Frame, width: int) -> None:
    assert frame.evaluate("document.documentElement.scrollWidth") <= width


def picture(frame: Frame, name: str) -> None:
    """The whole page of the frame, for somebody to look at."""
    if not PICTURES:
        return
    height = frame.evaluate("document.documentElement.scrollHeight")
    page: Page = frame.page
    size = page.viewport_size or {"width": DESKTOP, "height": 900}
    page.set_viewport_size({"width": size["width"], "height": max(height, 500)})
    page.screenshot(path=f"{PICTURES}/{name}.png")
    page.set_viewport_size(size)


@pytest.mark.parametrize(("locale", "width"), [("es-MX", PHONE), ("en-US", DESKTOP)])
def test_from_a_stranger_to_a_shop_that_sells_and_back(
    quiet: Admin, axe: str, locale: str, width: int
) -> None:
    spanish = locale.startswith("es")
    mark = f"{locale[:2]}-{width}"
    frame = quiet.open(width=width, locale=locale)
    expect(frame.locator("#connecting")).to_be_visible()
    expect(frame.locator("#loading")).to_be_hidden()
    assert frame.evaluate("document.documentElement.lang") == locale[:2]
    picture(frame, f"{mark}-1-unpaired")
    judged(frame, axe)
    fits(frame, width)

    frame.fill("#code", "AAAA-BBBB-CCCC")
    frame.click("#pair button")
    wrong = "Este código es incorrecto" if spanish else "This pairing code is wrong"
    expect(frame.locator("#code-error")).to_contain_text(wrong)
    expect(frame.locator("#code")).to_be_focused()
    expect(frame.locator("#code")).to_have_value("AAAA-BBBB-CCCC")
    expect(frame.locator("#code")).to_have_attribute("aria-invalid", "true")
    picture(frame, f"{mark}-2-wrong-code")
    judged(frame, axe)
    fits(frame, width)

    frame.fill("#code", f" {quiet.code().lower()} ")
    frame.click("#pair button")
    expect(frame.locator("#merchant")).to_have_text("ESCUELA KEMPER URGATE")
    expect(frame.locator("#merchant")).to_be_focused()
    expect(frame.locator("#badge")).to_have_text("Comprobando…" if spanish else "Checking…")
    quiet.work()
    expect(frame.locator("#badge")).to_have_text("Conectada" if spanish else "Connected")
    for number in range(3):
        quiet.shopify.sell(SHOP, [CUP], shipping=Decimal(99 + number))
    quiet.deliver()
    frame = quiet.open(width=width, locale=locale)
    expect(frame.locator("#badge")).to_have_text("Conectada" if spanish else "Connected")
    expect(frame.locator("#sales tbody tr")).to_have_count(3)
    expect(frame.locator("#sales tbody tr").first).to_contain_text("$333.00")
    expect(frame.locator("#gaps tbody tr")).to_have_text(re.compile("Taza de barro.*TAZ-1.*3"))
    assert frame.locator("#sales a").first.get_attribute("href").startswith("http")  # type: ignore[union-attr]
    expect(frame.locator("#problems")).to_be_hidden()
    picture(frame, f"{mark}-3-connected")
    judged(frame, axe)
    fits(frame, width)

    frame.click("#copy")
    expect(frame.locator("#copied")).to_have_text("Copiado" if spanish else "Copied")
    copied = frame.page.evaluate("navigator.clipboard.readText()")
    assert copied == frame.locator("#snippet").input_value()
    assert f"{quiet.site.settings.public_url}/s/shopify/{SHOP}/{{{{ id }}}}" in copied

    frame.click("summary")
    frame.click("#leave")
    expect(frame.locator("#leave-no")).to_be_focused()
    picture(frame, f"{mark}-4-leaving")
    judged(frame, axe)
    frame.click("#leave-no")
    expect(frame.locator("#connected")).to_be_visible()
    frame.click("#leave")
    frame.click("#leave-yes")
    expect(frame.locator("#connecting")).to_be_visible()
    expect(frame.locator("#code")).to_be_focused()
    assert quiet.shown()["state"] == "closed"


def test_the_badge_tells_of_trouble_in_the_dark_too(quiet: Admin, axe: str) -> None:
    quiet.pair()
    with quiet.site.hub.ctx.store.transaction() as tx:
        tx.tenant(quiet.merchant_id).connections.set_problem(quiet.shown()["id"], "no answer")
    frame = quiet.open(width=PHONE, dark=True)
    expect(frame.locator("#badge")).to_have_text("Necesita atención")
    expect(frame.locator("#problems li")).to_contain_text("La tienda no responde")
    expect(frame.locator("#no-sales")).to_be_visible()
    expect(frame.locator("#gaps")).to_be_hidden()
    judged(frame, axe)
    fits(frame, PHONE)
    picture(frame, "es-360-5-trouble")


def test_a_page_without_an_answer_says_so_and_can_be_asked_again(admin: Admin, axe: str) -> None:
    admin.token = lambda: "forged"
    frame = admin.open()
    expect(frame.locator("#trouble")).to_contain_text("La sesión de esta página terminó")
    expect(frame.locator("#connected")).to_be_hidden()
    expect(frame.locator("#connecting")).to_be_hidden()
    judged(frame, axe)
    picture(frame, "es-1280-6-no-session")
    frame.page.context.set_offline(True)
    frame.click("#again")
    expect(frame.locator("#trouble")).to_contain_text("No hubo respuesta")
    frame.page.context.set_offline(False)
    frame.click("#again")
    expect(frame.locator("#trouble")).to_contain_text("La sesión de esta página terminó")


def test_the_words_of_a_shop_are_never_markup(quiet: Admin) -> None:
    quiet.pair()
    quiet.shopify.sell(SHOP, [Item("<img src=x onerror=alert(1)>", Decimal("116.00"))])
    quiet.deliver()
    frame = quiet.open()
    expect(frame.locator("#gaps tbody td").first).to_have_text("<img src=x onerror=alert(1)>")
    assert frame.locator("img").count() == 0


@pytest.mark.parametrize("around", ["https://evil.example", f"https://{OTHER}"])
def test_a_strangers_frame_stays_empty(admin: Admin, around: str) -> None:
    frame = admin.open(around=around)
    until = time.monotonic() + 180
    while not any("frame-ancestors" in one or "refused" in one for one in admin.complaints):
        assert time.monotonic() < until, admin.complaints
        frame.page.wait_for_timeout(100)
    assert frame.locator("#home").count() == 0


def test_the_old_admin_of_the_shop_itself_may_frame_it(quiet: Admin) -> None:
    frame = quiet.open(around=f"https://{SHOP}")
    expect(frame.locator("#connecting")).to_be_visible()


def test_a_page_is_given_for_a_signed_address_alone(admin: Admin) -> None:
    good, get = admin.path(), admin.site.client.get
    policy = get(good).headers["Content-Security-Policy"]
    assert f"frame-ancestors https://{SHOP} {ADMIN}" in policy
    assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]
    stranger = FakeApp("client-1", "shpss_of-a-stranger-0123456789abcdef")
    bad = {
        "another shop": good.replace(SHOP, OTHER),
        "repeated": f"{good}&shop={OTHER}",
        "repeated first": good.replace("?", f"?shop={OTHER}&"),
        "more": f"{good}&x=1",
        "another app": admin.path(app=stranger),
        "no signature": good.partition("&hmac=")[0],
        "nothing": "/connect/shopify/app",
        "no shop": admin.path(shop="evil.example"),
        "a policy": admin.path(shop="a.myshopify.com https://evil.example"),
        "a header": admin.path(shop="a.myshopify.com\r\nX: y"),
    }
    for why, path in bad.items():
        answer = get(path)
        assert answer.status_code == 401, why
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"], why
        assert "evil" not in answer.text, why
        assert admin.shopify.app.client_id not in answer.text, why


def test_no_token_of_anybody_else_reads_or_does_anything(admin: Admin) -> None:
    admin.pair()
    admin.shopify.shop(OTHER)
    own, make = admin.shopify.app, admin.shopify.tokens.id_token
    stranger = FakeApp("client-9", "shpss_of-a-stranger-0123456789abcdef")
    now = int(admin.shopify.now().timestamp())
    tokens = {
        "empty": "",
        "forged": make(own, SHOP)[:-3] + "AAA",
        "unsigned": "eyJhbGciOiJub25lIn0.e30.",
        "expired": make(own, SHOP, exp=now - 60),
        "endless": make(own, SHOP, exp=None),
        "not yet": make(own, SHOP, nbf=now + 600),
        "another app's": make(stranger, SHOP),
        "another app's in our name": make(stranger, SHOP, aud=own.client_id),
        "for another app": make(own, SHOP, aud="client-9"),
        "an extension's": make(own, SHOP, iss=None, sid=None),
        "an extension's, bare": make(own, SHOP, iss=None, dest=SHOP),
        "two shops'": make(own, SHOP, iss=f"https://{OTHER}/admin"),
        "of no shop": make(own, "evil.example"),
        "of a shop behind a name": make(own, SHOP, dest=f"https://{SHOP}.evil.example"),
        "huge": "x" * 20_000,
        "not of letters": "ñ",
    }
    for why, token in tokens.items():
        for what, body in (("state", None), ("pair", {"code": "X"}), ("disconnect", {})):
            answer = admin.ask(what, body, token)
            assert answer.status_code == 401, (why, what, answer.text)
            told = answer.json["error"]
            assert told["code"] == "session_token_invalid", (why, what)
            assert token == "" or token not in answer.text
    assert admin.shown()["state"] == "connected"
    # The answer is the token's shop's, whatever else the request says.
    for headers in ({"x-shopify-shop-domain": SHOP}, {"referer": f"https://{SHOP}/"}):
        other = make(own, OTHER)
        answer = admin.site.client.get(
            f"/connect/shopify/app/state?shop={SHOP}",
            headers={"authorization": f"Bearer {other}", **headers},
        )
        assert answer.json == {"connected": False, "shop": OTHER}


def test_a_shop_of_one_merchant_is_not_paired_by_the_code_of_another(admin: Admin) -> None:
    admin.pair()
    second = admin.site.merchant("URE180429TM6", "UNIVERSIDAD ROBOTICA ESPAÑOLA")
    code = admin.site.told("connection", "pair", "--merchant", second)["code"]
    answer = admin.ask("pair", {"code": code})
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "shop_connected_elsewhere")
    assert "KEMPER" not in answer.text
    assert admin.site.told("connection", "list", "--merchant", second)["data"] == []
    for body in ({}, {"code": 7}, {"code": ""}, {"code": "x" * 101}, [], "x", None):
        own = admin.shopify.tokens.id_token(admin.shopify.app, SHOP)
        answer = admin.site.client.post(
            "/connect/shopify/app/pair",
            data=b"{" if body is None else json.dumps(body),
            headers={"authorization": f"Bearer {own}"},
        )
        assert (answer.status_code, answer.json["error"]["code"]) == (400, "malformed")


def test_the_owner_of_another_app_sees_and_ends_nothing(admin: Admin) -> None:
    """Whoever has an app knows its secret, and signs what he likes in its name."""
    admin.pair()
    admin.shopify.sell(SHOP, [CUP])
    admin.deliver()
    second = FakeApp("client-2", "shpss_of-a-second-app-0123456789abcdef")
    admin.shopify.tokens.install(second, OTHER)
    admin.site.told(
        "app", "add", "--platform", "shopify", "--client-id", second.client_id,
        "--client-secret", second.client_secret, "--key", f"api_root={admin.shopify.url}",
    )  # fmt: skip
    token = admin.shopify.tokens.id_token(second, SHOP)
    assert admin.ask("state", token=token).json == {"connected": False, "shop": SHOP}
    assert admin.ask("disconnect", {}, token).status_code == 404
    assert admin.shown()["state"] == "connected"
