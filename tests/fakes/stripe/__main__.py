"""A process of its own, for whoever wants Stripe's API without Stripe: prints where it is."""

from __future__ import annotations

import argparse
import time

from tests.fakes.stripe.account import Account
from tests.fakes.stripe.server import FakeStripe
from tests.fakes.stripe.shop import Shop


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m tests.fakes.stripe")
    asked.add_argument("--key", default="rk_test_fake")
    asked.add_argument("--port", type=int, default=0)
    asked.add_argument("--bills", type=int, default=0, help="paid bills to begin with")
    given = asked.parse_args()
    account = Account(now=int(time.time()))
    account.allow(given.key, "webhook_write", "invoice_write", "payment_intent_write")
    shop = Shop(account)
    for _ in range(given.bills):
        shop.bill(11600, customer=shop.customer())
    with FakeStripe(account, given.port) as fake:
        print(f"{fake.base}/{account.id}/test", flush=True)
        fake.thread.join()


if __name__ == "__main__":
    main()
