from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from cfdi.findings import Finding, FixableBy
from hub.domain.policy import Kind, deadline, may_invite, standing
from hub.domain.rules import Rules, parse
from hub.domain.sale import PaymentState, Refund, Sale

MEXICO = ZoneInfo("America/Mexico_City")
TIJUANA = ZoneInfo("America/Tijuana")
NOW = datetime(2026, 11, 20, 18, tzinfo=UTC)
PAID = Sale(
    key="1",
    number="1",
    revision=1,
    placed_at=NOW - timedelta(days=1),
    paid_at=NOW - timedelta(days=1),
    payment_state=PaymentState.PAID,
    currency="MXN",
    total=Decimal("116.00"),
    lines=(),
)


def kind(sale: Sale, *, rules: Rules | None = None, now: datetime = NOW) -> Kind:
    return standing(sale, rules=rules or Rules(), zone=MEXICO, now=now).kind


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Kind.OPEN),
        ({"payment_state": PaymentState.PENDING}, Kind.PENDING),
        ({"payment_state": PaymentState.CANCELLED}, Kind.CANCELLED),
        ({"payment_state": PaymentState.REFUNDED}, Kind.REFUNDED),
        ({"payment_state": PaymentState.UNKNOWN}, Kind.REVIEW),
        ({"paid_at": None}, Kind.REVIEW),
        ({"total": Decimal(0)}, Kind.FREE),
        ({"total": Decimal(-1)}, Kind.REVIEW),
        ({"refunds": (Refund("r", Decimal("116.00")),)}, Kind.REFUNDED),
        ({"refunds": (Refund("r", Decimal("115.99")),)}, Kind.OPEN),
        ({"refunds": (Refund("r", Decimal("200.00")),)}, Kind.REVIEW),
        ({"paid_at": NOW + timedelta(days=2)}, Kind.REVIEW),
        ({"paid_at": NOW - timedelta(days=40)}, Kind.EXPIRED),
        ({"hold": "disputed"}, Kind.HELD),
        ({"hold": "disputed", "paid_at": NOW - timedelta(days=40)}, Kind.HELD),
        ({"hold": "disputed", "payment_state": PaymentState.CANCELLED}, Kind.CANCELLED),
        ({"hold": "disputed", "payment_state": PaymentState.UNKNOWN}, Kind.REVIEW),
        ({"hold": "disputed", "total": Decimal(-1)}, Kind.REVIEW),
        ({"barred": "other seller"}, Kind.BARRED),
        ({"barred": "other seller", "hold": "disputed"}, Kind.BARRED),
        ({"barred": "other seller", "total": Decimal(-1)}, Kind.BARRED),
        ({"on_credit": True, "payment_state": PaymentState.PENDING}, Kind.PENDING),
    ],
)
def test_standings(changes: dict[str, object], expected: Kind) -> None:
    assert kind(replace(PAID, **changes)) is expected  # type: ignore[arg-type] - a table of cases


def test_a_sale_to_look_at_is_not_open_but_keeps_its_deadline() -> None:
    finding = Finding("x", "", "x", "x", FixableBy.MERCHANT)
    found = standing(PAID, rules=Rules(), zone=MEXICO, now=NOW, reasons=(finding,))
    assert (found.kind, found.reason) == (Kind.REVIEW, "findings")
    assert found.deadline_at is not None


def test_the_month_ends_in_the_zone_of_the_place_of_issue() -> None:
    late = datetime(2026, 12, 1, 5, 30, tzinfo=UTC)  # still 30 November in Mexico City
    assert deadline(late - timedelta(days=9), Rules(), MEXICO) == datetime(
        2026, 12, 1, 5, 59, 59, tzinfo=UTC
    )
    assert deadline(late - timedelta(days=9), Rules(), TIJUANA) == datetime(
        2026, 12, 1, 7, 59, 59, tzinfo=UTC
    )


def test_the_window_is_never_shorter_than_72_hours() -> None:
    paid_at = datetime(2026, 11, 30, 23, tzinfo=UTC)
    assert deadline(paid_at, Rules(), MEXICO) == paid_at + timedelta(hours=72)
    assert deadline(paid_at, parse("[ventana]\ndias=1"), MEXICO) == paid_at + timedelta(hours=72)


def test_the_year_is_the_one_at_the_place_of_issue() -> None:
    paid_at = datetime(2027, 1, 1, 5, 30, tzinfo=UTC)  # still 2026 in Mexico City
    year = parse("[ventana]\nhasta='anio'")
    assert deadline(paid_at, year, MEXICO) == paid_at + timedelta(hours=72)


def test_the_last_second_counts_and_the_next_does_not() -> None:
    end = deadline(PAID.paid_at or NOW, Rules(), MEXICO)
    assert kind(PAID, now=end) is Kind.OPEN
    assert kind(PAID, now=end + timedelta(seconds=1)) is Kind.EXPIRED


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        ("", datetime(2028, 3, 1, 5, 59, 59, tzinfo=UTC)),
        ("[ventana]\nhasta='anio'", datetime(2029, 1, 1, 5, 59, 59, tzinfo=UTC)),
        ("[ventana]\nemite_global=false", datetime(2029, 1, 1, 5, 59, 59, tzinfo=UTC)),
        ("[ventana]\nemite_global=false\nhasta='mes'", datetime(2028, 3, 1, 5, 59, 59, tzinfo=UTC)),
        ("[ventana]\ndias=10", datetime(2028, 2, 26, 5, 59, 59, tzinfo=UTC)),
    ],
)
def test_windows(toml: str, expected: datetime) -> None:
    paid_at = datetime(2028, 2, 15, 18, tzinfo=UTC)
    assert deadline(paid_at, parse(toml), MEXICO) == expected


def test_a_day_of_23_hours_ends_at_its_own_midnight() -> None:
    paid_at = datetime(2026, 3, 1, 18, tzinfo=UTC)
    end = deadline(paid_at, parse("[ventana]\ndias=7"), TIJUANA)  # the clock moves on 8 March
    assert end.astimezone(TIJUANA).isoformat() == "2026-03-08T23:59:59-07:00"


def test_invitations() -> None:
    def invited(sale: Sale = PAID, toml: str = "", since: datetime | None = None) -> bool:
        return may_invite(sale, rules=parse(toml), now=NOW, since=since)

    assert invited()
    assert invited(since=PAID.paid_at)
    assert not invited(since=NOW)
    assert invited(replace(PAID, paid_at=NOW - timedelta(days=7)))
    assert not invited(replace(PAID, paid_at=NOW - timedelta(days=7, seconds=1)))
    assert invited(replace(PAID, paid_at=NOW - timedelta(days=20)), "[invitaciones]\ndias=30")
    assert not invited(toml="[invitaciones]\nenviar=false")
    assert not invited(replace(PAID, test=True))
    assert not invited(replace(PAID, hold="disputed"))
    assert not invited(replace(PAID, barred="other seller"))
    assert not invited(replace(PAID, paid_at=None))
    assert not invited(replace(PAID, payment_state=PaymentState.CANCELLED))
    assert not invited(replace(PAID, refunds=(Refund("r", PAID.total),)))
