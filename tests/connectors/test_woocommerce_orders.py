"""Orders of WooCommerce as sales: captured ones, and what they could become."""

from __future__ import annotations

import copy
import html
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.contract import ConnectionFacts, Delivery, DeliveryUnreadable
from connectors.signing import hmac_sha256_base64
from connectors.woocommerce.connector import WooCommerce
from connectors.woocommerce.fees import shares
from connectors.woocommerce.lines import description
from hub.domain.sale import PaymentState, Sale

WOO = WooCommerce()
PAYLOADS = Path(__file__).parent / "payloads" / "woocommerce"
D = Decimal


def captured(prefix: str) -> Any:
    [path] = PAYLOADS.glob(f"{prefix}-*.body")
    return json.loads(path.read_bytes(), parse_float=str)


def fetched(name: str) -> bytes:
    return (PAYLOADS / "orders" / f"{name}.json").read_bytes()


def sale(order: Any, **settings: Any) -> Sale:
    raw = order if isinstance(order, bytes) else json.dumps(order).encode()
    return WOO.normalize(raw, ConnectionFacts("c", "https://tienda.example", settings))


@pytest.mark.parametrize(
    ("prefix", "state", "total"),
    [
        ("005", "pending", "748.14"),
        ("007", "paid", "748.14"),
        ("008", "pending", "864.79"),
        ("010", "paid", "864.79"),
        ("016", "paid", "748.14"),
        ("017", "refunded", "864.79"),
        ("032", "refunded", "514.82"),
        ("033", "paid", "0"),
        ("036", "paid", "428.68"),
        ("040", "pending", "33.33"),
        ("042", "pending", "33.33"),
        ("043", "paid", "33.33"),
    ],
)
def test_captured_states(prefix: str, state: str, total: str) -> None:
    made = sale(captured(prefix))
    assert (made.payment_state, made.total, made.doubts) == (PaymentState(state), D(total), ())
    assert made.unverified
    assert not made.test


def test_a_paid_order_in_full() -> None:
    made = sale(fetched("a-paid-dp6"))
    assert (made.key, made.number, made.currency, made.status) == ("18", "18", "MXN", "processing")
    assert made.placed_at == datetime(2026, 11, 20, 18, 0, 43, tzinfo=UTC)
    assert made.paid_at == datetime(2026, 11, 20, 18, 0, 44, tzinfo=UTC)
    assert made.revision == int(datetime(2026, 11, 20, 18, 0, 44, tzinfo=UTC).timestamp())
    assert not made.unverified
    assert sum(line.total for line in made.lines) == made.total == D("748.14")
    coffee, mug, shipping = made.lines
    assert (coffee.subtotal, coffee.discount, coffee.quantity) == (D("517.215517"), 0, 3)
    assert (coffee.sku, coffee.product) == ("CAF-1", "10")
    [iva] = coffee.taxes
    assert (iva.amount, iva.rate, iva.label, iva.ref) == (D("82.754483"), D("0.16"), "IVA", "1")
    assert mug.description == 'Taza ñ "Día"'
    assert (shipping.kind, shipping.base) == ("shipping", 99)
    [payment] = made.payments
    assert (payment.method, payment.amount, payment.forma_pago) == ("bacs", made.total, None)
    assert made.buyer.name == "Ana Núñez"
    assert (made.buyer.country, made.buyer.postal_code) == ("MX", "64000")


def test_zero_rate_ieps_and_no_tax_are_told_apart() -> None:
    book, drink, service, shipping = sale(fetched("c-ieps-zero-rate-exempt-dp6")).lines
    assert [(tax.rate, tax.amount) for tax in book.taxes] == [(0, 0)]
    ieps, iva = drink.taxes
    assert (ieps.label, ieps.rate) == ("IEPS", D("0.08"))
    assert (iva.label, iva.rate) == ("IVA", D("0.16"))
    assert service.taxes == shipping.taxes == ()
    assert drink.discount == D("29.932950")


def test_a_tax_put_on_top_is_the_rounded_one_that_was_charged() -> None:
    order = captured("043")
    order["prices_include_tax"] = False
    line = order["line_items"][0]
    line |= {"total": "10.030000", "subtotal": "10.030000", "total_tax": "1.600000"}
    line["taxes"] = [{"id": 1, "total": "1.604800", "subtotal": "1.604800"}]
    order["total"] = "11.630000"
    assert sale(order).lines[0].total == D("11.63")
    order["prices_include_tax"] = True
    assert sale(order).lines[0].total == D("11.6348")


