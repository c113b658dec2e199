"""One payment is one sale: in whatever order, however often and by however many it is told of."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from connectors.contract import BelongsTo, NoSale, PlatformUnreachable
from hub.domain.purchase import Estado
from hub.domain.sale import PaymentState
from hub.domain.snapshot import to_json
from hub.domain.states import State
from hub.steps import close, invite, look, request, review, visit
from hub.steps.belong import order_of
from hub.steps.follow import HOPS
from hub.store.errors import Refused

KINDS = ("pi", "ch", "cs", "in")


class Till:
    """The shop of the world, where a bill is paid by a payment that has a charge and a checkout.

    It takes a moment until the payment is known to be that of the bill.
    """

    def __init__(self, world: Any, make_sale: Any) -> None:
        self.world, self.make_sale = world, make_sale
        self.asked: list[str] = []
        self.parts: dict[str, str] = {}
        self.no_sale: dict[str, str] = {}
        self.away = False
        self.silent: set[str] = set()
        self._fetch = world.shop.fetch
        world.shop.fetch = self.fetch

    def fetch(self, order_id: str, *rest: Any) -> Any:
        self.asked.append(order_id)
        if self.away or order_id in self.silent:
            raise PlatformUnreachable("away")
        if order_id in self.no_sale:
            raise NoSale(self.no_sale[order_id])
        if order_id in self.parts:
            raise BelongsTo(self.parts[order_id])
        return self._fetch(order_id, *rest)

    def payment(self, n: int, **changes: Any) -> Any:
        claims = (f"pi_{n}", f"ch_{n}", f"cs_{n}")
        sale = self.make_sale(f"pi_{n}", claims=claims, **changes)
        self.world.shop.put(sale)
        self.parts |= {f"ch_{n}": f"pi_{n}", f"cs_{n}": f"pi_{n}"}
        return sale

    def bill(self, n: int, **changes: Any) -> Any:
        """The payment turns out to be this bill's."""
        claims = (f"in_{n}", f"pi_{n}", f"ch_{n}")
        sale = self.make_sale(f"in_{n}", number=f"A-{n}", claims=claims, **changes)
        self.world.shop.put(sale)
        self.parts[f"pi_{n}"] = f"in_{n}"
        return sale


@pytest.fixture
def till(world: Any, make_sale: Any) -> Till:
    return Till(world, make_sale)


def tell(merchant: Any, order_id: str, key: str = "", body: bytes = b"") -> None:
    merchant.deliver(body, key=key or f"e-{order_id}", order=order_id)


def sales(merchant: Any) -> list[Any]:
    return list(merchant.of(lambda tenant: tenant.sales.list(500)[0]))


def invoiceable(merchant: Any) -> list[str]:
    """By number."""
    found = [row for row in sales(merchant) if merchant.estado(row.id) is Estado.ABIERTA]
    return sorted(row.sale.number for row in found)


