"""Refunds of sales as credit notes of their invoices: to the cent, and accepted by every judge."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from satcfdi.cfdi import CFDI

import cfdi
from cfdi.amounts import limits_hold
from cfdi.comprobante import Comprobante, Emisor, Receptor
from cfdi.documents import Expedicion, Factura
from cfdi.seal import seal
from hub.domain import compose, credit
from hub.domain.credit import Verdict, judge, sells_the_same
from hub.domain.placed import Basis
from hub.domain.reasons import NotComposable
from hub.domain.rules import Rules, parse
from hub.domain.sale import Payment, PaymentState, Refund, RefundLine, Sale, SaleLine, SaleTax

D = Decimal
UUID = "5FB2822E-396D-4725-8521-CDC4BDD20CCF"
EMISOR = Emisor("EKU9003173C9", "ESCUELA KEMPER URGATE", "601")
RECEPTOR = Receptor("CACX7605101P8", "XOCHILT CASAS CHAVEZ", "36257", "612", "G03")
FECHA = datetime.fromisoformat("2026-11-20T12:00:00")
EXPEDICION = Expedicion(EMISOR, "42501", FECHA, "NC", "1")
AT = datetime(2026, 11, 20, 17, tzinfo=UTC)
RULES = parse('[forma_pago]\ndefault = "03"\n')
SERVICES = parse('[forma_pago]\ndefault = "03"\n[producto.default]\nclave_unidad = "E48"\n')


def line(key: str, net: str, rate: str = "0.16", quantity: int = 1) -> SaleLine:
    taxes = (SaleTax((D(net) * D(rate)).quantize(D("0.000001")), D(rate), f"IVA {rate}"),)
    return SaleLine(key, f"Cosa {key}", D(quantity), D(net), D(0), taxes)


def sale(*lines: SaleLine, **more: Any) -> Sale:
    total = sum((one.total for one in lines), D(0)).quantize(D("0.01"))
    given: dict[str, Any] = {
        "key": "7",
        "number": "7",
        "revision": 1,
        "placed_at": AT,
        "paid_at": AT,
        "payment_state": PaymentState.PAID,
        "currency": "MXN",
        "total": total,
        "lines": lines,
        "payments": (Payment("card", total, forma_pago="04"),),
    }
    return Sale(**given | more)


def back(key: str, of: SaleLine, share: str = "1", quantity: int = 1) -> RefundLine:
    base = (of.base * D(share)).quantize(D("0.000001"))
    taxes = tuple((tax.amount * D(share)).quantize(D("0.000001")) for tax in of.taxes)
    assert key == of.key
    return RefundLine(key, D(quantity), base, taxes)


def refund(key: str, total: str, *lines: RefundLine) -> Refund:
    return Refund(key, D(total), lines=lines)


def invoice(of: Sale, rules: Rules = RULES) -> Comprobante:
    return compose.compose(
        of,
        rules=rules,
        emisor=EMISOR,
        lugar_expedicion="42501",
        receptor=RECEPTOR,
        fecha=FECHA,
        serie="F",
        folio="1",
    )


def note(
    of: Sale,
    given: Refund,
    *,
    egresos: tuple[Comprobante, ...] = (),
    accounted: tuple[str, ...] = (),
    spread: bool = False,
    rules: Rules = RULES,
) -> Comprobante:
    earlier = tuple(one for one in of.refunds if one.key in accounted)
    made = invoice(replace(of, refunds=earlier), rules)
    return credit.compose(
        Factura(UUID, made, egresos),
        given,
        of,
        accounted=accounted,
        expedicion=EXPEDICION,
        spread=spread,
    )


def relation(made: Comprobante) -> str:
    return made.relacionados[0].tipo_relacion


CUP, BOOK = line("1", "517.24", quantity=2), line("2", "100.00", "0")
TWO = sale(CUP, BOOK)


class TestWhatItIsOf:
    def test_a_piece_that_came_back_is_a_return_under_its_own_key(self) -> None:
        made = note(TWO, refund("r", "300.00", back("1", CUP, "0.5")))
        assert (made.total, relation(made)) == (D("300.00"), "03")
        assert [one.descripcion for one in made.conceptos] == ["Cosa 1"]
        assert made.impuestos is not None
        assert [one.importe for one in made.impuestos.traslados] == [D("41.38")]

    def test_an_amount_of_a_line_is_a_discount(self) -> None:
        made = note(TWO, refund("r", "60.00", back("1", CUP, "0.1", quantity=0)))
        assert (made.total, relation(made)) == (D("60.00"), "01")
        assert {one.descripcion for one in made.conceptos} == {"Cosa 1"}

    def test_nothing_of_a_service_comes_back(self) -> None:
        made = note(TWO, refund("r", "300.00", back("1", CUP, "0.5")), rules=SERVICES)
        assert relation(made) == "01"

    def test_an_amount_alone_is_of_every_tax_in_proportion(self) -> None:
        made = note(TWO, refund("r", "70.00"))
        assert (made.total, relation(made)) == (D("70.00"), "01")
        assert made.impuestos is not None
        assert {one.tasa_o_cuota for one in made.impuestos.traslados} == {D("0.16"), D("0")}

    def test_lines_and_an_amount_that_is_of_none_wait_for_a_person(self) -> None:
        mixed = refund("r", "310.00", back("1", CUP, "0.5"))
        with pytest.raises(NotComposable) as refused:
            note(TWO, mixed)
        assert [one.code for one in refused.value.findings] == ["credit_unclear"]
        assert note(TWO, mixed, spread=True).total == D("310.00")

    def test_but_not_where_all_lines_are_taxed_alike(self) -> None:
        other = line("2", "100.00")
        made = note(sale(CUP, other), refund("r", "310.00", back("1", CUP, "0.5")))
        assert made.total == D("310.00")

    def test_the_tax_alone_waits_for_a_person(self) -> None:
        tax = RefundLine("1", D(0), D(0), (D("82.76"),))
        with pytest.raises(NotComposable):
            note(TWO, refund("r", "82.76", tax))

    def test_a_line_that_the_invoice_has_not(self) -> None:
        with pytest.raises(NotComposable):
            note(TWO, refund("r", "10.00", RefundLine("9", D(1), D("10.00"))))

    def test_lines_that_changed_since_are_not_taken_for_others(self) -> None:
        """The shop swapped the two: the first concept is not of the first line any more."""
        swapped = replace(TWO, lines=(BOOK, CUP))
        with pytest.raises(NotComposable):
            credit.compose(
                Factura(UUID, invoice(TWO)),
                refund("r", "300.00", back("1", CUP, "0.5")),
                swapped,
                accounted=(),
                expedicion=EXPEDICION,
                spread=False,
            )

    def test_what_the_invoice_accounts_for_is_no_line_of_it(self) -> None:
        first = refund("first", "100.00", back("2", BOOK))
        later = refund("later", "300.00", back("1", CUP, "0.5"))
        made = note(replace(TWO, refunds=(first, later)), later, accounted=("first",))
        assert (made.total, relation(made)) == (D("300.00"), "03")

    def test_more_than_is_left(self) -> None:
        earlier = note(TWO, refund("r1", "600.00"))
        with pytest.raises(NotComposable):
            note(TWO, refund("r2", "100.01"), egresos=(earlier,))


@pytest.mark.parametrize("seed", range(12))
def test_refunds_of_random_carts_add_up_to_the_last_cent(seed: int, signer: Any) -> None:
    dice = random.Random(seed)
    rates = ("0.16", "0.16", "0", "0.08")
    lines = [
        line(str(n), str(D(dice.randrange(100, 90_000)) / 100), dice.choice(rates))
        for n in range(dice.randrange(1, 5))
    ]
    sold = sale(*lines)
    cents = int(sold.total * 100)
    cuts = sorted(dice.sample(range(1, cents), min(3, cents - 1)))
    amounts = [b - a for a, b in zip([0, *cuts], [*cuts, cents], strict=True)]
    made: list[Comprobante] = []
    for number, amount in enumerate(amounts):
        given = Refund(f"r{number}", D(amount) / 100)
        made.append(note(sold, given, egresos=tuple(made), spread=True))
        assert made[-1].total == given.total
        assert limits_hold(made[-1]) == ()
        xml = seal(made[-1], signer).xml
        assert cfdi.validate(xml) == ()
        read = CFDI.from_string(xml)
        assert (str(read["TipoDeComprobante"])[:1], read["Total"]) == ("E", given.total)
    whole = invoice(sold)
    assert sum(one.total for one in made) == whole.total
    for rate in rates:
        assert sum((taxed(one, rate) for one in made), D(0)) == taxed(whole, rate)


def taxed(made: Comprobante, rate: str) -> Decimal:
    traslados = made.impuestos.traslados if made.impuestos else ()
    found = [one.importe for one in traslados if one.tasa_o_cuota == D(rate)]
    return sum((one for one in found if one is not None), D(0))


class TestJudge:
    """What is plain, and what is said of the rest."""

    @staticmethod
    def of(*refunds: Refund, basis: Basis | None = None, **changes: Any) -> Verdict:
        noted = changes.pop("noted", {})
        invoiced = changes.pop("invoiced", D("700.00"))
        sold = replace(TWO, total=D("700.00"), refunds=refunds, **changes)
        return judge(sold, invoiced, "MXN", basis or Basis(D("700.00"), {}), noted)

    def test_nothing_changed(self) -> None:
        assert self.of() == Verdict(agrees=True)

    def test_a_refund_that_has_its_note(self) -> None:
        assert self.of(refund("r", "10.00"), noted={"r": D("10.00")}).agrees

    def test_a_refund_that_has_none(self) -> None:
        verdict = self.of(refund("r", "10.00"))
        assert [one.key for one in verdict.due] == ["r"]
        assert verdict.objection is None
        assert not verdict.agrees

    def test_one_that_the_invoice_accounts_for(self) -> None:
        basis = Basis(D("700.00"), {"r": D("10.00")})
        assert self.of(refund("r", "10.00"), basis=basis, invoiced=D("690.00")).agrees
        later = self.of(
            refund("r", "10.00"), refund("s", "5.00"), basis=basis, invoiced=D("690.00")
        )
        assert [one.key for one in later.due] == ["s"]
        assert later.objection is None

    def test_one_that_it_accounts_for_and_is_gone(self) -> None:
        basis = Basis(D("700.00"), {"r": D("10.00")})
        verdict = self.of(refund("s", "5.00"), basis=basis, invoiced=D("690.00"))
        assert verdict.objection is not None
        assert verdict.objection.code == "credit_total"

    @pytest.mark.parametrize("total", ["9.99", "10.01"])
    def test_one_whose_amount_is_another_now(self, total: str) -> None:
        assert self.of(refund("r", total), noted={"r": D("10.00")}).gone == ("r",)

    def test_refunded_in_full_needs_refunds_that_say_so(self) -> None:
        state = PaymentState.REFUNDED
        verdict = self.of(refund("r", "10.00"), payment_state=state)
        assert verdict.objection is not None
        assert self.of(payment_state=state).agrees is False
        assert self.of(refund("r", "700.00"), payment_state=state).objection is None

    @pytest.mark.parametrize("total", ["0.00", "-1.00", "1.005"])
    def test_amounts_that_no_note_can_say(self, total: str) -> None:
        verdict = self.of(refund("r", total))
        assert verdict.agrees is (D(total) == 0)
        assert verdict.agrees or verdict.objection is not None

    def test_more_than_was_invoiced(self) -> None:
        verdict = self.of(refund("r", "600.00"), refund("s", "200.00"))
        assert verdict.objection is not None
        assert verdict.objection.code == "credit_more"

    def test_an_old_invoice_is_known_by_its_total_alone(self) -> None:
        sold = replace(TWO, total=D("700.00"), refunds=(refund("r", "10.00"),))
        assert judge(sold, D("700.00"), "MXN", None, {}).objection is None
        assert judge(sold, D("690.00"), "MXN", None, {}).agrees
        doubtful = judge(replace(sold, total=D("720.00")), D("690.00"), "MXN", None, {})
        assert doubtful.objection is not None
        assert doubtful.objection.code == "credit_older"


class TestTheSameGoods:
    """An even exchange or edit in the shop leaves the total, and perhaps not the tax."""

    @pytest.mark.parametrize("seed", range(12))
    def test_an_invoice_sells_what_it_was_made_of(self, seed: int) -> None:
        dice = random.Random(seed)
        lines = [
            line(str(n), str(D(dice.randrange(100, 90_000)) / 100), dice.choice(["0.16", "0"]))
            for n in range(1, dice.randrange(2, 6))
        ]
        first = refund("first", "0.50", back("1", lines[0], "0.3", quantity=0))
        sold = sale(*lines, refunds=(replace(first, total=first.total + _gross(first)),))
        made = invoice(sold)
        assert sells_the_same(made.conceptos, sold, {"first"})
        dice.shuffle(lines)
        renamed = [replace(one, description="Otro nombre") for one in lines]
        later = Refund("later", D("0.10"))
        again = replace(sold, lines=tuple(renamed), refunds=(*sold.refunds, later))
        assert sells_the_same(made.conceptos, again, {"first"})
        assert not sells_the_same(made.conceptos, again, set())

    def test_an_even_exchange(self) -> None:
        made = invoice(TWO)
        exchanged = replace(TWO, lines=(CUP, BOOK, line("3", "100.00", "0")))
        assert not sells_the_same(made.conceptos, exchanged, set())

    def test_an_even_edit_from_one_rate_to_another(self) -> None:
        made = invoice(TWO)
        taxed = line("3", "86.21")
        assert abs(taxed.total - BOOK.total) < D("0.02")
        assert not sells_the_same(made.conceptos, replace(TWO, lines=(CUP, taxed)), set())

    def test_prices_that_changed_among_themselves(self) -> None:
        cheap, dear = line("1", "500.00", quantity=2), line("2", "119.9984", "0")
        made = invoice(TWO)
        assert cheap.total + dear.total == D("699.9984")
        assert not sells_the_same(made.conceptos, replace(TWO, lines=(cheap, dear)), set())

    def test_what_the_rules_tax_is_compared_by_its_price(self) -> None:
        bare = replace(line("1", "116.00", "0"), taxes=())
        rules = parse(
            '[forma_pago]\ndefault = "03"\n[producto.default]\nimpuesto = "incluye_iva_16"'
        )
        made = invoice(sale(bare), rules)
        assert made.impuestos is not None
        assert sells_the_same(made.conceptos, sale(bare), set())
        assert not sells_the_same(made.conceptos, sale(replace(bare, subtotal=D("115.00"))), set())

    def test_a_shop_of_whole_pesos(self) -> None:
        odd = line("1", "100.35")
        sold = replace(sale(odd), total=D(116), rounds_to=D(1))
        assert sells_the_same(invoice(sold).conceptos, sold, set())


def _gross(of: Refund) -> Decimal:
    return sum((one.base + sum(one.taxes) for one in of.lines), D(0)).quantize(D("0.01"))
