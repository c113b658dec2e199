"""The tables. Every table of a tenant has the tenant in its key and in every reference.

Sealed columns (`crypto.py`) end in `_sealed`. Rows of the tables in `guard_rules.APPEND_ONLY` are
only ever added; `guards.py` makes the database see to it.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from peewee import (
    SQL,
    BigIntegerField,
    BlobField,
    BooleanField,
    CompositeKey,
    IntegerField,
    Model,
    TextField,
)

from hub.store.fields import InstantField, MoneyField


def within(table: str, *columns: str, target: tuple[str, ...] = ("id",)) -> SQL:
    """A reference to a row of the same tenant: another tenant's cannot be stored."""
    here = ", ".join(f'"{column}"' for column in ("merchant_id", *columns))
    there = ", ".join(f'"{column}"' for column in ("merchant_id", *target))
    return SQL(f'FOREIGN KEY ({here}) REFERENCES "{table}" ({there})')


OF_MERCHANT = SQL('FOREIGN KEY ("merchant_id") REFERENCES "merchant" ("id")')


class Base(Model):
    class Meta:
        legacy_table_names = False


class Merchant(Base):
    id: TextField[str] = TextField(primary_key=True)
    rfc: TextField[str] = TextField()
    nombre: TextField[str] = TextField()
    regimen: TextField[str] = TextField()
    codigo_postal: TextField[str] = TextField()
    created_at: InstantField[datetime] = InstantField()


class KeyCheck(Base):
    id: IntegerField[int] = IntegerField(primary_key=True, constraints=[SQL("CHECK (id = 1)")])
    kek_id: TextField[str] = TextField()
    wrapped: BlobField[bytes] = BlobField()


class Lease(Base):
    name: TextField[str] = TextField(primary_key=True)
    owner: TextField[str] = TextField()
    fence: BigIntegerField[int] = BigIntegerField()
    expires_at: InstantField[datetime] = InstantField()


class App(Base):
    """An app of a platform that this hub is the server of; its keys are no merchant's."""

    id: TextField[str] = TextField(primary_key=True)
    platform: TextField[str] = TextField()
    client_id: TextField[str] = TextField()
    kek_id: TextField[str] = TextField()
    keys_sealed: BlobField[bytes] = BlobField()
    created_at: InstantField[datetime] = InstantField()

    class Meta:
        indexes = ((("platform", "client_id"), True),)


class TenantBase(Base):
    """A row of one merchant."""

    merchant_id: TextField[str] = TextField()


class IdBase(TenantBase):
    """A row of one merchant with an id of its own."""

    id: TextField[str] = TextField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "id")
        constraints = (OF_MERCHANT,)


class DataKey(TenantBase):
    number: IntegerField[int] = IntegerField()
    kek_id: TextField[str] = TextField()
    wrapped: BlobField[bytes] = BlobField()
    created_at: InstantField[datetime] = InstantField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "number")
        constraints = (OF_MERCHANT,)


class Rules(TenantBase):
    version: IntegerField[int] = IntegerField()
    toml: TextField[str] = TextField()
    created_at: InstantField[datetime] = InstantField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "version")
        constraints = (OF_MERCHANT,)


class Csd(IdBase):
    no_certificado: TextField[str] = TextField()
    certificate_der: BlobField[bytes] = BlobField()
    key_sealed: BlobField[bytes] = BlobField()
    not_before: InstantField[datetime] = InstantField()
    not_after: InstantField[datetime] = InstantField()
    authority: TextField[str] = TextField()
    created_at: InstantField[datetime] = InstantField()


class PacAccount(IdBase):
    provider: TextField[str] = TextField()
    environment: TextField[str] = TextField(
        constraints=[SQL("CHECK (environment IN ('test', 'live'))")]
    )
    settings_sealed: BlobField[bytes] = BlobField()
    active: BooleanField[bool] = BooleanField()
    created_at: InstantField[datetime] = InstantField()


