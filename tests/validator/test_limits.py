"""SAT's limits of products: the vectors on file, and the checker of our own documents beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from cfdi.amounts.limits import d, importe_limits, tax_limits
from cfdi.validator import validate
from tests.validator.bases import base, impuestos, retencion, traslado

D = Decimal
Sealed = Callable[[etree._Element], bytes]
_ALL = {"CFDI40167", "CFDI40180", "CFDI40186"}


def line(quantity: str, price: str, importe: str) -> etree._Element:
    root = base("untaxed")
    concepto = root.find("{*}Conceptos/{*}Concepto")
    assert concepto is not None
    concepto.attrib.update({"Cantidad": quantity, "ValorUnitario": price, "Importe": importe})
    return root


def taxed(kind: str, tax_base: str, rate: str, importe: str) -> etree._Element:
    """A line with this transferred tax, or with this withheld one as well."""
    root = base("sale")
    concepto = root.find("{*}Conceptos/{*}Concepto")
    assert concepto is not None
    taxes = (
        impuestos(traslado(tax_base, importe, rate))
        if kind == "CFDI40180"
        else impuestos(traslado("100.00", "16.00"), retencion(tax_base, importe, rate))
    )
    for node in concepto:
        concepto.remove(node)
    namespace = 'xmlns:cfdi="http://www.sat.gob.mx/cfd/4"'
    concepto.append(
        etree.fromstring(taxes.replace("<cfdi:Impuestos", f"<cfdi:Impuestos {namespace}", 1))
    )
    return root


def codes(root: etree._Element, sealed: Sealed) -> set[str]:
    return {one.code for one in validate(sealed(root))} & _ALL


def test_the_vectors_on_file(shared: Path, sealed: Sealed) -> None:
    path = shared / "sat/validation/arithmetic-vectors.json"
    vectors = json.loads(path.read_text(encoding="utf-8"))["vectors"]
    assert {one["rule"] for one in vectors} == {"CFDI40167", "CFDI40180/40186"}
    for one in vectors:
        lower, upper = D(one["lower"]), D(one["upper"])
        unit = D(1).scaleb(-d(D(one["Importe"])))
        for importe in (D(one["Importe"]), lower, upper, lower - unit, upper + unit):
            told = not lower <= importe <= upper
            if importe < 0:
                continue
            if one["rule"] == "CFDI40167":
                root = line(one["Cantidad"], one["ValorUnitario"], f"{importe:f}")
                assert codes(root, sealed) == ({"CFDI40167"} if told else set()), one
                continue
            for code in ("CFDI40180", "CFDI40186"):
                root = taxed(code, one["Base"], one["TasaOCuota"], f"{importe:f}")
                assert codes(root, sealed) == ({code} if told else set()), (code, one)


def amounts(most: int) -> st.SearchStrategy[Decimal]:
    return st.builds(
        lambda digits, places: D(digits).scaleb(-places),
        st.integers(1, most),
        st.integers(0, 6),
    )


@pytest.mark.parametrize("unit", [-1, 0, 1])
@settings(max_examples=40)
@given(quantity=amounts(10**6), price=amounts(10**7), places=st.integers(0, 6), high=st.booleans())
def test_one_unit_beyond_a_limit_of_a_line_is_told(
    sealed: Sealed, unit: int, quantity: Decimal, price: Decimal, places: int, high: bool
) -> None:
    lower, upper = importe_limits(quantity, price, places)
    importe = (upper if high else lower) + unit * D(1).scaleb(-places)
    if importe < 0 or importe >= 10**12:
        return
    assert d(importe) == places
    found = codes(line(f"{quantity:f}", f"{price:f}", f"{importe:f}"), sealed)
    assert found == (set() if lower <= importe <= upper else {"CFDI40167"})


@pytest.mark.parametrize("code", ["CFDI40180", "CFDI40186"])
@pytest.mark.parametrize("unit", [-1, 0, 1])
@settings(max_examples=40)
@given(tax_base=amounts(10**8), places=st.integers(0, 6), high=st.booleans())
def test_one_unit_beyond_a_limit_of_a_tax_is_told(
    sealed: Sealed, code: str, unit: int, tax_base: Decimal, places: int, high: bool
) -> None:
    rate = "0.160000" if code == "CFDI40180" else "0.106667"
    lower, upper = tax_limits(tax_base, D(rate), places)
    importe = (upper if high else lower) + unit * D(1).scaleb(-places)
    if importe < 0:
        return
    found = codes(taxed(code, f"{tax_base:f}", rate, f"{importe:f}"), sealed)
    assert found == (set() if lower <= importe <= upper else {code})
