"""What the gateway counts, for Prometheus: requests by route, never by tenant or thing."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from eventing.errors import Unavailable
from functions.jobs import layout
from functions.ports import Clock, ObjectStore

_log = logging.getLogger(__name__)

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
KEPT_S: Final = 10.0
"""How long what was counted in the store is believed: several scrapers cost no more than one."""
MOST: Final = 10_000
"""Of what is counted by listing."""
_BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0)


class Meters:
    """The counters of one process, and what the store says at the time of asking."""

    def __init__(self, store: ObjectStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._counted_s = float("-inf")
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "kinora_gateway_requests",
            "Requests that were answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "kinora_gateway_request_duration_seconds",
            "Time from a request's first byte to its answer's last.",
            ("route",),
            buckets=_BUCKETS_S,
            registry=self._registry,
        )
        self._open = Gauge(
            "kinora_gateway_requests_open",
            "Requests that are being answered, streams among them.",
            registry=self._registry,
        )
        self._jobs = self._gauge("jobs_open", "Jobs without a verdict that was told.")
        self._parked = self._gauge("events_parked", "Events that wait to be delivered again.")
        self._due = self._gauge("webhooks_due", "Messages whose next delivery is overdue.")
        self._uploads = self._gauge("uploads_open", "Uploads that are begun and not complete.")

    def request(self, method: str, route: str, status: int, took_s: float) -> None:
        """Count an answer. What no route took counts as one route: anybody can ask for anything."""
        name = route or "none"
        known = method if method in _METHODS else "other"
        self._requests.labels(known, name, str(status)).inc()
        self._seconds.labels(name).observe(took_s)

    @contextmanager
    def open_request(self) -> Iterator[None]:
        self._open.inc()
        try:
            yield
        finally:
            self._open.dec()

    def text(self) -> bytes:
        """Everything, as Prometheus reads it; what cannot be counted now is NaN."""
        now_s = self._clock()
        if now_s - self._counted_s >= KEPT_S:
            try:
                self._look(now_s)
            except Unavailable as error:
                # Most of all when storage is away, somebody wants to see the requests.
                _log.warning("not counted", extra={"facts": {"reason": error.reason}})
                for gauge in (self._jobs, self._parked, self._uploads, self._due):
                    gauge.set(math.nan)
            self._counted_s = now_s
        return generate_latest(self._registry)

    def _look(self, now_s: float) -> None:
        self._jobs.set(self._count(layout.OPEN_PREFIX))
        self._parked.set(self._count(layout.PARKED_PREFIX))
        self._uploads.set(self._count(layout.UPLOADING_PREFIX))
        self._due.set(self._overdue(now_s))

    def _gauge(self, name: str, meaning: str) -> Gauge:
        about = f"{meaning} At most {MOST}; every replica tells the same."
        return Gauge(f"kinora_{name}", about, registry=self._registry)

    def _count(self, prefix: str) -> int:
        return sum(1 for _ in islice(self._store.list(prefix), MOST))

    def _overdue(self, now_s: float) -> int:
        until = f"{layout.DUE_PREFIX}{round(now_s * 1000):015d}"
        count = 0
        for info in islice(self._store.list(layout.DUE_PREFIX), MOST):
            if info.key > until:
                break
            count += 1
        return count


disable_created_metrics()  # type: ignore[no-untyped-call]
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
