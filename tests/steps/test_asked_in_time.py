"""Who asked in time and was turned down after the deadline can still mend the data, for a while."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cfdi.findings import Finding, FixableBy
from cfdi.pac.contract import Never
from hub.domain.purchase import Estado
from hub.domain.states import State
from hub.steps import close, look, request
from hub.steps.find import Found, passed

#: The month ends at 06:00 UTC in the middle of Mexico.
PAID, LAST = datetime(2026, 11, 25, 18, tzinfo=UTC), datetime(2026, 12, 1, 5, 59, 30, tzinfo=UTC)
_NAME = Never((Finding("CFDI40145", "nombre", "no", "no", FixableBy.BUYER),), b"")


@pytest.fixture
def keep(world: Any, merchant: Any) -> Any:
    world.clock.instant = PAID
    return lambda key: merchant.keep(key, paid_at=PAID, placed_at=PAID)


def turned_down(world: Any, merchant: Any) -> None:
    """SAT's word comes when the month is over."""
    world.clock.advance(60)
    world.pac(merchant.account).instead.append(lambda *_: _NAME)
    world.drain()


def test_the_data_are_mended_after_the_deadline(
    world: Any, merchant: Any, other_form: Any, keep: Any
) -> None:
    sale_id = keep("7001")
    world.clock.instant = LAST
    assert merchant.request(sale_id).errors == ()
    turned_down(world, merchant)
    shown, waits = merchant.page(sale_id), look.word(world.ctx, merchant.token(sale_id))
    assert waits is not None
    assert shown.estado is waits.estado is Estado.RECHAZADA
    assert shown.deadline_at == merchant.invoice(sale_id).updated_at + timedelta(hours=72)
    world.clock.advance(71 * 3600)
    assert merchant.request(sale_id, other_form).errors == ()
    world.drain()
    assert merchant.state(sale_id) is State.STAMPED


def test_not_for_ever(world: Any, merchant: Any, other_form: Any, keep: Any) -> None:
    sale_id = keep("7001")
    world.clock.instant = LAST
    merchant.request(sale_id)
    turned_down(world, merchant)
    world.clock.advance(72 * 3600 + 1)
    assert merchant.estado(sale_id) is Estado.VENCIDA
    assert merchant.request(sale_id, other_form).errors == (request.NOT_OPEN,)


def test_a_global_invoice_ends_it(world: Any, merchant: Any, other_form: Any, keep: Any) -> None:
    sale_id = keep("7001")
    world.clock.instant = LAST
    merchant.request(sale_id)
    turned_down(world, merchant)
    assert close.close(world.ctx, merchant.id, world.clock.now(), "G-1").marked == 1
    assert merchant.estado(sale_id) is Estado.EN_GLOBAL
    assert merchant.request(sale_id, other_form).errors != ()


def test_whom_staff_served_after_the_deadline_staff_serve_again(
    world: Any, merchant: Any, form: Any, other_form: Any, keep: Any
) -> None:
    sale_id = keep("7001")
    world.clock.instant = LAST + timedelta(hours=1)
    request.issue(world.ctx, merchant.id, sale_id, form, actor="staff")
    turned_down(world, merchant)
    assert merchant.estado(sale_id) is Estado.VENCIDA
    assert merchant.request(sale_id, other_form).errors == (request.NOT_OPEN,)


def test_two_purchases_together(
    world: Any, merchant: Any, form: Any, other_form: Any, keep: Any
) -> None:
    """Each address still means both, and each alone is over unless both are mended."""
    one, two = keep("7001"), keep("7002")
    world.clock.instant = LAST
    token = passed(world.ctx, Found(merchant.id, one), Found(merchant.id, two))
    asked = request.request(world.ctx, token, form, "es")
    assert asked is not None
    assert asked.errors == ()
    turned_down(world, merchant)
    page: Any = look.purchase(world.ctx, merchant.token(one))
    assert page.estado is Estado.RECHAZADA
    assert len(page.group) == 2
    mended = replace(other_form, vista=page.vista)
    again = request.request(world.ctx, merchant.token(one), mended, "es")
    assert again is not None
    assert again.errors == ()
    world.drain()
    assert merchant.invoice(one).id == merchant.invoice(two).id
    assert merchant.state(two) is State.STAMPED
