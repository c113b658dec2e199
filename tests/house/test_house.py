"""Rules of the building: each was once broken somewhere else, and that is how it became a rule."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
from click import Group

from hub.cli import main
from hub.settings import load
from hub.wiring import build, sweeps_of
from hub.work.jobs import QUEUES

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("hub", "connectors", "portal", "cfdi")
SOURCES = sorted(chain.from_iterable((ROOT / name).rglob("*.py") for name in PACKAGES))
MAX_FILE, MAX_FUNCTION = 350, 60
#: Nothing but the tables, best read as one; migrations are frozen copies of it.
TABLES = {"schema.py", "0001_initial.py"}


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    return [ROOT / name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()]


def texts() -> Iterator[tuple[Path, str]]:
    for path in tracked():
        try:
            yield path, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def test_there_is_something_to_look_at() -> None:
    assert len(SOURCES) > 60
    assert len(tracked()) > 100


@pytest.mark.parametrize(
    "path",
    [path for path in SOURCES if path.name not in TABLES],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    literal = sum(
        (node.end_lineno or 0) - node.lineno
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
    )
    assert text.count("\n") - literal <= MAX_FILE
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = (node.end_lineno or 0) - node.lineno
            assert size <= MAX_FUNCTION, f"{node.name} has {size} lines"


def test_no_room_is_named_after_nothing() -> None:
    vague = {"utils", "helpers", "common", "manager", "misc", "util", "helper"}
    named = {part for path in SOURCES for part in (*path.parts, path.stem)}
    assert not vague & named


PLATFORM = re.compile(r"shopify|woocommerce|stripe", re.IGNORECASE)


def test_a_platform_is_named_in_its_own_folder_alone() -> None:
    """Comments and docstrings may name one as an example; code may not."""
    for path in SOURCES:
        if (
            "connectors" in path.relative_to(ROOT).parts[:1]
            and len(path.relative_to(ROOT).parts) > 2
        ):
            continue
        for word in words_of(path):
            assert not PLATFORM.search(word), f"{path.relative_to(ROOT)}: {word!r}"


def words_of(path: Path) -> Iterator[str]:
    """Every name and string of the code, docstrings left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.name for alias in node.names)
            yield (node.module or "") if isinstance(node, ast.ImportFrom) else ""
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in docstrings
        ):
            yield node.value


def test_our_folder_does_not_hide_a_library() -> None:
    """With tests or no __init__.py in connectors/, `import woocommerce` would find our folder."""
    assert (ROOT / "connectors" / "__init__.py").is_file()
    assert not list((ROOT / "connectors").rglob("test_*.py"))
    found = subprocess.run(
        [sys.executable, "-c", "import woocommerce; print(woocommerce.__file__)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "site-packages" in found


def test_no_exception_to_a_rule_without_its_reason() -> None:
    bare = re.compile(r"#\s*(noqa|type:\s*ignore)(:?\s*[A-Z0-9, ]*|\[[\w,\- ]+\])\s*$")
    for path in SOURCES:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if match := bare.search(line):
                same_line_reason = line[match.end() :].strip()
                assert same_line_reason, f"{path.relative_to(ROOT)}:{number}: give the reason"


def test_nothing_is_left_for_later() -> None:
    marker = re.compile(r"\b(TODO|FIXME|HACK)\b|NotImplementedError")
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        assert not marker.search(text), path.relative_to(ROOT)


def test_the_lock_pins_by_hash_and_names_no_index() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pins = re.findall(r"^[a-z0-9][\w.\-\[\]]*==", lock, re.MULTILINE | re.IGNORECASE)
    assert len(pins) > 40
    blocks = re.split(r"\n(?=[a-zA-Z0-9])", lock)
    assert all("--hash=sha256:" in block for block in blocks if "==" in block)
    assert "://" not in lock
    assert "index-url" not in lock


def test_no_secret_and_no_place_of_work_is_committed() -> None:
    private = re.compile(r"BEGIN (RSA |EC |ENCRYPTED )?PRIVATE KEY-----\n[A-Za-z0-9+/]")
    places = re.compile(r"(?<!\w)/work/|/root/|\.pyenv|pypi\.org|registry\.npmjs|deb\.debian\.org")
    for path, text in texts():
        if path == Path(__file__).resolve():
            continue
        assert not private.search(text), path.relative_to(ROOT)
        assert not places.search(text), path.relative_to(ROOT)
        assert path.suffix not in {".key", ".pem"}, path.relative_to(ROOT)


def test_every_variable_of_the_environment_is_documented() -> None:
    source = (ROOT / "hub" / "settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r"environ(?:\.get\(|, )\"([A-Z_]+)\"", source))
    documented = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert len(read) >= 10
    assert not {name for name in read if f"`{name}`" not in documented}


def test_every_command_is_documented() -> None:
    documented = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")

    def names(group: Group, prefix: str) -> Iterator[str]:
        for name, command in group.commands.items():
            if isinstance(command, Group):
                yield from names(command, f"{prefix}{name} ")
            elif not command.hidden:
                yield f"{prefix}{name}"

    every = list(names(main, ""))
    assert len(every) > 25
    assert not [name for name in every if f"`{name}" not in documented]


def test_every_queue_is_worked_and_every_job_has_a_queue(tmp_path: Path) -> None:
    hub = build(load({"VAR_DIR": str(tmp_path)}))
    try:
        assert {job.queue for job in hub.jobs.values()} == set(QUEUES)
        promised = set()
        for path in (ROOT / "hub").rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            promised |= set(re.findall(r"promise\(\s*\"([a-z_]+)\"", text))
        assert promised
        assert promised <= set(hub.jobs)
    finally:
        hub.close()


def test_every_job_and_every_sweep_is_documented(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `(\w+)` \| `?([\w ]+?)`? \|", page, re.MULTILINE))
    hub = build(load({"VAR_DIR": str(tmp_path)}))
    try:
        every = {job.name: job.queue for job in hub.jobs.values()}
        every |= {sweep.name: span(sweep.every_seconds) for sweep in sweeps_of(hub.ctx)}
    finally:
        hub.close()
    assert len(every) > 20
    assert told == every


def span(seconds: float) -> str:
    for size, name in ((3600, "hour"), (60, "minute"), (1, "second")):
        if seconds % size == 0:
            return f"{seconds / size:g} {name}{'s' if seconds != size else ''}"
    raise AssertionError(seconds)
