"""Only outcomes are counted: honest buyers behind one address never wait for each other."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.domain.purchase import Estado
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
def redis_socket(tmp_path: Path) -> Iterator[Path]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("NOT TESTED: no redis-server on PATH")
    path = tmp_path / "r.sock"
    server = subprocess.Popen(
        [program, "--port", "0", "--unixsocket", str(path), "--save", ""],
        stdout=subprocess.DEVNULL,
    )
    for _ in range(200):
        if path.exists():
            break
        time.sleep(0.02)
    yield path
    server.terminate()
    server.wait(timeout=10)


@pytest.mark.redis
def test_processes_count_together_in_redis(redis_socket: Path) -> None:
    url = f"unix://{redis_socket}"
    one, other = OutcomeLimits(url), OutcomeLimits(url)
    for _ in range(15):
        assert one.wrong_token("192.0.2.1")
        assert other.wrong_token("192.0.2.1")
    assert not one.wrong_token("192.0.2.1")
    assert not other.wrong_token("192.0.2.1")


def test_without_its_redis_a_process_counts_by_itself() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    limits = OutcomeLimits(f"redis://127.0.0.1:{port}/0")
    answers = [limits.wrong_token("192.0.2.1") for _ in range(31)]
    assert answers == [True] * 30 + [False]
