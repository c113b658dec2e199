"""What the web server keeps of what is sent to it, on a socket of this machine."""

from __future__ import annotations

import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request
from waitress.adjustments import Adjustments

from hub.work.server import MAX_BODY, PAGE_BODY, bounded
from tests.waitresses import looped

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest.fixture
def port() -> Iterator[int]:
    app = Flask("told")

    @app.route("/<path:_path>", methods=["GET", "POST"])
    def told(_path: str) -> str:
        length = request.content_length
        request.max_content_length = PAGE_BODY if not _path.startswith("webhooks") else None
        return f"{length} {len(request.get_data())}"

    server = bounded(app, "127.0.0.1", 0, threads=2)
    with looped(server):
        yield server.effective_port


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of the test's own: others leave nameless files in this process too."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def on_disk() -> int:
    """Bytes of files of this test that have no name any more, as temporary ones have none."""
    found = 0
    for one in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            place = str(one.readlink())
            if place.startswith(tempfile.gettempdir()) and place.endswith("(deleted)"):
                found += one.stat().st_size
    return found


def sent(
    port: int, path: str, body: bytes, more: bytes = b"", head: str = "", above: int = -1
) -> Any:
    """An answer, and what was on the disk before the last of the body came.

    Where more than `above` is to be there it is waited for.
    """
    length = head or f"Content-Length: {len(body) + len(more)}"
    with socket.create_connection(("127.0.0.1", port), timeout=180) as here:
        here.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\n{length}\r\n\r\n".encode() + body)
        time.sleep(0.5)
        until = time.monotonic() + 180
        while (meanwhile := on_disk()) <= above and time.monotonic() < until:
            time.sleep(0.02)
        here.sendall(more)
        answer = HTTPResponse(here)
        answer.begin()
        return f"{answer.status} {answer.read().decode()}", meanwhile


def test_of_a_page_s_post_nothing_is_ever_on_a_disk(port: int) -> None:
    before = on_disk()
    for size in (PAGE_BODY + 10, 2_000_000):
        answer, meanwhile = sent(port, "/f/token/constancia", b"a" * (size - 5), b"a" * 5)
        assert answer.startswith("413"), answer
        assert meanwhile == before
    answer, meanwhile = sent(port, "/f/token/constancia", b"a" * (PAGE_BODY - 5), b"a" * 5)
    assert f"{PAGE_BODY} {PAGE_BODY}" in answer
    assert meanwhile == before


def test_what_shops_deliver_comes_whole(port: int) -> None:
    """And it is how the test above sees what it must not see."""
    before = on_disk()
    answer, meanwhile = sent(port, "/webhooks/x", b"a" * 1_999_995, b"a" * 5, above=before)
    assert "2000000 2000000" in answer
    assert meanwhile > before
    answer, _ = sent(port, "/webhooks/x", b"", head=f"Content-Length: {MAX_BODY}")
    assert answer.startswith("413")


def test_a_body_without_a_length_has_an_end_as_well(port: int) -> None:
    before = on_disk()
    chunk = b"10000\r\n" + b"a" * 65536 + b"\r\n"
    answer, meanwhile = sent(
        port, "/facturar", chunk * 8, b"1\r\na\r\n", head="Transfer-Encoding: chunked"
    )
    assert answer.startswith("413"), answer
    assert meanwhile == before
    answer, _ = sent(port, "/facturar", chunk, b"0\r\n\r\n", head="Transfer-Encoding: chunked")
    assert "65536 65536" in answer


def test_the_bound_is_that_of_waitress() -> None:
    assert Adjustments.inbuf_overflow >= PAGE_BODY
