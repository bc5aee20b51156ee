"""From a file's arrival on MinIO until somebody encodes it: MinIO notifies, nobody looks.

With every function asleep, one after the other while they are awake, and in bursts. The time that
counts runs from the notification until the job's first encode begins, by the receipts of its
tasks. Before it MinIO takes a time of its own: it keeps notifications in a folder, and looks into
that every three seconds (minio/minio#12677).
"""

from __future__ import annotations

import http.client
import io
import json
import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from unittest import mock
from urllib.parse import unquote_plus

import psutil
import pytest

from functions.adapters import connect
from functions.jobs import layout, record
from functions.jobs.manifest import Manifest
from functions.jobs.receipt import Receipt
from functions.ports import ObjectStore
from tests import servers
from tests.bench.clips import synthetic
from tests.bench.figure import at_most, plain
from tests.e2e import services
from tests.e2e.command import until
from tests.e2e.services import PREFIX, TENANT, UPLOADS, Town

ASLEEP: Final = 4
IN_TURN: Final = 15
BURSTS: Final = 2
BURST: Final = 10

ASLEEP_P99_S: Final = 5.0
IN_TURN_P50_S: Final = 0.5
IN_TURN_P99_S: Final = 1.5
BURST_P99_S: Final = 8.0
"""Of fewer than a hundred it is the slowest."""

OPTIONS: Final = ("--tick", "30")
ENV: Final = {"KINORA_SETTLE_S": "600"}
"""A sweep takes nothing up here, so whatever became a job was notified of."""


def measure(scratch: Path) -> list[dict[str, Any]]:
    clip = synthetic(scratch / "clip.mp4", seconds=1, size="160x90").read_bytes()
    try:
        with _site(scratch / "drowsy", clip, idle_s=3) as site:
            asleep = site.waits([_after_sleep(site) for _ in range(ASLEEP)])
        with _site(scratch / "awake", clip, idle_s=60) as site:
            _end(site, site.put(1))
            in_turn = site.waits([_end(site, site.put(1)) for _ in range(IN_TURN)])
            bursts = site.waits([_end(site, site.put(BURST)) for _ in range(BURSTS)])
        return [
            *_rows("asleep", asleep, p99_s=ASLEEP_P99_S),
            *_rows("one after the other", in_turn, p50_s=IN_TURN_P50_S, p99_s=IN_TURN_P99_S),
            *_rows(f"bursts of {BURST}", bursts, p99_s=BURST_P99_S),
        ]
    except pytest.skip.Exception as missing:
        return [plain("notification until first encode", f"not measured: {missing}")]


@dataclass(frozen=True, slots=True)
class Wait:
    """How long after the PUT was answered MinIO told of it, and how long after that its job was
    there, and its first encode began."""

    notified_s: float
    accepted_s: float
    encode_s: float


@dataclass(slots=True)
class Site:
    town: Town
    store: ObjectStore
    clip: bytes
    answered_s: dict[str, float] = field(default_factory=dict)
    """When each PUT was answered, by the key."""
    notified_s: dict[str, float] = field(default_factory=dict)
    """When MinIO first told of each."""

    def put(self, count: int) -> Sequence[str]:
        """That many, at the same time."""
        keys = [f"{TENANT}/{len(self.answered_s) + number}.mp4" for number in range(count)]
        with ThreadPoolExecutor(count) as pool:
            self.answered_s.update(zip(keys, pool.map(self._put, keys), strict=True))
        return keys

    def _put(self, key: str) -> float:
        self.town.s3.put_object(
            UPLOADS, key, io.BytesIO(self.clip), len(self.clip), metadata={"kinora-profile": "tiny"}
        )
        return time.time()

    def waits(self, groups: Sequence[Sequence[str]]) -> list[Wait]:
        jobs = dict(self._jobs())
        return [self._wait(key, jobs[key]) for keys in groups for key in keys]

    def _jobs(self) -> Iterator[tuple[str, Manifest]]:
        for info in self.store.list(layout.tenant_jobs_prefix(TENANT)):
            manifest = record.read(
                self.store, layout.manifest(info.key.rpartition("-")[2]), Manifest
            )
            assert manifest is not None
            yield manifest.source.key, manifest

    def _wait(self, key: str, manifest: Manifest) -> Wait:
        listed = list(self.store.list(layout.receipts_prefix(manifest.job, 1)))
        receipts = [record.load(self.store.get(info.key), Receipt) for info in listed]
        began_s = min(receipt.started_s for receipt in receipts)
        at_s = self.notified_s[key]
        return Wait(
            notified_s=at_s - self.answered_s[key],
            accepted_s=manifest.accepted_s - at_s,
            encode_s=began_s - at_s,
        )


