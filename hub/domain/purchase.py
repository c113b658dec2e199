"""What the buyer's page shows of one sale: everything, already decided, nothing to compute."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from cfdi.findings import Finding
from hub.domain.asks import Answer, AskKind
from hub.domain.brand import Brand


class Estado(StrEnum):
    """Words of the page's JSON (`GET /f/<token>/estado`); fixed."""

    ABIERTA = "abierta"
    PROCESANDO = "procesando"
    POR_CONFIRMAR = "por_confirmar"
    LISTA = "lista"
    RECHAZADA = "rechazada"
    VENCIDA = "vencida"
    CANCELADA = "cancelada"
    EN_REVISION = "en_revision"
    EN_GLOBAL = "en_global"


#: In these a link to the page is of use: the invoice can be had there, or is being made.
LINKED: Final = frozenset(
    {
        Estado.ABIERTA,
        Estado.RECHAZADA,
        Estado.PROCESANDO,
        Estado.POR_CONFIRMAR,
        Estado.LISTA,
    }
)
#: In these only the merchant can issue the invoice, and the buyer may ask for it.
ASKABLE: Final = frozenset({Estado.VENCIDA, Estado.EN_GLOBAL, Estado.EN_REVISION})


@dataclass(frozen=True, slots=True)
class FieldError:
    """An error at its field: rfc, nombre, cp, regimen, uso, correo; or "" for the whole form."""

    campo: str
    codigo: str
    mensaje_es: str
    mensaje_en: str


_FIELDS = frozenset({"rfc", "nombre", "cp", "regimen", "uso", "correo"})


def field_error(finding: Finding) -> FieldError:
    """A finding at the field it is about; at the whole form if it is about none of them."""
    campo = finding.path if finding.path in _FIELDS else ""
    return FieldError(campo, finding.code, finding.message_es, finding.message_en)


@dataclass(frozen=True, slots=True)
class FiscalForm:
    """What the buyer typed, as typed: shown again after an error, nothing lost."""

    rfc: str = ""
    nombre: str = ""
    cp: str = ""
    regimen: str = ""
    uso: str = ""
    correo: str = ""
    #: The `vista` of the purchase that the form was filled in beside; "" if it was none.
    vista: str = ""


@dataclass(frozen=True, slots=True)
class PurchaseLine:
    description: str
    quantity: Decimal
    total: Decimal  # taxes included, after discount


@dataclass(frozen=True, slots=True)
class Bought:
    """One of several purchases that are invoiced together."""

    number: str
    placed_at: datetime  # in the zone of the place of issue
    #: Nothing once there is a document, which alone tells its amounts.
    lines: tuple[PurchaseLine, ...]
    total: Decimal | None


@dataclass(frozen=True, slots=True)
class Part:
    """One of the two invoices that a purchase is divided into."""

    number: int  # 1 or 2
    total: Decimal
    estado: Estado
    #: Opens its own page, as far as the page that shows it opens the whole purchase.
    token: str


@dataclass(frozen=True, slots=True)
class Portion:
    """A line of a purchase that is to be divided."""

    key: str
    description: str
    quantity: Decimal
    total: Decimal  # taxes included, after discount
    #: How many are in the first invoice.
    first: Decimal


@dataclass(frozen=True, slots=True)
class Draft:
    """How a purchase would be divided. `totals` are None where it cannot be like that."""

    portions: tuple[Portion, ...]
    totals: tuple[Decimal, Decimal] | None
    error: FieldError | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A purchase on a buyer's list of those to be invoiced together."""

    number: str
    placed_at: datetime  # in the zone of the place of issue
    total: Decimal
    currency: str
    #: What keeps it out; None if nothing does.
    problem: FieldError | None


@dataclass(frozen=True, slots=True)
class Joined:
    """The token of the new list, or why it is as it was."""

    token: str | None
    error: FieldError | None = None


#: `Purchase.reason` of a purchase that nobody may invoice for now, the merchant neither.
HELD: Final = "held"


#: By `Purchase.reason` of a cancelled one: where the merchant may have it wrong.
_ENDED: Final = {
    one.value: one for one in (AskKind.CANCELLED, AskKind.REFUNDED, AskKind.INVOICE_CANCELLED)
}


@dataclass(frozen=True, slots=True)
class Note:
    """A credit note in force on the invoice of the purchase."""

    number: int  # counts within the purchase; names it in addresses, for ever
    total: Decimal
    currency: str
    uuid: str
    issued_at: datetime  # in the zone of the place of issue


