"""No cent twice, none to nobody: what sales, parts and joint invoices do to each other."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

import cfdi
from cfdi.findings import Finding, FixableBy
from cfdi.pac.contract import Never
from hub.domain.fingerprint import fingerprint
from hub.domain.purchase import Estado, FiscalForm
from hub.domain.sale import Payment, PaymentState, Refund, RefundLine, Sale, SaleLine, SaleTax
from hub.domain.states import State
from hub.steps import close, divide, look, request
from hub.steps.refund import CHANGED
from hub.steps.register import register
from hub.steps.review import not_stamped

D = Decimal
RULES = '[forma_pago]\ndefault = "03"\n[pagina]\ndividir = true\n'


@pytest.fixture
def merchant(world: Any) -> Any:
    return world.settle(rules=RULES)


def line(key: str, base: str, tax: str, quantity: int = 1) -> SaleLine:
    iva = SaleTax(D(tax), D("0.16"), impuesto="IVA")
    return SaleLine(key, f"Plato {key}", D(quantity), D(base), D(0), (iva,))


def sold(*lines: SaleLine, total: str, **changes: Any) -> dict[str, Any]:
    payments = (Payment("card", D(total), forma_pago="04"),)
    return {"lines": lines, "total": D(total), "payments": payments} | changes


def page(merchant: Any, token: str) -> Any:
    shown = look.purchase(merchant.world.ctx, token)
    assert shown is not None
    return shown


def ask(merchant: Any, token: str, form: FiscalForm) -> request.Requested:
    done = request.request(merchant.world.ctx, token, form, "es")
    assert done is not None
    return done


def split(merchant: Any, sale_id: str, units: dict[str, Decimal]) -> tuple[str, str]:
    ctx, token = merchant.world.ctx, merchant.token(sale_id)
    assert divide.divide(ctx, token, units, page(merchant, token).vista) is None
    one, two = page(merchant, token).parts
    return one.token, two.token


def total_of(merchant: Any, token: str) -> Decimal:
    found = look.stamped(merchant.world.ctx, token)
    assert found is not None
    return cfdi.read(found[1].xml).comprobante.total


def pass_for(merchant: Any, *sale_ids: str) -> str:
    links = [merchant.change(lambda t, s=sale_id: t.links.make(s)) for sale_id in sale_ids]
    ctx = merchant.world.ctx
    made = [(link.sale_id, link.generation) for link in links]
    return str(ctx.passes.make(merchant.id, made, ctx.clock.now()))


def sale_of(merchant: Any, sale_id: str) -> Sale:
    found: Sale = merchant.of(lambda t: t.sales.get(sale_id)).sale
    return found


class TestSnapshotsThatAPageShowsAlike:
    """A delivered copy has two decimals, the shop's answer six: a part may be a cent more."""

    COARSE = tuple(line(str(n), "10.00", "1.60") for n in range(1, 5))
    FINE = tuple(line(str(n), "10.003500", "1.600560") for n in range(1, 5))
    UNITS = {"1": D(1), "2": D(1), "3": D(1)}  # noqa: RUF012 - read only

    def test_no_cent_is_lost_between_the_parts(
        self, merchant: Any, form: FiscalForm, other_form: FiscalForm
    ) -> None:
        sale_id = merchant.keep("7001", **sold(*self.COARSE, total="46.40"))
        before = fingerprint(sale_of(merchant, sale_id))
        one, two = split(merchant, sale_id, self.UNITS)
        ask(merchant, one, form)
        merchant.world.drain()
        assert total_of(merchant, one) == D("34.80")
        merchant.keep("7001", **sold(*self.FINE, total="46.40", revision=2))
        assert fingerprint(sale_of(merchant, sale_id)) == before
        # 34.81 and 11.59 now: beside the 34.80 a cent would be nobody's.
        assert [e.codigo for e in ask(merchant, two, other_form).errors] == ["divided_no_more"]
        assert [one.kind for one in merchant.of(lambda t: t.asks.list())] == [CHANGED]
        merchant.keep("7001", **sold(*self.COARSE, total="46.40", revision=3))
        assert merchant.of(lambda t: t.asks.list()) == []
        assert ask(merchant, two, other_form).errors == ()
        merchant.world.drain()
        assert total_of(merchant, two) == D("11.60")

    def test_a_line_by_another_key_is_another_line(
        self, merchant: Any, form: FiscalForm, other_form: FiscalForm
    ) -> None:
        lines = line("1", "10.00", "1.60"), replace(line("2", "20.00", "3.20"), description="Vino")
        sale_id = merchant.keep("7001", **sold(*lines, total="34.80"))
        one, two = split(merchant, sale_id, {"1": D(1)})
        ask(merchant, one, form)
        merchant.world.drain()
        swapped = replace(lines[0], key="2"), replace(lines[1], key="1")
        merchant.keep("7001", **sold(*swapped, total="34.80", revision=2))
        assert ask(merchant, two, other_form).errors == (request.DIVIDED_NO_MORE,)
        assert [one.kind for one in merchant.of(lambda t: t.asks.list())] == [CHANGED]


