"""An encoder whose program does as it is told, between stores in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from eventing.contract import Event, TaskCompleted
from functions.adapters import binaries, scratch
from functions.encoder.handler import Encoder
from functions.encoder.settings import Settings
from functions.jobs import ending, layout, leases, record
from functions.jobs.receipt import Failure, Receipt
from functions.media.encoding import argv as words
from functions.ports import Finished, Limits, Stopped
from tests import planned
from tests.fakes import ManualClock, MemoryState, MemoryStore
from tests.planned import JOB

RENDITION = planned.rendition("72p", 128, 72, preset="ultrafast")
LEASE = leases.task(JOB, 1, "v0000")


@dataclass
class Program:
    """A Process that ends as it is told to, and writes what a real encode once wrote."""

    output: bytes
    returncode: int = 0
    stderr: str = ""
    stopped: Stopped = ""
    runs: list[Sequence[str]] = field(default_factory=list)
    meanwhile: Callable[[Callable[[Mapping[str, str]], bool]], None] | None = None

    def __call__(
        self,
        argv: Sequence[str],
        *,
        limits: Limits,
        cwd: Path,
        on_progress: Callable[[Mapping[str, str]], bool] | None = None,
    ) -> Finished:
        self.runs.append(argv)
        stopped = self.stopped
        if self.meanwhile is not None and on_progress is not None:
            self.meanwhile(on_progress)
            stopped = "" if on_progress({}) else "called off"
        (cwd / words.output(0)).write_bytes(self.output)
        return Finished(
            returncode=self.returncode,
            stdout=b"",
            stderr=self.stderr,
            cpu_s=1.5,
            wall_s=2.0,
            max_rss_bytes=1,
            stopped=stopped,
        )


@dataclass
class World:
    store: MemoryStore
    state: MemoryState
    clock: ManualClock
    program: Program
    scratch: Path
    encoder: Encoder

    def handle(self, task: str = "v0000") -> list[Event]:
        events = list(self.encoder.task_ready(planned.ready(task)))
        assert not self.scratch.exists() or list(self.scratch.iterdir()) == []
        return events

    def receipt(self, task: str = "v0000") -> Receipt:
        return record.load(self.store.get(layout.receipt(JOB, 1, task)), Receipt)

    def failures(self, task: str = "v0000") -> list[Failure]:
        prefix = layout.failures_prefix(JOB, 1, task)
        return [record.load(self.store.get(info.key), Failure) for info in self.store.list(prefix)]


COMPLETED = TaskCompleted(job=JOB, generation=1, task="v0000")


def an_encoder(
    store: MemoryStore, state: MemoryState, program: Program, clock: ManualClock, folder: Path
) -> Encoder:
    return Encoder(
        store=store,
        state=state,
        process=program,
        clock=clock,
        settings=Settings(store="", state="", worker="worker-1", scratch=folder),
        ffmpeg=binaries.ffmpeg,
        fingerprint=binaries.fingerprint,
        gpu=lambda: False,
        scratch=scratch.folder,
    )


def cancel(world: World) -> None:
    ending.decide(
        world.store, job=JOB, tenant="acme", state="cancelled", code="cancelled",
        reason="", now_s=world.clock(),
    )  # fmt: skip