class TestAnyOrder:
    def test_of_deliveries_and_of_the_moment_the_bill_shows(
        self, world: Any, merchant: Any, till: Till
    ) -> None:
        n = 0
        for place, order in enumerate(permutations(KINDS)):
            for moment in (place % 4, (place + 2) % 4):
                n += 1
                self.run(world, merchant, till, n, order, moment)
        assert n == 48
        assert invoiceable(merchant) == sorted(f"A-{one}" for one in range(1, n + 1))

    def run(
        self, world: Any, merchant: Any, till: Till, n: int, order: tuple[str, ...], moment: int
    ) -> None:
        before = len(world.post.letters)
        till.payment(n)
        for place, kind in enumerate((*order, *order)):
            if place == moment or kind == "in":
                till.bill(n)
            tell(merchant, f"{kind}_{n}", f"{place}-{kind}_{n}")
            world.drain("ingest", "mail")
        whole = {
            merchant.of(lambda t, k=kind: t.objects.owner(merchant.connection.id, f"{k}_{n}"))
            for kind in KINDS
        }
        assert whole == {merchant.sale_id(f"in_{n}")}
        assert len(world.post.letters) - before == 1, (order, moment)
        self.every_link_leads_to_it(world, merchant, n)

    def every_link_leads_to_it(self, world: Any, merchant: Any, n: int) -> None:
        current = merchant.token(merchant.sale_id(f"in_{n}"))
        part = merchant.of(lambda t: t.sales.by_key(merchant.connection.id, f"pi_{n}"))
        if part is None:
            return
        assert part.sale.payment_state is PaymentState.CANCELLED
        assert part.sale.status == f"part of A-{n}"
        link = merchant.of(lambda t: t.links.current(part.id))
        if link is not None:
            shown = look.visit(world.ctx, link.token)
            assert shown is not None
            assert shown.moved == current
            assert shown.purchase.number == f"A-{n}"
        found = look.visit(world.ctx, current)
        assert found is not None
        assert found.moved is None

    def test_a_link_of_before_issues_the_one_invoice(
        self, world: Any, merchant: Any, till: Till, form: Any
    ) -> None:
        till.payment(1)
        tell(merchant, "ch_1")
        world.drain("ingest")
        old = merchant.token(merchant.sale_id("pi_1"))
        till.bill(1)
        tell(merchant, "in_1")
        world.drain("ingest")
        done = request.request(world.ctx, old, form, "es")
        assert done is not None
        assert not done.errors
        again = merchant.request(merchant.sale_id("in_1"))
        assert again.invoice_id == done.invoice_id
        world.quiet()
        assert len(world.provider.stamps()) == 1

    def test_a_part_cannot_be_claimed_whatever_asks_for_it(
        self, world: Any, merchant: Any, till: Till, form: Any
    ) -> None:
        till.payment(1)
        tell(merchant, "pi_1")
        world.drain("ingest")
        part = merchant.sale_id("pi_1")
        till.bill(1)
        tell(merchant, "in_1")
        world.drain("ingest")
        done = request.issue(world.ctx, merchant.id, part, form, actor="staff")
        assert done is not None
        assert [one.codigo for one in done.errors] == ["not_open"]
        with pytest.raises(Refused, match="part of another"):
            merchant.change(lambda t: t.claims.open(part, global_uuid="G"))


class TestTogether:
    @pytest.mark.parametrize("workers", [2, 5])
    def test_workers_at_once(self, world: Any, merchant: Any, till: Till, workers: int) -> None:
        """Each event twice, the bill showing at any moment."""
        number = 12
        for n in range(1, number + 1):
            till.payment(n)
            for kind in KINDS[:3]:
                for turn in range(2):
                    tell(merchant, f"{kind}_{n}", f"{turn}-{kind}_{n}")
        stop = threading.Event()

        def show() -> None:
            for n in range(1, number + 1):
                till.bill(n)
                tell(merchant, f"in_{n}")
                stop.wait(0.03)

        with ThreadPoolExecutor(workers + 1) as pool:
            pool.submit(show).add_done_callback(lambda done: done.result())
            working = [pool.submit(self.work, world, w) for w in range(workers)]
            for one in working:
                one.result()
        for n in range(1, number + 1):  # as the last retry of every event
            for kind in KINDS:
                tell(merchant, f"{kind}_{n}", f"last-{kind}_{n}")
        world.quiet()
        assert invoiceable(merchant) == sorted(f"A-{n}" for n in range(1, number + 1))
        assert len(world.post.letters) == number

    def work(self, world: Any, worker: int) -> None:
        for _ in range(25):
            world.drain("ingest", "mail", worker=f"w{worker}")

    def test_a_buyer_asks_while_the_payment_becomes_part_of_its_bill(
        self, world: Any, merchant: Any, till: Till, form: Any
    ) -> None:
        for n in range(1, 16):
            till.payment(n)
            tell(merchant, f"pi_{n}")
        world.drain("ingest")
        tokens = {n: merchant.token(merchant.sale_id(f"pi_{n}")) for n in range(1, 16)}
        for n in tokens:
            till.bill(n)
            tell(merchant, f"in_{n}")
        with ThreadPoolExecutor(3) as pool:
            asking = pool.submit(
                lambda: [request.request(world.ctx, token, form, "es") for token in tokens.values()]
            )
            working = [pool.submit(self.work, world, w) for w in range(2)]
            for one in (asking, *working):
                one.result()
        world.quiet()
        held = [
            row for row in sales(merchant) if merchant.of(lambda t, r=row: t.claims.of_sale(r.id))
        ]
        assert len(world.provider.stamps()) == len(held) == len(tokens)
        assert len({row.sale.key[3:] for row in held}) == len(tokens), "two of one payment"
        assert not invoiceable(merchant)


