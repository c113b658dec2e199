"""Who issues, and the doors by which one comes in without knowing the tenant."""

from __future__ import annotations

import builtins
import hashlib
import json

from hub.store import schema
from hub.store.records import Connection, Merchant
from hub.store.session import Session


def token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def shop_name(account: str) -> str:
    """The same for every spelling of one shop: with or without www, http or https."""
    return account.partition("://")[2].removeprefix("www.") if "://" in account else account


def merchant_record(row: schema.Merchant) -> Merchant:
    return Merchant(row.id, row.rfc, row.nombre, row.regimen, row.codigo_postal, row.created_at)


def connection_record(row: schema.Connection) -> Connection:
    return Connection(
        id=row.id,
        merchant_id=row.merchant_id,
        platform=row.platform,
        account=row.account,
        settings=json.loads(row.settings),
        since=row.since,
        swept_until=row.swept_until,
        created_at=row.created_at,
        last_delivery_at=row.last_delivery_at,
        problem=row.problem,
    )


class Merchants:
    def __init__(self, session: Session) -> None:
        self._session = session

    def create(self, rfc: str, nombre: str, regimen: str, codigo_postal: str) -> Merchant:
        """A new merchant with a data key of its own."""
        clock = self._session.clock
        merchant = Merchant(clock.new_id(), rfc, nombre, regimen, codigo_postal, clock.now())
        insert = schema.Merchant.insert(
            id=merchant.id,
            rfc=rfc,
            nombre=nombre,
            regimen=regimen,
            codigo_postal=codigo_postal,
            created_at=merchant.created_at,
        )
        self._session.run(insert.as_rowcount())
        self._session.vault.make(self._session.engine.db, merchant.id, merchant.created_at)
        return merchant

    def get(self, merchant_id: str) -> Merchant | None:
        found = self._session.select(schema.Merchant, id=merchant_id)
        return merchant_record(found[0]) if found else None

    def list(self) -> builtins.list[Merchant]:
        """Oldest first."""
        rows = self._session.run(schema.Merchant.select().order_by(schema.Merchant.id))
        return [merchant_record(row) for row in rows]


class Doors:
    """Look-ups across all tenants, each by something that names one tenant."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def connection(self, connection_id: str) -> Connection | None:
        found = self._session.select(schema.Connection, id=connection_id)
        return connection_record(found[0]) if found else None

    def link(self, token: str) -> tuple[str, str] | None:
        """Merchant and sale of a token in force. None for a wrong or a revoked one."""
        found = self._session.select(schema.Link, token_hash=token_hash(token), revoked_at=None)
        return (found[0].merchant_id, found[0].sale_id) if found else None

    def connections(self) -> list[Connection]:
        """Of all merchants, for the sweep."""
        rows = self._session.run(schema.Connection.select().order_by(schema.Connection.id))
        return [connection_record(row) for row in rows]
