"""Documents of payments: parcialidades, several documents and currencies, taxes that add up."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from satcfdi.cfdi import CFDI

import cfdi
from cfdi.amounts import Partida, Tributo
from cfdi.comprobante import Comprobante, Emisor, Impuesto, Receptor, TipoFactor
from cfdi.csd import Csd
from cfdi.documents import (
    Aplicacion,
    Articulo,
    Cobro,
    DocumentRefused,
    Expedicion,
    Factura,
    documento_de_pago,
    egreso,
    ingreso,
    retener,
    saldo,
    sin_rfc,
)
from cfdi.pagos import DoctoRelacionado, Pago, Pagos
from cfdi.seal import seal

D = Decimal
UUID = "5FB2822E-396D-4725-8521-CDC4BDD20CCF"
OTHER = UUID.replace("5FB2", "6FB2")
EXPEDICION = Expedicion(
    Emisor("EKU9003173C9", "ESCUELA KEMPER URGATE", "601"),
    "42501",
    datetime.fromisoformat("2026-11-20T12:00:00"),
    "P",
    "1",
)
PAID_AT = datetime.fromisoformat("2026-11-19T12:00:00")
COMPANY = Receptor("IIA040805DZ4", "INDISTRIA ILUMINADORA DE ALMACENES", "62661", "601", "G03")
Judge = Callable[[Comprobante], bytes]


def line(net: str, tax: str) -> Partida:
    iva = Tributo(Impuesto.IVA, TipoFactor.TASA, D("0.16"), D(tax))
    return Partida(D(1), D(net), D(0), (iva,))


def owed(*partidas: Partida, total: str, uuid: str = UUID, **more: Any) -> Factura:
    given: dict[str, Any] = {"receptor": COMPANY, "forma_pago": "99", "metodo_pago": "PPD"}
    articulos = [Articulo(one, "Servicio") for one in partidas]
    document = ingreso(articulos, expedicion=EXPEDICION, total=D(total), **(given | more))
    return Factura(uuid, document)


def paid(*cobros: Cobro) -> Comprobante:
    return documento_de_pago(cobros, expedicion=EXPEDICION)


def cobro(monto: str, *aplicaciones: Aplicacion, **more: Any) -> Cobro:
    return Cobro(PAID_AT, "03", D(monto), aplicaciones, **more)


def pagos_of(document: Comprobante) -> tuple[Pago, ...]:
    complemento = document.complementos[0]
    assert isinstance(complemento, Pagos)
    return complemento.pagos


def first_document(document: Comprobante) -> DoctoRelacionado:
    return pagos_of(document)[0].documentos[0]


PLAIN = owed(line("1000.00", "160.00"), total="1160.00")


@pytest.fixture(scope="session")
def settled(signer: Csd) -> Judge:
    """Sealed and accepted by every rule, and its sums made anew from what satcfdi reads."""

    def judge(document: Comprobante) -> bytes:
        xml = seal(document, signer).xml
        assert [(one.code, one.path) for one in cfdi.validate(xml)] == []
        complemento = CFDI.from_string(xml)["Complemento"]["Pagos"]
        for name, value in _pesos(complemento).items():
            # BaseP and ImporteP are rounded to a millionth each before they are added.
            off = abs(Fraction(complemento["Totales"][name]) - value)
            assert off < Fraction(51, 10**4), name
        return xml

    return judge


def _pesos(complemento: Any) -> dict[str, Fraction]:
    """Totals of the payments and of IVA 16 %, from what is said of each document."""
    found: dict[str, Fraction] = defaultdict(Fraction)
    for pago in complemento["Pago"]:
        rate = Fraction(str(pago["TipoCambioP"]))
        found["MontoTotalPagos"] += Fraction(pago["Monto"]) * rate
        for one in pago["DoctoRelacionado"]:
            into_pesos = rate / Fraction(one["EquivalenciaDR"])
            taxes = (one.get("ImpuestosDR") or {}).get("TrasladosDR") or {}
            for tax in taxes.values() if isinstance(taxes, dict) else taxes:
                if str(tax["ImpuestoDR"])[:3] == "002" and tax.get("TasaOCuotaDR") == D("0.16"):
                    found["TotalTrasladosBaseIVA16"] += Fraction(tax["BaseDR"]) * into_pesos
                    amount = Fraction(tax["ImporteDR"]) * into_pesos
                    found["TotalTrasladosImpuestoIVA16"] += amount
    return found


def test_a_payment_of_the_whole(settled: Judge) -> None:
    document = paid(cobro("1160.00", Aplicacion(PLAIN, D("1160.00"))))
    settled(document)
    assert (document.tipo_de_comprobante, document.moneda, str(document.total)) == ("P", "XXX", "0")
    assert document.forma_pago is document.metodo_pago is document.impuestos is None
    assert document.receptor.uso_cfdi == "CP01"
    one = first_document(document)
    assert (one.num_parcialidad, one.saldo_insoluto, str(one.equivalencia)) == (1, D(0), "1")
    assert (one.traslados[0].base, one.traslados[0].importe) == (D("1000.00"), D("160.00"))


def test_parcialidades_end_at_nothing(settled: Judge) -> None:
    """40 lines of 86.21 + 13.79: the taxes covered are the rate's, the balance is exact."""
    factura = owed(*[line("86.21", "13.79")] * 40, total="4000.00")
    given: list[DoctoRelacionado] = []
    for amount in ("1000.00", "0.01", "1333.33", "1666.66"):
        now = replace(factura, pagos=tuple(given))
        document = paid(cobro(amount, Aplicacion(now, D(amount))))
        settled(document)
        given.append(first_document(document))
    assert [one.num_parcialidad for one in given] == [1, 2, 3, 4]
    assert [one.saldo_insoluto for one in given] == [D(3000), D("2999.99"), D("1666.66"), D(0)]
    assert sum(one.traslados[0].base for one in given) == D("3448.40")
    with pytest.raises(DocumentRefused, match="balance"):
        paid(cobro("0.01", Aplicacion(replace(factura, pagos=tuple(given)), D("0.01"))))


