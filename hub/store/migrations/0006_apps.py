# ruff: noqa: INP001 - numbered files that peewee's runner loads by path
"""Apps of platforms, deliveries that speak of no order, and what is erased by request."""

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
    SqliteDatabase,
    TextField,
)

OF_MERCHANT = SQL('FOREIGN KEY ("merchant_id") REFERENCES "merchant" ("id")')
OF_CONNECTION = SQL(
    'FOREIGN KEY ("merchant_id", "connection_id") REFERENCES "connection" ("merchant_id", "id")'
)

#: No table is rebuilt.
COLUMNS = (
    'ALTER TABLE "connection" ADD COLUMN "app_id" TEXT REFERENCES "app" ("id")',
    (
        'ALTER TABLE "inbox" ADD COLUMN "kind" TEXT NOT NULL DEFAULT \'order\' '
        "CHECK (kind IN ('order', 'customer', 'shop', 'privacy'))"
    ),
    'ALTER TABLE "inbox" ADD COLUMN "customer_id" TEXT NOT NULL DEFAULT \'\'',
    'ALTER TABLE "bond" ADD COLUMN "renewed_at" {instant}',
)


class Base(Model):
    class Meta:
        legacy_table_names = False


class App(Base):
    id = TextField(primary_key=True)
    platform = TextField()
    client_id = TextField()
    kek_id = TextField()
    keys_sealed = BlobField()
    created_at = BigIntegerField()

    class Meta:
        indexes = ((("platform", "client_id"), True),)


class ErasedOrder(Base):
    merchant_id = TextField()
    connection_id = TextField()
    order_id = TextField()
    inbox_id = TextField()
    erased_at = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "connection_id", "order_id")
        constraints = (OF_CONNECTION,)
        indexes = ((("merchant_id", "inbox_id"), False),)


class Audit(Base):
    merchant_id = TextField()
    id = TextField()
    connection_id = TextField()
    action = TextField(
        constraints=[SQL("CHECK (action IN ('access', 'erase_customer', 'erase_shop'))")]
    )
    inbox_id = TextField()
    sales = IntegerField()
    deliveries = IntegerField()
    addresses = IntegerField()
    done_at = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "id")
        constraints = (OF_MERCHANT, OF_CONNECTION)
        indexes = ((("merchant_id", "inbox_id"), True),)


def up(migrator: Any, db: Database) -> None:  # noqa: ARG001 - the runner's signature
    instant = "INTEGER" if isinstance(db, SqliteDatabase) else "BIGINT"
    execute: Any = db.execute_sql  # no stubs
    for table in (App, ErasedOrder, Audit):
        with table.bind_ctx(db):
            table.create_table(safe=False)
    for statement in COLUMNS:
        execute(statement.format(instant=instant))
