"""`make bench` works: every figure is there and is a number. How good it is, is not judged here."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EVERY = {
    "durable ingest ÷ bare Flask",
    "ingest p99 at 400/s",
    "sealed document ÷ signature",
    "validate, 3 lines, p50",
    "validate, 2,000 lines, p50",
    "global of 5,000 tickets, built + sealed",
    "global of 5,000 tickets, memory at its peak",
    "form → stamped p95, Redis",
    "form → stamped p95, Redis stopped",
    "resident: web",
    "resident: worker 1",
    "resident: worker 2",
    "PDF, 3 lines, p50",
    "inbox row + promise, one commit each",
    "claim + done, a commit each",
    "buyer's page p95",
    "buyer's page over the wire",
    "form → stamped less the provider's 1 s, p95, Redis",
    "page over the wire, all it fetches",
    "open page p95, 4 clients",
    "invoiced page p95, 4 clients",
    "estado p95, 4 clients",
    "6 buyers at once, 4 workers: form → stamped, the last",
}
TARGETS = 18


@pytest.mark.slow
@pytest.mark.redis
def test_a_quick_run_measures_everything(tmp_path: Path) -> None:
    output = tmp_path / "bench.json"
    ended = subprocess.run(
        [sys.executable, "-m", "tests.bench", "--quick", "--output", str(output)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=3600,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    figures = {one["name"]: one for one in json.loads(output.read_text())["figures"]}
    assert figures.keys() >= EVERY
    for name, one in figures.items():
        assert math.isfinite(one["value"]), name
        assert one["value"] > 0, name
        assert name in ended.stdout
    judged = [one["verdict"] for one in figures.values() if one["target"] is not None]
    assert len(judged) == TARGETS
    assert set(judged) <= {"PASS", "MISS"}
