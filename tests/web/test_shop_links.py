"""A buyer follows the shop's own link: before any webhook, while the shop is down, or guessing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from hub.web import links


@dataclass
class Linked:
    """A paired shop, and the plug-in's way of writing a link without asking anybody."""

    site: Any
    merchant_id: str
    store: Any
    connection: str
    secret: str

    def link(self, order: dict[str, Any], **changed: str) -> str:
        number, key = str(order["id"]), str(order["order_key"])
        given = {"number": number, "key": key, "secret": self.secret} | changed
        message = f"{given['number']}\n{given['key']}".encode()
        mac = hmac.new(given["secret"].encode(), message, hashlib.sha256).digest()
        proof = base64.urlsafe_b64encode(mac).decode().rstrip("=")
        return f"/s/woocommerce/{self.connection}/{number}?c={proof}"

    def get(self, path: str, **more: Any) -> Any:
        return self.site.client.get(path, **more)

    def sales(self) -> list[Any]:
        with self.site.hub.ctx.store.reading() as tx:
            return list(tx.tenant(self.merchant_id).sales.list()[0])


@pytest.fixture
def linked(make_site: Callable[..., Any], store: Any) -> Linked:
    site = make_site(ALLOW_PRIVATE_HOSTS="1")
    merchant_id = site.merchant()
    code = site.told("connection", "pair", "--merchant", merchant_id)["code"]
    key, secret = store.key()
    body = {"code": code, "store_url": store.url, "key": key, "secret": secret}
    told = site.client.post("/connect/woocommerce/pair", json=body).json
    return Linked(site, merchant_id, store, told["connection"], told["link_secret"])


def test_the_first_visit_makes_the_sale_and_leads_to_its_page(linked: Linked) -> None:
    link = linked.link(linked.store.sell(7001))
    answer = linked.get(link)
    assert answer.status_code == 303
    page = answer.headers["Location"]
    assert re.fullmatch(r"/f/[\w-]{43}", page)
    assert "7001" in linked.get(page).text
    asked = len(linked.store.asked)
    assert linked.get(link).headers["Location"] == page
    assert len(linked.store.asked) == asked, "a proof that is known needs no shop"
    assert len(linked.sales()) == 1
    assert linked.get(link + ".").headers["Location"] == page  # as mail programs end addresses


def test_who_only_passes_by_has_no_shop_asked_and_uses_nothing_up(linked: Linked) -> None:
    """What browsers fetch ahead, and a HEAD; the buyer who comes after them is served."""
    link = linked.link(linked.store.sell(7001))
    client, ahead = linked.site.client, {"Sec-Purpose": "prefetch;prerender"}
    assert client.get(link, headers=ahead).status_code == 503
    assert client.get(link, headers={"Purpose": "prefetch"}).status_code == 503
    assert client.head(link).status_code == 503
    assert linked.store.asked == []
    assert client.get(link).status_code == 303
    assert client.head(link).status_code == 303  # known now


def test_a_webhook_that_came_first_is_the_same_sale(linked: Linked) -> None:
    order = linked.store.sell(7001)
    linked.get(linked.link(order))
    with linked.site.hub.ctx.store.transaction() as tx:
        tx.tenant(linked.merchant_id).promise(
            "ingest_order", f"{linked.connection}/7001", queue="ingest"
        )
    while linked.site.work():
        pass
    assert len(linked.sales()) == 1


def test_whatever_is_wrong_is_one_answer(linked: Linked) -> None:
    order = linked.store.sell(7001)
    good = linked.link(order)
    wrong = [
        linked.link(order, key="wc_order_other"),
        linked.link(order, secret="x" * 43),
        linked.link(order, number="7002"),
        linked.link({"id": 7999, "order_key": "wc_order_7999"}),
        good.replace("/7001?", "/7001x?"),
        good.replace("c=", "d="),
        good[:-3],
        good.replace(linked.connection, "0" * 32),
        good.replace("/s/woocommerce/", "/s/elsewhere/"),
        f"/s/woocommerce/{linked.connection}/..?c={'a' * 43}",
        f"/s/woocommerce/{linked.connection}/7001?c={'ñ' * 43}",
    ]
    answers = [linked.get(path) for path in wrong]
    assert {one.status_code for one in answers} == {404}
    assert len({one.data for one in answers}) == 1
    assert linked.sales() == []
    linked.get(good)
    known = [linked.get(path) for path in wrong[:4]]
    assert {(one.status_code, one.data) for one in known} == {(404, answers[0].data)}


def test_a_known_order_is_asked_for_like_an_unknown_one(linked: Linked) -> None:
    """Or the time of the answer would tell which orders there are."""
    order = linked.store.sell(7001)
    linked.get(linked.link(order))
    for path in (linked.link(order, key="guess"), linked.link({"id": 7999, "order_key": "guess"})):
        asked = len(linked.store.asked)
        assert linked.get(path).status_code == 404
        assert len(linked.store.asked) == asked + 1


