"""Several purchases in one invoice: all or none of them, to the cent, and none of them twice."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

import cfdi
from cfdi.cancelacion import Motivo
from hub.domain.purchase import Estado, FiscalForm
from hub.domain.sale import Payment, PaymentState, Refund, RefundLine, SaleLine, SaleTax
from hub.domain.states import State
from hub.steps import cancel, close, look, request
from hub.steps.fresh import Refreshing
from hub.steps.refund import CHANGED
from hub.steps.review import credit_note
from hub.store import schema
from hub.store.errors import Refused

pytestmark = pytest.mark.usefixtures("who_waits_is_told_the_same")

D = Decimal


def pass_for(merchant: Any, *sale_ids: str) -> str:
    links = [merchant.change(lambda t, s=sale_id: t.links.make(s)) for sale_id in sale_ids]
    ctx = merchant.world.ctx
    made = [(link.sale_id, link.generation) for link in links]
    return str(ctx.passes.make(merchant.id, made, ctx.clock.now()))


def ask(merchant: Any, token: str, form: FiscalForm) -> request.Requested:
    done = request.request(merchant.world.ctx, token, form, "es")
    assert done is not None
    return done


def other(key: str = "7002", amount: str = "50.00", **changes: Any) -> dict[str, Any]:
    """A sale of that price and IVA, unlike the first one."""
    price = D(amount)
    iva = SaleTax(price * D("0.16"), D("0.16"), impuesto="IVA")
    line = SaleLine("1", f"Plato {key}", D(1), price, D(0), (iva,))
    total = line.total
    payments = (Payment("cash", total, forma_pago="01"),)
    return {"key": key, "lines": (line,), "total": total, "payments": payments} | changes


@pytest.fixture
def pair(merchant: Any) -> tuple[str, str]:
    return merchant.keep("7001"), merchant.keep(**other())


def invoiced(merchant: Any, pair: tuple[str, ...], form: FiscalForm) -> Any:
    token = pass_for(merchant, *pair)
    assert ask(merchant, token, form).errors == ()
    merchant.world.drain()
    invoice = merchant.invoice(pair[0])
    assert invoice.state is State.STAMPED
    return invoice


class TestTogether:
    def test_one_invoice_of_all(
        self, merchant: Any, pair: tuple[str, str], form: FiscalForm
    ) -> None:
        token = pass_for(merchant, *pair)
        shown = look.purchase(merchant.world.ctx, token)
        assert shown is not None
        assert shown.estado is Estado.ABIERTA
        assert shown.number == "7001, 7002"
        assert shown.total == D("174.00")
        assert [one.total for one in shown.group] == [D("116.00"), D("58.00")]
        assert shown.form == FiscalForm()  # nobody's data are filled in
        assert not shown.proven
        asked = ask(merchant, token, replace(form, vista=shown.vista))
        assert asked.errors == ()
        merchant.world.drain()
        invoice = merchant.invoice(pair[0])
        assert invoice == merchant.invoice(pair[1])
        assert invoice.state is State.STAMPED
        assert invoice.sale_ids == pair
        stamp = merchant.of(lambda t: t.invoices.stamp_of(invoice.id))
        made = cfdi.read(stamp.xml).comprobante
        assert made.total == D("174.00")
        assert made.metodo_pago == "PUE"
        assert made.forma_pago == "04"  # of the 116.00 by card, against 58.00 in cash
        said = [one.descripcion for one in made.conceptos]
        assert said == ["Taza de barro (compra 7001)", "Plato 7002 (compra 7002)"]

    def test_each_link_shows_the_same_document(
        self, merchant: Any, pair: tuple[str, str], form: FiscalForm
    ) -> None:
        invoice = invoiced(merchant, pair, form)
        ctx = merchant.world.ctx
        for sale_id in pair:
            page = look.purchase(ctx, merchant.token(sale_id))
            assert page is not None
            assert (page.estado, page.uuid, page.total) == (Estado.LISTA, invoice.uuid, D("174.00"))
            assert page.number == "7001, 7002"
            found = look.stamped(ctx, merchant.token(sale_id))
            assert found is not None
            assert found[0].id == invoice.id
        (letter,) = merchant.world.post.to(form.correo)
        assert "7001, 7002" in letter.text

    def test_whoever_knows_one_ticket_sees_nothing_of_the_others(
        self, merchant: Any, pair: tuple[str, str], form: FiscalForm
    ) -> None:
        invoiced(merchant, pair, form)
        page = look.purchase(merchant.world.ctx, pass_for(merchant, pair[1]))
        assert page is not None
        assert page.estado is Estado.LISTA
        assert (page.number, page.total) == ("7002", D("58.00"))
        assert [line.description for line in page.lines] == ["Plato 7002"]
        assert page.uuid is None
        assert page.group == ()
        assert "7001" not in repr(page)

    def test_the_form_of_payment_is_that_of_most_of_the_money(
        self, merchant: Any, form: FiscalForm
    ) -> None:
        sales = [merchant.keep("7001")]
        sales += [merchant.keep(**other(f"710{n}", "50.00")) for n in range(3)]
        invoice = invoiced(merchant, tuple(sales), form)
        stamp = merchant.of(lambda t: t.invoices.stamp_of(invoice.id))
        made = cfdi.read(stamp.xml).comprobante
        assert made.forma_pago == "01"  # 174.00 in cash of three, 116.00 by card of one
        assert made.total == D("290.00")

    def test_asked_twice(self, merchant: Any, pair: tuple[str, str], form: FiscalForm) -> None:
        token = pass_for(merchant, *pair)
        first, second = ask(merchant, token, form), ask(merchant, token, form)
        assert first.invoice_id == second.invoice_id
        assert second.errors == ()
        # The same ones in another order are the same ones.
        assert ask(merchant, pass_for(merchant, *reversed(pair)), form) == second

    def test_all_or_nothing(
        self, merchant: Any, pair: tuple[str, str], form: FiscalForm, other_form: FiscalForm
    ) -> None:
        merchant.request(pair[1], other_form)
        token = pass_for(merchant, *pair)
        asked = ask(merchant, token, form)
        assert [one.codigo for one in asked.errors] == ["already_requested"]
        assert merchant.of(lambda t: t.claims.of_sale(pair[0])) == []
        page = look.purchase(merchant.world.ctx, token)
        assert page is not None
        assert page.apart

    def test_a_link_of_one_under_way_tells_of_all(
        self, merchant: Any, pair: tuple[str, str], form: FiscalForm, other_form: FiscalForm
    ) -> None:
        asked = ask(merchant, pass_for(merchant, *pair), form)
        again = merchant.request(pair[1], other_form)
        assert (again.invoice_id, again.errors) == (asked.invoice_id, ())
        assert merchant.estado(pair[1]) is Estado.PROCESANDO
        assert merchant.page(pair[1]).total == D("174.00")

    def test_amounts_that_changed_are_shown_again(
        self, merchant: Any, pair: tuple[str, str], form: FiscalForm
    ) -> None:
        token = pass_for(merchant, *pair)
        shown = look.purchase(merchant.world.ctx, token)
        assert shown is not None
        merchant.keep(**other("7002", "60.00", revision=2))
        asked = ask(merchant, token, replace(form, vista=shown.vista))
        assert [one.codigo for one in asked.errors] == ["amounts_changed"]
        assert merchant.of(lambda t: t.invoices.list()) == []

    def test_a_change_before_the_seal_rejects_it_and_lets_the_buyer_ask_again(
        self, merchant: Any, pair: tuple[str, str], form: FiscalForm
    ) -> None:
        ask(merchant, pass_for(merchant, *pair), form)
        merchant.keep(**other("7002", "60.00", revision=2))
        merchant.world.drain()
        page = merchant.page(pair[0])
        assert page.estado is Estado.RECHAZADA
        assert page.amounts_changed
        assert page.total == D("185.60")
        assert merchant.request(pair[0], form).errors == ()
        merchant.world.drain()
        assert merchant.page(pair[1]).total == D("185.60")
        assert merchant.estado(pair[1]) is Estado.LISTA

    @pytest.mark.parametrize(
        "ended",
        [{"payment_state": PaymentState.CANCELLED}, {"hold": "disputed"}, {"doubts": ("what?",)}],
    )
    def test_a_purchase_that_ended_keeps_no_other_waiting(
        self, merchant: Any, pair: tuple[str, str], form: FiscalForm, ended: dict[str, Any]
    ) -> None:
        ask(merchant, pass_for(merchant, *pair), form)
        merchant.keep(**other(revision=2, **ended))
        merchant.world.drain()
        assert merchant.invoice(pair[0]).state is State.REJECTED
        page = merchant.page(pair[0])
        assert (page.estado, page.total) == (Estado.ABIERTA, D("116.00"))
        assert merchant.request(pair[0], form).errors == ()
        merchant.world.drain()
        alone = merchant.invoice(pair[0])
        assert (alone.sale_ids, alone.state) == ((pair[0],), State.STAMPED)
        assert merchant.of(lambda t: t.claims.of_sale(pair[1])) == []

    def test_staff_take_one_out_of_a_rejected_one(
        self, merchant: Any, pair: tuple[str, str], form: FiscalForm
    ) -> None:
        ask(merchant, pass_for(merchant, *pair), form)
        merchant.keep(**other("7002", "60.00", revision=2))
        merchant.world.drain()
        ctx = merchant.world.ctx
        done = request.issue(ctx, merchant.id, pair[0], form, actor="staff")
        assert done is not None
        assert done.errors == ()
        merchant.world.drain()
        assert merchant.page(pair[0]).total == D("116.00")
        assert merchant.estado(pair[1]) is Estado.ABIERTA

    @pytest.mark.parametrize(
        "changes",
        [
            {"currency": "USD", "exchange_rate": D("20")},
            {"test": True},
            {"payment_state": PaymentState.CANCELLED},
            {"hold": "disputed"},
            {"paid_at": None},
        ],
    )
    def test_what_cannot_stand_in_one_invoice(
        self, merchant: Any, form: FiscalForm, changes: dict[str, Any]
    ) -> None:
        sales = merchant.keep("7001"), merchant.keep(**other(**changes))
        token = pass_for(merchant, *sales)
        page = look.purchase(merchant.world.ctx, token)
        assert page is not None
        assert page.apart
        asked = ask(merchant, token, form)
        assert asked.invoice_id is None
        assert asked.errors
        assert merchant.of(lambda t: t.invoices.list()) == []

    def test_the_earliest_deadline_counts(self, merchant: Any, form: FiscalForm) -> None:
        clock = merchant.world.clock
        early = merchant.keep("7001")
        clock.advance(timedelta(days=12).total_seconds())  # the second is of December
        late = merchant.keep(
            **other(paid_at=clock.now(), placed_at=clock.now()),
        )
        token = pass_for(merchant, early, late)
        page = look.purchase(merchant.world.ctx, token)
        assert page is not None
        assert page.apart
        assert ask(merchant, token, form).errors

    def test_too_many(self, merchant: Any, form: FiscalForm) -> None:
        sales = [merchant.keep(**other(f"8{n:03}", "10.00")) for n in range(21)]
        page = look.purchase(merchant.world.ctx, pass_for(merchant, *sales[:20]))
        assert page is not None
        assert not page.apart
        assert page.total == D("232.00")
        assert [e.codigo for e in ask(merchant, pass_for(merchant, *sales), form).errors] == [
            "not_joinable"
        ]

    def test_two_merchants_have_no_pass_in_common(self, world: Any, form: FiscalForm) -> None:
        one, two = world.settle(0), world.settle(1)
        mine, theirs = one.keep("7001"), two.keep("7001")
        two.change(lambda t: t.links.make(theirs))
        stolen = world.ctx.passes.make(one.id, [(mine, 1), (theirs, 1)], world.clock.now())
        assert look.purchase(world.ctx, stolen) is None
        assert request.request(world.ctx, stolen, form, "es") is None

    def test_a_renewed_link_ends_the_pass(
        self, merchant: Any, pair: tuple[str, str], form: FiscalForm
    ) -> None:
        token = pass_for(merchant, *pair)
        merchant.change(lambda t: t.links.renew(pair[1]))
        assert look.purchase(merchant.world.ctx, token) is None

    def test_each_shop_is_asked(self, merchant: Any, pair: tuple[str, str]) -> None:
        token = pass_for(merchant, *pair)
        merchant.world.clock.advance(3600)
        merchant.world.shop.put(replace(_sale_of(merchant, pair[0]), revision=2, total=D("116.00")))
        merchant.world.shop.put(replace(_sale_of(merchant, pair[1]), revision=5))
        Refreshing(merchant.world.ctx).asked_for(token)
        assert _sale_of(merchant, pair[0]).revision == 2
        assert _sale_of(merchant, pair[1]).revision == 5

    def test_the_customer_of_none_of_them_is_confirmed(
        self, merchant: Any, form: FiscalForm, make_sale: Any
    ) -> None:
        buyer = replace(make_sale().buyer, key="c-1")
        pair = merchant.keep("7001", buyer=buyer), merchant.keep(**other(buyer=buyer))
        invoiced(merchant, pair, form)
        connection = merchant.connection.id
        assert merchant.of(lambda t: t.customers.get(connection, "c-1")) is None


def _sale_of(merchant: Any, sale_id: str) -> Any:
    return merchant.of(lambda t: t.sales.get(sale_id)).sale


class TestAtOnce:
    @pytest.mark.parametrize("round_", range(3))
    def test_whoever_comes_first(
        self,
        merchant: Any,
        form: FiscalForm,
        other_form: FiscalForm,
        round_: int,
    ) -> None:
        """Whole, joint in both orders and three together: eight at a time, one invoice a sale."""
        a, b, c = (merchant.keep(**other(f"7{round_}0{n}", "50.00")) for n in range(3))
        tokens = [
            merchant.token(a),
            merchant.token(b),
            pass_for(merchant, a, b),
            pass_for(merchant, b, a),
            pass_for(merchant, b, c),
            pass_for(merchant, c, a),
            pass_for(merchant, a, b, c),
            pass_for(merchant, c, b, a),
        ]
        gate, errors = threading.Barrier(len(tokens)), []

        def run(place: int, token: str) -> None:
            gate.wait()
            try:
                ask(merchant, token, form if place % 2 else other_form)
            except Exception as error:  # noqa: BLE001 - told below
                errors.append(error)

        threads = [
            threading.Thread(target=run, args=(place, token)) for place, token in enumerate(tokens)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        merchant.world.drain()
        held = [merchant.of(lambda t, s=s: t.claims.of_sale(s)) for s in (a, b, c)]
        assert all(len(one) <= 1 for one in held)
        live = merchant.of(lambda t: t.invoices.list(state=State.STAMPED))
        covered = [sale_id for invoice in live for sale_id in invoice.sale_ids]
        assert len(covered) == len(set(covered))
        assert {a, b} <= set(covered)
        stamps = merchant.world.provider.stamps()
        assert len(stamps) == len(live)
        assert sum((one.total for one in live), D(0)) == D("58.00") * len(covered)

    @pytest.mark.parametrize("at", range(4))
    def test_a_process_that_dies_at_any_commit(
        self, merchant: Any, pair: tuple[str, str], form: FiscalForm, at: int
    ) -> None:
        world, token = merchant.world, pass_for(merchant, *pair)
        world.kill.arm(at, "commit")
        world.die(lambda: (ask(merchant, token, form), world.drain()))
        world.kill.arm(0, "")
        ask(merchant, token, form)
        world.quiet()
        invoice = merchant.invoice(pair[0])
        assert (invoice.state, invoice.sale_ids) == (State.STAMPED, pair)
        assert len(world.provider.stamps()) == 1


def refunded(merchant: Any, key: str, sale_id: str, *refunds: Refund, revision: int = 9) -> None:
    sale = replace(_sale_of(merchant, sale_id), refunds=refunds, revision=revision)
    merchant.world.shop.put(sale)
    merchant.promise("ingest_order", f"{merchant.connection.id}/{key}", queue="ingest")
    merchant.world.drain()


BY_LINE = Refund("r1", D("58.00"), lines=(RefundLine("1", D(1), D("50.00"), (D("8.00"),)),))


class TestAfterwards:
    def test_a_refund_by_line_gets_the_note_of_that_line_alone(
        self, merchant: Any, pair: tuple[str, str], form: FiscalForm
    ) -> None:
        invoice = invoiced(merchant, pair, form)
        refunded(merchant, "7002", pair[1], BY_LINE)
        (note,) = merchant.of(lambda t: t.credits.of_sale(pair[1]))
        row = merchant.of(lambda t: t.invoices.get(note.invoice_id))
        assert (row.state, row.total) == (State.STAMPED, D("58.00"))
        made = cfdi.read(merchant.of(lambda t: t.invoices.stamp_of(row.id)).xml).comprobante
        assert [one.descripcion for one in made.conceptos] == ["Plato 7002 (compra 7002)"]
        assert made.total == D("58.00")
        assert [one.uuids for one in made.relacionados] == [(invoice.uuid.upper(),)]
        assert merchant.of(lambda t: t.credits.of_sale(pair[0])) == []
        assert merchant.of(lambda t: t.asks.list()) == []
        # Both links show it, each by a number of its own that stays.
        assert [one.number for one in merchant.page(pair[1]).notes] == [1]
        assert [one.number for one in merchant.page(pair[0]).notes] == [2001]
        assert look.noted(merchant.world.ctx, merchant.token(pair[0]), 2001) is not None

    def test_equal_keys_of_refunds_of_two_sales_are_two_refunds(
        self, merchant: Any, pair: tuple[str, str], form: FiscalForm
    ) -> None:
        invoiced(merchant, pair, form)
        mine = Refund("r1", D("116.00"), lines=(RefundLine("1", D(1), D("100"), (D("16"),)),))
        refunded(merchant, "7001", pair[0], mine)
        refunded(merchant, "7002", pair[1], BY_LINE)
        notes = merchant.of(lambda t: [*t.credits.of_sale(pair[0]), *t.credits.of_sale(pair[1])])
        assert [(one.refund_key, one.total) for one in notes] == [
            ("r1", D("116.00")),
            ("r1", D("58.00")),
        ]
        states = [merchant.of(lambda t, n=n: t.invoices.get(n.invoice_id)).state for n in notes]
        assert states == [State.STAMPED, State.STAMPED]

    def test_an_amount_of_no_line_waits_for_a_person(
        self, merchant: Any, pair: tuple[str, str], form: FiscalForm
    ) -> None:
        invoiced(merchant, pair, form)
        refunded(merchant, "7002", pair[1], Refund("r1", D("20.00")))
        (note,) = merchant.of(lambda t: t.credits.of_sale(pair[1]))
        row = merchant.of(lambda t: t.invoices.get(note.invoice_id))
        assert row.state is State.REVIEW
        assert [one.code for one in row.findings] == ["credit_joint"]
        credit_note(merchant.world.ctx, merchant.id, row.id)
        merchant.world.drain()
        row = merchant.of(
            lambda t: t.invoices.get(t.credits.of_ingreso(row_of(t, pair[1]))[0].invoice_id)
        )
        assert (row.state, row.total) == (State.STAMPED, D("20.00"))
        made = cfdi.read(merchant.of(lambda t: t.invoices.stamp_of(row.id)).xml).comprobante
        assert {one.descripcion for one in made.conceptos} == {"Descuento (compra 7002)"}

    def test_a_refund_before_is_accounted_for(self, merchant: Any, form: FiscalForm) -> None:
        half = Refund("r0", D("29.00"), lines=(RefundLine("1", D(0), D("25.00"), (D("4.00"),)),))
        pair = merchant.keep("7001"), merchant.keep(**other(refunds=(half,)))
        invoice = invoiced(merchant, pair, form)
        assert invoice.total == D("145.00")
        merchant.promise("ingest_order", f"{merchant.connection.id}/7002", queue="ingest")
        merchant.world.drain()
        assert merchant.of(lambda t: t.credits.of_sale(pair[1])) == []
        assert merchant.of(lambda t: t.asks.list()) == []

    def test_more_than_its_share_is_never_credited(
        self, merchant: Any, pair: tuple[str, str], form: FiscalForm
    ) -> None:
        """58.00 are its own, and the invoice has 174.00: the database itself says no."""
        invoice = invoiced(merchant, pair, form)
        with pytest.raises(Refused, match="never make more than their sale"):
            merchant.change(lambda t: _note(t, invoice, pair[1], D("58.01")))
        with pytest.raises(Refused, match="accounts for that refund"):
            merchant.change(lambda t: _accounted(t, invoice))

    def test_a_sale_that_changed_otherwise_is_the_merchants(
        self, merchant: Any, pair: tuple[str, str], form: FiscalForm
    ) -> None:
        invoiced(merchant, pair, form)
        merchant.keep(**other("7002", "70.00", revision=3))
        (one,) = merchant.of(lambda t: t.asks.list())
        assert (one.kind, one.sale_id) == (CHANGED, pair[1])
        assert one.form["facturado"] == "58.00 MXN"
        assert one.form["ahora"] == "81.2000 MXN"

    def test_an_exchange_in_one_of_them_is_seen(
        self, merchant: Any, pair: tuple[str, str], form: FiscalForm
    ) -> None:
        """The same total, another tax."""
        invoiced(merchant, pair, form)
        zero = SaleTax(D(0), D(0), impuesto="IVA")
        line = SaleLine("1", "Libro", D(1), D("58.00"), D(0), (zero,))
        merchant.keep(**other(lines=(line,), total=D("58.00"), revision=3))
        (one,) = merchant.of(lambda t: t.asks.list())
        assert (one.kind, one.sale_id) == (CHANGED, pair[1])

    def test_cancelling_it_frees_every_sale(
        self, merchant: Any, pair: tuple[str, str], form: FiscalForm
    ) -> None:
        invoice = invoiced(merchant, pair, form)
        ctx = merchant.world.ctx
        cancel.ask(ctx, merchant.id, invoice.id, Motivo.ERRORES_SIN_RELACION)
        merchant.world.quiet()
        assert [merchant.estado(sale_id) for sale_id in pair] == [Estado.ABIERTA, Estado.ABIERTA]
        told = [
            one for one in merchant.world.post.to(form.correo) if "cancel" in one.subject.lower()
        ]
        assert len(told) == 1
        assert "7001, 7002" in told[0].text
        assert merchant.request(pair[0], form).errors == ()
        merchant.world.drain()
        assert merchant.page(pair[0]).total == D("116.00")
        assert merchant.estado(pair[1]) is Estado.ABIERTA

    def test_no_ticket_of_it_is_in_a_global_invoice(
        self, merchant: Any, pair: tuple[str, str], form: FiscalForm
    ) -> None:
        third = merchant.keep(**other("7003"))
        invoiced(merchant, pair, form)
        ctx = merchant.world.ctx
        tickets = close.open_tickets(ctx, merchant.id, None, None)
        assert [one.sale_ids for one in tickets] == [(third,)]
        merchant.world.clock.advance(86400)
        closed = close.close(ctx, merchant.id, ctx.clock.now(), "G-1")
        assert (closed.marked, closed.skipped) == (1, 2)


def row_of(tenant: Any, sale_id: str) -> str:
    return str(tenant.invoices.for_sale(sale_id).id)


def _note(tenant: Any, ingreso: Any, sale_id: str, total: Decimal, key: str = "x") -> None:
    made = tenant.invoices.create(
        sale_ids=(sale_id,),
        receptor=ingreso.receptor,
        origin="refund",
        language="es",
        environment="test",
        total=total,
        currency="MXN",
    )
    tenant.credits.open(
        made.id,
        ingreso_id=ingreso.id,
        sale_id=sale_id,
        refund_key=key,
        total=total,
        actor="hub",
    )


def _accounted(tenant: Any, ingreso: Any) -> None:
    tenant._scope.add(
        schema.ShareRefund,
        invoice_id=ingreso.id,
        version=1,
        sale_id=ingreso.sale_ids[0],
        refund_key="gone",
        total=D(1),
    )
    _note(tenant, ingreso, ingreso.sale_ids[0], D(1), "gone")
