"""Both engines, a migrated store on each, and a small world to work in."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from connectors.contract import Delivery, Notice
from hub.clock import Clock, SystemClock
from hub.domain.sale import Buyer, PaymentState, Sale
from hub.domain.states import State
from hub.store.database import Store, Tenant
from hub.store.engines import told
from hub.store.keys import Keyring
from hub.store.records import ReceptorData
from hub.store.schema import TABLES

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
KEYS = Keyring.parse("k1:" + "A" * 43 + "=")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty database file, to be copied."""
    path = tmp_path_factory.mktemp("template") / "hub.db"
    migrated(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_shared() -> Iterator[str]:
    """One migrated database for all tests of this process; making one takes half a second."""
    for url in postgres_database():
        migrated(url)
        emptied(url)
        yield url


def emptied(url: str) -> None:
    """Take every row away again, which only a superuser's connection without triggers can."""
    tables = [t._meta.table_name for t in TABLES]
    guard_count = (
        "SELECT (SELECT COUNT(*) FROM pg_trigger WHERE NOT tgisinternal) || '/' || "
        "(SELECT COUNT(*) FROM pg_indexes WHERE schemaname = 'public')"
    )
    with psycopg.connect(url) as admin:
        admin.execute("SET session_replication_role = replica")
        admin.execute("SET synchronous_commit = off")
        admin.execute("; ".join(f'DELETE FROM "{table}"' for table in tables))
        (guards,) = admin.execute(guard_count).fetchone() or ("",)
    if GUARDS.setdefault(url, guards) != guards:
        migrated(url)


#: How many guards the shared database has when a test leaves it as it was.
GUARDS: dict[str, str] = {}


def migrated(url: str) -> None:
    store = Store.open(url, keyring=KEYS, clock=SystemClock())
    store.migrate()
    store.check_keys()
    store.close()


def postgres_admin() -> psycopg.Connection[Any]:
    try:
        return psycopg.connect(POSTGRES, autocommit=True, connect_timeout=60)
    except psycopg.OperationalError:
        pytest.skip("NOT TESTED: no PostgreSQL at TEST_POSTGRES_URL or 127.0.0.1:5432")


def address(name: str) -> str:
    return POSTGRES.rpartition("/")[0] + f"/{name}"


def postgres_database() -> Iterator[str]:
    """The address of a database made now and dropped at the end."""
    name = f"hub_{uuid.uuid4().hex}"
    with postgres_admin() as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        try:
            yield address(name)
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


ENGINES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated database that holds no rows yet."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "hub.db")
        yield f"sqlite:///{tmp_path}/hub.db"
    else:
        shared: str = request.getfixturevalue("postgres_shared")
        yield shared
        emptied(shared)


@pytest.fixture(params=ENGINES)
def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/bare/hub.db"
    else:
        yield from postgres_database()


@pytest.fixture
def store(url: str, clock: Clock) -> Iterator[Store]:
    opened = Store.open(url, keyring=KEYS, clock=clock)
    opened.check_keys()
    yield opened
    opened.close()


@pytest.fixture
def keys() -> Keyring:
    return KEYS


@pytest.fixture
def reopen(url: str, clock: Clock) -> Iterator[Callable[..., Store]]:
    """Further stores on the same database, with other keys if wanted."""
    opened: list[Store] = []

    def open_again(keyring: Keyring = KEYS) -> Store:
        opened.append(Store.open(url, keyring=keyring, clock=clock))
        return opened[-1]

    yield open_again
    for one in opened:
        one.close()


RECEPTOR = ReceptorData(
    rfc="CACX7605101P8",
    nombre="XOCHILT CASAS CHAVEZ",
    codigo_postal="36257",
    regimen="612",
    uso="G03",
    correo="canario@example.com",
)


def a_sale(key: str = "7001", **changes: Any) -> Sale:
    sale = Sale(
        key=key,
        number=key,
        revision=1,
        placed_at=datetime(2026, 11, 20, 17, tzinfo=UTC),
        paid_at=datetime(2026, 11, 20, 17, 5, tzinfo=UTC),
        payment_state=PaymentState.PAID,
        currency="MXN",
        total=Decimal("116.00"),
        lines=(),
        buyer=Buyer(email="comprador@example.com", rfc="CACX7605101P8"),
    )
    return replace(sale, **changes)


@dataclass
class World:
    """One merchant with a shop, and the walk of a sale in single strides."""

    store: Store
    clock: Any
    merchant_id: str = ""
    connection_id: str = ""
    account_id: str = ""

    def settle(self) -> World:
        with self.store.transaction() as tx:
            merchant = tx.merchants.create("EKU9003173C9", "ESCUELA KEMPER URGATE", "601", "42501")
            tenant = tx.tenant(merchant.id)
            connection = tenant.connections.create(
                "shop", "https://shop.example", {"secret": "canary-credential"}, {}, None
            )
            account = tenant.pac.set("sandbox", "test", {"token": "canary-pac-token"})
        self.merchant_id, self.connection_id = merchant.id, connection.id
        self.account_id = account.id
        return self

    def sale(self, key: str = "7001", **changes: Any) -> str:
        with self.store.transaction() as tx:
            kept = tx.tenant(self.merchant_id).sales.keep(
                connection_id=self.connection_id,
                platform="shop",
                sale=a_sale(key, **changes),
                reasons=(),
                verified_at=None,
            )
        return kept.id

    def invoice(self, *sale_ids: str, claim: bool = True) -> str:
        with self.store.transaction() as tx:
            tenant = tx.tenant(self.merchant_id)
            invoice = tenant.invoices.create(
                sale_ids=sale_ids,
                receptor=RECEPTOR,
                origin="buyer",
                language="es",
                environment="test",
                total=Decimal("116.00"),
                currency="MXN",
            )
            for sale_id in sale_ids if claim else ():
                assert tenant.claims.open(sale_id, invoice_id=invoice.id)
        return invoice.id

    def document(self, tenant: Tenant, invoice_id: str) -> None:
        folio = tenant.invoices.next_folio("A")
        tenant.invoices.seal(
            invoice_id,
            serie="A",
            folio=str(folio),
            fecha=datetime.fromisoformat("2026-11-20T12:00:01"),
            total=Decimal("116.00"),
            xml=b"<cfdi canary-sealed='CACX7605101P8'/>",
            sha256=f"{folio:064d}",
            sello="c2VsbG8=",
            pac_account_id=self.account_id,
            reference=f"{folio:064d}",
        )

    def sealed(self, key: str = "7001") -> str:
        invoice_id = self.invoice(self.sale(key))
        with self.store.transaction() as tx:
            tenant = tx.tenant(self.merchant_id)
            self.document(tenant, invoice_id)
            assert tenant.invoices.move(invoice_id, State.REQUESTED, State.SEALED)
        return invoice_id

    def sending(self, key: str = "7001") -> str:
        invoice_id = self.sealed(key)
        with self.store.transaction() as tx:
            tenant = tx.tenant(self.merchant_id)
            assert tenant.invoices.move(invoice_id, State.SEALED, State.SENDING)
            tenant.invoices.start_attempt(invoice_id, 1, "w1")
        return invoice_id

    def answered(self, outcome: str, key: str = "7001") -> str:
        invoice_id = self.sending(key)
        with self.store.transaction() as tx:
            invoices = tx.tenant(self.merchant_id).invoices
            assert invoices.answer(invoices.attempts(invoice_id)[-1], outcome, "", b"raw-canary")
        return invoice_id

    def stamped(self, key: str = "7001", uuid: str = "9E1C") -> str:
        invoice_id = self.answered("stamped", key)
        with self.store.transaction() as tx:
            invoices = tx.tenant(self.merchant_id).invoices
            now = self.clock.now()
            invoices.stamp(invoice_id, 1, uuid, b"<tfd canary-stamped/>", now, sat_verified=True)
            assert invoices.move(invoice_id, State.SENDING, State.STAMPED)
        return invoice_id

    def deliver(self, event_key: str = "e1") -> str | None:
        notice = Notice("order.created", event_key, "7001", snapshot=b'{"canary": "snapshot"}')
        delivery = Delivery({"x-header": "canary-header"}, b"canary-body", self.clock.now())
        with self.store.transaction() as tx:
            inbox = tx.tenant(self.merchant_id).inbox
            return inbox.file(self.connection_id, "shop", notice, delivery)

    def sql(self, statement: str, *values: object) -> list[Any]:
        """Raw SQL in a write transaction, as a hand or a bug would send it."""
        with self.store.transaction() as tx:
            engine = tx.session.engine
            mark = "?" if "Sqlite" in type(engine).__name__ else "%s"
            with told():
                cursor = engine.db.execute_sql(statement.replace("?", mark), values)
            return list(cursor.fetchall()) if cursor.description else []


@pytest.fixture
def world(store: Store, clock: Clock) -> World:
    return World(store, clock).settle()


@pytest.fixture
def make_world(store: Store, clock: Clock) -> Callable[[], World]:
    """A further merchant each time."""
    return lambda: World(store, clock).settle()


@pytest.fixture
def make_sale() -> Callable[..., Sale]:
    return a_sale


@pytest.fixture
def world_in(clock: Clock) -> Callable[[Store], World]:
    return lambda store: World(store, clock).settle()
