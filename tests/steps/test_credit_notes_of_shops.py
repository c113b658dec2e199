"""Refunds as a shop of WooCommerce tells them, through the real steps to the sandbox and back."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import cfdi
from connectors.contract import ConnectionFacts
from connectors.woocommerce.connector import WooCommerce
from hub.domain.sale import PaymentState, Refund, Sale
from hub.domain.states import State
from hub.steps.credit import credit
from hub.steps.later import RunLater

ORDERS = Path(__file__).parents[1] / "connectors/payloads/woocommerce/orders"
RULES = (
    '[forma_pago]\ndefault = "03"\n[producto.default]\nimpuesto = "exento"\n'
    '[producto.envio]\nimpuesto = "exento"\n[producto.cargo]\nimpuesto = "exento"\n'
)
KEY = "9001"


def recorded() -> list[Path]:
    """Orders with money given back."""
    found = []
    for path in sorted(ORDERS.glob("*.json")):
        document = json.loads(path.read_bytes())
        if isinstance(document, dict) and document.get("refunds") and "order" in document:
            found.append(path)
    return found


def sale_of(path: Path, world: Any) -> Sale:
    raw = path.read_bytes()
    sale = WooCommerce().normalize(raw, ConnectionFacts("c", "https://tienda.example", {}))
    at = world.clock.now() - timedelta(hours=1)
    return replace(sale, key=KEY, placed_at=at, paid_at=at, test=False)


def told(world: Any, merchant: Any, sale: Sale) -> str:
    world.shop.put(sale)
    merchant.promise("ingest_order", f"{merchant.connection.id}/{KEY}", queue="ingest")
    world.drain("ingest")
    return str(merchant.sale_id(KEY))


def test_there_are_recorded_refunds() -> None:
    assert recorded()


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("path", recorded(), ids=lambda path: path.stem)
def test_a_recorded_refund_becomes_a_note_of_its_amount(path: Path, world: Any) -> None:
    merchant = world.settle(rules=RULES)
    after = sale_of(path, world)
    before = replace(after, refunds=(), revision=1, payment_state=PaymentState.PAID)
    sale_id = told(world, merchant, before)
    merchant.request(sale_id)
    world.quiet()
    assert merchant.state(sale_id) is State.STAMPED, merchant.invoice(sale_id).findings
    told(world, merchant, replace(after, revision=2))
    world.quiet()
    notes = merchant.of(lambda tenant: tenant.credits.of_sale(sale_id))
    assert {one.refund_key: one.total for one in notes} == {
        one.key: one.total for one in after.refunds
    }
    for one in notes:
        row = merchant.of(lambda tenant, one=one: tenant.invoices.get(one.invoice_id))
        stamp = merchant.of(lambda tenant, one=one: tenant.invoices.stamp_of(one.invoice_id))
        assert row.state is State.STAMPED, row.findings
        assert cfdi.validate(stamp.xml) == ()
        assert cfdi.read(stamp.xml).comprobante.total == one.total
    left = merchant.invoice(sale_id).total - sum((one.total for one in notes), Decimal(0))
    assert left == after.due


def invoiced(world: Any, merchant: Any, make_sale: Callable[..., Sale]) -> str:
    sale_id = told(world, merchant, make_sale(KEY))
    merchant.request(sale_id)
    world.quiet()
    return sale_id


def test_two_notes_sealed_at_once_take_no_more_than_there_is(
    world: Any, merchant: Any, make_sale: Callable[..., Sale]
) -> None:
    """Each is composed of what the other left: one of two that raced is composed anew."""
    sale_id = invoiced(world, merchant, make_sale)
    told(
        world,
        merchant,
        make_sale(
            KEY,
            revision=2,
            refunds=(Refund("a", Decimal("58.01")), Refund("b", Decimal("57.99"))),
            payment_state=PaymentState.REFUNDED,
        ),
    )
    ids = [one.invoice_id for one in merchant.of(lambda tenant: tenant.credits.of_sale(sale_id))]
    gate, late = threading.Barrier(2), list[str]()

    def seal(note_id: str) -> None:
        gate.wait()
        try:
            credit(world.ctx, merchant.id, note_id)
        except RunLater:
            late.append(note_id)

    threads = [threading.Thread(target=seal, args=(one,)) for one in ids]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(late) < 2
    world.quiet()
    states = [merchant.of(lambda tenant, i=i: tenant.invoices.get(i)).state for i in ids]
    assert states == [State.STAMPED, State.STAMPED]
    assert world.violations() == []


def test_nothing_is_done_while_the_payment_is_disputed(
    world: Any, merchant: Any, make_sale: Callable[..., Sale]
) -> None:
    sale_id = invoiced(world, merchant, make_sale)
    back = (Refund("a", Decimal("16.00")),)
    told(world, merchant, make_sale(KEY, revision=2, refunds=back, hold="disputed"))
    world.quiet()
    assert merchant.of(lambda tenant: tenant.credits.of_sale(sale_id)) == []
    assert merchant.of(lambda tenant: tenant.asks.list()) == []
    told(world, merchant, make_sale(KEY, revision=3, refunds=back))
    world.quiet()
    [note] = merchant.of(lambda tenant: tenant.credits.of_sale(sale_id))
    assert merchant.of(lambda tenant: tenant.invoices.get(note.invoice_id)).uuid
