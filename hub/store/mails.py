"""Which letters were begun and sent, and who asked for a copy of a document."""

from __future__ import annotations

from datetime import datetime

from hub.store import schema
from hub.store.records import Copy
from hub.store.session import Scope

#: Different addresses that the holder of a link may have one document mailed to.
MAX_ADDRESSES = 10


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

    def ask(self, invoice_id: str, address: str, language: str) -> Copy | None:
        """Note that a copy is wanted there, once more; None if too many addresses were named."""
        self._scope.lock(schema.Invoice, invoice_id)
        earlier = self._scope.all(schema.Copy, invoice_id=invoice_id)
        addresses = {self._copy(row).address for row in earlier} | {address}
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

    def copy(self, copy_id: str) -> Copy | None:
        row = self._scope.find(schema.Copy, id=copy_id)
        return None if row is None else self._copy(row)

    def _copy(self, row: schema.Copy) -> Copy:
        address = self._scope.open("copy.address", row.id, row.address_sealed).decode()
        return Copy(row.id, row.invoice_id, address, row.language)

    @staticmethod
    def _where(kind: str, subject_id: str, message_id: str) -> tuple[object, ...]:
        mail = schema.Mail
        return mail.kind == kind, mail.subject_id == subject_id, mail.message_id == message_id
