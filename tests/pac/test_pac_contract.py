"""What every provider's client must do, whatever the provider does, over a real socket."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests

from cfdi.cancelacion import Motivo, cancelacion, read_acuse, respuesta
from cfdi.csd import Csd
from cfdi.pac import sw
from cfdi.pac.breaker import Breaker
from cfdi.pac.cancel_codes import FILED, LATER, REFUSED
from cfdi.pac.contract import (
    AlreadyStamped,
    CancelFiled,
    CancelRefused,
    Dedupe,
    Later,
    Never,
    NotOffered,
    Pac,
    Pending,
    Registered,
    Reply,
    Stamped,
    Terms,
    Unknown,
)
from cfdi.pac.finkok import Finkok
from cfdi.pac.sandbox import IN_FLIGHT_MAX, PASSWORD, TOKEN, USER
from cfdi.pac.sandbox.authority import Authority
from cfdi.pac.sandbox.faults import MODES
from cfdi.pac.sw import SwSapien
from cfdi.timbre import accept
from cfdi.timbre import read as read_timbre
from tests.pac.test_wire import Drips, drips, saying

__all__ = ["drips"]  # a fixture

Server = Any  # of conftest.py
NewDocument = Callable[[], tuple[bytes, str]]

NOW = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
RECEIVER = "CACX7605101P8"
UUID = "5D0C5A3C-0000-4000-8000-000000000001"
#: Of conftest.py.
FINKOK_USER, FINKOK_PASSWORD = "finkok@example.com", "finkok-s3cret"
TERMS = Terms(
    dedupe=Dedupe.REFERENCE,
    reference_lifetime=timedelta(hours=72),
    in_flight_max=IN_FLIGHT_MAX,
    connect_timeout=timedelta(seconds=60),
    read_timeout=timedelta(seconds=60),
)
#: Never opens: the suite misbehaves on purpose.
CALM = 10_000


def sw_with_token(url: str, terms: Terms) -> Pac:
    breaker = Breaker(lambda: 0.0, window=CALM)
    return SwSapien(url, token=TOKEN, terms=terms, breaker=breaker)


def sw_with_login(url: str, terms: Terms) -> Pac:
    breaker = Breaker(lambda: 0.0, window=CALM)
    return SwSapien(url, user=USER, password=PASSWORD, terms=terms, breaker=breaker)


def finkok_account(url: str, terms: Terms) -> Pac:
    breaker = Breaker(lambda: 0.0, window=CALM)
    terms = replace(terms, dedupe=Dedupe.BYTES)
    return Finkok(url, user=FINKOK_USER, password=FINKOK_PASSWORD, terms=terms, breaker=breaker)


Adapter = Callable[[str, Terms], Pac]
#: A new adapter is put here and is held to all of this.
ADAPTERS: list[Adapter] = [sw_with_token, sw_with_login, finkok_account]
#: Whose answers are checked byte by byte: both ways into SW are one.
DIALECTS: list[Adapter] = [sw_with_token, finkok_account]

#: What is answered, and whether a stamp exists at the provider afterwards.
OUTCOMES: dict[str, tuple[type, bool]] = {
    "slow": (Stamped, True),
    "drop_before": (Unknown, False),
    "drop_after": (Unknown, True),
    "500_after_commit": (Unknown, True),
    "307_without_data": (AlreadyStamped, True),
    "garbage": (Unknown, False),
    "402": (Later, False),
    "403": (Later, False),
    "429": (Unknown, False),
    "500": (Unknown, False),
    "503": (Unknown, False),
    "reject:CFDI40145": (Never, False),
    "reject:301": (Never, False),
    "reject:402": (Never, False),
    "reject:CFDI40999": (Unknown, False),
}
#: Finkok knows accounts by what is inside the envelope; a status is of somebody in between.
OF_FINKOK: dict[str, tuple[type, bool]] = {"402": (Unknown, False), "403": (Unknown, False)}

#: What is answered to a request for cancellation, and whether it was filed.
CANCEL_OUTCOMES: dict[str, tuple[type, bool]] = {
    "slow": (CancelFiled, True),
    "drop_before": (Unknown, False),
    "drop_after": (Unknown, True),
    "500_after_commit": (Unknown, True),
    "garbage": (Unknown, False),
    "429": (Later, False),
    "403": (Later, False),
    "500": (Unknown, False),
    "503": (Unknown, False),
}
CANCEL_OF_FINKOK: dict[str, tuple[type, bool]] = {"429": (Unknown, False), "403": (Unknown, False)}


def name_of(adapter: Adapter) -> str:
    return str(adapter.__name__)  # type: ignore[attr-defined]  # every one is a function


@pytest.fixture(params=ADAPTERS, ids=name_of)
def adapter(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Adapter:
    monkeypatch.setattr(sw, "LOGIN_SECONDS", 60.0)  # a busy machine may take its time
    made: Adapter = request.param
    return made


@pytest.fixture
def provider(request: pytest.FixtureRequest, adapter: Adapter) -> Server:
    """The service that the adapter speaks to, without faults."""
    return request.getfixturevalue("finkok" if adapter is finkok_account else "server")


@pytest.fixture
def pac(adapter: Adapter, provider: Server) -> Pac:
    return adapter(provider.url, TERMS)


Folio = Callable[[], tuple[str, bytes]]


def stamped_by(pac: Pac, sealed: bytes) -> str:
    """The UUID as the signed requests write it."""
    answer = pac.stamp(sealed, hashlib.sha256(sealed).hexdigest())
    assert isinstance(answer, Stamped)
    return read_timbre(answer.xml).uuid.upper()


@pytest.fixture
def folio(pac: Pac, csd: Csd, document: NewDocument) -> Folio:
    """A stamped document and the signed request to cancel it."""

    def new() -> tuple[str, bytes]:
        uuid = stamped_by(pac, document()[0])
        return uuid, cancelacion(csd, uuid, Motivo.ERRORES_SIN_RELACION, now=NOW)

    return new


def test_every_fault_of_the_sandbox_is_in_the_table() -> None:
    assert set(MODES) - {"401"} <= set(OUTCOMES)


def test_a_document_is_stamped_and_the_stamp_is_good(
    pac: Pac, document: NewDocument, authority: Authority
) -> None:
    sealed, reference = document()
    answer = pac.stamp(sealed, reference)
    assert isinstance(answer, Stamped)
    accepted = accept(
        answer.xml,
        sealed,
        now=NOW,
        zone=ZoneInfo("America/Mexico_City"),
        sat_certificates={authority.pac.no_certificado: authority.pac.der},
    )
    assert accepted.sat_verified
    assert accepted.timbre.leyenda == "PRUEBAS SIN VALIDEZ FISCAL"


def test_the_same_bytes_again_are_already_stamped_and_come_with_the_document(
    pac: Pac, document: NewDocument
) -> None:
    sealed, reference = document()
    first, again = pac.stamp(sealed, reference), pac.stamp(sealed, reference)
    assert isinstance(first, Stamped)
    assert isinstance(again, AlreadyStamped)
    assert again.xml == first.xml


@pytest.mark.parametrize("fault", OUTCOMES)
def test_fault(fault: str, pac: Pac, provider: Server, document: NewDocument) -> None:
    sealed, reference = document()
    table = OUTCOMES | OF_FINKOK if pac.name == "finkok" else OUTCOMES
    kind, exists = table[fault]
    provider.fault(fault, seconds=0.1)
    answer = pac.stamp(sealed, reference)
    assert isinstance(answer, kind)
    assert len(provider.uuids_of(sealed)) == exists


@pytest.mark.parametrize("fault", [name for name, (_, exists) in OUTCOMES.items() if exists])
def test_whatever_was_stamped_is_recovered_without_a_second_stamp(
    fault: str, pac: Pac, provider: Server, document: NewDocument
) -> None:
    sealed, reference = document()
    provider.fault(fault, seconds=0.1)
    pac.stamp(sealed, reference)
    recovered = pac.recover(sealed, reference)
    assert isinstance(recovered, Stamped)
    assert provider.uuids_of(sealed)[0].encode() in recovered.xml
    assert len(provider.uuids_of(sealed)) == 1


@pytest.mark.parametrize("fault", ["402", "403", "429", "drop_before", "reject:CFDI40145"])
def test_recover_never_says_that_there_is_surely_no_stamp(
    fault: str, pac: Pac, provider: Server, document: NewDocument
) -> None:
    sealed, reference = document()
    provider.fault("drop_after")
    pac.stamp(sealed, reference)
    provider.fault(fault)
    assert isinstance(pac.recover(sealed, reference), Unknown)


def test_a_late_commit_is_unknown_and_is_recovered(
    adapter: Adapter, provider: Server, document: NewDocument
) -> None:
    hurried: Any = adapter(provider.url, TERMS)
    assert hurried.check().ok  # whoever logs in has done so: the document alone is in a hurry
    hurried._wire._timeout = (60.0, 0.3)
    sealed, reference = document()
    provider.fault("slow", seconds=0.6)
    provider.time.awake.clear()
    assert isinstance(hurried.stamp(sealed, reference), Unknown)
    assert provider.uuids_of(sealed) == []
    provider.time.awake.set()
    for _ in range(600):
        if provider.uuids_of(sealed):
            break
        threading.Event().wait(0.1)
    assert len(provider.uuids_of(sealed)) == 1
    assert isinstance(adapter(provider.url, TERMS).recover(sealed, reference), Stamped)


def test_twenty_sends_at_once_make_one_stamp(
    pac: Pac, provider: Server, document: NewDocument
) -> None:
    sealed, reference = document()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: pac.stamp(sealed, reference), range(20)))
    assert sum(isinstance(answer, Stamped) for answer in answers) == 1
    assert {type(answer) for answer in answers} == {Stamped, AlreadyStamped}
    assert {answer.xml for answer in answers if hasattr(answer, "xml")} == {answers[0].xml}
    assert len(provider.uuids_of(sealed)) == 1


def test_a_reference_of_other_bytes_is_never_a_verdict_on_the_document(
    server: Server, document: NewDocument
) -> None:
    (first, reference), (second, _) = document(), document()
    pac = sw_with_token(server.url, TERMS)
    pac.stamp(first, reference)
    answer = pac.stamp(second, reference)
    assert isinstance(answer, Unknown)
    assert "another document" in answer.reason


@pytest.mark.parametrize("reference", ["", "x" * 101, "ñ", "a\r\nx: y"])
def test_a_reference_the_provider_cannot_take_is_refused_before_anything_is_sent(
    reference: str, server: Server
) -> None:
    with pytest.raises(ValueError, match="reference"):
        sw_with_token(server.url, TERMS).stamp(b"<x/>", reference)


def test_a_refused_connection_is_surely_not_stamped(
    adapter: Adapter, document: NewDocument
) -> None:
    with closed_port() as port:
        pac = adapter(f"http://127.0.0.1:{port}", TERMS)
        answer, standing = pac.stamp(*document()), pac.check()
        signed = pac.cancel(b"<x/>", UUID), pac.reply(b"<x/>", UUID, Reply.RECHAZO)
        asked = pac.pending(RECEIVER), pac.registered(RECEIVER)
    assert isinstance(answer, Later)
    assert not standing.ok
    assert all(isinstance(each, Later) for each in signed)
    assert all(isinstance(each, Later | NotOffered) for each in asked)


def test_a_name_that_leads_nowhere_is_surely_not_stamped(
    adapter: Adapter, document: NewDocument
) -> None:
    assert isinstance(adapter("http://nowhere.invalid:9", TERMS).stamp(*document()), Later)


def test_a_connection_that_breaks_after_the_request_is_unknown(
    adapter: Adapter, document: NewDocument
) -> None:
    # A user and password log in first, and that is what breaks: nothing was sent.
    kind = Later if adapter is sw_with_login else Unknown
    with breaking_server(b"") as url:
        assert isinstance(adapter(url, TERMS).stamp(*document()), kind)
    with breaking_server(b"") as url:
        assert isinstance(adapter(url, TERMS).cancel(b"<x/>", UUID), kind)


TELLING_NOTHING = {
    "cut": b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{}",
    "empty": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "list": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
    "302": b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    "307": b"HTTP/1.1 307 Again\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    "404": b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    "noise": b"\x00\x01\x02",
    "nested": b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 100_000,
    "huge": b"HTTP/1.1 200 OK\r\n\r\n" + b" " * (9 * 1024 * 1024),
    "wrong type": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html><h1>502</h1></html>",
    "doctype": b"HTTP/1.1 200 OK\r\n\r\n<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>",
    "fault": b"HTTP/1.1 500 E\r\n\r\n<Envelope><Body><Fault><faultstring>x</faultstring></Fault>"
    b"</Body></Envelope>",
    "two": b'HTTP/1.1 200 OK\r\n\r\n{"status": "success", "data": [1]}',
}


@pytest.mark.parametrize("answer", TELLING_NOTHING.values(), ids=TELLING_NOTHING.keys())
@pytest.mark.parametrize("adapter", DIALECTS, ids=name_of)
def test_an_answer_that_tells_nothing_is_never_a_verdict(
    answer: bytes, adapter: Adapter, document: NewDocument
) -> None:
    def asked(ask: Callable[[Pac], object]) -> object:
        with breaking_server(answer) as url:
            return ask(adapter(url, TERMS))

    stamped = asked(lambda pac: pac.stamp(*document()))
    # SW says "success" and gives nothing: then there is a stamp.
    assert isinstance(stamped, Unknown) or (
        isinstance(stamped, AlreadyStamped) and b"success" in answer
    )
    assert isinstance(asked(lambda pac: pac.cancel(b"<x/>", UUID)), Unknown)
    assert isinstance(asked(lambda pac: pac.reply(b"<x/>", UUID, Reply.RECHAZO)), Unknown)
    listed = asked(lambda pac: pac.pending(RECEIVER))
    assert isinstance(listed, Later) or (listed.uuids == () and b"success" in answer)
    assert not isinstance(asked(lambda pac: pac.check()), bool)


@pytest.mark.parametrize("adapter", DIALECTS, ids=name_of)
def test_an_answer_that_drips_does_not_hold_the_worker(
    adapter: Adapter, document: NewDocument, drips: Drips
) -> None:
    start = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
    with saying(start, b" ", drips=drips) as port:
        answer = adapter(f"http://127.0.0.1:{port}", TERMS).stamp(*document())
        assert not drips.ended
    assert isinstance(answer, Unknown)


def test_the_account_can_be_checked_without_stamping(pac: Pac, provider: Server) -> None:
    before = len(provider.stamps())
    assert pac.check().ok
    assert len(provider.stamps()) == before


def test_wrong_credentials_are_later_and_no_secret_is_told(
    server: Server, finkok: Server, document: NewDocument, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    secret = "n0t-the-passw0rd"
    for pac in (
        SwSapien(server.url, token=secret, terms=TERMS),
        SwSapien(server.url, user=USER, password=secret, terms=TERMS),
        Finkok(finkok.url, user=FINKOK_USER, password=secret, terms=TERMS),
    ):
        answer, standing = pac.stamp(*document()), pac.check()
        cancelled, listed = pac.cancel(b"<x/>", UUID), pac.pending(RECEIVER)
        assert isinstance(answer, Later)
        assert isinstance(cancelled, Later)
        assert isinstance(listed, Later)
        assert not standing.ok
        assert secret not in repr((pac, answer, standing, cancelled, listed)) + caplog.text


def test_a_request_is_filed_once_and_comes_with_sats_receipt(pac: Pac, folio: Folio) -> None:
    uuid, request = folio()
    first, again = pac.cancel(request, uuid), pac.cancel(request, uuid)
    assert isinstance(first, CancelFiled)
    assert isinstance(again, CancelFiled)
    assert (first.code, again.code) == ("201", "202")
    acuse = read_acuse(first.acuse)
    assert acuse.codigos == {uuid: "201"}
    assert acuse.rfc_emisor == "EKU9003173C9"


@pytest.mark.parametrize("fault", CANCEL_OUTCOMES)
def test_fault_of_a_cancellation(fault: str, pac: Pac, provider: Server, folio: Folio) -> None:
    uuid, request = folio()
    finkok = pac.name == "finkok"
    kind, filed = (CANCEL_OUTCOMES | CANCEL_OF_FINKOK if finkok else CANCEL_OUTCOMES)[fault]
    provider.fault(fault, seconds=0.1, on="cancel")
    assert isinstance(pac.cancel(request, uuid), kind)
    again = pac.cancel(request, uuid)
    assert isinstance(again, CancelFiled)
    assert again.code == ("202" if filed else "201")


KINDS = {
    code: kind
    for codes, kind in ((FILED, CancelFiled), (LATER, Later), (REFUSED, CancelRefused))
    for code in codes
    if len(code) == 3
}


@pytest.mark.parametrize("code", sorted(KINDS))
@pytest.mark.parametrize("adapter", DIALECTS, ids=name_of)
def test_every_code_of_a_cancellation_has_its_place(
    code: str, pac: Pac, provider: Server, folio: Folio
) -> None:
    uuid, request = folio()
    provider.fault(f"reject:{code}", on="cancel")
    answer = pac.cancel(request, uuid)
    assert type(answer) is KINDS[code]
    if isinstance(answer, CancelRefused):
        assert [each.code for each in answer.findings] == [code]
        assert answer.findings[0].message_es
    elif isinstance(answer, CancelFiled):
        assert answer.code == code


def test_a_signature_of_somebody_else_is_refused(
    pac: Pac, folio: Folio, receiver: Csd, document: NewDocument
) -> None:
    uuid, _ = folio()
    foreign = cancelacion(receiver, uuid, Motivo.ERRORES_SIN_RELACION, now=NOW)
    answer = pac.cancel(foreign, uuid)
    assert isinstance(answer, CancelRefused)
    assert [each.code for each in answer.findings] == ["203"]


def test_a_request_changed_on_its_way_is_refused(pac: Pac, folio: Folio) -> None:
    uuid, request = folio()
    answer = pac.cancel(request.replace(b'Motivo="02"', b'Motivo="03"'), uuid)
    assert isinstance(answer, CancelRefused)
    assert [each.code for each in answer.findings] == ["309"]
    assert answer.findings[0].fixable_by == "developer"


@pytest.mark.parametrize("reply", Reply)
def test_a_dear_document_waits_for_its_receiver(
    reply: Reply, pac: Pac, provider: Server, dear: Callable[..., bytes], csd: Csd, receiver: Csd
) -> None:
    uuid = stamped_by(pac, dear())
    provider.time.pass_by(timedelta(days=2))
    now = NOW + timedelta(days=2)
    request = cancelacion(csd, uuid, Motivo.ERRORES_SIN_RELACION, now=now)
    assert isinstance(pac.cancel(request, uuid), CancelFiled)
    waiting = pac.pending(RECEIVER)
    assert isinstance(waiting, Pending)
    assert uuid in waiting.uuids
    word = respuesta(receiver, uuid, reply, now=now, rfc_pac="SPR190613I52")
    answer, again = pac.reply(word, uuid, reply), pac.reply(word, uuid, reply)
    assert isinstance(answer, CancelFiled)
    assert answer.code == "1000"
    assert isinstance(again, CancelRefused)
    assert [each.code for each in again.findings] == ["1001"]
    left = pac.pending(RECEIVER)
    assert isinstance(left, Pending)
    assert uuid not in left.uuids


def test_nobody_but_the_receiver_replies(pac: Pac, folio: Folio, csd: Csd) -> None:
    uuid, _ = folio()
    word = respuesta(csd, uuid, Reply.ACEPTACION, now=NOW, rfc_pac="SPR190613I52")
    answer = pac.reply(word, uuid, Reply.ACEPTACION)
    assert isinstance(answer, CancelRefused)
    assert [each.code for each in answer.findings] == ["1003"]


def test_a_receiver_without_requests_has_none(pac: Pac) -> None:
    waiting = pac.pending("URE180429TM6")
    assert isinstance(waiting, Pending)
    assert waiting.uuids == ()


@pytest.mark.parametrize("rfc", ["", "X", "eku9003173c9", "EKU9003173C9/../x", "EKU9003173C9\n"])
def test_what_is_no_rfc_is_not_asked_about(rfc: str, pac: Pac) -> None:
    with pytest.raises(ValueError, match="RFC"):
        pac.pending(rfc)
    with pytest.raises(ValueError, match="RFC"):
        pac.registered(rfc)


def test_what_the_lists_say(pac: Pac, server: Server) -> None:
    wish = {"rfc": "OÑO120726RX3", "situacion": "Definitivo"}
    requests.post(f"{server.url}/sandbox/listed", json=wish, timeout=60).raise_for_status()
    known, listed = pac.registered("S&S051221SE2"), pac.registered("OÑO120726RX3")
    stranger = pac.registered("MARE850101AB3")
    if pac.name == "finkok":
        assert {known, listed, stranger} == {NotOffered()}
        return
    assert known == Registered(known=True, listed_69b="")
    assert listed == Registered(known=True, listed_69b="Definitivo")
    assert stranger == Registered(known=False, listed_69b="")


@contextmanager
def closed_port() -> Iterator[int]:
    """A port that is ours, so nobody else's, and refuses connections."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@contextmanager
def breaking_server(answer: bytes) -> Iterator[str]:
    """Reads a whole request, says `answer` and hangs up."""
    with saying(answer) as port:
        yield f"http://127.0.0.1:{port}"
