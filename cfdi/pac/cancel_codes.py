"""What SAT's codes for cancellations mean, in words, and what may be done after each.

SAT answers a code for each UUID (2xx), one for the whole request if it is bad (3xx), and to a
receiver's reply one of the thousands. https://www.sat.gob.mx/consultas/91447/nuevo-esquema-de-cancelacion
"""

from __future__ import annotations

import re
from typing import Final

from cfdi.findings import Finding, FixableBy
from cfdi.pac.contract import CancelAnswer, CancelFiled, CancelRefused, Later, Unknown

#: Has the request: for the first time, or before. 1000 and 1002 say the same of a reply.
FILED: Final = frozenset({"201", "202", "1000", "1002"})

#: Nothing was filed, and the same request may be filed later.
LATER: Final[dict[str, str]] = {
    "205": "SAT does not know the document yet (205): normal for 72 hours after its stamp",
    "708": "the provider cannot reach SAT (708)",
    "798": "a request for this document was made before: the provider wants 72 hours between (798)",
}

#: code: path, Spanish, English.
REFUSED: Final[dict[str, tuple[str, str, str]]] = {
    "203": (
        "emisor.rfc",
        "La factura es de otro emisor que quien pide cancelarla.",
        "The invoice belongs to another issuer than the one who asks to cancel it.",
    ),
    "204": (
        "uuid",
        (
            "No se puede cancelar todavía: hay facturas o pagos vigentes relacionados con ella. "
            "Cancela primero esos documentos."
        ),
        (
            "It cannot be cancelled yet: other invoices or payments in force refer to it. "
            "Cancel those first."
        ),
    ),
    "206": (
        "uuid",
        "El documento no es del sector primario, como dice la solicitud.",
        "The document is not one of the primary sector, as the request says.",
    ),
    "207": (
        "motivo",
        "El motivo de cancelación no es uno del SAT (01, 02, 03 o 04).",
        "The reason (motivo) is none of SAT's: 01, 02, 03 or 04.",
    ),
    "208": (
        "folio_sustitucion",
        (
            "El folio que sustituye no es válido: con el motivo 01 primero se emite la factura "
            "nueva, con relación 04, y se da su UUID."
        ),
        (
            "The substitute's UUID is not valid: with motivo 01 the new invoice is issued first, "
            "with relation 04, and its UUID given."
        ),
    ),
    "209": (
        "folio_sustitucion",
        "Sólo el motivo 01 lleva folio de sustitución. Quítalo o cambia el motivo.",
        "Only motivo 01 takes a substitute's UUID. Remove it or change the motivo.",
    ),
    "210": (
        "fecha",
        (
            "Ya pasó el plazo para cancelarla: el mes de la declaración anual del año en que se "
            "emitió. Consulta a tu contador."
        ),
        (
            "The time to cancel it is over: the month of the annual return of the year of issue. "
            "Ask your accountant."
        ),
    ),
    "211": (
        "fecha",
        "Ya pasó la fecha límite para cancelar una factura global.",
        "The last day to cancel a global invoice is over.",
    ),
    "212": (
        "folio_sustitucion",
        "La factura que sustituye no está relacionada con ésta (relación 04) o no existe.",
        "The substitute does not refer to this invoice (relation 04) or does not exist.",
    ),
    "300": (
        "csd",
        "El SAT no reconoce a quien firma la solicitud. Revisa el certificado (CSD).",
        "SAT does not recognise who signs the request. Check the certificate (CSD).",
    ),
    "301": ("", "La solicitud no es un XML bien formado.", "The request is not well-formed XML."),
    "302": ("uuid", "El folio está mal escrito.", "The UUID is malformed."),
    "303": ("emisor.rfc", "El RFC está mal escrito.", "The RFC is malformed."),
    "304": ("fecha", "La fecha de la solicitud no es válida.", "The request's date is not valid."),
    "305": (
        "csd",
        "El certificado no es de quien emitió la factura. Sube su CSD vigente.",
        "The certificate is not the issuer's. Upload the issuer's valid CSD.",
    ),
    "306": (
        "csd",
        "El certificado (CSD) no está vigente. Sube uno vigente.",
        "The certificate (CSD) is not valid at this date. Upload a valid one.",
    ),
    "307": (
        "csd",
        "La solicitud se firmó con la e.firma; se necesita el CSD.",
        "The request was signed with the e.firma; a CSD is needed.",
    ),
    "308": (
        "csd",
        "El SAT revocó el certificado (CSD) o ya caducó. Obtén uno nuevo y súbelo.",
        "The certificate (CSD) has been revoked or has expired. Get a new one and upload it.",
    ),
    "309": ("", "La firma de la solicitud no es válida.", "The request's signature is not valid."),
    "310": (
        "csd",
        "El certificado no es un CSD que el SAT acepte. Sube un CSD vigente.",
        "The certificate is not a CSD that SAT accepts. Upload a valid CSD.",
    ),
    "311": (
        "motivo",
        "El motivo de cancelación no es uno del SAT (01, 02, 03 o 04).",
        "The reason (motivo) is none of SAT's: 01, 02, 03 or 04.",
    ),
    "312": (
        "folio_sustitucion",
        "El folio no va con el motivo: con 01 se da el de la factura que sustituye.",
        "The UUID does not go with the motivo: with 01 that of the substitute is given.",
    ),
    "711": (
        "csd",
        "El PAC no pudo usar el certificado de la solicitud. Revisa que el CSD esté vigente.",
        "The provider could not use the request's certificate. Check that the CSD is valid.",
    ),
    "799": (
        "uuid",
        (
            "El PAC ya recibió cinco solicitudes para esta factura y no acepta más. Revisa su "
            "estado en el SAT o pregunta al PAC."
        ),
        (
            "The provider has had five requests for this invoice and takes no more. Look at its "
            "state at SAT or ask the provider."
        ),
    ),
    "1001": (
        "uuid",
        "No hay ninguna cancelación que espere tu respuesta para esta factura.",
        "No cancellation of this invoice waits for your reply.",
    ),
    "1003": (
        "csd",
        "El certificado no es del RFC que recibió la factura.",
        "The certificate is not that of the RFC that received the invoice.",
    ),
    "1004": (
        "uuid",
        "Hay más de una solicitud de cancelación para esta factura. Responde en el portal del SAT.",
        "There is more than one request to cancel this invoice. Reply on SAT's site.",
    ),
    "1005": ("uuid", "El folio falta o está mal escrito.", "The UUID is missing or malformed."),
    "1006": ("", "Son demasiadas respuestas en un envío.", "Too many replies at once."),
}

