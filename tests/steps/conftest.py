"""The whole walk on real parts: both stores, the sandbox over a socket, real letters, real jobs.

Only two things are stood in for: the platform (its answers are set by the test) and the mail
server (letters are kept in a list). Both can fail on purpose, and so can every commit.
"""

from __future__ import annotations

import os
import re
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import flask
import psycopg
import pytest
import requests
from flask.testing import FlaskClient

from cfdi.csd import Csd, check_csd
from cfdi.pac.accounts import PROVIDERS
from cfdi.pac.contract import (
    Answer,
    CancelAnswer,
    Later,
    NotOffered,
    Pending,
    Registered,
    Reply,
    Standing,
    Terms,
)
from cfdi.pac.sandbox import TOKEN
from cfdi.pac.sandbox.app import Sandbox
from cfdi.pac.sandbox.authority import Authority
from cfdi.pac.sw import SwSapien
from cfdi.sat.status import PATH, SatStatus
from connectors.contract import (
    ConnectionFacts,
    Credentials,
    Delivery,
    DeliveryUnreadable,
    Notice,
    OrderNotFound,
    SignatureInvalid,
)
from hub.clock import Clock, SystemClock
from hub.domain.purchase import Estado, FiscalForm, Purchase, Word
from hub.domain.sale import Buyer, Payment, PaymentState, Sale, SaleLine, SaleTax
from hub.domain.snapshot import from_json, to_json
from hub.domain.states import State
from hub.steps import buyer as buyers
from hub.steps import fresh, known_at_sat, look, receive, request
from hub.steps.brand import Brands
from hub.steps.context import Context, Letter
from hub.steps.doorway import doorway
from hub.steps.opening import Passes
from hub.store.database import Store, Transaction
from hub.store.invariants import violations
from hub.store.keys import Keyring
from hub.store.records import Connection, Invoice, PacAccount
from hub.store.schema import TABLES
from hub.wiring import jobs_of
from hub.work.drain import drain
from hub.work.jobs import QUEUES
from portal.buyer.routes import blueprint
from portal.buyer.settings import PageSettings
from portal.mail.letters import TemplateLetters
from tests.waitresses import on_waitress

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
KEYS = Keyring.parse("k1:" + "A" * 43 + "=")
START = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
TAXPAYERS = (
    ("EKU9003173C9", "ESCUELA KEMPER URGATE", "601", "42501"),
    ("IIA040805DZ4", "INDISTRIA ILUMINADORA DE ALMACENES", "601", "62661"),
)
#: For whom the time limits are not what is tried: a busy machine takes as long as it likes.
PATIENCE = 300.0
#: Reminders are tried in test_channels.py; elsewhere time passes without them.
RULES = '[forma_pago]\ndefault = "03"\n[invitaciones]\nrecordatorio_dias = 0\n'
FORM = FiscalForm(
    "CACX7605101P8", "XOCHILT CASAS CHAVEZ", "36257", "612", "G03", "xochilt@example.com"
)


class Killed(BaseException):
    """The process ends here: nothing after it is run."""


@dataclass
class Kill:
    """When to die: right before commit number `at` (which is after the one before it), or around a
    sending."""

    at: int = 0
    when: str = ""  # commit, before_send, after_send
    commits: int = 0

    def arm(self, at: int, when: str) -> None:
        self.at, self.when, self.commits = at, when, 0

    def here(self) -> None:
        if self.when == "commit" and self.commits == self.at:
            self.when = ""
            raise Killed

    def sending(self, when: str) -> None:
        if self.when == when:
            self.when = ""
            raise Killed


class MortalStore(Store):
    """The real store, in a process that can die at any commit."""

    kill: Kill

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        kill = self.kill
        with super().transaction() as tx:
            yield tx
            kill.commits += 1
            kill.here()


