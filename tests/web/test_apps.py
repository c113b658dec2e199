"""A platform with apps, over HTTP: one address, pages of its own, a code changed for keys."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from werkzeug.serving import make_server

from connectors.abilities import Subscription
from connectors.connecting import (
    App,
    Asked,
    CodeRefused,
    ConnectedElsewhere,
    Desk,
    Page,
    Redirect,
    Route,
)
from connectors.contract import (
    ConnectionFacts,
    ConnectionInvalid,
    Credentials,
    Delivery,
    DeliveryUnreadable,
    Notice,
    PlatformUnreachable,
    SignatureInvalid,
)
from connectors.woocommerce.connector import WooCommerce
from hub.app import create_app
from hub.domain.sale import Payment, PaymentState, Sale, SaleLine, SaleTax
from hub.domain.snapshot import from_json, to_json

POLICY = "default-src 'none'; frame-ancestors https://admin.example"


def sign(body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class Bazaar:
    """Signs with the app's secret, has pages, and gives keys for a code."""

    platform = "bazaar"
    title = "Bazaar"
    credential_names: Mapping[str, bool] = {"token": True}

    def __init__(self) -> None:
        self.codes: dict[str, str] = {}
        self.away = False
        self.asked: list[str] = []
        self.routes = [
            Route("GET", "/home", self.home),
            Route("GET", "/away", lambda _asked, _desk: Redirect("https://admin.example/x")),
            Route("GET", "/bad", lambda _asked, _desk: Redirect("javascript:alert(1)")),
            Route("POST", "/do", self.do),
        ]
        self.do_it: Callable[[Desk], Any] = lambda _desk: {}

    def home(self, asked: Asked, desk: Desk) -> Page:
        return Page("<p>ñ</p>", headers={"Content-Security-Policy": POLICY})

    def do(self, asked: Asked, desk: Desk) -> Mapping[str, Any]:
        return {"told": self.do_it(desk)}

    def configure(
        self, account: str, given: Mapping[str, str], *, allow_private: bool
    ) -> tuple[str, Mapping[str, str]]:
        if "evil" in given:
            raise ConnectionInvalid("that is no key")
        return account, dict(given)

    def settle(self, connection: ConnectionFacts) -> str:
        if not connection.account.endswith(".bazaar.example"):
            raise ConnectionInvalid("no shop of ours")
        return connection.account.removeprefix("https://")

    def check_keys(self, connection: ConnectionFacts, credentials: Credentials) -> None:
        return

    def ensure(self, url: str, known: Any, connection: Any, credentials: Any, *,
               repair: bool) -> tuple[Subscription, ...]:  # fmt: skip
        return ()

    def retire(self, url: str, connection: Any, credentials: Any) -> str:
        return ""

    def is_greeting(self, delivery: Delivery) -> bool:
        return False

    def locate(self, delivery: Delivery) -> str:
        if "x-shop" not in delivery.headers:
            raise DeliveryUnreadable("no shop")
        return delivery.headers["x-shop"]

    def authenticate(self, delivery: Delivery, credentials: Credentials) -> None:
        secret = credentials.current().get("app.client_secret", "")
        given = delivery.headers.get("x-sign", "")
        if not secret or not hmac.compare_digest(
            given.encode("utf-8", "replace"), sign(delivery.body, secret).encode()
        ):
            raise SignatureInvalid("no")

    def read(self, delivery: Delivery) -> Notice:
        said = json.loads(delivery.body)
        return Notice("order", said["key"], said["key"], snapshot=delivery.body)

    def can_fetch(self, credentials: Credentials) -> bool:
        return False

    def fetch(self, order_id: str, connection: Any, credentials: Any) -> bytes:
        raise PlatformUnreachable("never asked")

    def changed_since(self, instant: datetime, connection: Any, credentials: Any) -> Iterator[str]:
        return iter(())

    def normalize(self, order: bytes, connection: ConnectionFacts) -> Sale:
        return from_json(order.decode())

    def grant_url(self, account: str, *, nonce: str, return_url: str, app: App) -> str:
        client = app.keys["client_id"]
        return f"https://{account}/grant?state={nonce}&to={return_url}&client={client}"

    def nonce_of(self, asked: Asked) -> str:
        return parse_qs(urlsplit(asked.target).query).get("state", [""])[0]

    def granted(self, asked: Asked, account: str, app: App) -> Mapping[str, str]:
        code = parse_qs(urlsplit(asked.target).query).get("code", [""])[0]
        self.asked.append(code)
        if self.away:
            raise PlatformUnreachable("not now")
        if self.codes.pop(code, None) != f"{account}/{app.keys['client_id']}":
            raise CodeRefused
        return {"token": f"token-of-{code}"}


