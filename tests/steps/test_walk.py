"""Every step of the walk by itself: what it keeps, what it refuses, what it does twice."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cfdi import timbre
from cfdi.pac.contract import Unknown
from connectors.contract import CredentialsRefused, PlatformUnreachable, SignatureInvalid
from hub.domain.purchase import Estado
from hub.domain.sale import Buyer, PaymentState, Refund
from hub.domain.snapshot import to_json
from hub.domain.states import State
from hub.steps import answer, ask, close, deliver, ingest, look, request, review, seal, sweep
from hub.steps.context import PostRefused, PostUnavailable
from hub.steps.receive import Received
from hub.steps.review import NotResolvable
from hub.store import invoices

BUYER = "buyer-7001@example.com"
GLOBAL = "0B1C2D3E-0000-4000-8000-00000000AAAA"


def body(sale: Any) -> bytes:
    return to_json(sale).encode()


def row(merchant: Any, key: str = "7001") -> Any:
    return merchant.of(lambda tenant: tenant.sales.by_key(merchant.connection.id, key))


def inbox(merchant: Any) -> list[Any]:
    found: list[Any] = merchant.of(lambda tenant: tenant.inbox.list())
    return found


def without_api(merchant: Any) -> None:
    """Only the webhook's secret: the platform can never be asked."""
    keys = merchant.of(lambda tenant: tenant.connections.credentials(merchant.connection.id))
    assert keys.rotate(keys.current(), {"secret": "hush"})


def document_total(merchant: Any, sale_id: str) -> Decimal:
    invoice = merchant.invoice(sale_id)
    total: Decimal = merchant.of(lambda tenant: tenant.invoices.document(invoice.id)).total
    return total


class TestReceive:
    def test_filed_once(self, world: Any, merchant: Any, make_sale: Any) -> None:
        assert merchant.deliver(body(make_sale())) is Received.FILED
        assert merchant.deliver(body(make_sale())) is Received.DUPLICATE
        assert len(inbox(merchant)) == 1

    def test_what_asks_for_nothing(self, merchant: Any) -> None:
        assert merchant.deliver(b"hello") is Received.GREETING
        assert merchant.deliver(b"", event="useless") is Received.IGNORED
        assert inbox(merchant) == []

    def test_unsigned_leaves_no_trace(self, world: Any, merchant: Any) -> None:
        world.shop.authenticate = lambda *_: (_ for _ in ()).throw(SignatureInvalid("no"))
        with pytest.raises(SignatureInvalid):
            merchant.deliver(b"{}")
        assert inbox(merchant) == []

    def test_unreadable_is_set_aside_and_can_be_replayed_after_a_fix(
        self, world: Any, merchant: Any, make_sale: Any
    ) -> None:
        assert merchant.deliver(b"garbled", order="7001") is Received.FILED
        assert merchant.deliver(b"garbled", order="7001") is Received.DUPLICATE
        (filed,) = inbox(merchant)
        assert (filed.state, filed.order_id) == ("dead", "")
        world.shop.put(make_sale())
        read = type(world.shop).read

        def mended(delivery: Any) -> Any:
            return read(world.shop, replace(delivery, body=b""))

        world.shop.read = mended
        merchant.change(lambda tenant: tenant.inbox.reopen(filed.id))
        merchant.promise("ingest", filed.id, queue="ingest")
        world.drain("ingest")
        assert row(merchant).sale.key == "7001"
        assert inbox(merchant)[0].state == "done"

    def test_replayed_without_a_fix_it_is_set_aside_again(self, world: Any, merchant: Any) -> None:
        merchant.deliver(b"garbled")
        (filed,) = inbox(merchant)
        merchant.change(lambda tenant: tenant.inbox.reopen(filed.id))
        merchant.promise("ingest", filed.id, queue="ingest")
        world.drain("ingest")
        assert (inbox(merchant)[0].state, inbox(merchant)[0].error) == ("dead", "garbled")


