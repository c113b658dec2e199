"""Promises, claims, leases and wake-ups."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any

import pytest

from hub.store.database import Store
from hub.store.errors import (
    NotSupported,
    Refused,
    RowUnknown,
    StoreUnavailable,
    TransactionNested,
)
from hub.store.records import OutboxRow


def promise(world: Any, subject: str, queue: str = "ingest", **due: datetime) -> None:
    with world.store.transaction() as tx:
        tx.tenant(world.merchant_id).promise("job", subject, queue=queue, **due)


def claim(world: Any, *queues: str, worker: str = "w", seconds: float = 30) -> OutboxRow | None:
    with world.store.transaction() as tx:
        return tx.outbox.claim(queues or ("ingest",), worker, seconds)


def due(world: Any) -> dict[str, int]:
    with world.store.reading() as tx:
        return tx.outbox.due(None)


class TestClaiming:
    def test_first_queue_first_then_oldest(self, world: Any) -> None:
        now = world.clock.now()
        promise(world, "late", due_at=now - timedelta(seconds=1))
        promise(world, "early", due_at=now - timedelta(seconds=9))
        promise(world, "other", queue="stamp")
        promise(world, "future", due_at=now + timedelta(seconds=1))
        assert due(world) == {"ingest": 2, "stamp": 1}
        claimed = [claim(world, "stamp", "ingest") for _ in range(4)]
        assert [row and row.subject for row in claimed] == ["other", "early", "late", None]
        world.clock.advance(1)
        assert claim(world).subject == "future"

    def test_an_equal_promise_joins_and_the_earlier_time_holds(self, world: Any) -> None:
        now = world.clock.now()
        promise(world, "s", due_at=now + timedelta(seconds=9))
        promise(world, "s", due_at=now + timedelta(seconds=5))
        promise(world, "s", due_at=now + timedelta(seconds=7))
        with world.store.reading() as tx:
            assert tx.outbox.next_due_at() == now + timedelta(seconds=5)
        assert len(world.sql("SELECT id FROM outbox")) == 1

    def test_a_promise_during_its_run_is_not_lost(self, world: Any) -> None:
        promise(world, "s")
        first = claim(world)
        promise(world, "s")
        assert claim(world, worker="other") is None, "the same step would run twice at once"
        promise(world, "another")
        assert claim(world, worker="other").subject == "another"
        with world.store.transaction() as tx:
            tx.outbox.done(first)
        assert due(world) == {"ingest": 1}
        assert claim(world, worker="other").subject == "s"

    def test_a_retry_joins_what_was_promised_meanwhile(self, world: Any) -> None:
        promise(world, "s")
        first = claim(world)
        promise(world, "s")
        with world.store.transaction() as tx:
            tx.outbox.retry(first, world.clock.now() + timedelta(hours=1), "failed")
        assert due(world) == {"ingest": 1}
        assert len(world.sql("SELECT id FROM outbox")) == 1

    def test_tries_count_failures_only(self, world: Any) -> None:
        promise(world, "s")
        for counted, tries in [(False, 0), (True, 1), (True, 2)]:
            row = claim(world)
            with world.store.transaction() as tx:
                tx.outbox.retry(row, world.clock.now(), "x", counted=counted)
            again = claim(world)
            assert again.tries == tries
            assert again.id == row.id
            with world.store.transaction() as tx:
                tx.outbox.retry(again, world.clock.now(), "x", counted=False)

    def test_who_was_overtaken_ends_nothing(self, world: Any) -> None:
        promise(world, "s")
        slow = claim(world, worker="slow", seconds=10)
        world.clock.advance(10)
        with world.store.transaction() as tx:
            assert tx.outbox.expire() == 1
            assert tx.outbox.expire() == 0
        fast = claim(world, worker="fast")
        assert (fast.id, fast.tries, fast.fence) == (slow.id, 1, slow.fence + 1)
        with world.store.transaction() as tx:
            tx.outbox.done(slow)
            tx.outbox.bury(slow, "x")
            tx.outbox.retry(slow, world.clock.now(), "x")
        assert due(world) == {}
        with world.store.transaction() as tx:
            tx.outbox.retry(fast, world.clock.now(), "")
        assert due(world) == {"ingest": 1}

    def test_dead_letters_are_kept_and_revived(self, world: Any) -> None:
        promise(world, "s")
        row = claim(world)
        with world.store.transaction() as tx:
            tx.outbox.bury(row, "twenty tries")
        assert due(world) == {}
        promise(world, "s")
        with world.store.transaction() as tx:
            (dead,) = tx.outbox.dead(10)
            assert (dead.id, dead.error, dead.tries) == (row.id, "twenty tries", 1)
            tx.outbox.done(claim_row := tx.outbox.claim(["ingest"], "w", 30))
            assert claim_row.id != row.id
            tx.outbox.revive(row.id)
            assert tx.outbox.dead(10) == []
            with pytest.raises(RowUnknown):
                tx.outbox.revive(row.id)
        assert due(world) == {"ingest": 1}

    def test_nothing_due_nothing_next(self, world: Any) -> None:
        with world.store.reading() as tx:
            assert tx.outbox.next_due_at() is None
            assert tx.outbox.due(["ingest"]) == {}
        assert claim(world) is None


class TestWaking:
    @pytest.fixture
    def woken(self, world: Any) -> list[str]:
        queues: list[str] = []
        world.store.on_promise(queues.append)
        return queues

    def test_once_a_queue_after_the_commit(self, world: Any, woken: list[str]) -> None:
        with world.store.transaction() as tx:
            tenant = tx.tenant(world.merchant_id)
            for subject in "abc":
                tenant.promise("job", subject, queue="ingest")
            tenant.promise("job", "a", queue="stamp")
            assert woken == []
        assert woken == ["ingest", "stamp"]

    def test_not_for_later_and_not_after_a_rollback(self, world: Any, woken: list[str]) -> None:
        promise(world, "s", due_at=world.clock.now() + timedelta(seconds=1))
        undone(world, lambda tenant: tenant.promise("job", "t", queue="ingest"))
        assert woken == []
        assert due(world) == {}

    def test_a_waker_that_fails_breaks_nothing(self, world: Any, woken: list[str]) -> None:
        def broken(queue: str) -> None:
            raise OSError(queue)

        world.store.on_promise(broken)
        promise(world, "s")
        assert woken == ["ingest"]


class TestLeases:
    def test_one_holder_and_a_growing_fence(self, world: Any) -> None:
        with world.store.transaction() as tx:
            hold = tx.leases.hold
            assert not tx.leases.held("sweeper")
            assert [hold("sweeper", "a", 30), hold("sweeper", "b", 30)] == [1, None]
            world.clock.advance(20)
            assert hold("sweeper", "a", 30) == 1
            world.clock.advance(29)
            assert hold("sweeper", "b", 30) is None
            assert tx.leases.held("sweeper")
            world.clock.advance(1)
            assert not tx.leases.held("sweeper")
            assert hold("sweeper", "b", 30) == 2
            tx.leases.release("sweeper", "a")
            assert hold("sweeper", "a", 30) is None
            tx.leases.release("sweeper", "b")
            assert hold("sweeper", "a", 30) == 3
            assert hold("other", "b", 30) == 1


class TestTransactions:
    def test_one_inside_another_is_an_error(self, world: Any) -> None:
        for outer in (world.store.transaction, world.store.reading):
            for inner in (world.store.transaction, world.store.reading):
                with outer(), pytest.raises(TransactionNested):
                    inner().__enter__()
        with world.store.transaction():
            pass

    def test_all_or_nothing(self, world: Any) -> None:
        undone(world, lambda tenant: tenant.rules.set("a = 1"))
        with world.store.reading() as tx:
            assert tx.tenant(world.merchant_id).rules.current() == ""

    def test_reading_refuses_to_write_and_is_over_after_it(self, world: Any) -> None:
        with pytest.raises(Refused, match="writes nothing"), world.store.reading() as tx:
            tx.tenant(world.merchant_id).rules.set("a = 1")
        with world.store.transaction() as tx:
            assert tx.tenant(world.merchant_id).rules.set("a = 1") == 1

    def test_reading_sees_one_snapshot(self, world: Any, reopen: Callable[..., Store]) -> None:
        other = reopen()
        with world.store.reading() as tx:
            rules = tx.tenant(world.merchant_id).rules
            assert rules.current() == ""
            with other.transaction() as writing:
                writing.tenant(world.merchant_id).rules.set("a = 1")
            assert rules.current() == ""
        with world.store.reading() as tx:
            assert tx.tenant(world.merchant_id).rules.current() == "a = 1"

    def test_a_message_holds_no_value_of_a_row(self, world: Any) -> None:
        sale_id = world.sale()
        with pytest.raises(Refused) as caught:
            world.sql("UPDATE sale SET code = NULL")
        assert sale_id not in str(caught.value)
        assert "7001" not in str(caught.value)

    @pytest.mark.postgres
    @pytest.mark.parametrize("url", ["postgres"], indirect=True)
    def test_a_lost_connection_is_opened_anew(self, world: Any) -> None:
        (pid,) = world.sql("SELECT pg_backend_pid()")[0]
        kill_backend(world, pid)
        with world.store.transaction() as tx:
            assert tx.merchants.list()
        (pid,) = world.sql("SELECT pg_backend_pid()")[0]
        with pytest.raises(StoreUnavailable):
            self.killed_while_writing(world, pid)
        with world.store.reading() as tx:
            assert tx.tenant(world.merchant_id).rules.current() == ""

    def killed_while_writing(self, world: Any, pid: int) -> None:
        with world.store.transaction() as tx:
            kill_backend(world, pid)
            tx.tenant(world.merchant_id).rules.set("a = 1")

    def test_a_file_that_is_no_database(self, tmp_path: Any, keys: Any, clock: Any) -> None:
        (tmp_path / "hub.db").write_bytes(b"not a database " * 1000)
        store = Store.open(f"sqlite:///{tmp_path}/hub.db", keyring=keys, clock=clock)
        with pytest.raises(StoreUnavailable), store.reading():
            pass
        store.close()

    def test_text_that_an_engine_cannot_hold(self, world: Any, url: str) -> None:
        """PostgreSQL has no NUL in text. It is refused, and not with a driver's error."""
        refused = pytest.raises(Refused) if url.startswith("postgres") else nullcontext()
        with refused, world.store.transaction() as tx:
            tx.tenant(world.merchant_id).rules.set("a\x00b")

    @pytest.mark.parametrize(
        "address", ["", "mysql://x", "sqlite://x", "sqlite:///", "sqlite:///:memory:", "hub.db"]
    )
    def test_an_address_that_is_none(self, address: str, keys: Any, clock: Any) -> None:
        with pytest.raises(ValueError, match="sqlite:///path"):
            Store.open(address, keyring=keys, clock=clock)

    def test_a_server_that_is_not_there(self, keys: Any, clock: Any) -> None:
        store = Store.open("postgresql://u:pass-canary@127.0.0.1:1/x", keyring=keys, clock=clock)
        with pytest.raises(StoreUnavailable) as caught, store.reading():
            pass
        assert "pass-canary" not in str(caught.value)
        store.close()

    def test_backups(self, world: Any, url: str, tmp_path: Any, keys: Any, clock: Any) -> None:
        sale_id, target = world.sale(), tmp_path / "copies" / "hub.db"
        if url.startswith("postgres"):
            with pytest.raises(NotSupported, match="pg_dump"):
                world.store.backup(target)
            return
        target.parent.mkdir()
        world.store.backup(target)
        with pytest.raises(FileExistsError):
            world.store.backup(target)
        copy = Store.open(f"sqlite:///{target}", keyring=keys, clock=clock)
        copy.check_keys()
        assert copy.pending_migrations() == []
        with copy.reading() as tx:
            assert tx.tenant(world.merchant_id).sales.get(sale_id) is not None
        copy.close()


def undone(world: Any, write: Callable[[Any], object]) -> None:
    """Write inside a transaction that fails afterwards."""

    def fail() -> None:
        with world.store.transaction() as tx:
            write(tx.tenant(world.merchant_id))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()


def kill_backend(world: Any, pid: int) -> None:
    failures: list[BaseException] = []

    def kill() -> None:
        try:
            world.sql("SELECT pg_terminate_backend(?, 600000)", pid)  # until it is gone
        except BaseException as error:  # noqa: BLE001 - told by the assertion below
            failures.append(error)

    thread = threading.Thread(target=kill)
    thread.start()
    thread.join()
    assert failures == []
