"""Writes of several threads in one transaction: each answered for itself, none before the disk."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from hub.store.database import Store, Transaction
from hub.store.errors import Refused, TransactionNested
from hub.store.together import Together

WRITERS = 6


def promised(store: Store, merchant_id: str, subject: str) -> str:
    def work(tx: Transaction) -> str:
        tx.tenant(merchant_id).promise("ingest", subject, queue="ingest")
        if subject == "bad":
            raise Refused("not this one")
        return subject

    return store.together(work)


def merchant_of(store: Store) -> str:
    with store.transaction() as tx:
        return tx.merchants.create(
            rfc="EKU9003173C9", nombre="ESCUELA KEMPER URGATE", regimen="601", codigo_postal="42501"
        ).id


def test_each_gets_its_own_answer_and_one_failure_is_nobody_elses(store: Store) -> None:
    merchant_id = merchant_of(store)
    subjects = [f"s{number}" for number in range(40)] + ["bad"]
    with ThreadPoolExecutor(WRITERS) as pool:
        asked = {one: pool.submit(promised, store, merchant_id, one) for one in subjects}
    failed = asked.pop("bad")
    assert [future.result() for future in asked.values()] == list(asked)
    with pytest.raises(Refused, match="not this one"):
        failed.result()
    with store.reading() as tx:
        assert tx.outbox.due(["ingest"]) == {"ingest": len(asked)}


def test_a_thread_inside_a_transaction_is_refused_instead_of_waiting_for_itself(
    store: Store,
) -> None:
    with store.transaction(), pytest.raises(TransactionNested):
        store.together(lambda _tx: None)


class Gate:
    """A transaction that is held open, so that the others have to queue up."""

    def __init__(self) -> None:
        self.opened = 0
        self.committed: list[int] = []
        self.first_is_in, self.go_on = threading.Event(), threading.Event()

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        self.opened += 1
        number = self.opened
        yield number
        if number == 1:
            self.first_is_in.set()
            self.go_on.wait(600)
        self.committed.append(number)


def queued(together: Together, gate: Gate, works: list[Any]) -> list[Any]:
    """The first of them commits while the others come; what each got."""
    with ThreadPoolExecutor(len(works)) as pool:
        asked = [pool.submit(together.run, works[0])]
        assert gate.first_is_in.wait(600)
        asked += [pool.submit(together.run, work) for work in works[1:]]
        while len(together._waiting) < len(works) - 1:
            threading.Event().wait(0.01)
        gate.go_on.set()
    return [future.exception() or future.result() for future in asked]


def test_who_waits_is_written_for_by_the_next_and_told_after_its_commit() -> None:
    gate = Gate()
    together = Together(gate.transaction)
    seen: list[tuple[Any, list[int]]] = []

    def work(tx: Any) -> Any:
        seen.append((tx, list(gate.committed)))
        return tx

    assert queued(together, gate, [work] * 5) == [1, 2, 2, 2, 2]
    assert gate.committed == [1, 2]
    assert seen[1:] == [(2, [1])] * 4


def test_after_a_failure_each_is_tried_by_itself() -> None:
    gate = Gate()
    together = Together(gate.transaction)
    error = Refused("mine")

    def bad(_tx: Any) -> Any:
        raise error

    got = queued(together, gate, [lambda tx: tx, lambda _: "a", bad, lambda _: "b"])
    assert got == [1, "a", error, "b"]
    assert len(gate.committed) == 3  # the first, "a" and "b", each alone
    assert gate.opened == 5  # and two that were rolled back: all together, and the bad one


def test_nobody_waits_for_ever_if_the_writer_is_ended() -> None:
    gate = Gate()
    together = Together(gate.transaction)

    def ended(_tx: Any) -> Any:
        raise SystemExit

    got = queued(together, gate, [lambda tx: tx, ended, lambda _: "a"])
    # Whichever of the two writes for both is ended; the other one then writes for itself.
    assert isinstance(got[1], SystemExit)
    assert got[2] == "a" or isinstance(got[2], SystemExit)
