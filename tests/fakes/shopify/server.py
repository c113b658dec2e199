"""Shopify played on loopback: the token address and the Admin API of any number of shops.

A shop stands under its name: `http://127.0.0.1:PORT/tienda.myshopify.com/admin/…`. It can be told
to fail in every way it is known to.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from connectors.connecting import App
from tests.fakes.shopify.admin import FakeShop, answer
from tests.fakes.shopify.courier import Courier
from tests.fakes.shopify.oauth import FakeApp, Tokens
from tests.fakes.shopify.orders import Item, Ledger, Order, frozen, touched
from tests.fakes.shopify.rest import number, order_of, refund_of, shop_of, transaction_of

VERSION = "2026-10"


@dataclass
class Trouble:
    """One request goes wrong in this way."""

    #: "status", "slow", "drop", "truncated", "redirect", "huge", "page", "lost", "throttled"
    kind: str
    status: int = 500
    seconds: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    #: Where a redirect leads.
    to: str = ""


@dataclass
class FakeShopify:
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    url: str = ""
    version: str = VERSION
    tokens: Tokens = field(init=False)
    shops: dict[str, FakeShop] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)
    app: FakeApp = field(
        default_factory=lambda: FakeApp("client-1", "shpss_0123456789abcdef0123456789abcdef")
    )
    courier: Courier = field(init=False)
    #: Of the next requests to the Admin API, and to the token address, one each.
    troubles: list[Trouble] = field(default_factory=list)
    token_troubles: list[Trouble] = field(default_factory=list)
    #: Of every request to the Admin API.
    always: Trouble | None = None
    #: Every request: what was asked, of which shop, with which token.
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    #: Lasts so long: a renewal, so that others come meanwhile.
    token_seconds: float = 0.0

    def __post_init__(self) -> None:
        self.tokens = Tokens(self.now)
        self.courier = Courier(self.now, lambda: self.app.client_secret)

    def shop(self, domain: str = "tienda.myshopify.com") -> FakeShop:
        if domain not in self.shops:
            made = FakeShop(domain, self.now)
            made.tell = lambda topic, order: self.told(domain, topic, order)
            self.shops[domain] = made
            self.tokens.install(self.app, domain)
        return self.shops[domain]

    def hub_app(self, app: FakeApp | None = None, **more: str) -> App:
        """The app as a hub keeps it."""
        own = app or self.app
        keys = {"client_id": own.client_id, "client_secret": own.client_secret}
        return App("app-1", {**keys, "api_root": self.url, **more})

    def connected(self, domain: str = "tienda.myshopify.com") -> dict[str, str]:
        """The credentials of a connection that this very app has with the shop."""
        self.shop(domain)
        token = self.tokens.id_token(self.app, domain)
        asked = {
            "client_id": self.app.client_id,
            "client_secret": self.app.client_secret,
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token": token,
            "expiring": "1",
        }
        _, given = self.tokens.answer(domain, asked)
        self.tokens.grants.clear()
        expires_at = self.tokens.pairs[self.app.client_id, domain].expires_at
        assert expires_at is not None
        app = {f"app.{name}": value for name, value in self.hub_app().keys.items()}
        return {
            "shop": domain,
            "access_token": given["access_token"],
            "refresh_token": given["refresh_token"],
            "expires_at": expires_at.isoformat(),
            "scope": given["scope"],
            **app,
        }

    def told(self, domain: str, topic: str, order: Order, *, copies: int = 1) -> None:
        """A webhook of an order, if there is anybody to tell."""
        if self.courier.url:
            self.courier.send(domain, topic, order_of(order, domain), copies=copies)

    # What the people of a shop and its buyers do.

    def sell(self, domain: str, items: list[Item], **more: Any) -> Order:
        order = self.ledger.sell(items, self.now(), **more)
        self.shop(domain).orders[order["id"]] = order
        for topic in ("orders/create", *(("orders/paid",) if _paid(order) else ())):
            self.told(domain, topic, order)
        return order

    def pay(self, domain: str, order: Order) -> None:
        self.ledger.pay(order, self.now())
        touched(order, self.now())
        for topic in ("orders/paid", "orders/updated"):
            self.told(domain, topic, order)

    def refund(self, domain: str, order: Order, **more: Any) -> dict[str, Any]:
        refund = self.ledger.refund(order, self.now(), **more)
        touched(order, self.now())
        if self.courier.url:
            self.courier.send(domain, "refunds/create", refund_of(refund, order))
            for one in refund["transactions"]:
                told = transaction_of(one, order)
                self.courier.send(domain, "order_transactions/create", told)
        self.told(domain, "orders/updated", order)
        return refund

    def cancel(self, domain: str, order: Order) -> None:
        self.ledger.cancel(order, self.now())
        touched(order, self.now())
        for topic in ("orders/cancelled", "orders/updated"):
            self.told(domain, topic, order)

    def edit(self, domain: str, order: Order, **more: Any) -> None:
        self.ledger.edit(order, self.now(), **more)
        touched(order, self.now())
        if self.courier.url:
            edit = {"order_edit": {"id": self.ledger.number(), "order_id": number(order["id"])}}
            self.courier.send(domain, "orders/edited", edit)
        self.told(domain, "orders/updated", order)

    def delete(self, domain: str, order: Order) -> None:
        del self.shops[domain].orders[order["id"]]
        if self.courier.url:
            self.courier.send(domain, "orders/delete", {"id": number(order["id"])})

    def uninstall(self, domain: str) -> None:
        """The tokens die first, then the news goes out; two days later that all be erased."""
        self.tokens.uninstall(self.app, domain)
        if self.courier.url:
            self.courier.send(domain, "app/uninstalled", shop_of(domain))

    def redact(self, domain: str) -> None:
        if self.courier.url:
            told = {"shop_id": 548380009, "shop_domain": domain}
            self.courier.send(domain, "shop/redact", told)

    def snapshot(self, order: Order) -> Order:
        return frozen(order)


def _paid(order: Order) -> bool:
    return bool(order["displayFinancialStatus"] == "PAID")


class _Handler(BaseHTTPRequestHandler):
    shopify: FakeShopify

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        domain, _, path = self.path.lstrip("/").partition("/")
        token = self.headers.get("x-shopify-access-token", "")
        self.shopify.requests.append((path, domain, token))
        if path == "admin/oauth/access_token":
            self._token(domain, body)
        elif path == f"admin/api/{VERSION}/graphql.json":
            self._admin(domain, token, body)
        else:
            self._json(404, {"errors": "Not Found"})

    def do_GET(self) -> None:
        """The page where a person agrees: agreed at once."""
        parts = urlsplit(self.path)
        domain, _, path = parts.path.lstrip("/").partition("/")
        query = dict(parse_qsl(parts.query))
        app = self.shopify.tokens.apps.get(query.get("client_id", ""), self.shopify.app)
        if path != "admin/oauth/authorize" or query.get("client_id") != app.client_id:
            self._json(404, {"errors": "Not Found"})
            return
        shopify = self.shopify
        back = shopify.tokens.agree(app, domain, state=query.get("state", ""), now=shopify.now())
        self.send_response(302)
        self.send_header("location", f"{query.get('redirect_uri', '')}?{back}")
        self.send_header("content-length", "0")
        self.end_headers()

    def _token(self, domain: str, body: bytes) -> None:
        trouble = self.shopify.token_troubles.pop(0) if self.shopify.token_troubles else None
        if trouble and trouble.kind != "lost":
            self._fail(trouble)
            return
        if self.shopify.token_seconds:
            time.sleep(self.shopify.token_seconds)
        status, told = self.shopify.tokens.answer(domain, json.loads(body))
        if trouble:
            self._hang_up()  # it was done, and nobody heard of it
            return
        self._json(status, told)

    def _admin(self, domain: str, token: str, body: bytes) -> None:
        shopify = self.shopify
        trouble = shopify.troubles.pop(0) if shopify.troubles else shopify.always
        if trouble:
            self._fail(trouble)
            return
        shop, app = shopify.shops.get(domain), shopify.tokens.opens(domain, token)
        if shop is None:
            self._json(404, {"errors": "Not Found"})
        elif app is None:
            self._json(401, {"errors": "[API] Invalid API key or access token"})
        else:
            self._json(200, answer(shop, app.scopes, json.loads(body)))

    def _fail(self, trouble: Trouble) -> None:
        if trouble.kind == "slow":
            time.sleep(trouble.seconds)
            self._json(200, {"data": {}})
        elif trouble.kind in {"drop", "lost"}:
            self._hang_up()
        elif trouble.kind == "truncated":
            self._raw(200, b'{"data":{"order":{"id":"gid://shopify/Ord', "application/json")
        elif trouble.kind == "cut":
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", "1000")
            self.end_headers()
            self.wfile.write(b'{"data":')
            self._hang_up()
        elif trouble.kind == "redirect":
            self._raw(302, b"", "text/html", {"location": trouble.to})
        elif trouble.kind == "huge":
            self._raw(200, b'{"data":"' + b"x" * 9_000_000 + b'"}', "application/json")
        elif trouble.kind == "page":
            self._raw(trouble.status, b"<html>maintenance</html>", "text/html")
        elif trouble.kind == "throttled":
            told = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
            status = {"maximumAvailable": 1000, "currentlyAvailable": 0, "restoreRate": 50}
            cost = {"cost": {"requestedQueryCost": 500, "throttleStatus": status}}
            self._json(200, {"errors": [told], "extensions": cost})
        else:
            self._json(trouble.status, {"errors": "played"}, trouble.headers)

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.close()

    def _json(self, status: int, told: Any, headers: dict[str, str] | None = None) -> None:
        kind = "application/json; charset=utf-8"
        self._raw(status, json.dumps(told).encode(), kind, headers)

    def _raw(
        self, status: int, body: bytes, kind: str, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        more = {"content-type": kind, "x-shopify-api-version": self.shopify.version}
        for name, value in {**more, **(headers or {}), "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def serve(shopify: FakeShopify, port: int = 0) -> ThreadingHTTPServer:
    """Bound, and not yet serving: `serve_forever` does."""
    handler = type("Handler", (_Handler,), {"shopify": shopify})
    httpd = ThreadingHTTPServer(("127.0.0.1", port), handler)
    httpd.daemon_threads = True
    httpd.handle_error = lambda *_: None  # type: ignore[method-assign] # clients hang up on purpose
    shopify.url = f"http://127.0.0.1:{httpd.server_port}"
    return httpd


@contextmanager
def running(shopify: FakeShopify | None = None) -> Iterator[FakeShopify]:
    """In a thread of this process."""
    told = shopify or FakeShopify()
    httpd = serve(told)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield told
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()