@pytest.mark.parametrize("gap", ["0.01", "-0.01"])
def test_a_cent_of_rounding_is_no_doubt(gap: str) -> None:
    order = captured("007")
    order["total"] = str(D(order["total"]) + D(gap))
    assert sale(order).doubts == ()


@pytest.mark.parametrize("gap", ["0.05", "-0.05", "100", "-748.14"])
def test_money_outside_the_lines_is_doubted_and_not_adjusted(gap: str) -> None:
    order = captured("007")
    lines = sale(order).lines
    order["total"] = str(D(order["total"]) + D(gap))
    made = sale(order)
    assert len(made.doubts) == 1
    assert made.lines == lines
    assert made.total == D(order["total"])


def test_taxes_that_disagree_within_a_line_are_doubted() -> None:
    order = captured("043")
    order["line_items"][0]["total_tax"] = "5.00"
    assert "impuestos" in sale(order).doubts[0]


def test_a_negative_fee_becomes_discount_of_the_lines() -> None:
    made = sale(captured("036"))
    coffee, book = made.lines
    assert coffee.discount + book.discount == 20
    assert (coffee.taxes[0].amount, book.taxes[0].amount) == (D("26.27"), 0)
    assert sum(line.total for line in made.lines) == D("428.68")
    assert abs(coffee.base * D("0.16") - coffee.taxes[0].amount) < D("0.01")


@pytest.mark.parametrize(
    "taxes",
    [
        [],
        [{"id": 1, "total": "-3.20"}],
        [{"id": 9, "total": "-1.31"}],
        [{"id": 1, "total": "0.02"}],
    ],
)
def test_a_negative_fee_that_does_not_fit_is_doubted_and_kept(taxes: Any) -> None:
    order = captured("036")
    tax = sum(D(one["total"]) for one in taxes)
    order["fee_lines"][0] |= {"taxes": taxes, "total_tax": str(tax)}
    order["total"] = str(D("422.41") + D("27.58") - 20 + tax)
    made = sale(order)
    assert any("cargo negativo" in doubt for doubt in made.doubts)
    assert sum(line.total for line in made.lines) == made.total


def test_a_negative_fee_above_everything_is_doubted() -> None:
    order = captured("036")
    order["fee_lines"][0] |= {"total": "-500.00"}
    assert sale(order).doubts


def test_a_negative_fee_with_a_tax_that_no_line_has_is_doubted() -> None:
    order = captured("036")
    taxes = [{"id": 1, "total": "-1.30"}, {"id": 9, "total": "-0.01"}]
    order["fee_lines"][0] |= {"taxes": taxes, "total_tax": "-1.31"}
    made = sale(order)
    assert any("cargo negativo" in doubt for doubt in made.doubts)
    assert sum(line.total for line in made.lines) == made.total


def test_untaxed_lines_cannot_be_lowered_below_nothing() -> None:
    order = captured("036")
    del order["line_items"][0]
    order["fee_lines"][0] |= {"total": "-300.00", "taxes": [], "total_tax": "0.00"}
    made = sale(order)
    assert any("cargo negativo" in doubt for doubt in made.doubts)
    assert made.lines[0].base == 250


@settings(deadline=None)
@given(
    st.decimals("0.01", "100000", places=2),
    st.lists(st.decimals("0", "100000", places=6), min_size=1, max_size=30),
)
def test_shares_add_up_exactly(amount: Decimal, weights: list[Decimal]) -> None:
    parts = shares(amount, weights)
    whole = sum(weights)
    assert sum(parts) == (amount if whole else 0)
    for part, weight in zip(parts, weights, strict=True):
        assert not whole or abs(part - amount * weight / whole) <= D("0.00002")


def test_a_positive_fee_is_a_line() -> None:
    made = sale(captured("014"))
    assert {line.kind for line in made.lines} == {"product", "shipping", "fee"}


def test_refunds_by_line_name_their_line() -> None:
    made = sale(fetched("d-refunded-by-line"))
    [refund] = made.refunds
    assert (refund.total, refund.reason) == (D("33.33"), "una taza rota")
    assert refund.at == datetime(2026, 11, 20, 18, 0, 51, tzinfo=UTC)
    [line] = refund.lines
    assert (line.key, line.quantity, line.base, line.taxes) == ("19", 1, D("28.73"), (D("4.60"),))
    assert made.total == D("1403.83")
    assert made.due == D("1370.50")


