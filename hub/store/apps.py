"""The apps of platforms that this hub is the server of: no merchant's, and used by many."""

from __future__ import annotations

import builtins
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from hub.store import schema
from hub.store.crypto import WrappedKey
from hub.store.errors import Refused, RowUnknown
from hub.store.session import Session

#: The keys of an app stand among those of its connections under names that begin so.
PREFIX: Final = "app."
CLIENT_ID: Final = "client_id"
CLIENT_SECRET: Final = "client_secret"  # noqa: S105 - the name of one
#: The secret that is being replaced: what is on its way is signed with it.
BEFORE: Final = "client_secret_before"
#: What a platform still says, in the name of the law, of a shop that left: within weeks.
LAST_WORDS: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class AppRow:
    """An app of a platform. `keys`: "client_id", "client_secret" and what else there is."""

    id: str
    platform: str
    keys: Mapping[str, str] = field(repr=False)
    created_at: datetime


class Apps:
    """All of them. Their keys are sealed under the key-encryption keys themselves."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, platform: str, keys: Mapping[str, str]) -> AppRow:
        """Raises `Refused` if this client id is known already."""
        session = self._session
        row_id, client_id = session.clock.new_id(), keys[CLIENT_ID]
        if session.select(schema.App, platform=platform, client_id=client_id):
            raise Refused("there is an app of this platform with that client id already")
        insert = schema.App.insert(
            id=row_id,
            platform=platform,
            client_id=client_id,
            created_at=session.clock.now(),
            **self._sealed(row_id, keys),
        )
        session.run(insert.as_rowcount())
        return self.get(row_id)

    def find(self, app_id: str) -> AppRow | None:
        found = self._session.select(schema.App, id=app_id)
        return self._record(found[0]) if found else None

    def get(self, app_id: str) -> AppRow:
        """Raises `RowUnknown`."""
        row = self.find(app_id)
        if row is None:
            raise RowUnknown("no such app")
        return row

    def list(self, platform: str | None = None) -> builtins.list[AppRow]:
        """Oldest first."""
        equal = {} if platform is None else {"platform": platform}
        return [
            self._record(row) for row in self._session.select(schema.App, "ORDER BY id", **equal)
        ]

    def rotate_secret(self, app_id: str, secret: str) -> None:
        """The new secret from now on; the old one is taken too until it is forgotten."""
        keys = self.get(app_id).keys
        if keys[CLIENT_SECRET] != secret:
            self._keep(app_id, {**keys, BEFORE: keys[CLIENT_SECRET], CLIENT_SECRET: secret})

    def forget_old_secret(self, app_id: str) -> bool:
        """False if there was none."""
        keys = self.get(app_id).keys
        if BEFORE not in keys:
            return False
        self._keep(app_id, {name: value for name, value in keys.items() if name != BEFORE})
        return True

    def remove(self, app_id: str) -> None:
        """Raises `Refused` while connections need it, `RowUnknown` if there is no such app."""
        self.get(app_id)
        used = self.used(app_id)
        if used:
            raise Refused(f"{used} connections use this app, or did within the last 30 days")
        self._session.sql("UPDATE connection SET app_id = NULL WHERE app_id = ?", app_id)
        self._session.sql("DELETE FROM app WHERE id = ?", app_id)

    def used(self, app_id: str) -> int:
        """How many connections need it: open, or closed and perhaps still spoken of."""
        return sum(1 for row in self._session.select(schema.Connection, app_id=app_id)
                   if self._needs(row))  # fmt: skip

    def _needs(self, row: schema.Connection) -> bool:
        found = self._session.select(
            schema.Bond, merchant_id=row.merchant_id, connection_id=row.id, state="closed"
        )
        if not found or found[0].closed_at is None:
            return True
        return bool(self._session.clock.now() - found[0].closed_at < LAST_WORDS)

    def _keep(self, app_id: str, keys: Mapping[str, str]) -> None:
        update = schema.App.update(**self._sealed(app_id, keys)).where(schema.App.id == app_id)
        self._session.run(update)

    def _sealed(self, app_id: str, keys: Mapping[str, str]) -> dict[str, Any]:
        plain = json.dumps(dict(keys), sort_keys=True, ensure_ascii=False).encode()
        sealed = self._session.vault.seal_app(app_id, plain)
        return {"kek_id": sealed.kek_id, "keys_sealed": sealed.wrapped}

    def _record(self, row: schema.App) -> AppRow:
        sealed = WrappedKey(row.kek_id, bytes(row.keys_sealed))
        keys: dict[str, str] = json.loads(self._session.vault.open_app(row.id, sealed))
        return AppRow(row.id, row.platform, keys, row.created_at)


def among_others(keys: Mapping[str, str]) -> dict[str, str]:
    """The keys of an app as they stand among the credentials of a connection."""
    return {f"{PREFIX}{name}": value for name, value in keys.items()}


def without(credentials: Mapping[str, str]) -> dict[str, str]:
    """The credentials of the connection alone."""
    return {n: value for n, value in credentials.items() if not n.startswith(PREFIX)}
