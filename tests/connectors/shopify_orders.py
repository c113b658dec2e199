"""The orders of payloads/shopify/: one of each kind that the connector has to tell from others.

`python -m tests.connectors.shopify_orders` writes them anew: `orders/` as `fetch` returns them,
`rest/` as webhooks deliver them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.connectors.shopify_model import (
    EXEMPT,
    FRONTERA,
    GID,
    IEPS_IVA,
    ZERO_RATE,
    Basket,
    D,
    Line,
    written,
)

PLACE = Path(__file__).parent / "payloads" / "shopify"
MADE: dict[str, Callable[[], Basket]] = {}


def order(make: Callable[[Basket], None]) -> Callable[[Basket], None]:
    def made() -> Basket:
        basket = Basket(id=5001 + list(MADE).index(name))
        make(basket)
        return basket

    name = make.__name__.replace("_", "-")
    MADE[name] = made
    return make


@order
def prices_with_tax(b: Basket) -> None:
    b.add("Café de Chiapas 500 g - Molido", "249.00", 2, sku="CAF-500")
    b.add("Taza esmaltada", "189.90", sku="TAZ-1", product=7002)
    b.ship("99.00")
    b.pay()


@order
def prices_without_tax(b: Basket) -> None:
    b.included = False
    b.add("Escritorio", "3499.99", 1, sku="ESC")
    b.add("Tornillos", "1.33", 7)
    b.ship("150.00")
    b.pay()


@order
def a_tax_that_rounds_by_line(b: Basket) -> None:
    b.add("Dulce", "0.99", 3)
    b.add("Chicle", "1.00", 7)
    b.pay()


@order
def a_discount_over_all_lines(b: Basket) -> None:
    for price in ("94.00", "100.00", "100.00", "100.00"):
        b.add("Playera", price)
    b.discount("10.00")
    b.pay()


@order
def discounts_upon_discounts(b: Basket) -> None:
    b.add("Playera", "99.00").off.append(D("5.00"))
    b.add("Gorra", "149.50", 2)
    b.discount("58.80")
    b.ship("120.00", "30.00")
    b.pay()


@order
def a_discount_without_tax_in_prices(b: Basket) -> None:
    b.included = False
    b.add("Silla", "1299.00", 3)
    b.add("Mesa", "2199.00")
    b.discount("333.33")
    b.pay()


@order
def one_line_given_away(b: Basket) -> None:
    b.add("Libreta", "85.00", 2)
    b.add("Pluma de regalo", "35.00").off.append(D("35.00"))
    b.pay()


@order
def shipping_given_away(b: Basket) -> None:
    b.add("Libreta", "850.00")
    b.ship("99.00", "99.00")
    b.pay()


@order
def shipping_that_was_taken_out(b: Basket) -> None:
    b.add("Libreta", "850.00")
    b.ship("99.00", hidden=True)
    b.ship("45.00")
    b.pay()


@order
def the_border_at_eight_percent(b: Basket) -> None:
    b.add("Mezclilla", "799.00", 2, rates=FRONTERA)
    b.ship("99.00", rates=FRONTERA)
    b.pay()


@order
def zero_rate_and_exempt(b: Basket) -> None:
    b.add("Libro", "350.00", rates=EXEMPT)
    b.add("Medicina", "120.50", rates=ZERO_RATE)
    b.add("Estuche", "59.90")
    b.pay()


@order
def two_taxes_on_a_line(b: Basket) -> None:
    b.included = False
    b.add("Refresco artesanal", "25.00", 12, rates=(("IVA", D("0.16")), ("IVA Estado", D("0.08"))))
    b.pay()


@order
def two_taxes_within_the_price(b: Basket) -> None:
    b.add("Chocolate", "65.00", 4, rates=IEPS_IVA)
    b.pay()


@order
def a_tip_as_a_line(b: Basket) -> None:
    b.add("Comida", "420.00")
    b.add("Tip", "63.00", kind="tip", rates=EXEMPT, product=None)
    b.pay()


@order
def a_tip_without_a_line(b: Basket) -> None:
    b.add("Comida", "420.00")
    b.tip_outside = D("42.00")
    b.pay()


@order
def a_gift_card_sold_with_goods(b: Basket) -> None:
    b.add("Vela", "320.00")
    b.add("Tarjeta de regalo", "500.00", kind="gift_card", rates=EXEMPT)
    b.pay()


@order
def a_gift_card_alone(b: Basket) -> None:
    b.add("Tarjeta de regalo", "500.00", kind="gift_card", rates=EXEMPT)
    b.pay()


@order
def paid_by_gift_card_and_card(b: Basket) -> None:
    b.add("Chamarra", "1499.00")
    b.pay("500.00", "gift_card")
    b.pay()


@order
def duties_and_a_fee(b: Basket) -> None:
    b.included = False
    line = b.add("Reloj", "2500.00")
    line.duties.append(Line(4500, "", D("310.00"), rates=EXEMPT))
    b.fee("Manejo especial", "80.00")
    b.ship("200.00")
    b.pay()


@order
def at_the_counter_in_cash(b: Basket) -> None:
    b.head = {"sourceName": "pos"}
    b.add("Pan", "37.50", 3)
    b.place()
    b.pay("200.00", "cash")
    b.pay("87.50", "cash", kind="change", parent=8000)


@order
def rounded_down_in_cash(b: Basket) -> None:
    b.add("Pan", "33.34", 3)
    b.add("Leche", "28.45", rates=ZERO_RATE)
    b.rounding = D("-0.02")
    b.pay(gateway="cash", rounding=D("-0.02"))


@order
def rounded_up_in_cash(b: Basket) -> None:
    b.add("Pan", "33.33", 1)
    b.rounding = D("0.02")
    b.pay(gateway="cash", rounding=D("0.02"))


@order
def authorized_and_captured(b: Basket) -> None:
    b.add("Bocina", "899.00")
    b.place()
    b.pay(kind="authorization")
    b.pay("899.00", kind="capture", parent=8000)


@order
def authorized_alone(b: Basket) -> None:
    b.status = "authorized"
    b.add("Bocina", "899.00")
    b.pay(kind="authorization")


@order
def waiting_for_a_deposit(b: Basket) -> None:
    b.status = "pending"
    b.add("Bocina", "899.00")
    b.pay(gateway="Depósito bancario", status="pending")


@order
def a_payment_that_failed_first(b: Basket) -> None:
    b.add("Bocina", "899.00")
    b.pay(status="failure")
    b.pay()


@order
def on_credit_to_a_company(b: Basket) -> None:
    b.status = "pending"
    b.add("Caja de tornillos", "12.50", 400)
    b.place()
    terms(b, "NET", "2026-12-20T18:00:00Z")


@order
def on_credit_and_paid_in_part(b: Basket) -> None:
    b.status = "partially_paid"
    b.add("Caja de tornillos", "12.50", 400)
    b.pay("2000.00", "Transferencia")
    terms(b, "FIXED", "2027-01-15T18:00:00Z")


@order
def pieces_given_back(b: Basket) -> None:
    b.status = "partially_refunded"
    b.add("Calcetines", "79.99", 3)
    b.add("Bufanda", "349.00")
    b.discount("40.00")
    b.ship("99.00")
    b.pay()
    b.refund({9000: 2})


@order
def pieces_given_back_without_tax_in_prices(b: Basket) -> None:
    b.status = "partially_refunded"
    b.included = False
    b.add("Calcetines", "79.99", 3)
    b.ship("99.00")
    b.pay()
    b.refund({9000: 1}, shipping="57.42")


@order
def shipping_given_back(b: Basket) -> None:
    b.status = "partially_refunded"
    b.add("Bufanda", "349.00")
    b.ship("99.00")
    b.pay()
    b.refund(shipping="99.00")


@order
def an_amount_given_back(b: Basket) -> None:
    b.status = "partially_refunded"
    b.add("Bufanda", "349.00")
    b.add("Gorro", "199.00")
    b.pay()
    b.refund(money="50.00")


@order
def less_given_back_than_returned(b: Basket) -> None:
    b.status = "partially_refunded"
    b.add("Bufanda", "349.00")
    b.add("Gorro", "199.00")
    b.pay()
    b.refund({9000: 1}, money="300.00", reason="RESTOCK")


@order
def all_given_back(b: Basket) -> None:
    b.status = "refunded"
    b.add("Bufanda", "349.00")
    b.ship("99.00")
    b.pay()
    b.refund({9000: 1}, shipping="99.00")


@order
def given_back_to_a_gift_card(b: Basket) -> None:
    b.status = "partially_refunded"
    b.add("Bufanda", "349.00", 2)
    b.pay()
    b.refund({9000: 1}, gateway="gift_card")


@order
def a_tip_given_back(b: Basket) -> None:
    b.status = "partially_refunded"
    b.add("Comida", "420.00")
    b.add("Tip", "63.00", kind="tip", rates=EXEMPT, product=None)
    b.pay()
    b.refund({9001: 1})


@order
def restocked_without_money(b: Basket) -> None:
    b.add("Bufanda", "349.00")
    b.add("Gorro", "199.00")
    b.pay()
    b.refund({9000: 1}, money="0")


@order
def taken_out_before_it_was_paid(b: Basket) -> None:
    b.add("Bufanda", "349.00", 2)
    b.add("Gorro", "199.00")
    b.place()
    b.refund({9000: 1}, money="0", adjust=False)
    b.pay()


@order
def taken_out_and_paid_back_later(b: Basket) -> None:
    b.status = "partially_refunded"
    b.add("Bufanda", "349.00", 2)
    b.add("Gorro", "199.00")
    b.pay()
    b.refund({9000: 1}, money="0", reason="PENDING_REFUND_DISCREPANCY")
    b.refund(money="349.00", reason="PENDING_REFUND_DISCREPANCY")


@order
def taken_out_and_not_paid_back_yet(b: Basket) -> None:
    b.add("Bufanda", "349.00", 2)
    b.pay()
    b.refund({9000: 1}, money="0", adjust=False)


@order
def edited_and_paid_again(b: Basket) -> None:
    b.add("Bufanda", "349.00")
    b.pay()
    b.edit_in("Guantes", "129.00", quantity=2)
    b.pay()


@order
def edited_and_still_to_pay(b: Basket) -> None:
    b.status = "partially_paid"
    b.add("Bufanda", "349.00")
    b.pay()
    b.edit_in("Guantes", "129.00")


@order
def exchanged_for_less(b: Basket) -> None:
    b.status = "partially_refunded"
    b.add("Bufanda", "349.00", 2)
    b.pay()
    b.exchange({9000: 1}, "Guantes", "129.00")


@order
def exchanged_evenly(b: Basket) -> None:
    b.add("Bufanda roja", "349.00", 2)
    b.pay()
    b.exchange({9000: 1}, "Bufanda azul", "349.00")


@order
def cancelled_and_given_back(b: Basket) -> None:
    b.status = "refunded"
    b.add("Bufanda", "349.00")
    b.pay()
    b.refund({9000: 1})
    cancel(b)


@order
def cancelled_before_it_was_paid(b: Basket) -> None:
    b.status = "voided"
    b.add("Bufanda", "349.00")
    b.place()
    b.refund({9000: 1}, money="0", adjust=False)
    cancel(b)


@order
def a_test(b: Basket) -> None:
    b.add("Bufanda", "349.00")
    b.pay(gateway="bogus")
    b.head = {"test": True}


@order
def free(b: Basket) -> None:
    b.add("Muestra", "49.00").off.append(D("49.00"))
    b.place()


@order
def of_another_seller_of_record(b: Basket) -> None:
    b.add("Bufanda", "349.00")
    b.pay()
    b.head = {"merchantOfRecordApp": {"id": f"{GID}/OrderApp/99"}}
    b.rest_head = {"merchant_of_record_app_id": 99}


@order
def of_another_legal_entity(b: Basket) -> None:
    b.add("Bufanda", "349.00")
    b.pay()
    entity = {"id": f"{GID}/BusinessEntity/MTU0ODM4MDAxMA", "legalEntityId": "77002"}
    b.head = {"merchantBusinessEntity": entity | {"primary": False}}


@order
def with_taxes_still_estimated(b: Basket) -> None:
    b.add("Bufanda", "349.00")
    b.pay()
    b.head = {"estimatedTaxes": True}


@order
def in_dollars(b: Basket) -> None:
    b.currency, b.fx = "USD", D("17.2345")
    b.add("Sarape", "120.00", 2)
    b.ship("35.00")
    b.pay()


@order
def in_dollars_for_much_money(b: Basket) -> None:
    b.currency, b.fx = "USD", D("17.234512")
    b.add("Escultura", "480000.00")
    b.pay()


@order
def with_everything_a_buyer_told(b: Basket) -> None:
    b.add("Bufanda", "349.00")
    b.pay()
    address = {"name": "Xochilt Casas Chávez", "company": None, "zip": "36257"}
    attributes = [("RFC", "cacx-760510 1p8"), ("Régimen Fiscal", "612"), ("Uso CFDI", "G03")]
    b.head = {
        "email": "compras@ejemplo.mx",
        "phone": "+525512345678",
        "customer": {"id": f"{GID}/Customer/62001"},
        "billingAddress": {**address, "countryCodeV2": "MX"},
        "customAttributes": [{"key": name, "value": value} for name, value in attributes],
    }
    b.rest_head = {
        "customer": {"id": 62001},
        "billing_address": {**address, "country_code": "MX"},
    }


@order
def with_the_rfc_in_the_checkout(b: Basket) -> None:
    b.add("Bufanda", "349.00")
    b.pay()
    told = {
        "TAX_CREDENTIAL_MX": "EKU9003173C9",
        "TAX_CREDENTIAL_TYPE_MX": "601",
        "TAX_CREDENTIAL_USE_MX": "G01",
        "SHIPPING_CREDENTIAL_MX": "no es fiscal",
    }
    b.head = {
        "customAttributes": [{"key": "rfc", "value": "CACX7605101P8"}],
        "localizedFields": {"nodes": [{"key": k, "value": v} for k, v in told.items()]},
    }


@order
def shipping_taken_out_and_paid_back(b: Basket) -> None:
    b.status = "partially_refunded"
    b.add("Bufanda", "349.00")
    b.ship("99.00")
    b.pay()
    b.ship_no_more()
    b.refund(money="99.00", adjust=False)


@order
def returned_for_a_fee(b: Basket) -> None:
    b.status = "partially_refunded"
    b.add("Bufanda", "349.00")
    b.add("Gorro", "199.00")
    b.pay()
    b.return_for_a_fee({9000: 1}, "49.00")


def terms(b: Basket, kind: str, due: str) -> None:
    b.head = {
        "paymentTerms": {
            "id": f"{GID}/PaymentTerms/1",
            "paymentTermsType": kind,
            "paymentSchedules": {
                "nodes": [{"id": f"{GID}/PaymentSchedule/1", "dueAt": due, "completedAt": None}]
            },
        }
    }
    b.rest_head = {
        "payment_terms": {
            "payment_terms_type": kind.lower(),
            "payment_schedules": [{"due_at": due, "completed_at": None}],
        }
    }


def cancel(b: Basket) -> None:
    b.head = {"cancelledAt": "2026-11-21T10:00:00Z"}


def documents() -> dict[str, dict[str, Any]]:
    """Every file of the folder, by its path in it."""
    found = {}
    for name, make in MADE.items():
        found[f"orders/{name}.json"] = make().graphql()
        found[f"rest/{name}.json"] = make().rest()
    return found


if __name__ == "__main__":
    for path, document in documents().items():
        place = PLACE / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(written(document), encoding="utf-8")