class Connection(IdBase):
    platform: TextField[str] = TextField()
    account: TextField[str] = TextField()
    credentials_sealed: BlobField[bytes] = BlobField()
    settings: TextField[str] = TextField()
    since: InstantField[datetime] = InstantField()
    swept_until: InstantField[datetime | None] = InstantField(null=True)
    created_at: InstantField[datetime] = InstantField()
    last_delivery_at: InstantField[datetime | None] = InstantField(null=True)
    problem: TextField[str] = TextField()
    #: The app through which the shop came.
    app_id: TextField[str | None] = TextField(
        null=True, constraints=[SQL('REFERENCES "app" ("id")')]
    )

    class Meta:
        # A webhook's address names the connection alone.
        indexes = ((("id",), True),)


class Inbox(IdBase):
    connection_id: TextField[str] = TextField()
    platform: TextField[str] = TextField()
    event: TextField[str] = TextField()
    event_key: TextField[str] = TextField()
    order_id: TextField[str] = TextField()
    headers_sealed: BlobField[bytes] = BlobField()
    body_sealed: BlobField[bytes] = BlobField()
    snapshot_sealed: BlobField[bytes | None] = BlobField(null=True)
    gone: BooleanField[bool] = BooleanField()
    state: TextField[str] = TextField(
        constraints=[SQL("CHECK (state IN ('filed', 'done', 'dead'))")]
    )
    error: TextField[str] = TextField()
    received_at: InstantField[datetime] = InstantField()
    #: What it speaks of. An order where nobody has understood it yet.
    kind: TextField[str] = TextField(
        constraints=[
            SQL("DEFAULT 'order'"),
            SQL("CHECK (kind IN ('order', 'customer', 'shop', 'privacy'))"),
        ]
    )
    customer_id: TextField[str] = TextField(constraints=[SQL("DEFAULT ''")])

    class Meta:
        constraints = (
            OF_MERCHANT,
            within("connection", "connection_id"),
        )
        indexes = ((("merchant_id", "connection_id", "event_key"), True),)


class Outbox(IdBase):
    job: TextField[str] = TextField()
    subject: TextField[str] = TextField()
    queue: TextField[str] = TextField()
    due_at: InstantField[datetime] = InstantField()
    state: TextField[str] = TextField(
        constraints=[SQL("CHECK (state IN ('ready', 'claimed', 'dead'))")]
    )
    tries: IntegerField[int] = IntegerField()
    #: Counts the claims of this row: who was overtaken after its time cannot end another's claim.
    fence: IntegerField[int] = IntegerField()
    worker: TextField[str] = TextField()
    claimed_until: InstantField[datetime | None] = InstantField(null=True)
    error: TextField[str] = TextField()
    created_at: InstantField[datetime] = InstantField()


class Sale(IdBase):
    connection_id: TextField[str | None] = TextField(null=True)
    platform: TextField[str] = TextField()
    key: TextField[str] = TextField()
    code: TextField[str] = TextField()
    revision: BigIntegerField[int] = BigIntegerField()
    snapshot_sealed: BlobField[bytes] = BlobField()
    reasons_sealed: BlobField[bytes] = BlobField()
    in_review: BooleanField[bool] = BooleanField()
    invited_at: InstantField[datetime | None] = InstantField(null=True)
    verified_at: InstantField[datetime | None] = InstantField(null=True)
    created_at: InstantField[datetime] = InstantField()
    updated_at: InstantField[datetime] = InstantField()

    class Meta:
        constraints = (
            OF_MERCHANT,
            within("connection", "connection_id"),
        )
        indexes = (
            (("merchant_id", "connection_id", "key"), True),
            (("merchant_id", "code"), True),
            # A buyer types a code without saying whose.
            (("code",), False),
        )


class SaleObject(TenantBase):
    """An object of a platform (an order, a charge, a bill) and the one sale it stands for."""

    connection_id: TextField[str] = TextField()
    object_id: TextField[str] = TextField()
    sale_id: TextField[str] = TextField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "connection_id", "object_id")
        constraints = (
            within("connection", "connection_id"),
            within("sale", "sale_id"),
        )
        indexes = ((("merchant_id", "sale_id"), False),)


