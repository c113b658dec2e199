"""The shops a merchant has connected, and their keys."""

from __future__ import annotations

import builtins
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from hub.store import apps, schema
from hub.store.merchants import connection_record, shop_name
from hub.store.outbox import Leases
from hub.store.records import Connection
from hub.store.session import Opening, Scope


class StoredCredentials:
    """The keys of one connection, read afresh each time. Each call is its own transaction.

    Those of the app through which it came stand among them, see `connectors.contract.Credentials`.
    """

    def __init__(self, opening: Opening, merchant_id: str, connection_id: str) -> None:
        self._opening = opening
        self._merchant_id = merchant_id
        self._connection_id = connection_id

    def current(self) -> Mapping[str, str]:
        with self._opening(False) as session:  # noqa: FBT003 - the one argument of the callable
            scope = Scope(session, self._merchant_id)
            row = scope.get(schema.Connection, id=self._connection_id)
            own = _own(scope, row)
            if row.app_id is None:
                return own
            return {**own, **apps.among_others(apps.Apps(session).get(row.app_id).keys)}

    def rotate(self, expected: Mapping[str, str], new: Mapping[str, str]) -> bool:
        """Replace `expected` by `new`; False if somebody else has changed them meanwhile."""
        with self._opening(True) as session:  # noqa: FBT003 - the one argument of the callable
            scope = Scope(session, self._merchant_id)
            scope.lock(schema.Connection, self._connection_id)
            row = scope.get(schema.Connection, id=self._connection_id)
            if _own(scope, row) != apps.without(expected):
                return False
            own = apps.without(new)
            sealed = scope.seal_json("connection.credentials", self._connection_id, own)
            scope.change(
                schema.Connection,
                schema.Connection.id == self._connection_id,
                credentials_sealed=sealed,
            )
            return True

    @contextmanager
    def alone(self, seconds: float) -> Iterator[bool]:
        """A lease, held under a name of its own each time: two threads of a process exclude too."""
        name = f"credentials/{self._connection_id}"
        with self._opening(True) as session:  # noqa: FBT003 - the one argument of the callable
            owner = session.clock.new_id()
            mine = Leases(session).hold(name, owner, seconds) is not None
        try:
            yield mine
        finally:
            if mine:
                with self._opening(True) as session:  # noqa: FBT003 - as above
                    Leases(session).release(name, owner)


def _own(scope: Scope, row: schema.Connection) -> dict[str, str]:
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
        *,
        app_id: str | None = None,
    ) -> Connection:
        """Without `since` nothing older than now is ever swept."""
        scope, row_id, now = self._scope, self._scope.clock.new_id(), self._scope.clock.now()
        sealed = scope.seal_json("connection.credentials", row_id, apps.without(credentials))
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
            app_id=app_id,
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
        own = apps.without(credentials)
        sealed = self._scope.seal_json("connection.credentials", connection_id, own)
        more = {} if settings is None else {"settings": json.dumps(dict(settings), sort_keys=True)}
        self._scope.change(
            schema.Connection,
            schema.Connection.id == connection_id,
            account=account,
            credentials_sealed=sealed,
            problem="",
            **more,
        )

    def begin(self, connection_id: str, since: datetime) -> None:
        """What was paid from that instant on is the merchant's to be told of, and swept anew."""
        row = schema.Connection
        self._scope.change(row, row.id == connection_id, since=since, swept_until=None)

    def by_app(self, connection_id: str, app_id: str | None) -> None:
        """The app through which it comes from now on; None for keys of its own."""
        row = schema.Connection
        self._scope.change(row, row.id == connection_id, app_id=app_id)

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
        """Its own keys are gone for good: nothing is asked any more. Those of its app are not."""
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

    def still(self, connection_id: str) -> None:
        """Let nobody else change it until the end of this transaction."""
        self._scope.lock(schema.Connection, connection_id)

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
