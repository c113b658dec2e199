"""The store: the only way to the database."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from hub.clock import Clock
from hub.store import migrate
from hub.store.engines import Engine, open_engine, told
from hub.store.errors import Refused, StoreUnavailable, TransactionNested
from hub.store.keys import Keyring
from hub.store.session import Session
from hub.store.together import Together
from hub.store.transaction import Tenant, Transaction
from hub.store.vault import Vault

__all__ = ["Store", "Tenant", "Transaction"]

log = logging.getLogger(__name__)

T = TypeVar("T")

#: How long a store that is closed waits for the transactions that are open.
LAST_SECONDS = 3.0


class Store:
    """One database, shared by the threads of one process. Not to be carried over a fork."""

    def __init__(self, engine: Engine, vault: Vault, clock: Clock) -> None:
        self._engine = engine
        self._vault = vault
        self._clock = clock
        self._wakers: list[Callable[[str], None]] = []
        self._open = threading.local()
        self._process = os.getpid()
        self._together = Together(self.transaction)
        self._gate = threading.Condition()
        self._inside = 0
        self._closed = self._ended = False

    @classmethod
    def open(cls, url: str, *, keyring: Keyring, clock: Clock) -> Store:
        """`sqlite:///path` or `postgresql://…`. Makes no tables: that is `migrate`."""
        return cls(open_engine(url), Vault(keyring), clock)

    def migrate(self) -> list[str]:
        """Bring the tables up to date, all or nothing; the names of what was applied."""
        self._begin_alone()
        with self._engine.migrating():
            return migrate.up(self._engine.db)

    def pending_migrations(self) -> list[str]:
        with told():
            return migrate.pending(self._engine.db)

    def check_keys(self) -> None:
        """Raise `WrongKeys` unless these keys open this database; a new one is marked with them."""
        with self.reading() as tx:
            known = self._vault.check(tx.session.engine.db)
        if not known:
            with self.transaction() as tx:
                if not self._vault.check(tx.session.engine.db):
                    self._vault.store_check(tx.session.engine.db)

    def rotate_keys(self) -> int:
        """Wrap every data key under the first key; how many changed. Values stay as they are."""
        with self.transaction() as tx:
            return self._vault.rotate(tx.session.engine.db)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """The one write transaction: kept as a whole and durable when it ends, or not at all.

        Raises `Refused` for what must not happen, `StoreUnavailable` when there is no database.
        """
        with self._session(writes=True) as session:
            yield Transaction(session, self._aside)
        self._wake(session.promised)

    def together(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a write transaction that other threads may share; committed on return.

        For many small writes at a time. `work` may be run twice: it only speaks to the database.
        """
        self._begin_alone()
        if self._engine.lock_rows:
            with self.transaction() as tx:
                return work(tx)
        return self._together.run(work)

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """One consistent snapshot; the engine refuses every write."""
        with self._session(writes=False) as session:
            yield Transaction(session, self._aside)

    def on_promise(self, wake: Callable[[str], None]) -> None:
        """Call `wake(queue)` after each commit that promised work due now, once a queue."""
        self._wakers.append(wake)

    def backup(self, target: Path) -> None:
        """A complete, checked, durable copy of a SQLite database while it is in use."""
        self._begin_alone()
        self._engine.backup(target)

    def close(self, seconds: float = LAST_SECONDS) -> None:
        """Begin no more transactions, let those under way end, and close the connections.

        A connection closed under a running statement can crash the process. What is not over in
        `seconds` is therefore left to the end of the process, which loses nothing: what was not
        committed is rolled back. Whoever comes later gets `StoreUnavailable`.
        """
        with self._gate:
            self._closed = True
            if not self._gate.wait_for(lambda: not self._inside, seconds):
                log.warning("left open, transactions are under way: %d", self._inside)
                return
            ended, self._ended = self._ended, True
        if not ended:
            self._engine.close()

    @contextmanager
    def _session(self, *, writes: bool) -> Iterator[Session]:
        self._begin_alone()
        session = Session(self._engine, self._clock, self._vault, writes)
        with self._entered(), self._engine.writing() if writes else self._engine.reading():
            self._open.session = session
            try:
                yield session
            finally:
                self._open.session = None

    @contextmanager
    def _entered(self) -> Iterator[None]:
        with self._gate:
            if self._closed:
                raise StoreUnavailable("this process is about to end")
            self._inside += 1
        try:
            yield
        finally:
            with self._gate:
                self._inside -= 1
                self._gate.notify_all()

    @contextmanager
    def _aside(self, writes: bool) -> Iterator[Session]:  # noqa: FBT001 - one call, one meaning
        """A short transaction of its own; inside an open one of this thread, that one."""
        current: Session | None = getattr(self._open, "session", None)
        if current is None:
            with self._session(writes=writes) as session:
                yield session
        elif writes and not current.writes:
            raise Refused("a reading transaction writes nothing")
        else:
            yield current

    def _begin_alone(self) -> None:
        if os.getpid() != self._process:
            raise StoreUnavailable("a store cannot be carried over a fork; open one in the child")
        if getattr(self._open, "session", None) is not None:
            raise TransactionNested("this thread is inside a transaction already")

    def _wake(self, queues: set[str]) -> None:
        for queue in sorted(queues):
            for wake in self._wakers:
                try:
                    wake(queue)
                except Exception as error:  # noqa: BLE001 - it is committed; polling finds it too
                    log.warning("wake-up failed: %s", type(error).__name__)
