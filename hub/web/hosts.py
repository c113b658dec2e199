"""`GET /tls/ask?domain=…`: whether a proxy on this machine should get a certificate for a host.

Caddy asks before it does: https://caddyserver.com/docs/caddyfile/options#on-demand-tls
"""

from __future__ import annotations

import flask
from flask import Blueprint, Response

from hub.domain import addresses
from hub.settings import LOOPBACK
from hub.steps.context import Context


def blueprint(ctx: Context) -> Blueprint:
    made = Blueprint("hosts", __name__)

    @made.get("/tls/ask")
    def ask() -> Response:
        """200 for the hub's own host and those of merchants; 404 for others, and to strangers."""
        request = flask.request
        # What came through a proxy is a visitor's, whatever the proxy's own address.
        if request.remote_addr not in LOOPBACK or "X-Forwarded-For" in request.headers:
            flask.abort(404)
        name = addresses.host_of(request.args.get("domain", ""))
        if not name or not _known(ctx, name):
            flask.abort(404)
        return Response("yes\n", mimetype="text/plain")

    return made


def _known(ctx: Context, name: str) -> bool:
    if name == addresses.host_of(ctx.public_url.partition("://")[2]):
        return True
    with ctx.store.reading() as tx:
        return tx.doors.merchant_of_host(name) is not None
