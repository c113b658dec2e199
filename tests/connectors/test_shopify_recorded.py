"""Orders that real shops of Shopify sent, and those of its documentation. They are not ours to keep
here: they lie beside the project, and the tests are skipped, loudly, without them."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.reader import read_json
from connectors.shopify.orders import sale_of
from hub.domain.sale import PaymentState, Sale

D = Decimal
#: path → state, total, due, doubts. The first six are live; the others no shop ever sent.
RECORDED = {
    "orders/554a162_order_cancelled_6198821716268": ("cancelled", "99.00", "0", 0),
    "orders/554a162_order_create_data_i_need_js": ("paid", "304.00", "304.00", 0),
    "orders/554a162_order_create_dis2_js": ("paid", "304.00", "304.00", 0),
    "orders/554a162_order_create_dis3_js": ("paid", "304.00", "304.00", 0),
    "orders/order_100500": ("paid", "2147.58", "2147.58", 0),
    "orders/order_1143_taxes_included": ("paid", "102.00", "102.00", 0),
    "docs-samples/order.test_1": ("paid", "598.94", "199.65", 0),
    "docs-samples/order.test_14": ("cancelled", "598.94", "0", 0),
    "docs-samples/order.test_16": ("paid", "238.47", "238.47", 0),
    # "paid", and all or nearly all of it outstanding: a person looks.
    "docs-samples/order.test_23": ("paid", "181.09", "181.09", 1),
    "docs-samples/order.test_24": ("paid", "270.37", "270.37", 1),
}


def read(path: Path) -> Any:
    document = json.loads(path.read_bytes(), parse_float=str)
    if "orders" in document:
        return document["orders"][0]
    return document.get("order", document)


def made(document: Any, **settings: Any) -> Sale:
    return sale_of(read_json(json.dumps(document).encode()), settings)


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_deliveries(shared: Path, name: str) -> None:
    state, total, due, doubts = RECORDED[name]
    sale = made(read(shared / "payloads" / "shopify" / f"{name}.json"))
    assert (sale.payment_state, sale.total, sale.due) == (PaymentState(state), D(total), D(due))
    assert len(sale.doubts) == doubts, sale.doubts
    assert sale.unverified


def test_prices_that_hold_their_tax(shared: Path) -> None:
    path = shared / "payloads" / "shopify" / "orders" / "order_1143_taxes_included.json"
    [line] = made(read(path)).lines
    assert (line.base, line.taxes[0].amount, line.taxes[0].rate) == (85, 17, D("0.2"))
    assert line.taxes[0].label == "PDV"


def test_two_discounts_on_one_line(shared: Path) -> None:
    path = shared / "payloads" / "shopify" / "orders" / "554a162_order_create_dis3_js.json"
    discounts = [line.discount for line in made(read(path)).lines]
    assert D("8.20") in discounts  # 3.20 of the order and 5.00 of the line


def fetched(shared: Path) -> dict[str, Any]:
    """One live order of 2026 with its ledger: returns, a refund of pieces and an exchange."""
    place = shared / "payloads" / "shopify" / "graphql-answers"
    order = json.loads((place / "orders.json").read_bytes())
    for name, key in (
        ("order_refunds", "refunds"),
        ("order_transactions", "transactions"),
        ("order_agreements", "agreements"),
    ):
        order[key] = json.loads((place / f"{name}.json").read_bytes())[key]
    order["updatedAt"] = "2026-08-21T00:00:00Z"  # redacted by who recorded it
    for refund in order["refunds"]:
        refund["transactions"] = [
            one
            for one in order["transactions"]
            if one["kind"] == "REFUND" and one["amountSet"] == refund["totalRefundedSet"]
        ]
        assert len(refund["transactions"]) == 1
    order["netPaymentSet"] = order["currentTotalPriceSet"]
    return {"shape": "graphql", "api_version": "2026-07", "order": order, "shop": {}}


def test_a_recorded_order_of_the_admin_api(shared: Path) -> None:
    sale = made(fetched(shared))
    assert sale.doubts == ()
    assert (sale.total, sale.due) == (D("1341615.95"), D("604214.45"))
    assert [one.total for one in sale.refunds] == [D("670365"), D("33518.25"), D("33518.25")]
    # The third moved 32,632.30 and goods for 885.95 in exchange.
    assert [one.amount for one in sale.payments] == [D(1340730)]
    assert len(sale.lines) == 11
    assert {line.quantity for line in sale.lines} == {200, 1}
    assert {one.quantity for one in sale.refunds[1].lines} == {5}


def test_a_recorded_order_that_lost_a_refund_is_a_doubt(shared: Path) -> None:
    document = fetched(shared)
    del document["order"]["refunds"][0]
    assert made(document).doubts