class TestInvoicedAlready:
    def stamped(self, world: Any, merchant: Any, till: Till) -> str:
        till.payment(1)
        tell(merchant, "pi_1")
        world.drain("ingest")
        part = merchant.sale_id("pi_1")
        merchant.request(part)
        world.quiet()
        assert merchant.estado(part) is Estado.LISTA
        till.bill(1)
        tell(merchant, "in_1")
        world.drain("ingest", "mail")
        return str(part)

    def test_the_bill_waits_for_a_person_and_is_never_invoiced(
        self, world: Any, merchant: Any, till: Till, form: Any
    ) -> None:
        self.stamped(world, merchant, till)
        bill = merchant.sale_id("in_1")
        assert merchant.estado(bill) is Estado.EN_REVISION
        (waiting,) = review.waiting(world.ctx, merchant.id)
        assert [one.code for one in waiting.findings] == ["payment_invoiced"]
        assert "pi_1" in waiting.findings[0].message_es
        assert world.post.to("buyer-in_1@example.com") == []
        with pytest.raises(review.NotResolvable, match="twice"):
            review.accept(world.ctx, merchant.id, bill)
        rules = '[forma_pago]\ndefault = "04"\n'
        assert review.set_rules(world.ctx, merchant.id, rules) == 0
        tell(merchant, "in_1", "again")
        world.drain("ingest")
        done = request.issue(world.ctx, merchant.id, bill, form, actor="staff")
        assert done is not None
        assert [one.codigo for one in done.errors] == ["not_open"]
        world.clock.advance(40 * 86400)
        closed = close.close(world.ctx, merchant.id, world.clock.now(), "G")
        assert (closed.marked, closed.skipped) == (0, 1)  # the one with the invoice
        assert merchant.estado(bill) is Estado.EN_REVISION

    def test_the_bill_is_free_once_that_invoice_is_gone(
        self, world: Any, merchant: Any, till: Till
    ) -> None:
        till.payment(1)
        tell(merchant, "pi_1")
        world.drain("ingest")
        part = merchant.sale_id("pi_1")
        asked = merchant.request(part)
        till.bill(1)
        tell(merchant, "in_1")
        world.drain("ingest")
        bill = merchant.sale_id("in_1")
        assert merchant.estado(bill) is Estado.EN_REVISION
        merchant.change(
            lambda t: t.invoices.move(asked.invoice_id, State.REQUESTED, State.REJECTED)
        )
        merchant.change(lambda t: t.claims.release(asked.invoice_id))
        review.accept(world.ctx, merchant.id, bill)
        assert invoiceable(merchant) == ["A-1"]
        assert merchant.estado(part) is Estado.CANCELADA

    def test_two_invoices_of_one_payment_are_told(
        self, world: Any, merchant: Any, till: Till, make_sale: Any
    ) -> None:
        """Both were taken from deliveries that did not name each other."""
        self.stamped(world, merchant, till)
        world.shop.put(make_sale("in_2", number="A-2"))
        tell(merchant, "in_2")
        world.drain("ingest")
        merchant.request(merchant.sale_id("in_2"))
        world.quiet()
        world.shop.put(make_sale("in_2", number="A-2", revision=2, claims=("pi_1",)))
        for turn in range(2):
            tell(merchant, "in_2", f"later-{turn}")
            world.drain("ingest")
        kinds = [one.kind for one in review.waiting(world.ctx, merchant.id)]
        assert kinds.count("change") == 1
        (notice,) = [one for one in review.waiting(world.ctx, merchant.id) if one.kind == "change"]
        assert "pi_1" in notice.note


