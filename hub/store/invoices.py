"""Invoices: the state that changes, on top of the rows that are only ever added."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any

from peewee import fn

from cfdi.findings import Finding
from hub.domain.states import State
from hub.store import schema
from hub.store.documents import Documents
from hub.store.errors import Refused
from hub.store.records import Agreement, Invoice, ReceptorData, Transition

#: In these nothing was sent that the receiver's data could still change under.
EDITABLE = (State.REQUESTED, State.REJECTED, State.REVIEW)
PAGE = 500


class Invoices(Documents):
    def create(
        self,
        *,
        sale_ids: Sequence[str],
        receptor: ReceptorData,
        origin: str,
        language: str,
        environment: str,
        total: Decimal,
        currency: str,
    ) -> Invoice:
        """A requested invoice. It holds no claim yet, and without one it is never sent."""
        if not sale_ids:
            raise ValueError("an invoice is of at least one sale")
        scope, row_id, now = self._scope, self._scope.clock.new_id(), self._scope.clock.now()
        scope.add(
            schema.Invoice,
            id=row_id,
            state=State.REQUESTED.value,
            environment=environment,
            origin=origin,
            language=language,
            receptor_sealed=scope.seal_json("invoice.receptor", row_id, asdict(receptor)),
            total=total,
            currency=currency,
            findings_sealed=scope.seal_findings("invoice.findings", row_id, ()),
            created_at=now,
            updated_at=now,
        )
        for position, sale_id in enumerate(sale_ids):
            scope.add(schema.InvoiceSale, invoice_id=row_id, sale_id=sale_id, position=position)
        self._add_transition(row_id, None, State.REQUESTED, "", origin)
        return self._record(scope.get(schema.Invoice, id=row_id))

    def get(self, invoice_id: str) -> Invoice | None:
        return self._scope.once("invoice", invoice_id, lambda: self._read(invoice_id))

    def _read(self, invoice_id: str) -> Invoice | None:
        row = self._scope.find(schema.Invoice, id=invoice_id)
        return None if row is None else self._record(row)

    def for_sale(self, sale_id: str, part: int = 0) -> Invoice | None:
        """The invoice that holds the open claim of the sale, all of it; or of this part of it."""
        self._scope.lock_sale(sale_id)
        for held in self._scope.all(schema.Claim, "ORDER BY part", sale_id=sale_id, closed_at=None):
            of = held.part if held.parts > 1 else 0
            if held.invoice_id is not None and of == part:
                return self.get(held.invoice_id)
        return None

    def times_asked(self, sale_id: str, since: datetime) -> int:
        """How often data were given for the sale, in whichever invoice: alone, joint or of a part.

        Times that it was tried again with the same data count too.
        """
        notes = {one.invoice_id for one in self._scope.all(schema.CreditNote, sale_id=sale_id)}
        return sum(
            move.after is State.REQUESTED and move.at > since
            for one in self._scope.all(schema.InvoiceSale, sale_id=sale_id)
            if one.invoice_id not in notes
            for move in self.transitions(one.invoice_id)
        )

    def list(
        self, limit: int = 100, after: str | None = None, state: State | None = None
    ) -> builtins.list[Invoice]:
        """Newest first; `after` is the id of the last one seen."""
        invoice = schema.Invoice
        where: builtins.list[Any] = [invoice.state == state.value] if state else []
        where += [invoice.id < after] if after else []
        rows = self._scope.rows(invoice, *where, order=invoice.id.desc(), limit=limit)
        return [self._record(row) for row in rows]

    def each(self, state: State) -> Iterator[Invoice]:
        """All of a state, newest first, a page at a time."""
        after: str | None = None
        while page := self.list(PAGE, after, state):
            yield from page
            after = page[-1].id

    def count(self) -> dict[State, int]:
        """Invoices by state; states without any are left out."""
        invoice = schema.Invoice
        query = invoice.select(invoice.state, fn.COUNT(invoice.id)).where(
            invoice.merchant_id == self._scope.merchant_id
        )
        rows = self._scope.session.run(query.group_by(invoice.state).tuples())
        return {State(state): number for state, number in rows}

    def move(
        self,
        invoice_id: str,
        before: State,
        after: State,
        *,
        reason: str = "",
        actor: str = "",
        findings: Iterable[Finding] | None = None,
        quiet_until: datetime | None = None,
    ) -> bool:
        """Compare-and-swap of the state, with its row in `transition`.

        False if it is not in `before` (any more). `findings` None leaves those that are there.
        Raises `Refused` for a move that must not be.
        """
        invoice, scope = schema.Invoice, self._scope
        values: dict[str, Any] = {"quiet_until": quiet_until, "updated_at": scope.clock.now()}
        if findings is not None:
            values["findings_sealed"] = scope.seal_findings(
                "invoice.findings", invoice_id, findings
            )
        moved = scope.change(
            invoice,
            invoice.id == invoice_id,
            invoice.state == before.value,
            state=after.value,
            **values,
        )
        if moved:
            self._add_transition(invoice_id, before, after, reason, actor)
        return bool(moved)

    def set_receptor(self, invoice_id: str, receptor: ReceptorData) -> None:
        """Raises `Refused` once the invoice is on its way."""
        invoice = schema.Invoice
        changed = self._scope.change(
            invoice,
            invoice.id == invoice_id,
            invoice.state.in_([state.value for state in EDITABLE]),
            receptor_sealed=self._scope.seal_json("invoice.receptor", invoice_id, asdict(receptor)),
            updated_at=self._scope.clock.now(),
        )
        if not changed:
            raise Refused("the receiver of an invoice on its way cannot be changed")

    def mail_to(self, invoice_id: str, correo: str) -> bool:
        """Remember an address where there was none. False once it was delivered (to nobody).

        In any state: it is no part of what was sealed.
        """
        self._scope.lock(schema.Invoice, invoice_id)
        row, invoice = self.get(invoice_id), schema.Invoice
        if row is None or row.delivered_at is not None:
            return False
        data = asdict(row.receptor) | {"correo": row.receptor.correo or correo}
        sealed = self._scope.seal_json("invoice.receptor", invoice_id, data)
        self._scope.change(invoice, invoice.id == invoice_id, receptor_sealed=sealed)
        return True

    def has_address(self, invoice_id: str) -> bool:
        """In a write transaction nobody gives it one until the end."""
        self._scope.lock(schema.Invoice, invoice_id)
        row = self.get(invoice_id)
        return row is not None and bool(row.receptor.correo)

    def agree(self, invoice_id: str, fingerprint: str, *, verified: bool) -> None:
        """Remember the amounts it was asked for with; the last ones count."""
        row, values = schema.Agreement, {"fingerprint": fingerprint, "verified": verified}
        if not self._scope.add_once(row, "invoice_id", invoice_id=invoice_id, **values):
            self._scope.change(row, row.invoice_id == invoice_id, **values)

    def agreement(self, invoice_id: str) -> Agreement | None:
        """None for one that was asked for before such things were kept."""
        row = self._scope.find(schema.Agreement, invoice_id=invoice_id)
        return None if row is None else Agreement(row.fingerprint, verified=row.verified)

    def delivered(self, invoice_id: str, at: datetime) -> bool:
        """Remember the first time only. True for it."""
        invoice = schema.Invoice
        return bool(
            self._scope.change(
                invoice, invoice.id == invoice_id, invoice.delivered_at.is_null(), delivered_at=at
            )
        )

    def transitions(self, invoice_id: str) -> builtins.list[Transition]:
        """Every move since the beginning, oldest first."""
        rows = self._scope.all(schema.Transition, "ORDER BY number", invoice_id=invoice_id)
        return [
            Transition(
                one.number,
                State(one.before) if one.before else None,
                State(one.after),
                one.reason,
                one.actor,
                one.moved_at,
            )
            for one in rows
        ]

    def next_folio(self, serie: str, *, first: int = 1) -> int:
        """A number that this series never had; it may be lost, it is never given out again.

        None is below `first`; a series that is past it already goes on where it is.
        """
        folio = schema.Folio
        self._scope.add_once(folio, "serie", serie=serie, last=first - 1)
        behind = folio.last < first - 1
        self._scope.change(folio, folio.serie == serie, behind, last=first - 1)
        self._scope.change(folio, folio.serie == serie, last=folio.last + 1)
        return self._scope.get(folio, serie=serie).last

    def _add_transition(
        self, invoice_id: str, before: State | None, after: State, reason: str, actor: str
    ) -> None:
        row = schema.Transition
        last = self._scope.find(row, "ORDER BY number DESC", invoice_id=invoice_id)
        self._scope.add(
            row,
            invoice_id=invoice_id,
            number=1 if last is None else last.number + 1,
            before="" if before is None else before.value,
            after=after.value,
            reason=reason,
            actor=actor,
            moved_at=self._scope.clock.now(),
        )

    def _record(self, row: schema.Invoice) -> Invoice:
        scope = self._scope
        newest = self._newest(row.id)
        stamp = scope.find(schema.Stamp, invoice_id=row.id)
        of = scope.all(schema.InvoiceSale, "ORDER BY position", invoice_id=row.id)
        receptor = scope.open_json("invoice.receptor", row.id, row.receptor_sealed)
        return Invoice(
            id=row.id,
            state=State(row.state),
            environment=row.environment,
            origin=row.origin,
            language=row.language,
            receptor=ReceptorData(**receptor),
            sale_ids=tuple(one.sale_id for one in of),
            total=row.total,
            currency=row.currency,
            findings=scope.open_findings("invoice.findings", row.id, row.findings_sealed),
            version=0 if newest is None else newest.version,
            quiet_until=row.quiet_until,
            uuid=None if stamp is None else stamp.uuid,
            delivered_at=row.delivered_at,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )
