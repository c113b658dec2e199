"""What the account holds: objects, keys with their permissions, endpoints, events."""

from __future__ import annotations

import copy
import itertools
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.stripe.shapes import NEWEST, rendered

#: Stripe's names of what may be read.
EVERYTHING = frozenset(
    f"{subject}_read"
    for subject in (
        "invoice", "credit_note", "payment_intent", "charge", "dispute",
        "balance_transaction_source", "customer", "checkout_session", "subscription", "product",
        "plan", "tax_rate", "event", "payment_record", "webhook",
    )
)  # fmt: skip
MAX_ENDPOINTS = 16


@dataclass
class Fault:
    """How some requests fail: 404, 429, 500, slow, drop, drop_after, html, redirect."""

    kind: str
    times: int = 1
    within: str = ""  # of the path
    method: str = ""
    seconds: float = 5.0


@dataclass
class Account:
    id: str = "acct_1HubOfTests"
    livemode: bool = False
    #: The account's own version: events are written, and for ever listed, in that of their time.
    version: str = NEWEST
    now: int = 1_795_000_000  # 2026-11-18
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, frozenset[str]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    #: By id: what was told when it was made, and besides it nobody.
    secrets: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    once: dict[str, tuple[str, int, dict[str, Any]]] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, Any], dict[str, str]]] = field(default_factory=list)
    #: (event, the same event as an endpoint is told of it) in the order of what happened.
    post: Any = None
    lock: threading.RLock = field(default_factory=threading.RLock)
    #: Ids by kind, in the order in which they were made: months have thousands of objects.
    _kinds: dict[str, dict[str, None]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def allow(self, key: str, *more: str, without: tuple[str, ...] = ()) -> str:
        self.keys[key] = (EVERYTHING | set(more)) - set(without)
        return key

    def new_id(self, prefix: str) -> str:
        return f"{prefix}_1T{next(self._numbers):022d}"

    def put(self, found: dict[str, Any]) -> dict[str, Any]:
        """Keep an object; what every object has it gets here."""
        with self.lock:
            if "created" not in found:
                self.now += 1
            made = {"livemode": self.livemode, "created": self.now, "metadata": {}, **found}
            self.objects[made["id"]] = made
            self._kinds.setdefault(made["object"], {})[made["id"]] = None
            return made

    def look(self, kind: str, **fields: Any) -> list[dict[str, Any]]:
        """Newest first."""
        with self.lock:
            held = (self.objects.get(key) for key in self._kinds.get(kind, ()))
            found = [
                one
                for one in held
                if one is not None and all(one.get(k) == v for k, v in fields.items())
            ]
        # What came later is nearer the top, also within one second.
        found.reverse()
        return sorted(found, key=lambda one: -one["created"])

    def happens(self, word: str, found: dict[str, Any], **more: Any) -> dict[str, Any]:
        """An event: kept in the account's version, told to each endpoint in its own."""
        with self.lock:
            self.now += 1
            event = {
                "id": self.new_id("evt"),
                "object": "event",
                "api_version": self.version,
                "created": self.now,
                "livemode": self.livemode,
                "pending_webhooks": 1,
                "request": {"id": None, "idempotency_key": None},
                "type": word,
                **more,
            }
            self.events.append(self.told(event, found, self.version))
            if self.post:
                self.post.told(event, copy.deepcopy(found))
            return self.events[-1]

    def told(self, event: dict[str, Any], found: dict[str, Any], version: str) -> dict[str, Any]:
        shown = rendered(found, version, self.look)
        return {**event, "api_version": version, "data": {"object": shown}}

    def fault(self, method: str, path: str) -> Fault | None:
        with self.lock:
            for one in self.faults:
                if one.within in path and one.method in method and one.times > 0:
                    one.times -= 1
                    return one
        return None
