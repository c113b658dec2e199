"""What is valid stays valid: documents of our own builders, of the golden files and of satcfdi."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from lxml import etree

from cfdi.amounts import NoExactDocument, Partida, Tributo
from cfdi.comprobante import Comprobante, Emisor, Impuesto, Receptor, TipoFactor
from cfdi.documents import (
    Aplicacion,
    Articulo,
    Cobro,
    Expedicion,
    Factura,
    Ticket,
    documento_de_pago,
    egreso,
    egreso_de_ticket,
    factura_global,
    informacion_global,
    ingreso,
)
from cfdi.validator import validate
from cfdi.xml import CFDI, build

Sealed = Callable[[etree._Element], bytes]
#: Shows every node there is; nobody would issue it, and its taxes do not add up.
SHOWN_ONLY = {"every_node"}
GOLDEN = [
    path
    for path in sorted(Path(__file__).resolve().parents[1].rglob("golden/*.xml"))
    if path.stem not in SHOWN_ONLY
]
FECHA = datetime(2026, 11, 20, 12, 0)  # noqa: DTZ001 - local, as a CFDI writes it
CENT = Decimal("0.01")
UUID = "11111111-2222-4333-8444-555555555555"
EXPEDICION = Expedicion(
    Emisor("EKU9003173C9", "ESCUELA KEMPER URGATE", "601"), "42501", FECHA, "F", "1"
)
RECEPTOR = Receptor("MISC491214B86", "CECILIA MIRANDA SANCHEZ", "01010", "612", "G03")
RATES = [("002", "0.160000"), ("002", "0.080000"), ("002", "0.000000"), ("002", None), None]
#: The fixtures that seal have no state between examples.
same = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(CENT, ROUND_HALF_UP)


@st.composite
def partidas(draw: st.DrawFn) -> Partida:
    subtotal = draw(st.decimals("0.05", "99999.99", places=2))
    descuento = _rounded(subtotal * draw(st.sampled_from([0, 0, Decimal("0.1"), Decimal("0.5")])))
    base, tributos = subtotal - descuento, []
    if draw(st.booleans()):
        ieps = _rounded(base * Decimal("0.08"))
        tributos.append(Tributo(Impuesto.IEPS, TipoFactor.TASA, Decimal("0.080000"), ieps))
        base += ieps
    if (rate := draw(st.sampled_from(RATES))) is not None:
        impuesto, tasa = Impuesto(rate[0]), rate[1]
        if tasa is None:
            tributos.append(Tributo(impuesto, TipoFactor.EXENTO, None, Decimal(0)))
        else:
            iva = _rounded(base * Decimal(tasa))
            tributos.append(Tributo(impuesto, TipoFactor.TASA, Decimal(tasa), iva))
    cantidad = draw(st.decimals("0.001", "500", places=3))
    return Partida(cantidad, subtotal, descuento, tuple(tributos))


carts = st.lists(partidas(), min_size=1, max_size=6)


def charged(cart: list[Partida]) -> Decimal:
    return sum(
        (p.subtotal - p.descuento + sum((t.importe for t in p.tributos), Decimal(0)) for p in cart),
        Decimal(0),
    )


def sale(cart: list[Partida], *, deferred: bool = False) -> Comprobante:
    articulos = [Articulo(partida, "Taza", "53102500") for partida in cart]
    try:
        return ingreso(
            articulos,
            expedicion=EXPEDICION,
            receptor=RECEPTOR,
            total=charged(cart),
            forma_pago="99" if deferred else "03",
            metodo_pago="PPD" if deferred else "PUE",
        )
    except NoExactDocument:
        assume(False)
        raise


def finds(sealed: Sealed, comprobante: Comprobante) -> tuple[object, ...]:
    return validate(sealed(build(comprobante)), at=FECHA + timedelta(minutes=1))


@given(cart=carts)
@same
def test_a_sale_and_its_credit_note(cart: list[Partida], sealed: Sealed) -> None:
    sold = sale(cart)
    assert finds(sealed, sold) == ()
    try:
        credited = egreso(Factura(UUID, sold), _rounded(sold.total / 3), expedicion=EXPEDICION)
    except ValueError:  # too little to be divided
        return
    assert finds(sealed, credited) == ()


@given(cart=carts)
@same
def test_a_deferred_sale_and_its_payment(cart: list[Partida], sealed: Sealed) -> None:
    sold = sale(cart, deferred=True)
    assume(sold.total >= 1)
    first = _rounded(sold.total / 2)
    paid = [
        Cobro(FECHA, "03", part, (Aplicacion(Factura(UUID, sold), part),))
        for part in (first, sold.total - first)
    ]
    assert finds(sealed, documento_de_pago(paid, expedicion=EXPEDICION)) == ()


@given(baskets=st.lists(carts, min_size=1, max_size=4))
@same
def test_a_global_invoice_and_a_ticket_credited(
    baskets: list[list[Partida]], sealed: Sealed
) -> None:
    tickets = [
        Ticket(str(number), tuple(cart), charged(cart), "01")
        for number, cart in enumerate(baskets, start=1)
    ]
    assume(all(ticket.total >= 1 for ticket in tickets))
    try:
        everybody = factura_global(
            tickets, expedicion=EXPEDICION, periodo=informacion_global("04", FECHA.date())
        )
    except NoExactDocument:
        assume(False)
        return
    assert finds(sealed, everybody) == ()
    credited = egreso_de_ticket(Factura(UUID, everybody), "1", expedicion=EXPEDICION)
    assert finds(sealed, credited) == ()


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_golden_documents(path: Path, sealed: Sealed) -> None:
    root = etree.fromstring(path.read_bytes())
    assert root.tag == f"{{{CFDI}}}Comprobante"
    assert validate(sealed(root)) == ()


def test_there_are_golden_documents() -> None:
    assert GOLDEN


def test_an_addenda_is_not_looked_at(sealed: Sealed) -> None:
    """It is added after stamping, in whatever shape the buyer wants."""
    root = etree.fromstring(sealed(etree.fromstring(GOLDEN[0].read_bytes())))
    addenda = etree.SubElement(root, f"{{{CFDI}}}Addenda")
    etree.SubElement(addenda, f"{{{CFDI}}}Concepto").text = "4500012345"
    assert validate(etree.tostring(root)) == ()


@pytest.mark.parametrize("rate", ["0.160000", "0.080000", None])
def test_documents_of_a_second_implementation(rate: str | None, sealed: Sealed) -> None:
    from satcfdi.create.cfd import cfdi40  # noqa: PLC0415 # opens its database on import

    tax = cfdi40.Traslado("002", "Tasa" if rate else "Exento", rate and Decimal(rate))
    made = cfdi40.Comprobante(
        emisor=cfdi40.Emisor("EKU9003173C9", "ESCUELA KEMPER URGATE", "601"),
        lugar_expedicion="42501",
        receptor=cfdi40.Receptor("MISC491214B86", "CECILIA MIRANDA SANCHEZ", "01010", "612", "G03"),
        metodo_pago="PUE",
        forma_pago="03",
        fecha=FECHA,
        conceptos=[
            cfdi40.Concepto(
                clave_prod_serv="53102500",
                cantidad=Decimal(3),
                clave_unidad="H87",
                descripcion="Taza",
                valor_unitario=Decimal("33.33"),
                descuento=Decimal("9.99"),
                impuestos=cfdi40.Impuestos(traslados=tax),
            )
        ],
    )
    assert validate(sealed(etree.fromstring(made.xml_bytes()))) == ()


def test_every_cfdi_of_the_reference_data(shared: Path) -> None:
    """An example there that is no CFDI 4.0 is none of ours; one that is must be valid."""
    answers = [json.loads(path.read_text()) for path in (shared / "sat/pac").rglob("*.json")]
    texts = [text for answer in answers for text in _strings(answer) if "<cfdi:Comprobante" in text]
    texts += [path.read_text() for path in shared.rglob("*.xml")]
    ours = [text for text in texts if text.lstrip().startswith("<?xml") and CFDI in text]
    for text in ours:
        found = validate(text.encode())
        assert {one.code for one in found} <= {"301"}, text[:80]


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for each in inside for text in _strings(each)]


def test_at_is_an_instant_or_local_time(sealed: Sealed) -> None:
    """72 hours and not a day more, in Hidalgo, which is six hours behind UTC."""
    document = sealed(etree.fromstring(GOLDEN[0].read_bytes()))
    later = FECHA + timedelta(hours=71)
    assert validate(document, at=later) == ()
    assert validate(document, at=(later + timedelta(hours=6)).replace(tzinfo=UTC)) == ()
    for too_late in (later + timedelta(hours=2), (later + timedelta(hours=8)).replace(tzinfo=UTC)):
        assert [one.code for one in validate(document, at=too_late)] == ["401"]
