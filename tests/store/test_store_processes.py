"""Several processes on one database: nothing lost, nothing twice, nobody locked out."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import chain, count, islice
from pathlib import Path
from typing import Any

import pytest

from hub.clock import SystemClock
from hub.domain.states import State
from hub.store.database import Store
from hub.store.errors import Refused, StoreError, StoreUnavailable
from hub.store.invariants import violations
from hub.store.keys import Keyring

ROOT = Path(__file__).resolve().parents[2]
PROCESSES = 4
#: So many each of them has to get while the others go on.
ENOUGH = 40
#: For the clock of the test and that of the machine alike.
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
#: Nothing takes so long: whoever waits for it is locked out.
GUARD_SECONDS = 600

#: Claims until all have had enough; says when it has, and then each claimed subject.
CLAIMER = """
import sys, time, json, os
from hub.clock import SystemClock
from hub.store.database import Store
from hub.store.keys import Keyring
store = Store.open(sys.argv[1], keyring=Keyring.parse(sys.argv[2]), clock=SystemClock())
done = []
with store.transaction():
    pass
print("ready", flush=True)
sys.stdin.readline()
while True:
    with store.transaction() as tx:
        row = tx.outbox.claim(["ingest"], f"w{sys.argv[3]}", 3600)
    if row is not None:
        with store.transaction() as tx:
            tx.outbox.done(row)
        done.append(row.subject)
        if len(done) == int(sys.argv[4]):
            print("enough", flush=True)
    elif os.path.exists(sys.argv[5]):
        break
    else:
        time.sleep(0.01)
print(json.dumps(done), flush=True)
"""

#: Files facts for ever; prints each key after its commit.
FILER = """
import sys
from hub.clock import SystemClock
from hub.store.database import Store
from hub.store.keys import Keyring
from connectors.contract import Delivery, Notice
store = Store.open(sys.argv[1], keyring=Keyring.parse(sys.argv[2]), clock=SystemClock())
number = 0
while True:
    key = f"{sys.argv[3]}-{number}"
    delivery = Delivery({}, b"x" * 6000, SystemClock().now())
    with store.transaction() as tx:
        tenant = tx.tenant(sys.argv[4])
        row = tenant.inbox.file(sys.argv[5], "shop", Notice("e", key, key), delivery)
        tenant.promise("ingest", row, queue="ingest")
    print(key, flush=True)
    number += 1
"""


def start(program: str, url: str, keys: Keyring, *argv: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, url, keys.dump(), *argv],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


class Lines:
    """What a process prints, read by a thread: whoever asks for a line waits for it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._said: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._read, args=(process.stdout,), daemon=True).start()

    def _read(self, pipe: Any) -> None:
        with pipe:
            for line in pipe:
                self._said.put(line.rstrip("\n"))

    def waiting(self) -> bool:
        return not self._said.empty()

    def next(self) -> str:
        return self._said.get(timeout=GUARD_SECONDS)


def topped_up(world: Any, numbers: Iterator[int]) -> int:
    """There is always something to claim; how many promises were added."""
    with world.store.transaction() as tx:
        missing = max(200 - tx.outbox.due(["ingest"]).get("ingest", 0), 0)
        for number in islice(numbers, missing):
            tx.tenant(world.merchant_id).promise(
                "job", str(number), queue="ingest", due_at=LONG_AGO
            )
    return missing


@pytest.mark.slow
def test_four_processes_share_the_work(world: Any, url: str, keys: Keyring, tmp_path: Path) -> None:
    """None is locked out: however fast the others are, each gets its turns while they go on."""
    numbers, over = count(), tmp_path / "over"
    promised = topped_up(world, numbers)
    argv = (str(ENOUGH), str(over))
    running = [start(CLAIMER, url, keys, str(number), *argv) for number in range(PROCESSES)]
    told = [Lines(process) for process in running]
    assert [lines.next() for lines in told] == ["ready"] * PROCESSES
    for process in running:
        assert process.stdin
        with process.stdin:
            process.stdin.write("go\n")
    until = time.monotonic() + GUARD_SECONDS
    while not all(lines.waiting() for lines in told) and time.monotonic() < until:
        promised += topped_up(world, numbers)
        time.sleep(0.02)
    over.touch()
    assert [lines.next() for lines in told] == ["enough"] * PROCESSES
    done = [json.loads(lines.next()) for lines in told]
    assert [process.wait(GUARD_SECONDS) for process in running] == [0] * PROCESSES
    assert Counter(chain.from_iterable(done)) == Counter(map(str, range(promised)))


