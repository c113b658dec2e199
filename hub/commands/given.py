"""NAME=VALUE on the command line: what only one platform knows the meaning of."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import click

from hub.steps.pairing import APP

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
#: Settings that have a command or a variable of their own.
_RESERVED: Final = frozenset({"allow_private", "announce", "extra_paid_statuses", "livemode"})


def given_option(function: Any) -> Any:
    """`--given`, as the argument `more`: texts."""
    return click.option(
        "--given",
        "more",
        multiple=True,
        metavar="NAME=VALUE",
        callback=lambda _context, _option, texts: dict(_given(texts)),
        help="What else this platform needs; its page in docs/ says what.",
    )(function)


def setting_option(function: Any) -> Any:
    """`--setting`, as the argument `more`: JSON where it is, else text."""
    return click.option(
        "--setting",
        "more",
        multiple=True,
        metavar="NAME=VALUE",
        callback=lambda _context, _option, texts: dict(_settings(texts)),
        help="A setting of this platform's own; its page in docs/ says which there are.",
    )(function)


def _given(texts: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for name, value in _pairs(texts):
        if name == APP:
            raise click.BadParameter("a shop comes by an app when it is paired: connection pair")
        yield name, value


def _settings(texts: tuple[str, ...]) -> Iterator[tuple[str, object]]:
    for name, text in _pairs(texts):
        if name in _RESERVED:
            raise click.BadParameter(f"{name} is not set in this way")
        yield name, _valued(text)


def _valued(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _pairs(texts: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for text in texts:
        name, sign, value = text.partition("=")
        if not (sign and _NAME.fullmatch(name)):
            raise click.BadParameter("say NAME=VALUE")
        yield name, value
