"""An invoice of Stripe as a sale. https://docs.stripe.com/api/invoices/object"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from connectors.contract import DeliveryUnreadable
from connectors.reader import Reader
from connectors.stripe import sellers
from connectors.stripe.buyer import buyer_of
from connectors.stripe.choices import Choices
from connectors.stripe.lines import Raw, maker_of, of_invoice
from connectors.stripe.money import ZERO, Money, money_of
from connectors.stripe.netting import net
from connectors.stripe.payments import (
    claims_of,
    hold_of,
    paying,
    payments_of_invoice,
    revision_of,
    was_paid_outside,
)
from connectors.stripe.reversals import Reversals
from connectors.stripe.settlement import settled
from connectors.stripe.shapes import Document, instant, key_of
from hub.domain.sale import Payment, PaymentState, Refund, Sale, SaleLine

#: https://docs.stripe.com/invoicing/overview#invoice-statuses: an uncollectible one can be paid.
_STATES: Final = {
    "draft": PaymentState.PENDING,
    "open": PaymentState.PENDING,
    "uncollectible": PaymentState.PENDING,
    "paid": PaymentState.PAID,
    "void": PaymentState.CANCELLED,
    "deleted": PaymentState.CANCELLED,
}
_FINAL: Final = frozenset({PaymentState.PAID, PaymentState.CANCELLED})
#: Nobody is asked to pay it any more: parts of it may have been paid before.
_ENDED: Final = frozenset({"uncollectible", "void", "deleted"})
#: Of an invoice that is not paid, as a merchant who sells on credit has it.
_OWED: Final = frozenset({"open", "uncollectible"})


def sale_of_invoice(document: Document, choices: Choices) -> Sale:
    invoice, doubts = document.object, list[str]()
    money = money_of(invoice)
    status = invoice.text("status")
    state = _STATES.get(status, PaymentState.UNKNOWN)
    if state is PaymentState.UNKNOWN:
        doubts.append(f"Estado de factura desconocido: {status[:60]!r}.")
    final = state in _FINAL
    total, lines, refunds = _money_of(document, choices, money, doubts)
    if kept := _kept(invoice, money, choices, refunds):
        state = PaymentState.UNKNOWN
        doubts.append(
            f"La factura se dio por perdida o se anuló y de ella se cobraron {kept:.2f}:"
            " devuélvelo o factúralo aparte."
        )
    if invoice.has("from_invoice"):
        doubts.append("Es la revisión de otra factura de Stripe: revisa qué pasó con aquella.")
    paid_at = instant(invoice, "status_transitions.paid_at")
    key = key_of(invoice)
    on_credit = choices.on_credit and _owed(invoice)
    sale = Sale(
        key=key,
        number=invoice.text("number", "") or key,
        revision=revision_of(document, final=final),
        placed_at=_placed_at(invoice),
        paid_at=paid_at if state is PaymentState.PAID else None,
        payment_state=state,
        currency=money.currency,
        total=total,
        lines=lines,
        payments=_payments(document, money, choices, doubts),
        refunds=refunds,
        buyer=buyer_of(document),
        test=not invoice.flag("livemode"),
        status=status,
        unverified=not document.whole,
        hold=hold_of(document, doubts),
        claims=claims_of(document),
        barred=sellers.barred(document, choices),
        on_credit=on_credit,
        due_at=instant(invoice, "due_date") if on_credit else None,
        doubts=tuple(doubts),
    )
    return settled(sale, paying(document)) if choices.settlement else sale


def _placed_at(invoice: Reader) -> datetime:
    placed_at = instant(invoice, "status_transitions.finalized_at") or instant(invoice, "created")
    if placed_at is None:
        raise DeliveryUnreadable("created is missing")
    return placed_at


def _kept(invoice: Reader, money: Money, choices: Choices, refunds: Sequence[Refund]) -> Decimal:
    """What was paid of an invoice that ended without being paid, less what was given back."""
    if invoice.text("status") not in _ENDED or (choices.on_credit and _owed(invoice)):
        return ZERO
    paid = money.amount(invoice, "amount_paid", ZERO)
    return max(paid - sum((one.total for one in refunds), ZERO), ZERO)


def _owed(invoice: Reader) -> bool:
    """Sent to be paid by a day; one that is charged by itself is paid within the hour."""
    return _sent(invoice) and invoice.text("status") in _OWED


def _sent(invoice: Reader) -> bool:
    return invoice.text("collection_method", "") == "send_invoice"


def _money_of(
    document: Document, choices: Choices, money: Money, doubts: list[str]
) -> tuple[Decimal, tuple[SaleLine, ...], tuple[Refund, ...]]:
    """What an invoice has to add up to, of what, and what was given back of it."""
    total = money.amount(document.object, "total")
    if total <= 0:
        # Nothing was sold for money: what a downgrade leaves goes to the customer's balance.
        return ZERO, (), ()
    raws = of_invoice(document, money, doubts)
    maker = maker_of(document, raws, choices, money, doubts)
    lines = net(tuple(maker.line(raw) for raw in raws), doubts)
    _check_sum(raws, total, doubts)
    reversals = Reversals(document, money, maker, lines)
    credited = ZERO if choices.on_credit else reversals.before_payment
    if credited:
        lowered = reversals.lower(lines, doubts)
        if lowered is None:
            doubts.append("Una nota de crédito no cabe en los renglones de la factura.")
        lines, total = lowered or lines, total - credited
    if total <= 0:
        return ZERO, (), ()
    return total, lines, reversals.refunds(with_credits=choices.on_credit, doubts=doubts)


def _check_sum(raws: Sequence[Raw], total: Decimal, doubts: list[str]) -> None:
    """Stripe's lines make its total to the cent; what they do not make is not explained."""
    gap = sum((raw.gross for raw in raws), ZERO) - total
    if gap:
        doubts.append(f"Los renglones difieren del total de la factura por {abs(gap)}.")


