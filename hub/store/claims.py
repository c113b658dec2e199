"""Who claims which part of a sale, and what buyers ask the merchant about one."""

from __future__ import annotations

import builtins
from collections.abc import Collection, Mapping
from datetime import datetime

from hub.store import schema
from hub.store.records import Ask, Claim
from hub.store.session import Scope


class Claims:
    """A part of a sale is held by at most one open claim, so there is never a second CFDI."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def open(
        self,
        sale_id: str,
        *,
        invoice_id: str | None = None,
        global_uuid: str | None = None,
        part: int = 1,
        parts: int = 1,
    ) -> bool:
        """False if that part is held, or the sale is divided into another number of parts."""
        claim, clock = schema.Claim, self._scope.clock
        self._scope.lock_sale(sale_id)
        for held in self._open_rows(sale_id):
            if held.part == part or held.parts != parts:
                return False
        self._scope.add(
            claim,
            id=clock.new_id(),
            sale_id=sale_id,
            part=part,
            parts=parts,
            invoice_id=invoice_id,
            global_uuid=global_uuid,
            opened_at=clock.now(),
        )
        return True

    def of_sale(self, sale_id: str) -> list[Claim]:
        """Its open claims; in a write transaction nobody else can open one until its end."""
        self._scope.lock_sale(sale_id)
        return [_claim(row) for row in self._open_rows(sale_id)]

    def of_invoice(self, invoice_id: str) -> list[Claim]:
        """The open claims an invoice holds."""
        rows = self._scope.all(schema.Claim, "ORDER BY id", invoice_id=invoice_id, closed_at=None)
        return [_claim(row) for row in rows]

    def release(self, invoice_id: str) -> int:
        """Close what the invoice holds; the number. Refused while it may be in force."""
        claim = schema.Claim
        return self._scope.change(
            claim,
            claim.invoice_id == invoice_id,
            claim.closed_at.is_null(),
            closed_at=self._scope.clock.now(),
        )

    def release_global(self, global_uuid: str) -> int:
        """Free the sales that were marked as part of that global invoice; the number."""
        claim = schema.Claim
        return self._scope.change(
            claim,
            claim.global_uuid == global_uuid,
            claim.closed_at.is_null(),
            closed_at=self._scope.clock.now(),
        )

    def _open_rows(self, sale_id: str) -> list[schema.Claim]:
        return self._scope.all(schema.Claim, "ORDER BY part", sale_id=sale_id, closed_at=None)


def _claim(row: schema.Claim) -> Claim:
    return Claim(row.sale_id, row.part, row.parts, row.invoice_id, row.global_uuid, row.opened_at)


class Asks:
    """What buyers ask the merchant for, one open request a sale and kind."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def create(self, sale_id: str, kind: str, form: Mapping[str, str]) -> Ask:
        """Asked again while open, the newer form takes the place of the older."""
        ask = schema.Ask
        self._scope.lock_sale(sale_id)
        row = self._scope.find(ask, sale_id=sale_id, kind=kind, resolved_at=None)
        row_id = self._scope.clock.new_id() if row is None else row.id
        sealed = self._scope.seal_json("ask.form", row_id, dict(form))
        if row is not None:
            self._scope.change(ask, ask.id == row_id, form_sealed=sealed)
            return Ask(row_id, sale_id, kind, dict(form), row.created_at)
        now = self._scope.clock.now()
        self._scope.add(
            ask, id=row_id, sale_id=sale_id, kind=kind, form_sealed=sealed, created_at=now
        )
        return Ask(row_id, sale_id, kind, dict(form), now)

    def of_sale(self, sale_id: str, *, besides: Collection[str] = ()) -> Ask | None:
        """The newest open request that is of none of these kinds."""
        rows = self._scope.all(schema.Ask, "ORDER BY id DESC", sale_id=sale_id, resolved_at=None)
        return next((self._record(row) for row in rows if row.kind not in besides), None)

    def made_since(self, sale_id: str, kind: str, since: datetime) -> bool:
        """Whether there was such a request since then, resolved or not."""
        row = self._scope.find(schema.Ask, "ORDER BY id DESC", sale_id=sale_id, kind=kind)
        return row is not None and row.created_at >= since

    def resolve(self, ask_id: str) -> None:
        ask = schema.Ask
        self._scope.change(
            ask, ask.id == ask_id, ask.resolved_at.is_null(), resolved_at=self._scope.clock.now()
        )

    def list(self) -> builtins.list[Ask]:
        """Those not resolved yet, oldest first."""
        ask = schema.Ask
        rows = self._scope.rows(ask, ask.resolved_at.is_null(), order=ask.id)
        return [self._record(row) for row in rows]

    def _record(self, row: schema.Ask) -> Ask:
        form = self._scope.open_json("ask.form", row.id, row.form_sealed)
        return Ask(row.id, row.sale_id, row.kind, form, row.created_at)
