"""Every rule the database enforces, broken on purpose with raw SQL, on both engines."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cfdi.cancelacion import Motivo
from hub.domain.placed import Basis, Share
from hub.domain.sale import Refund
from hub.domain.states import MOVES, State
from hub.store import guards
from hub.store.errors import Refused
from hub.store.guard_rules import APPEND_ONLY, INDEXES
from hub.store.invariants import violations
from hub.store.schema import Invoice

NOW = 1_795_000_000_000_000


class Undone(Exception):
    """Ends a transaction without a trace."""


def the_violations(world: Any) -> list[str]:
    with world.store.reading() as tx:
        return violations(tx)


def insert(world: Any, table: str, **values: object) -> None:
    columns = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join("?" for _ in values)
    world.sql(f'INSERT INTO "{table}" ({columns}) VALUES ({marks})', *values.values())


def claim_values(world: Any, sale_id: str, invoice_id: str | None, **changes: object) -> dict:
    return {
        "merchant_id": world.merchant_id,
        "id": world.clock.new_id(),
        "sale_id": sale_id,
        "part": 1,
        "parts": 1,
        "invoice_id": invoice_id,
        "global_uuid": None if invoice_id else "G-1",
        "opened_at": NOW,
        **changes,
    }


def document_values(world: Any, invoice_id: str, version: int, folio: str) -> dict:
    return {
        "merchant_id": world.merchant_id,
        "invoice_id": invoice_id,
        "version": version,
        "serie": "A",
        "folio": folio,
        "fecha": "2026-11-20T12:00:00",
        "total": 1,
        "xml_sealed": b"x",
        "sha256": "x",
        "sello": "x",
        "pac_account_id": world.account_id,
        "reference": "x",
        "sealed_at": NOW,
    }


def attempt_values(world: Any, invoice_id: str, number: int, version: int) -> dict:
    return {
        "merchant_id": world.merchant_id,
        "invoice_id": invoice_id,
        "number": number,
        "version": version,
        "worker": "w",
        "started_at": NOW,
    }


def stamp_values(world: Any, invoice_id: str, version: int, uuid: str) -> dict:
    return {
        "merchant_id": world.merchant_id,
        "invoice_id": invoice_id,
        "version": version,
        "uuid": uuid,
        "xml_sealed": b"x",
        "stamped_at": NOW,
        "sat_verified": False,
        "created_at": NOW,
    }


def move(world: Any, invoice_id: str, state: str) -> None:
    world.sql(
        "UPDATE invoice SET state = ? WHERE merchant_id = ? AND id = ?",
        state,
        world.merchant_id,
        invoice_id,
    )


def state_of(world: Any, invoice_id: str) -> str:
    return str(world.sql("SELECT state FROM invoice WHERE id = ?", invoice_id)[0][0])


class TestClaims:
    def test_a_second_open_claim_of_a_part(self, world: Any) -> None:
        sale_id = world.sale()
        world.invoice(sale_id)
        with pytest.raises(Refused):
            insert(world, "claim", **claim_values(world, sale_id, None))

    def test_other_parts(self, world: Any) -> None:
        sale_id = world.sale()
        world.invoice(sale_id)
        values = claim_values(world, sale_id, None, part=2, parts=2)
        with pytest.raises(Refused, match="same parts"):
            insert(world, "claim", **values)

    @pytest.mark.parametrize(("part", "parts"), [(0, 1), (2, 1), (-1, -1)])
    def test_a_part_that_there_is_not(self, world: Any, part: int, parts: int) -> None:
        with pytest.raises(Refused):
            insert(
                world, "claim", **claim_values(world, world.sale(), None, part=part, parts=parts)
            )

    def test_a_claim_of_both_or_of_nobody(self, world: Any) -> None:
        sale_id = world.sale()
        invoice_id = world.invoice(sale_id, claim=False)
        for holder in ({"global_uuid": "G"}, {"invoice_id": None}):
            values = {**claim_values(world, sale_id, invoice_id), **holder}
            with pytest.raises(Refused):
                insert(world, "claim", **values)

    @pytest.mark.parametrize(
        "change",
        [
            "part = 2, parts = 2",
            "parts = 3",
            "global_uuid = 'X', invoice_id = NULL",
            "opened_at = 1",
        ],
    )
    def test_a_claim_is_only_closed(self, world: Any, change: str) -> None:
        world.invoice(world.sale())
        with pytest.raises(Refused, match="only ever closed"):
            world.sql(f"UPDATE claim SET {change}")

    def test_a_claim_is_neither_reopened_nor_deleted(self, world: Any) -> None:
        world.invoice(world.sale())
        world.sql("UPDATE claim SET closed_at = 1")
        with pytest.raises(Refused, match="stays closed"):
            world.sql("UPDATE claim SET closed_at = NULL")
        with pytest.raises(Refused, match="never deleted"):
            world.sql("DELETE FROM claim")

    @pytest.mark.parametrize("outcome", [None, "unknown", "lost", "already", "stamped"])
    def test_a_claim_stays_while_the_document_may_exist(
        self, world: Any, outcome: str | None
    ) -> None:
        world.answered(outcome) if outcome else world.sending()
        with pytest.raises(Refused, match="may be in force"):
            world.sql("UPDATE claim SET closed_at = 1")

    def test_a_claim_stays_while_the_invoice_is_in_force(self, world: Any) -> None:
        invoice_id = world.stamped()
        with pytest.raises(Refused, match="may be in force"):
            world.sql("UPDATE claim SET closed_at = 1")
        move(world, invoice_id, "superseded")
        world.sql("UPDATE claim SET closed_at = 1")

    @pytest.mark.parametrize("outcome", ["never", "later"])
    def test_a_claim_is_free_after_a_sure_refusal(self, world: Any, outcome: str) -> None:
        world.answered(outcome)
        world.sql("UPDATE claim SET closed_at = 1")


class TestMoves:
    def attempted(self, world: Any, after: State) -> str:
        """What the database says to that move, which leaves no trace."""
        with pytest.raises((Refused, Undone)) as caught:
            self.attempt(world, after)
        return str(caught.value)

    def attempt(self, world: Any, after: State) -> None:
        with world.store.transaction() as tx:
            tx.session.engine.db.execute_sql(f"UPDATE invoice SET state = '{after}'")
            raise Undone

    @pytest.mark.parametrize("before", State)
    def test_the_database_knows_the_same_moves(self, world: Any, before: State) -> None:
        """From every state, reached through a moment without guards, every other one is tried."""
        invoice_id = world.invoice(world.sale())
        with world.store.transaction() as tx:
            db = tx.session.engine.db
            guards.drop(db)
            db.execute_sql(f"UPDATE invoice SET state = '{before}'")
            guards.install(db)
        for after in set(State) - {before}:
            answer = self.attempted(world, after)
            assert ("no such move" not in answer) == ((before, after) in MOVES)
        with pytest.raises(Refused, match="no such move"):
            move(world, invoice_id, "paid")

    def test_an_invoice_begins_as_requested(self, world: Any) -> None:
        world.invoice(world.sale())
        row = world.sql("SELECT * FROM invoice")[0]
        names = [field.column_name for field in Invoice._meta.sorted_fields]
        values = dict(zip(names, row, strict=True))
        with pytest.raises(Refused, match="begins as requested"):
            insert(world, "invoice", **{**values, "id": "other", "state": "sealed"})

    def test_an_invoice_is_never_deleted_nor_renamed(self, world: Any) -> None:
        world.invoice(world.sale())
        with pytest.raises(Refused):
            world.sql("DELETE FROM invoice")
        with pytest.raises(Refused, match="keeps its id"):
            world.sql("UPDATE invoice SET id = 'other'")

    def test_stamped_needs_a_stamp(self, world: Any) -> None:
        invoice_id = world.answered("stamped")
        with pytest.raises(Refused, match="without a stamp"):
            move(world, invoice_id, "stamped")

    def test_sealed_needs_a_document(self, world: Any) -> None:
        invoice_id = world.invoice(world.sale())
        with pytest.raises(Refused, match="sealed document"):
            move(world, invoice_id, "sealed")

    @pytest.mark.parametrize("outcome", [None, "unknown", "lost", "already", "stamped"])
    @pytest.mark.parametrize("after", ["rejected", "sealed"])
    def test_nothing_is_undone_that_may_be_stamped(
        self, world: Any, outcome: str | None, after: str
    ) -> None:
        invoice_id = world.answered(outcome) if outcome else world.sending()
        with pytest.raises(Refused, match="may have been stamped"):
            move(world, invoice_id, after)

    @pytest.mark.parametrize("outcome", ["unknown", "lost", "already", "stamped"])
    def test_a_review_does_not_undo_it_either(self, world: Any, outcome: str) -> None:
        invoice_id = world.answered(outcome)
        move(world, invoice_id, "review")
        for after in ("requested", "rejected"):
            with pytest.raises(Refused, match="may have been stamped"):
                move(world, invoice_id, after)

    @pytest.mark.parametrize("outcome", ["never", "later"])
    @pytest.mark.parametrize("after", ["rejected", "sealed"])
    def test_a_sure_refusal_lets_go(self, world: Any, outcome: str, after: str) -> None:
        invoice_id = world.answered(outcome)
        move(world, invoice_id, after)
        assert state_of(world, invoice_id) == after


class TestDocuments:
    @pytest.mark.parametrize("outcome", [None, "unknown", "lost", "already", "stamped"])
    def test_no_new_version_while_one_may_be_stamped(self, world: Any, outcome: str | None) -> None:
        invoice_id = world.answered(outcome) if outcome else world.sending()
        with pytest.raises(Refused, match="no new version"):
            insert(world, "document", **document_values(world, invoice_id, 2, "99"))

    def test_no_new_version_after_a_stamp(self, world: Any) -> None:
        invoice_id = world.stamped()
        with pytest.raises(Refused, match="no new version"):
            insert(world, "document", **document_values(world, invoice_id, 2, "99"))

    @pytest.mark.parametrize("outcome", ["never", "later"])
    def test_a_new_version_after_a_sure_refusal(self, world: Any, outcome: str) -> None:
        invoice_id = world.answered(outcome)
        insert(world, "document", **document_values(world, invoice_id, 2, "99"))

    @pytest.mark.parametrize("version", [0, 1, 3, -1])
    def test_versions_have_no_gaps(self, world: Any, version: int) -> None:
        invoice_id = world.sealed()
        with pytest.raises(Refused):
            insert(world, "document", **document_values(world, invoice_id, version, "99"))

    def test_a_folio_is_never_used_twice(self, world: Any) -> None:
        world.sealed()
        other = world.invoice(world.sale("7002"))
        with pytest.raises(Refused):
            insert(world, "document", **document_values(world, other, 1, "1"))


class TestAttempts:
    def test_only_the_newest_version_is_sent(self, world: Any) -> None:
        invoice_id = world.answered("never")
        insert(world, "document", **document_values(world, invoice_id, 2, "99"))
        with pytest.raises(Refused, match="newest version"):
            insert(world, "attempt", **attempt_values(world, invoice_id, 2, 1))
        insert(world, "attempt", **attempt_values(world, invoice_id, 2, 2))

    def test_a_stamped_document_is_not_sent(self, world: Any) -> None:
        invoice_id = world.stamped()
        with pytest.raises(Refused, match="not sent again"):
            insert(world, "attempt", **attempt_values(world, invoice_id, 2, 1))

    def test_nothing_is_sent_without_its_claim(self, world: Any) -> None:
        invoice_id = world.sealed()
        world.sql("UPDATE claim SET closed_at = 1")
        with pytest.raises(Refused, match="without the claim"):
            insert(world, "attempt", **attempt_values(world, invoice_id, 1, 1))

    def test_a_joint_invoice_needs_every_claim(self, world: Any) -> None:
        one, two = world.sale("1"), world.sale("2")
        invoice_id = world.invoice(one, two, claim=False)
        insert(world, "claim", **claim_values(world, one, invoice_id))
        insert(world, "document", **document_values(world, invoice_id, 1, "99"))
        with pytest.raises(Refused, match="without the claim"):
            insert(world, "attempt", **attempt_values(world, invoice_id, 1, 1))
        insert(world, "claim", **claim_values(world, two, invoice_id))
        insert(world, "attempt", **attempt_values(world, invoice_id, 1, 1))

    @pytest.mark.parametrize("number", [0, 1, 3])
    def test_attempts_have_no_gaps(self, world: Any, number: int) -> None:
        invoice_id = world.sending()
        with pytest.raises(Refused):
            insert(world, "attempt", **attempt_values(world, invoice_id, number, 1))

    def test_an_answer_is_a_known_word(self, world: Any) -> None:
        invoice_id = world.sending()
        with pytest.raises(Refused):
            insert(
                world,
                "answer",
                merchant_id=world.merchant_id,
                invoice_id=invoice_id,
                number=1,
                outcome="maybe",
                code="",
                raw_sealed=b"",
                answered_at=NOW,
            )


class TestStamps:
    def test_a_second_stamp(self, world: Any) -> None:
        invoice_id = world.stamped()
        with pytest.raises(Refused):
            insert(world, "stamp", **stamp_values(world, invoice_id, 1, "OTHER"))

    @pytest.mark.parametrize("uuid", ["9E1C", "9e1c"])
    def test_a_uuid_stands_once_in_the_whole_house(
        self, world: Any, make_world: Any, uuid: str
    ) -> None:
        world.stamped(uuid="9E1C")
        other = make_world()
        invoice_id = other.answered("stamped", "7002")
        with pytest.raises(Refused):
            insert(other, "stamp", **stamp_values(other, invoice_id, 1, uuid))

    def test_a_stamp_of_what_was_never_sent(self, world: Any) -> None:
        invoice_id = world.sealed()
        with pytest.raises(Refused, match="never sent"):
            insert(world, "stamp", **stamp_values(world, invoice_id, 1, "U"))


class TestDeclarations:
    def declare(self, world: Any, invoice_id: str) -> None:
        insert(
            world,
            "declaration",
            merchant_id=world.merchant_id,
            invoice_id=invoice_id,
            version=1,
            actor="staff",
            declared_at=NOW,
        )

    def test_only_in_review(self, world: Any) -> None:
        invoice_id = world.answered("unknown")
        with pytest.raises(Refused, match="in review"):
            self.declare(world, invoice_id)

    def test_never_against_a_stamp(self, world: Any) -> None:
        with pytest.raises(Refused):
            self.declare(world, world.stamped())

    def test_it_settles_the_doubt_and_ends_that_version(self, world: Any) -> None:
        invoice_id = world.answered("unknown")
        move(world, invoice_id, "review")
        self.declare(world, invoice_id)
        with pytest.raises(Refused, match="declared unstamped"):
            insert(world, "attempt", **attempt_values(world, invoice_id, 2, 1))
        move(world, invoice_id, "rejected")
        insert(world, "document", **document_values(world, invoice_id, 2, "99"))


def cancelling(world: Any, invoice_id: str) -> Any:
    """A cancellation whose request was sent."""
    with world.store.transaction() as tx:
        tenant = tx.tenant(world.merchant_id)
        motivo = Motivo.ERRORES_SIN_RELACION
        tenant.cancellations.ask(invoice_id, motivo, "", actor="staff", was=State.STAMPED)
        tenant.invoices.move(invoice_id, State.STAMPED, State.CANCELLING)
        wish = tenant.cancellations.current(invoice_id)
        tenant.cancellations.note(wish, "sent", "", b"<request/>")
    return wish


class TestCancellations:
    def wish(self, world: Any, invoice_id: str, **changes: object) -> None:
        values = {
            "merchant_id": world.merchant_id,
            "invoice_id": invoice_id,
            "number": 1,
            "motivo": "02",
            "substitute": "",
            "actor": "staff",
            "was": "stamped",
            "asked_at": NOW,
        }
        insert(world, "cancellation", **values | changes)

    def test_only_a_stamped_invoice_has_one(self, world: Any) -> None:
        with pytest.raises(Refused, match="only a stamped invoice"):
            self.wish(world, world.answered("later"))

    def test_there_is_one_at_a_time(self, world: Any) -> None:
        invoice_id = world.stamped()
        cancelling(world, invoice_id)
        with pytest.raises(Refused, match="is not being cancelled"):
            self.wish(world, invoice_id, number=2)

    @pytest.mark.parametrize(
        "changes", [{"number": 2}, {"number": 0}, {"motivo": "05"}, {"substitute": "X"}]
    )
    def test_what_it_says_makes_sense(self, world: Any, changes: dict[str, object]) -> None:
        with pytest.raises(Refused):
            self.wish(world, world.stamped(), **changes)

    def test_it_is_cancelled_by_sats_word_on_the_newest_wish_alone(self, world: Any) -> None:
        invoice_id = world.stamped()
        cancelling(world, invoice_id)
        with pytest.raises(Refused, match="before SAT says so"):
            move(world, invoice_id, "cancelled")
        move(world, invoice_id, "stamped")
        with world.store.transaction() as tx:
            tenant = tx.tenant(world.merchant_id)
            motivo = Motivo.NO_SE_LLEVO_A_CABO
            tenant.cancellations.ask(invoice_id, motivo, "", actor="x", was=State.STAMPED)
            tenant.invoices.move(invoice_id, State.STAMPED, State.CANCELLING)
            wish = tenant.cancellations.current(invoice_id)
            tenant.cancellations.note(wish, "ended", "Cancelado")
            tenant.invoices.move(invoice_id, State.CANCELLING, State.CANCELLED)
        assert the_violations(world) == []


@pytest.mark.parametrize("table", sorted(APPEND_ONLY))
class TestAppendOnly:
    @pytest.fixture
    def full(self, world: Any, make_sale: Any) -> Any:
        doubtful = world.answered("unknown", "7009")
        with world.store.transaction() as tx:
            sale = make_sale(refunds=(Refund("r0", Decimal("16.00")),))
            tenant = tx.tenant(world.merchant_id)
            tenant.credits.account_for(doubtful, 1, sale)
            share = Share(0, 1, Decimal("116.00"), Basis(Decimal("132.00"), {"r0": Decimal(16)}))
            of = tenant.invoices.get(doubtful).sale_ids[0]
            tenant.credits.account_for_share(doubtful, 1, of, share)
        move(world, doubtful, "review")
        TestDeclarations().declare(world, doubtful)
        cancelling(world, world.stamped())
        with world.store.transaction() as tx:
            erasures = tx.tenant(world.merchant_id).erasures
            assert erasures.audit(world.connection_id, "request", "access", sales=1)
        return world

    def test_no_update_no_delete(self, full: Any, table: str) -> None:
        before = full.sql(f'SELECT COUNT(*) FROM "{table}"')[0][0]
        assert before > 0
        with pytest.raises(Refused, match="only ever added"):
            full.sql(f'UPDATE "{table}" SET merchant_id = merchant_id')
        with pytest.raises(Refused, match="only ever added"):
            full.sql(f'DELETE FROM "{table}"')
        assert full.sql(f'SELECT COUNT(*) FROM "{table}"')[0][0] == before

    def test_no_replacing_and_no_emptying(self, full: Any, table: str, url: str) -> None:
        if url.startswith("sqlite"):
            with pytest.raises(Refused):
                full.sql(f'INSERT OR REPLACE INTO "{table}" SELECT * FROM "{table}"')
        else:
            with pytest.raises(Refused, match="never emptied"):
                full.sql(f'TRUNCATE "{table}" CASCADE')


class TestDoctor:
    def test_all_is_well(self, world: Any) -> None:
        world.stamped()
        world.sending("7002")
        world.answered("never", "7003")
        assert the_violations(world) == []

    @pytest.mark.parametrize("missing", ["trigger", "index"])
    def test_a_missing_guard_is_told(self, world: Any, missing: str, url: str) -> None:
        with world.store.transaction() as tx:
            db = tx.session.engine.db
            trigger, table = guards.triggers(db)[0]
            on = "" if url.startswith("sqlite") else f' ON "{table}"'
            name = trigger if missing == "trigger" else INDEXES[0][0]
            on = on if missing == "trigger" else ""
            db.execute_sql(f'DROP {missing} "{name}"{on}')
        assert the_violations(world) == [f"a guard of the database is missing: {name}"]

    @pytest.mark.parametrize(
        ("statements", "told"),
        [
            (["UPDATE invoice SET state = 'stamped'"], "counts as stamped without"),
            (["UPDATE invoice SET state = 'review'"], "not that of its last move"),
            (["DELETE FROM claim"], "does not hold its sale"),
            (["UPDATE transition SET before = 'cancelled' WHERE number = 2"], "there is not"),
            (
                [
                    (
                        "INSERT INTO claim SELECT merchant_id, 'x', sale_id, part, parts, "
                        "invoice_id, global_uuid, opened_at, closed_at FROM claim"
                    )
                ],
                "two open claims",
            ),
            (["DELETE FROM answer", "DELETE FROM attempt", "DELETE FROM document"], "on its way"),
            (
                [
                    (
                        "INSERT INTO document SELECT merchant_id, invoice_id, 2, serie, 'z', "
                        "fecha, total, xml_sealed, sha256, sello, pac_account_id, reference, "
                        "sealed_at FROM document"
                    )
                ],
                "sealed anew",
            ),
            (
                [
                    (
                        "INSERT INTO stamp (merchant_id, invoice_id, version, uuid, xml_sealed, "
                        "stamped_at, sat_verified, created_at) SELECT merchant_id, invoice_id, "
                        "version, 'U', xml_sealed, 1, active, 1 FROM document "
                        "JOIN (SELECT active FROM pac_account) x ON 1 = 1"
                    )
                ],
                "does not count as stamped",
            ),
        ],
    )
    def test_each_fault_is_found(self, world: Any, statements: list[str], told: str) -> None:
        """Let in through a moment without guards, as a restored file or a hand could."""
        world.sending()
        with world.store.transaction() as tx:
            db = tx.session.engine.db
            guards.drop(db)
            for statement in statements:
                db.execute_sql(statement)
        assert any(told in found for found in the_violations(world))

    def test_a_claim_lost_while_it_is_being_cancelled_is_found(self, world: Any) -> None:
        """It is in force until SAT says otherwise."""
        cancelling(world, world.stamped())
        assert the_violations(world) == []
        with world.store.transaction() as tx:
            guards.drop(tx.session.engine.db)
            tx.session.engine.db.execute_sql("DELETE FROM claim")
        assert any("does not hold its sale" in found for found in the_violations(world))
