"""Sales as hypothesis makes them: every field, every odd value a platform may send."""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal

import pytest
from hypothesis import strategies as st

from hub.domain.sale import (
    Buyer,
    Payment,
    PaymentState,
    Refund,
    RefundLine,
    Sale,
    SaleLine,
    SaleTax,
)

AMOUNTS = st.decimals(
    min_value=0, max_value=10**9, allow_nan=False, allow_infinity=False, places=6
) | st.sampled_from([Decimal(0), Decimal("0.00"), Decimal("1E+2"), Decimal("1.10")])
TEXTS = st.text(max_size=12)
INSTANTS = st.datetimes(timezones=st.just(UTC))

TAXES = st.builds(
    SaleTax,
    amount=AMOUNTS,
    rate=st.none() | AMOUNTS,
    label=TEXTS,
    ref=TEXTS,
    impuesto=st.none() | st.sampled_from(["IVA", "IEPS"]),
    factor=st.sampled_from(["Tasa", "Cuota", "Exento"]),
)
LINES = st.builds(
    SaleLine,
    key=TEXTS,
    description=TEXTS,
    quantity=AMOUNTS,
    subtotal=AMOUNTS,
    discount=AMOUNTS,
    taxes=st.lists(TAXES, max_size=2).map(tuple),
    sku=TEXTS,
    clave_prod_serv=st.none() | TEXTS,
)
REFUND_LINES = st.builds(
    RefundLine,
    key=TEXTS,
    quantity=AMOUNTS,
    base=AMOUNTS,
    taxes=st.lists(AMOUNTS, max_size=2).map(tuple),
)
REFUNDS = st.builds(
    Refund,
    key=TEXTS,
    total=AMOUNTS,
    reason=TEXTS,
    at=st.none() | INSTANTS,
    lines=st.lists(REFUND_LINES, max_size=2).map(tuple),
)
PAYMENTS = st.builds(
    Payment, method=TEXTS, amount=AMOUNTS, label=TEXTS, forma_pago=st.none() | TEXTS
)
SALES = st.builds(
    Sale,
    key=TEXTS,
    number=TEXTS,
    revision=st.integers(0, 2**62),
    placed_at=INSTANTS,
    paid_at=st.none() | INSTANTS,
    payment_state=st.sampled_from(PaymentState),
    currency=TEXTS,
    total=AMOUNTS,
    lines=st.lists(LINES, max_size=3).map(tuple),
    payments=st.lists(PAYMENTS, max_size=2).map(tuple),
    refunds=st.lists(REFUNDS, max_size=2).map(tuple),
    buyer=st.builds(Buyer, name=TEXTS, email=TEXTS, rfc=TEXTS),
    exchange_rate=st.none() | AMOUNTS,
    test=st.booleans(),
    status=TEXTS,
    unverified=st.booleans(),
    doubts=st.lists(TEXTS, max_size=2).map(tuple),
)


@pytest.fixture(scope="session")
def sales() -> st.SearchStrategy[Sale]:
    return SALES
