"""What a buyer is shown is what the shop says now; a shop that does not answer holds nobody up."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.contract import PlatformUnreachable
from hub.domain.fingerprint import fingerprint
from hub.domain.purchase import Estado
from hub.domain.sale import PaymentState, Refund
from hub.domain.states import State
from hub.steps import fresh
from hub.steps.buyer import Buyer
from hub.steps.ingest import RECHECK

#: Seconds for which a silent shop says nothing; far longer than anybody waits for it.
SILENCE = 600


class SlowShop:
    """The shop of the world, counted and made to wait."""

    def __init__(self, world: Any) -> None:
        self.asked: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self._fetch = world.shop.fetch
        world.shop.fetch = self.fetch

    def fetch(self, order_id: str, *rest: Any) -> Any:
        self.asked.append(order_id)
        assert self.gate.wait(SILENCE)
        return self._fetch(order_id, *rest)

    def heard(self, questions: int) -> None:
        """So many and no more: whoever did not wait was gone before the last was put, perhaps."""
        until = time.monotonic() + SILENCE
        while len(self.asked) < questions and time.monotonic() < until:
            time.sleep(0.01)
        assert len(self.asked) == questions


@pytest.fixture
def shop(world: Any) -> Iterator[SlowShop]:
    made = SlowShop(world)
    yield made
    made.gate.set()


@pytest.fixture
def buyer(world: Any, shop: SlowShop, merchant: Any) -> Iterator[Buyer]:
    made = Buyer(world.ctx)
    yield made
    shop.gate.set()
    settled(made)  # before the store under its questions is closed


def refunded(merchant: Any, make_sale: Any, world: Any, key: str = "7001") -> None:
    """In the shop; nobody told us."""
    world.shop.put(make_sale(key, revision=2, refunds=(Refund("r", Decimal("16.00")),)))


def totals(world: Any) -> list[str]:
    return [str(one["total"]) for one in world.provider.stamps()]


def old(merchant: Any, world: Any) -> str:
    sale_id: str = merchant.keep()
    world.clock.advance(fresh.GOOD_FOR.total_seconds() + 1)
    return sale_id


def settled(buyer: Buyer) -> None:
    until = time.monotonic() + SILENCE
    while buyer.refreshing.questions.under_way() and time.monotonic() < until:
        time.sleep(0.01)
    assert not buyer.refreshing.questions.under_way()


class TestOpening:
    def test_the_page_shows_what_the_shop_has_now(
        self, world: Any, merchant: Any, shop: Any, buyer: Buyer, make_sale: Any
    ) -> None:
        sale_id = old(merchant, world)
        refunded(merchant, make_sale, world)
        token = merchant.token(sale_id)
        buyer.visit(token)
        page = buyer.purchase(token)
        assert page is not None
        assert page.total == Decimal(100)

    def test_an_answer_serves_for_five_minutes(
        self, world: Any, merchant: Any, shop: Any, buyer: Buyer
    ) -> None:
        token = merchant.token(old(merchant, world))
        before = len(shop.asked)
        for _ in range(5):
            buyer.visit(token)
        assert len(shop.asked) == before + 1
        world.clock.advance(fresh.GOOD_FOR.total_seconds() + 1)
        buyer.visit(token)
        assert len(shop.asked) == before + 2

    def test_an_invoice_under_way_is_not_asked_about(
        self, world: Any, merchant: Any, shop: Any, buyer: Buyer
    ) -> None:
        sale_id = merchant.keep()
        merchant.request(sale_id)
        world.quiet()
        world.clock.advance(3600)
        before = len(shop.asked)
        buyer.visit(merchant.token(sale_id))
        buyer.visit("no such link")
        assert len(shop.asked) == before

    @pytest.mark.usefixtures("hurried")
    def test_however_many_look_the_shop_is_asked_once_and_nobody_waits_long(
        self, world: Any, merchant: Any, shop: Any, buyer: Buyer, patience: Any
    ) -> None:
        token = merchant.token(old(merchant, world))
        before = len(shop.asked)
        shop.gate.clear()
        with ThreadPoolExecutor(12) as pool:
            began = time.monotonic()
            list(pool.map(buyer.visit, [token] * 12))
            took = time.monotonic() - began
        shop.heard(before + 1)
        assert took < SILENCE / 2
        assert patience.longest <= fresh.OPEN_SECONDS
        # It is known to be slow now: the next page does not wait at all.
        waits = patience.waits
        buyer.visit(token)
        assert patience.waits == waits
        shop.gate.set()
        settled(buyer)
        # What came too late for those serves the next.
        buyer.visit(token)
        assert len(shop.asked) == before + 1

    @pytest.mark.usefixtures("hurried")
    def test_a_crowd_at_a_silent_shop_leaves_threads_for_all_others(
        self, world: Any, merchant: Any, shop: Any, buyer: Buyer, patience: Any
    ) -> None:
        """Those who open the page and those who ask; each holds a thread of the web process."""
        token = merchant.token(old(merchant, world))
        shop.gate.clear()

        def timed(visit: int) -> float:
            began = time.monotonic()
            buyer.refreshing.asked_for(token) if visit % 2 else buyer.visit(token)
            return time.monotonic() - began

        with ThreadPoolExecutor(24) as pool:
            times = list(pool.map(timed, range(24)))
        assert 1 <= patience.most <= fresh.PATIENT
        assert patience.longest <= fresh.ASK_SECONDS
        assert max(times) < SILENCE / 2

    @pytest.mark.usefixtures("hurried")
    def test_one_slow_shop_takes_only_its_share_of_the_threads(
        self, world: Any, merchant: Any, shop: Any, buyer: Buyer
    ) -> None:
        keys = [f"80{number:02}" for number in range(fresh.AT_ONE_SHOP + 3)]
        tokens = [merchant.token(merchant.keep(key)) for key in keys]
        world.clock.advance(3600)
        before = len(shop.asked)
        shop.gate.clear()
        for token in tokens:
            world.clock.advance(fresh.REST_SECONDS + 1)
            buyer.visit(token)
        shop.heard(before + fresh.AT_ONE_SHOP)
        assert buyer.refreshing.questions.under_way() == fresh.AT_ONE_SHOP

    def test_a_shop_that_is_down_costs_nothing(
        self, world: Any, merchant: Any, shop: Any, buyer: Buyer
    ) -> None:
        token = merchant.token(old(merchant, world))
        world.shop.away = PlatformUnreachable("down")
        buyer.visit(token)
        settled(buyer)
        asked = len(shop.asked)
        buyer.visit(token)
        page = buyer.purchase(token)
        assert len(shop.asked) == asked
        assert page is not None
        assert page.estado is Estado.ABIERTA


class TestAsking:
    def test_other_amounts_than_those_shown_are_shown_again(
        self, world: Any, merchant: Any, buyer: Buyer, form: Any, make_sale: Any
    ) -> None:
        sale_id = old(merchant, world)
        token = merchant.token(sale_id)
        seen = buyer.purchase(token)
        assert seen is not None
        refunded(merchant, make_sale, world)
        errors = buyer.request(token, replace(form, vista=seen.vista), "es")
        assert [error.codigo for error in errors] == ["amounts_changed"]
        now = buyer.purchase(token)
        assert now is not None
        assert (now.estado, now.total) == (Estado.ABIERTA, Decimal(100))
        assert buyer.request(token, replace(form, vista=now.vista), "es") == ()
        world.quiet()
        assert merchant.state(sale_id) is State.STAMPED
        assert world.provider.stamps()[0]["total"] == "100.00"

    def test_what_was_good_enough_to_look_at_is_asked_for_again(
        self, world: Any, merchant: Any, shop: Any, buyer: Buyer, form: Any, make_sale: Any
    ) -> None:
        """Refunded while the buyer typed, a minute after the page was opened."""
        token = merchant.token(merchant.keep())
        world.clock.advance(60)
        refunded(merchant, make_sale, world)
        asked = len(shop.asked)
        buyer.visit(token)
        assert len(shop.asked) == asked
        seen = buyer.purchase(token)
        assert seen is not None
        assert seen.total == Decimal(116)
        errors = buyer.request(token, replace(form, vista=seen.vista), "es")
        assert [error.codigo for error in errors] == ["amounts_changed"]

    @pytest.mark.parametrize("vista", ["x", "0" * 32, "ñ" * 4000])
    def test_a_vista_of_no_page_costs_one_more_look(
        self, world: Any, merchant: Any, buyer: Buyer, form: Any, vista: str
    ) -> None:
        sale_id = merchant.keep()
        token = merchant.token(sale_id)
        errors = buyer.request(token, replace(form, vista=vista), "es")
        assert [error.codigo for error in errors] == ["amounts_changed"]
        page = buyer.purchase(token)
        assert page is not None
        assert buyer.request(token, replace(form, vista=page.vista), "es") == ()

    def test_what_changes_between_asking_and_sealing_is_shown_again(
        self, world: Any, merchant: Any, buyer: Buyer, form: Any, make_sale: Any
    ) -> None:
        sale_id = merchant.keep()
        token = merchant.token(sale_id)
        assert buyer.request(token, form, "es") == ()
        refunded(merchant, make_sale, world)
        merchant.promise("ingest_order", f"{merchant.connection.id}/7001", queue="ingest")
        world.drain("ingest")
        world.drain("stamp")
        page = buyer.purchase(token)
        assert page is not None
        assert (page.estado, page.total) == (Estado.RECHAZADA, Decimal(100))
        assert [error.codigo for error in page.errors] == ["amounts_changed"]
        assert world.provider.stamps() == []
        # A rejected request keeps no amounts: what the shop says now is shown.
        world.clock.advance(fresh.GOOD_FOR.total_seconds() + 1)
        more = (Refund("r", Decimal("16.00")), Refund("s", Decimal("40.00")))
        world.shop.put(make_sale("7001", revision=3, refunds=more))
        buyer.visit(token)
        page = buyer.purchase(token)
        assert page is not None
        assert page.total == Decimal(60)
        # With the amounts that the page shows now it goes through: no second round.
        assert buyer.request(token, replace(form, vista=page.vista), "es") == ()
        world.quiet()
        assert merchant.state(sale_id) is State.STAMPED
        assert world.provider.stamps()[0]["total"] == "60.00"

    def test_what_was_given_back_whole_is_not_invoiced(
        self, world: Any, merchant: Any, buyer: Buyer, form: Any, make_sale: Any
    ) -> None:
        token = merchant.token(old(merchant, world))
        back = (Refund("r1", Decimal("116.00")),)
        gone = make_sale(revision=2, payment_state=PaymentState.REFUNDED, refunds=back)
        world.shop.put(gone)
        assert [one.codigo for one in buyer.request(token, form, "es")] == ["not_open"]

    def test_a_program_that_sends_no_vista_is_served(
        self, world: Any, merchant: Any, buyer: Buyer, form: Any
    ) -> None:
        sale_id = merchant.keep()
        assert buyer.request(merchant.token(sale_id), form, "es") == ()
        world.quiet()
        assert merchant.state(sale_id) is State.STAMPED

    @pytest.mark.usefixtures("hurried")
    def test_a_dead_shop_does_not_keep_a_buyer_from_the_invoice(
        self, world: Any, merchant: Any, shop: Any, buyer: Buyer, form: Any, make_sale: Any,
        patience: Any,
    ) -> None:  # fmt: skip
        """It is made of what is known, marked, and looked after when the shop is back."""
        sale_id = old(merchant, world)
        refunded(merchant, make_sale, world)
        shop.gate.clear()
        began = time.monotonic()
        assert buyer.request(merchant.token(sale_id), form, "es") == ()
        assert time.monotonic() - began < SILENCE / 2
        assert patience.longest <= fresh.ASK_SECONDS
        invoice = merchant.invoice(sale_id)
        assert not merchant.of(lambda tenant: tenant.invoices.agreement(invoice.id)).verified
        world.drain("stamp")
        assert merchant.state(sale_id) is State.STAMPED
        assert merchant.of(lambda tenant: tenant.asks.list()) == []
        shop.gate.set()
        settled(buyer)
        world.quiet()
        assert merchant.of(lambda tenant: tenant.asks.list()) == []
        assert totals(world) == ["116.00", "16.00"], "the invoice, and a note of what came back"

    def test_what_a_dead_shop_could_not_confirm_is_asked_for_when_it_is_back(
        self, world: Any, merchant: Any, shop: Any, buyer: Buyer, form: Any, make_sale: Any
    ) -> None:
        """No delivery and no sweep would tell of it: the refund was weeks before."""
        sale_id = old(merchant, world)
        refunded(merchant, make_sale, world)
        world.shop.away = PlatformUnreachable("down")
        assert buyer.request(merchant.token(sale_id), form, "es") == ()
        settled(buyer)
        world.drain("stamp", "mail")
        assert merchant.state(sale_id) is State.STAMPED
        world.shop.away = None
        world.clock.advance(RECHECK.total_seconds() + 1)
        world.drain("ingest")
        assert len(merchant.of(lambda tenant: tenant.credits.of_sale(sale_id))) == 1
        world.clock.advance(3600)
        world.quiet()
        assert len(merchant.of(lambda tenant: tenant.credits.of_sale(sale_id))) == 1, "once"
        assert totals(world) == ["116.00", "16.00"]

    def test_confirmed_amounts_are_not_asked_for_again(
        self, world: Any, merchant: Any, shop: Any, buyer: Buyer, form: Any
    ) -> None:
        sale_id = old(merchant, world)
        before = len(shop.asked)
        buyer.request(merchant.token(sale_id), form, "es")
        invoice = merchant.invoice(sale_id)
        assert merchant.of(lambda tenant: tenant.invoices.agreement(invoice.id)).verified
        world.quiet()
        assert len(shop.asked) == before + 1


class TestEchoes:
    def test_a_change_that_changes_nothing_is_no_news(self, world: Any, merchant: Any) -> None:
        sale_id = merchant.keep(invite=True)
        letters = len(world.post.letters)
        updated_at = merchant.of(lambda tenant: tenant.sales.get(sale_id)).updated_at
        world.clock.advance(60)
        merchant.keep(revision=5, invite=True)
        row = merchant.of(lambda tenant: tenant.sales.get(sale_id))
        assert (row.sale.revision, row.updated_at) == (5, updated_at)
        assert len(world.post.letters) == letters

    def test_it_does_not_undo_what_a_person_decided(self, world: Any, merchant: Any) -> None:
        sale_id = merchant.keep(doubts=("¿Qué es esto?",))
        merchant.change(lambda tenant: tenant.sales.set_reasons(sale_id, ()))
        merchant.keep(revision=5, doubts=("¿Qué es esto?",))
        assert merchant.of(lambda tenant: tenant.sales.get(sale_id)).reasons == ()
        merchant.keep(revision=6, doubts=("¿Y esto?",))
        assert merchant.of(lambda tenant: tenant.sales.get(sale_id)).reasons

    def test_an_older_copy_does_not_come_back_through_an_echo(
        self, world: Any, merchant: Any, make_sale: Any
    ) -> None:
        sale_id = merchant.keep(revision=2)
        merchant.keep(revision=9)
        merchant.keep(revision=5, total=Decimal(1))
        assert merchant.page(sale_id).total == Decimal(116)


class TestBursts:
    def test_what_the_shop_answered_since_is_not_asked_for_again(
        self, world: Any, merchant: Any, shop: Any, make_sale: Any
    ) -> None:
        """Ten deliveries wait; the first look brings all that they tell of."""
        world.shop.put(make_sale())
        for number in range(10):
            merchant.deliver(b"", key=f"e{number}")
        world.clock.advance(30)
        world.drain("ingest")
        assert shop.asked == ["7001"]
        filed = merchant.of(lambda tenant: tenant.inbox.list(state="filed"))
        assert filed == []

    def test_what_comes_with_the_answer_is_asked_for(
        self, world: Any, merchant: Any, shop: Any, make_sale: Any
    ) -> None:
        merchant.keep()
        asked = len(shop.asked)
        world.shop.put(make_sale(revision=2, total=Decimal("117.00")))
        merchant.deliver(b"", key="e1")
        world.clock.advance(3)
        world.drain("ingest")
        assert len(shop.asked) == asked + 1
        assert merchant.page(merchant.sale_id()).total == 117

    def test_an_old_delivery_that_is_replayed_is_looked_at(
        self, world: Any, merchant: Any, shop: Any, make_sale: Any
    ) -> None:
        world.shop.put(make_sale())
        merchant.deliver(b"", key="e1")
        [filed] = merchant.of(lambda tenant: tenant.inbox.list())
        world.clock.advance(30)
        world.drain("ingest")
        world.clock.advance(7200)
        asked = len(shop.asked)
        merchant.change(lambda tenant: tenant.inbox.reopen(filed.id))
        merchant.promise("ingest", filed.id, queue="ingest")
        world.drain("ingest")
        assert len(shop.asked) == asked + 1


class TestDeleted:
    def test_what_a_silent_shop_deleted_is_asked_about(
        self, world: Any, merchant: Any, make_sale: Any
    ) -> None:
        """A quick trash and untrash: the word of it comes when the order lives again."""
        sale_id = merchant.keep()
        world.shop.away = PlatformUnreachable("down")
        merchant.deliver(b"", event="gone")
        world.drain("ingest")
        assert merchant.estado(sale_id) is Estado.EN_REVISION
        assert merchant.of(lambda tenant: tenant.sales.get(sale_id)).verified_at is None
        world.shop.away = None
        world.clock.advance(timedelta(minutes=10).total_seconds())
        world.drain("ingest")
        assert merchant.estado(sale_id) is Estado.ABIERTA


def test_fingerprints_tell_money_apart_and_nothing_else(make_sale: Any) -> None:
    one = make_sale()
    [line] = one.lines
    [tax] = line.taxes
    finer = replace(
        line, subtotal=Decimal("100.000001"), taxes=(replace(tax, amount=Decimal("15.999999")),)
    )
    for alike in (
        make_sale(revision=9, status="completed"),
        make_sale(number="A-1", unverified=True),
        make_sale(lines=(finer,)),
        make_sale(lines=(replace(line, quantity=Decimal("1.00")),)),
    ):
        assert fingerprint(alike) == fingerprint(one)
    others = (
        make_sale(total=Decimal("116.01")),
        make_sale(currency="USD"),
        make_sale(refunds=(Refund("r", Decimal(1)),)),
        make_sale(total=Decimal(126), refunds=(Refund("r", Decimal(10)),)),
        make_sale(lines=(replace(line, description="Otra"),)),
        make_sale(lines=(replace(line, quantity=Decimal(2)),)),
        make_sale(lines=(replace(line, taxes=(replace(tax, rate=Decimal("0.08")),)),)),
        make_sale(lines=(line, line)),
    )
    assert len({fingerprint(other) for other in (one, *others)}) == len(others) + 1
