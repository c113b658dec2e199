"""Money, dates and quantities as people in Mexico read them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal, get_currency_precision

_NO_BREAK_SPACE = "\u00a0"
#: The sign stands before amounts in these; the currency's code always follows.
_WITH_DOLLAR_SIGN = frozenset({"MXN", "USD", "CAD"})


def money(amount: Decimal, currency: str) -> str:
    """ "$1,234.50 MXN": unmistakable, whatever the reader's language."""
    decimals = get_currency_precision(currency)
    pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
    digits = format_decimal(abs(amount), pattern, locale="es_MX")
    sign = "$" if currency in _WITH_DOLLAR_SIGN else ""
    minus = "\u2212" if amount < 0 else ""
    return f"{minus}{sign}{digits}{_NO_BREAK_SPACE}{currency}"


def quantity(value: Decimal, locale: str) -> str:
    """Without insignificant zeros: 2.000 → 2."""
    return str(format_decimal(value, "#,##0.######", locale=locale))


def day(instant: datetime, locale: str) -> str:
    """20 de noviembre de 2026, in the instant's own zone."""
    return str(format_date(instant.date(), "long", locale=locale))


def day_and_time(instant: datetime, locale: str) -> str:
    """lunes, 30 de noviembre de 2026, 23:59, in the instant's own zone."""
    pattern = "EEEE d 'de' MMMM 'de' y, HH:mm" if locale == "es_MX" else "EEEE, MMMM d, y, HH:mm"
    return str(format_datetime(instant.replace(tzinfo=None), pattern, locale=locale))
