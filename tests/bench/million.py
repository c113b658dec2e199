"""A database of many sales, made by copying the rows of one that went the whole way.

Whatever the tables are today, a copy has the rows of its original: each row of a tenant's table
that names the sale or its invoice, with ids of its own and its sealed columns sealed anew, so that
it opens like any other.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from peewee import SqliteDatabase

from hub.clock import SystemClock
from hub.store import guards, schema
from hub.store.crypto import DataKey
from hub.store.database import Store, Transaction
from hub.store.fields import micros

#: What a sealed column is bound to: its kind, and the columns that name the row.
_SEALS: Final[dict[tuple[str, str], tuple[str, tuple[str, ...]]]] = {
    ("sale", "snapshot_sealed"): ("sale.snapshot", ("id",)),
    ("sale", "reasons_sealed"): ("sale.reasons", ("id",)),
    ("invoice", "receptor_sealed"): ("invoice.receptor", ("id",)),
    ("invoice", "findings_sealed"): ("invoice.findings", ("id",)),
    ("document", "xml_sealed"): ("document.xml", ("invoice_id", "version")),
    ("answer", "raw_sealed"): ("answer.raw", ("invoice_id", "number")),
    ("stamp", "xml_sealed"): ("stamp.xml", ("invoice_id",)),
}
_BATCH: Final = 5_000
_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class _New:
    """What is another one's in each copy."""

    number: int
    sale_id: str
    invoice_id: str
    token: str


