"""Signed deliveries to the endpoints of an account: once, again, in any order, until taken."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import requests

import stripe
from tests.fakes.stripe.account import Account


@dataclass
class Post:
    """Whatever happens waits here until `deliver` sends it."""

    account: Account
    clock: Callable[[], float] = time.time
    waiting: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    #: (endpoint id, event id, status) of every try; 0 where nobody answered.
    tries: list[tuple[str, str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.account.post = self

    def told(self, event: dict[str, Any], found: dict[str, Any]) -> None:
        for endpoint in self.account.look("webhook_endpoint"):
            if endpoint["status"] != "enabled":
                continue
            if {event["type"], "*"} & set(endpoint["enabled_events"]):
                version = endpoint["api_version"] or self.account.version
                body = self.account.told(event, found, version)
                self.waiting.append((endpoint["id"], body))

    def deliver(
        self,
        *,
        repeat: int = 1,
        order: random.Random | None = None,
        retries: int = 3,
        at_once: int = 1,
    ) -> list[int]:
        """Send what waits: each `repeat` times, shuffled if asked, again while it is not taken.

        What no try brought stays waiting.
        """
        batch = [one for one in self.waiting for _ in range(repeat)]
        self.waiting.clear()
        if order:
            order.shuffle(batch)
        with ThreadPoolExecutor(at_once) as pool:
            answers = list(pool.map(lambda one: self._tried(*one, 1 + retries), batch))
        return [one for one in answers if one is not None]

    def _tried(self, endpoint_id: str, event: dict[str, Any], times: int) -> int | None:
        """The last answer; None where the endpoint is gone or switched off."""
        endpoint = self.account.objects.get(endpoint_id)
        if endpoint is None or endpoint["status"] != "enabled":
            return None
        status = 0
        for _ in range(times):
            status = self._sent(endpoint, event)
            if 200 <= status < 300:
                return status
        self.waiting.append((endpoint_id, event))
        return status

    def _sent(self, endpoint: dict[str, Any], event: dict[str, Any]) -> int:
        body, headers = self.signed(event, endpoint["id"])
        try:
            status = requests.post(
                endpoint["url"], data=body, headers=headers, timeout=60, allow_redirects=False
            ).status_code
        except requests.RequestException:
            status = 0
        self.tries.append((endpoint["id"], event["id"], status))
        return status

    def signed(self, event: dict[str, Any], endpoint_id: str) -> tuple[bytes, dict[str, str]]:
        return signed(event, [self.account.secrets[endpoint_id]], self.clock())


def signed(event: dict[str, Any], secrets: list[str], at: float) -> tuple[bytes, dict[str, str]]:
    """As Stripe signs: with every secret that is active, and a false one of an older scheme."""
    text = json.dumps(event, indent=2, ensure_ascii=False)
    made = [
        stripe.WebhookSignature.generate_signature_header(text, secret, int(at))
        for secret in secrets
    ]
    parts = [f"t={int(at)}", *(one.partition(",")[2] for one in made), "v0=" + "0" * 64]
    return text.encode(), {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        "Stripe-Signature": ",".join(parts),
    }
