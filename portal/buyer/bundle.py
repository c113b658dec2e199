"""All documents that somebody holds the links of, in one file.

Which links those are only the buyer's browser knows, if it was told to remember them.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import flask
from flask import Blueprint, Response

from hub.domain.purchase import FiscalForm, Paper
from portal.buyer.counter import Answer, Counter, see
from portal.buyer.pages import message_page

#: Links of one bundle; a browser remembers no more.
MOST = 50
#: Bundles that are made at a time by one process: each holds a thread, and the processor, for as
#: long as it takes to print its documents.
AT_ONCE = 2
_SEATS = threading.BoundedSemaphore(AT_ONCE)
#: A link as it stands in an address; a pass, which shows no document, has a dot.
_LINK = re.compile(r"[A-Za-z0-9_-]{20,100}")


def add(made: Blueprint, counter: Counter) -> None:
    """`/f/<token>/zip`."""
    routes = _Routes(counter)
    made.add_url_rule("/f/<token>/zip", "paquete", routes.send, methods=["POST"])
    made.add_url_rule("/f/<token>/zip", "paquete_back", routes.back, methods=["GET"])


class _Routes:
    def __init__(self, counter: Counter) -> None:
        self._counter = counter

    def send(self, token: str) -> Answer:
        purchase = self._counter.found(token)
        refusal = self._counter.refuse(token, purchase, FiscalForm())
        if refusal is not None:
            return refusal
        if not self._counter.limits.bundle_allowed(flask.request.remote_addr):
            return message_page("demasiados", 429)
        links = [one for one in flask.request.form.getlist("enlace") if _LINK.fullmatch(one)]
        papers = self._counter.service.bundle(token, links[:MOST])
        if papers is None:
            return message_page("sin_documento", 404)
        pieces = _seated(zipped(papers))
        if pieces is None:
            return message_page("ocupado", 503)
        response = Response(pieces, mimetype="application/zip")
        response.headers.set("Content-Disposition", "attachment", filename="facturas.zip")
        return response

    def back(self, token: str) -> Answer:
        return see(token)


class _Sink:
    """Where the archive is written, in pieces that are taken away; it holds one document."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """For `ZipFile`."""

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


def _seated(pieces: Iterator[bytes]) -> Iterator[bytes] | None:
    """The same, in a seat until they are read or nobody reads on; None where there is none."""
    if not _SEATS.acquire(blocking=False):
        return None

    def held() -> Iterator[bytes]:
        try:
            yield b""
            yield from pieces
        finally:
            _SEATS.release()

    begun = held()
    next(begun)  # one that has not begun would not come to its end when it is closed
    return begun


def zipped(papers: Iterable[Paper]) -> Iterator[bytes]:
    """A ZIP file, a document at a time."""
    sink = _Sink()
    with ZipFile(sink, "w") as archive:  # type: ignore[call-overload]  # it needs no more of a file
        for paper in papers:
            archive.writestr(ZipInfo(paper.name), paper.content, ZIP_DEFLATED)
            yield sink.take()
    yield sink.take()