@pytest.fixture
def bazaar(monkeypatch: pytest.MonkeyPatch) -> Bazaar:
    made = Bazaar()
    shops = {"bazaar": made, "woocommerce": WooCommerce()}
    monkeypatch.setattr("hub.wiring.connectors", lambda: shops)
    return made


@pytest.fixture
def site(bazaar: Bazaar, make_site: Callable[..., Any]) -> Any:
    return make_site(ALLOW_PRIVATE_HOSTS="1")


def add_app(site: Any, number: int = 1, *more: str) -> str:
    given = ("--platform", "bazaar", "--client-id", f"client-{number}", *more)
    made = site.told("app", "add", *given, "--client-secret", f"app-secret-{number}")
    return str(made["id"])


def pair(site: Any, bazaar: Bazaar, merchant_id: str, given: Mapping[str, str],
         account: str = "one.bazaar.example") -> Any:  # fmt: skip
    code = site.told("connection", "pair", "--merchant", merchant_id)["code"]
    bazaar.do_it = lambda desk: desk.pair(code, account, given, None).connection_id
    return site.client.post("/connect/bazaar/do")


def do(site: Any, bazaar: Bazaar, what: Callable[[Desk], Any]) -> Any:
    bazaar.do_it = what
    answer = site.client.post("/connect/bazaar/do")
    return answer.json["told"] if answer.status_code == 200 else answer.json["error"]["code"]


def a_sale(key: str, *lines: tuple[str, str], paid_at: datetime | None = None) -> Sale:
    iva = SaleTax(Decimal("16.00"), Decimal("0.16"), impuesto="IVA")
    made = tuple(
        SaleLine(str(n), name, Decimal(1), Decimal(100), Decimal(0), (iva,), sku=sku)
        for n, (name, sku) in enumerate(lines)
    )
    at = paid_at or datetime.now(UTC) - timedelta(hours=1)
    total = Decimal("116.00") * len(made)
    return Sale(key, f"N-{key}", 1, at, at, PaymentState.PAID, "MXN", total, made,
                (Payment("card", total, forma_pago="04"),))  # fmt: skip


@pytest.fixture
def merchant_id(site: Any) -> str:
    return str(site.merchant())


@pytest.fixture
def connection_id(site: Any, bazaar: Bazaar, merchant_id: str) -> str:
    app_id = add_app(site)
    answer = pair(site, bazaar, merchant_id, {"app": app_id, "token": "t-1"})
    assert answer.status_code == 200, answer.text
    return str(answer.json["told"])


def deliver(site: Any, body: bytes, secret: str = "app-secret-1", shop: str = "one.bazaar.example",
            path: str = "/webhooks/bazaar") -> Any:  # fmt: skip
    return site.client.post(path, data=body, headers={"X-Shop": shop, "X-Sign": sign(body, secret)})


class TestOneAddress:
    def test_it_answers_as_the_other_address_does(
        self, site: Any, bazaar: Bazaar, merchant_id: str, connection_id: str
    ) -> None:
        add_app(site, 2)
        body = to_json(a_sale("7", ("Taza", "T"))).encode()
        answers = [
            deliver(site, body),
            deliver(site, body),
            deliver(site, body, "app-secret-2"),
            deliver(site, body, "app-secret-2", "nobody.bazaar.example"),
            deliver(site, body, "x", "nobody.bazaar.example"),
            deliver(site, body, path="/webhooks/nowhere"),
            deliver(site, body, path="/webhooks/woocommerce"),
            deliver(site, b"x" * (2 * 1024 * 1024 + 1)),
        ]
        told = [(one.status_code, one.text.strip()) for one in answers]
        assert told == [
            (200, "filed"), (200, "duplicate"), (401, "signature"), (200, "ignored"),
            (401, "signature"), (404, "no such platform"), (404, "no such platform"),
            (413, "too large"),
        ]  # fmt: skip
        assert site.client.get("/webhooks/bazaar").status_code == 405
        while site.work():
            pass
        (sale,) = site.told("sale", "list", "--merchant", merchant_id)["data"]
        assert (sale["number"], sale["total"]) == ("N-7", "116.00")

    def test_a_database_that_is_busy_is_503(self, site: Any, connection_id: str) -> None:
        site.hub.ctx.store.close()
        answer = deliver(site, b"{}")
        assert (answer.status_code, answer.text) == (503, "not stored, please send it again\n")

    def test_a_closed_connection_is_no_door(
        self, site: Any, merchant_id: str, connection_id: str
    ) -> None:
        site.told("connection", "disconnect", "--merchant", merchant_id, connection_id)
        body = to_json(a_sale("7", ("Taza", "T"))).encode()
        assert deliver(site, body).text == "ignored\n"
        assert deliver(site, body, "x").status_code == 401
        assert deliver(site, body, path=f"/webhooks/bazaar/{connection_id}").status_code == 404


