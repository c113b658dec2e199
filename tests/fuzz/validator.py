"""An atheris harness for `cfdi.validate`: bytes as they come, and mutants of valid documents.

Runs where atheris is installed beside the project: ``python -m tests.fuzz.validator corpus/
-max_total_time=300``, or without a folder from valid documents alone. What makes it raise, hang or
answer with anything but findings is a defect; libFuzzer writes the bytes to a file `crash-*`.
"""

from __future__ import annotations

import random
import sys
from datetime import UTC, datetime

import atheris

with atheris.instrument_imports(include=["cfdi"]):
    from cfdi.findings import Finding
    from cfdi.validator import MOST_FINDINGS, validate

from tests.validator.mutants import mutant

NOW = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)


def one_input(data: bytes) -> None:
    """An odd first byte: what follows seeds a mutant; an even one: what follows is the document."""
    is_seed = data[:1] and data[0] % 2
    document = mutant(random.Random(data[1:])) if is_seed else data[1:]
    found = validate(document, at=NOW)
    if not isinstance(found, tuple) or len(found) > MOST_FINDINGS:
        raise TypeError("not a tuple of findings")
    for one in found:
        if not isinstance(one, Finding) or not one.code or not one.message_es:
            raise TypeError(f"not a finding: {one!r}")


def main() -> None:
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
