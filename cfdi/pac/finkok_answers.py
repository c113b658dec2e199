"""What an answer of Finkok means for the document or request that was sent. Pure.

Finkok answers HTTP 200 to everything it understood; refusals are Incidencias, of which there may be
several, and the same one twice. https://wiki.finkok.com/en/home/tipificacion
"""

from __future__ import annotations

import html
import re
from typing import Final

from cfdi.findings import Finding, FixableBy, explain
from cfdi.pac import cancel_codes
from cfdi.pac.contract import (
    AlreadyStamped,
    Answer,
    CancelAnswer,
    Later,
    Never,
    Pending,
    Reply,
    Stamped,
    Unknown,
)
from cfdi.pac.finkok_soap import NoResult, Result

#: SAT's acceptance list and matrices, and Finkok's own look at structure and certificate. Only
#: these are a verdict; 300 is none of SAT's here, 401 and 402 are.
_VERDICT: Final = re.compile(
    r"30[1-68]|40[1-3]|705|71[12]|CFDI40(?!999)\d{3}|CFDI140\d{3}|CRP20\d{3}"
)
_STAMPED_BEFORE: Final = "307"
_CREDENTIALS: Final = "300"

#: code: path, Spanish, English. What SAT has no code for.
_OWN: Final[dict[str, tuple[str, str, str]]] = {
    "705": (
        "",
        (
            "El PAC (Finkok) no acepta la estructura del XML. Suele ser un producto cuyo nombre "
            "contiene «&amp;» o «&aacute;» escrito así: corrígelo en tu tienda y vuelve a emitir."
        ),
        (
            "The provider (Finkok) does not accept the XML's structure. Mostly a product's name "
            "holds “&amp;” or “&aacute;” spelt out: mend it in the shop and issue again."
        ),
    ),
    "711": (
        "csd",
        "El PAC (Finkok) no pudo usar el certificado (CSD). Revisa que esté vigente.",
        "The provider (Finkok) could not use the certificate (CSD). Check that it is valid.",
    ),
    "712": (
        "csd",
        "El número de certificado no es el que el PAC (Finkok) tiene para quien emite.",
        "The certificate's number is not the one the provider (Finkok) has for the issuer.",
    ),
}


def stamped(status: int, raw: bytes, operation: str = "stamp") -> Answer:
    """Sort an answer to `stamp`.

    708 (SAT cannot be reached) is no clear no: Finkok stamps first and then reports to SAT.
    """
    try:
        result = _result(status, raw, operation)
    except NoResult:
        return Unknown(f"an answer that tells nothing (HTTP {status})", raw)
    codes = _codes(result)
    before = _STAMPED_BEFORE in codes or "previamente" in result.text("CodEstatus")
    if xml := _document(result.text("xml")):
        return AlreadyStamped(xml, raw) if before else Stamped(xml, raw)
    if before:
        return AlreadyStamped(None, raw)
    return _refused(codes, raw)


def recovered(status: int, raw: bytes) -> Answer:
    """Sort an answer to `stamped`. 603 ("no previous stamp") is said for seconds after a stamp."""
    match stamped(status, raw, "stamped"):
        case AlreadyStamped(xml=bytes(xml)) | Stamped(xml=xml):
            return Stamped(xml, raw)
        case Never() | Later():
            return Unknown("the provider does not find the stamp it may have given", raw)
        case answer:
            return answer if isinstance(answer, Unknown) else Unknown("without its document", raw)


def _refused(codes: dict[str, str], raw: bytes) -> Answer:
    if codes and all(_VERDICT.fullmatch(code) for code in codes):
        return Never(tuple(_finding(code, said) for code, said in codes.items()), raw)
    if set(codes) == {_CREDENTIALS}:
        return Later("the provider refuses the account's user and password", raw)
    return Unknown("a refusal without a known code", raw)


def cancelled(status: int, raw: bytes, uuid: str) -> CancelAnswer:
    """SAT's code of the document counts, or that of the request where there is none."""
    try:
        result = _result(status, raw, "cancel_signature")
    except NoResult:
        return Unknown(f"an answer that tells nothing (HTTP {status})", raw)
    acuse = _document(result.text("Acuse")) or b""
    for folio in result.each("Folio"):
        if folio.get("UUID", "").upper() == uuid.upper():
            code = cancel_codes.code_of(folio.get("EstatusUUID", ""))
            return cancel_codes.sort(code, acuse=acuse, raw=raw)
    said = result.text("CodEstatus") or result.text("error")
    return _of_the_request(said, acuse, raw)


def _of_the_request(said: str, acuse: bytes, raw: bytes) -> CancelAnswer:
    if _is_of_credentials(said):
        return Later("the provider refuses the account's user and password", raw)
    if "NO ENCONTRADO" in said.upper():
        return cancel_codes.sort("205", raw=raw)
    if "BUFFERCANCELLATION" in said.upper():
        return Later("the provider holds an earlier request that SAT has not had yet", raw)
    return cancel_codes.sort(cancel_codes.code_of(said), acuse=acuse, raw=raw)


def replied(status: int, raw: bytes, uuid: str, reply: Reply) -> CancelAnswer:
    try:
        result = _result(status, raw, "accept_reject_signature")
    except NoResult:
        return Unknown(f"an answer that tells nothing (HTTP {status})", raw)
    name = {Reply.ACEPTACION: "Acepta", Reply.RECHAZO: "Rechaza"}[reply]
    for folio in result.each(name):
        if folio.get("uuid", "").upper() == uuid.upper():
            return cancel_codes.sort(cancel_codes.code_of(folio.get("status", "")), raw=raw)
    return _of_the_request(result.text("error"), b"", raw)


def pending(status: int, raw: bytes) -> Pending | Later:
    try:
        result = _result(status, raw, "get_pending")
    except NoResult:
        return Later(f"no list of pending replies (HTTP {status})", raw)
    if result.text("error"):
        return Later("no list of pending replies", raw)
    return Pending(tuple(text.upper() for text in result.texts("string") if text), raw)


def _result(status: int, raw: bytes, operation: str) -> Result:
    if status != 200:
        raise NoResult
    return Result.read(raw, operation)


def _is_of_credentials(said: str) -> bool:
    """300 is SAT's code too, for a signer it does not know: the words tell them apart."""
    words = said.upper()
    return any(word in words for word in ("PASSWORD", "CONTRASEÑA", "USERNAME"))


def _codes(result: Result) -> dict[str, str]:
    """Every Incidencia once, with its text. One without a code is a code that nobody knows."""
    return {
        each.get("CodigoError", "") or "?": " ".join(
            filter(None, (each.get("MensajeIncidencia"), each.get("ExtraInfo")))
        )
        for each in result.each("Incidencia")
    }


def _finding(code: str, said: str) -> Finding:
    if code in _OWN:
        return Finding(code, *_OWN[code], FixableBy.MERCHANT)
    return explain(code, f"{code} - {said}")


def _document(text: str) -> bytes | None:
    """XML in a text; the acuse came escaped twice for years."""
    plain = html.unescape(text) if text.startswith("&lt;") else text
    plain = plain.removeprefix("\ufeff")
    return plain.encode() if plain.startswith("<") else None