class Link(TenantBase):
    sale_id: TextField[str] = TextField()
    generation: IntegerField[int] = IntegerField()
    token_hash: BlobField[bytes] = BlobField()
    token_sealed: BlobField[bytes] = BlobField()
    created_at: InstantField[datetime] = InstantField()
    revoked_at: InstantField[datetime | None] = InstantField(null=True)
    #: Of a sale that is divided, the part that it opens; 0: the sale.
    part: IntegerField[int] = IntegerField(constraints=[SQL("DEFAULT 0")])

    class Meta:
        primary_key = CompositeKey("merchant_id", "sale_id", "generation")
        constraints = (within("sale", "sale_id"),)
        indexes = ((("token_hash",), True),)


class Ask(IdBase):
    sale_id: TextField[str] = TextField()
    kind: TextField[str] = TextField()
    form_sealed: BlobField[bytes] = BlobField()
    created_at: InstantField[datetime] = InstantField()
    resolved_at: InstantField[datetime | None] = InstantField(null=True)
    outcome: TextField[str] = TextField(
        constraints=[
            SQL("DEFAULT ''"),
            SQL("CHECK (outcome IN ('', 'done', 'declined', 'answered'))"),
        ],
    )
    answer_sealed: BlobField[bytes | None] = BlobField(null=True)
    #: Of a sale that is divided; 0: all of it.
    part: IntegerField[int] = IntegerField(constraints=[SQL("DEFAULT 0")])

    class Meta:
        constraints = (within("sale", "sale_id"),)


class Invoice(IdBase):
    state: TextField[str] = TextField()
    environment: TextField[str] = TextField(
        constraints=[SQL("CHECK (environment IN ('test', 'live'))")]
    )
    origin: TextField[str] = TextField()
    language: TextField[str] = TextField()
    receptor_sealed: BlobField[bytes] = BlobField()
    total: MoneyField[Decimal] = MoneyField()
    currency: TextField[str] = TextField()
    findings_sealed: BlobField[bytes] = BlobField()
    quiet_until: InstantField[datetime | None] = InstantField(null=True)
    delivered_at: InstantField[datetime | None] = InstantField(null=True)
    created_at: InstantField[datetime] = InstantField()
    updated_at: InstantField[datetime] = InstantField()

    class Meta:
        indexes = ((("merchant_id", "state", "id"), False),)


class InvoiceSale(TenantBase):
    invoice_id: TextField[str] = TextField()
    sale_id: TextField[str] = TextField()
    position: IntegerField[int] = IntegerField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "invoice_id", "sale_id")
        constraints = (
            within("invoice", "invoice_id"),
            within("sale", "sale_id"),
        )
        indexes = ((("merchant_id", "sale_id"), False),)


class Claim(IdBase):
    sale_id: TextField[str] = TextField()
    part: IntegerField[int] = IntegerField()
    parts: IntegerField[int] = IntegerField()
    invoice_id: TextField[str | None] = TextField(null=True)
    global_uuid: TextField[str | None] = TextField(null=True)
    opened_at: InstantField[datetime] = InstantField()
    closed_at: InstantField[datetime | None] = InstantField(null=True)

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
    serie: TextField[str] = TextField()
    last: BigIntegerField[int] = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "serie")
        constraints = (OF_MERCHANT,)


class Document(TenantBase):
    invoice_id: TextField[str] = TextField()
    version: IntegerField[int] = IntegerField(constraints=[SQL("CHECK (version >= 1)")])
    serie: TextField[str] = TextField()
    folio: TextField[str] = TextField()
    fecha: TextField[str] = TextField()
    total: MoneyField[Decimal] = MoneyField()
    xml_sealed: BlobField[bytes] = BlobField()
    sha256: TextField[str] = TextField()
    sello: TextField[str] = TextField()
    pac_account_id: TextField[str] = TextField()
    reference: TextField[str] = TextField()
    sealed_at: InstantField[datetime] = InstantField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "invoice_id", "version")
        constraints = (
            within("invoice", "invoice_id"),
            within("pac_account", "pac_account_id"),
        )
        indexes = ((("merchant_id", "serie", "folio"), True),)


class Attempt(TenantBase):
    invoice_id: TextField[str] = TextField()
    number: IntegerField[int] = IntegerField(constraints=[SQL("CHECK (number >= 1)")])
    version: IntegerField[int] = IntegerField()
    worker: TextField[str] = TextField()
    started_at: InstantField[datetime] = InstantField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "invoice_id", "number")
        constraints = (
            within("document", "invoice_id", "version", target=("invoice_id", "version")),
        )


