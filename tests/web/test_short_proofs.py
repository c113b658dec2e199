"""The number of an order that stands on a ticket is short: guessing it is ended, known or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from limits import RateLimitItemPerHour

from portal.buyer import limits
from tests.fakes.shopify.orders import Item
from tests.fakes.shopify.server import FakeShopify, running

SHOP = "tienda.myshopify.com"


@pytest.fixture
def shopify() -> Iterator[FakeShopify]:
    with running() as shopify:
        shopify.shop(SHOP)
        yield shopify


@pytest.fixture
def site(make_site: Callable[..., Any], shopify: FakeShopify) -> Any:
    site = make_site(ALLOW_PRIVATE_HOSTS="1")
    site.told(
        "app", "add", "--platform", "shopify", "--client-id", shopify.app.client_id,
        "--client-secret", shopify.app.client_secret, "--key", f"api_root={shopify.url}",
    )  # fmt: skip
    code = site.told("connection", "pair", "--merchant", site.merchant())["code"]
    token = shopify.tokens.id_token(shopify.app, SHOP)
    headers = {"authorization": f"Bearer {token}"}
    site.client.post("/connect/shopify/app/pair", json={"code": code}, headers=headers)
    while site.work():
        pass
    return site


def known(site: Any, shopify: FakeShopify) -> str:
    """The link of an order that is known already."""
    order = shopify.sell(SHOP, [Item("Taza", Decimal("116.00"))])
    link = f"/s/shopify/{SHOP}/{order['legacyResourceId']}?c={order['confirmationNumber']}"
    assert site.client.get(link).status_code == 303
    return link


@pytest.fixture
def link(site: Any, shopify: FakeShopify) -> str:
    return known(site, shopify)


def opened(site: Any, link: str, proof: str = "", address: str = "203.0.113.1") -> int:
    path = f"{link.partition('c=')[0]}c={proof}" if proof else link
    status: int = site.client.get(path, environ_base={"REMOTE_ADDR": address}).status_code
    return status


def test_who_guesses_is_not_let_in_by_the_right_one(site: Any, link: str) -> None:
    tried = [opened(site, link, f"GUESS{n:04}") for n in range(32)]
    assert tried == [404] * 30 + [429] * 2
    assert opened(site, link) == 429
    assert opened(site, link, address="203.0.113.2") == 303, "the buyer comes from elsewhere"


def test_many_who_guess_one_order_are_ended_together(
    site: Any, link: str, shopify: FakeShopify, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = known(site, shopify)
    monkeypatch.setattr(limits, "GUESSES", RateLimitItemPerHour(5, namespace="guess-few"))
    tried = [opened(site, link, f"GUESS{n:04}", f"198.51.100.{n}") for n in range(7)]
    assert tried == [404] * 5 + [429] * 2
    assert opened(site, link, address="203.0.113.2") == 429
    assert opened(site, other, address="203.0.113.2") == 303, "another order is not in the way"


def test_whoever_comes_again_is_never_counted(
    site: Any, link: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "GUESSES", RateLimitItemPerHour(2, namespace="guess-again"))
    assert {opened(site, link) for _ in range(50)} == {303}
