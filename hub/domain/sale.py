"""The common sale: what any platform's paid order becomes. A frozen snapshot, never edited.

Amounts are `Decimal` in the sale's currency. Lines carry whole-line amounts *without* tax and no
unit price; `total` is what the buyer was charged. Nothing here decides: whether it can be invoiced
is `policy.py`, what the invoice looks like is `compose.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class PaymentState(StrEnum):
    """The platform's word, translated. A word nobody knows is UNKNOWN, never PAID."""

    PENDING = "pending"
    PAID = "paid"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SaleTax:
    """A tax of a line as the platform states it.

    `ref` and `label` are the platform's own (rate id, "IVA 16%"): the merchant's rules, or the
    plain words IVA and IEPS with a rate of SAT's catalog, say what it is. `impuesto` ("IVA" or
    "IEPS") is given only where the source itself speaks SAT's language (`sale create`).
    """

    amount: Decimal
    rate: Decimal | None = None  # a fraction: 0.16
    label: str = ""
    ref: str = ""
    impuesto: str | None = None
    factor: str = "Tasa"  # Tasa, Cuota (rate is money a unit) or Exento (rate None, amount 0)


@dataclass(frozen=True, slots=True)
class SaleLine:
    key: str  # the platform's id of this line, unique within the sale
    description: str
    quantity: Decimal
    subtotal: Decimal  # before discount, without tax
    discount: Decimal  # without tax, >= 0
    taxes: tuple[SaleTax, ...] = ()
    kind: str = "product"  # product, shipping, fee, tip
    sku: str = ""
    product: str = ""
    category: str = ""
    #: Set only where the source itself names them (`sale create`).
    clave_prod_serv: str | None = None
    clave_unidad: str | None = None
    objeto_imp: str | None = None

    @property
    def base(self) -> Decimal:
        """After discount, without tax."""
        return self.subtotal - self.discount

    @property
    def total(self) -> Decimal:
        """What the buyer paid for this line, taxes included."""
        return self.base + sum((tax.amount for tax in self.taxes), Decimal(0))


@dataclass(frozen=True, slots=True)
class Payment:
    method: str  # the platform's word, e.g. "bacs"
    amount: Decimal
    label: str = ""
    forma_pago: str | None = None  # c_FormaPago, only where the source itself says it
    key: str = ""  # the platform's id of this payment
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RefundLine:
    """What was given back of one line: positive amounts, as in `SaleLine`."""

    key: str
    quantity: Decimal
    base: Decimal
    taxes: tuple[Decimal, ...] = ()  # in the order of the line's own taxes


@dataclass(frozen=True, slots=True)
class Refund:
    """Money given back, tax included, positive. Without lines it is spread over the sale."""

    key: str
    total: Decimal
    reason: str = ""
    at: datetime | None = None
    lines: tuple[RefundLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who bought, with whatever fiscal data the platform already holds."""

    #: The platform's id of the customer, where it knows one who may come again.
    key: str = ""
    name: str = ""
    email: str = ""
    phone: str = ""
    country: str = ""
    postal_code: str = ""
    rfc: str = ""
    fiscal_name: str = ""
    regimen: str = ""
    uso: str = ""


@dataclass(frozen=True, slots=True)
class Excluded:
    """Charged together with the sale and no part of it, nor of `Sale.total`."""

    kind: str  # "tip", "gift_card"
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Sale:
    #: The platform's own id of the order; (connection, key) names one sale for ever.
    key: str
    #: What the buyer knows the purchase by.
    number: str
    #: Grows with every change at the source; a smaller one never replaces a greater one.
    revision: int
    placed_at: datetime
    paid_at: datetime | None
    payment_state: PaymentState
    currency: str
    total: Decimal
    lines: tuple[SaleLine, ...]
    payments: tuple[Payment, ...] = ()
    refunds: tuple[Refund, ...] = ()
    buyer: Buyer = field(default_factory=Buyer)
    #: MXN per unit of `currency`, only where the source itself states it.
    exchange_rate: Decimal | None = None
    #: What the shop rounds every amount to, where that is more than the currency's smallest unit:
    #: 1 in a shop that charges whole pesos.
    rounds_to: Decimal | None = None
    test: bool = False
    #: The platform's own word for the state, for people.
    status: str = ""
    #: True where it was built from a delivered copy because the platform could not be asked.
    unverified: bool = False
    #: What the connector saw and could not place, each for a person to read. It will be reviewed.
    doubts: tuple[str, ...] = ()
    #: What was charged with it and is no sale of goods or services.
    excluded: tuple[Excluded, ...] = ()
    #: The platform's ids of all objects that stand for this money (a charge, a checkout, a bill).
    #: Each stands for one sale of the connection and no other.
    claims: tuple[str, ...] = ()
    #: Why nobody may invoice it for now, though it is paid, e.g. "disputed". It passes by itself.
    hold: str = ""
    #: Why this merchant never invoices it, e.g. "another seller of record". Nobody is asked.
    barred: str = ""
    #: Sold on credit: payable by `due_at` and not, or not wholly, paid yet. `payments` are those
    #: made so far, each with its `key` and `at`.
    on_credit: bool = False
    due_at: datetime | None = None

    @property
    def refunded(self) -> Decimal:
        return sum((refund.total for refund in self.refunds), Decimal(0))

    @property
    def due(self) -> Decimal:
        """What an invoice of this sale has to add up to: charged less given back."""
        return self.total - self.refunded