@dataclass(frozen=True, slots=True)
class Word:
    """How a purchase is, for those who wait for its invoice; each as in `Purchase`."""

    merchant_id: str
    estado: Estado
    uuid: str | None = None
    errors: tuple[FieldError, ...] = ()


@dataclass(frozen=True, slots=True)
class Visit:
    """What somebody finds who opens the page."""

    purchase: Purchase
    #: The token of the page to go to instead: this purchase is part of another one now.
    moved: str | None = None


@dataclass(frozen=True, slots=True)
class Paper:
    """A document as a file; `name` is fit for one, with its ending."""

    name: str
    content: bytes


#: `Purchase.reason` of an invoice under way that nobody takes now: it is kept and sent again.
DOWN: Final = "down"


@dataclass(frozen=True, slots=True)
class Purchase:
    estado: Estado
    merchant_id: str
    merchant_name: str  # what buyers know the merchant by
    issuer_name: str  # as registered with SAT: what the invoice will say
    merchant_rfc: str
    number: str
    code: str
    placed_at: datetime  # in the zone of the place of issue
    currency: str
    lines: tuple[PurchaseLine, ...]
    subtotal: Decimal  # after discount, without tax
    taxes: tuple[tuple[str, Decimal], ...]  # ("IVA 16%", amount)
    refunded: Decimal
    total: Decimal  # what the invoice will add up to
    deadline_at: datetime | None  # in the zone of the place of issue
    #: c_UsoCFDI keys the merchant allows; empty: all.
    usos: tuple[str, ...]
    form: FiscalForm
    errors: tuple[FieldError, ...]
    uuid: str | None
    issued_at: datetime | None
    #: Receiver's e-mail with most of it hidden ("j•••@ejemplo.mx"), "" if there is none.
    masked_email: str
    sandbox: bool  # the document has no fiscal value
    #: Why it is cancelled/reviewed, for people: "pending", "cancelled", "refunded", "free",
    #: "invoice_cancelled", …; of one under way "down": nobody answers, it is saved and tried again.
    reason: str
    asked_at: datetime | None  # the buyer already asked the merchant
    #: The merchant asked SAT to cancel the invoice; until then it is in force.
    cancelling: bool = False
    #: Names the amounts shown: sent back with the form, nothing else is invoiced.
    vista: str = ""
    #: What was given back after the invoice, each with its document.
    notes: tuple[Note, ...] = ()
    #: What was paid with it and the invoice does not hold: ("tip", amount), ("gift_card", amount).
    excluded: tuple[tuple[str, Decimal], ...] = ()
    #: False: found by what stands on a ticket. No document, no UUID and no personal data are in it.
    proven: bool = True
    #: The address to which the invoice could not be mailed, masked; "" where that is not known.
    undelivered: str = ""
    #: Whose page it is: logo, colours, words, what the merchant's rules offer to buyers.
    brand: Brand = field(default_factory=Brand)
    #: What waits since `asked_at`.
    asked_kind: str = ""
    #: How often the buyer may still correct the data of the invoice; 0: only ask for it.
    corrections_left: int = 0
    #: To what was asked before; None while a request is open.
    answer: Answer | None = None
    #: The purchases that it is of, where they are several; `number` names them all.
    group: tuple[Bought, ...] = ()
    #: They are several and cannot be invoiced together (any more).
    apart: bool = False
    #: The buyer may add another purchase of this merchant.
    joinable: bool = False
    #: The buyer may divide it into two invoices.
    dividable: bool = False
    #: It is divided: its two invoices. Nothing else of them is told here.
    parts: tuple[Part, ...] = ()
    #: The division may still be undone.
    unitable: bool = False
    #: It is a part of a purchase (1 or 2); 0: all of one.
    part: int = 0

    @property
    def askable(self) -> bool:
        """Whether there is no invoice to be had here, and the merchant could make one."""
        return self.ask_kind is not None and self.estado is not Estado.LISTA

    @property
    def ask_kind(self) -> AskKind | None:
        """What the buyer may ask the merchant for as it is now."""
        if self.estado is Estado.LISTA:
            return AskKind.QUESTION if self.proven else None
        if self.estado is Estado.CANCELADA:
            return _ENDED.get(self.reason)
        if self.estado in ASKABLE and self.reason != HELD:
            return AskKind(self.estado.value)
        return None

    @property
    def amounts_changed(self) -> bool:
        """The invoice was not made because the purchase is no longer what was asked for."""
        return any(error.codigo == "amounts_changed" for error in self.errors)
