"""migrate, doctor, backup, restore, keys, up: what keeps an installation well."""

from __future__ import annotations

import json
import shutil
import socket
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from hub.commands import examination
from hub.store.keys import Keyring
from tests.ports import free_ports
from tests.waitresses import on_waitress


def test_migrate_says_what_it_did(home: Any) -> None:
    assert home.told("migrate")["applied"][0] == "0001_initial"
    assert home.told("migrate") == {"applied": []}


def schema_version(home: Any) -> int:
    with sqlite3.connect(home.var_dir / "hub.sqlite3") as database:
        (version,) = database.execute("PRAGMA schema_version").fetchone()
    return int(version)


def test_every_command_migrates_what_is_pending_and_touches_nothing_else(home: Any) -> None:
    """Putting guards in place anew would lock every table under a hub that is at work."""
    home.told("merchant", "list")
    before = schema_version(home)
    home.told("merchant", "list")
    assert schema_version(home) == before
    home.told("migrate")
    assert schema_version(home) > before


def checks(home: Any) -> dict[str, dict[str, Any]]:
    result = home.run("doctor", "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == (0 if told["ok"] else 1)
    return {one["name"].partition(" of ")[0]: one for one in told["checks"]}


def test_doctor_of_a_hub_that_is_well_and_then_is_not(home: Any) -> None:
    home.told("migrate")
    assert not checks(home)["workers"]["ok"]
    with home.hub() as hub, hub.ctx.store.transaction() as tx:
        tx.leases.hold("sweeper", "w", 86400)
    assert all(one["ok"] for one in checks(home).values())
    assert home.run("doctor").exit_code == 0
    with sqlite3.connect(home.var_dir / "hub.sqlite3") as database:
        (name,) = database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchone()
        database.execute(f"DROP TRIGGER {name}")
    assert name in checks(home)["invariants"]["detail"]
    home.told("migrate")
    assert checks(home)["invariants"]["ok"]


def test_doctor_sees_promises_that_nobody_keeps(home: Any) -> None:
    merchant_id = home.merchant()
    late = datetime.now(UTC) - timedelta(minutes=11)
    with home.tenant(merchant_id) as tenant:
        tenant.promise("sweep", "x", queue="ingest", due_at=late)
    found = checks(home)
    assert not found["queues"]["ok"]
    assert "ingest 1" in found["queues"]["detail"]
    assert not found["csd"]["ok"]
    assert not found["pac"]["ok"]


def test_doctor_sees_an_invoice_that_does_not_move(home: Any) -> None:
    merchant_id = home.merchant()
    sale = home.sale(merchant_id)
    buyer = ("--rfc", "CACX7605101P8", "--nombre", "XOCHILT CASAS CHAVEZ", "--cp", "36257",
             "--regimen", "612", "--uso", "G03")  # fmt: skip
    made = home.told("invoice", "create", "--merchant", merchant_id, "--sale", sale["id"], *buyer)
    assert checks(home)["invoices"]["ok"]
    with home.hub() as hub, hub.ctx.store.reading() as tx:
        now = datetime.now(UTC) + timedelta(minutes=61)
        stuck = examination._stuck(tx.tenant(merchant_id), now)
    assert stuck == [f"{made['id']} (requested)"]


def test_doctor_and_show_see_a_connector_that_is_gone(home: Any, monkeypatch: Any) -> None:
    of = ("--merchant", home.merchant())
    made = home.told(
        "connection", "create", *of, "--platform", "woocommerce", "--url", "https://shop.example",
        "--webhook-secret", "s",
    )  # fmt: skip
    shown = ("connection", "show", *of, made["id"])
    assert home.told(*shown)["problem"] == ""
    monkeypatch.setattr("hub.wiring.connectors", dict)
    assert "no connector for 'woocommerce'" in home.told(*shown)["problem"]
    check = checks(home)[f"connection {made['id']}"]
    assert not check["ok"]
    assert "install it" in check["detail"]


@pytest.fixture
def provider() -> Iterator[dict[str, Any]]:
    """Answers anything with a clock of its own."""
    state: dict[str, Any] = {"ahead": timedelta(0)}

    def app(_environ: Any, start_response: Any) -> list[bytes]:
        date = format_datetime(datetime.now(UTC) + state["ahead"], usegmt=True)
        start_response("404 Not Found", [("Date", date), ("Content-Length", "0")])
        return []

    with on_waitress(app) as url:
        state["url"] = url
        yield state


@pytest.mark.parametrize(("seconds", "ok"), [(0, True), (50, True), (-70, False), (3600, False)])
def test_doctor_compares_clocks(
    home: Any, provider: dict[str, Any], seconds: int, ok: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examination, "DATE_SECONDS", 300.0)
    merchant_id = home.merchant()
    provider["ahead"] = timedelta(seconds=seconds)
    home.told("pac", "set", "--merchant", merchant_id, "--provider", "sandbox", "--env", "test",
              "--url", provider["url"])  # fmt: skip
    assert checks(home)["clock against the pac"]["ok"] is ok


@pytest.fixture
def copied(home: Any, other_home: Any) -> str:
    """A copy of a hub with a merchant and a sale, and another folder with the same keys."""
    home.sale(home.merchant())
    target = str(home.folder / "copy.sqlite3")
    told = home.told("backup", "--to", target)
    assert (told["file"], told["bytes"]) == (target, Path(target).stat().st_size)
    other_home.var_dir.mkdir()
    shutil.copy(home.var_dir / "keys.json", other_home.var_dir)
    return target


def test_a_copy_comes_back_whole(home: Any, other_home: Any, copied: str) -> None:
    assert Path(copied).stat().st_mode & 0o777 == 0o600
    keys = json.loads((home.var_dir / "keys.json").read_text())
    assert keys["SECRET_KEY"].encode() not in Path(copied).read_bytes()
    other_home.told("restore", "--from", copied)
    (merchant,) = other_home.told("merchant", "list")["data"]
    (sale,) = other_home.told("sale", "list", "--merchant", merchant["id"])["data"]
    assert sale["number"] == "A-1"
    left = {path.name for path in other_home.var_dir.iterdir()}
    assert not [name for name in left if "restoring" in name or "draft" in name]
    assert (other_home.var_dir / "hub.sqlite3").stat().st_mode & 0o777 == 0o600
    error = other_home.refused("restore", "--from", copied)
    assert error["code"] == "database_exists"


def test_a_copy_never_overwrites(home: Any, copied: str) -> None:
    before = Path(copied).read_bytes()
    assert home.refused("backup", "--to", copied)["code"] == "file_exists"
    assert Path(copied).read_bytes() == before
    error = home.refused("backup", "--to", "/nowhere/at/all", status=2)
    assert error["code"] == "no_such_folder"


def test_other_keys_restore_nothing(other_home: Any, copied: str) -> None:
    (other_home.var_dir / "keys.json").unlink()
    error = other_home.refused("restore", "--from", copied)
    assert error["code"] in {"wrong_keys", "decryption_failed"}
    other = {"AUTOFACTURA_KEYS": Keyring.generate("k9").dump(), "SECRET_KEY": "s" * 40}
    assert other_home.refused("restore", "--from", copied, env=other)["code"] == "wrong_keys"
    assert not list(other_home.var_dir.glob("*.sqlite3*"))


def test_files_that_are_no_copy(home: Any, other_home: Any, copied: str) -> None:
    stranger = home.folder / "stranger.db"
    with sqlite3.connect(stranger) as database:
        database.execute("CREATE TABLE somebody (name TEXT)")
    whole = Path(copied).read_bytes()
    wrong = {
        "empty": b"",
        "text": b"CREATE TABLE x",
        "cut": whole[: len(whole) // 2],
        "zeroed": whole[:8192] + b"\x00" * 100_000 + whole[108_192:],
        "stranger": stranger.read_bytes(),
    }
    for name, content in wrong.items():
        error = other_home.refused("restore", "--from", home.file(f"{name}.db", content))
        whose = "copy_damaged" if name in {"cut", "zeroed"} else "not_a_copy"
        assert error["code"] == whose, (name, error)
        assert {path.name for path in other_home.var_dir.iterdir()} <= {"keys.json", "keys.lock"}
    other_home.told("restore", "--from", copied)


def test_a_copy_that_breaks_what_must_hold(home: Any, other_home: Any, copied: str) -> None:
    with sqlite3.connect(copied) as database:
        database.execute("PRAGMA foreign_keys = 0")
        names = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        for (name,) in database.execute(names).fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute("UPDATE link SET sale_id = 'nobody'")
    assert other_home.refused("restore", "--from", copied)["code"] == "copy_damaged"
    assert not (other_home.var_dir / "hub.sqlite3").exists()


def test_a_log_left_behind_is_not_read_into_a_copy(other_home: Any, copied: str) -> None:
    stale = other_home.var_dir / "hub.sqlite3-wal"
    stale.write_bytes(b"stale")
    assert "hub.sqlite3-wal" in other_home.refused("restore", "--from", copied)["message"]
    stale.unlink()
    Path(f"{copied}-wal").write_bytes(b"in use")
    assert "in use" in other_home.refused("restore", "--from", copied)["message"]


def test_keys_are_rotated_and_the_old_one_is_let_go(home: Any) -> None:
    merchant_id = home.merchant()
    sale = home.sale(merchant_id)
    stored = json.loads((home.var_dir / "keys.json").read_text())
    new = Keyring.generate("k2").dump()
    both = {"AUTOFACTURA_KEYS": f"{new},{stored['AUTOFACTURA_KEYS']}", "SECRET_KEY": "s" * 40}
    assert home.told("keys", "rotate", env=both) == {"rotated": 1}
    assert home.told("keys", "rotate", env=both) == {"rotated": 0}
    alone = both | {"AUTOFACTURA_KEYS": new}
    (listed,) = home.told("sale", "list", "--merchant", merchant_id, env=alone)["data"]
    assert listed["link"] == sale["link"]
    assert home.refused("merchant", "list")["code"] == "wrong_keys"  # keys.json holds the old one


def test_generated_keys_are_good(home: Any, tmp_path: Path) -> None:
    made = home.told("keys", "generate")
    assert home.told("keys", "generate") != made
    assert home.told("merchant", "list", env=made | {"PUBLIC_URL": "https://f.example.com"})
    assert not (home.var_dir / "keys.json").exists()


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


@pytest.mark.parametrize("offset", [0, 1, 2])
def test_up_refuses_ports_that_are_taken(home: Any, offset: int) -> None:
    port = free_ports(3)  # beside a port of the system's choice others come and go
    taken = port + offset
    with socket.create_server(("127.0.0.1", taken)):
        error = home.refused("up", "--demo", env={"PORT": str(port)})
    assert error["code"] == "port_taken"
    assert str(taken) in error["message"]


@pytest.mark.parametrize(("verb", "offset"), [("web", 0), ("sandbox-pac", 1)])
def test_a_process_says_that_its_port_is_taken(
    home: Any, taken: int, verb: str, offset: int
) -> None:
    done = home.process(verb, PORT=str(taken - offset))
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_demo_does_not_run_beside_a_live_account(home: Any) -> None:
    merchant_id = home.merchant()
    home.told("pac", "set", "--merchant", merchant_id, "--provider", "sw", "--env", "live",
              "--token", "t")  # fmt: skip
    error = home.refused("up", "--demo", env={"PORT": str(free_ports(3))})
    assert error["code"] == "live_account"
    assert not (home.var_dir / "demo.json").exists()
