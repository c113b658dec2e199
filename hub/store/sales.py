"""Sales, their links, who claims which part of them, and what buyers ask about them."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from peewee import SQL, fn

from cfdi.findings import Finding
from hub.domain.sale import Buyer, Sale
from hub.domain.snapshot import from_json, to_json
from hub.domain.ticket import CODE_LENGTH
from hub.store import schema
from hub.store.brand import HOST, Addresses
from hub.store.customers import Customers
from hub.store.errors import StoreError
from hub.store.merchants import token_hash
from hub.store.records import Kept, LinkRow, SaleRow
from hub.store.session import Scope

CODE_TRIES = 20


@dataclass(frozen=True, slots=True)
class _Incoming:
    connection_id: str | None
    platform: str
    sale: Sale
    reasons: tuple[Finding, ...]
    verified_at: datetime | None


class Sales:
    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def keep(
        self,
        *,
        connection_id: str | None,
        platform: str,
        sale: Sale,
        reasons: Iterable[Finding],
        verified_at: datetime | None,
    ) -> Kept:
        """Store a snapshot unless a newer one is there.

        A smaller revision never replaces a greater one. Of the same revision another content
        replaces what is there, but an unverified one never a verified one, nor an answer that was
        asked for earlier and came later one that was asked for since. The same content under a
        greater revision is no change. Of an order that was erased no buyer is kept.
        """
        row = self._find(connection_id, sale.key, lock=True)
        sale = self._without_erased(connection_id, sale)
        new = _Incoming(connection_id, platform, sale, tuple(reasons), verified_at)
        if row is None:
            row_id = self._create(new)
            if row_id is not None:
                return Kept(row_id, created=True, changed=True)
            row = self._find(connection_id, sale.key, lock=True)
        if row is None:
            raise StoreError("a sale came and went inside one transaction")
        return self._replace(row, new)

    def get(self, sale_id: str) -> SaleRow | None:
        return self._scope.once("sale", sale_id, lambda: self._read(sale_id))

    def _read(self, sale_id: str) -> SaleRow | None:
        row = self._scope.find(schema.Sale, id=sale_id)
        return None if row is None else self._record(row)

    def by_key(self, connection_id: str | None, key: str) -> SaleRow | None:
        row = self._find(connection_id, key, lock=False)
        return None if row is None else self._record(row)

    def beginning(self, connection_id: str, start: str) -> SaleRow | None:
        """The one sale whose key begins so; None if there is none, or several."""
        sale = schema.Sale
        like = fn.SUBSTR(sale.key, 1, len(start)) == start
        rows = self._scope.rows(sale, sale.connection_id == connection_id, like, limit=2)
        return self._record(rows[0]) if len(rows) == 1 else None

    def list(
        self, limit: int = 100, after: str | None = None
    ) -> tuple[builtins.list[SaleRow], str | None]:
        """Newest first, and the `after` of the next page; None on the last."""
        sale = schema.Sale
        where: builtins.list[Any] = [sale.id < after] if after else []
        rows = self._scope.rows(sale, *where, order=sale.id.desc(), limit=limit + 1)
        page = [self._record(row) for row in rows[:limit]]
        return page, page[-1].id if len(rows) > limit else None

    def of_connection(
        self, connection_id: str, limit: int, after: str | None = None
    ) -> builtins.list[SaleRow]:
        """The sales of one shop, newest first; `after` is the id of the last one seen."""
        sale = schema.Sale
        where: builtins.list[Any] = [sale.id < after] if after else []
        where.append(sale.connection_id == connection_id)
        rows = self._scope.rows(sale, *where, order=sale.id.desc(), limit=limit)
        return [self._record(row) for row in rows]

    def forget_buyer(self, sale_id: str) -> None:
        """Who bought is erased; what was bought and paid stays."""
        self._scope.lock_sale(sale_id)
        sale = self._snapshot(self._scope.get(schema.Sale, id=sale_id))
        blank = to_json(replace(sale, buyer=Buyer())).encode()
        sealed = self._scope.seal("sale.snapshot", sale_id, blank)
        self._scope.change(schema.Sale, schema.Sale.id == sale_id, snapshot_sealed=sealed)

    def set_reasons(self, sale_id: str, reasons: Iterable[Finding]) -> None:
        """Why a person must look at it; empty frees it."""
        found = tuple(reasons)
        self._scope.change(
            schema.Sale,
            schema.Sale.id == sale_id,
            reasons_sealed=self._scope.seal_findings("sale.reasons", sale_id, found),
            in_review=bool(found),
            updated_at=self._scope.clock.now(),
        )

    def in_review(self) -> builtins.list[SaleRow]:
        """All that wait for a person, oldest first."""
        rows = self._scope.rows(schema.Sale, SQL("in_review"), order=schema.Sale.id)
        return [self._record(row) for row in rows]

    def mark_invited(self, sale_id: str, at: datetime) -> bool:
        """True for the first caller only."""
        sale = schema.Sale
        return bool(
            self._scope.change(sale, sale.id == sale_id, sale.invited_at.is_null(), invited_at=at)
        )

    def rewrite(self, sale_id: str, sale: Sale, reasons: Iterable[Finding]) -> None:
        """What the hub itself found out about a sale takes the place of its snapshot."""
        self._scope.change(
            schema.Sale,
            schema.Sale.id == sale_id,
            snapshot_sealed=self._scope.seal("sale.snapshot", sale_id, to_json(sale).encode()),
        )
        self.set_reasons(sale_id, reasons)

    def touch_verified(self, sale_id: str, at: datetime) -> None:
        """The platform confirmed what is stored. Never moves back."""
        sale = schema.Sale
        later = sale.verified_at.is_null() | (sale.verified_at < at)
        self._scope.change(sale, sale.id == sale_id, later, verified_at=at)

    def _without_erased(self, connection_id: str | None, sale: Sale) -> Sale:
        if connection_id is None or sale.buyer == Buyer():
            return sale
        erased = {"connection_id": connection_id, "order_id": sale.key}
        if self._scope.find(schema.ErasedOrder, **erased) is None:
            return sale
        return replace(sale, buyer=Buyer())

    def _find(self, connection_id: str | None, key: str, *, lock: bool) -> schema.Sale | None:
        row = self._scope.find(schema.Sale, connection_id=connection_id, key=key)
        if row is None or not lock:
            return row
        self._scope.lock_sale(row.id)
        return self._scope.find(schema.Sale, id=row.id)

    def _create(self, new: _Incoming) -> str | None:
        """None if another transaction has just created it."""
        sale, now = schema.Sale, self._scope.clock.now()
        row_id = self._scope.clock.new_id()
        unique = (
            "key WHERE connection_id IS NULL"
            if new.connection_id is None
            else ("connection_id, key")
        )
        created = self._scope.add_once(
            sale,
            unique,
            id=row_id,
            connection_id=new.connection_id,
            platform=new.platform,
            key=new.sale.key,
            code=self._free_code(),
            created_at=now,
            **self._content(row_id, new),
        )
        if not created:
            return None
        self._note_customer(row_id, new)
        if new.connection_id is not None:
            # The order itself; whoever has its id already, this sale is part of.
            self._scope.add_once(
                schema.SaleObject,
                "connection_id, object_id",
                connection_id=new.connection_id,
                object_id=new.sale.key,
                sale_id=row_id,
            )
        return row_id

    def _replace(self, row: schema.Sale, new: _Incoming) -> Kept:
        kept = Kept(row.id, created=False, changed=False)
        if new.sale.revision < row.revision:
            return kept
        old = self._snapshot(row)
        if new.sale.revision == row.revision:
            if old == new.sale:
                if new.verified_at is not None:
                    self.touch_verified(row.id, new.verified_at)
                return kept
            if new.sale.unverified and not old.unverified:
                return kept
            if new.verified_at and row.verified_at and new.verified_at < row.verified_at:
                return kept
        content = self._content(row.id, new)
        same = replace(new.sale, revision=old.revision) == old
        if same:
            # An echo, say of a note: what a person decided about this sale stays decided.
            del content["reasons_sealed"], content["in_review"], content["updated_at"]
        self._scope.change(schema.Sale, schema.Sale.id == row.id, **content)
        self._note_customer(row.id, new)
        return Kept(row.id, created=False, changed=not same)

    def _note_customer(self, row_id: str, new: _Incoming) -> None:
        Customers(self._scope).bought(new.connection_id, new.sale.buyer.key, row_id)

    def _content(self, row_id: str, new: _Incoming) -> dict[str, Any]:
        scope = self._scope
        return {
            "revision": new.sale.revision,
            "snapshot_sealed": scope.seal("sale.snapshot", row_id, to_json(new.sale).encode()),
            "reasons_sealed": scope.seal_findings("sale.reasons", row_id, new.reasons),
            "in_review": bool(new.reasons),
            "verified_at": new.verified_at,
            "updated_at": scope.clock.now(),
        }

    def _free_code(self) -> str:
        for _ in range(CODE_TRIES):
            code = self._scope.clock.new_code(CODE_LENGTH)
            if self._scope.find(schema.Sale, code=code) is None:
                return code
        raise StoreError("no free code found for a sale")

    def _snapshot(self, row: schema.Sale) -> Sale:
        return from_json(self._scope.open("sale.snapshot", row.id, row.snapshot_sealed).decode())

    def _record(self, row: schema.Sale) -> SaleRow:
        return SaleRow(
            id=row.id,
            connection_id=row.connection_id,
            platform=row.platform,
            code=row.code,
            sale=self._snapshot(row),
            reasons=self._scope.open_findings("sale.reasons", row.id, row.reasons_sealed),
            invited_at=row.invited_at,
            verified_at=row.verified_at,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )


class Links:
    """The secret addresses of the buyers' pages. Looked up by hash, sealed to be shown again."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def current(self, sale_id: str, part: int = 0) -> LinkRow | None:
        """The link in force of a sale, or of a part of one that is divided."""
        row = self._scope.find(schema.Link, sale_id=sale_id, part=part, revoked_at=None)
        return None if row is None else self._record(row)

    def make(self, sale_id: str, part: int = 0) -> LinkRow:
        """The link in force; made if there is none."""
        self._scope.lock_sale(sale_id)
        return self.current(sale_id, part) or self._next(sale_id, part)

    def renew(self, sale_id: str, part: int = 0) -> LinkRow:
        """Revoke the link in force and make another. With a sale's go those of its parts."""
        renewed = {one.part for one in self._in_force(sale_id)} | {0} if part == 0 else {part}
        for one in sorted(renewed, reverse=True):
            self.revoke(sale_id, one)
            made = self._next(sale_id, one)
        return made

    def revoke(self, sale_id: str, part: int) -> None:
        self._scope.lock_sale(sale_id)
        link = schema.Link
        self._scope.change(
            link,
            link.sale_id == sale_id,
            link.part == part,
            link.revoked_at.is_null(),
            revoked_at=self._scope.clock.now(),
        )

    def _in_force(self, sale_id: str) -> builtins.list[schema.Link]:
        return self._scope.all(schema.Link, sale_id=sale_id, revoked_at=None)

    def _next(self, sale_id: str, part: int) -> LinkRow:
        link, now = schema.Link, self._scope.clock.now()
        last = self._scope.find(link, "ORDER BY generation DESC", sale_id=sale_id)
        generation = 1 if last is None else last.generation + 1
        token = self._scope.clock.new_token()
        sealed = self._scope.seal("link.token", f"{sale_id}/{generation}", token.encode())
        self._scope.add(
            link,
            sale_id=sale_id,
            generation=generation,
            token_hash=token_hash(token),
            token_sealed=sealed,
            created_at=now,
            part=part,
        )
        return LinkRow(sale_id, generation, token, now, self._host())

    def _record(self, row: schema.Link) -> LinkRow:
        place = f"{row.sale_id}/{row.generation}"
        token = self._scope.open("link.token", place, row.token_sealed).decode()
        return LinkRow(row.sale_id, row.generation, token, row.created_at, self._host())

    def _host(self) -> str:
        return Addresses(self._scope).first(HOST)
