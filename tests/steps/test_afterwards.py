"""What happens to a sale after its invoice, and on the way from practice to earnest."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cfdi.xml import parse
from hub.domain.purchase import Estado
from hub.domain.sale import PaymentState, Refund
from hub.domain.states import State
from hub.steps import answer, close, look, register, review
from hub.steps.live import PracticeUnderWay, leave_practice

GLOBAL = "22222222-2222-3333-4444-555555555555"


def stamped(world: Any, merchant: Any, **changes: Any) -> str:
    sale_id = merchant.keep(**changes)
    merchant.request(sale_id)
    world.quiet()
    assert merchant.estado(sale_id) is Estado.LISTA
    return str(sale_id)


def waiting(world: Any, merchant: Any) -> list[str]:
    return [one.kind for one in review.waiting(world.ctx, merchant.id)]


def by_hand(merchant: Any) -> None:
    """The merchant decides about each refund: nothing is credited unasked."""
    toml = '[forma_pago]\ndefault = "03"\n[devoluciones]\nnota_de_credito = "revision"\n'
    merchant.change(lambda tenant: tenant.rules.set(toml))


class TestChangedAfterwards:
    @pytest.mark.parametrize(
        "change",
        [
            {"refunds": (Refund("r1", Decimal("50.00")),)},
            {"payment_state": PaymentState.CANCELLED},
            {"payment_state": PaymentState.REFUNDED, "refunds": (Refund("r1", Decimal("116.00")),)},
            {"currency": "USD", "exchange_rate": Decimal(17)},
        ],
        ids=["refunded", "cancelled", "refunded whole", "other currency"],
    )
    def test_the_merchant_is_told(self, world: Any, merchant: Any, change: Any) -> None:
        by_hand(merchant)
        sale_id = stamped(world, merchant)
        before = merchant.page(sale_id)
        merchant.keep(revision=9, **change)
        assert waiting(world, merchant) == ["change"]
        (item,) = review.waiting(world.ctx, merchant.id)
        assert before.total.to_eng_string() in item.note
        after = merchant.page(sale_id)
        assert after.estado is Estado.LISTA
        assert (after.lines, after.taxes, after.total, after.refunded, after.currency) == (
            before.lines,
            before.taxes,
            before.total,
            Decimal(0),
            before.currency,
        )
        answer.resolve(world.ctx, merchant.id, item.id, "done")
        assert waiting(world, merchant) == []

    def test_what_was_settled_is_not_told_again(self, world: Any, merchant: Any) -> None:
        by_hand(merchant)
        stamped(world, merchant)
        refund = {"refunds": (Refund("r1", Decimal("50.00")),)}
        merchant.keep(revision=9, **refund)
        (item,) = review.waiting(world.ctx, merchant.id)
        answer.resolve(world.ctx, merchant.id, item.id, "done")
        merchant.keep(revision=9, **refund)  # as every sweep with an overlap does
        assert waiting(world, merchant) == []

    def test_what_changes_while_the_outcome_is_unknown(self, world: Any, merchant: Any) -> None:
        """The stamp is found after the cancellation: now the two differ."""
        sale_id = merchant.keep()
        world.provider.fault("drop_after")
        merchant.request(sale_id)
        world.drain()
        merchant.keep(revision=9, payment_state=PaymentState.CANCELLED)
        assert waiting(world, merchant) == []
        world.quiet()
        assert merchant.state(sale_id) is State.STAMPED
        assert waiting(world, merchant) == ["change"]

    def test_what_changes_nothing_is_not_told(self, world: Any, merchant: Any) -> None:
        stamped(world, merchant)
        merchant.keep(revision=9, status="completed")
        assert waiting(world, merchant) == []

    def test_the_page_shows_what_the_document_says(self, world: Any, merchant: Any) -> None:
        sale_id = stamped(world, merchant)
        _, stamp = look.stamped(world.ctx, merchant.token(sale_id)) or (None, None)
        assert stamp is not None
        page = merchant.page(sale_id)
        assert page.total == Decimal(parse(stamp.xml).get("Total", ""))
        assert sum(line.total for line in page.lines) == page.total
        assert page.subtotal + sum(amount for _, amount in page.taxes) == page.total


class TestChangedWhileItWaits:
    @pytest.mark.parametrize("name", ["lines", "currency"])
    def test_the_old_bytes_are_not_sent(self, world: Any, merchant: Any, name: str) -> None:
        """The same total, but other things were sold (or in another currency)."""
        sale_id = merchant.keep()
        world.provider.fault("402")
        merchant.request(sale_id)
        world.drain()
        world.clock.advance(1)
        (line,) = merchant.of(lambda tenant: tenant.sales.get(sale_id)).sale.lines[:1]
        changes: dict[str, Any] = {"lines": (replace(line, description="Otra cosa"),)}
        if name == "currency":
            changes = {"currency": "USD", "exchange_rate": Decimal(17)}
        merchant.keep(revision=9, **changes)
        world.quiet()
        assert world.provider.stamps() == []
        assert [one.codigo for one in merchant.page(sale_id).errors] == ["amounts_changed"]
        merchant.request(sale_id)
        world.quiet()
        invoice_id = merchant.invoice(sale_id).id
        stamp = merchant.of(lambda tenant: tenant.invoices.stamp_of(invoice_id))
        root = parse(stamp.xml)
        assert root.get("Moneda") == ("USD" if name == "currency" else "MXN")
        if name == "lines":
            assert b"Otra cosa" in stamp.xml


class TestContradictions:
    @pytest.mark.parametrize(
        "change",
        [
            {"refunds": (Refund("r1", Decimal("500.00")),)},
            {"total": Decimal("-1.00")},
            {"paid_at": "future"},
        ],
        ids=["refunded too much", "negative", "paid in the future"],
    )
    def test_they_wait_for_a_person(self, world: Any, merchant: Any, change: Any) -> None:
        if change.get("paid_at") == "future":
            change = {"paid_at": world.clock.now() + timedelta(days=400)}
        sale_id = merchant.keep(invite=True, **change)
        assert waiting(world, merchant) == ["sale"]
        assert merchant.estado(sale_id) is Estado.EN_REVISION
        assert world.post.letters == []


class TestPractice:
    def test_going_live_opens_what_only_a_test_held(self, world: Any, merchant: Any) -> None:
        sale_id = stamped(world, merchant)
        old = merchant.invoice(sale_id)
        assert merchant.change(leave_practice) == 1
        assert merchant.estado(sale_id) is Estado.ABIERTA
        tickets = close.open_tickets(world.ctx, merchant.id, None, None)
        assert [one.rows[0].id for one in tickets] == [sale_id]
        kept = merchant.of(lambda tenant: tenant.invoices.get(old.id))
        assert kept.state is State.SUPERSEDED
        assert merchant.change(leave_practice) == 0
        merchant.request(sale_id)
        world.quiet()
        again = merchant.invoice(sale_id)
        assert again.id != old.id
        assert again.state is State.STAMPED

    def test_not_while_a_test_is_at_the_provider(self, world: Any, merchant: Any) -> None:
        sale_id = merchant.keep()
        world.provider.fault("drop_after")
        merchant.request(sale_id)
        world.drain()
        with pytest.raises(PracticeUnderWay):
            merchant.change(leave_practice)
        assert merchant.of(lambda tenant: tenant.claims.of_sale(sale_id))


class TestGlobals:
    def test_a_day_that_is_not_over_is_not_closed(self, world: Any, merchant: Any) -> None:
        merchant.keep()
        later = world.clock.now() + timedelta(hours=1)
        with pytest.raises(close.DayNotOver):
            close.close(world.ctx, merchant.id, later, GLOBAL)
        assert len(close.open_tickets(world.ctx, merchant.id, None, None)) == 1

    def test_a_cancelled_global_frees_its_tickets(self, world: Any, merchant: Any) -> None:
        sale_id = merchant.keep()
        now = world.clock.now()
        assert close.close(world.ctx, merchant.id, now, GLOBAL).marked == 1
        assert merchant.estado(sale_id) is Estado.EN_GLOBAL
        assert close.reopen(world.ctx, merchant.id, GLOBAL.replace("5", "6")) == 0
        assert close.reopen(world.ctx, merchant.id, GLOBAL) == 1
        assert merchant.estado(sale_id) is Estado.ABIERTA


class TestTypedSales:
    def sale(self, total: str) -> bytes:
        line = {"description": "Libro", "quantity": 1, "total": total, "rate": "0"}
        return json.dumps(
            {
                "number": "T-1",
                "paid_at": "2026-11-20T10:00:00Z",
                "forma_pago": "01",
                "lines": [line],
            }
        ).encode()

    def test_an_invoiced_one_is_not_corrected(self, world: Any, merchant: Any) -> None:
        row = register.register(world.ctx, merchant.id, self.sale("100.00"))
        corrected = register.register(world.ctx, merchant.id, self.sale("120.00"))
        assert (corrected.id, corrected.sale.total) == (row.id, Decimal("120.00"))
        merchant.request(row.id)
        with pytest.raises(register.SaleTaken):
            register.register(world.ctx, merchant.id, self.sale("5000.00"))
        again = register.register(world.ctx, merchant.id, self.sale("120.00"))
        assert (again.id, again.sale.total) == (row.id, Decimal("120.00"))


class TestDoubtfulSales:
    def test_the_merchant_takes_it_as_it_is(self, world: Any, merchant: Any) -> None:
        sale_id = merchant.keep(doubts=("Los renglones no suman.",))
        assert waiting(world, merchant) == ["sale"]
        review.accept(world.ctx, merchant.id, sale_id)
        assert waiting(world, merchant) == []
        assert merchant.estado(sale_id) is Estado.ABIERTA
        merchant.request(sale_id)
        world.quiet()
        assert merchant.estado(sale_id) is Estado.LISTA

    def test_what_lacks_a_decision_is_not_waved_through(self, world: Any, merchant: Any) -> None:
        sale_id = merchant.keep(currency="USD")
        with pytest.raises(review.NotResolvable):
            review.accept(world.ctx, merchant.id, sale_id)
        assert merchant.estado(sale_id) is Estado.EN_REVISION
