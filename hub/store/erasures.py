# ruff: noqa: S608 - SQL made of constants of this file; nothing of a row or a request is in it
"""What is told or erased because a person, or the shop, asked for it; and that it was done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hub.store import schema
from hub.store.fields import EVER, micros
from hub.store.inbox import blank
from hub.store.session import Scope

#: What stands in the place of an address that was erased. No sealed value is empty.
ERASED: Final = b""

_OF_SALE = (
    "invoice_id IN (SELECT i.invoice_id FROM invoice_sale i WHERE i.merchant_id = ? "
    "AND i.sale_id = ?)"
)
_ORDERS = (
    "SELECT key FROM sale WHERE merchant_id = ? AND connection_id = ? AND created_at < ? UNION "
    "SELECT order_id FROM inbox WHERE merchant_id = ? AND connection_id = ? AND received_at < ? "
    "AND order_id <> ''"
)
_DELIVERIES = (
    "SELECT COUNT(*) FROM inbox b JOIN erased_order e ON e.merchant_id = b.merchant_id "
    "AND e.connection_id = b.connection_id AND e.order_id = b.order_id "
    "WHERE e.merchant_id = ? AND e.connection_id = ? AND e.inbox_id = ?"
)
_SALES = (
    "SELECT COUNT(*) FROM sale s JOIN erased_order e ON e.merchant_id = s.merchant_id "
    "AND e.connection_id = s.connection_id AND e.order_id = s.key "
    "WHERE e.merchant_id = ? AND e.connection_id = ? AND e.inbox_id = ?"
)
_ADDRESSES = (
    "SELECT COUNT(*) FROM copy c JOIN invoice_sale i ON i.merchant_id = c.merchant_id "
    "AND i.invoice_id = c.invoice_id JOIN sale s ON s.merchant_id = i.merchant_id "
    "AND s.id = i.sale_id JOIN erased_order e ON e.merchant_id = s.merchant_id "
    "AND e.connection_id = s.connection_id AND e.order_id = s.key "
    "WHERE e.merchant_id = ? AND e.connection_id = ? AND e.inbox_id = ?"
)


@dataclass(frozen=True, slots=True)
class AuditRow:
    """What was told or erased by request, and how much of it."""

    id: str
    connection_id: str
    action: str  # "access", "erase_customer", "erase_shop"
    sales: int
    deliveries: int
    addresses: int
    done_at: datetime


class Erasures:
    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def remember(self, connection_id: str, inbox_id: str, order_ids: Iterable[str]) -> None:
        """From now on nothing personal of these orders is kept. First of all, before `erase`."""
        now = self._scope.clock.now()
        for order_id in order_ids:
            self._scope.add_once(
                schema.ErasedOrder,
                "connection_id, order_id",
                connection_id=connection_id,
                order_id=order_id,
                inbox_id=inbox_id,
                erased_at=now,
            )

    def orders(self, connection_id: str, inbox_id: str) -> list[str]:
        """Those that were remembered for this delivery."""
        rows = self._scope.all(
            schema.ErasedOrder, "ORDER BY order_id", connection_id=connection_id, inbox_id=inbox_id
        )
        return [row.order_id for row in rows]

    def known(self, connection_id: str, before: datetime = EVER) -> list[str]:
        """Every order of a connection that anything was kept of before then."""
        asked = (self._scope.merchant_id, connection_id, micros(before))
        return sorted(str(row[0]) for row in self._scope.session.rows(_ORDERS, *asked, *asked))

    def erase(self, connection_id: str, order_id: str, sale_id: str | None) -> None:
        """What lies beside the sale: deliveries, addresses of letters, an invitation to come."""
        scope, merchant_id = self._scope, self._scope.merchant_id
        blank(scope, "connection_id = ? AND order_id = ?", connection_id, order_id)
        if sale_id is None:
            return
        scope.session.sql(
            f"UPDATE copy SET address_sealed = ? WHERE merchant_id = ? AND {_OF_SALE}",
            ERASED, merchant_id, merchant_id, sale_id,
        )  # fmt: skip
        scope.session.sql(
            "UPDATE bounce SET address_sealed = ? WHERE merchant_id = ? AND sale_id = ?",
            ERASED, merchant_id, sale_id,
        )  # fmt: skip
        scope.session.sql(
            "DELETE FROM outbox WHERE merchant_id = ? AND job IN ('invite', 'remind') "
            "AND subject = ? AND state = 'ready'",
            merchant_id, sale_id,
        )  # fmt: skip

    def of_customer(self, connection_id: str, customer_id: str) -> None:
        """What was delivered about the customer and no order. What is not carried out yet waits."""
        where = "connection_id = ? AND customer_id = ? AND state <> 'filed'"
        blank(self._scope, where, connection_id, customer_id)

    def of_shop(self, connection_id: str, but: str, before: datetime = EVER) -> None:
        """All that the shop delivered before then, but this one."""
        where = "connection_id = ? AND id <> ? AND received_at < ?"
        blank(self._scope, where, connection_id, but, micros(before))

    def deliveries(self, inbox_ids: Iterable[str]) -> None:
        for inbox_id in inbox_ids:
            blank(self._scope, "id = ?", inbox_id)

    def audit(
        self, connection_id: str, inbox_id: str, action: str, *, sales: int | None = None
    ) -> bool:
        """Write down that it was carried out, once; `sales` of one that erased nothing."""
        about = (self._scope.merchant_id, connection_id, inbox_id)
        return self._scope.add_once(
            schema.Audit,
            "inbox_id",
            id=self._scope.clock.new_id(),
            connection_id=connection_id,
            action=action,
            inbox_id=inbox_id,
            sales=self._count(_SALES, *about) if sales is None else sales,
            deliveries=self._count(_DELIVERIES, *about),
            addresses=self._count(_ADDRESSES, *about),
            done_at=self._scope.clock.now(),
        )

    def list(self, limit: int = 100, after: str | None = None) -> list[AuditRow]:
        """Newest first; `after` is the id of the last row seen."""
        row = schema.Audit
        where = [row.id < after] if after else []
        found = self._scope.rows(row, *where, order=row.id.desc(), limit=limit)
        return [_record(one) for one in found]

    def _count(self, query: str, *values: str) -> int:
        return int(self._scope.session.rows(query, *values)[0][0])


def _record(row: schema.Audit) -> AuditRow:
    return AuditRow(
        id=row.id,
        connection_id=row.connection_id,
        action=row.action,
        sales=row.sales,
        deliveries=row.deliveries,
        addresses=row.addresses,
        done_at=row.done_at,
    )
