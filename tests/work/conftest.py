"""Real processes: a redis-server of our own, commands that write down what happened to them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from redis import Redis
from redis.exceptions import RedisError

from hub.clock import Clock, SystemClock
from hub.store import schema
from hub.store.database import Store
from hub.store.keys import Keyring
from hub.store.records import OutboxRow
from hub.work import worker
from hub.work.jobs import QUEUES
from tests.ports import free_ports

ROOT = Path(__file__).resolve().parents[2]


#: Nothing takes so long: whoever waits for it waits for ever.
GUARD_SECONDS = 180.0


def wait_until(condition: Callable[[], object], seconds: float = GUARD_SECONDS) -> None:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            pytest.fail(f"not within {seconds} s: {condition}")
        time.sleep(0.01)


def alive(pid: int) -> bool:
    """A zombie that nobody has waited for yet is dead."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    command = ["ps", "-o", "stat=", "-p", str(pid)]
    state = subprocess.run(command, capture_output=True, text=True, check=False)
    return state.stdout.strip()[:1] not in {"", "Z"}


class RedisServer:
    """redis-server on a unix socket, that can be killed, frozen and started again."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.socket = directory / "r.sock"
        self.url = f"unix://{self.socket}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = shutil.which("redis-server")
        assert program is not None
        self.process = subprocess.Popen(
            [
                *(program, "--port", "0", "--unixsocket", str(self.socket)),
                *("--dir", str(self.directory), "--save", "", "--loglevel", "warning"),
            ],
            stdout=subprocess.DEVNULL,
        )
        wait_until(self.answers)

    def client(self) -> Redis:
        return Redis.from_url(self.url, socket_timeout=GUARD_SECONDS)

    def answers(self) -> bool:
        client = self.client()
        try:
            return bool(client.ping())
        except (RedisError, OSError):
            return False
        finally:
            client.close()

    def send(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        if self.process is not None:
            self.send(signal.SIGCONT)
            self.send(signal.SIGKILL)
            self.process.wait()
            self.process = None
            self.socket.unlink(missing_ok=True)


@pytest.fixture
def short_dir() -> Iterator[Path]:
    """Short enough for a socket's path."""
    with tempfile.TemporaryDirectory(prefix="af-") as name:
        yield Path(name)


@pytest.fixture
def redis_server(short_dir: Path) -> Iterator[RedisServer]:
    if shutil.which("redis-server") is None:
        pytest.skip("NOT TESTED: no redis-server on PATH")
    server = RedisServer(short_dir)
    server.start()
    yield server
    server.kill()


class Python:
    """Starts Python programs of the project and leaves none behind."""

    def __init__(self) -> None:
        self.processes: list[subprocess.Popen[bytes]] = []

    def __call__(self, *arguments: str, **popen: object) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, **popen)  # type: ignore[call-overload]
        self.processes.append(process)
        return process

    def end(self) -> None:
        """SIGTERM first: a wrapper takes what it wraps with it, on every system."""
        for process in self.processes:
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in self.processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()


@pytest.fixture
def python() -> Iterator[Python]:
    starter = Python()
    yield starter
    starter.end()


@pytest.fixture
def until() -> Callable[..., None]:
    return wait_until


@pytest.fixture
def is_alive() -> Callable[[int], bool]:
    return alive


@pytest.fixture
def unused_tcp_port() -> int:
    return free_ports()


KEYS = "k1:" + "A" * 43 + "="
POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")


def migrated(url: str) -> None:
    store = Store.open(url, keyring=Keyring.parse(KEYS), clock=SystemClock())
    store.migrate()
    store.check_keys()
    store.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "hub.db"
    migrated(f"sqlite:///{path}")
    return path


def postgres_database() -> Iterator[str]:
    try:
        admin = psycopg.connect(POSTGRES, autocommit=True, connect_timeout=60)
    except psycopg.OperationalError:
        pytest.skip("NOT TESTED: no PostgreSQL at TEST_POSTGRES_URL or 127.0.0.1:5432")
    name = f"work_{uuid.uuid4().hex}"
    with admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        try:
            yield POSTGRES.rpartition("/")[0] + f"/{name}"
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def postgres_shared() -> Iterator[str]:
    """One migrated database for all tests of this process: making one takes half a second."""
    for url in postgres_database():
        migrated(url)
        yield url


def emptied(url: str) -> str:
    with psycopg.connect(url) as admin:
        admin.execute("DELETE FROM outbox")
        admin.execute("DELETE FROM lease")
    return url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated database with nothing to do, on each engine."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "hub.db")
        return f"sqlite:///{tmp_path}/hub.db"
    return emptied(request.getfixturevalue("postgres_shared"))


