# ruff: noqa: INP001 - numbered files that peewee's runner loads by path
"""Cancellations: the wish, and everything that happened to it."""

from __future__ import annotations

from typing import Any

from peewee import (
    SQL,
    BigIntegerField,
    BlobField,
    CompositeKey,
    Database,
    IntegerField,
    Model,
    TextField,
)


def within(table: str, *columns: str) -> SQL:
    named = ", ".join(f'"{column}"' for column in ("merchant_id", *columns))
    return SQL(f'FOREIGN KEY ({named}) REFERENCES "{table}" ({named})')


class Base(Model):
    class Meta:
        legacy_table_names = False


class Cancellation(Base):
    merchant_id = TextField()
    invoice_id = TextField()
    number = IntegerField(constraints=[SQL("CHECK (number >= 1)")])
    motivo = TextField(constraints=[SQL("CHECK (motivo IN ('01', '02', '03', '04'))")])
    substitute = TextField()
    actor = TextField()
    was = TextField()
    asked_at = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "invoice_id", "number")
        constraints = (
            within("stamp", "invoice_id"),
            SQL("CHECK ((motivo = '01') = (substitute <> ''))"),
        )


class CancelEvent(Base):
    merchant_id = TextField()
    invoice_id = TextField()
    number = IntegerField()
    step = IntegerField(constraints=[SQL("CHECK (step >= 1)")])
    kind = TextField(
        constraints=[
            SQL(
                "CHECK (kind IN ('sent', 'filed', 'refused', 'later', 'unknown', 'looked', "
                "'ended', 'rejected'))"
            )
        ]
    )
    code = TextField()
    detail_sealed = BlobField()
    happened_at = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "invoice_id", "number", "step")
        constraints = (within("cancellation", "invoice_id", "number"),)


def up(migrator: Any, db: Database) -> None:  # noqa: ARG001 - the runner's signature
    for table in (Cancellation, CancelEvent):
        with table.bind_ctx(db):
            table.create_table(safe=False)
