# ruff: noqa: S608 - SQL made of constants of this folder; nothing of a row is in it
"""The inbox: what shops delivered, as it came."""

from __future__ import annotations

import builtins
from typing import Final

from connectors.contract import (
    CustomerNotice,
    Delivery,
    Hint,
    Notice,
    PrivacyNotice,
    ShopNotice,
)
from hub.store import schema
from hub.store.records import InboxRow
from hub.store.session import Scope

#: What stands in the place of a content that was erased. No sealed value is empty.
_ERASED: Final = b""
#: A delivery about an order that was erased is used for what it says of the order, and not kept.
_OF_ERASED: Final = (
    "id = ? AND order_id <> '' AND EXISTS (SELECT 1 FROM erased_order e "
    "WHERE e.merchant_id = inbox.merchant_id AND e.connection_id = inbox.connection_id "
    "AND e.order_id = inbox.order_id)"
)


def blank(scope: Scope, where: str, *values: str | int) -> int:
    """Erase the content of the merchant's rows under that condition; how many."""
    statement = (
        "UPDATE inbox SET body_sealed = ?, headers_sealed = ?, snapshot_sealed = NULL "
        f"WHERE merchant_id = ? AND {where}"
    )
    return scope.session.sql(statement, _ERASED, _ERASED, scope.merchant_id, *values)


class Inbox:
    """Every delivery that was accepted, as it came, so that it can be replayed."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def file(self, connection_id: str, platform: str, hint: Hint, delivery: Delivery) -> str | None:
        """The new row's id; None if this fact was filed before."""
        scope, row_id = self._scope, self._scope.clock.new_id()
        notice = hint if isinstance(hint, Notice) else None
        snapshot = notice.snapshot if notice else None
        filed = scope.add_once(
            schema.Inbox,
            "connection_id, event_key",
            id=row_id,
            connection_id=connection_id,
            platform=platform,
            event=hint.event,
            event_key=hint.event_key,
            order_id=notice.order_id if notice else "",
            kind=_kind(hint),
            customer_id=_customer(hint),
            headers_sealed=scope.seal_json("inbox.headers", row_id, dict(delivery.headers)),
            body_sealed=scope.seal("inbox.body", row_id, delivery.body),
            snapshot_sealed=_sealed_snapshot(scope, row_id, snapshot, delivery.body),
            gone=notice is not None and notice.gone,
            state="filed",
            error="",
            received_at=delivery.received_at,
        )
        return row_id if filed else None

    def get(self, row_id: str) -> InboxRow | None:
        row = self._scope.find(schema.Inbox, id=row_id)
        return None if row is None else self._record(row)

    def done(self, row_id: str, note: str = "") -> None:
        """It was looked at; `note` says why no sale came of it, where none did."""
        self._settle(row_id, "done", note)

    def dead(self, row_id: str, error: str) -> None:
        """It cannot be used; `error` says why, for a person."""
        self._settle(row_id, "dead", error)

    def reopen(self, row_id: str) -> None:
        """As if it had just been filed. Promising its work again is the caller's."""
        self._settle(row_id, "filed", "")

    def list(
        self, state: str | None = None, limit: int = 100, after: str | None = None
    ) -> builtins.list[InboxRow]:
        """Newest first; `after` is the id of the last row seen."""
        box = schema.Inbox
        where = [box.state == state] if state else []
        where += [box.id < after] if after else []
        rows = self._scope.rows(box, *where, order=box.id.desc(), limit=limit)
        return [self._record(row) for row in rows]

    def not_understood(self, connection_id: str) -> builtins.list[InboxRow]:
        """What is kept of a shop though nobody could tell what it speaks of."""
        box = schema.Inbox
        where = box.connection_id == connection_id, box.order_id == "", box.kind == "order"
        return [self._record(row) for row in self._scope.rows(box, *where, order=box.id)]

    def _settle(self, row_id: str, state: str, error: str) -> None:
        self._scope.change(schema.Inbox, schema.Inbox.id == row_id, state=state, error=error)
        if state != "filed":
            blank(self._scope, _OF_ERASED, row_id)

    def _record(self, row: schema.Inbox) -> InboxRow:
        scope, erased = self._scope, bytes(row.body_sealed) == _ERASED
        body = b"" if erased else scope.open("inbox.body", row.id, row.body_sealed)
        return InboxRow(
            id=row.id,
            connection_id=row.connection_id,
            platform=row.platform,
            event=row.event,
            event_key=row.event_key,
            order_id=row.order_id,
            headers={} if erased else scope.open_json("inbox.headers", row.id, row.headers_sealed),
            body=body,
            snapshot=None if erased else _snapshot(scope, row, body),
            gone=row.gone,
            state=row.state,
            error=row.error,
            received_at=row.received_at,
            kind=row.kind,
            customer_id=row.customer_id,
            erased=erased,
        )


def _kind(hint: Hint) -> str:
    if isinstance(hint, CustomerNotice):
        return "customer"
    if isinstance(hint, ShopNotice):
        return "shop"
    return "privacy" if isinstance(hint, PrivacyNotice) else "order"


def _customer(hint: Hint) -> str:
    return hint.customer_id if isinstance(hint, CustomerNotice | PrivacyNotice) else ""


#: In `snapshot_sealed`: the body is the snapshot. No sealed value is empty.
_BODY = b""


def _sealed_snapshot(
    scope: Scope, row_id: str, snapshot: bytes | None, body: bytes
) -> bytes | None:
    """Mostly a delivery is the order itself: then it is sealed and stored once."""
    if snapshot is None:
        return None
    return _BODY if snapshot == body else scope.seal("inbox.snapshot", row_id, snapshot)


def _snapshot(scope: Scope, row: schema.Inbox, body: bytes) -> bytes | None:
    sealed = row.snapshot_sealed
    if sealed is None:
        return None
    return body if bytes(sealed) == _BODY else scope.open("inbox.snapshot", row.id, sealed)
