"""Two tenants of one database see nothing of each other, and the database itself sees to it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import peewee
import pytest

from cfdi.cancelacion import Motivo
from hub.domain.customers import Fiscal, Profile, Source
from hub.domain.placed import Basis, Share
from hub.domain.sale import Refund
from hub.domain.states import State
from hub.store import schema
from hub.store.errors import Refused, RowUnknown, StoreError
from hub.store.records import NOTE_ORIGIN, Attempt
from hub.store.transaction import Tenant

GLOBAL = {schema.Merchant, schema.KeyCheck, schema.Lease, schema.App}


def test_every_table_of_a_tenant_has_it_in_its_key_and_references() -> None:
    for table in set(schema.TABLES) - GLOBAL:
        key = table._meta.primary_key
        assert isinstance(key, peewee.CompositeKey)
        assert key.field_names[0] == "merchant_id"
        references = [c.sql for c in table._meta.constraints if "FOREIGN KEY" in c.sql]
        assert references, table
        for reference in references:
            assert reference.startswith('FOREIGN KEY ("merchant_id"'), table


def test_a_query_of_a_tenant_is_made_in_one_place() -> None:
    """No repository below `Tenant` builds a query of its own, but for counting, with its tenant."""
    folder = Path(inspect.getfile(schema)).parent
    for name in ("claims", "documents", "invoices", "mails", "merchant_settings", "sales"):
        for node in ast.walk(ast.parse((folder / f"{name}.py").read_text())):
            if isinstance(node, ast.Attribute) and node.attr in {"update", "delete", "insert"}:
                raise AssertionError(f"{name}.py:{node.lineno} builds its own query")


def crossing_references() -> list[tuple[str, str, str]]:
    """Every column that refers to another table within the tenant."""
    found = []
    for table in set(schema.TABLES) - GLOBAL:
        for constraint in table._meta.constraints:
            if "FOREIGN KEY" in constraint.sql and '("merchant_id")' not in constraint.sql:
                columns = constraint.sql.split("(")[1].split(")")[0].replace('"', "").split(", ")
                found.append((table._meta.table_name, columns[1], constraint.sql))
    return sorted(found)


def remember(tenant: Tenant, connection_id: str, sale_id: str, at: datetime) -> None:
    profile = Profile(Fiscal(rfc="CACX7605101P8"), Source.BUYER, at)
    tenant.customers.keep(connection_id, "c1", profile)
    tenant.customers.bought(connection_id, "c1", sale_id)
    tenant.books.keep(connection_id, at, at, 0, ())
    tenant.mails.begin("invitation", sale_id, "m")
    tenant.bounces.add("invitation", sale_id, "m", sale_id, "a@example.com", "550")


@pytest.fixture
def full(make_world: Callable[[], Any], make_sale: Any) -> tuple[Any, Any]:
    """Two merchants with a row in every table that can be crossed."""
    worlds = make_world(), make_world()
    for number, world in enumerate(worlds):
        world.deliver()
        invoice_id = world.stamped(uuid=f"U-{number}")
        doubtful = world.answered("unknown", "7002")
        with world.store.transaction() as tx:
            tenant = tx.tenant(world.merchant_id)
            sale_id = tenant.invoices.get(invoice_id).sale_ids[0]
            tenant.links.make(sale_id)
            tenant.asks.create(sale_id, "late", {})
            tenant.mails.ask(invoice_id, "a@example.com", "es")
            code = tenant.pairings.make(f"CODE{number}", timedelta(minutes=30))
            tenant.pairings.begin(
                code.id,
                "shop",
                "https://shop.example",
                nonce=f"nonce {number}",
                browser="b",
                lasting=timedelta(minutes=30),
            )
            tenant.bonds.pair(world.connection_id, "shop", "https://shop.example")
            tenant.proofs.keep(world.connection_id, "7001", "proof")
            remember(tenant, world.connection_id, sale_id, world.clock.now())
            tenant.erasures.remember(world.connection_id, "request", ["7001"])
            tenant.erasures.audit(world.connection_id, "request", "erase_customer")
            tenant.invoices.move(doubtful, State.SENDING, State.REVIEW)
            tenant.invoices.declare_unstamped(doubtful, 1, "staff")
            tenant.invoices.agree(invoice_id, "f" * 32, verified=True)
            sale = make_sale(refunds=(Refund("r0", Decimal("1.00")),))
            tenant.credits.account_for(invoice_id, 1, sale)
            share = Share(
                0, 1, Decimal("116.00"), Basis(Decimal("117.00"), {"r0": Decimal("1.00")})
            )
            tenant.credits.account_for_share(doubtful, 1, sale_id, share)
            note_of(tenant, invoice_id, sale_id)
            motivo = Motivo.ERRORES_SIN_RELACION
            tenant.cancellations.ask(invoice_id, motivo, "", actor="staff", was=State.STAMPED)
            tenant.invoices.move(invoice_id, State.STAMPED, State.CANCELLING)
            tenant.cancellations.note(tenant.cancellations.current(invoice_id), "sent", "")
        free = world.sale("7003")
        with world.store.transaction() as tx:
            tx.tenant(world.merchant_id).divisions.make(free, "f" * 32, {"1": Decimal(1)})
    return worlds


def note_of(tenant: Tenant, ingreso_id: str, sale_id: str) -> str:
    """A credit note of one refund of an invoice, asked for."""
    ingreso = tenant.invoices.get(ingreso_id)
    assert ingreso is not None
    made = tenant.invoices.create(
        sale_ids=(sale_id,),
        receptor=ingreso.receptor,
        origin=NOTE_ORIGIN,
        language="es",
        environment="test",
        total=Decimal("16.00"),
        currency="MXN",
    )
    tenant.credits.open(
        made.id,
        ingreso_id=ingreso_id,
        sale_id=sale_id,
        refund_key="r1",
        total=Decimal("16.00"),
        actor="hub",
    )
    return made.id


@pytest.mark.parametrize(("table", "column", "constraint"), crossing_references())
def test_a_reference_to_another_tenant_cannot_be_stored(
    full: tuple[Any, Any], table: str, column: str, constraint: str
) -> None:
    one, two = full
    fields = next(t for t in schema.TABLES if t._meta.table_name == table)._meta.columns
    chosen = ", ".join("?" if name == "merchant_id" else f'"{name}"' for name in fields)
    listed = ", ".join(f'"{name}"' for name in fields)
    with pytest.raises(Refused):
        one.sql(
            f'INSERT INTO "{table}" ({listed}) SELECT {chosen} FROM "{table}" '
            "WHERE merchant_id = ?",
            two.merchant_id,
            one.merchant_id,
        )


def read_all(tenant: Tenant, foreign: Any) -> list[object]:
    """Everything that can be asked for by an id, asked for with another tenant's."""
    attempt = Attempt(foreign.invoice, 1, 1, "w", foreign.at, None, None)
    return [
        tenant.sales.get(foreign.sale),
        tenant.sales.by_key(foreign.connection, "7001"),
        tenant.links.current(foreign.sale),
        tenant.claims.of_sale(foreign.sale),
        tenant.claims.of_invoice(foreign.invoice),
        tenant.asks.of_sale(foreign.sale),
        tenant.invoices.get(foreign.invoice),
        tenant.invoices.for_sale(foreign.sale),
        tenant.invoices.document(foreign.invoice),
        tenant.invoices.attempts(foreign.invoice),
        tenant.invoices.raw_answer(attempt),
        tenant.invoices.stamp_of(foreign.invoice),
        tenant.invoices.transitions(foreign.invoice),
        tenant.credits.get(foreign.note),
        tenant.credits.of_sale(foreign.sale),
        tenant.credits.of_ingreso(foreign.invoice),
        tenant.credits.basis(foreign.invoice, 1),
        tenant.credits.share(foreign.invoice, 1, foreign.sale),
        tenant.divisions.current(foreign.divided),
        tenant.links.current(foreign.divided, 2),
        tenant.claims.part_of(foreign.partly, foreign.divided),
        tenant.connections.get(foreign.connection),
        tenant.inbox.get(foreign.inbox),
        tenant.pac.get(foreign.account),
        tenant.mails.copy(foreign.copy),
        tenant.customers.get(foreign.connection, "c1"),
        tenant.customers.sales(foreign.connection, "c1"),
        tenant.mails.was_sent("k", foreign.invoice, "m"),
        tenant.bounces.has("invitation", foreign.sale, "m"),
        tenant.bounces.of_sale(foreign.sale),
        tenant.sales.of_connection(foreign.connection, 10),
        tenant.erasures.orders(foreign.connection, "request"),
        tenant.erasures.known(foreign.connection),
        tenant.erasures.list(),
    ]


