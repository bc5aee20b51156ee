"""Plans without running: the chunker's own, drawn for somebody who wants to know first.

The source is looked at in this process, as the chunker does, but within what a request may take.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

from eventing.errors import Unavailable
from functions.jobs.manifest import Manifest, SourceObject
from functions.jobs.plan import Fingerprint, Plan
from functions.jobs.refusal import refuse
from functions.media.cutting.rates import Rates
from functions.media.source import guard
from functions.planning import drawing
from functions.planning.drawing import Setting
from functions.planning.survey import Survey
from functions.ports import Finished, Limits, Process

AT_ONCE: Final = 2
"""Sources that are looked at by one process."""
WAIT_S: Final = 5.0
"""How long a request waits for its turn."""
WAITING: Final = 6
"""Requests that wait for one: each keeps a thread from everybody else, and there are 40."""
WALL_S: Final = 30.0
MEMORY_BYTES: Final = 2**30
OUTPUT_BYTES: Final = 64 * 2**20
"""Of the list of packets: some hours of pictures and sound."""
_NONE: Final = Fingerprint(version="", sha256="")
"""A plan that nobody carries out needs no encoder."""


class Surveys(Protocol):
    """See `functions.planning.surveyor.Surveyor`."""

    def original(self, source: SourceObject, beat: Callable[[], None]) -> Survey: ...


class Previews:
    """Safe to share between threads."""

    def __init__(
        self, surveys: Surveys, bounds: guard.Bounds, rates: Callable[[], Rates] = Rates
    ) -> None:
        """`rates` is asked with each plan for what work costs."""
        self._surveys = surveys
        self._bounds = bounds
        self._rates = rates
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._places = threading.BoundedSemaphore(AT_ONCE + WAITING)

    def plan(self, manifest: Manifest, *, encoders: int, gpu_encoders: int) -> Plan:
        """What the chunker would plan for a job of this manifest. Writes no more than the index.

        Raises Rejected for a source that cannot be taken, Unavailable where none can be looked at
        now.
        """
        with _taken(self._places, 0.0), _taken(self._turns, WAIT_S):
            survey = self._surveys.original(manifest.source, lambda: None)
        setting = Setting(
            encoder=_NONE,
            workers=encoders,
            gpu_workers=gpu_encoders,
            bounds=self._bounds,
            rates=self._rates(),
        )
        return drawing.draw(manifest, 1, survey, setting)


@contextmanager
def _taken(turns: threading.Semaphore, wait_s: float) -> Iterator[None]:
    """Raises Unavailable where none is free in time."""
    if not turns.acquire(timeout=wait_s):
        raise Unavailable("others are having their sources looked at", retry_after_s=5)
    try:
        yield
    finally:
        turns.release()


def within_a_request(process: Process) -> Process:
    """`process` with the limits of a request. Raises Rejected (resource_limit) for what reaches
    them: a job takes its time, and may still be made."""

    def run(
        argv: Sequence[str],
        *,
        limits: Limits,
        cwd: Path,
        on_progress: Callable[[Mapping[str, str]], bool] | None = None,
    ) -> Finished:
        less = replace(
            limits,
            wall_s=min(limits.wall_s, WALL_S),
            cpu_s=min(limits.cpu_s, WALL_S),
            memory_bytes=min(limits.memory_bytes, MEMORY_BYTES),
            output_bytes=min(limits.output_bytes, OUTPUT_BYTES),
        )
        finished = process(argv, limits=less, cwd=cwd, on_progress=on_progress)
        if finished.stopped in ("wall", "cpu", "output"):
            raise refuse(
                "resource_limit", problem="looking into it takes longer than a request may"
            )
        return finished

    return run
