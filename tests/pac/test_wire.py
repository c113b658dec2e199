"""What a broken or hostile other side can do to one exchange, over a real socket."""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from queue import Queue
from socket import create_server, socket
from types import SimpleNamespace

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from urllib3.exceptions import ConnectTimeoutError

from cfdi import wire
from cfdi.pac.contract import Dedupe, Later, Terms, Unknown
from cfdi.pac.finkok import Finkok
from cfdi.pac.sandbox import PASSWORD, USER
from cfdi.pac.sw import SwSapien
from cfdi.wire import Unanswered, Wire

SECOND = timedelta(seconds=1)
TERMS = Terms(
    dedupe=Dedupe.REFERENCE,
    reference_lifetime=timedelta(hours=72),
    in_flight_max=timedelta(seconds=120),
    connect_timeout=60 * SECOND,
    read_timeout=60 * SECOND,
)
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
FOUND = b"HTTP/1.1 302 Found\r\nLocation: "


def hear(connection: socket) -> None:
    """One whole request. To close a connection with a part unread resets it, answer and all."""
    heard = b""
    while b"\r\n\r\n" not in heard:
        if not (more := connection.recv(65536)):
            return
        heard += more
    head, _, body = heard.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: *(\d+)", head)
    missing = (int(length[1]) if length else 0) - len(body)
    while missing > 0 and (more := connection.recv(65536)):
        missing -= len(more)


@dataclass
class Drips:
    """`begun`: once the request was heard and answered. `ended`: what drips was heard out."""

    begun: threading.Event = field(default_factory=threading.Event)
    ended: bool = False


@pytest.fixture
def drips(monkeypatch: pytest.MonkeyPatch) -> Iterator[Drips]:
    """The time of an exchange runs once its answer drips, so that nothing else can use it up."""
    told = Drips()

    class Timer(threading.Timer):
        def run(self) -> None:
            told.begun.wait(120)
            self.interval = min(self.interval, 1.0)
            super().run()

    monkeypatch.setattr(wire, "threading", SimpleNamespace(Timer=Timer))
    yield told
    told.begun.set()


@contextmanager
def saying(
    answer: bytes,
    drip: bytes = b"",
    wrap: Callable[[socket], socket] = lambda sock: sock,
    drips: Drips | None = None,
    hear: Callable[[socket], object] = hear,
) -> Iterator[int]:
    """Hears one request, says `answer`, and `drip` ten times a second for a minute."""
    drips = drips or Drips()
    with create_server(("127.0.0.1", 0)) as listener:
        done = threading.Event()

        def serve() -> None:
            try:
                with wrap(listener.accept()[0]) as connection:
                    hear(connection)
                    connection.sendall(answer)
                    drips.begun.set()
                    for _ in range(600 if drip else 0):
                        if done.wait(0.1):
                            return
                        connection.sendall(drip)
                    drips.ended = True
            except OSError:
                return  # the client had enough

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            done.set()
            thread.join(timeout=60)


def wire_to(url: str, session: requests.Session | None = None) -> Wire:
    """Patient: a busy machine may take its time over a handshake or an answer."""
    return Wire(url, connect_timeout=60 * SECOND, read_timeout=60 * SECOND, session=session)


