"""`/connect/<platform>`: a merchant lets a shop hand its keys over by its own page of consent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import flask
import structlog
from flask import Blueprint

from connectors import net
from connectors.abilities import Subscribes
from connectors.connecting import ConnectingRefused, Grants, HandsOver, Malformed
from connectors.contract import ConnectionFacts, Connector, DeliveryUnreadable
from hub.settings import Settings
from hub.steps import handoff
from hub.steps.context import Context
from hub.web.asked import Seats
from hub.web.connect import MAX_BODY, refused
from hub.web.consent import Answer, Consent, cookie_name
from hub.web.grants import Granting
from portal.buyer.limits import OutcomeLimits
from portal.connect import pages

log = structlog.get_logger(__name__)

AT_ONCE: Final = 3

TEMPLATES = Path(pages.__file__).parent / "templates"


def blueprint(ctx: Context, settings: Settings) -> Blueprint:
    """The form, the way back and the callback of every connector whose shops are asked for keys."""
    made = Blueprint("handoff", __name__, template_folder=str(TEMPLATES))
    made.before_request(_bound_the_body)
    limits = OutcomeLimits(settings.redis_url or "")
    for platform, connector in ctx.connectors.items():
        pages_of: _HandOff | Granting
        if isinstance(connector, HandsOver):
            pages_of = _HandOff(ctx, settings, connector, connector, limits)
        elif isinstance(connector, Grants):
            pages_of = Granting(ctx, settings, connector, connector, limits)
        else:
            continue
        path = f"/connect/{platform}"
        made.add_url_rule(path, f"{platform}_form", pages_of.form)
        made.add_url_rule(path, f"{platform}_begin", pages_of.begin, methods=["POST"])
        made.add_url_rule(f"{path}/return", f"{platform}_return", pages_of.back)
        if isinstance(pages_of, _HandOff):
            made.add_url_rule(
                f"{path}/callback", f"{platform}_callback", pages_of.callback, methods=["POST"]
            )
    return made


def _bound_the_body() -> None:
    flask.request.max_content_length = MAX_BODY


def _sent_by_a_page(request: flask.Request) -> bool:
    """Whether a browser followed another site's redirect or link, not somebody's typing or a
    program that reads addresses again: https://www.w3.org/TR/fetch-metadata/"""
    came_from = request.headers.get("Sec-Fetch-Site", "")
    navigates = request.headers.get("Sec-Fetch-Mode", "") == "navigate"
    return navigates and came_from in {"cross-site", "same-site"}


@dataclass(frozen=True, slots=True)
class _HandOff:
    ctx: Context
    settings: Settings
    connector: Connector
    consent: HandsOver
    limits: OutcomeLimits
    seats: Seats = field(default_factory=lambda: Seats(AT_ONCE))

    @property
    def _consent(self) -> Consent:
        return Consent(
            self.ctx, self.settings, self.connector, self.consent.title, self.limits, self._begun
        )

    def form(self) -> Answer:
        return self._consent.form()

    def begin(self) -> Answer:
        return self._consent.begin()

    def _begun(self, code: str, typed: str) -> Answer:
        begun = handoff.begin(self.ctx, self.connector.platform, code, self._settled(typed))
        base = f"{self.ctx.public_url}{self._consent.path}"
        url = self.consent.consent_url(
            begun.account,
            nonce=begun.nonce,
            return_url=f"{base}/return",
            callback_url=f"{base}/callback",
        )
        return self._consent.sent_on(url, begun)

    def _settled(self, typed: str) -> str:
        """The shop's own address, looked up: its user is sent there, and keys are bound to it."""
        allow_private = self.settings.allow_private_hosts
        account = net.shop_url(typed, allow_private=allow_private)
        if not isinstance(self.connector, Subscribes):
            return account
        with self.seats.taken():
            return self.connector.settle(
                ConnectionFacts("", account, {"allow_private": allow_private})
            )

    def back(self) -> Answer:
        """`GET …/return`: by the browser. Nothing is believed without what it began with."""
        nonce, agreed = self.consent.returned(flask.request.args)
        try:
            outcome = handoff.came_back(
                self.ctx,
                self.connector,
                nonce,
                flask.request.cookies.get(cookie_name(nonce), ""),
                agreed=agreed,
                allow_private=self.settings.allow_private_hosts,
            )
        except ConnectingRefused as error:
            return pages.back("taken", start=self._consent.path, status=error.status)
        strange = outcome is handoff.Returned.UNKNOWN and agreed and _sent_by_a_page(flask.request)
        if strange and handoff.somebody_else_agreed(self.ctx, nonce):
            log.warning("hand_off_by_somebody_else", platform=self.connector.platform)
        waiting = outcome is handoff.Returned.WAITING
        again = flask.request.full_path if waiting else ""
        status = 404 if outcome is handoff.Returned.UNKNOWN else 200
        return pages.back(outcome.value, start=self._consent.path, again=again, status=status)

    def callback(self) -> Answer:
        """`POST …/callback`: by the shop. 200 alone makes it keep the key it made."""
        try:
            nonce, given = self.consent.handed(flask.request.get_data(cache=False))
            self._take(nonce, given)
        except DeliveryUnreadable as error:
            return refused(Malformed(str(error)))
        except ConnectingRefused as error:
            log.warning("keys_refused", platform=self.connector.platform, code=error.code)
            return refused(error)
        return flask.jsonify(received=True), 200

    def _take(self, nonce: str, given: Mapping[str, str]) -> None:
        with self.seats.tried() as seated:
            handoff.keys_came(
                self.ctx,
                self.connector,
                nonce,
                given,
                allow_private=self.settings.allow_private_hosts,
                ask=seated,
            )
