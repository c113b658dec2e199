from __future__ import annotations

from decimal import Decimal, getcontext, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.money import MICROS_MAX, MoneyInvalid, from_micros, round_half_up, to_micros


@given(st.integers(-MICROS_MAX, MICROS_MAX))
def test_every_integer_comes_back(micros: int) -> None:
    assert to_micros(from_micros(micros)) == micros


@given(st.integers(-MICROS_MAX, MICROS_MAX))
def test_the_ambient_precision_changes_nothing(micros: int) -> None:
    with localcontext(getcontext()) as ambient:
        ambient.prec = 3
        assert to_micros(from_micros(micros)) == micros


@pytest.mark.parametrize(
    ("text", "micros"),
    [("0", 0), ("-0.00", 0), ("1E+2", 100_000_000), ("0.000001", 1), ("1.1000000000", 1_100_000)],
)
def test_known_amounts(text: str, micros: int) -> None:
    assert to_micros(Decimal(text)) == micros


@pytest.mark.parametrize(
    "text",
    ["NaN", "sNaN", "Infinity", "-Infinity", "0.0000001", "1E+40", "1E-40", "9223372036854.775808"],
)
def test_what_cannot_be_kept_is_refused(text: str) -> None:
    with pytest.raises(MoneyInvalid):
        to_micros(Decimal(text))


def test_too_large_an_integer_is_refused() -> None:
    with pytest.raises(MoneyInvalid):
        from_micros(MICROS_MAX + 1)


def test_amounts_show_at_least_two_decimals() -> None:
    shown = [str(from_micros(micros)) for micros in (0, 1_500_000, 1_234_567, -20)]
    assert shown == ["0.00", "1.50", "1.234567", "-0.00002"]


@pytest.mark.parametrize(
    ("text", "decimals", "rounded"),
    [("0.005", 2, "0.01"), ("0.004999", 2, "0.00"), ("2.5", 0, "3"), ("1.0005", 3, "1.001")],
)
def test_ties_go_up(text: str, decimals: int, rounded: str) -> None:
    assert str(round_half_up(Decimal(text), decimals)) == rounded
