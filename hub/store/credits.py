"""Which refunds a stamped invoice accounts for, and which credit note stands for which refund."""

from __future__ import annotations

import builtins
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from hub.domain.credit import totals_of
from hub.domain.placed import Basis, Share
from hub.domain.sale import Sale
from hub.store import schema
from hub.store.session import Scope


@dataclass(frozen=True, slots=True)
class CreditNote:
    """What makes an invoice row the credit note of one refund of the sale of another one."""

    invoice_id: str
    ingreso_id: str
    sale_id: str
    refund_key: str
    total: Decimal
    actor: str  # "hub", "staff"
    opened_at: datetime
    closed_at: datetime | None  # None while it stands for its refund
    #: "" while open; "withdrawn" (the refund went before it was issued), "given_up" (by a person),
    #: "cancelled" (by SAT), "test" (the merchant left practice).
    ended: str


class Credits:
    """A refund is held by at most one open note, so it is never credited twice."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def account_for(self, invoice_id: str, version: int, sale: Sale) -> None:
        """Keep what that document is made of: the sale's total and its refunds by then."""
        at: dict[str, Any] = {"invoice_id": invoice_id, "version": version}
        self._scope.add(schema.Basis, **at, charged=sale.total)
        for key, total in totals_of(sale).items():
            self._scope.add(schema.BasisRefund, **at, refund_key=key, total=total)

    def account_for_share(self, invoice_id: str, version: int, sale_id: str, share: Share) -> None:
        """The same of one of several sales that a document is made of."""
        at: dict[str, Any] = {"invoice_id": invoice_id, "version": version, "sale_id": sale_id}
        self._scope.add(
            schema.Share,
            **at,
            place=share.place,
            lines=share.lines,
            charged=share.basis.charged,
            due=share.due,
        )
        for key, total in share.basis.refunds.items():
            self._scope.add(schema.ShareRefund, **at, refund_key=key, total=total)

    def share(self, invoice_id: str, version: int, sale_id: str) -> Share | None:
        """What the sale is of that document; None if the document is of no other sale."""
        at: dict[str, Any] = {"invoice_id": invoice_id, "version": version, "sale_id": sale_id}
        row = self._scope.find(schema.Share, **at)
        if row is None:
            return None
        refunds = self._scope.all(schema.ShareRefund, "ORDER BY refund_key", **at)
        basis = Basis(row.charged, {one.refund_key: one.total for one in refunds})
        return Share(row.place, row.lines, row.due, basis)

    def basis(self, invoice_id: str, version: int) -> Basis | None:
        """None of a document that was sealed before such things were kept."""
        at: dict[str, Any] = {"invoice_id": invoice_id, "version": version}
        row = self._scope.find(schema.Basis, **at)
        if row is None:
            return None
        refunds = self._scope.all(schema.BasisRefund, "ORDER BY refund_key", **at)
        return Basis(row.charged, {one.refund_key: one.total for one in refunds})

    def open(
        self,
        invoice_id: str,
        *,
        ingreso_id: str,
        sale_id: str,
        refund_key: str,
        total: Decimal,
        actor: str,
    ) -> None:
        """The invoice row is the note of that refund.

        Raises `Refused` where another note stands for it, the ingreso accounts for it or does not
        hold the sale, or all notes together would make more than the ingreso.
        """
        self._scope.lock_sale(sale_id)
        self._scope.add(
            schema.CreditNote,
            invoice_id=invoice_id,
            ingreso_id=ingreso_id,
            sale_id=sale_id,
            refund_key=refund_key,
            total=total,
            actor=actor,
            opened_at=self._scope.clock.now(),
            ended="",
        )

    def get(self, invoice_id: str) -> CreditNote | None:
        row = self._scope.find(schema.CreditNote, invoice_id=invoice_id)
        return None if row is None else _note(row)

    def of_sale(self, sale_id: str) -> builtins.list[CreditNote]:
        """All there ever were, open or not, oldest first."""
        return _in_order(self._scope.all(schema.CreditNote, sale_id=sale_id))

    def of_ingreso(self, ingreso_id: str) -> builtins.list[CreditNote]:
        """Those that stand for a refund of it, oldest first."""
        return _in_order(self._scope.all(schema.CreditNote, ingreso_id=ingreso_id, closed_at=None))

    def release(self, invoice_id: str, ended: str) -> int:
        """The refund is free again; how many were. `Refused` while the note may be in force."""
        note = schema.CreditNote
        return self._scope.change(
            note,
            note.invoice_id == invoice_id,
            note.closed_at.is_null(),
            closed_at=self._scope.clock.now(),
            ended=ended,
        )


def _in_order(rows: builtins.list[schema.CreditNote]) -> builtins.list[CreditNote]:
    """Sorted here: for the order, SQLite would go through all notes of the merchant."""
    return [_note(row) for row in sorted(rows, key=lambda row: row.invoice_id)]


def _note(row: schema.CreditNote) -> CreditNote:
    return CreditNote(
        row.invoice_id,
        row.ingreso_id,
        row.sale_id,
        row.refund_key,
        row.total,
        row.actor,
        row.opened_at,
        row.closed_at,
        row.ended,
    )
