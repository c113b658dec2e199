"""A company that charges by this Stripe, at an installed hub: `autofactura up` and its commands."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from click.testing import CliRunner

from hub.cli import main
from tests.fakes.stripe.account import Account
from tests.fakes.stripe.deliveries import Post
from tests.fakes.stripe.server import FakeStripe
from tests.fakes.stripe.shop import Shop

KEY: Final = "rk_live_51HubOfTests0000abcdef"
#: One of SAT's fictitious taxpayers, as a customer of Stripe with all that an invoice needs.
COMPLETE: Final = {
    "tax_ids": ["URE180429TM6"],
    "name": "UNIVERSIDAD ROBOTICA ESPAÑOLA",
    "address": {"country": "MX", "postal_code": "86991"},
    "metadata": {"regimen_fiscal": "601", "uso_cfdi": "G03"},
}


def live_account() -> Account:
    account = Account(livemode=True, now=int(time.time()) - 3600)
    account.allow(KEY, "webhook_write", "invoice_write", "payment_intent_write", "customer_write")
    return account


@dataclass
class Saas:
    home: Any
    fake: FakeStripe
    post: Post
    merchant_id: str
    connection_id: str = ""

    @property
    def account(self) -> Account:
        return self.fake.account

    @property
    def shop(self) -> Shop:
        return Shop(self.account)

    def cli(self, group: str, verb: str, *rest: str, expect: int = 0) -> Any:
        """One command with --json, in this process: to start one takes seconds."""
        env = dict.fromkeys(("PORT", "DATABASE_URL", "REDIS_URL")) | self.home.env
        words = [group, verb, "--merchant", self.merchant_id, *rest, "--json"]
        done = CliRunner(env=env).invoke(main, words)
        assert done.exit_code == expect, (words, done.output)
        return json.loads(done.stdout)

    def connect(self, key: str = KEY, *more: str, expect: int = 0) -> dict[str, Any]:
        told = self.cli(
            *("connection", "create", "--platform", "stripe", "--key", key),
            *("--url", f"{self.fake.base}/{self.account.id}", "--since", "2026-01-01", *more),
            expect=expect,
        )
        self.connection_id = told.get("id", self.connection_id)
        return dict(told)

    def shown(self) -> dict[str, Any]:
        return dict(self.cli("connection", "show", self.connection_id))

    @property
    def is_told(self) -> bool:
        """Whether the endpoint is made and its secret known."""
        shown = self.shown()
        return shown["state"] == "connected" and set(shown["webhooks"].values()) == {"active"}

    def sales(self) -> dict[str, dict[str, Any]]:
        """By number; fails where one number is there twice."""
        words, after, rows = ("sale", "list", "--limit", "500"), None, list[dict[str, Any]]()
        while True:
            page = self.cli(*words, *(["--after", after] if after else []))
            rows += page["data"]
            if not (after := page["next"]):
                break
        assert len(rows) == len({one["number"] for one in rows})
        return {one["number"]: one for one in rows}

    def digested(self, seconds: float = 600) -> None:
        """Wait until no delivery is left to look at."""
        until = time.monotonic() + seconds
        while self.cli("inbox", "list", "--state", "filed")["data"]:
            assert time.monotonic() < until, self.cli("inbox", "list", "--state", "filed")
            time.sleep(0.3)

    def stamped(self) -> list[Decimal]:
        """The totals of all that the provider ever stamped."""
        return sorted(Decimal(one["total"]) for one in self.home.stamps())
