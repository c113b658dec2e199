"""Keys by WooCommerce's own page of consent: its real code, over TLS, in a browser."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

#: Of one connection; the front makes its own.
HOP = {"connection", "transfer-encoding", "content-length", "date", "server"}


class Forward(BaseHTTPRequestHandler):
    """What a proxy with TLS does."""

    protocol_version = "HTTP/1.1"
    to = 0

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        back = HTTPConnection("127.0.0.1", self.to, timeout=60)
        headers = dict(self.headers) | {"X-Forwarded-Proto": "https", "Connection": "close"}
        back.request(self.command, self.path, body, headers)
        answer = back.getresponse()
        told = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    do_POST = do_GET  # noqa: N815 - the name http.server looks for

    def log_message(self, *_: Any) -> None:
        """Nothing: addresses hold nonces."""


@pytest.fixture
def secure_hub(shop: Any, make_hub: Callable[..., Any]) -> Iterator[Any]:
    """A hub behind TLS, with the certificate of the shop's own front."""
    certificate = shop.folder / "run" / "cert.pem"
    if not certificate.is_file():
        pytest.skip("NOT TESTED: hand-off over TLS (WOO_DIR has no run/cert.pem)")
    handler = type("ForwardToHub", (Forward,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        made = make_hub(PUBLIC_URL=f"https://127.0.0.1:{server.server_port}", PROXY_HOPS="1")
        handler.to = made.port
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        shop.do("revoke")


def test_a_shop_without_the_plug_in_hands_its_keys_over(
    chromium: Any, shop: Any, secure_hub: Any, eventually: Callable[..., Any]
) -> None:
    context = chromium.new_context(ignore_https_errors=True, locale="es-MX")
    page = context.new_page()
    page.set_default_timeout(40_000)
    page.goto(f"{secure_hub.more['PUBLIC_URL']}/connect/woocommerce")
    page.fill("[name=code]", secure_hub.code())
    page.fill("[name=store_url]", shop.url)
    page.click("form button")
    page.wait_for_url(f"{shop.url}/wc-auth/**")
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", "admin")
    page.click("form button")
    page.click("a.wc-auth-approve")
    page.wait_for_url("**/connect/woocommerce/return**")
    page.get_by_text("Tu tienda está conectada").wait_for()
    context.close()
    eventually(lambda: secure_hub.connection()["state"] == "connected")
    made = shop.do("webhooks")
    assert {one["status"] for one in made} == {"active"}
    assert all(one["url"].startswith(secure_hub.more["PUBLIC_URL"]) for one in made)
    order = shop.order()
    shop.run_queue()
    eventually(lambda: secure_hub.sale(order["id"]))
    done = secure_hub.connections()[-1]["id"]
    secure_hub.cli("connection", "disconnect", "--merchant", secure_hub.merchant_id, done)
    eventually(lambda: shop.do("webhooks") == [])
