"""What buyers ask the merchant about a sale, and what they are answered."""

from __future__ import annotations

import builtins
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.store import schema
from hub.store.session import Scope


@dataclass(frozen=True, slots=True)
class Ask:
    """A buyer asks the merchant for what the page cannot do."""

    id: str
    sale_id: str
    kind: str
    form: Mapping[str, str]
    created_at: datetime
    resolved_at: datetime | None = None
    #: What the merchant said: "done", "declined" or "answered"; "" if nothing.
    outcome: str = ""
    answer: str = ""
    #: Of a sale that is divided, the part that it is about; 0: all of it.
    part: int = 0


class Asks:
    """What buyers ask the merchant for, one open request a kind and sale, or part of one."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def create(self, sale_id: str, kind: str, form: Mapping[str, str], *, part: int = 0) -> Ask:
        """Asked again while open, the newer form takes the place of the older."""
        ask = schema.Ask
        self._scope.lock_sale(sale_id)
        row = self._scope.find(ask, sale_id=sale_id, part=part, kind=kind, resolved_at=None)
        row_id = self._scope.clock.new_id() if row is None else row.id
        sealed = self._scope.seal_json("ask.form", row_id, dict(form))
        if row is not None:
            self._scope.change(ask, ask.id == row_id, form_sealed=sealed)
            return Ask(row_id, sale_id, kind, dict(form), row.created_at, part=part)
        now = self._scope.clock.now()
        self._scope.add(
            ask,
            id=row_id,
            sale_id=sale_id,
            part=part,
            kind=kind,
            form_sealed=sealed,
            created_at=now,
        )
        return Ask(row_id, sale_id, kind, dict(form), now, part=part)

    def of_sale(self, sale_id: str, *, besides: Collection[str] = ()) -> Ask | None:
        """The newest open request that is of none of these kinds."""
        rows = self._scope.all(schema.Ask, "ORDER BY id DESC", sale_id=sale_id, resolved_at=None)
        return next((self._record(row) for row in rows if row.kind not in besides), None)

    def get(self, ask_id: str) -> Ask | None:
        """Resolved or not; an erased one has an empty form."""
        row = self._scope.find(schema.Ask, id=ask_id)
        return None if row is None else self._record(row)

    def of_part(
        self, sale_id: str, part: int, *, besides: Collection[str] = ()
    ) -> builtins.list[Ask]:
        """Resolved or not, the newest first, without these kinds."""
        rows = self._scope.all(schema.Ask, "ORDER BY id DESC", sale_id=sale_id, part=part)
        return [self._record(row) for row in rows if row.kind not in besides]

    def is_open(self, sale_id: str, kind: str, *, part: int = 0) -> bool:
        """Whether one of that kind waits; in a write transaction nobody else files one then."""
        self._scope.lock_sale(sale_id)
        key: dict[str, Any] = {"sale_id": sale_id, "part": part, "kind": kind}
        return self._scope.find(schema.Ask, **key, resolved_at=None) is not None

    def made_since(self, sale_id: str, kind: str, since: datetime) -> bool:
        """Whether there was such a request since then, resolved or not."""
        row = self._scope.find(schema.Ask, "ORDER BY id DESC", sale_id=sale_id, kind=kind)
        return row is not None and row.created_at >= since

    def resolve(self, ask_id: str, outcome: str = "", answer: str = "") -> bool:
        """Once. With what the merchant says to the buyer, if it does."""
        ask = schema.Ask
        sealed = self._scope.seal("ask.answer", ask_id, answer.encode()) if answer else None
        return bool(
            self._scope.change(
                ask,
                ask.id == ask_id,
                ask.resolved_at.is_null(),
                resolved_at=self._scope.clock.now(),
                outcome=outcome,
                answer_sealed=sealed,
            )
        )

    def erase(self, sale_id: str, *, besides: Collection[str] = ()) -> None:
        """What buyers wrote is erased with what they were answered; their open requests end.

        Not of these kinds.
        """
        ask, now = schema.Ask, self._scope.clock.now()
        for row in self._scope.all(ask, sale_id=sale_id):
            if row.kind not in besides:
                sealed = self._scope.seal_json("ask.form", row.id, {})
                ended = row.resolved_at or now
                self._scope.change(
                    ask,
                    ask.id == row.id,
                    form_sealed=sealed,
                    resolved_at=ended,
                    outcome="",
                    answer_sealed=None,
                )

    def settle(self, sale_id: str, kind: str) -> None:
        """Resolve the open one of that sale and kind, if there is one."""
        ask = schema.Ask
        self._scope.change(
            ask,
            ask.sale_id == sale_id,
            ask.kind == kind,
            ask.resolved_at.is_null(),
            resolved_at=self._scope.clock.now(),
        )

    def list(self) -> builtins.list[Ask]:
        """Those not resolved yet, oldest first."""
        ask = schema.Ask
        rows = self._scope.rows(ask, ask.resolved_at.is_null(), order=ask.id)
        return [self._record(row) for row in rows]

    def _record(self, row: schema.Ask) -> Ask:
        form = self._scope.open_json("ask.form", row.id, row.form_sealed)
        sealed = row.answer_sealed
        answer = self._scope.open("ask.answer", row.id, sealed).decode() if sealed else ""
        return Ask(
            row.id,
            row.sale_id,
            row.kind,
            form,
            row.created_at,
            row.resolved_at,
            row.outcome,
            answer,
            row.part,
        )
