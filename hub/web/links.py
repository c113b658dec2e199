"""`GET /s/<platform>/<connection>/<order>?c=…`: addresses that shops write for their buyers."""

from __future__ import annotations

import re
from typing import Final

import flask
import structlog
from flask import Blueprint
from werkzeug.exceptions import HTTPException

from hub.settings import Settings
from hub.steps import visit
from hub.steps.context import Context
from hub.steps.questions import Questions
from hub.store.records import Connection
from portal.buyer.limits import OutcomeLimits
from portal.buyer.pages import message_page, page_url
from portal.connect import pages

log = structlog.get_logger(__name__)

#: How long a buyer looks at an empty page before one that says what is going on.
BUDGET_SECONDS: Final = 2.5
#: Questions at once by one process, and to one shop, so that a slow one is not in others' way.
#: Whoever comes meanwhile waits on the page.
AT_ONCE: Final = 16
AT_ONE_SHOP: Final = 4
#: Visitors of one process who may wait for a shop: each holds a thread that deliveries and other
#: merchants' buyers need as well (hub/commands/run.py).
PATIENT: Final = 4
#: What no order and no proof is longer than, or has in it.
_ORDER: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")
_PROOF: Final = re.compile(r"[A-Za-z0-9_-]{20,100}")
#: Mail programs leave a full stop or a bracket at the end of an address.
_TAIL: Final = re.compile(r"[^A-Za-z0-9_-]+$")


def blueprint(ctx: Context, settings: Settings) -> Blueprint:
    links = _Links(ctx, OutcomeLimits(settings.redis_url or ""))
    made = Blueprint("shop_links", __name__)
    made.add_url_rule("/s/<platform>/<connection>/<order>", "order", links.order)
    made.register_error_handler(HTTPException, _refused)
    made.register_error_handler(Exception, _failed)
    return made


class _Links:
    def __init__(self, ctx: Context, limits: OutcomeLimits) -> None:
        self._ctx, self._limits = ctx, limits
        self._questions: Questions[tuple[str, str, str], str | None] = Questions(
            "shop-link", at_once=AT_ONCE, at_one_shop=AT_ONE_SHOP, seats=PATIENT
        )

    def order(self, platform: str, connection: str, order: str) -> flask.typing.ResponseReturnValue:
        proof = _TAIL.sub("", flask.request.args.get("c", ""))
        door = self._door(platform, connection)
        if door is None or not (_ORDER.fullmatch(order) and _PROOF.fullmatch(proof)):
            return self._unknown()
        token = visit.known(self._ctx, door, order, proof)
        if token is None:
            if not self._limits.look_allowed(flask.request.remote_addr):
                return message_page("demasiados", 429)
            try:
                token = self._asked(door, order, proof)
            except (TimeoutError, visit.Unclear):
                return pages.wait(self._seconds())
        return self._unknown() if token is None else flask.redirect(page_url(token), 303)

    def _door(self, platform: str, connection_id: str) -> Connection | None:
        with self._ctx.store.reading() as tx:
            connection = tx.doors.connection(connection_id)
        return connection if connection and connection.platform == platform else None

    def _asked(self, door: Connection, order: str, proof: str) -> str | None:
        """Raises `TimeoutError`, or what the question raised."""
        future = self._questions.ask(
            (door.id, order, proof), door.id, lambda: visit.asked(self._ctx, door, order, proof)
        )
        if future is None or not self._questions.wait(future, BUDGET_SECONDS):
            raise TimeoutError
        return future.result()

    def _unknown(self) -> tuple[str, int]:
        if self._limits.wrong_token(flask.request.remote_addr):
            return message_page("desconocida", 404)
        return message_page("demasiados", 429)

    def _seconds(self) -> int:
        """Soon at first, then less and less often: the page counts its own visits."""
        tries = flask.request.args.get("n", "0")
        number = int(tries) if tries.isascii() and tries.isdigit() and len(tries) < 4 else 0
        return min(3 + 2 * number, 60)


def _refused(error: HTTPException) -> tuple[str, int]:
    return message_page("rehusada", error.code or 400)


def _failed(error: Exception) -> tuple[str, int]:
    """Logged by place and kind only: the address holds the proof."""
    log.error("shop_link_failed", exc_info=error)
    return message_page("falla", 500)
