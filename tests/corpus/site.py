"""One machine without servers: the real handlers, the real ffmpeg, a folder, one file at a time.

Events go from function to function in memory, by the topology. What no file may bring about (a
defect, an answer of "not now", more verdicts than one, a thing left behind) is a complaint.
"""

from __future__ import annotations

import json
import logging
import resource
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import psutil

from eventing import codec
from eventing.contract import (
    JobAccepted,
    JobCancelled,
    JobCompleted,
    JobEncoded,
    JobFailed,
    JobRejected,
    ObjectCreated,
    SourcePrepared,
    TaskCompleted,
    TaskFailed,
    TaskReady,
)
from eventing.envelope import unwrap, wrap
from eventing.host import Host
from functions.adapters import binaries, process, scratch
from functions.adapters.directory import DirectoryStore
from functions.assembler.handler import Assembler
from functions.chunker.handler import Chunker
from functions.encoder.handler import Encoder
from functions.encoder.settings import Settings
from functions.ingest.handler import Ingest
from functions.jobs import ending, layout, naming
from functions.jobs.acceptance import Acceptance
from functions.jobs.admission import Window
from functions.jobs.profile import AudioProfile, Profile, Rung, VideoProfile
from functions.jobs.verdict import Verdict
from functions.media.source import guard
from functions.planning.surveyor import Surveyor
from functions.ports import Finished, Limits
from tests.fakes import MemoryState
from tests.flow.broker import MemoryBroker

