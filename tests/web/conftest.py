"""A whole hub in this process: its application, its commands, its jobs, a sandbox PAC beside it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from cfdi.csd import check_csd
from cfdi.pac.sandbox.app import application
from cfdi.pac.sandbox.authority import Authority
from hub.app import create_app
from hub.cli import main
from hub.clock import SystemClock
from hub.settings import Settings, load
from hub.web import links
from hub.wiring import Hub, build
from hub.work.drain import drain
from hub.work.jobs import QUEUES
from tests.waitresses import on_waitress

PAYLOADS = Path(__file__).parents[1] / "connectors" / "payloads" / "woocommerce"
SECRET = "whsec_of-these-tests"
BUYER = {
    "rfc": "CACX7605101P8",
    "nombre": "XOCHILT CASAS CHAVEZ",
    "cp": "36257",
    "regimen": "612",
    "uso": "G03",
}
RULES = """
[forma_pago]
default = "04"
[producto.default]
clave_prod_serv = "01010101"
clave_unidad = "H87"
"""


@dataclass(frozen=True, slots=True)
class Sandbox:
    url: str
    authority: Authority


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A provider that stamps, on a socket of this machine."""
    folder = tmp_path_factory.mktemp("sandbox")
    clock = SystemClock()
    authority = Authority.create(folder / "ca", now=clock.now())
    app = application(folder / "state.db", authority, now=clock.now)
    with on_waitress(app) as url:
        yield Sandbox(url, authority)


@dataclass
class Site:
    """One installation in a folder of its own."""

    var_dir: Path
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.environ = {"VAR_DIR": str(self.var_dir), **self.environ}
        self.settings: Settings = load(self.environ)
        self.hub: Hub = build(self.settings)
        self.hub.ctx.store.migrate()
        self.hub.ctx.store.check_keys()
        self.app = create_app(self.hub, self.settings)
        self.client = self.app.test_client(use_cookies=True)

    def cli(self, *arguments: str, **more: Any) -> Result:
        env = dict.fromkeys(("PORT", "DATABASE_URL", "REDIS_URL")) | self.environ
        return CliRunner(env=env).invoke(main, list(arguments), **more)

    def told(self, *arguments: str) -> Any:
        """What a command that works answers in JSON."""
        result = self.cli(*arguments, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def file(self, name: str, content: bytes | str) -> str:
        path = self.var_dir / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def merchant(self, rfc: str = "EKU9003173C9", nombre: str = "ESCUELA KEMPER URGATE") -> str:
        data = ("--rfc", rfc, "--nombre", nombre, "--regimen", "601", "--cp", "42501")
        made = str(self.told("merchant", "create", *data)["id"])
        self.told("rules", "set", "--merchant", made, "--file", self.file("rules.toml", RULES))
        return made

    def connection(self, merchant_id: str, shop: str = "shop", secret: str = SECRET) -> str:
        url = f"https://{shop}.example.com"
        more = ("--url", url, "--webhook-secret", secret)
        of = ("--merchant", merchant_id, "--platform", "woocommerce")
        return str(self.told("connection", "create", *of, *more)["id"])

    def sell(self, merchant_id: str, number: str, **more: Any) -> dict[str, Any]:
        paid_at = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
        line = {"description": f"Taza {number}", "quantity": 2, "total": "232.00", "rate": 0.16}
        sale = {"number": number, "paid_at": paid_at, "forma_pago": "03", "lines": [line]} | more
        file = self.file("sale.json", json.dumps(sale))
        made: dict[str, Any] = self.told(
            "sale", "create", "--merchant", merchant_id, "--file", file
        )
        return made

    def work(self) -> int:
        """Do what is due, once: how many promises."""
        ctx = self.hub.ctx
        return drain(ctx.store, self.hub.jobs, QUEUES, "w", ctx.clock, seconds=60).done

    def post_form(self, path: str, data: Mapping[str, str]) -> Any:
        page = self.client.get(path.removesuffix("/correo").removesuffix("/solicitud"))
        found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        signed = {"csrf_token": found[1] if found else ""}
        return self.client.post(path, data={**signed, **data})

    def stamps_with(self, sandbox: Sandbox, merchant_id: str, rfc: str, nombre: str) -> None:
        """Give the merchant a certificate of that sandbox, and an account there."""
        now = self.hub.ctx.clock.now()
        issued = sandbox.authority.issue_csd(rfc, nombre, now=now)
        self.told("pac", "set", "--merchant", merchant_id, "--provider", "sandbox", "--env", "test",
                  "--url", sandbox.url)  # fmt: skip
        with self.hub.ctx.store.transaction() as tx:
            pair = check_csd(issued.cer_der, issued.key_der, issued.password, rfc=rfc, now=now)
            tx.tenant(merchant_id).csd.add(
                no_certificado=pair.certificate.no_certificado,
                certificate_der=pair.certificate.der,
                key_der=pair.key_der(),
                not_before=pair.certificate.not_before,
                not_after=pair.certificate.not_after,
                authority="sandbox",
            )

    def close(self) -> None:
        self.hub.close()


def signed(body: bytes, secret: str = SECRET, topic: str = "order.updated") -> dict[str, str]:
    """The headers that WooCommerce sends with these bytes."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return {
        "Content-Type": "application/json",
        "X-WC-Webhook-Topic": topic,
        "X-WC-Webhook-Delivery-ID": hashlib.sha256(body).hexdigest()[:32],
        "X-WC-Webhook-Signature": base64.b64encode(digest).decode(),
    }


@pytest.fixture
def sign() -> Callable[..., dict[str, str]]:
    return signed


@pytest.fixture
def order() -> bytes:
    """A paid order as a real shop delivered it."""
    return (PAYLOADS / "007-02-paid-order.updated.body").read_bytes()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path / "var")
    yield made
    made.close()


#: Open installations, oldest first: each holds some ten files.
_MADE: list[Site] = []


@pytest.fixture(scope="session")
def make_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Site]]:
    """Installations that differ by their environment."""

    def make(**environ: str) -> Site:
        _MADE.append(Site(tmp_path_factory.mktemp("site") / "var", environ))
        return _MADE[-1]

    yield make
    _close_from(0)


@pytest.fixture(autouse=True)
def _sites_of_one_test() -> Iterator[None]:
    """What a test made for itself ends with it; fixtures of a wider scope came before this one."""
    before = len(_MADE)
    yield
    _close_from(before)


def _close_from(place: int) -> None:
    while len(_MADE) > place:
        _MADE.pop().close()


@pytest.fixture
def serve() -> Iterator[Callable[[Any], str]]:
    """Any application on a real waitress, as `web` runs it."""
    limits = {"max_request_body_size": 3 * 1024 * 1024, "clear_untrusted_proxy_headers": False}
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(on_waitress(app, **limits))


@pytest.fixture(scope="session")
def buyer() -> dict[str, str]:
    return dict(BUYER)


def authority(name: str) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """A certificate authority of this run."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
                key_encipherment=False, data_encipherment=False, key_agreement=False,
                encipher_only=False, decipher_only=False,
            ),
            critical=True,
        )
    )  # fmt: skip
    return built.sign(key, hashes.SHA256()), key


