"""An e-mail address as a buyer types it: optional everywhere, checked for typing mistakes only."""

from __future__ import annotations

import re
import unicodedata

from cfdi.findings import Finding, FixableBy

#: RFC 5321 §4.5.3.1.3 allows a path of 256 octets with its angle brackets.
MAX_LENGTH = 254

_ADDRESS = re.compile(
    r"[^\s@<>()\[\]\\,;:\"]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_][\w-]{1,62}"
)

EMAIL_INVALID = Finding(
    "email_invalid",
    "correo",
    "Revisa el correo: debe tener la forma nombre@ejemplo.mx. También puedes dejarlo vacío.",
    "Check the e-mail address: it must look like name@example.com. You may also leave it empty.",
    FixableBy.BUYER,
)
EMAIL_MISSING = Finding(
    "email_missing",
    "correo",
    "Escribe el correo al que enviamos la factura.",
    "Type the e-mail address to send the invoice to.",
    FixableBy.BUYER,
)


def check_email(text: str) -> tuple[str, tuple[Finding, ...]]:
    """The address without stray blanks, and what is wrong with it. Empty is fine."""
    address = unicodedata.normalize("NFC", text).strip()
    if not address:
        return "", ()
    if len(address.encode()) > MAX_LENGTH or not _ADDRESS.fullmatch(address):
        return address[:MAX_LENGTH], (EMAIL_INVALID,)
    return address, ()