class TestDividedAndThen:
    @pytest.fixture
    def sale_id(self, merchant: Any) -> str:
        return str(merchant.keep("7001", **self.dinner()))

    @staticmethod
    def dinner(price: str = "100.00", total: str = "174.00", **changes: Any) -> dict[str, Any]:
        tax = str(D(price) * D("0.16"))
        return sold(line("1", price, tax, 2), line("2", "50.00", "8.00"), total=total, **changes)

    @pytest.mark.parametrize("state", [PaymentState.PENDING, PaymentState.UNKNOWN])
    def test_a_payment_that_is_none_any_more_is_told(
        self, merchant: Any, sale_id: str, form: FiscalForm, state: PaymentState
    ) -> None:
        one, two = split(merchant, sale_id, {"1": D(1)})
        ask(merchant, one, form)
        merchant.world.drain()
        merchant.keep("7001", **self.dinner(revision=2, payment_state=state))
        (item,) = merchant.of(lambda t: t.asks.list())
        assert (item.kind, item.form["estado"]) == (CHANGED, state.value)
        assert ask(merchant, two, form).errors
        merchant.keep("7001", **self.dinner(revision=3))
        assert merchant.of(lambda t: t.asks.list()) == []
        assert ask(merchant, two, form).errors == ()

    @pytest.mark.parametrize("end", ["refused", "declared"])
    def test_turned_down_after_the_sale_changed_it_is_whole_again(
        self, merchant: Any, sale_id: str, form: FiscalForm, end: str
    ) -> None:
        """Else nobody could have it: no part is right any more, and the whole is divided."""
        one, _ = split(merchant, sale_id, {"1": D(1)})
        pac = merchant.world.pac(merchant.account)
        mender = FixableBy.BUYER if end == "refused" else FixableBy.MERCHANT

        def change_and_refuse(_sealed: bytes, _reference: str) -> Never:
            merchant.keep("7001", **self.dinner("120.00", "197.20", revision=2))
            return Never((Finding("CFDI40147", "nombre", "no", "no", mender),), b"")

        pac.instead.append(change_and_refuse)
        ask(merchant, one, form)
        merchant.world.drain("stamp")
        if end == "declared":
            invoice = merchant.of(lambda t: t.invoices.for_sale(sale_id, 1))
            assert invoice.state is State.REVIEW
            ctx = merchant.world.ctx
            not_stamped(ctx, merchant.id, invoice.id, actor="staff")
        merchant.world.drain()
        assert merchant.of(lambda t: t.divisions.current(sale_id)) is None
        assert merchant.of(lambda t: t.asks.list()) == []
        assert merchant.estado(sale_id) is Estado.ABIERTA
        assert merchant.request(sale_id, form).errors == ()
        merchant.world.drain()
        assert total_of(merchant, merchant.token(sale_id)) == D("197.20")

    def test_the_same_word_twice(self, merchant: Any, sale_id: str, form: FiscalForm) -> None:
        """Back in review before anything new was sealed: the statement is there already."""
        ctx, pac = merchant.world.ctx, merchant.world.pac(merchant.account)
        stuck = Finding("PAC1", "", "no", "no", FixableBy.MERCHANT)
        pac.instead.append(lambda _sealed, _reference: Never((stuck,), b""))
        merchant.request(sale_id, form)
        merchant.world.drain("stamp")
        invoice = merchant.invoice(sale_id)
        not_stamped(ctx, merchant.id, invoice.id, actor="staff")
        merchant.request(sale_id, form)
        pending = self.dinner(payment_state=PaymentState.PENDING, revision=2)
        merchant.keep("7001", **pending)
        merchant.world.drain("stamp")
        assert merchant.state(sale_id) is State.REVIEW
        not_stamped(ctx, merchant.id, invoice.id, actor="staff")
        assert merchant.state(sale_id) is State.REJECTED


