"""Global invoices: whole tickets, exact sums, every period, and a ticket taken out again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

import cfdi
from cfdi.amounts import NoExactDocument, Partida, Tributo
from cfdi.comprobante import Comprobante, Emisor, Impuesto, InformacionGlobal, TipoFactor
from cfdi.csd import check_csd
from cfdi.documents import (
    DocumentRefused,
    Expedicion,
    Factura,
    Ticket,
    egreso,
    egreso_de_ticket,
    factura_global,
    informacion_global,
    lotes,
    por_acreditar,
    retener,
    sin_tickets,
    sustitucion,
)
from cfdi.pac.sandbox.authority import Authority
from cfdi.seal import seal

D = Decimal
NOW = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
UUID = "5FB2822E-396D-4725-8521-CDC4BDD20CCF"
EMISOR = Emisor("EKU9003173C9", "ESCUELA KEMPER URGATE", "601")
EXPEDICION = Expedicion(EMISOR, "42501", datetime.fromisoformat("2026-11-30T23:30:00"), "G", "1")
NOVEMBER = informacion_global("04", date(2026, 11, 30))
IVA, IEPS = Impuesto.IVA, Impuesto.IEPS
TASA, EXENTO = TipoFactor.TASA, TipoFactor.EXENTO
Judge = Callable[[Comprobante], bytes]


def tax(importe: str, rate: str | None = "0.16", impuesto: Impuesto = IVA) -> Tributo:
    if rate is None:
        return Tributo(impuesto, EXENTO, None, D(0))
    return Tributo(impuesto, TASA, D(rate), D(importe))


def ticket(numero: str, total: str, *partidas: Partida, forma_pago: str = "01") -> Ticket:
    return Ticket(numero, partidas, D(total), forma_pago)


def plain(numero: str, forma_pago: str = "01") -> Ticket:
    return ticket(
        numero, "116.00", Partida(D(1), D("100.00"), D(0), (tax("16.00"),)), forma_pago=forma_pago
    )


def made(*tickets: Ticket, **more: Any) -> Comprobante:
    return factura_global(tickets, expedicion=EXPEDICION, periodo=NOVEMBER, **more)


MIXED = ticket(
    "A-2",
    "314.80",
    Partida(D(2), D("100.00"), D(0), (tax("16.00"),)),
    Partida(D(1), D("50.00"), D(0), (tax("0", "0"),)),
    Partida(D(1), D("20.00"), D(0), (tax("0", None),)),
    Partida(D(1), D("100.00"), D(0), (tax("8.00", "0.08", IEPS), tax("8.64", "0.08"))),
    Partida(D(1), D("12.16"), D(0)),
    forma_pago="04",
)


def test_a_ticket_of_every_rate_is_one_concept(judged: Judge) -> None:
    document = made(plain("A-1"), MIXED, plain("A-3", "28"))
    judged(document)
    assert document.total == D("546.80")
    assert document.forma_pago == "04"
    assert (document.receptor.nombre, document.receptor.uso_cfdi) == ("PUBLICO EN GENERAL", "S01")
    one = document.conceptos[1]
    assert (one.clave_prod_serv, one.clave_unidad, one.descripcion) == ("01010101", "ACT", "Venta")
    assert (one.cantidad, one.no_identificacion) == (D(1), "A-2")
    assert one.importe == D("282.16")
    assert sum(each.base for each in one.traslados if each.impuesto is IVA) == D("278.00")


def test_taxes_out_of_the_limits_of_one_concept_are_made_anew(judged: Judge) -> None:
    """40 lines that each rounded down: 551.60 of tax upon 3448.40, which no one node may say."""
    many = ticket("1", "4000.00", *[Partida(D(1), D("86.21"), D(0), (tax("13.79"),))] * 40)
    document = made(many)
    judged(document)
    assert document.total == D("4000.00")
    assert document.impuestos is not None
    assert document.impuestos.total_trasladados == D("551.72")


@pytest.fixture(scope="session")
def found_in(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Comprobante], list[str]]:
    """What is wrong in a document, sealed with a certificate of its own issuer."""
    authority = Authority.open(tmp_path_factory.mktemp("other"), now=NOW)

    def judge(comprobante: Comprobante) -> list[str]:
        emisor = comprobante.emisor
        made = authority.issue_csd(emisor.rfc, emisor.nombre, now=NOW)
        own = check_csd(made.cer_der, made.key_der, made.password, rfc=emisor.rfc, now=NOW)
        return [one.code for one in cfdi.validate(seal(comprobante, own).xml)]

    return judge


@pytest.mark.parametrize(
    ("periodicidad", "day", "meses"),
    [
        ("01", date(2026, 1, 31), "01"),
        ("02", date(2026, 9, 1), "09"),
        ("03", date(2026, 11, 15), "11"),
        ("04", date(2026, 12, 31), "12"),
        ("05", date(2026, 1, 1), "13"),
        ("05", date(2026, 6, 30), "15"),
        ("05", date(2026, 12, 31), "18"),
    ],
)
def test_every_period(
    periodicidad: str,
    day: date,
    meses: str,
    judged: Judge,
    found_in: Callable[[Comprobante], list[str]],
) -> None:
    periodo = informacion_global(periodicidad, day)
    assert (periodo.meses, periodo.anio) == (meses, 2026)
    if periodicidad != "05":
        judged(factura_global([plain("1")], expedicion=EXPEDICION, periodo=periodo))
        return
    rif = replace(EXPEDICION, emisor=Emisor("CACX7605101P8", "XOCHILT CASAS CHAVEZ", "621"))
    made_for_rif = factura_global([plain("1")], expedicion=rif, periodo=periodo)
    assert made_for_rif.informacion_global == periodo
    assert found_in(made_for_rif) == []
    with pytest.raises(DocumentRefused, match="CFDI40132"):
        factura_global([plain("1")], expedicion=EXPEDICION, periodo=periodo)


@pytest.mark.parametrize(
    ("code", "periodo"),
    [
        ("CFDI40133", InformacionGlobal("04", "13", 2026)),
        ("CFDI40133", InformacionGlobal("06", "11", 2026)),
        ("CFDI40133", InformacionGlobal("04", "00", 2026)),
        ("CFDI40136", InformacionGlobal("04", "11", 2027)),
        ("CFDI40136", InformacionGlobal("04", "11", 2020)),
    ],
)
def test_periods_that_are_none(code: str, periodo: InformacionGlobal) -> None:
    with pytest.raises(DocumentRefused, match=code):
        factura_global([plain("1")], expedicion=EXPEDICION, periodo=periodo)


def test_an_unknown_periodicity_is_refused() -> None:
    with pytest.raises(DocumentRefused, match="CFDI40133"):
        informacion_global("06", date(2026, 1, 1))


@pytest.mark.parametrize(
    ("code", "tickets"),
    [
        ("tickets", ()),
        ("tickets", (plain("1"), plain("1"))),
        ("tickets", (plain(""),)),
        ("tickets", (plain("x" * 101),)),
        ("tickets", (ticket("1", "0"),)),
        ("tickets", (ticket("1", "-1"),)),
        ("tickets", (ticket("1", "NaN"),)),
        (
            "ticket_withheld",
            (ticket("1", "90", retener(Partida(D(1), D(100), D(0)), Impuesto.ISR, D("0.1"))),),
        ),
        ("CFDI40105", (plain("1", "99"),)),
    ],
)
def test_tickets_that_are_none(code: str, tickets: tuple[Ticket, ...]) -> None:
    with pytest.raises(DocumentRefused, match=code):
        made(*tickets)


def test_a_ticket_a_cent_off_is_refused() -> None:
    with pytest.raises(NoExactDocument):
        made(replace(plain("1"), total=D("116.03")))


def test_random_tickets_add_up(
    carts: Callable[[int], Any], add_up: Callable[[Comprobante], list[str]]
) -> None:
    """600 tickets of every tax, custom and currency: none misses, and each goes out again."""
    shop = carts(7)
    for number in range(60):
        decimales = (2, 2, 2, 0, 3)[number % 5]
        tickets = []
        for place in range(10):
            lines, total = shop.partidas(decimales, least=10)
            tickets.append(Ticket(f"T{place}", lines, total, "01"))
        moneda = {0: "JPY", 2: "MXN", 3: "KWD"}[decimales]
        rate = None if moneda == "MXN" else D("18.5")
        document = made(*tickets, moneda=moneda, tipo_cambio=rate)
        assert document.total == sum(one.total for one in tickets)
        assert add_up(document) == []
        for one, concepto in zip(tickets, document.conceptos, strict=True):
            paid = sum((each.importe or D(0) for each in concepto.traslados), concepto.importe)
            assert paid == one.total
        out = egreso_de_ticket(Factura(UUID, document), "T3", expedicion=EXPEDICION)
        assert out.total == tickets[3].total
        assert add_up(out) == []


def test_batches_are_the_same_whatever_the_order() -> None:
    tickets = [plain(f"{number:05d}") for number in range(11)]
    batches = lotes(tickets, 5)
    assert [len(batch) for batch in batches] == [5, 5, 1]
    assert lotes(tickets[::-1], 5) == batches
    assert lotes([]) == ()
    for wrong in ([*tickets, tickets[0]], tickets):
        with pytest.raises(DocumentRefused, match="tickets"):
            lotes(wrong, 5 if len(wrong) == 12 else 0)


def test_a_ticket_is_credited_so_that_it_can_be_invoiced(judged: Judge) -> None:
    document = made(plain("A-1"), MIXED)
    factura = Factura(UUID, document)
    out = egreso_de_ticket(factura, "A-2", expedicion=EXPEDICION)
    judged(out)
    assert out.total == MIXED.total
    assert out.informacion_global is None
    assert (out.receptor.rfc, out.receptor.nombre) == ("XAXX010101000", "PUBLICO EN GENERAL")
    assert (out.receptor.uso_cfdi, out.receptor.regimen_fiscal) == ("G02", "616")
    assert out.relacionados[0].tipo_relacion == "01"
    assert {one.no_identificacion for one in out.conceptos} == {"A-2"}
    left = replace(factura, egresos=(out,))
    assert por_acreditar(left) == D("116.00")
    with pytest.raises(DocumentRefused, match="more_than_is_left"):
        egreso_de_ticket(left, "A-2", expedicion=EXPEDICION)


def test_a_ticket_is_refunded_in_part_and_then_whole(judged: Judge) -> None:
    factura = Factura(UUID, made(plain("A-1"), MIXED))
    first = egreso_de_ticket(factura, "A-2", D("100.01"), expedicion=EXPEDICION)
    rest = egreso_de_ticket(replace(factura, egresos=(first,)), "A-2", expedicion=EXPEDICION)
    judged(first)
    judged(rest)
    assert first.total + rest.total == MIXED.total


def test_a_ticket_credited_twice_takes_nothing_from_another() -> None:
    document = made(plain("A"), plain("B"))
    given = egreso_de_ticket(Factura(UUID, document), "A", expedicion=EXPEDICION)
    once = Factura(UUID, document, (given,))
    assert por_acreditar(once) == D("116.00")
    with pytest.raises(DocumentRefused, match="more_than_is_left"):
        egreso_de_ticket(once, "A", expedicion=EXPEDICION)
    with pytest.raises(DocumentRefused, match="egreso_unlike"):
        por_acreditar(Factura(UUID, document, (given, given)))


def test_a_global_is_credited_by_ticket_alone() -> None:
    with pytest.raises(DocumentRefused, match="CFDI40130"):
        egreso(Factura(UUID, made(plain("1"))), expedicion=EXPEDICION)
    for numero in ("2", ""):
        with pytest.raises(DocumentRefused, match="more_than_is_left"):
            egreso_de_ticket(Factura(UUID, made(plain("1"))), numero, expedicion=EXPEDICION)


def test_a_global_without_a_ticket_takes_its_place(judged: Judge) -> None:
    document = made(plain("A-1"), MIXED, plain("A-3"))
    less = sustitucion(sin_tickets(document, "A-2"), UUID)
    judged(less)
    assert less.total == D("232.00")
    assert [one.no_identificacion for one in less.conceptos] == ["A-1", "A-3"]
    for leaving in (("B",), ("A-1", "A-2", "A-3")):
        with pytest.raises(DocumentRefused, match="tickets"):
            sin_tickets(document, *leaving)


def test_five_thousand_tickets_are_quick() -> None:
    tickets = [plain(f"{number:05d}") for number in range(5000)]
    best = 10.0
    for _ in range(2):
        begun = time.process_time()
        document = made(*tickets)
        best = min(best, time.process_time() - begun)
    assert document.total == D("580000.00")
    # About 0.25 s here; a way that grew with the square of the tickets would take minutes.
    assert best < 3
