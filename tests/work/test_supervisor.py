"""The processes of an installation come up together, are kept alive, and end together."""

from __future__ import annotations

import io
import os
import signal
import sys
import time
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread

import pytest

from hub.clock import SystemClock
from hub.work.lifeline import VARIABLE, hold_lifeline
from hub.work.supervisor import Child, up


def child(name: str, code: str, **options: object) -> Child:
    return Child(name, (sys.executable, "-c", code), **options)


class Supervised:
    """`up` in a thread, so that the test can watch and stop it."""

    def __init__(self, *children: Child, **options: object) -> None:
        self.stop, self.ready, self.output = Event(), Event(), io.BytesIO()
        self.status: int | None = None
        self.thread = Thread(target=self._run, args=(children, options))
        self.thread.start()

    def _run(self, children, options):
        self.status = up(
            children,
            SystemClock(),
            on_ready=self.ready.set,
            stop=self.stop,
            output=self.output,
            **options,
        )

    def end(self) -> int | None:
        self.stop.set()
        self.thread.join(180)
        assert not self.thread.is_alive()
        return self.status


def test_output_is_told_apart_line_by_line(until):
    supervised = Supervised(
        child("web", "import time; print('hello'); print('world'); time.sleep(600)"),
        child("worker-1", "import sys, time; print('broken', file=sys.stderr); time.sleep(600)"),
    )
    until(lambda: supervised.output.getvalue().count(b"\n") == 3)
    assert supervised.end() == 0
    lines = sorted(supervised.output.getvalue().splitlines())
    assert lines == [b"web      | hello", b"web      | world", b"worker-1 | broken"]


def test_a_child_that_dies_is_started_again_and_none_is_left(tmp_path, until, is_alive):
    pids = tmp_path / "pids"
    code = (
        f"import os, time; open({str(pids)!r}, 'a').write(f'{{os.getpid()}}\\n'); time.sleep(600)"
    )
    supervised = Supervised(child("web", code))
    until(lambda: pids.exists() and pids.read_text().count("\n") == 1)
    os.kill(int(pids.read_text()), signal.SIGKILL)
    until(lambda: pids.read_text().count("\n") == 2)
    second = int(pids.read_text().split()[1])
    assert is_alive(second)
    assert supervised.end() == 0
    assert not is_alive(second)


def test_pauses_between_starts_grow(tmp_path, until):
    """The first child keeps the whole from being ready, so that failures would count: it is up."""
    starts = tmp_path / "starts"
    code = f"import time; open({str(starts)!r}, 'a').write(f'{{time.monotonic()}}\\n')"
    supervised = Supervised(child("short", code))
    until(lambda: starts.exists() and starts.read_text().count("\n") >= 4)
    supervised.end()
    moments = [float(line) for line in starts.read_text().split()]
    gaps = [after - before for before, after in pairwise(moments)]
    # No more than this can be said of them: a busy machine makes each longer.
    assert [gap >= least for gap, least in zip(gaps, (0.25, 0.5, 1.0), strict=False)] == [True] * 3


def test_ready_is_told_once_all_answer(unused_tcp_port, until):
    serve = (
        f"import time; time.sleep(1); from http.server import *;"
        f"HTTPServer(('127.0.0.1', {unused_tcp_port}), SimpleHTTPRequestHandler).serve_forever()"
    )
    address = f"http://127.0.0.1:{unused_tcp_port}/"
    started = time.monotonic()
    supervised = Supervised(
        child("web", serve, ready=address), child("worker", "import time; time.sleep(600)")
    )
    assert supervised.ready.wait(180)
    assert time.monotonic() - started >= 1.0
    assert supervised.end() == 0


def test_a_start_that_fails_is_given_up_and_cleared_away(tmp_path, is_alive):
    pid = tmp_path / "pid"
    note = f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    after = (
        f"import os, time; path = {str(pid)!r}\n"
        "while not os.path.exists(path) or not open(path).read(): time.sleep(0.01)\n"
        "raise SystemExit(2)"
    )
    supervised = Supervised(
        child("good", note),
        child("bad", after, ready="tcp://127.0.0.1:9"),
    )
    supervised.thread.join(180)
    assert supervised.status == 1
    assert not supervised.ready.is_set()
    assert not is_alive(int(pid.read_text()))


def test_one_that_is_never_ready_ends_the_start():
    supervised = Supervised(
        child("mute", "import time; time.sleep(600)", ready="tcp://127.0.0.1:9"), ready_seconds=0.5
    )
    supervised.thread.join(180)
    assert supervised.status == 1


def test_who_ignores_sigterm_is_killed_with_its_children(tmp_path, until, is_alive):
    pids = tmp_path / "pids"
    code = (
        "import os, signal, subprocess, sys, time;"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "grandchild = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
        f"open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{grandchild.pid}}'); time.sleep(600)"
    )
    supervised = Supervised(child("stubborn", code), grace_seconds=0.5)
    until(lambda: pids.exists() and len(pids.read_text().split()) == 2)
    own, grandchild = map(int, pids.read_text().split())
    supervised.end()
    assert not is_alive(own)
    until(lambda: not is_alive(grandchild))


def test_environment_is_added_to(tmp_path, until):
    seen = tmp_path / "seen"
    code = (
        f"import os, time; open({str(seen)!r}, 'w').write(os.environ['PATH'] + os.environ['OWN']);"
        "time.sleep(600)"
    )
    supervised = Supervised(child("web", code, env={"OWN": "!"}))
    until(lambda: seen.exists() and seen.read_text())
    supervised.end()
    assert seen.read_text() == os.environ["PATH"] + "!"


SUPERVISOR = """
import sys
from hub.clock import SystemClock
from hub.work.supervisor import Child, up
hold = "from hub.work.lifeline import hold_lifeline; hold_lifeline(1.0);"
deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
note = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(600)"
directory = sys.argv[1]
children = [
    Child("web", (sys.executable, "-c", hold + note, directory + "/web")),
    Child("deaf", (sys.executable, "-c", hold + deaf + note, directory + "/deaf")),
]
ready = lambda: open(directory + "/up", "w").close()
sys.exit(up(children, SystemClock(), on_ready=ready, grace_seconds=1.0))
"""


def pids_of(directory: Path) -> list[int]:
    return [int((directory / name).read_text()) for name in ("web", "deaf")]


def all_written(directory: Path) -> bool:
    names = [directory / name for name in ("web", "deaf")]
    return (directory / "up").exists() and all(n.exists() and n.read_text() for n in names)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_the_supervisor(tmp_path, python, until, is_alive, number):
    """One child does not hear SIGTERM: it must go too, by force."""
    process = python("-c", SUPERVISOR, str(tmp_path))
    until(lambda: all_written(tmp_path))
    pids = pids_of(tmp_path)
    assert all(map(is_alive, pids))
    process.send_signal(number)
    status = process.wait(180)
    assert status == (-signal.SIGKILL if number is signal.SIGKILL else 0)
    until(lambda: not any(map(is_alive, pids)))


def test_without_a_supervisor_there_is_no_lifeline(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert hold_lifeline() is False


def test_a_lifeline_that_is_no_number_is_refused(monkeypatch):
    monkeypatch.setenv(VARIABLE, "three")
    with pytest.raises(ValueError, match="three"):
        hold_lifeline()