class Answer(TenantBase):
    invoice_id: TextField[str] = TextField()
    number: IntegerField[int] = IntegerField()
    outcome: TextField[str] = TextField(
        constraints=[
            SQL("CHECK (outcome IN ('stamped', 'already', 'later', 'never', 'unknown', 'lost'))")
        ]
    )
    code: TextField[str] = TextField()
    raw_sealed: BlobField[bytes] = BlobField()
    answered_at: InstantField[datetime] = InstantField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "invoice_id", "number")
        constraints = (within("attempt", "invoice_id", "number", target=("invoice_id", "number")),)


class Stamp(TenantBase):
    invoice_id: TextField[str] = TextField()
    version: IntegerField[int] = IntegerField()
    uuid: TextField[str] = TextField()
    xml_sealed: BlobField[bytes] = BlobField()
    stamped_at: InstantField[datetime] = InstantField()
    sat_verified: BooleanField[bool] = BooleanField()
    created_at: InstantField[datetime] = InstantField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "invoice_id")
        constraints = (
            within("document", "invoice_id", "version", target=("invoice_id", "version")),
        )


class Transition(TenantBase):
    invoice_id: TextField[str] = TextField()
    number: IntegerField[int] = IntegerField()
    before: TextField[str] = TextField()
    after: TextField[str] = TextField()
    reason: TextField[str] = TextField()
    actor: TextField[str] = TextField()
    moved_at: InstantField[datetime] = InstantField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "invoice_id", "number")
        constraints = (within("invoice", "invoice_id"),)


class Declaration(TenantBase):
    """A person's word that the provider has no stamp of a document."""

    invoice_id: TextField[str] = TextField()
    version: IntegerField[int] = IntegerField()
    actor: TextField[str] = TextField()
    declared_at: InstantField[datetime] = InstantField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "invoice_id", "version")
        constraints = (
            within("document", "invoice_id", "version", target=("invoice_id", "version")),
        )


class Copy(IdBase):
    """An address to which the holder of the link had the document mailed."""

    invoice_id: TextField[str] = TextField()
    address_sealed: BlobField[bytes] = BlobField()
    language: TextField[str] = TextField()
    asked_at: InstantField[datetime] = InstantField()

    class Meta:
        constraints = (within("invoice", "invoice_id"),)
        indexes = ((("merchant_id", "invoice_id"), False),)


class Mail(TenantBase):
    kind: TextField[str] = TextField()
    subject_id: TextField[str] = TextField()
    message_id: TextField[str] = TextField()
    tries: IntegerField[int] = IntegerField()
    begun_at: InstantField[datetime] = InstantField()
    sent_at: InstantField[datetime | None] = InstantField(null=True)
    arrived_at: InstantField[datetime | None] = InstantField(null=True)

    class Meta:
        primary_key = CompositeKey("merchant_id", "kind", "subject_id", "message_id")
        constraints = (OF_MERCHANT,)


class Agreement(TenantBase):
    """The amounts that an invoice was asked for with; `verified`: the shop had confirmed them."""

    invoice_id: TextField[str] = TextField()
    fingerprint: TextField[str] = TextField()
    verified: BooleanField[bool] = BooleanField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "invoice_id")
        constraints = (within("invoice", "invoice_id"),)


class Basis(TenantBase):
    """What was charged for the sale that a sealed document was made of."""

    invoice_id: TextField[str] = TextField()
    version: IntegerField[int] = IntegerField()
    charged: MoneyField[Decimal] = MoneyField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "invoice_id", "version")
        constraints = (
            within("document", "invoice_id", "version", target=("invoice_id", "version")),
        )


class BasisRefund(TenantBase):
    """A refund that a sealed document accounts for: it never has a credit note."""

    invoice_id: TextField[str] = TextField()
    version: IntegerField[int] = IntegerField()
    refund_key: TextField[str] = TextField()
    total: MoneyField[Decimal] = MoneyField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "invoice_id", "version", "refund_key")
        constraints = (within("basis", "invoice_id", "version", target=("invoice_id", "version")),)


