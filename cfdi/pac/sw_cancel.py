"""What SW Sapien's answers about cancellations and SAT's lists mean. Pure.

Cancellations: ``{"data": {"acuse", "uuid": {UUID: "201"}}, "status": "success"}``; replies:
``{"data": {"acuse", "folios": [{"uuid", "estatusUUID", "respuesta"}]}, "codStatus": "1000"}``. In
an error the code stands at the head of `messageDetail`, or of `message`.
https://developers.sw.com.mx/knowledge-base/cancelacion-cfdi-3-3/
"""

from __future__ import annotations

from typing import Any, Final

from cfdi.pac import cancel_codes
from cfdi.pac.contract import CancelAnswer, Later, Pending, Reply, Unknown
from cfdi.pac.sw_answers import Body, body_of

#: A receiver has replies to give (1100), or none (1101).
_PENDING: Final = frozenset({"1100", "1101"})
_NO_PENDING: Final = "1101"
#: "La consulta no arrojo resultados." and "RFC malformado: …" share this code.
_NOT_LISTED: Final = "CS1002"
_MALFORMED: Final = "MALFORMADO"


def cancelled(status: int, raw: bytes, uuid: str) -> CancelAnswer:
    body = _understood(status, raw)
    if not isinstance(body, Body):
        return body
    if not body.ok:
        return _refused(body, raw)
    codes = body.data.get("uuid")
    code = _of(codes, uuid) if isinstance(codes, dict) else ""
    return cancel_codes.sort(code, acuse=body.text("acuse"), raw=raw)


def replied(status: int, raw: bytes, uuid: str, reply: Reply) -> CancelAnswer:
    body = _understood(status, raw)
    if not isinstance(body, Body):
        return body
    if not body.ok:
        return _refused(body, raw)
    for folio in _dicts(body.data.get("folios")):
        said = {name.lower(): value for name, value in folio.items() if isinstance(value, str)}
        if said.get("uuid", "").upper() != uuid.upper():
            continue
        if said.get("respuesta", reply) != reply:
            return Unknown("the provider speaks of another reply than the one that was sent", raw)
        code = cancel_codes.code_of(said.get("estatusuuid", ""))
        return cancel_codes.sort(code, acuse=body.text("acuse"), raw=raw)
    return Unknown("the answer says nothing of the document", raw)


def pending(status: int, raw: bytes) -> Pending | Later:
    body = body_of(raw)
    if body is None or status not in {200, 400}:
        return Later(f"no list of pending replies (HTTP {status})", raw)
    data = {name.lower(): value for name, value in body.data.items()}
    code = data.get("codestatus") or data.get("codstatus") or ""
    if not body.ok:
        code = cancel_codes.code_of(body.detail) or cancel_codes.code_of(body.message)
        return Pending((), raw) if code == _NO_PENDING else Later("no list of pending replies", raw)
    if code and code not in _PENDING:
        return Later("no list of pending replies", raw)
    found = data.get("uuid")
    uuids = [each for each in found if isinstance(each, str)] if isinstance(found, list) else []
    return Pending(tuple(each.upper() for each in uuids), raw)


def known(status: int, raw: bytes) -> bool | Later:
    """Whether it is in l_RFC, the list of registered taxpayers."""
    body = body_of(raw)
    if body is not None and body.ok and status == 200:
        return True
    return False if _is_not_listed(status, body) else Later(f"no answer of l_RFC (HTTP {status})")


def listed(status: int, raw: bytes) -> str | Later:
    """The situation in the list of article 69-B; "" if it does not stand there."""
    body = body_of(raw)
    if body is not None and body.ok and status == 200:
        situation = body.data.get("situacion_del_contribuyente")
        if isinstance(situation, str) and situation.strip():
            return situation.strip()
    return "" if _is_not_listed(status, body) else Later(f"no answer of 69-B (HTTP {status})")


def _is_not_listed(status: int, body: Body | None) -> bool:
    if body is None or body.ok or status not in {200, 400, 404}:
        return False
    said = f"{body.message} {body.detail}".upper()
    return _NOT_LISTED in said and _MALFORMED not in said


def _understood(status: int, raw: bytes) -> Body | CancelAnswer:
    """The answer's body, or what may be done if there is none.

    401, 402, 403 and 429 are the account's, said before anything is passed on to SAT; a second
    request would be answered 202, so that a 429 that came too late does no harm.
    """
    if status in {401, 403}:
        return Later(f"the provider refuses the account's credentials (HTTP {status})", raw)
    if status in {402, 429}:
        return Later(f"the account may not ask now (HTTP {status})", raw)
    body = body_of(raw)
    if body is None or status not in {200, 400}:
        return Unknown(f"an answer that tells nothing (HTTP {status})", raw)
    return body


def _refused(body: Body, raw: bytes) -> CancelAnswer:
    code = cancel_codes.code_of(body.detail) or cancel_codes.code_of(body.message)
    return cancel_codes.sort(code, raw=raw)


def _of(codes: dict[str, Any], uuid: str) -> str:
    """The code of our document, however the provider writes its UUID."""
    for name, code in codes.items():
        if name.upper() == uuid.upper() and isinstance(code, str):
            return cancel_codes.code_of(code)
    return ""


def _dicts(found: object) -> list[dict[str, Any]]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