class TestSharing:
    def test_two_that_do_not_name_each_other_are_for_a_person(
        self, world: Any, merchant: Any, till: Till, make_sale: Any
    ) -> None:
        for key in ("pi_1", "pi_2"):
            world.shop.put(make_sale(key, claims=("cs_9",)))
            tell(merchant, key)
            world.drain("ingest", "mail")
        assert invoiceable(merchant) == ["pi_1"]
        assert len(world.post.letters) == 1
        world.shop.put(make_sale("pi_1", revision=2, payment_state=PaymentState.CANCELLED))
        for key in ("pi_1", "pi_2"):
            tell(merchant, key, f"later-{key}")
            world.drain("ingest", "mail")
        assert invoiceable(merchant) == ["pi_2"]

    def test_a_copy_that_was_only_delivered_takes_nothing_over(
        self, world: Any, merchant: Any, till: Till
    ) -> None:
        payment = till.payment(1)
        tell(merchant, "pi_1")
        world.drain("ingest")
        bill = till.bill(1)
        till.away = True
        tell(merchant, "in_1", body=to_json(bill).encode())
        world.drain("ingest")
        assert merchant.estado(merchant.sale_id("pi_1")) is Estado.ABIERTA
        assert merchant.estado(merchant.sale_id("in_1")) is Estado.EN_REVISION
        till.away = False
        world.quiet()
        assert invoiceable(merchant) == [bill.number]
        assert payment.number != bill.number

    def test_what_turns_out_to_be_the_other_way_round(
        self, world: Any, merchant: Any, till: Till
    ) -> None:
        till.payment(1)
        till.bill(1)
        tell(merchant, "in_1")
        world.drain("ingest")
        assert invoiceable(merchant) == ["A-1"]
        del till.parts["pi_1"]
        till.parts["in_1"] = "pi_1"
        tell(merchant, "in_1", "later")
        world.quiet()
        assert invoiceable(merchant) == ["pi_1"]


