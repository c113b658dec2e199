"""What is wrong with a document or with the data for it, and who can mend it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from cfdi.explanations import AMOUNTS, DOCUMENT, FORM, ISSUER, RESIDENCE


class FixableBy(StrEnum):
    BUYER = "buyer"
    MERCHANT = "merchant"
    DEVELOPER = "developer"


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that does not hold. `code` is SAT's own where SAT has one, `path` is where.

    For data of the receiver `path` is the name of the form's field:
    rfc, nombre, cp, regimen, uso or correo.
    """

    code: str
    path: str
    message_es: str
    message_en: str
    fixable_by: FixableBy


#: "CFDI40145 - …", "307. …", "401 - …", "Error CRP20206: …".
_CODE = re.compile(r"(?<![A-Z0-9])((?:CFDI|CRP)\d{4,6}|\d{3})(?=\s*(?:[-)|]|[.:,](?!\d)|$))")
_LONGEST_TEXT = 500


def code_of(message: str) -> str:
    """The code at which SAT or a PAC points in free text; "" if there is none."""
    found = _CODE.search(message[:_LONGEST_TEXT].upper())
    return found.group(1) if found else ""


def explain(code: str, sat_message: str) -> Finding:
    """The refusal in words for the person who can mend it.

    What we do not know is kept in SAT's own words, for the merchant.
    """
    key = _known_as(code)
    if key in FORM:
        return at_form(key)
    if key in ISSUER:
        return Finding(key, *ISSUER[key], FixableBy.MERCHANT)
    said = _said(sat_message)
    if key in DOCUMENT:
        path, es, en = DOCUMENT[key]
        return _of_the_document(key, path, es, en, said)
    if key in AMOUNTS:
        es, en = "Los importes no cumplen una regla del SAT.", "The amounts break a rule of SAT's."
        return _of_the_document(key, "importes", es, en, said)
    if key in RESIDENCE:
        es, en = (
            "Datos de residencia fiscal de más.",
            "Foreign residence stated where it cannot be.",
        )
        return _of_the_document(key, "receptor", es, en, said)
    return Finding(
        key,
        "",
        f"El SAT o el PAC no aceptó la factura. {said}".strip(),
        f"SAT or the PAC did not accept the invoice. {said}".strip(),
        FixableBy.MERCHANT,
    )


def at_form(code: str) -> Finding:
    """A finding of the receiver's data, which the buyer mends in the form."""
    return Finding(code, *FORM[code], FixableBy.BUYER)


def _known_as(code: str) -> str:
    key = code.strip().upper()
    # SAT prints CFDI140223 to CFDI140228 for 40223 to 40228; PACs answer either.
    key = re.sub(r"^CFDI1(402\d\d)$", r"CFDI\1", key)
    if re.fullmatch(r"40\d{3}|3307", key):
        return f"CFDI{key}"
    return key


def _said(sat_message: str) -> str:
    text = " ".join(sat_message[:_LONGEST_TEXT].split())
    return f"Mensaje original: {text}" if text else ""


def _of_the_document(code: str, path: str, es: str, en: str, said: str) -> Finding:
    return Finding(
        code,
        path,
        f"{es} Es una falla del programa, no de los datos: avisa a soporte. {said}".strip(),
        f"{en} It is a fault of the program, not of the data: tell support. {said}".strip(),
        FixableBy.DEVELOPER,
    )
