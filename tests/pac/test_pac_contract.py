"""What every provider's client must do, whatever the provider does, over a real socket."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cfdi.pac.breaker import Breaker
from cfdi.pac.contract import AlreadyStamped, Dedupe, Later, Never, Pac, Stamped, Terms, Unknown
from cfdi.pac.sandbox import IN_FLIGHT_MAX, PASSWORD, TOKEN, USER
from cfdi.pac.sandbox.authority import Authority
from cfdi.pac.sandbox.faults import MODES
from cfdi.pac.sw import SwSapien
from cfdi.timbre import accept

Server = Any  # of conftest.py
NewDocument = Callable[[], tuple[bytes, str]]

NOW = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
TERMS = Terms(
    dedupe=Dedupe.REFERENCE,
    reference_lifetime=timedelta(hours=72),
    in_flight_max=IN_FLIGHT_MAX,
    connect_timeout=timedelta(seconds=2),
    read_timeout=timedelta(seconds=5),
)
#: Never opens: the suite misbehaves on purpose.
CALM = 10_000


def sw_with_token(url: str, terms: Terms) -> Pac:
    breaker = Breaker(lambda: 0.0, window=CALM)
    return SwSapien(url, token=TOKEN, terms=terms, breaker=breaker)


def sw_with_login(url: str, terms: Terms) -> Pac:
    breaker = Breaker(lambda: 0.0, window=CALM)
    return SwSapien(url, user=USER, password=PASSWORD, terms=terms, breaker=breaker)


#: A new adapter is put here and is held to all of this.
ADAPTERS: list[Callable[[str, Terms], Pac]] = [sw_with_token, sw_with_login]

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


@pytest.fixture(params=ADAPTERS, ids=lambda adapter: str(adapter.__name__))
def pac(request: pytest.FixtureRequest, server: Server) -> Pac:
    made: Pac = request.param(server.url, TERMS)
    return made


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
def test_fault(fault: str, pac: Pac, server: Server, document: NewDocument) -> None:
    sealed, reference = document()
    kind, exists = OUTCOMES[fault]
    server.fault(fault, seconds=0.1)
    answer = pac.stamp(sealed, reference)
    assert isinstance(answer, kind)
    assert len(server.uuids_of(sealed)) == exists


@pytest.mark.parametrize("fault", [name for name, (_, exists) in OUTCOMES.items() if exists])
def test_whatever_was_stamped_is_recovered_without_a_second_stamp(
    fault: str, pac: Pac, server: Server, document: NewDocument
) -> None:
    sealed, reference = document()
    server.fault(fault, seconds=0.1)
    pac.stamp(sealed, reference)
    recovered = pac.recover(sealed, reference)
    assert isinstance(recovered, Stamped)
    assert server.uuids_of(sealed)[0].encode() in recovered.xml
    assert len(server.uuids_of(sealed)) == 1


@pytest.mark.parametrize("fault", ["402", "403", "429", "drop_before", "reject:CFDI40145"])
def test_recover_never_says_that_there_is_surely_no_stamp(
    fault: str, pac: Pac, server: Server, document: NewDocument
) -> None:
    sealed, reference = document()
    server.fault("drop_after")
    pac.stamp(sealed, reference)
    server.fault(fault)
    assert isinstance(pac.recover(sealed, reference), Unknown)


def test_a_late_commit_is_unknown_and_is_there_within_the_stated_time(
    server: Server, document: NewDocument
) -> None:
    hurried = sw_with_token(server.url, terms(read=0.3))
    sealed, reference = document()
    server.fault("slow", seconds=1.0)
    assert isinstance(hurried.stamp(sealed, reference), Unknown)
    threading.Event().wait(IN_FLIGHT_MAX.total_seconds())
    assert len(server.uuids_of(sealed)) == 1
    assert isinstance(sw_with_token(server.url, TERMS).recover(sealed, reference), Stamped)


def test_twenty_sends_at_once_make_one_stamp(
    pac: Pac, server: Server, document: NewDocument
) -> None:
    sealed, reference = document()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: pac.stamp(sealed, reference), range(20)))
    assert sum(isinstance(answer, Stamped) for answer in answers) == 1
    assert {type(answer) for answer in answers} == {Stamped, AlreadyStamped}
    assert {answer.xml for answer in answers if hasattr(answer, "xml")} == {answers[0].xml}
    assert len(server.uuids_of(sealed)) == 1


def test_a_reference_of_other_bytes_is_never_a_verdict_on_the_document(
    pac: Pac, document: NewDocument
) -> None:
    (first, reference), (second, _) = document(), document()
    pac.stamp(first, reference)
    answer = pac.stamp(second, reference)
    assert isinstance(answer, Unknown)
    assert "another document" in answer.reason


@pytest.mark.parametrize("reference", ["", "x" * 101, "ñ", "a\r\nx: y"])
def test_a_reference_the_provider_cannot_take_is_refused_before_anything_is_sent(
    reference: str, pac: Pac
) -> None:
    with pytest.raises(ValueError, match="reference"):
        pac.stamp(b"<x/>", reference)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_refused_connection_is_surely_not_stamped(
    adapter: Callable[[str, Terms], Pac], document: NewDocument
) -> None:
    with closed_port() as port:
        pac = adapter(f"http://127.0.0.1:{port}", TERMS)
        answer = pac.stamp(*document())
        standing = pac.check()
    assert isinstance(answer, Later)
    assert not standing.ok


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_name_that_leads_nowhere_is_surely_not_stamped(
    adapter: Callable[[str, Terms], Pac], document: NewDocument
) -> None:
    assert isinstance(adapter("http://nowhere.invalid:9", TERMS).stamp(*document()), Later)


def test_a_connection_that_breaks_after_the_request_is_unknown(document: NewDocument) -> None:
    with breaking_server(b"") as url:
        assert isinstance(sw_with_token(url, TERMS).stamp(*document()), Unknown)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 307 Again\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        b"\x00\x01\x02",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 100_000,
        b"HTTP/1.1 200 OK\r\n\r\n" + b" " * (9 * 1024 * 1024),
    ],
    ids=["cut", "empty", "list", "302", "307", "404", "noise", "nested", "huge"],
)
def test_an_answer_that_tells_nothing_is_unknown(answer: bytes, document: NewDocument) -> None:
    with breaking_server(answer) as url:
        assert isinstance(sw_with_token(url, TERMS).stamp(*document()), Unknown)


def test_an_answer_that_drips_does_not_hold_the_worker(document: NewDocument) -> None:
    start = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
    with breaking_server(start, drip=True) as url:
        answer = sw_with_token(url, terms(read=0.3)).stamp(*document())
    assert isinstance(answer, Unknown)


def test_the_account_can_be_checked_without_stamping(pac: Pac, server: Server) -> None:
    before = len(server.stamps())
    assert pac.check().ok
    assert len(server.stamps()) == before


def test_wrong_credentials_are_later_and_no_secret_is_told(
    server: Server, document: NewDocument, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    secret = "n0t-the-passw0rd"
    for pac in (
        SwSapien(server.url, token=secret, terms=TERMS),
        SwSapien(server.url, user=USER, password=secret, terms=TERMS),
    ):
        answer, standing = pac.stamp(*document()), pac.check()
        assert isinstance(answer, Later)
        assert not standing.ok
        assert secret not in repr((pac, answer, standing)) + caplog.text


def terms(*, read: float) -> Terms:
    return Terms(
        dedupe=TERMS.dedupe,
        reference_lifetime=TERMS.reference_lifetime,
        in_flight_max=TERMS.in_flight_max,
        connect_timeout=timedelta(seconds=1),
        read_timeout=timedelta(seconds=read),
    )


@contextmanager
def closed_port() -> Iterator[int]:
    """A port that is ours, so nobody else's, and refuses connections."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@contextmanager
def breaking_server(answer: bytes, *, drip: bool = False) -> Iterator[str]:
    """Reads a whole request, says `answer` and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done = threading.Event()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(0.2)
                try:
                    while connection.recv(65536):
                        continue
                except TimeoutError:
                    connection.settimeout(5)
                try:
                    connection.sendall(answer)
                    while drip and not done.wait(0.1):
                        connection.sendall(b" ")
                except OSError:
                    return  # the client had enough

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            done.set()
            thread.join(timeout=10)
