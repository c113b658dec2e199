"""Refunds after the invoice: one credit note each, wherever it dies and whatever is answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

import cfdi
from cfdi.cancelacion import Motivo
from hub.domain.sale import PaymentState, Refund, RefundLine
from hub.domain.states import State
from hub.steps import cancel, live, look, review, stamp, sweep
from hub.steps import refund as refunds
from hub.steps.context import Context
from hub.steps.refund import CHANGED, NOTE_LEFT
from hub.steps.seal import seal
from hub.store.errors import Refused

REVIEW_RULES = '[forma_pago]\ndefault = "03"\n[devoluciones]\nnota_de_credito = "revision"\n'


def refund(key: str = "r1", total: str = "16.00", lines: Sequence[RefundLine] = ()) -> Refund:
    return Refund(key, Decimal(total), lines=tuple(lines))


def tell(merchant: Any, world: Any, make_sale: Any, *refunds: Refund, **changes: Any) -> str:
    """The shop has these refunds now, and the hub hears of them."""
    shown = make_sale(revision=2 + len(refunds), refunds=refunds)
    before = merchant.of(lambda tenant: tenant.sales.by_key(merchant.connection.id, "7001"))
    number = before.sale.revision + 1 if before else 1
    world.shop.put(replace(shown, revision=number, **changes))
    merchant.promise("ingest_order", f"{merchant.connection.id}/7001", queue="ingest")
    world.drain("ingest")
    return str(merchant.sale_id())


@pytest.fixture
def invoiced(world: Any, merchant: Any) -> str:
    sale_id = str(merchant.keep())
    merchant.request(sale_id)
    world.quiet()
    assert merchant.state(sale_id) is State.STAMPED
    world.post.letters.clear()
    return sale_id


def notes(merchant: Any, sale_id: str) -> list[Any]:
    def found(tenant: Any) -> list[Any]:
        return [tenant.invoices.get(one.invoice_id) for one in tenant.credits.of_sale(sale_id)]

    return list(merchant.of(found))


def states(merchant: Any, sale_id: str) -> list[State]:
    return [one.state for one in notes(merchant, sale_id)]


def asks(merchant: Any) -> list[Any]:
    return list(merchant.of(lambda tenant: tenant.asks.list()))


def xml(merchant: Any, note: Any) -> Any:
    stamped = merchant.of(lambda tenant: tenant.invoices.stamp_of(note.id))
    return cfdi.read(stamped.xml).comprobante


def totals(world: Any) -> list[str]:
    return [str(one["total"]) for one in world.provider.stamps()]


class TestOneRefund:
    def test_its_note_says_what_it_has_to(
        self, world: Any, merchant: Any, invoiced: str, make_sale: Any
    ) -> None:
        tell(merchant, world, make_sale, refund())
        world.quiet()
        [note] = notes(merchant, invoiced)
        ingreso, said = merchant.invoice(invoiced), xml(merchant, note)
        assert note.state is State.STAMPED
        assert (said.tipo_de_comprobante, said.total, said.moneda) == ("E", Decimal("16.00"), "MXN")
        [related] = said.relacionados
        assert (related.tipo_relacion, related.uuids) == ("01", (ingreso.uuid.upper(),))
        assert (said.receptor.rfc, said.receptor.uso_cfdi) == (ingreso.receptor.rfc, "G02")
        assert (said.forma_pago, said.metodo_pago) == ("04", "PUE")
        assert (said.serie, said.folio) == ("NC", "1")
        assert note.environment == ingreso.environment
        assert asks(merchant) == []
        assert merchant.invoice(invoiced).id == ingreso.id, "the claim of the sale stays"

    def test_told_twice_or_more_it_has_one(
        self, world: Any, merchant: Any, invoiced: str, make_sale: Any
    ) -> None:
        for _ in range(3):
            tell(merchant, world, make_sale, refund())
            world.quiet()
        assert states(merchant, invoiced) == [State.STAMPED]
        assert totals(world) == ["116.00", "16.00"]

    def test_of_everything_it_is_a_note_too(
        self, world: Any, merchant: Any, invoiced: str, make_sale: Any
    ) -> None:
        """Cancelling is not the hub's to choose."""
        tell(
            merchant,
            world,
            make_sale,
            refund(total="116.00"),
            payment_state=PaymentState.REFUNDED,
        )
        world.quiet()
        assert totals(world) == ["116.00", "116.00"]
        assert merchant.state(invoiced) is State.STAMPED

    def test_pieces_that_came_back_are_a_return(
        self, world: Any, merchant: Any, invoiced: str, make_sale: Any
    ) -> None:
        line = RefundLine("1", Decimal(1), Decimal("100.00"), (Decimal("16.00"),))
        tell(
            merchant,
            world,
            make_sale,
            refund(total="116.00", lines=[line]),
            payment_state=PaymentState.REFUNDED,
        )
        world.quiet()
        [note] = notes(merchant, invoiced)
        said = xml(merchant, note)
        assert said.relacionados[0].tipo_relacion == "03"
        assert said.conceptos[0].descripcion == "Taza de barro"

    def test_it_is_mailed_and_shown(
        self, world: Any, merchant: Any, invoiced: str, make_sale: Any
    ) -> None:
        tell(merchant, world, make_sale, refund())
        world.quiet()
        [note] = notes(merchant, invoiced)
        [letter] = world.post.to("xochilt@example.com")
        assert "Nota de crédito" in letter.subject
        assert "$16.00" in letter.text
        assert {one.filename for one in letter.attachments} == {
            f"{note.uuid}.xml",
            f"{note.uuid}.pdf",
        }
        page = merchant.page(invoiced)
        [shown] = page.notes
        assert (shown.number, shown.total, shown.uuid) == (1, Decimal("16.00"), note.uuid)
        assert page.uuid == merchant.invoice(invoiced).uuid
        assert page.total == Decimal("116.00")
        found = look.noted(world.ctx, merchant.token(invoiced), 1)
        assert found is not None
        assert found[0].id == note.id
        assert look.noted(world.ctx, merchant.token(invoiced), 2) is None


