"""`make bench`: speed and memory of one run on one machine, as ratios where a ratio can be had."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub import log
from tests.bench import crowd, ingest, pages, parts, sealing, stamping, validating
from tests.bench import globals as globals_  # the name is Python's too
from tests.bench.figures import Figure, table, write
from tests.bench.processes import ROOT

MEASURES = ("ingest", "sealing", "globals", "validating", "stamping", "parts", "pages", "crowd")
QUICK = ingest.Extent(rounds=1, seconds=0.4, steady_seconds=0.5, ceiling=3000)


def main() -> None:
    options = _options()
    log.configure("error")
    load_before = os.getloadavg()[0]
    figures: list[Figure] = []
    with _place() as place:
        for figure in _measured(place, quick=options.quick, only=options.only):
            figures.append(figure)
            print(table([figure]), flush=True)
    machine = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count(),
        "load_before": load_before,
        "redis": shutil.which("redis-server") is not None,
        "quick": options.quick,
    }
    write(figures, options.output, machine)
    if load_before > (os.cpu_count() or 1) / 2:
        print(
            f"\nthe machine was busy (load {load_before:.1f}): ratios are worse than they need be"
        )
    missed = [one.name for one in figures if one.verdict == "MISS"]
    print(f"\n{len(missed)} missed{': ' if missed else ''}{', '.join(missed)}")
    print(f"written to {options.output}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few repeats: figures, no judgement")
    parser.add_argument("--output", type=Path, default=ROOT / "var" / "bench.json")
    parser.add_argument("--only", choices=MEASURES)
    return parser.parse_args()


def _measured(place: Path, *, quick: bool, only: str | None) -> Iterator[Figure]:
    measures = {
        "ingest": lambda: ingest.measure(place, QUICK if quick else ingest.Extent()),
        "sealing": lambda: sealing.measure(place, 20 if quick else 300),
        "validating": lambda: validating.measure(place, 20 if quick else 300),
        "globals": lambda: globals_.measure(place, 200 if quick else globals_.TICKETS),
        "stamping": lambda: stamping.measure(place, 3 if quick else 60),
        "parts": lambda: parts.measure(place, 50 if quick else 2000),
        "crowd": lambda: crowd.measure(place, 6 if quick else crowd.BUYERS),
        "pages": lambda: pages.measure(place, *((500, 120) if quick else (1_000_000, 2000))),
    }
    for name in [only] if only else MEASURES:
        yield from measures[name]()


@contextmanager
def _place() -> Iterator[Path]:
    """A folder beside the data of a real hub, on the same disk: /tmp may be memory."""
    (ROOT / "var").mkdir(mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=ROOT / "var") as place:
        yield Path(place)


if __name__ == "__main__":
    main()
