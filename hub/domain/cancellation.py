"""Until when a document can be cancelled, and what speaks against it. Pure."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Final

from cfdi.cancelacion import Motivo
from cfdi.findings import Finding, FixableBy

#: A receiver has three working days to answer (RMF 2026 2.7.1.34), a holiday week included; SAT
#: may know nothing of a document for 72 hours after its stamp. After this a person is told.
OVERDUE: Final = timedelta(days=10)
#: SAT's word on a request that it took shows within minutes; one that it has lost never does.
LOST: Final = timedelta(days=4)
#: SAT shows the no to an earlier request until it has taken up the next one.
STALE: Final = timedelta(days=1)
_COMPANY: Final = 12
_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def last_day(rfc: str, fecha: datetime) -> date:
    """Until when the issuer may cancel it: the month of the annual return of its year.

    31 March for a company, 30 April for a person, of the year after Fecha (CFF 29-A, DOF
    07-11-2025). After it SAT answers 210.
    """
    year = fecha.year + 1
    return date(year, 3, 31) if len(rfc) == _COMPANY else date(year, 4, 30)


def objection(
    motivo: Motivo,
    *,
    substitute: str,
    uuid: str,
    rfc: str,
    fecha: datetime,
    today: date,
    is_global: bool,
) -> Finding | None:
    """Why SAT would refuse the request for sure; None if nothing here speaks against it.

    `fecha` and `today` are local to LugarExpedicion; `rfc` is the issuer's.
    """
    if (motivo is Motivo.ERRORES_CON_RELACION) != bool(substitute):
        return SUBSTITUTE_NEEDED if not substitute else SUBSTITUTE_UNWANTED
    if substitute and not _UUID.fullmatch(substitute):
        return SUBSTITUTE_MALFORMED
    if substitute.upper() == uuid.upper():
        return SUBSTITUTE_ITSELF
    if motivo is Motivo.NOMINATIVA_EN_GLOBAL and not is_global:
        return ONLY_GLOBAL
    if today > last_day(rfc, fecha):
        return TOO_LATE
    return None


def _merchant(code: str, es: str, en: str) -> Finding:
    return Finding(code, "", es, en, FixableBy.MERCHANT)


SUBSTITUTE_NEEDED: Final = _merchant(
    "substitute_needed",
    "El motivo 01 necesita el UUID de la factura que la sustituye (timbrada, con relación 04).",
    "Motivo 01 needs the UUID of the invoice that takes its place (stamped before, relation 04).",
)
SUBSTITUTE_UNWANTED: Final = _merchant(
    "substitute_unwanted",
    "Solo el motivo 01 lleva el UUID de la factura que sustituye.",
    "Only motivo 01 names the UUID of a substitute.",
)
SUBSTITUTE_MALFORMED: Final = _merchant(
    "substitute_malformed",
    "El folio que sustituye no es un UUID: son 36 caracteres, como 5B3C1D2E-8F4A-….",
    "The substitute's folio is no UUID: it has 36 characters, such as 5B3C1D2E-8F4A-….",
)
SUBSTITUTE_ITSELF: Final = _merchant(
    "substitute_itself",
    "Una factura no puede sustituirse a sí misma.",
    "An invoice cannot be its own substitute.",
)
SUBSTITUTE_NOT_ONE: Final = _merchant(
    "substitute_not_one",
    "Esa factura es tuya y no sustituye a esta: tiene que estar vigente y llevar su UUID con la "
    "relación 04.",
    "That invoice is yours and no substitute of this one: it must be in force and name its UUID "
    "with relation 04.",
)
ONLY_GLOBAL: Final = _merchant(
    "motivo_04_global",
    "El motivo 04 es solo para facturas globales.",
    "Motivo 04 is for global invoices only.",
)
TOO_LATE: Final = _merchant(
    "cancel_too_late",
    "El plazo terminó: el SAT cancela hasta el mes de la declaración anual del año de la factura "
    "(31 de marzo las empresas, 30 de abril las personas). Emite una nota de crédito.",
    "The time is over: SAT cancels until the month of the annual return of the invoice's year "
    "(31 March for companies, 30 April for persons). Issue a credit note.",
)
REFUSED_BY_RECEIVER: Final = _merchant(
    "cancel_rejected",
    "El receptor rechazó la cancelación: la factura sigue vigente. Acuérdalo con él y pídela otra "
    "vez, o emite una nota de crédito.",
    "The receiver rejected the cancellation: the invoice is in force. Settle it with him and ask "
    "again, or issue a credit note.",
)
NEVER_SHOWN: Final = _merchant(
    "cancel_lost",
    "El SAT recibió la solicitud y días después no sabe de ella: la factura sigue vigente. Pide la "
    "cancelación otra vez.",
    "SAT took the request and does not know of it days later: the invoice is in force. Ask for the "
    "cancellation again.",
)
