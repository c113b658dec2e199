"""What WooCommerce really sent, with its own signatures, in every order and more than once."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
import requests

pytestmark = pytest.mark.slow

#: The deliveries keep their date for ever, and a window of 366 days ends: both are "it was paid".
PAID = {"abierta", "vencida"}
#: The captured orders and what each is at the end.
ESTADOS = {
    "18": PAID,
    "19": {"cancelada"},  # cash on delivery, completed, given back whole
    "20": {"cancelada"},  # a transfer that never came, then trashed
    "21": PAID,
    "25": {"en_revision"},  # cancelled after it was paid, and nothing given back
    "26": {"en_revision"},  # dollars, and no rate
    "27": PAID,
    "28": PAID,
    "29": PAID,
    "30": {"cancelada"},  # refunded by hand
    "33": {"cancelada"},  # nothing was charged
    "34": PAID,
    "37": PAID,
    "38": PAID,  # failed, then paid after all
}
REASONS = {"19": "refunded", "30": "refunded", "33": "free"}
ISSUERS = [
    {
        "rfc": "IIA040805DZ4",
        "nombre": "INDISTRIA ILUMINADORA DE ALMACENES",
        "regimen": "601",
        "cp": "62661",
    },
    {"rfc": "XIA190128J61", "nombre": "XENON INDUSTRIAL ARTICLES", "regimen": "601", "cp": "76343"},
    {
        "rfc": "KIJ0906199R1",
        "nombre": "KERNEL INDUSTIA JUGUETERA",
        "regimen": "601",
        "cp": "28971",
    },
]


@pytest.fixture(scope="module")
def home(install: Any) -> Any:
    return install()


@pytest.fixture(scope="module")
def shops(home: Any, captures: list[Any]) -> dict[str, Any]:
    """The same deliveries for three merchants: as they came, backwards, and each twice at once."""
    made = [home.merchant(issuer=issuer, csd=False) for issuer in ISSUERS]
    ways = dict(zip(("forward", "backward", "twice"), made, strict=True))
    for capture in captures:
        assert ways["forward"].deliver(capture.body, capture.headers).status_code == 200
    for capture in reversed(captures):
        assert ways["backward"].deliver(capture.body, capture.headers).status_code == 200
    with ThreadPoolExecutor(8) as pool:
        twice = itertools.chain.from_iterable((one, one) for one in captures)
        sent = pool.map(lambda one: ways["twice"].deliver(one.body, one.headers), twice)
        assert {answer.status_code for answer in sent} == {200}
    for shop in made:
        shop.digested()
    return ways


@pytest.fixture(scope="module")
def sales(shops: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {way: shop.sales() for way, shop in shops.items()}


def latest(captures: list[Any]) -> dict[str, dict[str, Any]]:
    """The last snapshot of every order, as the captures alone tell."""
    found: dict[str, dict[str, Any]] = {}
    for capture in captures:
        if capture.is_ping or "order.deleted" in capture.name:
            continue
        order = capture.order()
        found[str(order["id"])] = order
    return found


@pytest.mark.parametrize("way", ["forward", "backward", "twice"])
def test_every_order_is_one_sale_in_its_right_state(
    sales: dict[str, Any], captures: list[Any], way: str
) -> None:
    orders = latest(captures)
    assert set(sales[way]) == set(orders) == set(ESTADOS)
    for number, row in sales[way].items():
        assert row["state"] in ESTADOS[number], number
        assert Decimal(row["total"]) == Decimal(orders[number]["total"]), number
        assert row["currency"] == orders[number]["currency"]
        assert row.get("reason", "") == REASONS.get(number, row.get("reason", "")), number
        assert bool(row["link"]) == (row["state"] == "abierta"), number


def test_what_changes_nothing_is_filed_once(shops: dict[str, Any], captures: list[Any]) -> None:
    def filed(shop: Any) -> list[Any]:
        words = ("inbox", "list", "--merchant", shop.merchant_id, "--limit", "500")
        return list(shop.home.cli(*words)["data"])

    once, again = filed(shops["forward"]), filed(shops["twice"])
    assert len(again) == len(once)
    assert {row["state"] for row in (*once, *again)} == {"done"}
    first = next(one for one in captures if not one.is_ping)
    assert shops["forward"].deliver(first.body, first.headers).text.strip() == "duplicate"


def test_three_orders_under_one_delivery_id_are_three_sales(
    sales: dict[str, Any], captures: list[Any]
) -> None:
    ids = {
        one.headers["X-WC-Webhook-Delivery-ID"]
        for one in captures
        if "14-three-orders" in one.name and "created" in one.name
    }
    assert len(ids) == 1
    assert {"27", "28", "29"} <= set(sales["forward"])


def test_a_wrong_signature_is_refused_and_nothing_is_kept(
    shops: dict[str, Any], sales: dict[str, Any], captures: list[Any]
) -> None:
    shop, capture = shops["forward"], captures[-1]
    wrong = capture.headers | {"X-WC-Webhook-Signature": "A" * 43 + "="}
    without = {k: v for k, v in capture.headers.items() if k != "X-WC-Webhook-Signature"}
    assert shop.deliver(capture.body, wrong).status_code == 401
    assert shop.deliver(capture.body, without).status_code == 401
    changed = capture.body.replace(b"33.33", b"99.99")
    assert changed != capture.body
    assert shop.deliver(changed, capture.headers).status_code == 401
    assert shop.sales() == sales["forward"]


@pytest.mark.parametrize("path", ["/webhooks/woocommerce/nobody", "/webhooks/nowhere/{id}"])
def test_an_address_that_does_not_exist_is_404(
    shops: dict[str, Any], captures: list[Any], path: str
) -> None:
    shop, capture = shops["forward"], captures[-1]
    url = shop.home.url + path.format(id=shop.connection_id)
    assert requests.post(url, capture.body, headers=capture.headers, timeout=60).status_code == 404


def test_what_is_too_large_is_413_and_a_ping_of_any_shop_is_200(shops: dict[str, Any]) -> None:
    shop = shops["forward"]
    assert shop.deliver(b"x" * (3 * 1024 * 1024), {}).status_code == 413
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert shop.deliver(b"webhook_id=1", form).status_code == 200


def test_one_merchant_sees_nothing_of_another(shops: dict[str, Any], sales: dict[str, Any]) -> None:
    other = shops["backward"]
    words = ("sale", "show", "--merchant", other.merchant_id, sales["forward"]["18"]["id"])
    assert other.home.cli(*words, expect=1)["error"]["code"] == "sale_not_found"


def test_the_invariants_hold(home: Any, shops: dict[str, Any]) -> None:
    home.healthy()
