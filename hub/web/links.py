"""`GET /s/<platform>/<connection>/<order>?c=…`: addresses that shops write for their buyers.

Some platforms put an id that nobody guesses into an address, and can compute nothing: without `c`
what names the order is the proof as well.
"""

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
from portal.brand import is_elsewhere
from portal.buyer.limits import OutcomeLimits
from portal.buyer.pages import message_page, page_url
from portal.connect import pages
from portal.visitors import looks

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
#: So often an order that its shop may be making just now is looked for: 24 seconds in all.
PATIENT_VISITS: Final = 4
#: What no order and no proof is longer than, or has in it.
_ORDER: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
#: A proof of the hub's making has 43 characters; a platform's own number of the order has fewer.
_PROOF: Final = re.compile(r"[A-Za-z0-9_-]{6,100}")
#: An order that is its own proof, and whatever else nobody guesses.
_OWN_PROOF: Final = re.compile(r"[A-Za-z0-9_-]{20,100}")
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
        own = "c" not in flask.request.args
        order = _TAIL.sub("", order) if own else order
        proof = order if own else _TAIL.sub("", flask.request.args["c"])
        door = self._door(platform, connection, order)
        shape = _OWN_PROOF if own else _PROOF
        if door is None or not (_ORDER.fullmatch(order) and shape.fullmatch(proof)):
            return self._unknown()
        # Before anything is looked up: else who guesses would be let in by the first right one.
        guessable, guessed = not _OWN_PROOF.fullmatch(proof), f"{door.id}/{order}"
        if guessable and not self._limits.guess_allowed(flask.request.remote_addr, guessed):
            return message_page("demasiados", 429)
        token, soon = visit.known(self._ctx, door, order, proof), False
        if token is None:
            if guessable:
                self._limits.guess(guessed)
            if not looks(flask.request):
                return pages.wait(self._seconds())
            if not self._limits.look_allowed(flask.request.remote_addr):
                return message_page("demasiados", 429)
            try:
                token = self._asked(door, order, proof)
            except (TimeoutError, visit.Unclear):
                return pages.wait(self._seconds())
            # Whatever the shop said of it: whether there is such an order is told to nobody.
            soon = token is None and guessable and self._comes(door, order)
        return self._unknown(soon=soon) if token is None else flask.redirect(page_url(token), 303)

    def _door(self, platform: str, name: str, order: str) -> Connection | None:
        """By its id, or by the account, where that is a name which a shop's own pages know."""
        with self._ctx.store.reading() as tx:
            connection = tx.doors.connection(name)
            if connection is None and "." in name:
                connection = visit.door_of(tx, platform, name.lower(), order)
        if connection is None or is_elsewhere(connection.merchant_id):
            return None
        return connection if connection.platform == platform else None

    def _asked(self, door: Connection, order: str, proof: str) -> str | None:
        """Raises `TimeoutError`, or what the question raised."""
        future = self._questions.ask(
            (door.id, order, proof), door.id, lambda: visit.asked(self._ctx, door, order, proof)
        )
        if future is None or not self._questions.wait(future, BUDGET_SECONDS):
            raise TimeoutError
        return future.result()

    def _comes(self, door: Connection, order: str) -> bool:
        return self._tries() < PATIENT_VISITS and visit.may_come(self._ctx, door, order)

    def _unknown(self, *, soon: bool = False) -> flask.typing.ResponseReturnValue:
        if not self._limits.wrong_token(flask.request.remote_addr):
            return message_page("demasiados", 429)
        return pages.wait(self._seconds()) if soon else message_page("desconocida", 404)

    def _seconds(self) -> int:
        """Soon at first, then less and less often: the page counts its own visits."""
        return min(3 + 2 * self._tries(), 60)

    def _tries(self) -> int:
        tries = flask.request.args.get("n", "0")
        return int(tries) if tries.isascii() and tries.isdigit() and len(tries) < 4 else 0


def _refused(error: HTTPException) -> tuple[str, int]:
    return message_page("rehusada", error.code or 400)


def _failed(error: Exception) -> tuple[str, int]:
    """Logged by place and kind only: the address holds the proof."""
    log.error("shop_link_failed", exc_info=error)
    return message_page("falla", 500)
