"""A merchant's looks on its buyers' pages: its colours as a style sheet, its logo, its host.

A page wears a brand once it is known whose it is (`wear`); what depends on it asks `worn`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

import flask
from flask import Blueprint, Response
from flask.sansio.app import App
from markupsafe import Markup

from hub.domain import addresses
from hub.domain.brand import Brand
from hub.domain.colors import Palette, palettes
from portal.design.assets import YEAR, style
from portal.headers import secure

_NOBODYS: Final = Brand()
#: What machines ask for by any host, and what is the same for all.
_EVERYWHERE: Final = ("/health", "/ready", "/webhooks/", "/assets/", "/tls/")
#: All there is at a merchant's own host.
_OF_BUYERS: Final = re.compile(r"/|/robots\.txt|/(f|s|facturar|baja)(/.*)?")


class Brands(Protocol):
    """Where pages learn of merchants."""

    def at_host(self, host: str) -> Brand | None:
        """Of the merchant whose own host that is."""
        ...

    def logo(self, merchant_id: str) -> tuple[str, bytes] | None:
        """Digest and PNG."""
        ...


class NoBrands:
    """For an application of one look."""

    def at_host(self, _host: str) -> Brand | None:
        return None

    def logo(self, _merchant_id: str) -> tuple[str, bytes] | None:
        return None


def wear(brand: Brand) -> None:
    """From here on this request's pages are that merchant's."""
    flask.g.brand = brand


def worn() -> Brand:
    """The brand of this request's pages; an empty one while nobody's."""
    found: Brand | None = flask.g.get("brand")
    return found or _NOBODYS


@dataclass(frozen=True, slots=True)
class House:
    """A host of a merchant's own, through which this request came."""

    merchant_id: str
    origin: str


def house() -> House | None:
    """None at the hub's own host, and at any that nobody registered."""
    found: House | None = flask.g.get("house")
    return found


def is_elsewhere(merchant_id: str) -> bool:
    """Whether this request came by the host of another merchant, where that one is unknown."""
    here = house()
    return here is not None and here.merchant_id != merchant_id


@dataclass(frozen=True, slots=True)
class _Wardrobe:
    brands: Brands
    public_url: str

    def look_at_host(self) -> None:
        """Before each request: a merchant's host serves that merchant, and pages of buyers only."""
        path = flask.request.path
        name = addresses.host_of(flask.request.host)
        own = addresses.host_of(self.public_url.partition("://")[2])
        if not name or name == own or path.startswith(_EVERYWHERE):
            return
        brand = self.brands.at_host(name)
        if brand is None:
            return
        origin = addresses.origin_at(self.public_url, name).lower()
        flask.g.house = House(brand.merchant_id, origin)
        wear(brand)
        if not _OF_BUYERS.fullmatch(path):
            flask.abort(404)

    def logo(self, merchant: str, digest: str) -> Response:
        """The logo; where it was replaced since, the one of now, not kept."""
        found = self.brands.logo(merchant)
        if found is None:
            flask.abort(404)
        response = Response(found[1], mimetype="image/png")
        if found[0] == digest:
            response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
        return secure(response)


def init_app(app: App, brands: Brands, public_url: str) -> None:
    """Give the application the merchants' looks, and their hosts."""
    wardrobe = _Wardrobe(brands, public_url)
    made = Blueprint("brand", __name__)
    made.add_url_rule("/assets/brand/<merchant>.<digest>.png", "logo", wardrobe.logo)
    made.before_app_request(wardrobe.look_at_host)
    app.jinja_env.globals |= {"worn": worn, "brand_style": _style}
    app.register_blueprint(made)


@lru_cache(maxsize=256)
def style_sheet(color: str) -> str:
    """The colours of one `#rrggbb`, for both themes."""
    light, dark = palettes(color)
    return (
        f":root{{{_tokens(light)}}}\n"
        f"@media (prefers-color-scheme:dark){{:root{{{_tokens(dark)}}}}}\n"
    )


def _tokens(palette: Palette) -> str:
    return (
        f"--accent:{palette.accent};--accent-strong:{palette.accent_strong};"
        f"--accent-soft:{palette.accent_soft};--on-accent:{palette.on_accent}"
    )


def _style() -> Markup | str:
    """Of the brand that is worn, to follow the pages' own; "" if it has no colour."""
    color = worn().pagina.color.lower()
    return style(style_sheet(color)) if color else ""