def _payments(
    document: Document, money: Money, choices: Choices, doubts: list[str]
) -> tuple[Payment, ...]:
    """What paid it: payments, and the balance that the customer had, if the merchant says how."""
    invoice = document.object
    found = payments_of_invoice(document, money, choices)
    balance = money.amount(invoice, "ending_balance", ZERO)
    balance -= money.amount(invoice, "starting_balance", ZERO)
    charged = money.amount(invoice, "total") > 0 and invoice.has("ending_balance")
    if not charged or invoice.text("status") != "paid":
        return found
    if balance and not choices.balance:
        doubts.append(
            "El saldo del cliente en Stripe cambió con esta factura: falta decir cómo se factura."
        )
    elif balance > 0:
        found += (Payment("customer_balance_credit", balance, forma_pago=choices.balance),)
    if choices.on_credit and _sent(invoice):
        doubts.append(
            "Se vendió a crédito y ya se pagó: si su CFDI (PPD) se emitió antes, le toca un"
            " complemento de pago y no otra factura; si no, acéptala y se factura como pagada"
            " (PUE)."
        )
    _check_paid(document, money, doubts)
    return found


def _check_paid(document: Document, money: Money, doubts: list[str]) -> None:
    """https://docs.stripe.com/api/invoices/pay#pay_invoice-forgive closes one for less."""
    invoice = document.object
    due, paid = (money.amount(invoice, name, ZERO) for name in ("amount_due", "amount_paid"))
    overpaid = money.amount(invoice, "amount_overpaid", ZERO)
    if paid < due and not was_paid_outside(document, money):
        doubts.append("Stripe dio por pagada la factura con menos de lo que se debía.")
    if overpaid and document.listed("refunds"):
        doubts.append("Se pagó de más y hubo devoluciones: decide de qué son.")