class TestPages:
    def test_a_page_keeps_its_policy_and_gets_our_headers(self, site: Any) -> None:
        answer = site.client.get("/connect/bazaar/home")
        assert (answer.status_code, answer.text) == (200, "<p>ñ</p>")
        assert answer.headers.get_all("Content-Security-Policy") == [POLICY]
        assert "X-Frame-Options" not in answer.headers
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.content_type == "text/html; charset=utf-8"

    def test_a_page_without_a_policy_is_framed_by_nobody(self, site: Any, bazaar: Bazaar) -> None:
        bazaar.routes[3] = Route("POST", "/do", lambda _a, _d: Page("x", 418, {"X-A": "b"}))
        answer = create_app(site.hub, site.settings).test_client().post("/connect/bazaar/do")
        assert (answer.status_code, answer.headers["X-A"]) == (418, "b")
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Frame-Options"] == "DENY"

    def test_the_browser_is_sent_on_to_the_web_alone(self, site: Any) -> None:
        answer = site.client.get("/connect/bazaar/away")
        assert (answer.status_code, answer.headers["Location"]) == (303, "https://admin.example/x")
        assert site.client.get("/connect/bazaar/bad").status_code == 500


class TestDesk:
    def test_apps_and_connections_are_found(
        self, site: Any, bazaar: Bazaar, merchant_id: str, connection_id: str
    ) -> None:
        add_app(site, 2)
        found = do(site, bazaar, lambda d: [(a.keys["client_id"], repr(a)) for a in d.apps()])
        assert [one[0] for one in found] == ["client-1", "client-2"]
        assert "secret" not in json.dumps(found)
        first, second = do(site, bazaar, lambda d: [a.id for a in d.apps()])

        def known(shop: str, app_id: str = first) -> Any:
            return do(site, bazaar, lambda d: d.connection_of(shop, App(app_id, {})))

        assert known("one.bazaar.example") == connection_id
        assert known("two.bazaar.example") is None
        assert known("one.bazaar.example", second) is None, "an app that it did not come by"
        secrets = do(site, bazaar, lambda d: dict(d.secrets(connection_id)))
        assert (secrets["token"], secrets["app.client_secret"]) == ("t-1", "app-secret-1")
        assert "app" not in secrets
        site.told("connection", "disconnect", "--merchant", merchant_id, connection_id)
        assert known("one.bazaar.example") is None

    def test_an_app_of_no_platform_pairs_nothing(
        self, site: Any, bazaar: Bazaar, merchant_id: str
    ) -> None:
        other = ("--platform", "woocommerce", "--client-id", "c", "--client-secret", "s")
        for app_id in ("nowhere", site.told("app", "add", *other)["id"]):
            answer = pair(site, bazaar, merchant_id, {"app": app_id})
            assert (answer.status_code, answer.json["error"]["code"]) == (400, "malformed")
        assert site.told("connection", "list", "--merchant", merchant_id)["data"] == []

    def test_renewed_keys_hold_and_the_others_stay(
        self, site: Any, bazaar: Bazaar, merchant_id: str, connection_id: str
    ) -> None:
        before = do(site, bazaar, lambda d: dict(d.secrets(connection_id)))
        newer = add_app(site, 2)
        do(site, bazaar, lambda d: d.renew(connection_id, {"token": "t-2"}))
        after = do(site, bazaar, lambda d: dict(d.secrets(connection_id)))
        assert after == {**before, "token": "t-2"}
        do(site, bazaar, lambda d: d.renew(connection_id, {"token": "t-3", "app": newer}))
        after = do(site, bazaar, lambda d: dict(d.secrets(connection_id)))
        assert (after["token"], after["app.client_id"]) == ("t-3", "client-2")
        evil = do(site, bazaar, lambda d: d.renew(connection_id, {"evil": "x"}))
        assert evil == "store_address_refused"
        unknown = do(site, bazaar, lambda d: d.renew("0" * 32, {"token": "x"}))
        assert unknown == "connection_not_found"
        shown = site.told("connection", "show", "--merchant", merchant_id, connection_id)
        assert shown["keys"] == "unknown"

    def test_a_shop_of_another_merchant_is_not_paired(
        self, site: Any, bazaar: Bazaar, merchant_id: str, connection_id: str
    ) -> None:
        with site.hub.ctx.store.transaction() as tx:
            tx.tenant(merchant_id).bonds.found(connection_id, state="connected", keys="ok")
        other = site.merchant("IIA040805DZ4", "INDISTRIA ILUMINADORA DE ALMACENES")
        answer = pair(site, bazaar, other, {"token": "t"})
        assert answer.json["error"]["code"] == ConnectedElsewhere.code

    def test_sales_and_gaps_are_of_that_shop_alone(
        self, site: Any, bazaar: Bazaar, merchant_id: str, connection_id: str
    ) -> None:
        rules = """
        [forma_pago]
        default = "04"
        [producto.sku.NAMED]
        clave_prod_serv = "60131324"
        [producto.sku.MEANT]
        clave_prod_serv = "01010101"
        """
        file = site.file("rules.toml", rules)
        site.told("rules", "set", "--merchant", merchant_id, "--file", file)
        site.sell(merchant_id, "of-no-shop")
        for key, lines in {
            "1": [("Taza", "T"), ("Taza", "T"), ("Plato", "P")],
            "2": [("Taza", "T"), ("Con clave", "NAMED"), ("Sin clave adrede", "MEANT")],
        }.items():
            assert deliver(site, to_json(a_sale(key, *lines)).encode()).text == "filed\n"
        while site.work():
            pass
        gaps = do(site, bazaar, lambda d: [
            (g.description, g.sku, g.sales) for g in d.gaps(connection_id)])  # fmt: skip
        assert gaps == [["Taza", "T", 2], ["Plato", "P", 1]]
        sales = do(
            site,
            bazaar,
            lambda d: [
                (s.number, s.estado, str(s.total), s.link) for s in d.sales(connection_id, 50)
            ],
        )
        assert [one[:3] for one in sales] == [
            ["N-2", "abierta", "348.00"], ["N-1", "abierta", "348.00"]]  # fmt: skip
        assert all("/f/" in one[3] for one in sales)
        assert len(do(site, bazaar, lambda d: [s.number for s in d.sales(connection_id, 1)])) == 1


