"""A real WooCommerce, the plug-in of this repository in it, and a running hub beside it."""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from cfdi.pac.sandbox.authority import Authority
from tests.ports import free_ports

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = ROOT / "connectors" / "woocommerce" / "plugin"
HERE = Path(__file__).resolve().parent
NATIVE, OURS = "woocommerce_deliver_webhook_async", "autofactura_hub_deliver"
#: One of SAT's fictitious taxpayers, whom the sandbox knows.
ISSUER = {"rfc": "EKU9003173C9", "nombre": "ESCUELA KEMPER URGATE", "regimen": "601", "cp": "42501"}
RULES = """\
[forma_pago]
default = "03"
bacs = "03"
[ventana]
dias = 366
"""
_MISSING = (
    "NOT TESTED: the real WooCommerce. Set WOO_DIR to the folder of a running shop that is thrown "
    "away afterwards (docs/woocommerce/testing.md)"
)


def wait_for(what: Callable[[], Any], seconds: float = 40.0, pause: float = 0.3) -> Any:
    """The first true answer of `what`; fails the test when there is none in time."""
    until = time.monotonic() + seconds
    while not (answer := what()):
        if time.monotonic() > until:
            pytest.fail(f"not within {seconds} s: {what}")
        time.sleep(pause)
    return answer


@dataclass
class RealShop:
    """The shop by its files and its own PHP; `url` is where browsers find it."""

    folder: Path
    url: str
    facts: dict[str, Any] = field(default_factory=dict)

    def do(self, command: str, **given: Any) -> Any:
        """One command of `shop.php`, with the plug-in as it is installed there."""
        done = subprocess.run(
            ["php", str(HERE / "shop.php"), str(self.folder), command, json.dumps(given)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, (command, done.stdout[-2000:], done.stderr[-2000:])
        return json.loads(done.stdout.strip().splitlines()[-1])

    def order(self) -> dict[str, Any]:
        return dict(self.do("order", product=self.facts["product"]))

    def orders(self, count: int) -> list[dict[str, Any]]:
        return list(self.do("orders", product=self.facts["product"], count=count))

    def told(self, order_id: int) -> dict[str, Any]:
        return dict(self.do("told", order=order_id))

    def run_queue(self, *hooks: str) -> int:
        return int(self.do("queue", hooks=hooks or (NATIVE, OURS))["run"])

    def install(self) -> None:
        target = self.folder / "site" / "wp-content" / "plugins" / "autofactura-hub"
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(PLUGIN, target, ignore=shutil.ignore_patterns("tests"))
        assert self.do("activate") == {"error": ""}

    def uninstall(self) -> dict[str, list[str]]:
        left = dict(self.do("remove"))
        plugins = self.folder / "site" / "wp-content" / "plugins"
        shutil.rmtree(plugins / "autofactura-hub", ignore_errors=True)
        return left

    def php_errors(self) -> str:
        """What PHP complained of in our files, since the shop was laid out."""
        log = self.folder / "log" / "php-debug.log"
        lines = log.read_text("utf-8", "replace").splitlines() if log.exists() else []
        return "\n".join(one for one in lines if "plugins/autofactura-hub" in one)


@dataclass
class Hub:
    """`autofactura up` in a folder of its own; it can be stopped and started again."""

    var_dir: Path
    port: int
    more: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    merchant_id: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def env(self) -> dict[str, str]:
        ours = {"PATH", "HOME", "LANG", "TMPDIR"}
        kept = {name: value for name, value in os.environ.items() if name in ours}
        own = {"VAR_DIR": str(self.var_dir), "PORT": str(self.port), "ALLOW_PRIVATE_HOSTS": "1"}
        return kept | own | self.more

    def start(self) -> None:
        with (self.var_dir / "up.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hub.cli", "up", "--workers", "1"],
                env=self.env,
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_for(self._ready, 90)

    def _ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.var_dir / "up.log").read_text()[-4000:]
        try:
            return requests.get(f"{self.url}/ready", timeout=2).status_code == 200
        except requests.RequestException:
            return False

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            assert self.process.wait(40) == 0
            self.process = None

    def a_day_passes(self) -> None:
        """As the hub sees it: while it is stopped, what it looked at last is a day ago."""
        with sqlite3.connect(self.var_dir / "hub.sqlite3") as rows:
            rows.execute("UPDATE bond SET checked_at = checked_at - 86400000000")
        rows.close()

    def cli(self, *words: str, stdin: str = "") -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "hub.cli", *words, "--json"],
            env=self.env,
            cwd=ROOT,
            input=stdin.encode(),
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return json.loads(done.stdout)

    def merchant(self) -> None:
        given = [f"--{name}={value}" for name, value in ISSUER.items()]
        self.merchant_id = self.cli("merchant", "create", *given)["id"]
        now = datetime.now(UTC)
        made = Authority.open(self.var_dir / "sandbox", now=now).issue_csd(
            ISSUER["rfc"], ISSUER["nombre"], now=now
        )
        cer, key = self.var_dir / "csd.cer", self.var_dir / "csd.key"
        cer.write_bytes(made.cer_der)
        key.write_bytes(made.key_der)
        files = ("--cer", str(cer), "--key", str(key), "--password", made.password)
        self.cli("csd", "add", "--merchant", self.merchant_id, *files)
        self.cli("rules", "set", "--merchant", self.merchant_id, "--file", "-", stdin=RULES)

    def code(self) -> str:
        return str(self.cli("connection", "pair", "--merchant", self.merchant_id)["code"])

    def connections(self) -> list[dict[str, Any]]:
        return list(self.cli("connection", "list", "--merchant", self.merchant_id)["data"])

    def connection(self) -> dict[str, Any]:
        """The newest, in full."""
        words = ("connection", "show", "--merchant", self.merchant_id)
        return dict(self.cli(*words, self.connections()[-1]["id"]))

    def sales(self) -> dict[str, dict[str, Any]]:
        """By number; no number twice."""
        rows = self.cli("sale", "list", "--merchant", self.merchant_id, "--limit", "500")["data"]
        found = {row["number"]: row for row in rows}
        assert len(found) == len(rows)
        return found

    def sale(self, order_id: int) -> dict[str, Any] | None:
        return self.sales().get(str(order_id))

    def digested(self) -> bool:
        """Whether no delivery is left to look at."""
        words = ("inbox", "list", "--merchant", self.merchant_id, "--state", "filed")
        return not self.cli(*words)["data"]

    def stamps(self, total: str) -> list[dict[str, str]]:
        """What the provider stamped for this amount, whatever the hub thinks."""
        url = f"http://127.0.0.1:{self.port + 1}/sandbox/stamps"
        rows = requests.get(url, timeout=20).json()
        return [row for row in rows if Decimal(row["total"]) == Decimal(total)]


