"""Every variable: its default, what it takes, and what is said of the rest."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from hub.settings import SettingsInvalid, load
from hub.store.keys import Keyring

KEYS = Keyring.generate("k1").dump()
SECRET = "s" * 40
GIVEN = {"AUTOFACTURA_KEYS": KEYS, "SECRET_KEY": SECRET}


@pytest.fixture
def base(tmp_path: Path) -> dict[str, str]:
    return {"VAR_DIR": str(tmp_path / "var")}


def said(environ: dict[str, str]) -> str:
    with pytest.raises(SettingsInvalid) as caught:
        load(environ)
    return str(caught.value)


def test_defaults(base: dict[str, str]) -> None:
    settings = load(base)
    assert (settings.host, settings.port, settings.proxy_hops) == ("127.0.0.1", 8000, 0)
    assert settings.public_url == "http://127.0.0.1:8000"
    assert settings.database_url == f"sqlite:///{base['VAR_DIR']}/hub.sqlite3"
    assert (settings.redis_url, settings.smtp_url) == (None, None)
    assert settings.mail_from == "facturas@localhost"
    assert (settings.allow_private_hosts, settings.log_level) == (False, "info")
    assert settings.sandbox_url == "http://127.0.0.1:8001"
    assert stat.S_IMODE(Path(base["VAR_DIR"]).stat().st_mode) == 0o700


def test_empty_is_not_given(base: dict[str, str]) -> None:
    names = ("HOST", "PORT", "PUBLIC_URL", "PROXY_HOPS", "DATABASE_URL", "REDIS_URL", "SMTP_URL",
             "MAIL_FROM", "ALLOW_PRIVATE_HOSTS", "LOG_LEVEL", "AUTOFACTURA_KEYS", "SECRET_KEY",
             "AUTOFACTURA_KEYS_FILE")  # fmt: skip
    assert load(base | dict.fromkeys(names, "")).port == 8000


@pytest.mark.parametrize(
    ("name", "value", "attribute", "expected"),
    [
        ("HOST", "::1", "host", "::1"),
        ("PORT", "65533", "port", 65533),
        ("PORT", "0080", "port", 80),
        ("PROXY_HOPS", "2", "proxy_hops", 2),
        ("PUBLIC_URL", "http://localhost:8000/", "public_url", "http://localhost:8000"),
        ("PUBLIC_URL", "http://[::1]:80", "public_url", "http://[::1]:80"),
        ("REDIS_URL", "unix:///run/r.sock", "redis_url", "unix:///run/r.sock"),
        ("REDIS_URL", "rediss://:p@h:1/2", "redis_url", "rediss://:p@h:1/2"),
        ("SMTP_URL", "smtps://u:p@h", "smtp_url", "smtps://u:p@h"),
        ("MAIL_FROM", "f@example.com", "mail_from", "f@example.com"),
        ("ALLOW_PRIVATE_HOSTS", "1", "allow_private_hosts", True),
        ("LOG_LEVEL", "DEBUG", "log_level", "debug"),
    ],
)
def test_taken(base: dict[str, str], name: str, value: str, attribute: str, expected: Any) -> None:
    assert getattr(load(base | {name: value}), attribute) == expected


WRONG = [
    ("PORT", "0"),
    ("PORT", "65534"),
    ("PORT", "-1"),
    ("PORT", "80.0"),
    ("PORT", "٨٠"),
    ("PORT", "9" * 5000),
    ("PROXY_HOPS", "11"),
    ("PROXY_HOPS", "yes"),
    ("ALLOW_PRIVATE_HOSTS", "true"),
    ("LOG_LEVEL", "verbose"),
    ("PUBLIC_URL", "facturas.example.com"),
    ("PUBLIC_URL", "ftp://example.com"),
    ("PUBLIC_URL", "http://example.com"),
    ("PUBLIC_URL", "https://example.com/hub"),
    ("PUBLIC_URL", "https://example.com?x"),
    ("PUBLIC_URL", "https://me:secret@example.com"),
    ("PUBLIC_URL", "https://exa mple.com"),
    ("PUBLIC_URL", 'https://example.com"onload="x'),
    ("PUBLIC_URL", "https://ñandú.example"),
    ("PUBLIC_URL", "https://example.com:0"),
    ("PUBLIC_URL", "https://example.com:99999"),
    ("PUBLIC_URL", "https://[::1"),
    ("DATABASE_URL", "mysql://secret@h/x"),
    ("DATABASE_URL", "sqlite:///"),
    ("DATABASE_URL", "sqlite:///:memory:"),
    ("DATABASE_URL", "sqlite://secret"),
    ("DATABASE_URL", "postgresql://u:secret@h:port/x"),
    ("REDIS_URL", "http://secret@h"),
    ("REDIS_URL", "redis://:secret@h:port"),
    ("REDIS_URL", "unix://secret"),
    ("SMTP_URL", "mailto:secret"),
    ("MAIL_FROM", "secret"),
    ("MAIL_FROM", "a@b@secret"),
    ("MAIL_FROM", "a@secret\nBcc: c@d"),
    ("SECRET_KEY", "secret"),
    ("AUTOFACTURA_KEYS", "secret"),
    ("AUTOFACTURA_KEYS", "k1:secret"),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_refused_by_name_without_the_value(base: dict[str, str], name: str, value: str) -> None:
    keys = GIVEN if name in GIVEN else {}
    message = said(base | keys | {name: value})
    assert name in message
    assert "secret" not in message
    assert len(message) < 250


@pytest.mark.parametrize(
    "name", ["DATABASE_URL", "REDIS_URL", "SMTP_URL", "AUTOFACTURA_KEYS", "SECRET_KEY"]
)
def test_every_secret_may_stand_in_a_file(base: dict[str, str], tmp_path: Path, name: str) -> None:
    values = GIVEN | {
        "DATABASE_URL": f"sqlite:///{tmp_path}/x.db",
        "REDIS_URL": "redis://h",
        "SMTP_URL": "smtp://h",
    }
    environ = base | values
    path = tmp_path / "secret"
    path.write_text(environ.pop(name) + "\n")
    direct, by_file = load(base | values), load(environ | {f"{name}_FILE": str(path)})
    assert by_file.keyring.dump() == direct.keyring.dump()
    assert (by_file.database_url, by_file.redis_url, by_file.smtp_url, by_file.secret_key) == (
        direct.database_url,
        direct.redis_url,
        direct.smtp_url,
        direct.secret_key,
    )
    assert said(environ | {name: values[name], f"{name}_FILE": str(path)}).startswith(name)
    for content in (b"", b"\n", b"\xff\xfe\xff", b"x" * 20_000):
        path.write_bytes(content)
        assert f"{name}_FILE" in said(environ | {f"{name}_FILE": str(path)})
    for place in (tmp_path, tmp_path / "absent"):
        assert f"{name}_FILE" in said(environ | {f"{name}_FILE": str(place)})


def test_nothing_secret_is_shown(base: dict[str, str]) -> None:
    secrets = {"DATABASE_URL": "postgresql://u:canary@h/x", "REDIS_URL": "redis://:canary@h",
               "SMTP_URL": "smtp://u:canary@h", "SECRET_KEY": "canary" * 8,
               "AUTOFACTURA_KEYS": KEYS}  # fmt: skip
    shown = repr(load(base | secrets))
    assert "canary" not in shown
    assert KEYS.partition(":")[2] not in shown


@pytest.mark.parametrize(
    "public",
    [{"PUBLIC_URL": "https://facturas.example.com"}, {"DATABASE_URL": "postgresql://u@h/x"}],
)
def test_keys_must_be_given_where_others_depend_on_them(
    base: dict[str, str], public: dict[str, str]
) -> None:
    assert "keys generate" in said(base | public)
    assert "neither" in said(base | public | {"SECRET_KEY": SECRET})
    assert not (Path(base["VAR_DIR"]) / "keys.json").exists()
    assert load(base | public | GIVEN).secret_key == SECRET


def test_keys_are_made_once_and_private(base: dict[str, str]) -> None:
    first, again = load(base), load(base)
    assert first.keyring.dump() == again.keyring.dump()
    assert first.secret_key == again.secret_key
    path = Path(base["VAR_DIR"]) / "keys.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "{}", '{"AUTOFACTURA_KEYS": "k1:AAAA", "SECRET_KEY": "x"}', "\x00"],
)
def test_a_damaged_key_file_stops_the_start(base: dict[str, str], text: str) -> None:
    load(base)
    path = Path(base["VAR_DIR"]) / "keys.json"
    path.write_text(text)
    said(base)
    assert path.read_text() == text


def test_lost_keys_are_not_replaced(base: dict[str, str]) -> None:
    """New ones could not read the database, and would stand where the copy belongs."""
    load(base)
    var_dir = Path(base["VAR_DIR"])
    (var_dir / "keys.json").unlink()
    (var_dir / "hub.sqlite3").write_bytes(b"SQLite format 3\x00")
    assert "put your copy of it back" in said(base)
    assert not (var_dir / "keys.json").exists()


def test_var_dir_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for place in (tmp_path / "file", tmp_path / "file" / "var", Path("/proc/nowhere")):
        assert "VAR_DIR" in said({"VAR_DIR": str(place)})


def test_twenty_processes_agree_on_the_keys(home: Any) -> None:
    code = (
        "import os; from hub.settings import load; s = load(os.environ); "
        "print(s.keyring.dump(), s.secret_key)"
    )

    def start(_number: int) -> str:
        env = {"VAR_DIR": str(home.var_dir), "PATH": os.environ["PATH"]}
        made = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True,
                              cwd=Path(__file__).resolve().parents[2], check=True)  # fmt: skip
        return made.stdout

    with ThreadPoolExecutor(20) as pool:
        found = set(pool.map(start, range(20)))
    assert len(found) == 1
    stored = json.loads((home.var_dir / "keys.json").read_text())
    assert found == {f"{stored['AUTOFACTURA_KEYS']} {stored['SECRET_KEY']}\n"}


STARTS = ("up", "web", "worker", "sandbox-pac", "demo-shop")


@pytest.mark.parametrize("verb", STARTS)
def test_a_start_that_fails_says_one_sentence(home: Any, verb: str) -> None:
    for environ, name in (
        ({"PORT": "x"}, "PORT"),
        ({"VAR_DIR": "/proc/x"}, "VAR_DIR"),
        ({"MAIL_FROM": "x"}, "MAIL_FROM"),
    ):
        assert name in home.refused(verb, env=environ)["message"]


@pytest.mark.parametrize("verb", ["web", "worker", "up"])
def test_what_is_seen_only_when_it_is_opened(home: Any, verb: str) -> None:
    assert "SMTP_URL" in home.refused(verb, env={"SMTP_URL": "smtp://u:canary@"})["message"]
    assert "MAIL_FROM" in home.refused(verb, env={"MAIL_FROM": "ñ@example.com"})["message"]
    absent = {"DATABASE_URL": "postgresql://u:canary@127.0.0.1:1/x", **GIVEN}
    error = home.refused(verb, env=absent)
    assert error["code"] == "store_unavailable"
    assert "canary" not in error["message"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("web",), ("worker",), ("up",), ("doctor",), ("migrate",), ("merchant", "list"),
        ("keys", "rotate"), ("sale", "list", "--merchant", "x"), ("backup", "--to", "x.db"),
        ("review", "list", "--merchant", "x"),
    ],
)  # fmt: skip
def test_a_wrong_key_stops_everything(home: Any, arguments: tuple[str, ...]) -> None:
    home.merchant()
    wrong = {"AUTOFACTURA_KEYS": Keyring.generate("k1").dump(), "SECRET_KEY": SECRET}
    assert home.refused(*arguments, env=wrong)["code"] in {"wrong_keys", "decryption_failed"}
    renamed = {"AUTOFACTURA_KEYS": Keyring.generate("k2").dump(), "SECRET_KEY": SECRET}
    assert "'k1'" in home.refused(*arguments, env=renamed)["message"]