@dataclass(frozen=True)
class Tls:
    """A certificate for 127.0.0.1, and the file of who signed it."""

    ca_file: Path
    context: ssl.SSLContext


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    folder = tmp_path_factory.mktemp("tls")
    ca, ca_key = authority("authority of these tests")
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    issued = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")]))
        .issuer_name(ca.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
        )
        .sign(ca_key, hashes.SHA256())
    )
    (folder / "ca.crt").write_bytes(ca.public_bytes(Encoding.PEM))
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "server").write_bytes(issued.public_bytes(Encoding.PEM) + plain)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server")
    return Tls(folder / "ca.crt", context)


@dataclass
class Store:
    """What a WooCommerce store does of itself: keys, webhooks that it pings, orders, refunds."""

    url: str = ""
    keys: dict[str, tuple[str, str]] = field(default_factory=dict)  # key -> secret, permissions
    webhooks: dict[int, dict[str, Any]] = field(default_factory=dict)
    orders: dict[int, dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    pings: list[int] = field(default_factory=list)
    #: Status of every answer instead of the right one, e.g. 503.
    down: int = 0
    #: Seconds before each answer; 0 lets those go that are held.
    slow: float = 0.0
    redirect: str = ""
    made: int = 0

    def key(self, permissions: str = "read_write") -> tuple[str, str]:
        self.made += 1
        pair = (f"ck_{self.made:040x}", f"cs_{self.made:040x}")
        self.keys[pair[0]] = (pair[1], permissions)
        return pair

    def sell(self, number: int = 7001, **changes: Any) -> dict[str, Any]:
        order = json.loads((PAYLOADS / "007-02-paid-order.updated.body").read_bytes())
        now = datetime.now(UTC).replace(tzinfo=None, microsecond=0).isoformat()
        order |= {"id": number, "number": str(number), "date_paid_gmt": now,
                  "date_modified_gmt": now, "date_created_gmt": now,
                  "order_key": f"wc_order_{number}", "refunds": [], **changes}  # fmt: skip
        self.orders[number] = order
        return order

    def answer(self, handler: BaseHTTPRequestHandler) -> tuple[int, Any]:
        path, _, query = handler.path.partition("?")
        self.asked.append(f"{handler.command} {path}")
        size = int(handler.headers.get("content-length") or 0)
        body = handler.rfile.read(size)
        until = time.monotonic() + self.slow
        while self.slow and time.monotonic() < until:
            time.sleep(0.02)
        if self.down:
            return self.down, {"code": "down"}
        if not path.startswith("/wp-json/"):
            return 404, {"code": "rest_no_route"}
        if path.rstrip("/") == "/wp-json":
            return 200, {"name": "A store"}
        may = self._may(handler, query)
        if may is None:
            return 401, {"code": "woocommerce_rest_cannot_view"}
        if handler.command != "GET" and "write" not in may:
            return 401, {"code": "woocommerce_rest_authentication_error"}
        given = json.loads(body) if body else {}
        return self._rest(handler.command, path.removeprefix("/wp-json/wc/v3/"), given, query)

    def _may(self, handler: BaseHTTPRequestHandler, query: str) -> str | None:
        """Basic; over plain HTTP OAuth, of which only the key is looked at here."""
        header = handler.headers.get("authorization", "")
        if header.startswith("Basic "):
            key, _, secret = base64.b64decode(header[6:]).decode().partition(":")
            known = self.keys.get(key)
            return known[1] if known and known[0] == secret else None
        key = parse_qs(query).get("oauth_consumer_key", [""])[0]
        return self.keys[key][1] if key in self.keys else None

    def _rest(self, method: str, path: str, given: dict[str, Any], query: str) -> tuple[int, Any]:
        kind, _, rest = path.partition("/")
        if kind == "webhooks" and method == "GET":
            page = int(parse_qs(query).get("page", ["1"])[0])
            shown = [
                {k: v for k, v in one.items() if k != "secret"} for one in self.webhooks.values()
            ]
            return 200, shown if page == 1 else []
        if kind == "webhooks" and method == "POST":
            self.made += 1
            hook = {"id": self.made, "status": "active", **given}
            self.webhooks[self.made] = hook
            self._ping(hook)
            return 201, {k: v for k, v in hook.items() if k != "secret"}
        if kind == "webhooks" and method == "DELETE":
            if "force=true" not in query:
                return 501, {"code": "woocommerce_rest_trash_not_supported"}
            gone = self.webhooks.pop(int(rest), None)
            return (
                (200, gone) if gone else (404, {"code": "woocommerce_rest_shop_webhook_invalid_id"})
            )
        if kind == "orders" and not rest:
            return 200, list(self.orders.values())
        number, _, refunds = rest.partition("/")
        order = self.orders.get(int(number))
        if order is None:
            return 404, {"code": "woocommerce_rest_shop_order_invalid_id"}
        return 200, [] if refunds else order

    def _ping(self, hook: dict[str, Any]) -> None:
        """As WC_Webhook::deliver_ping: before the answer to whoever made the webhook."""
        with suppress(requests.RequestException):
            data = {"webhook_id": hook["id"]}
            answer = requests.post(hook["delivery_url"], data=data, timeout=60)
            self.pings.append(answer.status_code)


def serving(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[ThreadingHTTPServer]:
    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            with suppress(ConnectionError):
                answer(self)

        do_GET = do_POST = do_DELETE = _any  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def says(handler: BaseHTTPRequestHandler, status: int, body: Any, **headers: str) -> None:
    raw = json.dumps(body).encode()
    handler.send_response(status)
    for name, value in {"Content-Type": "application/json", **headers}.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(raw)))
    handler.end_headers()
    handler.wfile.write(raw)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy this machine is: what is tried is what the answers are, not when they come."""
    monkeypatch.setattr(links, "BUDGET_SECONDS", 60.0)


@pytest.fixture
def make_store() -> Iterator[Callable[[], Store]]:
    """Stores on sockets of this machine."""
    made: list[Store] = []
    with ExitStack() as stack:

        def make() -> Store:
            store = Store()
            made.append(store)

            def answer(handler: BaseHTTPRequestHandler) -> None:
                if store.redirect:
                    store.asked.append(f"{handler.command} {handler.path}")
                    says(handler, 301, {}, Location=store.redirect + handler.path)
                else:
                    says(handler, *store.answer(handler))

            server = stack.enter_context(contextmanager(serving)(answer))
            store.url = f"http://127.0.0.1:{server.server_port}"
            return store

        yield make
        for one in made:
            one.slow = 0.0


@pytest.fixture
def store(make_store: Callable[[], Store]) -> Store:
    return make_store()