@pytest.fixture
def front(
    bazaar: Bazaar, make_site: Callable[..., Any], tls: Any
) -> Iterator[tuple[Any, str, str]]:
    """The site behind TLS on loopback: without it nobody is sent anywhere."""
    made: dict[str, Any] = {}

    def app(*given: Any) -> Any:  # its address is known before the site is made
        return made["site"].app(*given)

    server = make_server("127.0.0.1", 0, app, threaded=True, ssl_context=tls.context)
    url = f"https://127.0.0.1:{server.server_port}"
    made["site"] = make_site(PUBLIC_URL=url)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made["site"], url, str(tls.ca_file)
    server.shutdown()
    server.server_close()
    thread.join()


class Browser:
    def __init__(self, front: tuple[Any, str, str]) -> None:
        self.site, self.url, ca = front
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = ca

    def page(self, query: str = "") -> str:
        return self.session.get(f"{self.url}/connect/bazaar{query}", timeout=60).text

    def begin(self, merchant_id: str, query: str = "", **changed: str) -> requests.Response:
        page = self.page(query)
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page))
        code = self.site.told("connection", "pair", "--merchant", merchant_id)["code"]
        data = {**fields, "code": code, "store_url": "https://one.bazaar.example", **changed}
        return self.session.post(
            f"{self.url}/connect/bazaar", data=data, timeout=60, allow_redirects=False
        )

    def come_back(self, location: str, **query: str) -> requests.Response:
        told = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        return self.session.get(told["to"], params={"state": told["state"], **query}, timeout=60)


def state_of(location: str) -> str:
    return parse_qs(urlsplit(location).query)["state"][0]