class Desk:
    """Makes promises of one merchant and looks at what became of them."""

    def __init__(self, url: str, clock: Clock) -> None:
        self.url, self.clock = url, clock
        self.store = Store.open(url, keyring=Keyring.parse(KEYS), clock=clock)
        with self.store.transaction() as tx:
            known = tx.merchants.list()
            new = ("EKU9003173C9", "ESCUELA KEMPER URGATE", "601", "42501")
            self.merchant_id = known[0].id if known else tx.merchants.create(*new).id

    def promise(
        self, job: str, *subjects: str, queue: str = "stamp", due_at: datetime | None = None
    ) -> None:
        with self.store.transaction() as tx:
            for subject in subjects:
                tx.tenant(self.merchant_id).promise(job, subject, queue=queue, due_at=due_at)

    def due(self) -> dict[str, int]:
        with self.store.reading() as tx:
            return dict(tx.outbox.due(None))

    def next_due_at(self) -> datetime | None:
        with self.store.reading() as tx:
            return tx.outbox.next_due_at()

    def dead(self) -> list[OutboxRow]:
        with self.store.reading() as tx:
            return list(tx.outbox.dead(100))

    def claimed_until(self, subject: str) -> datetime | None:
        """When the claim of this promise ends; None if nobody holds it."""
        box = schema.Outbox
        with self.store.reading() as tx:
            found = tx.session.one(box.select().where(box.subject == subject))
        until: datetime | None = found.claimed_until
        return until

    def fences(self) -> list[int]:
        """How often each promise that stands was claimed so far."""
        with self.store.reading() as tx:
            return [row.fence for row in tx.outbox.waiting(100)]

    def claim(self, *queues: str, worker: str = "other", seconds: float = 30) -> OutboxRow | None:
        with self.store.transaction() as tx:
            return tx.outbox.claim(queues or QUEUES, worker, seconds)


@pytest.fixture
def desk(url: str, clock: Clock) -> Iterator[Desk]:
    """With a clock that stands still."""
    made = Desk(url, clock)
    yield made
    made.store.close()


@pytest.fixture
def live_desk(url: str) -> Iterator[Desk]:
    """With the real clock, for the tests with processes."""
    made = Desk(url, SystemClock())
    yield made
    made.store.close()


#: A worker process whose steps write down when they begin and end. `chain` promises `linked`.
#: It takes a Redis for lost after `lost` seconds; its wake-ups wait for Redis as long as it takes.
WORKER = """
import json, os, sys, time
from hub.clock import SystemClock
from hub.store.database import Store
from hub.store.keys import Keyring
from hub.work import sweeper, waker, worker
from hub.work.jobs import Job
from hub.work.waker import Waker
from hub.work.worker import work

options = json.loads(sys.argv[1])
sweeper.LEASE_SECONDS, sweeper.TURN_SECONDS = options["sweeper"]
worker.LISTEN_SECONDS, worker.LOST_SECONDS = options["listen"], options["lost"]
worker.RQ_SECONDS = 3600
if options["patient"]:
    waker.LIFETIME_SECONDS = 3600
    waker.connect = lambda url, seconds, connect=waker.connect: connect(url, seconds=600)
clock = SystemClock()
store = Store.open(options["url"], keyring=Keyring.parse(options["keys"]), clock=clock)
waking = Waker(options["redis_url"], clock)
store.on_promise(waking.wake)

def note(what, subject):
    line = json.dumps([what, subject, os.getpid(), time.time()]) + "\\n"
    with open(options["notes"], "a") as file:
        file.write(line)

def slow(merchant_id, subject):
    note("begin", subject)
    until = time.monotonic() + options["seconds"]
    free = [options["notes"] + subject, f"{options['notes']}{subject}-{os.getpid()}"]
    while time.monotonic() < until and not any(map(os.path.exists, free)):
        time.sleep(min(options["seconds"], 0.01))
    note("end", subject)

def chain(merchant_id, subject):
    with store.transaction() as tx:
        tx.tenant(merchant_id).promise("linked", subject, queue="stamp")

jobs = {
    job.name: job
    for job in (
        Job("slow", "stamp", slow, options["lease"]),
        Job("chain", "stamp", chain, options["lease"]),
        Job("linked", "stamp", slow, options["lease"]),
    )
}
note("start", "")
work(store, jobs, waking, worker=f"w{os.getpid()}", clock=clock)
note("stop", "")
"""


@dataclass(frozen=True)
class Note:
    what: str
    subject: str
    pid: int
    at: float


class Workers:
    """Worker processes on the database of a desk, and what they wrote down."""

    def __init__(self, python: Python, url: str, notes: Path) -> None:
        self.python, self.url, self.path = python, url, notes
        self.path.touch()

    def start(
        self,
        redis_url: str | None,
        *,
        seconds: float = 0.0,
        lease: float = 600,
        sweeper: tuple[float, float] = (30, 15.0),
        listen: int = worker.LISTEN_SECONDS,
        lost: float = GUARD_SECONDS,
        patient: bool = False,
    ) -> subprocess.Popen[bytes]:
        """`patient`: what it tells by Redis is neither given up nor void while the machine is
        busy, so that what is told there is heard."""
        options = {
            "url": self.url,
            "keys": KEYS,
            "redis_url": redis_url,
            "notes": str(self.path),
            "seconds": seconds,
            "lease": lease,
            "sweeper": sweeper,
            "listen": listen,
            "lost": lost,
            "patient": patient,
        }
        process = self.python("-c", WORKER, json.dumps(options))
        wait_until(lambda: any(n.pid == process.pid for n in self.notes("start")))
        return process

    def notes(self, what: str) -> list[Note]:
        """Of whole lines: the last may be on its way to the file."""
        lines = self.path.read_text().split("\n")[:-1]
        return [note for note in (Note(*json.loads(line)) for line in lines) if note.what == what]

    def let_go(self, *subjects: str, of: int | None = None) -> None:
        """Their steps end now (those of the process `of`), whatever `seconds` they were to take."""
        for subject in subjects:
            Path(f"{self.path}{subject}" + (f"-{of}" if of else "")).touch()

    def ended(self) -> list[str]:
        return [note.subject for note in self.notes("end")]


@pytest.fixture
def workers(python: Python, url: str, tmp_path: Path) -> Workers:
    return Workers(python, url, tmp_path / "notes")
