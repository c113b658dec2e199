"""Who asks for a page: somebody who looks at it, or a program that only passes by."""

from __future__ import annotations

from flask import Request


def looks(request: Request) -> bool:
    """False for a look-ahead: a HEAD, and what browsers fetch before anybody asked for it.

    Both names are in use: https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Sec-Purpose
    Nothing is asked of a shop for these. (A scanner of mail that says nothing of itself is a GET
    like any other, and changes nothing either.)
    """
    purpose = request.headers.get("Sec-Purpose") or request.headers.get("Purpose") or ""
    return request.method != "HEAD" and not purpose.lower().startswith(("prefetch", "prerender"))
