"""One purchase in two invoices: to the cent, each part once, and never beside the whole."""

from __future__ import annotations

import threading
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

import cfdi
from cfdi.cancelacion import Motivo
from hub.domain.purchase import Estado, FiscalForm
from hub.domain.sale import Payment, PaymentState, Refund, SaleLine, SaleTax
from hub.domain.states import State
from hub.steps import cancel, close, divide, find, join, look, request
from hub.steps.refund import CHANGED
from hub.store.errors import Refused

pytestmark = pytest.mark.usefixtures("who_waits_is_told_the_same")

D = Decimal
RULES = '[forma_pago]\ndefault = "03"\n[pagina]\ndividir = true\n'
ONE = {"1": D(1), "2": D(0)}


@pytest.fixture
def merchant(world: Any) -> Any:
    return world.settle(rules=RULES)


def lines(price: str = "100.00") -> tuple[SaleLine, ...]:
    def line(key: str, quantity: int, amount: Decimal) -> SaleLine:
        iva = SaleTax(amount * D("0.16"), D("0.16"), impuesto="IVA")
        return SaleLine(key, f"Plato {key}", D(quantity), amount, D(0), (iva,))

    return line("1", 2, D(price)), line("2", 1, D("50.00"))


def dinner(price: str = "100.00", **changes: Any) -> dict[str, Any]:
    """Two of a dish for that price and one for 50.00, with IVA."""
    total = (D(price) + D("50.00")) * D("1.16")
    payments = (Payment("card", total, forma_pago="04"),)
    return {"lines": lines(price), "total": total, "payments": payments} | changes


@pytest.fixture
def sale_id(merchant: Any) -> str:
    return str(merchant.keep("7001", **dinner()))


def vista(merchant: Any, token: str) -> str:
    shown = look.purchase(merchant.world.ctx, token)
    assert shown is not None
    return shown.vista


def split(merchant: Any, sale_id: str, units: dict[str, Decimal] = ONE) -> tuple[str, str]:
    """Divide it and return the tokens of the parts."""
    ctx, token = merchant.world.ctx, merchant.token(sale_id)
    assert divide.divide(ctx, token, units, vista(merchant, token)) is None
    shown = look.purchase(ctx, token)
    assert shown is not None
    one, two = shown.parts
    return one.token, two.token


def ask(merchant: Any, token: str, form: FiscalForm) -> request.Requested:
    done = request.request(merchant.world.ctx, token, form, "es")
    assert done is not None
    return done


def page(merchant: Any, token: str) -> Any:
    shown = look.purchase(merchant.world.ctx, token)
    assert shown is not None
    return shown


def made(merchant: Any, token: str) -> Any:
    found = look.stamped(merchant.world.ctx, token)
    assert found is not None
    return cfdi.read(found[1].xml).comprobante


