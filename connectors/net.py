"""HTTP to addresses that a merchant typed: never into the hub's own network.

The name is resolved once, every address it has is judged, and the connection goes to a judged
address while Host, SNI and certificate keep the name, so a second answer of the DNS changes
nothing. No redirects, no proxies (a proxy would resolve the name again), bounded time and size.
OWASP ASVS 5.0, 1.3.6 and 13.2.4.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Final, Self
from urllib.parse import quote, unquote, urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

#: To one address, and to all that a name has: whoever makes the name may give it hundreds.
CONNECT_SECONDS: Final = 5.0
CONNECTING_SECONDS: Final = 10.0
READ_SECONDS: Final = 15.0
#: From the request to the last byte, however slowly they drip.
TOTAL_SECONDS: Final = 30.0
MAX_BYTES: Final = 8 * 1024 * 1024
#: A shop sends on to https, to or from www, and perhaps once more.
MAX_HOPS: Final = 6
HOP_SECONDS: Final = 8.0
#: All hops together: somebody waits for where they end.
HOPS_SECONDS: Final = 20.0
#: What a name of the DNS is made of, once IDNA has folded it. "_" is none, but is used.
_NAME: Final = re.compile(r"(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}")
#: What a path may hold as it is (RFC 3986, 3.3); all else is written in percents.
_PLAIN: Final = "/%:@!$&'()*+,;=~-._"

#: Public by `ipaddress.is_global` and yet a way inside: IPv4 within IPv6 (mapped, compatible,
#: NAT64, 6to4, Teredo), site-local, protocol assignments, 6to4 relays, and the address by which
#: Azure's machines reach their host (https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16).
_FORBIDDEN: Final = tuple(
    ip_network(text)
    for text in (
        "::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16",
        "fec0::/10", "192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32",
    )
)  # fmt: skip


class AddressRefused(Exception):
    """The address is not one the hub may connect to. The message says what to change."""


class AnswerTooLarge(Exception):
    """The answer went on beyond the limit."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    content_type: str  # lower case, without parameters
    headers: requests.structures.CaseInsensitiveDict[str]
    body: bytes


def shop_url(text: str, *, allow_private: bool = False) -> str:
    """The address as it is kept: scheme, host, port unless usual, folder; no slash at the end.

    `allow_private` also lets http and any port pass. Raises `AddressRefused`.
    """
    text = text.strip()
    if not text or len(text) > 500 or any(c.isspace() or ord(c) < 32 or c == "\\" for c in text):
        raise AddressRefused("give the address of the store, such as https://tienda.example")
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host, port, folder = _host(parts.hostname or ""), parts.port, _folder(parts.path)
    except ValueError:
        raise AddressRefused("the address of the store is not a valid URL") from None
    if parts.username is not None or parts.query or parts.fragment:
        raise AddressRefused("give the address of the store without user, query or fragment")
    if parts.scheme != "https" and not (allow_private and parts.scheme == "http"):
        raise AddressRefused("the address of the store must begin with https://")
    usual = 443 if parts.scheme == "https" else 80
    if port not in {None, usual} and not allow_private:
        raise AddressRefused("the store must answer on the usual port (443)")
    suffix = "" if port in {None, usual} else f":{port}"
    return f"{parts.scheme}://{host}{suffix}{folder}"


def _host(name: str) -> str:
    if not name or "%" in name:
        raise ValueError
    if ":" in name:
        return f"[{ip_address(name)}]"
    # IDNA also folds full-width digits and dots, which resolvers take for an address. With a dot
    # at the end it is the same name, and must not be a second shop.
    host = name.encode("idna").decode("ascii").lower().removesuffix(".")
    if not _NAME.fullmatch(host):
        raise ValueError
    return host


def _folder(path: str) -> str:
    """The path in one spelling, without a slash at its end."""
    names = [name for name in path.split("/") if name]
    if any(unquote(name) in {".", ".."} for name in names):
        raise ValueError
    return "".join(f"/{quote(name, safe=_PLAIN)}" for name in names)


def may_connect(address: str) -> bool:
    """Whether an IP address is one of the public internet."""
    ip: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if ip.is_multicast or ip.is_reserved or not ip.is_global:
        return False
    return not any(ip.version == net.version and ip in net for net in _FORBIDDEN)


def final_url(url: str, *, allow_private: bool = False) -> str:
    """Where a GET of `url` ends, each hop judged as `shop_url` and `send` judge an address.

    Raises as `send` does, `AddressRefused` too where there are more than a few hops.
    """
    until = time.monotonic() + HOPS_SECONDS
    for _ in range(MAX_HOPS):
        left = until - time.monotonic()
        if left <= 0:
            raise requests.Timeout
        answer = send(
            "GET", url, allow_private=allow_private, seconds=min(HOP_SECONDS, left), total=left
        )
        onward = answer.headers.get("location", "")
        if answer.status not in {301, 302, 303, 307, 308} or not onward:
            return url
        try:
            url = urljoin(url, onward).partition("#")[0]
        except ValueError:
            raise AddressRefused("the store redirects to an address that is none") from None
        shop_url(url.partition("?")[0], allow_private=allow_private)
    raise AddressRefused("the store redirects in circles")


