# ruff: noqa: S608 - SQL made of the names of the schema; values go as parameters
"""The plain statements, written out once for each shape and kept.

peewee takes longer to write a statement than SQLite to run it (0.4 ms of 0.5 on one insert), so
what every delivery, job and page needs is not written anew each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, TypeVar

from peewee import BigIntegerField, BlobField, IntegerField, SqliteDatabase, TextField

from hub.store.schema import Base

M = TypeVar("M", bound=Base)

#: Both drivers give these as the text, number and bytes that they are.
_AS_THEY_ARE: Final = frozenset({TextField, IntegerField, BigIntegerField, BlobField})


def insert(db: Any, model: type[Base], values: Mapping[str, Any], conflict: str = "") -> bool:
    """Add a row; False if `conflict` ("ON CONFLICT …") made it none."""
    text = _insert(model, tuple(values), conflict, _mark(db))
    return bool(db.execute_sql(text, _raw(model, values)).rowcount > 0)


def select(
    db: Any, model: type[M], equal: Mapping[str, Any], rest: str = "", more: Sequence[Any] = ()
) -> list[M]:
    """Rows whose columns are equal to these values (None: NULL).

    `rest` follows the conditions: more of them, with `?` for the values in `more`, order, limit.
    """
    present = {name: value for name, value in equal.items() if value is not None}
    absent = tuple(name for name in equal if name not in present)
    text = _select(model, tuple(present), absent, rest, _mark(db))
    return [_row(model, row) for row in db.execute_sql(text, [*_raw(model, present), *more])]


def _row(model: type[M], values: Sequence[Any]) -> M:
    """As peewee would make it, without telling it of each column that it is changed."""
    data = dict(zip(_names(model), values, strict=True))
    for name, read in _readers(model):
        if data[name] is not None:
            data[name] = read(data[name])
    row = model(__no_default__=1)
    row.__data__.update(data)
    return row


def run(db: Any, text: str, values: Sequence[Any]) -> Any:
    """A statement with `?` for its values; its cursor."""
    return db.execute_sql(text if _mark(db) == "?" else _for_psycopg(text), values)


@lru_cache(maxsize=256)
def _for_psycopg(text: str) -> str:
    return text.replace("?", "%s")


def _mark(db: Any) -> str:
    return "?" if isinstance(db, SqliteDatabase) else "%s"


@lru_cache(maxsize=256)
def _insert(model: type[Base], names: tuple[str, ...], conflict: str, mark: str) -> str:
    columns = ", ".join(f'"{name}"' for name in names)
    marks = ", ".join(mark for _ in names)
    return f'INSERT INTO "{_table(model)}" ({columns}) VALUES ({marks}) {conflict}'


@lru_cache(maxsize=256)
def _select(
    model: type[Base], names: tuple[str, ...], absent: tuple[str, ...], rest: str, mark: str
) -> str:
    columns = ", ".join(f'"{name}"' for name in _names(model))
    where = [*(f'"{name}" = {mark}' for name in names), *(f'"{name}" IS NULL' for name in absent)]
    rest = rest.replace("?", mark)
    return f'SELECT {columns} FROM "{_table(model)}" WHERE {" AND ".join(where) or "1 = 1"} {rest}'


@lru_cache(maxsize=64)
def _names(model: type[Base]) -> tuple[str, ...]:
    return tuple(field.name for field in _meta(model).sorted_fields)


@lru_cache(maxsize=64)
def _readers(model: type[Base]) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    """The columns whose values the drivers do not give as they are wanted."""
    return tuple(
        (field.name, field.python_value)
        for field in _meta(model).sorted_fields
        if type(field) not in _AS_THEY_ARE
    )


def _raw(model: type[Base], values: Mapping[str, Any]) -> list[Any]:
    return list(_converted(model, values))


def _converted(model: type[Base], values: Mapping[str, Any]) -> Iterator[Any]:
    fields = _meta(model).fields
    for name, value in values.items():
        yield None if value is None else fields[name].db_value(value)


def _table(model: type[Base]) -> str:
    return str(_meta(model).table_name)


def _meta(model: type[Base]) -> Any:
    return model._meta  # noqa: SLF001 - peewee's documented name