#: Nothing that a merchant entered: the request was made wrong.
_OURS: Final = frozenset({"301", "302", "303", "304", "309", "1005", "1006"})

#: Finkok's words for 204 and 202. https://wiki.finkok.com/en/home/webservices/ws_cancelacion
_WORDS: Final = {"NO_CANCELABLE": "204", "ALREADY CANCELLED": "202"}
#: Providers write SAT's 3xx also as 13xx (the list of the Retenciones service) or CR13xx.
_THOUSANDS: Final = re.compile(r"(?:CR)?13(0\d|1[0-2])(?!\d)")
_CODE: Final = re.compile(r"(?:CR)?(\d{3,4})(?!\w)")


def code_of(text: str) -> str:
    """The code at the head of a provider's text; "" if there is none."""
    said = text.strip().upper()
    for words, code in _WORDS.items():
        if said.startswith(words):
            return code
    if thousands := _THOUSANDS.match(said):
        return f"3{thousands.group(1)}"
    found = _CODE.match(said)
    return found.group(1) if found else ""


def sort(code: str, *, acuse: bytes = b"", raw: bytes = b"") -> CancelAnswer:
    """What may be done after this code (of `code_of`). One that nobody knows tells nothing."""
    if code in FILED:
        return CancelFiled(code, acuse, raw)
    if code in LATER:
        return Later(LATER[code], raw)
    if code in REFUSED:
        return CancelRefused((finding(code),), raw)
    return Unknown("an answer without a known code", raw)


def finding(code: str) -> Finding:
    """Raises `KeyError` for a code that refuses nothing."""
    path, es, en = REFUSED[code]
    if code not in _OURS:
        return Finding(code, path, es, en, FixableBy.MERCHANT)
    return Finding(
        code,
        path,
        f"{es} Es una falla del programa, no de los datos: avisa a soporte.",
        f"{en} It is a fault of the program, not of the data: tell support.",
        FixableBy.DEVELOPER,
    )
