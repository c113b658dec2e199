"""How a sale was divided into two invoices."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from hub.store import schema
from hub.store.session import Scope


@dataclass(frozen=True, slots=True)
class Division:
    """What of each line, by its key, is in the first part; the rest is in the second.

    `fingerprint` is that of the sale and its first part as it was divided.
    """

    sale_id: str
    number: int  # counts from 1 within the sale
    fingerprint: str
    units: Mapping[str, Decimal]
    made_at: datetime


class Divisions:
    """A sale has at most one in force; none is made or undone while any of it is invoiced."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def current(self, sale_id: str) -> Division | None:
        row = self._scope.find(schema.Division, sale_id=sale_id, closed_at=None)
        return None if row is None else _division(row)

    def make(self, sale_id: str, fingerprint: str, units: Mapping[str, Decimal]) -> Division:
        """Raises `Refused` if it is divided already, or anything of it is invoiced."""
        self._scope.lock_sale(sale_id)
        last = self._scope.find(schema.Division, "ORDER BY number DESC", sale_id=sale_id)
        number, now = 1 if last is None else last.number + 1, self._scope.clock.now()
        written = {key: f"{amount:f}" for key, amount in units.items()}
        self._scope.add(
            schema.Division,
            sale_id=sale_id,
            number=number,
            fingerprint=fingerprint,
            units=json.dumps(written, ensure_ascii=False, sort_keys=True),
            made_at=now,
        )
        return Division(sale_id, number, fingerprint, dict(units), now)

    def undo(self, sale_id: str) -> bool:
        """Whether there was one. Raises `Refused` while a part is invoiced."""
        division = schema.Division
        self._scope.lock_sale(sale_id)
        return bool(
            self._scope.change(
                division,
                division.sale_id == sale_id,
                division.closed_at.is_null(),
                closed_at=self._scope.clock.now(),
            )
        )


def _division(row: schema.Division) -> Division:
    units = {key: Decimal(text) for key, text in json.loads(row.units).items()}
    return Division(row.sale_id, row.number, row.fingerprint, units, row.made_at)
