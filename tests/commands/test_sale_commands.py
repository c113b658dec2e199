"""connection, inbox, sale, invoice, review: shapes that programs rely on, and every wrong use."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.contract import Delivery, Notice
from hub.clock import SystemClock
from hub.domain.states import State

UUID = "5fb2822e-396d-4725-8521-cdc4bdd20ccf"
BUYER = ("--rfc", "CACX7605101P8", "--nombre", "XOCHILT CASAS CHAVEZ", "--cp", "36257", "--regimen",
         "612", "--uso", "G03")  # fmt: skip
SHOP = (
    "--platform",
    "woocommerce",
    "--url",
    "https://shop.example.com",
    "--webhook-secret",
    "canary",
)


@pytest.fixture
def shop(home: Any) -> str:
    return str(home.merchant())


def connect(home: Any, shop: str, *more: str) -> Any:
    return home.told("connection", "create", "--merchant", shop, *SHOP, *more)


def test_a_connection_is_an_id_and_an_address(home: Any, shop: str) -> None:
    made = connect(home, shop, "--since", "2026-11-01")
    assert made == {
        "id": made["id"],
        "webhook_url": f"http://127.0.0.1:{home.port}/webhooks/woocommerce/{made['id']}",
    }
    (one,) = home.told("connection", "list", "--merchant", shop)["data"]
    assert (one["account"], one["since"]) == (
        "https://shop.example.com",
        "2026-11-01T00:00:00+00:00",
    )
    shown = home.told("connection", "show", "--merchant", shop, made["id"])
    assert shown["webhook_url"] == made["webhook_url"]
    assert "canary" not in json.dumps([one, shown])
    again = home.refused("connection", "create", "--merchant", shop, *SHOP)
    assert again["code"] == "connection_exists"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (("--platform", "nothing"), "platform_unknown"),
        (("--platform", "woocommerce"), "connection_invalid"),
        (("--platform", "woocommerce", "--url", "https://shop.example.com"), "connection_invalid"),
        ((*SHOP, "--key", "ck_canary"), "connection_invalid"),
        ((*SHOP[:2], "--url", "http://10.0.0.1", *SHOP[4:]), "connection_invalid"),
        ((*SHOP[:2], "--url", "file:///etc/passwd", *SHOP[4:]), "connection_invalid"),
        ((*SHOP[:2], "--url", "https://u:canary@h.example", *SHOP[4:]), "connection_invalid"),
    ],
)
def test_connections_that_cannot_be(
    home: Any, shop: str, given: tuple[str, ...], code: str
) -> None:
    error = home.refused("connection", "create", "--merchant", shop, *given, status=2)
    assert error["code"] == code
    assert "canary" not in error["message"]
    assert home.told("connection", "list", "--merchant", shop) == {"data": []}


def deliver(home: Any, shop: str, connection_id: str, key: str = "1") -> str:
    notice = Notice("order.created", key, "7", snapshot=None)
    delivery = Delivery({"x": "y"}, b'{"id": 7}', SystemClock().now())
    with home.tenant(shop) as tenant:
        filed = tenant.inbox.file(connection_id, "woocommerce", notice, delivery)
        assert filed is not None
        tenant.inbox.dead(filed, "no sale could be made of it")
        return str(filed)


def test_the_inbox_can_be_read_and_replayed_as_often_as_wanted(home: Any, shop: str) -> None:
    connection_id = connect(home, shop)["id"]
    ids = [deliver(home, shop, connection_id, key) for key in "123"]
    of = ("--merchant", shop)
    rows = home.told("inbox", "list", *of, "--state", "dead", "--limit", "2")
    assert [row["id"] for row in rows["data"]] == ids[:0:-1]
    assert rows["next"] == ids[1]
    assert len(home.told("inbox", "list", *of, "--after", rows["next"])["data"]) == 1
    assert home.told("inbox", "show", *of, ids[0])["body"] == '{"id": 7}'
    for _ in range(2):
        assert home.told("inbox", "replay", *of, ids[0]) == {"replayed": 1}
    assert home.told("inbox", "replay", *of, "--dead") == {"replayed": 2}
    assert home.told("inbox", "replay", *of, "--dead") == {"replayed": 0}
    assert home.refused("inbox", "replay", *of, "nothing")["code"] == "delivery_not_found"
    with sqlite3.connect(home.var_dir / "hub.sqlite3") as database:
        found = database.execute("SELECT COUNT(*) FROM outbox WHERE job = 'ingest'")
        assert found.fetchone() == (3,)


def test_sales_are_listed_in_the_shape_that_is_promised(home: Any, shop: str) -> None:
    made = [home.sale(shop, f"A-{number}") for number in range(3)]
    assert home.sale(shop, "A-0")["id"] == made[0]["id"]
    page = home.told("sale", "list", "--merchant", shop, "--limit", "2")
    assert [one["number"] for one in page["data"]] == ["A-2", "A-1"]
    first = page["data"][0]
    assert list(first) == ["id", "number", "state", "total", "currency", "code", "link"]
    assert (first["state"], first["total"], first["currency"]) == ("abierta", "232.00", "MXN")
    assert first["link"].startswith(f"http://127.0.0.1:{home.port}/f/")
    rest = home.told("sale", "list", "--merchant", shop, "--after", page["next"])
    assert (len(rest["data"]), rest["next"]) == (1, None)
    shown = home.told("sale", "show", "--merchant", shop, made[0]["id"])
    assert (shown["reasons"], shown["sale"]["number"]) == ([], "A-0")


def test_a_link_can_be_shown_again_and_renewed(home: Any, shop: str) -> None:
    sale = home.sale(shop)
    link = home.told("sale", "link", "--merchant", shop, sale["id"])
    assert link == {"link": sale["link"]}
    renewed = home.told("sale", "link", "--merchant", shop, sale["id"], "--renew")
    assert renewed != link
    (listed,) = home.told("sale", "list", "--merchant", shop)["data"]
    assert listed["link"] == renewed["link"]
    assert home.refused("sale", "link", "--merchant", shop, "x")["code"] == "sale_not_found"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b"{}",
        b'{"number": "1"}',
        b" " * (2 * 1024 * 1024 + 1),
        b"[" * 50_000,
    ],
)
def test_sales_that_are_none(home: Any, shop: str, content: bytes) -> None:
    file = home.file("wrong.json", content)
    error = home.refused("sale", "create", "--merchant", shop, "--file", file)
    assert error["code"] == "sale_invalid"
    assert home.told("sale", "list", "--merchant", shop) == {"data": [], "next": None}


def test_every_problem_of_a_sale_is_told(home: Any, shop: str, make_sale_json: Any) -> None:
    file = home.file("s.json", make_sale_json(forma_pago="99", paid_at="yesterday"))
    error = home.refused("sale", "create", "--merchant", shop, "--file", file)
    assert {one["path"] for one in error["details"]} == {"forma_pago", "paid_at"}
    words = home.run("sale", "create", "--merchant", shop, "--file", file)
    assert "forma_pago: " in words.stderr


def test_open_tickets_are_exported_then_closed_once(home: Any, shop: str) -> None:
    paid_at = datetime.now(UTC) - timedelta(days=3)
    for number in ("=cmd|' /C calc'!A0", "B-2"):
        home.sale(shop, number, paid_at=paid_at.isoformat())
    of = ("--merchant", shop)
    exported = home.told("sale", "export", *of, "--open")["data"]
    assert {one["total"] for one in exported} == {"232.00"}
    lines = home.run("sale", "export", *of, "--open").stdout
    assert {row["number"][0] for row in csv.DictReader(io.StringIO(lines))} == {"'", "B"}
    early = home.told("sale", "close", *of, "--until", "2020-01-01", "--global-uuid", UUID)
    assert early == {"marked": 0, "skipped": 0}
    until = f"{paid_at + timedelta(days=1):%Y-%m-%d}"
    closed = home.told("sale", "close", *of, "--until", until, "--global-uuid", UUID)
    assert closed["marked"] == 2
    again = home.told("sale", "close", *of, "--until", until, "--global-uuid", UUID)
    assert again["marked"] == 0
    assert home.told("sale", "export", *of, "--open") == {"data": []}
    for one in home.told("sale", "list", *of)["data"]:
        assert (one["state"], one["link"]) == ("en_global", None)


def test_only_days_that_are_over_are_closed(home: Any, shop: str) -> None:
    home.sale(shop)
    given = ("sale", "close", "--merchant", shop, "--until", "2999-01-01", "--global-uuid", UUID)
    assert home.refused(*given)["code"] == "day_not_over"
    days = ("--from", "2999-01-01", "--to", "2020-01-01")
    exported = home.told("sale", "export", "--merchant", shop, "--open", *days)
    assert exported == {"data": []}


def test_what_was_closed_is_opened_again_by_its_own_merchant_alone(home: Any, shop: str) -> None:
    paid_at = datetime.now(UTC) - timedelta(days=3)
    home.sale(shop, paid_at=paid_at.isoformat())
    until = f"{paid_at + timedelta(days=1):%Y-%m-%d}"
    home.told("sale", "close", "--merchant", shop, "--until", until, "--global-uuid", UUID)
    place = ("--regimen", "601", "--cp", "62661")
    names = ("--rfc", "IIA040805DZ4", "--nombre", "INDISTRIA ILUMINADORA DE ALMACENES")
    other = home.told("merchant", "create", *names, *place)["id"]
    reopen = ("sale", "reopen", "--global-uuid", UUID, "--merchant")
    assert home.told(*reopen, other) == {"freed": 0}
    assert home.told(*reopen, shop) == {"freed": 1}
    assert home.told(*reopen, shop) == {"freed": 0}


def test_staff_issue_once(home: Any, shop: str) -> None:
    sale = home.sale(shop)
    given = ("invoice", "create", "--merchant", shop, "--sale", sale["id"])
    made = home.told(*given, *BUYER)
    assert set(made) == {"id"}
    assert home.told(*given, *BUYER) == made
    other = [word.replace("G03", "S01") for word in BUYER]
    assert home.refused(*given, *other)["code"] == "not_issued"
    (listed,) = home.told("invoice", "list", "--merchant", shop, "--state", "requested")["data"]
    assert (listed["id"], listed["total"], listed["uuid"]) == (made["id"], "232.00", None)
    shown = home.told("invoice", "show", "--merchant", shop, made["id"])
    assert [move["to"] for move in shown["moves"]] == ["requested"]
    words = home.run("invoice", "show", "--merchant", shop, made["id"]).output
    assert f"sales:\n  {sale['id']}\n" in words
    assert "moves:\n  -  requested  20" in words
    assert not set(words) & set("[]{}<>'"), "no Python"
    for verb in ("xml", "pdf"):
        output = ("--output", str(home.folder / "x"))
        error = home.refused("invoice", verb, "--merchant", shop, made["id"], *output)
        assert error["code"] == "not_stamped"
    assert not (home.folder / "x").exists()
    of = ("--merchant", shop, made["id"])
    cancel = ("invoice", "cancel", *of, "--motivo")
    assert home.refused(*cancel, "02")["code"] == "not_stamped"
    assert home.refused("invoice", "status", *of)["code"] == "not_stamped"
    acuse = ("invoice", "acuse", *of, "--output", str(home.folder / "x"))
    assert home.refused(*acuse)["code"] == "no_acuse"


def test_wrong_data_of_a_customer_is_told_by_field(home: Any, shop: str) -> None:
    sale = home.sale(shop)
    given = ("invoice", "create", "--merchant", shop, "--sale", sale["id"])
    error = home.refused(*given, *("x" if w == "CACX7605101P8" else w for w in BUYER), status=2)
    assert "rfc" in {one["path"] for one in error["details"]}
    assert home.told("invoice", "list", "--merchant", shop)["data"] == []


@pytest.fixture
def in_review(home: Any, shop: str) -> Callable[[], str]:
    """An invoice that waits for a person before anything was sealed."""

    def make() -> str:
        sale = home.sale(shop)
        given = ("invoice", "create", "--merchant", shop, "--sale", sale["id"])
        invoice_id = str(home.told(*given, *BUYER)["id"])
        with home.tenant(shop) as tenant:
            assert tenant.invoices.move(
                invoice_id, State.REQUESTED, State.REVIEW, actor="t", reason="t", findings=()
            )
        return invoice_id

    return make


def test_review_is_settled_by_a_retry(home: Any, shop: str, in_review: Callable[[], str]) -> None:
    invoice_id = in_review()
    of = ("--merchant", shop, invoice_id)
    (item,) = home.told("review", "list", "--merchant", shop)["data"]
    assert (item["kind"], item["id"], item["number"]) == ("invoice", invoice_id, "A-1")
    for how in (("--ask-again",), ("--found", home.file("x.xml", "<a/>")), ("--done",)):
        assert home.refused("review", "resolve", *of, *how)["code"] == "not_resolvable"
    assert home.told("review", "resolve", *of, "--retry") == {"id": invoice_id}
    assert home.refused("review", "resolve", *of, "--retry")["code"] == "not_resolvable"
    assert home.told("review", "list", "--merchant", shop) == {"data": []}


def test_review_is_settled_by_a_statement(
    home: Any, shop: str, in_review: Callable[[], str]
) -> None:
    of = ("--merchant", shop, in_review())
    home.told("review", "resolve", *of, "--not-stamped")
    assert home.refused("review", "resolve", *of, "--not-stamped")["code"] == "not_resolvable"
    (sale,) = home.told("sale", "list", "--merchant", shop)["data"]
    assert (sale["state"], sale["link"] is None) == ("rechazada", False)
    home.told("invoice", "retry", *of)


def test_a_wish_is_done_once(home: Any, shop: str) -> None:
    sale = home.sale(shop)
    with home.tenant(shop) as tenant:
        ask = tenant.asks.create(sale["id"], "vencida", {"mensaje": "m"})
    (item,) = home.told("review", "list", "--merchant", shop)["data"]
    assert (item["kind"], item["id"], item["note"]) == ("ask", ask.id, "vencida")
    of = ("review", "resolve", "--merchant", shop, ask.id)
    assert home.refused(*of, "--retry")["code"] == "not_resolvable"
    home.told(*of, "--done")
    assert home.refused(*of, "--done")["code"] == "not_resolvable"
