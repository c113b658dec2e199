"""invoice cancel, status, acuse: an invoice is taken back, and what SAT says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cfdi.cancelacion import AcuseUnreadable, Motivo, read_acuse
from cfdi.pac.contract import Later
from cfdi.sat.status import Status
from hub.commands.invoice import invoice, row_of
from hub.commands.output import (
    BadArgument,
    Failed,
    command,
    merchant_option,
    opened,
    outline,
    tell,
    the_merchant,
)
from hub.steps import cancel, cancelled
from hub.store.records import Cancellation


@command(invoice, "cancel")
@merchant_option
@click.argument("invoice_id")
@click.option(
    "--motivo",
    type=click.Choice([str(motivo) for motivo in Motivo]),
    required=True,
    help="01 errors, substituted; 02 errors; 03 no operation; 04 customer of a global invoice.",
)
@click.option("--sustituto", default="", help="UUID of the invoice in its place (motivo 01).")
def invoice_cancel(merchant_id: str, invoice_id: str, motivo: str, sustituto: str) -> None:
    """Ask SAT to cancel a stamped invoice. `invoice status` tells how it stands."""
    with opened() as hub:
        row_of(hub, the_merchant(hub, merchant_id), invoice_id)
        try:
            cancel.ask(hub.ctx, merchant_id, invoice_id, Motivo(motivo), substitute=sustituto)
        except cancel.NotCancellable as error:
            refused = BadArgument if error.finding.code in _ARGUMENTS else Failed
            raise refused(error.finding.code, error.finding.message_en) from error
    tell({"id": invoice_id, "state": "cancelling"}, "asked for; `invoice status` tells the rest")


#: What was typed is wrong, not the moment.
_ARGUMENTS = frozenset(
    {"substitute_needed", "substitute_unwanted", "substitute_itself", "substitute_malformed"}
    | {"substitute_not_one"}
)


@command(invoice, "status")
@merchant_option
@click.argument("invoice_id")
def invoice_status(merchant_id: str, invoice_id: str) -> None:
    """Ask SAT about a stamped invoice now, and show what became of its cancellation."""
    with opened() as hub:
        row = row_of(hub, the_merchant(hub, merchant_id), invoice_id)
        with hub.ctx.store.reading() as tx:
            wish = tx.tenant(merchant_id).cancellations.current(invoice_id)
        try:
            said = cancelled.status(hub.ctx, merchant_id, invoice_id)
        except LookupError as error:
            raise Failed(
                "not_stamped", f"the invoice is {row.state.value}: SAT has none"
            ) from error
    shown = {
        "id": invoice_id,
        "uuid": row.uuid,
        "state": row.state.value,
        "sat": _said(said),
        "cancellation": _shown(wish) if wish else None,
    }
    tell(shown, "\n".join(outline(shown)))


@command(invoice, "acuse")
@merchant_option
@click.argument("invoice_id")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
def invoice_acuse(merchant_id: str, invoice_id: str, output: Path) -> None:
    """Write SAT's receipt for the newest request to cancel, or what the provider gave instead."""
    with opened() as hub:
        row_of(hub, the_merchant(hub, merchant_id), invoice_id)
        with hub.ctx.store.reading() as tx:
            cancellations = tx.tenant(merchant_id).cancellations
            wish = cancellations.current(invoice_id)
            filed = [event for event in wish.events if event.kind == "filed"] if wish else []
            acuse = cancellations.detail(wish, filed[0].step) if wish and filed else b""
    if not acuse:
        raise Failed("no_acuse", "SAT has given no receipt for it: `invoice status`")
    output.write_bytes(acuse)
    by_sat = _is_receipt(acuse)
    text = str(output) if by_sat else f"{output} (the provider's own words: it gave no receipt)"
    tell({"file": str(output), "bytes": len(acuse), "by_sat": by_sat}, text)


def _is_receipt(acuse: bytes) -> bool:
    try:
        read_acuse(acuse)
    except AcuseUnreadable:
        return False
    return True


def _said(said: Status | Later | None) -> dict[str, str] | str:
    if said is None:
        return "a test account of a real provider: SAT never hears of its documents"
    if isinstance(said, Later):
        return f"no answer now: {said.reason}"
    return {
        "codigo": said.codigo,
        "estado": str(said.estado),
        "es_cancelable": str(said.es_cancelable),
        "estatus_cancelacion": str(said.estatus_cancelacion),
    }


def _shown(wish: Cancellation) -> dict[str, Any]:
    return {
        "motivo": str(wish.motivo),
        "substitute": wish.substitute or None,
        "asked_at": wish.asked_at,
        "events": [{"at": e.at, "kind": e.kind, "code": e.code} for e in wish.events],
    }
