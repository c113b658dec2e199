"""`/health` (alive), `/ready` (able to work, 503 with the reason) and `/metrics`."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from hub.steps.context import Context
from hub.web.metrics import REGISTRY, StoreCollector


def blueprint(ctx: Context, redis_answers: Callable[[], bool | None]) -> Blueprint:
    """`redis_answers`: None where none is meant to be there."""
    health = Blueprint("health", __name__)
    collector = StoreCollector(ctx)

    @health.get("/health")
    def alive() -> Response:
        return jsonify(status="ok")

    @health.get("/ready")
    def ready() -> tuple[Response, int]:
        try:
            problems = _problems(ctx)
        except Exception:  # noqa: BLE001 - any failure means the same: not able to work
            problems = ["the database does not answer"]
        answers = redis_answers()
        redis = {True: "ok", False: "away", None: "none"}[answers]
        status = "unable" if problems else "ok" if answers else "degraded"
        return jsonify(status=status, redis=redis, problems=problems), 503 if problems else 200

    @health.get("/metrics")
    def metrics() -> Response:
        rows = CollectorView(collector)
        return Response(generate_latest(REGISTRY) + rows.render(), content_type=CONTENT_TYPE_LATEST)

    return health


class CollectorView:
    """Renders one collector alone: apps of one process each show their own store."""

    def __init__(self, collector: StoreCollector) -> None:
        self._collector = collector

    def collect(self) -> object:
        return self._collector.collect()

    def render(self) -> bytes:
        return generate_latest(self)  # type: ignore[arg-type]  # it asks for `collect` alone


def _problems(ctx: Context) -> list[str]:
    problems = []
    if pending := ctx.store.pending_migrations():
        problems.append(f"{len(pending)} migrations pending: run `autofactura migrate`")
    with ctx.store.reading() as tx:
        if not tx.leases.held("sweeper"):
            problems.append("no worker is running: start `autofactura worker`")
    return problems
