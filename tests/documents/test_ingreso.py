"""Invoices from lines as charged: every kind of receiver, tax, currency, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from decimal import Decimal, localcontext
from typing import Any

import pytest

from cfdi.amounts import NoExactDocument, Partida, Tributo
from cfdi.comprobante import Comprobante, Emisor, Impuesto, Receptor, TipoFactor
from cfdi.documents import (
    ISR_RESICO,
    Articulo,
    DocumentRefused,
    Expedicion,
    extranjero,
    ingreso,
    publico_en_general,
    relacionar,
    retener,
    sin_rfc,
    sustitucion,
)

D = Decimal
IVA, IEPS, ISR = Impuesto.IVA, Impuesto.IEPS, Impuesto.ISR
TASA, CUOTA, EXENTO = TipoFactor.TASA, TipoFactor.CUOTA, TipoFactor.EXENTO
UUID = "5FB2822E-396D-4725-8521-CDC4BDD20CCF"
COMPANY = Receptor("IIA040805DZ4", "INDISTRIA ILUMINADORA DE ALMACENES", "62661", "601", "G03")
Judge = Callable[[Comprobante], bytes]


@pytest.fixture
def expedicion() -> Expedicion:
    from datetime import datetime  # noqa: PLC0415 - here alone

    emisor = Emisor("EKU9003173C9", "ESCUELA KEMPER URGATE", "601")
    return Expedicion(emisor, "42501", datetime.fromisoformat("2026-11-20T12:00:00"), "F", "1")


def line(subtotal: str, *taxes: Tributo, quantity: str = "1", discount: str = "0") -> Partida:
    return Partida(D(quantity), D(subtotal), D(discount), taxes)


def iva(importe: str, rate: str = "0.16") -> Tributo:
    return Tributo(IVA, TASA, D(rate), D(importe))


PLAIN = Articulo(line("100.00", iva("16.00")), "Taza")


def made(expedicion: Expedicion, *articulos: Articulo, **more: Any) -> Comprobante:
    given: dict[str, Any] = {"receptor": COMPANY, "total": D("116.00"), "forma_pago": "03"}
    return ingreso(articulos or (PLAIN,), expedicion=expedicion, **(given | more))


def test_a_plain_invoice(expedicion: Expedicion, judged: Judge) -> None:
    document = made(expedicion)
    judged(document)
    assert (document.total, document.tipo_de_comprobante) == (D("116.00"), "I")


@pytest.mark.parametrize(
    "receptor",
    [
        sin_rfc("JUAN PEREZ", "42501"),
        extranjero("ACME INC", "42501"),
        extranjero("ACME INC", "42501", residencia_fiscal="USA", num_reg_id_trib="121585958"),
    ],
)
def test_receivers_without_an_rfc(
    receptor: Receptor, expedicion: Expedicion, judged: Judge
) -> None:
    document = made(expedicion, receptor=receptor)
    judged(document)
    assert document.receptor.regimen_fiscal == "616"
    assert document.receptor.uso_cfdi == "S01"


def test_resico_withholds_what_the_caller_says(judged: Judge, expedicion: Expedicion) -> None:
    partida = retener(line("1000.00", iva("160.00")), ISR, ISR_RESICO)
    emisor = Emisor("EKU9003173C9", "ESCUELA KEMPER URGATE", "601")
    document = made(
        replace(expedicion, emisor=emisor), Articulo(partida, "Servicio"), total=D("1147.50")
    )
    judged(document)
    assert document.impuestos is not None
    assert document.impuestos.total_retenidos == D("12.50")
    assert str(document.conceptos[0].retenciones[0].tasa_o_cuota) == "0.012500"


def test_withheld_iva_is_of_what_iva_was_charged_upon() -> None:
    partida = line("100.00", Tributo(IEPS, TASA, D("0.08"), D("8.00")), iva("17.28"))
    withheld = retener(partida, IVA, D("0.106667")).retenciones[0]
    assert withheld.importe == D("11.520036")
    with localcontext() as context:
        context.prec = 4
        assert retener(partida, IVA, D("0.106667")).retenciones[0] == withheld
    gift = line("5.00", iva("0"), discount="5.00")
    assert retener(gift, ISR, ISR_RESICO) == gift


@pytest.mark.parametrize(
    ("objeto_imp", "partida", "total"),
    [
        (None, line("100.00"), "100.00"),
        ("01", line("100.00"), "100.00"),
        ("03", line("100.00"), "100.00"),
        ("04", line("100.00"), "100.00"),
        ("05", line("100.00"), "100.00"),
        ("06", line("100.00"), "100.00"),
        ("06", retener(line("100.00"), ISR, D("0.10")), "90.00"),
        ("07", line("100.00", Tributo(IEPS, TASA, D("0.08"), D("8.00"))), "108.00"),
        ("08", line("100.00"), "100.00"),
        ("02", line("100.00", Tributo(IVA, EXENTO, None, D(0))), "100.00"),
        (None, line("100.00", iva("8.00", "0.08")), "108.00"),
        (
            None,
            line("30.00", Tributo(IEPS, CUOTA, D("1.6451"), D("4.94")), iva("5.59"), quantity="3"),
            "40.53",
        ),
    ],
)
def test_every_objeto_imp(
    objeto_imp: str | None, partida: Partida, total: str, expedicion: Expedicion, judged: Judge
) -> None:
    document = made(expedicion, Articulo(partida, "x", objeto_imp=objeto_imp), total=D(total))
    judged(document)
    assert document.total == D(total)
    assert objeto_imp in {None, document.conceptos[0].objeto_imp}


def test_a_line_given_away_is_subject_to_tax_that_is_none(
    expedicion: Expedicion, judged: Judge
) -> None:
    gift = Articulo(line("50.00", iva("0"), discount="50.00"), "Regalo")
    document = made(expedicion, PLAIN, gift)
    judged(document)
    assert [one.objeto_imp for one in document.conceptos] == ["02", "04"]


@pytest.mark.parametrize(
    ("moneda", "net", "tax", "total"),
    [
        ("JPY", "1000", "160", "1160"),
        ("USD", "100.00", "16.00", "116.00"),
        ("KWD", "1.000", "0.160", "1.160"),
        ("CLF", "1.0000", "0.1600", "1.1600"),
    ],
)
def test_currencies(
    moneda: str, net: str, tax: str, total: str, expedicion: Expedicion, judged: Judge
) -> None:
    articulo = Articulo(line(net, iva(tax)), "x")
    document = made(expedicion, articulo, total=D(total), moneda=moneda, tipo_cambio=D("18.501234"))
    judged(document)
    assert str(document.total) == total


@pytest.mark.parametrize(
    ("code", "more"),
    [
        ("CFDI40104", {"forma_pago": "33"}),
        ("CFDI40105", {"forma_pago": "99"}),
        ("CFDI40105", {"metodo_pago": "PPD"}),
        ("CFDI40124", {"metodo_pago": "PUA"}),
        ("CFDI40113", {"moneda": "XXX"}),
        ("CFDI40113", {"moneda": "ZZZ"}),
        ("CFDI40115", {"moneda": "USD"}),
        ("CFDI40115", {"moneda": "USD", "tipo_cambio": D("0")}),
        ("CFDI40115", {"moneda": "USD", "tipo_cambio": D("NaN")}),
        ("CFDI40115", {"moneda": "USD", "tipo_cambio": D("18.1234567")}),
        ("CFDI40115", {"tipo_cambio": D("18")}),
        ("CFDI40130", {"receptor": publico_en_general("42501")}),
        ("CFDI40146", {"receptor": replace(COMPANY, nombre="PUBLICO EN GENERAL")}),
        ("CFDI40149", {"receptor": sin_rfc("JUAN PEREZ", "06002")}),
        ("CFDI40159", {"receptor": replace(sin_rfc("JUAN", "42501"), regimen_fiscal="605")}),
        ("CFDI40151", {"receptor": replace(COMPANY, residencia_fiscal="USA")}),
        ("CFDI40151", {"receptor": extranjero("A", "42501", residencia_fiscal="MEX")}),
        ("CFDI40151", {"receptor": extranjero("A", "42501", num_reg_id_trib="1")}),
        ("CFDI40161", {"receptor": replace(extranjero("A", "42501"), uso_cfdi="G03")}),
    ],
)
def test_what_no_invoice_can_say(code: str, more: dict[str, Any], expedicion: Expedicion) -> None:
    with pytest.raises(DocumentRefused) as caught:
        made(expedicion, **more)
    assert caught.value.finding.code == code
    assert code in str(caught.value)


@pytest.mark.parametrize(
    "articulo",
    [
        replace(PLAIN, objeto_imp="01"),
        replace(PLAIN, objeto_imp="06"),
        replace(PLAIN, objeto_imp="07"),
        replace(PLAIN, objeto_imp="99"),
        Articulo(line("116.00"), "x", objeto_imp="02"),
    ],
)
def test_objeto_imp_against_the_taxes(articulo: Articulo, expedicion: Expedicion) -> None:
    with pytest.raises(DocumentRefused, match="CFDI40171"):
        made(expedicion, articulo)


def test_an_instant_with_a_zone_is_refused(expedicion: Expedicion) -> None:
    with pytest.raises(DocumentRefused, match="fecha"):
        made(replace(expedicion, fecha=expedicion.fecha.replace(tzinfo=UTC)))


def test_a_cent_off_is_refused(expedicion: Expedicion) -> None:
    with pytest.raises(NoExactDocument) as caught:
        made(expedicion, total=D("116.02"))
    assert caught.value.why == "unexplained"


def test_a_substitute_names_what_it_replaces(expedicion: Expedicion, judged: Judge) -> None:
    document = sustitucion(made(expedicion), UUID.lower())
    judged(document)
    assert [(one.tipo_relacion, one.uuids) for one in document.relacionados] == [("04", (UUID,))]


def test_relations_are_kept_apart_and_said_once(expedicion: Expedicion, judged: Judge) -> None:
    other = UUID.replace("5FB2", "6FB2")
    third = UUID.replace("5FB2", "7FB2")
    document = relacionar(relacionar(sustitucion(made(expedicion), UUID), "07", other), "04", third)
    judged(document)
    assert [(one.tipo_relacion, one.uuids) for one in document.relacionados] == [
        ("04", (UUID, third)),
        ("07", (other,)),
    ]
    for tipo, uuids in (("04", (UUID,)), ("08", (third,)), ("04", ("x",)), ("04", ())):
        with pytest.raises(DocumentRefused, match="relation"):
            relacionar(document, tipo, *uuids)


def test_random_carts_of_every_currency(
    carts: Callable[[int], Any], add_up: Callable[[Comprobante], list[str]]
) -> None:
    for decimales in (0, 2, 3, 4):
        shop = carts(decimales)
        for number in range(100):
            assert add_up(shop.invoice(decimales, withheld=number % 3 == 0)) == []