class TestDivided:
    def test_two_receivers(
        self, merchant: Any, sale_id: str, form: FiscalForm, other_form: FiscalForm
    ) -> None:
        one, two = split(merchant, sale_id)
        assert (page(merchant, one).total, page(merchant, two).total) == (D("58.00"), D("116.00"))
        assert [p.part for p in (page(merchant, one), page(merchant, two))] == [1, 2]
        assert ask(merchant, one, form).errors == ()
        merchant.world.drain()
        assert (page(merchant, one).estado, page(merchant, two).estado) == (
            Estado.LISTA,
            Estado.ABIERTA,
        )
        assert ask(merchant, two, other_form).errors == ()
        merchant.world.drain()
        assert made(merchant, one).receptor.rfc == form.rfc
        assert made(merchant, two).receptor.rfc == other_form.rfc
        assert made(merchant, one).total + made(merchant, two).total == D("174.00")
        assert [c.cantidad for c in made(merchant, two).conceptos] == [1, 1]
        whole = page(merchant, merchant.token(sale_id))
        assert whole.estado is Estado.LISTA
        assert [p.estado for p in whole.parts] == [Estado.LISTA, Estado.LISTA]
        letters = merchant.world.post.to(form.correo)
        assert one in "".join(letter.text for letter in letters)
        assert two not in "".join(letter.text for letter in letters if form.nombre in letter.text)

    def test_the_page_of_the_whole_tells_nothing_of_either(
        self, merchant: Any, sale_id: str, form: FiscalForm
    ) -> None:
        one, _ = split(merchant, sale_id)
        ask(merchant, one, form)
        merchant.world.drain()
        ctx, token = merchant.world.ctx, merchant.token(sale_id)
        whole = page(merchant, token)
        assert (whole.uuid, whole.masked_email, whole.form) == (None, "", FiscalForm())
        assert form.rfc not in repr(whole)
        assert look.stamped(ctx, token) is None
        assert ask(merchant, token, form).errors == (request.DIVIDED,)

    def test_one_part_tells_nothing_of_the_other(
        self, merchant: Any, sale_id: str, form: FiscalForm
    ) -> None:
        one, two = split(merchant, sale_id)
        ask(merchant, one, form)
        merchant.world.drain()
        shown = page(merchant, two)
        assert [line.description for line in shown.lines] == ["Plato 1", "Plato 2"]
        assert (shown.uuid, shown.parts, shown.form) == (None, (), FiscalForm())
        assert look.stamped(merchant.world.ctx, two) is None
        visit = look.visit(merchant.world.ctx, two)
        assert visit is not None
        assert visit.moved is None

    def test_whoever_has_the_ticket_opens_the_parts_as_far_as_that(
        self, merchant: Any, sale_id: str, form: FiscalForm
    ) -> None:
        split(merchant, sale_id)
        ctx = merchant.world.ctx
        code = merchant.of(lambda t: t.sales.get(sale_id)).code
        token = find.find(ctx, code, D("174.00"), merchant.id)
        assert token is not None
        one, two = page(merchant, token).parts
        links = {merchant.of(lambda t, n=n: t.links.current(sale_id, n)).token for n in (1, 2)}
        assert not {one.token, two.token} & links
        assert not page(merchant, one.token).proven
        assert ask(merchant, two.token, form).errors == ()
        merchant.world.drain()
        assert page(merchant, two.token).uuid is None
        assert page(merchant, one.token).estado is Estado.ABIERTA
        # Who gave the data is let in; to that part and no other.
        proven = find.prove(ctx, two.token, form.rfc)
        assert proven == merchant.of(lambda t: t.links.current(sale_id, 2)).token
        assert find.prove(ctx, one.token, form.rfc) is None

    def test_half_and_half(self, merchant: Any, sale_id: str, form: FiscalForm) -> None:
        ctx, token = merchant.world.ctx, merchant.token(sale_id)
        draft = divide.draft(ctx, token, None)
        assert draft is not None
        assert draft.totals == (D("87.00"), D("87.00"))
        units = {one.key: one.first for one in draft.portions}
        assert units == {"1": D(1), "2": D("0.5")}
        one, _ = split(merchant, sale_id, units)
        ask(merchant, one, form)
        merchant.world.drain()
        assert made(merchant, one).total == D("87.00")

    def test_only_where_the_merchant_allows_it(self, world: Any, form: FiscalForm) -> None:
        strict = world.settle()
        sale_id = strict.keep("7001", **dinner())
        token = strict.token(sale_id)
        assert not page(strict, token).dividable
        assert divide.draft(world.ctx, token, None) is None
        assert divide.divide(world.ctx, token, ONE, vista(strict, token)) == divide.NOT_OPEN

    @pytest.mark.parametrize(
        "units",
        [{}, {"1": D(2), "2": D(1)}, {"1": D(3)}, {"1": D("NaN")}, {"9": D(1)}, {"1": D("-1")}],
    )
    def test_what_cannot_be(self, merchant: Any, sale_id: str, units: dict[str, Decimal]) -> None:
        ctx, token = merchant.world.ctx, merchant.token(sale_id)
        draft = divide.draft(ctx, token, units)
        assert draft is not None
        assert draft.totals is None
        assert divide.divide(ctx, token, units, vista(merchant, token)) == draft.error
        assert merchant.of(lambda t: t.divisions.current(sale_id)) is None

    def test_not_beside_amounts_that_were_not_shown(self, merchant: Any, sale_id: str) -> None:
        ctx, token = merchant.world.ctx, merchant.token(sale_id)
        shown = vista(merchant, token)
        merchant.keep("7001", **dinner("120.00", revision=2))
        assert divide.divide(ctx, token, ONE, shown) == divide.CHANGED
        assert divide.divide(ctx, token, ONE, "") == divide.CHANGED

    def test_undone_and_divided_otherwise(
        self, merchant: Any, sale_id: str, form: FiscalForm
    ) -> None:
        ctx, token = merchant.world.ctx, merchant.token(sale_id)
        one, _ = split(merchant, sale_id)
        assert page(merchant, token).unitable
        assert divide.unite(ctx, one) == divide.NOT_OPEN  # a companion cannot
        assert divide.unite(ctx, token) is None
        assert page(merchant, token).parts == ()
        gone = page(merchant, one)
        assert (gone.estado, gone.reason, gone.total) == (
            Estado.CANCELADA,
            "divided_no_more",
            D(0),
        )
        assert "Plato" not in repr(gone)
        assert ask(merchant, one, form).errors == (request.DIVIDED_NO_MORE,)
        split(merchant, sale_id, {"1": D(2)})
        assert page(merchant, one).total == D("116.00")

    def test_not_undone_once_a_part_is_asked_for(
        self, merchant: Any, sale_id: str, form: FiscalForm
    ) -> None:
        one, _ = split(merchant, sale_id)
        ask(merchant, one, form)
        token = merchant.token(sale_id)
        assert not page(merchant, token).unitable
        assert divide.unite(merchant.world.ctx, token) == divide.TAKEN
        with pytest.raises(Refused, match="a part is invoiced"):
            merchant.change(lambda t: t.divisions.undo(sale_id))

    def test_nothing_whole_beside_it(self, merchant: Any, sale_id: str, form: FiscalForm) -> None:
        split(merchant, sale_id)
        ctx, other = merchant.world.ctx, merchant.keep("7002")
        done = request.issue(ctx, merchant.id, sale_id, form, actor="staff")
        assert done is not None
        assert done.errors == (request.DIVIDED,)
        assert not merchant.change(lambda t: t.claims.open(sale_id, global_uuid="G"))
        added = join.add_link(ctx, merchant.token(other), f"/f/{merchant.token(sale_id)}")
        assert added.error == join.DIVIDED
        staff = request.issue(ctx, merchant.id, sale_id, form, actor="staff", part=2)
        assert staff is not None
        assert staff.errors == ()
        merchant.world.drain()
        assert merchant.of(lambda t: t.invoices.for_sale(sale_id, 2)).total == D("116.00")

    def test_a_renewed_link_ends_those_of_the_parts(self, merchant: Any, sale_id: str) -> None:
        one, two = split(merchant, sale_id)
        merchant.change(lambda t: t.links.renew(sale_id))
        ctx = merchant.world.ctx
        assert look.purchase(ctx, one) is look.purchase(ctx, two) is None
        assert len(page(merchant, merchant.token(sale_id)).parts) == 2

    def test_a_rejected_part_is_asked_for_again(
        self, merchant: Any, sale_id: str, form: FiscalForm
    ) -> None:
        one, two = split(merchant, sale_id)
        ask(merchant, one, replace(form, nombre="OTRO NOMBRE CUALQUIERA"))
        merchant.world.drain()
        assert page(merchant, one).estado is Estado.RECHAZADA
        assert page(merchant, two).estado is Estado.ABIERTA
        assert ask(merchant, one, form).errors == ()
        merchant.world.drain()
        assert made(merchant, one).total == D("58.00")


