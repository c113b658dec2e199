from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.sale import PaymentState, Sale
from hub.domain.snapshot import SnapshotInvalid, from_json, to_json

SMALL = Sale(
    key="1",
    number="1",
    revision=1,
    placed_at=datetime(2026, 11, 20, tzinfo=UTC),
    paid_at=None,
    payment_state=PaymentState.PAID,
    currency="MXN",
    total=Decimal("116.00"),
    lines=(),
)


@given(data=st.data())
def test_a_sale_comes_back_as_it_was(data: st.DataObject, sales: st.SearchStrategy[Sale]) -> None:
    sale = data.draw(sales)
    text = to_json(sale)
    again = from_json(text)
    assert again == sale
    assert to_json(again) == text
    assert text.isascii()
    assert "\x00" not in text


def test_amounts_are_strings_with_their_own_digits() -> None:
    assert json.loads(to_json(SMALL))["total"] == "116.00"
    assert json.loads(to_json(replace(SMALL, total=Decimal("1E+2"))))["total"] == "100"


def test_the_same_instant_in_another_zone_is_the_same_text() -> None:
    there = timezone(timedelta(hours=-6))
    assert to_json(replace(SMALL, placed_at=SMALL.placed_at.astimezone(there))) == to_json(SMALL)


def test_fields_that_came_later_have_their_default() -> None:
    raw = json.loads(to_json(SMALL))
    del raw["doubts"], raw["unverified"]
    assert from_json(json.dumps(raw)) == SMALL


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1E+50", "1E-50"])
def test_a_sale_with_an_impossible_number_is_refused(number: str) -> None:
    with pytest.raises(SnapshotInvalid):
        to_json(replace(SMALL, total=Decimal(number)))


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(SnapshotInvalid):
        to_json(replace(SMALL, placed_at=datetime(2026, 11, 20)))  # noqa: DTZ001 - the point


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("total", 1.1),
        ("total", "NaN"),
        ("total", "x"),
        ("total", "1E+900"),
        ("revision", "1"),
        ("revision", True),
        ("placed_at", "yesterday"),
        ("placed_at", "2026-11-20T00:00:00"),
        ("payment_state", "rich"),
        ("lines", {}),
        ("lines", [1]),
        ("buyer", None),
        ("test", 1),
        ("colour", "red"),
    ],
)
def test_wrong_values_are_refused_by_name(field: str, value: Any) -> None:
    raw = json.loads(to_json(SMALL)) | {field: value}
    with pytest.raises(SnapshotInvalid) as caught:
        from_json(json.dumps(raw))
    assert str(value) not in str(caught.value) or len(str(value)) < 3


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", "[" * 100_000])
def test_what_is_no_sale_is_refused(text: str) -> None:
    with pytest.raises(SnapshotInvalid):
        from_json(text)
