"""Who bought, with the fiscal data that a field of the checkout may already have asked for."""

from __future__ import annotations

import re
from typing import Final

from connectors import fiscal
from connectors.reader import Reader
from hub.domain.sale import Buyer

#: Namespaces of the block checkout's own fields: `_wc_other/<namespace>/<field>`, see
#: https://developer.woocommerce.com/docs/block-development/extensible-blocks/cart-and-checkout-blocks/additional-checkout-fields/
_BLOCK_FIELD: Final = re.compile(r"_wc_(?:other|billing|shipping)/[^/]+/(?P<name>.+)")
#: Our own plug-in's fields, whose names would be too common elsewhere.
_OURS: Final = "_wc_other/autofactura/"
_MEANING_OF_OURS: Final = {
    "rfc": "rfc",
    "nombre": "fiscal_name",
    "cp": "postal_code",
    "regimen": "regimen",
    "uso": "uso",
}


def buyer_of(order: Reader) -> Buyer:
    """Fiscal data that is not of its shape is left out: the page asks for it anyway."""
    billing = order.at("billing")
    fiscal_data = _fiscal(order)
    names = (billing.text("first_name", ""), billing.text("last_name", ""))
    return Buyer(
        name=" ".join(" ".join(names).split()),
        email=billing.text("email", "").strip(),
        phone=billing.text("phone", "").strip(),
        country=billing.text("country", "").strip().upper(),
        postal_code=fiscal_data.get("postal_code") or billing.text("postcode", "").strip(),
        rfc=fiscal_data.get("rfc", ""),
        fiscal_name=fiscal_data.get("fiscal_name") or " ".join(billing.text("company", "").split()),
        regimen=fiscal_data.get("regimen", ""),
        uso=fiscal_data.get("uso", ""),
    )


def _fiscal(order: Reader) -> dict[str, str]:
    """The first meta of each meaning that has its shape."""
    found: dict[str, str] = {}
    for meta in order.items("meta_data"):
        meaning = _meaning(meta)
        if meaning and meaning not in found and (value := _value(meta, meaning)):
            found[meaning] = value
    return found


def _meaning(meta: Reader) -> str | None:
    key = meta.at("key").value
    if not isinstance(key, str):
        return None
    if key.startswith(_OURS):
        return _MEANING_OF_OURS.get(key.removeprefix(_OURS))
    match = _BLOCK_FIELD.fullmatch(key)
    return fiscal.meaning_of(match["name"] if match else key)


def _value(meta: Reader, meaning: str) -> str:
    # A plug-in may keep anything under a name of its own, so a map is no error here.
    if not isinstance(meta.at("value").value, str):
        return ""
    return fiscal.shaped(meaning, meta.text("value"))
