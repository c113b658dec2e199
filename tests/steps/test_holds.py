"""A sale on hold waits, another seller's is left alone, and what is excluded is said."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from hub.domain.purchase import Estado
from hub.domain.sale import Excluded, PaymentState
from hub.domain.snapshot import SnapshotInvalid, from_json, to_json
from hub.domain.states import State
from hub.steps import ask, close, request, review

DISPUTED: dict[str, Any] = {"hold": "disputed"}
TIP: dict[str, Any] = {"excluded": (Excluded("tip", Decimal("20.00")),)}
BARRED: dict[str, Any] = {"barred": "another seller of record"}


def letters(world: Any) -> list[str]:
    return [letter.to for letter in world.post.letters]


class TestHeld:
    def test_no_link_is_mailed_until_it_is_released(self, world: Any, merchant: Any) -> None:
        sale_id = merchant.keep(invite=True, **DISPUTED)
        assert merchant.estado(sale_id) is Estado.EN_REVISION
        assert merchant.page(sale_id).reason == "held"
        assert letters(world) == []
        assert merchant.of(lambda t: t.links.current(sale_id)) is None
        assert review.waiting(world.ctx, merchant.id) == []  # nobody has to do anything
        for turn in range(2):
            merchant.keep(invite=True, revision=2 + turn)
        assert merchant.estado(sale_id) is Estado.ABIERTA
        assert letters(world) == ["buyer-7001@example.com"]

    def test_an_invitation_that_waits_is_not_sent(self, world: Any, merchant: Any) -> None:
        merchant.keep()
        merchant.keep(revision=2, **DISPUTED)
        world.drain("mail")
        assert letters(world) == []

    def test_nobody_invoices_it(self, world: Any, merchant: Any, form: Any) -> None:
        sale_id = merchant.keep()
        merchant.keep(revision=2, **DISPUTED)
        for done in (
            merchant.request(sale_id),
            request.issue(world.ctx, merchant.id, sale_id, form, actor="staff"),
        ):
            assert [one.codigo for one in done.errors] == ["not_open"]
        assert ask.ask(world.ctx, merchant.token(sale_id), {"rfc": "x"}) is not None
        assert not merchant.page(sale_id).askable

    def test_what_was_asked_for_waits_and_goes_on(self, world: Any, merchant: Any) -> None:
        sale_id = merchant.keep()
        merchant.request(sale_id)
        merchant.keep(revision=2, **DISPUTED)
        for _ in range(4):
            world.clock.advance(8 * 3600)
            world.drain()
        assert merchant.state(sale_id) is State.REQUESTED
        assert merchant.estado(sale_id) is Estado.EN_REVISION
        assert world.provider.stamps() == []
        merchant.keep(revision=3)
        world.drain()  # at once, not when the pause is over
        assert merchant.state(sale_id) is State.STAMPED

    def test_what_was_sealed_is_not_sent(self, world: Any, merchant: Any) -> None:
        sale_id = merchant.keep()
        world.provider.fault("402")
        merchant.request(sale_id)
        world.drain()
        assert merchant.state(sale_id) is State.SEALED
        world.clock.advance(1)
        merchant.keep(revision=2, **DISPUTED)
        for _ in range(3):
            world.drain()
            world.clock.advance(3600)
        assert world.provider.stamps() == []
        assert merchant.state(sale_id) is State.REQUESTED
        merchant.keep(revision=3)
        world.quiet()
        assert merchant.state(sale_id) is State.STAMPED

    def test_one_that_ends_in_a_cancellation_is_for_the_merchant(
        self, world: Any, merchant: Any
    ) -> None:
        sale_id = merchant.keep()
        merchant.request(sale_id)
        merchant.keep(revision=2, **DISPUTED)
        world.drain()
        merchant.keep(revision=3, payment_state=PaymentState.CANCELLED)
        world.quiet()
        assert merchant.state(sale_id) is State.REVIEW
        assert world.provider.stamps() == []

    def test_it_is_in_no_global_invoice_yet(self, world: Any, merchant: Any) -> None:
        sale_id = merchant.keep(**DISPUTED)
        other = merchant.keep("7002")
        world.clock.advance(86400)
        now = world.clock.now()
        assert [
            one.rows[0].id for one in close.open_tickets(world.ctx, merchant.id, None, now)
        ] == [other]
        assert close.close(world.ctx, merchant.id, now, "G").marked == 1
        merchant.keep(revision=2)
        assert [
            one.rows[0].id for one in close.open_tickets(world.ctx, merchant.id, None, now)
        ] == [sale_id]

    def test_a_hold_that_comes_while_tickets_are_closed(self, world: Any, merchant: Any) -> None:
        """After they were listed and before this one is marked."""
        sale_id = merchant.keep()
        world.clock.advance(86400)
        transaction = world.store.transaction

        def hold_first() -> Any:
            world.store.transaction = transaction
            merchant.keep(revision=2, **DISPUTED)
            return transaction()

        world.store.transaction = hold_first
        assert close.close(world.ctx, merchant.id, world.clock.now(), "G").marked == 0
        assert merchant.of(lambda t: t.claims.of_sale(sale_id)) == []


class TestBarred:
    def test_nobody_is_asked_and_nobody_told(self, world: Any, merchant: Any, form: Any) -> None:
        sale_id = merchant.keep(invite=True, doubts=("what is this",), payments=(), **BARRED)
        page = merchant.page(sale_id)
        assert (page.estado, page.reason) == (Estado.CANCELADA, "barred")
        assert letters(world) == []
        assert review.waiting(world.ctx, merchant.id) == []
        done = request.issue(world.ctx, merchant.id, sale_id, form, actor="staff")
        assert done is not None
        assert [one.codigo for one in done.errors] == ["not_open"]
        world.clock.advance(86400)
        assert close.open_tickets(world.ctx, merchant.id, None, world.clock.now()) == []
        assert close.close(world.ctx, merchant.id, world.clock.now(), "G").marked == 0

    def test_one_that_turns_out_to_be_waits_for_the_merchant(
        self, world: Any, merchant: Any
    ) -> None:
        sale_id = merchant.keep()
        merchant.request(sale_id)
        merchant.keep(revision=2, **BARRED)
        world.quiet()
        assert merchant.state(sale_id) is State.REVIEW
        assert world.provider.stamps() == []


class TestExcluded:
    def test_it_is_shown_and_not_invoiced(self, world: Any, merchant: Any) -> None:
        sale_id = merchant.keep(**TIP)
        page = merchant.page(sale_id)
        assert page.excluded == (("tip", Decimal("20.00")),)
        assert page.total == Decimal("116.00")
        merchant.request(sale_id)
        world.quiet()
        (stamp,) = world.provider.stamps()
        assert merchant.invoice(sale_id).total == Decimal("116.00")
        assert merchant.page(sale_id).excluded == (("tip", Decimal("20.00")),)
        assert stamp

    def test_one_that_changes_is_shown_first(self, merchant: Any, form: Any) -> None:
        sale_id = merchant.keep(**TIP)
        seen = merchant.page(sale_id).vista
        merchant.keep(revision=2, excluded=(Excluded("tip", Decimal("200.00")),))
        assert merchant.page(sale_id).vista != seen
        done = merchant.request(sale_id, replace(form, vista=seen))
        assert [one.codigo for one in done.errors] == ["amounts_changed"]


def test_on_credit_and_unpaid_waits_for_its_payment(world: Any, merchant: Any) -> None:
    due_at = world.clock.now() + timedelta(days=30)
    sale_id = merchant.keep(
        invite=True, payment_state=PaymentState.PENDING, paid_at=None, on_credit=True, due_at=due_at
    )
    page = merchant.page(sale_id)
    assert (page.estado, page.reason) == (Estado.CANCELADA, "pending")
    assert letters(world) == []


def test_a_snapshot_of_before_is_read_with_what_it_lacks(make_sale: Any) -> None:
    new = {"excluded", "claims", "hold", "barred", "on_credit", "due_at"}
    raw = json.loads(to_json(make_sale()))
    old = {name: value for name, value in raw.items() if name not in new}
    assert set(raw) - set(old) == new
    assert from_json(json.dumps(old)) == make_sale()
    full = make_sale(
        excluded=(Excluded("tip", Decimal("1.50")),),
        claims=("a", "b"),
        hold="h",
        barred="b",
        on_credit=True,
        due_at=make_sale().placed_at,
    )
    assert from_json(to_json(full)) == full
    with pytest.raises(SnapshotInvalid):
        from_json(json.dumps({**raw, "claims": [1]}))
