"""invoice, review: what was issued, what waits for a person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hub.commands.output import (
    BadArgument,
    Failed,
    command,
    content,
    opened,
    table,
    tell,
    the_merchant,
)
from hub.domain.purchase import FiscalForm
from hub.domain.states import State
from hub.steps import review as reviewing
from hub.steps.deliver import print_of
from hub.steps.request import issue
from hub.store.records import Invoice
from hub.wiring import Hub

#: A CFDI of thousands of lines stays below this.
XML_MAX = 16 * 1024 * 1024

merchant_option = click.option("--merchant", "merchant_id", required=True)


@click.group()
def invoice() -> None:
    """Invoices: asked for, stamped, rejected."""


@command(invoice, "create")
@merchant_option
@click.option("--sale", "sale_id", required=True)
@click.option("--rfc", required=True)
@click.option("--nombre", required=True)
@click.option("--cp", required=True)
@click.option("--regimen", required=True)
@click.option("--uso", required=True)
@click.option("--correo", default="")
def invoice_create(merchant_id: str, sale_id: str, **data: str) -> None:
    """Staff issue for a customer, also after the buyer's own deadline."""
    with opened() as hub:
        the_merchant(hub, merchant_id)
        requested = issue(hub.ctx, merchant_id, sale_id, FiscalForm(**data), actor="staff")
        if requested is None:
            raise Failed("sale_not_found", f"the merchant has no sale {sale_id!r}: `sale list`")
        if requested.errors:
            details = [
                {"path": error.campo, "code": error.codigo, "message": error.mensaje_es}
                for error in requested.errors
            ]
            # Every problem at a field of the form: the data were wrong, not the moment.
            kind = BadArgument if all(error.campo for error in requested.errors) else Failed
            raise kind("not_issued", "no invoice was asked for", details)
    tell({"id": requested.invoice_id}, str(requested.invoice_id))


@command(invoice, "list")
@merchant_option
@click.option("--state", type=click.Choice([state.value for state in State]))
@click.option("--limit", default=50, type=click.IntRange(1, 500))
@click.option("--after", default=None)
def invoice_list(merchant_id: str, state: str | None, limit: int, after: str | None) -> None:
    """Newest first."""
    with opened() as hub:
        the_merchant(hub, merchant_id)
        with hub.ctx.store.reading() as tx:
            rows = tx.tenant(merchant_id).invoices.list(
                limit=limit, after=after, state=State(state) if state else None
            )
    data = [_shown(row) for row in rows]
    lines = [(one["id"], one["state"], one["total"], one["uuid"] or "") for one in data]
    following = rows[-1].id if len(rows) == limit else None
    tell({"data": data, "next": following}, table(lines))


@command(invoice, "show")
@merchant_option
@click.argument("invoice_id")
def invoice_show(merchant_id: str, invoice_id: str) -> None:
    """One invoice with every move and every sending."""
    with opened() as hub:
        row = row_of(hub, the_merchant(hub, merchant_id), invoice_id)
        with hub.ctx.store.reading() as tx:
            invoices = tx.tenant(merchant_id).invoices
            moves, attempts = invoices.transitions(invoice_id), invoices.attempts(invoice_id)
    shown = _shown(row) | {
        "findings": [{"code": one.code, "message": one.message_es} for one in row.findings],
        "moves": [
            {"from": move.before, "to": move.after, "at": move.at, "reason": move.reason}
            for move in moves
        ],
        "attempts": [
            {"number": one.number, "started_at": one.started_at, "outcome": one.outcome}
            for one in attempts
        ],
    }
    tell(shown, "\n".join(f"{name}: {value}" for name, value in shown.items()))


@command(invoice, "xml")
@merchant_option
@click.argument("invoice_id")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
def invoice_xml(merchant_id: str, invoice_id: str, output: Path) -> None:
    """Write the stamped XML to a file."""
    _write(merchant_id, invoice_id, output, printed=False)


@command(invoice, "pdf")
@merchant_option
@click.argument("invoice_id")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
def invoice_pdf(merchant_id: str, invoice_id: str, output: Path) -> None:
    """Write the printed representation to a file."""
    _write(merchant_id, invoice_id, output, printed=True)