class TestIngest:
    def test_the_platform_is_believed_not_the_delivery(
        self, world: Any, merchant: Any, make_sale: Any
    ) -> None:
        world.shop.put(make_sale())
        merchant.deliver(body(make_sale(total=Decimal(1))))
        world.drain("ingest")
        kept = row(merchant)
        assert (kept.sale.total, kept.sale.unverified) == (Decimal("116.00"), False)
        assert kept.verified_at == world.clock.now()

    @pytest.mark.parametrize(
        "away", [PlatformUnreachable("away"), CredentialsRefused("keys")], ids=["away", "keys"]
    )
    def test_while_it_is_away_the_copy_serves_and_is_asked_for_again(
        self, world: Any, merchant: Any, make_sale: Any, away: Exception
    ) -> None:
        world.shop.away = away
        merchant.deliver(body(make_sale()))
        world.drain("ingest")
        kept = row(merchant)
        assert kept.sale.unverified
        assert kept.verified_at is None
        world.shop.away = None
        world.shop.put(make_sale(total=Decimal("117.00")))
        world.clock.advance(ingest.RECHECK.total_seconds())
        world.drain("ingest")
        assert row(merchant).sale.total == Decimal("117.00")
        assert not row(merchant).sale.unverified

    def test_an_older_revision_changes_nothing(
        self, world: Any, merchant: Any, make_sale: Any
    ) -> None:
        merchant.keep(revision=5)
        merchant.keep(revision=4, payment_state=PaymentState.CANCELLED)
        assert row(merchant).sale.revision == 5

    def test_gone_and_back(self, world: Any, merchant: Any, make_sale: Any) -> None:
        sale_id = merchant.keep()
        del world.shop.orders["7001"]
        merchant.deliver(b"", event="gone")
        world.drain("ingest")
        assert merchant.estado(sale_id) is Estado.EN_REVISION
        assert merchant.request(sale_id).errors == (request.NOT_OPEN,)
        world.shop.put(make_sale())
        merchant.deliver(body(make_sale()), event="restored", key="e2")
        world.drain("ingest")
        assert merchant.estado(sale_id) is Estado.ABIERTA

    @pytest.mark.parametrize("api", [True, False])
    def test_gone_is_believed_when_the_platform_cannot_be_asked(
        self, world: Any, merchant: Any, api: bool
    ) -> None:
        sale_id = merchant.keep()
        if api:
            world.shop.away = CredentialsRefused("the keys were revoked")
        else:
            without_api(merchant)
        merchant.deliver(b"", event="gone")
        world.drain("ingest")
        assert merchant.estado(sale_id) is Estado.EN_REVISION

    def test_gone_before_it_was_ever_seen(self, world: Any, merchant: Any) -> None:
        merchant.deliver(b"", event="gone")
        world.drain("ingest")
        assert row(merchant) is None
        assert inbox(merchant)[0].state == "done"

    def test_what_makes_no_order_is_parked_with_a_word(self, world: Any, merchant: Any) -> None:
        without_api(merchant)
        merchant.deliver(b"{}")
        world.drain("ingest")
        assert inbox(merchant)[0].state == "dead"
        assert inbox(merchant)[0].error == "not an order"
        waits = review.waiting(world.ctx, merchant.id)
        assert [(one.kind, one.note) for one in waits] == [("delivery", "not an order")]

    @pytest.mark.parametrize(
        "changes",
        [
            {"payment_state": PaymentState.UNKNOWN},
            {"doubts": ("Los renglones no suman.",)},
            {"total": Decimal("116.05")},
        ],
    )
    def test_what_is_not_clear_waits_for_a_person(
        self, world: Any, merchant: Any, changes: dict[str, Any]
    ) -> None:
        sale_id = merchant.keep(invite=True, **changes)
        assert merchant.estado(sale_id) is Estado.EN_REVISION
        assert world.post.letters == []
        assert merchant.of(lambda tenant: tenant.links.current(sale_id)) is None


class TestInvite:
    def test_once(self, world: Any, merchant: Any) -> None:
        sale_id = merchant.keep(invite=True)
        merchant.promise("invite", sale_id, queue="mail")
        world.drain()
        merchant.keep(revision=2, status="completed", invite=True)
        (letter,) = world.post.letters
        assert letter.to == BUYER
        assert merchant.token(sale_id) in letter.text

    @pytest.mark.parametrize(
        "changes",
        [
            {"payment_state": PaymentState.PENDING},
            {"payment_state": PaymentState.CANCELLED},
            {"test": True},
            {"buyer": Buyer()},
        ],
    )
    def test_who_is_not_written_to(
        self, world: Any, merchant: Any, changes: dict[str, Any]
    ) -> None:
        merchant.keep(invite=True, **changes)
        assert world.post.letters == []

    def test_nobody_of_before_the_connection(self, world: Any, merchant: Any) -> None:
        old = merchant.connection.since - timedelta(seconds=1)
        world.shop.changed = [f"old-{n}" for n in range(20)]
        for key in world.shop.changed:
            merchant.keep(key, invite=True, paid_at=old, placed_at=old)
        sweep.sweep_all(world.ctx)
        world.drain()
        assert world.post.letters == []

    def test_nobody_of_more_days_ago_than_the_rules_say(self, world: Any, merchant: Any) -> None:
        merchant.change(
            lambda tenant: tenant.rules.set('[forma_pago]\ndefault="03"\n[invitaciones]\ndias=1\n')
        )
        paid = world.clock.now() - timedelta(days=1, seconds=1)
        merchant.keep("late", invite=True, paid_at=paid)
        merchant.keep("new", invite=True)
        assert [letter.to for letter in world.post.letters] == ["buyer-new@example.com"]

    def test_refused_for_good_is_not_tried_again(self, world: Any, merchant: Any) -> None:
        world.post.before = [PostRefused("no such mailbox")]
        merchant.keep(invite=True)
        world.quiet()
        assert world.post.letters == []
        assert row(merchant).invited_at is not None

    def test_a_server_that_is_away_gets_it_later(self, world: Any, merchant: Any) -> None:
        world.post.before = [PostUnavailable("away") for _ in range(5)]
        merchant.keep(invite=True)
        world.quiet()
        assert len(world.post.letters) == 1

    @pytest.mark.parametrize("crashes", [1, 2, 5])
    def test_after_a_crash_at_the_worst_moment_at_most_one_repeat(
        self, world: Any, merchant: Any, crashes: int
    ) -> None:
        """Whatever broke after the server had taken it: nobody knows that it had."""
        world.post.after = [RuntimeError("cut") for _ in range(crashes)]
        merchant.keep(invite=True)
        world.quiet()
        assert len(world.post.letters) == 2
        assert len({letter.message_id for letter in world.post.letters}) == 1


