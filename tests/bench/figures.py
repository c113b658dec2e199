"""What was measured, with what it should be: one line of the table and of `var/bench.json` each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import quantiles


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured number. `target` is the bound it should keep, None where it is only told."""

    name: str
    value: float
    unit: str
    target: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        kept = self.value >= self.target if self.at_least else self.value <= self.target
        return "PASS" if kept else "MISS"


def percentile(values: Sequence[float], percent: int) -> float:
    """Of at least two values; between two measured ones it interpolates, outside it never goes."""
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def table(figures: Sequence[Figure]) -> str:
    lines = []
    for one in figures:
        bound = ""
        if one.target is not None:
            bound = f"{'≥' if one.at_least else '≤'} {one.target:g}"
        lines.append(
            f"{one.verdict:<5}{one.name:<52}{one.value:>10.2f} {one.unit:<6}{bound:<9}{one.note}"
        )
    return "\n".join(line.rstrip() for line in lines)


def write(figures: Sequence[Figure], path: Path, machine: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [asdict(one) | {"verdict": one.verdict} for one in figures]
    text = json.dumps({"machine": machine, "figures": rows}, ensure_ascii=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8")
