"""app: the apps of platforms that this hub is the server of; no merchant's, used by many shops."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import click

from hub.commands.output import BadArgument, Failed, command, opened, opened_with, table, tell
from hub.store.apps import BEFORE, CLIENT_ID, CLIENT_SECRET, AppRow
from hub.store.errors import Refused
from hub.wiring import Hub

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_OURS: Final = frozenset({CLIENT_ID, CLIENT_SECRET, BEFORE})
#: A private key in PEM has some 3 KB.
_LONGEST: Final = 16 * 1024

_secret_option = click.option(
    "--client-secret", default="", envvar="APP_CLIENT_SECRET", help="Better in APP_CLIENT_SECRET."
)
_secret_file_option = click.option(
    "--client-secret-file",
    default=None,
    envvar="APP_CLIENT_SECRET_FILE",
    type=click.File("rb"),
    help="A file with the secret; - for standard input.",
)
_app_option = click.option("--app", "app_id", required=True)


@click.group(name="app")
def app_group() -> None:
    """Apps of platforms, through which shops come."""


@command(app_group, "add")
@click.option("--platform", required=True)
@click.option("--client-id", required=True)
@_secret_option
@_secret_file_option
@click.option("--key", "keys", multiple=True, metavar="NAME=VALUE", help="What else there is.")
@click.option("--key-file", "files", multiple=True, metavar="NAME=PATH", help="The same, a file.")
def app_add(
    *,
    platform: str,
    client_id: str,
    client_secret: str,
    client_secret_file: BinaryIO | None,
    keys: tuple[str, ...],
    files: tuple[str, ...],
) -> None:
    """Keep an app's keys, encrypted; prints its id and the addresses that the platform asks for."""
    made = {
        **dict(_named(keys)),
        **{name: _text(Path(path)) for name, path in _named(files)},
        CLIENT_ID: _checked("--client-id", client_id),
        CLIENT_SECRET: _secret(client_secret, client_secret_file),
    }
    with opened_with() as (hub, settings):
        _the_platform(hub, platform)
        try:
            with hub.ctx.store.transaction() as tx:
                app = tx.apps.add(platform, made)
        except Refused as error:
            raise Failed("app_exists", f"{error}: `app rotate-secret` changes its secret") from None
    webhooks = f"{settings.public_url}/webhooks/{platform}"
    page = f"{settings.public_url}/connect/{platform}"
    tell(
        {"id": app.id, "webhook_url": webhooks, "connect_url": page},
        f"{app.id}\n{webhooks}\n{page}",
    )


@command(app_group, "list")
def app_list() -> None:
    """All of them, without their secrets."""
    with opened() as hub, hub.ctx.store.reading() as tx:
        data = [_shown(app, tx.apps.used(app.id)) for app in tx.apps.list()]
    columns = ("id", "platform", "client_id", "connections", "keys")
    tell({"data": data}, table([tuple(str(one[name]) for name in columns) for one in data]))


@command(app_group, "rotate-secret")
@_app_option
@_secret_option
@_secret_file_option
def app_rotate_secret(app_id: str, client_secret: str, client_secret_file: BinaryIO | None) -> None:
    """Use a new secret. What is signed with the old one is taken until `app forget-old-secret`."""
    secret = _secret(client_secret, client_secret_file)
    with opened() as hub, hub.ctx.store.transaction() as tx:
        _the_app(tx.apps.find(app_id), app_id)
        tx.apps.rotate_secret(app_id, secret)
    tell({"id": app_id}, f"{app_id}: the new secret holds; the old one is still taken")


@command(app_group, "forget-old-secret")
@_app_option
def app_forget_old_secret(app_id: str) -> None:
    """Take nothing any more that is signed with the secret before."""
    with opened() as hub, hub.ctx.store.transaction() as tx:
        _the_app(tx.apps.find(app_id), app_id)
        known = tx.apps.forget_old_secret(app_id)
    told = "the old secret is forgotten" if known else "there was no old secret"
    tell({"id": app_id, "forgotten": known}, f"{app_id}: {told}")


@command(app_group, "remove")
@_app_option
def app_remove(app_id: str) -> None:
    """Forget an app that no connection uses, nor has used within the last 30 days."""
    with opened() as hub:
        try:
            with hub.ctx.store.transaction() as tx:
                _the_app(tx.apps.find(app_id), app_id)
                tx.apps.remove(app_id)
        except Refused as error:
            raise Failed("app_in_use", f"{error}: disconnect them first") from None
    tell({"id": app_id}, f"{app_id} is removed")


def _shown(app: AppRow, connections: int) -> dict[str, object]:
    return {
        "id": app.id,
        "platform": app.platform,
        "client_id": app.keys[CLIENT_ID],
        "connections": connections,
        "keys": sorted(app.keys),
        "created_at": app.created_at,
    }


def _the_app(app: AppRow | None, app_id: str) -> AppRow:
    if app is None:
        raise Failed("app_not_found", f"there is no app {app_id!r}: `app list`")
    return app


def _the_platform(hub: Hub, platform: str) -> None:
    if platform not in hub.ctx.connectors:
        known = ", ".join(sorted(hub.ctx.connectors)) or "none"
        raise BadArgument(
            "platform_unknown", f"there is no platform {platform!r}; installed: {known}"
        )


def _named(texts: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for text in texts:
        name, sign, value = text.partition("=")
        if not (sign and value and _NAME.fullmatch(name)) or name in _OURS:
            raise BadArgument("key_invalid", "say NAME=VALUE, of a name that has no option")
        yield name, value


def _secret(typed: str, file: BinaryIO | None) -> str:
    if typed and file is not None:
        raise BadArgument("secret_twice", "the client secret is given twice: keep one of them")
    given = typed if file is None else _decoded(file.read(_LONGEST + 1))
    return _checked("the client secret (APP_CLIENT_SECRET)", given.strip())


def _checked(name: str, value: str) -> str:
    if not value or len(value) > 500 or not value.isascii() or not value.isprintable():
        raise BadArgument("key_invalid", f"{name} is missing, or is no such thing")
    return value


def _text(path: Path) -> str:
    with path.open("rb") as file:
        text = _decoded(file.read(_LONGEST + 1)).strip()
    if not text:
        raise BadArgument("key_invalid", f"{path} is empty")
    return text


def _decoded(raw: bytes) -> str:
    if len(raw) > _LONGEST:
        raise BadArgument("file_too_large", f"a key has no more than {_LONGEST} bytes")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise BadArgument("not_text", "a key is a text") from None
