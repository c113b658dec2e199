"""A connection to the Stripe on loopback, for the tests of the connector."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from connectors.contract import ConnectionFacts, Delivery
from connectors.held import Held
from connectors.stripe.connector import Stripe
from hub.clock import SystemClock
from tests.fakes.stripe import Account, FakeStripe, Fault, Post, Shop
from tests.fakes.stripe.deliveries import signed

KEY = "rk_test_51HubOfTests0000abcdef"
URL = "https://hub.example/webhooks/stripe/connection-1"


class StripesClock(SystemClock):
    """The time at the account, which stands still; what passes is real."""

    def __init__(self, account: Account) -> None:
        super().__init__()
        self.account = account

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.account.now, UTC)


@dataclass
class World:
    fake: FakeStripe
    connector: Stripe
    keys: Held
    account_name: str
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def account(self) -> Account:
        return self.fake.account

    @property
    def shop(self) -> Shop:
        return Shop(self.account)

    @property
    def facts(self) -> ConnectionFacts:
        settings = {"allow_private": True, **self.settings}
        return ConnectionFacts("connection-1", self.account_name, settings)

    def fetch(self, order_id: str) -> bytes:
        return self.connector.fetch(order_id, self.facts, self.keys)

    def asked(self, path: str = "", method: str = "") -> list[tuple[str, str, dict[str, Any]]]:
        return [
            (how, where, params)
            for how, where, params, _ in self.account.asked
            if path in where and method in how
        ]

    def fails(self, kind: str, **more: Any) -> None:
        self.account.faults.append(Fault(kind, **more))

    def at(self, instant: int) -> datetime:
        return datetime.fromtimestamp(instant, UTC)


@contextmanager
def world(**more: Any) -> Iterator[World]:
    account = Account(**more)
    account.allow(KEY, "webhook_write")
    with FakeStripe(account) as fake:
        connector = Stripe(StripesClock(account))
        name, keys = connector.configure(
            f"{fake.base}/{account.id}", {"key": KEY}, allow_private=True
        )
        yield World(fake, connector, Held(keys), name)


def delivery(event: dict[str, Any], *secrets: str, at: int, skew: float = 0.0) -> Delivery:
    """As it comes in at `at`, signed `skew` seconds before."""
    body, headers = signed(event, list(secrets), at - skew)
    lower = {name.lower(): value for name, value in headers.items()}
    return Delivery(lower, body, datetime.fromtimestamp(at, UTC))


__all__ = ["KEY", "URL", "Post", "World", "delivery", "world"]
