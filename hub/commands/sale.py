"""sale: register, list, show, link, export and close."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import click

from hub.commands.letters import letters_shown
from hub.commands.output import Failed, command, merchant_option, opened, table, tell, the_merchant
from hub.domain.division import PARTS
from hub.domain.intake import SaleInvalid
from hub.domain.purchase import LINKED, Purchase
from hub.domain.snapshot import to_json
from hub.steps import close as closing
from hub.steps.announce import promise_open
from hub.steps.bill import Bill
from hub.steps.issuer import issuer_of
from hub.steps.look import purchase_of
from hub.steps.register import SaleTaken, register
from hub.store.records import SaleRow
from hub.wiring import Hub

MAX_FILE = 2 * 1024 * 1024


@click.group()
def sale() -> None:
    """Sales: what was bought and paid."""


@command(sale, "create")
@merchant_option
@click.option("--file", "file", required=True, type=click.File("rb"), help="JSON; - for stdin.")
def sale_create(merchant_id: str, file: io.BufferedReader) -> None:
    """Register a sale without a platform (docs/sale.schema.json); prints code and link."""
    data = file.read(MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise Failed("sale_invalid", "the file is larger than 2 MiB")
    with opened() as hub:
        the_merchant(hub, merchant_id)
        try:
            row = register(hub.ctx, merchant_id, data)
        except SaleInvalid as error:
            details = [{"path": path, "message": message} for path, message in error.problems]
            raise Failed("sale_invalid", "the sale was not kept", details) from error
        except SaleTaken as error:
            raise Failed(
                "sale_taken",
                "an invoice holds this sale, so it cannot be changed; give a new sale another "
                "number or key",
            ) from error
        shown = shown_sale(hub, merchant_id, row)
    tell(shown, f"{shown['code']}  {shown['link'] or shown['state']}")


@command(sale, "list")
@merchant_option
@click.option("--limit", default=50, type=click.IntRange(1, 500))
@click.option("--after", default=None, help="`next` of the page before.")
def sale_list(merchant_id: str, limit: int, after: str | None) -> None:
    """Newest first."""
    with opened() as hub:
        the_merchant(hub, merchant_id)
        with hub.ctx.store.reading() as tx:
            rows, following = tx.tenant(merchant_id).sales.list(limit=limit, after=after)
        data = [shown_sale(hub, merchant_id, row) for row in rows]
    lines = [
        (one["number"], one["state"], f"{one['total']} {one['currency']}", one["link"] or "")
        for one in data
    ]
    tell({"data": data, "next": following}, table(lines))


@command(sale, "show")
@merchant_option
@click.argument("sale_id")
def sale_show(merchant_id: str, sale_id: str) -> None:
    """One sale: the snapshot as normalised, and why it waits if it does."""
    with opened() as hub:
        row = _row(hub, the_merchant(hub, merchant_id), sale_id)
        shown = shown_sale(hub, merchant_id, row)
        shown["reasons"] = [
            {"code": one.code, "path": one.path, "message": one.message_es} for one in row.reasons
        ]
        shown["notes"] = notes_shown(hub, merchant_id, sale_id)
        shown["letters"] = letters_shown(hub, merchant_id, sale_id)
        shown["sale"] = json.loads(to_json(row.sale))
    tell(shown, json.dumps(shown, ensure_ascii=False, indent=1))


@command(sale, "link")
@merchant_option
@click.argument("sale_id")
@click.option("--renew", is_flag=True, help="Revoke the link there is and make another.")
def sale_link(merchant_id: str, sale_id: str, *, renew: bool) -> None:
    """The buyer's link of a sale, made now if there is none."""
    with opened() as hub:
        _row(hub, the_merchant(hub, merchant_id), sale_id)
        with hub.ctx.store.transaction() as tx:
            tenant = tx.tenant(merchant_id)
            made = tenant.links.renew(sale_id) if renew else tenant.links.make(sale_id)
            promise_open(tenant, sale_id)
        url = hub.ctx.link(made)
    tell({"link": url}, url)


@command(sale, "export")
@merchant_option
@click.option("--open", "only_open", is_flag=True, required=True, help="Tickets in no invoice.")
@click.option("--from", "start", type=click.DateTime(["%Y-%m-%d"]), help="First day, local.")
@click.option("--to", "end", type=click.DateTime(["%Y-%m-%d"]), help="Last day, local.")
def sale_export(
    merchant_id: str, *, only_open: bool, start: datetime | None, end: datetime | None
) -> None:
    """Open tickets as CSV, to make a global invoice elsewhere."""
    if not only_open:
        raise Failed("not_supported", "--open is what can be exported")
    with opened() as hub:
        first, last = _span(hub, the_merchant(hub, merchant_id), start, end)
        tickets = closing.open_tickets(hub.ctx, merchant_id, first, last)
    rows = [_ticket(one) for one in tickets]
    tell({"data": rows}, _csv(rows))


