"""Numbers for Prometheus. No label ever names a merchant, a sale or a person."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from hub.domain.states import State
from hub.steps.context import Context

REGISTRY = CollectorRegistry()

RECEIVED = Counter(
    "autofactura_webhooks_total",
    "Webhook deliveries by what became of them, of this process",
    ["platform", "outcome"],
    registry=REGISTRY,
)


def text(ctx: Context) -> bytes:
    """All numbers in Prometheus' text format. Raises `StoreError`."""
    # A registry of its own each time, which asks the store once and only for this application.
    stored = CollectorRegistry()
    stored.register(_Stored(list(_stored(ctx))))
    return generate_latest(REGISTRY) + generate_latest(stored)


class _Stored(Collector):
    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> list[Metric]:
        return self._metrics


def _stored(ctx: Context) -> Iterator[Metric]:
    """What the database says now, the same from every process."""
    due = GaugeMetricFamily("autofactura_due", "Promises due now", labels=["queue"])
    dead = GaugeMetricFamily("autofactura_dead_letters", "Promises given up, up to 1000")
    invoices = GaugeMetricFamily("autofactura_invoices", "Invoices by state", labels=["state"])
    days = GaugeMetricFamily("autofactura_csd_days_left", "Days until the first CSD expires")
    now, counts, expiry = ctx.clock.now(), dict.fromkeys(State, 0), []
    with ctx.store.reading() as tx:
        for queue, number in tx.outbox.due(None).items():
            due.add_metric([queue], number)
        dead.add_metric([], len(tx.outbox.dead(1000)))
        for merchant in tx.merchants.list():
            tenant = tx.tenant(merchant.id)
            for state, number in tenant.invoices.count().items():
                counts[state] += number
            if until := tenant.csd.active_until(now):
                expiry.append(until)
    for state, number in counts.items():
        invoices.add_metric([state.value], number)
    if expiry:
        days.add_metric([], (min(expiry) - now).total_seconds() / 86400)
    yield from (due, dead, invoices, days)