class Share(TenantBase):
    """What one of several sales is of a sealed document: which of its lines, and how much.

    `place` is that of its first line in the document, `lines` how many it has there.
    """

    invoice_id: TextField[str] = TextField()
    version: IntegerField[int] = IntegerField()
    sale_id: TextField[str] = TextField()
    place: IntegerField[int] = IntegerField()
    lines: IntegerField[int] = IntegerField()
    charged: MoneyField[Decimal] = MoneyField()
    due: MoneyField[Decimal] = MoneyField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "invoice_id", "version", "sale_id")
        constraints = (
            within("document", "invoice_id", "version", target=("invoice_id", "version")),
            within("sale", "sale_id"),
        )


class ShareRefund(TenantBase):
    """A refund of that sale that the document accounts for: it never has a credit note."""

    invoice_id: TextField[str] = TextField()
    version: IntegerField[int] = IntegerField()
    sale_id: TextField[str] = TextField()
    refund_key: TextField[str] = TextField()
    total: MoneyField[Decimal] = MoneyField()

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


class Division(TenantBase):
    """A sale is invoiced in two parts. `units`: what of each line is in the first, as JSON."""

    sale_id: TextField[str] = TextField()
    number: IntegerField[int] = IntegerField(constraints=[SQL("CHECK (number >= 1)")])
    #: Of the sale and its first part as they were then: one that changed is divided no more.
    fingerprint: TextField[str] = TextField()
    units: TextField[str] = TextField()
    made_at: InstantField[datetime] = InstantField()
    closed_at: InstantField[datetime | None] = InstantField(null=True)

    class Meta:
        primary_key = CompositeKey("merchant_id", "sale_id", "number")
        constraints = (within("sale", "sale_id"),)


class CreditNote(TenantBase):
    """The invoice row `invoice_id` is the credit note of one refund; open while it stands for it.

    `ingreso_id` is the stamped invoice that it is related to, `actor` on whose word it is made.
    """

    invoice_id: TextField[str] = TextField()
    ingreso_id: TextField[str] = TextField()
    sale_id: TextField[str] = TextField()
    refund_key: TextField[str] = TextField()
    total: MoneyField[Decimal] = MoneyField()
    actor: TextField[str] = TextField()
    opened_at: InstantField[datetime] = InstantField()
    closed_at: InstantField[datetime | None] = InstantField(null=True)
    ended: TextField[str] = TextField(
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


class Cancellation(TenantBase):
    """A wish to cancel a stamped invoice; `was` is its state before."""

    invoice_id: TextField[str] = TextField()
    number: IntegerField[int] = IntegerField(constraints=[SQL("CHECK (number >= 1)")])
    motivo: TextField[str] = TextField(
        constraints=[SQL("CHECK (motivo IN ('01', '02', '03', '04'))")]
    )
    substitute: TextField[str] = TextField()
    actor: TextField[str] = TextField()
    was: TextField[str] = TextField()
    asked_at: InstantField[datetime] = InstantField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "invoice_id", "number")
        constraints = (
            within("stamp", "invoice_id", target=("invoice_id",)),
            SQL("CHECK ((motivo = '01') = (substitute <> ''))"),
        )


class CancelEvent(TenantBase):
    """What happened to such a wish: the requests sent, SAT's receipt, SAT's word later."""

    invoice_id: TextField[str] = TextField()
    number: IntegerField[int] = IntegerField()
    step: IntegerField[int] = IntegerField(constraints=[SQL("CHECK (step >= 1)")])
    kind: TextField[str] = TextField(
        constraints=[
            SQL(
                "CHECK (kind IN ('sent', 'filed', 'refused', 'later', 'unknown', 'looked', "
                "'ended', 'rejected'))"
            )
        ]
    )
    code: TextField[str] = TextField()
    detail_sealed: BlobField[bytes] = BlobField()
    happened_at: InstantField[datetime] = InstantField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "invoice_id", "number", "step")
        constraints = (
            within("cancellation", "invoice_id", "number", target=("invoice_id", "number")),
        )


class PairingCode(IdBase):
    """A word that a merchant carries to the shop, to be used once."""

    code_hash: BlobField[bytes] = BlobField()
    created_at: InstantField[datetime] = InstantField()
    expires_at: InstantField[datetime] = InstantField()
    used_at: InstantField[datetime | None] = InstantField(null=True)

    class Meta:
        indexes = ((("code_hash",), True),)


