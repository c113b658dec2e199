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
    response.headers.setdefault(
        "Content-Security-Policy", _POLICY + (" ".join(origins) or "'none'")
    )
    if not origins:
        response.headers.setdefault("X-Frame-Options", "DENY")
    response.headers.setdefault("Cache-Control", "no-store")
    for name, value in _FIXED.items():
        response.headers.setdefault(name, value)
    return response
