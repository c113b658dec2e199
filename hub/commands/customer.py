"""customer: whose fiscal data are known, seen, mended and forgotten."""

from __future__ import annotations

from typing import Any

import click

from hub.commands.output import (
    BadArgument,
    Failed,
    command,
    merchant_option,
    opened,
    table,
    tell,
    the_merchant,
)
from hub.domain.customers import known_by
from hub.domain.purchase import FiscalForm
from hub.steps.customers import state
from hub.store.customers import CustomerRow
from hub.wiring import Hub

connection_option = click.option(
    "--connection", "connection_id", required=True, help="Whose customer: `connection list`."
)


@click.group()
def customer() -> None:
    """Customers who come again, and the fiscal data that count for them."""


@command(customer, "list")
@merchant_option
@click.option("--limit", default=50, type=click.IntRange(1, 500))
@click.option("--after", nargs=2, default=None, help="`next` of the page before: two words.")
def customer_list(merchant_id: str, limit: int, after: tuple[str, str] | None) -> None:
    """By connection and the platform's id of the customer."""
    with opened() as hub:
        the_merchant(hub, merchant_id)
        with hub.ctx.store.reading() as tx:
            rows = tx.tenant(merchant_id).customers.list(limit, after)
    following = [rows[-1].connection_id, rows[-1].key] if len(rows) == limit else None
    data = [_shown(row) for row in rows]
    lines = [
        (one["connection"], one["customer"], one["source"], one["rfc"], _state(one)) for one in data
    ]
    tell({"data": data, "next": following}, table(lines))


def _state(one: dict[str, Any]) -> str:
    return "refused" if one["refused"] else ""


@command(customer, "show")
@merchant_option
@connection_option
@click.argument("customer_id")
def customer_show(merchant_id: str, connection_id: str, customer_id: str) -> None:
    """What counts for one customer, who said so, and which sales are theirs."""
    with opened() as hub:
        row = _row(hub, merchant_id, connection_id, customer_id)
        with hub.ctx.store.reading() as tx:
            sales = tx.tenant(merchant_id).customers.sales(connection_id, customer_id)
    shown = _shown(row) | {"sales": sales}
    text = "\n".join(f"{name}: {value}" for name, value in shown.items() if value)
    tell(shown, text)


@command(customer, "set")
@merchant_option
@connection_option
@click.argument("customer_id")
@click.option("--rfc", required=True)
@click.option("--nombre", required=True)
@click.option("--cp", required=True)
@click.option("--regimen", required=True)
@click.option("--uso", required=True)
@click.option("--correo", default="")
def customer_set(merchant_id: str, connection_id: str, customer_id: str, **data: str) -> None:
    """State the data of a customer; they count until somebody changes them on purpose."""
    if not known_by(customer_id):
        raise BadArgument("customer_invalid", "that is no id of a customer")
    with opened() as hub:
        _connection(hub, merchant_id, connection_id)
        wrong = state(hub.ctx, merchant_id, connection_id, customer_id, FiscalForm(**data))
        if wrong:
            details = [
                {"path": one.path, "code": one.code, "message": one.message_es} for one in wrong
            ]
            raise BadArgument("data_invalid", "nothing was changed", details)
    tell({"customer": customer_id}, f"{customer_id} is known now")


@command(customer, "forget")
@merchant_option
@connection_option
@click.argument("customer_id")
def customer_forget(merchant_id: str, connection_id: str, customer_id: str) -> None:
    """Delete what is known of a customer. Invoices and sales stay as they are."""
    with opened() as hub:
        _row(hub, merchant_id, connection_id, customer_id)
        with hub.ctx.store.transaction() as tx:
            tx.tenant(merchant_id).customers.forget(connection_id, customer_id)
    tell({"customer": customer_id}, f"{customer_id} is forgotten")


def _connection(hub: Hub, merchant_id: str, connection_id: str) -> None:
    the_merchant(hub, merchant_id)
    with hub.ctx.store.reading() as tx:
        if tx.tenant(merchant_id).connections.get(connection_id) is None:
            raise Failed(
                "connection_not_found",
                f"the merchant has no connection {connection_id!r}: `connection list`",
            )


def _row(hub: Hub, merchant_id: str, connection_id: str, customer_id: str) -> CustomerRow:
    _connection(hub, merchant_id, connection_id)
    with hub.ctx.store.reading() as tx:
        row = tx.tenant(merchant_id).customers.row(connection_id, customer_id)
    if row is None:
        raise Failed(
            "customer_not_found", f"the merchant has no customer {customer_id!r}: `customer list`"
        )
    return row


def _shown(row: CustomerRow) -> dict[str, Any]:
    profile = row.profile
    return {
        "connection": row.connection_id,
        "customer": row.key,
        "rfc": profile.data.rfc,
        "nombre": profile.data.nombre,
        "cp": profile.data.cp,
        "regimen": profile.data.regimen,
        "uso": profile.data.uso,
        "correo": profile.data.correo,
        "source": profile.source.value,
        "since_at": profile.since_at,
        "environment": profile.environment,
        "refused": [
            {"code": one.code, "path": one.path, "message": one.message_es}
            for one in profile.refused
        ],
        "updated_at": row.updated_at,
    }
