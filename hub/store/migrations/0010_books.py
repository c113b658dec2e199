# ruff: noqa: INP001 - numbered files that peewee's runner loads by path
"""What came of holding the platform's books against the sales."""

from __future__ import annotations

from typing import Any

from peewee import SQL, BigIntegerField, CompositeKey, Database, IntegerField, Model, TextField


class Books(Model):
    merchant_id = TextField()
    connection_id = TextField()
    since = BigIntegerField()
    until = BigIntegerField()
    entries = IntegerField()
    differences = TextField()
    checked_at = BigIntegerField()

    class Meta:
        legacy_table_names = False
        primary_key = CompositeKey("merchant_id", "connection_id")
        constraints = (
            SQL(
                'FOREIGN KEY ("merchant_id", "connection_id") '
                'REFERENCES "connection" ("merchant_id", "id")'
            ),
        )


def up(migrator: Any, db: Database) -> None:  # noqa: ARG001 - the runner's signature
    with Books.bind_ctx(db):
        Books.create_table(safe=False)
