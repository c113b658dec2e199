"""The two database engines behind one behaviour: how to open, begin, lock and end."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

import peewee
import psycopg

from hub.store.errors import NotSupported, Refused, StoreUnavailable
from hub.store.filelock import FairLock

#: Seconds that a writer waits for its turn before it gives up.
BUSY_SECONDS = 20
#: And until another process has migrated.
MIGRATION_SECONDS = 600


class Engine(Protocol):
    @property
    def db(self) -> Any:
        """peewee's, whose stubs leave `execute_sql` untyped."""
        ...

    #: Locks the selected rows until the end; "" where there is one writer at a time anyway.
    lock_rows: str
    #: The same, leaving out the rows that somebody else has locked.
    skip_locked: str

    def writing(self) -> AbstractContextManager[None]:
        """One write transaction, committed at the end, durable when it returns."""
        ...

    def reading(self) -> AbstractContextManager[None]:
        """One consistent snapshot in which the engine refuses every write."""
        ...

    def migrating(self) -> AbstractContextManager[None]:
        """One transaction for all changes of the schema, alone on the database."""
        ...

    def backup(self, target: Path) -> None: ...

    def close(self) -> None: ...


class Connections:
    """Connections of one process, kept open by thread; those of ended threads are closed."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._open: dict[threading.Thread, list[Any]] = {}

    def add(self, connection: Any) -> None:
        with self._guard:
            for thread in [thread for thread in self._open if not thread.is_alive()]:
                self._close(self._open.pop(thread))
            self._open.setdefault(threading.current_thread(), []).append(connection)

    def close(self) -> None:
        with self._guard:
            while self._open:
                self._close(self._open.popitem()[1])

    @staticmethod
    def _close(connections: list[Any]) -> None:
        for connection in connections:
            connection.close()


class _Sqlite(peewee.SqliteDatabase):
    """Hands every connection it opens to `Connections`."""

    def rollback(self) -> None:
        """SQLite may have done it by itself, and a second one would hide why: the disk is full.

        https://www.sqlite.org/lang_transaction.html
        """
        connection = self.connection()  # type: ignore[no-untyped-call] # missing in the stubs
        if connection.in_transaction:
            super().rollback()

    connections: Connections

    def _connect(self) -> Any:
        connection = super()._connect()  # type: ignore[misc] # missing in the stubs
        self.connections.add(connection)
        return connection


class _Postgres(peewee.PostgresqlDatabase):
    connections: Connections

    def _connect(self) -> Any:
        connection = super()._connect()  # type: ignore[misc] # missing in the stubs
        self.connections.add(connection)
        connection.execute("SET synchronous_commit = on")
        connection.execute(f"SET lock_timeout = '{BUSY_SECONDS}s'")
        connection.execute("SET idle_in_transaction_session_timeout = '120s'")
        return connection


class SqliteEngine:
    """SQLite in WAL mode with full synchronisation: what was committed survives a power cut.

    SQLite's own waiting starves processes, so writers queue at a file lock beside the database.
    """

    lock_rows = skip_locked = ""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        self.path = path
        self._mode = threading.local()
        self._turn = FairLock(path.with_name(path.name + ".lock"))
        self._connections = Connections()
        self._writer = _sqlite(path, self._connections)
        self._reader = _sqlite(path, self._connections, ("query_only", 1))

    @property
    def db(self) -> Any:
        """The connection of what this thread is doing. Each reads or writes for all its life.

        Switching one by `PRAGMA query_only` makes SQLite prepare all its statements anew.
        """
        return self._reader if getattr(self._mode, "reading", False) else self._writer

    @contextmanager
    def writing(self) -> Iterator[None]:
        with told(), self._turn.held(), self._writer.transaction():
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        self._mode.reading = True
        try:
            with told(), self._reader.transaction("DEFERRED"):
                yield
        finally:
            self._mode.reading = False

    @contextmanager
    def migrating(self) -> Iterator[None]:
        # References are checked at the end: rebuilding a table would violate them on the way.
        with told(), self._turn.held():
            self.db.execute_sql("PRAGMA foreign_keys = 0")
            try:
                with self.db.transaction():
                    yield
                    if self.db.execute_sql("PRAGMA foreign_key_check").fetchone():
                        raise Refused("a migration left a reference to a row that is not there")
            finally:
                self.db.execute_sql("PRAGMA foreign_keys = 1")

    def backup(self, target: Path) -> None:
        """`VACUUM INTO`, which disturbs no writer; then checked and made durable."""
        if target.exists():
            raise FileExistsError(f"{target} is there already; a backup never overwrites")
        try:
            with told():
                self.db.execute_sql("VACUUM INTO ?", (str(target),))
            target.chmod(0o600)
            _check_copy(target)
            _make_durable(target)
        except BaseException:
            target.unlink(missing_ok=True)  # half a copy is none, and would stand in the next's way
            raise

    def close(self) -> None:
        for db in (self._writer, self._reader):
            db.close()
        self._connections.close()
        self._turn.close()


def _check_copy(target: Path) -> None:
    copy: Any = peewee.SqliteDatabase(str(target))
    with told(), copy.connection_context():
        result = copy.execute_sql("PRAGMA integrity_check").fetchone()[0]
    if result != "ok":
        raise StoreUnavailable(f"the backup is damaged: {result}")


def _sqlite(path: Path, connections: Connections, *more: tuple[str, int]) -> Any:
    """peewee's database, which opens a connection for each thread."""
    db = _Sqlite(
        str(path),
        pragmas=(
            ("busy_timeout", BUSY_SECONDS * 1000),
            ("journal_mode", "wal"),
            ("synchronous", 2),
            ("foreign_keys", 1),
            ("recursive_triggers", 1),
            ("secure_delete", 1),
            ("journal_size_limit", 64 << 20),
            # KiB for each thread of a process; the system's page cache holds the rest.
            ("cache_size", -400),
            *more,
        ),
        lock_type="IMMEDIATE",
        timeout=BUSY_SECONDS,
        check_same_thread=False,
    )
    db.connections = connections
    return db


