# ruff: noqa: INP001 - numbered files that peewee's runner loads by path
"""What amounts an invoice was asked for with: nothing else is sealed for it."""

from __future__ import annotations

from typing import Any

from peewee import SQL, BooleanField, CompositeKey, Database, Model, TextField


class Agreement(Model):
    merchant_id = TextField()
    invoice_id = TextField()
    fingerprint = TextField()
    verified = BooleanField()

    class Meta:
        legacy_table_names = False
        primary_key = CompositeKey("merchant_id", "invoice_id")
        constraints = (
            SQL(
                'FOREIGN KEY ("merchant_id", "invoice_id") '
                'REFERENCES "invoice" ("merchant_id", "id")'
            ),
        )


def up(migrator: Any, db: Database) -> None:  # noqa: ARG001 - the runner's signature
    with Agreement.bind_ctx(db):
        Agreement.create_table(safe=False)
