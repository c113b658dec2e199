"""The Flask application: machines' routes of `hub.web`, people's pages of `portal`."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from flask import Flask, Response, abort, request
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response as BaseResponse

from hub.domain.purchase import FiscalForm
from hub.settings import Settings
from hub.steps.brand import Brands
from hub.steps.buyer import Buyer
from hub.web import connect, handoff, health, hosts, links, reports, webhooks
from hub.web.home import home, only_here
from hub.wiring import Hub
from hub.work.channels import statuses
from portal.buyer import routes as buyer
from portal.buyer.settings import PageSettings
from portal.headers import secure

log = structlog.get_logger(__name__)

#: One of SAT's fictitious taxpayers; the sandbox PAC has it in its register.
TEST_BUYER = FiscalForm(
    rfc="CACX7605101P8", nombre="XOCHILT CASAS CHAVEZ", cp="36257", regimen="612", uso="G03"
)


def create_app(
    hub: Hub, settings: Settings, *, demo_merchant: Callable[[], str | None] = lambda: None
) -> Flask:
    """Everything that answers HTTP, on one hub."""
    app = Flask("hub", static_folder=None)
    # Behind a proxy the buyer's address is in X-Forwarded-For; only as many hops as were stated are
    # believed. https://werkzeug.palletsprojects.com/en/stable/middleware/proxy_fix/
    if settings.proxy_hops:
        hops = settings.proxy_hops
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]  # as Flask documents it
    app.before_request(_sayable)
    # Registered first, so that it runs last: what a page has set stays.
    app.after_request(_secure)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(Exception, _failed)
    app.register_blueprint(webhooks.blueprint(hub.ctx))
    app.register_blueprint(reports.blueprint(hub.ctx, statuses))
    app.register_blueprint(health.blueprint(hub.ctx, hub.redis_answers))
    app.register_blueprint(connect.blueprint(hub.ctx, settings))
    app.register_blueprint(handoff.blueprint(hub.ctx, settings))
    app.register_blueprint(links.blueprint(hub.ctx, settings))
    app.register_blueprint(hosts.blueprint(hub.ctx))
    page = PageSettings(
        public_url=settings.public_url,
        secret_key=settings.secret_key,
        test_data=TEST_BUYER,
        redis_url=settings.redis_url or "",
        home=lambda: home(hub.ctx, settings, hub.redis_answers, demo_merchant),
        brands=Brands(hub.ctx),
        clock=hub.ctx.clock,
    )
    app.register_blueprint(buyer.blueprint(Buyer(hub.ctx), page))
    if only_here(settings):
        # Of no use to a hub at work: not even its code is loaded there.
        from portal.design import gallery  # noqa: PLC0415 - only here

        app.register_blueprint(gallery.blueprint(page))
    return app


def _sayable() -> None:
    """No address of ours has a NUL, and PostgreSQL fails where it is asked for one."""
    if "\0" in request.path:
        abort(404)


def _secure(response: Response) -> Response:
    if response.status_code == 308:
        # Werkzeug's own, of `/f//x`, to whatever host the visitor named.
        response.location = "/" + (response.location or "").removeprefix(request.host_url)
        response.set_data(b"")
    return response if "Content-Security-Policy" in response.headers else secure(response)


def _refused(error: HTTPException) -> Response | BaseResponse:
    """No such page, no such method: without a word of the address, which may hold a token."""
    answer = error.get_response()
    if error.code is None or error.code < 400:
        return answer
    plain = Response(f"{error.code} {error.name}\n", error.code, content_type="text/plain")
    if "Allow" in answer.headers:
        plain.headers["Allow"] = answer.headers["Allow"]
    return plain


def _failed(error: Exception) -> Response:
    log.error("request_failed", exc_info=error)
    text = "Algo falló de nuestro lado. / Something failed on our side.\n"
    return Response(text, 500, content_type="text/plain; charset=utf-8")