def send(
    method: str,
    url: str,
    *,
    allow_private: bool = False,
    seconds: float = READ_SECONDS,
    total: float = TOTAL_SECONDS,
    **arguments: Any,
) -> Answer:
    """One request on a connection of its own, read to the end within the limits.

    `seconds`: the longest silence while the answer is waited for; `total`: from the connection to
    the last byte. No redirect is followed and nothing is taken from the environment or .netrc.
    Raises `AddressRefused`, `AnswerTooLarge` or `requests.RequestException`; the message of the
    latter holds the URL, which may hold keys: it must not be shown.
    """
    with _Session() as session, _Deadline(total) as deadline:
        session.trust_env = False
        session.adapters.clear()
        adapter = _JudgingAdapter(allow_private=allow_private, deadline=deadline)
        session.mount("https://", adapter)
        if allow_private:
            session.mount("http://", adapter)
        arguments |= {"timeout": (CONNECT_SECONDS, seconds), "stream": True}
        with session.request(method, url, allow_redirects=False, **arguments) as response:
            return Answer(
                status=response.status_code,
                content_type=_content_type(response.headers.get("content-type", "")),
                headers=response.headers,
                body=_read(response, deadline),
            )


def _content_type(header: str) -> str:
    return header.partition(";")[0].strip().lower()


def _read(response: requests.Response, deadline: _Deadline) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(64 * 1024):
        body += chunk
        if len(body) > MAX_BYTES:
            raise AnswerTooLarge(f"the answer is larger than {MAX_BYTES} bytes")
    if deadline.is_over:  # a cut connection looks like the end of an answer without a length
        raise requests.Timeout
    return bytes(body)


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: else a redirect that is not followed is still prepared, its body read without end
        and an address that is none raised."""


class _JudgingAdapter(HTTPAdapter):
    def __init__(self, *, allow_private: bool, deadline: _Deadline) -> None:
        self._judging = {"allow_private": allow_private, "deadline": deadline}
        super().__init__(max_retries=0)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
        pool = super().get_connection_with_tls_context(*args, **kwargs)
        if not isinstance(pool, HTTPConnectionPool):
            raise TypeError
        secure = isinstance(pool, HTTPSConnectionPool)
        pool.ConnectionCls = _JudgedHTTPS if secure else _JudgedHTTP
        pool.conn_kw |= self._judging
        return pool


class _Judged(HTTPConnection):
    """A connection that opens its socket to a judged address, and cuts it when time is up."""

    def __init__(self, *args: Any, allow_private: bool, deadline: _Deadline, **kwargs: Any) -> None:
        self._allow_private, self._deadline = allow_private, deadline
        super().__init__(*args, **kwargs)

    def _new_conn(self) -> socket.socket:
        try:
            sock = _open(self.host, self.port, allow_private=self._allow_private)
        except OSError as error:
            raise NewConnectionError(self, f"no connection: {type(error).__name__}") from error
        self._deadline.watch(sock)
        return sock


class _JudgedHTTP(_Judged):
    pass


class _JudgedHTTPS(_Judged, HTTPSConnection):
    pass


def _open(host: str, port: int, *, allow_private: bool) -> socket.socket:
    """Connect to the first address that answers; none is tried before all are judged."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    if not allow_private and not (port == 443 and all(may_connect(str(at[4][0])) for at in found)):
        raise AddressRefused(
            "the address leads into a private network; ALLOW_PRIVATE_HOSTS=1 permits that"
        )
    failure: OSError = OSError()
    until = time.monotonic() + CONNECTING_SECONDS
    for family, kind, protocol, _, address in found:
        left = until - time.monotonic()
        if left <= 0:
            break
        sock = socket.socket(family, kind, protocol)
        sock.settimeout(min(CONNECT_SECONDS, left))
        try:
            sock.connect(address)
        except OSError as error:
            failure = error
            sock.close()
        else:
            return sock
    raise failure


class _Deadline:
    """Ends the connection of one call when its time is over, even while a thread waits in it.

    Not when the connection is closed: that happens before a body without a length is read.
    """

    def __init__(self, seconds: float) -> None:
        self.is_over = False
        self._seconds = seconds
        self._sock: socket.socket | None = None
        self._timer: threading.Timer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._timer:
            self._timer.cancel()
        if self._sock:
            self._sock.close()

    def watch(self, sock: socket.socket) -> None:
        """Time runs from now. Holds a duplicate: TLS takes the original's descriptor."""
        self._sock = sock.dup()
        self._timer = threading.Timer(self._seconds, self._cut)
        self._timer.daemon = True
        self._timer.start()

    def _cut(self) -> None:
        self.is_over = True
        if self._sock:
            with suppress(OSError):
                self._sock.shutdown(socket.SHUT_RDWR)
