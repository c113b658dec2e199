"""The shops a merchant has connected, their keys, and the inbox of what they delivered."""

from __future__ import annotations

import builtins
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.contract import Delivery, Notice
from hub.store import schema
from hub.store.merchants import connection_record, shop_name
from hub.store.records import Connection, InboxRow
from hub.store.session import Opening, Scope


class StoredCredentials:
    """The keys of one connection, read afresh each time. Each call is its own transaction."""

    def __init__(self, opening: Opening, merchant_id: str, connection_id: str) -> None:
        self._opening = opening
        self._merchant_id = merchant_id
        self._connection_id = connection_id

    def current(self) -> Mapping[str, str]:
        with self._opening(False) as session:  # noqa: FBT003 - the one argument of the callable
            return _credentials(Scope(session, self._merchant_id), self._connection_id)

    def rotate(self, expected: Mapping[str, str], new: Mapping[str, str]) -> bool:
        """Replace `expected` by `new`; False if somebody else has changed them meanwhile."""
        with self._opening(True) as session:  # noqa: FBT003 - the one argument of the callable
            scope = Scope(session, self._merchant_id)
            scope.lock(schema.Connection, self._connection_id)
            if _credentials(scope, self._connection_id) != dict(expected):
                return False
            sealed = scope.seal_json("connection.credentials", self._connection_id, dict(new))
            scope.change(
                schema.Connection,
                schema.Connection.id == self._connection_id,
                credentials_sealed=sealed,
            )
            return True


def _credentials(scope: Scope, connection_id: str) -> dict[str, str]:
    row = scope.get(schema.Connection, id=connection_id)
    opened: dict[str, str] = scope.open_json(
        "connection.credentials", row.id, row.credentials_sealed
    )
    return opened


class Connections:
    def __init__(self, scope: Scope, opening: Opening) -> None:
        self._scope = scope
        self._opening = opening

    def create(
        self,
        platform: str,
        account: str,
        credentials: Mapping[str, str],
        settings: Mapping[str, Any],
        since: datetime | None,
    ) -> Connection:
        """Without `since` nothing older than now is ever swept."""
        scope, row_id, now = self._scope, self._scope.clock.new_id(), self._scope.clock.now()
        sealed = scope.seal_json("connection.credentials", row_id, dict(credentials))
        scope.add(
            schema.Connection,
            id=row_id,
            platform=platform,
            account=account,
            credentials_sealed=sealed,
            settings=json.dumps(dict(settings), sort_keys=True),
            since=now if since is None else since,
            created_at=now,
            problem="",
        )
        return connection_record(scope.get(schema.Connection, id=row_id))

    def renew(
        self,
        connection_id: str,
        account: str,
        credentials: Mapping[str, str],
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        """The same connection under other keys; what it brought so far stays with it."""
        sealed = self._scope.seal_json("connection.credentials", connection_id, dict(credentials))
        more = {} if settings is None else {"settings": json.dumps(dict(settings), sort_keys=True)}
        self._scope.change(
            schema.Connection,
            schema.Connection.id == connection_id,
            account=account,
            credentials_sealed=sealed,
            problem="",
            **more,
        )

    def settle(self, connection_id: str, **settings: Any) -> None:
        """These settings from now on; the others stay."""
        known = self._scope.get(schema.Connection, id=connection_id)
        merged = json.dumps(json.loads(known.settings) | settings, sort_keys=True)
        row = schema.Connection
        self._scope.change(row, row.id == connection_id, settings=merged)

    def move(self, connection_id: str, account: str) -> None:
        """The same shop under the address that it uses itself."""
        row = schema.Connection
        self._scope.change(row, row.id == connection_id, account=account)

    def forget(self, connection_id: str) -> None:
        """Its keys are gone for good: nothing is delivered or asked any more."""
        sealed = self._scope.seal_json("connection.credentials", connection_id, {})
        row = schema.Connection
        self._scope.change(row, row.id == connection_id, credentials_sealed=sealed)

    def of_shop(self, platform: str, account: str) -> Connection | None:
        """The merchant's connection with this shop, in whatever spelling, closed or not."""
        shop = shop_name(account)
        for row in self._scope.all(schema.Connection, "ORDER BY id", platform=platform):
            if shop_name(row.account) == shop:
                self._scope.lock(schema.Connection, row.id)
                return connection_record(row)
        return None

    def get(self, connection_id: str) -> Connection | None:
        row = self._scope.find(schema.Connection, id=connection_id)
        return None if row is None else connection_record(row)

    def list(self) -> builtins.list[Connection]:
        """Oldest first."""
        rows = self._scope.rows(schema.Connection, order=schema.Connection.id)
        return [connection_record(row) for row in rows]

    def credentials(self, connection_id: str) -> StoredCredentials:
        """They outlive this transaction: a connector asks for them between its network calls."""
        return StoredCredentials(self._opening, self._scope.merchant_id, connection_id)

    def swept(self, connection_id: str, until: datetime) -> None:
        """Everything changed before `until` is known. Never moves back."""
        row = schema.Connection
        later = row.swept_until.is_null() | (row.swept_until < until)
        self._scope.change(row, row.id == connection_id, later, swept_until=until)

    def delivered(self, connection_id: str, at: datetime) -> None:
        row = schema.Connection
        later = row.last_delivery_at.is_null() | (row.last_delivery_at < at)
        self._scope.change(row, row.id == connection_id, later, last_delivery_at=at)

    def set_problem(self, connection_id: str, text: str) -> None:
        """What a person must mend; "" when it is mended."""
        row = schema.Connection
        self._scope.change(row, row.id == connection_id, row.problem != text, problem=text)


class Inbox:
    """Every delivery that was accepted, as it came, so that it can be replayed."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def file(
        self, connection_id: str, platform: str, notice: Notice, delivery: Delivery
    ) -> str | None:
        """The new row's id; None if this fact was filed before."""
        scope, row_id = self._scope, self._scope.clock.new_id()
        snapshot = notice.snapshot
        filed = scope.add_once(
            schema.Inbox,
            "connection_id, event_key",
            id=row_id,
            connection_id=connection_id,
            platform=platform,
            event=notice.event,
            event_key=notice.event_key,
            order_id=notice.order_id,
            headers_sealed=scope.seal_json("inbox.headers", row_id, dict(delivery.headers)),
            body_sealed=scope.seal("inbox.body", row_id, delivery.body),
            snapshot_sealed=_sealed_snapshot(scope, row_id, snapshot, delivery.body),
            gone=notice.gone,
            state="filed",
            error="",
            received_at=delivery.received_at,
        )
        return row_id if filed else None

    def get(self, row_id: str) -> InboxRow | None:
        row = self._scope.find(schema.Inbox, id=row_id)
        return None if row is None else self._record(row)

    def done(self, row_id: str) -> None:
        self._settle(row_id, "done", "")

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

    def _settle(self, row_id: str, state: str, error: str) -> None:
        self._scope.change(schema.Inbox, schema.Inbox.id == row_id, state=state, error=error)

    def _record(self, row: schema.Inbox) -> InboxRow:
        scope = self._scope
        body = scope.open("inbox.body", row.id, row.body_sealed)
        return InboxRow(
            id=row.id,
            connection_id=row.connection_id,
            platform=row.platform,
            event=row.event,
            event_key=row.event_key,
            order_id=row.order_id,
            headers=scope.open_json("inbox.headers", row.id, row.headers_sealed),
            body=body,
            snapshot=_snapshot(scope, row, body),
            gone=row.gone,
            state=row.state,
            error=row.error,
            received_at=row.received_at,
        )


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
