"""Refunds as Shopify and Stripe tell them, one after the other, through the real steps."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

import cfdi
from connectors.reader import read_json
from connectors.shopify.orders import sale_of as shopify_sale
from connectors.stripe.orders import sale_of as stripe_sale
from hub.domain.sale import Sale
from hub.domain.states import State
from tests.connectors.shopify_model import ZERO_RATE, Basket
from tests.connectors.stripe_objects.render import credit_note, refund
from tests.connectors.stripe_objects.scenarios import BILLS
from tests.steps.test_credit_notes_of_shops import RULES, told

D = Decimal
KEY = "9001"
Step = Callable[[Basket], None]


def basket(*, mixed: bool = False) -> Basket:
    made = Basket()
    made.add("Bufanda", "349.00", 2)
    made.add("Libro", "120.10", rates=ZERO_RATE) if mixed else made.add("Gorro", "120.10")
    made.ship("99.00")
    made.discount("31.17")
    made.pay()
    return made


def pending(made: Basket) -> None:
    """The goods went, the money follows."""
    made.refund({9000: 1}, money="0.00", reason="PENDING_REFUND_DISCREPANCY")


def paid_back(made: Basket) -> None:
    owed = made.refunds[-1]["adjustment"]
    made.refund(money=owed, reason="PENDING_REFUND_DISCREPANCY")


#: What happened after the invoice, and how much each note gives back in the end. Two scarves cost
#: 698.00 less 26.59 of the discount: 671.41.
STORIES: dict[str, tuple[bool, list[Step], list[str]]] = {
    "a piece, then the other": (
        True,
        [lambda b: b.refund({9000: 1}), lambda b: b.refund({9000: 1})],
        ["335.71", "335.70"],
    ),
    "less than the piece cost": (True, [lambda b: b.refund({9000: 1}, money="300.00")], ["300.00"]),
    "shipping, then an amount": (
        False,
        [lambda b: b.refund(shipping="99.00"), lambda b: b.refund(money="10.01")],
        ["99.00", "10.01"],
    ),
    "goods first, money later": (False, [pending, paid_back], ["335.71"]),
    "pieces that were restocked alone": (
        False,
        [lambda b: b.refund({9000: 1}, money="0.00")],
        [],
    ),
}


def sold(made: Basket, world: Any, revision: int) -> Sale:
    sale = shopify_sale(read_json(json.dumps(made.graphql()).encode()), {})
    return dated(sale, world, revision)


def dated(sale: Sale, world: Any, revision: int) -> Sale:
    at = world.clock.now() - timedelta(hours=1)
    return replace(sale, key=KEY, placed_at=at, paid_at=at, test=False, revision=revision)


def in_force(world: Any, merchant: Any, sale_id: str) -> list[Decimal]:
    """What each note gives back; all of them valid and what SAT would take."""
    found = []
    for note in merchant.of(lambda tenant: tenant.credits.of_sale(sale_id)):
        row = merchant.of(lambda tenant, note=note: tenant.invoices.get(note.invoice_id))
        stamp = merchant.of(lambda tenant, note=note: tenant.invoices.stamp_of(note.invoice_id))
        assert row.state is State.STAMPED, row.findings
        assert cfdi.validate(stamp.xml) == ()
        found.append(cfdi.read(stamp.xml).comprobante.total)
    return found


def invoiced(world: Any, merchant: Any, sale: Sale) -> str:
    sale_id = told(world, merchant, sale)
    merchant.request(sale_id)
    world.quiet()
    assert merchant.state(sale_id) is State.STAMPED, merchant.invoice(sale_id).findings
    return sale_id


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", STORIES)
def test_what_a_shop_gives_back_is_credited_once_and_to_the_cent(name: str, world: Any) -> None:
    mixed, steps, amounts = STORIES[name]
    merchant, made = world.settle(rules=RULES), basket(mixed=mixed)
    sale_id = invoiced(world, merchant, sold(made, world, 1))
    for number, step in enumerate(steps):
        step(made)
        made.status = "partially_refunded" if made.returned else "paid"
        for again in range(2):
            told(world, merchant, sold(made, world, 2 + 2 * number + again))
            world.quiet()
    assert in_force(world, merchant, sale_id) == [D(one) for one in amounts]
    assert merchant.invoice(sale_id).total - sum(map(D, amounts)) == made.current
    assert merchant.of(lambda tenant: tenant.asks.list()) == []
    assert world.violations() == []


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("price", ["335.71", "200.00"])
def test_an_exchange_after_the_invoice_is_told_whatever_it_cost(price: str, world: Any) -> None:
    """No note says it: the goods of the invoice are others, even where the money is the same."""
    merchant, made = world.settle(rules=RULES), basket()
    sale_id = invoiced(world, merchant, sold(made, world, 1))
    made.exchange({9000: 1}, "Guantes", price)
    told(world, merchant, sold(made, world, 2))
    world.quiet()
    assert in_force(world, merchant, sale_id) == []
    assert [one.sale_id for one in merchant.of(lambda tenant: tenant.asks.list())] == [sale_id]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_refund_of_stripe_and_its_note_made_later_are_one(world: Any) -> None:
    """And a later note to the customer's balance is another."""
    merchant, bill = world.settle(rules=RULES), BILLS["on-top"]
    plain = stripe_sale(json.dumps(bill.bundle()).encode(), {})
    sale_id = invoiced(world, merchant, dated(plain, world, 1))
    back = replace(
        bill,
        paid=(replace(bill.paid[0], refunded=11600),),
        refunds=(refund("First", 11600, bill.paid[0].key),),
    )
    noted = replace(
        back, notes=(credit_note("A", bill, {"plan": 10000}, refunds={"First": 11600}),)
    )
    both = replace(noted, notes=(*noted.notes, credit_note("B", bill, {"seats": 9999})))
    for number, made in enumerate((back, noted, both)):
        sale = stripe_sale(json.dumps(made.bundle()).encode(), {})
        told(world, merchant, dated(sale, world, 2 + number))
        world.quiet()
    assert in_force(world, merchant, sale_id) == [D("116.00"), D("115.99")]
    assert merchant.of(lambda tenant: tenant.asks.list()) == []
    assert merchant.invoice(sale_id).total == plain.total
    assert world.violations() == []
