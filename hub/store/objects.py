"""Which sale each of a platform's objects stands for: its order, its charge, its bill."""

from __future__ import annotations

from hub.store import schema
from hub.store.session import Scope, whole_of


class Objects:
    """An id of a connection stands for one sale at a time; the primary key sees to it."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def hold(self, connection_id: str, *, alone: bool) -> None:
        """Until the end of the transaction nobody else gives ids of this connection to sales.

        First thing in the transaction. `alone` False lets in others who give away but the id of
        the order itself. SQLite has one writer at a time anyway.
        """
        if not self._scope.session.engine.lock_rows:
            return
        lock = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
        name = f"sale_object {self._scope.merchant_id} {connection_id}"
        self._scope.session.sql(f"SELECT {lock}(hashtextextended(?, 0))", name)

    def owner(self, connection_id: str, object_id: str) -> str | None:
        """The sale that the id stands for."""
        row = self._scope.find(schema.SaleObject, connection_id=connection_id, object_id=object_id)
        return None if row is None else row.sale_id

    def take(self, connection_id: str, object_id: str, sale_id: str) -> str:
        """Give the sale an id that nobody has; whose it is now."""
        key = {"connection_id": connection_id, "object_id": object_id}
        if self._scope.add_once(
            schema.SaleObject, "connection_id, object_id", **key, sale_id=sale_id
        ):
            return sale_id
        return self._scope.get(schema.SaleObject, **key).sale_id

    def give(self, connection_id: str, object_id: str, sale_id: str) -> None:
        """Whoever has the id, from now on it is this sale's."""
        if self.take(connection_id, object_id, sale_id) == sale_id:
            return
        row = schema.SaleObject
        self._scope.change(
            row,
            row.connection_id == connection_id,
            row.object_id == object_id,
            sale_id=sale_id,
        )

    def join(self, sale_id: str, into: str) -> None:
        """All that stood for the one sale stands for the other: the one is part of it."""
        row = schema.SaleObject
        self._scope.change(row, row.sale_id == sale_id, sale_id=into)

    def whole(self, sale_id: str) -> str:
        """The sale that this one is part of now; mostly itself."""
        return whole_of(self._scope.session, self._scope.merchant_id, sale_id)
