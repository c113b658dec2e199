"""Credit notes: never more than the document, and together exactly the document."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from cfdi.amounts import NoExactDocument, Partida, Tributo
from cfdi.amounts.lines import Kind
from cfdi.comprobante import Comprobante, Emisor, Impuesto, Receptor, TipoFactor
from cfdi.documents import (
    Articulo,
    Devuelto,
    DocumentRefused,
    Expedicion,
    Factura,
    egreso,
    egreso_por_lineas,
    extranjero,
    ingreso,
    por_acreditar,
)
from cfdi.documents.partes import pieces
from cfdi.documents.porciones import Clase, Porcion, left_of, porciones, swept

D = Decimal
UUID = "5FB2822E-396D-4725-8521-CDC4BDD20CCF"
EXPEDICION = Expedicion(
    Emisor("EKU9003173C9", "ESCUELA KEMPER URGATE", "601"),
    "42501",
    datetime.fromisoformat("2026-11-20T12:00:00"),
    "E",
    "1",
)
COMPANY = Receptor("IIA040805DZ4", "INDISTRIA ILUMINADORA DE ALMACENES", "62661", "601", "G03")
Judge = Callable[[Comprobante], bytes]


def iva(importe: str) -> tuple[Tributo, ...]:
    return (Tributo(Impuesto.IVA, TipoFactor.TASA, D("0.16"), D(importe)),)


def line(net: str, tax: str, quantity: str = "1") -> Partida:
    return Partida(D(quantity), D(net), D(0), iva(tax))


def invoice(*partidas: Partida, total: str, **more: Any) -> Factura:
    given: dict[str, Any] = {"receptor": COMPANY, "forma_pago": "04"}
    articulos = [
        Articulo(one, f"Artículo {place}", "50161800", "H87", no_identificacion=f"SKU-{place}")
        for place, one in enumerate(partidas)
    ]
    document = ingreso(articulos, expedicion=EXPEDICION, total=D(total), **(given | more))
    return Factura(UUID, document)


def balance(original: Comprobante, egresos: Sequence[Comprobante]) -> Counter[Any]:
    """What is left of the price, of each tax and each base, and of the total."""
    left: Counter[Any] = Counter()
    for sign, document in ((1, original), *((-1, one) for one in egresos)):
        left["net"] += sign * (document.sub_total - (document.descuento or 0))
        left["total"] += sign * document.total
        for tax in document.impuestos.traslados if document.impuestos else ():
            key = (tax.impuesto, tax.tipo_factor, tax.tasa_o_cuota)
            left["base", key] += sign * tax.base
            left["amount", key] += sign * (tax.importe or 0)
        for held in document.impuestos.retenciones if document.impuestos else ():
            left["withheld", held.impuesto] += sign * held.importe
    return left


def test_an_amount_is_divided_like_the_document(judged: Judge) -> None:
    document = egreso(
        invoice(line("1000.00", "160.00"), total="1160.00"), D("116.00"), expedicion=EXPEDICION
    )
    judged(document)
    assert (document.sub_total, document.total) == (D("100.00"), D("116.00"))
    assert document.tipo_de_comprobante == "E"
    assert (document.metodo_pago, document.forma_pago) == ("PUE", "04")
    assert document.receptor.uso_cfdi == "G02"
    concepto = document.conceptos[0]
    assert (concepto.clave_prod_serv, concepto.clave_unidad) == ("84111506", "ACT")
    assert [(one.tipo_relacion, one.uuids) for one in document.relacionados] == [("01", (UUID,))]


@pytest.mark.parametrize(
    ("receptor", "uso"),
    [
        (COMPANY, "G02"),
        (Receptor("MISC491214B86", "CECILIA MIRANDA SANCHEZ", "01010", "605", "S01"), "S01"),
        (Receptor("CACX7605101P8", "XOCHILT CASAS CHAVEZ", "36257", "612", "G03"), "G02"),
        (extranjero("ACME INC", "42501"), "S01"),
    ],
)
def test_the_use_is_one_the_receiver_may_have(receptor: Receptor, uso: str, judged: Judge) -> None:
    factura = invoice(line("100.00", "16.00"), total="116.00", receptor=receptor)
    document = egreso(factura, expedicion=EXPEDICION)
    judged(document)
    assert document.receptor.uso_cfdi == uso


@pytest.mark.parametrize("parts", [2, 3, 7, 25])
def test_parts_make_the_whole(parts: int, judged: Judge) -> None:
    """40 lines of 86.21 + 13.79: 14 cents less tax than the rate of the sum."""
    factura = invoice(*[line("86.21", "13.79")] * 40, total="4000.00")
    given: list[Comprobante] = []
    for number in range(parts):
        rest = None if number == parts - 1 else D(4000 // parts) + D("0.01") * number
        given.append(egreso(replace(factura, egresos=tuple(given)), rest, expedicion=EXPEDICION))
        judged(given[-1])
    assert set(balance(factura.comprobante, given).values()) == {D(0)}
    with pytest.raises(DocumentRefused, match="more_than_is_left"):
        egreso(replace(factura, egresos=tuple(given)), expedicion=EXPEDICION)


@pytest.mark.parametrize("seed", range(4))
def test_random_credit_notes_never_pass_the_document(
    seed: int, carts: Callable[[int], Any], add_up: Callable[[Comprobante], list[str]]
) -> None:
    """Random invoices, credited in random amounts and lines until nothing is left."""
    shop, dice = carts(seed), random.Random(seed)
    closed = refused = 0
    for number in range(150):
        decimales = dice.choice((2, 2, 2, 0, 3))
        original = shop.invoice(decimales, withheld=number % 3 == 0)
        given: list[Comprobante] = []
        try:
            _credit(original, given, decimales, dice)
        except NoExactDocument:
            refused += 1
        for one in given:
            assert add_up(one) == []
        left = balance(original, given)
        assert min(left.values()) >= 0
        if left["total"] == 0:
            closed += 1
            assert not any(left.values()), left
    assert closed > 135
    assert refused < 10


@pytest.mark.parametrize(("decimales", "most_refused"), [(0, 32), (2, 16)])
def test_of_lines_of_cents_no_money_is_lost(
    decimales: int,
    most_refused: int,
    carts: Callable[[int], Any],
    add_up: Callable[[Comprobante], list[str]],
) -> None:
    """Prices of 3 to 60 of the smallest coin: what cannot be divided is said, the rest is exact."""
    closed = refused = 0
    for number in range(400):
        if number % 200 == 0:
            shop, dice = carts(900 + number // 200), random.Random(number // 200)
        original = shop.invoice(decimales, withheld=number % 3 == 0, least=3, most=60)
        given: list[Comprobante] = []
        try:
            _credit(original, given, decimales, dice)
        except NoExactDocument:
            refused += 1
        for one in given:
            assert add_up(one) == []
        left = balance(original, given)
        assert min(left.values()) >= 0
        if left["total"] == 0:
            closed += 1
            assert not any(left.values()), left
    assert closed + refused > 395
    assert refused <= most_refused


def test_cents_of_a_tax_without_a_price_go_with_the_same_tax() -> None:
    """A line of half a cent whose tax alone was rounded up."""
    iva = Kind(Impuesto.IVA, TipoFactor.TASA, 160_000)
    ieps = Kind(Impuesto.IEPS, TipoFactor.TASA, 80_000)
    tiny = Clase(None, "02", (ieps, iva), ())
    large = Clase(None, "02", (iva,), ())
    found = swept({tiny: Porcion(0, ((0, 0), (1, 1)), ()), large: Porcion(100, ((100, 16),), ())})
    assert found[tiny].values == (0, 0, 0, 0, 0)
    assert found[large] == Porcion(100, ((101, 17),), ())


def test_a_tax_without_a_price_is_credited_with_the_rest() -> None:
    """A tax by the unit that was rounded up at a line too cheap for a cent of its price."""

    def by_unit(quantity: str, net: str, ieps: str, rate: str, iva: str) -> Partida:
        taxes = (
            Tributo(Impuesto.IEPS, TipoFactor.CUOTA, D("1.6451"), D(ieps)),
            Tributo(Impuesto.IVA, TipoFactor.TASA, D(rate), D(iva)),
        )
        return Partida(D(quantity), D(net), D(0), taxes)

    factura = invoice(
        by_unit("1", "100.00", "1.6451", "0", "0"),
        by_unit("0.003343", "0.004", "0.0055", "0.16", "0.00152"),
        total="101.65",
    )
    left = left_of(factura.comprobante, (), 2).values()
    assert [(one.net, one.gross) for one in left] == [(10_000, 10_164), (0, 1)]
    first = egreso(factura, D("50.00"), expedicion=EXPEDICION)
    rest = egreso(replace(factura, egresos=(first,)), expedicion=EXPEDICION)
    stays = balance(factura.comprobante, [first, rest])
    # A hundredth of the base of an IVA that is 0.00 has no concept to say it.
    assert {name: value for name, value in stays.items() if value} in (
        {},
        {("base", (Impuesto.IVA, TipoFactor.TASA, D("0.16"))): D("0.01")},
    )


def test_every_piece_of_a_part_bears_all_its_taxes() -> None:
    """Ten pieces to say an IVA nine cents short, and two hundredths of a unit of IEPS."""
    ieps = Kind(Impuesto.IEPS, TipoFactor.CUOTA, 1_645_100)
    iva = Kind(Impuesto.IVA, TipoFactor.TASA, 160_000)
    both, alone = Clase(None, "02", (ieps, iva), ()), Clase(None, "02", (iva,), ())
    said = pieces(alone, Porcion(1000, ((1003, 151),), ()), 2)
    assert said is not None
    assert len(said) > 2
    assert pieces(both, Porcion(1000, ((2, 3), (1003, 151)), ()), 2) is None
    enough = pieces(both, Porcion(1000, ((50, 82), (1003, 151)), ()), 2)
    assert enough is not None
    assert all(base for one in enough for base, _ in one.traslados)


@pytest.mark.parametrize("off", ["-0.07", "0.07"])
def test_portions_make_the_subtotal_that_is_stated(off: str) -> None:
    """Of a document whose lines do not make it: nothing is lost in silence."""
    document = replace(THREE.comprobante, sub_total=THREE.comprobante.sub_total + D(off))
    found = porciones(document, 2, by_ticket=False)
    assert sum(one.net for one in found.values()) == document.sub_total * 100


def _credit(
    original: Comprobante, given: list[Comprobante], decimales: int, dice: random.Random
) -> None:
    rounds = dice.choice((1, 1, 2, 3, 8))
    for number in range(rounds):
        factura = Factura(UUID, original, tuple(given))
        left = por_acreditar(factura)
        if not left:
            return
        if number == rounds - 1:
            given.append(egreso(factura, expedicion=EXPEDICION))
        elif dice.random() < 0.3:
            linea = Devuelto(dice.randrange(len(original.conceptos)))
            # A line that is credited already is refused.
            with suppress(DocumentRefused):
                given.append(egreso_por_lineas(factura, [linea], expedicion=EXPEDICION))
        else:
            unit = D(1).scaleb(-decimales)
            part = max(unit, (left * D(str(dice.random()))).quantize(unit))
            given.append(egreso(factura, min(part, left), expedicion=EXPEDICION))


THREE = invoice(
    line("200.00", "32.00", "2"),
    line("99.00", "15.84"),
    line("33.30", "5.33", "0.333"),
    total="385.47",
)


def test_goods_come_back_under_their_own_keys(judged: Judge) -> None:
    document = egreso_por_lineas(THREE, [Devuelto(0, cantidad=D(1))], expedicion=EXPEDICION)
    judged(document)
    concepto = document.conceptos[0]
    assert (concepto.clave_prod_serv, concepto.no_identificacion) == ("50161800", "SKU-0")
    assert (concepto.cantidad, concepto.valor_unitario) == (D(1), D("100.000000"))
    assert document.total == D("116.00")
    assert document.relacionados[0].tipo_relacion == "03"


def test_shipping_only(judged: Judge) -> None:
    document = egreso_por_lineas(THREE, [Devuelto(1)], expedicion=EXPEDICION, relacion="01")
    judged(document)
    assert (document.total, document.conceptos[0].descripcion) == (D("114.84"), "Artículo 1")


def test_so_much_of_a_line(judged: Judge) -> None:
    document = egreso_por_lineas(THREE, [Devuelto(0, D("50.00"))], expedicion=EXPEDICION)
    judged(document)
    assert (document.total, document.conceptos[0].cantidad) == (D("50.00"), D(1))


def test_all_lines_by_themselves_leave_nothing(judged: Judge) -> None:
    thirds = invoice(*[line("33.334", "5.333440")] * 3, total="116.00")
    given: list[Comprobante] = []
    for place in range(3):
        factura = replace(thirds, egresos=tuple(given))
        given.append(egreso_por_lineas(factura, [Devuelto(place)], expedicion=EXPEDICION))
        judged(given[-1])
    assert set(balance(thirds.comprobante, given).values()) == {D(0)}


def test_withheld_taxes_come_back_too(carts: Callable[[int], Any], judged: Judge) -> None:
    original = carts(3).invoice(withheld=True)
    first = egreso(Factura(UUID, original), D("1.00"), expedicion=EXPEDICION)
    rest = egreso(Factura(UUID, original, (first,)), expedicion=EXPEDICION)
    judged(first)
    judged(rest)
    assert set(balance(original, [first, rest]).values()) == {D(0)}


def test_the_form_of_payment_is_the_refunds() -> None:
    given = egreso(THREE, expedicion=EXPEDICION, forma_pago="03")
    assert given.forma_pago == "03"
    unpaid = invoice(line("100.00", "16.00"), total="116.00", metodo_pago="PPD", forma_pago="99")
    assert egreso(unpaid, expedicion=EXPEDICION).forma_pago == "15"


@pytest.mark.parametrize(
    ("code", "make"),
    [
        ("more_than_is_left", lambda: egreso(THREE, D("385.48"), expedicion=EXPEDICION)),
        ("more_than_is_left", lambda: egreso(THREE, D(0), expedicion=EXPEDICION)),
        ("more_than_is_left", lambda: egreso(THREE, D(-1), expedicion=EXPEDICION)),
        ("more_than_is_left", lambda: egreso(THREE, D("NaN"), expedicion=EXPEDICION)),
        ("more_than_is_left", lambda: egreso(THREE, D("1.005"), expedicion=EXPEDICION)),
        ("more_than_is_left", lambda: egreso(THREE, D("1E+40"), expedicion=EXPEDICION)),
        ("relation", lambda: egreso(THREE, expedicion=EXPEDICION, relacion="04")),
        ("relation", lambda: egreso(replace(THREE, uuid="x"), expedicion=EXPEDICION)),
        ("CFDI40105", lambda: egreso(THREE, expedicion=EXPEDICION, forma_pago="99")),
        (
            "not_an_ingreso",
            lambda: egreso(
                Factura(UUID, egreso(THREE, expedicion=EXPEDICION)), expedicion=EXPEDICION
            ),
        ),
        (
            "egreso_unlike",
            lambda: egreso(replace(THREE, egresos=(THREE.comprobante,)), expedicion=EXPEDICION),
        ),
        ("line_unknown", lambda: egreso_por_lineas(THREE, [Devuelto(3)], expedicion=EXPEDICION)),
        ("line_unknown", lambda: egreso_por_lineas(THREE, [Devuelto(-1)], expedicion=EXPEDICION)),
        ("line_unknown", lambda: egreso_por_lineas(THREE, [], expedicion=EXPEDICION)),
        (
            "more_than_is_left",
            lambda: egreso_por_lineas(THREE, [Devuelto(1, D("114.85"))], expedicion=EXPEDICION),
        ),
        (
            "more_than_is_left",
            lambda: egreso_por_lineas(
                THREE, [Devuelto(0, cantidad=D("2.5"))], expedicion=EXPEDICION
            ),
        ),
    ],
)
def test_what_no_credit_note_can_say(code: str, make: Callable[[], Comprobante]) -> None:
    with pytest.raises(DocumentRefused) as caught:
        make()
    assert caught.value.finding.code == code


def test_a_credit_note_of_other_taxes_is_looked_at() -> None:
    exempt = ingreso(
        [Articulo(Partida(D(1), D("10.00"), D(0)), "x")],
        expedicion=EXPEDICION,
        receptor=COMPANY,
        total=D("10.00"),
        forma_pago="04",
    )
    other = egreso(Factura(UUID, exempt), expedicion=EXPEDICION)
    with pytest.raises(DocumentRefused, match="egreso_unlike"):
        por_acreditar(replace(THREE, egresos=(other,)))


def test_more_credited_than_there_was_is_looked_at() -> None:
    whole = egreso(THREE, expedicion=EXPEDICION)
    with pytest.raises(DocumentRefused, match="egreso_unlike"):
        por_acreditar(replace(THREE, egresos=(whole, whole)))


@pytest.mark.parametrize(
    ("gone", "back", "amount", "free"),
    [
        # Of the purchase's own line without tax little is left: as much as there is.
        (Devuelto(1, D("90.00")), (), "100.00", "10.00"),
        # Of its taxed line little is left: no more of the other's lines than it takes.
        (Devuelto(0, D("100.00")), (Devuelto(2, D("95.00")),), "116.00", "100.00"),
    ],
)
def test_of_some_lines_an_amount_is_divided_as_near_to_them_as_can_be(
    gone: Devuelto, back: tuple[Devuelto, ...], amount: str, free: str
) -> None:
    """Two purchases in one document: the first two lines, and one more, which is free of tax."""
    zero = (Tributo(Impuesto.IVA, TipoFactor.TASA, D(0), D(0)),)
    free_of_tax = Partida(D(1), D("100.00"), D(0), zero)
    other = free_of_tax if back else line("100.00", "16.00")
    made = invoice(
        line("100.00", "16.00"), free_of_tax, other, total="316.00" if back else "332.00"
    )
    for one in (gone, *back):
        note = egreso_por_lineas(made, [one], expedicion=EXPEDICION)
        made = replace(made, egresos=(*made.egresos, note))
    document = egreso(made, D(amount), expedicion=EXPEDICION, lineas=range(2))
    assert document.total == D(amount)
    untaxed = [one for one in document.conceptos if not any(tax.importe for tax in one.traslados)]
    assert sum((one.importe for one in untaxed), D(0)) == D(free)
