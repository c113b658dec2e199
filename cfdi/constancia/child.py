"""The reading process: a file in, JSON out, no more memory and time than a paper of SAT's needs.

Started by `cfdi.constancia.reading` with nothing of the environment, so that a file that takes
over the parser finds no keys.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import resource
import sys
import threading
import time
from typing import Final

from cfdi.constancia import paper
from cfdi.constancia.refusals import ConstanciaRefused

#: Bytes of address space, of which the programs themselves take 60 MB on Linux.
MEMORY: Final = 150 * 1024 * 1024
CPU_SECONDS: Final = 2
#: How the parent knows that the process stopped itself.
OUT_OF_MEMORY: Final = 77


def main(kind: str) -> None:
    confine()
    data = sys.stdin.buffer.read()
    try:
        answer: dict[str, object] = {"read": _read(kind, data).as_json()}
    except ConstanciaRefused as refused:
        answer = {"refused": refused.code}
    except (MemoryError, RecursionError):
        answer = {"refused": "too_complex"}
    sys.stdout.write(json.dumps(answer))


def _read(kind: str, data: bytes) -> paper.Constancia:
    # Imported under the limits: what the libraries take counts as well.
    from cfdi.constancia import pages  # noqa: PLC0415 # see above

    if kind == "photo":
        scanned = paper.of_codes(pages.of_photo(data))
        if scanned is None:
            raise ConstanciaRefused("no_qr")
        return scanned
    text, codes = pages.of_pdf(data)
    if text.strip():
        return paper.of_text(text, codes)
    scanned = paper.of_codes(codes)
    if scanned is None:
        raise ConstanciaRefused("image_only")
    return scanned


def confine() -> None:
    """No files written, no processes, little memory and time."""
    logging.disable()
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    else:
        watch_memory()  # before no process may start: some systems count threads as such
    for what, most in (
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # a lower one holds already
            resource.setrlimit(what, (most, most))


def watch_memory() -> None:
    """Where the system does not bound memory (macOS takes RLIMIT_AS and ignores it)."""
    #: Bytes on macOS, kilobytes elsewhere. https://man7.org/linux/man-pages/man2/getrusage.2.html
    unit = 1 if sys.platform == "darwin" else 1024

    def look() -> None:
        while resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit < MEMORY:
            time.sleep(0.01)
        os._exit(OUT_OF_MEMORY)

    threading.Thread(target=look, daemon=True).start()


if __name__ == "__main__":
    main(sys.argv[1])
