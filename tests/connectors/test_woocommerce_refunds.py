"""Money given back: before an invoice it is not invoiced, after one a credit note can be made."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

from cfdi import amounts
from cfdi.comprobante import Comprobante, Emisor, Receptor
from cfdi.documents import Devuelto, Expedicion, Factura, egreso, egreso_por_lineas
from connectors.contract import ConnectionFacts
from connectors.woocommerce.connector import WooCommerce
from hub.domain.compose import compose
from hub.domain.remaining import remaining_lines
from hub.domain.rules import parse
from hub.domain.sale import PaymentState, Refund, Sale

D = Decimal
CENT = D("0.01")
WOO = WooCommerce()
ORDERS = Path(__file__).parent / "payloads" / "woocommerce" / "orders"
EMISOR = Emisor("EKU9003173C9", "ESCUELA KEMPER URGATE", "601")
RECEPTOR = Receptor("CACX7605101P8", "XOCHILT CASAS CHAVEZ", "36257", "612", "G03")
FECHA = datetime.fromisoformat("2026-11-20T12:00:00")
RULES = parse(
    '[forma_pago]\ndefault = "03"\n[producto.default]\nimpuesto = "exento"\n'
    '[producto.envio]\nimpuesto = "exento"\n'
)
UUID = "5FB2822E-396D-4725-8521-CDC4BDD20CCF"
SOLD = ("a-paid-dp6", "c-ieps-zero-rate-exempt-dp6")


def sold(name: str) -> Any:
    order = json.loads((ORDERS / f"{name}.json").read_bytes())
    document = order if "order" in order else {"order": order, "refunds": []}
    document["order"] |= {"status": "completed", "refunds": []}
    document["order"]["date_paid_gmt"] = document["order"]["date_created_gmt"]
    return document | {"refunds": []}


def sale_of(document: Any) -> Sale:
    raw = json.dumps(document).encode()
    return WOO.normalize(raw, ConnectionFacts("c", "https://tienda.example", {}))


def invoice(sale: Sale) -> Comprobante:
    made = compose(
        sale,
        rules=RULES,
        emisor=EMISOR,
        lugar_expedicion="42501",
        receptor=RECEPTOR,
        fecha=FECHA,
        serie="F",
        folio="1",
    )
    assert made.total == sale.due
    assert amounts.limits_hold(made) == ()
    return made


def credited(factura: Factura, sale: Sale, refund: Refund) -> Comprobante:
    """The credit note that a refund asks for, from what the sale holds of it and nothing else."""
    expedicion = Expedicion(EMISOR, "42501", FECHA, "E", refund.key)
    if not refund.lines:
        return egreso(factura, refund.total, expedicion=expedicion)
    lines = [one.key for one in sale.lines if one.subtotal or one.total]
    devueltos = [
        Devuelto(lines.index(one.key), importe=one.base + sum(one.taxes, D(0)))
        for one in refund.lines
    ]
    return egreso_por_lineas(factura, devueltos, expedicion=expedicion)


def cents(amount: Any) -> Decimal:
    return D(str(amount)).quantize(CENT, ROUND_HALF_UP)


def part_of(item: dict[str, Any], number: int, share: Decimal, quantity: int) -> dict[str, Any]:
    """As the merchant's screen of refunds makes it: net and each tax in cents, negative."""
    taxes = [
        {"id": tax["id"], "total": f"{-cents(D(tax['total']) * share)}"}
        for tax in item["taxes"]
        if tax["total"]
    ]
    return {
        "id": number,
        "quantity": -quantity,
        "total": f"{-cents(D(item['total']) * share)}",
        "total_tax": f"{sum((D(tax['total']) for tax in taxes), D(0))}",
        "taxes": taxes,
        "meta_data": [{"key": "_refunded_item_id", "value": str(item["id"])}],
    }


def refund_of(number: int, **kinds: list[dict[str, Any]]) -> dict[str, Any]:
    items = [item for kind in kinds.values() for item in kind]
    amount = -sum((D(item["total"]) + D(item["total_tax"]) for item in items), D(0))
    return _refund(number, amount) | kinds


def _refund(number: int, amount: Decimal) -> dict[str, Any]:
    return {
        "id": number,
        "amount": f"{amount:.2f}",
        "reason": "una taza rota",
        "date_created_gmt": "2026-11-21T09:00:00",
        "line_items": [],
        "shipping_lines": [],
        "fee_lines": [],
    }


def after(document: Any, *refunds: dict[str, Any]) -> Sale:
    order = document["order"] | {
        "refunds": [{"id": one["id"], "total": f"-{one['amount']}"} for one in refunds]
    }
    return sale_of({"order": order, "refunds": list(refunds)})