class MortalPac:
    """The real client, in a process that can die around a sending; its answers can be replaced."""

    def __init__(self, pac: SwSapien, kill: Kill, terms: Terms) -> None:
        self.name, self.terms = pac.name, terms
        self.pac, self.kill = pac, kill
        self.sent: list[bytes] = []
        self.instead: list[Callable[[bytes, str], Answer]] = []

    def stamp(self, sealed: bytes, reference: str) -> Answer:
        return self._ask(self.pac.stamp, sealed, reference)

    def recover(self, sealed: bytes, reference: str) -> Answer:
        return self._ask(self.pac.recover, sealed, reference)

    def check(self) -> Standing:
        return self.pac.check()

    def cancel(self, request: bytes, uuid: str) -> CancelAnswer:
        self.kill.sending("before_cancel")
        answer = self.pac.cancel(request, uuid)
        self.kill.sending("after_cancel")
        return answer

    def pending(self, rfc: str) -> Pending | Later | NotOffered:
        return self.pac.pending(rfc)

    def reply(self, request: bytes, uuid: str, reply: Reply) -> CancelAnswer | NotOffered:
        return self.pac.reply(request, uuid, reply)

    def registered(
        self, rfc: str, *, nombre: str = "", cp: str = ""
    ) -> Registered | Later | NotOffered:
        return self.pac.registered(rfc, nombre=nombre, cp=cp)

    def _ask(self, ask: Callable[[bytes, str], Answer], sealed: bytes, reference: str) -> Answer:
        self.kill.sending("before_send")
        self.sent.append(sealed)
        answer = (self.instead.pop(0) if self.instead else ask)(sealed, reference)
        self.kill.sending("after_send")
        return answer


@dataclass
class Post:
    letters: list[Letter] = field(default_factory=list)
    #: Raised one by each sending; `after` those that come when the server has taken the letter.
    before: list[BaseException] = field(default_factory=list)
    after: list[BaseException] = field(default_factory=list)

    def send(self, letter: Letter) -> None:
        if self.before:
            raise self.before.pop(0)
        self.letters.append(letter)
        if self.after:
            raise self.after.pop(0)

    def to(self, address: str) -> list[Letter]:
        return [letter for letter in self.letters if letter.to == address]


class Shop:
    """A platform whose orders are the JSON form of our own sale."""

    platform = "shop"
    credential_names: Mapping[str, bool] = MappingProxyType({"secret": False})

    def __init__(self) -> None:
        self.orders: dict[str, bytes] = {}
        self.changed: list[str] = []
        self.asked_since: list[datetime] = []
        self.away: Exception | None = None

    def put(self, sale: Sale) -> None:
        self.orders[sale.key] = to_json(sale).encode()

    def configure(
        self, account: str, given: Mapping[str, str], *, allow_private: bool
    ) -> tuple[str, Mapping[str, str]]:
        return account, given

    def is_greeting(self, delivery: Delivery) -> bool:
        return delivery.body == b"hello"

    def authenticate(self, delivery: Delivery, credentials: Credentials) -> None:
        if delivery.headers.get("secret") != credentials.current()["secret"]:
            raise SignatureInvalid("not signed")

    def read(self, delivery: Delivery) -> Notice | None:
        event = delivery.headers["event"]
        if event == "useless":
            return None
        if delivery.body == b"garbled":
            raise DeliveryUnreadable("garbled")
        key, order = delivery.headers["key"], delivery.headers["order"]
        return Notice(event, key, order, snapshot=delivery.body or None, gone=event == "gone")

    def can_fetch(self, credentials: Credentials) -> bool:
        return "api" in credentials.current()

    def fetch(self, order_id: str, connection: ConnectionFacts, credentials: Credentials) -> bytes:
        if self.away:
            raise self.away
        if order_id not in self.orders:
            raise OrderNotFound("no such order")
        return self.orders[order_id]

    def changed_since(
        self, instant: datetime, connection: ConnectionFacts, credentials: Credentials
    ) -> Iterator[str]:
        if self.away:
            raise self.away
        self.asked_since.append(instant)
        return iter(self.changed)

    def normalize(self, order: bytes, connection: ConnectionFacts) -> Sale:
        try:
            return from_json(order.decode())
        except (ValueError, KeyError, TypeError):
            raise DeliveryUnreadable("not an order") from None


