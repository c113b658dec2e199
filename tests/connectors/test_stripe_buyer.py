"""Fiscal data from wherever Stripe holds it: which source wins, and what is of no shape."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from connectors.reader import Reader, read_json
from connectors.stripe.buyer import buyer_of_customer
from connectors.stripe.orders import sale_of
from hub.domain.sale import Buyer
from tests.connectors.stripe_objects.render import CUSTOMER, NEWEST, VERSIONS, Json
from tests.connectors.stripe_objects.scenarios import BILLS, INTENTS

BILL = BILLS["on-top"]


def buyer(document: Any) -> Buyer:
    return sale_of(json.dumps(document).encode(), {}).buyer


def of_customer(**more: Any) -> Buyer:
    return buyer_of_customer(read_json(json.dumps(CUSTOMER | more).encode()))


def with_customer(**more: Any) -> Buyer:
    return buyer(replace(BILL, customer=CUSTOMER | more).bundle())


def field(key: str, value: Any, kind: str = "text", label: str = "Dato") -> Json:
    return {
        "key": key,
        "label": {"custom": label, "type": "custom"},
        "type": kind,
        kind: {"value": value},
    }


def test_a_customer_with_an_rfc() -> None:
    assert of_customer() == Buyer(
        key="cus_MadeOne",
        name="XOCHILT CASAS CHAVEZ",
        email="compras@cliente.example",
        phone="+525555550000",
        country="MX",
        postal_code="36257",
        rfc="CACX7605101P8",
        fiscal_name="XOCHILT CASAS CHAVEZ",
    )
    assert with_customer() == of_customer()


def test_metadata_wins_over_all_else() -> None:
    metadata = {
        "RFC": "eku 9003173-c9",
        "Razon_Social": "ESCUELA KEMPER URGATE",
        "regimenFiscal": "601",
        "USO CFDI": "g03",
        "codigo-postal": "42501",
    }
    made = with_customer(metadata=metadata)
    assert (made.rfc, made.fiscal_name) == ("EKU9003173C9", "ESCUELA KEMPER URGATE")
    assert (made.regimen, made.uso, made.postal_code) == ("601", "G03", "42501")


@pytest.mark.parametrize(
    ("name", "field_of"),
    [
        ("rfc", "rfc"),
        ("legal_name", "fiscal_name"),
        ("tax_system", "regimen"),
        ("cfdi_use", "uso"),
        ("cp", "postal_code"),
        ("zip", "postal_code"),
    ],
)
def test_other_names_of_the_same(name: str, field_of: str) -> None:
    value = {
        "rfc": "EKU9003173C9",
        "fiscal_name": "OTRA",
        "regimen": "626",
        "uso": "S01",
        "postal_code": "06000",
    }[field_of]
    assert getattr(with_customer(metadata={name: value}), field_of) == value


def test_words_of_sat_are_its_keys() -> None:
    made = of_customer(
        metadata={"regimen": "General de Ley Personas Morales", "uso_cfdi": "gastos en general"}
    )
    assert (made.regimen, made.uso) == ("601", "G03")
    assert of_customer(metadata={"regimen": "RESICO"}).regimen == "626"
    assert of_customer(metadata={"regimen": "601 - General de Ley"}).regimen == "601"


def test_the_business_name_is_the_fiscal_one() -> None:
    made = of_customer(business_name="EMPRESA")
    assert (made.name, made.fiscal_name) == ("XOCHILT CASAS CHAVEZ", "EMPRESA")
    no_rfc = of_customer(tax_ids={"data": []})
    assert (no_rfc.rfc, no_rfc.fiscal_name) == ("", "")


def test_the_name_of_a_customer_whose_rfc_stands_in_the_metadata() -> None:
    """As at one whose RFC is a tax id; what an invoice or a card calls somebody is no such word."""
    none = {"data": []}
    made = of_customer(tax_ids=none, metadata={"rfc": "CACX7605101P8"})
    assert (made.rfc, made.fiscal_name) == ("CACX7605101P8", "XOCHILT CASAS CHAVEZ")
    assert with_customer(tax_ids=none, metadata={"rfc": "CACX7605101P8"}) == made
    own = of_customer(tax_ids=none, metadata={"rfc": "CACX7605101P8", "razon_social": "OTRA"})
    assert own.fiscal_name == "OTRA"
    named = of_customer(tax_ids=none, metadata={"rfc": "CACX7605101P8"}, business_name="EMPRESA")
    assert named.fiscal_name == "EMPRESA"


def test_another_tax_id_is_no_rfc() -> None:
    other = {"data": [{"type": "eu_vat", "value": "DE123456789"}]}
    assert of_customer(tax_ids=other).rfc == ""
    both = {"data": [*other["data"], {"type": "mx_rfc", "value": "cacx7605101p8"}]}
    assert of_customer(tax_ids=both).rfc == "CACX7605101P8"


@pytest.mark.parametrize(
    "value", ["", "X", "CACX7605101P", "../etc", "<b>", "CACX7605101P8\u202e", "١٢٣٤٥٦٧٨٩٠١٢"]
)
def test_what_has_no_shape_is_left_out(value: str) -> None:
    assert of_customer(metadata={"rfc": value}).rfc == "CACX7605101P8"
    assert of_customer(metadata={"cp": value}).postal_code == "36257"
    assert of_customer(metadata={"regimen": value, "uso": value}).regimen == ""


def test_metadata_of_another_shape_is_of_no_use() -> None:
    assert of_customer(metadata={"rfc": ["EKU9003173C9"], "cp": 6000}).rfc == "CACX7605101P8"
    assert of_customer(metadata=[]).rfc == "CACX7605101P8"


def test_an_address_abroad_has_no_mexican_postal_code() -> None:
    made = of_customer(address={"country": "us", "postal_code": "63385"})
    assert (made.country, made.postal_code) == ("US", "")
    assert of_customer(address=None).postal_code == ""
    assert of_customer(address={"country": None, "postal_code": "06000"}).postal_code == "06000"


def test_the_customer_of_today_wins_over_what_the_invoice_keeps() -> None:
    document = BILL.bundle()
    document["customer"] = CUSTOMER | {"email": "nuevo@cliente.example", "name": "OTRO NOMBRE"}
    made = buyer(document)
    assert (made.email, made.name) == ("nuevo@cliente.example", "OTRO NOMBRE")
    assert buyer(BILL.event(NEWEST)).email == "compras@cliente.example"


def tax_ids(*values: str) -> Json:
    held = [{"object": "tax_id", "type": "mx_rfc", "value": one} for one in values]
    return {"object": "list", "data": held, "has_more": False}


def test_a_tax_id_that_was_taken_away_since_is_none() -> None:
    document = BILL.bundle()
    document["customer"] = CUSTOMER | {"tax_ids": tax_ids()}
    assert buyer(document).rfc == ""
    document["customer"] = CUSTOMER | {"tax_ids": tax_ids("EKU9003173C9", "URE180429TM6")}
    assert buyer(document).rfc == ""


@pytest.mark.parametrize(
    ("values", "rfc"),
    [
        (("EKU9003173C9", "CACX7605101P8"), ""),
        (("EKU9003173C9", "eku-9003173-c9"), "EKU9003173C9"),
        (("not one", "EKU9003173C9"), "EKU9003173C9"),
    ],
)
def test_of_several_tax_ids_none_is_guessed(values: tuple[str, ...], rfc: str) -> None:
    assert of_customer(tax_ids=tax_ids(*values)).rfc == rfc
    assert with_customer(tax_ids=tax_ids(*values)).rfc == rfc


def test_a_deleted_customer_leaves_what_the_invoice_keeps() -> None:
    document = BILL.bundle()
    document["customer"] = {"id": "cus_MadeOne", "object": "customer", "deleted": True}
    made = buyer(document)
    assert (made.key, made.rfc) == ("cus_MadeOne", "CACX7605101P8")


@pytest.mark.parametrize("version", VERSIONS)
def test_metadata_of_the_subscription_wins_over_that_of_the_invoice(version: str) -> None:
    made = replace(
        BILL,
        customer=None,
        subscription_metadata={"rfc": "EKU9003173C9"},
        metadata={"rfc": "CACX7605101P8", "uso_cfdi": "S01"},
    )
    found = buyer(made.event(version))
    assert (found.rfc, found.uso) == ("EKU9003173C9", "S01")
    document = replace(made, subscription_metadata={}).bundle(version)
    document["subscription"] = {"id": "sub_1", "metadata": {"rfc": "EKU9003173C9"}}
    assert buyer(document).rfc == "EKU9003173C9"


def test_fields_of_the_checkout() -> None:
    fields = (
        field("rfc", "EKU9003173C9"),
        field("f1", "601", "dropdown", label="Régimen fiscal"),
        field("usocfdi", None),
        field("cp", "42501", "numeric"),
        {"key": "odd", "type": "signature"},
    )
    made = buyer(replace(INTENTS["checkout"], fields=fields, details=None).bundle())
    assert (made.rfc, made.regimen, made.uso, made.postal_code) == (
        "EKU9003173C9",
        "601",
        "",
        "42501",
    )
    # Weaker than what the checkout itself asks for.
    assert buyer(replace(INTENTS["checkout"], fields=fields).bundle()).rfc == "CACX7605101P8"


def test_who_paid_without_being_a_customer() -> None:
    document = INTENTS["oxxo"].bundle()
    document["charges"][0]["billing_details"] = {"email": "a@b.example", "name": "Ana"}
    made = buyer(document)
    assert (made.key, made.name, made.email, made.rfc) == ("", "Ana", "a@b.example", "")


def test_a_customer_that_is_nothing_is_nobody() -> None:
    assert buyer_of_customer(Reader({"id": "cus_1"})) == Buyer(key="cus_1")