class Foreign:
    def __init__(self, world: Any) -> None:
        self.connection, self.account = world.connection_id, world.account_id
        self.inbox = world.deliver()
        self.invoice = world.stamped()
        self.at = world.clock.now()
        with world.store.transaction() as tx:
            tenant = tx.tenant(world.merchant_id)
            self.sale = tenant.invoices.get(self.invoice).sale_ids[0]
            tenant.links.make(self.sale)
            tenant.mails.begin("k", self.invoice, "m")
            tenant.mails.sent("k", self.invoice, "m", self.at)
            tenant.asks.create(self.sale, "late", {})
            tenant.erasures.remember(self.connection, "request", ["7009"])
            remember(tenant, self.connection, self.sale, self.at)
            tenant.erasures.audit(self.connection, "request", "erase_customer")
            tenant.credits.account_for(self.invoice, 1, tenant.sales.get(self.sale).sale)
            basis = Basis(Decimal("116.00"), {})
            tenant.credits.account_for_share(
                self.invoice, 1, self.sale, Share(0, 1, Decimal("116.00"), basis)
            )
            self.note = note_of(tenant, self.invoice, self.sale)
            self.copy = tenant.mails.ask(self.invoice, "a@example.com", "es").id
        self.divided = world.sale("7003")
        self.partly = world.invoice(self.divided, claim=False)
        with world.store.transaction() as tx:
            tenant = tx.tenant(world.merchant_id)
            tenant.divisions.make(self.divided, "f" * 32, {"1": Decimal(1)})
            tenant.links.make(self.divided, 2)
            tenant.claims.open(self.divided, invoice_id=self.partly, part=2, parts=2)


