"""What every query of one transaction goes through. `Scope` adds the tenant to each of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from peewee import EXCLUDED, SQL

from cfdi.findings import Finding, FixableBy
from hub.clock import Clock
from hub.store.crypto import DataKey
from hub.store.engines import Engine, told
from hub.store.errors import RowUnknown
from hub.store.schema import IdBase, Sale, TenantBase
from hub.store.vault import Vault

T = TypeVar("T", bound=TenantBase)


@dataclass(slots=True)
class Session:
    """One open transaction."""

    engine: Engine
    clock: Clock
    vault: Vault
    writes: bool
    #: Queues with work that is due as soon as this is committed.
    promised: set[str] = field(default_factory=set)

    def run(self, query: Any) -> Any:
        """Execute a query; for a write the number of rows."""
        with told():
            return query.execute(self.engine.db)

    def one(self, query: Any) -> Any:
        """The first row or None."""
        return next(iter(self.run(query)), None)

    def locked(self, query: Any, *, skip: bool = False) -> Any:
        return self.engine.locked(query, skip=skip) if self.writes else query


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

    def first(self, model: type[T], *where: Any, order: Any = None) -> T | None:
        return next(iter(self.rows(model, *where, order=order, limit=1)), None)

    def get(self, model: type[T], *where: Any) -> T:
        """The row. Raises `RowUnknown`."""
        row = self.first(model, *where)
        if row is None:
            raise RowUnknown(f"no such {model.__name__.lower()} of this merchant")
        return row

    def add(self, model: type[T], **values: Any) -> None:
        self.session.run(model.insert(merchant_id=self.merchant_id, **values).as_rowcount())

    def add_once(
        self, model: type[T], unique: tuple[Any, ...], *, among: Any = None, **values: Any
    ) -> bool:
        """False if these columns' values are taken by another row; nothing is changed then.

        `among` is the condition of a partial index. Not `INSERT OR IGNORE`, which on SQLite would
        also swallow a missing value or a failed check.
        """
        query = model.insert(merchant_id=self.merchant_id, **values).on_conflict(
            conflict_target=(model.merchant_id, *unique),
            update={model.merchant_id: EXCLUDED.merchant_id},
            conflict_where=among,
            where=SQL("1 = 0"),
        )
        return bool(self.session.run(query.as_rowcount()))

    def change(self, model: type[T], *where: Any, **values: Any) -> int:
        query = model.update(**values).where(model.merchant_id == self.merchant_id, *where)
        return int(self.session.run(query))

    def lock(self, model: type[IdBase], row_id: str) -> None:
        """In a write transaction, let nobody else change that row until its end."""
        query = model.select(model.id).where(
            model.merchant_id == self.merchant_id, model.id == row_id
        )
        if self.session.writes:
            self.session.one(self.session.locked(query))

    def lock_sale(self, sale_id: str) -> None:
        self.lock(Sale, sale_id)

    def seal(self, kind: str, row: str, plain: bytes) -> bytes:
        return self.key.seal(kind, row, plain)

    def open(self, kind: str, row: str, sealed: bytes) -> bytes:
        return self.key.open(kind, row, sealed)

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
