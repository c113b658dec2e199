"""A payment without an invoice as a sale: Checkout, a payment link, OXXO, SPEI, an old charge.

https://docs.stripe.com/api/payment_intents/object
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from connectors.contract import DeliveryUnreadable
from connectors.reader import Reader
from connectors.stripe import sellers
from connectors.stripe.buyer import buyer_of
from connectors.stripe.choices import Choices
from connectors.stripe.lines import Raw, maker_of, of_session, only_line
from connectors.stripe.money import ZERO, Money, money_of
from connectors.stripe.netting import net
from connectors.stripe.payments import (
    claims_of,
    hold_of,
    of_charges,
    paid_at,
    paying,
    revision_of,
)
from connectors.stripe.reversals import Reversals
from connectors.stripe.settlement import settled
from connectors.stripe.shapes import Document, ident, instant, key_of
from hub.domain.sale import Excluded, PaymentState, Refund, Sale, SaleLine

#: https://docs.stripe.com/payments/paymentintents/lifecycle: a voucher waits in requires_action, a
#: transfer in processing; neither is money.
_STATES: Final = {
    "requires_payment_method": PaymentState.PENDING,
    "requires_confirmation": PaymentState.PENDING,
    "requires_action": PaymentState.PENDING,
    "requires_capture": PaymentState.PENDING,
    "processing": PaymentState.PENDING,
    "canceled": PaymentState.CANCELLED,
    "succeeded": PaymentState.PAID,
}
_CHARGE_STATES: Final = {
    "pending": PaymentState.PENDING,
    "failed": PaymentState.CANCELLED,
    "succeeded": PaymentState.PAID,
}
_FINAL: Final = frozenset({PaymentState.PAID, PaymentState.CANCELLED})


def sale_of_payment(document: Document, choices: Choices) -> Sale:
    thing, doubts = document.object, list[str]()
    money = money_of(thing)
    status, state = thing.text("status"), _state(thing, doubts)
    key, created = key_of(thing), instant(thing, "created")
    if created is None:
        raise DeliveryUnreadable("created is missing")
    received = _received(thing, money, state)
    tip = money.amount(thing, "amount_details.tip.amount", ZERO) if _tipped(thing) else ZERO
    total, lines, refunds = _money_of(document, choices, money, received - tip, doubts)
    refunds = _without_tip(refunds, tip, received, doubts) if tip else refunds
    if not document.whole:
        _doubt_alone(thing, doubts)
    sale = Sale(
        key=key,
        number=key,
        revision=revision_of(document, final=state in _FINAL),
        placed_at=created,
        paid_at=_paid_at(document, created) if state is PaymentState.PAID else None,
        payment_state=state,
        currency=money.currency,
        total=total,
        lines=lines,
        payments=tuple(of_charges(document, money, choices)),
        refunds=refunds,
        buyer=buyer_of(document),
        test=not thing.flag("livemode"),
        status=status,
        unverified=not document.whole,
        excluded=(Excluded("tip", tip),) if tip else (),
        hold=hold_of(document, doubts),
        claims=claims_of(document),
        barred=sellers.barred(document, choices),
        doubts=tuple(doubts),
    )
    return settled(sale, paying(document)) if choices.settlement else sale


def _state(thing: Reader, doubts: list[str]) -> PaymentState:
    status = thing.text("status")
    is_charge = thing.text("object") == "charge"
    state = (_CHARGE_STATES if is_charge else _STATES).get(status, PaymentState.UNKNOWN)
    if state is PaymentState.UNKNOWN:
        doubts.append(f"Estado de pago desconocido: {status[:60]!r}.")
    if is_charge and state is PaymentState.PAID and not thing.flag("captured", default=True):
        return PaymentState.PENDING
    return state


def _received(thing: Reader, money: Money, state: PaymentState) -> Decimal:
    """What came in; of a payment that is not done, what was asked for."""
    whole = money.amount(thing, "amount")
    if state is not PaymentState.PAID:
        return whole
    name = "amount_captured" if thing.text("object") == "charge" else "amount_received"
    return money.amount(thing, name, whole)


def _tipped(thing: Reader) -> bool:
    return isinstance(thing.at("amount_details").value, dict) and isinstance(
        thing.at("amount_details.tip").value, dict
    )


def _without_tip(
    refunds: tuple[Refund, ...], tip: Decimal, received: Decimal, doubts: list[str]
) -> tuple[Refund, ...]:
    """Stripe does not say whether a tip came back; where all did, it did."""
    if refunds and sum((one.total for one in refunds), ZERO) == received > tip < refunds[-1].total:
        last = refunds[-1]
        return (*refunds[:-1], replace(last, total=last.total - tip))
    if refunds:
        doubts.append("Se devolvió parte de un pago con propina: decide de qué es.")
    return refunds


def _paid_at(document: Document, created: datetime) -> datetime:
    moments = [paid_at(charge) for charge in paying(document)]
    known = [one for one in moments if one]
    return max(known) if known else document.told_at or created


def _money_of(
    document: Document, choices: Choices, money: Money, total: Decimal, doubts: list[str]
) -> tuple[Decimal, tuple[SaleLine, ...], tuple[Refund, ...]]:
    if total <= 0:
        return ZERO, (), ()
    raws = _raws(document, money, total, doubts)
    maker = maker_of(document, raws, choices, money, doubts)
    lines = net(tuple(maker.line(raw) for raw in raws), doubts)
    reversals = Reversals(document, money, maker, lines)
    return total, lines, reversals.refunds(with_credits=False, doubts=doubts)


def _raws(document: Document, money: Money, total: Decimal, doubts: list[str]) -> list[Raw]:
    """What a checkout sold; else one line of whatever the payment is called."""
    session = document.one("session")
    if session.value is not None and (raws := of_session(session, money, doubts)):
        if money_of(session).currency != money.currency:
            doubts.append("La compra y el pago tienen monedas distintas.")
        gap = sum((raw.gross for raw in raws), ZERO) - total
        if gap:
            doubts.append(f"Los renglones difieren de lo cobrado por {abs(gap)}.")
        return raws
    thing = document.object
    return [only_line("payment", thing.text("description", ""), total)]


def _doubt_alone(thing: Reader, doubts: list[str]) -> None:
    """A delivered payment of basil or later does not say whether it paid an invoice.

    https://docs.stripe.com/changelog/basil/2025-03-31/add-support-for-multiple-partial-payments-on-invoices
    """
    if ident(thing, "invoice") or "invoice" not in thing.names():
        doubts.append("No se pudo preguntar a Stripe si este pago es de una factura suya.")
    elif thing.text("object") == "charge" and ident(thing, "payment_intent"):
        doubts.append("No se pudo preguntar a Stripe por el pago de este cargo.")
