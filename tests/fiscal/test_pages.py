"""The examples of docs/fiscal/ say the truth, and need nothing of ours but the folder `cfdi`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import cfdi

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs" / "fiscal").glob("*.md"))
#: How many there are at the least: an example that is not found is not run either.
BLOCKS = {"README.md": 6, "documents.md": 9, "constancia.md": 1, "pdf.md": 1, "validator.md": 1}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds a copy of `cfdi` and nothing else."""
    place = tmp_path_factory.mktemp("alone")
    shutil.copytree(ROOT / "cfdi", place / "cfdi", ignore=shutil.ignore_patterns("__pycache__"))
    return place


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_of_a_page_run_with_cfdi_alone(
    page: Path, alone: Path, tmp_path: Path
) -> None:
    ended = subprocess.run(
        [sys.executable, "-P", str(Path(__file__).with_name("running.py")), str(page), tmp_path],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(alone)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    where, blocks = ended.stdout.split()[-2:]
    assert Path(where).is_relative_to(alone), "another cfdi was imported"
    assert int(blocks) >= BLOCKS.get(page.name, 0)


def test_every_public_name_is_explained() -> None:
    table = (ROOT / "docs/fiscal/README.md").read_text(encoding="utf-8").partition("Every name")[2]
    assert set(re.findall(r"`(\w+)`", table)) >= set(cfdi.__all__)


def test_every_page_is_reached_from_the_first() -> None:
    first = (ROOT / "docs/fiscal/README.md").read_text(encoding="utf-8")
    assert [page.name for page in PAGES[1:] if f"({page.name})" not in first] == []
