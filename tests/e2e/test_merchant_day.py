"""What a merchant decides and does: rules, sales of the counter, globals made elsewhere, answers to
buyers whom SAT refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests
from lxml import etree

pytestmark = pytest.mark.slow

D = Decimal
NS = {"c": "http://www.sat.gob.mx/cfd/4"}
RULES = """\
[forma_pago]
default = "04"
[ventana]
dias = 366
"""
EXEMPT = """
[producto.default]
impuesto = "exento"
[producto.envio]
impuesto = "incluye_iva_16"
"""
DOLLARS = """
[moneda.USD]
tipo_cambio = "17.85"
"""


@pytest.fixture(scope="module")
def home(install: Any) -> Any:
    return install()


@pytest.fixture(scope="module")
def shop(home: Any) -> Any:
    return home.merchant(rules=RULES)


def captured(captures: list[Any], number: str, **changes: Any) -> dict[str, Any]:
    """The last capture of an order, as of late."""
    bodies = [one for one in captures if not one.is_ping and "deleted" not in one.name]
    [*_, last] = [one for one in bodies if str(one.order()["id"]) == number]
    return dict(last.of_late().order()) | changes


def counter_sale(number: str, *, days_ago: int = 0) -> str:
    paid_at = (datetime.now(UTC) - timedelta(days=days_ago, minutes=5)).isoformat("T", "seconds")
    lines = [
        {"description": "Consulta", "quantity": 1, "total": "580.00", "rate": "0.16"},
        {"description": "Libro", "quantity": 3, "total": "99.99", "rate": "0"},
    ]
    return json.dumps(
        {
            "number": number,
            "paid_at": paid_at,
            "forma_pago": "01",
            "lines": lines,
            "total": "679.99",
        }
    )


def test_a_sale_that_needs_rules_waits_with_its_reason_and_is_freed_by_them(
    shop: Any, captures: list[Any], link_of: Any, buyer: dict[str, str]
) -> None:
    paid = captured(captures, "25")["date_paid_gmt"]
    needs_words = captured(captures, "20", status="processing", date_paid_gmt=paid, date_paid=paid)
    assert shop.order(needs_words).status_code == 200
    assert shop.order(captured(captures, "26")).status_code == 200
    shop.digested()
    waiting = {one["number"]: one for one in shop.waiting()}
    assert set(waiting) == {"20", "26"}
    assert all(one["kind"] == "sale" and one["reasons"] for one in waiting.values())
    assert any("USD" in one["message"] for one in waiting["26"]["reasons"])
    assert shop.sales()["20"]["state"] == "en_revision"
    assert shop.home.set_rules(shop.merchant_id, RULES + EXEMPT)["freed"] == 1
    assert shop.home.set_rules(shop.merchant_id, RULES + EXEMPT + DOLLARS)["freed"] == 1
    assert shop.waiting() == []
    documents = {}
    for number in ("20", "26"):
        link = link_of(shop.sales()[number])
        assert link.send(buyer).status_code == 303
        assert link.settled()["estado"] == "lista"
        documents[number] = etree.fromstring(link.download("cfdi.xml"))
    factors = {one.get("TipoFactor") for one in documents["20"].iterfind(".//c:Traslado", NS)}
    assert (D(documents["20"].get("Total", "")), "Exento" in factors) == (D("952.00"), True)
    assert documents["26"].get("Moneda") == "USD"
    assert D(documents["26"].get("Total", "")) == D("143.21")
    assert D(documents["26"].get("TipoCambio", "")) == D("17.85")


def test_wrong_rules_change_nothing(shop: Any) -> None:
    before = shop.home.cli("rules", "show", "--merchant", shop.merchant_id)
    words = ("rules", "set", "--merchant", shop.merchant_id, "--file", "-")
    told = shop.home.cli(*words, stdin="[ventana]\ndias = 0\nhasta = 'siempre'\n", expect=1)
    assert told["error"]["code"] == "rules_invalid"
    assert {one["path"] for one in told["error"]["details"]} & {"ventana", "ventana.dias"}
    assert shop.home.cli("rules", "show", "--merchant", shop.merchant_id) == before


def test_staff_invoice_a_sale_of_the_counter(shop: Any, link_of: Any, eventually: Any) -> None:
    create = ("sale", "create", "--merchant", shop.merchant_id, "--file", "-")
    sale = shop.home.cli(*create, stdin=counter_sale("M-1"))
    assert len(sale["code"]) >= 8
    assert sale["link"].startswith(f"{shop.home.url}/f/")
    assert shop.home.cli(*create, stdin=counter_sale("M-1"))["id"] == sale["id"]
    made = shop.home.cli(
        *("invoice", "create", "--merchant", shop.merchant_id, "--sale", sale["id"]),
        *("--rfc", "MISC491214B86", "--nombre", "CECILIA MIRANDA SANCHEZ", "--cp", "01010"),
        *("--regimen", "612", "--uso", "G03"),
    )
    answer = link_of(sale).settled()
    assert answer["estado"] == "lista"
    show = ("invoice", "show", "--merchant", shop.merchant_id, made["id"])
    shown = shop.home.cli(*show)
    assert (shown["uuid"], shown["origin"], D(shown["total"])) == (
        answer["uuid"],
        "staff",
        D("679.99"),
    )
    assert [one["outcome"] for one in shown["attempts"]] == ["stamped"]


def test_an_invoice_is_cancelled_and_the_purchase_invoiced_anew(
    shop: Any, link_of: Any, eventually: Any, buyer: dict[str, str], tmp_path: Any
) -> None:
    create = ("sale", "create", "--merchant", shop.merchant_id, "--file", "-")
    link = link_of(shop.home.cli(*create, stdin=counter_sale("C-1")))
    link.send(buyer)
    first = link.settled()["uuid"]
    listed = shop.home.cli("invoice", "list", "--merchant", shop.merchant_id)["data"]
    [invoice] = [one["id"] for one in listed if one["uuid"] == first]
    of = ("--merchant", shop.merchant_id, invoice)
    assert shop.home.cli("invoice", "status", *of)["sat"]["estado"] == "Vigente"
    wrong = shop.home.cli("invoice", "cancel", *of, "--motivo", "01", expect=2)
    assert wrong["error"]["code"] == "substitute_needed"
    shop.home.cli("invoice", "cancel", *of, "--motivo", "02")
    eventually(lambda: link.estado()["estado"] == "abierta")
    told = shop.home.cli("invoice", "status", *of)
    assert told["state"] == "cancelled"
    assert [one["kind"] for one in told["cancellation"]["events"]] == ["sent", "filed", "ended"]
    acuse = tmp_path / "acuse.xml"
    assert shop.home.cli("invoice", "acuse", *of, "--output", str(acuse))["by_sat"] is True
    assert first.upper() in acuse.read_text()
    assert shop.home.cli("invoice", "cancel", *of, "--motivo", "02", expect=1)
    link.send(buyer)
    assert link.settled()["uuid"] not in {None, first}


def test_tickets_of_a_global_invoice_made_elsewhere(
    shop: Any, link_of: Any, buyer: dict[str, str]
) -> None:
    create = ("sale", "create", "--merchant", shop.merchant_id, "--file", "-")
    old = shop.home.cli(*create, stdin=counter_sale("T-1", days_ago=9))
    export = ("sale", "export", "--merchant", shop.merchant_id, "--open")
    day = (datetime.now(UTC) - timedelta(days=7)).strftime("%Y-%m-%d")
    [ticket] = shop.home.cli(*export, "--to", day)["data"]
    assert (ticket["number"], D(ticket["total"])) == ("T-1", D("679.99"))
    assert D(ticket["base"]) + D(ticket["taxes"]) == D(ticket["total"])
    uuid = "5FB2822E-396D-4725-8521-CDC4BDD20CCF"
    close = ("sale", "close", "--merchant", shop.merchant_id, "--until", day)
    assert shop.home.cli(*close, "--global-uuid", uuid)["marked"] == 1
    assert shop.home.cli(*close, "--global-uuid", uuid)["marked"] == 0
    assert shop.home.cli(*export, "--to", day)["data"] == []
    link = link_of(old)
    assert link.estado()["estado"] == "en_global"
    assert "cfdi.xml" not in requests.get(link.url, timeout=60).text
    staff = ("invoice", "create", "--merchant", shop.merchant_id, "--sale", old["id"])
    data = [f"--{name}={buyer[name]}" for name in ("rfc", "nombre", "cp", "regimen", "uso")]
    assert shop.home.cli(*staff, *data, expect=1)["error"]["code"] == "not_issued"
    asked = link.send({"rfc": buyer["rfc"], "mensaje": "La necesito."}, "/solicitud")
    assert asked.status_code == 303
    [ask] = [one for one in shop.waiting() if one["kind"] == "ask"]
    assert (ask["number"], ask["note"]) == ("T-1", "en_global")
    shop.home.cli("review", "resolve", "--merchant", shop.merchant_id, ask["id"], "--done")
    assert [one for one in shop.waiting() if one["kind"] == "ask"] == []


def test_what_sat_refuses_stands_at_its_field_and_the_same_link_mends_it(
    shop: Any, link_of: Any, buyer: dict[str, str]
) -> None:
    before = {one["uuid"] for one in shop.home.stamps()}
    create = ("sale", "create", "--merchant", shop.merchant_id, "--file", "-")
    link = link_of(shop.home.cli(*create, stdin=counter_sale("R-1")))
    malformed = link.send(buyer | {"cp": "8699"})
    assert (malformed.status_code, link.estado()["estado"]) == (422, "abierta")
    assert buyer["rfc"] in malformed.text
    wrong = "UNIVERSIDAD ROBOTICA ESPANOLA"
    assert link.send(buyer | {"nombre": wrong}).status_code == 303
    answer = link.settled()
    [error] = answer["errores"]
    assert answer["estado"] == "rechazada"
    assert (error["campo"], error["codigo"]) == ("nombre", "CFDI40145")
    assert wrong in requests.get(link.url, timeout=60).text
    assert link.send(buyer).status_code == 303
    answer = link.settled()
    assert (answer["estado"], answer["errores"]) == ("lista", [])
    assert {one["uuid"] for one in shop.home.stamps()} - before == {answer["uuid"]}
    again = link.send(buyer | {"nombre": "XENON INDUSTRIAL ARTICLES", "rfc": "XIA190128J61"})
    assert (again.status_code, link.estado()["uuid"]) == (303, answer["uuid"])


def test_the_invariants_hold(home: Any, shop: Any) -> None:
    home.healthy()
