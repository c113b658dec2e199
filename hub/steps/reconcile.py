"""reconcile: the platform's books of a period against the sales; what differs is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from connectors.abilities import Entry, KeepsBooks
from connectors.contract import CredentialsRefused, PlatformUnreachable, Unfinished
from hub.domain.books import Difference, Odd, Reconciled, compare
from hub.domain.sale import PaymentState
from hub.steps.belong import order_of
from hub.steps.context import Context
from hub.steps.kept import DELETED
from hub.steps.later import SHOP_PAUSE, paused
from hub.steps.shops import Shop, refused, shop_of
from hub.store.database import Tenant
from hub.store.records import SaleRow

#: The daily look goes back so far: what was late yesterday is seen today.
BACK: Final = timedelta(days=3)
#: What was paid this lately may still be on its way by a delivery.
FRESH: Final = timedelta(minutes=15)
EVERY: Final = timedelta(days=1)
#: After an outage the next look goes back to where the last one ended, but no further.
LONGEST: Final = timedelta(days=60)
#: A sale is made at most so long before it is paid, cash at a counter included.
ORDERED_BEFORE: Final = timedelta(days=10)
#: More are not told, nor asked for in one go; the next look finds the rest.
DIFFERENCES_MAX: Final = 1000
_PAGE: Final = 500


class NoBooks(LookupError):
    """The platform of this connection has no list of what was paid, or its keys do not open it."""


@dataclass(frozen=True, slots=True)
class _Found:
    """One entry beside the sale it is about, by its own id or by one that stands for it."""

    entry: Entry
    row: SaleRow | None


def reconcile(ctx: Context, merchant_id: str, connection_id: str) -> None:
    """The daily look. Raises `RunLater` while the platform does not answer."""
    now = ctx.clock.now()
    with ctx.store.reading() as tx:
        last = tx.tenant(merchant_id).books.get(connection_id)
    reached = last.until if last else now - BACK
    since = max(min(reached, now - BACK), now - LONGEST)
    try:
        look(ctx, merchant_id, connection_id, since, now - FRESH)
    except NoBooks:
        return
    except CredentialsRefused as error:
        shop = shop_of(ctx, merchant_id, connection_id)
        if shop is not None:
            refused(ctx, shop.connection, str(error))
    except PlatformUnreachable:
        raise paused(now, SHOP_PAUSE, connection_id, "the shop does not answer") from None


def look(
    ctx: Context, merchant_id: str, connection_id: str, since: datetime, until: datetime
) -> Reconciled:
    """Hold the books of `since` to `until` against the sales, and promise to ask for what differs.

    Raises `NoBooks`, `PlatformUnreachable` or `CredentialsRefused`.
    """
    shop = shop_of(ctx, merchant_id, connection_id)
    if shop is None or not isinstance(shop.connector, KeepsBooks) or not shop.can_be_asked:
        raise NoBooks("this connection has no books to look into")
    since = max(since, shop.connection.since)
    entries, until = _entries(shop, shop.connector, since, until)
    with ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        found = [_Found(one, order_of(tenant, connection_id, one.order_id)) for one in entries]
        differences = [one for one in map(_difference, found) if one is not None]
        listed = {one.row.id for one in found if one.row is not None}
        differences += _unknown(tenant, connection_id, since, until, listed)
    differences = differences[:DIFFERENCES_MAX]
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        for one in differences:
            tenant.promise("ingest_order", f"{connection_id}/{one.order_id}", queue="ingest")
        tenant.books.keep(connection_id, since, until, len(entries), differences)
        kept = tenant.books.get(connection_id)
    if kept is None:
        raise LookupError("the books were not kept")
    return kept


def reconcile_all(ctx: Context) -> None:
    """Promise the daily look of every connection whose last one is a day old."""
    now = ctx.clock.now()
    with ctx.store.reading() as tx:
        due = [
            connection
            for connection in tx.doors.connections()
            if isinstance(ctx.connectors.get(connection.platform), KeepsBooks)
            and _is_due(tx.tenant(connection.merchant_id).books.get(connection.id), now)
        ]
    for connection in due:
        with ctx.store.transaction() as tx:
            tx.tenant(connection.merchant_id).promise("reconcile", connection.id, queue="ingest")


def _is_due(last: Reconciled | None, now: datetime) -> bool:
    return last is None or last.checked_at <= now - EVERY


def _entries(
    shop: Shop, books: KeepsBooks, since: datetime, until: datetime
) -> tuple[list[Entry], datetime]:
    """What is listed, each order once, and until when: a list too long for one go ends earlier."""
    found: dict[str, Entry] = {}
    try:
        for entry in books.entries(since, until, shop.facts, shop.credentials):
            found[entry.order_id] = entry
    except Unfinished as error:
        if error.until <= since:
            raise
        until = min(until, error.until)
    return list(found.values()), until


def _difference(found: _Found) -> Difference | None:
    entry, sale = found.entry, found.row.sale if found.row else None
    odd = compare(entry.due, entry.currency, sale)
    if odd is None:
        return None
    ours: Decimal | None = sale.due if sale else None
    return Difference(entry.order_id, odd, entry.due, ours, entry.currency)


def _unknown(
    tenant: Tenant, connection_id: str, since: datetime, until: datetime, listed: set[str]
) -> list[Difference]:
    """Paid sales of the period that the books do not list."""
    found, after = list[Difference](), None
    while True:
        page, after = tenant.sales.list(limit=_PAGE, after=after)
        for row in page:
            sale = row.sale
            if row.connection_id != connection_id or row.id in listed or sale.due <= 0:
                continue
            if sale.payment_state is not PaymentState.PAID or sale.paid_at is None:
                continue
            if sale.status == DELETED:
                continue  # a person is asked about it
            if since <= sale.paid_at < until and not sale.test:
                found.append(Difference(sale.key, Odd.UNKNOWN, None, sale.due, sale.currency))
        if after is None or (page and page[-1].created_at < since - ORDERED_BEFORE):
            return found
