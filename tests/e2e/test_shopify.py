"""A shop of Shopify on the real installation: paired, sold, invoiced, given back, cancelled, left.

Shopify is played on a socket: tokens, the Admin API, webhooks that are signed and brought again.
"""

from __future__ import annotations

import itertools
import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
from click.testing import CliRunner
from lxml import etree

from hub.cli import main
from tests.fakes.shopify.orders import Item, Order
from tests.fakes.shopify.rest import order_of
from tests.fakes.shopify.server import FakeShopify, Trouble, running

pytestmark = pytest.mark.slow

D = Decimal
SHOP = "tienda.myshopify.com"
CUP = Item("Taza de barro", D("116.00"), 2, sku="TAZ-1")
LAMP = Item("Lámpara", D("250.00"), sku="LAM-1")
NS = {"c": "http://www.sat.gob.mx/cfd/4"}
NUMBERS = itertools.count(1)


@dataclass
class Store:
    """One shop, connected to the merchant of this installation."""

    home: Any
    shopify: FakeShopify
    merchant_id: str
    eventually: Callable[..., Any]
    domain: str = SHOP

    def ask(self, what: str, body: Any = None) -> requests.Response:
        """As the app's page in the admin does, with a token of the minute."""
        token = self.shopify.tokens.id_token(self.shopify.app, self.domain)
        return requests.request(
            "GET" if body is None else "POST",
            f"{self.home.url}/connect/shopify/app/{what}",
            json=body,
            headers={"authorization": f"Bearer {token}"},
            timeout=60,
        )

    def pair(self) -> None:
        code = self.cli("connection", "pair", "--merchant", self.merchant_id)["code"]
        answer = self.ask("pair", {"code": code})
        assert answer.status_code == 200, answer.text
        self.eventually(lambda: self.shown()["state"] == "connected")

    def cli(self, *words: str) -> Any:
        """A command in this process: there are many of them, and none is what is tried here."""
        done = CliRunner(env=self.home.env).invoke(main, [*words, "--json"])
        assert done.exit_code == 0, (words, done.output)
        return json.loads(done.stdout)

    def shown(self) -> dict[str, Any]:
        of = ("--merchant", self.merchant_id)
        (one,) = [
            one
            for one in self.cli("connection", "list", *of)["data"]
            if one["account"] == self.domain
        ]
        return dict(self.cli("connection", "show", *of, one["id"]))

    def deliver(self) -> None:
        """Bring everything, echoes too, until nothing is on its way and all was looked at."""
        shown = ("inbox", "list", "--merchant", self.merchant_id, "--state", "filed")

        def settled() -> bool:
            self.shopify.courier.run()
            return not (self.shopify.courier.waiting or self.cli(*shown)["data"])

        self.eventually(settled)

    def sales(self) -> dict[str, dict[str, Any]]:
        words = ("sale", "list", "--merchant", self.merchant_id, "--limit", "500")
        rows = self.cli(*words)["data"]
        assert len(rows) == len({row["number"] for row in rows})
        return {row["number"]: row for row in rows}

    def sale(self, order: Order) -> dict[str, Any]:
        row = self.sales()[order["name"]]
        of = ("--merchant", self.merchant_id)
        return dict(self.cli("sale", "show", *of, row["id"]))

    def invoices(self) -> list[dict[str, Any]]:
        words = ("invoice", "list", "--merchant", self.merchant_id, "--limit", "500")
        return list(self.cli(*words)["data"])

    def door(self, order: Order, shop: str = "") -> str:
        """The address that the shop's own pages and e-mails hold."""
        path = f"{shop or self.domain}/{order['legacyResourceId']}?c={order['confirmationNumber']}"
        return f"{self.home.url}/s/shopify/{path}"

    def told_at_order(self, order: Order) -> dict[str, str]:
        return {key.removeprefix("$app."): value for key, value in order["metafields"].items()}


@pytest.fixture(scope="module")
def home(install: Any) -> Any:
    return install(ALLOW_PRIVATE_HOSTS="1")


@pytest.fixture(scope="module")
def shopify(home: Any) -> Iterator[FakeShopify]:
    with running() as played:
        played.courier.url = f"{home.url}/webhooks/shopify"
        app = played.app
        home.cli(
            "app", "add", "--platform", "shopify", "--client-id", app.client_id,
            "--client-secret", app.client_secret, "--key", f"api_root={played.url}",
        )  # fmt: skip
        yield played


