"""The guard of addresses that merchants type."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from connectors import net

PRIVATE = [
    "0.0.0.0",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.0.170",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.5",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "168.63.129.16",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.216.34",
    "172.32.0.1",
    "100.128.0.1",
    "2606:4700::1111",
    "2a00:1450::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_inside_are_refused(address: str) -> None:
    assert not net.may_connect(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_of_the_internet_pass(address: str) -> None:
    assert net.may_connect(address)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://tienda.example", "https://tienda.example"),
        ("  HTTPS://Tienda.Example/  ", "https://tienda.example"),
        ("tienda.example", "https://tienda.example"),
        ("tienda.example/tienda/", "https://tienda.example/tienda"),
        ("https://tienda.example:443/a/b", "https://tienda.example/a/b"),
        ("https://cafés.example", "https://xn--cafs-dpa.example"),
        ("https://127。0。0。1", "https://127.0.0.1"),
        ("https://[2606:4700::1111]/", "https://[2606:4700::1111]"),
        ("https://tienda.example./", "https://tienda.example"),
        ("https://tienda.example//a///b//", "https://tienda.example/a/b"),
        ("https://tienda.example/ñandú", "https://tienda.example/%C3%B1and%C3%BA"),
        ('https://tienda.example/<"a">', "https://tienda.example/%3C%22a%22%3E"),
    ],
)
def test_the_address_of_a_store_is_normalised(typed: str, kept: str) -> None:
    assert net.shop_url(typed) == kept
    assert net.shop_url(kept) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "", " ", "http://tienda.example", "ftp://tienda.example", "file:///etc/passwd",
        "https://", "https:///x", "https://a:b@tienda.example", "https://tienda.example:8443",
        "https://tienda.example?x=1", "https://tienda.example/#x", "https://tienda.example/../x",
        "https://tienda .example", "https://tienda.example\r\nHost: x", "https://tienda.example\\@x",
        "https://tienda.example:port", "https://[::1",
        "https://" + "x" * 600, "https://" + "x" * 70,
        "https://tienda.example:0", "javascript:alert(1)", "https://a..b", "https://\udcff.example",
        "https://tienda.example..", "https://.", "https://tienda%2eexample", "https://*.example",
        "https://tienda.example;x", "https://tienda.example&x", "https://a<b>.example",
        "https://a'b.example", "https://[fe80::1%25eth0]", "https://tienda.example/%2e%2E/x",
        "https://tienda.example/./x", "https://@tienda.example",
    ],
)  # fmt: skip
def test_what_is_no_address_of_a_store_is_refused(typed: str) -> None:
    with pytest.raises(net.AddressRefused):
        net.shop_url(typed)


def test_self_hosters_may_allow_http_and_ports() -> None:
    assert net.shop_url("http://127.0.0.1:8088/", allow_private=True) == "http://127.0.0.1:8088"
    with pytest.raises(net.AddressRefused):
        net.shop_url("ftp://127.0.0.1", allow_private=True)


@pytest.fixture
def dns(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """A resolver whose every look-up gives the next answer; it keeps what was asked."""

    def install(*answers: list[str]) -> list[str]:
        left, asked = list(answers), list[str]()

        def getaddrinfo(host: str, port: int, *_: object, **__: object) -> list[Any]:
            asked.append(host)
            return [
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
                for address in left.pop(0)
            ]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return asked

    return install


@pytest.mark.parametrize(
    "answer", [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["10.0.0.1", "93.184.216.34"]]
)
def test_every_address_of_a_name_is_judged(dns: Any, answer: list[str]) -> None:
    asked = dns(answer)
    with pytest.raises(net.AddressRefused, match="private"):
        net.send("GET", "https://tienda.example/")
    assert asked == ["tienda.example"]


def test_a_name_is_resolved_once_and_that_address_is_used(
    dns: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: a public answer for the judge, a private one for the connection."""
    asked = dns(["93.184.216.34"], ["127.0.0.1"], ["127.0.0.1"])
    connected: list[object] = []

    class Socket(socket.socket):
        def connect(self, address: object) -> None:
            connected.append(address)
            raise ConnectionRefusedError

    monkeypatch.setattr(socket, "socket", Socket)
    with pytest.raises(requests.ConnectionError):
        net.send("GET", "https://tienda.example/")
    assert asked == ["tienda.example"]
    assert connected == [("93.184.216.34", 443)]


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/", "https://2130706433/", "https://0x7f.1/", "https://0177.0.0.1/"]
)
def test_spellings_of_loopback_are_refused(url: str) -> None:
    with pytest.raises((net.AddressRefused, requests.RequestException)) as caught:
        net.send("GET", url)
    assert not isinstance(caught.value, requests.Timeout)


