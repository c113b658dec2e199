"""Rows as the rest of the house sees them: frozen, decrypted, money as `Decimal`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from cfdi.cancelacion import Motivo
from cfdi.findings import Finding
from connectors.abilities import Subscription
from hub.domain.sale import Sale
from hub.domain.states import State


@dataclass(frozen=True, slots=True)
class Merchant:
    id: str
    rfc: str
    nombre: str
    regimen: str
    codigo_postal: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class CsdRow:
    """A certificate to seal with. `key_der` is an unencrypted PKCS#8, only ever in memory."""

    id: str
    no_certificado: str
    certificate_der: bytes
    key_der: bytes
    not_before: datetime
    not_after: datetime
    #: "sat", "sat-test" (SAT's published test authority) or "sandbox" (made by this installation).
    authority: str


@dataclass(frozen=True, slots=True)
class PacAccount:
    id: str
    provider: str
    environment: str  # "test" or "live"
    settings: Mapping[str, str]  # secrets included, decrypted


@dataclass(frozen=True, slots=True)
class Connection:
    id: str
    merchant_id: str
    platform: str
    account: str
    settings: Mapping[str, Any]
    since: datetime
    swept_until: datetime | None
    created_at: datetime
    last_delivery_at: datetime | None
    problem: str  # "" or what a person must mend
    #: The app through which it came; None if by keys of its own.
    app_id: str | None = None


@dataclass(frozen=True, slots=True)
class Pairing:
    """A code that a merchant carries to the shop."""

    merchant_id: str
    id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class HandOff:
    """A shop was asked for keys. `account` is the shop that they must belong to."""

    id: str
    merchant_id: str
    pairing_id: str
    platform: str
    account: str
    browser_hash: bytes
    state: str  # "open", "keyed" (keys came), "returned" (the browser came), "done", "denied"


@dataclass(frozen=True, slots=True)
class Bond:
    """How a connection came to be and how it is."""

    connection_id: str
    state: str  # "manual", "checking", "connected", "closed"
    paired_at: datetime | None  # None if it was made by hand
    checked_at: datetime | None  # when the keys were last found to be good
    closed_at: datetime | None
    keys: str  # "unknown", "ok", "refused"
    subscriptions: tuple[Subscription, ...]
    problem_code: str
    problem: str
    renewed_at: datetime | None = None  # when the platform last gave new keys, of itself

    def keyed_at(self) -> datetime | None:
        """When it was last paired or its keys renewed."""
        return max((at for at in (self.paired_at, self.renewed_at) if at), default=None)


@dataclass(frozen=True, slots=True)
class InboxRow:
    id: str
    connection_id: str
    platform: str
    event: str
    event_key: str
    order_id: str
    headers: Mapping[str, str]
    body: bytes
    snapshot: bytes | None
    gone: bool
    state: str  # "filed", "done", "dead"
    error: str
    received_at: datetime
    kind: str = "order"  # "order", "customer", "shop", "privacy"
    customer_id: str = ""
    #: Its content was erased because a person or the shop asked for it.
    erased: bool = False


@dataclass(frozen=True, slots=True)
class SaleRow:
    id: str
    connection_id: str | None
    platform: str  # "" where it has none (`sale create`)
    code: str
    sale: Sale
    #: Why a person must look at it before it can be invoiced; empty if it can.
    reasons: tuple[Finding, ...]
    invited_at: datetime | None
    verified_at: datetime | None  # when the platform last confirmed this snapshot
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class LinkRow:
    sale_id: str
    generation: int
    token: str
    created_at: datetime
    #: The merchant's own host, which the link is shown with; "" for the hub's.
    host: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """What holds a part of a sale: an invoice of ours, or a global invoice made elsewhere."""

    sale_id: str
    part: int
    parts: int
    invoice_id: str | None
    global_uuid: str | None
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class ReceptorData:
    """The fiscal data as accepted (normalised), with the optional e-mail."""

    rfc: str
    nombre: str
    codigo_postal: str
    regimen: str
    uso: str
    correo: str


@dataclass(frozen=True, slots=True)
class Document:
    """A sealed document, never changed. `version` counts from 1 within its invoice."""

    invoice_id: str
    version: int
    serie: str
    folio: str
    fecha: datetime  # local time at LugarExpedicion, naive, as written
    total: Decimal
    xml: bytes
    sha256: str
    sello: str
    pac_account_id: str
    #: What the provider may recognise the document by (SW's customid): the document's own hash.
    reference: str
    sealed_at: datetime


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sending of one document, filed before its first byte leaves."""

    invoice_id: str
    version: int
    number: int  # counts from 1 within the invoice; the fence of its answer
    worker: str
    started_at: datetime
    answered_at: datetime | None
    outcome: str | None  # stamped, already, later, never, unknown, lost (nobody is left to tell)


@dataclass(frozen=True, slots=True)
class Stamp:
    """The stamped document: written once."""

    invoice_id: str
    version: int
    uuid: str
    xml: bytes
    stamped_at: datetime  # FechaTimbrado, read in the zone of LugarExpedicion, in UTC
    sat_verified: bool


@dataclass(frozen=True, slots=True)
class Copy:
    """Somebody with the link asked for the document to be mailed there."""

    id: str
    invoice_id: str
    address: str
    language: str


#: `Invoice.origin` of every credit note, and of nothing else.
NOTE_ORIGIN = "refund"


@dataclass(frozen=True, slots=True)
class Invoice:
    id: str
    state: State
    environment: str  # "test" or "live", that of the PAC account it was sealed for
    origin: str  # "buyer", "ticket", "automatic", "staff", "refund" (a credit note)
    language: str
    receptor: ReceptorData
    sale_ids: tuple[str, ...]
    total: Decimal
    currency: str
    findings: tuple[Finding, ...]
    version: int  # of the newest document, 0 before the first
    quiet_until: datetime | None
    uuid: str | None
    delivered_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @property
    def is_note(self) -> bool:
        """A credit note (egreso); every other invoice is an ingreso."""
        return self.origin == NOTE_ORIGIN


@dataclass(frozen=True, slots=True)
class Agreement:
    """The amounts an invoice was asked for with; `verified`: the shop had just confirmed them."""

    fingerprint: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Transition:
    """One move of an invoice, kept for ever. `before` is None for the first."""

    number: int  # counts from 1 within the invoice
    before: State | None
    after: State
    reason: str
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """What `sales.keep` did: a new sale, a newer snapshot of a known one, or nothing."""

    id: str
    created: bool
    changed: bool


@dataclass(frozen=True, slots=True)
class OutboxRow:
    id: str
    merchant_id: str
    job: str
    subject: str
    due_at: datetime
    #: How often it failed so far, a worker that died on it included.
    tries: int
    #: Counts its claims: whoever was overtaken cannot end another's.
    fence: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class CancelEvent:
    """What happened to a request to cancel, kept for ever.

    `kind`: sent, filed (SAT has it), refused, later, unknown (the provider said so), looked, ended
    or rejected (SAT's status service said so). `code` is theirs.
    """

    step: int
    kind: str
    code: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A wish to cancel a stamped invoice. `was` is its state before; `number` counts from 1."""

    invoice_id: str
    number: int
    motivo: Motivo
    substitute: str
    actor: str
    was: State
    asked_at: datetime
    events: tuple[CancelEvent, ...]

    def when(self, kind: str) -> datetime | None:
        """The first time that happened."""
        return next((event.at for event in self.events if event.kind == kind), None)

    def count(self, kind: str) -> int:
        return sum(1 for event in self.events if event.kind == kind)
