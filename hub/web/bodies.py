"""The body of a delivery, where its length is told and not too large; answers in plain text."""

from __future__ import annotations

from typing import Final

from flask import Response, request

#: A large order has some 200 KB, and platforms' own limits are below this. Meta sends a thousand
#: reports in one delivery at most, of half a KB each.
MAX_BODY: Final = 2 * 1024 * 1024


def delivered() -> bytes | Response:
    """What was sent, untouched; else the answer: 411 without a length, 413 if it is too large."""
    length = request.content_length
    if length is None:
        return plain(411, "a Content-Length is needed")
    if length > MAX_BODY:
        return plain(413, "too large")
    return request.get_data(cache=False)


def plain(status: int, text: str) -> Response:
    return Response(text + "\n", status, content_type="text/plain; charset=utf-8")
