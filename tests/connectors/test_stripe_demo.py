"""The demonstration account against the real connector, over a real socket."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.contract import Notice, SignatureInvalid
from connectors.stripe.connector import Stripe
from connectors.stripe.demo import DemoShop, event_of
from hub.domain.sale import PaymentState

NOW = datetime(2026, 11, 20, 18, tzinfo=UTC)
STRIPE = Stripe()


@pytest.mark.parametrize("seed", range(10))
def test_its_invoices_are_paid_just_now_and_add_up(seed: int, facts: Any) -> None:
    shop = DemoShop(NOW, random.Random(seed))
    assert len({one["id"] for one in shop.invoices}) == len(shop.invoices) == 2
    for invoice in shop.invoices:
        connection = facts("http://127.0.0.1:8002/stripe", allow_private=True)
        sale = STRIPE.normalize(json.dumps(event_of(invoice)).encode(), connection)
        assert (sale.payment_state, sale.doubts, sale.test) == (PaymentState.PAID, (), False)
        assert sale.paid_at is not None
        assert NOW - timedelta(hours=1) <= sale.paid_at < NOW
        assert sum(line.total for line in sale.lines) == sale.total == sale.due
        assert {tax.rate for line in sale.lines for tax in line.taxes} == {
            sale.lines[0].taxes[0].rate
        }
        assert sale.buyer.email


def test_it_sends_each_once_signed(sent: Any, keys: Any) -> None:
    shop = DemoShop(NOW, random.Random(5))
    came = sent(shop.send_orders)
    mine = keys(**shop.credentials)
    assert not STRIPE.can_fetch(mine)
    seen = []
    for one in came:
        STRIPE.authenticate(one, mine)
        with pytest.raises(SignatureInvalid):
            STRIPE.authenticate(one, keys(webhook_secret="whsec_other"))
        notice = STRIPE.read(one)
        assert isinstance(notice, Notice)
        assert notice.snapshot == one.body
        seen.append(notice.order_id)
    assert seen == [one["id"] for one in shop.invoices]


def test_a_hub_that_refuses_is_noticed(sent: Any) -> None:
    with pytest.raises(OSError, match="401"):
        sent(DemoShop(NOW, random.Random(1)).send_orders, "401 Unauthorized")


def test_what_was_made_for_one_run_is_made_again_alike() -> None:
    """Every process of a demonstration makes the same shops of one seed."""
    one, other = (DemoShop(NOW, random.Random(3)) for _ in range(2))
    assert (one.invoices, dict(one.credentials)) == (other.invoices, dict(other.credentials))
