"""privacy: what a person or a shop asks by law is carried out: told, or erased for good.

Documents that were issued are kept: the law asks for five years (CFF art. 30,
https://www.diputados.gob.mx/LeyesBiblio/pdf/CFF.pdf), and they are not the platform's data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

import structlog

from connectors.contract import DeliveryUnreadable, PrivacyNotice
from hub.steps.connect import takes_keys
from hub.steps.context import Context
from hub.steps.hints import read_again
from hub.steps.notices import NOTICES, PRIVACY_ACCESS
from hub.store.database import Tenant
from hub.store.fields import EVER
from hub.store.records import InboxRow

log = structlog.get_logger(__name__)

#: Orders of one transaction.
AT_ONCE: Final = 50


def privacy(ctx: Context, merchant_id: str, inbox_id: str) -> None:
    """Carry out what a filed delivery asks, once, and write down that it was.

    It may be repeated at any time: what is not done yet is done then. Raises `RunLater` while its
    connector is missing.
    """
    with ctx.store.reading() as tx:
        row = tx.tenant(merchant_id).inbox.get(inbox_id)
    if row is None or row.state != "filed" or row.erased:
        return
    try:
        hint = read_again(ctx, merchant_id, row)
    except DeliveryUnreadable:
        return
    if not isinstance(hint, PrivacyNotice):
        return
    if hint.kind == "access":
        _tell(ctx, merchant_id, row, hint)
    elif hint.kind == "erase_customer":
        _erase_customer(ctx, merchant_id, row, hint)
    else:
        _erase_shop(ctx, merchant_id, row)
    log.info("privacy_carried_out", connection=row.connection_id, kind=hint.kind)


def _tell(ctx: Context, merchant_id: str, row: InboxRow, asked: PrivacyNotice) -> None:
    """The merchant's queue names the sales that hold the customer's data; who asked stands there.

    Where nothing is held there is nothing to queue: the trace says so.
    """
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        sale_ids = _sales(tenant, row.connection_id, asked)
        found = [one for sale_id in sale_ids if (one := tenant.sales.get(sale_id)) is not None]
        if found:
            numbers = ", ".join(one.sale.number for one in found)
            form = {"cliente": asked.customer_id, "ventas": numbers, "que_hacer": _WHAT_TO_DO}
            tenant.asks.create(max(one.id for one in found), PRIVACY_ACCESS, form)
        _settle(tenant, row, "access", sales=len(found))


_WHAT_TO_DO: Final = (
    "este cliente pidió saber qué datos suyos guardas: revisa cada venta con `sale show`, "
    "mándale lo que haya antes de 30 días, y cierra este aviso con `review resolve --done`"
)


def _sales(tenant: Tenant, connection_id: str, asked: PrivacyNotice) -> list[str]:
    """The ids of the customer's sales: those that are known as his, and those that were named."""
    found = set(tenant.customers.sales(connection_id, asked.customer_id))
    for order_id in asked.order_ids:
        row = tenant.sales.by_key(connection_id, order_id)
        if row is not None:
            found.add(row.id)
    return sorted(found)


def _erase_customer(ctx: Context, merchant_id: str, row: InboxRow, asked: PrivacyNotice) -> None:
    """Nobody keeps an order while it is remembered: who was just doing so is done, and found."""
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        tenant.objects.hold(row.connection_id, alone=True)
        order_ids = set(asked.order_ids)
        for sale_id in _sales(tenant, row.connection_id, asked):
            known = tenant.sales.get(sale_id)
            if known is not None:
                order_ids.add(known.sale.key)
        tenant.erasures.remember(row.connection_id, row.id, sorted(order_ids))
    _erase_remembered(ctx, merchant_id, row)
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        if asked.customer_id:
            tenant.customers.erase(row.connection_id, asked.customer_id)
            tenant.erasures.of_customer(row.connection_id, asked.customer_id)
        named = (asked.customer_id, *tenant.erasures.orders(row.connection_id, row.id))
        tenant.erasures.deliveries(
            one.id
            for one in tenant.inbox.not_understood(row.connection_id)
            if _names_any(one.body, named)
        )
        _settle(tenant, row, "erase_customer")


def _names_any(body: bytes, ids: Sequence[str]) -> bool:
    """A delivery that nobody understood may speak of anybody: it is looked through for the ids."""
    words = {word.decode() for word in re.findall(rb"[A-Za-z0-9_-]+", body)}
    return not words.isdisjoint(filter(None, ids))


def _erase_shop(ctx: Context, merchant_id: str, row: InboxRow) -> None:
    """Of a shop that came back meanwhile only what was kept before, and not its keys.

    It is a shop's last word, after it left. Of one that takes our keys it is an old word again, or
    one that comes late: what it sold since would be lost. Raises `RunLater` while nobody can tell.
    """
    before = _until(ctx, merchant_id, row)
    with ctx.store.reading() as tx:
        order_ids = tx.tenant(merchant_id).erasures.known(row.connection_id, before)
    for some in _batches(order_ids):
        with ctx.store.transaction() as tx:
            tenant = tx.tenant(merchant_id)
            tenant.objects.hold(row.connection_id, alone=True)
            tenant.erasures.remember(row.connection_id, row.id, some)
    _erase_remembered(ctx, merchant_id, row)
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        tenant.customers.erase_all(row.connection_id, before)
        bond = tenant.bonds.get(row.connection_id)
        if bond is not None and bond.state == "closed":
            tenant.connections.forget(row.connection_id)
        tenant.erasures.of_shop(row.connection_id, row.id, before)
        _settle(tenant, row, "erase_shop")


def _until(ctx: Context, merchant_id: str, row: InboxRow) -> datetime:
    """The instant at which a shop that is there for us came (back) to us; of another one, ever."""
    if not takes_keys(ctx, merchant_id, row.connection_id, row.received_at):
        return EVER
    with ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        connection = tenant.connections.get(row.connection_id)
        bond = tenant.bonds.get(row.connection_id)
    keyed_at = bond.keyed_at() if bond else None
    return keyed_at or (connection.created_at if connection else EVER)


def _erase_remembered(ctx: Context, merchant_id: str, row: InboxRow) -> None:
    """Of every order that was remembered for this request; before, so that none comes back."""
    with ctx.store.reading() as tx:
        order_ids = tx.tenant(merchant_id).erasures.orders(row.connection_id, row.id)
    for some in _batches(order_ids):
        with ctx.store.transaction() as tx:
            tenant = tx.tenant(merchant_id)
            for order_id in some:
                _erase(tenant, row.connection_id, order_id)


def _batches(order_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for at in range(0, len(order_ids), AT_ONCE):
        yield order_ids[at : at + AT_ONCE]


def _erase(tenant: Tenant, connection_id: str, order_id: str) -> None:
    sale = tenant.sales.by_key(connection_id, order_id)
    if sale is not None:
        tenant.sales.forget_buyer(sale.id)
        tenant.asks.erase(sale.id, besides=NOTICES - {PRIVACY_ACCESS})
    tenant.erasures.erase(connection_id, order_id, sale.id if sale else None)


def _settle(tenant: Tenant, row: InboxRow, action: str, *, sales: int | None = None) -> None:
    """Carried out: the request itself names the person, so its content goes too."""
    tenant.erasures.audit(row.connection_id, row.id, action, sales=sales)
    tenant.inbox.done(row.id)
    tenant.erasures.deliveries([row.id])