#: One value of a copy's row, made of what is new and of the columns before it.
_Maker = Callable[[_New, Mapping[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class _Plan:
    table: str
    makers: Mapping[str, _Maker]

    def row(self, new: _New) -> list[Any]:
        made: dict[str, Any] = {}
        for column, maker in self.makers.items():
            made[column] = maker(new, made)
        return list(made.values())


def fill(
    store: Store, merchant_id: str, sale_id: str, copies: int, *, keep: int = 500, at: datetime
) -> list[str]:
    """Copy this sale so many times; the tokens of the links of `keep` of them, evenly spread.

    The copies count as confirmed by their shop at `at`. For a database that nobody else uses
    meanwhile: its guards are away, and references are not checked.
    """
    with store.reading() as tx:
        plans = list(_plans(tx, merchant_id, sale_id, at))
        there = int(tx.session.rows("SELECT COUNT(*) FROM sale")[0][0])
    clock, kept, every = SystemClock(), list[str](), max(copies // keep, 1)
    with _unguarded(store):
        for first in range(there, there + copies, _BATCH):
            batch = [
                _New(number, clock.new_id(), clock.new_id(), secrets.token_urlsafe(32))
                for number in range(first, min(first + _BATCH, there + copies))
            ]
            with store.transaction() as tx:
                for plan in plans:
                    _insert(tx.session.engine.db, plan, batch)
            kept += [one.token for one in batch if one.number % every == 0]
    return kept


@contextmanager
def _unguarded(store: Store) -> Iterator[None]:
    with store.transaction() as tx:
        db = tx.session.engine.db
        guards.drop(db)
    lite = isinstance(db, SqliteDatabase)
    if lite:
        for pragma in ("cache_size = -400000", "foreign_keys = 0", "synchronous = 0"):
            db.execute_sql(f"PRAGMA {pragma}")
    yield
    with store.transaction() as tx:
        guards.install(db)
    if not lite:
        db.execute_sql("ANALYZE")


def _insert(db: Any, plan: _Plan, batch: Sequence[_New]) -> None:
    mark = "?" if isinstance(db, SqliteDatabase) else "%s"
    columns = ", ".join(f'"{column}"' for column in plan.makers)
    marks = ", ".join(mark for _ in plan.makers)
    db.cursor().executemany(
        f'INSERT INTO "{plan.table}" ({columns}) VALUES ({marks})', [plan.row(new) for new in batch]
    )


def _plans(tx: Transaction, merchant_id: str, sale_id: str, at: datetime) -> Iterator[_Plan]:
    tenant = tx.tenant(merchant_id)
    sale, invoice = tenant.sales.get(sale_id), tenant.invoices.for_sale(sale_id)
    if sale is None:
        raise LookupError("there is no such sale")
    known = {sale_id: "sale_id", sale.sale.key: "key"}
    ids = {"sale_id": sale_id}
    if invoice is not None:
        known[invoice.id] = "invoice_id"
        ids["invoice_id"] = invoice.id
    key = tx.session.vault.data_key(tx.session.engine.db, merchant_id)
    for model in _models():
        for row in _rows(tx, model, merchant_id, ids):
            copied = _Copied(_name(model), row, known, key, micros(at))
            yield _Plan(_name(model), {column: copied.maker(column) for column in row})


def _models() -> Iterator[type[schema.TenantBase]]:
    """In the order of the schema: none refers to a later one."""
    for one in vars(schema).values():
        if isinstance(one, type) and issubclass(one, schema.TenantBase):
            yield one


def _rows(
    tx: Transaction, model: type[schema.TenantBase], merchant_id: str, ids: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """The raw rows that name the sale or its invoice, each once."""
    fields = model._meta.sorted_fields
    columns = [field.name for field in fields]
    own = ids.get(f"{_name(model)}_id")
    named = {"id": own} if own else {name: ids[name] for name in ids if name in columns}
    if not named:
        return
    where = " OR ".join(f'"{column}" = ?' for column in named)
    listed = ", ".join(f'"{column}"' for column in columns)
    text = f'SELECT {listed} FROM "{_name(model)}" WHERE merchant_id = ? AND ({where})'
    for row in tx.session.rows(text, merchant_id, *named.values()):
        yield dict(zip(columns, row, strict=True))


@dataclass(frozen=True, slots=True)
class _Copied:
    """One row of the original, and how each of its columns is made for a copy."""

    table: str
    original: Mapping[str, Any]
    known: Mapping[str, str]
    key: DataKey
    at: int

    def maker(self, column: str) -> _Maker:
        value = self.original[column]
        if column.endswith("_sealed") and value is not None:
            return self._sealed(column, bytes(value))
        special = _SPECIAL.get((self.table, column))
        if special is not None:
            return special
        if (self.table, column) == ("sale", "verified_at"):
            return lambda _new, _row: self.at
        match self.known.get(value) if isinstance(value, str) else None:
            case "sale_id":
                return lambda new, _row: new.sale_id
            case "invoice_id":
                return lambda new, _row: new.invoice_id
            case "key":
                return lambda new, _row: f"copy-{new.number}"
        if column == "id":
            return lambda new, _row: secrets.token_hex(16)
        return lambda _new, _row: value

    def _sealed(self, column: str, value: bytes) -> _Maker:
        if column == "token_sealed":
            return lambda new, row: self.key.seal(
                "link.token", f"{row['sale_id']}/{row['generation']}", new.token.encode()
            )
        kind, names = _SEALS[self.table, column]
        plain = self.key.open(kind, "/".join(str(self.original[one]) for one in names), value)
        return lambda _new, row: self.key.seal(
            kind, "/".join(str(row[one]) for one in names), plain
        )


def _code(number: int) -> str:
    letters = ""
    for _ in range(8):
        number, place = divmod(number, len(_ALPHABET))
        letters += _ALPHABET[place]
    return letters


#: Unique within a merchant, or in the whole database.
_SPECIAL: Final[dict[tuple[str, str], _Maker]] = {
    ("sale", "code"): lambda new, _row: _code(new.number),
    ("link", "token_hash"): lambda new, _row: hashlib.sha256(new.token.encode()).digest(),
    ("document", "folio"): lambda new, _row: f"copy-{new.invoice_id}",
    ("stamp", "uuid"): lambda new, _row: str(uuid.UUID(new.invoice_id)),
}


def _name(model: type[schema.Base]) -> str:
    return str(model._meta.table_name)