@pytest.mark.parametrize("seed", range(3))
def test_random_parcialidades_cover_the_taxes(
    seed: int, carts: Callable[[int], Any], settled: Judge
) -> None:
    shop, dice = carts(seed), random.Random(seed)
    for number in range(40):
        decimales = dice.choice((2, 2, 2, 0, 3))
        original = shop.invoice(decimales, withheld=number % 3 == 0, ppd=True)
        unit = D(1).scaleb(-decimales)
        given: list[DoctoRelacionado] = []
        rounds = dice.choice((1, 2, 3, 6))
        for place in range(rounds):
            factura = Factura(UUID, original, (), tuple(given))
            left = saldo(factura)
            if not left:
                break
            share = left if place == rounds - 1 else left * D(str(dice.random()))
            amount = max(unit, share.quantize(unit))
            document = paid(
                Cobro(
                    PAID_AT,
                    "03",
                    amount,
                    (Aplicacion(factura, amount),),
                    original.moneda,
                    original.tipo_cambio,
                )
            )
            settled(document)
            given.append(first_document(document))
        assert given[-1].saldo_insoluto == 0
        _taxes_are_covered(original, given, unit)


def _taxes_are_covered(original: Comprobante, given: list[DoctoRelacionado], unit: Decimal) -> None:
    covered: Counter[Any] = Counter()
    for one in given:
        for tax in one.traslados:
            covered["base", tax.impuesto, tax.tipo_factor, tax.tasa_o_cuota] += tax.base
            covered["tax", tax.impuesto, tax.tipo_factor, tax.tasa_o_cuota] += tax.importe or 0
    for tax in original.impuestos.traslados if original.impuestos else ():
        key = (tax.impuesto, tax.tipo_factor, tax.tasa_o_cuota)
        assert covered["base", *key] == tax.base
        # Where the document's own tax is off its rate, SAT's limits of ImporteDR win.
        off = abs((tax.importe or 0) - tax.base * (tax.tasa_o_cuota or 0))
        assert abs(covered["tax", *key] - (tax.importe or 0)) <= max(off, unit if off else D(0))