@pytest.fixture(scope="module")
def merchant_id(home: Any) -> str:
    return str(home.merchant().merchant_id)


@pytest.fixture
def store(home: Any, shopify: FakeShopify, merchant_id: str, eventually: Any) -> Store:
    """A shop of this test alone."""
    made = Store(home, shopify, merchant_id, eventually, f"tienda-{next(NUMBERS)}.myshopify.com")
    shopify.shop(made.domain)
    made.pair()
    return made


def settled_link(url: str, link_of: Any, eventually: Any) -> Any:
    """Follow the address of a shop until the hub knows the purchase."""

    def followed() -> str:
        answer = requests.get(url, timeout=60, allow_redirects=False)
        return urljoin(url, answer.headers["Location"]) if answer.status_code == 303 else ""

    return link_of({"link": eventually(followed)})


def total_of(xml: bytes) -> tuple[Decimal, str]:
    document = etree.fromstring(xml)
    return D(document.get("Total", "")), document.get("TipoDeComprobante", "")


@pytest.mark.parametrize("events", [False, True], ids=["webhooks", "events"])
def test_the_walk_of_one_order(
    store: Store, events: bool, link_of: Any, eventually: Any, buyer: dict[str, str]
) -> None:
    shopify = store.shopify
    shopify.courier.events = events
    before = len(store.invoices())
    order = shopify.sell(store.domain, [CUP, LAMP], shipping=D("99.00"), gateway="manual")
    held = list(shopify.courier.waiting)
    shopify.courier.waiting.clear()

    # The buyer is faster than the webhook.
    link = settled_link(store.door(order), link_of, eventually)
    by_id = requests.get(store.door(order, store.shown()["id"]), allow_redirects=False, timeout=60)
    assert urljoin(link.url, by_id.headers["Location"]) == link.url
    assert link.estado()["estado"] == "abierta"
    shopify.courier.waiting += held * 2
    store.deliver()
    row = store.sales()[order["name"]]
    assert (row["total"], row["link"]) == ("581.00", link.url)
    assert store.told_at_order(order) == {"factura_url": link.url, "factura_estado": "abierta"}

    assert link.send(buyer).status_code == 303
    assert link.settled()["estado"] == "lista"
    xml = link.download("cfdi.xml")
    assert total_of(xml) == (D("581.00"), "I")
    assert link.download("cfdi.pdf").startswith(b"%PDF")
    eventually(lambda: store.told_at_order(order)["factura_estado"] == "lista")
    assert store.told_at_order(order)["factura_url"] == link.url
    store.deliver()
    written = shopify.shops[store.domain].asked.count("MetafieldsSet")
    assert written == 2, "once when it could be invoiced, once when it was"
    assert len(store.invoices()) == before + 1

    cup = order["lineItems"][0]["id"]
    shopify.refund(store.domain, order, lines={cup: 1})
    store.deliver()
    (note,) = eventually(lambda: [one for one in store.sale(order)["notes"] if one["uuid"]])
    assert (D(note["total"]), note["state"]) == (D("116.00"), "stamped")
    of = ("--merchant", store.merchant_id)
    path = store.home.var_dir / f"note-{events}.xml"
    store.cli("invoice", "xml", *of, note["id"], "--output", str(path))
    assert total_of(path.read_bytes()) == (D("116.00"), "E")
    assert link.download("cfdi.xml") == xml

    # Of an order that was cancelled a person says whether its invoice is cancelled or credited.
    shopify.cancel(store.domain, order)
    store.deliver()
    listed = ("review", "list", *of)
    (waits,) = eventually(
        lambda: [one for one in store.cli(*listed)["data"] if one["number"] == order["name"]]
    )
    assert waits["kind"] == "change", waits
    assert len(store.sale(order)["notes"]) == 1
    assert len(store.invoices()) == before + 2
    store.home.healthy()
    shopify.courier.events = False