@contextmanager
def _site(folder: Path, clip: bytes, *, idle_s: int) -> Iterator[Site]:
    """A town whose functions sleep after so long without work."""
    behind = servers.free_port()
    # The last one counts: MinIO tells the relay, which is at the port that the town chose.
    told_at = ("--notifications", f"127.0.0.1:{behind}")
    options = (*OPTIONS, "--idle", str(idle_s), *told_at)
    with services.town(folder, env=ENV, options=options) as town:
        with mock.patch.dict(os.environ, dict(town.env)):
            store = connect.object_store(f"s3://{PREFIX}")
        site = Site(town, store, clip)
        with _relay(town.notifications_port, behind, site.notified_s):
            yield site


@contextmanager
def _relay(port: int, behind: int, notified_s: dict[str, float]) -> Iterator[None]:
    """Hands on what it is told, and notes when it was told of which key."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            now_s = time.time()
            body = self.rfile.read(int(self.headers["content-length"]))
            for told in json.loads(body)["Records"]:
                notified_s.setdefault(unquote_plus(told["s3"]["object"]["key"]), now_s)
            there = http.client.HTTPConnection("127.0.0.1", behind, timeout=60)
            there.request("POST", self.path, body, dict(self.headers))
            self.send_response(there.getresponse().status)
            there.close()
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _after_sleep(site: Site) -> Sequence[str]:
    until("every function is gone", lambda: not _functions(site.town), within_s=60)
    return _end(site, site.put(1))


def _end(site: Site, keys: Sequence[str]) -> Sequence[str]:
    """Wait until all jobs there are have ended well, by what the endpoint was told."""
    count = len(site.answered_s)
    until("every job is told of", lambda: len(site.town.receiver.got) >= count)
    assert {each.event["type"] for each in site.town.receiver.got} == {
        "dev.kinora.job.completed.v1"
    }, services.dump(site.town)
    return keys


def _functions(town: Town) -> list[int]:
    """The processes of functions; the gateway is none that sleeps."""
    assert town.process is not None
    found = []
    for child in psutil.Process(town.process.pid).children(recursive=True):
        try:
            if "eventing.host" in child.cmdline():
                found.append(child.pid)
        except psutil.Error:
            continue  # it has just ended
    return found


def _rows(
    how: str, waits: Sequence[Wait], *, p50_s: float | None = None, p99_s: float
) -> list[dict[str, Any]]:
    name = f"{len(waits)} files, {how}"
    encode_s = [wait.encode_s for wait in waits]
    half = f"{name}: notified until first encode, p50, s"
    return [
        plain(f"{name}: stored until notified, p50, s", _at([w.notified_s for w in waits], 0.5)),
        plain(f"{name}: notified until job, p50, s", _at([w.accepted_s for w in waits], 0.5)),
        at_most(half, _at(encode_s, 0.5), p50_s) if p50_s else plain(half, _at(encode_s, 0.5)),
        at_most(f"{name}: notified until first encode, p99, s", _at(encode_s, 0.99), p99_s),
    ]


def _at(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]
