"""Money, dates and quantities as people in Mexico read them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal, get_currency_precision

_NO_BREAK_SPACE = "\u00a0"
_MINUS = "\u2212"
#: How a merchant has dates written (`formato_fecha`) that said nothing.
LONG = "largo"
#: The sign stands before amounts in these; the currency's code always follows.
_WITH_DOLLAR_SIGN = frozenset({"MXN", "USD", "CAD"})


def money(amount: Decimal, currency: str) -> str:
    """$1,234.50 MXN: unmistakable, whatever the reader's language."""
    return f"{plain_money(amount, currency)}{_NO_BREAK_SPACE}{currency}"


def plain_money(amount: Decimal, currency: str) -> str:
    """$1,234.50: for amounts of a list whose total says the currency."""
    decimals = get_currency_precision(currency)
    pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
    digits = format_decimal(abs(amount), pattern, locale="es_MX")
    sign = "$" if currency in _WITH_DOLLAR_SIGN else ""
    return f"{_MINUS if amount < 0 else ''}{sign}{digits}"


def _days(style: str, locale: str) -> str:
    if style == "iso":
        return "yyyy-MM-dd"
    # 01/02 is another day to readers of English: the month is said in letters.
    return "dd/MM/yyyy" if locale == "es_MX" else "d MMM yyyy"


def quantity(value: Decimal, locale: str) -> str:
    """Without insignificant zeros: 2.000 → 2."""
    return str(format_decimal(value, "#,##0.######", locale=locale))


def day(instant: datetime, locale: str, style: str = LONG) -> str:
    """In the instant's own zone: 20 de noviembre de 2026, or shorter as the merchant wants it."""
    if style == LONG:
        return str(format_date(instant.date(), "long", locale=locale))
    return str(format_date(instant.date(), _days(style, locale), locale=locale))


def day_and_time(instant: datetime, locale: str, style: str = LONG) -> str:
    """lunes 30 de noviembre de 2026 a las 23:59, in the instant's own zone; or shorter."""
    if style != LONG:
        return f"{day(instant, locale, style)} {instant:%H:%M}"
    pattern = (
        "EEEE d 'de' MMMM 'de' y 'a las' HH:mm"
        if locale == "es_MX"
        else "EEEE, MMMM d, y 'at' HH:mm"
    )
    return str(format_datetime(instant.replace(tzinfo=None), pattern, locale=locale))
