"""The private surface by which tests and people steer the sandbox and look into its memory."""

from __future__ import annotations

from typing import Final
from wsgiref.types import WSGIEnvironment

from cfdi.catalogs import REGIMEN_FISCAL, codigo_postal_exists
from cfdi.pac.sandbox.cancellations import Cancellations
from cfdi.pac.sandbox.faults import Faults, FaultUnknown
from cfdi.pac.sandbox.http import BadRequest, Reply, answer, json_of
from cfdi.pac.sandbox.memory import Memory, Taxpayer
from cfdi.rfc import well_formed
from cfdi.sat.status import EstatusCancelacion

#: What a receiver may say, or not, to a request for cancellation.
_WORDS: Final = {
    "accept": EstatusCancelacion.CON_ACEPTACION,
    "reject": EstatusCancelacion.RECHAZADA,
    "lapse": EstatusCancelacion.PLAZO_VENCIDO,
}
_SITUATIONS: Final = frozenset({"Presunto", "Definitivo", "Desvirtuado", "Sentencia Favorable", ""})


class Control:
    def __init__(self, memory: Memory, faults: Faults, cancellations: Cancellations) -> None:
        self._memory = memory
        self._faults = faults
        self._cancellations = cancellations

    def route(self, method: str, path: str, environ: WSGIEnvironment) -> Reply:
        """Raises `BadRequest`: 404 for what does not exist, 400 for what cannot be understood."""
        try:
            return self._route(method, path, environ)
        except FaultUnknown as error:
            raise BadRequest(str(error)) from None

    def _route(self, method: str, path: str, environ: WSGIEnvironment) -> Reply:
        match method, path:
            case "GET", "/sandbox/stamps":
                return answer(self._stamps())
            case "POST", "/sandbox/faults":
                self._faults.plan(json_of(environ))
            case "DELETE", "/sandbox/faults":
                self._faults.clear()
            case "POST", "/sandbox/latency":
                self._faults.slow_down(json_of(environ))
            case "POST", "/sandbox/unknown":
                self._faults.forget(json_of(environ))
            case "GET", "/sandbox/cancellations":
                return answer(self._filed())
            case "POST", "/sandbox/cancellations":
                self._decide(json_of(environ))
            case "POST", "/sandbox/listed":
                self._list(json_of(environ))
            case "POST", "/sandbox/taxpayers":
                self._memory.add_taxpayer(_taxpayer(json_of(environ)))
            case _:
                raise BadRequest(f"there is no {method} {path}", 404)
        return answer({"status": "ok"})

    def _decide(self, wish: dict[str, object]) -> None:
        """``{"uuid", "reply"}`` in the place of the receiver."""
        uuid, word = wish.get("uuid"), wish.get("reply")
        if not isinstance(uuid, str) or not isinstance(word, str) or word not in _WORDS:
            raise BadRequest(f"uuid, and reply: one of {', '.join(_WORDS)}")
        if not self._cancellations.decide(uuid, _WORDS[word]):
            raise BadRequest("no cancellation of that document waits for its receiver", 404)

    def _list(self, wish: dict[str, object]) -> None:
        """``{"rfc", "situacion"}`` in the list of article 69-B; an empty one takes it out."""
        rfc, situacion = wish.get("rfc"), wish.get("situacion")
        if not isinstance(rfc, str) or not well_formed(rfc) or situacion not in _SITUATIONS:
            known = ", ".join(sorted(_SITUATIONS - {""}))
            raise BadRequest(f"rfc, and situacion: one of {known}, or empty")
        self._memory.list_69b(rfc, str(situacion))

    def _filed(self) -> list[dict[str, object]]:
        return [
            {
                "uuid": filed.uuid,
                "motivo": filed.motivo,
                "estatus": str(self._cancellations.estatus(filed.uuid)),
                "requests": filed.requests,
            }
            for filed in self._memory.cancellations()
        ]

    def _stamps(self) -> list[dict[str, str]]:
        return [
            {
                "uuid": record.uuid,
                "sha256": record.sha256,
                "customid": record.customid,
                "rfc_emisor": record.rfc_emisor,
                "rfc_receptor": record.rfc_receptor,
                "total": record.total,
            }
            for record in self._memory.records()
        ]


def _taxpayer(wish: dict[str, object]) -> Taxpayer:
    """``{"rfc", "nombre", "cp", "regimen"}`` as SAT would have them registered."""
    values = [wish.get(name) for name in ("rfc", "nombre", "cp", "regimen")]
    texts = [value.strip() for value in values if isinstance(value, str) and value.strip()]
    if len(texts) != 4:
        raise BadRequest("rfc, nombre, cp and regimen must be given as text")
    taxpayer = Taxpayer(*texts)
    if not well_formed(taxpayer.rfc):
        raise BadRequest("rfc has not the form of an RFC")
    if not codigo_postal_exists(taxpayer.cp) or taxpayer.regimen not in REGIMEN_FISCAL:
        raise BadRequest("cp or regimen is not in SAT's catalog")
    return taxpayer
