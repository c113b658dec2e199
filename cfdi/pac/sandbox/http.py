"""The little HTTP the sandbox needs, on WSGI and the standard library."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIEnvironment

BODY_MAX: Final = 8 * 1024 * 1024


class BadRequest(Exception):
    """The message is for whoever asked."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes
    content_type: str = "application/json; charset=utf-8"
    #: More bytes are announced than come: the server then cuts the connection.
    cut: bool = False

    def send(self, start_response: StartResponse) -> Iterable[bytes]:
        length = len(self.body) + (1000 if self.cut else 0)
        start_response(
            f"{self.status} {HTTPStatus(self.status).phrase}",
            [
                ("Content-Type", self.content_type),
                ("Content-Length", str(length)),
                ("Cache-Control", "no-store"),
            ],
        )
        return [self.body]


def answer(data: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(data, ensure_ascii=False).encode())


def success(data: object, **more: object) -> Reply:
    return answer({"data": data, "status": "success"} | more)


def failure(message: str, status: int = 400, detail: str = "", data: object = None) -> Reply:
    return answer(
        {"message": message, "messageDetail": detail, "data": data, "status": "error"}, status
    )


def body_of(environ: WSGIEnvironment) -> bytes:
    """Raises `BadRequest` for one that is too long or of unknown length."""
    try:
        length = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        raise BadRequest("Content-Length is no number") from None
    if not 0 <= length <= BODY_MAX:
        raise BadRequest(f"at most {BODY_MAX} bytes", 413)
    data = environ["wsgi.input"].read(length)
    if not isinstance(data, bytes) or len(data) != length:
        raise BadRequest("the request was cut off")
    return data


def json_of(environ: WSGIEnvironment) -> dict[str, Any]:
    """An object. Only application/json: a page in a browser cannot send that to another site."""
    if environ.get("CONTENT_TYPE", "").partition(";")[0].strip() != "application/json":
        raise BadRequest("Content-Type must be application/json", 415)
    try:
        found = json.loads(body_of(environ))
    except (ValueError, RecursionError):
        raise BadRequest("the body must be JSON") from None
    if not isinstance(found, dict):
        raise BadRequest("the body must be a JSON object")
    return found


def file_of(environ: WSGIEnvironment, name: str) -> bytes | None:
    """A part of a multipart/form-data body (RFC 7578), byte for byte; None if there is none."""
    kind, _, parameters = environ.get("CONTENT_TYPE", "").partition(";")
    _, _, boundary = parameters.partition("boundary=")
    mark = boundary.partition(";")[0].strip().strip('"').encode("latin-1")
    if kind.strip().lower() != "multipart/form-data" or not mark:
        return None
    for part in (b"\r\n" + body_of(environ)).split(b"\r\n--" + mark)[1:]:
        head, gap, content = part.partition(b"\r\n\r\n")
        if gap and b'name="' + name.encode() + b'"' in head:
            return content
    return None
