"""What came of holding a platform's books against the sales, the last time."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from hub.domain.books import Difference, Odd, Reconciled
from hub.store import schema
from hub.store.session import Scope


class Books:
    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def get(self, connection_id: str) -> Reconciled | None:
        row = self._scope.find(schema.Books, connection_id=connection_id)
        if row is None:
            return None
        return Reconciled(
            connection_id=row.connection_id,
            since=row.since,
            until=row.until,
            entries=row.entries,
            differences=tuple(map(_difference, json.loads(row.differences))),
            checked_at=row.checked_at,
        )

    def keep(
        self,
        connection_id: str,
        since: datetime,
        until: datetime,
        entries: int,
        differences: Iterable[Difference],
    ) -> None:
        """In place of what came of it before."""
        scope, books = self._scope, schema.Books
        values = {
            "since": since,
            "until": until,
            "entries": entries,
            "differences": json.dumps([_written(one) for one in differences]),
            "checked_at": scope.clock.now(),
        }
        if not scope.add_once(books, "connection_id", connection_id=connection_id, **values):
            scope.change(books, books.connection_id == connection_id, **values)


def _written(one: Difference) -> list[str | None]:
    return [one.order_id, one.odd.value, _text(one.theirs), _text(one.ours), one.currency]


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"


def _difference(told: list[str | None]) -> Difference:
    order_id, odd, theirs, ours, currency = told
    return Difference(str(order_id), Odd(str(odd)), _amount(theirs), _amount(ours), str(currency))


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
