"""`/health` (alive), `/ready` (able to work, 503 with the reason) and `/metrics`."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST

from hub.steps.context import Context
from hub.store.errors import StoreError
from hub.web import metrics as numbers

log = structlog.get_logger(__name__)


def blueprint(ctx: Context, redis_answers: Callable[[], bool | None]) -> Blueprint:
    """`redis_answers`: None where none is meant to be there."""
    health = Blueprint("health", __name__)

    @health.get("/health")
    def alive() -> Response:
        return jsonify(status="ok")

    @health.get("/ready")
    def ready() -> tuple[Response, int]:
        problems = _problems(ctx)
        answers = redis_answers()
        redis = {True: "ok", False: "away", None: "none"}[answers]
        status = "unable" if problems else "ok" if answers else "degraded"
        return jsonify(status=status, redis=redis, problems=problems), 503 if problems else 200

    @health.get("/metrics")
    def metrics() -> Response:
        try:
            return Response(numbers.text(ctx), content_type=CONTENT_TYPE_LATEST)
        except StoreError as error:
            log.error("metrics_failed", exc_info=error)
            return Response("the database does not answer\n", 503, content_type="text/plain")

    return health


def _problems(ctx: Context) -> list[str]:
    try:
        with ctx.store.reading() as tx:
            working = tx.leases.held("sweeper")
        pending = ctx.store.pending_migrations()
    except Exception as error:
        log.error("not_ready", exc_info=error)
        return ["the database does not answer, or has no tables: run `autofactura migrate`"]
    problems = []
    if pending:
        problems.append(f"{len(pending)} migrations pending: run `autofactura migrate`")
    if not working:
        problems.append("no worker is running: start `autofactura worker`")
    return problems
