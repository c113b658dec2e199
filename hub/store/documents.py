"""What is only ever added to an invoice: sealed documents, attempts to stamp them, their stamp."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from peewee import fn

from hub.store import schema
from hub.store.records import Attempt, Document, Stamp
from hub.store.session import Scope


class Documents:
    """The append-only half of an invoice. The database refuses every change of these rows."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def seal(
        self,
        invoice_id: str,
        *,
        serie: str,
        folio: str,
        fecha: datetime,
        total: Decimal,
        xml: bytes,
        sha256: str,
        sello: str,
        pac_account_id: str,
        reference: str,
    ) -> int:
        """File the exact bytes as the next version, which is told; the invoice takes their total
        and environment.

        Raises `Refused` while an earlier version may have been stamped.
        """
        self._scope.lock(schema.Invoice, invoice_id)
        newest = self._newest(invoice_id)
        version = 1 if newest is None else newest.version + 1
        self._scope.add(
            schema.Document,
            invoice_id=invoice_id,
            version=version,
            serie=serie,
            folio=folio,
            fecha=fecha.isoformat(),
            total=total,
            xml_sealed=self._scope.seal("document.xml", f"{invoice_id}/{version}", xml),
            sha256=sha256,
            sello=sello,
            pac_account_id=pac_account_id,
            reference=reference,
            sealed_at=self._scope.clock.now(),
        )
        self._adopt(invoice_id, pac_account_id, total)
        return version

    def _adopt(self, invoice_id: str, pac_account_id: str, total: Decimal) -> None:
        """What sale and account were when it was asked for may have changed since."""
        account = self._scope.get(schema.PacAccount, id=pac_account_id)
        invoice = schema.Invoice
        self._scope.change(
            invoice, invoice.id == invoice_id, environment=account.environment, total=total
        )

    def document(self, invoice_id: str, version: int | None = None) -> Document | None:
        """That version, or the newest."""
        if version is None:
            row = self._newest(invoice_id)
        else:
            row = self._scope.find(schema.Document, invoice_id=invoice_id, version=version)
        return None if row is None else self._document(row)

    def start_attempt(self, invoice_id: str, version: int, worker: str) -> Attempt:
        """File a sending before its first byte leaves.

        Raises `Refused` for any but the newest version, once there is a stamp, and without the
        claim of every sale of the invoice.
        """
        self._scope.lock(schema.Invoice, invoice_id)
        row, now = schema.Attempt, self._scope.clock.now()
        last = self._scope.find(row, "ORDER BY number DESC", invoice_id=invoice_id)
        number = 1 if last is None else last.number + 1
        self._scope.add(
            row,
            invoice_id=invoice_id,
            number=number,
            version=version,
            worker=worker,
            started_at=now,
        )
        return Attempt(invoice_id, version, number, worker, now, None, None)

    def attempts(self, invoice_id: str) -> list[Attempt]:
        """Oldest first, each with its answer if it has one."""
        attempt, answer = schema.Attempt, schema.Answer
        answers = {row.number: row for row in self._scope.all(answer, invoice_id=invoice_id)}
        return [
            _attempt(row, answers.get(row.number))
            for row in self._scope.all(attempt, "ORDER BY number", invoice_id=invoice_id)
        ]

    def answer(self, attempt: Attempt, outcome: str, code: str, raw: bytes) -> bool:
        """File how an attempt ended, once; False if it has an answer already."""
        row, place = schema.Answer, f"{attempt.invoice_id}/{attempt.number}"
        self._scope.lock(schema.Invoice, attempt.invoice_id)
        if self._scope.find(row, invoice_id=attempt.invoice_id, number=attempt.number):
            return False
        self._scope.add(
            row,
            invoice_id=attempt.invoice_id,
            number=attempt.number,
            outcome=outcome,
            code=code,
            raw_sealed=self._scope.seal("answer.raw", place, raw),
            answered_at=self._scope.clock.now(),
        )
        return True

    def raw_answer(self, attempt: Attempt) -> bytes | None:
        """What the provider said, byte for byte; for a person who settles a doubt."""
        found = self._scope.find(
            schema.Answer, invoice_id=attempt.invoice_id, number=attempt.number
        )
        place = f"{attempt.invoice_id}/{attempt.number}"
        return None if found is None else self._scope.open("answer.raw", place, found.raw_sealed)

    def stamp(  # noqa: PLR0917 - one record, in its order
        self,
        invoice_id: str,
        version: int,
        uuid: str,
        xml: bytes,
        stamped_at: datetime,
        sat_verified: bool,  # noqa: FBT001 - a fact of the record, in its order
    ) -> None:
        """Write the stamp. Raises `Refused` if there is one, or the UUID stands elsewhere."""
        self._scope.add(
            schema.Stamp,
            invoice_id=invoice_id,
            version=version,
            uuid=uuid,
            xml_sealed=self._scope.seal("stamp.xml", invoice_id, xml),
            stamped_at=stamped_at,
            sat_verified=sat_verified,
            created_at=self._scope.clock.now(),
        )

    def stamp_of(self, invoice_id: str) -> Stamp | None:
        return self._scope.once("stamp", invoice_id, lambda: self._stamp(invoice_id))

    def _stamp(self, invoice_id: str) -> Stamp | None:
        row = self._scope.find(schema.Stamp, invoice_id=invoice_id)
        if row is None:
            return None
        xml = self._scope.open("stamp.xml", invoice_id, row.xml_sealed)
        return Stamp(invoice_id, row.version, row.uuid, xml, row.stamped_at, row.sat_verified)

    def stamped_as(self, uuid: str) -> Stamp | None:
        """This merchant's document of that UUID, whatever its case."""
        same = fn.UPPER(schema.Stamp.uuid) == uuid.upper()
        rows = self._scope.rows(schema.Stamp, same, limit=1)
        return self.stamp_of(rows[0].invoice_id) if rows else None

    def declare_unstamped(self, invoice_id: str, version: int, actor: str) -> None:
        """Keep a person's word that the provider has no stamp of this version.

        Only in review and without a stamp, else `Refused`; after it this version is never sent.
        Said again it stays as it was.
        """
        if self._scope.find(schema.Declaration, invoice_id=invoice_id, version=version):
            return
        self._scope.add(
            schema.Declaration,
            invoice_id=invoice_id,
            version=version,
            actor=actor,
            declared_at=self._scope.clock.now(),
        )

    def _newest(self, invoice_id: str) -> schema.Document | None:
        return self._scope.find(schema.Document, "ORDER BY version DESC", invoice_id=invoice_id)

    def _document(self, row: schema.Document) -> Document:
        place = f"{row.invoice_id}/{row.version}"
        return Document(
            invoice_id=row.invoice_id,
            version=row.version,
            serie=row.serie,
            folio=row.folio,
            fecha=datetime.fromisoformat(row.fecha),
            total=row.total,
            xml=self._scope.open("document.xml", place, row.xml_sealed),
            sha256=row.sha256,
            sello=row.sello,
            pac_account_id=row.pac_account_id,
            reference=row.reference,
            sealed_at=row.sealed_at,
        )


def _attempt(row: schema.Attempt, answer: schema.Answer | None) -> Attempt:
    return Attempt(
        invoice_id=row.invoice_id,
        version=row.version,
        number=row.number,
        worker=row.worker,
        started_at=row.started_at,
        answered_at=None if answer is None else answer.answered_at,
        outcome=None if answer is None else answer.outcome,
    )
