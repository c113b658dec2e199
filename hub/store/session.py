"""What every query of one transaction goes through. `Scope` adds the tenant to each of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from cfdi.findings import Finding, FixableBy
from hub.clock import Clock
from hub.store import statements
from hub.store.crypto import DataKey
from hub.store.engines import Engine, told
from hub.store.errors import RowUnknown
from hub.store.schema import Base, IdBase, Sale, SaleObject, TenantBase
from hub.store.vault import Vault

M = TypeVar("M", bound=Base)
T = TypeVar("T", bound=TenantBase)
R = TypeVar("R")

#: Answers that a reading transaction keeps: more than a page asks for, and no heap for a long one.
REMEMBERED = 100


@dataclass(slots=True)
class Session:
    """One open transaction."""

    engine: Engine
    clock: Clock
    vault: Vault
    writes: bool
    #: Queues with work that is due as soon as this is committed.
    promised: set[str] = field(default_factory=set)
    #: What a reading transaction has found: its snapshot never changes, and the parts of a page ask
    #: for the same rows.
    found: dict[Any, list[Any]] = field(default_factory=dict)

    def run(self, query: Any) -> Any:
        """Execute a query; for a write the number of rows."""
        with told():
            return query.execute(self.engine.db)

    def select(
        self, model: type[M], rest: str = "", more: Sequence[Any] = (), /, **equal: Any
    ) -> list[M]:
        """Rows of any tenant with these values; `more` are those in `rest`."""
        asked = (model, rest, tuple(more), tuple(equal.items()))
        found = self.found.get(asked)
        if found is None:
            with told():
                found = statements.select(self.engine.db, model, equal, rest, more)
            if not self.writes and len(self.found) < REMEMBERED:
                self.found[asked] = found
        return list(found)

    def once(self, what: Any, read: Callable[[], R]) -> R:
        """What a reading transaction has made of rows, made once; `what` tells whose they are."""
        if self.writes:
            return read()
        found = self.found.get(what)
        if found is None:
            found = [read()]
            if len(self.found) < REMEMBERED:
                self.found[what] = found
        kept: R = found[0]
        return kept

    def sql(self, text: str, *values: Any) -> int:
        """A statement with `?` for its values; how many rows it changed."""
        with told():
            return int(statements.run(self.engine.db, text, values).rowcount)

    def rows(self, text: str, *values: Any) -> list[Any]:
        """What a statement with `?` for its values finds, as tuples."""
        with told():
            return list(statements.run(self.engine.db, text, values))

    def one(self, query: Any) -> Any:
        """The first row or None."""
        return next(iter(self.run(query)), None)


_OF_SALE = (
    "AND (connection_id, object_id) = "
    "(SELECT s.connection_id, s.key FROM sale s WHERE s.merchant_id = ? AND s.id = ?)"
)


def whole_of(session: Session, merchant_id: str, sale_id: str) -> str:
    """The sale that this one is part of now; mostly itself."""
    found = session.select(SaleObject, _OF_SALE, (merchant_id, sale_id), merchant_id=merchant_id)
    return found[0].sale_id if found else sale_id


#: Opens a short transaction of its own; True for one that writes.
Opening = Callable[[bool], AbstractContextManager[Session]]


@dataclass(frozen=True, slots=True)
class Scope:
    """One tenant within one transaction: its queries can reach no other tenant's rows."""

    session: Session
    merchant_id: str

    @property
    def clock(self) -> Clock:
        return self.session.clock

    @property
    def key(self) -> DataKey:
        return self.session.vault.data_key(self.session.engine.db, self.merchant_id)

    def rows(
        self, model: type[T], *where: Any, order: Any = None, limit: int | None = None
    ) -> list[T]:
        query = model.select().where(model.merchant_id == self.merchant_id, *where)
        if order is not None:
            query = query.order_by(order)
        return list(self.session.run(query.limit(limit)))

    def all(self, model: type[T], rest: str = "", **equal: Any) -> list[T]:
        """Rows whose columns are equal to these values, by a statement that is kept."""
        return self.session.select(model, rest, merchant_id=self.merchant_id, **equal)

    def find(self, model: type[T], rest: str = "", **equal: Any) -> T | None:
        return next(iter(self.all(model, f"{rest} LIMIT 1", **equal)), None)

    def once(self, kind: str, row: str, read: Callable[[], R]) -> R:
        """What is made of that row, opened and read once in a reading transaction."""
        return self.session.once((self.merchant_id, kind, row), read)

    def get(self, model: type[T], **equal: Any) -> T:
        """The row. Raises `RowUnknown`."""
        row = self.find(model, **equal)
        if row is None:
            raise RowUnknown(f"no such {model.__name__.lower()} of this merchant")
        return row

    def add(self, model: type[T], **values: Any) -> None:
        with told():
            statements.insert(
                self.session.engine.db, model, {"merchant_id": self.merchant_id, **values}
            )

    def add_once(self, model: type[T], unique: str, **values: Any) -> bool:
        """False if another row has the same values in `unique`; nothing is changed then.

        `unique` is a list of columns beside the merchant, with the condition of a partial index.
        Not `INSERT OR IGNORE`, which on SQLite also swallows a missing value or a failed check.
        """
        columns, _, where = unique.partition(" WHERE ")
        conflict = f"ON CONFLICT (merchant_id, {columns}){where and ' WHERE ' + where} DO NOTHING"
        values = {"merchant_id": self.merchant_id, **values}
        with told():
            return statements.insert(self.session.engine.db, model, values, conflict)

    def change(self, model: type[T], *where: Any, **values: Any) -> int:
        query = model.update(**values).where(model.merchant_id == self.merchant_id, *where)
        return int(self.session.run(query))

    def remove(self, model: type[T], *where: Any) -> int:
        """Delete rows; how many. For what may be forgotten, never for evidence."""
        query = model.delete().where(model.merchant_id == self.merchant_id, *where)
        return int(self.session.run(query))

    def lock(self, model: type[IdBase], row_id: str) -> None:
        """In a write transaction, let nobody else change that row until its end."""
        clause = self.session.engine.lock_rows
        if clause and self.session.writes:
            self.all(model, clause, id=row_id)

    def lock_sale(self, sale_id: str) -> None:
        self.lock(Sale, sale_id)

    def seal(self, kind: str, row: str, plain: bytes) -> bytes:
        return self.key.seal(kind, row, plain)

    def open(self, kind: str, row: str, sealed: bytes) -> bytes:
        return self.key.open(kind, row, sealed)

    def blind(self, kind: str, text: str) -> bytes:
        return self.key.blind(kind, text)

    def seal_json(self, kind: str, row: str, value: Any) -> bytes:
        return self.seal(kind, row, json.dumps(value, ensure_ascii=False, sort_keys=True).encode())

    def open_json(self, kind: str, row: str, sealed: bytes) -> Any:
        return json.loads(self.open(kind, row, sealed))

    def seal_findings(self, kind: str, row: str, findings: Iterable[Finding]) -> bytes:
        return self.seal_json(kind, row, [asdict(finding) for finding in findings])

    def open_findings(self, kind: str, row: str, sealed: bytes) -> tuple[Finding, ...]:
        return tuple(_finding(item) for item in self.open_json(kind, row, sealed))


def _finding(item: Mapping[str, Any]) -> Finding:
    return Finding(**{**item, "fixable_by": FixableBy(item["fixable_by"])})
