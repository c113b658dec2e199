"""Read a file in a process of its own, which is ended when it takes too long."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from typing import Final

from cfdi.constancia.paper import Constancia
from cfdi.constancia.refusals import REFUSALS, ConstanciaRefused

LARGEST: Final = 5 * 1024 * 1024
#: From the start of the process to its answer.
SECONDS: Final = 3.0
#: Two at a time: many uploads together must not take the machine from those who pay.
_SEATS: Final = threading.BoundedSemaphore(2)
_SECONDS_FOR_A_SEAT: Final = 3.0
#: ISO 32000-1 §7.5.2, implementation note 13: the header may stand within the first kilobyte.
_HEADER_WITHIN: Final = 1024


def read(pdf: bytes) -> Constancia:
    """What the Constancia or Cédula says, from its text and its QR. Nothing of it is kept.

    At most 3 seconds and 150 MB in a process of its own, two processes at a time. A scan without
    text gives RFC and idCIF where its QR is legible. Raises `ConstanciaRefused`.
    """
    _check_size(pdf)
    if b"%PDF-" not in pdf[:_HEADER_WITHIN]:
        raise ConstanciaRefused("not_a_pdf")
    return _read("pdf", pdf)


def read_photo(image: bytes) -> Constancia:
    """RFC and idCIF from the QR in a photo of the paper (JPEG, PNG, WebP); bounded like `read`.

    Raises `ConstanciaRefused`.
    """
    _check_size(image)
    return _read("photo", image)


def _check_size(data: bytes) -> None:
    if not data:
        raise ConstanciaRefused("empty")
    if len(data) > LARGEST:
        raise ConstanciaRefused("too_large")


def _read(kind: str, data: bytes) -> Constancia:
    if not _SEATS.acquire(timeout=_SECONDS_FOR_A_SEAT):
        raise ConstanciaRefused("busy")
    try:
        answer = _ask(kind, data)
    finally:
        _SEATS.release()
    try:
        said = json.loads(answer)
        code = said.get("refused") if isinstance(said, dict) else "damaged"
        if code is None:
            return Constancia.of_json(said.get("read"))
    except ValueError:
        code = "damaged"
    raise ConstanciaRefused(code if code in REFUSALS else "damaged")


def _ask(kind: str, data: bytes) -> bytes:
    """The process's answer. It is given no environment and can say nothing on our terminal."""
    process = subprocess.Popen(  # noqa: S603 # a module of ours, with two fixed arguments
        [sys.executable, "-I", "-m", "cfdi.constancia.child", kind],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
        cwd="/",
    )
    with process:
        try:
            answer, _ = process.communicate(data, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            # What is too much work ends by the limit on it: this machine has no time to spare.
            raise ConstanciaRefused("busy") from None
        finally:
            process.kill()
    # Ended by a limit, or by itself for one.
    if process.returncode:
        raise ConstanciaRefused("too_complex")
    return answer
