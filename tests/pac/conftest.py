"""A sandbox provider over a real socket, and documents for it."""

from __future__ import annotations

import base64
import hashlib
import html
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from lxml import etree
from waitress.server import create_server

from cfdi.cadena import cadena_original
from cfdi.comprobante import (
    CfdiRelacionados,
    Comprobante,
    Concepto,
    Emisor,
    Impuesto,
    Impuestos,
    Receptor,
    TipoFactor,
    Traslado,
)
from cfdi.csd import Csd, check_csd
from cfdi.pac.sandbox import tfd
from cfdi.pac.sandbox.app import application
from cfdi.pac.sandbox.authority import Authority
from cfdi.pac.sandbox.cancellations import Answered, Cancellations, RequestRefused
from cfdi.pac.sandbox.faults import Faults
from cfdi.pac.sandbox.http import Reply as HttpReply
from cfdi.pac.sandbox.memory import Memory, Record
from cfdi.seal import seal
from cfdi.xml import build, parse, serialize

NOW = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
#: NOW less ten minutes in Mexico City.
FECHA = datetime(2026, 11, 20, 11, 50)  # noqa: DTZ001 - local, as a CFDI writes it
FOLIOS = itertools.count(2)
IVA = TipoFactor.TASA


def line(net: str, tax: str) -> Concepto:
    return Concepto(
        clave_prod_serv="53102500",
        cantidad=Decimal(1),
        clave_unidad="H87",
        descripcion="Cinturón de piel",
        valor_unitario=Decimal(net),
        importe=Decimal(net),
        objeto_imp="02",
        traslados=(Traslado(Decimal(net), Impuesto.IVA, IVA, Decimal("0.160000"), Decimal(tax)),),
    )


def comprobante(
    *, folio: str = "1", fecha: datetime = FECHA, lines: int = 3, replaces: str = ""
) -> Comprobante:
    """Lines of 116.00 with IVA each. `replaces` is the UUID of the one it takes the place of."""
    net, tax = Decimal(f"{100 * lines}.00"), Decimal(f"{16 * lines}.00")
    return Comprobante(
        relacionados=(CfdiRelacionados("04", (replaces,)),) if replaces else (),
        fecha=fecha,
        serie="A",
        folio=folio,
        forma_pago="03",
        metodo_pago="PUE",
        moneda="MXN",
        tipo_cambio=None,
        sub_total=net,
        descuento=None,
        total=net + tax,
        lugar_expedicion="06000",
        emisor=Emisor("EKU9003173C9", "ESCUELA KEMPER URGATE", "601"),
        receptor=Receptor("CACX7605101P8", "XOCHILT CASAS CHAVEZ", "36257", "612", "G03"),
        conceptos=tuple(line("100.000000", "16.000000") for _ in range(lines)),
        impuestos=Impuestos(
            traslados=(Traslado(net, Impuesto.IVA, IVA, Decimal("0.160000"), tax),),
            total_trasladados=tax,
        ),
    )


def resealed(root: etree._Element, csd: Csd) -> bytes:
    """Any XML with an honest seal."""
    root.set("NoCertificado", csd.certificate.no_certificado)
    root.set("Certificado", base64.b64encode(csd.certificate.der).decode())
    signature = csd.key.sign(cadena_original(root).encode(), PKCS1v15(), SHA256())
    root.set("Sello", base64.b64encode(signature).decode())
    return serialize(root)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("authority") / "ca", now=NOW)


@pytest.fixture(scope="session")
def csd(authority: Authority) -> Csd:
    issued = authority.issue_csd("EKU9003173C9", "ESCUELA KEMPER URGATE", now=NOW)
    return check_csd(issued.cer_der, issued.key_der, issued.password, rfc="EKU9003173C9", now=NOW)