class TestSeveral:
    def test_each_has_its_own_to_the_last_cent(
        self, world: Any, merchant: Any, invoiced: str, make_sale: Any
    ) -> None:
        told: list[Refund] = []
        for number, total in enumerate(("0.01", "33.33", "33.33", "49.33"), 1):
            told.append(refund(f"r{number}", total))
            full = PaymentState.REFUNDED if number == 4 else PaymentState.PAID
            tell(merchant, world, make_sale, *told, payment_state=full)
            world.quiet()
        assert states(merchant, invoiced) == [State.STAMPED] * 4
        assert totals(world) == ["116.00", "0.01", "33.33", "33.33", "49.33"]
        said = [xml(merchant, one).impuestos for one in notes(merchant, invoiced)]
        taxes = [tax.importe for one in said if one is not None for tax in one.traslados]
        paid = sum(taxes, Decimal(0))
        assert paid == Decimal("16.00"), "all notes together take the tax of the invoice, exactly"

    def test_at_once(self, world: Any, merchant: Any, invoiced: str, make_sale: Any) -> None:
        tell(merchant, world, make_sale, *(refund(f"r{n}", "10.00") for n in range(5)))
        world.quiet()
        assert states(merchant, invoiced) == [State.STAMPED] * 5


class TestBeforeAndAfter:
    def test_what_the_invoice_was_sealed_with_is_never_credited(
        self, world: Any, merchant: Any, make_sale: Any
    ) -> None:
        sale_id = str(merchant.keep(refunds=(refund("early", "16.00"),)))
        merchant.request(sale_id)
        world.quiet()
        assert totals(world) == ["100.00"]
        tell(merchant, world, make_sale, refund("early", "16.00"), refund("late", "10.00"))
        world.quiet()
        assert totals(world) == ["100.00", "10.00"]
        with pytest.raises(Refused, match="accounts for that refund"):
            merchant.change(lambda tenant: open_note(tenant, sale_id, "early"))

    @pytest.mark.parametrize("at", ["requested", "sealed", "sending", "unknown", "stamped"])
    def test_a_refund_at_every_step_counts_once(
        self, world: Any, merchant: Any, make_sale: Any, at: str
    ) -> None:
        sale_id = str(merchant.keep())
        merchant.request(sale_id)
        invoice_id = merchant.invoice(sale_id).id
        if at in {"sealed", "sending", "unknown"}:
            seal(world.ctx, merchant.id, invoice_id)
        if at in {"sending", "unknown"}:
            world.kill.arm(0, "after_send")
            assert world.die(lambda: stamp.stamp(world.ctx, merchant.id, invoice_id))
        if at == "unknown":
            world.clock.advance(3600)
            with pytest.raises(Exception, match=r"."):  # it waits for the quiet period
                stamp.stamp(world.ctx, merchant.id, invoice_id)
        if at == "stamped":
            world.quiet()
        tell(merchant, world, make_sale, refund("r", "16.00"))
        world.quiet()
        if at in {"requested", "sealed"}:
            assert merchant.state(sale_id) is State.REJECTED, "its buyer looks at it first"
            merchant.request(sale_id)
            world.quiet()
        in_force = ["116.00", "16.00"] if at in {"sending", "unknown", "stamped"} else ["100.00"]
        assert totals(world) == in_force
        invoiced = merchant.invoice(sale_id).total
        noted = sum((one.total for one in notes(merchant, sale_id)), Decimal(0))
        assert invoiced - noted == Decimal("100.00")

    @pytest.mark.parametrize("at", ["requested", "sealed", "sending", "stamped"])
    def test_a_refund_that_disappears(
        self, world: Any, merchant: Any, invoiced: str, make_sale: Any, at: str
    ) -> None:
        tell(merchant, world, make_sale, refund("r"))
        [note] = notes(merchant, invoiced)
        if at != "requested":
            with world.store.transaction() as tx:  # its promises come when they come
                tx.outbox.claim(["stamp"], "w", 100)
            from hub.steps.credit import credit  # noqa: PLC0415 - one stride of the walk

            credit(world.ctx, merchant.id, note.id)
        if at == "sending":
            world.kill.arm(0, "after_send")
            assert world.die(lambda: stamp.stamp(world.ctx, merchant.id, note.id))
        if at == "stamped":
            world.quiet()
        tell(merchant, world, make_sale)
        world.clock.advance(3600)
        sweep.nudge_stuck(world.ctx)
        world.quiet()
        [note] = notes(merchant, invoiced)
        if at in {"requested", "sealed"}:
            assert note.state is State.REJECTED
            assert totals(world) == ["116.00"]
            assert asks(merchant) == []
        else:
            assert note.state is State.STAMPED
            [told] = asks(merchant)
            assert told.kind == NOTE_LEFT
            assert note.uuid in told.form["nota"]
            cancelled(world, merchant, note.id)
            assert asks(merchant) == []
            assert merchant.page(invoiced).notes == ()

    def test_one_that_comes_back_has_a_note_again(
        self, world: Any, merchant: Any, invoiced: str, make_sale: Any
    ) -> None:
        tell(merchant, world, make_sale, refund("r"))
        tell(merchant, world, make_sale)
        tell(merchant, world, make_sale, refund("r"))
        world.quiet()
        assert states(merchant, invoiced) == [State.REJECTED, State.STAMPED]