class TestAfterwards:
    def test_a_change_before_anything_is_issued_undoes_it(
        self, merchant: Any, sale_id: str, form: FiscalForm
    ) -> None:
        one, _ = split(merchant, sale_id)
        merchant.keep("7001", **dinner("120.00", revision=2))
        assert page(merchant, one).reason == "divided_no_more"
        assert merchant.of(lambda t: t.divisions.current(sale_id)) is None
        assert page(merchant, merchant.token(sale_id)).parts == ()
        merchant.request(sale_id, form)
        merchant.world.drain()
        assert made(merchant, merchant.token(sale_id)).total == D("197.20")
        assert merchant.of(lambda t: t.asks.list()) == []

    def test_a_change_before_the_seal_undoes_it_too(
        self, merchant: Any, sale_id: str, form: FiscalForm
    ) -> None:
        one, _ = split(merchant, sale_id)
        ask(merchant, one, form)
        merchant.keep("7001", **dinner("120.00", revision=2))
        merchant.world.drain()
        assert merchant.of(lambda t: t.claims.of_sale(sale_id)) == []
        assert merchant.of(lambda t: t.divisions.current(sale_id)) is None
        assert page(merchant, one).reason == "divided_no_more"
        assert merchant.estado(sale_id) is Estado.ABIERTA
        assert merchant.of(lambda t: t.asks.list()) == []

    def test_after_the_first_is_issued_the_rest_is_the_merchants(
        self, merchant: Any, sale_id: str, form: FiscalForm, other_form: FiscalForm
    ) -> None:
        one, two = split(merchant, sale_id)
        ask(merchant, one, form)
        merchant.world.drain()
        given = (Refund("r1", D("20.00")),)
        merchant.keep("7001", **dinner(refunds=given, revision=2))
        (item,) = merchant.of(lambda t: t.asks.list())
        assert (item.kind, item.form["ahora"]) == (CHANGED, "154.0000 MXN")
        assert merchant.of(lambda t: t.credits.of_sale(sale_id)) == []
        assert page(merchant, one).estado is Estado.LISTA
        assert ask(merchant, two, other_form).errors == (request.DIVIDED_NO_MORE,)
        assert page(merchant, two).reason == "divided_no_more"
        # It is taken back in the shop.
        merchant.keep("7001", **dinner(revision=3))
        assert merchant.of(lambda t: t.asks.list()) == []
        assert ask(merchant, two, other_form).errors == ()
        merchant.world.drain()
        assert made(merchant, two).total == D("116.00")

    def test_once_the_first_is_cancelled_all_of_it_is_free(
        self, merchant: Any, sale_id: str, form: FiscalForm
    ) -> None:
        one, _ = split(merchant, sale_id)
        ask(merchant, one, form)
        merchant.world.drain()
        merchant.keep("7001", **dinner("120.00", revision=2))
        invoice = merchant.of(lambda t: t.invoices.for_sale(sale_id, 1))
        ctx = merchant.world.ctx
        cancel.ask(ctx, merchant.id, invoice.id, Motivo.ERRORES_SIN_RELACION)
        merchant.world.quiet()
        assert merchant.of(lambda t: t.divisions.current(sale_id)) is None
        assert merchant.of(lambda t: t.asks.list()) == []
        assert merchant.estado(sale_id) is Estado.ABIERTA
        assert merchant.page(sale_id).total == D("197.20")

    def test_cancelling_a_part_frees_that_part(
        self, merchant: Any, sale_id: str, form: FiscalForm, other_form: FiscalForm
    ) -> None:
        one, two = split(merchant, sale_id)
        for token, data in ((one, form), (two, other_form)):
            ask(merchant, token, data)
        merchant.world.drain()
        invoice = merchant.of(lambda t: t.invoices.for_sale(sale_id, 1))
        ctx = merchant.world.ctx
        cancel.ask(ctx, merchant.id, invoice.id, Motivo.ERRORES_SIN_RELACION)
        merchant.world.quiet()
        assert page(merchant, one).estado is Estado.ABIERTA
        assert page(merchant, two).estado is Estado.LISTA
        told = merchant.world.post.to(form.correo)[-1]
        assert one in told.text
        assert ask(merchant, one, other_form).errors == ()

    def test_a_sale_that_is_cancelled_in_the_shop(
        self, merchant: Any, sale_id: str, form: FiscalForm
    ) -> None:
        one, two = split(merchant, sale_id)
        ask(merchant, one, form)
        merchant.world.drain()
        merchant.keep("7001", **dinner(revision=2, payment_state=PaymentState.CANCELLED))
        (item,) = merchant.of(lambda t: t.asks.list())
        assert item.kind == CHANGED
        assert ask(merchant, two, form).errors

    def test_the_rest_goes_into_the_global_invoice(
        self, merchant: Any, sale_id: str, form: FiscalForm
    ) -> None:
        one, two = split(merchant, sale_id)
        ask(merchant, one, form)
        merchant.world.drain()
        ctx = merchant.world.ctx
        (ticket,) = close.open_tickets(ctx, merchant.id, None, None)
        assert (ticket.part, ticket.sale.due) == (2, D("116.00"))
        merchant.world.clock.advance(86400)
        closed = close.close(ctx, merchant.id, ctx.clock.now(), "G-1")
        assert (closed.marked, closed.skipped) == (1, 1)
        assert close.open_tickets(ctx, merchant.id, None, None) == []
        assert page(merchant, two).estado is Estado.EN_GLOBAL
        assert page(merchant, one).estado is Estado.LISTA
        assert close.reopen(ctx, merchant.id, "G-1") == 1
        assert page(merchant, two).estado is Estado.ABIERTA

    def test_what_was_divided_and_never_asked_for_is_in_the_global_invoice(
        self, merchant: Any, sale_id: str
    ) -> None:
        split(merchant, sale_id)
        ctx = merchant.world.ctx
        tickets = close.open_tickets(ctx, merchant.id, None, None)
        assert sum((one.sale.due for one in tickets), D(0)) == D("174.00")
        merchant.world.clock.advance(86400)
        assert close.close(ctx, merchant.id, ctx.clock.now(), "G-1").marked == 2


