"""A shop is paired by a code: over sockets, with a store that pings, refuses and goes away."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from connectors.woocommerce.connector import WooCommerce
from hub.steps import connect, health

PAIR = "/connect/woocommerce/pair"


@dataclass
class Paired:
    """A site that listens, its merchant, and what the plug-in of a store knows after pairing."""

    site: Any
    merchant_id: str
    store: Any
    told: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.told["connection"])

    def signed(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        at: float | None = None,
        secret: str = "",
    ) -> Any:
        target = f"/connect/woocommerce/{self.id}{path}"
        stamp = str(int(time.time() if at is None else at))
        message = f"{method}\n{target}\n{stamp}\n".encode() + body
        key = (secret or self.told["webhook_secret"]).encode()
        digest = hmac.new(key, message, hashlib.sha256).digest()
        headers = {
            "X-Autofactura-Time": stamp,
            "X-Autofactura-Signature": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        }
        return self.site.client.open(target, method=method, data=body, headers=headers)

    def status(self) -> dict[str, Any]:
        answer = self.signed("GET", "/status")
        assert answer.status_code == 200, answer.text
        return dict(answer.json)

    def shown(self) -> dict[str, Any]:
        return dict(self.site.told("connection", "show", "--merchant", self.merchant_id, self.id))

    def deliver(self, body: bytes, topic: str = "order.updated", secret: str = "") -> Any:
        key = (secret or self.told["webhook_secret"]).encode()
        signature = base64.b64encode(hmac.new(key, body, hashlib.sha256).digest()).decode()
        headers = {"X-WC-Webhook-Topic": topic, "X-WC-Webhook-Signature": signature,
                   "Content-Type": "application/json"}  # fmt: skip
        return self.site.client.post(f"/webhooks/woocommerce/{self.id}", data=body, headers=headers)


def work(site: Any) -> None:
    for _ in range(20):
        if not site.work():
            return


def code_of(site: Any, merchant_id: str) -> str:
    return str(site.told("connection", "pair", "--merchant", merchant_id)["code"])


def pair(site: Any, code: str, store: Any, keys: tuple[str, str] | None = None, **more: Any) -> Any:
    key, secret = keys or store.key()
    body = {"code": code, "store_url": store.url, "key": key, "secret": secret,
            "plugin": "1.0.0", "woocommerce": "11.0.1", **more}  # fmt: skip
    return site.client.post(PAIR, json=body)


@pytest.fixture
def listening(make_site: Callable[..., Any], serve: Callable[[Any], str]) -> Any:
    """A site that stores can reach, and that may reach stores of this machine."""
    site = make_site(ALLOW_PRIVATE_HOSTS="1")
    url = serve(site.app)
    object.__setattr__(site.hub.ctx, "public_url", url)
    return site


@pytest.fixture
def paired(listening: Any, store: Any) -> Paired:
    merchant_id = listening.merchant()
    answer = pair(listening, code_of(listening, merchant_id), store)
    assert answer.status_code == 200, answer.text
    return Paired(listening, merchant_id, store, dict(answer.json))


def rows(site: Any, query: str) -> list[Any]:
    with sqlite3.connect(site.var_dir / "hub.sqlite3") as database:
        return list(database.execute(query))


class TestCodes:
    def test_a_code_is_long_unambiguous_and_kept_as_a_hash(self, site: Any) -> None:
        merchant_id = site.merchant()
        told = site.told("connection", "pair", "--merchant", merchant_id)
        assert re.fullmatch(r"([2-9A-HJKMNP-TV-Z]{4}-){2}[2-9A-HJKMNP-TV-Z]{4}", told["code"])
        assert 30**12 > 2**50
        dump = "\n".join(str(row) for row in rows(site, "SELECT * FROM pairing_code"))
        assert told["code"].replace("-", "") not in dump
        assert told["code"] != code_of(site, merchant_id)

    def test_it_works_once_however_it_is_typed(self, listening: Any, make_store: Any) -> None:
        code = code_of(listening, listening.merchant())
        assert (
            pair(listening, f" {code.lower().replace('-', ' ')} ", make_store()).status_code == 200
        )
        again = pair(listening, code, make_store())
        assert (again.status_code, again.json["error"]["code"]) == (403, "pairing_code_invalid")
        assert again.json["error"]["message_es"]

    def test_unknown_used_and_expired_are_one_answer(self, listening: Any, store: Any) -> None:
        merchant_id = listening.merchant()
        old = code_of(listening, merchant_id)
        with sqlite3.connect(listening.var_dir / "hub.sqlite3") as database:
            database.execute("UPDATE pairing_code SET expires_at = 1")
        used = code_of(listening, merchant_id)
        assert pair(listening, used, store).status_code == 200
        answers = [pair(listening, code, store) for code in ("2345-6789-ABCD", used, old)]
        assert {one.status_code for one in answers} == {403}
        assert len({one.data for one in answers}) == 1

    def test_what_fails_does_not_use_it_up(self, listening: Any, store: Any) -> None:
        code = code_of(listening, listening.merchant())
        assert pair(listening, code, store, store_url="ftp://x").status_code == 422
        assert pair(listening, code, store, key="").status_code == 400
        assert pair(listening, code, store).status_code == 200

    def test_guessing_is_ended(self, listening: Any, store: Any) -> None:
        statuses = [pair(listening, f"GUESS{n}", store).status_code for n in range(14)]
        assert statuses == [403] * 10 + [429] * 4
        code = code_of(listening, listening.merchant())
        assert pair(listening, code, store).status_code == 429

    @pytest.mark.parametrize(
        "body",
        [b"", b"null", b"[]", b'"x"', b"{", b'{"code":1}', b'{"code":[]}', b"\xff", b"[" * 9000],
    )
    def test_what_is_no_request_is_malformed(self, listening: Any, body: bytes) -> None:
        answer = listening.client.post(PAIR, data=body)
        assert (answer.status_code, answer.json["error"]["code"]) == (400, "malformed")

    def test_a_huge_request_is_cut_off(self, listening: Any) -> None:
        assert listening.client.post(PAIR, data=b"x" * 70_000).status_code == 413

    @pytest.mark.parametrize(
        "url",
        ["http://tienda.example.com", "https://127.0.0.1:8443", "https://u:p@tienda.example.com",
         "https://tienda.example.com:8443", "https://tienda.example.com/?x=1",
         "javascript:alert(1)",
         "https://", "x" * 501, "https://tienda.example.com/../x"],
    )  # fmt: skip
    def test_addresses_of_no_public_store(self, site: Any, store: Any, url: str) -> None:
        """Without ALLOW_PRIVATE_HOSTS."""
        code = code_of(site, site.merchant())
        answer = pair(site, code, store, store_url=url)
        assert answer.status_code in {400, 422}
        if answer.status_code == 422:
            assert answer.json["error"]["code"] == "store_address_refused"


class TestConnecting:
    def test_the_store_is_not_asked_before_the_answer(self, paired: Paired) -> None:
        """A store with one PHP process would wait for itself."""
        assert paired.store.asked == []
        assert set(paired.told) == {
            "connection", "webhook_url", "webhook_secret", "link_secret", "merchant", "hub",
        }  # fmt: skip
        assert re.fullmatch(r"[A-Za-z0-9]{40}", paired.told["webhook_secret"])
        assert len(paired.told["link_secret"]) == 43
        assert paired.told["merchant"] == "ESCUELA KEMPER URGATE"
        status = paired.status()
        assert (status["state"], status["keys"], status["webhooks"]) == ("checking", "unknown", [])
        assert status["window"]["kind"] == "mes"

    def test_then_the_keys_are_tried_and_the_webhooks_made(self, paired: Paired) -> None:
        work(paired.site)
        status = paired.status()
        assert (status["state"], status["keys"], status["problems"]) == ("connected", "ok", [])
        topics = ["order.created", "order.deleted", "order.restored", "order.updated"]
        assert sorted(one["topic"] for one in status["webhooks"]) == topics
        assert status["last_fetch_at"]
        hooks = paired.store.webhooks.values()
        assert {one["delivery_url"] for one in hooks} == {paired.told["webhook_url"]}
        assert {one["secret"] for one in hooks} == {paired.told["webhook_secret"]}
        assert paired.store.pings == [200] * 4
        assert paired.deliver(b'{"id": 5}').status_code == 200

    def test_doing_it_again_changes_nothing(self, paired: Paired) -> None:
        work(paired.site)
        before, asked = dict(paired.store.webhooks), len(paired.store.asked)
        for _ in range(3):
            look(paired)
        assert paired.store.webhooks == before
        assert {one.partition(" ")[0] for one in paired.store.asked[asked:]} == {"GET"}

    def test_what_was_switched_off_lost_or_doubled_is_mended(self, paired: Paired) -> None:
        work(paired.site)
        hooks, url = paired.store.webhooks, paired.told["webhook_url"]
        off, lost, *_ = sorted(hooks)
        hooks[off]["status"] = "disabled"
        del hooks[lost]
        doubled = {"id": 900, "topic": "order.updated", "status": "active", "delivery_url": url}
        other = {"id": 901, "topic": "order.updated", "status": "disabled",
                 "delivery_url": "https://another.example/hook"}  # fmt: skip
        hooks |= {900: doubled, 901: other}
        look(paired)
        assert 901 in hooks
        ours = [one for one in hooks.values() if one["delivery_url"] == url]
        assert len(ours) == len({one["topic"] for one in ours}) == 4
        assert {one["status"] for one in ours} == {"active"}
        assert not {off, lost, 900} & set(hooks)

    def test_a_hub_that_moved_takes_its_webhooks_along(self, paired: Paired) -> None:
        work(paired.site)
        path = f"/webhooks/woocommerce/{paired.id}"
        for hook in paired.store.webhooks.values():
            hook["delivery_url"] = f"https://old.example{path}"
        look(paired)
        urls = [one["delivery_url"] for one in paired.store.webhooks.values()]
        assert urls == [paired.told["webhook_url"]] * 4

    def test_it_is_looked_at_again_each_day(self, paired: Paired) -> None:
        work(paired.site)
        asked = len(paired.store.asked)
        health.check_all(paired.site.hub.ctx)
        work(paired.site)
        assert len(paired.store.asked) == asked, "today it was"
        (hook, *_) = paired.store.webhooks.values()
        hook["status"] = "disabled"
        change(paired.site, "UPDATE bond SET checked_at = checked_at - 86400000000")
        health.check_all(paired.site.hub.ctx)
        work(paired.site)
        assert {one["status"] for one in paired.store.webhooks.values()} == {"active"}

    def test_silence_while_orders_change_is_looked_into(self, paired: Paired) -> None:
        work(paired.site)
        paired.store.webhooks.clear()
        paired.store.sell(7001)
        with paired.site.hub.ctx.store.transaction() as tx:
            tx.tenant(paired.merchant_id).promise("sweep", paired.id, queue="ingest")
        work(paired.site)
        assert not paired.store.webhooks, "not again within the hour"
        change(paired.site, "UPDATE bond SET checked_at = checked_at - 3700000000")
        with paired.site.hub.ctx.store.transaction() as tx:
            tx.tenant(paired.merchant_id).promise("sweep", paired.id, queue="ingest")
        work(paired.site)
        assert len(paired.store.webhooks) == 4
        assert paired.signed("GET", "/orders/7001").json["estado"] == "abierta"

    def test_webhooks_made_by_hand_are_left_alone_and_told_of(
        self, listening: Any, store: Any
    ) -> None:
        merchant_id, (key, secret) = listening.merchant(), store.key("read")
        of = ("--merchant", merchant_id, "--platform", "woocommerce", "--url", store.url)
        more = ("--key", key, "--secret", secret, "--webhook-secret", "typed")
        told = listening.told("connection", "create", *of, *more)
        made = Paired(listening, merchant_id, store, {"connection": told["id"]})
        hook = {"id": 5, "topic": "order.updated", "status": "active",
                "delivery_url": told["webhook_url"]}  # fmt: skip
        store.webhooks[5] = hook
        look(made)
        assert (made.shown()["state"], made.shown()["webhooks"]) == (
            "connected",
            {"order.updated": "active"},
        )
        hook["status"] = "disabled"
        look(made)
        assert store.webhooks == {5: hook}
        assert "switched off: order.updated" in made.shown()["problem"]

    def test_refused_keys_are_told_in_words(self, paired: Paired) -> None:
        paired.store.keys.clear()
        work(paired.site)
        status = paired.status()
        assert (status["state"], status["keys"]) == ("trouble", "refused")
        (problem,) = status["problems"]
        assert problem["code"] == "keys_refused"
        assert problem["message"]
        assert problem["message_es"]
        assert "refuses" in paired.shown()["problem"]
        assert not paired.store.webhooks

    def test_a_read_key_is_not_enough(self, listening: Any, store: Any) -> None:
        merchant_id = listening.merchant()
        answer = pair(listening, code_of(listening, merchant_id), store, store.key("read"))
        made = Paired(listening, merchant_id, store, dict(answer.json))
        work(listening)
        assert made.status()["keys"] == "refused"

    def test_a_store_that_is_down_is_tried_again(self, paired: Paired) -> None:
        paired.store.down = 500
        paired.site.work()
        status = paired.status()
        assert (status["state"], status["keys"]) == ("trouble", "unknown")
        assert status["problems"][0]["code"] == "store_unreachable"
        paired.store.down = 0
        look(paired)
        assert paired.status()["state"] == "connected"

    def test_a_store_that_sends_on_is_kept_under_its_own_address(
        self, listening: Any, make_store: Any
    ) -> None:
        typed, real = make_store(), make_store()
        typed.redirect = real.url
        merchant_id = listening.merchant()
        answer = pair(listening, code_of(listening, merchant_id), typed, real.key())
        made = Paired(listening, merchant_id, real, dict(answer.json))
        work(listening)
        assert made.status()["state"] == "connected"
        assert made.shown()["account"] == real.url
        assert typed.asked == ["GET /wp-json/"], "the keys never went there"


def change(site: Any, statement: str) -> None:
    with sqlite3.connect(site.var_dir / "hub.sqlite3") as database:
        database.execute(statement)


def look(paired: Paired) -> None:
    with paired.site.hub.ctx.store.transaction() as tx:
        tx.tenant(paired.merchant_id).promise("connect", paired.id, queue="ingest")
    work(paired.site)


class TestAgain:
    def test_the_same_shop_keeps_its_connection_and_its_links(self, paired: Paired) -> None:
        work(paired.site)
        old_hooks = set(paired.store.webhooks)
        answer = pair(paired.site, code_of(paired.site, paired.merchant_id), paired.store)
        assert answer.status_code == 200
        told = dict(answer.json)
        assert told["connection"] == paired.id
        assert told["link_secret"] == paired.told["link_secret"]
        assert told["webhook_secret"] != paired.told["webhook_secret"]
        time.sleep(2.1)  # a door is known for two seconds
        # On their way since before: taken until the webhooks are the new ones.
        assert paired.deliver(b'{"id": 1}').status_code == 200
        assert paired.signed("GET", "/status").status_code == 401
        work(paired.site)
        assert not old_hooks & set(paired.store.webhooks)
        assert {one["secret"] for one in paired.store.webhooks.values()} == {told["webhook_secret"]}
        time.sleep(2.1)  # a door is known for two seconds
        assert paired.deliver(b'{"id": 2}').status_code == 401
        assert paired.deliver(b'{"id": 2}', secret=told["webhook_secret"]).status_code == 200

    def test_another_spelling_is_the_same_shop(self, site: Any, make_store: Any) -> None:
        merchant_id, made = site.merchant(), []
        for url in (
            "https://tienda.example.com",
            "https://www.tienda.example.com/",
            "tienda.example.com",
        ):
            code = code_of(site, merchant_id)
            answer = pair(site, code, make_store(), ("k", "s"), store_url=url)
            made.append(answer.json["connection"])
        other = pair(site, code_of(site, merchant_id), make_store(), ("k", "s"),
                     store_url="https://tienda.example.com/outlet")  # fmt: skip
        assert len(set(made)) == 1
        assert other.json["connection"] not in made

    def test_a_shop_of_another_merchant_is_refused_and_whose_is_not_told(
        self, paired: Paired
    ) -> None:
        work(paired.site)
        other = paired.site.merchant("IIA040805DZ4", "INDISTRIA ILUMINADORA DE ALMACENES")
        code = code_of(paired.site, other)
        answer = pair(paired.site, code, paired.store)
        assert (answer.status_code, answer.json["error"]["code"]) == (
            409,
            "shop_connected_elsewhere",
        )
        assert paired.merchant_id not in answer.text
        assert "KEMPER" not in answer.text
        assert paired.signed("POST", "/disconnect", b"{}").status_code == 200
        assert pair(paired.site, code, paired.store).status_code == 200

    def test_a_claim_without_good_keys_keeps_nobody_out(self, listening: Any, store: Any) -> None:
        squatter = listening.merchant()
        assert (
            pair(listening, code_of(listening, squatter), store, ("ck_x", "cs_x")).status_code
            == 200
        )
        work(listening)
        owner = listening.merchant("IIA040805DZ4", "INDISTRIA ILUMINADORA DE ALMACENES")
        answer = pair(listening, code_of(listening, owner), store)
        made = Paired(listening, owner, store, dict(answer.json))
        work(listening)
        assert made.status()["state"] == "connected"
        (row,) = listening.told("connection", "list", "--merchant", squatter)["data"]
        claim = Paired(listening, squatter, store, {"connection": row["id"]})
        claim.store.keys["ck_x"] = ("cs_x", "read_write")  # its keys are good now, and too late
        look(claim)
        assert claim.shown()["state"] == "trouble"
        assert "connected already" in claim.shown()["problem"]

    def test_of_two_merchants_at_once_one_gets_the_shop(
        self, listening: Any, store: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Both have good keys, and the second is done while the first asks the shop."""
        both = []
        for who in (("EKU9003173C9", "ESCUELA KEMPER URGATE"),
                    ("IIA040805DZ4", "INDISTRIA ILUMINADORA DE ALMACENES")):  # fmt: skip
            merchant_id = listening.merchant(*who)
            told = pair(listening, code_of(listening, merchant_id), store).json
            both.append(Paired(listening, merchant_id, store, dict(told)))
        slower, faster = both
        ctx = listening.hub.ctx
        ensure = WooCommerce.ensure

        def overtaken(*given: Any, **named: Any) -> Any:
            monkeypatch.setattr(WooCommerce, "ensure", ensure)
            connect.connect(ctx, faster.merchant_id, faster.id)
            return ensure(*given, **named)

        monkeypatch.setattr(WooCommerce, "ensure", overtaken)
        connect.connect(ctx, slower.merchant_id, slower.id)
        assert faster.status()["state"] == "connected"
        assert slower.shown()["state"] == "trouble"
        assert "connected already" in slower.shown()["problem"]