def open_note(tenant: Any, sale_id: str, key: str, total: str = "1.00") -> None:
    ingreso = tenant.invoices.for_sale(sale_id)
    made = tenant.invoices.create(
        sale_ids=(sale_id,),
        receptor=ingreso.receptor,
        origin="refund",
        language="es",
        environment=ingreso.environment,
        total=Decimal(total),
        currency="MXN",
    )
    tenant.credits.open(
        made.id,
        ingreso_id=ingreso.id,
        sale_id=sale_id,
        refund_key=key,
        total=Decimal(total),
        actor="hub",
    )


def cancelled(world: Any, merchant: Any, invoice_id: str, motivo: Motivo | None = None) -> None:
    cancel.ask(world.ctx, merchant.id, invoice_id, motivo or Motivo.ERRORES_SIN_RELACION)
    world.quiet()
    assert merchant.of(lambda tenant: tenant.invoices.get(invoice_id)).state is State.CANCELLED


class TestReview:
    @pytest.mark.parametrize(
        ("changes", "word"),
        [
            ({"total": Decimal("110.00")}, "algo más que devoluciones"),
            ({"currency": "USD"}, "otra moneda"),
            ({"payment_state": PaymentState.CANCELLED}, "canceló o devolvió"),
            ({"payment_state": PaymentState.REFUNDED}, "no se pudo ubicar"),
            ({"doubts": ("algo raro",)}, "no se pudo ubicar"),
        ],
    )
    def test_what_is_not_plain_waits(
        self,
        world: Any,
        merchant: Any,
        invoiced: str,
        make_sale: Any,
        changes: dict[str, Any],
        word: str,
    ) -> None:
        tell(merchant, world, make_sale, refund(), **changes)
        world.quiet()
        assert notes(merchant, invoiced) == []
        [told] = asks(merchant)
        assert told.kind == CHANGED
        assert word in told.form["motivo"]

    @pytest.mark.parametrize("key", ["", "r\x00", "r" * 201])
    def test_a_refund_without_a_usable_id(
        self, world: Any, merchant: Any, invoiced: str, make_sale: Any, key: str
    ) -> None:
        if "\x00" in key:
            key = "r\x1b"
        tell(merchant, world, make_sale, refund(key))
        assert notes(merchant, invoiced) == []
        assert "identificador" in asks(merchant)[0].form["motivo"]

    def test_two_refunds_of_one_id(
        self, world: Any, merchant: Any, invoiced: str, make_sale: Any
    ) -> None:
        tell(merchant, world, make_sale, refund("r"), refund("r"))
        assert notes(merchant, invoiced) == []
        assert "identificador" in asks(merchant)[0].form["motivo"]

    def test_by_the_rules_a_person_issues_each(self, world: Any, make_sale: Any) -> None:
        merchant = world.settle(rules=REVIEW_RULES)
        sale_id = str(merchant.keep())
        merchant.request(sale_id)
        world.quiet()
        tell(merchant, world, make_sale, refund())
        world.quiet()
        assert notes(merchant, sale_id) == []
        [told] = asks(merchant)
        review.credit_note(world.ctx, merchant.id, told.id)
        world.quiet()
        assert states(merchant, sale_id) == [State.STAMPED]
        assert asks(merchant) == []
        with pytest.raises(review.NotResolvable):
            review.credit_note(world.ctx, merchant.id, told.id)

    def test_a_total_that_fell_by_itself_is_no_persons_word_away(
        self, world: Any, merchant: Any, invoiced: str, make_sale: Any
    ) -> None:
        tell(merchant, world, make_sale, total=Decimal("110.00"))
        [told] = asks(merchant)
        with pytest.raises(review.NotResolvable, match="more than refunds"):
            review.credit_note(world.ctx, merchant.id, told.id)
        assert notes(merchant, invoiced) == []

    def test_when_the_shop_mends_it_nobody_has_to(
        self, world: Any, merchant: Any, invoiced: str, make_sale: Any
    ) -> None:
        tell(merchant, world, make_sale, total=Decimal("110.00"))
        assert len(asks(merchant)) == 1
        tell(merchant, world, make_sale)
        assert asks(merchant) == []

    def test_other_goods_for_the_same_price_are_told(
        self, world: Any, merchant: Any, invoiced: str, make_sale: Any
    ) -> None:
        """Swapped in the shop for something of another rate: the total says nothing of it."""
        cup = make_sale().lines[0]
        bread = replace(cup, key="2", description="Pan", subtotal=Decimal("116.00"), taxes=())
        bread = replace(bread, taxes=(replace(cup.taxes[0], amount=Decimal(0), rate=Decimal(0)),))
        swap = refund("swap", "116.00", [RefundLine("1", Decimal(1), cup.base, (Decimal(16),))])
        tell(merchant, world, make_sale, swap, lines=(cup, bread), total=Decimal("232.00"))
        [told] = asks(merchant)
        assert "impuestos" in told.form["motivo"]
        assert notes(merchant, invoiced) == []
        with pytest.raises(review.NotResolvable, match="other lines or taxes"):
            review.credit_note(world.ctx, merchant.id, told.id)
        tell(merchant, world, make_sale, lines=(bread,))
        assert len(asks(merchant)) == 1
        tell(merchant, world, make_sale, lines=(replace(cup, description="Taza azul"),))
        assert asks(merchant) == []
        assert world.violations() == []

    def test_a_note_given_up_is_not_made_again_by_itself(
        self, world: Any, merchant: Any, invoiced: str, make_sale: Any
    ) -> None:
        world.provider.fault("reject:CFDI40145", 100)
        tell(merchant, world, make_sale, refund())
        world.quiet()
        [note] = notes(merchant, invoiced)
        assert note.state is State.REVIEW, "no buyer can mend a note"
        review.not_stamped(world.ctx, merchant.id, note.id, actor="staff")
        assert states(merchant, invoiced) == [State.REJECTED]
        [told] = asks(merchant)
        assert "solo la pide una persona" in told.form["motivo"]
        world.provider.calm()
        tell(merchant, world, make_sale, refund())
        world.quiet()
        assert states(merchant, invoiced) == [State.REJECTED]
        review.credit_note(world.ctx, merchant.id, told.id)
        world.quiet()
        assert states(merchant, invoiced) == [State.REJECTED, State.STAMPED]

    def test_a_refused_note_is_tried_again(
        self, world: Any, merchant: Any, invoiced: str, make_sale: Any
    ) -> None:
        world.provider.fault("reject:CFDI40145", 1)
        tell(merchant, world, make_sale, refund())
        world.quiet()
        [note] = notes(merchant, invoiced)
        review.retry(world.ctx, merchant.id, note.id)
        world.quiet()
        assert states(merchant, invoiced) == [State.STAMPED]


