"""`python -m tests.fakes.shopify [--port N] [--webhooks URL]`: a Shopify to try a hub against.

Prints its address and the app's keys as JSON, sells something every few seconds if there is a hub
to tell, and ends with its standard input.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
from decimal import Decimal

from tests.fakes.shopify.orders import Item
from tests.fakes.shopify.server import FakeShopify, serve

SHOP = "tienda.myshopify.com"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--webhooks", default="", help="where the app's webhooks go")
    parser.add_argument("--seconds", type=float, default=5.0, help="between two sales")
    given = parser.parse_args()
    shopify = FakeShopify()
    httpd = serve(shopify, given.port)
    shopify.courier.url = given.webhooks
    shopify.shop(SHOP)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    keys = dict(shopify.hub_app().keys)
    token = shopify.tokens.id_token(shopify.app, SHOP)
    sys.stdout.write(
        json.dumps({"url": shopify.url, "shop": SHOP, "id_token": token, **keys}) + "\n"
    )
    sys.stdout.flush()
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    while not over.wait(given.seconds):
        if given.webhooks:
            shopify.sell(SHOP, [Item("Taza", Decimal("116.00"), 1)])
            shopify.courier.run()
    httpd.shutdown()


if __name__ == "__main__":
    main()
