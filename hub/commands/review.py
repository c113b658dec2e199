"""review: what waits for a person, what a buyer asks, and what a person can do about it."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import click

from hub.commands.invoice import XML_MAX
from hub.commands.output import (
    F,
    Failed,
    command,
    content,
    merchant_option,
    opened,
    table,
    tell,
    the_merchant,
)
from hub.domain.asks import WISHES, AskKind
from hub.steps import answer as answering
from hub.steps import review as reviewing
from hub.wiring import Hub

_FISCAL = ("rfc", "nombre", "cp", "regimen", "uso", "correo")


@click.group()
def review() -> None:
    """What waits for a person."""


@command(review, "list")
@merchant_option
def review_list(merchant_id: str) -> None:
    """Invoices in doubt, sales that lack a decision, wishes of buyers."""
    with opened() as hub:
        items = reviewing.waiting(hub.ctx, the_merchant(hub, merchant_id))
        now = hub.ctx.clock.now()
    data = [
        {
            "kind": one.kind,
            "id": one.id,
            "sale": one.sale_id,
            "number": one.number,
            "since_at": one.since_at,
            "note": one.note,
            "asks": _wish(one),
            "age_days": (now - one.since_at).days,
            "form": dict(one.form),
            "invoice": one.invoice_id,
            "command": _suggested(merchant_id, one),
            "reasons": [
                {"code": finding.code, "path": finding.path, "message": finding.message_es}
                for finding in one.findings
            ],
        }
        for one in items
    ]
    tell({"data": data}, table([_line(merchant_id, one, now) for one in items]) or "nothing waits")


def _line(merchant_id: str, one: reviewing.Waiting, now: datetime) -> tuple[str, ...]:
    age = f"{(now - one.since_at).days} d"
    why = "; ".join(finding.message_es for finding in one.findings)
    if one.kind != "ask":
        return one.kind, one.id, one.number, age, why or _note(one)
    told = "; ".join(f"{name}: {value}" for name, value in one.form.items())
    words = f"{_wish(one)}. {told}. -> {_suggested(merchant_id, one)}"
    return one.note, one.id, one.number, age, words


def _note(one: reviewing.Waiting) -> str:
    return "; ".join([one.note, *(f"{name}: {value}" for name, value in one.form.items())])


def _wish(one: reviewing.Waiting) -> str:
    """What the buyer asks, in words; "" of anything else that waits."""
    return WISHES[AskKind(one.note)] if one.kind == "ask" and one.note in WISHES else ""


def _suggested(merchant_id: str, one: reviewing.Waiting) -> str:
    """A command that may be what is wanted; never one that runs by itself."""
    if one.kind != "ask":
        return ""
    if one.note in {AskKind.VENCIDA, AskKind.INVOICE_CANCELLED} and one.form.get("rfc"):
        given = [word for name in _FISCAL for word in _option(name, one.form.get(name, ""))]
        words = ["invoice", "create", "--merchant", merchant_id, "--sale", one.sale_id, *given]
    elif one.note in {AskKind.QUESTION, AskKind.DISPUTED, AskKind.CORRECTION} and one.invoice_id:
        words = ["invoice", "show", "--merchant", merchant_id, one.invoice_id]
    else:
        words = ["sale", "show", "--merchant", merchant_id, one.sale_id]
    return shlex.join(["autofactura", *words])


def _option(name: str, value: str) -> tuple[str, ...]:
    return (f"--{name}={value}",) if value else ()


def _way(name: str, told: str) -> Callable[[F], F]:
    """A flag for one way of settling. All that were given are seen: of two neither is taken."""
    flag = name.replace("-", "_")
    return click.option(f"--{name}", "ways", multiple=True, flag_value=flag, help=told)


@command(review, "resolve")
@merchant_option
@click.argument("item_id")
@_way("retry", "Build the document anew.")
@_way("ask-again", "Send the same bytes once more.")
@_way("not-stamped", "The PAC says it has none.")
@_way("accept", "A doubtful sale is right as it is.")
@_way("given-back", "Nothing was kept of an order that was deleted.")
@_way("done", "What a buyer asked for was done.")
@_way("declined", "It is not done; --answer says why.")
@click.option("--answer", default="", help="What the buyer reads on the page and in a letter.")
@_way("credit-note", "Credit what was given back since.")
@click.option("--found", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def review_resolve(
    merchant_id: str, item_id: str, ways: tuple[str, ...], answer: str, found: Path | None
) -> None:
    """Settle one item. A sale that lacks a decision is freed by `rules set`."""
    chosen = [*dict.fromkeys(ways), *([None] if found else [])]
    chosen = chosen or ["answered"] * bool(answer)
    if len(chosen) != 1:
        raise click.UsageError(
            "say one of --retry, --ask-again, --not-stamped, --found FILE, --accept, "
            "--given-back, --done, --declined, --answer TEXT, --credit-note"
        )
    [how] = chosen
    if answer and how not in _TO_BUYERS:
        raise click.UsageError("--answer goes alone, with --done or with --declined")
    with opened() as hub:
        the_merchant(hub, merchant_id)
        try:
            if how in _TO_BUYERS:
                answering.resolve(hub.ctx, merchant_id, item_id, str(how), answer)
            else:
                _resolve(hub, merchant_id, item_id, how, found)
        except reviewing.NotResolvable as error:
            raise Failed("not_resolvable", str(error)) from error
    tell({"id": item_id}, "done")


#: How a request of a buyer ends.
_TO_BUYERS = frozenset({"done", "declined", "answered"})


def _resolve(hub: Hub, merchant_id: str, item_id: str, how: str | None, found: Path | None) -> None:
    if found is not None:
        reviewing.found(hub.ctx, merchant_id, item_id, content(found, XML_MAX))
    elif how == "retry":
        reviewing.retry(hub.ctx, merchant_id, item_id)
    elif how == "ask_again":
        reviewing.ask_again(hub.ctx, merchant_id, item_id)
    elif how == "not_stamped":
        reviewing.not_stamped(hub.ctx, merchant_id, item_id, actor="staff")
    elif how == "accept":
        reviewing.accept(hub.ctx, merchant_id, item_id)
    elif how == "given_back":
        reviewing.given_back(hub.ctx, merchant_id, item_id)
    else:
        reviewing.credit_note(hub.ctx, merchant_id, item_id)
