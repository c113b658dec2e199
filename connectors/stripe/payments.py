"""How a sale was paid, by which objects of Stripe, and whether the payment is disputed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Final

from connectors.reader import Reader
from connectors.stripe.choices import Choices
from connectors.stripe.money import ZERO, Money
from connectors.stripe.shapes import Document, ident, instant, key_of, listed
from hub.domain.sale import Payment

DISPUTED: Final = "disputed"
#: Paid outside of Stripe. The merchant's rules say with what, `[forma_pago] out_of_band = "03"`.
OUT_OF_BAND: Final = "out_of_band"
#: https://docs.stripe.com/api/invoice-payment/object#invoice_payment_object-status
CANCELED: Final = "canceled"
#: c_FormaPago of a card by its funding; a wallet tells none, nor do some cards.
_BY_FUNDING: Final = {"credit": "04", "debit": "28", "prepaid": "28"}
#: c_FormaPago of the other methods: https://docs.stripe.com/payments/payment-methods/overview
#: OXXO takes cash; a bank transfer in Mexico is an SPEI; who buys now and pays later has paid
#: through an intermediary.
_BY_METHOD: Final = {
    "oxxo": "01",
    "customer_balance": "03",
    "us_bank_account": "03",
    "sepa_debit": "03",
    "ach_credit_transfer": "03",
    "ach_debit": "03",
    "affirm": "31",
    "afterpay_clearpay": "31",
    "klarna": "31",
}
#: https://docs.stripe.com/api/disputes/object#dispute_object-status
_OPEN: Final = frozenset({"needs_response", "under_review"})
_LOST: Final = "lost"
_NOTED: Final = frozenset(
    {"won", "prevented", "warning_needs_response", "warning_under_review", "warning_closed"}
)


def succeeded(charge: Reader) -> bool:
    return charge.text("status", "") == "succeeded" and charge.flag("captured", default=True)


def payments_of_invoice(document: Document, money: Money, choices: Choices) -> tuple[Payment, ...]:
    """By InvoicePayment where there are such (basil and later), else by the charges."""
    invoice = document.object
    made = [one for one in invoice_payments(document) if one.text("status", "") == "paid"]
    outside = money.amount(invoice, "amount_paid_off_stripe", ZERO)
    if made:
        found = tuple(_of_invoice_payment(one, document, money, choices) for one in made)
        outside -= sum((one.amount for one in found if one.method == OUT_OF_BAND), ZERO)
        return found + _outside(outside, choices)
    charged = tuple(of_charges(document, money, choices))
    if charged or not was_paid_outside(document, money):
        return charged
    return _outside(outside or money.amount(invoice, "amount_due"), choices)


def _outside(amount: Decimal, choices: Choices) -> tuple[Payment, ...]:
    """What came outside of Stripe, of which no payment of its own tells."""
    return (_paid(OUT_OF_BAND, amount, choices),) if amount > 0 else ()


def invoice_payments(document: Document) -> tuple[Reader, ...]:
    """Less those that were canceled: what they bring later is no money of this bill."""
    if document.fetched.has("invoice_payments"):
        found = document.listed("invoice_payments")
    else:
        found = listed(document.object, "payments")
    return tuple(one for one in found if one.text("status", "") != CANCELED)


def was_paid_outside(document: Document, money: Money) -> bool:
    """https://docs.stripe.com/invoicing/dashboard/manage-invoices#mark-paid"""
    invoice = document.object
    if invoice.flag("paid_out_of_band", default=False):
        return True
    if money.amount(invoice, "amount_paid_off_stripe", ZERO) > 0:
        return True
    nothing = document.fetched.has("invoice_payments") and not document.listed("charges")
    paid = invoice.text("status", "") == "paid" and money.amount(invoice, "amount_paid", ZERO) > 0
    return nothing and paid and not invoice_payments(document)


def _of_invoice_payment(one: Reader, document: Document, money: Money, choices: Choices) -> Payment:
    """https://docs.stripe.com/api/invoice-payment/object"""
    amount = money.amount(one, "amount_paid", ZERO)
    at = instant(one, "status_transitions.paid_at") or instant(one, "created")
    payment = one.at("payment")
    if record := ident(payment, "payment_record"):
        return _of_record(record, document, amount, at, choices)
    intent, charge_id = ident(payment, "payment_intent"), ident(payment, "charge")
    for charge in document.listed("charges"):
        ours = (
            (ident(charge, "payment_intent") == intent) if intent else key_of(charge) == charge_id
        )
        if succeeded(charge) and ours:
            return _of_charge(charge, amount, at, choices, key=intent or charge_id)
    return _paid("", amount, choices, key=intent or charge_id, at=at)


def _of_record(
    key: str, document: Document, amount: Decimal, at: datetime | None, choices: Choices
) -> Payment:
    """https://docs.stripe.com/api/payment-record: a payment that Stripe did not process."""
    for record in document.listed("payment_records"):
        if key_of(record) == key:
            name = record.text("payment_method_details.custom.display_name", "")
            label = " ".join(name.split())[:100]
            return _paid(OUT_OF_BAND, amount, choices, label=label, key=key, at=at)
    return _paid(OUT_OF_BAND, amount, choices, key=key, at=at)


