"""A whole hub in this process: its application, its commands, its jobs, a sandbox PAC beside it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from waitress.server import create_server

from cfdi.csd import check_csd
from cfdi.pac.sandbox.app import application
from cfdi.pac.sandbox.authority import Authority
from hub.app import create_app
from hub.cli import main
from hub.clock import SystemClock
from hub.settings import Settings, load
from hub.wiring import Hub, build
from hub.work.drain import drain
from hub.work.jobs import QUEUES

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
    server = create_server(app, map={}, host="127.0.0.1", port=0, threads=4)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield Sandbox(f"http://127.0.0.1:{server.effective_port}", authority)
    with suppress(OSError):
        server.close()


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


@pytest.fixture(scope="session")
def make_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Site]]:
    """Installations that differ by their environment."""
    made: list[Site] = []

    def make(**environ: str) -> Site:
        made.append(Site(tmp_path_factory.mktemp("site") / "var", environ))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def serve() -> Iterator[Callable[[Any], str]]:
    """Any application on a real waitress, as `web` runs it."""
    servers: list[Any] = []

    def start(app: Any) -> str:
        server = create_server(
            app,
            map={},
            host="127.0.0.1",
            port=0,
            threads=4,
            max_request_body_size=3 * 1024 * 1024,
            clear_untrusted_proxy_headers=False,
        )
        servers.append(server)
        threading.Thread(target=server.run, daemon=True).start()
        return f"http://127.0.0.1:{server.effective_port}"

    yield start
    for server in servers:
        with suppress(OSError):
            server.close()


@pytest.fixture(scope="session")
def buyer() -> dict[str, str]:
    return dict(BUYER)