class TestFollowing:
    def test_a_known_part_is_not_followed_again(
        self, world: Any, merchant: Any, till: Till
    ) -> None:
        till.payment(1)
        till.bill(1)
        tell(merchant, "cs_1")
        world.drain("ingest")
        assert till.asked == ["cs_1", "pi_1", "in_1"]
        till.asked.clear()
        world.clock.advance(3600)
        for kind in ("cs", "pi", "ch"):
            tell(merchant, f"{kind}_1", f"later-{kind}")
        world.drain("ingest")
        assert till.asked == ["in_1", "in_1", "in_1"]

    def test_a_burst_is_asked_about_once(self, world: Any, merchant: Any, till: Till) -> None:
        till.payment(1)
        till.bill(1)
        for kind in KINDS:
            tell(merchant, f"{kind}_1")
        world.clock.advance(20)
        world.drain("ingest")
        assert till.asked == ["pi_1", "in_1", "cs_1", "pi_1", "in_1"]  # the bill names no checkout

    def test_as_far_as_three_parts(self, world: Any, merchant: Any, till: Till) -> None:
        till.payment(1)
        till.bill(1)
        till.parts["re_1"] = "ch_1"
        assert HOPS == 3
        tell(merchant, "re_1")
        world.drain("ingest")
        assert invoiceable(merchant) == ["A-1"]
        till.parts["dp_1"] = "re_9"
        till.parts["re_9"] = "ch_1"
        tell(merchant, "dp_1")
        world.drain("ingest")
        (waiting,) = review.waiting(world.ctx, merchant.id)
        assert waiting.kind == "delivery"
        assert "dp_1 → re_9 → ch_1 → pi_1 → in_1" in waiting.note

    @pytest.mark.parametrize("loop", [{"a": "a"}, {"a": "b", "b": "a"}, {"a": ""}])
    def test_a_loop_is_for_a_person(
        self, world: Any, merchant: Any, till: Till, loop: dict[str, str]
    ) -> None:
        till.parts |= loop
        tell(merchant, "a")
        merchant.promise("ingest_order", f"{merchant.connection.id}/a", queue="ingest")
        world.quiet()
        waiting = review.waiting(world.ctx, merchant.id)
        assert [one.kind for one in waiting] == ["delivery", "delivery"]
        assert all("part of another" in one.note for one in waiting)
        assert sales(merchant) == []

    def test_no_sale_is_said_and_nothing_is_kept(
        self, world: Any, merchant: Any, till: Till
    ) -> None:
        till.no_sale["seti_1"] = "a card was saved, nothing was charged"
        tell(merchant, "seti_1")
        world.drain("ingest")
        (row,) = merchant.of(lambda t: t.inbox.list())
        assert (row.state, row.error) == ("done", "a card was saved, nothing was charged")
        assert sales(merchant) == []
        assert review.waiting(world.ctx, merchant.id) == []

    def test_what_turns_out_to_be_no_sale_is_cancelled(
        self, world: Any, merchant: Any, till: Till
    ) -> None:
        till.payment(1)
        tell(merchant, "pi_1")
        world.drain("ingest")
        sale_id = merchant.sale_id("pi_1")
        till.no_sale["pi_1"] = "moved to another account"
        tell(merchant, "pi_1", "later")
        world.drain("ingest")
        assert merchant.estado(sale_id) is Estado.CANCELADA
        (row,) = sales(merchant)
        assert row.sale.status == "not a sale"

    def test_a_part_is_never_taken_for_an_order_while_the_shop_is_away(
        self, world: Any, merchant: Any, till: Till
    ) -> None:
        payment = till.payment(1)
        till.bill(1)
        tell(merchant, "in_1")
        world.drain("ingest")
        till.away = True
        tell(merchant, "pi_1", body=to_json(payment).encode())
        world.drain("ingest")
        assert [row.sale.key for row in sales(merchant)] == ["in_1"]
        till.away = False
        world.quiet()
        assert invoiceable(merchant) == ["A-1"]
        assert {row.state for row in merchant.of(lambda t: t.inbox.list())} == {"done"}

    def test_nor_while_the_order_it_is_part_of_cannot_be_asked_for(
        self, world: Any, merchant: Any, till: Till
    ) -> None:
        payment = till.payment(1)
        till.bill(1)
        till.silent.add("in_1")
        tell(merchant, "pi_1", body=to_json(payment).encode())
        world.drain("ingest")
        assert sales(merchant) == []
        till.silent.clear()
        world.quiet()
        assert invoiceable(merchant) == ["A-1"]

    def test_a_part_of_what_came_to_nothing_is_looked_at_anew(
        self, world: Any, merchant: Any, till: Till
    ) -> None:
        till.payment(1)
        till.bill(1)
        tell(merchant, "in_1")
        world.drain("ingest")
        till.no_sale["in_1"] = "a draft again"
        tell(merchant, "in_1", "later")
        world.drain("ingest")
        assert invoiceable(merchant) == []
        del till.parts["pi_1"]
        tell(merchant, "pi_1")
        world.drain("ingest")
        assert invoiceable(merchant) == ["pi_1"]
        found = merchant.of(lambda t: order_of(t, merchant.connection.id, "pi_1"))
        assert found is not None
        assert found.sale.key == "pi_1"

    def test_the_money_of_a_bill_that_is_gone_is_one_sale_still(
        self, world: Any, merchant: Any, till: Till
    ) -> None:
        """The bill waits for a person; its payment is no second sale beside it."""
        till.payment(1)
        till.bill(1)
        tell(merchant, "in_1")
        world.drain("ingest")
        del world.shop.orders["in_1"]
        tell(merchant, "in_1", "gone")
        del till.parts["pi_1"]
        tell(merchant, "pi_1")
        world.drain("ingest")
        assert [row.sale.key for row in sales(merchant)] == ["in_1"]
        [waits] = review.waiting(world.ctx, merchant.id)
        review.accept(world.ctx, merchant.id, waits.sale_id)
        assert invoiceable(merchant) == ["A-1"]


