"""One credit note a refund, never more than the invoice: what the database itself refuses."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hub.domain.sale import Refund
from hub.domain.states import State
from hub.store import guards
from hub.store.errors import Refused
from hub.store.invariants import violations
from hub.store.records import NOTE_ORIGIN


def note(world: Any, ingreso_id: str, key: str = "r1", total: str = "16.00", **changes: Any) -> str:
    """A note asked for, in one transaction as the steps do it."""
    with world.store.transaction() as tx:
        tenant = tx.tenant(world.merchant_id)
        ingreso = tenant.invoices.get(ingreso_id)
        made = tenant.invoices.create(
            sale_ids=ingreso.sale_ids,
            receptor=ingreso.receptor,
            origin=changes.get("origin", NOTE_ORIGIN),
            language="es",
            environment=changes.get("environment", "test"),
            total=Decimal(total),
            currency=changes.get("currency", "MXN"),
        )
        tenant.credits.open(
            made.id,
            ingreso_id=ingreso_id,
            sale_id=changes.get("sale_id", ingreso.sale_ids[0]),
            refund_key=key,
            total=Decimal(total),
            actor="hub",
        )
        return str(made.id)


def sealed(world: Any, note_id: str, total: str = "16.00") -> None:
    with world.store.transaction() as tx:
        tenant = tx.tenant(world.merchant_id)
        folio = tenant.invoices.next_folio("NC")
        tenant.invoices.seal(
            note_id,
            serie="NC",
            folio=str(folio),
            fecha=world.clock.now().replace(tzinfo=None),
            total=Decimal(total),
            xml=b"<cfdi/>",
            sha256=f"{folio:064d}",
            sello="c2VsbG8=",
            pac_account_id=world.account_id,
            reference=f"{folio:064d}",
        )
        tenant.invoices.move(note_id, State.REQUESTED, State.SEALED)


def sent(world: Any, note_id: str) -> None:
    with world.store.transaction() as tx:
        tenant = tx.tenant(world.merchant_id)
        tenant.invoices.move(note_id, State.SEALED, State.SENDING)
        tenant.invoices.start_attempt(note_id, 1, "w1")


def stamped(world: Any, note_id: str) -> None:
    with world.store.transaction() as tx:
        invoices = tx.tenant(world.merchant_id).invoices
        invoices.answer(invoices.attempts(note_id)[-1], "stamped", "", b"")
        now = world.clock.now()
        invoices.stamp(note_id, 1, f"U-{note_id}", b"<tfd/>", now, sat_verified=True)
        invoices.move(note_id, State.SENDING, State.STAMPED)


def release(world: Any, note_id: str, ended: str = "withdrawn") -> int:
    with world.store.transaction() as tx:
        return int(tx.tenant(world.merchant_id).credits.release(note_id, ended))


def wrong(world: Any) -> list[str]:
    with world.store.reading() as tx:
        return list(violations(tx))


class TestOneRefund:
    def test_has_one_open_note(self, world: Any) -> None:
        ingreso = world.stamped()
        first = note(world, ingreso)
        with pytest.raises(Refused):
            note(world, ingreso)
        note(world, ingreso, "r2")
        assert release(world, first) == 1
        note(world, ingreso)
        assert wrong(world) == []

    def test_the_invoice_accounts_for(self, world: Any, make_sale: Any) -> None:
        ingreso = world.stamped()
        with world.store.transaction() as tx:
            sale = make_sale(refunds=(Refund("r1", Decimal("1.00")),))
            tx.tenant(world.merchant_id).credits.account_for(ingreso, 1, sale)
        with pytest.raises(Refused, match="accounts for that refund"):
            note(world, ingreso)
        note(world, ingreso, "r2")

    def test_what_another_version_accounted_for_does_not_count(
        self, world: Any, make_sale: Any
    ) -> None:
        """The document was sealed anew without it: the stamped one is what counts."""
        ingreso = world.answered("later")
        with world.store.transaction() as tx:
            tenant = tx.tenant(world.merchant_id)
            sale = make_sale(refunds=(Refund("r1", Decimal("1.00")),))
            tenant.credits.account_for(ingreso, 1, sale)
            tenant.invoices.move(ingreso, State.SENDING, State.SEALED)
            tenant.invoices.move(ingreso, State.SEALED, State.REQUESTED)
            world.document(tenant, ingreso)
            tenant.credits.account_for(ingreso, 2, make_sale())
            tenant.invoices.move(ingreso, State.REQUESTED, State.SEALED)
            tenant.invoices.move(ingreso, State.SEALED, State.SENDING)
            attempt = tenant.invoices.start_attempt(ingreso, 2, "w1")
            tenant.invoices.answer(attempt, "stamped", "", b"")
            now = world.clock.now()
            tenant.invoices.stamp(ingreso, 2, "U", b"<tfd/>", now, sat_verified=True)
            tenant.invoices.move(ingreso, State.SENDING, State.STAMPED)
        with world.store.reading() as tx:
            assert tx.tenant(world.merchant_id).credits.basis(ingreso, 2).refunds == {}
        note(world, ingreso, "r1")


class TestItsInvoice:
    def test_is_stamped_and_no_note_itself(self, world: Any) -> None:
        with pytest.raises(Refused, match="only a stamped invoice"):
            note(world, world.sending("7002"))
        ingreso = world.stamped()
        credited = note(world, ingreso)
        sealed(world, credited)
        sent(world, credited)
        stamped(world, credited)
        with pytest.raises(Refused, match="only a stamped invoice"):
            note(world, credited, "r2", "1.00")

    def test_holds_the_sale(self, world: Any) -> None:
        ingreso, other = world.stamped(), world.sale("7002")
        with pytest.raises(Refused, match="holds the sale"):
            note(world, ingreso, sale_id=other)

    def test_is_never_exceeded(self, world: Any) -> None:
        ingreso = world.stamped()
        note(world, ingreso, "r1", "100.00")
        with pytest.raises(Refused, match="never make more"):
            note(world, ingreso, "r2", "16.01")
        note(world, ingreso, "r2", "16.00")
        with pytest.raises(Refused, match="never make more"):
            note(world, ingreso, "r3", "0.01")
        assert wrong(world) == []

    @pytest.mark.parametrize("total", ["0.00", "-1.00"])
    def test_a_note_of_nothing(self, world: Any, total: str) -> None:
        with pytest.raises(Refused):
            note(world, world.stamped(), total=total)

    def test_of_another_currency(self, world: Any) -> None:
        with pytest.raises(Refused, match="currency of its invoice"):
            note(world, world.stamped(), currency="USD")

    def test_only_a_row_made_for_a_refund(self, world: Any) -> None:
        with pytest.raises(Refused, match="made for a refund"):
            note(world, world.stamped(), origin="staff")


class TestItsDocument:
    def test_is_of_what_was_given_back(self, world: Any) -> None:
        credited = note(world, world.stamped())
        with pytest.raises(Refused, match="of what was given back"):
            sealed(world, credited, "16.01")

    def test_is_not_sent_without_its_refund(self, world: Any) -> None:
        credited = note(world, world.stamped())
        sealed(world, credited)
        release(world, credited)
        with pytest.raises(Refused, match="without its refund"):
            sent(world, credited)

    def test_is_not_sent_into_another_environment(self, world: Any) -> None:
        credited = note(world, world.stamped())
        sealed(world, credited)
        world.sql("UPDATE invoice SET environment = 'live' WHERE id = ?", credited)
        with pytest.raises(Refused, match="where its invoice was"):
            sent(world, credited)


class TestOnceOpen:
    @pytest.mark.parametrize("how", ["sent", "stamped"])
    def test_it_stays_while_it_may_be_in_force(self, world: Any, how: str) -> None:
        credited = note(world, world.stamped())
        sealed(world, credited)
        sent(world, credited)
        if how == "stamped":
            stamped(world, credited)
        with pytest.raises(Refused, match="may be in force"):
            release(world, credited)
        assert wrong(world) == []

    def test_it_is_only_ever_closed(self, world: Any) -> None:
        credited = note(world, world.stamped())
        for change in ("refund_key = 'x'", "total = 1", "actor = 'x'", "sale_id = 'x'"):
            with pytest.raises(Refused):
                world.sql(f"UPDATE credit_note SET {change}")
        with pytest.raises(Refused, match="never deleted"):
            world.sql("DELETE FROM credit_note")
        assert release(world, credited) == 1
        assert release(world, credited) == 0
        with pytest.raises(Refused, match="stays closed"):
            world.sql("UPDATE credit_note SET closed_at = NULL, ended = ''")

    def test_an_ended_one_says_how(self, world: Any) -> None:
        credited = note(world, world.stamped())
        with pytest.raises(Refused):
            release(world, credited, "lost interest")


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE credit_note SET refund_key = 'r1'", "two credit notes"),
        ("UPDATE credit_note SET total = 200000000", "make more than it"),
        ("UPDATE credit_note SET closed_at = 1, ended = 'withdrawn'", "stand for its refund"),
        ("UPDATE credit_note SET total = 1", "not of what was given back"),
        (
            "INSERT INTO basis_refund SELECT merchant_id, invoice_id, version, 'r1', 1 FROM basis",
            "accounts for a refund that has a credit note",
        ),
    ],
)
def test_doctor_finds_what_a_hand_did(
    world: Any, make_sale: Any, statement: str, told: str
) -> None:
    ingreso = world.stamped()
    with world.store.transaction() as tx:
        tx.tenant(world.merchant_id).credits.account_for(ingreso, 1, make_sale())
    credited = note(world, ingreso)
    note(world, ingreso, "r2", "1.00")
    sealed(world, credited)
    sent(world, credited)
    stamped(world, credited)
    assert wrong(world) == []
    with world.store.transaction() as tx:
        db = tx.session.engine.db
        guards.drop(db)
        db.execute_sql(statement)
    assert any(told in found for found in wrong(world))
