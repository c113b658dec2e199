"""A real SMTP server on loopback that can be told what to answer, and letters to send to it."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hub.clock import Clock
from hub.domain.purchase import Estado, FiscalForm, Purchase
from hub.steps.context import Attachment, Letter
from hub.work.post import SmtpPost
from tests.ports import free_ports

USER, PASSWORD = "buzon@example.com", "s3cr3to: /@?#"


@dataclass
class Server:
    """What it answers, and what it got."""

    rcpt: str = ""
    data: str = "250 OK"
    mail: str = ""
    delay: float = 0.0
    drop_at: str = ""  # "mail", "rcpt" or "data"
    port: int = 0
    sessions: int = 0
    envelopes: list[Envelope] = field(default_factory=list)
    over_tls: list[bool] = field(default_factory=list)

    @property
    def messages(self) -> list[EmailMessage]:
        return [
            message_from_bytes(envelope.original_content or b"", policy=policy.default)
            for envelope in self.envelopes
        ]

    def url(self, options: str = "", credentials: str = "") -> str:
        return f"smtp://{credentials}127.0.0.1:{self.port}{options}"

    async def handle_EHLO(  # noqa: N802  # aiosmtpd's name
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        self.sessions += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self._drop(server, "mail")
        if self.mail:
            return self.mail
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self._drop(server, "rcpt")
        if self.rcpt:
            return self.rcpt
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self._drop(server, "data")
        await asyncio.sleep(self.delay)
        if self.data.startswith("2"):
            self.envelopes.append(envelope)
            self.over_tls.append(session.ssl is not None)
        return self.data

    def _drop(self, server: SMTP, stage: str) -> None:
        if self.drop_at == stage and server.transport is not None:
            server.transport.abort()


@dataclass(frozen=True)
class Certificate:
    pem: Path

    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.pem)
        return context

    def trusted(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.pem))


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Self-signed, for 127.0.0.1, made for this run."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path_factory.mktemp("tls") / "server.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return Certificate(pem)


def _authenticate(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
) -> AuthResult:
    good = data.login == USER.encode() and data.password == PASSWORD.encode()
    return AuthResult(success=good, handled=False)


@contextmanager
def running(**options: object) -> Iterator[Server]:
    handler = Server(port=free_ports())
    controller = Controller(
        handler,
        hostname="127.0.0.1",
        port=handler.port,
        ready_timeout=300,
        server_hostname="mail.example",  # or the name of this machine is looked up
        **({"enable_SMTPUTF8": True} | options),
    )
    controller.start()
    try:
        yield handler
    finally:
        controller.stop()


@pytest.fixture
def smtp() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture
def smtp_with_login() -> Iterator[Server]:
    with running(authenticator=_authenticate, auth_required=True, auth_require_tls=False) as server:
        yield server


@pytest.fixture
def smtp_with_starttls(certificate: Certificate) -> Iterator[Server]:
    with running(tls_context=certificate.server(), require_starttls=True) as server:
        yield server


@pytest.fixture
def smtp_without_utf8() -> Iterator[Server]:
    with running(enable_SMTPUTF8=False) as server:
        yield server


@pytest.fixture
def post(clock: Clock) -> Iterator[Callable[..., SmtpPost]]:
    made: list[SmtpPost] = []

    def make(url: str, **options: object) -> SmtpPost:
        """It waits for an answer as long as a busy machine takes."""
        given: dict[str, object] = {"timeout": 300.0} | options
        made.append(SmtpPost(url, "Facturas <facturas@hub.example.com>", clock, **given))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def letter() -> Callable[..., Letter]:
    def make(**changes: object) -> Letter:
        values: dict[str, object] = {
            "to": "compras@example.com",
            "subject": "Factura de tu compra #1042",
            "text": "Hola: aquí está tu factura.\n",
            "html": "<p>Hola: aquí está tu factura.</p>",
            "message_id": "<inv-1.letter@facturas.example>",
            "reply_to": "tienda@example.com",
            "sender_name": "Tienda Ñandú",
            "attachments": (Attachment("A-1042.xml", "application/xml", b"<?xml?>\n<a/>"),),
        }
        return Letter(**(values | changes))  # type: ignore[arg-type]

    return make


@pytest.fixture
def purchase() -> Callable[..., Purchase]:
    zone = ZoneInfo("America/Mexico_City")

    def make(**changes: object) -> Purchase:
        values: dict[str, object] = {
            "estado": Estado.ABIERTA,
            "merchant_id": "m1",
            "merchant_name": "ESCUELA KEMPER URGATE",
            "issuer_name": "ESCUELA KEMPER URGATE",
            "merchant_rfc": "EKU9003173C9",
            "number": "#1042",
            "code": "ABCD2345",
            "placed_at": dt.datetime(2026, 11, 20, 12, 0, tzinfo=zone),
            "currency": "MXN",
            "lines": (),
            "subtotal": Decimal("1064.22"),
            "taxes": (("IVA 16%", Decimal("170.28")),),
            "refunded": Decimal(0),
            "total": Decimal("1234.50"),
            "deadline_at": dt.datetime(2026, 11, 30, 23, 59, 59, tzinfo=zone),
            "usos": (),
            "form": FiscalForm(),
            "errors": (),
            "uuid": None,
            "issued_at": None,
            "masked_email": "",
            "sandbox": False,
            "reason": "",
            "asked_at": None,
        }
        return Purchase(**(values | changes))  # type: ignore[arg-type]

    return make
