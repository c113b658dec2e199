# ruff: noqa: INP001 - numbered files that peewee's runner loads by path
"""A merchant's logo, and the names by which its page is reached."""

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

OF_MERCHANT = SQL('FOREIGN KEY ("merchant_id") REFERENCES "merchant" ("id")')


class Logo(Model):
    merchant_id = TextField()
    variant = TextField()
    digest = TextField()
    width = IntegerField()
    height = IntegerField()
    image = BlobField()

    class Meta:
        legacy_table_names = False
        primary_key = CompositeKey("merchant_id", "variant")
        constraints = (OF_MERCHANT,)


class Address(Model):
    merchant_id = TextField()
    name = TextField()
    kind = TextField()
    created_at = BigIntegerField()

    class Meta:
        legacy_table_names = False
        primary_key = CompositeKey("merchant_id", "name")
        constraints = (OF_MERCHANT,)
        indexes = ((("name",), True),)


def up(migrator: Any, db: Database) -> None:  # noqa: ARG001 - the runner's signature
    with db.bind_ctx([Logo, Address]):
        Logo.create_table(safe=False)
        Address.create_table(safe=False)
