"""Commands in this process, each on a hub of its own folder."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cfdi.pac.sandbox.authority import Authority
from hub.cli import main
from hub.settings import load
from hub.store.database import Tenant
from hub.wiring import Hub, build
from tests.ports import free_ports

ROOT = Path(__file__).resolve().parents[2]
EKU = (
    "--rfc",
    "EKU9003173C9",
    "--nombre",
    "ESCUELA KEMPER URGATE",
    "--regimen",
    "601",
    "--cp",
    "42501",
)


class Home:
    """An installation, seen from its terminal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.var_dir = folder / "var"
        # The usual ports may be another hub's: its sandbox would answer for ours.
        self.port = free_ports(3)
        self.environ: dict[str, str | None] = {
            "VAR_DIR": str(self.var_dir),
            "PORT": str(self.port),
            **dict.fromkeys(("DATABASE_URL", "REDIS_URL", "PUBLIC_URL", "SMTP_URL")),
        }

    def run(self, *arguments: str, **more: Any) -> Result:
        env = self.environ | more.pop("env", {})
        return CliRunner(env=env).invoke(main, list(arguments), **more)

    def told(self, *arguments: str, **more: Any) -> Any:
        """The JSON of a command that works."""
        result = self.run(*arguments, "--json", **more)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def refused(self, *arguments: str, status: int = 1, **more: Any) -> dict[str, Any]:
        """The error of a command that does not; the same in words, and no traceback."""
        words = self.run(*arguments, **more)
        assert words.exit_code == status, (words.output, words.exception)
        assert words.stderr.startswith("Error: ")
        assert "Traceback" not in words.output
        result = self.run(*arguments, "--json", **more)
        assert result.exit_code == status, result.output
        assert set(json.loads(result.stdout)) == {"error"}
        error: dict[str, Any] = json.loads(result.stdout)["error"]
        assert set(error) <= {"code", "message", "details"}
        assert "should not happen" not in error["message"]
        return error

    def process(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """The command as a process of its own."""
        env = {name: value for name, value in self.environ.items() if value} | environ
        command = [sys.executable, "-m", "hub.cli", *arguments]
        path = {"PATH": os.environ["PATH"]}
        return subprocess.run(
            command,
            env=env | path,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def file(self, name: str, content: bytes | str) -> str:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def merchant(self) -> str:
        return str(self.told("merchant", "create", *EKU)["id"])

    def sale(self, merchant_id: str, number: str = "A-1", **more: Any) -> dict[str, Any]:
        file = self.file("sale.json", sale_json(number, **more))
        made: dict[str, Any] = self.told(
            "sale", "create", "--merchant", merchant_id, "--file", file
        )
        return made

    @contextmanager
    def hub(self) -> Iterator[Hub]:
        opened = build(load({"VAR_DIR": str(self.var_dir), "PORT": str(self.port)}))
        yield opened
        opened.close()

    @contextmanager
    def tenant(self, merchant_id: str) -> Iterator[Tenant]:
        with self.hub() as hub, hub.ctx.store.transaction() as tx:
            yield tx.tenant(merchant_id)


def sale_json(number: str = "A-1", **more: Any) -> str:
    paid_at = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    line = {"description": "Taza", "quantity": 2, "total": "232.00", "rate": 0.16}
    return json.dumps(
        {"number": number, "paid_at": paid_at, "forma_pago": "03", "lines": [line]} | more
    )


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """Logging is put back: each command sends it to the stream of its own run."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield Home(tmp_path)
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def other_home(tmp_path: Path) -> Home:
    (tmp_path / "other").mkdir()
    return Home(tmp_path / "other")


@pytest.fixture
def make_sale_json() -> Callable[..., str]:
    return sale_json


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("ca") / "sandbox", now=datetime.now(UTC))
