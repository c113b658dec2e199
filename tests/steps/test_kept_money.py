"""Orders that were cancelled while the shop kept their money: neither invoiced nor forgotten."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import ConnectionFacts
from connectors.woocommerce.connector import WooCommerce
from hub.domain.purchase import Estado
from hub.domain.sale import PaymentState, Refund
from hub.domain.states import State
from hub.steps import request, review

PAID = Path(__file__).parents[1] / "connectors/payloads/woocommerce/orders/a-paid-dp6.json"
RULES = '[forma_pago]\ndefault = "03"\n'
KEY = "9001"
D = Decimal


def told(world: Any, merchant: Any, status: str, revision: int, *refunds: str) -> str:
    document = json.loads(PAID.read_bytes())
    document["order"] |= {
        "status": status,
        "refunds": [{"id": n, "total": f"-{one}"} for n, one in enumerate(refunds, 1)],
    }
    document["refunds"] = [
        {"id": n, "amount": one, "date_created_gmt": "2026-11-20T19:00:00", "line_items": []}
        for n, one in enumerate(refunds, 1)
    ]
    made = WooCommerce().normalize(
        json.dumps(document).encode(), ConnectionFacts("c", "https://tienda.example", {})
    )
    at = world.clock.now() - timedelta(hours=1)
    sale = replace(made, key=KEY, revision=revision, placed_at=at, test=False)
    world.shop.put(replace(sale, paid_at=at if sale.paid_at else None))
    merchant.promise("ingest_order", f"{merchant.connection.id}/{KEY}", queue="ingest")
    world.drain("ingest")
    return str(merchant.sale_id(KEY))


def waiting(world: Any, merchant: Any) -> list[tuple[str, list[str]]]:
    found = review.waiting(world.ctx, merchant.id)
    return [(one.kind, [finding.code for finding in one.findings]) for one in found]


def test_it_waits_for_a_person_who_may_have_it_invoiced(world: Any) -> None:
    merchant = world.settle(rules=RULES)
    sale_id = told(world, merchant, "cancelled", 1)
    assert waiting(world, merchant) == [("sale", ["sale_doubtful"])]
    assert merchant.estado(sale_id) is Estado.EN_REVISION
    review.accept(world.ctx, merchant.id, sale_id)
    assert merchant.estado(sale_id) is Estado.ABIERTA
    merchant.request(sale_id)
    world.quiet()
    assert merchant.state(sale_id) is State.STAMPED
    assert waiting(world, merchant) == []


def test_a_refund_in_full_ends_it(world: Any) -> None:
    merchant = world.settle(rules=RULES)
    sale_id = told(world, merchant, "cancelled", 1)
    total = merchant.of(lambda tenant: tenant.sales.get(sale_id)).sale.total
    told(world, merchant, "cancelled", 2, f"{total}")
    assert waiting(world, merchant) == []
    assert merchant.estado(sale_id) is Estado.CANCELADA


def test_one_cancelled_after_its_invoice_is_told_of(world: Any) -> None:
    """The shop kept the money of an invoice in force; whether it gave it back it did not say."""
    merchant = world.settle(rules=RULES)
    sale_id = told(world, merchant, "processing", 1)
    merchant.request(sale_id)
    world.quiet()
    assert merchant.state(sale_id) is State.STAMPED
    told(world, merchant, "cancelled", 2)
    assert waiting(world, merchant) == [("sale", ["sale_doubtful"])]
    assert merchant.state(sale_id) is State.STAMPED
    review.accept(world.ctx, merchant.id, sale_id)
    assert waiting(world, merchant) == []


def deleted(world: Any, merchant: Any, key: str = "7001", event: str = "e9") -> None:
    world.shop.orders.pop(key, None)
    merchant.deliver(b"", event="gone", key=event, order=key)
    world.drain("ingest")


class TestDeleted:
    """Deleting gives nothing back, and the shop will never say what became of the money."""

    def test_what_was_paid_waits_and_may_be_invoiced(self, world: Any, merchant: Any) -> None:
        sale_id = merchant.keep()
        deleted(world, merchant)
        [(kind, codes)] = waiting(world, merchant)
        assert (kind, codes) == ("sale", ["sale_doubtful"])
        [found] = review.waiting(world.ctx, merchant.id)
        assert "116.00 MXN" in found.findings[0].message_es
        assert merchant.estado(sale_id) is Estado.EN_REVISION
        assert merchant.request(sale_id).errors == (request.NOT_OPEN,)
        review.accept(world.ctx, merchant.id, sale_id)
        deleted(world, merchant, event="e10")
        assert merchant.estado(sale_id) is Estado.ABIERTA
        merchant.request(sale_id)
        world.quiet()
        assert merchant.state(sale_id) is State.STAMPED
        assert waiting(world, merchant) == []

    def test_a_person_says_that_it_was_given_back(self, world: Any, merchant: Any) -> None:
        sale_id = merchant.keep()
        with pytest.raises(review.NotResolvable):
            review.given_back(world.ctx, merchant.id, sale_id)
        deleted(world, merchant)
        review.given_back(world.ctx, merchant.id, sale_id)
        deleted(world, merchant, event="e10")
        assert waiting(world, merchant) == []
        assert merchant.estado(sale_id) is Estado.CANCELADA
        with pytest.raises(review.NotResolvable):
            review.given_back(world.ctx, merchant.id, sale_id)

    def test_its_invoice_then_waits_for_a_word(self, world: Any, merchant: Any) -> None:
        sale_id = merchant.keep()
        merchant.request(sale_id)
        world.quiet()
        deleted(world, merchant)
        assert waiting(world, merchant) == [("sale", ["sale_doubtful"])]
        review.given_back(world.ctx, merchant.id, sale_id)
        assert [kind for kind, _ in waiting(world, merchant)] == ["change"]
        assert merchant.state(sale_id) is State.STAMPED

    def test_one_asked_for_meanwhile_is_not_sealed(self, world: Any, merchant: Any) -> None:
        sale_id = merchant.keep()
        merchant.request(sale_id)
        deleted(world, merchant)
        world.quiet()
        assert merchant.state(sale_id) is State.REVIEW
        assert [kind for kind, _ in waiting(world, merchant)] == ["invoice", "sale"]
        review.accept(world.ctx, merchant.id, sale_id)
        review.retry(world.ctx, merchant.id, merchant.invoice(sale_id).id)
        world.quiet()
        assert merchant.state(sale_id) is State.STAMPED

    def test_no_hold_outlives_its_order(self, world: Any, merchant: Any) -> None:
        sale_id = merchant.keep(hold="disputed")
        deleted(world, merchant)
        review.accept(world.ctx, merchant.id, sale_id)
        assert merchant.estado(sale_id) is Estado.ABIERTA

    def test_only_what_is_left_of_it_is_kept(self, world: Any, merchant: Any) -> None:
        merchant.keep(refunds=(Refund("r1", D("16.00")),))
        deleted(world, merchant)
        [found] = review.waiting(world.ctx, merchant.id)
        assert "100.00 MXN" in found.findings[0].message_es

    @pytest.mark.parametrize(
        "known",
        [
            {"payment_state": PaymentState.PENDING, "paid_at": None},
            {"payment_state": PaymentState.CANCELLED},
            {"payment_state": PaymentState.REFUNDED, "refunds": (Refund("r1", D("116.00")),)},
            {"refunds": (Refund("r1", D("116.00")),)},
            {"barred": "another seller of record"},
        ],
    )
    def test_what_kept_nothing_ends_in_silence(
        self, world: Any, merchant: Any, known: dict[str, Any]
    ) -> None:
        sale_id = merchant.keep(**known)
        deleted(world, merchant)
        assert waiting(world, merchant) == []
        assert merchant.estado(sale_id) is Estado.CANCELADA

    @pytest.mark.parametrize(
        "known",
        [
            {"payment_state": PaymentState.UNKNOWN},
            {"payment_state": PaymentState.PENDING, "paid_at": None, "on_credit": True},
        ],
    )
    def test_where_nobody_knows_what_was_paid_a_person_ends_it(
        self, world: Any, merchant: Any, known: dict[str, Any]
    ) -> None:
        sale_id = merchant.keep(**known)
        deleted(world, merchant)
        assert waiting(world, merchant) == [("sale", ["state_unknown", "sale_doubtful"])]
        with pytest.raises(review.NotResolvable):
            review.accept(world.ctx, merchant.id, sale_id)
        review.given_back(world.ctx, merchant.id, sale_id)
        assert waiting(world, merchant) == []


def test_refunded_by_word_and_not_by_refunds_waits(world: Any) -> None:
    """An order that somebody put on "refunded" has no refund yet that says so."""
    merchant = world.settle(rules=RULES)
    sale_id = told(world, merchant, "refunded", 1, "16.00")
    total = merchant.of(lambda tenant: tenant.sales.get(sale_id)).sale.total
    [found] = review.waiting(world.ctx, merchant.id)
    assert [one.code for one in found.findings] == ["sale_doubtful"]
    assert f"{total - 16:.2f} MXN" in found.findings[0].message_es
    assert merchant.estado(sale_id) is Estado.EN_REVISION
    told(world, merchant, "refunded", 2, "16.00", f"{total - 16}")
    assert waiting(world, merchant) == []
    assert merchant.estado(sale_id) is Estado.CANCELADA


def test_refunded_by_word_alone_is_invoiced_on_a_persons_word(world: Any) -> None:
    merchant = world.settle(rules=RULES)
    sale_id = told(world, merchant, "refunded", 1)
    review.accept(world.ctx, merchant.id, sale_id)
    merchant.request(sale_id)
    world.quiet()
    assert merchant.state(sale_id) is State.STAMPED


def test_refunded_and_never_paid_is_over(merchant: Any, world: Any) -> None:
    sale_id = merchant.keep(payment_state=PaymentState.REFUNDED, paid_at=None)
    assert waiting(world, merchant) == []
    assert merchant.estado(sale_id) is Estado.CANCELADA


@pytest.mark.parametrize("doubts", [(), ("Se cobró una parte.",)])
def test_a_sale_whose_payment_nobody_knows_is_listed_and_not_waved_through(
    merchant: Any, world: Any, doubts: tuple[str, ...]
) -> None:
    sale_id = merchant.keep(payment_state=PaymentState.UNKNOWN, doubts=doubts)
    assert waiting(world, merchant) == [
        ("sale", ["state_unknown", *["sale_doubtful"] * len(doubts)])
    ]
    with pytest.raises(review.NotResolvable):
        review.accept(world.ctx, merchant.id, sale_id)
    assert merchant.estado(sale_id) is Estado.EN_REVISION
    merchant.keep(revision=9)
    assert waiting(world, merchant) == []
