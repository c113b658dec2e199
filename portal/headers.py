"""Headers of every page of ours: no third party, no frame but the named ones, nothing kept."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence

import flask
from flask import Response

#: An origin as CSP takes it; anything else in a setting (a space, a semicolon) is left out.
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]{1,253}(:\d{1,5})?")

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'{styles}; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {frames}"
)
#: Of the page that reads the QR code of a ticket.
WITH_CAMERA = {
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=(), payment=(), usb=()"
}
_FIXED = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def allow_style(css: str) -> None:
    """Let this request's answer have `css` within a `<style>` of its own.

    Exactly these characters: https://www.w3.org/TR/CSP3/#match-element-to-source-list
    """
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    flask.g.setdefault("styles", {})[f"sha256-{digest}"] = True


def secure(response: Response, frame_ancestors: Sequence[str] = ()) -> Response:
    """Set what is not set yet. `frame_ancestors`: origins that may frame this answer."""
    origins = [origin for origin in frame_ancestors if _ORIGIN.fullmatch(origin)]
    ours = {
        "Content-Security-Policy": _POLICY.format(
            styles="".join(f" '{digest}'" for digest in flask.g.get("styles", ())),
            frames=" ".join(origins) or "'none'",
        ),
        "Cache-Control": "no-store",
        **_FIXED,
    }
    if not origins:
        ours["X-Frame-Options"] = "DENY"
    # `setdefault` looks through all headers for each of these, which takes three times as long.
    present = {name.lower() for name in response.headers.keys()}  # noqa: SIM118 - iterating gives pairs
    response.headers.extend({k: v for k, v in ours.items() if k.lower() not in present})
    return response
