"""The merchants' data keys: made, unwrapped once, kept in memory, re-wrapped."""

from __future__ import annotations

from datetime import datetime

import peewee

from hub.store import crypto, schema
from hub.store.crypto import DataKey, WrappedKey
from hub.store.errors import RowUnknown, WrongKeys
from hub.store.keys import Keyring

#: Sealed under the first key-encryption key, it tells a wrong one at the start.
CHECK = b"autofactura key check value, 32B"
NUMBER = 1
APPS = "app"


class Vault:
    """Shared by the threads of a process. A data key never changes, only its wrapping."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._opened: dict[str, DataKey] = {}

    def data_key(self, db: peewee.Database, merchant_id: str) -> DataKey:
        """Raises `RowUnknown` if there is no such merchant."""
        known = self._opened.get(merchant_id)
        if known is None:
            known = self._opened[merchant_id] = self._unwrapped(db, merchant_id)
        return known

    def make(self, db: peewee.Database, merchant_id: str, at: datetime) -> None:
        wrapped = crypto.wrap(self._keyring, crypto.new_data_key(), merchant_id, NUMBER)
        schema.DataKey.insert(
            merchant_id=merchant_id,
            number=NUMBER,
            kek_id=wrapped.kek_id,
            wrapped=wrapped.wrapped,
            created_at=at,
        ).execute(db)

    def check(self, db: peewee.Database) -> bool:
        """Raise `WrongKeys` unless these keys open this database; False if it has none yet."""
        row = next(iter(schema.KeyCheck.select().execute(db)), None)
        used = {key.kek_id for key in schema.DataKey.select().execute(db)}
        # A database that is older than apps is checked before it is migrated.
        if db.table_exists(APPS):
            used |= {app.kek_id for app in schema.App.select().execute(db)}
        if missing := sorted(used - set(self._keyring)):
            raise WrongKeys(f"the database needs the key {missing[0]!r}, which was not given")
        if row is None:
            if used:
                raise WrongKeys("the check value of the keys is gone; restore it from a backup")
            return False
        wrapped = WrappedKey(row.kek_id, row.wrapped)
        if crypto.unwrap(self._keyring, wrapped, "", 0) != CHECK:
            raise WrongKeys("the check value of the keys is another one")
        return True

    def store_check(self, db: peewee.Database) -> None:
        wrapped = crypto.wrap(self._keyring, CHECK, "", 0)
        values = {"kek_id": wrapped.kek_id, "wrapped": wrapped.wrapped}
        insert = schema.KeyCheck.insert(id=1, **values)
        insert.on_conflict(conflict_target=[schema.KeyCheck.id], update=values).execute(db)

    def seal_app(self, app_id: str, plain: bytes) -> WrappedKey:
        return crypto.seal_of_hub(self._keyring, APPS, app_id, plain)

    def open_app(self, app_id: str, sealed: WrappedKey) -> bytes:
        return crypto.open_of_hub(self._keyring, APPS, app_id, sealed)

    def rotate(self, db: peewee.Database) -> int:
        """Put what is not yet under the first key there; how many data keys and apps changed."""
        changed = self._rotate_apps(db)
        first = self._keyring.first_id
        for row in schema.DataKey.select().where(schema.DataKey.kek_id != first).execute(db):
            old = WrappedKey(row.kek_id, row.wrapped)
            key = crypto.unwrap(self._keyring, old, row.merchant_id, row.number)
            new = crypto.wrap(self._keyring, key, row.merchant_id, row.number)
            schema.DataKey.update(kek_id=new.kek_id, wrapped=new.wrapped).where(
                schema.DataKey.merchant_id == row.merchant_id,
                schema.DataKey.number == row.number,
            ).execute(db)
            changed += 1
        self.store_check(db)
        return changed

    def _rotate_apps(self, db: peewee.Database) -> int:
        changed = 0
        for row in (
            schema.App.select().where(schema.App.kek_id != self._keyring.first_id).execute(db)
        ):
            plain = self.open_app(row.id, WrappedKey(row.kek_id, row.keys_sealed))
            new = self.seal_app(row.id, plain)
            schema.App.update(kek_id=new.kek_id, keys_sealed=new.wrapped).where(
                schema.App.id == row.id
            ).execute(db)
            changed += 1
        return changed

    def _unwrapped(self, db: peewee.Database, merchant_id: str) -> DataKey:
        query = schema.DataKey.select().where(
            schema.DataKey.merchant_id == merchant_id, schema.DataKey.number == NUMBER
        )
        row = next(iter(query.execute(db)), None)
        if row is None:
            raise RowUnknown("no such merchant")
        wrapped = WrappedKey(row.kek_id, row.wrapped)
        key = crypto.unwrap(self._keyring, wrapped, merchant_id, NUMBER)
        return crypto.data_key(key, merchant_id, NUMBER)