class TestCancelling:
    def test_no_invoice_with_notes_in_force(
        self, world: Any, merchant: Any, invoiced: str, make_sale: Any
    ) -> None:
        tell(merchant, world, make_sale, refund())
        world.quiet()
        ingreso, [note] = merchant.invoice(invoiced), notes(merchant, invoiced)
        with pytest.raises(cancel.NotCancellable, match=note.uuid):
            cancel.ask(world.ctx, merchant.id, ingreso.id, Motivo.ERRORES_SIN_RELACION)
        cancelled(world, merchant, note.id)
        [told] = asks(merchant)
        assert told.kind == CHANGED, "a cancelled note frees its refund, for a person to say"
        assert totals(world) == ["116.00", "16.00"]
        cancelled(world, merchant, ingreso.id)
        merchant.request(invoiced)
        world.quiet()
        assert totals(world) == ["116.00", "16.00", "100.00"], "the new one accounts for it"

    def test_a_freed_refund_has_another_note_on_a_persons_word(
        self, world: Any, merchant: Any, invoiced: str, make_sale: Any
    ) -> None:
        tell(merchant, world, make_sale, refund())
        world.quiet()
        cancelled(world, merchant, notes(merchant, invoiced)[0].id)
        [told] = asks(merchant)
        review.credit_note(world.ctx, merchant.id, told.id)
        world.quiet()
        assert states(merchant, invoiced) == [State.CANCELLED, State.STAMPED]

    def test_a_note_asked_for_meanwhile_waits_for_the_end(
        self, world: Any, merchant: Any, invoiced: str, make_sale: Any
    ) -> None:
        ingreso = merchant.invoice(invoiced)
        tell(merchant, world, make_sale, refund())
        cancel.ask(world.ctx, merchant.id, ingreso.id, Motivo.ERRORES_SIN_RELACION)
        world.quiet()
        assert states(merchant, invoiced) == [State.REJECTED]
        assert totals(world) == ["116.00"]

    def test_from_practice_to_earnest(
        self, world: Any, merchant: Any, invoiced: str, make_sale: Any
    ) -> None:
        tell(merchant, world, make_sale, refund())
        world.quiet()
        assert merchant.change(live.leave_practice) == 1
        assert states(merchant, invoiced) == [State.SUPERSEDED]
        assert merchant.of(lambda tenant: tenant.invoices.for_sale(invoiced)) is None