class TestSigned:
    def test_only_this_connections_secret_and_this_minute(self, paired: Paired) -> None:
        now = time.time()
        assert paired.signed("GET", "/status", at=now - 200).status_code == 200
        for at in (now - 400, now + 400, 0, 10**11):
            answer = paired.signed("GET", "/status", at=at)
            assert (answer.status_code, answer.json["error"]["code"]) == (401, "clock_skewed")
        wrong = paired.signed("GET", "/status", secret="x" * 40)
        assert (wrong.status_code, wrong.json["error"]["code"]) == (401, "signature_invalid")

    @pytest.mark.parametrize("change", ["method", "path", "query", "body", "time", "none"])
    def test_what_differs_from_what_was_signed_is_refused(
        self, paired: Paired, change: str
    ) -> None:
        base, stamp = f"/connect/woocommerce/{paired.id}", str(int(time.time()))
        message = f"GET\n{base}/status\n{stamp}\n".encode()
        key = paired.told["webhook_secret"].encode()
        mac = base64.urlsafe_b64encode(hmac.new(key, message, hashlib.sha256).digest())
        headers = {"X-Autofactura-Time": stamp, "X-Autofactura-Signature": mac.decode().rstrip("=")}
        method, path, data = "GET", f"{base}/status", b""
        if change == "method":
            method, path = "POST", f"{base}/disconnect"
        elif change == "path":
            path = f"{base}/orders/1"
        elif change == "query":
            path += "?x=1"
        elif change == "body":
            data = b"{}"
        elif change == "time":
            headers["X-Autofactura-Time"] = str(int(stamp) + 1)
        answer = paired.site.client.open(path, method=method, data=data, headers=headers)
        assert answer.status_code == (200 if change == "none" else 401)

    def test_unknown_connections_are_not_found(self, paired: Paired) -> None:
        real, paired.told["connection"] = paired.id, "0" * 32
        for method, path in (("GET", "/status"), ("GET", "/orders/1"), ("POST", "/disconnect")):
            answer = paired.signed(method, path)
            assert (answer.status_code, answer.json["error"]["code"]) == (
                404,
                "connection_not_found",
            )
        paired.told["connection"] = real
        assert paired.signed("GET", "/status").status_code == 200


