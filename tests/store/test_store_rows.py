"""What the repositories promise, row by row, on both engines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from cfdi.findings import Finding, FixableBy
from hub.domain.money import MoneyInvalid
from hub.domain.sale import Sale
from hub.domain.states import State
from hub.store.errors import Refused, RowUnknown
from hub.store.records import ReceptorData

DOUBT = Finding("no_tax", "lines.1", "Falta el impuesto", "No tax", FixableBy.MERCHANT)


@pytest.fixture
def keep(world: Any) -> Callable[..., Any]:
    def keep_one(sale: Sale, *, connection: bool = True, **changes: Any) -> Any:
        values = {"reasons": (), "verified_at": None, "platform": "shop", **changes}
        with world.store.transaction() as tx:
            return tx.tenant(world.merchant_id).sales.keep(
                connection_id=world.connection_id if connection else None, sale=sale, **values
            )

    return keep_one


def sale_row(world: Any, sale_id: str) -> Any:
    with world.store.reading() as tx:
        return tx.tenant(world.merchant_id).sales.get(sale_id)


class TestSales:
    def test_a_new_one_comes_back_as_it_was(self, world: Any, keep: Any, make_sale: Any) -> None:
        sale = make_sale()
        kept = keep(sale, reasons=(DOUBT,), verified_at=world.clock.now())
        row = sale_row(world, kept.id)
        assert (kept.created, kept.changed) == (True, True)
        assert row.sale == sale
        assert row.reasons == (DOUBT,)
        assert row.verified_at == row.created_at == world.clock.now()
        assert len(row.code) == 8

    def test_it_is_found_by_its_key(self, world: Any, keep: Any, make_sale: Any) -> None:
        kept = keep(make_sale())
        with world.store.reading() as tx:
            sales = tx.tenant(world.merchant_id).sales
            assert sales.by_key(world.connection_id, "7001").id == kept.id
            assert sales.by_key(None, "7001") is None
            assert sales.by_key(world.connection_id, "x") is None

    def test_a_smaller_revision_changes_nothing(
        self, world: Any, keep: Any, make_sale: Any
    ) -> None:
        kept = keep(make_sale(revision=5))
        again = keep(make_sale(revision=4, total=Decimal(1)), reasons=(DOUBT,))
        assert (again.id, again.created, again.changed) == (kept.id, False, False)
        row = sale_row(world, kept.id)
        assert row.sale.total == Decimal("116.00")
        assert row.reasons == ()

    def test_a_greater_revision_replaces(self, world: Any, keep: Any, make_sale: Any) -> None:
        kept = keep(make_sale(revision=5), reasons=(DOUBT,))
        assert keep(make_sale(revision=6, total=Decimal(1), unverified=True)).changed
        row = sale_row(world, kept.id)
        assert (row.sale.total, row.reasons) == (Decimal(1), ())

    def test_the_same_again_only_confirms(self, world: Any, keep: Any, make_sale: Any) -> None:
        kept = keep(make_sale())
        updated_at = sale_row(world, kept.id).updated_at
        world.clock.advance(60)
        assert not keep(make_sale(), verified_at=world.clock.now()).changed
        row = sale_row(world, kept.id)
        assert (row.updated_at, row.verified_at) == (updated_at, world.clock.now())

    @pytest.mark.parametrize(
        ("first", "second", "changed"),
        [
            ({}, {"total": Decimal(1)}, True),
            ({"unverified": True}, {"total": Decimal(1)}, True),
            ({"unverified": True}, {}, True),
            ({"unverified": True}, {"total": Decimal(1), "unverified": True}, True),
            ({}, {"total": Decimal(1), "unverified": True}, False),
            ({}, {"unverified": True}, False),
        ],
    )
    def test_the_same_revision_with_another_content(
        self, keep: Any, make_sale: Any, first: dict, second: dict, changed: bool
    ) -> None:
        keep(make_sale(**first))
        assert keep(make_sale(**second)).changed is changed

    def test_of_two_answers_of_one_second_the_one_asked_for_last_counts(
        self, world: Any, keep: Any, make_sale: Any
    ) -> None:
        """A slow answer from before a refund comes after the quick one that has it."""
        now = world.clock.now()
        kept = keep(make_sale(total=Decimal(100)), verified_at=now)
        late = keep(make_sale(total=Decimal(116)), verified_at=now - timedelta(seconds=2))
        assert not late.changed
        row = sale_row(world, kept.id)
        assert (row.sale.total, row.verified_at) == (Decimal(100), now)
        assert keep(make_sale(total=Decimal(90)), verified_at=now).changed
        assert keep(make_sale(total=Decimal(80)), verified_at=None).changed

    def test_one_row_a_connection_and_key(self, keep: Any, make_sale: Any, world: Any) -> None:
        """And of those without a connection one a key."""
        with_shop, without = keep(make_sale()), keep(make_sale(), connection=False)
        assert with_shop.id != without.id
        assert keep(make_sale(revision=2), connection=False).id == without.id
        for connection in ("connection_id", "NULL"):
            with pytest.raises(Refused):
                world.sql(
                    "INSERT INTO sale SELECT merchant_id, 'z', "
                    f"{connection}, platform, key, 'z', revision, snapshot_sealed, "
                    "reasons_sealed, in_review, invited_at, verified_at, created_at, updated_at "
                    "FROM sale WHERE connection_id IS NOT NULL"
                )

    def test_reasons_put_it_into_review_and_free_it(
        self, world: Any, keep: Any, make_sale: Any
    ) -> None:
        kept = keep(make_sale(), reasons=(DOUBT,))
        keep(make_sale("7002"))
        with world.store.transaction() as tx:
            sales = tx.tenant(world.merchant_id).sales
            assert [row.id for row in sales.in_review()] == [kept.id]
            sales.set_reasons(kept.id, ())
            assert sales.in_review() == []

    def test_only_one_invites(self, world: Any, keep: Any, make_sale: Any) -> None:
        kept = keep(make_sale())
        with world.store.transaction() as tx:
            sales = tx.tenant(world.merchant_id).sales
            at = world.clock.now()
            assert [sales.mark_invited(kept.id, at) for _ in range(3)] == [True, False, False]
            sales.touch_verified(kept.id, at)
            sales.touch_verified(kept.id, at - timedelta(days=1))
            assert sales.get(kept.id).verified_at == at

    def test_pages_are_complete_and_newest_first(
        self, world: Any, keep: Any, make_sale: Any
    ) -> None:
        ids = [keep(make_sale(str(number))).id for number in range(7)]
        seen: list[str] = []
        after = None
        with world.store.reading() as tx:
            while True:
                rows, after = tx.tenant(world.merchant_id).sales.list(limit=3, after=after)
                seen += [row.id for row in rows]
                if after is None:
                    break
        assert seen == ids[::-1]


class TestLinks:
    def test_one_in_force_and_only_that_opens(self, world: Any) -> None:
        sale_id = world.sale()
        with world.store.transaction() as tx:
            links = tx.tenant(world.merchant_id).links
            assert links.current(sale_id) is None
            first = links.make(sale_id)
            assert links.make(sale_id) == links.current(sale_id) == first
            second = links.renew(sale_id)
            assert (first.generation, second.generation) == (1, 2)
            assert tx.doors.link(first.token) is None
            assert tx.doors.link(second.token) == (world.merchant_id, sale_id, 0)

    @pytest.mark.parametrize("token", ["", "x", "ñ" * 43, "\x00", "' OR 1=1 --", "a" * 100_000])
    def test_a_wrong_token_opens_nothing(self, world: Any, token: str) -> None:
        with world.store.reading() as tx:
            assert tx.doors.link(token) is None


class TestClaims:
    def test_parts(self, world: Any) -> None:
        sale_id = world.sale()
        one, two = (world.invoice(sale_id, claim=False) for _ in range(2))
        with world.store.transaction() as tx:
            claims = tx.tenant(world.merchant_id).claims
            assert claims.open(sale_id, invoice_id=one, part=1, parts=2)
            assert not claims.open(sale_id, invoice_id=two, part=1, parts=2)
            assert not claims.open(sale_id, invoice_id=two, part=2, parts=3)
            assert not claims.open(sale_id, invoice_id=two)
            assert claims.open(sale_id, invoice_id=two, part=2, parts=2)
            assert [claim.part for claim in claims.of_sale(sale_id)] == [1, 2]
            assert claims.release(one) == 1
            assert claims.release(one) == 0
            assert [claim.invoice_id for claim in claims.of_sale(sale_id)] == [two]

    def test_a_global_made_elsewhere(self, world: Any) -> None:
        sale_id = world.sale()
        with world.store.transaction() as tx:
            tenant = tx.tenant(world.merchant_id)
            assert tenant.claims.open(sale_id, global_uuid="G-1")
            assert tenant.claims.of_sale(sale_id)[0].global_uuid == "G-1"
            assert tenant.invoices.for_sale(sale_id) is None

    def test_what_was_released_can_be_claimed_otherwise(self, world: Any) -> None:
        sale_id = world.sale()
        invoice_id = world.invoice(sale_id)
        with world.store.transaction() as tx:
            claims = tx.tenant(world.merchant_id).claims
            claims.release(invoice_id)
            assert claims.open(sale_id, global_uuid="G", part=2, parts=3)


class TestInvoices:
    def test_its_walk(self, world: Any) -> None:
        invoice_id = world.stamped(uuid="U-1")
        with world.store.reading() as tx:
            tenant = tx.tenant(world.merchant_id)
            invoice = tenant.invoices.get(invoice_id)
            assert (invoice.state, invoice.version, invoice.uuid) == (State.STAMPED, 1, "U-1")
            assert invoice.total == Decimal("116.00")
            assert invoice.receptor.correo == "canario@example.com"
            assert tenant.invoices.for_sale(invoice.sale_ids[0]) == invoice
            moves = [(m.before, m.after) for m in tenant.invoices.transitions(invoice_id)]
            assert moves == [
                (None, State.REQUESTED),
                (State.REQUESTED, State.SEALED),
                (State.SEALED, State.SENDING),
                (State.SENDING, State.STAMPED),
            ]
            (attempt,) = tenant.invoices.attempts(invoice_id)
            assert (attempt.outcome, attempt.answered_at) == ("stamped", world.clock.now())
            assert tenant.invoices.raw_answer(attempt) == b"raw-canary"
            document = tenant.invoices.document(invoice_id)
            assert document.fecha == datetime.fromisoformat("2026-11-20T12:00:01")
            assert document == tenant.invoices.document(invoice_id, 1)
            assert tenant.invoices.document(invoice_id, 2) is None
            assert tenant.invoices.stamp_of(invoice_id).xml == b"<tfd canary-stamped/>"

    def test_a_move_is_a_compare_and_swap(self, world: Any) -> None:
        invoice_id = world.sealed()
        with world.store.transaction() as tx:
            move = tx.tenant(world.merchant_id).invoices.move
            until = world.clock.now() + timedelta(minutes=2)
            assert not move(invoice_id, State.REQUESTED, State.SEALED)
            assert move(invoice_id, State.SEALED, State.SENDING, quiet_until=until)
            assert not move(invoice_id, State.SEALED, State.SENDING)
            assert not move("nobody", State.SEALED, State.SENDING)
        with world.store.reading() as tx:
            invoices = tx.tenant(world.merchant_id).invoices
            assert invoices.get(invoice_id).quiet_until == until
            assert len(invoices.transitions(invoice_id)) == 3

    def test_findings_stay_until_they_are_replaced(self, world: Any) -> None:
        invoice_id = world.invoice(world.sale())
        with world.store.transaction() as tx:
            invoices = tx.tenant(world.merchant_id).invoices
            invoices.move(invoice_id, State.REQUESTED, State.REJECTED, findings=[DOUBT])
            assert invoices.get(invoice_id).findings == (DOUBT,)
            invoices.move(invoice_id, State.REJECTED, State.REQUESTED)
            assert invoices.get(invoice_id).findings == (DOUBT,)
            invoices.move(invoice_id, State.REQUESTED, State.REVIEW, findings=())
            assert invoices.get(invoice_id).findings == ()

    def test_the_receiver_changes_only_before_it_is_sealed(self, world: Any) -> None:
        new = ReceptorData("XAXX010101000", "N", "01000", "616", "S01", "")
        invoice_id = world.invoice(world.sale())
        with world.store.transaction() as tx:
            invoices = tx.tenant(world.merchant_id).invoices
            invoices.set_receptor(invoice_id, new)
            assert invoices.get(invoice_id).receptor == new
        sealed = world.sealed("7002")
        with world.store.transaction() as tx, pytest.raises(Refused, match="on its way"):
            tx.tenant(world.merchant_id).invoices.set_receptor(sealed, new)

    def test_an_answer_counts_once(self, world: Any) -> None:
        invoice_id = world.answered("lost")
        with world.store.transaction() as tx:
            invoices = tx.tenant(world.merchant_id).invoices
            (attempt,) = invoices.attempts(invoice_id)
            assert not invoices.answer(attempt, "stamped", "", b"late")
            assert invoices.attempts(invoice_id)[0].outcome == "lost"
            invoices.stamp(invoice_id, 1, "U", b"x", world.clock.now(), True)
            assert invoices.move(invoice_id, State.SENDING, State.STAMPED)

    def test_a_folio_is_given_out_once(self, world: Any) -> None:
        with world.store.transaction() as tx:
            invoices = tx.tenant(world.merchant_id).invoices
            assert [invoices.next_folio("A") for _ in range(3)] == [1, 2, 3]
            assert invoices.next_folio("B") == 1
            # A series that goes on from another system never goes back.
            assert [invoices.next_folio("A", first=500) for _ in range(2)] == [500, 501]
            assert invoices.next_folio("A", first=2) == 502

    def test_a_list_by_state(self, world: Any) -> None:
        one, two = world.stamped("1", "U-1"), world.stamped("2", "U-2")
        world.sealed("3")
        with world.store.reading() as tx:
            invoices = tx.tenant(world.merchant_id).invoices
            assert [row.id for row in invoices.list(state=State.STAMPED)] == [two, one]
            assert [row.id for row in invoices.list(1, two, State.STAMPED)] == [one]
            assert invoices.count() == {State.STAMPED: 2, State.SEALED: 1}

    @pytest.mark.parametrize("total", ["1.0000001", "NaN", "1E+20"])
    def test_money_that_cannot_be_kept_is_refused(self, world: Any, total: str) -> None:
        sale_id = world.sale()
        with world.store.transaction() as tx, pytest.raises(MoneyInvalid):
            tx.tenant(world.merchant_id).invoices.create(
                sale_ids=[sale_id],
                receptor=ReceptorData("", "", "", "", "", ""),
                origin="buyer",
                language="es",
                environment="test",
                total=Decimal(total),
                currency="MXN",
            )


class TestConnections:
    def test_credentials_rotate_by_compare_and_swap(self, world: Any) -> None:
        with world.store.reading() as tx:
            credentials = tx.tenant(world.merchant_id).connections.credentials(world.connection_id)
        old = credentials.current()
        assert credentials.rotate(old, {"secret": "new"})
        assert not credentials.rotate(old, {"secret": "lost"})
        assert credentials.current() == {"secret": "new"}

    def test_credentials_inside_a_transaction_are_that_one(self, world: Any) -> None:
        with world.store.transaction() as tx:
            credentials = tx.tenant(world.merchant_id).connections.credentials(world.connection_id)
            assert credentials.rotate(credentials.current(), {"secret": "inside"})
        with world.store.reading() as tx:
            credentials = tx.tenant(world.merchant_id).connections.credentials(world.connection_id)
            with pytest.raises(Refused, match="writes nothing"):
                credentials.rotate(credentials.current(), {})
        assert credentials.current() == {"secret": "inside"}

    def test_its_marks_only_move_forward(self, world: Any) -> None:
        early, late = world.clock.now(), world.clock.now() + timedelta(hours=1)
        with world.store.transaction() as tx:
            connections = tx.tenant(world.merchant_id).connections
            for at in (late, early):
                connections.swept(world.connection_id, at)
                connections.delivered(world.connection_id, at)
            connections.set_problem(world.connection_id, "webhook disabled")
            row = connections.get(world.connection_id)
            assert (row.swept_until, row.last_delivery_at) == (late, late)
            assert row.problem == "webhook disabled"
            assert row.since == row.created_at
            assert tx.doors.connection(world.connection_id) == row
            assert tx.doors.connections() == connections.list() == [row]
            assert tx.doors.connection("x") is None

    def test_an_instant_without_a_zone_is_refused(self, world: Any) -> None:
        naive = datetime.fromisoformat("2026-11-20T12:00:00")
        with world.store.transaction() as tx, pytest.raises(ValueError, match="time zone"):
            tx.tenant(world.merchant_id).connections.swept(world.connection_id, naive)

    def test_instants_are_exact(self, world: Any) -> None:
        at = datetime(2026, 11, 20, 23, 59, 59, 999_999, tzinfo=UTC)
        with world.store.transaction() as tx:
            connections = tx.tenant(world.merchant_id).connections
            connections.swept(world.connection_id, at)
            assert connections.get(world.connection_id).swept_until == at


class TestInbox:
    def test_a_fact_is_filed_once(self, world: Any) -> None:
        filed = world.deliver("e1")
        assert world.deliver("e1") is None
        assert world.deliver("e2") is not None
        with world.store.transaction() as tx:
            inbox = tx.tenant(world.merchant_id).inbox
            row = inbox.get(filed)
            assert (row.body, row.snapshot) == (b"canary-body", b'{"canary": "snapshot"}')
            assert row.headers == {"x-header": "canary-header"}
            assert (row.state, row.gone, row.event) == ("filed", False, "order.created")
            inbox.done(filed)
            assert [one.id for one in inbox.list("done")] == [filed]
            inbox.dead(filed, "unreadable")
            assert [one.error for one in inbox.list("dead")] == ["unreadable"]
            inbox.reopen(filed)
            assert len(inbox.list("filed", limit=10)) == 2
            newest = inbox.list(limit=1)[0]
            assert [one.id for one in inbox.list(after=newest.id)] == [filed]


class TestSettings:
    def test_rules_keep_their_versions(self, world: Any) -> None:
        with world.store.transaction() as tx:
            rules = tx.tenant(world.merchant_id).rules
            assert rules.current() == ""
            assert [rules.set("a = 1"), rules.set("a = 2")] == [1, 2]
            assert rules.current() == "a = 2"

    def test_the_newest_valid_certificate_seals(self, world: Any) -> None:
        now, day = world.clock.now(), timedelta(days=1)
        with world.store.transaction() as tx:
            csd = tx.tenant(world.merchant_id).csd
            assert csd.active(now) is None
            for number, begin, end in [
                ("old", -9, 9),
                ("new", -1, 9),
                ("over", -9, -1),
                ("not yet", 1, 9),
            ]:
                csd.add(number, b"c", b"k", now + begin * day, now + end * day, "sat")
            assert csd.active(now).no_certificado == "new"
            assert csd.active(now).key_der == b"k"
            assert csd.active(now + 10 * day) is None
            assert len(csd.list()) == 4

    def test_the_last_pac_account_is_active_and_the_old_stay(self, world: Any) -> None:
        with world.store.transaction() as tx:
            pac = tx.tenant(world.merchant_id).pac
            old = pac.active()
            new = pac.set("sw", "live", {"token": "t"})
            assert pac.active() == new
            assert pac.get(old.id) == old
            assert pac.get("x") is None

    def test_no_such_merchant(self, world: Any) -> None:
        with world.store.reading() as tx:
            assert tx.merchants.get("x") is None
            with pytest.raises(RowUnknown):
                tx.tenant("x").merchant()
            assert tx.tenant(world.merchant_id).merchant() == tx.merchants.list()[0]


class TestMails:
    def test_tries_are_counted_until_sent(self, world: Any) -> None:
        with world.store.transaction() as tx:
            mails = tx.tenant(world.merchant_id).mails
            assert [mails.begin("k", "s", "m") for _ in range(2)] == [1, 2]
            mails.not_sent("k", "s", "m")
            assert mails.begin("k", "s", "m") == 2
            assert mails.begin("k", "s", "other") == 1
            assert not mails.was_sent("k", "s", "m")
            mails.sent("k", "s", "m", world.clock.now())
            assert mails.was_sent("k", "s", "m")
            assert not mails.was_sent("k", "s", "other")

    def test_at_most_ten_addresses(self, world: Any) -> None:
        invoice_id = world.stamped()
        with world.store.transaction() as tx:
            mails = tx.tenant(world.merchant_id).mails
            addresses = [f"a{number}@example.com" for number in range(10)]
            assert all(mails.ask(invoice_id, address, "es") for address in addresses)
            assert not mails.ask(invoice_id, "more@example.com", "es")
            first, again = (mails.ask(invoice_id, addresses[0], lang) for lang in ("es", "en"))
            assert first.id != again.id
            assert mails.copy(again.id) == again
            assert (again.address, again.language) == (addresses[0], "en")
            assert mails.copy("none") is None


class TestAsks:
    def test_one_open_request_a_kind(self, world: Any) -> None:
        sale_id = world.sale()
        with world.store.transaction() as tx:
            asks = tx.tenant(world.merchant_id).asks
            first = asks.create(sale_id, "late", {"rfc": "A"})
            again = asks.create(sale_id, "late", {"rfc": "B"})
            assert again == replace(first, form={"rfc": "B"})
            assert asks.of_sale(sale_id) == again
            assert asks.list() == [again]
            asks.resolve(first.id)
            assert asks.of_sale(sale_id) is None
            assert asks.list() == []
