"""Who claims which part of a sale."""

from __future__ import annotations

from hub.store import schema
from hub.store.records import Claim
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
        if parts == 1 and self._scope.find(schema.Division, sale_id=sale_id, closed_at=None):
            return False
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

    def part_of(self, invoice_id: str, sale_id: str) -> int:
        """Which part of the sale the invoice is, or was, of; 0: all of it."""
        row = self._scope.find(
            schema.Claim, "ORDER BY id DESC", invoice_id=invoice_id, sale_id=sale_id
        )
        return row.part if row is not None and row.parts > 1 else 0

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
