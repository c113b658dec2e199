"""Each thing that keeps a peso from a second document, by itself: taken away, a test here fails."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from cfdi.seal import seal as sealed_with
from hub.domain.compose import compose
from hub.domain.purchase import Estado, FiscalForm
from hub.domain.sale import Payment, PaymentState, SaleLine, SaleTax
from hub.domain.states import State
from hub.steps import close, divide, join, look, request

D = Decimal
RULES = '[forma_pago]\ndefault = "03"\n[pagina]\ndividir = true\n'
WITHOUT_DEFAULT = "[pagina]\ndividir = true\n"
HALF = {"1": D(1)}


@pytest.fixture
def merchant(world: Any) -> Any:
    return world.settle(rules=RULES)


def two_plates(**changes: Any) -> dict[str, Any]:
    iva = SaleTax(D("16.00"), D("0.16"), impuesto="IVA")
    line = SaleLine("1", "Plato", D(2), D("100.00"), D(0), (iva,))
    payments = (Payment("card", D("116.00")),)
    return {"lines": (line,), "total": D("116.00"), "payments": payments} | changes


@pytest.fixture
def pair(merchant: Any) -> tuple[str, str]:
    return merchant.keep("7001", **two_plates()), merchant.keep("7002", **two_plates())


@pytest.fixture
def wrong(form: FiscalForm) -> FiscalForm:
    return replace(form, nombre="OTRO NOMBRE CUALQUIERA")


def pass_for(merchant: Any, *sale_ids: str) -> str:
    links = [merchant.change(lambda t, s=sale_id: t.links.make(s)) for sale_id in sale_ids]
    ctx = merchant.world.ctx
    made = [(link.sale_id, link.generation) for link in links]
    return str(ctx.passes.make(merchant.id, made, ctx.clock.now()))


def ask(merchant: Any, token: str, form: FiscalForm) -> request.Requested:
    done = request.request(merchant.world.ctx, token, form, "es")
    assert done is not None
    return done


def vista(merchant: Any, token: str) -> str:
    shown = look.purchase(merchant.world.ctx, token)
    assert shown is not None
    return shown.vista


def split(merchant: Any, sale_id: str) -> Any:
    token = merchant.token(sale_id)
    return divide.divide(merchant.world.ctx, token, HALF, vista(merchant, token))


def held(merchant: Any, sale_id: str) -> list[str | None]:
    return [one.invoice_id for one in merchant.of(lambda t: t.claims.of_sale(sale_id))]


class TestRequest:
    def test_a_ticket_asks_for_its_own_purchase_alone(
        self, merchant: Any, pair: tuple[str, str], form: FiscalForm, wrong: FiscalForm
    ) -> None:
        ask(merchant, pass_for(merchant, *pair), wrong)
        merchant.world.drain()
        assert merchant.state(pair[0]) is State.REJECTED
        assert ask(merchant, pass_for(merchant, pair[0]), form).errors == ()
        assert merchant.invoice(pair[0]).sale_ids == (pair[0],)
        assert held(merchant, pair[1]) == []

    def test_every_shop_that_did_not_confirm_is_asked_afterwards(
        self, merchant: Any, pair: tuple[str, str], form: FiscalForm
    ) -> None:
        world = merchant.world
        world.clock.advance(3600)
        ask(merchant, pass_for(merchant, *pair), form)
        before = [merchant.of(lambda t, s=s: t.sales.get(s)).verified_at for s in pair]
        world.clock.advance(600)
        world.drain("ingest")
        after = [merchant.of(lambda t, s=s: t.sales.get(s)).verified_at for s in pair]
        assert all(late > early for early, late in zip(before, after, strict=True))

    @pytest.mark.parametrize("of", ["several", "part"])
    def test_nothing_is_claimed_that_has_no_document(
        self, merchant: Any, pair: tuple[str, str], form: FiscalForm, of: str
    ) -> None:
        token = pass_for(merchant, *pair)
        if of == "part":
            assert split(merchant, pair[0]) is None
            token = merchant.of(lambda t: t.links.current(pair[0], 1)).token
        merchant.change(lambda t: t.rules.set(WITHOUT_DEFAULT))
        assert ask(merchant, token, form).errors == (request.APART,)
        assert held(merchant, pair[0]) == held(merchant, pair[1]) == []

    def test_a_rejected_one_is_let_go_only_for_something(
        self, merchant: Any, pair: tuple[str, str], form: FiscalForm, wrong: FiscalForm
    ) -> None:
        ask(merchant, pass_for(merchant, pair[0]), wrong)
        merchant.world.drain()
        before = merchant.invoice(pair[0]).id
        merchant.change(lambda t: t.rules.set(WITHOUT_DEFAULT))
        assert ask(merchant, pass_for(merchant, *pair), form).errors == (request.APART,)
        assert held(merchant, pair[0]) == [before]

    def test_the_page_names_the_earliest_deadline(self, merchant: Any) -> None:
        clock = merchant.world.clock
        early = merchant.keep("7001", **two_plates())
        clock.advance(9 * 86400)  # 72 hours after the payment reach into December
        paid = {"paid_at": clock.now(), "placed_at": clock.now()}
        late = merchant.keep("7002", **two_plates(**paid))
        until = [look.purchase_of(merchant.world.ctx, merchant.id, one) for one in (early, late)]
        shown = look.purchase(merchant.world.ctx, pass_for(merchant, late, early))
        assert shown is not None
        assert until[0].deadline_at != until[1].deadline_at
        assert shown.deadline_at == until[0].deadline_at


class TestSeal:
    def test_a_part_does_not_wait_for_the_end_of_a_hold(
        self, merchant: Any, pair: tuple[str, str], form: FiscalForm
    ) -> None:
        assert split(merchant, pair[0]) is None
        token = merchant.of(lambda t: t.links.current(pair[0], 2)).token
        ask(merchant, token, form)
        merchant.keep("7001", **two_plates(hold="disputed", revision=2))
        merchant.world.drain()
        invoice = merchant.of(lambda t: t.invoices.for_sale(pair[0], 2))
        assert invoice.state is State.REJECTED

    @pytest.mark.parametrize("key", ["7001", "7002"])
    def test_whichever_of_them_changes_meanwhile(
        self,
        merchant: Any,
        pair: tuple[str, str],
        form: FiscalForm,
        key: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Between composing and filing: nothing is filed of what is no more."""
        changed = list[bool]()

        def late(*args: Any) -> Any:
            if not changed:
                changed.append(True)
                merchant.keep(key, **two_plates(payment_state=PaymentState.PENDING, revision=2))
            return sealed_with(*args)

        monkeypatch.setattr("hub.steps.seal.sealed_with", late)
        asked = ask(merchant, pass_for(merchant, *pair), form)
        merchant.world.drain()
        invoice = merchant.of(lambda t: t.invoices.get(asked.invoice_id))
        assert changed
        assert (invoice.state, invoice.version) == (State.REJECTED, 0)

    @pytest.mark.parametrize("fault", ["total", "lines"])
    def test_a_composer_that_errs_seals_nothing(
        self,
        merchant: Any,
        pair: tuple[str, str],
        form: FiscalForm,
        fault: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def wrong_one(*args: Any, **kwargs: Any) -> Any:
            made = compose(*args, **kwargs)
            if fault == "total":
                return replace(made, total=made.total + D("0.01"))
            return replace(made, conceptos=made.conceptos[:1])

        monkeypatch.setattr("hub.steps.seal.compose", wrong_one)
        ask(merchant, pass_for(merchant, *pair), form)
        merchant.world.drain()
        invoice = merchant.invoice(pair[0])
        assert (invoice.state, invoice.version) == (State.REVIEW, 0)
        assert [one.code for one in invoice.findings] == ["total_differs"]
        assert merchant.world.provider.stamps() == []


class TestDivide:
    def test_after_an_invoice_of_all_was_turned_down(
        self, merchant: Any, pair: tuple[str, str], wrong: FiscalForm
    ) -> None:
        merchant.request(pair[0], wrong)
        merchant.world.drain()
        assert split(merchant, pair[0]) is None
        assert held(merchant, pair[0]) == []

    def test_not_while_one_of_several_holds_it(
        self, merchant: Any, pair: tuple[str, str], wrong: FiscalForm
    ) -> None:
        ask(merchant, pass_for(merchant, *pair), wrong)
        merchant.world.drain()
        assert merchant.state(pair[0]) is State.REJECTED
        assert split(merchant, pair[0]) == divide.TAKEN

    def test_not_twice_in_two_ways(self, merchant: Any, pair: tuple[str, str]) -> None:
        token = merchant.token(pair[0])
        shown = vista(merchant, token)
        assert divide.divide(merchant.world.ctx, token, HALF, shown) is None
        assert divide.divide(merchant.world.ctx, token, HALF, shown) is None
        other = divide.divide(merchant.world.ctx, token, {"1": D("0.5")}, shown)
        assert other == divide.TAKEN

    def test_not_once_it_is_asked_for(
        self, merchant: Any, pair: tuple[str, str], form: FiscalForm
    ) -> None:
        shown = vista(merchant, merchant.token(pair[0]))
        merchant.request(pair[0], form)
        done = divide.divide(merchant.world.ctx, merchant.token(pair[0]), HALF, shown)
        assert done == divide.TAKEN

    @pytest.mark.parametrize(
        "changes", [{"hold": "disputed"}, {"payment_state": PaymentState.PENDING}]
    )
    def test_not_what_cannot_be_invoiced(self, merchant: Any, changes: dict[str, Any]) -> None:
        sale_id = merchant.keep("7001", **two_plates())
        merchant.keep("7001", **two_plates(revision=2, **changes))
        assert split(merchant, sale_id) == divide.NOT_OPEN

    def test_not_into_what_has_no_document(self, merchant: Any, pair: tuple[str, str]) -> None:
        merchant.change(lambda t: t.rules.set(WITHOUT_DEFAULT))
        error = split(merchant, pair[0])
        assert error is not None
        assert error.codigo == "inexact"


class TestJoin:
    def test_what_is_taken_or_ended_is_not_added(
        self, merchant: Any, pair: tuple[str, str], form: FiscalForm
    ) -> None:
        ctx, ended = merchant.world.ctx, merchant.keep("7003", **two_plates())
        link = merchant.token(ended)
        merchant.keep("7003", **two_plates(payment_state=PaymentState.CANCELLED, revision=2))
        assert join.add_link(ctx, merchant.token(pair[0]), f"/f/{link}").error == join.ENDED
        merchant.request(pair[1], form)
        taken = join.add_link(ctx, merchant.token(pair[0]), f"/f/{merchant.token(pair[1])}")
        assert (taken.token, taken.error) == (None, join.TAKEN)

    def test_what_a_global_invoice_holds_is_not_added(
        self, merchant: Any, pair: tuple[str, str]
    ) -> None:
        assert merchant.change(lambda t: t.claims.open(pair[1], global_uuid="G-1"))
        other = merchant.token(pair[1])
        added = join.add_link(merchant.world.ctx, merchant.token(pair[0]), f"/f/{other}")
        assert (added.token, added.error) == (None, join.TAKEN)

    def test_a_part_is_not_added(self, merchant: Any, pair: tuple[str, str]) -> None:
        assert split(merchant, pair[1]) is None
        part = merchant.of(lambda t: t.links.current(pair[1], 1)).token
        added = join.add_link(merchant.world.ctx, merchant.token(pair[0]), f"/f/{part}")
        assert (added.token, added.error) == (None, join.NOT_FOUND)

    def test_only_where_the_merchant_allows_it(self, merchant: Any, pair: tuple[str, str]) -> None:
        ctx, mine, other = merchant.world.ctx, merchant.token(pair[0]), merchant.token(pair[1])
        assert join.add_link(ctx, mine, f"/f/{other}").token is not None
        merchant.change(lambda t: t.rules.set(RULES + "juntar = false\n"))
        assert join.add_link(ctx, mine, f"/f/{other}").error == join.NOT_FOUND

    def test_what_has_no_document_is_not_added(self, merchant: Any, pair: tuple[str, str]) -> None:
        ctx, mine, other = merchant.world.ctx, merchant.token(pair[0]), merchant.token(pair[1])
        merchant.change(lambda t: t.rules.set(WITHOUT_DEFAULT))
        added = join.add_link(ctx, mine, f"/f/{other}")
        assert added.error is not None
        assert added.error.codigo == "inexact"

    def test_taken_off_until_one_is_left(self, merchant: Any, pair: tuple[str, str]) -> None:
        ctx = merchant.world.ctx
        left = join.take_off(ctx, pass_for(merchant, *pair), 0)
        assert left is not None
        assert [one.number for one in join.listed(ctx, left)] == ["7002"]
        assert join.take_off(ctx, left, 0) is None
        assert join.take_off(ctx, pass_for(merchant, *pair), 2) is None

    def test_separated_only_once_it_was_turned_down_and_by_a_link(
        self, merchant: Any, pair: tuple[str, str], form: FiscalForm, wrong: FiscalForm
    ) -> None:
        ctx, link = merchant.world.ctx, merchant.token(pair[0])
        asked = ask(merchant, pass_for(merchant, *pair), wrong)
        assert not join.separate(ctx, link)  # it is on its way
        assert held(merchant, pair[1]) == [asked.invoice_id]
        merchant.world.drain()
        assert merchant.state(pair[0]) is State.REJECTED
        assert not join.separate(ctx, pass_for(merchant, pair[0]))
        assert held(merchant, pair[1]) == [asked.invoice_id]
        assert join.separate(ctx, link)
        assert held(merchant, pair[0]) == held(merchant, pair[1]) == []
        merchant.request(pair[0], form)
        merchant.world.drain()
        assert not join.separate(ctx, link)
        assert merchant.estado(pair[0]) is Estado.LISTA


class TestClose:
    def test_what_was_turned_down_is_marked(
        self, merchant: Any, pair: tuple[str, str], wrong: FiscalForm
    ) -> None:
        """It was listed as open, alone, joint or by parts: it is in the global invoice."""
        ctx, third = merchant.world.ctx, merchant.keep("7003", **two_plates())
        assert split(merchant, third) is None
        part = merchant.of(lambda t: t.links.current(third, 1)).token
        for token in (pass_for(merchant, *pair), part):
            ask(merchant, token, wrong)
        merchant.world.drain()
        assert len(close.open_tickets(ctx, merchant.id, None, None)) == 4
        merchant.world.clock.advance(86400)
        assert close.close(ctx, merchant.id, ctx.clock.now(), "G-1").marked == 4
        assert merchant.of(lambda t: t.invoices.for_sale(third, 1)) is None