def test_a_bad_day_loses_nothing_and_doubles_nothing(
    store: Store, link_of: Any, eventually: Any, buyer: dict[str, str]
) -> None:
    """429, 500, slow, cut off, throttled, repeated, late and shuffled; the web process killed."""
    shopify, chance = store.shopify, random.Random(7)
    bad = [
        Trouble("status", 429, headers={"retry-after": "1"}),
        Trouble("status", 500),
        Trouble("drop"),
        Trouble("truncated"),
        Trouble("throttled"),
        Trouble("page", 503),
        Trouble("status", 502),
    ]
    orders = []
    for number in range(14):
        shopify.troubles += bad[number % len(bad) :][:1]
        item = Item(f"Cosa {number}", D("10.01") + number, 3)
        orders.append(shopify.sell(store.domain, [item]))
    parcels = shopify.courier.waiting * 2
    chance.shuffle(parcels)
    late, shopify.courier.waiting = parcels[:9], parcels[9:]
    with store.home.nobody_starts_anew():
        store.home.kill("hub.cli web")
        shopify.courier.run()
    refused = [one for one in shopify.courier.waiting if one.answers and one.answers[-1] != 200]
    assert refused, "nobody was there to take them"
    eventually(lambda: store.home.answers("/ready"))
    for one in shopify.courier.waiting:
        one.due_at = datetime.now(UTC)  # its hours are over
    store.deliver()
    shopify.courier.waiting += late
    store.deliver()
    shopify.troubles.clear()
    sales = store.sales()
    for order in orders:
        assert D(sales[order["name"]]["total"]) == D(
            order["totalPriceSet"]["presentmentMoney"]["amount"]
        )
    links = {D(sales[one["name"]]["total"]): link_of(sales[one["name"]]) for one in orders[:3]}
    for link in links.values():
        assert link.send(buyer).status_code == 303
    store.home.settle(links)
    assert not shopify.courier.given_up


def test_a_token_that_ends_is_renewed_once_by_whoever_needs_it(store: Store) -> None:
    shopify = store.shopify
    shopify.tokens.grants.clear()
    shopify.token_seconds = 0.5
    shopify.tokens.expire(shopify.app, store.domain)
    orders = [shopify.sell(store.domain, [CUP]) for _ in range(8)]
    store.deliver()
    shopify.token_seconds = 0.0
    assert shopify.tokens.grants == ["refresh_token"]
    sales = store.sales()
    assert all(order["name"] in sales for order in orders)
    assert store.shown()["keys"] == "ok"


def test_a_token_revoked_amid_the_work_is_mended_by_opening_the_app(
    store: Store, eventually: Any
) -> None:
    """Sales come from what the deliveries hold meanwhile, and are asked about afterwards."""
    shopify = store.shopify
    first = shopify.sell(store.domain, [CUP])
    # Between two questions about one order.
    shop = shopify.shops[store.domain]

    def revoked(operation: str) -> None:
        shop.before_answer = lambda operation: None
        shopify.tokens.revoke(shopify.app, store.domain)

    shop.before_answer = revoked
    store.deliver()
    second = shopify.sell(store.domain, [LAMP])
    store.deliver()
    sales = store.sales()
    assert {sales[first["name"]]["total"], sales[second["name"]]["total"]} == {"232.00", "250.00"}
    key = (shopify.app.client_id, store.domain)
    assert key not in shopify.tokens.pairs
    eventually(lambda: store.ask("state").ok and key in shopify.tokens.pairs, 1)
    third = shopify.sell(store.domain, [CUP])
    store.deliver()
    assert third["name"] in store.sales()
    eventually(lambda: store.told_at_order(third).get("factura_estado") == "abierta")


def test_leaving_closes_and_late_news_of_it_do_not(store: Store, eventually: Any) -> None:
    shopify = store.shopify
    order = shopify.sell(store.domain, [CUP])
    store.deliver()
    link = store.sales()[order["name"]]["link"]
    shopify.uninstall(store.domain)
    late = list(shopify.courier.waiting)
    store.deliver()
    eventually(lambda: store.shown()["state"] == "closed")
    assert store.ask("state").json() == {"connected": False, "shop": store.domain}
    assert requests.get(link, timeout=60).status_code == 200
    assert requests.get(store.door(order), allow_redirects=False, timeout=60).status_code == 303

    shopify.tokens.install(shopify.app, store.domain)
    store.pair()
    for one in late:
        one.due_at = datetime.now(UTC)
    shopify.courier.waiting += late
    store.deliver()
    assert store.shown()["state"] == "connected"
    again = shopify.sell(store.domain, [CUP])
    store.deliver()
    assert {order["name"], again["name"]} <= set(store.sales())