@pytest.fixture(scope="session")
def shop() -> Iterator[RealShop]:
    """The shop of WOO_DIR with the plug-in of this repository, not connected."""
    given = os.environ.get("WOO_DIR", "")
    folder = Path(given)
    if not given or not (folder / "env").is_file() or shutil.which("php") is None:
        pytest.skip(_MISSING)
    lines = (folder / "env").read_text("utf-8").splitlines()
    url = dict(line.split("=", 1) for line in lines if "=" in line)["WOO_URL"]
    if requests.get(f"{url}/wp-json/", timeout=30).status_code != 200:
        pytest.skip(f"{_MISSING}: it does not run")
    trial = folder / "site" / "wp-content" / "mu-plugins" / "autofactura-trial.php"
    shutil.copyfile(HERE / "trial.php", trial)
    made = RealShop(folder, url)
    try:
        made.uninstall()
        made.facts = made.do("prepare")
        made.install()
        yield made
        made.uninstall()
    finally:
        trial.unlink()


@pytest.fixture(scope="module")
def make_hub(
    shop: RealShop, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Hub]]:
    """A hub with a merchant who can issue, with these settings."""
    made = []

    def make(**settings: str) -> Hub:
        one = Hub(tmp_path_factory.mktemp("var"), free_ports(3), settings)
        made.append(one)
        one.start()
        one.merchant()
        return one

    yield make
    for one in made:
        one.stop()


@pytest.fixture(scope="module")
def hub(make_hub: Callable[..., Hub]) -> Hub:
    return make_hub()


def sign_in(page: Any, shop: RealShop, name: str) -> Any:
    page.set_default_timeout(40_000)
    page.goto(f"{shop.url}/wp-login.php")
    page.fill("#user_login", name)
    page.fill("#user_pass", name)
    page.click("#wp-submit")
    page.wait_for_load_state()
    return page


@pytest.fixture(scope="module")
def admin(chromium: Any, shop: RealShop) -> Iterator[Any]:
    """The administrator's browser, in front of our page."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = sign_in(context.new_page(), shop, "admin")
    page.goto(f"{shop.url}/wp-admin/admin.php?page=autofactura-hub")
    yield page
    context.close()


@pytest.fixture
def customer(chromium: Any, shop: RealShop) -> Iterator[Any]:
    """The customer's browser, signed in."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield sign_in(context.new_page(), shop, "buyer")
    context.close()


@pytest.fixture
def phone(chromium: Any) -> Iterator[Any]:
    """A guest's telephone."""
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, locale="es-MX", is_mobile=True
    )
    page = context.new_page()
    page.set_default_timeout(40_000)
    yield page
    context.close()


@pytest.fixture
def desktop(chromium: Any) -> Iterator[Any]:
    """A guest's computer."""
    context = chromium.new_context(viewport={"width": 1280, "height": 1000}, locale="es-MX")
    page = context.new_page()
    page.set_default_timeout(40_000)
    yield page
    context.close()


def connect(admin: Any, shop: RealShop, hub_url: str, code: str) -> str:
    """Type hub and code on the settings page; what the page then says."""
    admin.goto(f"{shop.url}/wp-admin/admin.php?page=autofactura-hub")
    admin.fill("#autofactura-hub-address", hub_url)
    admin.fill("#autofactura-hub-code", code)
    admin.click("form:has(#autofactura-hub-code) input[type=submit]")
    return str(admin.locator(".notice[role]").inner_text())


@pytest.fixture(scope="session")
def pair() -> Callable[..., str]:
    return connect


@pytest.fixture(scope="session")
def picture() -> Callable[..., None]:
    """Saves what is seen in the folder PICTURES, if one is given: for docs/woocommerce."""
    folder = os.environ.get("PICTURES", "")

    def save(seen: Any, name: str, *, whole: bool = False) -> None:
        if folder:
            raw = seen.screenshot(**({"full_page": True} if whole else {}))
            image = Image.open(io.BytesIO(raw)).convert("RGB").quantize(64)
            image.save(Path(folder) / f"{name}.png", optimize=True)

    return save


@pytest.fixture(scope="session")
def eventually() -> Callable[..., Any]:
    return wait_for


@pytest.fixture(scope="module")
def paired(admin: Any, shop: RealShop, hub: Hub) -> Iterator[Hub]:
    """The shop connected to the hub, which has tried its keys."""
    assert "ESCUELA KEMPER" in connect(admin, shop, hub.url, hub.code())
    wait_for(lambda: hub.connection()["state"] == "connected")
    yield hub
    shop.uninstall()
    shop.install()
