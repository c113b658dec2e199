"""Style sheets, scripts and icons: named by the hash of their content, kept for a year."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

import flask
from flask import Blueprint, Response
from flask.sansio.app import App

from portal.headers import secure

_HERE = Path(__file__).parent
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_YEAR = 365 * 24 * 3600


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
    """One asset of one or more files, in this order."""
    body = b"\n".join(file.read_bytes() for file in files)
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

    def answer(self, filename: str) -> Response:
        """The asset; of another version (an old page, a new server) the current one, not kept."""
        stem, _, rest = filename.partition(".")
        digest, _, ending = rest.partition(".")
        asset = self._assets.get(f"{stem}.{ending}")
        if asset is None:
            flask.abort(404)
        zipped = flask.request.accept_encodings["gzip"] > 0
        response = Response(asset.zipped if zipped else asset.body, mimetype=asset.content_type)
        response.headers["Vary"] = "Accept-Encoding"
        if zipped:
            response.headers["Content-Encoding"] = "gzip"
        if digest == asset.digest:
            response.headers["Cache-Control"] = f"public, max-age={_YEAR}, immutable"
        return secure(response)


def init_app(app: App) -> Shelf:
    """Give the application the layout and `asset_url`, once however many surfaces ask for them."""
    shelf = app.extensions.get("design")
    if isinstance(shelf, Shelf):
        return shelf
    shelf = Shelf()
    shelf.add(load("app.css", *(_HERE / f"{part}.css" for part in ("tokens", "components"))))
    shelf.add(load("icon.svg", _HERE / "icon.svg"))
    app.extensions["design"] = shelf
    app.jinja_env.globals["asset_url"] = shelf.url
    blueprint = Blueprint("design", __name__, template_folder="templates")
    blueprint.add_url_rule("/assets/<filename>", "asset", shelf.answer)
    app.register_blueprint(blueprint)
    return shelf