MOST_FRAMES: Final = 10_000
"""What this installation takes: a file that claims more is refused before it is encoded."""
MOST_DELIVERIES: Final = 2000
VERDICTS: Final = (JobCompleted, JobRejected, JobFailed, JobCancelled)
PROFILES: Final = {
    name: Profile(
        name=name,
        segment_s=segment_s,
        video=VideoProfile(
            preset="ultrafast",
            ladder=(
                Rung(height=96, maxrate_kbps=400, bufsize_kbps=800),
                Rung(height=64, maxrate_kbps=200, bufsize_kbps=400),
            ),
        ),
        audio=AudioProfile(bitrate_kbps=64, surround_kbps=surround_kbps),
    )
    for name, segment_s, surround_kbps in (
        ("default", 1, None),
        ("long", 10, None),
        ("surround", 1, 192),
    )
}
"""One or two small rungs. `long` has fewer segments, for files of hours; `surround` has 5.1."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """What became of a file."""

    job: str
    verdict: Verdict | None
    site: Path
    """Folder of the object store."""
    children: tuple[Finished, ...]
    """Every program that was run."""
    complaints: tuple[str, ...]
    """Of what no file may bring about."""

    @property
    def media(self) -> Path:
        return self.site / layout.MEDIA / self.job

    @property
    def report(self) -> Any:
        return json.loads((self.media / layout.REPORT).read_bytes())

    @property
    def cpu_s(self) -> float:
        return sum(each.cpu_s for each in self.children)

    @property
    def most_bytes(self) -> int:
        """Of memory that a program had at once. Linux counts towards it what its parent had when
        it was started: as much says nothing of the program, and is left out."""
        own_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        found = (each.max_rss_bytes for each in self.children)
        return max((each for each in found if each > own_bytes), default=0)


@dataclass(slots=True)
class Site:
    folder: Path
    store: DirectoryStore = field(init=False)
    state: MemoryState = field(default_factory=MemoryState)
    broker: MemoryBroker = field(default_factory=MemoryBroker)
    _children: list[Finished] = field(default_factory=list)
    _complaints: list[str] = field(default_factory=list)
    _before: set[psutil.Process] = field(default_factory=lambda: _running())
    """Programs of others, such as servers that more than one test talks to."""

    def __post_init__(self) -> None:
        self.store = DirectoryStore(self.folder / "site", durable=False)

    def bring(
        self, data: bytes, *, key: str = "acme/film.mp4", options: Mapping[str, Any] | None = None
    ) -> Ended:
        """Put the file and run until nobody has anything to do."""
        address = f"{layout.UPLOADS}/{key}"
        if options:
            self.store.put(naming.sidecar(address), json.dumps(dict(options)).encode())
        self.store.put(address, data)
        info = self.store.head(address)
        assert info is not None
        event = ObjectCreated(
            bucket=layout.UPLOADS, key=key, etag=info.etag, size_bytes=info.size_bytes
        )
        self.broker.publish(wrap(event, producer="source", time="2026-01-01T00:00:00Z"))
        with self._heard():
            self._deliver_all()
        verdict = ending.read(self.store, event.job)
        self._complaints += self._unfinished(event.job, verdict)
        return Ended(
            job=event.job,
            verdict=verdict,
            site=self.folder / "site",
            children=tuple(self._children),
            complaints=tuple(self._complaints),
        )

    def _deliver_all(self) -> None:
        hosts = self._hosts()
        for _ in range(MOST_DELIVERIES):
            if not self.broker.pending:
                return
            delivery = self.broker.take(0)
            host = hosts.get(delivery.function)
            if host is None:
                continue  # who is told of verdicts
            message = codec.encode(delivery.event)
            answer = host.respond(message.headers, message.body)
            if answer.status != 204:
                self._complaints.append(
                    f"{delivery.function} answers {answer.status}: {answer.body.decode()}"
                )
                return
        self._complaints.append("events that breed events")

    def _hosts(self) -> dict[str, Host]:
        window = Window(limit=3)
        scratches = self.folder / "scratch"
        settings = Settings(
            store="", state="", worker="w", scratch=scratches, wall_s=120.0, stall_s=30.0
        )
        ingest = Ingest(
            store=self.store,
            state=self.state,
            clock=time.time,
            acceptance=Acceptance(store=self.store, profiles=PROFILES),
        )
        bounds = guard.Bounds(frames=MOST_FRAMES)
        chunker = Chunker(
            store=self.store,
            state=self.state,
            clock=time.time,
            surveys=Surveyor(
                store=self.store,
                process=self._run,
                ffprobe=binaries.ffprobe,
                ffmpeg=binaries.ffmpeg,
                scratch=partial(scratch.folder, scratches),
                bounds=bounds,
            ),
            encoder=binaries.fingerprint,
            window=window,
            workers=1,
            gpu_workers=0,
            holder="w",
            bounds=bounds,
        )
        encoder = Encoder(
            store=self.store,
            state=self.state,
            process=self._run,
            clock=time.time,
            settings=settings,
            ffmpeg=binaries.ffmpeg,
            fingerprint=binaries.fingerprint,
            gpu=lambda: False,
            scratch=scratch.folder,
        )
        assembler = Assembler(
            store=self.store, state=self.state, clock=time.time, worker="w", window=window
        )
        handlers: dict[str, dict[Any, Any]] = {
            "ingest": {ObjectCreated: ingest.object_created},
            "chunker": {
                JobAccepted: chunker.job_accepted,
                SourcePrepared: chunker.source_prepared,
            },
            "encoder": {TaskReady: encoder.task_ready},
            "assembler": {
                TaskCompleted: assembler.task_completed,
                TaskFailed: assembler.task_failed,
                JobEncoded: assembler.job_encoded,
            },
        }
        return {
            name: Host(name, each, publish=self.broker.publish) for name, each in handlers.items()
        }

    def _run(
        self,
        argv: Sequence[str],
        *,
        limits: Limits,
        cwd: Path,
        on_progress: Callable[[Mapping[str, str]], bool] | None = None,
    ) -> Finished:
        """The real adapter; what it says is kept."""
        finished = process.run(argv, limits=limits, cwd=cwd, on_progress=on_progress)
        self._children.append(finished)
        return finished

    @contextmanager
    def _heard(self) -> Iterator[None]:
        """What is logged as an error is one of ours."""

        class Ear(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                found.append(self.format(record))

        found: list[str] = []
        ear = Ear(level=logging.ERROR)
        logging.getLogger().addHandler(ear)
        try:
            yield
        finally:
            logging.getLogger().removeHandler(ear)
            self._complaints += found

    def _unfinished(self, job: str, verdict: Verdict | None) -> Iterator[str]:
        """What is not as it is after every job."""
        told = {
            (event.type, event.data)
            for event in self.broker.accepted
            if event.type in {kind.type for kind in VERDICTS} and unwrap(event).job == job
        }
        known = self.store.head(layout.manifest(job)) is not None
        if len(told) != known or (verdict is not None) != known:
            yield f"{len(told)} verdicts"
        if self.state.remembered():
            yield "the state store still has something of the job"
        if leases := self.state.leases():
            yield f"leases are held: {sorted(leases)}"
        if verdict is None or verdict.state != "completed":
            left = [info.key for info in self.store.list(f"{layout.MEDIA}/")]
            if left:
                yield f"{len(left)} objects are left of no result: {left[:3]}"
        for path in (self.folder / "scratch").rglob("*"):
            yield f"{path} is left in the scratch folder"
        for path in (self.folder / "site").glob(".*/temp/*"):
            yield f"{path} is left of a write"
        for child in _running() - self._before:
            yield f"{child.name()} still runs"


def _running() -> set[psutil.Process]:
    return set(psutil.Process().children(recursive=True))