FORGET = 10_000
STAMPED, REVIEW = {State.STAMPED}, {State.REVIEW}
OUTCOMES: dict[str, tuple[list[tuple[str, int]], set[State]]] = {
    "stamped": ([], STAMPED),
    "dropped_before": ([("drop_before", 1)], STAMPED),
    "dropped_after": ([("drop_after", 1)], STAMPED),
    "500_after_commit": ([("500_after_commit", 1)], STAMPED),
    "429": ([("429", 1)], STAMPED),
    "already_without_data": ([("drop_after", 1), ("307_without_data", 2)], STAMPED),
    "never": ([("reject:CFDI40145", FORGET)], REVIEW),
    "doubt_then_never": ([("drop_before", 1), ("reject:CFDI40145", FORGET)], REVIEW),
}


def crash(
    world: Any, merchant: Any, make_sale: Any, outcome: str, at: tuple[int, str], *, settled: bool
) -> bool:
    """A refund of an invoiced sale and one crash there; whether it came so far."""
    faults, ends = OUTCOMES[outcome]
    key = f"S{at[0]}{at[1]}{settled}"
    world.provider.calm()
    sale_id = str(merchant.keep(key))
    merchant.request(sale_id)
    world.quiet()
    before = len(world.provider.stamps())
    for mode, times in faults:
        world.provider.fault(mode, times)
    world.shop.put(make_sale(key, revision=2, refunds=(refund(),)))
    world.kill.arm(*at)

    def all_of_it() -> None:
        merchant.promise("ingest_order", f"{merchant.connection.id}/{key}", queue="ingest")
        world.quiet()

    died = False
    while world.die(all_of_it):
        died = True
        world.clock.advance(120)  # what it had claimed of the slowest queue is free again
    alive = [one for one in notes(merchant, sale_id) if one.state is not State.REJECTED]
    assert len(alive) == 1, (at, states(merchant, sale_id))
    assert alive[0].state in ends, (at, alive[0].state)
    assert len(world.provider.stamps()) - before == (alive[0].state is State.STAMPED), at
    assert len(world.post.to("xochilt@example.com")) <= 4
    world.post.letters.clear()
    return died


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_wherever_it_dies_there_is_one_note(
    outcome: str, world: Any, merchant: Any, make_sale: Any
) -> None:
    for when in ("before_send", "after_send"):
        assert crash(world, merchant, make_sale, outcome, (0, when), settled=True)
    at, step = 1, 1 if outcome in {"stamped", "dropped_after", "never"} else 4
    while crash(world, merchant, make_sale, outcome, (at, "commit"), settled=True):
        at += step
    assert at > 8
    assert world.violations() == []