def test_guessing_is_ended(linked: Linked) -> None:
    linked.store.sell(7001)
    path = f"/s/woocommerce/{linked.connection}/7001?c="
    statuses = [linked.get(path + f"{n:043d}").status_code for n in range(40)]
    assert statuses[0] == 404
    assert statuses[-1] == 429
    assert len(linked.store.asked) <= 60


def test_a_shop_that_is_away_is_not_asked_without_end(linked: Linked) -> None:
    """Its answers say of no proof that it is wrong, so the questions themselves are counted."""
    link = linked.link(linked.store.sell(7001))
    linked.store.down = 403
    statuses = [linked.get(link).status_code for _ in range(64)]
    assert (statuses[0], statuses[-1]) == (503, 429)
    assert len(linked.store.asked) <= 60


def test_a_slow_shop_shows_a_page_that_comes_back_by_itself(
    linked: Linked, patience: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "BUDGET_SECONDS", 0.5)
    link = linked.link(linked.store.sell(7001))
    linked.store.slow = 3600.0
    answer = linked.get(link, headers={"Accept-Language": "en"})
    assert patience.longest == 0.5
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "3")
    assert "We are looking for your purchase" in answer.text
    assert not re.search(r"<script(?! src=\"/assets/)", answer.text)
    found = re.search(r'http-equiv="refresh" content="3;url=([^"]+)"', answer.text)
    assert found is not None
    again = found[1].replace("&amp;", "&")
    assert again == f"{link}&n=1"
    # The question went on without its asker, and what it brought is there.
    linked.store.slow = 0.0
    until = time.monotonic() + 120
    while not linked.sales() and time.monotonic() < until:
        time.sleep(0.05)
    assert linked.get(again).status_code == 303
    assert len([one for one in linked.store.asked if "/orders/" in one]) == 1


def test_a_crowd_at_a_slow_shop_leaves_threads_for_all_others(
    linked: Linked, patience: Any
) -> None:
    """Fifty at once for one new order: one question, one sale, and few who hold a thread."""
    link = linked.link(linked.store.sell(7001))
    linked.store.slow = 1.5

    def visit(_: int) -> int:
        return int(linked.site.app.test_client().get(link).status_code)

    with ThreadPoolExecutor(50) as crowd:
        statuses = set(crowd.map(visit, range(50)))
    assert statuses <= {303, 503}
    assert 1 <= patience.most <= links.PATIENT
    assert linked.get(link).status_code == 303
    assert len([one for one in linked.store.asked if "/orders/" in one]) == 1
    assert len(linked.sales()) == 1


def test_a_shop_that_is_down_is_not_a_wrong_link(linked: Linked) -> None:
    order = linked.store.sell(7001)
    linked.store.down = 403
    for path in (linked.link(order), linked.link(order, key="guess")):
        answer = linked.get(path)
        assert answer.status_code == 503
        assert "Estamos buscando tu compra" in answer.text
    assert linked.get(linked.link(order) + "&n=9").headers["Retry-After"] == "21"
    assert linked.get(linked.link(order) + "&n=999").headers["Retry-After"] == "60"
    assert linked.get(linked.link(order) + "&n=x").headers["Retry-After"] == "3"
    linked.store.down = 0
    assert linked.get(linked.link(order)).status_code == 303


def test_a_sale_that_cannot_be_invoiced_shows_its_state(linked: Linked) -> None:
    link = linked.link(linked.store.sell(7001, status="pending", date_paid_gmt=None))
    answer = linked.get(link)
    assert answer.status_code == 303
    state = linked.get(answer.headers["Location"] + "/estado").json
    assert state["estado"] == "cancelada"


def test_an_order_nobody_understands_is_set_aside_for_a_person(linked: Linked) -> None:
    link = linked.link(linked.store.sell(7001, currency=5))
    assert linked.get(link).status_code == 503
    (row,) = linked.site.told("inbox", "list", "--merchant", linked.merchant_id)["data"]
    assert (row["state"], row["order"]) == ("dead", "7001")


def test_no_proof_reaches_a_log_or_another_merchants_connection(
    linked: Linked, capsys: pytest.CaptureFixture[str]
) -> None:
    order = linked.store.sell(7001)
    link = linked.link(order)
    linked.get(link)
    other = linked.site.merchant("IIA040805DZ4", "INDISTRIA ILUMINADORA DE ALMACENES")
    theirs = linked.site.connection(other)
    assert linked.get(link.replace(linked.connection, theirs)).status_code == 404
    proof = link.partition("c=")[2]
    assert proof not in capsys.readouterr().err
    with linked.site.hub.ctx.store.reading() as tx:
        assert tx.tenant(linked.merchant_id).proofs.current(linked.connection, "7001") == proof
        dump = json.dumps(
            [str(row) for row in tx.session.engine.db.execute_sql("SELECT * FROM proof")]
        )
    assert proof not in dump
