"""Fiscal data that a checkout already asked for, under whatever names its fields have.

It fills a form in and no more, so what has not the shape of its kind is left out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final

from cfdi.catalogs import REGIMEN_FISCAL, USO_CFDI

_PREFIX: Final = re.compile(
    r"^_?(?:billing_|shipping_|order_|cfdi_|factura_|facturacion_|fiscal_)*"
)
_SUFFIX: Final = re.compile(r"(?:_(?:factura|facturacion|sat))+$")

#: Names seen for such fields in Mexico, without prefix, by what they hold.
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
_SHAPE: Final = {
    "rfc": re.compile(r"[A-ZÑ&]{3,4}[0-9]{6}[A-Z0-9]{3}"),
    "regimen": re.compile(r"([0-9]{3})(?:\b.*)?"),
    "uso": re.compile(r"([A-Z]{1,2}[0-9]{2})(?:\b.*)?"),
    "fiscal_name": re.compile(r".{1,300}"),
    "postal_code": re.compile(r"[0-9]{5}"),
}
#: What `meaning_of` and `shaped` speak of.
MEANINGS: Final = frozenset(_SHAPE)


def plain(text: str) -> str:
    """Without case and accents: "Régimen" and "REGIMEN" are one."""
    bare = unicodedata.normalize("NFD", text.casefold())
    return " ".join("".join(one for one in bare if not unicodedata.combining(one)).split())


#: SAT's own names, where a field of the checkout holds those in place of the keys.
_WORDS: Final = {
    "regimen": {plain(one.nombre): one.clave for one in REGIMEN_FISCAL.values()}
    | {"resico": "626"},
    "uso": {plain(one.nombre): one.clave for one in USO_CFDI.values()},
}


def meaning_of(name: str) -> str | None:
    """What a field of this name holds, one of `MEANINGS`; None if its name says nothing."""
    name = plain(name).replace("-", "_").replace(" ", "_")
    return _MEANING.get(_SUFFIX.sub("", _PREFIX.sub("", name)))


def shaped(meaning: str, text: str) -> str:
    """The value as the form takes it; "" if it has not the shape of its kind."""
    value = " ".join(text.split())
    if plain(value) in _WORDS.get(meaning, {}):
        return _WORDS[meaning][plain(value)]
    if meaning != "fiscal_name":
        value = value.upper()
    if meaning == "rfc":
        value = re.sub(r"[\s-]", "", value)
    match = _SHAPE[meaning].fullmatch(value)
    if match is None:
        return ""
    return match[1] if match.re.groups else match[0]


def found_in(
    fields: Iterable[tuple[str, str]], known: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Of fields by name, the first of each meaning that has its shape.

    `known` names fields, in `plain` letters, whose names would say nothing by themselves.
    """
    found: dict[str, str] = {}
    for name, text in fields:
        meaning = (known or {}).get(plain(name)) or meaning_of(name)
        if meaning and meaning not in found and (value := shaped(meaning, text)):
            found[meaning] = value
    return found
