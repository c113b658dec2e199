"""What the buyer's page shows of one sale: everything, already decided, nothing to compute."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from cfdi.findings import Finding


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
    #: "invoice_cancelled", …
    reason: str
    asked_at: datetime | None  # the buyer already asked the merchant
    #: The merchant asked SAT to cancel the invoice; until then it is in force.
    cancelling: bool = False
    #: Names the amounts shown: sent back with the form, nothing else is invoiced.
    vista: str = ""

    @property
    def amounts_changed(self) -> bool:
        """The invoice was not made because the purchase is no longer what was asked for."""
        return any(error.codigo == "amounts_changed" for error in self.errors)