def test_http_is_not_spoken_unless_allowed(server: Any) -> None:
    server.says({})
    with pytest.raises(requests.RequestException):
        net.send("GET", server.url)
    assert not server.asked
    assert net.send("GET", server.url, allow_private=True).status == 200


def test_other_ports_are_refused(dns: Any) -> None:
    dns(["93.184.216.34"])
    with pytest.raises(net.AddressRefused):
        net.send("GET", "https://tienda.example:6379/")


def test_redirects_are_not_followed(server: Any) -> None:
    server.answers.append((302, {"Location": "http://127.0.0.1:1/latest/meta-data"}, b""))
    answer = net.send("GET", server.url, allow_private=True)
    assert answer.status == 302
    assert len(server.asked) == 1


def test_the_environment_is_not_read(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    server.says({})
    assert net.send("GET", server.url, allow_private=True).status == 200


def test_a_body_without_end_is_cut(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(net, "MAX_BYTES", 100_000)
    server.says(b"x" * 100_001)
    with pytest.raises(net.AnswerTooLarge):
        net.send("GET", server.url, allow_private=True)


@pytest.mark.parametrize("onward", ["http://[", "http://x:99999/", "http://x/\xff"])
def test_a_redirect_is_an_answer_wherever_it_leads(server: Any, onward: str) -> None:
    server.answers.append((302, {"Location": onward}, b""))
    assert net.send("GET", server.url, allow_private=True).status == 302


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: ",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;",
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n",
    ],
    ids=["status", "length", "no length", "header", "chunk", "redirect"],
)
def test_a_dripping_answer_is_cut(server: Any, start: bytes) -> None:
    heard_out = []

    def drip(handler: Any) -> None:
        handler.wfile.write(start)
        for _ in range(2400):  # two minutes; ends once nobody listens any more
            handler.wfile.write(b"x")
            time.sleep(0.05)
        heard_out.append(start)

    server.by_hand = drip
    with pytest.raises(requests.RequestException):
        net.send("GET", server.url, allow_private=True, total=0.3)
    assert not heard_out


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes no more connections and refuses none, as behind a firewall."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):  # the kernel keeps one or two waiting
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]


def test_a_name_with_many_addresses_gets_no_more_time(
    dns: Any, silent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(net, "CONNECT_SECONDS", 0.2)
    monkeypatch.setattr(net, "CONNECTING_SECONDS", 0.5)
    dns(["127.0.0.1"] * 50)
    given: list[float | None] = []

    class Socket(socket.socket):
        def connect(self, address: Any) -> None:
            given.append(self.gettimeout())
            super().connect(address)

    monkeypatch.setattr(socket, "socket", Socket)
    with pytest.raises(requests.RequestException):
        net.send("GET", f"http://tienda.example:{silent}/", allow_private=True)
    # Each takes what it is given, or longer where the machine is busy.
    assert 1 <= len(given) <= 4
    assert all(one is not None and 0 < one <= 0.2 for one in given)


def test_redirects_of_a_slow_store_share_their_time(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(net, "HOPS_SECONDS", 0.5)

    def onward(handler: Any) -> None:
        time.sleep(0.2)
        handler.wfile.write(b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n")

    server.by_hand = onward
    with pytest.raises(requests.RequestException):
        net.final_url(server.url, allow_private=True)
    assert len(server.asked) < net.MAX_HOPS


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[tuple[int, Path, list[str]]]:
    """A TLS server that is tienda.example; it keeps the names that clients asked for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tienda.example")])
    begin = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=2))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("tienda.example")]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, ca = tmp_path / "server.pem", tmp_path / "ca.pem"
    ca.write_bytes(certificate.public_bytes(Encoding.PEM))
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem.write_bytes(secret + ca.read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    names: list[str] = []
    context.sni_callback = lambda _sock, asked, _context: names.append(asked)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            names.append(self.headers["Host"])
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    httpd = HTTPServer(("127.0.0.1", 0), Handler)
    httpd.handle_error = lambda *_: None  # type: ignore[method-assign] # a refused handshake
    httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield httpd.server_port, ca, names
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def test_host_sni_and_certificate_keep_the_name(dns: Any, tls: Any) -> None:
    port, ca, names = tls
    url = f"https://tienda.example:{port}/"
    dns(["127.0.0.1"], ["127.0.0.1"])
    assert net.send("GET", url, allow_private=True, verify=str(ca)).body == b"{}"
    assert names == ["tienda.example", f"tienda.example:{port}"]
    with pytest.raises(requests.exceptions.SSLError):
        net.send("GET", url, allow_private=True)


def test_a_certificate_of_another_name_is_refused(dns: Any, tls: Any) -> None:
    port, ca, _ = tls
    dns(["127.0.0.1"])
    with pytest.raises(requests.exceptions.SSLError):
        net.send("GET", f"https://otra.example:{port}/", allow_private=True, verify=str(ca))
