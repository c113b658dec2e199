"""Who issues, and the doors by which one comes in without knowing the tenant."""

from __future__ import annotations

import builtins
import hashlib
import json
from collections.abc import Sequence

from hub.store import schema
from hub.store.records import Connection, Merchant
from hub.store.session import Session, whole_of


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
        app_id=row.app_id,
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

    def of_shop(self, platform: str, account: str) -> list[tuple[Connection, str]]:
        """Every connection with this very account, whoever's, and the state of its bond.

        "manual" where it has none yet. The newest first.
        """
        select = self._session.select
        found = select(schema.Connection, "ORDER BY id DESC", platform=platform, account=account)
        return [(connection_record(row), self._state(row)) for row in found]

    def open_of_app(self, platform: str, account: str, app_id: str) -> Connection | None:
        """The connection of this very account, if that app is the one by which it came."""
        found = self.open_of_shop(platform, account)
        return found if found is not None and found.app_id == app_id else None

    def open_of_shop(self, platform: str, account: str) -> Connection | None:
        """The connection that the deliveries of this very account are for."""
        found = [one for one in self.of_shop(platform, account) if one[1] != "closed"]
        # One whose keys were never tried gives way to one that is known to work.
        proven = [connection for connection, state in found if state != "checking"]
        return next(iter([*proven, *(connection for connection, _ in found)]), None)

    def _state(self, row: schema.Connection) -> str:
        bonds = self._session.select(schema.Bond, merchant_id=row.merchant_id, connection_id=row.id)
        return bonds[0].state if bonds else "manual"

    def link(self, token: str) -> tuple[str, str, int] | None:
        """Merchant, sale and part (0: all of it) of a token in force; None for a wrong one.

        Of a sale that is part of another one now, that other one; it has no such parts.
        """
        found = self._session.select(schema.Link, token_hash=token_hash(token), revoked_at=None)
        if not found:
            return None
        merchant_id, sale_id, part = found[0].merchant_id, found[0].sale_id, found[0].part
        whole = whole_of(self._session, merchant_id, sale_id)
        return None if part and whole != sale_id else (merchant_id, whole, part)

    def sales_of_code(
        self, codes: Sequence[str], merchant_id: str | None = None
    ) -> list[tuple[str, str, str]]:
        """Merchant, id and code of the sales with one of these codes; of that merchant, if any."""
        marks = ", ".join("?" * len(codes))
        of = " AND merchant_id = ?" if merchant_id is not None else ""
        text = f"SELECT merchant_id, id, code FROM sale WHERE code IN ({marks}){of}"  # noqa: S608 - marks alone
        values = codes if merchant_id is None else (*codes, merchant_id)
        return [(one[0], one[1], one[2]) for one in self._session.rows(text, *values)]

    def mail(self, message_id: str) -> tuple[str, str, str] | None:
        """Merchant, kind and subject of a letter that was begun under that Message-ID."""
        found = self._session.select(schema.Mail, message_id=message_id)
        return (found[0].merchant_id, found[0].kind, found[0].subject_id) if found else None

    def merchant_named(self, name: str) -> str | None:
        """The merchant of that id or short name."""
        if self._session.select(schema.Merchant, id=name):
            return name
        return self._of_address(name, "slug")

    def merchant_of_host(self, host: str) -> str | None:
        """The merchant whose own host that is."""
        return self._of_address(host, "host")

    def _of_address(self, name: str, kind: str) -> str | None:
        found = self._session.select(schema.Address, name=name, kind=kind)
        return found[0].merchant_id if found else None

    def connections(self) -> list[Connection]:
        """Of all merchants, for the sweep."""
        rows = self._session.run(schema.Connection.select().order_by(schema.Connection.id))
        return [connection_record(row) for row in rows]