class TestOrders:
    def test_an_order_is_told_by_the_word_of_the_page(self, paired: Paired) -> None:
        work(paired.site)
        unknown = paired.signed("GET", "/orders/7001").json
        assert unknown == {"estado": "desconocida", "uuid": None, "link": None}
        order = paired.store.sell(7001)
        assert paired.deliver(json.dumps(order).encode()).status_code == 200
        work(paired.site)
        shown = paired.signed("GET", "/orders/7001").json
        assert (shown["estado"], shown["uuid"]) == ("abierta", None)
        path = shown["link"].removeprefix(paired.site.hub.ctx.public_url)
        assert path.startswith(f"/s/woocommerce/{paired.id}/7001?c=")
        assert paired.site.client.get(path).status_code == 303

    def test_the_plug_ins_own_delivery_is_as_good_as_asking(self, paired: Paired) -> None:
        """The store cannot be asked: the order it sent is complete, and verified."""
        work(paired.site)
        order = paired.store.sell(7002)
        body = json.dumps({"order": order, "refunds": []}).encode()
        paired.store.down = 403
        assert paired.deliver(body, "autofactura.order").text == "filed\n"
        assert paired.deliver(body, "autofactura.order").text == "duplicate\n"
        work(paired.site)
        with paired.site.hub.ctx.store.reading() as tx:
            row = tx.tenant(paired.merchant_id).sales.by_key(paired.id, "7002")
        assert row is not None
        assert not row.sale.unverified
        assert row.verified_at is not None
        assert paired.signed("GET", "/orders/7002").json["estado"] == "abierta"

    def test_a_native_body_under_the_own_topic_is_no_more_than_it_is(self, paired: Paired) -> None:
        work(paired.site)
        order = paired.store.sell(7003)
        paired.store.down = 403
        paired.deliver(json.dumps(order).encode(), "autofactura.order")
        work(paired.site)
        with paired.site.hub.ctx.store.reading() as tx:
            row = tx.tenant(paired.merchant_id).sales.by_key(paired.id, "7003")
        assert row is not None
        assert row.sale.unverified

    def test_a_hint_of_a_large_order_is_asked_for(self, paired: Paired) -> None:
        work(paired.site)
        paired.store.sell(7004)
        assert paired.deliver(b'{"id": 7004}', "autofactura.order").text == "filed\n"
        work(paired.site)
        assert paired.signed("GET", "/orders/7004").json["estado"] == "abierta"


