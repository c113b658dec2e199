"""`GET /design`: every token, component and page, for who works on them. On a loopback hub only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import flask
from flask import Blueprint, Response

import portal.connect
from hub.clock import SystemClock
from portal.buyer.forms import FormSigner
from portal.buyer.pages import Pages
from portal.buyer.settings import PageSettings
from portal.design.examples import EXAMPLES
from portal.headers import secure

_TOKENS = Path(__file__).with_name("tokens.css").read_text("utf-8")
_DARK = "@media (prefers-color-scheme: dark)"
THEMES = ("light", "dark")


class _Still(SystemClock):
    """The day of the examples, ten days before the made purchase can no longer be invoiced."""

    def now(self) -> datetime:
        return datetime(2026, 11, 20, 18, tzinfo=UTC)


def tokens() -> Mapping[str, Mapping[str, str]]:
    """Name to value by theme; "dark" holds only what differs."""
    halves = _TOKENS.split(_DARK)
    return {
        theme: dict(re.findall(r"(--[a-z0-9-]+): ([^;]+);", half))
        for theme, half in zip(THEMES, halves, strict=True)
    }


def blueprint(settings: PageSettings) -> Blueprint:
    """The gallery, for an application that has the buyer's page as well."""
    gallery = _Gallery(settings)
    # The pages of connecting are drawn even where nothing can be connected.
    templates = Path(portal.connect.__file__).with_name("templates")
    made = Blueprint("gallery", __name__, template_folder=str(templates))
    made.add_url_rule("/design", "index", gallery.index)
    made.add_url_rule("/design/theme/<theme>.css", "theme", gallery.theme)
    made.add_url_rule("/design/<name>", "example", gallery.example)
    made.after_request(secure)
    return made


class _Gallery:
    def __init__(self, settings: PageSettings) -> None:
        still = replace(settings, clock=_Still())
        self._pages = Pages(still, FormSigner(still.secret_key, still.clock))

    def index(self) -> str:
        page = flask.render_template(
            "design/gallery.html",
            tokens=tokens(),
            examples=EXAMPLES,
            themes=THEMES,
            language="en",
        )
        return _themed(page)

    def example(self, name: str) -> str:
        if name not in EXAMPLES:
            flask.abort(404)
        return _themed(EXAMPLES[name](self._pages))

    def theme(self, theme: str) -> Response:
        """The tokens of one theme, whatever the reader's system prefers."""
        if theme not in THEMES:
            flask.abort(404)
        values = {**tokens()["light"], **tokens()[theme], "color-scheme": theme}
        body = "".join(f"{name}: {value};\n" for name, value in values.items())
        return Response(f":root {{\n{body}}}\n", mimetype="text/css")


def _themed(page: str) -> str:
    """With `?theme=dark` or `light`: in that theme."""
    theme = flask.request.args.get("theme", "")
    if theme not in THEMES:
        return page
    address = flask.url_for("gallery.theme", theme=theme)
    return page.replace("</head>", f'<link rel="stylesheet" href="{address}">\n</head>', 1)
