"""What an answer of SW Sapien means for the document that was sent. Pure.

SW answers 200 or 400 with ``{"data", "message", "messageDetail", "status"}``; the code stands at
the head of `message`. https://developers.sw.com.mx/knowledge-base/error-codes
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from cfdi.findings import explain
from cfdi.pac.contract import AlreadyStamped, Answer, Later, Never, Stamped, Unknown
from cfdi.pac.timbrado import with_timbre

#: SAT's acceptance list and matrices, and SW's own checks of namespaces. Only these are a verdict:
#: CO1000 ("uncontrolled error") and CFDI40999 ("unclassified") say nothing about the document.
_VERDICT = re.compile(
    r"30[1-68]|40[1-3]|CFDI40(?!999)\d{3}|CFDI140\d{3}|CRP20\d{3}|CO100[1-5]|CC[23]001|CC3002"
)
_CODE = re.compile(r"\s*([A-Z]{0,4}\d{3,6})(?!\w)")
_STAMPED_BEFORE = "307"
_REFERENCE_OF_ANOTHER = "CFDI3307"


@dataclass(frozen=True, slots=True)
class Body:
    """The JSON of an answer, of which nothing is taken for granted."""

    ok: bool
    message: str
    detail: str
    data: dict[str, Any]

    @property
    def code(self) -> str:
        found = _CODE.match(self.message)
        return found.group(1) if found else ""

    def text(self, name: str) -> bytes:
        """A field that holds XML, as bytes; empty if it is missing or cannot be XML."""
        value = self.data.get(name)
        if not isinstance(value, str) or not value.lstrip("\ufeff \r\n\t").startswith("<"):
            return b""
        try:
            return value.lstrip("\ufeff").encode()
        except UnicodeEncodeError:
            return b""


def body_of(raw: bytes) -> Body | None:
    """None if it is not an answer of SW's shape."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.get("status") not in {"success", "error"}:
        return None
    data = found.get("data")
    return Body(
        ok=found["status"] == "success",
        message=_string(found.get("message")),
        detail=_string(found.get("messageDetail")),
        data=data if isinstance(data, dict) else {},
    )


def _string(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def classify(status: int, raw: bytes, sealed: bytes) -> Answer:
    """Sort an answer to a stamp request by what to do next.

    A refusal of the account (401, 402, 403) comes before the document is looked at. A 429 does
    not count as one: the limit may be of a gateway that had passed the document on already.
    """
    if status in {401, 403}:
        return Later(f"the provider refuses the account's credentials (HTTP {status})", raw)
    if status == 402:
        return Later("the account has no stamps left (HTTP 402)", raw)
    body = body_of(raw)
    if body is None or status not in {200, 400}:
        return Unknown(f"an answer that tells nothing (HTTP {status})", raw)
    return _success(body, raw, sealed) if body.ok else _refusal(body, raw, sealed)


def _success(body: Body, raw: bytes, sealed: bytes) -> Answer:
    xml = _document(body, sealed)
    return Stamped(xml, raw) if xml else AlreadyStamped(None, raw)


def _refusal(body: Body, raw: bytes, sealed: bytes) -> Answer:
    if body.code == _STAMPED_BEFORE:
        return AlreadyStamped(_document(body, sealed), raw)
    if body.code == _REFERENCE_OF_ANOTHER:
        return Unknown("the provider holds another document under this one's reference", raw)
    if _VERDICT.fullmatch(body.code):
        return Never((explain(body.code, f"{body.message} {body.detail}".strip()),), raw)
    return Unknown("a refusal without a known code", raw)


def _document(body: Body, sealed: bytes) -> bytes | None:
    """The stamped document; answers that hold only the TFD are completed with what we sent."""
    if cfdi := body.text("cfdi"):
        return cfdi
    try:
        return with_timbre(sealed, body.text("tfd"))
    except ValueError:
        return None