@command(invoice, "answer")
@merchant_option
@click.argument("invoice_id")
@click.option("--number", type=click.IntRange(1), required=True, help="As `invoice show` counts.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
def invoice_answer(merchant_id: str, invoice_id: str, number: int, output: Path) -> None:
    """Write what the provider answered to one sending to a file, byte for byte."""
    with opened() as hub:
        row_of(hub, the_merchant(hub, merchant_id), invoice_id)
        with hub.ctx.store.reading() as tx:
            invoices = tx.tenant(merchant_id).invoices
            attempts = {one.number: one for one in invoices.attempts(invoice_id)}
            raw = invoices.raw_answer(attempts[number]) if number in attempts else None
    if raw is None:
        raise Failed("no_answer", f"there is no answer to a sending {number}: `invoice show`")
    output.write_bytes(raw)
    tell({"file": str(output), "bytes": len(raw)}, str(output))


@command(invoice, "retry")
@merchant_option
@click.argument("invoice_id")
def invoice_retry(merchant_id: str, invoice_id: str) -> None:
    """Build a rejected or reviewed document anew, where nothing is in doubt."""
    with opened() as hub:
        row_of(hub, the_merchant(hub, merchant_id), invoice_id)
        try:
            reviewing.retry(hub.ctx, merchant_id, invoice_id)
        except reviewing.NotResolvable as error:
            raise Failed("not_resolvable", str(error)) from error
    tell({"id": invoice_id}, "will be sealed and stamped")


def _write(merchant_id: str, invoice_id: str, output: Path, *, printed: bool) -> None:
    with opened() as hub:
        row = row_of(hub, the_merchant(hub, merchant_id), invoice_id)
        with hub.ctx.store.reading() as tx:
            stamp = tx.tenant(merchant_id).invoices.stamp_of(invoice_id)
        if stamp is None:
            raise Failed(
                "not_stamped", f"the invoice is {row.state.value}: there is no document yet"
            )
        output.write_bytes(print_of(row, stamp) if printed else stamp.xml)
    tell({"file": str(output), "uuid": stamp.uuid}, str(output))


def row_of(hub: Hub, merchant_id: str, invoice_id: str) -> Invoice:
    with hub.ctx.store.reading() as tx:
        row = tx.tenant(merchant_id).invoices.get(invoice_id)
    if row is None:
        raise Failed("invoice_not_found", f"the merchant has no invoice {invoice_id!r}")
    return row


def _shown(row: Invoice) -> dict[str, Any]:
    return {
        "id": row.id,
        "state": row.state.value,
        "environment": row.environment,
        "origin": row.origin,
        "sales": list(row.sale_ids),
        "total": f"{row.total:f}",
        "currency": row.currency,
        "uuid": row.uuid,
        "created_at": row.created_at,
    }


@click.group()
def review() -> None:
    """What waits for a person."""


@command(review, "list")
@merchant_option
def review_list(merchant_id: str) -> None:
    """Invoices in doubt, sales that lack a decision, wishes of buyers."""
    with opened() as hub:
        items = reviewing.waiting(hub.ctx, the_merchant(hub, merchant_id))
    data = [
        {
            "kind": one.kind,
            "id": one.id,
            "sale": one.sale_id,
            "number": one.number,
            "since_at": one.since_at,
            "note": one.note,
            "form": dict(one.form),
            "reasons": [
                {"code": finding.code, "path": finding.path, "message": finding.message_es}
                for finding in one.findings
            ],
        }
        for one in items
    ]
    lines = [
        (one.kind, one.id, one.number, "; ".join(f.message_es for f in one.findings) or _note(one))
        for one in items
    ]
    tell({"data": data}, table(lines) or "nothing waits")


def _note(one: reviewing.Waiting) -> str:
    return "; ".join([one.note, *(f"{name}: {value}" for name, value in one.form.items())])


@command(review, "resolve")
@merchant_option
@click.argument("item_id")
@click.option("--retry", "how", flag_value="retry", help="Build the document anew.")
@click.option("--ask-again", "how", flag_value="ask_again", help="Send the same bytes once more.")
@click.option("--not-stamped", "how", flag_value="not_stamped", help="The PAC says it has none.")
@click.option("--accept", "how", flag_value="accept", help="A doubtful sale is right as it is.")
@click.option("--done", "how", flag_value="done", help="A buyer's wish was dealt with.")
@click.option("--found", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def review_resolve(merchant_id: str, item_id: str, how: str | None, found: Path | None) -> None:
    """Settle one item. A sale that lacks a decision is freed by `rules set`."""
    if (how is None) == (found is None):
        raise click.UsageError(
            "say one of --retry, --ask-again, --not-stamped, --found FILE, --accept, --done"
        )
    with opened() as hub:
        the_merchant(hub, merchant_id)
        try:
            _resolve(hub, merchant_id, item_id, how, found)
        except reviewing.NotResolvable as error:
            raise Failed("not_resolvable", str(error)) from error
    tell({"id": item_id}, "done")


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
    else:
        _resolve_ask(hub, merchant_id, item_id)


def _resolve_ask(hub: Hub, merchant_id: str, ask_id: str) -> None:
    with hub.ctx.store.reading() as tx:
        open_ones = {one.id for one in tx.tenant(merchant_id).asks.list()}
    if ask_id not in open_ones:
        raise reviewing.NotResolvable(f"the merchant has no open request {ask_id!r}: `review list`")
    reviewing.resolve_ask(hub.ctx, merchant_id, ask_id)
