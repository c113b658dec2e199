"""Customers of a shop who come again: the data that count for each, and which sales are theirs."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from peewee import SQL

from hub.domain.customers import Fiscal, Profile, Source, known_by
from hub.store import schema
from hub.store.fields import EVER
from hub.store.session import Scope


@dataclass(frozen=True, slots=True)
class CustomerRow:
    connection_id: str
    key: str
    profile: Profile
    updated_at: datetime


class Customers:
    """`key` is the platform's id of the customer, within one connection."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def hold(self, connection_id: str) -> None:
        """In a write transaction: no profile of this connection is changed by others meanwhile."""
        self._scope.lock(schema.Connection, connection_id)

    def get(self, connection_id: str, key: str) -> Profile | None:
        row = self.row(connection_id, key)
        return None if row is None else row.profile

    def row(self, connection_id: str, key: str) -> CustomerRow | None:
        found = self._scope.find(schema.Customer, connection_id=connection_id, key=key)
        return None if found is None else self._record(found)

    def keep(self, connection_id: str, key: str, profile: Profile) -> None:
        """These data count from now on, whatever was there."""
        row, place = schema.Customer, f"{connection_id}/{key}"
        values: dict[str, Any] = {
            "profile_sealed": self._scope.seal_json("customer.profile", place, _sealed(profile)),
            "source": profile.source.value,
            "environment": profile.environment,
            "since_at": profile.since_at,
            "refused_sealed": self._scope.seal_findings("customer.refused", place, profile.refused),
            "updated_at": self._scope.clock.now(),
        }
        named = {"connection_id": connection_id, "key": key}
        if not self._scope.add_once(row, "connection_id, key", **named, **values):
            self._scope.change(row, *self._where(row, connection_id, key), **values)

    def list(
        self, limit: int = 100, after: tuple[str, str] | None = None
    ) -> builtins.list[CustomerRow]:
        """By connection and key; `after` are those of the last row seen."""
        row = schema.Customer
        where = []
        if after is not None:
            beyond = (row.connection_id == after[0]) & (row.key > after[1])
            where = [(row.connection_id > after[0]) | beyond]
        rows = self._scope.rows(row, *where, order=SQL("connection_id, key"), limit=limit)
        return [self._record(one) for one in rows]

    def forget(self, connection_id: str, key: str) -> bool:
        """Nothing is known of the customer any more; False if nothing was."""
        row = schema.Customer
        return bool(self._scope.remove(row, *self._where(row, connection_id, key)))

    def erase(self, connection_id: str, key: str) -> bool:
        """The profile, and that sales were this customer's: ask for `sales` before.

        False if neither was known.
        """
        link = schema.CustomerSale
        links = self._scope.remove(link, *self._where(link, connection_id, key))
        return self.forget(connection_id, key) or bool(links)

    def erase_all(self, connection_id: str, before: datetime = EVER) -> int:
        """The same for every customer of a connection, as far as it was known before then.

        How many had a profile.
        """
        link, row, sale, scope = schema.CustomerSale, schema.Customer, schema.Sale, self._scope
        old = sale.select(sale.id).where(
            sale.merchant_id == scope.merchant_id, sale.created_at < before
        )
        scope.remove(link, link.connection_id == connection_id, link.sale_id.in_(old))
        return scope.remove(row, row.connection_id == connection_id, row.updated_at < before)

    def bought(self, connection_id: str | None, key: str, sale_id: str) -> None:
        """That sale is this customer's. Of no use, and no error, for a key that names nobody."""
        if connection_id is None or not known_by(key):
            return
        named = {"connection_id": connection_id, "key": key, "sale_id": sale_id}
        self._scope.add_once(schema.CustomerSale, "connection_id, key, sale_id", **named)

    def sales(self, connection_id: str, key: str) -> builtins.list[str]:
        """The ids of all sales that were ever this customer's, oldest first."""
        rows = self._scope.all(
            schema.CustomerSale, "ORDER BY sale_id", connection_id=connection_id, key=key
        )
        return [row.sale_id for row in rows]

    @staticmethod
    def _where(row: Any, connection_id: str, key: str) -> tuple[Any, ...]:
        return row.connection_id == connection_id, row.key == key

    def _record(self, row: schema.Customer) -> CustomerRow:
        place = f"{row.connection_id}/{row.key}"
        opened = self._scope.open_json("customer.profile", place, row.profile_sealed)
        profile = Profile(
            data=Fiscal(**opened["data"]),
            source=Source(row.source),
            since_at=row.since_at,
            environment=row.environment,
            said=Fiscal(**opened["said"]),
            owner=opened["owner"],
            refused=self._scope.open_findings("customer.refused", place, row.refused_sealed),
        )
        return CustomerRow(row.connection_id, row.key, profile, row.updated_at)


def _sealed(profile: Profile) -> Mapping[str, Any]:
    return {"data": asdict(profile.data), "said": asdict(profile.said), "owner": profile.owner}
