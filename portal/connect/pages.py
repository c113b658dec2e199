"""The pages of connecting, in the language of the request. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import flask
from flask import Response

from portal.buyer.pages import in_other_language, words
from portal.headers import secure


def wait(seconds: int) -> Response:
    """A buyer's page that comes back by itself, and says 503 to whoever is no person."""
    query = flask.request.args.to_dict()
    tries = query.get("n", "0")
    query["n"] = (
        str(int(tries) + 1) if tries.isascii() and tries.isdigit() and len(tries) < 4 else "1"
    )
    again = f"{flask.request.path}?{urlencode(query)}"
    page = flask.render_template(
        "connect/espera.html",
        seconds=seconds,
        again=again,
        in_other_language=in_other_language("c", "n"),
        **words(),
    )
    return _answer(page, 503, {"Retry-After": str(seconds)})


def form(
    title: str,
    csrf_token: str,
    *,
    code: str = "",
    store_url: str = "",
    field_errors: Mapping[str, str] | None = None,
    general_errors: Sequence[str] = (),
    status: int = 200,
    onward: str = "",
    apps: Mapping[str, str] | None = None,
    app: str = "",
) -> Response:
    """The merchant's form. `onward`: schemes its answer may lead the browser to.

    `apps`: those to choose from, by id; `app` is chosen already.
    """
    page = flask.render_template(
        "connect/tienda.html",
        title=title,
        csrf_token=csrf_token,
        code=code,
        store_url=store_url,
        field_errors=field_errors or {},
        general_errors=general_errors,
        apps=apps or {},
        app=app,
        **words(),
    )
    answer = secure(_answer(page, status, {}))
    # Chromium holds the redirect that answers a form to form-action as well.
    policy = answer.headers["Content-Security-Policy"]
    answer.headers["Content-Security-Policy"] = policy.replace(
        "form-action 'self'", f"form-action 'self' {onward}".rstrip()
    )
    return answer


def back(outcome: str, *, start: str, again: str = "", status: int = 200) -> Response:
    """Where the browser comes back to from the shop: "connected", "waiting", "denied", "taken",
    or anything else that went wrong."""
    page = flask.render_template(
        "connect/vuelta.html", outcome=outcome, start=start, again=again, **words()
    )
    return _answer(page, status, {})


def _answer(page: str, status: int, headers: Mapping[str, Any]) -> Response:
    answer = Response(page, status, content_type="text/html; charset=utf-8")
    answer.headers.update(headers)
    answer.vary.add("Accept-Language")
    return answer