def test_several_documents_and_payments_in_one(settled: Judge) -> None:
    other = owed(line("500.00", "80.00"), total="580.00", uuid=OTHER)
    document = paid(
        cobro("1000.00", Aplicacion(PLAIN, D("600.00")), Aplicacion(other, D("400.00"))),
        cobro("740.00", Aplicacion(PLAIN, D("560.00")), Aplicacion(other, D("180.00"))),
    )
    settled(document)
    second = pagos_of(document)[1].documentos
    assert [one.num_parcialidad for one in second] == [2, 2]
    assert [one.saldo_insoluto for one in second] == [D(0), D(0)]
    complemento = document.complementos[0]
    assert isinstance(complemento, Pagos)
    totals = complemento.totales
    assert (totals.monto_total_pagos, totals.traslados_impuesto_iva16) == (D(1740), D("240.00"))


def test_dollars_paid_in_pesos(settled: Judge) -> None:
    dollars = owed(line("100.00", "16.00"), total="116.00", moneda="USD", tipo_cambio=D("18.5"))
    document = paid(cobro("2131.02", Aplicacion(dollars, D("116.00"))))
    settled(document)
    one = first_document(document)
    assert (one.moneda, str(one.equivalencia)) == ("USD", "0.0544340269")
    assert one.saldo_insoluto == 0
    assert round(pagos_of(document)[0].traslados[0].base, 2) == D("1837.09")


def test_documents_of_two_currencies_in_one_payment(settled: Judge) -> None:
    """CRP20277: "1" stays in the XML, and counts as ten decimals in the margin."""
    dollars = owed(
        line("100.00", "16.00"), total="116.00", uuid=OTHER, moneda="USD", tipo_cambio=D("18.5")
    )
    pesos = Aplicacion(PLAIN, D("1160.00"))
    document = paid(cobro("3306.00", pesos, Aplicacion(dollars, D("116.00"), D("0.0540540541"))))
    settled(document)
    assert [str(one.equivalencia) for one in pagos_of(document)[0].documentos] == [
        "1",
        "0.0540540541",
    ]
    with pytest.raises(DocumentRefused, match="CRP20276"):
        paid(cobro("3307.00", pesos, Aplicacion(dollars, D("116.00"), D("0.0540540541"))))
    with pytest.raises(DocumentRefused, match="CRP20237"):
        paid(cobro("3306.00", pesos, Aplicacion(dollars, D("116.00"))))


def test_a_payment_in_dollars_is_totalled_in_pesos(settled: Judge) -> None:
    dollars = owed(line("100.00", "16.00"), total="116.00", moneda="USD", tipo_cambio=D("18.5"))
    document = paid(
        cobro("116.00", Aplicacion(dollars, D(116)), moneda="USD", tipo_cambio=D("19.1234"))
    )
    settled(document)
    complemento = document.complementos[0]
    assert isinstance(complemento, Pagos)
    assert complemento.totales.monto_total_pagos == D("2218.31")


def test_withheld_taxes_are_covered_too(settled: Judge) -> None:
    withheld = retener(line("1000.00", "160.00"), Impuesto.ISR, D("0.0125"))
    factura = owed(withheld, total="1147.50")
    half = paid(cobro("573.75", Aplicacion(factura, D("573.75"))))
    rest = paid(
        cobro("573.75", Aplicacion(replace(factura, pagos=(first_document(half),)), D("573.75")))
    )
    for document in (half, rest):
        settled(document)
        complemento = document.complementos[0]
        assert isinstance(complemento, Pagos)
        assert complemento.totales.retenciones_isr == D("6.25")