def sale_of(key: str = "7001", **changes: Any) -> Sale:
    """116.00 with IVA, paid an hour before the tests begin."""
    iva = SaleTax(Decimal("16.00"), Decimal("0.16"), impuesto="IVA")
    line = SaleLine("1", "Taza de barro", Decimal(1), Decimal("100.00"), Decimal(0), (iva,))
    values: dict[str, Any] = {
        "key": key,
        "number": key,
        "revision": 1,
        "placed_at": START - timedelta(hours=1),
        "paid_at": START - timedelta(hours=1),
        "payment_state": PaymentState.PAID,
        "currency": "MXN",
        "total": Decimal("116.00"),
        "lines": (line,),
        "payments": (Payment("card", Decimal("116.00"), forma_pago="04"),),
        "buyer": Buyer(name="Comprador", email=f"buyer-{key}@example.com"),
    }
    return Sale(**values | changes)


@dataclass(frozen=True)
class Provider:
    """The sandbox, running."""

    url: str
    app: Sandbox

    def fault(self, mode: str, times: int = 1, seconds: float = 0, on: str = "stamp") -> None:
        wish = {"mode": mode, "times": times, "seconds": seconds, "on": on}
        requests.post(f"{self.url}/sandbox/faults", json=wish, timeout=PATIENCE).raise_for_status()

    def unknown(self, seconds: float) -> None:
        """SAT knows nothing of a document until it is so old."""
        requests.post(
            f"{self.url}/sandbox/unknown", json={"seconds": seconds}, timeout=PATIENCE
        ).raise_for_status()

    def decide(self, uuid: str, reply: str) -> None:
        """What the receiver says to a request for cancellation: accept, reject or lapse."""
        wish = {"uuid": uuid, "reply": reply}
        requests.post(
            f"{self.url}/sandbox/cancellations", json=wish, timeout=PATIENCE
        ).raise_for_status()

    def cancellations(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = requests.get(
            f"{self.url}/sandbox/cancellations", timeout=PATIENCE
        ).json()
        return found

    def calm(self) -> None:
        requests.delete(f"{self.url}/sandbox/faults", timeout=PATIENCE).raise_for_status()

    def stamps(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = requests.get(
            f"{self.url}/sandbox/stamps", timeout=PATIENCE
        ).json()
        return found


@dataclass
class Shopkeeper:
    """One merchant: certificate, PAC account, rules and a connected shop."""

    world: World
    id: str
    connection: Connection
    account: PacAccount

    def keep(self, key: str = "7001", *, invite: bool = False, **changes: Any) -> str:
        """An order that the shop told of and that was looked at; its sale's id."""
        sale = sale_of(key, **changes)
        self.world.shop.put(sale)
        self.promise("ingest_order", f"{self.connection.id}/{key}", queue="ingest")
        self.world.drain("ingest", "mail") if invite else self.world.drain("ingest")
        return self.sale_id(key)

    def promise(self, job: str, subject: str, queue: str = "stamp") -> None:
        with self.world.store.transaction() as tx:
            tx.tenant(self.id).promise(job, subject, queue=queue)

    def sale_id(self, key: str = "7001") -> str:
        row = self.of(lambda tenant: tenant.sales.by_key(self.connection.id, key))
        assert row is not None
        return str(row.id)

    def of(self, ask: Callable[[Any], Any]) -> Any:
        with self.world.store.reading() as tx:
            return ask(tx.tenant(self.id))

    def change(self, do: Callable[[Any], Any]) -> Any:
        with self.world.store.transaction() as tx:
            return do(tx.tenant(self.id))

    def token(self, sale_id: str) -> str:
        return str(self.of(lambda tenant: tenant.links.current(sale_id)).token)

    def request(self, sale_id: str, form: FiscalForm = FORM) -> request.Requested:
        done = request.request(self.world.ctx, self.token(sale_id), form, "es")
        assert done is not None
        return done

    def invoice(self, sale_id: str) -> Invoice:
        found: Invoice | None = self.of(lambda tenant: tenant.invoices.for_sale(sale_id))
        assert found is not None
        return found

    def state(self, sale_id: str) -> State:
        return self.invoice(sale_id).state

    def page(self, sale_id: str) -> Purchase:
        return look.purchase_of(self.world.ctx, self.id, sale_id)

    def estado(self, sale_id: str) -> Estado:
        return self.page(sale_id).estado

    def deliver(
        self, body: bytes, *, event: str = "updated", key: str = "e1", order: str = "7001"
    ) -> receive.Received:
        headers = {"secret": "hush", "event": event, "key": key, "order": order}
        delivery = Delivery(headers, body, self.world.clock.now())
        door = doorway(self.world.ctx, self.connection.id)
        assert door is not None
        return receive.receive(self.world.ctx, door, delivery)

    def set_pac(self, environment: str = "test", **settings: str) -> PacAccount:
        account: PacAccount = self.change(
            lambda tenant: tenant.pac.set("sandbox", environment, settings)
        )
        self.account = account
        return account


@dataclass
class World:
    ctx: Context
    store: MortalStore
    clock: Any
    provider: Provider
    csds: Mapping[str, Csd]
    shop: Shop = field(default_factory=Shop)
    post: Post = field(default_factory=Post)
    kill: Kill = field(default_factory=Kill)
    #: Terms of accounts opened from now on.
    terms: Terms = PROVIDERS["sandbox"].terms
    pacs: dict[str, MortalPac] = field(default_factory=dict)
    sats: dict[str, SatStatus | None] = field(default_factory=dict)

    def pac(self, account: PacAccount) -> MortalPac:
        if account.id not in self.pacs:
            client = SwSapien(
                self.provider.url,
                token=TOKEN,
                terms=self.patient_terms(),
                monotonic=self.clock.monotonic,
            )
            self.pacs[account.id] = MortalPac(client, self.kill, self.terms)
        return self.pacs[account.id]

    def patient_terms(self) -> Terms:
        """How the client waits: for leases the provider's own terms count all the same."""
        if self.terms.read_timeout != PROVIDERS["sandbox"].terms.read_timeout:
            return self.terms  # the limit is what the test tries
        patience = timedelta(seconds=PATIENCE)
        return replace(self.terms, connect_timeout=patience, read_timeout=patience)

    def sat(self, account: PacAccount) -> SatStatus | None:
        service = SatStatus(
            f"{self.provider.url}{PATH}",
            monotonic=self.clock.monotonic,
            connect_timeout=timedelta(seconds=PATIENCE),
            read_timeout=timedelta(seconds=PATIENCE),
        )
        return self.sats.setdefault(account.id, service)

    def settle(self, number: int = 0, rules: str = RULES) -> Shopkeeper:
        rfc, nombre, regimen, cp = TAXPAYERS[number]
        csd = self.csds[rfc]
        with self.store.transaction() as tx:
            merchant = tx.merchants.create(rfc, nombre, regimen, cp)
            tenant = tx.tenant(merchant.id)
            keys = {"secret": "hush", "api": "yes"}
            connection = tenant.connections.create("shop", "shop.example", keys, {}, START - DAY)
            account = tenant.pac.set("sandbox", "test", {})
            add_csd(tenant, csd)
            tenant.rules.set(rules)
        return Shopkeeper(self, merchant.id, connection, account)

    def drain(self, *queues: str, rows: int = 1000, worker: str = "w1") -> int:
        """Everything due in these queues (all), as a worker does it; how much was run."""
        jobs = jobs_of(self.ctx)
        return drain(self.store, jobs, queues or QUEUES, worker, self.clock, rows=rows).done

    def quiet(self, rounds: int = 80) -> None:
        """Let time pass, from one promise to the next, until nothing is promised any more."""
        for _ in range(rounds):
            with self.store.transaction() as tx:
                tx.outbox.expire()
            self.drain()
            with self.store.reading() as tx:
                due_at = tx.outbox.next_due_at()
            if due_at is None:
                return
            self.clock.advance(max((due_at - self.clock.now()).total_seconds(), 0))
        pytest.fail("it never comes to rest")

    def die(self, work: Callable[[], object]) -> bool:
        """Whether the process died in it. What it had claimed is free again after a while."""
        try:
            work()
        except Killed:
            self.clock.advance(61)
            return True
        return False

    def violations(self) -> list[str]:
        with self.store.reading() as tx:
            return violations(tx)


DAY = timedelta(days=1)


def add_csd(tenant: Any, csd: Csd, authority: str = "sandbox", **dates: datetime) -> None:
    certificate = csd.certificate
    tenant.csd.add(
        no_certificado=certificate.no_certificado,
        certificate_der=certificate.der,
        key_der=csd.key_der(),
        not_before=dates.get("not_before", certificate.not_before),
        not_after=dates.get("not_after", certificate.not_after),
        authority=authority,
    )


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("authority") / "ca", now=START)


@pytest.fixture(scope="session")
def csds(authority: Authority) -> dict[str, Csd]:
    made = {}
    for rfc, nombre, *_ in TAXPAYERS:
        issued = authority.issue_csd(rfc, nombre, now=START)
        made[rfc] = check_csd(issued.cer_der, issued.key_der, issued.password, rfc=rfc, now=START)
    return made


@pytest.fixture
def hurried() -> None:
    """For tests of those who do not answer: whoever waits for them has the limits of the hub."""


@pytest.fixture(autouse=True)
def unhurried(request: pytest.FixtureRequest) -> Iterator[None]:
    """All others get the answer they wait for, however busy the machine is."""
    limits = ((fresh, "OPEN_SECONDS"), (fresh, "ASK_SECONDS"), (known_at_sat, "SECONDS"))
    with pytest.MonkeyPatch.context() as patch:
        if "hurried" not in request.fixturenames:
            for module, name in limits:
                patch.setattr(module, name, PATIENCE)
        yield


class Now:
    """The sandbox goes by the clock of the test that is running."""

    clock: Clock = SystemClock()

    def __call__(self) -> datetime:
        return self.clock.now()


@pytest.fixture(scope="session")
def running(
    authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Provider, Now]]:
    now = Now()
    state = tmp_path_factory.mktemp("sandbox") / "state.db"
    app = Sandbox(state, authority, now, time.monotonic, time.sleep)
    app._memory._db.execute("PRAGMA synchronous = OFF")
    with on_waitress(app, threads=12) as url:
        yield Provider(url, app), now
    app._memory.close()