@pytest.mark.slow
def test_what_was_acknowledged_survives_kill_9(world: Any, url: str, keys: Keyring) -> None:
    acknowledged: set[str] = set()
    for turn in range(4):
        filer = start(FILER, url, keys, str(turn), world.merchant_id, world.connection_id)
        assert filer.stdout
        for _ in range(20 + 17 * turn):
            acknowledged.add(filer.stdout.readline().strip())
        os.kill(filer.pid, signal.SIGKILL)
        # Not `communicate`: it reads the pipe below `readline`'s buffer and loses what waits there.
        acknowledged |= set(filer.stdout.read().split("\n")[:-1])
        filer.communicate()
    with world.store.reading() as tx:
        tenant = tx.tenant(world.merchant_id)
        stored = {row.event_key for row in tenant.inbox.list(limit=10_000)}
        assert acknowledged <= stored
        assert len(stored - acknowledged) <= 4
        assert violations(tx) == []
        # In the same snapshot: a server may still be at the last commit of who was killed.
        assert len(tx.outbox.waiting(10_000)) == len(stored)


def together(store: Store, *works: Callable[[], object]) -> list[object]:
    """Run all at the same moment, each in a thread; results and store errors in order."""
    barrier, results = threading.Barrier(len(works)), [None] * len(works)

    def run(place: int) -> None:
        barrier.wait()
        try:
            results[place] = works[place]()
        except StoreError as error:
            results[place] = error

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


class TestRaces:
    def within(self, world: Any, work: Callable[[Any], object]) -> Callable[[], object]:
        def run() -> object:
            with world.store.transaction() as tx:
                return work(tx.tenant(world.merchant_id))

        return run

    def test_one_claim_wins(self, world: Any) -> None:
        for number in range(10):
            sale_id = world.sale(str(number))
            invoices = [world.invoice(sale_id, claim=False) for _ in range(4)]
            won = together(
                world.store,
                *(
                    self.within(world, lambda t, s=sale_id, i=i: t.claims.open(s, invoice_id=i))
                    for i in invoices
                ),
            )
            assert sorted(won) == [False, False, False, True]

    def test_a_fact_is_filed_once(self, world: Any) -> None:
        filed = together(world.store, *[lambda: world.deliver("same")] * 6)
        assert sum(one is not None for one in filed) == 1

    def test_a_new_sale_is_made_once(self, world: Any) -> None:
        ids = together(world.store, *[lambda: world.sale("same")] * 6)
        assert len(set(map(str, ids))) == 1

    def test_one_link(self, world: Any) -> None:
        sale_id = world.sale()
        links = together(world.store, *[self.within(world, lambda t: t.links.make(sale_id))] * 4)
        assert len({link.token for link in links}) == 1

    def test_an_attempt_or_a_new_version(self, world: Any) -> None:
        """Never both of the same moment: that would be an old document sent beside a new one."""
        for number in range(10):
            invoice_id = world.sealed(str(number))
            together(
                world.store,
                self.within(world, lambda t, i=invoice_id: t.invoices.start_attempt(i, 1, "w")),
                self.within(world, lambda t, i=invoice_id: world.document(t, i)),
            )
            with world.store.reading() as tx:
                invoices = tx.tenant(world.merchant_id).invoices
                sent, newest = invoices.attempts(invoice_id), invoices.get(invoice_id).version
            assert (len(sent), newest) in {(1, 1), (0, 2)}

    def test_an_attempt_or_a_released_claim(self, world: Any) -> None:
        for number in range(10):
            invoice_id = world.sealed(str(number))
            together(
                world.store,
                self.within(world, lambda t, i=invoice_id: t.invoices.start_attempt(i, 1, "w")),
                self.within(world, lambda t, i=invoice_id: t.claims.release(i)),
            )
            with world.store.reading() as tx:
                tenant = tx.tenant(world.merchant_id)
                sent = len(tenant.invoices.attempts(invoice_id))
                assert sent == len(tenant.claims.of_invoice(invoice_id))

    @pytest.mark.postgres
    @pytest.mark.parametrize("url", ["postgres"], indirect=True)
    def test_the_rules_themselves_wait_for_who_came_first(self, world: Any) -> None:
        """Raw SQL that takes no lock of its own: the trigger waits, looks again and refuses."""
        invoice_id = world.sealed()
        values = f"'{world.merchant_id}', '{invoice_id}', 1, 1, 'w', 1"
        columns = "merchant_id, invoice_id, number, version, worker, started_at"
        later: list[object] = []

        def reseal() -> None:
            later.extend(
                together(
                    world.store,
                    lambda: world.sql(
                        "INSERT INTO document SELECT merchant_id, invoice_id, 2, serie, 'z', "
                        "fecha, total, xml_sealed, sha256, sello, pac_account_id, reference, "
                        "sealed_at FROM document"
                    ),
                )
            )

        thread = threading.Thread(target=reseal)
        with world.store.transaction() as tx:
            tx.session.engine.db.execute_sql(f"INSERT INTO attempt ({columns}) VALUES ({values})")
            thread.start()
            thread.join(timeout=0.5)
            assert thread.is_alive()
        thread.join()
        assert isinstance(later[0], Refused)

    def test_folios_are_never_shared(self, world: Any) -> None:
        folios = together(
            world.store, *[self.within(world, lambda t: t.invoices.next_folio("A"))] * 8
        )
        assert sorted(folios) == list(range(1, 9))

    def test_one_move_wins(self, world: Any) -> None:
        invoice_id = world.sealed()
        moved = together(
            world.store,
            *[
                self.within(
                    world, lambda t: t.invoices.move(invoice_id, State.SEALED, State.SENDING)
                )
            ]
            * 5,
        )
        assert sorted(moved) == [False] * 4 + [True]

    def test_one_lease(self, world: Any) -> None:
        def hold(owner: str) -> Callable[[], object]:
            def run() -> object:
                with world.store.transaction() as tx:
                    return tx.leases.hold("sweeper", owner, 30)

            return run

        held = together(world.store, *(hold(owner) for owner in "abcdef"))
        assert [one for one in held if one is not None] == [1]

    def test_threads_that_end_leave_no_connection(self, world: Any) -> None:
        for _ in range(30):
            together(world.store, lambda: world.sql("SELECT 1"))
        assert len(world.store._engine._connections._open) <= 3


