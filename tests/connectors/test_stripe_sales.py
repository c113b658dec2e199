"""Sales of Stripe's objects: figures worked out by hand, the same in every version's shape."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.contract import DeliveryUnreadable
from connectors.stripe.orders import sale_of
from hub.domain.policy import Kind, standing
from hub.domain.rules import Rules
from hub.domain.sale import Excluded, Payment, PaymentState, Sale, SaleLine, SaleTax
from tests.connectors.stripe_objects.render import (
    BORDER,
    CARD,
    DEBIT,
    NEWEST,
    ON_TOP,
    T0,
    VERSIONS,
    Bill,
    Intent,
    Item,
    Paid,
    Rate,
    is_basil,
)
from tests.connectors.stripe_objects.scenarios import (
    AFTER,
    BILLS,
    BOOK,
    INTENTS,
    PLAN,
    WITHIN_PLAN,
)
from tests.connectors.stripe_objects.writing import FOLDER, files

ZONE = ZoneInfo("America/Mexico_City")
#: What Stripe came to do in the course of the years.
SINCE = {"overpaid": "2025-03-31", "grant": "2024-06-20"}


def sale(document: Any, account: str = "", **settings: Any) -> Sale:
    return sale_of(json.dumps(document).encode(), settings, account)


def bill(name: str) -> Bill:
    return (BILLS | AFTER)[name]


def of(made: Bill | Intent, version: str = NEWEST, **settings: Any) -> Sale:
    return sale(made.bundle(version), **settings)


def amounts(line: SaleLine) -> tuple[Decimal, Decimal, list[tuple[Decimal, Decimal | None]]]:
    return line.subtotal, line.discount, [(tax.amount, tax.rate) for tax in line.taxes]


def told_in(bills: dict[str, Bill]) -> list[tuple[str, str]]:
    return [
        (name, version) for name in bills for version in VERSIONS if version >= SINCE.get(name, "")
    ]


def test_the_committed_payloads_are_those_that_are_made() -> None:
    made = files()
    there = {
        str(path.relative_to(FOLDER)): path.read_bytes()
        for path in FOLDER.rglob("*")
        if path.is_file() and path.name not in {"credentials.json", "SOURCES.md"}
    }
    assert set(there) == set(made)
    assert [name for name, content in made.items() if there[name] != content] == []
    assert len(made) >= 40


@pytest.mark.parametrize(("name", "version"), told_in(BILLS | AFTER))
def test_every_version_tells_of_the_same_sale(name: str, version: str) -> None:
    assert of(bill(name), version) == of(bill(name), NEWEST)


def known_to_an_event(one: Sale) -> Sale:
    """Without what an event says nothing of: charges, refunds, disputes and rates by name."""
    lines = tuple(
        replace(line, taxes=tuple(replace(tax, label="") for tax in line.taxes))
        for line in one.lines
    )
    return replace(
        one, lines=lines, payments=(), claims=(), refunds=(), hold="", revision=0, unverified=True
    )


@pytest.mark.parametrize(
    ("name", "version"),
    told_in({name: one for name, one in BILLS.items() if name != "four-treatments"}),
)
def test_a_delivered_invoice_is_the_same_sale_but_for_what_it_cannot_say(
    name: str, version: str
) -> None:
    told = sale(bill(name).event(version))
    assert told.unverified
    assert known_to_an_event(told) == known_to_an_event(of(bill(name)))
    assert told.revision <= of(bill(name)).revision


@pytest.mark.parametrize("version", VERSIONS)
def test_without_its_rate_an_exempt_line_is_one_without_taxes(version: str) -> None:
    """The newer shapes have neither percentage nor name of a rate: nobody guesses "exempt"."""
    lines = {line.key: line for line in sale(bill("four-treatments").event(version)).lines}
    course = lines["il_course"].taxes
    assert [tax.factor for tax in course] == ([] if is_basil(version) else ["Exento"])
    assert [tax.rate for tax in lines["il_book"].taxes] == [0]


def test_tax_on_top() -> None:
    made = of(bill("on-top"))
    assert made.total == Decimal("926.81")
    assert [amounts(line) for line in made.lines] == [
        (Decimal("499.00"), Decimal(0), [(Decimal("79.84"), Decimal("0.16"))]),
        (Decimal("299.97"), Decimal(0), [(Decimal("48.00"), Decimal("0.16"))]),
    ]
    assert made.lines[1] == SaleLine(
        key="il_seats",
        description="3 × Usuario adicional",
        quantity=Decimal(3),
        subtotal=Decimal("299.97"),
        discount=Decimal("0.00"),
        taxes=(SaleTax(Decimal("48.00"), Decimal("0.16"), "IVA", ON_TOP.id),),
        product="prod_MadeSeat",
    )
    assert made.doubts == ()


def test_a_price_that_holds_its_tax() -> None:
    """500.00 with IVA: 431.03 and 68.97, as Stripe rounds it."""
    made = of(bill("within"))
    assert made.total == Decimal("500.00")
    assert [amounts(line) for line in made.lines] == [
        (Decimal("431.03"), Decimal(0), [(Decimal("68.97"), Decimal("0.16"))])
    ]


def test_coupons_upon_prices_that_hold_their_tax_held_some_of_it() -> None:
    """500.00 less 50.00 less 45.00 is 405.00: 349.14 and 55.86; listed at 500 × 349.14 ÷ 405."""
    made = of(bill("coupons-within"))
    subtotal, discount, taxes = amounts(made.lines[0])
    assert subtotal == Decimal("431.037037")
    assert subtotal - discount == Decimal("349.14")
    assert taxes == [(Decimal("55.86"), Decimal("0.16"))]
    assert made.total == Decimal("705.00")


def test_coupons_of_the_line_and_of_the_invoice_come_off_the_price() -> None:
    made = of(bill("coupons-on-top"))
    assert amounts(made.lines[0]) == (
        Decimal("499.00"),
        Decimal("94.81"),
        [(Decimal("64.67"), Decimal("0.16"))],
    )


def test_a_credit_grant_is_a_discount_before_tax() -> None:
    made = of(bill("grant"))
    assert amounts(made.lines[0]) == (
        Decimal("499.00"),
        Decimal("100.00"),
        [(Decimal("63.84"), Decimal("0.16"))],
    )


def test_a_line_given_away_stays_with_its_price() -> None:
    free = of(bill("whole-line-free")).lines[1]
    assert (free.subtotal, free.discount, free.total) == (
        Decimal("299.97"),
        Decimal("299.97"),
        Decimal(0),
    )


def test_what_was_not_used_comes_off_lines_of_the_same_tax() -> None:
    """173.62 with tax off 347.22 and 578.84, in proportion to them: nothing else pays for it."""
    made = of(bill("proration"))
    assert [line.key for line in made.lines] == ["il_rest", "il_plan"]
    assert sum(line.total for line in made.lines) == made.total == Decimal("752.44")
    assert [round(line.total, 2) for line in made.lines] == [Decimal("282.12"), Decimal("470.32")]
    assert all(line.discount > 0 for line in made.lines)


def test_a_negative_line_of_another_tax_is_for_a_person() -> None:
    odd = Bill("Odd", (PLAN, Item("unused", "Unused", -5000, BORDER)), (Paid("Odd", 52484),))
    made = of(odd)
    assert [line.key for line in made.lines] == ["il_plan", "il_unused"]
    assert sum(line.total for line in made.lines) == made.total
    assert made.doubts == (
        "Un renglón negativo no cabe en los renglones con sus mismos impuestos.",
    )


def test_a_negative_line_larger_than_its_kind_is_for_a_person() -> None:
    odd = Bill("Odd", (BOOK, PLAN, Item("unused", "Unused", -50000, ON_TOP)), (Paid("O", 24884),))
    assert len(of(odd).doubts) == 1
    assert sum(line.total for line in of(odd).lines) == of(odd).total


def test_a_negative_line_may_take_all_of_another() -> None:
    even = Bill("Even", (BOOK, PLAN, Item("unused", "Unused", -49900, ON_TOP)), (Paid("E", 25000),))
    made = of(even)
    assert made.doubts == ()
    assert [line.total for line in made.lines] == [Decimal("250.00"), Decimal(0)]


def test_shipping_is_a_line() -> None:
    line = of(bill("shipping")).lines[1]
    assert (line.kind, line.product) == ("shipping", "shr_MadeOne")
    assert amounts(line) == (Decimal("99.00"), Decimal(0), [(Decimal("15.84"), Decimal("0.16"))])


def test_who_bought() -> None:
    made = of(bill("on-top"))
    assert made.buyer.key == "cus_MadeOne"
    assert (made.buyer.rfc, made.buyer.postal_code) == ("CACX7605101P8", "36257")
    assert made.buyer.fiscal_name == made.buyer.name == "XOCHILT CASAS CHAVEZ"


def test_key_number_and_times() -> None:
    made = of(bill("on-top"))
    assert (made.key, made.number) == ("in_MadeOnTop", "ADEONTOP-0001")
    assert made.placed_at == datetime.fromtimestamp(T0, UTC)
    assert made.paid_at == datetime.fromtimestamp(T0 + 61, UTC)
    assert made.claims == ("in_MadeOnTop", "pi_MadeOnTop", "ch_MadeOnTop")
    assert made.test


def test_a_draft_has_no_number_yet() -> None:
    assert of(replace(bill("draft"), more={"number": None})).number == "in_MadeDraft"


@pytest.mark.parametrize(
    ("name", "method", "forma"),
    [
        ("on-top", "card_credit", "04"),
        ("within", "card_debit", "28"),
        ("oxxo", "oxxo", "01"),
        ("spei", "customer_balance", "03"),
    ],
)
def test_how_it_was_paid(name: str, method: str, forma: str) -> None:
    made = of(bill(name))
    (paid,) = made.payments
    assert (paid.method, paid.forma_pago, paid.amount) == (method, forma, made.total)
    assert paid.key == f"pi_{bill(name).key}"
    assert paid.at == datetime.fromtimestamp(T0 + 60, UTC)
    assert of(bill(name), forma_pago={method: "31"}).payments[0].forma_pago == "31"


@pytest.mark.parametrize(
    ("details", "method", "forma"),
    [
        ({"type": "card", "card": {"brand": "visa", "funding": "prepaid"}}, "card_prepaid", "28"),
        ({"type": "card", "card": {"brand": "visa", "funding": "unknown"}}, "card", None),
        ({"type": "card", "card": {"brand": "visa", "funding": None}}, "card", None),
        ({"type": "card", "card": None}, "card", None),
        ({"type": "card_present", "card_present": {"funding": "debit"}}, "card_debit", "28"),
        ({"type": "link", "link": {}}, "link", None),
        ({"type": "klarna", "klarna": {}}, "klarna", "31"),
        ({"type": "us_bank_account"}, "us_bank_account", "03"),
        ({"type": "something_new"}, "something_new", None),
        (None, "", None),
    ],
)
def test_a_form_of_payment_is_never_guessed(details: Any, method: str, forma: str | None) -> None:
    made = Bill("How", (PLAN,), (Paid("How", 57884, details),))
    (paid,) = of(made).payments
    assert (paid.method, paid.forma_pago) == (method, forma)


def test_months_without_interest_are_a_credit_card() -> None:
    plan = {"plan": {"count": 6, "interval": "month", "type": "fixed_count"}}
    details = {**CARD, "card": {**CARD["card"], "installments": plan}}
    assert of(Bill("Msi", (PLAN,), (Paid("Msi", 57884, details),))).payments[0].forma_pago == "04"


def test_several_payments_of_one_invoice_are_told_one_by_one() -> None:
    parts = (Paid("One", 20000, at=T0), Paid("Two", 37884, at=T0 + 50))
    made = of(Bill("Parts", (PLAN,), parts))
    assert [(one.key, one.amount) for one in made.payments] == [
        ("pi_One", Decimal("200.00")),
        ("pi_Two", Decimal("378.84")),
    ]
    assert {"pi_One", "ch_One", "pi_Two", "ch_Two"} < set(made.claims)
    assert made.doubts == ()


def test_money_that_came_outside_of_stripe() -> None:
    made = of(bill("outside"))
    assert made.payments == (Payment("out_of_band", Decimal("578.84")),)
    assert of(bill("outside"), forma_pago={"out_of_band": "02"}).payments[0].forma_pago == "02"
    assert made.payment_state is PaymentState.PAID
    assert made.doubts == ()


def test_money_that_came_partly_outside_of_stripe() -> None:
    """The larger part says how the invoice was paid."""
    made = of(Bill("Mixed", (PLAN,), (Paid("Mixed", 20000),), outside=37884))
    assert [(one.method, one.amount) for one in made.payments] == [
        ("card_credit", Decimal("200.00")),
        ("out_of_band", Decimal("378.84")),
    ]
    assert made.doubts == ()


def test_paid_by_nothing_that_stripe_knows_it_was_paid_outside() -> None:
    made = of(Bill("Nothing", (PLAN,), more={"amount_paid": 57884, "amount_paid_off_stripe": 0}))
    assert made.payments == (Payment("out_of_band", Decimal("578.84")),)


def test_each_old_charge_says_how_its_part_was_paid() -> None:
    """Charges without a PaymentIntent, of which one bill may have several."""
    paid = (Paid("Old1", 20000), Paid("Old2", 37884, DEBIT))
    document = Bill("Olds", (PLAN,), paid).bundle()
    for charge, payment in zip(document["charges"], document["invoice_payments"], strict=True):
        charge["payment_intent"] = None
        payment["payment"] = {"type": "charge", "charge": charge["id"]}
    assert [(one.method, one.key) for one in sale(document).payments] == [
        ("card_credit", "ch_Old1"),
        ("card_debit", "ch_Old2"),
    ]


def test_a_payment_record_says_what_it_was() -> None:
    record = {
        "id": "pr_MadeOne",
        "object": "payment_record",
        "payment_method_details": {"type": "custom", "custom": {"display_name": "Efectivo"}},
    }
    made = of(replace(bill("outside"), records=(record,)))
    (paid,) = made.payments
    assert (paid.method, paid.label, paid.key) == ("out_of_band", "Efectivo", "pr_MadeOne")
    assert paid.amount == Decimal("578.84")
    assert "pr_MadeOne" in made.claims


def test_paid_too_much_is_never_invoiced() -> None:
    made = of(bill("overpaid"))
    assert made.total == made.due == Decimal("578.84")
    assert made.payments[0].amount == Decimal("578.84")
    assert made.doubts == ()


def test_paid_with_less_than_was_due_is_for_a_person() -> None:
    assert len(of(Bill("Less", (PLAN,), (Paid("Less", 50000),))).doubts) == 1


@pytest.mark.parametrize("name", ["free", "downgrade"])
def test_what_costs_nothing_is_no_sale_to_invoice(name: str) -> None:
    made = of(bill(name))
    assert (made.total, made.lines, made.doubts) == (0, (), ())
    now = datetime.fromtimestamp(T0 + 100, UTC)
    assert standing(made, rules=Rules(), zone=ZONE, now=now).kind is Kind.FREE


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("draft", PaymentState.PENDING),
        ("open", PaymentState.PENDING),
        ("uncollectible", PaymentState.PENDING),
        ("void", PaymentState.CANCELLED),
        ("paid", PaymentState.PAID),
        ("something_new", PaymentState.UNKNOWN),
    ],
)
def test_states_of_an_invoice(status: str, state: PaymentState) -> None:
    known = bill("on-top")
    made = of(known if status == "paid" else replace(known, status=status, paid=()))
    assert made.payment_state is state
    assert (made.paid_at is not None) is (status == "paid")
    assert bool(made.doubts) is (status == "something_new")


def test_a_customers_balance_is_for_a_person_unless_the_merchant_said_how() -> None:
    made = of(bill("balance"))
    assert made.total == Decimal("578.84")
    assert len(made.doubts) == 1
    said = of(bill("balance"), customer_balance="30")
    assert said.doubts == ()
    assert said.payments[1] == Payment(
        "customer_balance_credit", Decimal("100.00"), forma_pago="30"
    )
    assert of(bill("balance"), customer_balance="whatever").doubts == made.doubts


def test_too_little_to_charge_is_carried_over_for_a_person() -> None:
    small = Bill("Small", (Item("one", "Uno", 500, ON_TOP),), ending_balance=580)
    assert small.due == 0
    assert len(of(small).doubts) == 1
    assert of(small).total == Decimal("5.80")


@pytest.mark.parametrize("choice", ["", "review", "nonsense"])
def test_a_line_without_tax_is_left_to_the_rules(choice: str) -> None:
    (line,) = of(bill("untaxed"), untaxed_lines=choice).lines
    assert (line.taxes, line.objeto_imp, line.total) == ((), None, Decimal("499.00"))


def test_a_line_without_tax_may_hold_it() -> None:
    (line,) = of(bill("untaxed"), untaxed_lines="include_16").lines
    assert line.total == Decimal("499.00")
    assert amounts(line) == (
        Decimal("430.172414"),
        Decimal(0),
        [(Decimal("68.827586"), Decimal("0.16"))],
    )
    (line,) = of(bill("untaxed"), untaxed_lines="objeto_01").lines
    assert (line.taxes, line.objeto_imp) == ((), "01")


def test_a_taxed_line_is_no_untaxed_one() -> None:
    assert of(bill("on-top"), untaxed_lines="include_16") == of(bill("on-top"))


def test_a_discount_upon_an_untaxed_line_that_holds_tax() -> None:
    cheaper = Bill("C", (replace(PLAN, rate=None, discounts=(9900,)),), (Paid("C", 40000),))
    (line,) = of(cheaper, untaxed_lines="include_16").lines
    assert line.total == Decimal("400.00")
    assert (line.subtotal, line.base) == (Decimal("430.172414"), Decimal("344.827586"))


def test_what_a_merchant_wrote_at_the_product() -> None:
    product = {
        "id": "prod_MadePlan",
        "object": "product",
        "metadata": {
            "Clave_Prod_Serv": "81112101",
            "CLAVE-UNIDAD": "E48",
            "objetoImp": "02",
            "sku": "PLAN-PRO",
            "categoria": "software",
            "other": "x",
        },
    }
    (line,) = of(Bill("P", (PLAN,), (Paid("P", 57884),), products=(product,))).lines
    assert (line.clave_prod_serv, line.clave_unidad, line.objeto_imp) == ("81112101", "E48", "02")
    assert (line.sku, line.category, line.product) == ("PLAN-PRO", "software", "prod_MadePlan")


def test_a_product_that_says_it_is_not_subject_is_not_given_tax() -> None:
    product = {"id": "prod_MadePlan", "metadata": {"objeto_imp": "01"}}
    made = Bill("P", (replace(PLAN, rate=None),), (Paid("P", 49900),), products=(product,))
    (line,) = of(made, untaxed_lines="include_16").lines
    assert (line.taxes, line.objeto_imp) == ((), "01")


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        ("2.5", Decimal("2.5")),
        ("0", Decimal(1)),
        ("0.0000001", Decimal(1)),
        ("1.23456789", Decimal("1.234568")),
    ],
)
def test_a_quantity_in_decimals(quantity: str, expected: Decimal) -> None:
    document = bill("on-top").bundle()
    document["lines"][0] |= {"quantity": 0, "quantity_decimal": quantity}
    assert sale(document).lines[0].quantity == expected


TAXES = [
    (Rate("t", "IVA", 16, False), ("IVA", Decimal("0.16"), "Tasa", None)),
    (Rate("t", "IVA 16%", 16, False), ("IVA 16%", Decimal("0.16"), "Tasa", None)),
    (Rate("t", "VAT", 16, False), ("VAT (IVA)", Decimal("0.16"), "Tasa", None)),
    (Rate("t", "IEPS", 8, False, None), ("IEPS", Decimal("0.08"), "Tasa", None)),
    (Rate("t", "Impuesto", 16, False, None), ("Impuesto", Decimal("0.16"), "Tasa", None)),
    (Rate("t", "VAT", 19, False, country="DE"), ("VAT", Decimal("0.19"), "Tasa", None)),
    (Rate("t", "IVA", 0, False, reason="zero_rated"), ("IVA", Decimal(0), "Tasa", None)),
    (Rate("t", "IVA Exento", 0, False), ("IVA Exento", None, "Exento", "IVA")),
]


@pytest.mark.parametrize(("rate", "expected"), TAXES, ids=lambda one: str(one)[:40])
def test_what_a_tax_is(rate: Rate, expected: tuple[str, Decimal | None, str, str | None]) -> None:
    item = replace(PLAN, rate=rate)
    (line,) = of(Bill("T", (item,), (Paid("T", item.gross),))).lines
    (tax,) = line.taxes
    assert (tax.label, tax.rate, tax.factor, tax.impuesto) == expected


@pytest.mark.parametrize("name", ["Retención IVA", "IVA retenido", "ISR", "Ret. IVA"])
def test_a_tax_that_seems_withheld_is_for_a_person(name: str) -> None:
    item = replace(PLAN, rate=Rate("t", name, 16, inclusive=False))
    made = of(Bill("T", (item,), (Paid("T", item.gross),)))
    assert made.doubts
    assert made.lines[0].taxes[0].label == ""


@pytest.mark.parametrize("reason", ["not_collecting", "customer_exempt", "reverse_charge"])
def test_a_tax_that_was_not_charged_is_none(reason: str) -> None:
    item = replace(PLAN, rate=Rate("t", "IVA", 0, inclusive=False, reason=reason))
    assert of(Bill("T", (item,), (Paid("T", item.gross),))).lines[0].taxes == ()


def without_rates(made: Bill) -> Sale:
    return sale(made.bundle() | {"tax_rates": {}})


def test_a_rate_that_cannot_be_asked_for_is_the_one_that_makes_every_amount() -> None:
    assert [tax.rate for line in without_rates(bill("on-top")).lines for tax in line.taxes] == [
        Decimal("0.16"),
        Decimal("0.16"),
    ]
    assert without_rates(bill("border")).lines[0].taxes[0].rate == Decimal("0.08")
    assert without_rates(bill("coupons-within")).doubts == ()


def test_where_two_rates_make_the_amount_nobody_guesses() -> None:
    """Of 0.09 both 16 % and 8 % are a cent."""
    made = without_rates(Bill("C", (Item("c", "Chicle", 9, ON_TOP),), (Paid("C", 10),)))
    assert made.doubts == ("No se conoce la tasa de un impuesto cobrado por Stripe.",)
    assert made.lines[0].taxes[0].rate is None


def test_a_foreign_rate_is_not_iva() -> None:
    texas = Rate("t", "Sales tax", 7, False, "sales_tax", "US")
    item = replace(PLAN, rate=texas)
    assert without_rates(Bill("T", (item,), (Paid("T", item.gross),))).doubts


def test_lines_that_do_not_make_the_total_are_for_a_person() -> None:
    document = bill("on-top").bundle()
    document["object"]["total"] += 1
    assert "Los renglones difieren del total de la factura por 0.01." in sale(document).doubts


def test_only_the_first_page_of_the_lines_is_for_a_person() -> None:
    event = bill("on-top").event(NEWEST)
    event["data"]["object"]["lines"]["has_more"] = True
    assert any("más renglones" in doubt for doubt in sale(event).doubts)
    document = bill("on-top").bundle()
    document["object"]["lines"]["has_more"] = True
    document["object"]["lines"]["data"].pop()
    assert sale(document) == of(bill("on-top"))


def test_a_line_twice_is_unreadable() -> None:
    document = bill("on-top").bundle()
    document["lines"].append(document["lines"][0])
    with pytest.raises(DeliveryUnreadable):
        sale(document)


def test_a_revision_of_another_invoice_is_for_a_person() -> None:
    revised = replace(bill("on-top"), more={"from_invoice": {"action": "revision", "invoice": "x"}})
    assert len(of(revised).doubts) == 1


@pytest.mark.parametrize(
    "more",
    [
        {"on_behalf_of": "acct_Other"},
        {"issuer": {"type": "account", "account": "acct_Other"}},
    ],
)
def test_what_another_sold_is_barred(more: Any) -> None:
    document = replace(bill("on-top"), more=more).bundle()
    assert sale(document).barred == "another seller of record"
    assert sale(document, "acct_Ours").barred == "another seller of record"
    assert sale(document, "acct_Other").barred == ""


def test_what_a_charge_was_made_for_another_is_barred() -> None:
    paid = replace(bill("on-top").paid[0], on_behalf_of="acct_Other")
    assert of(replace(bill("on-top"), paid=(paid,))).barred == "another seller of record"


@pytest.mark.parametrize("where", ["session", "subscription"])
def test_what_stripe_itself_sold_is_barred(where: str) -> None:
    document = bill("on-top").bundle()
    document[where] = {"id": f"{where}_1", "managed_payments": {"enabled": True}}
    assert sale(document).barred == "another seller of record"
    document[where]["managed_payments"]["enabled"] = False
    assert sale(document).barred == ""
    assert of(bill("on-top")).barred == ""


def test_the_mode_of_the_connection_decides_what_is_its_own() -> None:
    live = replace(bill("on-top"), more={"livemode": True})
    assert not of(live).test
    assert of(live, livemode=True).barred == ""
    assert of(live, livemode=False).barred == "not of the mode of this connection's key"
    assert of(bill("on-top"), livemode=True).barred == "not of the mode of this connection's key"
    assert (of(bill("on-top"), livemode=False).barred, of(bill("on-top")).test) == ("", True)


def test_a_disputed_payment_is_held_and_a_lost_one_judged() -> None:
    disputed = bill("disputed")
    words = {
        "needs_response": ("disputed", 0),
        "under_review": ("disputed", 0),
        "warning_needs_response": ("", 0),
        "warning_closed": ("", 0),
        "prevented": ("", 0),
        "won": ("", 0),
        "lost": ("", 1),
        "appeal_something": ("", 0),
        "something_new": ("", 1),
    }
    for word, (hold, doubts) in words.items():
        made = of(replace(disputed, disputes=({**disputed.disputes[0], "status": word},)))
        assert (made.hold, len(made.doubts)) == (hold, doubts), word


def test_a_dispute_that_was_not_fetched_is_told() -> None:
    document = bill("disputed").bundle()
    del document["disputes"]
    assert len(sale(document).doubts) == 1


def test_an_unpaid_invoice_is_on_credit_only_for_who_sells_so() -> None:
    owed = replace(
        bill("open"), collection_method="send_invoice", due_date=T0 + 86_400, customer=None
    )
    assert not of(owed).on_credit
    made = of(owed, ppd=True)
    assert made.on_credit
    assert made.due_at == datetime.fromtimestamp(T0 + 86_400, UTC)
    assert (made.payment_state, made.payments) == (PaymentState.PENDING, ())
    part = of(replace(owed, paid=(Paid("Part", 20000, at=T0 + 99),)), ppd=True)
    assert [(one.key, one.amount, one.at) for one in part.payments] == [
        ("pi_Part", Decimal("200.00"), datetime.fromtimestamp(T0 + 99, UTC))
    ]
    assert not of(replace(bill("on-top"), collection_method="send_invoice"), ppd=True).on_credit
    assert not of(bill("open"), ppd=True).on_credit
    assert not of(replace(owed, status="draft"), ppd=True).on_credit
    assert of(replace(owed, status="uncollectible"), ppd=True).on_credit


def test_what_was_sold_on_credit_is_not_invoiced_again_when_it_is_paid() -> None:
    """Its invoice (PPD) was issued when it was finalized: the payment has a complement."""
    paid = replace(bill("on-top"), collection_method="send_invoice")
    for version in VERSIONS:
        (doubt,) = of(paid, version, ppd=True).doubts
        assert "complemento de pago" in doubt
        assert sale(paid.event(version), ppd=True).doubts == (doubt,)
    assert of(paid).doubts == ()
    assert of(bill("on-top"), ppd=True).doubts == (), "charged by itself"
    free = replace(bill("free"), collection_method="send_invoice")
    assert of(free, ppd=True).doubts == ()


@pytest.mark.parametrize(
    ("currency", "total"),
    [("usd", "578.84"), ("jpy", "57884"), ("kwd", "57.884"), ("isk", "578.84")],
)
def test_the_smallest_unit_of_a_currency(currency: str, total: str) -> None:
    made = of(replace(bill("dollars"), currency=currency))
    assert (made.currency, made.total, made.exchange_rate) == (
        currency.upper(),
        Decimal(total),
        None,
    )


def booked(*paid: Paid, **more: Any) -> Bill:
    return Bill("Booked", (PLAN, replace(WITHIN_PLAN, key="other")), paid, currency="usd", **more)


def test_dollars_in_the_pesos_that_stripe_paid_out() -> None:
    whole = booked(Paid("B", 107884, booked=("mxn", 1943211, 18.012)))
    assert of(whole).currency == "USD"
    made = of(whole, currency="settlement")
    assert (made.currency, made.total, made.doubts) == ("MXN", Decimal("19432.11"), ())
    assert sum(line.total for line in made.lines) == made.total
    assert made.payments[0].amount == Decimal("19432.11")
    for line in made.lines:
        assert abs(line.base * Decimal("0.16") - line.taxes[0].amount) < Decimal("0.00001")


@pytest.mark.parametrize(
    "odd",
    [
        booked(Paid("B", 100000, booked=("mxn", 1943211, 18.012)), outside=7884),
        booked(
            Paid("B", 50000, booked=("mxn", 900600, 18.012)),
            Paid("C", 57884, booked=("eur", 53000, 0.92)),
        ),
        booked(
            Paid("B", 107884, booked=("mxn", 1943211, 18.012), refunded=100),
            refunds=({"id": "re_1", "amount": 100, "created": T0, "status": "succeeded"},),
        ),
    ],
)
def test_where_that_is_not_exact_the_dollars_stay_for_a_person(odd: Bill) -> None:
    made = of(odd, currency="settlement")
    assert made.currency == "USD"
    assert any("exacta" in doubt for doubt in made.doubts)


def test_dollars_paid_out_as_dollars_stay() -> None:
    whole = booked(Paid("B", 107884))
    assert of(whole, currency="settlement") == of(whole)


def test_a_revision_never_gets_smaller() -> None:
    """What happens to a sale in the order in which it can."""
    paid = bill("on-top")
    steps = [
        replace(paid, status="draft", paid=()),
        replace(paid, status="open", paid=()),
        paid,
        bill("refund-alone"),
        replace(bill("refund-alone"), disputes=bill("disputed").disputes),
    ]
    revisions = [of(one).revision for one in steps]
    assert revisions == sorted(set(revisions))
    for status in ("warning_needs_response", "needs_response", "under_review", "won", "lost"):
        one = {**bill("disputed").disputes[0], "status": status}
        assert of(replace(steps[-1], disputes=(one,))).revision == revisions[-1]


# Payments without an invoice.


def test_a_checkout_without_an_invoice() -> None:
    made = of(INTENTS["checkout"])
    assert (made.key, made.number, made.total) == (
        "pi_MadeCheckout",
        "pi_MadeCheckout",
        Decimal("962.81"),
    )
    assert [amounts(line) for line in made.lines] == [
        (Decimal("431.03"), Decimal(0), [(Decimal("68.97"), Decimal("0.16"))]),
        (Decimal("299.97"), Decimal(0), [(Decimal("48.00"), Decimal("0.16"))]),
        (Decimal("99.00"), Decimal(0), [(Decimal("15.84"), Decimal("0.16"))]),
    ]
    assert made.claims == ("pi_MadeCheckout", "ch_MadeCheckout", "cs_test_MadeCheckout")
    buyer = made.buyer
    assert (buyer.rfc, buyer.regimen, buyer.uso) == ("CACX7605101P8", "612", "G03")
    assert made.doubts == ()


def test_a_checkout_with_coupons() -> None:
    item = replace(WITHIN_PLAN, discounts=(5000,))
    on_top = replace(PLAN, key="other", discounts=(10000,))
    gross = item.gross + on_top.gross
    made = of(Intent("C", gross, (item, on_top), Paid("C", gross)))
    assert [(line.base, round(line.discount, 2)) for line in made.lines] == [
        (Decimal("387.93"), Decimal("43.10")),
        (Decimal("399.00"), Decimal("100.00")),
    ]
    assert made.doubts == ()


def test_a_checkout_whose_lines_do_not_say_which_tax() -> None:
    document = INTENTS["checkout"].bundle()
    for line in document["session"]["line_items"]["data"]:
        del line["taxes"]
    document["session"]["shipping_cost"]["taxes"] = None
    made = sale(document)
    assert [tax.rate for line in made.lines for tax in line.taxes] == [Decimal("0.16")] * 3
    assert made.doubts == ()


def test_a_checkout_that_was_charged_something_else_is_for_a_person() -> None:
    document = INTENTS["checkout"].bundle()
    document["object"]["amount_received"] -= 100
    assert sale(document).doubts == ("Los renglones difieren de lo cobrado por 1.00.",)
    document = INTENTS["checkout"].bundle()
    document["session"]["currency"] = "usd"
    assert "La compra y el pago tienen monedas distintas." in sale(document).doubts


def test_a_payment_of_which_nobody_said_what_was_sold() -> None:
    made = of(INTENTS["bare"])
    assert [(line.key, line.description, line.total) for line in made.lines] == [
        ("payment", "Mesa 4", Decimal("116.00"))
    ]
    (line,) = of(INTENTS["bare"], untaxed_lines="include_16").lines
    assert (line.base, line.total) == (Decimal("100.000000"), Decimal("116.00"))
    assert of(INTENTS["oxxo"]).lines[0].description == "Venta"


def test_an_unpaid_voucher_is_no_money() -> None:
    made = of(INTENTS["voucher"])
    assert (made.payment_state, made.paid_at, made.payments) == (PaymentState.PENDING, None, ())


def test_a_voucher_is_paid_when_the_money_came() -> None:
    document = INTENTS["oxxo"].bundle()
    document["charges"][0]["created"] = T0 + 5
    made = sale(document)
    assert made.paid_at == made.payments[0].at == datetime.fromtimestamp(T0 + 86_400, UTC)
    assert made.placed_at == datetime.fromtimestamp(T0, UTC)
    assert made.payments[0].forma_pago == "01"


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("requires_payment_method", PaymentState.PENDING),
        ("requires_capture", PaymentState.PENDING),
        ("processing", PaymentState.PENDING),
        ("canceled", PaymentState.CANCELLED),
        ("succeeded", PaymentState.PAID),
        ("something_new", PaymentState.UNKNOWN),
    ],
)
def test_states_of_a_payment(status: str, state: PaymentState) -> None:
    assert of(replace(INTENTS["bare"], status=status)).payment_state is state


def test_what_was_captured_counts_not_what_was_asked_for() -> None:
    paid = replace(INTENTS["bare"], amount=11600, more={"amount_received": 5800})
    assert of(paid).total == Decimal("58.00")


def test_a_tip_is_no_part_of_the_sale() -> None:
    made = of(INTENTS["tip"])
    assert (made.total, made.excluded) == (Decimal("106.00"), (Excluded("tip", Decimal("10.00")),))
    assert sum(line.total for line in made.lines) == made.total


def test_a_delivered_payment_may_be_one_of_an_invoice() -> None:
    """Older shapes say which; newer ones do not, so nobody invoices it before Stripe was asked."""
    for version in VERSIONS:
        made = sale(INTENTS["bare"].event(version))
        assert bool(made.doubts) is is_basil(version), version
        assert made.total == Decimal("116.00")
        assert made.paid_at == datetime.fromtimestamp(T0 + 62, UTC)
    old = replace(INTENTS["bare"], more={"invoice": "in_1"})
    assert sale(old.event(VERSIONS[0])).doubts


def charge(**more: Any) -> dict[str, Any]:
    found = Paid("Legacy", 11600).charge(VERSIONS[0], "mxn", None)
    return {**found, "payment_intent": None, **more}


def test_a_charge_of_the_old_kind() -> None:
    made = sale({"shape": "bundle", "kind": "payment", "object": charge(), "refunds": []})
    assert (made.key, made.total, made.payment_state) == (
        "ch_Legacy",
        Decimal("116.00"),
        PaymentState.PAID,
    )
    assert made.claims == ("ch_Legacy",)
    assert made.payments[0].key == "ch_Legacy"
    for status, state in (
        ("pending", PaymentState.PENDING),
        ("failed", PaymentState.CANCELLED),
        ("something_new", PaymentState.UNKNOWN),
    ):
        assert sale(charge(status=status)).payment_state is state
    assert sale(charge(captured=False)).payment_state is PaymentState.PENDING
    assert sale(charge(payment_intent="pi_1")).doubts


@pytest.mark.parametrize(
    "document",
    [
        {"shape": "bundle", "kind": "payment", "object": {"object": "invoice", "id": "in_1"}},
        {"shape": "bundle", "kind": "invoice"},
        {"object": "event", "data": {"object": {"object": "customer", "id": "cus_1"}}},
        {"object": "event"},
        {"object": "checkout.session", "id": "cs_1"},
        {"object": "invoice", "id": "in_1"},
        [],
        7,
    ],
)
def test_what_is_no_sale_is_unreadable(document: Any) -> None:
    with pytest.raises(DeliveryUnreadable):
        sale(document)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("total", 12.5),
        ("total", "x"),
        ("currency", "pesos"),
        ("created", 10**30),
        ("id", ""),
        ("status", None),
        ("livemode", None),
        ("lines", 7),
    ],
)
def test_what_is_of_another_shape_is_unreadable(name: str, value: Any) -> None:
    document = bill("on-top").event(NEWEST)
    document["data"]["object"][name] = value
    if name == "created":
        document["data"]["object"]["status_transitions"]["finalized_at"] = None
    with pytest.raises(DeliveryUnreadable):
        sale(document)
