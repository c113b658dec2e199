"""What became of the invoice, written at the bill or payment: metadata that Stripe never shows.

https://docs.stripe.com/api/metadata: 50 names, 500 characters each. Writing it fires an event
(invoice.updated) that no endpoint of ours is told of.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from connectors.abilities import News
from connectors.contract import OrderNotFound
from connectors.reader import Reader
from connectors.stripe.client import Api, ref, understood
from connectors.stripe.events import kind_of

ESTADO: Final = "cfdi_estado"
UUID: Final = "cfdi_uuid"
URL: Final = "cfdi_url"  # of the documents
LINK: Final = "cfdi_link"  # where the buyer asks for the invoice
LONGEST: Final = 500
_ESTADOS: Final = {"open": "abierta", "stamped": "lista", "cancelled": "cancelada"}
_PATHS: Final = {
    "invoice": "/v1/invoices",
    "payment_intent": "/v1/payment_intents",
    "charge": "/v1/charges",
}
#: The setting of a connection: a line at the foot of the customer's next invoices.
FOOTER: Final = "invoice_footer"
LONGEST_FOOTER: Final = 5000


def announce(api: Api, order_id: str, news: News, settings: Mapping[str, Any]) -> None:
    """Once for each state of each invoice, however often this is called."""
    path = _PATHS.get(kind_of(order_id) or "")
    if path is None:
        raise OrderNotFound("this is no bill or payment of Stripe")
    path = f"{path}/{order_id}"
    found = api.get(path)
    wanted = _metadata(news)
    with understood():
        known = {name: found.at("metadata").text(name, "") for name in wanted}
        customer = ref(found.at("customer"))
    if known != wanted:
        api.post(path, once=_once(path, known, wanted), metadata=wanted)
    footer = settings.get(FOOTER)
    if isinstance(footer, str) and 0 < len(footer) <= LONGEST_FOOTER and customer:
        _sign(api, customer, footer)


def _metadata(news: News) -> dict[str, str]:
    """An empty text takes a name away."""
    told = {ESTADO: _ESTADOS[news.state], UUID: news.uuid}
    link = news.link if len(news.link) <= LONGEST else ""
    if news.state == "open":
        return {**told, LINK: link}
    return {**told, URL: link} if link else told


def _once(path: str, known: Mapping[str, str], wanted: Mapping[str, str]) -> str:
    """From what to what: the way back and the same way again are other deeds."""
    told = repr((path, sorted(known.items()), sorted(wanted.items())))
    return f"autofactura-{hashlib.sha256(told.encode()).hexdigest()}"


def _sign(api: Api, customer_id: str, footer: str) -> None:
    """On a bill that is final nothing changes any more; the customer's next ones carry it.

    A footer of the merchant's own is left alone.
    """
    path = f"/v1/customers/{customer_id}"
    try:
        found = api.get(path)
    except OrderNotFound:
        return
    if not _has_room(found):
        return
    once = _once(path, {}, {FOOTER: footer})
    api.post(path, once=once, invoice_settings={"footer": footer})


def _has_room(customer: Reader) -> bool:
    with understood():
        if customer.flag("deleted", default=False):
            return False
        return not customer.at("invoice_settings").text("footer", "").strip()