class PostgresEngine:
    """PostgreSQL by psycopg 3. READ COMMITTED with row locks where two could meet."""

    #: Any number, the same for every process that migrates.
    MIGRATION_LOCK = 4_030_201
    lock_rows = "FOR NO KEY UPDATE"
    skip_locked = "FOR UPDATE SKIP LOCKED"

    def __init__(self, url: str) -> None:
        self.db: Any = _Postgres(url, prefer_psycopg3=True)
        self.db.connections = self._connections = Connections()

    @contextmanager
    def writing(self) -> Iterator[None]:
        with told(), self._reconnecting("READ COMMITTED"):
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        with told(), self._reconnecting("REPEATABLE READ"):
            self.db.execute_sql("SET TRANSACTION READ ONLY")
            yield

    @contextmanager
    def migrating(self) -> Iterator[None]:
        with self.writing():
            # Whoever migrates already takes as long as the rows are many.
            self.db.execute_sql(f"SET LOCAL lock_timeout = '{MIGRATION_SECONDS}s'")
            self.db.execute_sql("SELECT pg_advisory_xact_lock(%s)", (self.MIGRATION_LOCK,))
            self.db.execute_sql(f"SET LOCAL lock_timeout = '{BUSY_SECONDS}s'")
            yield

    @contextmanager
    def _reconnecting(self, isolation: str) -> Iterator[None]:
        """A transaction; a connection that the server has closed meanwhile is opened anew."""
        transaction = self.db.transaction(isolation)
        try:
            transaction.__enter__()
        except (peewee.OperationalError, peewee.InterfaceError):
            self.db.close()
            transaction.__enter__()
        with _left_to(transaction):
            yield

    def backup(self, target: Path) -> None:  # noqa: ARG002 - the engines have one interface
        raise NotSupported("back PostgreSQL up with its own tool: pg_dump --format=custom")

    def close(self) -> None:
        self.db.close()
        self._connections.close()


@contextmanager
def _left_to(transaction: Any) -> Iterator[None]:
    """Run the body and let an entered peewee transaction commit or roll back."""
    try:
        yield
    except BaseException as error:
        transaction.__exit__(type(error), error, error.__traceback__)
        raise
    transaction.__exit__(None, None, None)


@contextmanager
def told() -> Iterator[None]:
    """Speak of failures in the store's own words, without the values that drivers put in theirs."""
    try:
        yield
    except (peewee.IntegrityError, peewee.DataError) as error:
        raise Refused(_first_line(error)) from None
    except (peewee.OperationalError, peewee.InterfaceError, peewee.InternalError) as error:
        if _is_write_while_reading(error):
            raise Refused("a reading transaction writes nothing") from None
        raise StoreUnavailable(_first_line(error)) from None
    except peewee.DatabaseError as error:
        if type(error) is not peewee.DatabaseError:
            raise
        raise StoreUnavailable(f"the database file is damaged: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]


def _is_write_while_reading(error: Exception) -> bool:
    cause = error.__cause__ or error.__context__
    return isinstance(cause, psycopg.errors.ReadOnlySqlTransaction) or (
        "attempt to write a readonly database" in str(error)
    )


def _make_durable(path: Path) -> None:
    for place in (path, path.parent):
        file = os.open(place, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


def open_engine(url: str) -> Engine:
    """`sqlite:///path` (three slashes and the path as it is) or `postgresql://…`."""
    if url.startswith("sqlite:///") and not url.endswith(("/", ":memory:")):
        return SqliteEngine(Path(url.removeprefix("sqlite:///")))
    for scheme in ("postgresql://", "postgres://"):
        if url.startswith(scheme):
            return PostgresEngine("postgresql://" + url.removeprefix(scheme))
    raise ValueError("a database is sqlite:///path/to/file or postgresql://user@host/name")
