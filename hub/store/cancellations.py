"""Requests to cancel, and what became of them. Rows are only ever added."""

from __future__ import annotations

from cfdi.cancelacion import Motivo
from hub.domain.states import State
from hub.store import schema
from hub.store.records import CancelEvent, Cancellation
from hub.store.session import Scope


class Cancellations:
    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def ask(
        self, invoice_id: str, motivo: Motivo, substitute: str, *, actor: str, was: State
    ) -> None:
        """File the wish. Raises `Refused` unless the invoice is stamped or superseded."""
        self._scope.lock(schema.Invoice, invoice_id)
        row = schema.Cancellation
        last = self._scope.find(row, "ORDER BY number DESC", invoice_id=invoice_id)
        self._scope.add(
            row,
            invoice_id=invoice_id,
            number=1 if last is None else last.number + 1,
            motivo=str(motivo),
            substitute=substitute,
            actor=actor,
            was=was.value,
            asked_at=self._scope.clock.now(),
        )

    def current(self, invoice_id: str) -> Cancellation | None:
        """The newest, with everything that happened to it, oldest first."""
        row = self._scope.find(schema.Cancellation, "ORDER BY number DESC", invoice_id=invoice_id)
        if row is None:
            return None
        events = self._scope.all(
            schema.CancelEvent, "ORDER BY step", invoice_id=invoice_id, number=row.number
        )
        return Cancellation(
            invoice_id=invoice_id,
            number=row.number,
            motivo=Motivo(row.motivo),
            substitute=row.substitute,
            actor=row.actor,
            was=State(row.was),
            asked_at=row.asked_at,
            events=tuple(CancelEvent(e.step, e.kind, e.code, e.happened_at) for e in events),
        )

    def note(self, cancellation: Cancellation, kind: str, code: str, detail: bytes = b"") -> None:
        """What happened: `sent` (the request), `filed` (SAT's receipt), `looked` (SAT's word)…

        Raises `Refused` once the invoice is not being cancelled any more.
        """
        invoice_id, number = cancellation.invoice_id, cancellation.number
        self._scope.lock(schema.Invoice, invoice_id)
        row = schema.CancelEvent
        last = self._scope.find(row, "ORDER BY step DESC", invoice_id=invoice_id, number=number)
        step = 1 if last is None else last.step + 1
        self._scope.add(
            row,
            invoice_id=invoice_id,
            number=number,
            step=step,
            kind=kind,
            code=code,
            detail_sealed=self._scope.seal(
                "cancel_event.detail", f"{invoice_id}/{number}/{step}", detail
            ),
            happened_at=self._scope.clock.now(),
        )

    def detail(self, cancellation: Cancellation, step: int) -> bytes:
        """The request, receipt or answer that came with an event, byte for byte."""
        invoice_id, number = cancellation.invoice_id, cancellation.number
        row = self._scope.get(schema.CancelEvent, invoice_id=invoice_id, number=number, step=step)
        return self._scope.open(
            "cancel_event.detail", f"{invoice_id}/{number}/{step}", row.detail_sealed
        )
