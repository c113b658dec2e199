"""Settings from the environment, typed, read once at start. A wrong value stops the start.

Every secret may instead stand in a file named by `NAME_FILE` (Docker and systemd secrets).
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from hub.store.keys import Keyring

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
#: No key, password or address is as long.
_SECRET_MAX = 16_384
_HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")


class SettingsInvalid(Exception):
    """A variable of the environment is wrong. The message names it and says what it takes."""


@dataclass(frozen=True, slots=True)
class Settings:
    host: str
    port: int
    public_url: str
    proxy_hops: int
    database_url: str = field(repr=False)
    redis_url: str | None = field(repr=False)
    smtp_url: str | None = field(repr=False)
    mail_from: str
    var_dir: Path
    allow_private_hosts: bool
    keyring: Keyring = field(repr=False)
    secret_key: str = field(repr=False)
    log_level: str

    @property
    def sandbox_port(self) -> int:
        """The sandbox PAC of this machine stands beside the web process."""
        return self.port + 1

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.sandbox_port}"

    @property
    def demo_shop_port(self) -> int:
        return self.port + 2

    @property
    def demo_shop_url(self) -> str:
        return f"http://127.0.0.1:{self.demo_shop_port}"


def load(environ: Mapping[str, str]) -> Settings:
    """Read the settings; makes `VAR_DIR` and, where none are given, the keys.

    Raises `SettingsInvalid`.
    """
    var_dir = _var_dir(environ)
    host = environ.get("HOST") or "127.0.0.1"
    port = _number(environ, "PORT", 8000, 1, 65533)
    database_url = _database_url(environ, var_dir)
    public_url = _public_url(environ, port)
    keyring, secret_key = _keys(environ, var_dir, database_url, public_url)
    return Settings(
        host=host,
        port=port,
        public_url=public_url,
        proxy_hops=_number(environ, "PROXY_HOPS", 0, 0, 10),
        database_url=database_url,
        redis_url=_redis_url(environ),
        smtp_url=_smtp_url(environ),
        mail_from=_mail_from(environ),
        var_dir=var_dir,
        allow_private_hosts=_flag(environ, "ALLOW_PRIVATE_HOSTS"),
        keyring=keyring,
        secret_key=secret_key,
        log_level=_choice(environ, "LOG_LEVEL", "info", ("debug", "info", "warning", "error")),
    )


def is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in LOOPBACK


def _number(environ: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = environ.get(name) or str(default)
    if not re.fullmatch("[0-9]{1,6}", text) or not low <= int(text) <= high:
        raise SettingsInvalid(f"{name} must be a whole number from {low} to {high}")
    return int(text)


def _flag(environ: Mapping[str, str], name: str) -> bool:
    text = environ.get(name) or "0"
    if text not in {"0", "1"}:
        raise SettingsInvalid(f"{name} must be 0 or 1")
    return text == "1"


def _choice(environ: Mapping[str, str], name: str, default: str, allowed: tuple[str, ...]) -> str:
    text = (environ.get(name) or default).lower()
    if text not in allowed:
        raise SettingsInvalid(f"{name} must be one of {', '.join(allowed)}")
    return text


def _secret(environ: Mapping[str, str], name: str) -> str | None:
    file = environ.get(f"{name}_FILE")
    if file and environ.get(name):
        raise SettingsInvalid(f"{name} and {name}_FILE are both set: keep one of them")
    if not file:
        return environ.get(name) or None
    try:
        with Path(file).open(encoding="utf-8") as opened:
            text = opened.read(_SECRET_MAX + 1).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"{name}_FILE names a file that cannot be read") from error
    if not text or len(text) > _SECRET_MAX:
        raise SettingsInvalid(f"{name}_FILE names a file that is empty or far too long")
    return text


def _var_dir(environ: Mapping[str, str]) -> Path:
    path = Path(environ.get("VAR_DIR") or "var").absolute()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsInvalid(f"VAR_DIR {path} cannot be made: {error.strerror}") from error
    return path


def _public_url(environ: Mapping[str, str], port: int) -> str:
    url = environ.get("PUBLIC_URL") or f"http://127.0.0.1:{port}"
    parts = _parts(url)
    if parts is None or parts.scheme not in {"http", "https"} or not _HOST.fullmatch(parts.netloc):
        raise SettingsInvalid(
            "PUBLIC_URL must look like https://facturas.example.com: a scheme and a host in ASCII, "
            "perhaps a port, no user"
        )
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise SettingsInvalid("PUBLIC_URL must be a host alone, without path or query")
    if parts.scheme == "http" and not is_loopback(url):
        raise SettingsInvalid("PUBLIC_URL must be https:// unless it is this machine")
    return url.rstrip("/")


def _parts(url: str) -> SplitResult | None:
    """None if it is no URL, or has a port that cannot be."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    return None if port == 0 else parts


