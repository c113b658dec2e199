"""The HTTP of it: what came before is answered again, and all that goes wrong goes wrong."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from tests.fakes.stripe.account import Account
from tests.fakes.stripe.answers import Refused, answer


class FakeStripe:
    """A server on loopback for one account; also a context manager."""

    def __init__(self, account: Account | None = None, port: int = 0) -> None:
        self.account = account or Account()
        told = self.account

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30

            def do_GET(self) -> None:
                _serve(self, told)

            def do_POST(self) -> None:
                _serve(self, told)

            def do_DELETE(self) -> None:
                _serve(self, told)

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def _serve(handler: BaseHTTPRequestHandler, account: Account) -> None:
    length = int(handler.headers.get("content-length") or 0)
    body = handler.rfile.read(length).decode()
    parts = urlsplit(handler.path)
    params = nested(parts.query or body)
    headers = {name.lower(): value for name, value in handler.headers.items()}
    account.asked.append((handler.command, parts.path, params, headers))
    fault = account.fault(handler.command, parts.path)
    if fault and fault.kind == "drop":
        handler.close_connection = True
        return
    if fault and fault.kind == "slow":
        time.sleep(fault.seconds)
    if fault and fault.kind in {"404", "429", "500"}:
        words = {
            "404": ("invalid_request_error", "Unrecognized request URL"),
            "429": ("rate_limit", "Too many requests"),
            "500": ("api_error", "Sorry"),
        }
        kind, text = words[fault.kind]
        error = {"error": {"type": kind, "message": text}}
        _write(handler, int(fault.kind), error)
        return
    if fault and fault.kind == "redirect":
        _raw(handler, 302, b"", {"Location": "http://127.0.0.1:9/steal"})
        return
    if fault and fault.kind == "html":
        _raw(handler, 200, b"<html>maintenance</html>", {"Content-Type": "text/html"})
        return
    status, told, more = _answered(account, handler.command, parts.path, params, headers)
    if fault and fault.kind == "drop_after":
        handler.close_connection = True
        return
    _write(handler, status, told, more)


def _answered(
    account: Account, method: str, path: str, params: dict[str, Any], headers: dict[str, str]
) -> tuple[int, dict[str, Any], dict[str, str]]:
    once = headers.get("idempotency-key", "") if method == "POST" else ""
    same = json.dumps([path, params], sort_keys=True)
    with account.lock:
        if once in account.once:
            asked, status, told = account.once[once]
            if asked != same:
                error = Refused(400, "idempotency_error", "Keys for idempotent requests differ")
                return error.status, error.told, {}
            return status, told, {"Idempotent-Replayed": "true"}
        try:
            status, told = 200, answer(account, method, path, params, headers)
        except Refused as error:
            status, told = error.status, error.told
        if once and status not in {401, 403, 429}:
            account.once[once] = (same, status, told)
    return status, told, {}


def nested(text: str) -> dict[str, Any]:
    """`payment[type]=x` and `expand[]=y`, `expand[0]=y` as Stripe takes them."""
    found: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        head, *rest = name.replace("]", "").split("[")
        if not rest:
            found[head] = value
        elif rest[0] == "" or rest[0].isdigit():
            found.setdefault(head, []).append(value)
        else:
            found.setdefault(head, {})[rest[0]] = value
    return found


def _write(
    handler: BaseHTTPRequestHandler,
    status: int,
    told: dict[str, Any],
    more: dict[str, str] | None = None,
) -> None:
    headers = {"Content-Type": "application/json", "Request-Id": "req_test", **(more or {})}
    _raw(handler, status, json.dumps(told, indent=2).encode(), headers)


def _raw(
    handler: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str]
) -> None:
    try:
        handler.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)
    except OSError:
        handler.close_connection = True
