"""How every command speaks: a line for people, `--json` for programs, exit 0, 1 or 2."""

from __future__ import annotations

import functools
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, NoReturn, TypeVar

import click

from hub import log
from hub.settings import Settings, SettingsInvalid, load
from hub.store.errors import StoreError
from hub.wiring import Hub, build

F = TypeVar("F", bound=Callable[..., Any])


class Failed(Exception):
    """The command could not do it. `code` is stable, the message says what to do."""

    status: ClassVar[int] = 1

    def __init__(
        self, code: str, message: str, details: list[dict[str, str]] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.details = details or []


class BadArgument(Failed):
    """What was given can never work, whatever the state of the hub."""

    status = 2


def command(group: click.Group, name: str, **more: Any) -> Callable[[F], F]:
    """A command with `--json`, whose failures are told in one way."""

    def register(function: F) -> F:
        @functools.wraps(function)
        def run(*args: Any, as_json: bool, **kwargs: Any) -> None:
            click.get_current_context().obj = as_json
            try:
                function(*args, **kwargs)
            except (click.ClickException, click.exceptions.Exit, click.Abort):
                raise
            except Failed as error:
                fail(error.code, str(error), error.details, status=error.status)
            except (SettingsInvalid, StoreError) as error:
                fail(_code(error), str(error))
            except UnicodeEncodeError:
                # Bytes of a terminal that are no UTF-8 come as lone surrogates (PEP 383).
                fail("not_text", "an argument is not UTF-8 text", status=2)
            except OSError as error:
                fail("system", _system(error))
            except Exception as error:  # noqa: BLE001 - its message may hold anybody's data
                fail("unexpected", _unexpected(error))

        option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
        group.command(name, **more)(option(run))
        return function

    return register


def _code(error: Exception) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__).lower()


def _system(error: OSError) -> str:
    """The system's own words and the file; nothing else that an error may carry."""
    what = error.strerror or type(error).__name__
    return f"{error.filename}: {what}" if error.filename else what


def _unexpected(error: Exception) -> str:
    return f"this should not happen ({log.whereabouts(error)}): please report it"


def tell(data: object, text: str) -> None:
    """The result: `data` with --json, else the text."""
    if click.get_current_context().obj:
        click.echo(json.dumps(data, ensure_ascii=False, indent=1, default=_plain))
    elif text:
        click.echo(text)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def fail(
    code: str, message: str, details: list[dict[str, str]] | None = None, *, status: int = 1
) -> NoReturn:
    if click.get_current_context().obj:
        error: dict[str, object] = {"code": code, "message": message}
        if details:
            error["details"] = details
        click.echo(json.dumps({"error": error}, ensure_ascii=False, indent=1))
    else:
        click.echo(f"Error: {message}", err=True)
        for detail in details or []:
            click.echo("  " + ": ".join(detail.values()), err=True)
    sys.exit(status)


@contextmanager
def opened() -> Iterator[Hub]:
    """The hub of this environment, migrated and with the right keys."""
    with opened_with() as (hub, _settings):
        yield hub


@contextmanager
def opened_with() -> Iterator[tuple[Hub, Settings]]:
    settings = load(os.environ)
    log.configure(settings.log_level)
    hub = build(settings)
    try:
        # Only what is pending: putting the guards in place anew locks every table.
        if hub.ctx.store.pending_migrations():
            hub.ctx.store.migrate()
        hub.ctx.store.check_keys()
        yield hub, settings
    finally:
        hub.close()


#: Of every command about one merchant.
merchant_option = click.option("--merchant", "merchant_id", required=True)


def the_merchant(hub: Hub, merchant_id: str) -> str:
    """The id, after making sure that it is one."""
    with hub.ctx.store.reading() as tx:
        if tx.merchants.get(merchant_id) is None:
            raise Failed(
                "merchant_not_found", f"there is no merchant {merchant_id!r}: `merchant list`"
            )
    return merchant_id


def content(path: Path, limit: int) -> bytes:
    """The bytes of a file that somebody named. Raises `Failed` if there are more than `limit`."""
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise BadArgument(
            "file_too_large", f"{path} has more than {limit} bytes: not what it is for"
        )
    return data


def table(rows: Sequence[Sequence[str]]) -> str:
    """Columns side by side."""
    if not rows:
        return ""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def outline(shown: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    """Names and values, a line each; what is inside of one stands below it."""
    for name, value in shown.items():
        if isinstance(value, Mapping):
            yield f"{indent}{name}:"
            yield from outline(value, f"{indent}  ")
        elif isinstance(value, list | tuple):
            yield f"{indent}{name}:"
            yield from (f"{indent}  {_row(one)}" for one in value)
        else:
            yield f"{indent}{name}: {'' if value is None else value}".rstrip()


def _row(one: object) -> str:
    values = one.values() if isinstance(one, Mapping) else (one,)
    return "  ".join("-" if value is None else str(value) for value in values).rstrip()