class TestGlobal:
    def test_what_is_marked_is_what_was_listed(self, merchant: Any) -> None:
        """A sale registered anew after it was divided: it must not be marked and never listed."""
        ctx = merchant.world.ctx
        row = register(ctx, merchant.id, given("116.00"))
        split(merchant, row.id, {"1": D(1)})
        with merchant.world.store.transaction() as tx:  # as a hub of before left it
            tenant = tx.tenant(merchant.id)
            sale = tenant.sales.get(row.id).sale
            tenant.sales.rewrite(row.id, replace(sale, total=D("232.00"), lines=double(sale)), ())
        listed = close.open_tickets(ctx, merchant.id, None, None)
        assert [(one.part, one.sale.due) for one in listed] == [(0, D("232.00"))]
        merchant.world.clock.advance(86400)
        assert close.close(ctx, merchant.id, ctx.clock.now(), "G-1").marked == 1
        assert merchant.estado(row.id) is Estado.EN_GLOBAL

    def test_registered_anew_it_is_divided_no_more(self, merchant: Any) -> None:
        ctx = merchant.world.ctx
        row = register(ctx, merchant.id, given("116.00"))
        split(merchant, row.id, {"1": D(1)})
        register(ctx, merchant.id, given("232.00"))
        assert merchant.of(lambda t: t.divisions.current(row.id)) is None
        assert merchant.page(row.id).total == D("232.00")

    def test_what_a_global_invoice_lets_go_of_can_be_had_again(
        self, merchant: Any, form: FiscalForm
    ) -> None:
        """Half of it stood there when the sale changed: of no use to anybody as it was divided."""
        ctx, lines = merchant.world.ctx, (line("1", "100.00", "16.00", 2),)
        sale_id = merchant.keep("7001", **sold(*lines, total="116.00"))
        split(merchant, sale_id, {"1": D(1)})
        merchant.world.clock.advance(86400)
        assert close.close(ctx, merchant.id, ctx.clock.now(), "G-1").marked == 2
        more = (line("1", "150.00", "24.00", 3),)
        merchant.keep("7001", **sold(*more, total="174.00", revision=2))
        assert [one.kind for one in merchant.of(lambda t: t.asks.list())] == [CHANGED]
        assert close.reopen(ctx, merchant.id, "G-1") == 2
        listed = close.open_tickets(ctx, merchant.id, None, None)
        assert [(one.part, one.sale.due) for one in listed] == [(0, D("174.00"))]
        assert merchant.request(sale_id, form).errors == ()
        merchant.world.drain()
        assert total_of(merchant, merchant.token(sale_id)) == D("174.00")
        assert merchant.of(lambda t: t.asks.list()) == []


def given(total: str) -> bytes:
    line = {"description": "Taza", "quantity": 2, "total": total, "rate": "0.16"}
    paid = {"number": "T-1", "paid_at": "2026-11-20T16:00:00Z", "forma_pago": "03"}
    return json.dumps(paid | {"lines": [line]}).encode()


def double(sale: Sale) -> tuple[SaleLine, ...]:
    (one,) = sale.lines
    taxes = tuple(replace(tax, amount=tax.amount * 2) for tax in one.taxes)
    return (replace(one, subtotal=one.subtotal * 2, taxes=taxes),)


