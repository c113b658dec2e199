"""Who bought, with the fiscal data that a field of the checkout may already have asked for."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from cfdi.catalogs import REGIMEN_FISCAL, USO_CFDI
from connectors.reader import Reader
from hub.domain.sale import Buyer

#: Namespaces of the block checkout's own fields: `_wc_other/<namespace>/<field>`, see
#: https://developer.woocommerce.com/docs/block-development/extensible-blocks/cart-and-checkout-blocks/additional-checkout-fields/
_BLOCK_FIELD: Final = re.compile(r"_wc_(?:other|billing|shipping)/[^/]+/(?P<name>.+)")
_PREFIX: Final = re.compile(
    r"^_?(?:billing_|shipping_|order_|cfdi_|factura_|facturacion_|fiscal_)*"
)
_SUFFIX: Final = re.compile(r"(?:_(?:factura|facturacion|sat))+$")

#: Field names seen in plug-ins for Mexico, without prefix, by what they hold.
_MEANING: Final = {
    "rfc": "rfc",
    "regimen": "regimen",
    "regimen_fiscal": "regimen",
    "uso": "uso",
    "uso_cfdi": "uso",
    "uso_de_cfdi": "uso",
    "uso_del_cfdi": "uso",
    "razon_social": "fiscal_name",
    "nombre_fiscal": "fiscal_name",
    "denominacion_social": "fiscal_name",
    "codigo_postal": "postal_code",
    "codigo_postal_fiscal": "postal_code",
    "cp_fiscal": "postal_code",
    "domicilio_fiscal": "postal_code",
}
#: Our own plug-in's fields, whose names would be too common elsewhere.
_OURS: Final = "_wc_other/autofactura/"
_MEANING_OF_OURS: Final = {
    "rfc": "rfc",
    "nombre": "fiscal_name",
    "cp": "postal_code",
    "regimen": "regimen",
    "uso": "uso",
}
_SHAPE: Final = {
    "rfc": re.compile(r"[A-ZÑ&]{3,4}\d{6}[A-Z\d]{3}"),
    "regimen": re.compile(r"(\d{3})(?:\b.*)?"),
    "uso": re.compile(r"([A-Z]{1,2}\d{2})(?:\b.*)?"),
    "fiscal_name": re.compile(r".{1,300}"),
    "postal_code": re.compile(r"[0-9]{5}"),
}


def _plain(text: str) -> str:
    """Without case and accents: "Régimen" and "REGIMEN" are one."""
    bare = unicodedata.normalize("NFD", text.casefold())
    return " ".join("".join(one for one in bare if not unicodedata.combining(one)).split())


#: SAT's own names, where a field of the checkout holds those in place of the keys.
_WORDS: Final = {
    "regimen": {_plain(one.nombre): one.clave for one in REGIMEN_FISCAL.values()}
    | {"resico": "626"},
    "uso": {_plain(one.nombre): one.clave for one in USO_CFDI.values()},
}


def buyer_of(order: Reader) -> Buyer:
    """Fiscal data that is not of its shape is left out: the page asks for it anyway."""
    billing = order.at("billing")
    fiscal = _fiscal(order)
    names = (billing.text("first_name", ""), billing.text("last_name", ""))
    return Buyer(
        name=" ".join(" ".join(names).split()),
        email=billing.text("email", "").strip(),
        phone=billing.text("phone", "").strip(),
        country=billing.text("country", "").strip().upper(),
        postal_code=fiscal.get("postal_code") or billing.text("postcode", "").strip(),
        rfc=fiscal.get("rfc", ""),
        fiscal_name=fiscal.get("fiscal_name") or " ".join(billing.text("company", "").split()),
        regimen=fiscal.get("regimen", ""),
        uso=fiscal.get("uso", ""),
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
    name = match["name"] if match else key
    name = _plain(name).replace("-", "_").replace(" ", "_")
    return _MEANING.get(_SUFFIX.sub("", _PREFIX.sub("", name)))


def _value(meta: Reader, meaning: str) -> str:
    # A plug-in may keep anything under a name of its own, so a map is no error here.
    if not isinstance(meta.at("value").value, str):
        return ""
    value = " ".join(meta.text("value").split())
    if _plain(value) in _WORDS.get(meaning, {}):
        return _WORDS[meaning][_plain(value)]
    if meaning != "fiscal_name":
        value = value.upper()
    if meaning == "rfc":
        value = re.sub(r"[\s-]", "", value)
    match = _SHAPE[meaning].fullmatch(value)
    if match is None:
        return ""
    return match[1] if match.re.groups else match[0]