def of_charges(document: Document, money: Money, choices: Choices) -> Iterator[Payment]:
    for charge in charges_of(document):
        if succeeded(charge):
            whole = money.amount(charge, "amount")
            amount = money.amount(charge, "amount_captured", whole)
            key = ident(charge, "payment_intent") or key_of(charge)
            yield _of_charge(charge, amount, paid_at(charge), choices, key=key)


def charges_of(document: Document) -> tuple[Reader, ...]:
    """Those fetched, or those that older versions have within the payment."""
    thing = document.object
    if thing.text("object", "") == "charge":
        return document.listed("charges") or (thing,)
    if document.fetched.has("charges"):
        return document.listed("charges")
    latest = thing.at("latest_charge")
    return (latest,) if isinstance(latest.value, dict) else listed(thing, "charges")


def paying(document: Document) -> tuple[Reader, ...]:
    """The charges that brought money."""
    return tuple(charge for charge in charges_of(document) if succeeded(charge))


def paid_at(charge: Reader) -> datetime | None:
    """The money came when it was booked; a charge may be older."""
    book = charge.at("balance_transaction")
    booked = instant(book, "created") if isinstance(book.value, dict) else None
    return booked or instant(charge, "created")


def _of_charge(
    charge: Reader, amount: Decimal, at: datetime | None, choices: Choices, *, key: str
) -> Payment:
    """https://docs.stripe.com/api/charges/object#charge_object-payment_method_details"""
    details = charge.at("payment_method_details")
    method = details.text("type", "") if details.value is not None else ""
    card = details.at(method) if method in {"card", "card_present", "interac_present"} else None
    if card is None or card.value is None:
        return _paid(method, amount, choices, forma=_BY_METHOD.get(method), key=key, at=at)
    funding = card.text("funding", "")
    word = f"card_{funding}" if funding in _BY_FUNDING else method
    label = card.text("brand", "")[:40]
    forma = _BY_FUNDING.get(funding)
    return _paid(word, amount, choices, forma=forma, label=label, key=key, at=at)


def _paid(
    method: str,
    amount: Decimal,
    choices: Choices,
    *,
    forma: str | None = None,
    label: str = "",
    key: str = "",
    at: datetime | None = None,
) -> Payment:
    forma = choices.formas_pago.get(method, forma)
    return Payment(method[:60], amount, label, forma, key, at)


def claims_of(document: Document) -> tuple[str, ...]:
    """The ids of all that stand for this money, each once."""
    thing = document.object
    found = [key_of(thing)]
    found += [ident(thing, name) for name in ("payment_intent", "charge", "latest_charge")]
    for one in invoice_payments(document):
        payment = one.at("payment")
        found += [
            ident(payment, name)
            for name in ("payment_intent", "charge", "payment_record")
            if payment.value is not None
        ]
    for charge in charges_of(document):
        if succeeded(charge):
            found += [key_of(charge), ident(charge, "payment_intent")]
    found += [key_of(one) for one in document.listed("payment_records")]
    session = document.one("session")
    if session.value is not None:
        found += [key_of(session), ident(session, "payment_intent")]
    return tuple(dict.fromkeys(one for one in found if one))


def hold_of(document: Document, doubts: list[str]) -> str:
    """Nobody invoices a payment that the card's bank may take back. Lost ones a person judges."""
    disputes = document.listed("disputes")
    words = {one.text("status", "") for one in disputes}
    if _LOST in words:
        doubts.append(
            "Se perdió una disputa del pago: decide si la venta se cancela o se acredita."
        )
    unknown = {word for word in words if word not in {*_OPEN, _LOST, *_NOTED}}
    doubts += [
        f"Estado de disputa desconocido: {word[:60]!r}."
        for word in sorted(unknown)
        if not word.startswith("appeal_")
    ]
    disputed = any(charge.flag("disputed", default=False) for charge in charges_of(document))
    if disputed and not document.fetched.has("disputes"):
        doubts.append("El pago tiene una disputa que no llegó con la venta.")
    return DISPUTED if words & _OPEN else ""


def revision_of(document: Document, *, final: bool) -> int:
    """Grows with every fact that Stripe dates; README.md, "Revision", says what follows of it."""
    thing = document.object
    back = [
        place for name in ("refunds", "credit_notes", "disputes") for place in document.listed(name)
    ]
    moments = [
        instant(place, name)
        for place in (thing, *charges_of(document), *back)
        for name in ("created", "canceled_at", "voided_at")
    ]
    moments += [
        instant(thing, f"status_transitions.{name}")
        for name in ("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")
    ]
    moments += [instant(one, "status_transitions.paid_at") for one in invoice_payments(document)]
    latest = max((int(one.timestamp()) for one in moments if one), default=0)
    return latest * 1000 + (500 if final else 0) + min(499, len(back))