def test_coming_back_while_the_news_of_leaving_are_on_their_way(store: Store) -> None:
    """The shop is installed and paired anew before the hub hears that it had left."""
    shopify = store.shopify
    shopify.uninstall(store.domain)
    left = list(shopify.courier.waiting)
    shopify.courier.waiting.clear()
    shopify.tokens.install(shopify.app, store.domain)
    code = store.cli("connection", "pair", "--merchant", store.merchant_id)["code"]
    shopify.courier.waiting += left
    shopify.courier.run()  # at the same time as
    answer = store.ask("pair", {"code": code})
    assert answer.status_code == 200, answer.text
    store.deliver()
    store.eventually(lambda: store.shown()["state"] == "connected")
    order = shopify.sell(store.domain, [CUP])
    store.deliver()
    assert order["name"] in store.sales()


def test_who_asks_to_be_forgotten_is_and_the_document_stays(
    store: Store, link_of: Any, buyer: dict[str, str]
) -> None:
    shopify, email = store.shopify, f"canario-{next(NUMBERS)}@cliente.example"
    order = shopify.sell(store.domain, [CUP])
    order["email"] = email
    shopify.told(store.domain, "orders/updated", order)
    store.deliver()
    assert email in str(store.sale(order)), "or this test could not fail"
    link = link_of(store.sales()[order["name"]])
    link.send(buyer)
    link.settled()
    xml = link.download("cfdi.xml")
    customer = int(order["customer"]["id"].rsplit("/", 1)[-1])
    redact = {
        "shop_id": 548380009,
        "shop_domain": store.domain,
        "customer": {"id": customer, "email": email, "phone": None},
        "orders_to_redact": [int(order["legacyResourceId"])],
    }
    old = order_of(order, store.domain)
    shopify.courier.send(store.domain, "customers/redact", redact)
    store.deliver()
    shopify.courier.send(store.domain, "orders/updated", {**old, "updated_at": _later(order)})
    store.deliver()
    assert email not in str(store.sale(order))
    assert link.download("cfdi.xml") == xml
    of = ("--merchant", store.merchant_id)
    for row in store.cli("inbox", "list", *of, "--limit", "500")["data"]:
        assert email not in str(store.cli("inbox", "show", *of, row["id"]))
    files = [one for one in store.home.var_dir.rglob("*") if one.is_file()]
    assert not [one.name for one in files if email.encode() in bytes_of(one)]
    assert [one for one in store.cli("audit", "list", *of)["data"] if "erase" in str(one)]


def bytes_of(file: Path) -> bytes:
    """Of one that is gone by now, none: the processes go on."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""


def _later(order: Order) -> str:
    return str(re.sub(r"\d{4}", lambda year: str(int(year[0]) + 1), order["updatedAt"], count=1))


def test_a_shop_by_hand_needs_nothing_but_its_secret(
    home: Any, shopify: FakeShopify, merchant_id: str, eventually: Any, link_of: Any,
    buyer: dict[str, str],
) -> None:  # fmt: skip
    store = Store(home, shopify, merchant_id, eventually, "a-mano.myshopify.com")
    shopify.shop(store.domain)
    made = home.cli(
        *("connection", "create", "--merchant", merchant_id, "--platform", "shopify"),
        *("--url", store.domain, "--webhook-secret", shopify.app.client_secret),
    )

    def by_hand() -> None:
        """Its own deliveries; echoes of what other shops were told may still be on their way."""
        for one in shopify.courier.waiting:
            if store.domain in one.headers.values():
                one.url = made["webhook_url"]

    order = shopify.sell(store.domain, [CUP], gateway="manual")
    by_hand()
    store.deliver()
    link = link_of(store.sales()[order["name"]])
    link.send(buyer)
    assert link.settled()["estado"] == "lista"
    assert total_of(link.download("cfdi.xml")) == (D("232.00"), "I")
    shopify.refund(store.domain, order, amount=D("232.00"))
    by_hand()
    store.deliver()
    assert not [domain for _, domain, _ in shopify.requests if domain == store.domain]
    home.healthy()
