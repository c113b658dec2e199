"""A shop of Shopify at the hub: paired in the app's page, told of by webhooks, left, come back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.fakes.shopify.orders import Item, Order, touched
from tests.fakes.shopify.rest import shop_of
from tests.fakes.shopify.server import VERSION, FakeShopify, running

SHOP = "tienda.myshopify.com"
CUP = Item("Taza", Decimal("116.00"))


@dataclass
class There:
    site: Any
    shopify: FakeShopify
    merchant_id: str
    app_id: str = ""

    def open_page(self) -> dict[str, str]:
        token = self.shopify.tokens.id_token(self.shopify.app, SHOP)
        return {"authorization": f"Bearer {token}"}

    def pair(self) -> dict[str, Any]:
        code = self.site.told("connection", "pair", "--merchant", self.merchant_id)["code"]
        answer = self.site.client.post(
            "/connect/shopify/app/pair", json={"code": code}, headers=self.open_page()
        )
        assert answer.status_code == 200, answer.text
        self.work()
        told: dict[str, Any] = answer.json
        return told

    def work(self) -> None:
        while self.site.work():
            pass

    def deliver(self) -> list[str]:
        """Every webhook that waits, as Shopify's courier would bring it."""
        told = []
        for one in self.shopify.courier.waiting:
            answer = self.site.client.post("/webhooks/shopify", data=one.body, headers=one.headers)
            told.append(f"{answer.status_code} {answer.text.strip()}")
        self.shopify.courier.waiting.clear()
        self.work()
        return told

    def sales(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.site.told(
            "sale", "list", "--merchant", self.merchant_id
        )["data"]
        return found

    def shown(self) -> dict[str, Any]:
        (one,) = self.site.told("connection", "list", "--merchant", self.merchant_id)["data"]
        found: dict[str, Any] = self.site.told(
            "connection", "show", "--merchant", self.merchant_id, one["id"]
        )
        return found

    def link(self, order: Order, number: str = "") -> str:
        proof = number or order["confirmationNumber"]
        return f"/s/shopify/{SHOP}/{order['legacyResourceId']}?c={proof}"


@pytest.fixture
def there(make_site: Callable[..., Any]) -> Iterator[There]:
    with running() as shopify:
        shopify.shop(SHOP)
        shopify.courier.url = "the hub"
        site = make_site(ALLOW_PRIVATE_HOSTS="1")
        app = shopify.app
        site.told(
            "app", "add", "--platform", "shopify", "--client-id", app.client_id,
            "--client-secret", app.client_secret, "--key", f"api_root={shopify.url}",
        )  # fmt: skip
        yield There(site, shopify, site.merchant())


@pytest.fixture
def paired(there: There) -> There:
    there.pair()
    return there


def test_a_shop_is_paired_in_the_page_of_the_app(paired: There) -> None:
    shown = paired.shown()
    assert (shown["account"], shown["state"], shown["keys"]) == (SHOP, "connected", "ok")
    assert paired.shopify.tokens.grants[0] == "token-exchange"


def test_a_paid_order_is_one_sale_however_often_it_is_told(paired: There) -> None:
    order = paired.shopify.sell(SHOP, [CUP])
    paired.shopify.told(SHOP, "orders/paid", order, copies=2)
    assert sorted(set(paired.deliver())) == ["200 duplicate", "200 filed"]
    (sale,) = paired.sales()
    assert (sale["number"], sale["total"]) == (order["name"], "116.00")
    assert sale["link"]
    asked = paired.shopify.shops[SHOP].asked
    assert asked.count("MetafieldsSet") == 1, asked
    assert set(paired.deliver()) <= {"200 filed", "200 duplicate"}  # the echo of what was written
    assert paired.deliver() == []
    assert asked.count("MetafieldsSet") == 1
    assert order["metafields"] == {
        "$app.factura_estado": "abierta",
        "$app.factura_url": sale["link"],
    }
    paired.shopify.told(SHOP, "orders/updated", order)  # of nothing that changed
    assert paired.deliver() == ["200 duplicate"]
    assert len(paired.sales()) == 1


def test_the_buyers_link_works_before_any_webhook_came(paired: There) -> None:
    order = paired.shopify.sell(SHOP, [CUP])
    paired.shopify.courier.waiting.clear()
    answer = paired.site.client.get(paired.link(order))
    assert answer.status_code == 303
    assert paired.site.client.get(answer.headers["Location"]).status_code == 200
    by_id = paired.link(order).replace(SHOP, paired.shown()["id"])
    assert paired.site.client.get(by_id).headers["Location"] == answer.headers["Location"]


def test_what_was_paid_under_another_merchant_stays_that_merchants(paired: There) -> None:
    """Else its buyer has two links, and one sale two invoices."""
    old = paired.shopify.sell(SHOP, [CUP])
    paired.deliver()
    first = paired.site.client.get(paired.link(old)).headers["Location"]
    of = ("--merchant", paired.merchant_id)
    paired.site.told("connection", "disconnect", *of, paired.shown()["id"])
    paired.work()
    paired.merchant_id = paired.site.merchant("URE180429TM6", "UNIVERSIDAD ROBOTICA ESPAÑOLA")
    paired.pair()
    written = dict(old["metafields"])
    touched(old, paired.shopify.now())
    new = paired.shopify.sell(SHOP, [CUP])
    paired.shopify.courier.waiting.clear()
    with paired.site.hub.ctx.store.transaction() as tx:
        tenant = tx.tenant(paired.merchant_id)
        (connection,) = tenant.connections.list()
        for order in (old, new):
            number = order["legacyResourceId"]
            tenant.promise("ingest_order", f"{connection.id}/{number}", queue="ingest")
    paired.work()
    states = {one["number"]: (one["state"], one["link"]) for one in paired.sales()}
    assert states[old["name"]] == ("cancelada", None)
    assert states[new["name"]][0] == "abierta"
    assert old["metafields"] == written
    assert paired.site.client.get(paired.link(old)).headers["Location"] == first
    assert (
        paired.site.client.get(paired.link(new)).headers["Location"]
        == urlsplit(states[new["name"]][1]).path
    )


def test_an_order_that_is_just_being_made_is_waited_for(paired: There) -> None:
    """Shopify's thank-you page may be quicker than its own list of orders."""
    shop = paired.shopify.shops[SHOP]
    first = paired.shopify.sell(SHOP, [CUP])
    paired.deliver()
    order = paired.shopify.sell(SHOP, [CUP])
    paired.shopify.courier.waiting.clear()
    there = shop.orders.pop(next(at for at, one in shop.orders.items() if one is order))
    early = paired.site.client.get(paired.link(order))
    wrong = paired.site.client.get(paired.link(order, "ABCDEFGHI"))
    assert (early.status_code, wrong.status_code) == (503, 503)
    late = paired.site.client.get(f"{paired.link(order)}&n=4")
    assert late.status_code == 404, "it never came"
    shop.orders[there["id"]] = there
    wrong_again = paired.site.client.get(paired.link(order, "ABCDEFGHI"))
    assert (wrong_again.status_code, wrong_again.data) == (503, wrong.data)
    assert paired.site.client.get(paired.link(order)).status_code == 303
    assert paired.site.client.get(paired.link(first, "ABCDEFGHI")).status_code == 404


def test_an_order_that_shopify_shows_no_longer_is_no_trouble(paired: There) -> None:
    """Without read_all_orders that is every order of 60 days ago, refunds of which are told."""
    order = paired.shopify.sell(SHOP, [CUP])
    paired.deliver()
    order["createdAt"] = "2025-01-01T00:00:00Z"
    paired.shopify.refund(SHOP, order, lines={order["lineItems"][0]["id"]: 1})
    paired.deliver()
    (sale,) = paired.sales()
    with paired.site.hub.ctx.store.reading() as tx:
        tenant = tx.tenant(paired.merchant_id)
        kept = tenant.sales.get(sale["id"])
        assert kept is not None
        assert [one.total for one in kept.sale.refunds] == [Decimal("116.00")]
    with paired.site.hub.ctx.store.transaction() as tx:
        tenant = tx.tenant(paired.merchant_id)
        tenant.promise("ingest_order", f"{kept.connection_id}/{kept.sale.key}", queue="ingest")
    paired.work()
    waiting = paired.site.told("outbox", "list")["data"]
    assert not [one for one in waiting if one["job"] == "ingest_order"], waiting
    shown = paired.shown()
    assert (shown["keys"], shown["problem"]) == ("ok", "")


def test_a_wrong_number_and_a_wrong_order_are_one_answer(paired: There) -> None:
    order = paired.shopify.sell(SHOP, [CUP])
    paired.deliver()
    good = paired.link(order)
    wrong = [
        paired.link(order, "ABCDEFGHI"),
        paired.link(order, order["legacyResourceId"]),
        paired.link(order, "x"),
        good.replace(order["legacyResourceId"], str(int(order["legacyResourceId"]) - 1)),
        good.replace(SHOP, "otra.myshopify.com"),
        good.partition("?")[0],
    ]
    answers = [paired.site.client.get(path) for path in wrong]
    assert {(one.status_code, one.data) for one in answers} == {(404, answers[0].data)}
    assert paired.site.client.get(good).status_code == 303


def test_what_no_webhook_told_of_a_sweep_finds(paired: There) -> None:
    order = paired.shopify.sell(SHOP, [CUP])
    paired.shopify.courier.waiting.clear()
    with paired.site.hub.ctx.store.transaction() as tx:
        tx.tenant(paired.merchant_id).promise("sweep", paired.shown()["id"], queue="ingest")
    paired.work()
    assert [one["number"] for one in paired.sales()] == [order["name"]]


def test_a_shop_that_removed_the_app_is_closed_and_may_come_back(paired: There) -> None:
    paired.shopify.sell(SHOP, [CUP])
    while paired.deliver():
        pass
    paired.shopify.uninstall(SHOP)
    assert paired.deliver() == ["200 filed"]
    assert paired.shown()["state"] == "closed"
    paired.shopify.tokens.install(paired.shopify.app, SHOP)
    paired.pair()
    assert paired.shown()["state"] == "connected"
    assert len(paired.sales()) == 1


def test_an_old_body_under_the_topic_of_leaving_closes_nothing(paired: There) -> None:
    """A change of the shop's settings carries the very body of its leaving, and signs no topic."""
    for topic in ("shop/update", "app/uninstalled", "app/uninstalled"):
        paired.shopify.courier.send(SHOP, topic, shop_of(SHOP))
    assert paired.deliver()[0] == "200 filed"
    assert paired.shown()["state"] == "connected"
    paired.shopify.sell(SHOP, [CUP])
    paired.deliver()
    assert len(paired.sales()) == 1


def test_news_of_leaving_that_come_after_the_return_close_nothing(paired: There) -> None:
    paired.shopify.uninstall(SHOP)
    late = list(paired.shopify.courier.waiting)
    paired.shopify.courier.waiting.clear()
    paired.shopify.tokens.install(paired.shopify.app, SHOP)
    paired.pair()
    paired.shopify.courier.waiting += late
    paired.deliver()
    assert paired.shown()["state"] == "connected"


def test_keys_that_were_lost_come_back_when_the_page_is_opened(paired: There) -> None:
    paired.shopify.tokens.revoke(paired.shopify.app, SHOP)
    order = paired.shopify.sell(SHOP, [CUP])
    paired.deliver()
    with paired.site.hub.ctx.store.transaction() as tx:
        tx.tenant(paired.merchant_id).promise("connect", paired.shown()["id"], queue="ingest")
    paired.work()
    assert paired.shown()["keys"] == "refused"
    answer = paired.site.client.get("/connect/shopify/app/state", headers=paired.open_page())
    assert answer.status_code == 200
    paired.work()
    assert paired.shown()["keys"] == "ok"
    paired.shopify.told(SHOP, "orders/updated", {**order, "updatedAt": "2026-11-21T23:59:59Z"})
    paired.deliver()
    assert [one["number"] for one in paired.sales()] == [order["name"]]


def test_a_code_that_is_none_of_ours_ends_no_keys(paired: There) -> None:
    """Shopify ends the last keys of an app and shop when it gives new ones."""
    paired.shopify.tokens.grants.clear()
    second = paired.site.merchant("URE180429TM6", "UNIVERSIDAD ROBOTICA ESPAÑOLA")
    theirs = paired.site.told("connection", "pair", "--merchant", second)["code"]
    for code, status, why in (
        ("AAAA-BBBB-CCCC", 403, "pairing_code_invalid"),
        (theirs, 409, "shop_connected_elsewhere"),
    ):
        answer = paired.site.client.post(
            "/connect/shopify/app/pair", json={"code": code}, headers=paired.open_page()
        )
        assert (answer.status_code, answer.json["error"]["code"]) == (status, why)
    assert paired.shopify.tokens.grants == []
    order = paired.shopify.sell(SHOP, [CUP])
    paired.deliver()
    assert [one["number"] for one in paired.sales()] == [order["name"]]
    assert paired.shown()["keys"] == "ok"


def test_a_hub_that_is_outdated_says_so_and_sells_on(paired: There) -> None:
    paired.shopify.version = "2027-10"
    with paired.site.hub.ctx.store.transaction() as tx:
        tx.tenant(paired.merchant_id).promise("connect", paired.shown()["id"], queue="ingest")
    paired.work()
    state = paired.site.client.get("/connect/shopify/app/state", headers=paired.open_page())
    assert [one["code"] for one in state.json["problems"]] == ["hub_outdated"]
    shown = paired.shown()
    assert (shown["keys"], shown["state"]) == ("ok", "trouble")
    assert "2027-10" in shown["problem"]
    paired.shopify.sell(SHOP, [CUP])
    paired.deliver()
    assert [one["total"] for one in paired.sales()] == ["116.00"]
    paired.shopify.version = VERSION
    with paired.site.hub.ctx.store.transaction() as tx:
        tx.tenant(paired.merchant_id).promise("connect", shown["id"], queue="ingest")
    paired.work()
    assert paired.shown()["problem"] == ""


def test_a_delivery_of_another_secret_is_refused(paired: There) -> None:
    paired.shopify.app.client_secret = "shpss_of-nobody-0123456789abcdef0123"
    paired.shopify.sell(SHOP, [CUP])
    assert set(paired.deliver()) == {"401 signature"}
    assert paired.sales() == []


def test_a_shop_by_hand_has_its_sales_of_what_it_sends(there: There) -> None:
    secret = there.shopify.app.client_secret
    made = there.site.told(
        "connection", "create", "--merchant", there.merchant_id, "--platform", "shopify",
        "--url", SHOP, "--webhook-secret", secret,
    )  # fmt: skip
    order = there.shopify.sell(SHOP, [CUP])
    for one in there.shopify.courier.waiting:
        path = f"/webhooks/shopify/{made['id']}"
        assert there.site.client.post(path, data=one.body, headers=one.headers).status_code == 200
    there.work()
    (sale,) = there.sales()
    assert (sale["number"], sale["total"]) == (order["name"], "116.00")
    assert there.shopify.requests == []
