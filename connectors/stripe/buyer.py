"""Who bought, with the fiscal data that customer, checkout or metadata already hold.

The stronger source first: the metadata of the customer, its tax ids, name and address, the fields
of the checkout, the metadata of the subscription, and that of the invoice or payment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from connectors.fiscal import plain, shaped
from connectors.reader import Reader
from connectors.stripe.shapes import Document, ident, listed
from hub.domain.sale import Buyer

#: Names of metadata and of a checkout's own fields, without case and marks, by what they hold.
_MEANING: Final = {
    "rfc": "rfc",
    "taxid": "rfc",
    "razonsocial": "fiscal_name",
    "legalname": "fiscal_name",
    "nombrefiscal": "fiscal_name",
    "regimenfiscal": "regimen",
    "regimen": "regimen",
    "taxsystem": "regimen",
    "usocfdi": "uso",
    "usodecfdi": "uso",
    "usodelcfdi": "uso",
    "cfdiuse": "uso",
    "cp": "postal_code",
    "cpfiscal": "postal_code",
    "codigopostal": "postal_code",
    "codigopostalfiscal": "postal_code",
    "zip": "postal_code",
}
#: A Mexican RFC among the tax ids of a customer: https://docs.stripe.com/billing/customer/tax-ids
_MX_RFC: Final = "mx_rfc"

Facts = dict[str, str]


def buyer_of_customer(customer: Reader) -> Buyer:
    """A customer as Stripe keeps it, with its `tax_ids` if they were asked for."""
    return _merged(ident(customer, "id"), _of_customer(customer))


def typed_rfc(sessions: Iterable[Reader]) -> str:
    """The RFC in the merchant's own fields of the newest of these Checkouts that has one."""
    found = (_of_fields(one).get("rfc", "") for one in sessions)
    return next((rfc for rfc in found if rfc), "")


def buyer_of(document: Document) -> Buyer:
    """Fiscal data that is not of its shape is left out: the page asks for it anyway."""
    key = ident(document.object, "customer") or ident(document.fetched, "customer")
    return _merged(key, _sources(document))


def _merged(key: str, sources: Iterator[Facts]) -> Buyer:
    found: Facts = {}
    for source in sources:
        found = {**source, **{name: text for name, text in found.items() if text}}
    return Buyer(key=key, **found)


def _sources(document: Document) -> Iterator[Facts]:
    """The strongest first."""
    thing, customer = document.object, document.one("customer")
    yield from _of_customer(customer)
    # A tax id that the customer took away since the invoice was finalized is none any more.
    yield from _of_invoice_copy(thing, with_rfc=not _says_tax_ids(customer))
    session = document.one("session")
    yield from _of_details(session.at("customer_details"))
    yield _of_fields(session)
    yield _of_metadata(document.one("subscription"))
    yield _of_metadata(thing.at("parent.subscription_details"))
    yield _of_metadata(thing.at("subscription_details"))
    yield _of_metadata(thing)
    yield _of_metadata(session)
    for charge in document.listed("charges"):
        yield from _of_details(charge.at("billing_details"))
    if thing.text("object", "") == "charge":
        yield from _of_details(thing.at("billing_details"))
    yield {"email": _text(thing, "receipt_email")}


def _of_customer(customer: Reader) -> Iterator[Facts]:
    if isinstance(customer.value, dict):
        told = _of_metadata(customer)
        yield told
        yield from _of_details(customer, named="rfc" in told)


def _says_tax_ids(customer: Reader) -> bool:
    return isinstance(customer.value, dict) and customer.has("tax_ids")


def _of_invoice_copy(invoice: Reader, *, with_rfc: bool) -> Iterator[Facts]:
    """What an invoice keeps of the customer since it was finalized."""
    rfc = _rfc_of(invoice, "customer_tax_ids") if with_rfc else ""
    name = _text(invoice, "customer_name")
    yield {
        "name": name,
        "email": _text(invoice, "customer_email"),
        "phone": _text(invoice, "customer_phone"),
        "rfc": rfc,
        "fiscal_name": name if rfc else "",
    }
    yield _of_address(invoice.at("customer_address"))


def _of_details(place: Reader, *, named: bool = False) -> Iterator[Facts]:
    """A customer, what a checkout asked for, or to whom a charge was billed.

    `named`: whose RFC is known by other words of the same place, and whose name it is then.
    """
    if not isinstance(place.value, dict):
        return
    rfc, name, business = _rfc_of(place, "tax_ids"), _text(place, "name"), ""
    business = _text(place, "business_name")
    yield {
        "name": name or _text(place, "individual_name") or business,
        "email": _text(place, "email"),
        "phone": _text(place, "phone"),
        "rfc": rfc,
        "fiscal_name": business or (name if rfc or named else ""),
    }
    yield _of_address(place.at("address"))


def _of_address(address: Reader) -> Facts:
    if not isinstance(address.value, dict):
        return {}
    country = _text(address, "country").upper()
    postal_code = _text(address, "postal_code")
    ours = country in {"", "MX"}
    return {"country": country, "postal_code": shaped("postal_code", postal_code) if ours else ""}


def _rfc_of(place: Reader, name: str) -> str:
    """The one RFC among the tax ids; "" where there are several, for nobody says which counts."""
    found = {
        shaped("rfc", _text(tax_id, "value"))
        for tax_id in listed(place, name)
        if isinstance(tax_id.value, dict) and tax_id.text("type", "") == _MX_RFC
    } - {""}
    return found.pop() if len(found) == 1 else ""


def _of_metadata(place: Reader) -> Facts:
    if not isinstance(place.value, dict):
        return {}
    metadata = place.at("metadata")
    return _told(metadata.value) if isinstance(metadata.value, dict) else {}


def _of_fields(session: Reader) -> Facts:
    """https://docs.stripe.com/payments/checkout/custom-fields"""
    if not isinstance(session.value, dict):
        return {}
    told: dict[str, object] = {}
    for field in session.items("custom_fields"):
        kind = field.text("type", "")
        if kind in {"text", "numeric", "dropdown"}:
            told.setdefault(field.text("label.custom", ""), field.at(kind).at("value").value)
            told[field.text("key", "")] = field.at(kind).at("value").value
    return _told(told)


def _told(metadata: Mapping[str, object]) -> Facts:
    found: Facts = {}
    for name, value in metadata.items():
        meaning = _MEANING.get("".join(sign for sign in plain(name) if sign.isalnum()))
        if meaning and meaning not in found and isinstance(value, str):
            found[meaning] = shaped(meaning, Reader({"value": value}).text("value"))
    return {meaning: value for meaning, value in found.items() if value}


def _text(place: Reader, name: str) -> str:
    return " ".join(place.text(name, "").split())