@dataclass
class Time:
    """The sandbox's clock. What took its time is what was slept, not what the machine was slow."""

    instant: datetime = NOW
    ticks: float = 0.0
    #: Whoever sleeps does so until this is set.
    awake: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.awake.set()

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return self.ticks

    def sleep(self, seconds: float) -> None:
        if seconds:
            self.awake.wait(60)
            self.ticks += seconds

    def pass_by(self, span: timedelta) -> None:
        self.instant += span


@dataclass
class Server:
    """A running sandbox."""

    url: str
    time: Time

    def fault(self, mode: str, times: int = 1, seconds: float = 0, on: str = "stamp") -> None:
        wish = {"mode": mode, "times": times, "seconds": seconds, "on": on}
        requests.post(f"{self.url}/sandbox/faults", json=wish, timeout=60).raise_for_status()

    def stamps(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = requests.get(f"{self.url}/sandbox/stamps", timeout=60).json()
        return found

    def uuids_of(self, sealed: bytes) -> list[str]:
        sha256 = hashlib.sha256(sealed).hexdigest()
        return [stamp["uuid"] for stamp in self.stamps() if stamp["sha256"] == sha256]


def serving(app: WSGIApplication) -> Iterator[str]:
    server = create_server(app, host="127.0.0.1", port=0, threads=8)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    with suppress(OSError):  # the loop may wake and close before it is woken
        server.trigger.pull_trigger(server.close)
    thread.join(timeout=60)


FINKOK_USER, FINKOK_PASSWORD = "finkok@example.com", "finkok-s3cret"
_S0, _SOAP = "apps.services.soap.core.views", "http://schemas.xmlsoap.org/soap/envelope/"


@dataclass
class FakeFinkok:
    """Finkok's dialect over the sandbox's parts, as SDKs' tests and issues show its answers."""

    authority: Authority
    memory: Memory
    time: Time
    url: str = ""
    faults: Faults = field(default_factory=Faults)
    #: So many calls of `stamped` say 603 whatever was stamped.
    slow_to_tell: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.cancellations = Cancellations(
            self.memory, self.authority, self.time.now, lambda: self.faults.unknown_for
        )

    def fault(self, mode: str, times: int = 1, seconds: float = 0, on: str = "stamp") -> None:
        self.faults.plan({"mode": mode, "times": times, "seconds": seconds, "on": on})

    def stamps(self) -> list[str]:
        return [record.uuid for record in self.memory.records()]

    def uuids_of(self, sealed: bytes) -> list[str]:
        sha256 = hashlib.sha256(sealed).hexdigest()
        return [record.uuid for record in self.memory.records() if record.sha256 == sha256]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        asked = etree.fromstring(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        call = asked.find(f"{{{_SOAP}}}Body")[0]
        operation = etree.QName(call).localname
        given = {etree.QName(node).localname: node.text or "" for node in call}
        good = (given["username"], given["password"]) == (FINKOK_USER, FINKOK_PASSWORD)
        return self._answer(operation, given, good).send(start_response)

    def _answer(self, operation: str, given: dict[str, str], good: bool) -> HttpReply:
        kinds = {"stamp": "stamp", "stamped": "stamp"}
        signed = {"cancel_signature": "cancel", "accept_reject_signature": "cancel"}
        fault = self.faults.take((kinds | signed).get(operation, "")) if good else None
        mode = fault.mode if fault else ""
        if mode == "drop_before":
            return HttpReply(200, b"", cut=True)
        if mode == "garbage":
            return HttpReply(200, b"<html>Service", "text/html")
        if mode.isdigit():
            return HttpReply(int(mode), b"<html>no</html>", "text/html")
        if fault and mode == "slow":
            self.time.sleep(fault.seconds)
        with self.lock:
            result = self._result(operation, given, good, mode)
        if mode == "drop_after":
            return HttpReply(200, b"", cut=True)
        if mode == "500_after_commit":
            return HttpReply(500, b"", "text/xml")
        soap = (
            f'<senv:Envelope xmlns:senv="{_SOAP}" xmlns:tns="urn:t" xmlns:s0="{_S0}"><senv:Body>'
            f"<tns:{operation}Response><tns:{operation}Result>{result}</tns:{operation}Result>"
            f"</tns:{operation}Response></senv:Body></senv:Envelope>"
        )
        return HttpReply(200, soap.encode(), "text/xml; charset=utf-8")

    def _result(self, operation: str, given: dict[str, str], good: bool, mode: str) -> str:
        if operation in {"stamp", "stamped"}:
            if not good:
                return incidencias("300", "El usuario o contraseña son inválidos")
            return self._stamp(operation, base64.b64decode(given["xml"]), mode)
        if not good:
            return tag("error", "Invalid username or password")
        if operation == "datetime":
            return tag("datetime", "2026-11-20T12:00:00")
        if operation == "get_pending":
            waiting = self.cancellations.waiting_for(given["rtaxpayer_id"])
            return f"<s0:uuids>{''.join(tag('string', uuid) for uuid in waiting)}</s0:uuids>"
        code = mode.removeprefix("reject:") if mode.startswith("reject:") else ""
        return self._signed(operation, base64.b64decode(given["xml"]), code)

    def _stamp(self, operation: str, sealed: bytes, mode: str) -> str:
        sha256 = hashlib.sha256(sealed).hexdigest()
        found = self.memory.find(sha256, "", self.time.now())
        if code := mode.removeprefix("reject:") if mode.startswith("reject:") else "":
            return incidencias(code, f"{code} - no")
        if operation == "stamped":
            self.slow_to_tell -= 1
            if found is None or self.slow_to_tell >= 0:
                return incidencias("603", "El CFDI no contiene un timbre previo")
            return self._stamped(found)
        if found is None:
            made = tfd.make(sealed, parse(sealed), self.authority, self.time.now())
            emisor, receptor = tfd.parties(parse(sealed))
            total, at = parse(sealed).get("Total", ""), self.time.now().timestamp()
            record = Record(sha256, "", made.uuid, emisor, receptor, total, at, made.tfd, made.cfdi)
            self.memory.keep(record, self.time.now())
            if mode != "307_without_data":
                return self._stamped(record)
        before = self._stamped(found) if found else tag("xml", "")
        return before + incidencias("307", "El CFDI contiene un timbre previo", times=2)

    def _stamped(self, record: Record) -> str:
        status = tag("CodEstatus", "Comprobante timbrado satisfactoriamente")
        return tag("xml", record.cfdi) + tag("UUID", record.uuid.upper()) + status

    def _signed(self, operation: str, xml: bytes, code: str) -> str:
        try:
            serve = self.cancellations.request
            if operation == "accept_reject_signature":
                serve = self.cancellations.reply
            if code:
                root = parse(xml)
                folios = [node.get("UUID") or node.text for node in root.iter() if not len(node)]
                uuid = next(each for each in folios if each and each.count("-") == 4)
                said = root.findtext(".//{*}Respuesta", "")
                if code.startswith(("3", "7")):
                    return tag("CodEstatus", f"{code} - Error") + tag("error", f"{code} - Error")
                answered = Answered(uuid, code, "", said)
            else:
                answered = serve(xml)
        except RequestRefused as refused:
            return tag("CodEstatus", f"{refused.code} - {refused}")
        if operation == "accept_reject_signature":
            inner = tag("status", answered.code) + tag("uuid", answered.uuid)
            name = {"Aceptacion": "Acepta", "Rechazo": "Rechaza"}[answered.said]
            group = answered.said.lower()
            return f"<s0:{group}><s0:{name}>{inner}</s0:{name}></s0:{group}>"
        acuse = (
            f'<CancelaCFDResult Fecha="2026-11-20T12:00:00" RfcEmisor="{answered.party}"><Folios>'
            f"<UUID>{answered.uuid}</UUID><EstatusUUID>{answered.code}</EstatusUUID></Folios>"
            "</CancelaCFDResult>"
        )
        inner = tag("UUID", answered.uuid) + tag("EstatusUUID", answered.code)
        return f"<s0:Folios><s0:Folio>{inner}</s0:Folio></s0:Folios>" + tag("Acuse", acuse)


def tag(name: str, text: str) -> str:
    return f"<s0:{name}>{html.escape(text)}</s0:{name}>"


def incidencias(code: str, message: str, times: int = 1) -> str:
    one = tag("CodigoError", code) + tag("MensajeIncidencia", message)
    return f"<s0:Incidencias>{f'<s0:Incidencia>{one}</s0:Incidencia>' * times}</s0:Incidencias>"


@pytest.fixture(scope="session")
def running_finkok(
    authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FakeFinkok]:
    memory = Memory(tmp_path_factory.mktemp("finkok") / "state.db")
    fake = FakeFinkok(authority, memory, Time())
    with contextmanager(serving)(fake) as fake.url:
        yield fake
    memory.close()


@pytest.fixture
def finkok(running_finkok: FakeFinkok) -> Iterator[FakeFinkok]:
    """Finkok's dialect without faults and with its clock at `NOW`."""
    running_finkok.time.instant = NOW
    yield running_finkok
    running_finkok.time.awake.set()
    running_finkok.faults.clear()
    running_finkok.slow_to_tell = 0


@pytest.fixture(scope="session")
def running(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    time = Time()
    state: Path = tmp_path_factory.mktemp("sandbox") / "state.db"
    app = application(state, authority, now=time.now, monotonic=time.monotonic, sleep=time.sleep)
    with contextmanager(serving)(app) as url:
        yield Server(url, time)


@pytest.fixture
def server(running: Server) -> Iterator[Server]:
    """The sandbox without faults and with its clock at `NOW`."""
    running.time.instant = NOW
    yield running
    running.time.awake.set()
    requests.delete(f"{running.url}/sandbox/faults", timeout=60).raise_for_status()


@pytest.fixture
def document(csd: Csd) -> Callable[[], tuple[bytes, str]]:
    """A new sealed document and its hash at each call."""

    def new() -> tuple[bytes, str]:
        sealed = seal(comprobante(folio=str(next(FOLIOS))), csd)
        return sealed.xml, sealed.sha256

    return new


@pytest.fixture
def dear(csd: Csd) -> Callable[..., bytes]:
    """A new sealed document of 1 392.00, which takes its receiver's word to be cancelled."""

    def new(replaces: str = "") -> bytes:
        made = comprobante(folio=str(next(FOLIOS)), lines=12, replaces=replaces)
        return seal(made, csd).xml

    return new


@pytest.fixture(scope="session")
def receiver(authority: Authority) -> Csd:
    issued = authority.issue_csd("CACX7605101P8", "XOCHILT CASAS CHAVEZ", now=NOW)
    return check_csd(issued.cer_der, issued.key_der, issued.password, rfc="CACX7605101P8", now=NOW)


@pytest.fixture
def root() -> etree._Element:
    """A document that is good in everything, not yet sealed."""
    return build(comprobante())


@pytest.fixture(scope="session")
def reseal() -> Callable[[etree._Element, Csd], bytes]:
    return resealed


@pytest.fixture
def seal_by() -> Callable[[Authority], tuple[bytes, str]]:
    """A document sealed with a certificate of some authority, and its hash."""

    def make(authority: Authority) -> tuple[bytes, str]:
        made = authority.issue_csd("EKU9003173C9", "ESCUELA KEMPER URGATE", now=NOW)
        csd = check_csd(made.cer_der, made.key_der, made.password, rfc="EKU9003173C9", now=NOW)
        sealed = seal(comprobante(folio=str(next(FOLIOS))), csd)
        return sealed.xml, sealed.sha256

    return make
