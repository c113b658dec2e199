# ruff: noqa: INP001 - numbered files that peewee's runner loads by path
"""Several sales in one document, one sale in two: shares, divisions, links of parts."""

from __future__ import annotations

from typing import Any

from peewee import SQL, BigIntegerField, CompositeKey, Database, IntegerField, Model, TextField


def within(table: str, *columns: str, target: tuple[str, ...] = ("id",)) -> SQL:
    here = ", ".join(f'"{column}"' for column in ("merchant_id", *columns))
    there = ", ".join(f'"{column}"' for column in ("merchant_id", *target))
    return SQL(f'FOREIGN KEY ({here}) REFERENCES "{table}" ({there})')


class Base(Model):
    class Meta:
        legacy_table_names = False


class Share(Base):
    merchant_id = TextField()
    invoice_id = TextField()
    version = IntegerField()
    sale_id = TextField()
    place = IntegerField()
    lines = IntegerField()
    charged = BigIntegerField()
    due = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "invoice_id", "version", "sale_id")
        constraints = (
            within("document", "invoice_id", "version", target=("invoice_id", "version")),
            within("sale", "sale_id"),
        )


class ShareRefund(Base):
    merchant_id = TextField()
    invoice_id = TextField()
    version = IntegerField()
    sale_id = TextField()
    refund_key = TextField()
    total = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "invoice_id", "version", "sale_id", "refund_key")
        constraints = (
            within(
                "share",
                "invoice_id",
                "version",
                "sale_id",
                target=("invoice_id", "version", "sale_id"),
            ),
        )


class Division(Base):
    merchant_id = TextField()
    sale_id = TextField()
    number = IntegerField(constraints=[SQL("CHECK (number >= 1)")])
    fingerprint = TextField()
    units = TextField()
    made_at = BigIntegerField()
    closed_at = BigIntegerField(null=True)

    class Meta:
        primary_key = CompositeKey("merchant_id", "sale_id", "number")
        constraints = (within("sale", "sale_id"),)


def up(migrator: Any, db: Database) -> None:  # noqa: ARG001 - the runner's signature
    execute: Any = db.execute_sql  # no stubs
    for table in (Share, ShareRefund, Division):
        with table.bind_ctx(db):
            table.create_table(safe=False)
    execute('ALTER TABLE "link" ADD COLUMN "part" INTEGER NOT NULL DEFAULT 0')
