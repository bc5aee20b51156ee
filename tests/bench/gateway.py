"""The gateway as a process of its own: how many questions it answers, what its streams cost.

On a folder with SQLite, and on MinIO with Redis where those are installed.
"""

from __future__ import annotations

import asyncio
import os
import resource
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest import mock

import psutil
import pytest

from eventing.contract import digest
from functions.adapters import connect
from functions.jobs import leases, record
from functions.ports import ObjectStore, StateStore, Waiting
from tests import servers, trails
from tests.bench.asking import Stream, saturate
from tests.bench.figure import at_least, at_most, plain
from tests.gateway_process import Running, gateway
from tests.s3_buckets import fresh_buckets

JOBS: Final = 20
CHUNKS: Final = 60
ASKING_S: Final = 5.0
CONNECTIONS: Final = 16
STREAMS: Final = 500
WATCHING_S: Final = 8

STATUS_PER_S: Final = 100.0
STREAM_KIB: Final = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What a gateway works on."""

    name: str
    objects: str
    settings: dict[str, str]
    store: ObjectStore
    state: StateStore


def measure(scratch: Path) -> list[dict[str, Any]]:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    rows = _rows(_on_folder(scratch / "folder"), scratch / "folder")
    try:
        with _on_services(scratch / "services") as site:
            rows += _rows(site, scratch / "services")
    except pytest.skip.Exception as missing:
        rows.append(plain("on MinIO and Redis", f"not measured: {missing}"))
    return rows


def _on_folder(folder: Path) -> Site:
    folder.mkdir()
    objects = str(folder / "objects")
    return Site(
        name="folder, SQLite",
        objects=objects,
        settings={},
        store=connect.object_store(objects),
        state=connect.state_store(str(folder / "state.sqlite")),
    )


@contextmanager
def _on_services(folder: Path) -> Iterator[Site]:
    folder.mkdir()
    with servers.minio(folder / "minio") as minio, servers.redis(folder / "redis") as redis:
        objects = fresh_buckets(minio)
        settings = {**minio.environment, "KINORA_STATE": redis.url}
        with mock.patch.dict(os.environ, settings):
            yield Site(
                name="MinIO, Redis",
                objects=objects,
                settings=settings,
                store=connect.object_store(objects),
                state=connect.state_store(redis.url),
            )


def _rows(site: Site, folder: Path) -> list[dict[str, Any]]:
    jobs = [_encoding(site, digest("bench", str(number))) for number in range(JOBS)]
    settings = {**site.settings, "KINORA_OPEN_TO": trails.TENANT}
    with gateway(folder, store=site.objects, env=settings) as running:
        paths = [f"/api/v1/jobs/{job}" for job in jobs]
        asyncio.run(saturate(running.url, paths, connections=CONNECTIONS, for_s=1.0))
        asked = asyncio.run(saturate(running.url, paths, connections=CONNECTIONS, for_s=ASKING_S))
        rows = [
            at_least(f"job status per second, {site.name}", asked.per_s, STATUS_PER_S),
            plain(f"job status p50, {CONNECTIONS} connections, ms, {site.name}", asked.p50_ms),
            plain(f"job status p99, {CONNECTIONS} connections, ms, {site.name}", asked.p99_ms),
        ]
        return rows + asyncio.run(_streams(site, running, jobs[0]))


def _encoding(site: Site, job: str) -> str:
    """A job of sixty chunks, a sixth of them done, two at work."""
    plan = trails.plan_of(CHUNKS, job=job)
    for key, kept in (trails.manifest(job=job), trails.plan(plan)):
        site.store.create(key, record.dump(kept))
    for task in plan.tasks[: CHUNKS // 6]:
        _complete(site, job, task.id)
    for order, task in enumerate(plan.tasks[CHUNKS // 6 : CHUNKS // 6 + 2]):
        waiting = Waiting(
            job=job,
            generation=1,
            task=task.id,
            tenant=trails.TENANT,
            accelerator="cpu",
            order=order,
        )
        site.state.enqueue([waiting])
        site.state.acquire(leases.task(job, 1, task.id), "bench/1", ttl_s=600)
    site.state.admit("cpu", cause=job, limit=2 * JOBS, ttl_s=600)
    return job


def _complete(site: Site, job: str, task: str) -> None:
    key, kept = trails.receipt(task, job=job)
    site.store.create(key, record.dump(kept))


async def _streams(site: Site, running: Running, job: str) -> list[dict[str, Any]]:
    """Open them all on one job, and let a task of it end about every second."""
    process = psutil.Process(running.process.pid)
    path = f"/api/v1/jobs/{job}/progress"
    streams = [Stream() for _ in range(STREAMS)]
    await streams[0].open(running.url, path)
    before_bytes = running.rss_bytes()
    for stream in streams[1:]:
        await stream.open(running.url, path)
    each_kib = (running.rss_bytes() - before_bytes) / (STREAMS - 1) / 1024

    began_s, used_s = time.perf_counter(), _cpu_s(process)
    done_s: dict[str, float] = {}
    for task in trails.plan_of(CHUNKS, job=job).tasks[CHUNKS // 6 : CHUNKS // 6 + WATCHING_S]:
        await asyncio.to_thread(_advance, site, job, task.id)
        done_s[task.id] = time.time()
        await asyncio.sleep(0.87)  # not in step with the looks, which come every second
    await asyncio.sleep(1.5)
    wall_s = time.perf_counter() - began_s
    cpu = (_cpu_s(process) - used_s) / wall_s
    missed = sum(not stream.seen_s.keys() >= done_s.keys() for stream in streams)
    late_s = sorted(
        stream.seen_s[task] - at_s
        for stream in streams
        for task, at_s in done_s.items()
        if task in stream.seen_s
    )
    heard = statistics.mean(stream.bytes for stream in streams) / wall_s / 1000
    for stream in streams:
        await stream.close()
    return [
        at_most(f"memory of an open stream, KiB, {site.name}", each_kib, STREAM_KIB),
        plain(f"CPU of {STREAMS} streams while a job progresses, cores, {site.name}", cpu),
        plain(f"a stream's share of the wire, kB/s, {site.name}", heard),
        plain(f"receipt until a stream tells of it, p50, s, {site.name}", _at(late_s, 0.5)),
        plain(f"receipt until a stream tells of it, p99, s, {site.name}", _at(late_s, 0.99)),
        at_most(f"streams that missed something, {site.name}", float(missed), 0.0),
    ]


def _advance(site: Site, job: str, task: str) -> None:
    site.state.report_progress(job, 1, task, trails.CHUNK // 2)
    _complete(site, job, task)


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _at(values: list[float], share: float) -> float:
    return values[min(len(values) - 1, int(len(values) * share))] if values else float("nan")
