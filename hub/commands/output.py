"""How every command speaks: a line for people, `--json` for programs, exit 0, 1 or 2."""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

import click

from hub import log
from hub.settings import Settings, SettingsInvalid, load
from hub.store.errors import StoreError
from hub.wiring import Hub, build

F = TypeVar("F", bound=Callable[..., Any])


class Failed(Exception):
    """The command could not do it. `code` is stable, the message says what to do."""

    def __init__(
        self, code: str, message: str, details: list[dict[str, str]] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.details = details or []


def command(group: click.Group, name: str) -> Callable[[F], F]:
    """A command with `--json`, whose failures are told in one way."""

    def register(function: F) -> F:
        @functools.wraps(function)
        def run(*args: Any, as_json: bool, **kwargs: Any) -> None:
            click.get_current_context().obj = as_json
            try:
                function(*args, **kwargs)
            except Failed as error:
                fail(error.code, str(error), error.details)
            except (SettingsInvalid, StoreError) as error:
                fail(type(error).__name__, str(error))

        option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
        group.command(name)(option(run))
        return function

    return register


def tell(data: object, text: str) -> None:
    """The result: `data` with --json, else the text."""
    if click.get_current_context().obj:
        click.echo(json.dumps(data, ensure_ascii=False, indent=1, default=str))
    elif text:
        click.echo(text)


def fail(code: str, message: str, details: list[dict[str, str]] | None = None) -> NoReturn:
    if click.get_current_context().obj:
        error: dict[str, object] = {"code": code, "message": message}
        if details:
            error["details"] = details
        click.echo(json.dumps({"error": error}, ensure_ascii=False, indent=1))
    else:
        click.echo(f"Error: {message}", err=True)
        for detail in details or []:
            click.echo("  " + ": ".join(detail.values()), err=True)
    sys.exit(1)


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
        hub.ctx.store.migrate()
        hub.ctx.store.check_keys()
        yield hub, settings
    finally:
        hub.close()


def the_merchant(hub: Hub, merchant_id: str) -> str:
    """The id, after making sure that it is one."""
    with hub.ctx.store.reading() as tx:
        if tx.merchants.get(merchant_id) is None:
            raise Failed(
                "merchant_not_found", f"there is no merchant {merchant_id!r}: `merchant list`"
            )
    return merchant_id


def table(rows: Sequence[Sequence[str]]) -> str:
    """Columns side by side."""
    if not rows:
        return ""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
