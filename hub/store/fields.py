"""Column types that both engines store alike: instants and money are integers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from peewee import Field

from hub.domain.money import from_micros, to_micros

T = TypeVar("T")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

if TYPE_CHECKING:
    TypedField = Field
else:
    # peewee's fields are generic in their type stubs only.
    class TypedField(Field, Generic[T]):
        pass


#: Later than anything that happens.
EVER: Final = datetime(9999, 1, 1, tzinfo=UTC)


def micros(instant: datetime) -> int:
    """As an `InstantField` keeps it."""
    return (instant - EPOCH) // MICROSECOND


class InstantField(TypedField[T]):
    """Microseconds since 1970 in UTC. A naive time is refused."""

    field_type = "BIGINT"

    def db_value(self, value: datetime | None) -> int | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{self.name}: an instant without a time zone")
        return micros(value)

    def python_value(self, value: int | None) -> datetime | None:
        return None if value is None else EPOCH + value * MICROSECOND


class MoneyField(TypedField[T]):
    """Millionths of the currency's unit. More than six decimals are refused."""

    field_type = "BIGINT"

    def db_value(self, value: Decimal | None) -> int | None:
        return None if value is None else to_micros(value)

    def python_value(self, value: int | None) -> Decimal | None:
        return None if value is None else from_micros(value)
