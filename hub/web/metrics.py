"""Numbers for Prometheus. No label ever names a merchant, a sale or a person."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily, Metric

from hub.domain.states import State
from hub.steps.context import Context

REGISTRY = CollectorRegistry()

RECEIVED = Counter(
    "autofactura_webhooks_total",
    "Webhook deliveries by what became of them, of this process",
    ["platform", "outcome"],
    registry=REGISTRY,
)


class StoreCollector:
    """What the database says now, the same from every process."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    def collect(self) -> Iterator[Metric]:
        due = GaugeMetricFamily("autofactura_due", "Promises due now", labels=["queue"])
        dead = GaugeMetricFamily("autofactura_dead_letters", "Promises given up, up to 1000")
        invoices = GaugeMetricFamily("autofactura_invoices", "Invoices by state", labels=["state"])
        days = GaugeMetricFamily("autofactura_csd_days_left", "Days until the first CSD expires")
        with self._ctx.store.reading() as tx:
            for queue, number in tx.outbox.due(None).items():
                due.add_metric([queue], number)
            dead.add_metric([], len(tx.outbox.dead(1000)))
            counts, expiry = dict.fromkeys(State, 0), []
            for merchant in tx.merchants.list():
                tenant = tx.tenant(merchant.id)
                for state, number in tenant.invoices.count().items():
                    counts[state] += number
                active = tenant.csd.active(self._ctx.clock.now())
                if active:
                    expiry.append(active.not_after)
        for state, number in counts.items():
            invoices.add_metric([state.value], number)
        if expiry:
            days.add_metric([], (min(expiry) - self._ctx.clock.now()).total_seconds() / 86400)
        yield from (due, dead, invoices, days)