@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_a_store_does_not_cross_a_fork(world: Any) -> None:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            world.store.reading().__enter__()
        except StoreUnavailable:
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0


def test_the_claim_uses_its_index(world: Any, url: str) -> None:
    """With 20 000 rows of other tenants, queues and times around it."""
    with world.store.transaction() as tx:
        db = tx.session.engine.db
        series = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
        db.execute_sql(
            "INSERT INTO outbox (merchant_id, id, job, subject, queue, due_at, state, tries, "
            f"fence, worker, error, created_at) {series} SELECT '{world.merchant_id}', "
            "'i' || i, 'job', 's' || i, 'ingest', 1000000 + i, "
            "CASE WHEN i / 2 * 2 = i THEN 'ready' ELSE 'dead' END, 0, 0, '', '', 1 FROM n"
        )
    world.sql("ANALYZE")
    plans = []
    with world.store.transaction() as tx:
        db = tx.session.engine.db
        original = db.execute_sql

        def explaining(sql: str, params: Any = None) -> Any:
            if sql.startswith("SELECT"):
                explain = "EXPLAIN QUERY PLAN " if url.startswith("sqlite") else "EXPLAIN "
                plans.append(str(list(original(explain + sql, params))))
            return original(sql, params)

        db.execute_sql = explaining
        try:
            assert tx.outbox.claim(["ingest"], "w", 30).subject == "s2"
        finally:
            del db.execute_sql
    assert "outbox_ready" in plans[0]
    assert "TEMP B-TREE" not in plans[0]
    assert "Sort" not in plans[0]


def test_waiting_writers_do_not_starve_a_thread(world: Any) -> None:
    """Eight threads of one process write at once; each gets its turn, and nobody gives up."""
    written: list[str] = []

    def write() -> None:
        for _ in range(10):
            world.sql("SELECT 1")
            written.append(threading.current_thread().name)

    assert together(world.store, *[write] * 8) == [None] * 8
    assert sorted(Counter(written).values()) == [10] * 8


def test_a_system_clock_never_makes_an_id_twice() -> None:
    clock = SystemClock()
    assert len({clock.new_id() for _ in range(10_000)}) == 10_000