def test_a_credit_note_lowers_the_balance(settled: Judge) -> None:
    note = egreso(PLAIN, D("116.00"), expedicion=EXPEDICION)
    factura = replace(PLAIN, egresos=(note,))
    assert saldo(factura) == D("1044.00")
    document = paid(cobro("1044.00", Aplicacion(factura, D("1044.00"))))
    settled(document)
    assert first_document(document).traslados[0].base == D("900.00")


def test_untaxed_documents(settled: Judge) -> None:
    factura = owed(Partida(D(1), D("100.00"), D(0)), total="100.00")
    document = paid(cobro("100.00", Aplicacion(factura, D("100.00"))))
    settled(document)
    assert first_document(document).objeto_imp == "01"


def test_two_buyers_without_an_rfc_are_two(settled: Judge) -> None:
    one, same, other = (
        owed(
            line("100.00", "16.00"),
            total="116.00",
            uuid=uuid,
            receptor=sin_rfc(nombre, "42501"),
        )
        for uuid, nombre in (
            (UUID, "XOCHILT CASAS CHAVEZ"),
            (OTHER, "XOCHILT CASAS CHAVEZ"),
            (OTHER, "CECILIA MIRANDA SANCHEZ"),
        )
    )
    pays = [Aplicacion(factura, D("116.00")) for factura in (one, same)]
    settled(paid(cobro("232.00", *pays)))
    with pytest.raises(DocumentRefused, match="parties_differ"):
        paid(cobro("232.00", pays[0], Aplicacion(other, D("116.00"))))


PESOS = Aplicacion(PLAIN, D("100.00"))
PUE = owed(line("100.00", "16.00"), total="116.00", forma_pago="03", metodo_pago="PUE")


@pytest.mark.parametrize(
    ("code", "make"),
    [
        ("no_payment", paid),
        ("no_payment", lambda: paid(cobro("1.00"))),
        ("balance", lambda: paid(cobro("1160.01", Aplicacion(PLAIN, D("1160.01"))))),
        ("balance", lambda: paid(cobro("1.00", Aplicacion(PLAIN, D(0))))),
        ("balance", lambda: paid(cobro("1.00", Aplicacion(PLAIN, D("NaN"))))),
        ("balance", lambda: paid(cobro("1.00", Aplicacion(PLAIN, D("0.005"))))),
        ("balance", lambda: paid(cobro("1200.00", *[Aplicacion(PLAIN, D("600.00"))] * 2))),
        ("CRP20217", lambda: paid(cobro("99.99", PESOS))),
        ("CRP20219", lambda: paid(cobro("100.001", PESOS))),
        ("CRP20219", lambda: paid(cobro("0", PESOS))),
        ("CRP20219", lambda: paid(cobro("Infinity", PESOS))),
        ("CRP20212", lambda: paid(replace(cobro("100.00", PESOS), forma_pago="99"))),
        ("CRP20212", lambda: paid(replace(cobro("100.00", PESOS), forma_pago="33"))),
        ("CRP20237", lambda: paid(cobro("100.00", replace(PESOS, equivalencia=D(2))))),
        ("CFDI40113", lambda: paid(cobro("100.00", PESOS, moneda="XXX"))),
        ("CFDI40115", lambda: paid(cobro("100.00", PESOS, moneda="USD"))),
        ("not_ppd", lambda: paid(cobro("116.00", Aplicacion(PUE, D("116.00"))))),
        ("fecha", lambda: paid(replace(cobro("100.00", PESOS), fecha=PAID_AT.replace(tzinfo=UTC)))),
        (
            "parties_differ",
            lambda: paid(
                cobro(
                    "200.00",
                    PESOS,
                    Aplicacion(
                        owed(
                            line("100.00", "16.00"),
                            total="116.00",
                            uuid=OTHER,
                            receptor=replace(COMPANY, rfc="CACX7605101P8"),
                        ),
                        D("100.00"),
                    ),
                )
            ),
        ),
    ],
)
def test_what_no_payment_can_say(code: str, make: Callable[[], Comprobante]) -> None:
    with pytest.raises(DocumentRefused) as caught:
        make()
    assert caught.value.finding.code == code
