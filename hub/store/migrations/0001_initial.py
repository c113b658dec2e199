# ruff: noqa: INP001 - numbered files that peewee's runner loads by path
"""The tables of the first release, frozen: later changes are later files, never changes here."""

from __future__ import annotations

from typing import Any

from peewee import (
    SQL,
    BigIntegerField,
    BlobField,
    BooleanField,
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


OF_MERCHANT = SQL('FOREIGN KEY ("merchant_id") REFERENCES "merchant" ("id")')


class Base(Model):
    class Meta:
        legacy_table_names = False


class Merchant(Base):
    id = TextField(primary_key=True)
    rfc = TextField()
    nombre = TextField()
    regimen = TextField()
    codigo_postal = TextField()
    created_at = BigIntegerField()


class KeyCheck(Base):
    id = IntegerField(primary_key=True, constraints=[SQL("CHECK (id = 1)")])
    kek_id = TextField()
    wrapped = BlobField()


class Lease(Base):
    name = TextField(primary_key=True)
    owner = TextField()
    fence = BigIntegerField()
    expires_at = BigIntegerField()


class TenantBase(Base):
    merchant_id = TextField()


class IdBase(TenantBase):
    id = TextField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "id")
        constraints = (OF_MERCHANT,)


class DataKey(TenantBase):
    number = IntegerField()
    kek_id = TextField()
    wrapped = BlobField()
    created_at = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "number")
        constraints = (OF_MERCHANT,)


class Rules(TenantBase):
    version = IntegerField()
    toml = TextField()
    created_at = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "version")
        constraints = (OF_MERCHANT,)


class Csd(IdBase):
    no_certificado = TextField()
    certificate_der = BlobField()
    key_sealed = BlobField()
    not_before = BigIntegerField()
    not_after = BigIntegerField()
    authority = TextField()
    created_at = BigIntegerField()


class PacAccount(IdBase):
    provider = TextField()
    environment = TextField(constraints=[SQL("CHECK (environment IN ('test', 'live'))")])
    settings_sealed = BlobField()
    active = BooleanField()
    created_at = BigIntegerField()


class Connection(IdBase):
    platform = TextField()
    account = TextField()
    credentials_sealed = BlobField()
    settings = TextField()
    since = BigIntegerField()
    swept_until = BigIntegerField(null=True)
    created_at = BigIntegerField()
    last_delivery_at = BigIntegerField(null=True)
    problem = TextField()

    class Meta:
        indexes = ((("id",), True),)


class Inbox(IdBase):
    connection_id = TextField()
    platform = TextField()
    event = TextField()
    event_key = TextField()
    order_id = TextField()
    headers_sealed = BlobField()
    body_sealed = BlobField()
    snapshot_sealed = BlobField(null=True)
    gone = BooleanField()
    state = TextField(constraints=[SQL("CHECK (state IN ('filed', 'done', 'dead'))")])
    error = TextField()
    received_at = BigIntegerField()

    class Meta:
        constraints = (
            OF_MERCHANT,
            within("connection", "connection_id"),
        )
        indexes = ((("merchant_id", "connection_id", "event_key"), True),)


class Outbox(IdBase):
    job = TextField()
    subject = TextField()
    queue = TextField()
    due_at = BigIntegerField()
    state = TextField(constraints=[SQL("CHECK (state IN ('ready', 'claimed', 'dead'))")])
    tries = IntegerField()
    fence = IntegerField()
    worker = TextField()
    claimed_until = BigIntegerField(null=True)
    error = TextField()
    created_at = BigIntegerField()


class Sale(IdBase):
    connection_id = TextField(null=True)
    platform = TextField()
    key = TextField()
    code = TextField()
    revision = BigIntegerField()
    snapshot_sealed = BlobField()
    reasons_sealed = BlobField()
    in_review = BooleanField()
    invited_at = BigIntegerField(null=True)
    verified_at = BigIntegerField(null=True)
    created_at = BigIntegerField()
    updated_at = BigIntegerField()

    class Meta:
        constraints = (
            OF_MERCHANT,
            within("connection", "connection_id"),
        )
        indexes = (
            (("merchant_id", "connection_id", "key"), True),
            (("merchant_id", "code"), True),
        )


class Link(TenantBase):
    sale_id = TextField()
    generation = IntegerField()
    token_hash = BlobField()
    token_sealed = BlobField()
    created_at = BigIntegerField()
    revoked_at = BigIntegerField(null=True)

    class Meta:
        primary_key = CompositeKey("merchant_id", "sale_id", "generation")
        constraints = (within("sale", "sale_id"),)
        indexes = ((("token_hash",), True),)


class Ask(IdBase):
    sale_id = TextField()
    kind = TextField()
    form_sealed = BlobField()
    created_at = BigIntegerField()
    resolved_at = BigIntegerField(null=True)

    class Meta:
        constraints = (within("sale", "sale_id"),)


