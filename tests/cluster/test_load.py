"""Twenty jobs of two tenants at once, over two encoders."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis as redis_py

from functions.jobs import layout
from functions.jobs.admission import SPARE_SLOTS
from tests.cluster.installation import JOB_S, NAMESPACE, NEIGHBOUR, TENANT, Installation
from tests.cluster.podlogs import PodLogs, following
from tests.e2e.inbox import Receiver

pytestmark = pytest.mark.cluster

JOBS = 20
ENCODERS = 2


@dataclass(slots=True)
class Most:
    """The largest numbers that were ever seen at once."""

    slots: int = 0
    encoders: int = 0


@contextmanager
def counting(installation: Installation) -> Iterator[Most]:
    most = Most()
    over = threading.Event()
    state = installation.redis

    def look() -> None:
        while not over.wait(0.5):
            # Whether Redis answers is not what is tested here.
            with suppress(redis_py.RedisError):
                keys: Any = state.keys("*:slots:cpu")
                for key in keys:
                    held: Any = state.zcard(key)
                    most.slots = max(most.slots, held)
            most.encoders = max(most.encoders, len(installation.pods_of("encoder")))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield most
    finally:
        over.set()
        thread.join()
        state.close()


def test_twenty_jobs_share_two_encoders_and_nothing_is_done_twice(
    installation: Installation, inboxes: dict[str, Receiver], short: Path, figures: list[str]
) -> None:
    tenants = [TENANT, NEIGHBOUR] * (JOBS // 2)
    with following(NAMESPACE) as logs, counting(installation) as most:
        with ThreadPoolExecutor(4) as pool:
            dropped = list(
                pool.map(
                    lambda each: installation.drop(
                        short,
                        f"load-{each[0]}.mp4",
                        tenant=each[1],
                        options={"chunk-segments": "1"},
                    ),
                    enumerate(tenants),
                )
            )
        jobs = installation.ended(dropped, within_s=2 * JOB_S)
    reports = [installation.report(job) for job in jobs.values()]
    assert all(reports), [job for job in jobs.values() if not installation.report(job)]
    installation.assert_exact(jobs[dropped[0]], short)
    for key in dropped[1::4]:
        installation.assert_exact(jobs[key], short, frames_of=False)

    tasks = [task for report in reports for task in report["tasks"]]
    encoded = Counter(
        (line.record["job"], line.record["task"])
        for line in logs.of("encoder-")
        if line.record.get("message") == "encoded" and line.record["job"] in jobs.values()
    )
    assert sum(encoded.values()) == len(encoded) == len(tasks)
    assert not installation.below(layout.PARKED_PREFIX)
    assert not list(logs.of("deadletter-"))
    assert _statuses(logs).keys() == {204}
    assert 0 < most.slots <= ENCODERS + SPARE_SLOTS
    assert most.encoders == ENCODERS
    _assert_fair(tasks, reports)
    seconds = max(task["finished_s"] for task in tasks) - min(task["started_s"] for task in tasks)
    figures.append(
        f"load: {JOBS} jobs, {len(tasks)} tasks in {seconds:.0f} s; most slots {most.slots},"
        f" encoders {most.encoders}; answers of functions {dict(_statuses(logs))}"
    )


def _statuses(logs: PodLogs) -> Counter[int]:
    """How functions answered events."""
    return Counter(
        line.record["status"]
        for line in logs.lines
        if line.container == "function" and line.record.get("message") == "handled"
    )


def _assert_fair(tasks: list[Any], reports: list[Any]) -> None:
    """Of the first half of what began, a third at least is each tenant's."""
    owner = {
        (task["started_s"], task["id"]): report["tenant"]
        for report in reports
        for task in report["tasks"]
    }
    first = sorted(owner)[: len(owner) // 2]
    shares = Counter(owner[each] for each in first)
    assert min(shares[TENANT], shares[NEIGHBOUR]) >= len(first) / 3, shares
