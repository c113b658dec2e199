# ruff: noqa: INP001 - numbered files that peewee's runner loads by path
"""Credit notes: what refunds an invoice accounts for, and which note stands for which refund."""

from __future__ import annotations

from typing import Any

from peewee import (
    SQL,
    BigIntegerField,
    CompositeKey,
    Database,
    IntegerField,
    Model,
    TextField,
)


def within(table: str, *columns: str, target: tuple[str, ...] = ("id",)) -> SQL:
    here = ", ".join(f'"{column}"' for column in ("merchant_id", *columns))
    there = ", ".join(f'"{column}"' for column in ("merchant_id", *target))
    return SQL(f'FOREIGN KEY ({here}) REFERENCES "{table}" ({there})')


class Base(Model):
    class Meta:
        legacy_table_names = False


class Basis(Base):
    merchant_id = TextField()
    invoice_id = TextField()
    version = IntegerField()
    charged = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "invoice_id", "version")
        constraints = (
            within("document", "invoice_id", "version", target=("invoice_id", "version")),
        )


class BasisRefund(Base):
    merchant_id = TextField()
    invoice_id = TextField()
    version = IntegerField()
    refund_key = TextField()
    total = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "invoice_id", "version", "refund_key")
        constraints = (within("basis", "invoice_id", "version", target=("invoice_id", "version")),)


class CreditNote(Base):
    merchant_id = TextField()
    invoice_id = TextField()
    ingreso_id = TextField()
    sale_id = TextField()
    refund_key = TextField()
    total = BigIntegerField()
    actor = TextField()
    opened_at = BigIntegerField()
    closed_at = BigIntegerField(null=True)
    ended = TextField(
        constraints=[SQL("CHECK (ended IN ('', 'withdrawn', 'given_up', 'cancelled', 'test'))")]
    )

    class Meta:
        primary_key = CompositeKey("merchant_id", "invoice_id")
        constraints = (
            within("invoice", "invoice_id"),
            within("invoice", "ingreso_id"),
            within("sale", "sale_id"),
            SQL("CHECK ((closed_at IS NULL) = (ended = ''))"),
        )
        indexes = (
            (("merchant_id", "ingreso_id"), False),
            (("merchant_id", "sale_id"), False),
        )


def up(migrator: Any, db: Database) -> None:  # noqa: ARG001 - the runner's signature
    for table in (Basis, BasisRefund, CreditNote):
        with table.bind_ctx(db):
            table.create_table(safe=False)
