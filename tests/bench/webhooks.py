"""Webhooks on MinIO and Redis: how many a second, and what an endpoint that hangs costs others.

Verdicts are published to the broker of a real runtime, and its notifier tells two endpoints of one
tenant: one answers at once, the other takes every connection and never says a word. What is timed
is the healthy one, from the event's publication until the request is there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final
from unittest import mock

import pytest

from eventing.cloudevent import timestamp
from eventing.contract import JobFailed, digest, identity
from eventing.envelope import wrap
from eventing.publish import Publisher
from functions.adapters import connect
from functions.jobs import ending, layout
from functions.ports import ObjectStore
from knative.local.home import Home
from tests import receivers
from tests.bench.figure import at_least, at_most, plain
from tests.e2e import services
from tests.e2e.command import until
from tests.e2e.services import PREFIX, TENANT, Town

BURST: Final = 300
PER_S: Final = 10
ALONE_S: Final = 10
BESIDE_S: Final = 25
"""Longer than an attempt at an endpoint that hangs, which is what it is about."""
WRITERS: Final = 16

BURST_PER_S: Final = 20.0
BURST_SHARE: Final = 0.5
"""Of the rate alone, that is left beside the other one."""
WORST_S: Final = 1.5

OPTIONS: Final = ("--tick", "10", "--idle", "60")


def measure(scratch: Path) -> list[dict[str, Any]]:
    try:
        with _site(scratch) as site:
            site.paced(2)  # starts the notifier
            site.burst(BURST // 3)
            calm = site.paced(ALONE_S)
            alone = site.burst(BURST)
            site.register(receivers.hang)
            calm_beside = site.paced(BESIDE_S)
            beside = site.burst(BURST)
            return [
                at_least("webhooks per second", alone.per_s, BURST_PER_S),
                at_least(
                    "webhooks per second beside an endpoint that hangs, of those alone",
                    beside.per_s / alone.per_s,
                    BURST_SHARE,
                ),
                *_delays(f"webhooks, {PER_S} a second", calm),
                *_delays(f"webhooks, {PER_S} a second, beside an endpoint that hangs", calm_beside),
                plain("attempts at the endpoint that hangs", float(site.hung)),
            ]
    except pytest.skip.Exception as missing:
        return [plain("webhooks", f"not measured: {missing}")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    per_s: float
    delays_s: Sequence[float]
    """Ascending."""


@dataclass(slots=True)
class Site:
    """A town whose only endpoints are ours."""

    town: Town
    store: ObjectStore
    publish: Publisher
    doors: ExitStack
    came_s: dict[str, float] = field(default_factory=dict)
    """When the healthy endpoint was first told of each event."""
    hung: int = 0
    _numbers: Iterator[int] = field(default_factory=count)

    def register(self, reply: receivers.Reply) -> None:
        """Another endpoint."""

        def noted(handler: receivers.Handler) -> None:
            if reply is receivers.hang:
                self.hung += 1
            else:
                self.came_s.setdefault(handler.headers["webhook-id"], time.monotonic())
            reply(handler)

        there = self.doors.enter_context(receivers.receiver(noted))
        with self.town.api as api:
            api.post("/webhooks", json={"url": there.url}).raise_for_status()

    def paced(self, for_s: int) -> Told:
        """One after the other, at an even pace."""
        begun_s = time.monotonic()
        sent_s = {}
        for number in range(for_s * PER_S):
            time.sleep(max(0.0, begun_s + number / PER_S - time.monotonic()))
            event, at_s = self._end(next(self._numbers))
            sent_s[event] = at_s
        return self._all(sent_s)

    def burst(self, number: int) -> Told:
        """As fast as they can be published."""
        numbers = [next(self._numbers) for _ in range(number)]
        with ThreadPoolExecutor(WRITERS) as pool:
            return self._all(dict(pool.map(self._end, numbers)))

    def _end(self, number: int) -> tuple[str, float]:
        """End a job and publish it: the event, and when that began."""
        job = digest("bench", str(number))
        self.store.create(layout.open_marker(job), b"")
        ending.decide(
            self.store, job=job, tenant=TENANT, state="failed", code="deadline",
            reason="Too late.", now_s=time.time(),
        )  # fmt: skip
        event = JobFailed(job=job, tenant=TENANT, code="deadline", reason="Too late.")
        began_s = time.monotonic()
        self.publish(wrap(event, producer="assembler", time=timestamp(time.time())))
        return identity(event), began_s

    def _all(self, sent_s: dict[str, float]) -> Told:
        until("every webhook is there", lambda: sent_s.keys() <= self.came_s.keys())
        came_s = [self.came_s[name] for name in sent_s]
        return Told(
            per_s=len(sent_s) / (max(came_s) - min(sent_s.values())),
            delays_s=sorted(self.came_s[name] - at_s for name, at_s in sent_s.items()),
        )


@contextmanager
def _site(folder: Path) -> Iterator[Site]:
    with services.town(folder, options=OPTIONS) as town, ExitStack() as doors:
        with mock.patch.dict(os.environ, dict(town.env)):
            store = connect.object_store(f"s3://{PREFIX}")
        with town.api as api:
            for endpoint in api.get("/webhooks").json()["endpoints"]:
                api.delete(f"/webhooks/{endpoint['endpoint']}").raise_for_status()
        publisher = Publisher(Home(folder / "site").broker_url())
        doors.callback(publisher.close)
        site = Site(town, store, publisher, doors)
        site.register(lambda handler: handler.answer(204))
        yield site


def _delays(name: str, told: Told) -> list[dict[str, Any]]:
    delays_s = told.delays_s
    return [
        plain(f"{name}: delay p50, s", delays_s[len(delays_s) // 2]),
        plain(f"{name}: delay p99, s", delays_s[int(len(delays_s) * 0.99)]),
        at_most(f"{name}: worst delay, s", delays_s[-1], WORST_S),
    ]
