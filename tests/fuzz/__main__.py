"""``python -m tests.fuzz TARGET FOLDER [libFuzzer's options]``: one target, by atheris.

`make fuzz` runs all of them. FOLDER keeps what reached something new, and is where the next run
begins. What breaks a promise, hangs or ends the process is written to a file `crash-*`: its bytes
belong into `tests/fuzz/found/TARGET/` once the defect is mended, where every test run tries them.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["cfdi", "connectors"]):
    from tests.fuzz.targets import TARGETS, TESTS


def main() -> None:
    name, folder, *options = sys.argv[1:]
    one_input, examples, before = TARGETS[name]
    corpus = Path(folder)
    corpus.mkdir(parents=True, exist_ok=True)
    for example in TESTS.glob(examples):
        data = before + example.read_bytes()
        (corpus / hashlib.sha256(data).hexdigest()[:32]).write_bytes(data)
    atheris.Setup([sys.argv[0], folder, *options], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