def test_nothing_of_another_tenant_is_read(make_world: Callable[[], Any]) -> None:
    one, two = make_world(), make_world()
    foreign = Foreign(two)
    with one.store.reading() as tx:
        mine = tx.tenant(one.merchant_id)
        assert [found for found in read_all(mine, foreign) if found] == []
        assert all(read_all(tx.tenant(two.merchant_id), foreign))
        with pytest.raises(RowUnknown):
            mine.connections.credentials(foreign.connection).current()
        assert mine.sales.list() == ([], None)
        assert (
            mine.invoices.list() == mine.inbox.list() == mine.asks.list() == mine.csd.list() == []
        )
        assert mine.invoices.count() == {}


def test_nothing_of_another_tenant_is_written(
    make_world: Callable[[], Any], make_sale: Any
) -> None:
    one, two = make_world(), make_world()
    foreign = Foreign(two)
    before = snapshot(two)
    attempt = Attempt(foreign.invoice, 1, 1, "w", foreign.at, None, None)
    writes: list[Callable[[Tenant], object]] = [
        lambda t: t.sales.set_reasons(foreign.sale, ()),
        lambda t: t.sales.mark_invited(foreign.sale, foreign.at),
        lambda t: t.sales.touch_verified(foreign.sale, foreign.at),
        lambda t: t.links.make(foreign.sale),
        lambda t: t.links.renew(foreign.sale),
        lambda t: t.links.revoke(foreign.divided, 2),
        lambda t: t.links.make(foreign.divided, 1),
        lambda t: t.divisions.undo(foreign.divided),
        lambda t: t.divisions.make(foreign.sale, "f" * 32, {}),
        lambda t: t.credits.account_for_share(
            foreign.invoice, 2, foreign.sale, Share(0, 1, Decimal(1), Basis(Decimal(1), {}))
        ),
        lambda t: t.claims.open(foreign.sale, global_uuid="G", part=2, parts=2),
        lambda t: t.claims.release(foreign.invoice),
        lambda t: t.asks.create(foreign.sale, "k", {}),
        lambda t: t.asks.settle(foreign.sale, "late"),
        lambda t: t.credits.release(foreign.note, "cancelled"),
        lambda t: t.credits.account_for(foreign.invoice, 2, make_sale()),
        lambda t: t.invoices.move(foreign.invoice, State.STAMPED, State.CANCELLING),
        lambda t: t.invoices.delivered(foreign.invoice, foreign.at),
        lambda t: t.invoices.start_attempt(foreign.invoice, 1, "w"),
        lambda t: t.invoices.answer(attempt, "later", "", b""),
        lambda t: t.invoices.stamp(foreign.invoice, 1, "X", b"", foreign.at, True),
        lambda t: t.invoices.declare_unstamped(foreign.invoice, 1, "me"),
        lambda t: t.connections.swept(foreign.connection, foreign.at),
        lambda t: t.connections.delivered(foreign.connection, foreign.at),
        lambda t: t.connections.set_problem(foreign.connection, "broken"),
        lambda t: t.connections.credentials(foreign.connection).rotate({}, {"a": "b"}),
        lambda t: t.inbox.dead(foreign.inbox, "no"),
        lambda t: t.mails.sent("k", foreign.invoice, "m", foreign.at),
        lambda t: t.mails.ask(foreign.invoice, "b@example.com", "es"),
        lambda t: t.asks.erase(foreign.sale),
        lambda t: t.sales.forget_buyer(foreign.sale),
        lambda t: t.erasures.remember(foreign.connection, "r", ["7001"]),
        lambda t: t.erasures.audit(foreign.connection, "r", "access"),
        lambda t: t.erasures.erase(foreign.connection, "7001", foreign.sale),
        lambda t: t.erasures.of_customer(foreign.connection, ""),
        lambda t: t.erasures.of_shop(foreign.connection, ""),
        lambda t: t.erasures.deliveries([foreign.inbox]),
        lambda t: t.bonds.renewed(foreign.connection),
    ]
    for write in writes:
        try:
            with one.store.transaction() as tx:
                write(tx.tenant(one.merchant_id))
        except StoreError:
            pass
        assert snapshot(two) == before


def snapshot(world: Any) -> list[list[tuple[object, ...]]]:
    names = [t._meta.table_name for t in schema.TABLES if t not in GLOBAL]
    query = 'SELECT * FROM "{}" WHERE merchant_id = ?'
    return [sorted(map(repr, world.sql(query.format(name), world.merchant_id))) for name in names]
