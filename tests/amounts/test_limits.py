"""The checker against SAT's formulas, and every rule broken once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cfdi.amounts import Partida, Tributo, fit, limits_hold
from cfdi.amounts.limits import importe_limits, tax_limits
from cfdi.amounts.lines import places, window
from cfdi.comprobante import (
    Comprobante,
    Impuesto,
    Impuestos,
    Retencion,
    RetencionTotal,
    TipoFactor,
    Traslado,
)

D = Decimal
IVA, ISR, TASA, EXENTO = Impuesto.IVA, Impuesto.ISR, TipoFactor.TASA, TipoFactor.EXENTO


def _written(number: str) -> int:
    return len(number.partition(".")[2])


def test_vectors(shared: Path) -> None:
    path = shared / "sat/validation/arithmetic-vectors.json"
    vectors = json.loads(path.read_text(encoding="utf-8"))["vectors"]
    assert len(vectors) > 30
    for vector in vectors:
        importe = D(vector["Importe"])
        if vector["rule"] == "CFDI40167":
            limits = importe_limits(
                D(vector["Cantidad"]), D(vector["ValorUnitario"]), _written(vector["Importe"])
            )
        else:
            limits = tax_limits(
                D(vector["Base"]), D(vector["TasaOCuota"]), _written(vector["Importe"])
            )
        assert limits == (D(vector["lower"]), D(vector["upper"]))
        assert (limits[0] <= importe <= limits[1]) is vector["accepted"]


@pytest.mark.parametrize("base", ["0.01", "99.99", "431.03", "517.241379", "1000", "3"])
@pytest.mark.parametrize("rate", ["0.160000", "0.080000", "1.600000", "0.000000", "1.645100"])
@pytest.mark.parametrize("decimals", [0, 2, 3, 6])
def test_the_window_of_the_fitting_is_the_limit_of_the_checker(
    base: str, rate: str, decimals: int
) -> None:
    micros = int(D(base) * 10**6)
    lower, upper = window(micros, places(micros, _written(base)), int(D(rate) * 10**6), decimals)
    expected = tax_limits(D(base), D(rate), decimals)
    assert tuple(D(one).scaleb(-decimals) for one in (lower, upper)) == expected


PARTIDAS = (
    Partida(D(1), D("100.00"), D("10.00"), (Tributo(IVA, TASA, D("0.16"), D("14.40")),)),
    Partida(D(2), D("50.00"), D(0), (Tributo(IVA, EXENTO, None, D(0)),)),
)


@pytest.fixture
def good(document: Callable[..., Comprobante]) -> Comprobante:
    comprobante = document(PARTIDAS, fit(PARTIDAS, total=D("154.40"), decimales=2))
    assert limits_hold(comprobante) == ()
    return comprobante


def _line(comprobante: Comprobante, **changes: Any) -> Comprobante:
    first, *rest = comprobante.conceptos
    return replace(comprobante, conceptos=(replace(first, **changes), *rest))


def _tax(comprobante: Comprobante, **changes: Any) -> Comprobante:
    traslado = comprobante.conceptos[0].traslados[0]
    return _line(comprobante, traslados=(replace(traslado, **changes),))


def _node(comprobante: Comprobante, **changes: Any) -> Comprobante:
    impuestos = comprobante.impuestos
    assert impuestos is not None
    first, *rest = impuestos.traslados
    nodes = (replace(first, **changes), *rest)
    return replace(comprobante, impuestos=replace(impuestos, traslados=nodes))


def _taxes(comprobante: Comprobante, **changes: Any) -> Comprobante:
    assert comprobante.impuestos is not None
    return replace(comprobante, impuestos=replace(comprobante.impuestos, **changes))


IVA_TRASLADO = Traslado(D("90.00"), IVA, TASA, D("0.160000"), D("14.40"))
RETENCION = Retencion(D("90.00"), ISR, TASA, D("0.012500"), D("1.12"))
RETENIDO = RetencionTotal(ISR, D("1.12"))

BREAKS: dict[str, tuple[str, Callable[[Comprobante], Comprobante]]] = {
    "currency": ("CFDI40113", lambda c: replace(c, moneda="ZZZ")),
    "quantity 0": ("301", lambda c: _line(c, cantidad=D(0))),
    "quantity of 7 decimals": ("301", lambda c: _line(c, cantidad=D("1.0000000"))),
    "price 0": ("CFDI40166", lambda c: _line(c, valor_unitario=D(0))),
    "importe": ("CFDI40167", lambda c: _line(c, cantidad=D("1.000"), importe=D("101.00"))),
    "decimals of descuento": ("CFDI40168", lambda c: _line(c, descuento=D("10.000"))),
    "descuento above importe": ("CFDI40169", lambda c: _line(c, descuento=D("100.01"))),
    "02 without taxes": ("CFDI40171", lambda c: _line(c, traslados=())),
    "01 with taxes": ("CFDI40172", lambda c: _line(c, objeto_imp="01")),
    "06 with IVA": ("CFDI140226", lambda c: _line(c, objeto_imp="06")),
    "07 with IVA": ("CFDI140227", lambda c: _line(c, objeto_imp="07")),
    "base 0": ("CFDI40174", lambda c: _tax(c, base=D("0.00"))),
    "exempt with a rate": ("CFDI40177", lambda c: _tax(c, tipo_factor=EXENTO)),
    "rate without amount": ("CFDI40178", lambda c: _tax(c, importe=None)),
    "tax": ("CFDI40180", lambda c: _tax(c, importe=D("14.42"))),
    "subtotal decimals": ("CFDI40107", lambda c: replace(c, sub_total=D("150.000"))),
    "subtotal": ("CFDI40108", lambda c: replace(c, sub_total=D("150.01"))),
    "descuento above subtotal": ("CFDI40110", lambda c: replace(c, descuento=D("150.01"))),
    "descuento": ("CFDI40111", lambda c: replace(c, descuento=D("10.01"))),
    "descuento missing": ("CFDI40111", lambda c: replace(c, descuento=None)),
    "descuento decimals": ("CFDI40112", lambda c: replace(c, descuento=D("10.000"))),
    "total": ("CFDI40119", lambda c: replace(c, total=D("154.41"))),
    "total decimals": ("CFDI40119", lambda c: replace(c, total=D("154.400"))),
    "node base decimals": ("CFDI40214", lambda c: _node(c, base=D("90.000"))),
    "node base": ("CFDI40215", lambda c: _node(c, base=D("90.01"))),
    "node decimals": ("CFDI40220", lambda c: _node(c, importe=D("14.400"))),
    "node": ("CFDI40221", lambda c: _node(c, importe=D("14.41"))),
    "node missing": ("CFDI40218", lambda c: _taxes(c, traslados=())),
    "node twice": ("CFDI40218", lambda c: _taxes(c, traslados=(IVA_TRASLADO, IVA_TRASLADO))),
    "no impuestos": ("CFDI40218", lambda c: replace(c, impuestos=None)),
    "taxes total missing": ("CFDI40212", lambda c: _taxes(c, total_trasladados=None)),
    "taxes total": ("CFDI40205", lambda c: _taxes(c, total_trasladados=D("14.41"))),
    "taxes total decimals": ("CFDI40204", lambda c: _taxes(c, total_trasladados=D("14.400"))),
    "retention missing": ("CFDI40208", lambda c: _line(c, retenciones=(RETENCION,))),
    "retention of base 0": (
        "CFDI40181",
        lambda c: _line(c, retenciones=(replace(RETENCION, base=D(0)),)),
    ),
    "retention exempt": (
        "CFDI40184",
        lambda c: _line(c, retenciones=(replace(RETENCION, tipo_factor=EXENTO),)),
    ),
    "retention": (
        "CFDI40186",
        lambda c: _line(c, retenciones=(replace(RETENCION, importe=D("1.14")),)),
    ),
    "retention total missing": ("CFDI40206", lambda c: _taxes(c, retenciones=(RETENIDO,))),
}


@pytest.mark.parametrize("name", BREAKS)
def test_every_rule_is_seen_when_broken(name: str, good: Comprobante) -> None:
    code, break_it = BREAKS[name]
    findings = limits_hold(break_it(good))
    assert code in {finding.code for finding in findings}


def test_retentions_that_add_up(good: Comprobante) -> None:
    withheld = _line(good, retenciones=(RETENCION,))
    whole = replace(
        _taxes(withheld, retenciones=(RETENIDO,), total_retenidos=D("1.12")), total=D("153.28")
    )
    assert limits_hold(whole) == ()
    for total in (D("1.13"), D("1.1")):
        codes = {one.code for one in limits_hold(_taxes(whole, total_retenidos=total))}
        assert "CFDI40203" in codes
    off = replace(RETENIDO, importe=D("1.130"))
    codes = {one.code for one in limits_hold(_taxes(whole, retenciones=(off,)))}
    assert {"CFDI40211", "CFDI40210"} <= codes


def test_a_document_without_lines_or_taxes(good: Comprobante) -> None:
    bare = replace(good, conceptos=(), impuestos=Impuestos(), descuento=None)
    codes = {one.code for one in limits_hold(bare)}
    assert {"CFDI40108", "CFDI40119"} <= codes


def test_messages_speak_both_languages(good: Comprobante) -> None:
    finding = limits_hold(replace(good, total=D("1.00")))[0]
    assert "SAT" in finding.message_es
    assert "SAT" in finding.message_en
    assert finding.path == "Total"