class TestTelling:
    def test_a_letter_that_waits_is_not_sent_for_a_part(
        self, world: Any, merchant: Any, till: Till
    ) -> None:
        till.payment(1)
        tell(merchant, "pi_1")
        world.drain("ingest")  # promised, not sent
        till.bill(1)
        tell(merchant, "in_1")
        world.drain("ingest", "mail")
        assert [letter.to for letter in world.post.letters] == ["buyer-in_1@example.com"]

    def test_who_was_told_of_the_part_is_not_told_again(
        self, world: Any, merchant: Any, till: Till
    ) -> None:
        till.payment(1)
        tell(merchant, "pi_1")
        world.drain("ingest", "mail")
        till.bill(1)
        tell(merchant, "in_1")
        world.quiet()
        assert [letter.to for letter in world.post.letters] == ["buyer-pi_1@example.com"]

    def test_a_letter_on_its_way_when_the_part_is_joined(
        self, world: Any, merchant: Any, till: Till
    ) -> None:
        """The server was given it before anybody knew of the bill."""
        till.payment(1)
        tell(merchant, "pi_1")
        world.drain("ingest")
        till.bill(1)
        send = world.post.send

        def sending(letter: Any) -> None:
            world.post.send = send
            tell(merchant, "in_1")
            world.drain("ingest")
            send(letter)

        world.post.send = sending
        world.drain("mail")
        world.quiet()
        assert len(world.post.letters) == 1


def test_a_part_that_is_joined_between_the_look_and_the_letter(
    world: Any, merchant: Any, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    till.payment(1)
    tell(merchant, "pi_1")
    world.drain("ingest")
    till.bill(1)

    def seen(*given: Any) -> Any:
        monkeypatch.setattr(invite, "purchase_of", look.purchase_of)
        page = look.purchase_of(*given)
        tell(merchant, "in_1")
        world.drain("ingest")
        return page

    monkeypatch.setattr(invite, "purchase_of", seen)
    world.quiet()
    assert [letter.to for letter in world.post.letters] == ["buyer-in_1@example.com"]


def test_a_visit_by_a_part_opens_the_whole(
    world: Any, merchant: Any, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    proof = "p" * 43
    monkeypatch.setattr(visit, "proof_of", lambda shop, order: proof)
    monkeypatch.setattr("hub.steps.ingest.proof_of", lambda shop, order: proof)
    till.payment(1)
    token = visit.asked(world.ctx, merchant.connection, "cs_1", proof)
    assert token == merchant.token(merchant.sale_id("pi_1"))
    till.bill(1)
    tell(merchant, "in_1")
    world.drain("ingest")
    token = merchant.token(merchant.sale_id("in_1"))
    for name in KINDS:
        assert visit.known(world.ctx, merchant.connection, f"{name}_1", proof) == token
        assert visit.known(world.ctx, merchant.connection, f"{name}_1", "q" * 43) is None
    assert visit.asked(world.ctx, merchant.connection, "cs_1", proof) == token
    assert visit.asked(world.ctx, merchant.connection, "cs_1", "q" * 43) is None


def test_an_order_without_parts_is_as_before(world: Any, merchant: Any, make_sale: Any) -> None:
    sale_id = merchant.keep("7001")
    row = merchant.of(lambda t: t.sales.get(sale_id))
    assert row.sale == make_sale("7001")
    assert row.sale.claims == ()
    assert merchant.of(lambda t: t.objects.owner(merchant.connection.id, "7001")) == sale_id
    assert replace(row.sale, paid_at=None).paid_at is None
    assert world.clock.now() - row.created_at < timedelta(hours=1)
