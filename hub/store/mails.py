"""Which letters were begun and sent, and who asked for a copy of a document."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from peewee import fn

from hub.store import schema
from hub.store.records import Copy
from hub.store.session import Scope

#: Different addresses that the holder of a link may have one document mailed to.
MAX_ADDRESSES = 10


@dataclass(frozen=True, slots=True)
class MailRow:
    """A letter or message.

    `state`: arrived (as its provider says), sent, doubtful (begun, and nobody knows the end) or
    waiting.
    """

    kind: str
    subject_id: str
    message_id: str
    begun_at: datetime
    arrived_at: datetime | None
    state: str


class Mails:
    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def begin(self, kind: str, subject_id: str, message_id: str) -> int:
        """A letter is about to be handed over; how often that was begun, this time included."""
        mail, now = schema.Mail, self._scope.clock.now()
        key = {"kind": kind, "subject_id": subject_id, "message_id": message_id}
        self._scope.add_once(mail, "kind, subject_id, message_id", **key, tries=0, begun_at=now)
        where = self._where(kind, subject_id, message_id)
        self._scope.change(mail, *where, tries=mail.tries + 1)
        return self._scope.get(mail, **key).tries

    def sent(self, kind: str, subject_id: str, message_id: str, at: datetime) -> None:
        self._scope.change(schema.Mail, *self._where(kind, subject_id, message_id), sent_at=at)

    def known_sent(self, kind: str, subject_id: str, message_id: str, at: datetime) -> bool:
        """It went out after all; False if that is known."""
        mail = schema.Mail
        where = self._where(kind, subject_id, message_id)
        return self._scope.change(mail, *where, mail.sent_at.is_null(), sent_at=at) > 0

    def arrived(self, kind: str, subject_id: str, message_id: str, at: datetime) -> bool:
        """Its reader has it; False if that is known."""
        mail = schema.Mail
        where = (*self._where(kind, subject_id, message_id), mail.arrived_at.is_null())
        sent_at = fn.COALESCE(mail.sent_at, mail.begun_at)
        return self._scope.change(mail, *where, arrived_at=at, sent_at=sent_at) > 0

    def has_not_arrived(self, kind: str, subject_id: str, message_id: str) -> bool:
        """As far as is known; who says otherwise waits for the end of this transaction."""
        mail = schema.Mail
        where = (*self._where(kind, subject_id, message_id), mail.arrived_at.is_null())
        sent_at = fn.COALESCE(mail.sent_at, mail.begun_at)
        return self._scope.change(mail, *where, sent_at=sent_at) > 0

    def of_message(self, message_id: str) -> MailRow | None:
        row = self._scope.find(schema.Mail, message_id=message_id)
        return None if row is None else _record(row)

    def not_sent(self, kind: str, subject_id: str, message_id: str) -> datetime:
        """The server surely did not take it: that try does not count. When it was first begun."""
        mail = schema.Mail
        where = self._where(kind, subject_id, message_id)
        self._scope.change(mail, *where, mail.tries > 0, tries=mail.tries - 1)
        key = {"kind": kind, "subject_id": subject_id, "message_id": message_id}
        return self._scope.get(mail, **key).begun_at

    def was_sent(self, kind: str, subject_id: str, message_id: str) -> bool:
        key = {"kind": kind, "subject_id": subject_id, "message_id": message_id}
        row = self._scope.find(schema.Mail, **key)
        return row is not None and row.sent_at is not None

    def told_at(self, kinds: Iterable[str], subject_id: str) -> datetime | None:
        """When a letter of one of these kinds was begun that was sent, or may have been."""
        rows = self.about(kinds, subject_id)
        return min((row.begun_at for row in rows if row.state != "waiting"), default=None)

    def about(self, kinds: Iterable[str], subject_id: str) -> list[MailRow]:
        """Every letter of these kinds about that, oldest first."""
        rows = [
            row
            for kind in kinds
            for row in self._scope.all(schema.Mail, kind=kind, subject_id=subject_id)
        ]
        return sorted((_record(row) for row in rows), key=lambda row: row.begun_at)

    def ask(self, invoice_id: str, address: str, language: str) -> Copy | None:
        """Note that a copy is wanted there, once more; None if too many addresses were named."""
        self._scope.lock(schema.Invoice, invoice_id)
        earlier = self._scope.all(schema.Copy, invoice_id=invoice_id)
        addresses = {self._copy(row).address for row in earlier if row.address_sealed} | {address}
        if len(addresses) > MAX_ADDRESSES:
            return None
        row_id = self._scope.clock.new_id()
        self._scope.add(
            schema.Copy,
            id=row_id,
            invoice_id=invoice_id,
            address_sealed=self._scope.seal("copy.address", row_id, address.encode()),
            language=language,
            asked_at=self._scope.clock.now(),
        )
        return Copy(row_id, invoice_id, address, language)

    def copies(self, invoice_id: str) -> list[Copy]:
        """Those whose addresses are still known, oldest first."""
        rows = self._scope.all(schema.Copy, "ORDER BY asked_at, id", invoice_id=invoice_id)
        return [self._copy(row) for row in rows if row.address_sealed]

    def copy(self, copy_id: str) -> Copy | None:
        """None if there is none, or its address was erased."""
        row = self._scope.find(schema.Copy, id=copy_id)
        return self._copy(row) if row is not None and row.address_sealed else None

    def _copy(self, row: schema.Copy) -> Copy:
        address = self._scope.open("copy.address", row.id, row.address_sealed).decode()
        return Copy(row.id, row.invoice_id, address, row.language)

    @staticmethod
    def _where(kind: str, subject_id: str, message_id: str) -> tuple[object, ...]:
        mail = schema.Mail
        return mail.kind == kind, mail.subject_id == subject_id, mail.message_id == message_id


def _record(row: schema.Mail) -> MailRow:
    return MailRow(
        row.kind, row.subject_id, row.message_id, row.begun_at, row.arrived_at, _state(row)
    )


def _state(row: schema.Mail) -> str:
    if row.arrived_at is not None:
        return "arrived"
    if row.sent_at is not None:
        return "sent"
    return "doubtful" if row.tries > 0 else "waiting"
