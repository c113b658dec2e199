"""A store is closed under nobody: who is inside ends first, who comes later is refused."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hub.clock import SystemClock
from hub.store.database import Store
from hub.store.errors import StoreUnavailable
from hub.store.keys import Keyring

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def mine(tmp_path: Path) -> Store:
    keys = Keyring.parse("k1:" + "A" * 43 + "=")
    made = Store.open(f"sqlite:///{tmp_path / 'hub.db'}", keyring=keys, clock=SystemClock())
    made.migrate()
    return made


class Inside:
    """A thread that stays in a transaction until it is let go."""

    def __init__(self, store: Store) -> None:
        self.there, self.go = threading.Event(), threading.Event()
        self.error: Exception | None = None
        self.order: list[str] = []
        self._store = store
        self.thread = threading.Thread(target=self._stay, daemon=True)
        self.thread.start()
        assert self.there.wait(600)

    def _stay(self) -> None:
        try:
            with self._store.transaction() as tx:
                self.there.set()
                self.go.wait(600)
                tx.merchants.list()
                self.order.append("inside")
        except Exception as error:  # noqa: BLE001 - looked at by the test
            self.error = error


def test_who_is_inside_ends_first(mine: Store) -> None:
    inside = Inside(mine)

    def close() -> None:
        mine.close(600)
        inside.order.append("closed")

    closing = threading.Thread(target=close)
    closing.start()
    while not mine._closed:
        time.sleep(0.01)
    time.sleep(0.2)
    inside.go.set()
    closing.join()
    inside.thread.join()
    assert inside.order == ["inside", "closed"]
    assert inside.error is None


def test_who_does_not_end_is_left_alone(mine: Store) -> None:
    inside = Inside(mine)
    mine.close(0.2)
    assert inside.order == []
    inside.go.set()
    inside.thread.join()
    assert inside.error is None, "its connection was still there"


def test_who_comes_later_is_refused_and_closing_twice_is_nothing(mine: Store) -> None:
    mine.close()
    mine.close()
    for opening in (mine.reading, mine.transaction):
        with pytest.raises(StoreUnavailable), opening():
            pytest.fail("it was let in")
    with pytest.raises(StoreUnavailable):
        mine.together(lambda tx: tx.merchants.list())


CROWD = """
import sys, threading, time
from hub.clock import SystemClock
from hub.store.database import Store
from hub.store.errors import StoreUnavailable
from hub.store.keys import Keyring

for turn in range(15):
    keys = Keyring.parse("k1:" + "A" * 43 + "=")
    store = Store.open(sys.argv[1], keyring=keys, clock=SystemClock())
    store.migrate()

    def busy():
        try:
            while True:
                with store.reading() as tx:
                    tx.merchants.list()
                    tx.outbox.due(("ingest",))
        except StoreUnavailable as error:
            assert "about to end" in str(error), error
            ended.append(1)

    ended = []
    crowd = [threading.Thread(target=busy, daemon=True) for _ in range(6)]
    [one.start() for one in crowd]
    time.sleep(0.02 + turn / 500)
    store.close(600)
    [one.join(600) for one in crowd]
    assert len(ended) == 6, ended
"""


def test_a_crowd_at_work_is_no_reason_to_crash(bare_url: str) -> None:
    """In a process of its own: what it would do is end without a word."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", CROWD, bare_url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