class HandOff(IdBase):
    """A shop was asked for keys: what it sends counts for this shop alone, and for a while."""

    pairing_id: TextField[str] = TextField()
    platform: TextField[str] = TextField()
    account: TextField[str] = TextField()
    nonce_hash: BlobField[bytes] = BlobField()
    browser_hash: BlobField[bytes] = BlobField()
    keys_sealed: BlobField[bytes | None] = BlobField(null=True)
    state: TextField[str] = TextField(
        constraints=[SQL("CHECK (state IN ('open', 'keyed', 'returned', 'done', 'denied'))")]
    )
    created_at: InstantField[datetime] = InstantField()
    expires_at: InstantField[datetime] = InstantField()

    class Meta:
        constraints = (
            OF_MERCHANT,
            within("pairing_code", "pairing_id"),
        )
        indexes = ((("nonce_hash",), True),)


class Bond(TenantBase):
    """How a connection came to be and how it is. `shop` is its account whatever the spelling."""

    connection_id: TextField[str] = TextField()
    platform: TextField[str] = TextField()
    shop: TextField[str] = TextField()
    state: TextField[str] = TextField(
        constraints=[SQL("CHECK (state IN ('manual', 'checking', 'connected', 'closed'))")]
    )
    paired_at: InstantField[datetime | None] = InstantField(null=True)
    checked_at: InstantField[datetime | None] = InstantField(null=True)
    closed_at: InstantField[datetime | None] = InstantField(null=True)
    keys: TextField[str] = TextField(
        constraints=[SQL("CHECK (keys IN ('unknown', 'ok', 'refused'))")]
    )
    subscriptions: TextField[str] = TextField()
    problem_code: TextField[str] = TextField()
    problem: TextField[str] = TextField()
    #: When the platform last gave new keys, of itself.
    renewed_at: InstantField[datetime | None] = InstantField(null=True)

    class Meta:
        primary_key = CompositeKey("merchant_id", "connection_id")
        constraints = (within("connection", "connection_id"),)
        indexes = ((("merchant_id", "platform", "shop"), True),)


class Proof(TenantBase):
    """What a buyer's address from the shop must carry to be let to an order."""

    connection_id: TextField[str] = TextField()
    proof_hash: BlobField[bytes] = BlobField()
    order_id: TextField[str] = TextField()
    proof_sealed: BlobField[bytes] = BlobField()
    created_at: InstantField[datetime] = InstantField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "connection_id", "proof_hash")
        constraints = (within("connection", "connection_id"),)
        indexes = ((("merchant_id", "connection_id", "order_id"), False),)


class ErasedOrder(TenantBase):
    """An order whose buyer asked to be forgotten: nothing personal of it is kept again."""

    connection_id: TextField[str] = TextField()
    order_id: TextField[str] = TextField()
    #: The delivery that asked for it.
    inbox_id: TextField[str] = TextField()
    erased_at: InstantField[datetime] = InstantField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "connection_id", "order_id")
        constraints = (within("connection", "connection_id"),)
        indexes = ((("merchant_id", "inbox_id"), False),)


class Audit(IdBase):
    """That something was told or erased by request, and how much of it; never whose."""

    connection_id: TextField[str] = TextField()
    action: TextField[str] = TextField(
        constraints=[SQL("CHECK (action IN ('access', 'erase_customer', 'erase_shop'))")]
    )
    #: The delivery that asked for it: carried out once.
    inbox_id: TextField[str] = TextField()
    sales: IntegerField[int] = IntegerField()
    deliveries: IntegerField[int] = IntegerField()
    addresses: IntegerField[int] = IntegerField()
    done_at: InstantField[datetime] = InstantField()

    class Meta:
        constraints = (
            OF_MERCHANT,
            within("connection", "connection_id"),
        )
        indexes = ((("merchant_id", "inbox_id"), True),)


