"""A hub serves apps of many owners, and each owner knows the secret of his: what it cannot open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from tests.fakes.shopify.oauth import FakeApp
from tests.fakes.shopify.orders import Item
from tests.fakes.shopify.server import FakeShopify, running

SHOP = "tienda.myshopify.com"
FOREIGN = FakeApp("c" * 32, "shpss_of-a-foreign-owner-0123456789ab")


@dataclass
class Two:
    """The shop came by the first app; the second one is another owner's."""

    site: Any
    shopify: FakeShopify
    merchant_id: str
    foreign_id: str

    def ask(self, method: str, path: str, app: FakeApp, **more: Any) -> Any:
        token = self.shopify.tokens.id_token(app, SHOP)
        headers = {"authorization": f"Bearer {token}"}
        return self.site.client.open(
            f"/connect/shopify/app/{path}", method=method, headers=headers, **more
        )

    def code(self, merchant_id: str) -> str:
        return str(self.site.told("connection", "pair", "--merchant", merchant_id)["code"])

    def work(self) -> None:
        while self.site.work():
            pass

    def connection(self) -> dict[str, Any]:
        (one,) = self.site.told("connection", "list", "--merchant", self.merchant_id)["data"]
        found: dict[str, Any] = self.site.told(
            "connection", "show", "--merchant", self.merchant_id, one["id"]
        )
        return found


@pytest.fixture
def two(make_site: Callable[..., Any]) -> Iterator[Two]:
    with running() as shopify:
        shopify.shop(SHOP)
        shopify.tokens.apps[FOREIGN.client_id] = FOREIGN
        shopify.courier.url = "the hub"
        site = make_site(ALLOW_PRIVATE_HOSTS="1")
        ids = [
            site.told(
                "app", "add", "--platform", "shopify", "--client-id", app.client_id,
                "--client-secret", app.client_secret, "--key", f"api_root={shopify.url}",
            )["id"]
            for app in (shopify.app, FOREIGN)
        ]  # fmt: skip
        made = Two(site, shopify, site.merchant(), ids[1])
        json = {"code": made.code(made.merchant_id)}
        assert made.ask("POST", "pair", shopify.app, json=json).status_code == 200
        made.work()
        shopify.sell(SHOP, [Item("Taza", Decimal("116.00"))])
        for one in shopify.courier.waiting:
            site.client.post("/webhooks/shopify", data=one.body, headers=one.headers)
        shopify.courier.waiting.clear()
        made.work()
        yield made


def test_another_apps_owner_sees_nothing_of_the_shop(two: Two) -> None:
    own = two.ask("GET", "state", two.shopify.app).json
    assert own["connected"]
    assert own["sales"][0]["link"]
    foreign = two.ask("GET", "state", FOREIGN)
    assert foreign.json == {"connected": False, "shop": SHOP}


def test_another_apps_owner_ends_and_renews_nothing(two: Two) -> None:
    answer = two.ask("POST", "disconnect", FOREIGN, json={})
    assert (answer.status_code, answer.json["error"]["code"]) == (404, "connection_not_found")
    assert two.connection()["state"] == "connected"
    # Not even where the shop itself has both apps, and the keys of its own app were lost.
    two.shopify.tokens.install(FOREIGN, SHOP)
    two.shopify.tokens.revoke(two.shopify.app, SHOP)
    with two.site.hub.ctx.store.transaction() as tx:
        tx.tenant(two.merchant_id).promise("connect", two.connection()["id"], queue="ingest")
    two.work()
    assert two.ask("GET", "state", FOREIGN).json["connected"] is False
    assert two.connection()["keys"] == "refused"
    with two.site.hub.ctx.store.reading() as tx:
        assert tx.doors.connection(two.connection()["id"]).app_id != two.foreign_id


def test_another_merchant_takes_no_shop_by_another_app(two: Two) -> None:
    two.shopify.tokens.install(FOREIGN, SHOP)
    other = two.site.merchant("IIA040805DZ4", "INDISTRIA ILUMINADORA DE ALMACENES")
    answer = two.ask("POST", "pair", FOREIGN, json={"code": two.code(other)})
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "shop_connected_elsewhere")
    assert two.site.told("connection", "list", "--merchant", other)["data"] == []


def test_the_same_merchant_moves_the_shop_to_another_app(two: Two) -> None:
    two.shopify.tokens.install(FOREIGN, SHOP)
    answer = two.ask("POST", "pair", FOREIGN, json={"code": two.code(two.merchant_id)})
    assert answer.status_code == 200, answer.text
    two.work()
    assert two.ask("GET", "state", FOREIGN).json["sales"]
    assert two.ask("GET", "state", two.shopify.app).json["connected"] is False
