"""A small store that speaks like WooCommerce: signed deliveries and the REST API that is asked."""

from __future__ import annotations

import json
import random
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from hmac import compare_digest
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit
from wsgiref.util import request_uri

from woocommerce.oauth import OAuth

from connectors import net
from connectors.signing import hmac_sha256_base64
from connectors.woocommerce.demo_orders import orders

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Order = dict[str, Any]

_ROUTE: Final = re.compile(
    r"/wp-json/wc/v3/(?:(?P<webhooks>webhooks)|orders(?:/(?P<id>\d+)(?P<refunds>/refunds)?)?)"
)
_AMOUNT: Final = re.compile(r"-?\d+\.\d{6}")


class DemoShop:
    """See `connectors.demo.DemoShop`. Its secrets last as long as it does."""

    platform = "woocommerce"

    def __init__(self, now: datetime, rng: random.Random) -> None:
        key, secret, webhook = (f"{rng.getrandbits(160):040x}" for _ in range(3))
        self.credentials: Mapping[str, str] = {
            "consumer_key": f"ck_{key}",
            "consumer_secret": f"cs_{secret}",
            "webhook_secret": webhook,
        }
        self._orders = orders(now, rng)
        self.app = shop(
            self._orders, self.credentials["consumer_key"], self.credentials["consumer_secret"]
        )

    def send_orders(self, webhook_url: str) -> None:
        greet(webhook_url)
        for order in self._orders:
            deliver(order, webhook_url, self.credentials["webhook_secret"])


def sign(body: bytes, secret: str) -> str:
    """The X-WC-Webhook-Signature of a body."""
    return hmac_sha256_base64(body, secret)


def greet(url: str, webhook_id: int = 1) -> None:
    """The unsigned form post of a webhook that was just saved."""
    _accepted(net.send("POST", url, allow_private=True, data={"webhook_id": webhook_id}))


def deliver(order: Order, url: str, secret: str, topic: str = "order.updated") -> None:
    """Post the order as WooCommerce does: amounts in the store's two decimals, slashes escaped."""
    body = json.dumps(shown(order, 2), separators=(",", ":")).replace("/", "\\/").encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "WooCommerce/11.0.1 Hookshot (WordPress/7.0.4)",
        "X-WC-Webhook-Topic": topic,
        "X-WC-Webhook-Resource": "order",
        "X-WC-Webhook-Event": topic.partition(".")[2],
        "X-WC-Webhook-Signature": sign(body, secret),
        "X-WC-Webhook-ID": "1",
    }
    _accepted(net.send("POST", url, allow_private=True, data=body, headers=headers))


def _accepted(answer: net.Answer) -> None:
    if answer.status != HTTPStatus.OK:
        raise OSError(f"the hub answered {answer.status} to the demonstration shop")


def shown(value: Any, decimals: int) -> Any:
    """The order with every amount rounded as the REST API does for `dp`."""
    if isinstance(value, dict):
        return {name: shown(one, decimals) for name, one in value.items()}
    if isinstance(value, list):
        return [shown(one, decimals) for one in value]
    if isinstance(value, str) and _AMOUNT.fullmatch(value):
        return str(Decimal(value).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP))
    return value


def shop(orders: Sequence[Order], ck: str, cs: str) -> WSGIApplication:
    """The part of the REST API that a hub asks: one order, its refunds, what changed since.

    It delivers by itself and lists no webhook, as a store whose key may only read.
    """

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        route = _ROUTE.fullmatch(environ.get("PATH_INFO", ""))
        if route is None:
            status, answer = HTTPStatus.NOT_FOUND, _error("rest_no_route")
        elif not _allowed(environ, ck, cs):
            status, answer = HTTPStatus.UNAUTHORIZED, _error("woocommerce_rest_cannot_view")
        else:
            status, answer = _answer(orders, route, _query(environ))
        start_response(
            f"{status.value} {status.phrase}",
            [("Content-Type", "application/json; charset=UTF-8")],
        )
        return [json.dumps(answer).encode()]

    return app


def _answer(
    orders: Sequence[Order], route: re.Match[str], query: Mapping[str, str]
) -> tuple[HTTPStatus, Any]:
    if route["webhooks"]:
        return HTTPStatus.OK, []
    decimals = int(query.get("dp", "2"))
    if route["id"] is None:
        return HTTPStatus.OK, shown(_changed(orders, query), decimals)
    for order in orders:
        if str(order["id"]) == route["id"]:
            return HTTPStatus.OK, [] if route["refunds"] else shown(order, decimals)
    return HTTPStatus.NOT_FOUND, _error("woocommerce_rest_shop_order_invalid_id")


def _changed(orders: Sequence[Order], query: Mapping[str, str]) -> list[Order]:
    after = query.get("modified_after", "")
    found = sorted(
        (order for order in orders if order["date_modified_gmt"] > after),
        key=lambda order: (order["date_modified_gmt"], order["id"]),
    )
    size, page = int(query.get("per_page", "10")), int(query.get("page", "1"))
    return found[size * (page - 1) : size * page]


def _error(code: str) -> dict[str, str]:
    return {"code": code, "message": code}


def _query(environ: WSGIEnvironment) -> dict[str, str]:
    given = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    return {name: values[-1] for name, values in given.items()}


def _allowed(environ: WSGIEnvironment, ck: str, cs: str) -> bool:
    """Basic, or OAuth 1.0a, which is how the store is asked over plain HTTP."""
    basic = "Basic " + b64encode(f"{ck}:{cs}".encode()).decode()
    if compare_digest(environ.get("HTTP_AUTHORIZATION", "").encode(), basic.encode()):
        return True
    given = _query(environ)
    signature = given.pop("oauth_signature", "")
    url = urlsplit(request_uri(environ, include_query=False)).geturl()
    oauth = OAuth(url=url, consumer_key=ck, consumer_secret=cs, version="wc/v3", method="GET")
    expected = oauth.generate_oauth_signature(given, url)
    return given.get("oauth_consumer_key") == ck and compare_digest(
        signature.encode(), expected.encode()
    )
