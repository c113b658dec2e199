"""A purchase that is paid in its shop and cancelled as one that never happened is not forgotten."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cfdi.cancelacion import Motivo
from hub.domain.sale import Refund
from hub.domain.states import State
from hub.steps import cancel, live
from hub.steps.refund import CHANGED
from hub.steps.review import waiting


def cancelled(world: Any, merchant: Any, motivo: Motivo) -> str:
    sale_id = merchant.keep()
    merchant.request(sale_id)
    world.quiet()
    invoice = merchant.invoice(sale_id)
    cancel.ask(world.ctx, merchant.id, invoice.id, motivo)
    world.quiet()
    found = merchant.of(lambda tenant: tenant.invoices.get(invoice.id))
    assert found.state is State.CANCELLED
    return str(sale_id)


def told(merchant: Any) -> list[str]:
    asks = merchant.of(lambda tenant: tenant.asks.list())
    return [one.form["ahora"] for one in asks if one.kind == CHANGED]


@pytest.mark.parametrize("change", ["refunded", "cancelled"])
def test_what_was_paid_is_told_until_it_is_given_back(
    world: Any, merchant: Any, change: str
) -> None:
    cancelled(world, merchant, Motivo.NO_SE_LLEVO_A_CABO)
    assert told(merchant) == ["116.00 MXN"]
    [item] = waiting(world.ctx, merchant.id)
    assert item.kind == "change"
    assert "motivo 03" in item.note
    merchant.keep(revision=2, refunds=(Refund("r1", Decimal("16.00")),))
    assert told(merchant) == ["100.00 MXN"]
    refunds = (Refund("r1", Decimal("116.00")),)
    changes = {"refunds": refunds} if change == "refunded" else {"payment_state": "cancelled"}
    merchant.keep(revision=3, **changes)
    assert told(merchant) == []


def test_a_disputed_one_is_told_when_it_is_settled(world: Any, merchant: Any) -> None:
    sale_id = merchant.keep()
    merchant.request(sale_id)
    world.quiet()
    merchant.keep(revision=2, hold="disputed")
    invoice = merchant.invoice(sale_id)
    cancel.ask(world.ctx, merchant.id, invoice.id, Motivo.NO_SE_LLEVO_A_CABO)
    world.quiet()
    assert told(merchant) == []
    merchant.keep(revision=3)
    assert told(merchant) == ["116.00 MXN"]


def test_one_that_can_be_invoiced_again_is_not(world: Any, merchant: Any) -> None:
    sale_id = cancelled(world, merchant, Motivo.ERRORES_SIN_RELACION)
    assert told(merchant) == []
    assert merchant.request(sale_id).errors == ()


def test_practice_that_was_left_is_told_no_more(world: Any, merchant: Any) -> None:
    cancelled(world, merchant, Motivo.NO_SE_LLEVO_A_CABO)
    merchant.change(live.leave_practice)
    assert told(merchant) == []
