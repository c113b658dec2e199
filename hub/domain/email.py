"""An e-mail address as a buyer types it: optional everywhere, checked for typing mistakes only."""

from __future__ import annotations

import re
import unicodedata

from cfdi.findings import Finding, FixableBy

#: RFC 5321 §4.5.3.1.3 allows a path of 256 octets with its angle brackets.
MAX_LENGTH = 254

_LONGEST = 1000
#: Marks around an address in a letter, a list or a sentence.
_AROUND = " .,;:<>()[]\"'\u201c\u201d\u2018\u2019"

_ADDRESS = re.compile(
    r"[^\s@<>()\[\]\\,;:\"]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_][\w-]{1,62}"
)

EMAIL_INVALID = Finding(
    "email_invalid",
    "correo",
    "Revisa el correo: debe tener la forma nombre@ejemplo.mx.",
    "Check the e-mail address: it must look like name@example.com.",
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
    """The address without what was typed or pasted around it, and what is wrong. Empty is fine.

    Blanks at the @ and in the domain go, since none can stand there; one between two words stays,
    because nobody can say what it stands for. Only the domain is put in small letters.
    """
    address = _bare(text)
    if not address:
        return "", ()
    if len(address.encode()) > MAX_LENGTH or not _ADDRESS.fullmatch(address):
        return address[:MAX_LENGTH], (EMAIL_INVALID,)
    return address, ()


def needed_email(text: str) -> tuple[str, tuple[Finding, ...]]:
    """As `check_email`, where there has to be an address."""
    address, findings = check_email(text)
    return address, findings if address or findings else (EMAIL_MISSING,)


def _bare(text: str) -> str:
    written = unicodedata.normalize("NFKC", text[:_LONGEST])
    visible = "".join(each for each in written if unicodedata.category(each) != "Cf").strip()
    bare = re.sub(r"^mailto:", "", visible.strip(_AROUND), flags=re.IGNORECASE).strip(_AROUND)
    name, at, domain = bare.rpartition("@")
    return f"{name.rstrip()}{at}{''.join(domain.split()).lower() if at else domain}"


def masked(address: str) -> str:
    """First letter and domain alone: enough to recognise one's own, useless to anybody else."""
    name, at, domain = address.partition("@")
    return f"{name[0]}•••{at}{domain}" if name and domain else ""