class TestDisconnecting:
    def test_nothing_is_taken_any_more_and_the_store_is_tidied_up(self, paired: Paired) -> None:
        work(paired.site)
        order = paired.store.sell(7001)
        paired.deliver(json.dumps(order).encode())
        work(paired.site)
        link = paired.signed("GET", "/orders/7001").json["link"]
        path = link.removeprefix(paired.site.hub.ctx.public_url)
        page = paired.site.client.get(path).headers["Location"]
        asked = len(paired.store.asked)
        answer = paired.signed("POST", "/disconnect", b"{}")
        assert answer.json == {"disconnected": True}
        assert len(paired.store.asked) == asked, "the store waits for this answer"
        assert paired.signed("GET", "/status").status_code == 404
        work(paired.site)
        assert paired.store.webhooks == {}
        time.sleep(2.1)  # a door is known for two seconds
        assert paired.deliver(b'{"id": 3}').status_code == 404
        shown = paired.shown()
        assert (shown["state"], shown["problem"]) == ("closed", "")
        with paired.site.hub.ctx.store.reading() as tx:
            tenant = tx.tenant(paired.merchant_id)
            assert tenant.connections.credentials(paired.id).current() == {}
        assert paired.site.client.get(page).status_code == 200
        assert paired.site.client.get(path).headers["Location"] == page
        count = len(paired.store.asked)
        for wrong in (path[:-1] + ("a" if path[-1] != "a" else "b"), path.replace("7001", "7009")):
            assert paired.site.client.get(wrong).status_code == 404
        assert len(paired.store.asked) == count

    def test_a_store_that_tidied_up_itself_is_not_asked(self, paired: Paired) -> None:
        """The plug-in revokes our key at once: nothing is left that could be refused."""
        work(paired.site)
        asked = len(paired.store.asked)
        assert paired.signed("POST", "/disconnect", b'{"tidied": 1}').status_code == 400
        paired.signed("POST", "/disconnect", b'{"tidied": true}')
        with paired.site.hub.ctx.store.reading() as tx:
            tenant = tx.tenant(paired.merchant_id)
            assert tenant.connections.credentials(paired.id).current() == {}
        paired.store.keys.clear()
        work(paired.site)
        shown = paired.shown()
        assert (shown["state"], shown["problem"]) == ("closed", "")
        assert len(paired.store.asked) == asked

    def test_what_stays_at_the_store_is_reported(self, paired: Paired) -> None:
        work(paired.site)
        paired.store.keys.clear()
        paired.site.told("connection", "disconnect", "--merchant", paired.merchant_id, paired.id)
        work(paired.site)
        assert "delete our webhooks there" in paired.shown()["problem"]
        with paired.site.hub.ctx.store.reading() as tx:
            keys = tx.tenant(paired.merchant_id).connections.credentials(paired.id)
            assert keys.current() == {}

    def test_pairing_again_opens_the_same_connection(self, paired: Paired) -> None:
        """Or each of its orders would be a second sale."""
        work(paired.site)
        paired.signed("POST", "/disconnect", b"{}")
        answer = pair(paired.site, code_of(paired.site, paired.merchant_id), paired.store)
        assert answer.json["connection"] == paired.id
        work(paired.site)  # tidying and connecting are both promised: the later word holds
        paired.told = dict(answer.json)
        assert paired.status()["state"] == "connected"
        assert len(paired.store.webhooks) == 4
        with paired.site.hub.ctx.store.transaction() as tx:  # one that comes late
            tx.tenant(paired.merchant_id).promise("tidy", paired.id, queue="ingest")
        work(paired.site)
        assert len(paired.store.webhooks) == 4
        assert paired.status()["state"] == "connected"

    def test_by_hand_after_a_disconnection_too(self, site: Any) -> None:
        merchant_id = site.merchant()
        first = site.connection(merchant_id)
        site.told("connection", "disconnect", "--merchant", merchant_id, first)
        work(site)
        assert site.connection(merchant_id) == first
        shown = site.told("connection", "show", "--merchant", merchant_id, first)
        assert shown["state"] == "connected"