class TestJoint:
    @pytest.fixture
    def pair(self, merchant: Any) -> tuple[str, str]:
        other = sold(line("1", "50.00", "8.00"), total="58.00")
        return merchant.keep("7001"), merchant.keep("7002", **other)

    def test_all_of_one_is_given_back_though_its_lines_have_fractions_of_cents(
        self, merchant: Any, pair: tuple[str, str], form: FiscalForm
    ) -> None:
        lines = [line(str(n), "9.999333", "1.599893") for n in range(1, 6)]
        third = merchant.keep("7003", **sold(*lines, total="58.00"))
        ask(merchant, pass_for(merchant, *pair, third), form)
        merchant.world.drain()
        back = tuple(
            RefundLine(one.key, one.quantity, one.base, tuple(tax.amount for tax in one.taxes))
            for one in lines
        )
        given_back = (Refund("r1", D("58.00"), lines=back),)
        changes = {"refunds": given_back, "payment_state": PaymentState.REFUNDED, "revision": 2}
        merchant.keep("7003", **sold(*lines, total="58.00", **changes))
        merchant.world.drain()
        (note,) = merchant.of(lambda t: t.credits.of_sale(third))
        row = merchant.of(lambda t: t.invoices.get(note.invoice_id))
        assert (row.state, row.total) == (State.STAMPED, D("58.00"))
        assert merchant.of(lambda t: t.asks.list()) == []

    @pytest.mark.parametrize("way", ["orders", "division"])
    def test_no_way_round_the_limit_of_changes(
        self, merchant: Any, pair: tuple[str, str], form: FiscalForm, way: str
    ) -> None:
        """In another order, or divided and united, it is the same purchase."""
        ctx, wrong = merchant.world.ctx, replace(form, nombre="OTRO NOMBRE CUALQUIERA")
        orders = [pass_for(merchant, *pair), pass_for(merchant, *reversed(pair))]
        asked = []
        for time in range(request.CHANGES_PER_HOUR + 2):
            token = orders[time % 2]
            if way == "division":
                token = merchant.token(pair[0])
                split(merchant, pair[0], {"1": D("0.5")})
                token, _ = (one.token for one in page(merchant, token).parts)
            asked += [ask(merchant, token, wrong).errors]
            merchant.world.drain("stamp")
            if way == "division":
                assert divide.unite(ctx, merchant.token(pair[0])) is None
        assert asked[-3:] == [(), (request.TOO_MANY,), (request.TOO_MANY,)]

    def test_what_cannot_be_asked_for_changes_nothing(
        self, merchant: Any, pair: tuple[str, str], form: FiscalForm
    ) -> None:
        """One of three is in a global invoice: the rejected one of the others stays theirs."""
        third = merchant.keep("7003", **sold(line("1", "30.00", "4.80"), total="34.80"))
        assert merchant.change(lambda t: t.claims.open(third, global_uuid="G-1"))
        ask(merchant, pass_for(merchant, *pair), replace(form, nombre="OTRO NOMBRE CUALQUIERA"))
        merchant.world.drain("stamp")
        rejected = merchant.invoice(pair[0])
        assert rejected.state is State.REJECTED
        assert ask(merchant, pass_for(merchant, *pair, third), form).errors == (request.TAKEN,)
        assert merchant.invoice(pair[1]).id == rejected.id

    @pytest.mark.parametrize("times", range(2))
    def test_given_back_between_request_and_seal(
        self, merchant: Any, pair: tuple[str, str], form: FiscalForm, times: int
    ) -> None:
        """Before the seal, or after it and before it is sent: the other one alone is left."""
        ask(merchant, pass_for(merchant, *pair), form)
        if times:
            merchant.world.drain("stamp", rows=1)
            assert merchant.invoice(pair[0]).state is State.SEALED
        back = (Refund("r1", D("58.00")),)
        changes = {"refunds": back, "payment_state": PaymentState.REFUNDED, "revision": 2}
        merchant.keep("7002", **sold(line("1", "50.00", "8.00"), total="58.00", **changes))
        merchant.world.drain()
        assert merchant.world.provider.stamps() == []
        assert merchant.page(pair[0]).total == D("116.00")
        assert merchant.request(pair[0], form).errors == ()
        merchant.world.drain()
        assert total_of(merchant, merchant.token(pair[0])) == D("116.00")
        assert merchant.of(lambda t: t.claims.of_sale(pair[1])) == []