class TestGrants:
    def test_the_whole_way(self, front: Any, bazaar: Bazaar) -> None:
        site, browser = front[0], Browser(front)
        merchant_id, app_id = site.merchant(), add_app(site)
        begun = browser.begin(merchant_id)
        location = begun.headers["Location"]
        assert (begun.status_code, urlsplit(location).netloc) == (303, "one.bazaar.example")
        bazaar.codes["good"] = "one.bazaar.example/client-1"
        page = browser.come_back(location, code="good")
        assert (page.status_code, "Tu tienda está conectada" in page.text) == (200, True)
        assert browser.come_back(location, code="good").status_code == 200
        assert bazaar.asked == ["good"], "a code is changed once"
        (row,) = site.told("connection", "list", "--merchant", merchant_id)["data"]
        assert (row["account"], row["app"]) == ("one.bazaar.example", app_id)
        with site.hub.ctx.store.reading() as tx:
            kept = tx.tenant(merchant_id).connections.credentials(row["id"]).current()
            assert (kept["token"], kept["app.client_id"]) == ("token-of-good", "client-1")
            sealed = tx.session.rows("SELECT keys_sealed FROM hand_off")
        assert [bytes(one[0]) if one[0] else None for one in sealed] == [None]

    def test_only_the_browser_that_began(self, front: Any, bazaar: Bazaar) -> None:
        site, browser = front[0], Browser(front)
        merchant_id = site.merchant()
        add_app(site)
        location = browser.begin(merchant_id).headers["Location"]
        bazaar.codes["good"] = "one.bazaar.example/client-1"
        assert Browser(front).come_back(location, code="good").status_code == 404
        assert browser.come_back(location.replace(state_of(location), "x" * 43)).status_code == 404
        assert browser.come_back(location.replace(state_of(location), "x")).status_code == 404
        assert bazaar.asked == []
        assert site.told("connection", "list", "--merchant", merchant_id)["data"] == []

    def test_a_refusal_ends_it_and_the_code_stays_good(self, front: Any, bazaar: Bazaar) -> None:
        site, browser = front[0], Browser(front)
        merchant_id = site.merchant()
        add_app(site)
        location = browser.begin(merchant_id).headers["Location"]
        page = browser.come_back(location, code="forged")
        assert (page.status_code, "No se conectó" in page.text) == (403, True)
        bazaar.codes["good"] = "one.bazaar.example/client-1"
        assert "No autorizaste" in browser.come_back(location, code="good").text
        assert bazaar.asked == ["forged"]
        assert site.told("connection", "list", "--merchant", merchant_id)["data"] == []

    def test_a_platform_that_is_away_is_asked_again(self, front: Any, bazaar: Bazaar) -> None:
        site, browser = front[0], Browser(front)
        merchant_id = site.merchant()
        add_app(site)
        location = browser.begin(merchant_id).headers["Location"]
        bazaar.codes["good"] = "one.bazaar.example/client-1"
        bazaar.away = True
        assert 'http-equiv="refresh"' in browser.come_back(location, code="good").text
        bazaar.away = False
        assert "Tu tienda está conectada" in browser.come_back(location, code="good").text

    def test_which_app_is_asked_where_there_are_several(self, front: Any, bazaar: Bazaar) -> None:
        site, browser = front[0], Browser(front)
        merchant_id = site.merchant()
        assert "no registró su aplicación" in browser.page()
        add_app(site)
        second = add_app(site, 2, "--key", "name=Segunda <b>")
        page = browser.page()
        assert "client-1</option>" in page
        assert "Segunda &lt;b&gt;</option>" in page
        assert "secret" not in page
        unchosen = browser.begin(merchant_id)
        assert (unchosen.status_code, "Elige la aplicación" in unchosen.text) == (422, True)
        assert browser.begin(merchant_id, app="0" * 32).status_code == 422
        chosen = browser.begin(merchant_id, f"?app={second}")
        assert "client=client-2" in chosen.headers["Location"]
        typed = browser.begin(merchant_id, app=second)
        assert "client=client-2" in typed.headers["Location"]

    @pytest.mark.parametrize(
        ("changed", "status"),
        [({"code": "WRONGWRONGWR"}, 403), ({"store_url": "https://evil.example"}, 422),
         ({"csrf_token": "x"}, 422)],
    )  # fmt: skip
    def test_what_is_wrong_goes_nowhere(
        self, front: Any, bazaar: Bazaar, changed: dict[str, str], status: int
    ) -> None:
        site, browser = front[0], Browser(front)
        merchant_id = site.merchant()
        add_app(site)
        answer = browser.begin(merchant_id, **changed)
        assert (answer.status_code, "Location" in answer.headers) == (status, False)

    def test_an_app_that_was_removed_meanwhile(self, front: Any, bazaar: Bazaar) -> None:
        site, browser = front[0], Browser(front)
        merchant_id, app_id = site.merchant(), add_app(site)
        location = browser.begin(merchant_id).headers["Location"]
        site.told("app", "remove", "--app", app_id)
        assert "No autorizaste" in browser.come_back(location, code="good").text
        assert bazaar.asked == []
