"""customer: what a merchant sees, states and forgets of those who come again."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

DATA = ("--rfc", "cacx760510-1p8", "--nombre", "Xochilt Casas Chavez", "--cp", "36257",
        "--regimen", "612", "--uso", "G03", "--correo", "xochilt@example.com")  # fmt: skip


@pytest.fixture
def shop(home: Any) -> tuple[str, ...]:
    merchant = str(home.merchant())
    given = ("--platform", "woocommerce", "--url", "https://shop.example.com")
    made = home.told(
        "connection", "create", "--merchant", merchant, *given, "--webhook-secret", "canary"
    )
    return "--merchant", merchant, "--connection", str(made["id"])


def test_stated_shown_listed_forgotten(home: Any, shop: tuple[str, ...]) -> None:
    assert home.told("customer", "list", *shop[:2]) == {"data": [], "next": None}
    assert home.told("customer", "set", *shop, "cus/1", *DATA) == {"customer": "cus/1"}
    home.told("customer", "set", *shop, "cus/2", *DATA)
    shown = home.told("customer", "show", *shop, "cus/1")
    assert {name: shown[name] for name in ("connection", "customer", "source", "sales")} == {
        "connection": shop[3],
        "customer": "cus/1",
        "source": "staff",
        "sales": [],
    }
    assert (shown["rfc"], shown["nombre"], shown["cp"], shown["regimen"], shown["uso"]) == (
        "CACX7605101P8",
        "XOCHILT CASAS CHAVEZ",
        "36257",
        "612",
        "G03",
    )
    assert shown["correo"] == "xochilt@example.com"
    assert datetime.fromisoformat(shown["since_at"]) <= datetime.now(UTC)
    first = home.told("customer", "list", *shop[:2], "--limit", "1")
    assert first["next"] == [shop[3], "cus/1"]
    rest = home.told("customer", "list", *shop[:2], "--after", *first["next"])
    assert [one["customer"] for one in rest["data"]] == ["cus/2"]
    assert "cus/1" in home.run("customer", "list", *shop[:2]).output
    home.told("customer", "forget", *shop, "cus/1")
    assert home.refused("customer", "show", *shop, "cus/1")["code"] == "customer_not_found"
    assert home.refused("customer", "forget", *shop, "cus/1")["code"] == "customer_not_found"
    assert home.told("customer", "show", *shop, "cus/2")


@pytest.mark.parametrize(
    ("field", "value", "path"),
    [
        ("--rfc", "XAXX010101000", "rfc"),
        ("--rfc", "nobody", "rfc"),
        ("--cp", "00000", "cp"),
        ("--regimen", "601", "regimen"),
        ("--uso", "CP01", "uso"),
        ("--correo", "nobody", "correo"),
        ("--nombre", " ", "nombre"),
    ],
)
def test_wrong_data_change_nothing(
    home: Any, shop: tuple[str, ...], field: str, value: str, path: str
) -> None:
    place = DATA.index(field) + 1
    wrong = (*DATA[:place], value, *DATA[place + 1 :])
    error = home.refused("customer", "set", *shop, "cus/1", *wrong, status=2)
    assert error["code"] == "data_invalid"
    assert path in {one["path"] for one in error["details"]}
    assert home.told("customer", "list", *shop[:2])["data"] == []


def test_a_shop_and_an_id_that_are_none(home: Any, shop: tuple[str, ...]) -> None:
    elsewhere = (*shop[:3], "no-such-connection")
    for verb, more in (("show", ()), ("set", DATA), ("forget", ())):
        error = home.refused("customer", verb, *elsewhere, "cus/1", *more)
        assert error["code"] == "connection_not_found"
    for key in ("", "c" * 300, "c\n1"):
        error = home.refused("customer", "set", *shop, key, *DATA, status=2)
        assert error["code"] == "customer_invalid"


def test_nothing_of_it_lies_about_in_the_clear(home: Any, shop: tuple[str, ...]) -> None:
    home.told("customer", "set", *shop, "cus/1", *DATA)
    for file in home.var_dir.rglob("*"):
        if file.is_file():
            held = file.read_bytes()
            assert b"CACX7605101P8" not in held, file
            assert b"xochilt@example.com" not in held, file
    assert json.dumps(home.told("customer", "show", *shop, "cus/1")).count("CACX7605101P8") == 1