@pytest.fixture
def provider(running: tuple[Provider, Now], clock: Clock) -> Provider:
    """Without a memory and without faults, at the time of the test's clock."""
    found, now = running
    now.clock = clock
    found.app._memory._db.execute("DELETE FROM stamp")
    found.app._memory._db.execute("DELETE FROM taxpayer")
    found.app._memory._db.execute("DELETE FROM cancellation")
    found.unknown(0)
    found.calm()
    return found


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "hub.db"
    _migrated(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """One migrated database for all tests of this process, dropped at the end."""
    try:
        admin = psycopg.connect(POSTGRES, autocommit=True, connect_timeout=60)
    except psycopg.OperationalError:
        pytest.skip("NOT TESTED: no PostgreSQL at TEST_POSTGRES_URL or 127.0.0.1:5432")
    name = f"hub_{uuid.uuid4().hex}"
    url = POSTGRES.rpartition("/")[0] + f"/{name}"
    with admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        try:
            _migrated(url)
            yield url
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _migrated(url: str) -> None:
    store = Store.open(url, keyring=KEYS, clock=SystemClock())
    store.migrate()
    store.check_keys()
    store.close()


def _emptied(url: str) -> None:
    with psycopg.connect(url) as admin:
        admin.execute("SET session_replication_role = replica")
        admin.execute("SET synchronous_commit = off")
        admin.execute("; ".join(f'DELETE FROM "{one._meta.table_name}"' for one in TABLES))


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated database that holds no rows yet."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "hub.db")
        return f"sqlite:///{tmp_path}/hub.db"
    shared: str = request.getfixturevalue("postgres_url")
    _emptied(shared)
    return shared


def _world(url: str, clock: Clock, provider: Provider, csds: Mapping[str, Csd]) -> World:
    store = MortalStore.open(url, keyring=KEYS, clock=clock)
    assert isinstance(store, MortalStore)
    store.kill = Kill()
    _unhurried(store, url)
    store.check_keys()
    shop, post = Shop(), Post()
    ctx = Context(
        store=store,
        clock=clock,
        connectors={"shop": shop},
        pac=lambda account: made.pac(account),  # noqa: PLW0108 - made below
        sat=lambda account: made.sat(account),  # noqa: PLW0108 - made below
        post=post,
        letters=TemplateLetters(),
        public_url="https://hub.example",
        mail_from="facturas@hub.example",
        passes=Passes("a secret of these tests only, and long enough"),
        worker="w1",
    )
    made = World(ctx, store, clock, provider, csds, shop, post, store.kill)
    return made


def _unhurried(store: Store, url: str) -> None:
    """This thread's commits do not wait for the disk: a process dies here, never the machine."""
    sqlite = url.startswith("sqlite")
    store._engine.db.execute_sql(
        "PRAGMA synchronous = OFF" if sqlite else "SET synchronous_commit = off"
    )


@pytest.fixture
def world(url: str, clock: Clock, provider: Provider, csds: Mapping[str, Csd]) -> Iterator[World]:
    """It must end in order: whatever a test did, the rows contradict nothing."""
    made = _world(url, clock, provider, csds)
    yield made
    found = made.violations()
    made.store.close()
    assert found == []


@pytest.fixture
def merchant(world: World) -> Shopkeeper:
    return world.settle()


@pytest.fixture
def form() -> FiscalForm:
    return FORM


@pytest.fixture
def make_sale() -> Callable[..., Sale]:
    return sale_of


@pytest.fixture
def put_csd() -> Callable[..., None]:
    return add_csd


@pytest.fixture
def other_form() -> FiscalForm:
    return replace(FORM, rfc="JUFA7608212V6", nombre="ADRIANA JUAREZ FERNANDEZ", cp="01160")


@pytest.fixture
def fresh_world(
    sqlite_template: Path, tmp_path: Path, provider: Provider, csds: Mapping[str, Csd]
) -> Iterator[Callable[[Clock, Any], World]]:
    """A further world on SQLite each time, for tests that need many of them."""
    made: list[World] = []

    def make(clock: Clock, now: Any) -> World:
        path = tmp_path / f"hub-{len(made)}.db"
        shutil.copy(sqlite_template, path)
        now.clock = clock
        made.append(_world(f"sqlite:///{path}", clock, provider, csds))
        return made[-1]

    yield make
    for one in made:
        with suppress(Exception):
            one.store.close()


class BuyersClient(FlaskClient):
    """The buyer's page on the real steps."""

    def send(self, path: str, to: str = "", **form: Any) -> Any:
        """As a browser does: look at the page, then send one of its forms."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get(path).text)
        return self.post(path + to, data={"csrf_token": found[1] if found else "", **form})


@pytest.fixture
def client(world: World) -> Any:
    settings = PageSettings(
        public_url=world.ctx.public_url,
        secret_key="of these tests",
        brands=Brands(world.ctx),
        clock=world.clock,
    )
    app = flask.Flask("buyer's page")
    app.register_blueprint(blueprint(buyers.Buyer(world.ctx), settings))
    app.test_client_class = BuyersClient
    return app.test_client()


@pytest.fixture
def who_waits_is_told_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever page a test looks at, `/estado` says the same of it."""
    purchase = look.purchase

    def both(ctx: Context, token: str) -> Purchase | None:
        shown, word = purchase(ctx, token), look.word(ctx, token)
        told = shown and Word(shown.merchant_id, shown.estado, shown.uuid, shown.errors)
        assert word == told
        return shown

    monkeypatch.setattr(look, "purchase", both)
