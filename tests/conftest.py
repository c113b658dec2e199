"""Fixtures of all suites: a clock held still, and the shared reference data where it is."""

from __future__ import annotations

import importlib
import os
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from hub.clock import CODE_ALPHABET, time_ordered_id
from hub.steps import questions
from hub.store import engines, filelock
from tests.axe import fetched

# The same examples in every run: what a random one finds is found by whoever looks for it
# (`HYPOTHESIS_PROFILE=random`), not by a release that waits. Deadlines measure the machine's load.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("random", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("AUTOFACTURA_SHARED", ROOT.parent / "shared"))


@dataclass
class FixedClock:
    """A clock that moves only when told; ids and tokens count up and never repeat.

    Nor in threads: what is counted on and then looked at is another's number now and then.
    """

    instant: datetime = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
    ticks: float = 1000.0
    slept: list[float] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1), repr=False, compare=False)
    _moving: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return self.ticks

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        with self._moving:
            self.instant += timedelta(seconds=seconds)
            self.ticks += seconds

    def new_id(self) -> str:
        number = next(self._numbers)
        return time_ordered_id(int(self.instant.timestamp() * 1000), number.to_bytes(10, "big"))

    def new_token(self) -> str:
        return f"{next(self._numbers):043d}"

    def new_code(self, length: int) -> str:
        number, letters = next(self._numbers), ""
        for _ in range(length):
            number, digit = divmod(number, len(CODE_ALPHABET))
            letters = CODE_ALPHABET[digit] + letters
        return letters


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture(scope="session", autouse=True)
def a_turn_at_the_database_comes() -> Iterator[None]:
    """Whoever waits for it in this process is refused none because the machine is busy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engines, "BUSY_SECONDS", 600)
        patch.setattr(filelock, "PATIENCE", 600.0)
        yield


@pytest.fixture
def shared() -> Path:
    """The reference data beside the repository. Without it the test is skipped, loudly."""
    if not SHARED.is_dir():
        message = f"NOT TESTED: reference data missing at {SHARED} (set AUTOFACTURA_SHARED)"
        pytest.skip(message)
    return SHARED


@dataclass
class Patience:
    """Who waits for shops: how often, how many at once for more than a glimpse, how long at most.

    What a wait is given, not what it takes: a busy machine makes that longer than anybody wants.
    """

    waits: int = 0
    now: int = 0
    most: int = 0
    longest: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def of(self, seconds: float) -> Iterator[None]:
        patient = seconds > questions.GLIMPSE_SECONDS
        with self.lock:
            self.waits += 1
            self.now += patient
            self.most = max(self.most, self.now)
            self.longest = max(self.longest, round(seconds, 6))
        yield
        with self.lock:
            self.now -= patient


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> Patience:
    made = Patience()

    def noted(futures: Any, seconds: float) -> Any:
        with made.of(seconds):
            return wait(futures, seconds)

    monkeypatch.setattr(questions, "wait", noted)
    return made


#: No request leaves the machine: background services of the browser are off.
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A page that stands for one of the Internet may frame ours, which here is on loopback.
    "--disable-features=LocalNetworkAccessChecks",
]


#: Whoever waits longer waits for nothing; no test measures how long a page takes.
BROWSER_MILLISECONDS = 180_000


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A headless Chromium, or the test is skipped, loudly."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("NOT TESTED: no chromium on PATH")
    # Imported by the suites that open pages alone.
    playwright = importlib.import_module("playwright.sync_api")
    # What is waited for comes at its own pace on a busy machine; its defaults are 5 and 30 seconds.
    playwright.expect.set_options(timeout=BROWSER_MILLISECONDS)
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(
            executable_path=program, args=QUIET, timeout=BROWSER_MILLISECONDS
        )
        browser.on("context", lambda made: made.set_default_timeout(BROWSER_MILLISECONDS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The script that judges whether everybody can use a page; see tests/axe.py."""
    return fetched(tmp_path_factory.mktemp("axe"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole installations first, then browsers: at the end every worker has short modules left."""

    browsers = {item.path for item in items if item.get_closest_marker("browser")}
    items.sort(key=lambda item: (item.path.parent.name != "e2e", item.path not in browsers))


@pytest.hookimpl(wrapper=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter,
) -> Iterator[None]:
    """Say in capitals at the very end what was not tested on this machine."""
    yield
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = sorted({str(report.longrepr[2]) for report in skipped if report.longrepr})
    for reason in reasons:
        terminalreporter.write_line(f"!!! {reason}", yellow=True, bold=True)
