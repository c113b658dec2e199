"""Pages sent compressed, where nobody can learn a secret from their length (docs/decisions)."""

from __future__ import annotations

import zlib
from typing import Final

import flask
from flask import Response

#: Shorter ones fit into one packet as they are.
WORTHWHILE: Final = 1024
_LEVEL: Final = 6
#: zlib's word for a gzip header around the stream. https://docs.python.org/3/library/zlib.html
_AS_GZIP: Final = 31


def zipped(response: Response) -> Response:
    """The page as gzip, for a browser that takes it and sent nothing that lets it in elsewhere.

    A page that is the same for whoever asks for its address tells nothing by its length. One that
    depends on a cookie or a password might: https://www.breachattack.com
    """
    if response.mimetype != "text/html" or response.direct_passthrough:
        return response
    response.vary.add("Accept-Encoding")
    asked = flask.request
    lets_in = asked.headers.get("Cookie") or asked.authorization or "Set-Cookie" in response.headers
    if lets_in or asked.accept_encodings["gzip"] <= 0 or response.content_encoding:
        return response
    page = response.get_data()
    if len(page) >= WORTHWHILE:
        deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, _AS_GZIP)
        response.set_data(deflate.compress(page) + deflate.flush())
        response.content_encoding = "gzip"
    return response
