"""announce: an order says in its shop what became of its invoice, where the merchant wants it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from connectors.abilities import Announces, AnnouncesLinks, News
from connectors.contract import CredentialsRefused, OrderNotFound, PlatformUnreachable
from hub.domain.states import State
from hub.steps.context import Context
from hub.steps.issuer import issuer_of
from hub.steps.later import SHOP_PAUSE, paused
from hub.steps.shops import Shop, refused, shop_of
from hub.store.database import Tenant
from hub.store.records import Connection, Invoice, SaleRow

log = structlog.get_logger(__name__)

#: The setting of a connection.
SETTING: Final = "announce"
#: News older than this are nobody's news.
GIVE_UP: Final = timedelta(days=7)
LONGEST_PAUSE: Final = timedelta(hours=6)

_IN_FORCE: Final = frozenset({State.STAMPED, State.SUPERSEDED, State.CANCELLING})
_TEXTS: Final = {
    "es": {
        "open": "Se puede facturar",
        "stamped": "CFDI emitido: {uuid}",
        "cancelled": "CFDI cancelado ante el SAT: {uuid}",
    },
    "en": {
        "open": "Can be invoiced",
        "stamped": "CFDI issued: {uuid}",
        "cancelled": "CFDI cancelled with SAT: {uuid}",
    },
}
_NO_VALUE: Final = {"es": " (de prueba, sin valor fiscal)", "en": " (a test, of no fiscal value)"}


@dataclass(frozen=True, slots=True)
class _Telling:
    connection_id: str
    order_id: str
    news: News


def promise_news(tenant: Tenant, invoice_id: str) -> None:
    """Promise `announce` where a shop of this invoice's sales wants to be told."""
    invoice = tenant.invoices.get(invoice_id)
    if invoice is not None and any(_tellings(tenant, invoice)):
        tenant.promise("announce", invoice_id, queue="ingest")


def promise_open(tenant: Tenant, sale_id: str) -> None:
    """Promise `announce_sale` where the shop of a sale that can be invoiced wants to be told."""
    row = tenant.sales.get(sale_id)
    if row is not None and _wanting(tenant, row) is not None:
        tenant.promise("announce_sale", sale_id, queue="ingest")


def announce(ctx: Context, merchant_id: str, invoice_id: str) -> None:
    """Tell each shop the state that the invoice has now. Repeating it changes nothing.

    Raises `RunLater` while a shop does not answer or refuses our keys, for some days.
    """
    with ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        invoice = tenant.invoices.get(invoice_id)
        tellings = _tellings(tenant, invoice) if invoice else []
    if invoice is not None and tellings:
        _tell_all(ctx, merchant_id, invoice_id, tellings, invoice.updated_at)


def announce_sale(ctx: Context, merchant_id: str, sale_id: str) -> None:
    """Tell the shop that the order can be invoiced, and where. Raises as `announce`."""
    with ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        row, link = tenant.sales.get(sale_id), tenant.links.current(sale_id)
        connection = _wanting(tenant, row) if row else None
        # What became of an invoice is news of its own; it may have come first.
        if row is None or connection is None or link is None or tenant.claims.of_sale(sale_id):
            return
        language = "en" if issuer_of(tenant).rules.idioma == "en" else "es"
    if not isinstance(ctx.connectors.get(connection.platform), AnnouncesLinks):
        return
    news = News("open", "", _TEXTS[language]["open"], ctx.link(link))
    telling = _Telling(connection.id, row.sale.key, news)
    _tell_all(ctx, merchant_id, sale_id, [telling], row.updated_at)


def _tell_all(
    ctx: Context, merchant_id: str, subject: str, tellings: list[_Telling], since: datetime
) -> None:
    age = ctx.clock.now() - since
    too_late, pause = age > GIVE_UP, min(max(age / 4, SHOP_PAUSE), LONGEST_PAUSE)
    for one in tellings:
        shop = shop_of(ctx, merchant_id, one.connection_id)
        if shop is None:
            continue
        try:
            _tell(ctx, merchant_id, shop, one)
        except OrderNotFound:
            continue
        except CredentialsRefused as error:
            if too_late:
                log.warning("announce_given_up", subject=subject, reason="keys refused")
                continue
            refused(ctx, shop.connection, f"{_NEEDS_WRITE} ({error})")
            raise paused(ctx.clock.now(), pause, subject, "keys refused") from None
        except PlatformUnreachable:
            if too_late:
                log.warning("announce_given_up", subject=subject, reason="no answer")
                continue
            raise paused(ctx.clock.now(), pause, subject, "no answer") from None


_NEEDS_WRITE: Final = "to note invoices at orders the keys have to be able to write"


def _tell(ctx: Context, merchant_id: str, shop: Shop, one: _Telling) -> None:
    if not isinstance(shop.connector, Announces) or not shop.can_be_asked:
        return
    news = one.news
    if not news.link and isinstance(shop.connector, AnnouncesLinks):
        news = replace(news, link=_link(ctx, merchant_id, one))
    shop.connector.announce(one.order_id, news, shop.facts, shop.credentials)


def _link(ctx: Context, merchant_id: str, one: _Telling) -> str:
    with ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        row = tenant.sales.by_key(one.connection_id, one.order_id)
        link = tenant.links.current(row.id) if row else None
    return ctx.link(link) if link else ""


def _tellings(tenant: Tenant, invoice: Invoice) -> list[_Telling]:
    """Nothing where another invoice has taken this one's place: that one has news of its own."""
    state = _state(invoice)
    if state is None or invoice.uuid is None:
        return []
    found = []
    for sale_id in invoice.sale_ids:
        row, part = tenant.sales.get(sale_id), tenant.claims.part_of(invoice.id, sale_id)
        standing = tenant.invoices.for_sale(sale_id, part)
        if row is None or row.connection_id is None:
            continue
        replaced = standing is not None and standing.id != invoice.id and standing.uuid is not None
        connection = _wanting(tenant, row)
        if replaced or connection is None:
            continue
        language = "en" if issuer_of(tenant).rules.idioma == "en" else "es"
        text = _TEXTS[language][state].format(uuid=invoice.uuid)
        text += _NO_VALUE[language] if invoice.environment == "test" else ""
        found.append(_Telling(connection.id, row.sale.key, News(state, invoice.uuid, text)))
    return found


def _wanting(tenant: Tenant, row: SaleRow) -> Connection | None:
    """The connection of a sale whose shop wants news."""
    connection = tenant.connections.get(row.connection_id) if row.connection_id else None
    wants = connection is not None and connection.settings.get(SETTING) is True
    return connection if wants else None


def _state(invoice: Invoice) -> str | None:
    if invoice.state is State.CANCELLED:
        return "cancelled"
    return "stamped" if invoice.state in _IN_FORCE else None
