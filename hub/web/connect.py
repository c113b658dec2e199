"""`/connect/<platform>/…`: what shops ask of the hub, as their connectors declare it."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from flask import Blueprint, Response, jsonify, request

from connectors.connecting import (
    ConnectingRefused,
    Page,
    Redirect,
    Route,
    Speaks,
)
from hub.settings import Settings
from hub.steps.context import Context
from hub.web.asked import asked
from hub.web.desk import HubDesk
from portal.buyer.limits import OutcomeLimits
from portal.headers import secure

log = structlog.get_logger(__name__)

MAX_BODY = 64 * 1024


def blueprint(ctx: Context, settings: Settings) -> Blueprint:
    """One rule for each route of each installed connector."""
    made = Blueprint("connect", __name__)
    limits = OutcomeLimits(settings.redis_url or "")
    made.before_request(_bound_the_body)
    for platform, connector in ctx.connectors.items():
        if not isinstance(connector, Speaks):
            continue
        desk = HubDesk(ctx, settings, connector, limits)
        for number, route in enumerate(connector.routes):
            made.add_url_rule(
                f"/connect/{platform}{route.path}",
                f"{platform}_{number}",
                _Answering(ctx, desk, route),
                methods=[route.method],
            )
    return made


@dataclass(frozen=True, slots=True)
class _Answering:
    ctx: Context
    desk: HubDesk
    route: Route

    @property
    def __name__(self) -> str:
        return "connect"

    def __call__(self, **values: str) -> tuple[Response, int]:
        body = request.get_data(cache=False)
        question = asked(self.ctx.clock.now(), body=body, values=values)
        try:
            told = self.route.answer(question, self.desk)
        except ConnectingRefused as error:
            return refused(error)
        if isinstance(told, Page):
            return _shown(told), told.status
        if isinstance(told, Redirect):
            return _sent_on(told), 303
        return jsonify(told), 200


def refused(error: ConnectingRefused) -> tuple[Response, int]:
    told = {"code": error.code, "message": error.message, "message_es": error.message_es}
    return jsonify(error=told), error.status


def _bound_the_body() -> None:
    request.max_content_length = MAX_BODY


def _shown(page: Page) -> Response:
    """A page of the connector's own. The headers that it names stand; the rest is ours."""
    answer = Response(page.html, page.status, content_type="text/html; charset=utf-8")
    answer.headers.update(page.headers)
    answer = secure(answer)
    given = {name.lower() for name in page.headers}
    # Who may frame the page is said by its policy, which a browser that reads both prefers.
    if "content-security-policy" in given and "x-frame-options" not in given:
        del answer.headers["X-Frame-Options"]
    return answer


def _sent_on(redirect: Redirect) -> Response:
    if not redirect.url.startswith(("https://", "http://", "/")) or "\\" in redirect.url:
        raise ValueError("a redirect to no address of the web")
    answer = Response("", 303, {"Location": redirect.url})
    answer.headers.update(redirect.headers)
    return answer
