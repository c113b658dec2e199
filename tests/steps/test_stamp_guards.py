"""What keeps a second stamp from being made: each guard tried by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cfdi.pac.contract import Answer, Dedupe, Never, Stamped, Unknown
from hub.domain.states import State
from hub.steps import review, stamp
from hub.steps.later import RunLater
from hub.steps.review import NotResolvable

IN_FLIGHT = 2.0


def in_doubt(world: Any, merchant: Any, key: str = "7001") -> str:
    """A sale whose document was sent once, with an answer that tells nothing."""
    sale_id = merchant.keep(key)
    world.pac(merchant.account).instead.append(lambda *_: Unknown("no answer"))
    merchant.request(sale_id)
    world.drain()
    assert merchant.state(sale_id) is State.UNKNOWN
    return str(sale_id)


def attempts(merchant: Any, sale_id: str) -> list[Any]:
    invoice = merchant.invoice(sale_id)
    found: list[Any] = merchant.of(lambda tenant: tenant.invoices.attempts(invoice.id))
    return found


class TestQuiet:
    def test_nothing_is_sent_before_it_is_over(self, world: Any, merchant: Any) -> None:
        sale_id = in_doubt(world, merchant)
        sent = world.pac(merchant.account).sent
        world.clock.advance(IN_FLIGHT - 0.001)
        merchant.promise("stamp", merchant.invoice(sale_id).id)
        world.drain()
        assert len(sent) == 1
        world.clock.advance(0.5)
        world.drain()
        assert len(sent) == 2
        assert sent[0] == sent[1]
        assert merchant.state(sale_id) is State.STAMPED

    def test_a_worker_that_vanished_has_its_lease_and_then_the_quiet(
        self, world: Any, merchant: Any
    ) -> None:
        sale_id = merchant.keep()
        merchant.request(sale_id)
        world.kill.arm(0, "after_send")
        started = world.clock.now()
        assert world.die(world.drain)
        world.clock.instant = started
        invoice_id = merchant.invoice(sale_id).id
        lease = stamp.lease(world.terms).total_seconds()
        for seconds, state in ((lease - 1, State.SENDING), (1, State.UNKNOWN)):
            world.clock.advance(seconds)
            with pytest.raises(RunLater) as later:
                stamp.stamp(world.ctx, merchant.id, invoice_id)
            assert merchant.state(sale_id) is state
        assert later.value.due_at == world.clock.now() + timedelta(seconds=IN_FLIGHT)
        with pytest.raises(RunLater):
            stamp.stamp(world.ctx, merchant.id, invoice_id)
        assert len(world.pac(merchant.account).sent) == 1
        world.clock.advance(IN_FLIGHT)
        stamp.stamp(world.ctx, merchant.id, invoice_id)
        assert merchant.state(sale_id) is State.STAMPED
        assert len(world.provider.stamps()) == 1


class TestTheLease:
    def test_a_worker_that_slept_too_long_sends_nothing(
        self, world: Any, merchant: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It filed its attempt, then stood still for longer than its margin."""
        sale_id = merchant.keep()
        merchant.request(sale_id)
        world.drain(rows=1)
        invoice_id, start = merchant.invoice(sale_id).id, stamp._start

        def slow(*args: Any, **kwargs: Any) -> Any:
            sending = start(*args, **kwargs)
            world.clock.advance(stamp.MARGIN.total_seconds())
            return sending

        monkeypatch.setattr(stamp, "_start", slow)
        with pytest.raises(RunLater):
            stamp.stamp(world.ctx, merchant.id, invoice_id)
        assert world.pac(merchant.account).sent == []
        assert merchant.state(sale_id) is State.SEALED
        assert attempts(merchant, sale_id)[0].outcome == "later"

    def test_a_zombie_wakes_while_another_sends(
        self, world: Any, merchant: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Given up as lost; the next worker is in the middle of its own sending."""
        sale_id = merchant.keep()
        merchant.request(sale_id)
        world.drain(rows=1)
        invoice_id, start = merchant.invoice(sale_id).id, stamp._start
        pac = world.pac(merchant.account)

        def second(sealed: bytes, reference: str) -> Answer:
            assert merchant.state(sale_id) is State.SENDING
            zombie()
            assert merchant.state(sale_id) is State.SENDING
            return pac.pac.stamp(sealed, reference)

        sleeping: list[Any] = []
        monkeypatch.setattr(
            stamp, "settle", lambda _ctx, sending, answer: sleeping.append((sending, answer))
        )
        pac.instead.append(lambda *_: Unknown("no answer"))
        stamp.stamp(world.ctx, merchant.id, invoice_id)
        monkeypatch.undo()
        assert start is stamp._start

        def zombie() -> None:
            for answer in (
                Unknown("late"),
                Never((), b""),
                Stamped(b"<no/>", b""),
            ):
                stamp.settle(world.ctx, sleeping[0][0], answer)

        world.clock.advance(stamp.lease(world.terms).total_seconds())
        with pytest.raises(RunLater):
            stamp.stamp(world.ctx, merchant.id, invoice_id)
        world.clock.advance(IN_FLIGHT)
        pac.instead.append(second)
        stamp.stamp(world.ctx, merchant.id, invoice_id)
        assert merchant.state(sale_id) is State.STAMPED
        assert [one.outcome for one in attempts(merchant, sale_id)] == ["lost", "stamped"]

    def test_a_late_stamp_of_a_lost_attempt_is_taken(
        self, world: Any, merchant: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sale_id = merchant.keep()
        merchant.request(sale_id)
        world.drain(rows=1)
        invoice_id = merchant.invoice(sale_id).id
        late: list[Any] = []
        monkeypatch.setattr(stamp, "settle", lambda *args: late.append(args))
        stamp.stamp(world.ctx, merchant.id, invoice_id)
        monkeypatch.undo()
        world.clock.advance(stamp.lease(world.terms).total_seconds())
        with pytest.raises(RunLater):
            stamp.stamp(world.ctx, merchant.id, invoice_id)
        stamp.settle(*late[0])
        stamp.settle(*late[0])
        assert merchant.state(sale_id) is State.STAMPED
        world.quiet()
        assert len(world.provider.stamps()) == len(world.post.to("xochilt@example.com")) == 1


class TestTheProvider:
    def test_it_stays_the_one_it_was_sent_to(self, world: Any, merchant: Any) -> None:
        first = merchant.account
        sale_id = in_doubt(world, merchant)
        second = merchant.set_pac()
        world.quiet()
        assert merchant.state(sale_id) is State.STAMPED
        assert len(world.pac(first).sent) == 2
        assert world.pac(second).sent == []

    def test_one_that_recognises_nothing_is_never_asked_twice(
        self, world: Any, merchant: Any
    ) -> None:
        world.terms = replace(world.terms, dedupe=Dedupe.NONE)
        sale_id = in_doubt(world, merchant)
        world.quiet()
        assert merchant.state(sale_id) is State.REVIEW
        with pytest.raises(NotResolvable, match="not recognise"):
            review.ask_again(world.ctx, merchant.id, merchant.invoice(sale_id).id)
        merchant.promise("ask_again", merchant.invoice(sale_id).id)
        world.quiet()
        assert merchant.state(sale_id) is State.REVIEW
        assert len(world.pac(merchant.account).sent) == 1

    def test_an_adapter_that_breaks_leaves_a_doubt(self, world: Any, merchant: Any) -> None:
        sale_id = merchant.keep()

        def broken(*_: object) -> Answer:
            raise KeyError("CACX7605101P8")

        world.pac(merchant.account).instead.append(broken)
        merchant.request(sale_id)
        world.drain()
        assert merchant.state(sale_id) is State.UNKNOWN
        world.quiet()
        assert merchant.state(sale_id) is State.STAMPED

    def test_a_slow_one_stamps_after_we_gave_up_waiting(
        self, world: Any, merchant: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        we_gave_up = threading.Event()
        monkeypatch.setattr(world.provider.app, "_sleep", lambda _seconds: we_gave_up.wait(600))
        world.terms = replace(world.terms, read_timeout=timedelta(seconds=0.15))
        sale_id = merchant.keep()
        world.provider.fault("slow", seconds=0.3)
        merchant.request(sale_id)
        world.drain()
        assert merchant.state(sale_id) is State.UNKNOWN
        we_gave_up.set()
        until = time.monotonic() + 600
        while not world.provider.stamps() and time.monotonic() < until:
            time.sleep(0.02)
        world.quiet()
        assert merchant.state(sale_id) is State.STAMPED
        assert len(world.provider.stamps()) == 1


class TestAfterADoubt:
    def test_a_refusal_settles_nothing(self, world: Any, merchant: Any) -> None:
        """What the first sending became is open: a person decides, nothing is built anew."""
        sale_id = in_doubt(world, merchant)
        world.provider.fault("reject:CFDI40145")
        world.quiet()
        invoice = merchant.invoice(sale_id)
        assert (invoice.state, invoice.version) == (State.REVIEW, 1)
        assert [finding.code for finding in invoice.findings] == ["outcome_unknown", "CFDI40145"]

    def test_a_refusal_of_the_moment_leaves_it(self, world: Any, merchant: Any) -> None:
        sale_id = in_doubt(world, merchant)
        world.provider.fault("402")
        world.clock.advance(IN_FLIGHT + 0.5)
        world.drain()
        assert [one.outcome for one in attempts(merchant, sale_id)] == ["unknown", "later"]
        assert merchant.state(sale_id) is State.UNKNOWN
        world.quiet()
        assert merchant.state(sale_id) is State.STAMPED


class TestAForeignStamp:
    @pytest.fixture
    def foreign(self, world: Any, merchant: Any) -> bytes:
        sale_id = merchant.keep("other")
        merchant.request(sale_id)
        world.quiet()
        invoice = merchant.invoice(sale_id)
        xml: bytes = merchant.of(lambda tenant: tenant.invoices.stamp_of(invoice.id)).xml
        return xml

    def test_it_is_kept_and_goes_to_a_person(
        self, world: Any, merchant: Any, foreign: bytes
    ) -> None:
        sale_id = merchant.keep()
        world.pac(merchant.account).instead.append(lambda *_: Stamped(foreign, b"what it said"))
        merchant.request(sale_id)
        world.quiet()
        assert merchant.state(sale_id) is State.REVIEW
        attempt = attempts(merchant, sale_id)[0]
        kept = merchant.of(lambda tenant: tenant.invoices.raw_answer(attempt))
        assert kept == b"what it said"
        assert merchant.page(sale_id).uuid is None
        invoice_id = merchant.invoice(sale_id).id
        with pytest.raises(NotResolvable, match="may have been stamped"):
            review.retry(world.ctx, merchant.id, invoice_id)
        with pytest.raises(NotResolvable, match="not this invoice's"):
            review.found(world.ctx, merchant.id, invoice_id, foreign)
        review.ask_again(world.ctx, merchant.id, invoice_id)
        world.quiet()
        assert merchant.state(sale_id) is State.STAMPED


class TestTime:
    def test_surely_unsent_and_too_old_is_sealed_anew(self, world: Any, merchant: Any) -> None:
        sale_id = merchant.keep()
        world.provider.fault("402", 1)
        merchant.request(sale_id)
        world.drain()
        assert merchant.state(sale_id) is State.SEALED
        world.clock.advance(71 * 3600 + 1)
        world.quiet()
        invoice = merchant.invoice(sale_id)
        assert (invoice.state, invoice.version) == (State.STAMPED, 2)
        assert len(world.provider.stamps()) == 1

    def test_in_doubt_and_too_old_waits_for_a_person(self, world: Any, merchant: Any) -> None:
        sale_id = in_doubt(world, merchant)
        world.clock.advance(71 * 3600)
        world.quiet()
        invoice = merchant.invoice(sale_id)
        assert (invoice.state, invoice.version) == (State.REVIEW, 1)
        assert len(world.pac(merchant.account).sent) == 1

    def test_what_is_refunded_while_the_provider_is_away_is_not_stamped(
        self, world: Any, merchant: Any, make_sale: Callable[..., Any]
    ) -> None:
        sale_id = merchant.keep()
        world.provider.fault("402", 1)
        merchant.request(sale_id)
        world.drain()
        merchant.keep(revision=2, payment_state="refunded")
        world.quiet()
        assert merchant.state(sale_id) is State.REVIEW
        assert world.provider.stamps() == []

    def test_what_is_disputed_while_the_provider_is_away_waits(
        self, world: Any, merchant: Any, make_sale: Callable[..., Any]
    ) -> None:
        sale_id = merchant.keep()
        world.provider.fault("402", 1)
        merchant.request(sale_id)
        world.drain()
        merchant.keep(revision=2, hold="disputed")
        world.clock.advance(3600)
        world.drain()
        assert merchant.state(sale_id) is State.REQUESTED
        assert world.provider.stamps() == []


def test_what_was_already_said_of_an_older_document_says_nothing_of_the_newer(
    world: Any, merchant: Any, other_form: Any
) -> None:
    """Declared unstamped by a person, then built anew and refused: it is refused, not in doubt."""
    sale_id = merchant.keep()
    world.provider.fault("307_without_data", 1)
    merchant.request(sale_id)
    world.drain()
    assert merchant.state(sale_id) is State.UNKNOWN
    world.clock.advance(72 * 3600)
    world.quiet()
    review.not_stamped(world.ctx, merchant.id, merchant.invoice(sale_id).id, actor="staff")
    world.provider.fault("reject:CFDI40145")
    assert merchant.request(sale_id, other_form).errors == ()
    world.drain()
    assert merchant.state(sale_id) is State.REJECTED
