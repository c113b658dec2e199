"""The sandbox's counter for everything but stamping, in SW Sapien's dialect."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from urllib.parse import unquote
from wsgiref.types import WSGIEnvironment

from lxml import etree

from cfdi.cancelacion import NAMESPACE
from cfdi.pac.sandbox.authority import Authority
from cfdi.pac.sandbox.cancellations import Answered, Cancellations, RequestRefused
from cfdi.pac.sandbox.http import BadRequest, Reply, body_of, failure, file_of, success
from cfdi.pac.sandbox.memory import Memory
from cfdi.pac.sandbox.register import Register
from cfdi.pac.sandbox.sat import consulta
from cfdi.rfc import well_formed
from cfdi.xml import XmlRefused, parse
from cfdi.xmldsig import DSIG

CANCEL: Final = "/cfdi33/cancel/xml"
REPLY: Final = "/acceptreject/xml"
STATUS: Final = "/ConsultaCFDIService.svc"
#: What a planned fault of "cancel" strikes.
SIGNED: Final = frozenset({CANCEL, REPLY})
_NSMAP: Final[dict[Any, str]] = {None: NAMESPACE}
_DSIG_NSMAP: Final[dict[Any, str]] = {None: DSIG}
_PATHS: Final = ("/pendings/", "/lrfc/", "/taxpayers/")


class Desk:
    def __init__(
        self,
        memory: Memory,
        cancellations: Cancellations,
        register: Register,
        authority: Authority,
        now: Callable[[], datetime],
    ) -> None:
        self._memory = memory
        self._cancellations = cancellations
        self._register = register
        self._authority = authority
        self._now = now

    def answers(self, method: str, path: str) -> bool:
        """Whether it is a service of this counter, for an account."""
        if method == "GET":
            return path.startswith(_PATHS)
        return method == "POST" and path in SIGNED

    def serve(self, path: str, environ: WSGIEnvironment) -> Reply:
        """Raises `BadRequest`."""
        if path in SIGNED:
            return self._signed(path, environ)
        _, service, argument = path.split("/", 2)
        # WSGI hands paths on as Latin-1; an RFC may hold an Ñ.
        rfc = unquote(argument.encode("latin-1").decode("utf-8", "replace"))
        if not well_formed(rfc):
            return failure("Error en la consulta.", detail="CS1002 - RFC malformado")
        if service == "pendings":
            return self._pendings(rfc)
        return self._lrfc(rfc) if service == "lrfc" else self._taxpayers(rfc)

    def status(self, environ: WSGIEnvironment) -> Reply:
        """SAT's own service, which asks nobody who he is."""
        return consulta(body_of(environ), self._memory, self._cancellations)

    def coded(self, path: str, environ: WSGIEnvironment, code: str) -> Reply:
        """An answer of this code that nothing was done for."""
        xml = file_of(environ, "xml")
        try:
            root = parse(xml or b"")
        except XmlRefused:
            raise BadRequest("the request holds no XML") from None
        names = [node.get("UUID") or node.text or "" for node in root.iter() if _is_folio(node)]
        uuid = names[0] if names else ""
        if code.startswith("3"):
            return failure(_PROBLEMS, detail=f"CR1{code} - Solicitud no válida")
        said = root.findtext(f".//{{{NAMESPACE}}}Respuesta", "")
        party = root.get("RfcReceptor") or root.get("RfcEmisor") or ""
        return self._receipt(path, Answered(uuid, code, party, said))

    def _signed(self, path: str, environ: WSGIEnvironment) -> Reply:
        xml = file_of(environ, "xml")
        if xml is None:
            return failure("Parámetros incompletos", detail="Es necesario el xml")
        try:
            if path == CANCEL:
                answered = self._cancellations.request(xml)
            else:
                answered = self._cancellations.reply(xml)
        except RequestRefused as refused:
            return failure(_PROBLEMS, detail=f"CR{refused.code} - {refused}")
        return self._receipt(path, answered)

    def _receipt(self, path: str, answered: Answered) -> Reply:
        acuse = self._acuse(path, answered)
        if path == CANCEL:
            return success({"acuse": acuse, "uuid": {answered.uuid: answered.code}})
        folio = {
            "uuid": answered.uuid.lower(),
            "estatusUUID": answered.code,
            "respuesta": answered.said,
        }
        return success({"acuse": acuse, "folios": [folio]}, codStatus="1000")

    def _acuse(self, path: str, answered: Answered) -> str:
        """SAT's receipt. Its signature is the sandbox's, of SAT's form but for the key."""
        party = "RfcEmisor" if path == CANCEL else "RfcReceptor"
        name = "Acuse" if path == CANCEL else "AcuseAceptacionRechazo"
        fecha = self._now().strftime("%Y-%m-%dT%H:%M:%S.%f")
        root = etree.Element(name, {"Fecha": fecha, party: answered.party})
        folios = etree.SubElement(root, f"{{{NAMESPACE}}}Folios", nsmap=_NSMAP)
        for tag, text in (("UUID", answered.uuid), ("EstatusUUID", answered.code)):
            etree.SubElement(folios, f"{{{NAMESPACE}}}{tag}").text = text
        sello = self._authority.sign(f"||{fecha}|{answered.uuid}|{answered.code}||")
        signature = etree.SubElement(root, f"{{{DSIG}}}Signature", nsmap=_DSIG_NSMAP)
        signature.set("Id", "SelloSAT")
        etree.SubElement(signature, f"{{{DSIG}}}SignatureValue").text = sello
        return etree.tostring(root, encoding="unicode")

    def _pendings(self, rfc: str) -> Reply:
        waiting = self._cancellations.waiting_for(rfc)
        return success({"CodEstatus": "1100" if waiting else "1101", "UUID": waiting or None})

    def _lrfc(self, rfc: str) -> Reply:
        if self._register.find(rfc) is None:
            return failure("Error en la consulta.", detail=_NOT_THERE)
        return success({"contribuyenteRFC": rfc, "sncf": False, "subcontratacion": False})

    def _taxpayers(self, rfc: str) -> Reply:
        if situacion := self._memory.situacion_69b(rfc):
            return success({"rfc": rfc, "situacion_del_contribuyente": situacion})
        return failure("Error en la consulta.", detail=_NOT_THERE)


_PROBLEMS: Final = "CACFDI33 - Problemas con el xml."
_NOT_THERE: Final = "CS1002 - La consulta no arrojo resultados."


def _is_folio(node: etree._Element) -> bool:
    return node.tag in {f"{{{NAMESPACE}}}Folio", f"{{{NAMESPACE}}}UUID"}