def _database_url(environ: Mapping[str, str], var_dir: Path) -> str:
    url = _secret(environ, "DATABASE_URL") or f"sqlite:///{var_dir / 'hub.sqlite3'}"
    sqlite = url.startswith("sqlite:///") and not url.endswith(("/", ":memory:"))
    if not sqlite and not (url.startswith(("postgresql://", "postgres://")) and _parts(url)):
        raise SettingsInvalid(
            "DATABASE_URL must be sqlite:///path/to/file or postgresql://user:password@host/name"
        )
    return url


def _redis_url(environ: Mapping[str, str]) -> str | None:
    url = _secret(environ, "REDIS_URL")
    if url and not (url.startswith(("redis://", "rediss://", "unix:///")) and _parts(url)):
        raise SettingsInvalid(
            "REDIS_URL must be redis://host:6379/0, rediss://… or unix:///path/to/socket"
        )
    return url


def _smtp_url(environ: Mapping[str, str]) -> str | None:
    url = _secret(environ, "SMTP_URL")
    if url and not url.startswith(("smtp://", "smtps://")):
        raise SettingsInvalid("SMTP_URL must begin with smtp:// or smtps://")
    return url


def _mail_from(environ: Mapping[str, str]) -> str:
    address = environ.get("MAIL_FROM") or "facturas@localhost"
    if address.count("@") != 1 or any(mark in address for mark in " \r\n<>,;"):
        raise SettingsInvalid("MAIL_FROM must be one e-mail address, e.g. facturas@example.com")
    return address


def _keys(
    environ: Mapping[str, str], var_dir: Path, database_url: str, public_url: str
) -> tuple[Keyring, str]:
    keys, secret = _secret(environ, "AUTOFACTURA_KEYS"), _secret(environ, "SECRET_KEY")
    if bool(keys) != bool(secret):
        raise SettingsInvalid("Set both AUTOFACTURA_KEYS and SECRET_KEY, or neither")
    if not keys or not secret:
        if not database_url.startswith("sqlite:") or not is_loopback(public_url):
            raise SettingsInvalid(
                "AUTOFACTURA_KEYS and SECRET_KEY must be given with PostgreSQL or a public "
                "PUBLIC_URL; make them with `autofactura keys generate` and keep them safe"
            )
        keys, secret = _own_keys(var_dir, database_url)
    if len(secret) < 32:
        raise SettingsInvalid("SECRET_KEY must have at least 32 characters")
    try:
        return Keyring.parse(keys), secret
    except ValueError as error:
        raise SettingsInvalid(f"AUTOFACTURA_KEYS: {error}") from error


def _own_keys(var_dir: Path, database_url: str) -> tuple[str, str]:
    """The keys of an embedded hub: made once, readable by their owner alone."""
    path = var_dir / "keys.json"
    with _locked(var_dir / "keys.lock"):
        if not path.exists():
            _refuse_new_keys(path, Path(database_url.removeprefix("sqlite:///")))
            made = {
                "AUTOFACTURA_KEYS": Keyring.generate("k1").dump(),
                "SECRET_KEY": secrets.token_urlsafe(48),
            }
            _write_private(path, json.dumps(made, indent=1))
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            return str(stored["AUTOFACTURA_KEYS"]), str(stored["SECRET_KEY"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SettingsInvalid(f"{path} is damaged: restore it from your copy") from error


def _refuse_new_keys(path: Path, database: Path) -> None:
    """New keys could not read what is there, and would stand where the right ones belong."""
    if database.exists() and database.stat().st_size > 0:
        raise SettingsInvalid(
            f"{path} is gone, but {database} was written with it: put your copy of it back"
        )


def _write_private(path: Path, text: str) -> None:
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    try:
        with path.open("w", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise SettingsInvalid(f"VAR_DIR {path.parent} cannot be written") from error