@pytest.mark.parametrize(
    "name", ["a-refunded-amount-only", "b-refunded-whole", "m-refunded-by-hand"]
)
def test_refunds_of_an_amount_have_no_lines(name: str) -> None:
    [refund] = sale(fetched(name)).refunds
    assert refund.total > 0
    assert refund.lines == ()


def refunded(change: Callable[[Any], None]) -> Sale:
    document = json.loads(fetched("d-refunded-by-line"))
    change(document["refunds"][0])
    return sale(document)


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r.update(amount="50.00"),
        lambda r: r["line_items"][0].update(meta_data=[]),
        lambda r: r["line_items"][0]["meta_data"][0].update(value="999"),
        lambda r: r["line_items"][0]["taxes"][0].update(id=77),
        lambda r: r["line_items"][0].update(total="28.73"),
        lambda r: (r.update(amount="2805.33"), r["line_items"][0].update(total="-2800.73")),
    ],
)
def test_a_refund_whose_lines_are_not_sure_counts_by_its_amount(change: Any) -> None:
    [refund] = refunded(change).refunds
    assert refund.total in {D("33.33"), D("2805.33"), D(50)}
    assert refund.lines == ()


def test_a_delivered_refund_counts_before_it_could_be_fetched() -> None:
    made = sale(captured("015"))
    assert made.due == D("1370.50")


@pytest.mark.parametrize(
    ("status", "settings", "state", "doubted"),
    [
        ("shipped", {}, "unknown", True),
        ("shipped", {"extra_paid_statuses": ["wc-shipped"]}, "paid", False),
        ("shipped", {"extra_paid_statuses": ["shipped"]}, "paid", False),
        ("Processing", {}, "unknown", True),
        ("", {}, "unknown", True),
        ("refunded", {"extra_paid_statuses": ["refunded"]}, "refunded", False),
    ],
)
def test_words_nobody_knows_are_never_success(
    status: str, settings: Any, state: str, doubted: bool
) -> None:
    made = sale(captured("007") | {"status": status}, **settings)
    assert made.payment_state == state
    assert bool(made.doubts) == doubted


@pytest.mark.parametrize("status", ["cancelled", "trash"])
def test_what_was_kept_of_a_cancelled_order_waits_for_a_person(status: str) -> None:
    """The date of payment outlives cancelling; only a refund says that money went back."""
    kept = sale(captured("021") | {"status": status})
    assert (kept.payment_state, kept.due) == (PaymentState.PAID, D("199.99"))
    assert "199.99" in kept.doubts[0]
    in_part = {"refunds": [{"id": 9, "reason": "", "total": "-100.00"}]}
    rest = sale(captured("021") | {"status": status} | in_part)
    assert (rest.payment_state, rest.due) == (PaymentState.PAID, D("99.99"))
    assert "99.99" in rest.doubts[0]
    for back in (
        {"refunds": [{"id": 9, "reason": "", "total": "-199.99"}]},
        {"date_paid_gmt": None},
    ):
        gone = sale(captured("021") | {"status": status} | back)
        assert gone.payment_state is PaymentState.CANCELLED
        assert not gone.doubts


@pytest.mark.parametrize("status", ["processing", "completed"])
def test_without_a_date_of_payment_nothing_is_paid(status: str) -> None:
    assert (
        sale(captured("007") | {"status": status, "date_paid_gmt": None}).payment_state == "pending"
    )


@pytest.mark.parametrize(
    ("metas", "rfc", "regimen", "uso"),
    [
        (
            {"_wc_other/mitienda/rfc": "xaxx010101000", "_wc_other/mitienda/uso-cfdi": "g03"},
            "XAXX010101000",
            "",
            "G03",
        ),
        (
            {"_billing_rfc": " XAXX-010101-000 ", "billing_regimen": "626 - RESICO"},
            "XAXX010101000",
            "626",
            "",
        ),
        (
            {"billing_rfc": "XAXX010101000", "_billing_uso_cfdi": "G03 Gastos en general"},
            "XAXX010101000",
            "",
            "G03",
        ),
        ({"_cfdi_rfc": "XEXX010101000", "regimen_fiscal": "616"}, "XEXX010101000", "616", ""),
        (
            {
                "_billing_rfc_factura": "XAXX010101000",
                "_billing_regimen_fiscal_factura": "régimen simplificado de CONFIANZA",
                "_billing_uso_cfdi_factura": "Gastos en General",
            },
            "XAXX010101000",
            "626",
            "G03",
        ),
        (
            {
                "_wc_billing/tienda/RFC": "XAXX010101000",
                "_wc_billing/tienda/regimen-fiscal": "Resico",
                "_wc_billing/tienda/uso-de-cfdi": "sin efectos fiscales",
            },
            "XAXX010101000",
            "626",
            "S01",
        ),
        ({"_billing_rfc": "XAXX010101000", "regimen": "el de siempre"}, "XAXX010101000", "", ""),
        ({"rfc": "no tengo", "_billing_rfc": "XAXX010101000"}, "XAXX010101000", "", ""),
        ({"rfc": {"a": "XAXX010101000"}, "uso": 3, "_surface": "x"}, "", "", ""),
    ],
)
def test_fiscal_data_of_the_checkout(metas: Any, rfc: str, regimen: str, uso: str) -> None:
    order = captured("007")
    order["meta_data"] = [{"id": n, "key": k, "value": v} for n, (k, v) in enumerate(metas.items())]
    buyer = sale(order).buyer
    assert (buyer.rfc, buyer.regimen, buyer.uso) == (rfc, regimen, uso)


