"""A store hands its keys over by its own page of consent: over TLS, with a browser and a store."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from werkzeug.serving import make_server

from connectors import net
from hub.steps import health
from hub.web import handoff

FORM = "/connect/woocommerce"


@dataclass
class Front:
    """A site behind TLS on loopback."""

    site: Any
    url: str
    ca: str

    def browser(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.verify = self.ca
        return session

    def begin(self, browser: requests.Session, code: str, url: str, **headers: str) -> Any:
        page = browser.get(self.url + FORM, timeout=60)
        found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        assert found is not None
        data = {"csrf_token": found[1], "code": code, "store_url": url}
        return browser.post(
            self.url + FORM, data=data, headers=headers, timeout=60, allow_redirects=False
        )

    def code(self, merchant_id: str) -> str:
        return str(self.site.told("connection", "pair", "--merchant", merchant_id)["code"])

    def connections(self, merchant_id: str) -> list[Any]:
        return list(self.site.told("connection", "list", "--merchant", merchant_id)["data"])


@pytest.fixture
def front(make_site: Callable[..., Any], tls: Any) -> Iterator[Front]:
    made: dict[str, Any] = {}

    def app(*given: Any) -> Any:  # its address is known before the site is made
        return made["site"].app(*given)

    server = make_server("127.0.0.1", 0, app, threaded=True, ssl_context=tls.context)
    url = f"https://127.0.0.1:{server.server_port}"
    made["site"] = make_site(PUBLIC_URL=url, ALLOW_PRIVATE_HOSTS="1")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield Front(made["site"], url, str(tls.ca_file))
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Asked:
    """Where the store was asked for keys, as WooCommerce's own page of consent reads it."""

    store: Any
    location: str
    ca: str

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.location).query).items()}

    def approve(self, keys: tuple[str, str] | None = None, **changed: Any) -> int:
        """includes/class-wc-auth.php: make a key, post it; anything but 200 deletes it again."""
        key, secret = keys or self.store.key()
        body = {"key_id": 7, "user_id": self.query["user_id"], "consumer_key": key,
                "consumer_secret": secret, "key_permissions": "read_write"} | changed  # fmt: skip
        headers = {"Content-Type": "application/json;charset=UTF-8"}
        answer = requests.post(
            self.query["callback_url"], json=body, headers=headers, verify=self.ca, timeout=60
        )
        if answer.status_code != 200 and keys is None:
            del self.store.keys[key]
        return answer.status_code

    def come_back(
        self, browser: requests.Session, success: int = 1, site: str = ""
    ) -> requests.Response:
        """`site`: what a browser that navigates says of where it was sent from."""
        params = {"success": str(success), "user_id": self.query["user_id"]}
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"} if site else {}
        return browser.get(self.query["return_url"], params=params, headers=headers, timeout=60)


@pytest.fixture
def merchant_id(front: Front) -> str:
    return str(front.site.merchant())


@pytest.fixture
def begun(front: Front, store: Any, merchant_id: str) -> tuple[requests.Session, Asked]:
    browser = front.browser()
    answer = front.begin(browser, front.code(merchant_id), store.url)
    assert answer.status_code == 303, answer.text
    return browser, Asked(store, answer.headers["Location"], front.ca)


def work(site: Any) -> None:
    for _ in range(20):
        if not site.work():
            return


def test_the_whole_way(front: Front, store: Any, merchant_id: str, begun: Any) -> None:
    browser, asked = begun
    assert asked.location.startswith(f"{store.url}/wc-auth/v1/authorize?")
    assert set(asked.query) == {"app_name", "scope", "user_id", "return_url", "callback_url"}
    assert asked.query["scope"] == "read_write"
    assert asked.query["callback_url"] == f"{front.url}{FORM}/callback"
    (cookie,) = browser.cookies
    assert cookie.name.startswith("__Host-")
    assert cookie.secure
    assert {name.lower(): v for name, v in cookie._rest.items()}["samesite"] == "Lax"
    assert asked.approve() == 200
    assert front.connections(merchant_id) == [], "not before the browser is back"
    page = asked.come_back(browser)
    assert (page.status_code, "Tu tienda está conectada" in page.text) == (200, True)
    assert "Set-Cookie" not in page.headers
    (row,) = front.connections(merchant_id)
    work(front.site)
    shown = front.site.told("connection", "show", "--merchant", merchant_id, row["id"])
    assert (shown["state"], shown["keys"], len(shown["webhooks"])) == ("connected", "ok", 4)
    assert asked.come_back(browser).status_code == 200  # a reload
    assert len(front.connections(merchant_id)) == 1


