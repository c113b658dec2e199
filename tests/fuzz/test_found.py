"""What the fuzzers found once, and what they begin with, is given to their targets in every run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS, TESTS

FOUND = Path(__file__).parent / "found"


@pytest.mark.parametrize("name", TARGETS)
def test_targets_hold_for_what_they_begin_with(name: str) -> None:
    one_input, examples, before = TARGETS[name]
    documents = [before + path.read_bytes() for path in TESTS.glob(examples)]
    for data in (b"", b"\0", b"\1", b"\1seed", b"\xff\xfe", b"{}", *documents):
        one_input(data)


@pytest.mark.parametrize(
    "path", sorted(FOUND.glob("*/*")), ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_what_was_found_is_mended(path: Path) -> None:
    TARGETS[path.parent.name][0](path.read_bytes())