class TestRequest:
    def test_twice_is_once(self, world: Any, merchant: Any, other_form: Any) -> None:
        sale_id = merchant.keep()
        first, again = merchant.request(sale_id), merchant.request(sale_id, other_form)
        assert first.invoice_id == again.invoice_id
        assert merchant.invoice(sale_id).receptor.rfc == "CACX7605101P8"

    def test_from_eight_windows_at_once(self, world: Any, merchant: Any) -> None:
        sale_id = merchant.keep()
        token = merchant.token(sale_id)
        start, found = threading.Barrier(8), []

        def press(form: Any) -> None:
            start.wait()
            found.append(request.request(world.ctx, token, form, "es").invoice_id)

        from_conftest = merchant.request.__func__.__defaults__[0]
        threads = [threading.Thread(target=press, args=(from_conftest,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 8
        assert len(set(found)) == 1
        world.quiet()
        assert len(world.provider.stamps()) == 1

    def test_no_such_link(self, world: Any, form: Any) -> None:
        assert request.request(world.ctx, "x" * 43, form, "es") is None
        assert look.purchase(world.ctx, "x" * 43) is None

    def test_after_the_deadline_only_staff(self, world: Any, merchant: Any, form: Any) -> None:
        sale_id = merchant.keep()
        world.clock.advance(40 * 86400)
        assert merchant.estado(sale_id) is Estado.VENCIDA
        assert merchant.request(sale_id).errors == (request.NOT_OPEN,)
        issued = request.issue(world.ctx, merchant.id, sale_id, form, actor="staff")
        assert issued is not None
        assert issued.errors == ()
        assert merchant.invoice(sale_id).origin == "staff"

    def test_staff_are_told_that_theirs_was_not_taken(
        self, world: Any, merchant: Any, form: Any, other_form: Any
    ) -> None:
        sale_id = merchant.keep()
        merchant.request(sale_id)
        same = request.issue(world.ctx, merchant.id, sale_id, form, actor="staff")
        other = request.issue(world.ctx, merchant.id, sale_id, other_form, actor="staff")
        assert (same.errors, other.errors) == ((), (request.TAKEN,))
        assert request.issue(world.ctx, merchant.id, "no", form, actor="staff") is None

    def test_rejected_then_corrected(self, world: Any, merchant: Any, form: Any) -> None:
        sale_id = merchant.keep()
        merchant.request(sale_id, replace(form, nombre="XOCHILT CASAS CHAVES"))
        world.drain()
        page = merchant.page(sale_id)
        assert page.estado is Estado.RECHAZADA
        assert [error.campo for error in page.errors] == ["nombre"]
        assert page.form.nombre == "XOCHILT CASAS CHAVES"
        merchant.request(sale_id)
        assert merchant.estado(sale_id) is Estado.PROCESANDO
        world.drain("stamp", rows=1)
        assert merchant.estado(sale_id) is Estado.PROCESANDO
        world.quiet()
        assert merchant.estado(sale_id) is Estado.LISTA
        assert len(world.provider.stamps()) == 1

    def test_a_guesser_has_to_wait(self, world: Any, merchant: Any, form: Any) -> None:
        sale_id = merchant.keep()
        world.provider.fault("reject:CFDI40145", 100)
        errors = []
        for _ in range(request.CHANGES_PER_HOUR + 1):
            errors.append(merchant.request(sale_id).errors)
            world.drain()
        assert errors == [()] * request.CHANGES_PER_HOUR + [(request.TOO_MANY,)]
        world.clock.advance(3601)
        assert merchant.request(sale_id).errors == ()

    def test_a_use_that_the_merchant_does_not_want(self, world: Any, merchant: Any) -> None:
        merchant.change(lambda tenant: tenant.rules.set('[usos]\npermitidos = ["S01"]\n'))
        sale_id = merchant.keep()
        assert [error.campo for error in merchant.request(sale_id).errors] == ["uso"]

    @pytest.mark.parametrize(
        "changes", [{"rfc": ""}, {"cp": "00000"}, {"correo": "x@"}, {"nombre": "A" * 100_000}]
    )
    def test_wrong_data_claim_nothing(
        self, merchant: Any, form: Any, changes: dict[str, str]
    ) -> None:
        sale_id = merchant.keep()
        done = merchant.request(sale_id, replace(form, **changes))
        assert done.invoice_id is None
        assert done.errors
        assert merchant.estado(sale_id) is Estado.ABIERTA


class TestSeal:
    def asked(self, merchant: Any) -> str:
        sale_id: str = merchant.keep()
        assert merchant.request(sale_id).errors == ()
        return sale_id

    def codes(self, merchant: Any, sale_id: str) -> list[str]:
        invoice = merchant.invoice(sale_id)
        assert invoice.state is State.REVIEW
        assert invoice.version == 0
        return [finding.code for finding in invoice.findings]

    def test_without_a_valid_certificate(self, world: Any, merchant: Any) -> None:
        sale_id = self.asked(merchant)
        world.clock.advance(5 * 366 * 86400)
        world.drain("stamp")
        assert self.codes(merchant, sale_id) == ["no_csd"]

    def test_a_test_certificate_or_sale_never_goes_live(
        self, world: Any, merchant: Any, put_csd: Any, csds: Any
    ) -> None:
        merchant.set_pac("live")
        assert self.codes_after(world, merchant, "a") == ["test_csd_on_live"]
        later = world.clock.now() - timedelta(hours=1)
        merchant.change(
            lambda tenant: put_csd(tenant, csds["EKU9003173C9"], "sat", not_before=later)
        )
        assert self.codes_after(world, merchant, "b", test=True) == ["test_sale_on_live"]

    def codes_after(self, world: Any, merchant: Any, key: str, **changes: Any) -> list[str]:
        sale_id = merchant.keep(key, **changes)
        merchant.request(sale_id)
        world.drain("stamp")
        return self.codes(merchant, sale_id)

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"payment_state": PaymentState.CANCELLED}, "not_invoiceable"),
            ({"payment_state": PaymentState.REFUNDED}, "sale_doubtful"),
            ({"refunds": (Refund("r", Decimal("116.00")),)}, "not_invoiceable"),
            ({"doubts": ("¿Qué es esto?",)}, "sale_doubtful"),
            ({"total": Decimal("116.05")}, "no_exact_document"),
        ],
    )
    def test_a_sale_that_changed_meanwhile(
        self, world: Any, merchant: Any, changes: dict[str, Any], code: str
    ) -> None:
        sale_id = self.asked(merchant)
        merchant.keep(revision=2, **changes)
        world.quiet()
        assert self.codes(merchant, sale_id) == [code]
        assert world.provider.stamps() == []

    def test_a_part_paid_back_meanwhile_is_not_invoiced(self, world: Any, merchant: Any) -> None:
        """Nor is the rest before the buyer has seen it: the page shows the amounts of now."""
        sale_id = self.asked(merchant)
        merchant.keep(revision=2, refunds=(Refund("r", Decimal("16.00")),))
        world.quiet()
        assert merchant.state(sale_id) is State.REJECTED
        page = merchant.page(sale_id)
        assert (page.estado, page.total) == (Estado.RECHAZADA, Decimal(100))
        assert [error.codigo for error in page.errors] == ["amounts_changed"]
        merchant.request(sale_id)
        world.quiet()
        assert merchant.state(sale_id) is State.STAMPED
        assert world.provider.stamps()[0]["total"] == "100.00"
        assert document_total(merchant, sale_id) == merchant.page(sale_id).total == Decimal(100)

    def test_a_sale_that_changes_in_the_middle_of_sealing(
        self, world: Any, merchant: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sale_id, composed = self.asked(merchant), seal._composed
        once = iter([True])

        def slow(*args: Any) -> Any:
            made = composed(*args)
            if next(once, False):
                merchant.keep(revision=2, refunds=(Refund("r", Decimal("16.00")),))
            return made

        monkeypatch.setattr(seal, "_composed", slow)
        world.quiet()
        assert merchant.invoice(sale_id).version == 0
        assert [one.codigo for one in merchant.page(sale_id).errors] == ["amounts_changed"]
        merchant.request(sale_id)
        world.quiet()
        assert world.provider.stamps()[0]["total"] == "100.00"
        assert merchant.invoice(sale_id).version == 1

    def test_rules_changed_meanwhile(self, world: Any, merchant: Any) -> None:
        sale_id = merchant.keep(payments=())
        merchant.request(sale_id)
        merchant.change(lambda tenant: tenant.rules.set(""))
        world.quiet()
        assert self.codes(merchant, sale_id) == ["forma_pago_missing"]
        review.set_rules(world.ctx, merchant.id, '[forma_pago]\ndefault = "01"\n')
        review.retry(world.ctx, merchant.id, merchant.invoice(sale_id).id)
        world.quiet()
        assert merchant.state(sale_id) is State.STAMPED

    def test_gone_live_between_request_and_seal(
        self, world: Any, merchant: Any, put_csd: Any, csds: Any
    ) -> None:
        """What counts is the account it was sealed for, not that of the day it was asked for."""
        sale_id = self.asked(merchant)
        merchant.set_pac("live")
        later = world.clock.now() - timedelta(hours=1)
        merchant.change(
            lambda tenant: put_csd(tenant, csds["EKU9003173C9"], "sat", not_before=later)
        )
        assert merchant.page(sale_id).sandbox
        world.quiet()
        assert merchant.invoice(sale_id).environment == "live"
        assert not merchant.page(sale_id).sandbox


class TestDeliver:
    def done(self, world: Any, merchant: Any, **changes: str) -> str:
        sale_id: str = merchant.keep()
        form = replace(merchant.request.__func__.__defaults__[0], **changes)
        merchant.request(sale_id, form)
        world.quiet()
        assert merchant.estado(sale_id) is Estado.LISTA
        return sale_id

    def test_once_with_both_documents(self, world: Any, merchant: Any) -> None:
        sale_id = self.done(world, merchant)
        merchant.promise("deliver", merchant.invoice(sale_id).id, queue="mail")
        world.quiet()
        (letter,) = world.post.to("xochilt@example.com")
        xml, pdf = letter.attachments
        assert timbre.read(xml.content).uuid == merchant.page(sale_id).uuid
        assert pdf.content.startswith(b"%PDF")

    def test_without_an_address_the_link_serves(self, world: Any, merchant: Any) -> None:
        sale_id = self.done(world, merchant, correo="")
        assert world.post.letters == []
        assert look.stamped(world.ctx, merchant.token(sale_id)) is not None

    def test_copies(self, world: Any, merchant: Any) -> None:
        sale_id = self.done(world, merchant, correo="")
        token = merchant.token(sale_id)
        for language in ("es", "es", "en"):
            assert deliver.send_again(world.ctx, token, "copia@example.com", language) is None
            world.quiet()
        first, again, english = world.post.to("copia@example.com")
        assert (first.subject, first.text) == (again.subject, again.text)
        assert english.subject != first.subject
        assert len({letter.message_id for letter in (first, again, english)}) == 3
        for number in range(9):
            assert deliver.send_again(world.ctx, token, f"c{number}@example.com", "es") is None
        refused = deliver.send_again(world.ctx, token, "onceavo@example.com", "es")
        assert refused is deliver.TOO_MANY_ADDRESSES
        wrong = deliver.send_again(world.ctx, token, "a\nBcc: b@example.com", "es")
        assert wrong is not None
        world.quiet()
        assert len(world.post.letters) == 12

    def test_a_copy_is_sent_once_each_time_it_is_asked_for(self, world: Any, merchant: Any) -> None:
        """One address that the server does not take now holds up no other."""
        token = merchant.token(self.done(world, merchant, correo=""))
        world.post.before = [PostUnavailable("greylisted")]
        for address in ("first@example.com", "second@example.com"):
            assert deliver.send_again(world.ctx, token, address, "es") is None
        world.drain()
        assert [letter.to for letter in world.post.letters] == ["second@example.com"]
        world.post.after = [RuntimeError("cut")]
        world.quiet()
        first = world.post.to("first@example.com")
        assert [letter.message_id for letter in first] == [first[0].message_id] * 2

    def test_nothing_to_send_yet(self, world: Any, merchant: Any) -> None:
        sale_id = merchant.keep()
        again = deliver.send_again(world.ctx, merchant.token(sale_id), "a@example.com", "es")
        assert again is deliver.NO_INVOICE


class TestClose:
    def test_what_stands_in_a_global_is_never_invoiced(
        self, world: Any, merchant: Any, form: Any
    ) -> None:
        open_id, invoiced = merchant.keep("a"), merchant.keep("b")
        merchant.request(invoiced)
        now = world.clock.now()
        tickets = close.open_tickets(world.ctx, merchant.id, None, None)
        assert [one.rows[0].id for one in tickets] == [open_id]
        assert close.close(world.ctx, merchant.id, now, GLOBAL) == close.Closed(1, 1)
        assert close.close(world.ctx, merchant.id, now, GLOBAL) == close.Closed(0, 1)
        assert merchant.estado(open_id) is Estado.EN_GLOBAL
        for actor in ("buyer", "staff"):
            done = request.issue(world.ctx, merchant.id, open_id, form, actor=actor)
            assert done is not None
            assert done.errors == (request.TAKEN,)
        assert close.open_tickets(world.ctx, merchant.id, None, None) == []

    def test_a_rejected_one_is_released_for_good(self, world: Any, merchant: Any) -> None:
        sale_id = merchant.keep()
        world.provider.fault("reject:CFDI40145")
        merchant.request(sale_id)
        world.drain()
        invoice_id = merchant.invoice(sale_id).id
        assert close.close(world.ctx, merchant.id, world.clock.now(), GLOBAL).marked == 1
        with pytest.raises(NotResolvable, match="global"):
            review.retry(world.ctx, merchant.id, invoice_id)
        world.quiet()
        assert world.provider.stamps() == []

    def test_one_in_doubt_is_left_alone(self, world: Any, merchant: Any) -> None:
        sale_id = merchant.keep()
        world.pac(merchant.account).instead.append(lambda *_: Unknown("no answer"))
        merchant.request(sale_id)
        world.drain()
        assert close.close(world.ctx, merchant.id, world.clock.now(), GLOBAL).marked == 0
        world.quiet()
        assert merchant.estado(sale_id) is Estado.LISTA

    def test_a_test_sale_is_no_income(self, world: Any, merchant: Any) -> None:
        merchant.keep(test=True)
        assert close.open_tickets(world.ctx, merchant.id, None, None) == []
        assert close.close(world.ctx, merchant.id, world.clock.now(), GLOBAL).marked == 0

    def test_a_race_with_the_buyer_has_one_winner(self, world: Any, merchant: Any) -> None:
        sales = [merchant.keep(f"r{number}") for number in range(12)]
        start = threading.Barrier(2)

        def closing() -> None:
            start.wait()
            close.close(world.ctx, merchant.id, world.clock.now(), GLOBAL)

        thread = threading.Thread(target=closing)
        thread.start()
        start.wait()
        done = [merchant.request(sale_id) for sale_id in reversed(sales)]
        thread.join()
        for sale_id, one in zip(reversed(sales), done, strict=True):
            held = merchant.of(lambda tenant, s=sale_id: tenant.claims.of_sale(s))
            assert len(held) == 1
            assert (one.invoice_id is None) == (held[0].global_uuid == GLOBAL)


class TestReview:
    def doubtful(self, world: Any, merchant: Any) -> tuple[str, str]:
        """Stamped at the provider, which the hub does not know and cannot find out."""
        sale_id = merchant.keep()
        world.provider.fault("drop_after")
        merchant.request(sale_id)
        world.drain()
        world.clock.advance(72 * 3600)
        world.quiet()
        assert merchant.estado(sale_id) is Estado.EN_REVISION
        return sale_id, merchant.invoice(sale_id).id

    def test_it_is_listed(self, world: Any, merchant: Any) -> None:
        sale_id, _ = self.doubtful(world, merchant)
        merchant.keep("d", doubts=("¿?",))
        ask.ask(world.ctx, merchant.token(sale_id), {"mensaje": "¿Y mi factura?"})
        kinds = {(one.kind, one.number) for one in review.waiting(world.ctx, merchant.id)}
        assert kinds == {("invoice", "7001"), ("sale", "d"), ("ask", "7001")}

    def test_found(self, world: Any, merchant: Any) -> None:
        sale_id, invoice_id = self.doubtful(world, merchant)
        xml = world.provider.app._memory.records()[0].cfdi.encode()
        uuid = review.found(world.ctx, merchant.id, invoice_id, xml)
        world.quiet()
        assert merchant.page(sale_id).uuid == uuid
        with pytest.raises(NotResolvable):
            review.found(world.ctx, merchant.id, invoice_id, xml)

    def test_asked_again(self, world: Any, merchant: Any) -> None:
        sale_id, invoice_id = self.doubtful(world, merchant)
        review.ask_again(world.ctx, merchant.id, invoice_id)
        world.quiet()
        assert merchant.estado(sale_id) is Estado.LISTA
        assert len(world.provider.stamps()) == 1

    def test_never_stamped(self, world: Any, merchant: Any) -> None:
        sale_id = merchant.keep()
        world.provider.fault("drop_before")
        merchant.request(sale_id)
        world.drain()
        world.clock.advance(72 * 3600)
        world.quiet()
        invoice_id = merchant.invoice(sale_id).id
        with pytest.raises(NotResolvable, match="may have been stamped"):
            review.retry(world.ctx, merchant.id, invoice_id)
        review.not_stamped(world.ctx, merchant.id, invoice_id, actor="staff")
        merchant.request(sale_id)
        world.quiet()
        assert merchant.invoice(sale_id).version == 2
        assert len(world.provider.stamps()) == 1

    def test_what_was_refused_is_never_asked_again_with_its_old_data(
        self, world: Any, merchant: Any, other_form: Any
    ) -> None:
        """The first document is refused; the second cannot be built; the first must not return."""
        sale_id = merchant.keep()
        world.provider.fault("reject:CFDI40145")
        merchant.request(sale_id)
        world.drain()
        merchant.request(sale_id, other_form)
        merchant.keep(revision=2, doubts=("¿?",))
        world.quiet()
        invoice = merchant.invoice(sale_id)
        assert (invoice.state, invoice.version) == (State.REVIEW, 1)
        with pytest.raises(NotResolvable):
            review.ask_again(world.ctx, merchant.id, invoice.id)
        merchant.promise("ask_again", invoice.id)
        world.quiet()
        assert world.provider.stamps() == []

    def test_only_what_is_in_review(self, world: Any, merchant: Any) -> None:
        sale_id = merchant.keep()
        merchant.request(sale_id)
        invoice_id = merchant.invoice(sale_id).id
        for tried in (
            lambda: review.retry(world.ctx, merchant.id, invoice_id),
            lambda: review.ask_again(world.ctx, merchant.id, invoice_id),
            lambda: review.found(world.ctx, merchant.id, invoice_id, b"<x/>"),
            lambda: review.not_stamped(world.ctx, merchant.id, invoice_id, actor="staff"),
            lambda: review.retry(world.ctx, merchant.id, "no such"),
        ):
            with pytest.raises(NotResolvable):
                tried()
        assert merchant.state(sale_id) is State.REQUESTED

    def test_rules_free_what_waited_for_them(self, world: Any, merchant: Any) -> None:
        merchant.change(lambda tenant: tenant.rules.set(""))
        sale_id = merchant.keep(payments=())
        assert merchant.estado(sale_id) is Estado.EN_REVISION
        freed = review.set_rules(world.ctx, merchant.id, '[forma_pago]\ndefault = "01"\n')
        assert freed == 1
        world.drain()
        assert len(world.post.to(BUYER)) == 1

    def test_and_judge_the_sale_as_it_is_now(
        self, world: Any, merchant: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A doubtful snapshot comes while the old one is being looked at."""
        merchant.change(lambda tenant: tenant.rules.set(""))
        sale_id = merchant.keep(payments=())
        once = iter([True])
        judge = review.compose_reasons

        def slow(*args: Any) -> Any:
            found = judge(*args)
            if next(once, False):
                merchant.keep(revision=2, payments=(), doubts=("¿?",))
            return found

        monkeypatch.setattr(review, "compose_reasons", slow)
        review.set_rules(world.ctx, merchant.id, '[forma_pago]\ndefault = "01"\n')
        assert merchant.estado(sale_id) is Estado.EN_REVISION


class TestAsk:
    def test_only_where_the_page_cannot_help(self, world: Any, merchant: Any) -> None:
        sale_id = merchant.keep()
        token = merchant.token(sale_id)
        assert ask.ask(world.ctx, token, {}) is ask.NOT_HERE
        assert ask.ask(world.ctx, "x", {}) is ask.NOT_HERE
        world.clock.advance(40 * 86400)
        too_long = ask.ask(world.ctx, token, {"mensaje": "x" * 1001})
        assert too_long is not None
        assert too_long.campo == "mensaje"
        assert ask.ask(world.ctx, token, {"mensaje": "uno"}) is None
        assert ask.ask(world.ctx, token, {"mensaje": "dos"}) is None
        (waiting,) = merchant.of(lambda tenant: tenant.asks.list())
        assert waiting.form["mensaje"] == "uno"
        assert merchant.page(sale_id).asked_at is not None
        answer.resolve(world.ctx, merchant.id, waiting.id, "done")
        assert review.waiting(world.ctx, merchant.id) == []


class TestLook:
    def test_every_estado_on_the_way(self, world: Any, merchant: Any) -> None:
        sale_id = merchant.keep()
        seen = [merchant.estado(sale_id)]
        world.provider.fault("402")
        world.provider.fault("drop_after")
        merchant.request(sale_id)
        seen.append(merchant.estado(sale_id))
        for _ in range(2):
            world.drain()
            seen.append(merchant.estado(sale_id))
            world.clock.advance(5)
        world.quiet()
        seen.append(merchant.estado(sale_id))
        assert seen == [
            Estado.ABIERTA,
            Estado.PROCESANDO,
            Estado.POR_CONFIRMAR,
            Estado.POR_CONFIRMAR,
            Estado.LISTA,
        ]

    def test_the_holder_downloads_after_the_deadline_and_whatever_the_sale_became(
        self, world: Any, merchant: Any
    ) -> None:
        sale_id = merchant.keep()
        merchant.request(sale_id)
        world.quiet()
        merchant.keep(revision=2, payment_state=PaymentState.REFUNDED)
        world.clock.advance(400 * 86400)
        assert merchant.estado(sale_id) is Estado.LISTA
        assert look.stamped(world.ctx, merchant.token(sale_id)) is not None


class TestSweep:
    def test_what_no_delivery_told(self, world: Any, merchant: Any, make_sale: Any) -> None:
        world.shop.put(make_sale("missed"))
        world.shop.changed = ["missed"]
        started = world.clock.now()
        sweep.sweep_all(world.ctx)
        world.drain()
        assert row(merchant, "missed") is not None
        world.clock.advance(600)
        sweep.sweep_all(world.ctx)
        world.drain()
        assert world.shop.asked_since == [merchant.connection.since, started - sweep.OVERLAP]

    def test_a_platform_that_is_away_is_asked_from_the_same_instant(
        self, world: Any, merchant: Any
    ) -> None:
        world.shop.away = PlatformUnreachable("away")
        sweep.sweep_all(world.ctx)
        world.drain()
        world.shop.away = None
        world.quiet()
        assert world.shop.asked_since == [merchant.connection.since]

    def test_refused_keys_are_told_and_untold(self, world: Any, merchant: Any) -> None:
        for away, problem in ((CredentialsRefused("renew the keys"), "renew the keys"), (None, "")):
            world.shop.away = away
            sweep.sweep_all(world.ctx)
            world.drain()
            shown = merchant.of(lambda tenant: tenant.connections.get(merchant.connection.id))
            assert shown.problem == problem

    def test_what_nobody_moves_is_nudged_however_much_there_is(
        self, world: Any, merchant: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(invoices, "PAGE", 2)
        sales = [merchant.keep(f"n{number}") for number in range(5)]
        for sale_id in sales:
            merchant.request(sale_id)
        with world.store.transaction() as tx:
            while found := tx.outbox.claim(["stamp"], "gone", 60):
                tx.outbox.done(found)
        sweep.nudge_stuck(world.ctx)
        assert world.drain("stamp") == 0
        world.clock.advance(301)
        sweep.nudge_stuck(world.ctx)
        world.quiet()
        assert {merchant.estado(sale_id) for sale_id in sales} == {Estado.LISTA}


def test_nothing_of_one_merchant_in_anything_of_another(world: Any, form: Any) -> None:
    """The same order number at both; a marker in everything the first one has."""
    mark, first, second = "MARCA", world.settle(0), world.settle(1)
    marked = Buyer(name=mark, email=f"{mark}@example.com")
    ours = first.keep(number=mark, buyer=marked, invite=True)
    theirs = second.keep(invite=True)
    first.request(ours, replace(form, correo=f"{mark}@example.org"))
    second.request(theirs)
    world.quiet()
    assert request.issue(world.ctx, second.id, ours, form, actor="staff") is None
    with pytest.raises(NotResolvable):
        review.retry(world.ctx, second.id, first.invoice(ours).id)
    with pytest.raises(LookupError):
        look.purchase_of(world.ctx, second.id, ours)
    shown = [
        second.page(theirs),
        second.invoice(theirs),
        second.of(lambda tenant: tenant.sales.list()),
        second.of(lambda tenant: tenant.invoices.list()),
        [one for one in world.post.letters if one.to in {BUYER, form.correo}],
        close.open_tickets(world.ctx, second.id, None, None),
        review.waiting(world.ctx, second.id),
    ]
    assert mark not in repr(shown)
    assert "EKU9003173C9" not in repr(shown)
    assert sum(mark in repr(one) for one in world.post.letters) == 2