DRIPS = {
    "status": (b"HTTP/1.1 2", b"0"),
    "header": (OK + b"X: ", b"x"),
    "headers": (OK, b"X: y\r\n"),
    "go on": (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": (OK + b"Content-Length: 100000\r\n\r\n", b" "),
    "body without a length": (OK + b"\r\n", b" "),
    "name of a chunk": (CHUNKED + b"5;", b"x"),
    "after the chunks": (CHUNKED + b"1\r\na\r\n0\r\n", b"X: y\r\n"),
    "body of a redirect": (FOUND + b"http://127.0.0.1/\r\n\r\n", b" "),
}


@pytest.mark.parametrize(("answer", "drip"), DRIPS.values(), ids=DRIPS.keys())
def test_whatever_drips_is_cut_in_time_and_may_have_been_sent(
    answer: bytes, drip: bytes, drips: Drips
) -> None:
    with saying(answer, drip, drips=drips) as port:
        with pytest.raises(Unanswered) as caught:
            wire_to("http://127.0.0.1").call("POST", f"http://127.0.0.1:{port}/", data=b"<x/>")
        assert not drips.ended
    assert caught.value.sent


def test_an_exchange_has_the_time_to_connect_and_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []

    class Timer(threading.Timer):
        def __init__(self, interval: float, function: Callable[[], None]) -> None:
            given.append(interval)
            super().__init__(interval, function)

    monkeypatch.setattr(wire, "threading", SimpleNamespace(Timer=Timer))
    with saying(OK + b"Content-Length: 2\r\n\r\n{}") as port:
        url = f"http://127.0.0.1:{port}/"
        exchange = Wire(url, connect_timeout=40 * SECOND, read_timeout=50 * SECOND)
        assert exchange.call("POST", url, data=b"<x/>") == (200, b"{}")
    assert given == [90.0]


BROKEN = {
    "two lengths": OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    "no chunk": CHUNKED + b"zz\r\n",
    "cut chunk": CHUNKED + b"5\r\nab",
    "many headers": OK + b"X: y\r\n" * 300 + b"\r\n",
    "long header": OK + b"X: " + b"y" * 100_000 + b"\r\n\r\n",
    "no http": b"<html>502 Bad Gateway</html>",
    "huge": OK + b"\r\n" + b" " * (9 * 1024 * 1024),
    "huge redirect": FOUND + b"http://127.0.0.1/\r\n\r\n" + b" " * (9 * 1024 * 1024),
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_answer_was_sent_for(answer: bytes) -> None:
    """Each came after the whole request: it may have been obeyed."""
    with saying(answer) as port, pytest.raises(Unanswered) as caught:
        wire_to("http://127.0.0.1").call("POST", f"http://127.0.0.1:{port}/", data=b"<x/>")
    assert caught.value.sent
    for pac in (
        lambda url: SwSapien(url, token="t", terms=TERMS),
        lambda url: Finkok(url, user="u", password="p", terms=TERMS),
    ):
        with saying(answer) as port:
            assert isinstance(pac(f"http://127.0.0.1:{port}").stamp(b"<x/>", "r"), Unknown)


@pytest.mark.parametrize(
    "onward", [b"http://[", b"http://x:99999/", b"http://x/\xff", b"//", b"\t"]
)
def test_a_redirect_is_an_answer_wherever_it_leads(onward: bytes) -> None:
    with saying(FOUND + onward + b"\r\nContent-Length: 2\r\n\r\n{}") as port:
        url = f"http://127.0.0.1:{port}/"
        assert wire_to(url).call("POST", url, data=b"<x/>") == (302, b"{}")


@pytest.mark.parametrize("url", ["http://[", "no address", "ftp://127.0.0.1/", "http://a..b/"])
def test_what_is_no_address_was_surely_not_sent(url: str) -> None:
    with pytest.raises(Unanswered) as caught:
        wire_to("http://127.0.0.1").call("POST", url)
    assert not caught.value.sent


def test_a_header_that_is_none_was_surely_not_sent() -> None:
    with pytest.raises(Unanswered) as caught:
        wire_to("http://127.0.0.1").call("POST", "http://127.0.0.1:9/", headers={"X": "a\r\nb"})
    assert not caught.value.sent


def test_a_proxy_that_is_not_there_was_sent_nothing() -> None:
    session = wire._session("http://127.0.0.1")
    with socket() as taken:  # ours, so nobody else's, and it does not listen
        taken.bind(("127.0.0.1", 0))
        session.proxies = {"http": f"http://127.0.0.1:{taken.getsockname()[1]}"}
        with pytest.raises(Unanswered) as caught:
            wire_to("http://127.0.0.1", session).call("POST", "http://192.0.2.1/", data=b"<x/>")
    assert not caught.value.sent


def test_a_connection_that_comes_too_late_is_not_used() -> None:
    with saying(OK + b"\r\n") as port, wire._Deadline(0.01) as deadline:
        deadline._timer.join(60)
        with pytest.raises(ConnectTimeoutError):
            wire._Watched("127.0.0.1", port)._new_conn()


@pytest.fixture
def tls(tmp_path: Path) -> tuple[Callable[[socket], socket], Path]:
    """How a server wraps its connections, and the certificate to be believed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, SHA256())
    )
    file = tmp_path / "tls.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(secret + certificate.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return lambda sock: context.wrap_socket(sock, server_side=True), file


Tls = tuple[Callable[[socket], socket], Path]


def test_an_answer_over_tls_is_read(tls: Tls) -> None:
    wrap, file = tls
    with saying(OK + b"Content-Length: 2\r\n\r\n{}", wrap=wrap) as port:
        url = f"https://127.0.0.1:{port}/"
        session = wire._session(url)
        session.verify = str(file)
        assert wire_to(url, session).call("POST", url, data=b"<x/>") == (200, b"{}")


def test_an_answer_over_tls_that_drips_is_cut(tls: Tls, drips: Drips) -> None:
    wrap, file = tls
    with saying(OK + b"\r\n", b" ", wrap, drips) as port:
        url = f"https://127.0.0.1:{port}/"
        session = wire._session(url)
        session.verify = str(file)
        with pytest.raises(Unanswered) as caught:
            wire_to(url, session).call("POST", url, data=b"<x/>")
        assert not drips.ended
    assert caught.value.sent


def test_a_certificate_that_nobody_vouches_for_gets_nothing(tls: Tls) -> None:
    with saying(OK + b"\r\n", wrap=tls[0]) as port:
        pac = SwSapien(f"https://127.0.0.1:{port}", token="n0t-told", terms=TERMS)
        answer = pac.stamp(b"<x/>", "r")
    assert isinstance(answer, Later)
    assert "n0t-told" not in repr(answer)


def test_a_server_without_tls_leaves_it_in_doubt() -> None:
    def first(connection: socket) -> bytes:
        return connection.recv(65536)  # a greeting in TLS, which is no request

    with saying(b"HTTP/1.1 400 Bad Request\r\n\r\nplain HTTP only", hear=first) as port:
        pac = SwSapien(f"https://127.0.0.1:{port}", token="t", terms=TERMS)
        assert isinstance(pac.stamp(b"<x/>", "r"), Unknown)


def test_nobody_waits_in_line_for_a_login_that_hangs() -> None:
    """Ten documents and one account, whose provider takes the connection and says nothing."""
    answers: Queue[object] = Queue()
    with create_server(("127.0.0.1", 0), backlog=50) as listener:
        pac = SwSapien(
            f"http://127.0.0.1:{listener.getsockname()[1]}",
            user=USER,
            password=PASSWORD,
            terms=TERMS,
        )
        threads = [
            threading.Thread(target=lambda: answers.put(pac.stamp(b"<x/>", "r"))) for _ in range(10)
        ]
        for thread in threads:
            thread.start()
        with listener.accept()[0]:  # one logs in and hangs; nine do not wait for its end
            said = [answers.get(timeout=50) for _ in range(9)]
            assert answers.empty()
    for thread in threads:
        thread.join()
    said.append(answers.get())
    assert [type(answer) for answer in said] == [Later] * 10
