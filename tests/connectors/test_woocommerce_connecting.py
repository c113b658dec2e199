"""Where a store's address leads, what the plug-in signs, what a store hands over."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import net
from connectors.abilities import Proves, Subscribes
from connectors.connecting import Asked, ClockSkewed, HandsOver, RequestUnsigned, Speaks
from connectors.contract import (
    ConnectionFacts,
    ConnectionInvalid,
    Delivery,
    DeliveryUnreadable,
    PlatformUnreachable,
)
from connectors.woocommerce import client, connect, links
from connectors.woocommerce.connector import WooCommerce

NOW = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)


def test_it_declares_all_of_connecting() -> None:
    one = WooCommerce()
    assert isinstance(one, Subscribes)
    assert isinstance(one, Proves)
    assert isinstance(one, Speaks)
    assert isinstance(one, HandsOver)


class TestWhereAnAddressLeads:
    @pytest.fixture
    def hops(self, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
        """Answers of public stores by address; every real connection is refused."""

        def install(**redirects: str) -> list[str]:
            asked: list[str] = []
            real = net.send

            def send(method: str, url: str, **more: Any) -> net.Answer:
                asked.append(url)
                host = url.split("/")[2]
                if host not in redirects:
                    return real(method, url, **more)
                onward = redirects[host]
                status = 301 if onward else 200
                headers = net.requests.structures.CaseInsensitiveDict({"location": onward})
                return net.Answer(status, "application/json", headers, b"{}")

            def nowhere(*_: object, **__: object) -> list[Any]:
                return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 443))]

            monkeypatch.setattr(net, "send", send)
            monkeypatch.setattr(socket, "getaddrinfo", nowhere)
            return asked

        return install

    def settled(self, account: str) -> str:
        return client.settled(ConnectionFacts("c", account, {}))

    def test_www_and_a_folder(self, hops: Any) -> None:
        hops(**{
            "tienda.example": "https://www.tienda.example/wp-json/",
            "www.tienda.example": "",
        })  # fmt: skip
        assert self.settled("https://tienda.example") == "https://www.tienda.example"

    @pytest.mark.parametrize(
        "onward",
        [
            "http://tienda.example/wp-json/",
            "https://u:p@other.example/wp-json/",
            "https://other.example:8443/wp-json/",
            "https://10.0.0.1/wp-json/",
            "https://[::1]/wp-json/",
            "https://localhost/wp-json/",
            "https://169.254.169.254/latest/meta-data/",
            "https://rebound.example/wp-json/",
            "ftp://other.example/wp-json/",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "https://[::1",
            "//10.0.0.1/wp-json/",
            "https://tienda.example/wp-json/",
            "https://door.example/login",
        ],
    )
    def test_a_way_inside_is_not_gone(self, hops: Any, onward: str) -> None:
        """Each hop is judged as the first address is; the name of `rebound` is a private one."""
        asked = hops(**{"tienda.example": onward, "door.example": ""})
        with pytest.raises(ConnectionInvalid):
            self.settled("https://tienda.example")
        assert len(asked) <= net.MAX_HOPS

    def test_on_a_socket(self, server: Any) -> None:
        server.answers += [
            (302, {"Location": f"{server.url}/folder/wp-json/"}, b""),
            (200, {"Content-Type": "application/json"}, b"{}"),
        ]
        facts = ConnectionFacts("c", server.url, {"allow_private": True})
        assert client.settled(facts) == f"{server.url}/folder"
        assert server.asked == ["/wp-json/", "/folder/wp-json/"]
        assert not [one for one in server.headers if "Authorization" in one]
        server.answers[:] = [(302, {"Location": server.url}, b"")]
        with pytest.raises(ConnectionInvalid, match="circles"):
            client.settled(facts)

    def test_nobody_there(self) -> None:
        facts = ConnectionFacts("c", "http://127.0.0.1:1", {"allow_private": True})
        with pytest.raises(PlatformUnreachable):
            client.settled(facts)


class TestProofs:
    def test_it_is_the_hmac_that_the_plug_in_computes(self) -> None:
        mac = hmac.new(b"K", b"7001\nwc_order_abc", hashlib.sha256).digest()
        expected = base64.urlsafe_b64encode(mac).decode().rstrip("=")
        assert links.proof("K", "7001", "wc_order_abc") == expected
        assert len(expected) == 43

    def test_fetched_and_delivered_orders_have_the_same(self) -> None:
        order = {"id": 7001, "order_key": "wc_order_abc", "number": "A-7"}
        fetched = json.dumps({"order": order, "refunds": []}).encode()
        delivered = json.dumps(order).encode()
        expected = links.proof("K", "7001", "wc_order_abc")
        assert links.proof_of(fetched, "K") == links.proof_of(delivered, "K") == expected

    @pytest.mark.parametrize(
        "order",
        [b"", b"[]", b"{}", b'{"id":1}', b'{"order_key":"x"}', b'{"id":1,"order_key":""}',
         b'{"id":[],"order_key":"x"}', b'{"order":5}', b"\xff"],
    )  # fmt: skip
    def test_an_order_without_a_key_has_none(self, order: bytes) -> None:
        assert links.proof_of(order, "K") is None

    def test_without_a_secret_anybody_could(self, keys: Any) -> None:
        order = b'{"id":1,"order_key":"x"}'
        assert WooCommerce().proof_of(order, keys()) is None
        assert WooCommerce().proof_of(order, keys(link_secret="K")) is not None

    @given(st.integers(0, 200), st.text(max_size=3), st.integers(0, 200), st.text(max_size=3))
    def test_two_orders_never_share_one(self, a: int, b: str, c: int, d: str) -> None:
        """An id is digits, so the line between it and the key is where it is."""
        one, two = links.proof("K", str(a), b), links.proof("K", str(c), d)
        assert (one == two) is ((a, b) == (c, d))


def asked(secret: str, **changed: Any) -> Asked:
    stamp = str(int(NOW.timestamp()))
    given_ = {"method": "GET", "target": "/connect/x/status", "body": b"", "time": stamp} | changed
    signature = links.signature(secret, "GET", "/connect/x/status", given_["time"], b"")
    headers = {"x-autofactura-time": given_["time"], "x-autofactura-signature": signature}
    return Asked(given_["method"], given_["target"], headers, given_["body"], {}, None, NOW)


class TestRequests:
    def test_signed_now(self) -> None:
        links.check(asked("W"), "W")

    @pytest.mark.parametrize(
        "changed", [{"method": "POST"}, {"target": "/connect/x/status?"}, {"body": b" "}]
    )
    def test_anything_else_is_refused(self, changed: dict[str, Any]) -> None:
        with pytest.raises(RequestUnsigned):
            links.check(asked("W", **changed), "W")

    def test_an_empty_secret_signs_nothing(self) -> None:
        with pytest.raises(RequestUnsigned):
            links.check(asked(""), "")

    @pytest.mark.parametrize("time", ["", "-1", "1e9", "١٢٣", "9" * 13, " 5", "5.0"])
    def test_a_time_that_is_none(self, time: str) -> None:
        with pytest.raises(ClockSkewed):
            links.check(asked("W", time=time), "W")

    @given(st.integers(-10_000, 10_000))
    def test_five_minutes_either_way(self, off: int) -> None:
        one = asked("W", time=str(int(NOW.timestamp()) + off))
        if abs(off) <= links.SKEW_SECONDS:
            links.check(one, "W")
        else:
            with pytest.raises(ClockSkewed):
                links.check(one, "W")


class TestHandingOver:
    def test_as_the_store_posts_it(self) -> None:
        body = (
            b'{"key_id":7,"user_id":"nonce","consumer_key":"ck_1","consumer_secret":"cs_1",'
            b'"key_permissions":"read_write"}'
        )
        assert connect.handed(body) == ("nonce", {"key": "ck_1", "secret": "cs_1"})

    @given(st.binary(max_size=200))
    def test_whatever_else_is_unreadable(self, body: bytes) -> None:
        with pytest.raises(DeliveryUnreadable):
            connect.handed(body)

    def test_the_address_of_consent_carries_nothing_of_its_own(self) -> None:
        url = connect.consent_url(
            "https://tienda.example/a", nonce="n&=", return_url="https://h/r?x=1", callback_url="c"
        )
        assert url.startswith("https://tienda.example/a/wc-auth/v1/authorize?app_name=Autofactura")
        assert "user_id=n%26%3D" in url
        assert "return_url=https%3A%2F%2Fh%2Fr%3Fx%3D1" in url


class TestOwnDeliveries:
    def read(self, body: Any, topic: str = "autofactura.order", at: datetime = NOW) -> Any:
        raw = json.dumps(body).encode()
        return WooCommerce().read(Delivery({"x-wc-webhook-topic": topic}, raw, at))

    def test_the_whole_order(self) -> None:
        body = {"order": {"id": 7, "status": "processing"}, "refunds": []}
        notice = self.read(body)
        assert (notice.order_id, notice.complete, notice.gone) == ("7", True, False)
        assert notice.event_key == self.read(body).event_key
        assert json.loads(notice.snapshot) == body

    @pytest.mark.parametrize("refunds", [None, {}, "x", 0])
    def test_without_its_refunds_it_is_not_complete(self, refunds: Any) -> None:
        assert not self.read(
            {"order": {"id": 7, "status": "completed"}, "refunds": refunds}
        ).complete

    def test_a_native_order_is_not_complete_whatever_its_topic(self) -> None:
        for topic in ("autofactura.order", "order.updated"):
            notice = self.read({"id": 7, "status": "processing"}, topic)
            assert (notice.snapshot is not None, notice.complete) == (True, False)

    def test_a_hint_is_a_new_fact_each_second(self) -> None:
        """The plug-in sends it again with each change of an order that is too large."""
        one = self.read({"id": 7})
        assert (one.order_id, one.snapshot, one.gone) == ("7", None, False)
        assert one.event_key != self.read({"id": 7}, at=NOW.replace(second=1)).event_key
        assert one.event_key == self.read({"id": 7}).event_key

    def test_nothing_of_it_makes_an_order_disappear(self) -> None:
        body = {"order": {"id": 7, "status": "trash"}, "refunds": []}
        assert not self.read(body, "order.deleted").gone
        assert self.read({"id": 7}, "order.deleted").gone

    def test_a_cart_is_no_order(self) -> None:
        assert self.read({"order": {"id": 7, "status": "checkout-draft"}, "refunds": []}) is None

    @pytest.mark.parametrize("order", [{}, {"id": "../1"}, {"id": -1}, [], "x"])
    def test_no_order_in_it(self, order: Any) -> None:
        with pytest.raises(DeliveryUnreadable):
            self.read({"order": order, "refunds": []})
