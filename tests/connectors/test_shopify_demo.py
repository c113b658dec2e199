"""The demonstration store of Shopify: what it sends is signed, adds up, and can be invoiced."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cfdi.comprobante import Emisor
from connectors.contract import Notice, SignatureInvalid
from connectors.demo import demo_shops
from connectors.shopify.connector import Shopify
from connectors.shopify.demo import DemoShop
from hub.commands.demo import RULES
from hub.domain.compose import review
from hub.domain.rules import parse
from hub.domain.sale import PaymentState

NOW = datetime(2026, 11, 20, 18, tzinfo=UTC)
SHOPIFY = Shopify()
EMISOR = Emisor("EKU9003173C9", "ESCUELA KEMPER URGATE", "601")


@pytest.mark.parametrize("seed", range(12))
def test_orders_are_signed_paid_just_now_and_can_be_invoiced(
    seed: int, facts: Any, keys: Any, sent: Any
) -> None:
    shop = DemoShop(NOW, random.Random(seed))
    came = sent(shop.send_orders)
    assert len({one.body for one in came}) == len(came) == 3
    for one in came:
        SHOPIFY.authenticate(one, keys(**shop.credentials))
        with pytest.raises(SignatureInvalid):
            SHOPIFY.authenticate(one, keys(webhook_secret="another"))
        notice = SHOPIFY.read(one)
        assert isinstance(notice, Notice)
        assert notice.snapshot == one.body
        sale = SHOPIFY.normalize(one.body, facts("http://127.0.0.1/shopify", allow_private=True))
        assert (sale.payment_state, sale.doubts) == (PaymentState.PAID, ())
        assert sale.paid_at
        assert NOW - timedelta(hours=1) <= sale.paid_at < NOW
        assert sum(line.total for line in sale.lines) == sale.total == sale.due
        assert review(sale, rules=parse(RULES), emisor=EMISOR, lugar_expedicion="42501") == ()


def test_the_same_seed_makes_the_same_shop(sent: Any) -> None:
    first, second = (DemoShop(NOW, random.Random(3)) for _ in range(2))
    assert first.credentials == second.credentials
    assert [one.body for one in sent(first.send_orders)] == [
        one.body for one in sent(second.send_orders)
    ]


def test_a_hub_that_refuses_is_noticed(sent: Any) -> None:
    with pytest.raises(OSError, match="401"):
        sent(DemoShop(NOW, random.Random(1)).send_orders, "401 Unauthorized")


def test_it_is_installed() -> None:
    (shop,) = (one for one in demo_shops(NOW, random.Random(1)) if one.platform == "shopify")
    assert set(shop.credentials) <= set(SHOPIFY.credential_names)
