"""A sale as JSON and back: canonical, so that the same sale is always the same text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, get_args, get_origin, get_type_hints

from hub.domain.sale import Sale

#: No amount or quantity of a sale is anywhere near; a longer one would only fill the disk.
DIGITS_MAX: Final = 40


class SnapshotInvalid(ValueError):
    """Not the JSON of a sale, or a sale that JSON cannot hold. The message holds no data of it."""


def to_json(sale: Sale) -> str:
    """ASCII, keys sorted, amounts as strings with the digits they carry, instants in UTC."""
    return json.dumps(_encode(sale), sort_keys=True, separators=(",", ":"))


def from_json(text: str) -> Sale:
    """The sale again. A field that is not there has its default; an unknown one is an error."""
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SnapshotInvalid("the snapshot is not JSON") from error
    sale = _decode(Sale, raw, "sale")
    if not isinstance(sale, Sale):
        raise SnapshotInvalid("the snapshot is not a sale")
    return sale


def _encode(value: object) -> Any:
    if is_dataclass(value):
        return {one.name: _encode(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, tuple):
        return [_encode(item) for item in value]
    if isinstance(value, Decimal):
        return _digits(value)
    if isinstance(value, datetime):
        return _instant(value)
    return value


def _digits(value: Decimal) -> str:
    if not value.is_finite() or not -DIGITS_MAX <= value.adjusted() <= DIGITS_MAX:
        raise SnapshotInvalid("a number of the sale is not finite or far too large")
    if not -DIGITS_MAX <= int(value.as_tuple().exponent) <= DIGITS_MAX:
        raise SnapshotInvalid("a number of the sale has too many digits")
    return format(value, "f")


def _instant(value: datetime) -> str:
    if value.tzinfo is None:
        raise SnapshotInvalid("an instant of the sale has no time zone")
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def _decode(kind: Any, raw: object, path: str) -> object:
    if is_dataclass(kind):
        return _decode_fields(kind, raw, path)
    if isinstance(kind, UnionType):
        present = next(one for one in get_args(kind) if one is not NoneType)
        return None if raw is None else _decode(present, raw, path)
    if get_origin(kind) is tuple:
        if not isinstance(raw, list):
            raise SnapshotInvalid(f"{path} is not a list")
        item = get_args(kind)[0]
        return tuple(_decode(item, one, f"{path}[{place}]") for place, one in enumerate(raw))
    return _decode_plain(kind, raw, path)


def _decode_fields(kind: Any, raw: object, path: str) -> object:
    if not isinstance(raw, Mapping):
        raise SnapshotInvalid(f"{path} is not an object")
    known = _hints(kind)
    if set(raw) - set(known):
        raise SnapshotInvalid(f"{path} has fields this version does not know")
    missing = _needed(kind) - set(raw)
    if missing:
        raise SnapshotInvalid(f"{path} lacks {', '.join(sorted(missing))}")
    return kind(**{name: _decode(known[name], raw[name], f"{path}.{name}") for name in raw})


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


@cache
def _needed(kind: Any) -> frozenset[str]:
    return frozenset(
        one.name
        for one in fields(kind)
        if one.default is MISSING and one.default_factory is MISSING
    )


def _decode_plain(kind: Any, raw: object, path: str) -> object:
    carrier = str if kind in (Decimal, datetime) or issubclass(kind, StrEnum) else kind
    if type(raw) is not carrier:
        raise SnapshotInvalid(f"{path} is not of the type it should be")
    try:
        value: object = datetime.fromisoformat(str(raw)) if kind is datetime else kind(raw)
    except (ValueError, InvalidOperation) as error:
        raise SnapshotInvalid(f"{path} cannot be read") from error
    if isinstance(value, Decimal):
        _digits(value)
    if isinstance(value, datetime):
        _instant(value)
    return value
