"""Settings from the environment, typed, read once at start. A wrong value stops the start.

Every secret may instead stand in a file named by `NAME_FILE` (Docker and systemd secrets).
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from hub.store.keys import Keyring


class SettingsInvalid(Exception):
    """A variable of the environment is wrong. The message names it and says what it takes."""


@dataclass(frozen=True, slots=True)
class Settings:
    host: str
    port: int
    public_url: str
    proxy_hops: int
    database_url: str
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
    """Read the settings; makes `VAR_DIR` and, where none are given, the keys."""
    var_dir = Path(environ.get("VAR_DIR") or "var").absolute()
    host = environ.get("HOST") or "127.0.0.1"
    port = _number(environ, "PORT", 8000, 1, 65533)
    database_url = _secret(environ, "DATABASE_URL") or f"sqlite:///{var_dir / 'hub.sqlite3'}"
    public_url = _public_url(environ, port)
    keyring, secret_key = _keys(environ, var_dir, database_url, public_url)
    return Settings(
        host=host,
        port=port,
        public_url=public_url,
        proxy_hops=_number(environ, "PROXY_HOPS", 0, 0, 10),
        database_url=_database_url(database_url),
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
    return urlsplit(url).hostname in {"127.0.0.1", "localhost", "::1"}


def _number(environ: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = environ.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
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
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"{name}_FILE names a file that cannot be read") from error


def _public_url(environ: Mapping[str, str], port: int) -> str:
    url = environ.get("PUBLIC_URL") or f"http://127.0.0.1:{port}"
    try:
        parts = urlsplit(url)
        usable = parts.hostname and parts.port != 0
    except ValueError:
        usable = None
    if not usable or parts.scheme not in {"http", "https"} or parts.query or parts.fragment:
        raise SettingsInvalid("PUBLIC_URL must look like https://facturas.example.com")
    if parts.username or parts.path not in {"", "/"}:
        raise SettingsInvalid("PUBLIC_URL must be a host alone, without user, path or query")
    if parts.scheme == "http" and not is_loopback(url):
        raise SettingsInvalid("PUBLIC_URL must be https:// unless it is this machine")
    return url.rstrip("/")


def _database_url(url: str) -> str:
    if not url.startswith(("sqlite:///", "postgresql://", "postgres://")):
        raise SettingsInvalid("DATABASE_URL must begin with sqlite:/// or postgresql://")
    return url


def _redis_url(environ: Mapping[str, str]) -> str | None:
    url = _secret(environ, "REDIS_URL")
    if url and not url.startswith(("redis://", "rediss://", "unix://")):
        raise SettingsInvalid("REDIS_URL must begin with redis://, rediss:// or unix://")
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
        keys, secret = _own_keys(var_dir)
    if len(secret) < 32:
        raise SettingsInvalid("SECRET_KEY must have at least 32 characters")
    try:
        return Keyring.parse(keys), secret
    except ValueError as error:
        raise SettingsInvalid(f"AUTOFACTURA_KEYS: {error}") from error


def _own_keys(var_dir: Path) -> tuple[str, str]:
    """The keys of an embedded hub: made once, readable by their owner alone."""
    path = var_dir / "keys.json"
    with _locked(var_dir / "keys.lock"):
        if not path.exists():
            made = {
                "AUTOFACTURA_KEYS": Keyring.generate("k1").dump(),
                "SECRET_KEY": secrets.token_urlsafe(48),
            }
            _write_private(path, json.dumps(made, indent=1))
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            return str(stored["AUTOFACTURA_KEYS"]), str(stored["SECRET_KEY"])
        except (OSError, ValueError, KeyError) as error:
            raise SettingsInvalid(f"{path} is damaged: restore it from your copy") from error


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
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise SettingsInvalid(f"VAR_DIR {path.parent} cannot be written") from error