def test_the_browser_may_be_back_before_the_keys(
    front: Front, merchant_id: str, begun: Any
) -> None:
    browser, asked = begun
    page = asked.come_back(browser)
    assert "Esperamos las claves" in page.text
    assert 'http-equiv="refresh"' in page.text
    assert front.connections(merchant_id) == []
    assert asked.approve() == 200
    assert len(front.connections(merchant_id)) == 1
    assert "Tu tienda está conectada" in asked.come_back(browser).text


def test_another_browser_finishes_nothing(front: Front, merchant_id: str, begun: Any) -> None:
    """Whoever is talked into agreeing at his own store gives his keys to nobody."""
    _, asked = begun
    assert asked.approve() == 200
    page = asked.come_back(front.browser())
    assert (page.status_code, "No se conectó" in page.text) == (404, True)
    stolen = front.browser()
    for name in {cookie.name for cookie in begun[0].cookies}:
        stolen.cookies.set(name, "x" * 43)
    assert asked.come_back(stolen).status_code == 404
    assert front.connections(merchant_id) == []


@pytest.mark.parametrize("lurking", ["before", "between", "not"])
def test_who_was_talked_into_agreeing_ends_what_another_began(
    front: Front, store: Any, merchant_id: str, begun: Any, lurking: str
) -> None:
    """He who began knows the nonce and has the cookie; but he is not who the store sends back."""
    beginner, asked = begun
    if lurking == "before":
        asked.come_back(beginner)
    assert asked.approve() == 200
    if lurking == "between":
        asked.come_back(beginner)
    page = asked.come_back(front.browser(), site="cross-site")
    assert (page.status_code, "borra en tu tienda la clave" in page.text) == (404, True)
    assert "No se conectó" in asked.come_back(beginner).text
    while front.site.work():
        pass
    shops = front.connections(merchant_id)
    assert len(shops) == (0 if lurking == "not" else 1)
    with front.site.hub.ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        for shop in shops:
            assert tenant.connections.credentials(shop["id"]).current() == {}
            assert tenant.bonds.get(shop["id"]).state == "closed"
        sealed = list(tx.session.engine.db.execute_sql("SELECT keys_sealed FROM hand_off"))
    assert sealed == [(None,)]
    assert store.webhooks == {}


@pytest.mark.parametrize(("success", "site"), [(1, ""), (1, "none"), (0, "cross-site")])
def test_an_address_read_again_ends_nothing(
    front: Front, merchant_id: str, begun: Any, success: int, site: str
) -> None:
    """By a program that looks at addresses, or typed; and nobody agreed where nobody agreed."""
    browser, asked = begun
    assert asked.approve() == 200
    assert asked.come_back(front.browser(), success, site).status_code == 404
    assert "Tu tienda está conectada" in asked.come_back(browser).text
    assert asked.come_back(front.browser(), success, site).status_code == 404
    (shop,) = front.connections(merchant_id)
    assert front.site.told("connection", "show", "--merchant", merchant_id, shop["id"])[
        "state"
    ] in {"checking", "connected"}


def test_keys_of_another_store_are_refused(
    front: Front, make_store: Any, merchant_id: str, begun: Any
) -> None:
    browser, asked = begun
    other = make_store()
    assert asked.approve(other.key()) == 403
    asked.come_back(browser)
    assert front.connections(merchant_id) == []
    assert asked.approve() == 200  # the right store may still


