# ruff: noqa: INP001 - a numbered file that peewee's runner loads by path; constants alone
"""Which sale each of a platform's objects stands for: one payment is one sale."""

from __future__ import annotations

from typing import Any

from peewee import SQL, CompositeKey, Database, Model, TextField


def within(table: str, column: str) -> SQL:
    return SQL(
        f'FOREIGN KEY ("merchant_id", "{column}") REFERENCES "{table}" ("merchant_id", "id")'
    )


class SaleObject(Model):
    merchant_id = TextField()
    connection_id = TextField()
    object_id = TextField()
    sale_id = TextField()

    class Meta:
        legacy_table_names = False
        primary_key = CompositeKey("merchant_id", "connection_id", "object_id")
        constraints = (within("connection", "connection_id"), within("sale", "sale_id"))
        indexes = ((("merchant_id", "sale_id"), False),)


def up(migrator: Any, db: Database) -> None:  # noqa: ARG001 - the runner's signature
    with SaleObject.bind_ctx(db):
        SaleObject.create_table(safe=False)
    execute: Any = db.execute_sql
    execute(
        'INSERT INTO "sale_object" ("merchant_id", "connection_id", "object_id", "sale_id") '
        'SELECT "merchant_id", "connection_id", "key", "id" FROM "sale" '
        'WHERE "connection_id" IS NOT NULL'
    )
