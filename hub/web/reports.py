"""`/webhooks/whatsapp/<merchant>`: what Meta tells of a merchant's messages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hmac import compare_digest
from typing import Final, Protocol

import structlog
from flask import Blueprint, Response, request

from hub.steps import reported
from hub.steps.context import Context
from hub.steps.reported import Report
from hub.web.bodies import delivered, plain
from hub.web.metrics import RECEIVED

log = structlog.get_logger()

KIND: Final = "whatsapp"
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_.-]{1,200}")


class Dialect(Protocol):
    """How the provider signs and tells: `hub.work.channels.statuses`."""

    def is_signed(self, body: bytes, signature: str, secret: str) -> bool: ...

    def verify_token(self, secret: str) -> str: ...

    def read(self, body: bytes, phone_id: str) -> Iterable[Report]: ...


def blueprint(ctx: Context, dialect: Dialect) -> Blueprint:
    made = Blueprint("reports", __name__)

    @made.get(f"/webhooks/{KIND}/<merchant>")
    def shake_hands(merchant: str) -> Response:
        """Repeats the challenge to whoever was given the token; else 403."""
        hook = reported.hook(ctx, merchant, KIND)
        given = request.args.get("hub.verify_token", "").encode("utf-8", "replace")
        challenge = request.args.get("hub.challenge", "")
        if (
            hook is None
            or request.args.get("hub.mode") != "subscribe"
            or not compare_digest(given, dialect.verify_token(hook.secret).encode())
            or not _CHALLENGE.fullmatch(challenge)
        ):
            return plain(403, "no")
        return Response(challenge, mimetype="text/plain")

    @made.post(f"/webhooks/{KIND}/<merchant>")
    def take(merchant: str) -> Response:
        """200 taken or of no use; 401 signature, or no such merchant; 411, 413 size; 503."""
        body = delivered()
        if isinstance(body, Response):
            return body
        signature = request.headers.get("X-Hub-Signature-256", "")
        try:
            hook = reported.hook(ctx, merchant, KIND)
            if hook is None or not dialect.is_signed(body, signature, hook.secret):
                RECEIVED.labels(KIND, "refused").inc()
                return plain(401, "signature")
            news = reported.reported(ctx, merchant, KIND, dialect.read(body, hook.phone_id))
        except Exception as error:
            log.error("report_not_stored", channel=KIND, merchant=merchant, exc_info=error)
            return plain(503, "not stored, please send it again")
        RECEIVED.labels(KIND, "stored" if news else "ignored").inc()
        return plain(200, "taken")

    return made
