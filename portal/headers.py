"""Headers of every page of ours: no third party, no frame but the named ones, nothing kept."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flask import Response

#: An origin as CSP takes it; anything else in a setting (a space, a semicolon) is left out.
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]{1,253}(:\d{1,5})?")

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors "
)
_FIXED = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def secure(response: Response, frame_ancestors: Sequence[str] = ()) -> Response:
    """Set what is not set yet. `frame_ancestors`: origins that may frame this answer."""
    origins = [origin for origin in frame_ancestors if _ORIGIN.fullmatch(origin)]
    ours = {
        "Content-Security-Policy": _POLICY + (" ".join(origins) or "'none'"),
        "Cache-Control": "no-store",
        **_FIXED,
    }
    if not origins:
        ours["X-Frame-Options"] = "DENY"
    # `setdefault` looks through all headers for each of these, which takes three times as long.
    present = {name.lower() for name in response.headers.keys()}  # noqa: SIM118 - iterating gives pairs
    response.headers.extend({k: v for k, v in ours.items() if k.lower() not in present})
    return response
