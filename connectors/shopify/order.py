"""An order as both shapes of Shopify tell it: by webhook (REST) and by the Admin API (GraphQL).

All amounts are in the one currency that was chosen (`money.Column`). Words are in lower case.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Tax:
    title: str
    rate: Decimal | None
    amount: Decimal
    #: The channel that sold, not the merchant, declares and pays it.
    channel_liable: bool = False


@dataclass(frozen=True, slots=True)
class Charge:
    """Something charged. `gross` is before discount, with its taxes where prices include them."""

    key: str
    kind: str  # product, shipping, fee, duty, tip or gift_card
    name: str
    quantity: Decimal
    gross: Decimal
    discount: Decimal = Decimal(0)
    taxes: tuple[Tax, ...] = ()
    sku: str = ""
    product: str = ""
    #: Pieces that were not removed or given back; None where it is not said.
    current: Decimal | None = None
    #: Of a product that the shop no longer has, or that it never had in its list.
    custom: bool = False


@dataclass(frozen=True, slots=True)
class Returned:
    """Part of a charge given back. `subtotal` holds the tax where prices include it."""

    key: str  # of the charge; "" where it is not said
    quantity: Decimal
    subtotal: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What a refund gave beyond (negative) or short of (positive) what its lines are worth."""

    amount: Decimal
    tax: Decimal
    pending: bool


@dataclass(frozen=True, slots=True)
class Transaction:
    key: str
    kind: str
    status: str
    gateway: str
    label: str
    amount: Decimal
    #: Added to `amount` makes what changed hands in cash.
    rounding: Decimal
    at: datetime | None
    parent: str = ""


@dataclass(frozen=True, slots=True)
class GivenBack:
    """A refund as Shopify keeps it, also one that moved no money."""

    key: str
    at: datetime | None
    note: str
    returned: tuple[Returned, ...]
    adjustments: tuple[Adjustment, ...]
    transactions: tuple[Transaction, ...]


@dataclass(frozen=True, slots=True)
class Terms:
    kind: str
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Order:
    key: str
    number: str
    placed_at: datetime
    processed_at: datetime
    updated_at: datetime
    cancelled: bool
    test: bool
    currency: str
    taxes_included: bool
    duties_included: bool
    estimated_taxes: bool
    status: str
    gateways: tuple[str, ...]
    charges: tuple[Charge, ...]
    refunds: tuple[GivenBack, ...]
    total: Decimal
    #: After edits and refunds; None where it is not said.
    current_total: Decimal | None
    outstanding: Decimal | None
    tip: Decimal
    #: Added to what the order comes to makes what was paid in cash.
    rounding: Decimal
    entity: frozenset[str] = frozenset()
    seller_of_record: str = ""
    terms: Terms | None = None
    #: Known by the Admin API alone.
    transactions: tuple[Transaction, ...] | None = None
    net_payment: Decimal | None = None
    #: The sum of the sales of all its agreements.
    ledger: Decimal | None = None
    #: Kept of what returned goods are worth, by the same ledger.
    return_fees: Decimal = Decimal(0)
    disputes: frozenset[str] = frozenset()
    #: MXN for a unit of `currency`, if the order itself tells it to six decimals.
    exchange_rate: Decimal | None = None
