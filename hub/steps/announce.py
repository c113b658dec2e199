"""announce: an order says in its shop what became of its invoice, where the merchant wants it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from connectors.contract import (
    Announces,
    CredentialsRefused,
    News,
    OrderNotFound,
    PlatformUnreachable,
)
from hub.domain.states import State
from hub.steps.context import Context
from hub.steps.issuer import issuer_of
from hub.steps.later import SHOP_PAUSE, paused
from hub.steps.shops import Shop, report, shop_of
from hub.store.database import Tenant
from hub.store.records import Invoice

log = structlog.get_logger(__name__)

#: The setting of a connection.
SETTING: Final = "announce"
#: News older than this are nobody's news.
GIVE_UP: Final = timedelta(days=7)
LONGEST_PAUSE: Final = timedelta(hours=6)

_IN_FORCE: Final = frozenset({State.STAMPED, State.SUPERSEDED, State.CANCELLING})
_TEXTS: Final = {
    "es": {"stamped": "CFDI emitido: {uuid}", "cancelled": "CFDI cancelado ante el SAT: {uuid}"},
    "en": {"stamped": "CFDI issued: {uuid}", "cancelled": "CFDI cancelled with SAT: {uuid}"},
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


def announce(ctx: Context, merchant_id: str, invoice_id: str) -> None:
    """Tell each shop the state that the invoice has now. Repeating it changes nothing.

    Raises `RunLater` while a shop does not answer or refuses our keys, for some days.
    """
    with ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        invoice = tenant.invoices.get(invoice_id)
        tellings = _tellings(tenant, invoice) if invoice else []
    if invoice is None or not tellings:
        return
    age = ctx.clock.now() - invoice.updated_at
    too_late, pause = age > GIVE_UP, min(max(age / 4, SHOP_PAUSE), LONGEST_PAUSE)
    for one in tellings:
        shop = shop_of(ctx, merchant_id, one.connection_id)
        if shop is None:
            continue
        try:
            _tell(shop, one)
        except OrderNotFound:
            continue
        except CredentialsRefused as error:
            if too_late:
                log.warning("announce_given_up", invoice=invoice_id, reason="keys refused")
                continue
            report(ctx, shop.connection, f"{_NEEDS_WRITE} ({error})")
            raise paused(ctx.clock.now(), pause, invoice_id, "keys refused") from None
        except PlatformUnreachable:
            if too_late:
                log.warning("announce_given_up", invoice=invoice_id, reason="no answer")
                continue
            raise paused(ctx.clock.now(), pause, invoice_id, "no answer") from None


_NEEDS_WRITE: Final = "to note invoices at orders the keys have to be able to write"


def _tell(shop: Shop, one: _Telling) -> None:
    if isinstance(shop.connector, Announces) and shop.can_be_asked:
        shop.connector.announce(one.order_id, one.news, shop.facts, shop.credentials)


def _tellings(tenant: Tenant, invoice: Invoice) -> list[_Telling]:
    """Nothing where another invoice has taken this one's place: that one has news of its own."""
    state = _state(invoice)
    if state is None or invoice.uuid is None:
        return []
    found = []
    for sale_id in invoice.sale_ids:
        row, standing = tenant.sales.get(sale_id), tenant.invoices.for_sale(sale_id)
        if row is None or row.connection_id is None:
            continue
        replaced = standing is not None and standing.id != invoice.id and standing.uuid is not None
        connection = tenant.connections.get(row.connection_id)
        if replaced or connection is None or connection.settings.get(SETTING) is not True:
            continue
        language = "en" if issuer_of(tenant).rules.idioma == "en" else "es"
        text = _TEXTS[language][state].format(uuid=invoice.uuid)
        text += _NO_VALUE[language] if invoice.environment == "test" else ""
        found.append(_Telling(connection.id, row.sale.key, News(state, invoice.uuid, text)))
    return found


def _state(invoice: Invoice) -> str | None:
    if invoice.state is State.CANCELLED:
        return "cancelled"
    return "stamped" if invoice.state in _IN_FORCE else None
