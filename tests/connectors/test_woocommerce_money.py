"""Random baskets by WooCommerce's own arithmetic, under every setting, become exact documents.

The simulator follows WC_Cart_Totals, WC_Tax and WC_Order_Item::set_taxes: stored with six decimals,
taxes rounded by line or at subtotal, half down where prices include tax and half up elsewhere.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

from cfdi import amounts
from cfdi.comprobante import Comprobante, Emisor, Receptor
from connectors.contract import ConnectionFacts
from connectors.woocommerce.connector import WooCommerce
from hub.domain.compose import NotComposable, compose, review
from hub.domain.rules import parse
from hub.domain.sale import Sale

D = Decimal
ZERO = Decimal(0)
WOO = WooCommerce()
PAYLOADS = Path(__file__).parent / "payloads" / "woocommerce"
EMISOR = Emisor("EKU9003173C9", "ESCUELA KEMPER URGATE", "601")
RECEPTOR = Receptor("CACX7605101P8", "XOCHILT CASAS CHAVEZ", "36257", "612", "G03")
RULES = parse(
    '[forma_pago]\ndefault = "03"\n[producto.default]\nimpuesto = "exento"\n'
    '[producto.envio]\nimpuesto = "exento"\n[producto.cargo]\nimpuesto = "exento"\n'
    '[moneda.USD]\ntipo_cambio = "17.2345"\n'
)
#: id → (percent, label, compound).
RATES: dict[int, tuple[Decimal, str, bool]] = {
    1: (D(16), "IVA", False),
    2: (D(8), "IEPS", False),
    3: (D(16), "IVA 16%", True),
    4: (D(0), "IVA 0%", False),
    5: (D(8), "IVA 8% frontera", False),
}
#: Tax classes: standard, IEPS with IVA upon it, zero rate, border, not taxed.
CLASSES = ((1,), (2, 3), (4,), (5,), ())


@dataclass(frozen=True)
class Store:
    """The settings of a shop: facts that decide how it rounds."""

    gross: bool
    at_subtotal: bool
    decimals: int = 2
    currency: str = "MXN"

    def tax(self, amount: Decimal) -> Decimal:
        """wc_round_tax_total."""
        mode = ROUND_HALF_DOWN if self.gross else ROUND_HALF_UP
        return amount.quantize(D(1).scaleb(-self.decimals), mode)

    def money(self, amount: Decimal) -> Decimal:
        return amount.quantize(D(1).scaleb(-self.decimals), ROUND_HALF_UP)

    def line_tax(self, taxes: dict[int, Decimal]) -> Decimal:
        """WC_Order_Item::set_taxes: what a line says its taxes are."""
        rounded = taxes.values() if self.at_subtotal else map(self.tax, taxes.values())
        return sum(rounded, D(0))


def six(amount: Decimal) -> Decimal:
    return amount.quantize(D("0.000001"), ROUND_HALF_UP)


def on_top(net: Decimal, rates: tuple[int, ...]) -> dict[int, Decimal]:
    """WC_Tax::calc_exclusive_tax: compound rates come upon the others."""
    taxes = {rate: six(net * RATES[rate][0] / 100) for rate in rates if not RATES[rate][2]}
    before = sum(taxes.values(), D(0))
    compound = {
        rate: six((net + before) * RATES[rate][0] / 100) for rate in rates if RATES[rate][2]
    }
    return taxes | compound


def within(price: Decimal, rates: tuple[int, ...]) -> dict[int, Decimal]:
    """WC_Tax::calc_inclusive_tax."""
    taxes, rest = {}, price
    for rate in rates:
        if RATES[rate][2]:
            taxes[rate] = six(rest - rest / (1 + RATES[rate][0] / 100))
            rest -= taxes[rate]
    plain = [rate for rate in rates if not RATES[rate][2]]
    whole = 1 + sum((RATES[rate][0] for rate in plain), D(0)) / 100
    return {rate: six(rest * RATES[rate][0] / 100 / whole) for rate in plain} | taxes


@dataclass
class Item:
    net: Decimal
    taxes: dict[int, Decimal]
    listed: Decimal = ZERO
    more: dict[str, Any] = field(default_factory=dict)


def item_of(store: Store, price: Decimal, less: Decimal, rates: tuple[int, ...]) -> Item:
    """A product line: `price` and the coupon's `less` are in the shop's own kind of prices."""
    if not store.gross:
        return Item(six(price - less), on_top(price - less, rates), six(price))
    taxes, before = within(price - less, rates), within(price, rates)
    net = six(price - less - sum(taxes.values(), D(0)))
    return Item(net, taxes, six(price - sum(before.values(), D(0))))


def basket(store: Store, rng: random.Random, *, fees: bool = True) -> dict[str, Any]:
    products = [_product(store, rng) for _ in range(rng.randint(1, 9))]
    shipping, charges = [], []
    if rng.random() < 0.5:
        net = store.money(D(rng.randint(1, 30000)) / 100)
        shipping.append(Item(net, on_top(net, rng.choice([(1,), ()]))))
    if fees and rng.random() < 0.3:
        net = store.money(D(rng.randint(1, 5000)) / 100)
        charges.append(Item(net, on_top(net, (1,))))
    if fees and rng.random() < 0.3:
        charges.append(_discount(store, rng, products))
    return _order(store, rng, products, shipping, charges)


def _product(store: Store, rng: random.Random) -> Item:
    cents = 10 ** min(store.decimals, 2)
    unit = D(rng.choice([rng.randint(1, 999), rng.randint(1000, 300000)])) / cents
    quantity = D(rng.choice([1, 1, 2, 3, 7, 12])) if rng.random() < 0.9 else D("0.375")
    price = store.money(unit * quantity) if quantity != quantity.to_integral() else unit * quantity
    less = D(0)
    if rng.random() < 0.4:
        share = D(rng.choice([5, 10, 15, 33, 50, 100])) / 100
        less = (price * share).quantize(D(1).scaleb(-store.decimals), ROUND_HALF_DOWN)
    made = item_of(store, price, less, rng.choice(CLASSES))
    made.more = {"quantity": float(quantity)}
    return made


def _discount(store: Store, rng: random.Random, products: list[Item]) -> Item:
    """WC_Order_Item_Fee::calculate_taxes of a negative fee: by what each class costs."""
    whole = sum((one.net for one in products), D(0))
    if whole < 1:
        return Item(D(0), {})
    net = store.money(whole * rng.randint(1, 30) / 100)
    taxes: dict[int, Decimal] = {}
    for one in products:
        for rate, amount in on_top(net * one.net / whole, tuple(one.taxes)).items():
            taxes[rate] = taxes.get(rate, D(0)) - amount
    return Item(-net, taxes)


def _order(
    store: Store,
    rng: random.Random,
    products: list[Item],
    shipping: list[Item],
    charges: list[Item],
) -> dict[str, Any]:
    everything = [*products, *shipping, *charges]
    by_rate: Counter[int] = Counter()
    for one in everything:
        for rate, amount in one.taxes.items():
            by_rate[rate] += amount if store.at_subtotal else store.tax(amount)  # type: ignore[assignment] # a Counter sums Decimals as well
    taxes = {rate: store.tax(D(amount)) for rate, amount in by_rate.items()}
    nets = (one.net if store.at_subtotal else store.money(one.net) for one in everything)
    total = store.money(sum(nets, D(0)) + sum(taxes.values(), D(0)))
    order: dict[str, Any] = json.loads((PAYLOADS / "orders" / "a-paid-dp6.json").read_bytes())
    order["order"] |= {
        "currency": store.currency,
        "prices_include_tax": store.gross,
        "total": f"{total:.6f}",
        "line_items": [_written(store, rng, n, one) for n, one in enumerate(products, 1)],
        "shipping_lines": [_written(store, rng, n, one) for n, one in enumerate(shipping, 50)],
        "fee_lines": [_written(store, rng, n, one) for n, one in enumerate(charges, 70)],
        "tax_lines": [
            {
                "rate_id": rate,
                "label": RATES[rate][1],
                "rate_percent": float(RATES[rate][0]),
                "compound": RATES[rate][2],
                "tax_total": f"{amount:.6f}",
            }
            for rate, amount in taxes.items()
        ],
        "coupon_lines": [],
        "refunds": [],
    }
    return order


def _written(store: Store, rng: random.Random, number: int, one: Item) -> dict[str, Any]:
    return {
        "id": number,
        "name": rng.choice(["Café &amp; té", "Taza <b>azul</b>", 'Libro "Día"']),
        "quantity": 1,
        "subtotal": f"{one.listed:.6f}",
        "total": f"{one.net:.6f}",
        "total_tax": f"{store.line_tax(one.taxes):.6f}",
        "taxes": [{"id": rate, "total": f"{tax:.6f}"} for rate, tax in one.taxes.items()],
        "sku": rng.choice([None, "", "A-1"]),
        "product_id": rng.choice([0, 12]),
        **one.more,
    }


def sale_of(order: dict[str, Any]) -> Sale:
    raw = json.dumps(order).encode()
    return WOO.normalize(raw, ConnectionFacts("c", "https://tienda.example", {}))


def codes(sale: Sale) -> list[str]:
    """Why a person has to look; with none, the document is made and judged."""
    found = review(sale, rules=RULES, emisor=EMISOR, lugar_expedicion="42501")
    if not found:
        exact(sale)
    return [one.code for one in found]


def exact(sale: Sale) -> None:
    made = made_of(sale)
    assert made.total == sale.due
    assert amounts.limits_hold(made) == ()


def made_of(sale: Sale) -> Comprobante:
    return compose(
        sale,
        rules=RULES,
        emisor=EMISOR,
        lugar_expedicion="42501",
        receptor=RECEPTOR,
        fecha=datetime(2026, 11, 20, 12),  # noqa: DTZ001 - Fecha is local and naive
        serie="F",
        folio="1",
    )


def many(store: Store, number: int = 120, **more: Any) -> Iterator[Sale]:
    rng = random.Random(f"{store}")
    for _ in range(number):
        yield sale_of(basket(store, rng, **more))


#: What WooCommerce shops run: two decimals, one or none, taxes rounded by line or at subtotal.
USUAL = {
    "prices with tax, by line": Store(True, False),
    "prices with tax, at subtotal": Store(True, True),
    "prices without tax, by line": Store(False, False),
    "prices without tax, at subtotal": Store(False, True),
    "prices with tax, dollars": Store(True, False, currency="USD"),
    "prices with tax, pesos": Store(True, False, 0),
    "prices without tax, pesos": Store(False, False, 0),
    "prices with tax, pesos, at subtotal": Store(True, True, 0),
    "prices without tax, pesos, at subtotal": Store(False, True, 0),
    "one decimal": Store(True, False, 1),
    "one decimal without tax": Store(False, False, 1),
}
#: What no currency of Mexico's shops can be paid in.
TOO_FINE = {
    "three decimals": Store(True, False, 3),
    "four decimals": Store(False, True, 4),
}


def told(store: Store, number: int = 120, **more: bool) -> Counter[str]:
    """How often each reason is given; baskets that cost nothing are left out."""
    return Counter(
        code for one in many(store, number, **more) if one.due > 0 for code in codes(one)
    )


@pytest.mark.parametrize("name", USUAL)
def test_what_shops_run_is_never_for_a_person(name: str) -> None:
    """Every basket that was charged for is a document of that very total."""
    assert told(USUAL[name], fees=False) == Counter()


@pytest.mark.parametrize("name", USUAL)
def test_fees_and_discounts_by_fees_hardly_ever_are(name: str) -> None:
    """A negative fee is spread over lines whose taxes were rounded before: few have no document."""
    found = told(USUAL[name], 200)
    assert set(found) <= {"no_exact_document", "sale_doubtful", "line_negative"}
    store = USUAL[name]
    if store.decimals < 2:
        assert found.total() <= 12
    else:
        assert found.total() <= (2 if store.gross or store.at_subtotal else 8)


@pytest.mark.parametrize("name", TOO_FINE)
def test_other_settings_have_a_document_or_a_reason(name: str) -> None:
    """Whatever a shop rounds to, nothing is made that is not exact (`codes` judges it)."""
    named = {"no_exact_document", "sale_doubtful", "line_negative", "total_too_fine"}
    assert set(told(TOO_FINE[name], 60)) <= named


def test_a_shop_of_cents_is_given_no_pesos_of_rounding() -> None:
    """One order of odd cents shows what the shop rounds to; a peso too many is then told."""
    store, rng = Store(True, False), random.Random(5)
    made = 0
    for _ in range(60):
        order = basket(store, rng, fees=False)
        if sale_of(order).rounds_to is None and sale_of(order).due > 1:
            order["order"]["total"] = f"{D(order['order']['total']) + 1:.6f}"
            assert codes(sale_of(order))
            made += 1
    assert made > 40


@pytest.mark.parametrize("rate", [0, 16])
@pytest.mark.parametrize("off", [-3, -1, 1, 3])
def test_whole_by_chance_is_no_pretext_for_a_peso(rate: int, off: int) -> None:
    """A shop of cents, whole prices: what a plug-in took or gave outside the lines is told."""
    order: dict[str, Any] = json.loads((PAYLOADS / "orders" / "a-paid-dp6.json").read_bytes())
    net, tax = D(100), D(rate)
    line = {
        "name": "Libro",
        "quantity": 1,
        "subtotal": f"{net:.6f}",
        "total": f"{net:.6f}",
        "total_tax": f"{tax:.6f}",
        "taxes": [{"id": 1, "total": f"{tax:.6f}"}],
        "product_id": 12,
    }
    told = {"rate_id": 1, "label": "IVA", "rate_percent": rate, "compound": False}
    order["order"] |= {
        "line_items": [line | {"id": number} for number in range(1, 8)],
        "shipping_lines": [],
        "fee_lines": [],
        "tax_lines": [told | {"tax_total": f"{7 * tax:.6f}", "shipping_tax_total": "0"}],
        "refunds": [],
        "total": f"{7 * (net + tax):.6f}",
    }
    assert sale_of(order).rounds_to == 1
    assert codes(sale_of(order)) == []
    order["order"]["total"] = f"{7 * (net + tax) + off:.6f}"
    assert "sale_doubtful" in codes(sale_of(order))
    # Nor is a long order one for some cents.
    order["order"]["total"] = f"{7 * (net + tax) + D(off) / 100:.6f}"
    assert "sale_doubtful" in codes(sale_of(order))


def test_the_guess_of_what_was_rounded_changes_no_amount() -> None:
    """It lets a document be made or not: whichever guess made it, it is the same one."""
    both = 0
    for one in many(Store(False, False, 0), fees=False):
        documents = []
        for unit in (None, D("0.1"), D(1)):
            try:
                documents.append(made_of(replace(one, rounds_to=unit)))
            except NotComposable:
                continue
        assert all(document == documents[0] for document in documents)
        both += len(documents) > 1
    assert both > 30


def test_what_rounding_cannot_explain_is_told_in_a_shop_of_pesos() -> None:
    rng, store = random.Random(6), Store(True, False, 0)
    for _ in range(60):
        order = basket(store, rng, fees=False)
        amounts = 1 + sum(1 + len(one.taxes) for one in sale_of(order).lines)
        order["order"]["total"] = f"{D(order['order']['total']) + amounts:.6f}"
        assert codes(sale_of(order))


@pytest.mark.parametrize(
    "path", sorted((PAYLOADS / "orders").glob("rounding-*.json")), ids=lambda path: path.stem
)
def test_captured_roundings(path: Path) -> None:
    made = WOO.normalize(path.read_bytes(), ConnectionFacts("c", "https://tienda.example", {}))
    found = codes(made)
    assert found == (["total_too_fine"] if "dec4" in path.stem else [])


def test_prices_that_hold_their_tax_in_a_shop_that_computes_none() -> None:
    """Only where the merchant says so: "mis precios ya incluyen IVA 16"."""
    store = Store(True, False)
    product = Item(D("599.97"), {}, D("599.97"))
    order = _order(store, random.Random(1), [product], [], [])
    made = sale_of(order)
    parties: dict[str, Any] = {"emisor": EMISOR, "lugar_expedicion": "42501"}
    silent = parse('[forma_pago]\ndefault = "03"\n')
    assert [one.code for one in review(made, rules=silent, **parties)] == ["tax_missing"]
    told_so = parse(
        '[forma_pago]\ndefault = "03"\n[producto.default]\nimpuesto = "incluye_iva_16"\n'
    )
    assert review(made, rules=told_so, **parties) == ()
