"""The state of the invoice, written at the order: a private note, and two metas.

Writing a meta changes the order, so the store tells us of it: an echo that changes no sale. The
metas are copied to renewals by WooCommerce Subscriptions where our plug-in does not prevent it;
nothing here or in the hub takes them for truth.
"""

from __future__ import annotations

from typing import Final

from connectors.abilities import News
from connectors.reader import Reader, read_json
from connectors.woocommerce.client import Shop, understood

ESTADO: Final = "_autofactura_estado"
UUID: Final = "_autofactura_uuid"
#: The words that the plug-in shows.
_ESTADOS: Final = {"stamped": "lista", "cancelled": "cancelada"}


def announce(shop: Shop, order_id: str, news: News) -> None:
    """One note for each state of each invoice, however often this is called.

    The metas are written last. Where a crash came between, the note is found by its words, which
    name the UUID.
    """
    wanted = {ESTADO: _ESTADOS[news.state], UUID: news.uuid}
    with understood():
        known = _metas(read_json(shop.part(order_id, "id,meta_data")))
    if known == wanted:
        return
    with understood():
        notes = read_json(shop.notes(order_id)).elements()
        noted = any(news.text in note.text("note", "") for note in notes)
    if not noted:
        # Without customer_note the store keeps it to itself; with it, it would mail the buyer.
        shop.write("POST", f"orders/{order_id}/notes", {"note": news.text})
    metas = [{"key": key, "value": value} for key, value in wanted.items()]
    shop.write("PUT", f"orders/{order_id}", {"meta_data": metas})


def _metas(order: Reader) -> dict[str, str]:
    """Ours, the last of each. A renewal may carry copies: then UUID and state are another's."""
    found: dict[str, str] = {}
    for meta in order.items("meta_data"):
        key = meta.at("key").value
        if key in {ESTADO, UUID} and isinstance(meta.at("value").value, str):
            found[key] = meta.text("value")
    return found
