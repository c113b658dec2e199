"""The sandbox provider as a process: on loopback, its memory kept, gone on SIGTERM."""

from __future__ import annotations

import json
import socket
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SERVE = """
import sys; from pathlib import Path
from hub.clock import SystemClock; from hub.work.sandbox import serve_sandbox
serve_sandbox(Path(sys.argv[1]), int(sys.argv[2]), SystemClock())
"""


def answer(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2) as response:
            return json.load(response)["status"]
    except OSError:
        return None


def test_it_serves_on_loopback_until_sigterm(tmp_path, python, until, unused_tcp_port):
    directory = tmp_path / "sandbox"
    process = python("-c", SERVE, str(directory), str(unused_tcp_port))
    until(lambda: answer(unused_tcp_port) == "ok")
    if sys.platform == "linux":
        own = f":{unused_tcp_port:04X}"
        table = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        assert {row[1] for row in table if row[1].endswith(own)} == {f"0100007F{own}"}
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    process.terminate()
    assert process.wait(180) == 0


def test_a_taken_port_is_an_error_and_no_silence(tmp_path, python, unused_tcp_port):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", unused_tcp_port))
        taken.listen()
        process = python(
            "-c", SERVE, str(tmp_path / "s"), str(unused_tcp_port), stderr=subprocess.PIPE
        )
        _, error = process.communicate(timeout=180)
    assert process.returncode == 1
    assert b"Address already in use" in error
