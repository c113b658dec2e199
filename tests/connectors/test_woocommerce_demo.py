"""The demonstration store against the real connector, over real sockets."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.wrappers import Response

from connectors.contract import CredentialsRefused, OrderNotFound
from connectors.demo import demo_shops
from connectors.woocommerce.connector import WooCommerce
from connectors.woocommerce.demo import DemoShop, deliver
from connectors.woocommerce.demo_orders import orders
from hub.domain.sale import PaymentState

NOW = datetime(2026, 11, 20, 18, tzinfo=UTC)
WOO = WooCommerce()


@pytest.fixture
def shop() -> DemoShop:
    return DemoShop(NOW, random.Random(5))


@pytest.mark.parametrize("seed", range(25))
def test_orders_are_paid_just_now_and_add_up(seed: int, facts: Any) -> None:
    made = orders(NOW, random.Random(seed))
    assert len({order["id"] for order in made}) == len(made) == 4
    for order in made:
        sale = WOO.normalize(json.dumps(order).encode(), facts())
        assert sale.payment_state is PaymentState.PAID
        assert not sale.doubts
        assert sale.paid_at
        assert NOW - timedelta(hours=1) <= sale.paid_at < NOW
        assert abs(sum(line.total for line in sale.lines) - sale.total) <= Decimal("0.000005")
        for line in sale.lines:
            assert line.taxes


def test_the_hub_can_ask_it(shop: DemoShop, serve: Any, facts: Any, keys: Any) -> None:
    # Mounted in a folder, as beside the shops of other platforms.
    mounted = DispatcherMiddleware(Response("nothing here", 404), {"/tienda": shop.app})
    connection = facts(serve(mounted) + "/tienda", allow_private=True)
    mine, wrong = keys(**shop.credentials), keys(consumer_key="ck_x", consumer_secret="cs_x")
    ids = list(WOO.changed_since(NOW - timedelta(days=1), connection, mine))
    assert len(ids) == 4
    for order_id in ids:
        sale = WOO.normalize(WOO.fetch(order_id, connection, mine), connection)
        assert sale.key == order_id
        assert not sale.unverified
    assert not list(WOO.changed_since(NOW + timedelta(days=1), connection, mine))
    with pytest.raises(OrderNotFound):
        WOO.fetch("1", connection, mine)
    with pytest.raises(CredentialsRefused):
        WOO.fetch(ids[0], connection, wrong)
    halfway = keys(**{**shop.credentials, "consumer_secret": "cs_x"})
    with pytest.raises(CredentialsRefused):
        WOO.fetch(ids[0], connection, halfway)


def test_its_health_is_good(shop: DemoShop, serve: Any, facts: Any, keys: Any) -> None:
    """The daily look of the hub: the keys work, and nothing is complained about."""
    connection = facts(serve(shop.app), allow_private=True)
    mine, hub = keys(**shop.credentials), "http://127.0.0.1:8000/webhooks/woocommerce/c1"
    WOO.check_keys(connection, mine)
    assert WOO.ensure(hub, (), connection, mine, repair=False) == ()
    with pytest.raises(CredentialsRefused):
        WOO.check_keys(connection, keys(consumer_key="ck_x", consumer_secret="cs_x"))


def test_it_greets_and_sends_every_order_signed(shop: DemoShop, sent: Any, keys: Any) -> None:
    came = sent(shop.send_orders)
    assert [WOO.is_greeting(one) for one in came] == [True, False, False, False, False]
    for one in came[1:]:
        WOO.authenticate(one, keys(**shop.credentials))
        notice = WOO.read(one)
        assert notice
        assert notice.snapshot
        assert b"\\/" not in one.body or b"/" in one.body
    assert b'"total":"' in came[1].body
    assert b".000000" not in came[1].body


def test_a_hub_that_refuses_is_noticed(sent: Any) -> None:
    with pytest.raises(OSError, match="401"):
        sent(lambda url: deliver({"id": 1}, url, "secret"), "401 Unauthorized")


def test_it_is_offered_by_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "offer-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: offer\nVersion: 1.0\n")
    line = "again = connectors.woocommerce.demo:DemoShop"
    (info / "entry_points.txt").write_text(f"[autofactura.demo_shops]\n{line}\n")
    monkeypatch.syspath_prepend(tmp_path)
    shops = demo_shops(NOW, random.Random(1))
    assert shops
    assert [shop.platform for shop in shops].count("woocommerce") == 2
    assert set(shops[0].credentials) <= set(WOO.credential_names)
