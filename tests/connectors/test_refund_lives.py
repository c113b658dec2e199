"""Random lives of invoiced sales: each refund gets one note, or a person is asked, to the cent.

What a shop or an account tells after each event goes through the same judgement as in the hub.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

import pytest

from cfdi.comprobante import Comprobante
from cfdi.documents import Expedicion, Factura
from hub.domain import compose, credit
from hub.domain.credit import judge, sells_the_same, totals_of
from hub.domain.placed import Basis
from hub.domain.reasons import NotComposable
from hub.domain.sale import Sale
from tests.connectors import test_shopify_money as shops
from tests.connectors import test_stripe_money as accounts
from tests.connectors.stripe_objects.render import Bill, credit_note, refund

D = Decimal
UUID = "AAAAAAAA-0000-4000-8000-AAAAAAAAAAAA"
EXPEDICION = Expedicion(shops.EMISOR, "42501", datetime(2026, 11, 21, 12), "NC", "1")  # noqa: DTZ001 - Fecha is local and naive
Life = Iterator[tuple[Sale, Decimal]]


@dataclass
class Books:
    """An invoice and its notes, kept as the hub keeps them."""

    ingreso: Comprobante
    basis: Basis
    noted: dict[str, Decimal] = field(default_factory=dict)
    notes: list[Comprobante] = field(default_factory=list)

    def hear(self, sale: Sale) -> str:
        """What comes of it: "" once invoice less notes is what is due, else who decides."""
        verdict = judge(sale, self.ingreso.total, sale.currency, self.basis, self.noted)
        assert verdict.gone == ()
        if verdict.objection is not None:
            return verdict.objection.code
        for one in verdict.due:
            if sale.doubts:
                return "doubts"
            try:
                note = credit.compose(
                    Factura(UUID, self.ingreso, tuple(self.notes)),
                    one,
                    sale,
                    accounted=frozenset(self.basis.refunds),
                    expedicion=EXPEDICION,
                    spread=False,
                )
            except NotComposable as error:
                return error.findings[0].code
            self.notes.append(note)
            self.noted[one.key] = one.total
        after = judge(sale, self.ingreso.total, sale.currency, self.basis, self.noted)
        assert after.agrees
        assert self.ingreso.total - sum(one.total for one in self.notes) == sale.due
        same = sells_the_same(self.ingreso.conceptos, sale, self.basis.refunds)
        return "" if same else "credit_goods"


def lived(lives: Iterator[Life], invoice: Callable[[Sale], Comprobante | None]) -> Counter[str]:
    """How many events ended how; a person ends a life."""
    found: Counter[str] = Counter()
    for life in lives:
        sale, _ = next(life)
        made = invoice(sale)
        if made is None:
            continue
        books = Books(made, Basis(sale.total, totals_of(sale)))
        for told, left in life:
            assert told.due == left
            word = books.hear(told)
            found[word or "settled"] += 1
            if word:
                break
    return found


def shop_life(seed: int, *, included: bool) -> Life:
    rng = random.Random(seed)
    basket = shops.cart(rng, included=included)
    if rng.random() < 0.3:
        shops.given_back(rng, basket)
    left = basket.current
    aside = sum((one.amount for one in shops.sold(basket).excluded), D(0))
    yield shops.sold(basket), left - aside
    for _ in range(3):
        shops.given_back(rng, basket)
        if basket.current - aside <= 0:
            return
        yield shops.sold(basket), basket.current - aside


def account_life(seed: int) -> Life:
    rng = random.Random(seed)
    bill = accounts.invoice(rng, prorations=rng.random() < 0.2)
    left = bill.total
    yield accounts.sale(bill.bundle()), D(left) / 100
    for number in range(4 if left > 0 else 0):
        bill, given = _reversed(rng, bill, left, f"N{number}")
        left -= given
        yield accounts.sale(bill.bundle()), D(left) / 100


def _reversed(rng: random.Random, bill: Bill, left: int, key: str) -> tuple[Bill, int]:
    """By a refund, a note to the balance, or a note that a refund pays wholly or in part."""
    paid, amount = bill.paid[0], rng.randint(0, max(left // 2, 0))
    some = [item for item in bill.items if item.amount > 1]
    if rng.random() < 0.6 and some:
        item = rng.choice(some)
        note = credit_note(key, bill, {item.key: rng.randint(1, max(item.after // 3, 1))})
        if 0 < note["total"] <= left:
            amount = rng.choice([0, note["total"], rng.randint(1, note["total"])])
            given = {key: amount} if amount else {}
            told = note | {
                "refunds": [{"amount_refunded": n, "refund": f"re_{k}"} for k, n in given.items()]
            }
            bill = replace(bill, notes=(*bill.notes, told))
            return _refunded(bill, key, amount), note["total"]
    return _refunded(replace(bill, paid=(paid,)), key, amount), amount


def _refunded(bill: Bill, key: str, amount: int) -> Bill:
    if not amount:
        return bill
    [paid] = bill.paid
    back = replace(paid, refunded=paid.refunded + amount)
    return replace(bill, paid=(back,), refunds=(*bill.refunds, refund(key, amount, paid.key)))


def shop_invoice(sale: Sale) -> Comprobante | None:
    found = compose.review(sale, rules=shops.RULES, emisor=shops.EMISOR, lugar_expedicion="42501")
    return None if found or sale.due <= 0 else shops.document(sale)


def account_invoice(sale: Sale) -> Comprobante | None:
    return None if sale.due <= 0 or accounts.reasons(sale) else accounts.composed(sale)


@pytest.mark.parametrize("included", [True, False])
def test_lives_of_orders(included: bool) -> None:
    found = lived((shop_life(seed, included=included) for seed in range(60)), shop_invoice)
    assert set(found) <= {"settled", "credit_unclear", "credit_indivisible", "credit_more"}
    assert found["settled"] > 60, found
    assert found.total() - found["settled"] < found.total() / 4, found


def test_lives_of_bills() -> None:
    found = lived((account_life(seed) for seed in range(100)), account_invoice)
    assert set(found) <= {"settled", "credit_unclear", "credit_indivisible"}
    assert found["settled"] > 150, found
    assert found.total() - found["settled"] < found.total() / 4, found