@pytest.mark.postgres
@pytest.mark.parametrize("url", ["postgres"], indirect=True)
@pytest.mark.parametrize("outcome", ["stamped", "dropped_after"])
def test_and_on_the_other_engine(outcome: str, world: Any, merchant: Any, make_sale: Any) -> None:
    for at in ((0, "before_send"), (0, "after_send"), *((n, "commit") for n in range(1, 10))):
        assert crash(world, merchant, make_sale, outcome, at, settled=True)
    assert world.violations() == []


def test_a_worker_that_stands_still_is_helped(
    world: Any, merchant: Any, invoiced: str, make_sale: Any
) -> None:
    tell(merchant, world, make_sale, refund())
    with world.store.transaction() as tx:
        tx.outbox.done(tx.outbox.claim(["stamp"], "gone", 60))
    world.clock.advance(3600)
    sweep.nudge_stuck(world.ctx)
    world.quiet()
    assert states(merchant, invoiced) == [State.STAMPED]
    assert isinstance(world.ctx, Context)


class TestCancelledOrder:
    """Cancel the invoice or credit it: a person says, and either settles the matter."""

    def told(self, world: Any, merchant: Any, make_sale: Any) -> Any:
        state = PaymentState.CANCELLED
        tell(merchant, world, make_sale, refund(total="116.00"), payment_state=state)
        world.quiet()
        (ask,) = asks(merchant)
        assert ask.kind == CHANGED
        assert "cancela la factura o emite" in str(ask.form)
        return ask

    def test_a_note_on_his_word(
        self, world: Any, merchant: Any, invoiced: str, make_sale: Any
    ) -> None:
        self.told(world, merchant, make_sale)
        assert notes(merchant, invoiced) == []
        assert merchant.change(lambda tenant: refunds.issue(tenant, invoiced)) == 1
        world.quiet()
        [note] = notes(merchant, invoiced)
        assert (note.state, note.total) == (State.STAMPED, Decimal("116.00"))
        assert asks(merchant) == []

    def test_or_the_invoice_is_cancelled(
        self, world: Any, merchant: Any, invoiced: str, make_sale: Any
    ) -> None:
        self.told(world, merchant, make_sale)
        ingreso = merchant.invoice(invoiced)
        cancel.ask(world.ctx, merchant.id, ingreso.id, Motivo.NO_SE_LLEVO_A_CABO, actor="staff")
        world.quiet()
        assert merchant.of(lambda tenant: tenant.invoices.get(ingreso.id)).state is State.CANCELLED
        assert notes(merchant, invoiced) == []
