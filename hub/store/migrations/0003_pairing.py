# ruff: noqa: INP001 - numbered files that peewee's runner loads by path
"""Shops are connected by pairing: codes, hand-offs of keys, what is kept of each bond, proofs."""

from __future__ import annotations

from typing import Any

from peewee import SQL, BigIntegerField, BlobField, CompositeKey, Database, Model, TextField


def within(table: str, *columns: str) -> SQL:
    here = ", ".join(f'"{column}"' for column in ("merchant_id", *columns))
    return SQL(f'FOREIGN KEY ({here}) REFERENCES "{table}" ("merchant_id", "id")')


OF_MERCHANT = SQL('FOREIGN KEY ("merchant_id") REFERENCES "merchant" ("id")')


class Base(Model):
    class Meta:
        legacy_table_names = False


class PairingCode(Base):
    merchant_id = TextField()
    id = TextField()
    code_hash = BlobField()
    created_at = BigIntegerField()
    expires_at = BigIntegerField()
    used_at = BigIntegerField(null=True)

    class Meta:
        primary_key = CompositeKey("merchant_id", "id")
        constraints = (OF_MERCHANT,)
        indexes = ((("code_hash",), True),)


class HandOff(Base):
    merchant_id = TextField()
    id = TextField()
    pairing_id = TextField()
    platform = TextField()
    account = TextField()
    nonce_hash = BlobField()
    browser_hash = BlobField()
    keys_sealed = BlobField(null=True)
    state = TextField(
        constraints=[SQL("CHECK (state IN ('open', 'keyed', 'returned', 'done', 'denied'))")]
    )
    created_at = BigIntegerField()
    expires_at = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "id")
        constraints = (
            OF_MERCHANT,
            within("pairing_code", "pairing_id"),
        )
        indexes = ((("nonce_hash",), True),)


class Bond(Base):
    merchant_id = TextField()
    connection_id = TextField()
    platform = TextField()
    shop = TextField()
    state = TextField(
        constraints=[SQL("CHECK (state IN ('manual', 'checking', 'connected', 'closed'))")]
    )
    paired_at = BigIntegerField(null=True)
    checked_at = BigIntegerField(null=True)
    closed_at = BigIntegerField(null=True)
    keys = TextField(constraints=[SQL("CHECK (keys IN ('unknown', 'ok', 'refused'))")])
    subscriptions = TextField()
    problem_code = TextField()
    problem = TextField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "connection_id")
        constraints = (within("connection", "connection_id"),)
        indexes = ((("merchant_id", "platform", "shop"), True),)


class Proof(Base):
    merchant_id = TextField()
    connection_id = TextField()
    proof_hash = BlobField()
    order_id = TextField()
    proof_sealed = BlobField()
    created_at = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "connection_id", "proof_hash")
        constraints = (within("connection", "connection_id"),)
        indexes = ((("merchant_id", "connection_id", "order_id"), False),)


def up(migrator: Any, db: Database) -> None:  # noqa: ARG001 - the runner's signature
    for table in (PairingCode, HandOff, Bond, Proof):
        with table.bind_ctx(db):
            table.create_table(safe=False)
