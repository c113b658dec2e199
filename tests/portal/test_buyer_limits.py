"""Only outcomes are counted: honest buyers behind one address never wait for each other."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from hub.domain.purchase import Estado
from portal.buyer import limits, tries
from portal.buyer.limits import OutcomeLimits


def test_wrong_tokens_are_limited_and_right_ones_are_not(kit: Any) -> None:
    answers = [kit.client.get(f"/f/guess{n}").status_code for n in range(35)]
    assert answers == [404] * 30 + [429] * 5
    assert "Demasiados intentos" in kit.client.get("/f/guess").text
    # The same address, an honest buyer: everything works.
    assert kit.client.get(kit.path).status_code == 200
    assert kit.client.get(f"{kit.path}/estado").status_code == 200
    assert kit.post(kit.good).status_code == 303


def test_another_address_is_not_held_responsible(kit: Any) -> None:
    for n in range(40):
        kit.client.get(f"/f/guess{n}")
    other = {"REMOTE_ADDR": "203.0.113.9"}
    assert kit.client.get("/f/guess", environ_base=other).status_code == 404


def test_a_whole_network_of_ipv6_is_one_guesser(kit: Any) -> None:
    answers = [
        kit.client.get("/f/guess", environ_base={"REMOTE_ADDR": f"2001:db8:1:2::{n:x}"}).status_code
        for n in range(1, 36)
    ]
    assert answers[-1] == 429


def test_polling_is_never_limited(kit: Any) -> None:
    right = {kit.client.get(f"{kit.path}/estado").status_code for _ in range(200)}
    wrong = {kit.client.get("/f/guess/estado").status_code for _ in range(40)}
    assert (right, wrong) == ({200}, {404})


def test_downloads_are_never_limited(kit: Any) -> None:
    kit.service.current = kit.purchase(Estado.LISTA)
    assert {kit.client.get(f"{kit.path}/cfdi.pdf").status_code for _ in range(100)} == {200}


def test_letters_are_limited_and_mistyped_addresses_are_not(kit: Any) -> None:
    kit.service.current = kit.purchase(Estado.LISTA)
    wrong = {kit.post({"correo": "x"}, "/correo").status_code for _ in range(20)}
    sent = [kit.post({"correo": "a@example.com"}, "/correo").status_code for _ in range(12)]
    assert wrong == {422}
    assert sent == [303] * 10 + [429] * 2
    assert len(kit.service.letters) == 10


@pytest.mark.parametrize("address", [None, "", "nonsense", "127.0.0.1", "::1", "::ffff:10.0.0.1"])
def test_any_address_can_be_counted(address: str | None) -> None:
    assert OutcomeLimits().wrong_token(address)


@pytest.fixture
def redis_socket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Of a Redis that is waited for, however busy this machine is."""
    monkeypatch.setattr(limits, "_PATIENCE", 120.0)
    with tempfile.TemporaryDirectory(dir="/tmp") as short:  # an address has 107 bytes at most
        yield from _redis(Path(short) / "r.sock")


def _redis(path: Path) -> Iterator[Path]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("NOT TESTED: no redis-server on PATH")
    server = subprocess.Popen(
        [program, "--port", "0", "--unixsocket", str(path), "--save", ""],
        stdout=subprocess.DEVNULL,
    )
    until = time.monotonic() + 120
    while not path.exists():
        assert server.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)
    yield path
    server.terminate()
    server.wait(timeout=120)


@pytest.mark.redis
def test_processes_count_together_in_redis(redis_socket: Path) -> None:
    url = f"unix://{redis_socket}"
    one, other = OutcomeLimits(url), OutcomeLimits(url)
    for _ in range(15):
        assert one.wrong_token("192.0.2.1")
        assert other.wrong_token("192.0.2.1")
    assert not one.wrong_token("192.0.2.1")
    assert not other.wrong_token("192.0.2.1")


def at_once(of: list[OutcomeLimits], number: int) -> list[int]:
    """What each of so many tries is told, that all begin together and are all wrong."""
    start = threading.Barrier(number)

    def attempt(place: int) -> int:
        start.wait()
        with of[place % len(of)].proof(f"192.0.2.{place}", "m1/sale") as trial:
            trial.count()
            return trial.wait

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(attempt, range(number)))


@pytest.mark.redis
def test_of_many_tries_at_once_no_more_are_made_than_may_be(redis_socket: Path) -> None:
    url = f"unix://{redis_socket}"
    for of in ([OutcomeLimits()], [OutcomeLimits(url), OutcomeLimits(url)]):
        waits = at_once(of, 40)
        assert waits.count(0) == 5
        assert all(3000 <= wait <= 3600 for wait in waits if wait)


@pytest.mark.redis
def test_a_try_that_was_right_or_failed_does_not_count(redis_socket: Path) -> None:
    for one in (OutcomeLimits(), OutcomeLimits(f"unix://{redis_socket}")):
        for _ in range(50):
            with contextlib.suppress(OSError), one.ticket("192.0.2.1", "7KQ4M2XD") as trial:
                assert trial.wait == 0
                raise OSError("the database does not answer")
        # What is refused counts nowhere: not for the address, nor for all who try that code.
        for n in range(300):
            with one.ticket("192.0.2.1", "7KQ4M2XD") as trial:
                trial.count()
                assert (trial.wait == 0) == (n < 5)
        for n in range(95):
            with one.ticket(f"198.51.{n}.1", "7KQ4M2XD") as trial:
                trial.count()
                assert trial.wait == 0
        with one.ticket("203.0.113.1", "7KQ4M2XD") as trial:
            assert trial.wait > 0


def test_what_is_counted_takes_no_more_memory_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tries, "_KEPT", 100)
    here = tries.Here()
    for n in range(1000):
        assert here.add(f"day/{n}", 86_400, 1) == 1
    here.add("hour", 3600, 1)
    assert len(here._kept) <= 100
    assert here.add("day/999", 86_400, 1) == 2
    assert here.add("never", 60, -1) == 0
    assert "never" not in here._kept


def test_without_its_redis_a_process_counts_by_itself() -> None:
    counting = OutcomeLimits("redis://127.0.0.1:1/0")
    answers = [counting.wrong_token("192.0.2.1") for _ in range(31)]
    assert answers == [True] * 30 + [False]


def test_a_redis_that_says_nothing_holds_up_one_visitor_for_a_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each that waits holds a thread of which there are twelve (hub/commands/run.py)."""
    assert limits._PATIENCE <= 1
    monkeypatch.setattr(limits, "_REST", 3600.0)  # however long this takes here
    with socket.create_server(("127.0.0.1", 0), backlog=50) as silent:
        counting = OutcomeLimits(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        answers = [counting.wrong_token("192.0.2.1") for _ in range(31)]
        silent.setblocking(False)
        asked = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                silent.accept()[0].close()
                asked += 1
    assert answers == [True] * 30 + [False]
    assert asked == 1
