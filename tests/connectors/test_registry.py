"""Connectors of other packages: they appear, they are tested, a broken one harms nobody."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from connectors.registry import connectors
from connectors.signing import hmac_sha256_base64

CONTRACT = Path(__file__).parent / "test_contract.py"
CONNECTOR = """
import hashlib, hmac
from datetime import UTC, datetime
from decimal import Decimal
from connectors.contract import DeliveryUnreadable, Notice, PlatformUnreachable, SignatureInvalid
from connectors.reader import read_json
from connectors.signing import signed_with_any
from hub.domain.sale import PaymentState, Sale, SaleLine

class Tianguis:
    platform = "tianguis"
    credential_names = {"secret": False}
    def is_greeting(self, delivery): return False
    def authenticate(self, delivery, credentials):
        given = delivery.headers.get("x-tianguis", "")
        if not signed_with_any(delivery.body, given, credentials.current().values()):
            raise SignatureInvalid("not signed")
    def read(self, delivery):
        order = read_json(delivery.body)
        key = hashlib.sha256(delivery.body).hexdigest()
        return Notice("sold", key, order.text("id"), snapshot=delivery.body)
    def can_fetch(self, credentials): return False
    def fetch(self, order_id, connection, credentials): raise PlatformUnreachable("no API")
    def changed_since(self, instant, connection, credentials): raise PlatformUnreachable("no API")
    def normalize(self, order, connection):
        order = read_json(order)
        at = order.instant_gmt("at")
        total = order.decimal("total")
        if at is None:
            raise DeliveryUnreadable("at is missing")
        line = SaleLine("1", order.text("what"), Decimal(1), total, Decimal(0))
        key = order.text("id")
        return Sale(key, key, 1, at, at, PaymentState.PAID, "MXN", total, (line,))
"""
BODY = b'{"id": "7", "at": "2026-11-20T18:00:00", "total": "120.00", "what": "Mole"}'


def install(place: Path, name: str, target: str) -> None:
    """A package as pip leaves it: a module beside its dist-info."""
    info = place / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[autofactura.connectors]\n{target}\n")


@pytest.fixture
def tianguis(tmp_path: Path) -> Path:
    install(tmp_path, "tianguis_connector", "tianguis = tianguis_connector:Tianguis")
    (tmp_path / "tianguis_connector.py").write_text(CONNECTOR)
    return tmp_path


def test_one_of_another_package_appears(tianguis: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = connectors()
    monkeypatch.syspath_prepend(tianguis)
    found = connectors()
    assert set(found) == {*before, "tianguis"}
    assert found["tianguis"].platform == "tianguis"


def run_contract(place: Path) -> subprocess.CompletedProcess[str]:
    root = CONTRACT.parent.parent.parent
    paths = os.pathsep.join([str(place), str(root)])
    environment = {
        **os.environ,
        "PYTHONPATH": paths,
        "AUTOFACTURA_PAYLOADS": str(place / "payloads"),
    }
    command = [
        sys.executable,
        "-m",
        "pytest",
        str(CONTRACT),
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:cov",
    ]
    return subprocess.run(
        [*command, "-k", "tianguis"],
        cwd=root, env=environment, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip


def record(place: Path, signature: str) -> None:
    folder = place / "payloads" / "tianguis"
    (folder / "orders").mkdir(parents=True)
    (folder / "001.body").write_bytes(BODY)
    (folder / "001.headers.json").write_text(json.dumps({"headers": [["X-Tianguis", signature]]}))
    (folder / "credentials.json").write_text('{"secret": "s"}')
    (folder / "orders" / "7.json").write_bytes(BODY)


def test_it_is_held_to_the_contract_without_asking_for_it(tianguis: Path) -> None:
    without_payloads = run_contract(tianguis)
    assert without_payloads.returncode == 1
    assert "no recorded payloads for tianguis" in without_payloads.stdout
    record(tianguis, hmac_sha256_base64(BODY, "s"))
    whole = run_contract(tianguis)
    assert whole.returncode == 0, whole.stdout


@pytest.mark.parametrize(
    ("target", "module", "told"),
    [
        ("roto = no_such_module:X", "", "roto"),
        ("roto = roto_connector:X", "raise RuntimeError('sk_live_secret')", "RuntimeError"),
        ("roto = roto_connector:X", "X = 3", "TypeError"),
        ("roto = roto_connector:X", "class X: pass", "AttributeError"),
        ("roto = roto_connector:X", "class X: platform = 'otro'", "otro"),
        ("woocommerce = roto_connector:X", "class X: platform = 'woocommerce'", "twice"),
    ],
)
def test_a_broken_one_is_named_and_left_out(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    target: str,
    module: str,
    told: str,
) -> None:
    before = set(connectors())
    install(tmp_path, "roto", target)
    (tmp_path / "roto_connector.py").write_text(module)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "roto_connector", raising=False)
    with caplog.at_level(logging.ERROR):
        assert set(connectors()) == before
    monkeypatch.delitem(sys.modules, "roto_connector", raising=False)
    assert told in caplog.text
    assert target.split(" ", maxsplit=1)[0] in caplog.text
    assert "sk_live" not in caplog.text
