"""Figures for Prometheus: counters of this process, and gauges read from the job store when asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from storage.errors import JobStoreDownError
from storage.job_store.contract import UpkeepStore
from storage.job_store.queue_contract import QueueStore

# A label that a client invents would be kept, and told to Prometheus, until the process ends.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})
OTHER_METHOD = "other"
NO_ROUTE = "none"


class CountedStore(QueueStore, UpkeepStore, Protocol):
    """What the figures need of the job store: how many jobs there are, and the repairs that were made."""


class _Jobs(Collector):
    """Jobs waiting and active, and repairs; left out, with `rungs_job_store_up 0`, while the store is away."""

    def __init__(self, store: CountedStore) -> None:
        self._store = store

    def describe(self) -> Iterator[Metric]:
        """Name nothing beforehand, so that registering does not ask the store."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        try:
            counts, repairs, faults = self._store.counts(), self._store.repairs(), self._store.faults()
        except JobStoreDownError:
            yield GaugeMetricFamily("rungs_job_store_up", "Whether the job store answers.", value=0)
            return
        yield GaugeMetricFamily("rungs_job_store_up", "Whether the job store answers.", value=1)
        yield GaugeMetricFamily("rungs_jobs_waiting", "Jobs that wait to be started.", value=counts.waiting)
        yield GaugeMetricFamily("rungs_jobs_active", "Jobs being worked on.", value=counts.active)
        repaired = CounterMetricFamily("rungs_repairs", "What the janitor mended, by kind.", labels=("repair",))
        for name, count in sorted(repairs.items()):
            repaired.add_metric((name,), count)
        yield repaired
        text = "Faults of single jobs that a loop passed over, by loop."
        passed_over = CounterMetricFamily("rungs_faults", text, labels=("place",))
        for place, count in sorted(faults.items()):
            passed_over.add_metric((place,), count)
        yield passed_over


class Metrics:
    """The process's figures, in a registry of their own so that several apps can live in one process."""

    def __init__(self, store: CountedStore) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "rungs_http_requests", "Requests answered.", ("method", "route", "status"), registry=self._registry
        )
        self.uploads = Counter("rungs_uploads", "Uploads by how they ended.", ("outcome",), registry=self._registry)
        self.upload_bytes = Counter("rungs_upload_bytes", "Bytes of files received.", registry=self._registry)
        self.problems = Counter("rungs_problems", "Errors answered, by code.", ("code",), registry=self._registry)
        self._registry.register(_Jobs(store))

    def count(self, method: str, route: str | None, status: int) -> None:
        """Count an answered request; `route` is the rule that it matched, never its path."""
        known = method if method in METHODS else OTHER_METHOD
        self.requests.labels(known, route or NO_ROUTE, str(status)).inc()

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Add a gauge whose value is read whenever the figures are asked for."""
        Gauge(name, text, registry=self._registry).set_function(read)

    def text(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        return generate_latest(self._registry)
