"""Meta's Graph API and a gateway of SMS, over a socket, that answer what a test tells them.

The Graph API's answers are those of
https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "EAAG" + "x" * 40
PHONE_ID = "106540352242922"
TAKEN = {"messaging_product": "whatsapp", "messages": [{"id": "wamid.HBgM", "message_status": "accepted"}]}  # fmt: skip  # noqa: E501


def graph_error(code: int, status: int = 400) -> tuple[int, dict[str, Any]]:
    error = {"message": f"(#{code}) told", "type": "OAuthException", "code": code}
    return status, {"error": error}


@dataclass(frozen=True)
class Got:
    path: str
    authorization: str
    body: dict[str, Any]


@dataclass
class Provider:
    """`instead`: one answer each: status and JSON, or cut, half, drip, silent, huge, not_json."""

    port: int = 0
    got: list[Got] = field(default_factory=list)
    instead: list[tuple[int, Any] | str] = field(default_factory=list)
    #: Called when a message has come, before it is answered.
    on_message: Callable[[], None] = lambda: None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sms(self) -> dict[str, str]:
        return {"url": f"json://127.0.0.1:{self.port}/sms/{{telefono}}"}

    @property
    def whatsapp(self) -> dict[str, str]:
        return {
            "url": self.url,
            "phone_id": PHONE_ID,
            "token": TOKEN,
            "template": "factura_disponible",
            "language": "es_MX",
        }

    def numbers(self) -> list[str]:
        """To whom anything was sent, in order."""
        return [one.body.get("to") or one.path.rpartition("/")[2] for one in self.got]


@contextmanager
def running() -> Iterator[Provider]:
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(length))
            authorization = self.headers.get("Authorization", "")
            provider.got.append(Got(self.path, authorization, body))
            provider.on_message()
            answer = provider.instead.pop(0) if provider.instead else (200, TAKEN)
            if isinstance(answer, str):
                getattr(self, answer)()
            else:
                self._say(answer[0], json.dumps(answer[1]).encode())

        def _say(self, status: int, body: bytes, length: int | None = None) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body) if length is None else length))
            self.end_headers()
            self.wfile.write(body)

        def cut(self) -> None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        def half(self) -> None:
            self._say(200, b'{"messages": [', length=500)
            self.cut()

        def drip(self) -> None:
            self._say(200, b"", length=100_000)
            for _ in range(600):
                try:
                    self.wfile.write(b" ")
                    self.wfile.flush()
                except OSError:
                    break
                time.sleep(0.05)
            self.close_connection = True

        def silent(self) -> None:
            time.sleep(5)
            self.close_connection = True

        def huge(self) -> None:
            self.send_response(200)
            self.end_headers()
            try:
                for _ in range(20):
                    self.wfile.write(b" " * 1024 * 1024)
            except OSError:
                pass
            self.close_connection = True

        def not_json(self) -> None:
            self._say(200, b"<html>" + b"[" * 100_000)

        def log_message(self, *_args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_args: object) -> None:
            pass  # the client went away, as it should

    server = Server(("127.0.0.1", 0), Handler)
    provider.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield provider
    server.shutdown()
    server.server_close()
    thread.join()