class TestAtOnce:
    @pytest.mark.parametrize("round_", range(3))
    def test_whole_parts_and_joint(
        self,
        merchant: Any,
        form: FiscalForm,
        other_form: FiscalForm,
        round_: int,
    ) -> None:
        """Eight at a time: whoever is first decides, and no peso is invoiced twice."""
        ctx = merchant.world.ctx
        sale_id = merchant.keep(f"7{round_}01", **dinner())
        other = merchant.keep(f"7{round_}02")
        token, shown = merchant.token(sale_id), vista(merchant, merchant.token(sale_id))
        sold = [
            (one, merchant.of(lambda t, s=one: t.links.current(s)).generation)
            for one in (sale_id, other)
        ]
        joint = ctx.passes.make(merchant.id, sold, ctx.clock.now())
        parts = [ctx.passes.make(merchant.id, sold[:1], ctx.clock.now(), n) for n in (1, 2)]
        work = [
            lambda: divide.divide(ctx, token, ONE, shown),
            lambda: divide.divide(ctx, token, {"1": D(2)}, shown),
            lambda: ask(merchant, token, form),
            lambda: ask(merchant, joint, form),
            lambda: ask(merchant, parts[0], form),
            lambda: ask(merchant, parts[1], other_form),
            lambda: divide.unite(ctx, token),
            lambda: ask(merchant, joint, other_form),
        ]
        gate, errors = threading.Barrier(len(work)), []

        def run(one: Any) -> None:
            gate.wait()
            try:
                one()
            except Exception as error:  # noqa: BLE001 - told below
                errors.append(error)

        threads = [threading.Thread(target=run, args=(one,)) for one in work]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        merchant.world.drain()
        assert merchant.world.violations() == []
        live = merchant.of(lambda t: t.invoices.list(state=State.STAMPED))
        held = merchant.of(lambda t: t.claims.of_sale(sale_id))
        covering = [one for one in live if sale_id in one.sale_ids]
        assert len(covering) == len(held)
        most = D("290.00") if any(len(one.sale_ids) == 2 for one in covering) else D("174.00")
        assert sum((one.total for one in covering), D(0)) <= most

    @pytest.mark.parametrize("at", range(5))
    def test_a_process_that_dies_at_any_commit(
        self, merchant: Any, sale_id: str, form: FiscalForm, other_form: FiscalForm, at: int
    ) -> None:
        world, token = merchant.world, merchant.token(sale_id)
        shown = vista(merchant, token)

        def all_of_it() -> None:
            assert divide.divide(world.ctx, token, ONE, shown) is None
            one, two = page(merchant, token).parts
            ask(merchant, one.token, form)
            ask(merchant, two.token, other_form)
            world.drain()

        world.kill.arm(at, "commit")
        world.die(all_of_it)
        world.kill.arm(0, "")
        all_of_it()
        world.quiet()
        one, two = page(merchant, token).parts
        assert (one.estado, two.estado) == (Estado.LISTA, Estado.LISTA)
        assert len(world.provider.stamps()) == 2
