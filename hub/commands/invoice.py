"""invoice, review: what was issued, what waits for a person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hub.commands.output import (
    BadArgument,
    Failed,
    command,
    merchant_option,
    opened,
    outline,
    table,
    tell,
    the_merchant,
)
from hub.domain.purchase import FiscalForm
from hub.domain.states import State
from hub.steps import review as reviewing
from hub.steps.brand import paper
from hub.steps.deliver import print_of
from hub.steps.request import issue
from hub.store.credits import CreditNote
from hub.store.records import Invoice
from hub.wiring import Hub

#: A CFDI of thousands of lines stays below this.
XML_MAX = 16 * 1024 * 1024


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
@click.option("--part", type=click.IntRange(1, 2), help="Of a sale that its buyer divided.")
def invoice_create(merchant_id: str, sale_id: str, part: int | None, **data: str) -> None:
    """Staff issue for a customer, also after the buyer's own deadline."""
    with opened() as hub:
        the_merchant(hub, merchant_id)
        requested = issue(
            hub.ctx, merchant_id, sale_id, FiscalForm(**data), actor="staff", part=part or 0
        )
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
    lines = [
        (one["id"], one["kind"], one["state"], one["total"], one["uuid"] or "") for one in data
    ]
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
            credited = tx.tenant(merchant_id).credits
            note, notes = credited.get(invoice_id), credited.of_ingreso(invoice_id)
            part = tx.tenant(merchant_id).claims.part_of(invoice_id, row.sale_ids[0])
    shown = _shown(row) | _credited(note, notes) | ({"part": part} if part else {})
    shown |= {
        "findings": [{"code": one.code, "message": one.message_es} for one in row.findings],
        "moves": [
            {
                "from": move.before and move.before.value,
                "to": move.after.value,
                "at": move.at,
                "reason": move.reason,
            }
            for move in moves
        ],
        "attempts": [
            {"number": one.number, "started_at": one.started_at, "outcome": one.outcome}
            for one in attempts
        ],
    }
    tell(shown, "\n".join(outline(shown)))


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
            tenant = tx.tenant(merchant_id)
            stamp, looks = tenant.invoices.stamp_of(invoice_id), paper(tenant)
        if stamp is None:
            raise Failed(
                "not_stamped", f"the invoice is {row.state.value}: there is no document yet"
            )
        output.write_bytes(print_of(row, stamp, looks) if printed else stamp.xml)
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
        "kind": "egreso" if row.is_note else "ingreso",
        "state": row.state.value,
        "environment": row.environment,
        "origin": row.origin,
        "sales": list(row.sale_ids),
        "total": f"{row.total:f}",
        "currency": row.currency,
        "uuid": row.uuid,
        "created_at": row.created_at,
    }


def _credited(note: CreditNote | None, notes: list[CreditNote]) -> dict[str, Any]:
    """Of a credit note what it is related to; of an invoice its notes that stand for a refund."""
    if note is not None:
        return {"ingreso": note.ingreso_id, "refund": note.refund_key, "ended": note.ended}
    return {"notes": [one.invoice_id for one in notes]}