def test_a_store_that_waits_for_itself_is_believed_and_tried_later(
    front: Front, store: Any, merchant_id: str, begun: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A single PHP process cannot answer while it posts the keys."""
    monkeypatch.setattr("connectors.woocommerce.connector.CALLBACK_SECONDS", 0.3)
    browser, asked = begun
    store.slow = 3600.0
    assert asked.approve() == 200
    store.slow = 0.0
    asked.come_back(browser)
    (row,) = front.connections(merchant_id)
    shown = front.site.told("connection", "show", "--merchant", merchant_id, row["id"])
    assert (shown["state"], shown["keys"]) == ("checking", "unknown")
    work(front.site)
    shown = front.site.told("connection", "show", "--merchant", merchant_id, row["id"])
    assert shown["state"] == "connected"


@pytest.mark.parametrize(
    "changed",
    [{"user_id": "x" * 43}, {"user_id": ""}, {"user_id": None}, {"user_id": 5},
     {"key_permissions": "read"}, {"consumer_key": None}, {"consumer_secret": []}],
)  # fmt: skip
def test_what_nobody_asked_for_is_refused(
    front: Front, store: Any, merchant_id: str, begun: Any, changed: dict[str, Any]
) -> None:
    browser, asked = begun
    assert asked.approve(**changed) in {400, 404}
    assert store.keys == {}, "the store deletes what was not taken"
    asked.come_back(browser)
    assert front.connections(merchant_id) == []


def test_keys_are_taken_once(front: Front, store: Any, merchant_id: str, begun: Any) -> None:
    browser, asked = begun
    assert asked.approve() == 200
    assert asked.approve() == 404
    asked.come_back(browser)
    assert asked.approve() == 404
    assert len(store.keys) == 1
    (row,) = front.connections(merchant_id)
    with front.site.hub.ctx.store.reading() as tx:
        keys = tx.tenant(merchant_id).connections.credentials(row["id"]).current()
    assert keys["consumer_key"] in store.keys


def test_who_does_not_agree_leaves_nothing_but_the_code(
    front: Front, store: Any, merchant_id: str
) -> None:
    browser, code = front.browser(), front.code(merchant_id)
    asked = Asked(store, front.begin(browser, code, store.url).headers["Location"], front.ca)
    page = asked.come_back(browser, success=0)
    assert "No autorizaste" in page.text
    assert asked.approve() == 404
    assert "No se conectó" in asked.come_back(browser).text
    again = Asked(store, front.begin(browser, code, store.url).headers["Location"], front.ca)
    assert again.approve() == 200
    assert "Tu tienda está conectada" in again.come_back(browser).text


def test_two_at_once_do_not_take_each_others_place(
    front: Front, make_store: Any, merchant_id: str
) -> None:
    browser, stores = front.browser(), [make_store(), make_store()]
    both = [
        Asked(s, front.begin(browser, front.code(merchant_id), s.url).headers["Location"], front.ca)
        for s in stores
    ]
    assert [one.approve() for one in reversed(both)] == [200, 200]
    for one in both:
        assert "Tu tienda está conectada" in one.come_back(browser).text
    accounts = {row["account"] for row in front.connections(merchant_id)}
    assert accounts == {one.url for one in stores}


def test_one_code_connects_once(front: Front, make_store: Any, merchant_id: str) -> None:
    browser, code = front.browser(), front.code(merchant_id)
    stores = [make_store(), make_store()]
    both = [
        Asked(s, front.begin(browser, code, s.url).headers["Location"], front.ca) for s in stores
    ]
    assert [one.approve() for one in both] == [200, 200]
    pages = [one.come_back(browser) for one in both]
    assert [one.status_code for one in pages] == [200, 403]
    assert "ya se usó" in pages[1].text
    assert len(front.connections(merchant_id)) == 1


def test_it_is_too_late_after_half_an_hour(front: Front, merchant_id: str, begun: Any) -> None:
    browser, asked = begun
    with front.site.hub.ctx.store.transaction() as tx:
        tx.session.sql("UPDATE hand_off SET expires_at = 1")
    assert asked.approve() == 404
    assert asked.come_back(browser).status_code == 404
    assert front.connections(merchant_id) == []


def test_a_code_that_was_good_at_the_beginning_is_good_at_the_end(
    front: Front, merchant_id: str, begun: Any
) -> None:
    browser, asked = begun
    with front.site.hub.ctx.store.transaction() as tx:
        tx.session.sql("UPDATE pairing_code SET expires_at = 1")
    assert asked.approve() == 200
    assert "Tu tienda está conectada" in asked.come_back(browser).text


def test_keys_that_nobody_came_back_for_are_forgotten(front: Front, begun: Any) -> None:
    _, asked = begun
    assert asked.approve() == 200
    with front.site.hub.ctx.store.transaction() as tx:
        tx.session.sql("UPDATE hand_off SET expires_at = 1")
    health.check_all(front.site.hub.ctx)
    with front.site.hub.ctx.store.reading() as tx:
        rows = list(tx.session.engine.db.execute_sql("SELECT COUNT(*) FROM hand_off"))
    assert rows == [(0,)]


def test_the_shop_is_sent_to_under_its_own_address(
    front: Front, make_store: Any, merchant_id: str
) -> None:
    typed, real = make_store(), make_store()
    typed.redirect = real.url
    answer = front.begin(front.browser(), front.code(merchant_id), typed.url)
    assert answer.headers["Location"].startswith(f"{real.url}/wc-auth/")


def test_slow_stores_do_not_take_every_thread(
    front: Front, make_store: Any, merchant_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes meanwhile is told to wait, and keys are believed until `connect` tries them."""
    slow, other = make_store(), make_store()
    code, browser = front.code(merchant_id), front.browser()
    asked = Asked(other, front.begin(browser, code, other.url).headers["Location"], front.ca)
    for patience in ("HOP_SECONDS", "HOPS_SECONDS"):
        monkeypatch.setattr(net, patience, 300.0)
    slow.slow = 3600.0
    with ThreadPoolExecutor(handoff.AT_ONCE) as many:
        waiting = [
            many.submit(front.begin, front.browser(), code, slow.url)
            for _ in range(handoff.AT_ONCE)
        ]
        until = time.monotonic() + 120
        while len(slow.asked) < handoff.AT_ONCE and time.monotonic() < until:
            time.sleep(0.02)
        assert front.begin(front.browser(), code, other.url).status_code == 429
        before = len(other.asked)
        assert asked.approve() == 200
        assert len(other.asked) == before
        slow.slow = 0.0
    assert {one.result().status_code for one in waiting} == {303}
    assert "Tu tienda está conectada" in asked.come_back(browser).text


class TestForm:
    def test_a_wrong_code_goes_nowhere(self, front: Front, store: Any) -> None:
        answer = front.begin(front.browser(), "2345-6789-ABCD", store.url)
        assert answer.status_code == 403
        assert "Pide uno nuevo" in answer.text
        assert 'value="2345-6789-ABCD"' in answer.text, "nothing typed is lost"
        assert store.asked == [], "nobody sends the hub anywhere without a code"

    def test_guessing_is_ended(self, front: Front, store: Any) -> None:
        browser = front.browser()
        statuses = [front.begin(browser, f"G{n}", store.url).status_code for n in range(12)]
        assert statuses == [403] * 10 + [429] * 2

    @pytest.mark.parametrize(
        "url",
        ["", "ftp://x", "https://u:p@127.0.0.1", "http://127.0.0.1:1", "no store", "https://["],
    )
    def test_a_wrong_address_is_told_at_its_field(
        self, front: Front, merchant_id: str, url: str
    ) -> None:
        answer = front.begin(front.browser(), front.code(merchant_id), url)
        assert answer.status_code == 422
        assert 'id="store_url-error"' in answer.text

    def test_a_store_whose_api_is_elsewhere(
        self, front: Front, store: Any, merchant_id: str
    ) -> None:
        store.redirect = "https://u:p@127.0.0.1:1"
        answer = front.begin(front.browser(), front.code(merchant_id), store.url)
        assert answer.status_code == 422

    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "https://evil.example"},
            {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        ],
    )
    def test_another_sites_form_is_refused(
        self, front: Front, store: Any, merchant_id: str, headers: dict[str, str]
    ) -> None:
        answer = front.begin(front.browser(), front.code(merchant_id), store.url, **headers)
        assert (answer.status_code, store.asked) == (403, [])

    def test_in_english_and_only_to_where_it_leads(self, front: Front) -> None:
        page = front.browser().get(front.url + FORM + "?lang=en", timeout=60)
        assert "Connect your WooCommerce store" in page.text
        assert "form-action 'self' https:" in page.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]

    def test_without_https_it_says_what_is_missing(self, site: Any) -> None:
        page = site.client.get(FORM)
        assert page.status_code == 409
        assert "PUBLIC_URL" in page.text
        assert site.client.post(FORM, data={"code": "x"}).status_code == 409

    def test_a_shop_of_another_merchant_is_not_asked(
        self, front: Front, store: Any, merchant_id: str, begun: Any
    ) -> None:
        browser, asked = begun
        asked.approve()
        asked.come_back(browser)
        work(front.site)
        other = front.site.merchant("IIA040805DZ4", "INDISTRIA ILUMINADORA DE ALMACENES")
        answer = front.begin(front.browser(), front.code(other), store.url)
        assert answer.status_code == 409
        assert "KEMPER" not in answer.text


@pytest.mark.browser
def test_a_real_browser_goes_all_the_way(
    chromium: Any, front: Front, store: Any, merchant_id: str
) -> None:
    """The answer to the form leads to another site, and the cookie survives coming back."""
    context = chromium.new_context(ignore_https_errors=True, locale="es-MX")
    page = context.new_page()
    page.goto(front.url + FORM)
    page.get_by_label("Código de vinculación").fill(front.code(merchant_id))
    page.get_by_label("Dirección de tu tienda").fill(store.url)
    page.get_by_role("button", name="Continuar en mi tienda").click()
    page.wait_for_url(f"{store.url}/wc-auth/v1/authorize**")
    asked = Asked(store, page.url, front.ca)
    assert asked.approve() == 200
    page.evaluate(  # a link of the store's own page
        "url => { location.href = url }",
        f"{asked.query['return_url']}?success=1&user_id={asked.query['user_id']}",
    )
    page.get_by_role("heading", name="Tu tienda está conectada").wait_for()
    context.close()
    assert len(front.connections(merchant_id)) == 1