def ways(document: Any) -> dict[str, dict[str, Any]]:
    """Every way in which a merchant gives money back, one by one."""
    order = document["order"]
    items = order["line_items"]
    first = max(items, key=lambda item: D(item["total"]))
    made = {
        "a line whole": refund_of(900, line_items=[part_of(first, 1, D(1), first["quantity"])]),
        "a third of a line": refund_of(900, line_items=[part_of(first, 1, D(1) / 3, 1)]),
        "money of a line, no piece": refund_of(900, line_items=[part_of(first, 1, D("0.1"), 0)]),
        "an amount": _refund(900, D("33.33")),
        "a cent": _refund(900, CENT),
        "all but a cent": _refund(900, D(order["total"]) - CENT),
    }
    if order["shipping_lines"] and D(order["shipping_lines"][0]["total"]):
        shipped = part_of(order["shipping_lines"][0], 2, D(1), 1)
        made["the shipping"] = refund_of(900, shipping_lines=[shipped])
    return made


@pytest.mark.parametrize("name", SOLD)
def test_given_back_before_the_invoice_it_is_not_invoiced(name: str) -> None:
    document = sold(name)
    for way, refund in ways(document).items():
        sale = after(document, refund)
        assert sale.due == sale.total - D(refund["amount"]), way
        assert invoice(sale).total == sale.due, way


@pytest.mark.parametrize("name", SOLD)
def test_given_back_after_it_a_credit_note_says_which_lines_and_how_much(name: str) -> None:
    document = sold(name)
    whole = sale_of(document)
    factura = Factura(UUID, invoice(whole))
    for way, refund in ways(document).items():
        sale = after(document, refund)
        [kept] = sale.refunds
        assert (kept.key, kept.reason) == ("900", "una taza rota")
        assert kept.at == datetime(2026, 11, 21, 9, tzinfo=UTC)
        assert bool(kept.lines) == (way not in {"an amount", "a cent", "all but a cent"}), way
        if way == "all but a cent":
            continue  # what is left of each of several taxes is less than a cent
        note = credited(factura, sale, kept)
        assert note.total == kept.total, way
        assert note.tipo_de_comprobante == "E"


@pytest.mark.parametrize("name", SOLD)
def test_several_refunds_add_up(name: str) -> None:
    dice = random.Random(name)
    document = sold(name)
    items = document["order"]["line_items"]
    whole = Factura(UUID, invoice(sale_of(document)))
    for _ in range(25):
        refunds = []
        for number in range(900, 900 + dice.randint(2, 4)):
            if dice.random() < 0.5:
                item = dice.choice(items)
                refunds.append(
                    refund_of(number, line_items=[part_of(item, 1, D(1) / dice.randint(5, 9), 0)])
                )
            else:
                refunds.append(_refund(number, D(dice.randint(100, 3000)) / 100))
        sale = after(document, *refunds)
        assert len(sale.refunds) == len(refunds)
        assert invoice(sale).total == sale.total - sum(D(one["amount"]) for one in refunds)
        notes: list[Comprobante] = []
        for refund in sale.refunds:
            factura = Factura(UUID, whole.comprobante, egresos=tuple(notes))
            notes.append(credited(factura, sale, refund))
        assert sum(note.total for note in notes) == sale.refunded


def test_given_back_whole_it_is_closed_and_a_deleted_refund_opens_it_again() -> None:
    document = sold("a-paid-dp6")
    total = D(document["order"]["total"])
    closed = after(document, _refund(900, total))
    assert closed.due == 0
    by_hand = {"order": document["order"] | {"status": "refunded"}, "refunds": []}
    assert sale_of(by_hand).payment_state is PaymentState.REFUNDED
    again = after(document)
    assert (again.due, again.refunds) == (total, ())
    assert invoice(again).total == total


def test_more_given_back_than_was_charged_is_for_a_person() -> None:
    document = sold("a-paid-dp6")
    sale = after(document, _refund(900, D(document["order"]["total"]) + CENT))
    assert sale.refunded > sale.total


def test_what_is_left_keeps_its_lines() -> None:
    """Of three coffees one came back: two are invoiced, at their price."""
    document = sold("a-paid-dp6")
    coffee = document["order"]["line_items"][0]
    sale = after(document, refund_of(900, line_items=[part_of(coffee, 1, D(1) / 3, 1)]))
    line = next(one for one in remaining_lines(sale) if one.key == str(coffee["id"]))
    assert line.quantity == 2
    assert abs(line.total - D("399.98")) <= CENT
