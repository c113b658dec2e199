"""What is known of each connection beyond its keys: how it came to be, how it is."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from connectors.abilities import Subscription
from hub.store import schema
from hub.store.errors import Refused
from hub.store.merchants import shop_name
from hub.store.records import Bond
from hub.store.session import Scope

#: The status of a subscription that was made with keys that are no longer in force.
REPLACED = "replaced"


class Bonds:
    """What is known of each connection beyond its keys."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def get(self, connection_id: str) -> Bond | None:
        row = self._scope.find(schema.Bond, connection_id=connection_id)
        return None if row is None else _bond(row)

    def pair(self, connection_id: str, platform: str, account: str) -> None:
        """New keys came: nothing is known of them yet, and what was subscribed is to be replaced.

        Raises `Refused` if the merchant has this shop under another connection.
        """
        bond, now = schema.Bond, self._scope.clock.now()
        known = self.get(connection_id)
        if known is None:
            if not self._added(connection_id, platform, shop_name(account), "checking", now):
                raise Refused("the merchant has this shop under another connection")
            return
        stale = [Subscription(one.topic, one.id, REPLACED) for one in known.subscriptions]
        self._scope.change(
            bond,
            bond.connection_id == connection_id,
            state="checking",
            paired_at=now,
            checked_at=None,
            closed_at=None,
            keys="unknown",
            subscriptions=_written(stale),
            problem_code="",
            problem="",
        )

    def manual(self, connection_id: str, platform: str, account: str) -> None:
        """The connection was made by hand: the shop's side is left alone."""
        if self.get(connection_id) is None and not self._added(
            connection_id, platform, shop_name(account), "manual", None
        ):
            # By hand one shop could be connected in two spellings.
            self._added(connection_id, platform, f"{account} {connection_id}", "manual", None)

    def name(self, connection_id: str, account: str) -> None:
        """The shop turned out to have another address. Raises `Refused` if it is known there."""
        bond = schema.Bond
        self._scope.change(bond, bond.connection_id == connection_id, shop=shop_name(account))

    def found(
        self,
        connection_id: str,
        *,
        state: str,
        keys: str,
        subscriptions: Iterable[Subscription] | None = None,
        problem_code: str = "",
        problem: str = "",
    ) -> None:
        """What a look at the shop found, now. `subscriptions` None: not seen."""
        more: dict[str, Any] = {}
        if subscriptions is not None:
            more["subscriptions"] = _written(subscriptions)
        if keys == "ok":
            more["checked_at"] = self._scope.clock.now()
        bond = schema.Bond
        self._scope.change(
            bond,
            bond.connection_id == connection_id,
            state=state,
            keys=keys,
            problem_code=problem_code,
            problem=problem,
            **more,
        )

    def reopen(self, connection_id: str) -> None:
        """Connected again by hand."""
        bond = schema.Bond
        self._scope.change(
            bond,
            bond.connection_id == connection_id,
            state="manual",
            paired_at=None,
            renewed_at=self._scope.clock.now(),
            checked_at=None,
            closed_at=None,
            keys="unknown",
            subscriptions="[]",
            problem_code="",
            problem="",
        )

    def renewed(self, connection_id: str) -> None:
        """The platform gave other keys: whether they are good is not known yet."""
        bond = schema.Bond
        self._scope.change(
            bond,
            bond.connection_id == connection_id,
            renewed_at=self._scope.clock.now(),
            keys="unknown",
            problem_code="",
            problem="",
        )

    def close(self, connection_id: str) -> None:
        bond = schema.Bond
        self._scope.change(
            bond,
            bond.connection_id == connection_id,
            bond.state != "closed",
            state="closed",
            closed_at=self._scope.clock.now(),
            keys="unknown",
            problem_code="",
            problem="",
        )

    def closing(self, connection_id: str, problem: str, code: str = "left_behind") -> None:
        """Why it ended, or what could not be undone at the shop."""
        bond = schema.Bond
        self._scope.change(
            bond,
            bond.connection_id == connection_id,
            bond.state == "closed",
            subscriptions="[]",
            problem_code=code if problem else "",
            problem=problem,
        )

    def _added(
        self, connection_id: str, platform: str, shop: str, state: str, at: datetime | None
    ) -> bool:
        return self._scope.add_once(
            schema.Bond,
            "platform, shop",
            connection_id=connection_id,
            platform=platform,
            shop=shop,
            state=state,
            paired_at=at,
            checked_at=None,
            closed_at=None,
            keys="unknown",
            subscriptions="[]",
            problem_code="",
            problem="",
        )


def _written(subscriptions: Iterable[Subscription]) -> str:
    return json.dumps([[one.topic, one.id, one.status] for one in subscriptions])


def _bond(row: schema.Bond) -> Bond:
    return Bond(
        connection_id=row.connection_id,
        state=row.state,
        paired_at=row.paired_at,
        checked_at=row.checked_at,
        closed_at=row.closed_at,
        keys=row.keys,
        subscriptions=tuple(Subscription(*one) for one in json.loads(row.subscriptions)),
        problem_code=row.problem_code,
        problem=row.problem,
        renewed_at=row.renewed_at,
    )