def test_the_captured_checkout_fields_are_read() -> None:
    buyer = sale(fetched("checkout-fields")).buyer
    assert (buyer.rfc, buyer.regimen) == ("XAXX010101000", "626")


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("Playera <b>Niño</b> &amp; Niña - Rojo", "Playera Niño & Niña - Rojo"),
        ("H<sub>2</sub>O", "H2O"),
        ("uno<br/>dos\n\ttres", "uno dos tres"),
        ("&lt;i&gt;x&lt;/i&gt;", "x"),
        ("menos <5 kg y > 3", "menos <5 kg y > 3"),
        ("x" * 2000, "x" * 1000),
        ("<img src=x onerror=alert(1)>", ""),
    ],
)
def test_names_lose_their_markup(name: str, clean: str) -> None:
    assert description(name) == clean


def test_a_name_that_is_all_markup_still_says_something() -> None:
    order = captured("043")
    order["line_items"][0]["name"] = "<img>"
    assert sale(order).lines[0].description == "Producto"


def test_fractions_deleted_products_and_raised_prices() -> None:
    order = captured("043")
    line = order["line_items"][0]
    line |= {"quantity": 0.375, "product_id": 0, "sku": None, "subtotal": "10.00"}
    [made] = sale(order).lines
    assert (made.quantity, made.product, made.sku) == (D("0.375"), "", "")
    assert (made.subtotal, made.discount, made.base) == (D("28.73"), 0, D("28.73"))


def test_a_number_of_its_own_is_not_the_key() -> None:
    made = sale(captured("007") | {"number": "A-0018"})
    assert (made.key, made.number) == ("18", "A-0018")


@pytest.mark.parametrize("missing", ["id", "status", "total", "currency", "date_created_gmt"])
def test_an_order_without_its_bones_is_unreadable(missing: str) -> None:
    order = captured("007")
    del order[missing]
    with pytest.raises(DeliveryUnreadable, match=missing):
        sale(order)


# Deliveries.


def delivery(prefix: str) -> Delivery:
    [path] = PAYLOADS.glob(f"{prefix}-*.body")
    told = json.loads(path.with_suffix(".headers.json").read_text("utf-8"))["headers"]
    headers = {name.lower(): value for name, value in told}
    return Delivery(headers, path.read_bytes(), datetime(2026, 11, 20, tzinfo=UTC))


def test_pings_are_greetings_and_nothing_else_is() -> None:
    ping = delivery("001")
    assert WOO.is_greeting(ping)
    for body in (
        b"",
        b"webhook_id=",
        b"webhook_id=x",
        b"webhook_id=1&x=2",
        b"webhook_id=" + b"1" * 99,
    ):
        assert not WOO.is_greeting(replace(ping, body=body))
    assert not WOO.is_greeting(
        replace(ping, headers={**ping.headers, "x-wc-webhook-signature": ""})
    )
    assert not WOO.is_greeting(delivery("005"))


def test_three_orders_with_one_delivery_id_are_three_facts() -> None:
    three = [delivery(prefix) for prefix in ("024", "026", "028")]
    assert len({one.headers["x-wc-webhook-delivery-id"] for one in three}) == 1
    assert len({notice.event_key for one in three if (notice := WOO.read(one))}) == 3


def test_the_same_bytes_again_are_the_same_fact() -> None:
    one = delivery("024")
    again = {**one.headers, "x-wc-webhook-delivery-id": "other", "x-wc-webhook-id": "9"}
    assert WOO.read(replace(one, headers=again)) == WOO.read(one)


