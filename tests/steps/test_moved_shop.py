"""A shop that left one merchant and is another's now: one alone invoices each of its orders."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from hub.domain.purchase import Estado
from hub.domain.sale import PaymentState
from hub.steps import visit

OWED: dict[str, Any] = {
    "payment_state": PaymentState.PENDING,
    "paid_at": None,
    "payments": (),
}


def leave(merchant: Any) -> None:
    def end(tenant: Any) -> None:
        tenant.bonds.pair(merchant.connection.id, "shop", "shop.example")
        tenant.bonds.close(merchant.connection.id)

    merchant.change(end)


def come_back(merchant: Any) -> None:
    merchant.change(lambda t: t.bonds.pair(merchant.connection.id, "shop", "shop.example"))


def door(world: Any, key: str = "7001") -> str:
    with world.store.reading() as tx:
        return str(visit.door_of(tx, "shop", "shop.example", key).merchant_id)


def paid(world: Any, first: Any) -> None:
    first.keep()


def invoiced_and_doubtful(world: Any, first: Any) -> None:
    sale_id = first.keep()
    first.request(sale_id)
    world.quiet()
    first.keep(revision=2, payment_state=PaymentState.UNKNOWN)


@pytest.mark.parametrize("then", [paid, invoiced_and_doubtful])
def test_what_the_first_one_invoices_is_barred_at_the_next(
    world: Any, then: Callable[[Any, Any], None]
) -> None:
    first = world.settle()
    then(world, first)
    leave(first)
    newer = world.settle(1)
    sale_id = newer.keep(revision=3)
    assert newer.of(lambda t: t.sales.get(sale_id)).sale.barred
    assert newer.estado(sale_id) is Estado.CANCELADA
    assert door(world) == first.id


@pytest.mark.parametrize("on_credit", [False, True])
def test_what_nobody_had_paid_is_the_next_ones(world: Any, *, on_credit: bool) -> None:
    """On credit as well: its invoice is asked for once it is paid."""
    first = world.settle()
    first.keep(**OWED, on_credit=on_credit)
    leave(first)
    assert door(world) == first.id  # while it is nobody's, its links go on
    newer = world.settle(1)
    assert door(world) == newer.id
    assert newer.estado(newer.keep(revision=2)) is Estado.ABIERTA
    assert door(world) == newer.id


def test_a_shop_that_came_back_to_the_first_one(world: Any) -> None:
    first = world.settle()
    leave(first)
    newer = world.settle(1)
    newer.keep("7001", **OWED)
    newer.keep("7002")
    leave(newer)
    come_back(first)
    assert first.estado(first.keep("7001", revision=2)) is Estado.ABIERTA
    assert first.estado(first.keep("7002", revision=2)) is Estado.CANCELADA
    assert (door(world, "7001"), door(world, "7002")) == (first.id, newer.id)


def test_orders_that_are_counted_from_one_again_are_others(world: Any) -> None:
    first = world.settle()
    first.keep()
    leave(first)
    newer = world.settle(1)
    at = world.clock.now() - timedelta(minutes=5)
    assert newer.estado(newer.keep(placed_at=at, paid_at=at)) is Estado.ABIERTA
