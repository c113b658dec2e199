# ruff: noqa: INP001 - numbered files that peewee's runner loads by path
"""Channels beside e-mail, who wants no more invitations, and what did not arrive."""

from __future__ import annotations

from typing import Any

from peewee import SQL, BigIntegerField, BlobField, CompositeKey, Database, Model, TextField

OF_MERCHANT = SQL('FOREIGN KEY ("merchant_id") REFERENCES "merchant" ("id")')


class Base(Model):
    class Meta:
        legacy_table_names = False


class Channel(Base):
    merchant_id = TextField()
    kind = TextField(constraints=[SQL("CHECK (kind IN ('sms', 'whatsapp'))")])
    settings_sealed = BlobField()
    problem = TextField()
    problem_at = BigIntegerField(null=True)
    created_at = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "kind")
        constraints = (OF_MERCHANT,)


class OptOut(Base):
    merchant_id = TextField()
    address_hash = BlobField()
    created_at = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "address_hash")
        constraints = (OF_MERCHANT,)


class Bounce(Base):
    merchant_id = TextField()
    kind = TextField()
    subject_id = TextField()
    message_id = TextField()
    sale_id = TextField()
    address_sealed = BlobField()
    reason = TextField()
    bounced_at = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "kind", "subject_id", "message_id")
        constraints = (
            SQL('FOREIGN KEY ("merchant_id", "sale_id") REFERENCES "sale" ("merchant_id", "id")'),
            SQL(
                'FOREIGN KEY ("merchant_id", "kind", "subject_id", "message_id") REFERENCES '
                '"mail" ("merchant_id", "kind", "subject_id", "message_id")'
            ),
        )
        indexes = ((("merchant_id", "sale_id"), False),)


def up(migrator: Any, db: Database) -> None:  # noqa: ARG001 - the runner's signature
    for table in (Channel, OptOut, Bounce):
        with table.bind_ctx(db):
            table.create_table(safe=False)