class Customer(TenantBase):
    """A customer of a shop who comes again, and the fiscal data that count for them."""

    connection_id: TextField[str] = TextField()
    key: TextField[str] = TextField()
    profile_sealed: BlobField[bytes] = BlobField()
    source: TextField[str] = TextField(
        constraints=[SQL("CHECK (source IN ('buyer', 'staff', 'platform'))")]
    )
    environment: TextField[str] = TextField(
        constraints=[SQL("CHECK (environment IN ('', 'test', 'live'))")]
    )
    since_at: InstantField[datetime] = InstantField()
    refused_sealed: BlobField[bytes] = BlobField()
    updated_at: InstantField[datetime] = InstantField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "connection_id", "key")
        constraints = (within("connection", "connection_id"),)


class CustomerSale(TenantBase):
    """Which sales are a customer's."""

    connection_id: TextField[str] = TextField()
    key: TextField[str] = TextField()
    sale_id: TextField[str] = TextField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "connection_id", "key", "sale_id")
        constraints = (
            within("connection", "connection_id"),
            within("sale", "sale_id"),
        )


class Books(TenantBase):
    """What came of holding the platform's books against the sales, the last time."""

    connection_id: TextField[str] = TextField()
    since: InstantField[datetime] = InstantField()
    until: InstantField[datetime] = InstantField()
    entries: IntegerField[int] = IntegerField()
    differences: TextField[str] = TextField()
    checked_at: InstantField[datetime] = InstantField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "connection_id")
        constraints = (within("connection", "connection_id"),)


class Channel(TenantBase):
    """What a merchant's messages of one kind go by. `problem`: why they cannot, told by it."""

    kind: TextField[str] = TextField(constraints=[SQL("CHECK (kind IN ('sms', 'whatsapp'))")])
    settings_sealed: BlobField[bytes] = BlobField()
    problem: TextField[str] = TextField()
    problem_at: InstantField[datetime | None] = InstantField(null=True)
    created_at: InstantField[datetime] = InstantField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "kind")
        constraints = (OF_MERCHANT,)


class OptOut(TenantBase):
    """An address that wants no invitations and no reminders of this merchant, blinded."""

    address_hash: BlobField[bytes] = BlobField()
    created_at: InstantField[datetime] = InstantField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "address_hash")
        constraints = (OF_MERCHANT,)


class Bounce(TenantBase):
    """A letter or message that did not arrive, for good; the first word about it is kept."""

    kind: TextField[str] = TextField()
    subject_id: TextField[str] = TextField()
    message_id: TextField[str] = TextField()
    sale_id: TextField[str] = TextField()
    address_sealed: BlobField[bytes] = BlobField()
    reason: TextField[str] = TextField()
    bounced_at: InstantField[datetime] = InstantField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "kind", "subject_id", "message_id")
        constraints = (
            within("sale", "sale_id"),
            within(
                "mail",
                "kind",
                "subject_id",
                "message_id",
                target=("kind", "subject_id", "message_id"),
            ),
        )
        indexes = ((("merchant_id", "sale_id"), False),)


class Logo(TenantBase):
    """A merchant's picture, in the sizes that are shown."""

    variant: TextField[str] = TextField()
    digest: TextField[str] = TextField()
    width: IntegerField[int] = IntegerField()
    height: IntegerField[int] = IntegerField()
    image: BlobField[bytes] = BlobField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "variant")
        constraints = (OF_MERCHANT,)


class Address(TenantBase):
    """A name by which a merchant's page is reached; one merchant's alone."""

    name: TextField[str] = TextField()
    kind: TextField[str] = TextField()
    created_at: InstantField[datetime] = InstantField()

    class Meta:
        primary_key = CompositeKey("merchant_id", "name")
        constraints = (OF_MERCHANT,)
        indexes = ((("name",), True),)


#: In the order of their references.
TABLES: tuple[type[Base], ...] = (
    Merchant,
    KeyCheck,
    Lease,
    App,
    DataKey,
    Rules,
    Csd,
    PacAccount,
    Connection,
    Inbox,
    Outbox,
    Sale,
    SaleObject,
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
    Agreement,
    Basis,
    BasisRefund,
    Share,
    ShareRefund,
    Division,
    CreditNote,
    Cancellation,
    CancelEvent,
    Copy,
    Mail,
    PairingCode,
    HandOff,
    Bond,
    Proof,
    Customer,
    CustomerSale,
    ErasedOrder,
    Audit,
    Books,
    Logo,
    Address,
    Channel,
    OptOut,
    Bounce,
)
