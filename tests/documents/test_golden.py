"""One document of each kind, word for word. Re-recorded only with AUTOFACTURA_RECORD_GOLDEN=1."""

from __future__ import annotations

import os
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from satcfdi.cfdi import CFDI

import cfdi
from cfdi.amounts import Partida, Tributo
from cfdi.comprobante import Comprobante, Emisor, Impuesto, Receptor, TipoFactor
from cfdi.documents import (
    ISR_RESICO,
    Aplicacion,
    Articulo,
    Cobro,
    Devuelto,
    Expedicion,
    Factura,
    Ticket,
    documento_de_pago,
    egreso,
    egreso_de_ticket,
    egreso_por_lineas,
    extranjero,
    factura_global,
    informacion_global,
    ingreso,
    retener,
    sustitucion,
)
from cfdi.seal import seal
from cfdi.xml import build, serialize

D = Decimal
RECORD = os.environ.get("AUTOFACTURA_RECORD_GOLDEN") == "1"
UUID = "5FB2822E-396D-4725-8521-CDC4BDD20CCF"
EXPEDICION = Expedicion(
    Emisor("EKU9003173C9", "ESCUELA KEMPER URGATE", "601"),
    "42501",
    datetime.fromisoformat("2026-11-20T12:00:00"),
    "F",
    "101",
)
COMPANY = Receptor("IIA040805DZ4", "INDISTRIA ILUMINADORA DE ALMACENES", "62661", "601", "G03")
IVA, IEPS, ISR = Impuesto.IVA, Impuesto.IEPS, Impuesto.ISR
TASA, CUOTA = TipoFactor.TASA, TipoFactor.CUOTA


def taxed(net: str, tax: str, *, quantity: str = "1", discount: str = "0") -> Partida:
    return Partida(D(quantity), D(net), D(discount), (Tributo(IVA, TASA, D("0.16"), D(tax)),))


def _ingreso(*articulos: Articulo, total: str, **more: Any) -> Comprobante:
    given: dict[str, Any] = {"receptor": COMPANY, "forma_pago": "03"}
    return ingreso(articulos, expedicion=EXPEDICION, total=D(total), **(given | more))


CUP = Articulo(
    taxed("517.24", "74.48", quantity="3", discount="51.72"),
    "Taza de cerámica",
    "52152101",
    no_identificacion="T-1",
)
SHIPPING = Articulo(taxed("99.00", "15.84"), "Envío", "78102203", "E48")
PLAIN = _ingreso(CUP, SHIPPING, total="654.84")
SODA = Partida(
    D(12),
    D("180.00"),
    D(0),
    (Tributo(IEPS, CUOTA, D("1.6451"), D("19.74")), Tributo(IVA, TASA, D("0.16"), D("31.96"))),
)
SERVICE = retener(retener(taxed("1000.00", "160.00"), ISR, ISR_RESICO), IVA, D("0.106667"))
OWED = _ingreso(
    Articulo(taxed("1000.00", "160.00"), "Servicio", "81112100", "E48"),
    total="1160.00",
    forma_pago="99",
    metodo_pago="PPD",
)
GLOBAL = factura_global(
    [
        Ticket("A-1", (taxed("100.00", "16.00"),), D("116.00"), "01"),
        Ticket("A-2", (taxed("200.00", "32.00"), SODA), D("463.70"), "04"),
    ],
    expedicion=EXPEDICION,
    periodo=informacion_global("01", date(2026, 11, 20)),
)
DOCUMENTS: dict[str, Comprobante] = {
    "ingreso": PLAIN,
    "ingreso_ieps": _ingreso(Articulo(SODA, "Refresco", "50202306"), total="231.70"),
    "ingreso_retenciones": _ingreso(
        Articulo(SERVICE, "Servicio", "81112100", "E48"), total="1040.83"
    ),
    "ingreso_extranjero": _ingreso(
        Articulo(taxed("100.00", "16.00"), "Taza"),
        total="116.00",
        receptor=extranjero("ACME INC", "42501"),
        moneda="USD",
        tipo_cambio=D("18.5012"),
    ),
    "egreso_importe": egreso(Factura(UUID, PLAIN), D("100.00"), expedicion=EXPEDICION),
    "egreso_lineas": egreso_por_lineas(
        Factura(UUID, PLAIN), [Devuelto(0, cantidad=D(1)), Devuelto(1)], expedicion=EXPEDICION
    ),
    "sustitucion": sustitucion(PLAIN, UUID),
    "global": GLOBAL,
    "egreso_de_ticket": egreso_de_ticket(Factura(UUID, GLOBAL), "A-2", expedicion=EXPEDICION),
    "pago": documento_de_pago(
        [
            Cobro(
                datetime.fromisoformat("2026-11-19T12:00:00"),
                "03",
                D("500.00"),
                (Aplicacion(Factura(UUID, OWED), D("500.00")),),
            )
        ],
        expedicion=EXPEDICION,
    ),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_word_for_word(name: str, golden: Path) -> None:
    xml = serialize(build(DOCUMENTS[name]))
    path = golden / f"{name}.xml"
    if RECORD:
        path.write_bytes(xml)
    assert xml == path.read_bytes()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_others_read_the_same(name: str, signer: Any) -> None:
    """The official schema and every rule accept it; satcfdi reads what was said."""
    document = DOCUMENTS[name]
    xml = seal(document, signer).xml
    assert cfdi.validate(xml) == ()
    assert cfdi.read(xml).comprobante == document
    read = CFDI.from_string(xml)
    assert read["Total"] == document.total
    assert read["SubTotal"] == document.sub_total
    assert str(read["TipoDeComprobante"])[:1] == document.tipo_de_comprobante
    assert [one["Importe"] for one in read["Conceptos"]] == [
        one.importe for one in document.conceptos
    ]


def test_nothing_on_file_is_left_over(golden: Path) -> None:
    assert {path.stem for path in golden.iterdir()} == set(DOCUMENTS)
