"""After a stamp, at the sandbox: who must accept, what SAT's status service then says, restarts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from cfdi.cancelacion import Motivo, cancelacion, respuesta
from cfdi.csd import Csd, check_csd
from cfdi.pac.contract import (
    CancelFiled,
    CancelRefused,
    Dedupe,
    Later,
    Reply,
    Stamped,
    Terms,
)
from cfdi.pac.sandbox import IN_FLIGHT_MAX, TOKEN
from cfdi.pac.sandbox.authority import Authority
from cfdi.pac.sandbox.cancellations import Cancellations
from cfdi.pac.sandbox.memory import Cancellation, Memory, Record
from cfdi.pac.sw import SwSapien
from cfdi.sat.status import EsCancelable, Estado, EstatusCancelacion, SatStatus, Status, expression
from cfdi.timbre import read

Server = Any  # of conftest.py
NewDocument = Callable[[], tuple[bytes, str]]

NOW = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
TERMS = Terms(
    dedupe=Dedupe.REFERENCE,
    reference_lifetime=timedelta(hours=72),
    in_flight_max=IN_FLIGHT_MAX,
    connect_timeout=timedelta(seconds=60),
    read_timeout=timedelta(seconds=60),
)


class Walk:
    """One issuer at one sandbox: stamp, cancel, look."""

    def __init__(self, server: Server, csd: Csd, receiver: Csd) -> None:
        self.server, self.csd, self.receiver = server, csd, receiver
        self.pac = SwSapien(server.url, token=TOKEN, terms=TERMS)
        url = f"{server.url}/ConsultaCFDIService.svc"
        patience = timedelta(seconds=60)
        self.sat = SatStatus(
            url, kept=timedelta(0), connect_timeout=patience, read_timeout=patience
        )
        self.stamped: dict[str, bytes] = {}

    def stamp(self, sealed: bytes) -> str:
        answer = self.pac.stamp(sealed, hashlib.sha256(sealed).hexdigest())
        assert isinstance(answer, Stamped), answer
        uuid = read(answer.xml).uuid.upper()
        self.stamped[uuid] = answer.xml
        return uuid

    def cancel(self, uuid: str, motivo: str = "02", sustitucion: str = "") -> Any:
        now = self.server.time.now()
        request = cancelacion(
            self.csd, uuid, Motivo(motivo), now=now, folio_sustitucion=sustitucion
        )
        return self.pac.cancel(request, uuid)

    def look(self, uuid: str) -> Status:
        said = self.sat.ask(expression(self.stamped[uuid]))
        assert isinstance(said, Status), said
        return said

    def reply(self, uuid: str, word: Reply) -> Any:
        now = self.server.time.now()
        said = respuesta(self.receiver, uuid, word, now=now, rfc_pac="SPR190613I52")
        return self.pac.reply(said, uuid, word)

    def decide(self, uuid: str, word: str) -> int:
        wish = {"uuid": uuid, "reply": word}
        url = f"{self.server.url}/sandbox/cancellations"
        return requests.post(url, json=wish, timeout=60).status_code


@pytest.fixture
def walk(server: Server, csd: Csd, receiver: Csd) -> Walk:
    return Walk(server, csd, receiver)


def codes(answer: Any) -> list[str]:
    assert isinstance(answer, CancelRefused), answer
    return [finding.code for finding in answer.findings]


def test_a_new_document_is_in_force(walk: Walk, document: NewDocument) -> None:
    said = walk.look(walk.stamp(document()[0]))
    assert said.estado is Estado.VIGENTE
    assert said.es_cancelable is EsCancelable.SIN_ACEPTACION
    assert said.estatus_cancelacion is EstatusCancelacion.NONE


def test_a_small_one_needs_nobodys_word(walk: Walk, document: NewDocument) -> None:
    uuid = walk.stamp(document()[0])
    walk.server.time.pass_by(timedelta(days=30))
    assert isinstance(walk.cancel(uuid), CancelFiled)
    said = walk.look(uuid)
    assert said.is_cancelled
    assert said.es_cancelable is EsCancelable.NO
    assert said.estatus_cancelacion is EstatusCancelacion.SIN_ACEPTACION


def test_a_dear_one_needs_none_on_its_own_day(walk: Walk, dear: Callable[..., bytes]) -> None:
    uuid = walk.stamp(dear())
    walk.server.time.pass_by(timedelta(hours=11))  # 23:00 in the Center
    assert isinstance(walk.cancel(uuid), CancelFiled)
    assert walk.look(uuid).is_cancelled


@pytest.mark.parametrize(
    ("word", "estatus"),
    [
        ("accept", EstatusCancelacion.CON_ACEPTACION),
        ("reject", EstatusCancelacion.RECHAZADA),
        ("lapse", EstatusCancelacion.PLAZO_VENCIDO),
    ],
)
def test_the_receivers_word_can_be_said_for_it(
    word: str, estatus: EstatusCancelacion, walk: Walk, dear: Callable[..., bytes]
) -> None:
    uuid = walk.stamp(dear())
    assert walk.decide(uuid, word) == 404
    walk.server.time.pass_by(timedelta(days=1))
    assert walk.look(uuid).es_cancelable is EsCancelable.CON_ACEPTACION
    assert isinstance(walk.cancel(uuid), CancelFiled)
    assert walk.look(uuid).estatus_cancelacion is EstatusCancelacion.EN_PROCESO
    assert walk.look(uuid).estado is Estado.VIGENTE
    assert walk.decide(uuid, word) == 200
    said = walk.look(uuid)
    assert said.estatus_cancelacion is estatus
    assert said.is_cancelled == (word != "reject")
    assert walk.decide(uuid, word) == 404


def test_silence_is_a_yes_after_three_days_but_not_after_a_no(
    walk: Walk, dear: Callable[..., bytes]
) -> None:
    uuid = walk.stamp(dear())
    walk.server.time.pass_by(timedelta(days=1))
    walk.cancel(uuid)
    walk.reply(uuid, Reply.RECHAZO)
    again = walk.cancel(uuid)
    assert isinstance(again, CancelFiled)
    assert again.code == "201"
    walk.server.time.pass_by(timedelta(days=30))
    assert walk.look(uuid).estatus_cancelacion is EstatusCancelacion.EN_PROCESO
    walk.reply(uuid, Reply.ACEPTACION)
    assert walk.look(uuid).is_cancelled


def test_silence_lapses(walk: Walk, dear: Callable[..., bytes]) -> None:
    uuid = walk.stamp(dear())
    walk.server.time.pass_by(timedelta(days=1))
    walk.cancel(uuid)
    walk.server.time.pass_by(timedelta(days=3) - timedelta(seconds=1))
    assert not walk.look(uuid).is_cancelled
    walk.server.time.pass_by(timedelta(seconds=1))
    assert walk.look(uuid).estatus_cancelacion is EstatusCancelacion.PLAZO_VENCIDO
    assert codes(walk.reply(uuid, Reply.RECHAZO)) == ["1001"]
    again = walk.cancel(uuid)
    assert isinstance(again, CancelFiled)
    assert again.code == "202"


def test_sat_hears_of_a_stamp_later(walk: Walk, document: NewDocument) -> None:
    url = f"{walk.server.url}/sandbox/unknown"
    requests.post(url, json={"seconds": 60}, timeout=60).raise_for_status()
    uuid = walk.stamp(document()[0])
    answer = walk.cancel(uuid)
    assert isinstance(answer, Later)
    assert "205" in answer.reason
    said = walk.look(uuid)
    assert (said.codigo[:7], said.estado) == ("N - 602", Estado.NO_ENCONTRADO)
    walk.server.time.pass_by(timedelta(seconds=60))
    assert walk.look(uuid).estado is Estado.VIGENTE
    assert isinstance(walk.cancel(uuid), CancelFiled)


def test_what_others_refer_to_stays(walk: Walk, dear: Callable[..., bytes]) -> None:
    old = walk.stamp(dear())
    new = walk.stamp(dear(replaces=old))
    assert walk.look(old).es_cancelable is EsCancelable.NO
    assert codes(walk.cancel(old, "02")) == ["204"]
    assert isinstance(walk.cancel(old, "01", new), CancelFiled)
    assert walk.look(old).is_cancelled


def test_a_substitute_must_be_one(walk: Walk, dear: Callable[..., bytes]) -> None:
    old, stranger = walk.stamp(dear()), walk.stamp(dear())
    nowhere = "5D0C5A3C-0000-4000-8000-000000000001"
    assert codes(walk.cancel(old, "01", stranger)) == ["212"]
    assert codes(walk.cancel(old, "01", nowhere)) == ["208"]
    assert not walk.look(old).is_cancelled


def test_a_document_that_nobody_stamped_is_not_known(walk: Walk) -> None:
    answer = walk.cancel("5D0C5A3C-0000-4000-8000-000000000001")
    assert isinstance(answer, Later)


@pytest.mark.parametrize(
    "change",
    [
        lambda asked: asked.replace("rr=CACX", "rr=CACY"),
        lambda asked: asked.replace("tt=348.0", "tt=348.01"),
        lambda asked: asked.replace("tt=348.0", "tt=x"),
        lambda asked: asked[:-4] + "AA==",
    ],
)
def test_an_expression_that_does_not_fit_finds_nothing(
    change: Callable[[str], str], walk: Walk, document: NewDocument
) -> None:
    asked = expression(walk.stamped[walk.stamp(document()[0])])
    assert change(asked) != asked
    said = walk.sat.ask(change(asked))
    assert isinstance(said, Status)
    assert (said.codigo[:7], said.estado) == ("N - 601", Estado.NO_ENCONTRADO)


def test_the_status_service_misbehaves_when_told(walk: Walk, document: NewDocument) -> None:
    uuid = walk.stamp(document()[0])
    for fault in ("500", "503", "garbage", "drop_before", "drop_after"):
        walk.server.fault(fault, on="status")
        assert isinstance(walk.sat.ask(expression(walk.stamped[uuid])), Later)
    assert walk.look(uuid).estado is Estado.VIGENTE


@pytest.mark.parametrize("body", [b"", b"<a/>", b"{}"])
def test_what_is_no_question_is_a_fault(body: bytes, server: Server) -> None:
    answer = requests.post(f"{server.url}/ConsultaCFDIService.svc", data=body, timeout=60)
    assert answer.status_code == 500
    assert b"faultstring" in answer.content


def test_a_fault_of_one_kind_leaves_the_others_alone(walk: Walk, document: NewDocument) -> None:
    walk.server.fault("500", on="cancel")
    uuid = walk.stamp(document()[0])
    assert not isinstance(walk.cancel(uuid), CancelFiled)
    assert isinstance(walk.cancel(uuid), CancelFiled)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("faults", {"mode": "slow", "on": "mail"}),
        ("faults", {"mode": "reject:203"}),
        ("faults", {"mode": "reject:CFDI40145", "on": "cancel"}),
        ("faults", {"mode": "307_without_data", "on": "cancel"}),
        ("faults", {"mode": "reject:203", "on": "status"}),
        ("unknown", {"seconds": -1}),
        ("unknown", {"seconds": 72 * 3600 + 1}),
        ("cancellations", {"uuid": "x"}),
        ("cancellations", {"uuid": 7, "reply": "accept"}),
        ("cancellations", {"uuid": "x", "reply": ["accept"]}),
        ("listed", {"rfc": "x", "situacion": "Definitivo"}),
        ("listed", {"rfc": "EKU9003173C9", "situacion": "Malo"}),
    ],
)
def test_the_control_surface_refuses_what_it_cannot_do(
    path: str, body: dict[str, object], server: Server
) -> None:
    answer = requests.post(f"{server.url}/sandbox/{path}", json=body, timeout=60)
    assert answer.status_code == 400
    assert answer.json()["status"] == "error"


@pytest.mark.parametrize("path", ["/cfdi33/cancel/xml", "/acceptreject/xml"])
@pytest.mark.parametrize("xml", [b"", b"<a", b"<Cancelacion/>", b"<!DOCTYPE a><a/>"])
def test_a_request_that_is_none_is_refused(path: str, xml: bytes, server: Server) -> None:
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    files = {"xml": ("x.xml", xml)}
    answer = requests.post(server.url + path, files=files, headers=bearer, timeout=60)
    assert answer.status_code == 400
    assert "CR1301" in answer.json()["messageDetail"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/cfdi33/cancel/xml"),
        ("POST", "/acceptreject/xml"),
        ("GET", "/pendings/EKU9003173C9"),
        ("GET", "/lrfc/EKU9003173C9"),
        ("GET", "/taxpayers/EKU9003173C9"),
    ],
)
def test_nobody_is_served_without_a_token(method: str, path: str, server: Server) -> None:
    assert requests.request(method, server.url + path, timeout=60).status_code == 401


def test_a_certificate_must_be_good(
    walk: Walk, authority: Authority, document: NewDocument, tmp_path: Path
) -> None:
    uuid = walk.stamp(document()[0])
    foreign = Authority.create(tmp_path / "ca", now=NOW)
    short = authority.issue_csd(
        "EKU9003173C9", "ESCUELA KEMPER URGATE", now=NOW, life=timedelta(hours=1)
    )
    for made, code in ((foreign.issue_csd("EKU9003173C9", "E", now=NOW), "308"), (short, "306")):
        csd = check_csd(made.cer_der, made.key_der, made.password, rfc="EKU9003173C9", now=NOW)
        walk.server.time.instant = NOW + timedelta(hours=2)
        request = cancelacion(csd, uuid, Motivo.ERRORES_SIN_RELACION, now=NOW)
        assert codes(walk.pac.cancel(request, uuid)) == [code]


def test_cancellations_outlive_a_restart(authority: Authority, tmp_path: Path) -> None:
    record = Record("a", "", "u-1", "E", "R", "1.00", NOW.timestamp(), "<t/>", "<c/>")
    memory = Memory(tmp_path / "state.db")
    memory.keep(record, NOW)
    filed = Cancellation("U-1", "02", "En proceso", NOW.timestamp())
    assert memory.keep_cancellation(filed, None)
    assert not memory.keep_cancellation(filed, None)
    memory.close()
    again = Memory(tmp_path / "state.db")
    cancellations = Cancellations(again, authority, lambda: NOW, lambda: 0.0)
    assert cancellations.estatus("u-1") is EstatusCancelacion.EN_PROCESO
    assert cancellations.waiting_for("R") == ["U-1"]
    assert cancellations.decide("U-1", EstatusCancelacion.RECHAZADA)
    again.close()
    third = Memory(tmp_path / "state.db")
    cancellations = Cancellations(third, authority, lambda: NOW, lambda: 0.0)
    assert cancellations.estatus("u-1") is EstatusCancelacion.RECHAZADA
    third.close()


@pytest.mark.parametrize(
    ("head", "receptor", "free"),
    [
        ('TipoDeComprobante="I" Total="1000.00" Moneda="MXN"', "CACX7605101P8", True),
        ('TipoDeComprobante="I" Total="1000.01" Moneda="MXN"', "CACX7605101P8", False),
        ('TipoDeComprobante="I" Total="60" Moneda="USD" TipoCambio="17"', "CACX7605101P8", False),
        ('TipoDeComprobante="E" Total="5000" Moneda="MXN"', "CACX7605101P8", True),
        ('TipoDeComprobante="P" Total="0" Moneda="XXX"', "CACX7605101P8", False),
        ('TipoDeComprobante="T" Total="0" Moneda="XXX"', "CACX7605101P8", True),
        ('TipoDeComprobante="I" Total="5000" Moneda="MXN"', "XAXX010101000", True),
        ('TipoDeComprobante="I" Total="5000" Moneda="MXN"', "XEXX010101000", True),
    ],
)
def test_what_needs_its_receivers_word(
    head: str, receptor: str, free: bool, authority: Authority, tmp_path: Path
) -> None:
    """RMF 2026 2.7.1.35."""
    cfdi = f'<c:Comprobante xmlns:c="http://www.sat.gob.mx/cfd/4" {head}/>'
    record = Record("a", "", "u", "E", receptor, "1", NOW.timestamp(), "<t/>", cfdi)
    memory = Memory(tmp_path / "state.db")
    memory.keep(record, NOW)
    later = NOW + timedelta(days=2)
    cancellations = Cancellations(memory, authority, lambda: later, lambda: 0.0)
    wanted = EsCancelable.SIN_ACEPTACION if free else EsCancelable.CON_ACEPTACION
    assert cancellations.es_cancelable(record) is wanted
    memory.close()
