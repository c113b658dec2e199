"""Who bought, with the fiscal data that Shopify's checkout or the shop's cart already asked for.

An app without access to protected customer data reads null everywhere here: that is normal.
https://shopify.dev/docs/apps/launch/protected-customer-data
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from connectors import fiscal
from connectors.reader import Reader
from connectors.shopify.reading import nodes, tail
from hub.domain.sale import Buyer

#: What Shopify's own checkout asks buyers in Mexico for, where a shop has it do so:
#: https://shopify.dev/docs/api/admin-graphql/latest/enums/LocalizedFieldKey
_LOCALIZED: Final = {
    "TAX_CREDENTIAL_MX": "rfc",
    "TAX_CREDENTIAL_TYPE_MX": "regimen",
    "TAX_CREDENTIAL_USE_MX": "uso",
}
#: Names of address, customer and cart attributes: by the Admin API, and as delivered.
_FETCHED: Final = {
    "address": "billingAddress",
    "zip": "zip",
    "country": "countryCodeV2",
    "attributes": "customAttributes",
    "name": "key",
}
_DELIVERED: Final = {
    "address": "billing_address",
    "zip": "zip",
    "country": "country_code",
    "attributes": "note_attributes",
    "name": "name",
}


def buyer_of(order: Reader, settings: Mapping[str, Any], *, fetched: bool) -> Buyer:
    """Setting `fiscal_fields` names more attributes: `{"rfc": ["RFC del cliente"], …}`."""
    names = _FETCHED if fetched else _DELIVERED
    billing = order.at(names["address"])
    found = fiscal.found_in(_attributes(order, names), _known(settings))
    found |= _localized(order) if fetched else {}
    return Buyer(
        key=tail(order.text("customer.id", "")),
        name=" ".join(billing.text("name", "").split()),
        email=order.text("email", "").strip(),
        phone=order.text("phone", "").strip(),
        country=billing.text(names["country"], "").strip().upper(),
        postal_code=found.get("postal_code") or billing.text(names["zip"], "").strip(),
        rfc=found.get("rfc", ""),
        fiscal_name=found.get("fiscal_name") or " ".join(billing.text("company", "").split()),
        regimen=found.get("regimen", ""),
        uso=found.get("uso", ""),
    )


def _localized(order: Reader) -> dict[str, str]:
    """Shopify's own fields, before any attribute of the same meaning."""
    found = {}
    for one in nodes(order, "localizedFields"):
        meaning = _LOCALIZED.get(one.text("key", ""))
        if meaning and (value := fiscal.shaped(meaning, one.text("value", ""))):
            found[meaning] = value
    return found


def _attributes(order: Reader, names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for one in order.items(names["attributes"]):
        name, value = one.at(names["name"]).value, one.at("value").value
        # A theme may keep anything in the cart, so another shape is no error here.
        if isinstance(name, str) and isinstance(value, str):
            yield one.text(names["name"]), one.text("value")


def _known(settings: Mapping[str, Any]) -> dict[str, str]:
    given = settings.get("fiscal_fields")
    if not isinstance(given, Mapping):
        return {}
    return {
        fiscal.plain(str(name)): meaning
        for meaning, names in given.items()
        if meaning in fiscal.MEANINGS
        for name in (names if isinstance(names, list | tuple) else (names,))
    }
