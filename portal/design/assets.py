"""Style sheets, scripts and icons: named by the hash of their content, kept for a year."""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import flask
from flask import Blueprint, Response
from flask.sansio.app import App
from markupsafe import Markup

from portal.headers import allow_style, secure
from portal.zipped import zipped

_HERE = Path(__file__).parent
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_COMMENT = re.compile(rb"/\*.*?\*/", re.DOTALL)
_BLANK = re.compile(rb"\s*\n\s*")
YEAR = 365 * 24 * 3600
#: The parts of the style sheet; later ones may overrule earlier ones.
STYLES = ("tokens", "base", "components", "adapt")
#: The script of the buttons that copy; part of the one script of a page that has such a button.
COPY = _HERE / "copy.js"


@dataclass(frozen=True, slots=True)
class Asset:
    name: str
    content_type: str
    body: bytes
    zipped: bytes
    digest: str

    @property
    def filename(self) -> str:
        stem, dot, ending = self.name.rpartition(".")
        return f"{stem}.{self.digest}{dot}{ending}"


def load(name: str, *files: Path) -> Asset:
    """One asset of one or more files, in this order; of style sheets without their comments."""
    body = b"\n".join(file.read_bytes() for file in files)
    if name.endswith(".css"):
        body = _BLANK.sub(b"\n", _COMMENT.sub(b"", body)).strip()
    digest = hashlib.sha256(body).hexdigest()[:16]
    content_type = _TYPES[Path(name).suffix]
    return Asset(name, content_type, body, gzip.compress(body, 9, mtime=0), digest)


class Shelf:
    """The assets of one application."""

    def __init__(self) -> None:
        self._assets: dict[str, Asset] = {}

    def add(self, asset: Asset) -> None:
        self._assets[asset.name] = asset

    def url(self, name: str) -> str:
        return flask.url_for("design.asset", filename=self._assets[name].filename)

    def style(self, name: str) -> Markup:
        """The sheet within the page, which is painted a round trip sooner than with a link."""
        return style(self._assets[name].body.decode())

    def answer(self, filename: str) -> Response:
        """The asset; of another version (an old page, a new server) the current one, not kept."""
        stem, _, rest = filename.partition(".")
        digest, _, ending = rest.partition(".")
        asset = self._assets.get(f"{stem}.{ending}")
        if asset is None:
            flask.abort(404)
        return answer_with(asset, digest)


def style(css: str) -> Markup:
    """A `<style>` that this request's answer is allowed to have."""
    allow_style(css)
    return Markup("<style>{}</style>").format(Markup(css))  # noqa: S704 - our own files and colours


def answer_with(asset: Asset, digest: str) -> Response:
    """For this request; kept by browsers only if it is the one that was asked for."""
    zipped = flask.request.accept_encodings["gzip"] > 0
    response = Response(asset.zipped if zipped else asset.body, mimetype=asset.content_type)
    response.headers["Vary"] = "Accept-Encoding"
    if zipped:
        response.headers["Content-Encoding"] = "gzip"
    if digest == asset.digest:
        response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    return secure(response)


def init_app(app: App) -> Shelf:
    """Give the application the layout and its parts, once however many surfaces ask for them."""
    shelf = app.extensions.get("design")
    if isinstance(shelf, Shelf):
        return shelf
    shelf = Shelf()
    shelf.add(load("app.css", *(_HERE / f"{part}.css" for part in STYLES)))
    shelf.add(load("icon.svg", _HERE / "icon.svg"))
    shelf.add(load("wait.js", _HERE / "wait.js"))
    app.extensions["design"] = shelf
    app.jinja_env.globals |= {"asset_url": shelf.url, "asset_style": shelf.style}
    app.after_request(zipped)
    blueprint = Blueprint("design", __name__, template_folder="templates")
    blueprint.add_url_rule("/assets/<filename>", "asset", shelf.answer)
    app.register_blueprint(blueprint)
    return shelf