class Invoice(IdBase):
    state = TextField()
    environment = TextField(constraints=[SQL("CHECK (environment IN ('test', 'live'))")])
    origin = TextField()
    language = TextField()
    receptor_sealed = BlobField()
    total = BigIntegerField()
    currency = TextField()
    findings_sealed = BlobField()
    quiet_until = BigIntegerField(null=True)
    delivered_at = BigIntegerField(null=True)
    created_at = BigIntegerField()
    updated_at = BigIntegerField()


class InvoiceSale(TenantBase):
    invoice_id = TextField()
    sale_id = TextField()
    position = IntegerField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "invoice_id", "sale_id")
        constraints = (
            within("invoice", "invoice_id"),
            within("sale", "sale_id"),
        )
        indexes = ((("merchant_id", "sale_id"), False),)


class Claim(IdBase):
    sale_id = TextField()
    part = IntegerField()
    parts = IntegerField()
    invoice_id = TextField(null=True)
    global_uuid = TextField(null=True)
    opened_at = BigIntegerField()
    closed_at = BigIntegerField(null=True)

    class Meta:
        constraints = (
            within("sale", "sale_id"),
            within("invoice", "invoice_id"),
            SQL("CHECK (part >= 1 AND part <= parts)"),
            SQL("CHECK ((invoice_id IS NULL) <> (global_uuid IS NULL))"),
        )
        indexes = (
            (("merchant_id", "sale_id"), False),
            (("merchant_id", "invoice_id"), False),
        )


class Folio(TenantBase):
    serie = TextField()
    last = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "serie")
        constraints = (OF_MERCHANT,)


class Document(TenantBase):
    invoice_id = TextField()
    version = IntegerField(constraints=[SQL("CHECK (version >= 1)")])
    serie = TextField()
    folio = TextField()
    fecha = TextField()
    total = BigIntegerField()
    xml_sealed = BlobField()
    sha256 = TextField()
    sello = TextField()
    pac_account_id = TextField()
    reference = TextField()
    sealed_at = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "invoice_id", "version")
        constraints = (
            within("invoice", "invoice_id"),
            within("pac_account", "pac_account_id"),
        )
        indexes = ((("merchant_id", "serie", "folio"), True),)


class Attempt(TenantBase):
    invoice_id = TextField()
    number = IntegerField(constraints=[SQL("CHECK (number >= 1)")])
    version = IntegerField()
    worker = TextField()
    started_at = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "invoice_id", "number")
        constraints = (
            within("document", "invoice_id", "version", target=("invoice_id", "version")),
        )


class Answer(TenantBase):
    invoice_id = TextField()
    number = IntegerField()
    outcome = TextField(
        constraints=[
            SQL("CHECK (outcome IN ('stamped', 'already', 'later', 'never', 'unknown', 'lost'))")
        ]
    )
    code = TextField()
    raw_sealed = BlobField()
    answered_at = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "invoice_id", "number")
        constraints = (within("attempt", "invoice_id", "number", target=("invoice_id", "number")),)


class Stamp(TenantBase):
    invoice_id = TextField()
    version = IntegerField()
    uuid = TextField()
    xml_sealed = BlobField()
    stamped_at = BigIntegerField()
    sat_verified = BooleanField()
    created_at = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "invoice_id")
        constraints = (
            within("document", "invoice_id", "version", target=("invoice_id", "version")),
        )


class Transition(TenantBase):
    invoice_id = TextField()
    number = IntegerField()
    before = TextField()
    after = TextField()
    reason = TextField()
    actor = TextField()
    moved_at = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "invoice_id", "number")
        constraints = (within("invoice", "invoice_id"),)


class Declaration(TenantBase):
    invoice_id = TextField()
    version = IntegerField()
    actor = TextField()
    declared_at = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "invoice_id", "version")
        constraints = (
            within("document", "invoice_id", "version", target=("invoice_id", "version")),
        )


class Copy(IdBase):
    invoice_id = TextField()
    address_sealed = BlobField()
    language = TextField()
    asked_at = BigIntegerField()

    class Meta:
        constraints = (within("invoice", "invoice_id"),)
        indexes = ((("merchant_id", "invoice_id"), False),)


class Mail(TenantBase):
    kind = TextField()
    subject_id = TextField()
    message_id = TextField()
    tries = IntegerField()
    begun_at = BigIntegerField()
    sent_at = BigIntegerField(null=True)

    class Meta:
        primary_key = CompositeKey("merchant_id", "kind", "subject_id", "message_id")
        constraints = (OF_MERCHANT,)


TABLES = (
    Merchant,
    KeyCheck,
    Lease,
    DataKey,
    Rules,
    Csd,
    PacAccount,
    Connection,
    Inbox,
    Outbox,
    Sale,
    Link,
    Ask,
    Invoice,
    InvoiceSale,
    Claim,
    Folio,
    Document,
    Attempt,
    Answer,
    Stamp,
    Transition,
    Declaration,
    Copy,
    Mail,
)


def up(migrator: Any, db: Database) -> None:  # noqa: ARG001 - the runner's signature
    for table in TABLES:
        with table.bind_ctx(db):
            table.create_table(safe=False)
