"""Webhooks as Shopify delivers them: signed, at least once, in no order, retried eight times.

Connected within 1 s and answered within 5 s, with 2xx and nothing else; the same bytes to the same
address again, ever later, over four hours; then given up.
https://shopify.dev/docs/apps/build/webhooks/troubleshooting-webhooks
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import requests

#: Exponential, 3 h 58 min in all.
PAUSES = tuple(timedelta(seconds=56 * 2**n) for n in range(8))
TIMEOUT = (60.0, 60.0)


@dataclass
class Parcel:
    topic: str
    url: str
    headers: dict[str, str]
    body: bytes
    due_at: datetime
    tried: int = 0
    answers: list[int] = field(default_factory=list)


@dataclass
class Courier:
    """What is due is delivered when `run` is called; its clock may be any."""

    now: Callable[[], datetime]
    secret: Callable[[], str]
    url: str = ""
    #: The newer Events name their headers without "X-".
    events: bool = False
    waiting: list[Parcel] = field(default_factory=list)
    delivered: list[Parcel] = field(default_factory=list)
    given_up: list[Parcel] = field(default_factory=list)
    made: int = 0

    def send(self, shop: str, topic: str, told: Mapping[str, Any], *, copies: int = 1) -> Parcel:
        """Signed now, with the secret of now: a retry is the same bytes again."""
        self.made += 1
        body = json.dumps(told).encode()
        headers = signed_headers(
            body, self.secret(), shop, topic, at=self.now(), number=self.made, events=self.events
        )
        for _ in range(copies):
            self.waiting.append(Parcel(topic, self.url, headers, body, self.now()))
        return self.waiting[-1]

    def run(self) -> int:
        """Everything that is due now; how many were taken."""
        due = [one for one in self.waiting if one.due_at <= self.now()]
        taken = 0
        for one in due:
            self.waiting.remove(one)
            one.tried += 1
            one.answers.append(_posted(one))
            if 200 <= one.answers[-1] < 300:
                self.delivered.append(one)
                taken += 1
            elif one.tried > len(PAUSES):
                self.given_up.append(one)
            else:
                one.due_at = self.now() + PAUSES[one.tried - 1]
                self.waiting.append(one)
        return taken


def signed_headers(
    body: bytes,
    secret: str,
    shop: str,
    topic: str,
    *,
    at: datetime,
    number: int = 1,
    events: bool = False,
) -> dict[str, str]:
    """Those of one delivery, in either family."""
    digest = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    first = "shopify-" if events else "x-shopify-"
    return {
        "content-type": "application/json",
        f"{first}hmac-sha256": digest,
        f"{first}topic": topic,
        f"{first}shop-domain": shop,
        f"{first}api-version": "2026-10",
        f"{first}webhook-id": f"00000000-0000-4000-8000-{number:012d}",
        f"{first}event-id": f"00000000-0000-4000-9000-{number:012d}",
        f"{first}triggered-at": f"{at:%Y-%m-%dT%H:%M:%S.%f}123Z",
    }


def _posted(one: Parcel) -> int:
    try:
        answer = requests.post(
            one.url, data=one.body, headers=one.headers, timeout=TIMEOUT, allow_redirects=False
        )
    except requests.RequestException:
        return 0
    return answer.status_code
