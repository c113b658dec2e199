"""A typed cursor over foreign JSON. Its errors name the place and never the value."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, TypeVar

from connectors.contract import DeliveryUnreadable

MAX_BYTES: Final = 8 * 1024 * 1024
MAX_DEPTH: Final = 40
MAX_ITEMS: Final = 5000
#: Commas, brackets and braces: thirty times those of large orders. Eight megabytes of empty
#: lists would take seconds and a quarter of a gigabyte.
MAX_PARTS: Final = 300_000
MAX_TEXT: Final = 20_000
#: Longer than any number that is really sent; keeps hostile exponents out of every later sum.
MAX_DIGITS: Final = 30
#: No shop sold anything before, and none sells after.
FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2200
#: Digits before the point of an amount or a quantity.
MAX_AMOUNT_DIGITS: Final = 12

T = TypeVar("T")

#: Line ends become blanks. Marks that turn the direction of writing would make "gpj.exe" read as
#: something else: https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing
_CONTROLS: Final = dict.fromkeys(
    (*range(32), 127, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
) | dict.fromkeys(map(ord, "\t\n\r"), " ")


def read_json(raw: bytes, *, max_bytes: int = MAX_BYTES) -> Reader:
    """A cursor at the root of the document. Raises `DeliveryUnreadable`, and nothing else."""
    if len(raw) > max_bytes:
        raise DeliveryUnreadable(f"the document is larger than {max_bytes} bytes")
    if sum(raw.count(sign) for sign in (b",", b"[", b"{")) > MAX_PARTS:
        raise DeliveryUnreadable("the document has more parts than any order")
    value = _parsed(raw)
    if isinstance(value, Exception):
        # Raised here and not where it was caught: the parser's error holds the whole document.
        too_deep = isinstance(value, RecursionError)
        what = "nested too deeply" if too_deep else "not JSON in UTF-8"
        raise DeliveryUnreadable(f"the document is {what}")
    _check_depth(value)
    return Reader(value)


def glance(raw: bytes) -> Reader:
    """The same for a look at a few names while a sender waits: five times as fast, for numbers are
    not read exactly and depth is not measured. Never for money. Raises `DeliveryUnreadable`.
    """
    try:
        return Reader(json.loads(raw.decode("utf-8"), parse_constant=_refuse))
    except (ValueError, RecursionError):
        pass
    raise DeliveryUnreadable("the document is not JSON in UTF-8, or nested too deeply")


def _parsed(raw: bytes) -> Any:
    try:
        text = raw.decode("utf-8")
        return json.loads(text, parse_float=_number, parse_int=_number, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        return error


def _number(text: str) -> Decimal:
    if len(text) <= MAX_DIGITS and "e" not in text and "E" not in text:
        return Decimal(text)  # JSON's grammar let it through, and it is as wide as it looks
    number = _decimal_of(text) if len(text) <= MAX_DIGITS else None
    if number is None or _too_wide(number, MAX_DIGITS):
        raise DeliveryUnreadable("the document holds a number of unreasonable size")
    return number


def _refuse(_: str) -> None:
    raise ValueError


def _check_depth(root: Any) -> None:
    level, depth = [root] if isinstance(root, dict | list) else [], 1
    while level:
        depth += 1  # of what it holds
        if depth > MAX_DEPTH:
            raise DeliveryUnreadable("the document is nested too deeply")
        level = [
            child
            for value in level
            for child in (value.values() if isinstance(value, dict) else value)
            if isinstance(child, dict | list)
        ]


@dataclass(frozen=True, slots=True)
class Reader:
    """One place in a document. A path is dotted: `billing.email`. JSON null counts as absent.

    Every reading takes a default for what is absent; without one, absence is an error. Something
    that is there but of another shape is always an error.
    """

    value: Any
    path: str = ""

    def at(self, path: str) -> Reader:
        """The place at `path`, which may be absent."""
        value, here = self.value, self.path
        for name in path.split("."):
            # PHP writes an empty map as [].
            if value is not None and value != [] and not isinstance(value, dict):
                raise DeliveryUnreadable(f"{here or 'the document'} is not an object")
            value = value.get(name) if value else None
            here = f"{here}.{name}" if here else name
        return Reader(value, here)

    def has(self, path: str) -> bool:
        return self.at(path).value is not None

    def names(self) -> frozenset[str]:
        """The names of an object; it must be one."""
        if not isinstance(self.value, dict):
            raise DeliveryUnreadable(f"{self.path or 'the document'} is not an object")
        return frozenset(self.value)

    def text(self, path: str, default: str | None = None) -> str:
        """A string or a whole number as a string, without control characters."""
        place = self.at(path)
        if place.value is None:
            return _or_missing(place, default)
        value = place.value
        if isinstance(value, Decimal) and value == value.to_integral_value():
            value = f"{value:f}"
        elif isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or len(value) > MAX_TEXT:
            raise DeliveryUnreadable(f"{place.path} is not a text")
        # A lone surrogate and NUL are legal in JSON and in no database.
        clean = value.encode("utf-8", "replace").decode("utf-8")
        return clean.translate(_CONTROLS)

    def decimal(self, path: str, default: Decimal | None = None) -> Decimal:
        """A number, or a string that holds one; exact. An empty string counts as absent."""
        place = self.at(path)
        if place.value is None or place.value == "":
            return _or_missing(place, default)
        return _decimal(place)

    def flag(self, path: str, default: bool | None = None) -> bool:  # noqa: FBT001 - the default of a reading, as in its siblings
        place = self.at(path)
        if place.value is None:
            return _or_missing(place, default)
        if not isinstance(place.value, bool):
            raise DeliveryUnreadable(f"{place.path} is not true or false")
        return place.value

    def items(self, path: str) -> tuple[Reader, ...]:
        """The elements of a list; none if it is absent."""
        place = self.at(path)
        if place.value is None:
            return ()
        return place.elements()

    def elements(self) -> tuple[Reader, ...]:
        """The elements of this list."""
        if not isinstance(self.value, list) or len(self.value) > MAX_ITEMS:
            raise DeliveryUnreadable(
                f"{self.path or 'the document'} is not a list (of fair length)"
            )
        return tuple(Reader(item, f"{self.path}[{i}]") for i, item in enumerate(self.value))

    def instant_gmt(self, path: str) -> datetime | None:
        """An ISO 8601 instant; without an offset it is UTC. None if absent or empty."""
        text = self.text(path, "")
        if not text:
            return None
        instant = _instant(text)
        if instant is None:
            raise DeliveryUnreadable(f"{self.at(path).path} is not an instant")
        return instant


def _instant(text: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
        instant = instant.replace(tzinfo=instant.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return instant if FIRST_YEAR <= instant.year <= LAST_YEAR else None


def _or_missing(place: Reader, default: T | None) -> T:
    if default is None:
        raise DeliveryUnreadable(f"{place.path} is missing")
    return default


def _decimal(place: Reader) -> Decimal:
    value = place.value
    if isinstance(value, str) and len(value) <= MAX_DIGITS:
        value = _decimal_of(value.strip())
    if not isinstance(value, Decimal) or _too_wide(value, MAX_AMOUNT_DIGITS):
        raise DeliveryUnreadable(f"{place.path} is not a number (of fair size)")
    return value


def _decimal_of(text: str) -> Decimal | None:
    try:
        # Decimal reads "1_000" and digits of any script; money has neither.
        return Decimal(text) if text.isascii() and "_" not in text else None
    except ArithmeticError:
        return None


def _too_wide(value: Decimal, digits: int) -> bool:
    if not value.is_finite():
        return True
    return value != 0 and not -MAX_DIGITS <= value.adjusted() < digits
