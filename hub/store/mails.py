"""Which letters were begun and sent, and who asked for a copy of a document."""

from __future__ import annotations

from datetime import datetime

from hub.store import schema
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

    def ask(self, invoice_id: str, address: str, language: str) -> bool:
        """Note that a copy is wanted there; False if too many addresses got one already."""
        self._scope.lock(schema.Invoice, invoice_id)
        known = self.asked(invoice_id)
        if address in known:
            return True
        if len(known) >= MAX_ADDRESSES:
            return False
        row_id = self._scope.clock.new_id()
        self._scope.add(
            schema.Copy,
            id=row_id,
            invoice_id=invoice_id,
            address_sealed=self._scope.seal("copy.address", row_id, address.encode()),
            language=language,
            asked_at=self._scope.clock.now(),
        )
        return True

    def asked(self, invoice_id: str) -> list[str]:
        """The addresses that asked for a copy, in that order."""
        rows = self._scope.all(schema.Copy, "ORDER BY id", invoice_id=invoice_id)
        return [self._scope.open("copy.address", r.id, r.address_sealed).decode() for r in rows]

    @staticmethod
    def _where(kind: str, subject_id: str, message_id: str) -> tuple[object, ...]:
        mail = schema.Mail
        return mail.kind == kind, mail.subject_id == subject_id, mail.message_id == message_id