@command(sale, "close")
@merchant_option
@click.option("--until", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Last day, local.")
@click.option("--global-uuid", required=True, type=click.UUID)
def sale_close(merchant_id: str, until: datetime, global_uuid: UUID) -> None:
    """Mark the open tickets up to a day as part of a global invoice made elsewhere."""
    with opened() as hub:
        _, last = _span(hub, the_merchant(hub, merchant_id), None, until)
        if last is None:
            raise Failed("until_invalid", "--until is needed")
        try:
            closed = closing.close(hub.ctx, merchant_id, last, str(global_uuid).upper())
        except closing.DayNotOver as error:
            raise Failed("day_not_over", "--until must be a day that is over") from error
    tell(
        {"marked": closed.marked, "skipped": closed.skipped},
        f"{closed.marked} tickets marked, {closed.skipped} skipped (they have an invoice)",
    )


@command(sale, "reopen")
@merchant_option
@click.option("--global-uuid", required=True, type=click.UUID)
def sale_reopen(merchant_id: str, global_uuid: UUID) -> None:
    """Undo `sale close` for a global invoice, e.g. one that was cancelled."""
    with opened() as hub:
        the_merchant(hub, merchant_id)
        freed = closing.reopen(hub.ctx, merchant_id, str(global_uuid).upper())
    tell({"freed": freed}, f"{freed} tickets are open again")


def shown_sale(hub: Hub, merchant_id: str, row: SaleRow) -> dict[str, Any]:
    purchase = purchase_of(hub.ctx, merchant_id, row.id)
    with hub.ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        link, whole = tenant.links.current(row.id), tenant.objects.whole(row.id)
    shown_link = hub.ctx.link(link) if link and purchase.estado in LINKED else None
    return {
        "id": row.id,
        "number": row.sale.number,
        "state": purchase.estado.value,
        "total": f"{row.sale.total:f}",
        "currency": row.sale.currency,
        "code": row.code,
        "link": shown_link,
        **_extra(purchase),
        **({"part_of": whole} if whole != row.id else {}),
    }


def notes_shown(hub: Hub, merchant_id: str, sale_id: str) -> list[dict[str, Any]]:
    """Every credit note there ever was of the sale, oldest first."""
    with hub.ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        notes = tenant.credits.of_sale(sale_id)
        rows = [tenant.invoices.get(one.invoice_id) for one in notes]
    return [
        {
            "id": note.invoice_id,
            "refund": note.refund_key,
            "total": f"{note.total:f}",
            "state": row.state.value if row else "",
            "uuid": row.uuid if row else None,
            "ended": note.ended,
        }
        for note, row in zip(notes, rows, strict=True)
    ]


def _extra(purchase: Purchase) -> dict[str, Any]:
    extra: dict[str, Any] = {"uuid": purchase.uuid} if purchase.uuid else {}
    if purchase.group:
        extra["together"] = [one.number for one in purchase.group]
    if purchase.parts:
        extra["parts"] = [
            {"part": one.number, "state": one.estado.value, "total": f"{one.total:f}"}
            for one in purchase.parts
        ]
    if purchase.reason:
        extra["reason"] = purchase.reason
    return extra


def _row(hub: Hub, merchant_id: str, sale_id: str) -> SaleRow:
    with hub.ctx.store.reading() as tx:
        row = tx.tenant(merchant_id).sales.get(sale_id)
    if row is None:
        raise Failed("sale_not_found", f"the merchant has no sale {sale_id!r}: `sale list`")
    return row


def _span(
    hub: Hub, merchant_id: str, start: datetime | None, end: datetime | None
) -> tuple[datetime | None, datetime | None]:
    """Whole local days as instants: [first midnight, midnight after the last day)."""
    with hub.ctx.store.reading() as tx:
        zone = issuer_of(tx.tenant(merchant_id)).zone

    def midnight(day: date) -> datetime:
        return datetime.combine(day, time.min, tzinfo=zone)

    first = midnight(start.date()) if start else None
    last = midnight(end.date() + timedelta(days=1)) if end else None
    return first, last


def _ticket(ticket: Bill) -> dict[str, str]:
    row, sale = ticket.rows[0], ticket.sale
    base = sum((line.base for line in sale.lines), start=sale.total * 0)
    taxes = sum((tax.amount for line in sale.lines for tax in line.taxes), start=sale.total * 0)
    return {
        "id": row.id,
        "number": f"{sale.number} ({ticket.part}/{PARTS})" if ticket.part else sale.number,
        "paid_at": sale.paid_at.isoformat() if sale.paid_at else "",
        "currency": sale.currency,
        "base": f"{base:f}",
        "taxes": f"{taxes:f}",
        "refunded": f"{sale.refunded:f}",
        "total": f"{sale.due:f}",
    }


def _csv(rows: list[dict[str, str]]) -> str:
    """CSV whose cells no spreadsheet takes for a formula (OWASP, CSV injection)."""
    text = io.StringIO()
    names = ["id", "number", "paid_at", "currency", "base", "taxes", "refunded", "total"]
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue().rstrip("\n")


def _cell(value: str) -> str:
    return (
        f"'{value}" if value.lstrip()[:1] in {"=", "+", "-", "@", "＝", "＋", "－", "＠"} else value
    )
