# ruff: noqa: INP001 - numbered files that peewee's runner loads by path
"""Customers who come again: the fiscal data that count for each, and which sales are theirs."""

from __future__ import annotations

from typing import Any

from peewee import SQL, BigIntegerField, BlobField, CompositeKey, Database, Model, TextField


def within(table: str, *columns: str) -> SQL:
    here = ", ".join(f'"{column}"' for column in ("merchant_id", *columns))
    return SQL(f'FOREIGN KEY ({here}) REFERENCES "{table}" ("merchant_id", "id")')


class Base(Model):
    class Meta:
        legacy_table_names = False


class Customer(Base):
    merchant_id = TextField()
    connection_id = TextField()
    key = TextField()
    profile_sealed = BlobField()
    source = TextField(constraints=[SQL("CHECK (source IN ('buyer', 'staff', 'platform'))")])
    environment = TextField(constraints=[SQL("CHECK (environment IN ('', 'test', 'live'))")])
    since_at = BigIntegerField()
    refused_sealed = BlobField()
    updated_at = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "connection_id", "key")
        constraints = (within("connection", "connection_id"),)


class CustomerSale(Base):
    merchant_id = TextField()
    connection_id = TextField()
    key = TextField()
    sale_id = TextField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "connection_id", "key", "sale_id")
        constraints = (
            within("connection", "connection_id"),
            within("sale", "sale_id"),
        )


def up(migrator: Any, db: Database) -> None:  # noqa: ARG001 - the runner's signature
    for table in (Customer, CustomerSale):
        with table.bind_ctx(db):
            table.create_table(safe=False)
