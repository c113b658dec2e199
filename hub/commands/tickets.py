"""sale qr, sale ticket: ways to a sale's page on paper."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from hub.commands.output import (
    BadArgument,
    Failed,
    command,
    merchant_option,
    opened,
    tell,
    the_merchant,
)
from hub.commands.sale import sale
from hub.domain.purchase import Purchase
from hub.steps import find
from hub.steps.look import purchase_of
from hub.store.records import SaleRow
from hub.wiring import Hub
from portal import formats, qr
from portal.ticket import printing

#: Those that a terminal can show.
_TEXTS: Final = frozenset({"txt", "svg"})
_output_option = click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="A file; else it is shown."
)


@command(sale, "qr")
@merchant_option
@click.argument("sale_id")
@click.option("--format", "kind", default="txt", type=click.Choice(["txt", "svg", "png"]))
@_output_option
def sale_qr(merchant_id: str, sale_id: str, kind: str, output: Path | None) -> None:
    """The buyer's link as a QR code, for the buyer alone: it opens everything."""
    with opened() as hub:
        _of(hub, merchant_id, sale_id)
        with hub.ctx.store.transaction() as tx:
            url = hub.ctx.link(tx.tenant(merchant_id).links.make(sale_id))
    image = qr.png(url) if kind == "png" else (qr.svg if kind == "svg" else qr.text)(url).encode()
    _give(image, kind, output, link=url)


@command(sale, "ticket")
@merchant_option
@click.argument("sale_id")
@click.option(
    "--format", "kind", default="txt", type=click.Choice(["txt", "svg", "pdf", "png", "escpos"])
)
@click.option("--width", default="80", type=click.Choice(["58", "80"]), help="Millimetres.")
@_output_option
def sale_ticket(merchant_id: str, sale_id: str, kind: str, width: str, output: Path | None) -> None:
    """What a till prints below a sale: code, total, deadline and where to get the invoice.

    Others may read a ticket: its QR code leads to the page that asks for the total.
    """
    with opened() as hub:
        row = _of(hub, merchant_id, sale_id)
        purchase = purchase_of(hub.ctx, merchant_id, sale_id)
        with hub.ctx.store.reading() as tx:
            tenant = tx.tenant(merchant_id)
            address, short = find.address(hub.ctx, tenant), find.short_address(hub.ctx, tenant)
        printed = _ticket(row, purchase, address, short)
    if kind == "txt":
        made = printing.text(printed, int(width)).encode()
    elif kind == "escpos":
        made = printing.escpos(printed, int(width))
    else:
        made = printing.page(printed, int(width), kind=kind)
    _give(made, kind, output, link=printed.scanned)


def _of(hub: Hub, merchant_id: str, sale_id: str) -> SaleRow:
    the_merchant(hub, merchant_id)
    with hub.ctx.store.reading() as tx:
        row = tx.tenant(merchant_id).sales.get(sale_id)
    if row is None:
        raise Failed("sale_not_found", f"the merchant has no sale {sale_id!r}: `sale list`")
    return row


def _ticket(row: SaleRow, purchase: Purchase, address: str, short: str) -> printing.Ticket:
    language = purchase.brand.language
    until = purchase.deadline_at
    day = formats.day(until, "en" if language == "en" else "es_MX") if until else ""
    return printing.Ticket(
        merchant=purchase.merchant_name,
        code=row.code,
        total=formats.money(row.sale.total, row.sale.currency).replace("\u00a0", " "),
        until=day,
        address=address,
        short_address=short,
        language=language,
    )


def _give(made: bytes, kind: str, output: Path | None, *, link: str) -> None:
    if output is not None:
        output.write_bytes(made)
        tell({"file": str(output), "bytes": len(made), "link": link}, str(output))
    elif kind in _TEXTS:
        shown = made.decode()
        tell({kind: shown, "link": link}, shown.rstrip("\n"))
    else:
        raise BadArgument("output_missing", f"{kind} is no text: name a file with --output")