def test_trashing_an_order_again_is_another_fact() -> None:
    first = delivery("018")
    later = {**first.headers, "x-wc-webhook-delivery-id": "another second"}
    before, again, after = (WOO.read(one) for one in (first, first, replace(first, headers=later)))
    assert before
    assert after
    assert before == again
    assert before.event_key != after.event_key


def test_a_deleted_order_is_gone_only_if_the_signed_body_says_so() -> None:
    notice = WOO.read(delivery("018"))
    assert notice
    assert (notice.event, notice.order_id, notice.gone) == ("order.deleted", "20", True)
    assert notice.snapshot is None
    replayed = delivery("007")
    forged = {**replayed.headers, "x-wc-webhook-topic": "order.deleted"}
    notice = WOO.read(replace(replayed, headers=forged))
    assert notice
    assert not notice.gone


@pytest.mark.parametrize(
    "topic", ["product.updated", "action.woocommerce_order_refunded", "", "order"]
)
def test_other_topics_are_of_no_use(topic: str) -> None:
    one = delivery("007")
    assert WOO.read(replace(one, headers={**one.headers, "x-wc-webhook-topic": topic})) is None


def test_drafts_of_the_checkout_are_of_no_use() -> None:
    draft = copy.copy(captured("007")) | {"status": "checkout-draft"}
    assert WOO.read(replace(delivery("007"), body=json.dumps(draft).encode())) is None


def test_restored_orders_are_news() -> None:
    one = delivery("007")
    notice = WOO.read(replace(one, headers={**one.headers, "x-wc-webhook-topic": "order.restored"}))
    assert notice
    assert not notice.gone
    assert notice.snapshot == one.body


@pytest.mark.parametrize("signer", [lambda secret: secret, html.unescape])
def test_a_secret_with_entities_is_accepted_as_typed_and_as_decoded(
    signer: Callable[[str], str], keys: Any
) -> None:
    secret, one = "a&amp;b&#039;c", delivery("007")
    signature = hmac_sha256_base64(one.body, signer(secret))
    signed = replace(one, headers={**one.headers, "x-wc-webhook-signature": signature})
    WOO.authenticate(signed, keys(webhook_secret=secret))
    WOO.authenticate(signed, keys(webhook_secret="new", webhook_secret_previous=secret))


def test_the_fields_of_our_own_plugin_are_taken_with_name_and_postal_code() -> None:
    ours = "_wc_other/autofactura/"
    typed = {"quiero": "1", "nombre": "ESCUELA KEMPER URGATE", "cp": "42501", "rfc": "EKU9003173C9"}
    metas = [{"id": n, "key": ours + k, "value": typed[k]} for n, k in enumerate(typed)]
    buyer = sale(captured("007") | {"meta_data": metas}).buyer
    assert (buyer.rfc, buyer.fiscal_name) == ("EKU9003173C9", "ESCUELA KEMPER URGATE")
    assert buyer.postal_code == "42501"


def test_a_name_that_others_use_for_something_else_is_not_taken() -> None:
    metas = [
        {"id": 1, "key": "_wc_other/mitienda/nombre", "value": "para regalo"},
        {"id": 2, "key": "_wc_other/mitienda/cp", "value": "42501"},
        {"id": 3, "key": "_wc_other/autofactura/cp", "value": "4250x"},
    ]
    order = captured("007")
    buyer, plain = sale(order | {"meta_data": metas}).buyer, sale(order | {"meta_data": []}).buyer
    assert buyer == plain


def test_the_postal_code_of_the_tax_domicile_goes_before_that_of_the_delivery() -> None:
    order = captured("007")
    order["meta_data"] = [{"id": 1, "key": "_billing_codigo_postal", "value": "42501"}]
    assert sale(order).buyer.postal_code == "42501"


def test_a_renewal_is_a_sale_of_its_own_whatever_it_copied() -> None:
    """Also what we noted at the order it renews: nothing here takes that for truth."""
    order = captured("007")
    plain = sale(order)
    order["meta_data"] += [
        {"id": 1, "key": "_subscription_renewal", "value": "17"},
        {"id": 2, "key": "_autofactura_estado", "value": "lista"},
        {"id": 3, "key": "_autofactura_uuid", "value": "5FB2822E-396D-4725-8521-CDC4BDD20CCF"},
        {"id": 4, "key": "_billing_rfc", "value": "XAXX010101000"},
    ]
    renewal = sale(order)
    assert renewal.buyer.rfc == "XAXX010101000"
    assert replace(renewal, buyer=plain.buyer) == plain
