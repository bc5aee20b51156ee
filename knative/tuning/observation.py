"""What was measured: completed jobs, when they came and what their tasks took."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from functions.assembler.report import Report, TaskReport
from functions.media.cutting.timeline import Timeline

COLD_START_S: Final = 1.5
"""From a pod's creation to ready, image there."""
_HOUR_S: Final = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One that was done."""

    wall_s: float
    cores: float
    """That it kept busy."""
    group: tuple[str, ...]
    """Its renditions; empty for a mezzanine."""
    start: int
    stop: int
    """Output frames; 0 and 0 for a whole track."""

    @property
    def whole(self) -> bool:
        """It cannot be cut another way."""
        return self.stop <= self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One that was completed."""

    job: str
    tenant: str
    accepted_s: float
    """POSIX time."""
    finished_s: float
    """The end of its last task."""
    stages: tuple[tuple[Task, ...], ...]
    """By generation of the plan: the next begins when all of one are done."""
    timeline: Timeline | None
    """None where nothing can be cut another way: without pictures, or cut by force."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Of jobs, from acceptance to the end of the last task."""

    p50_s: float
    p95_s: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Times:
        return cls(p50_s=percentile(seconds, 50), p95_s=percentile(seconds, 95))


@dataclass(frozen=True, slots=True, kw_only=True)
class Observations:
    """By arrival."""

    jobs: tuple[Job, ...]
    lead_s: float
    """From acceptance to the first task, where nothing had to be waited for."""
    cold_start_s: float
    """From a pod's creation to ready."""
    span_s: float
    """Over which these jobs came: what pods cost that are kept is counted over it."""

    @property
    def times(self) -> Times:
        """Raises ValueError without a job."""
        return Times.of([job.finished_s - job.accepted_s for job in self.jobs])


def observe(
    reports: Iterable[Report], *, cold_start_s: float = COLD_START_S, span_s: float | None = None
) -> Observations:
    """What the reports of completed jobs tell.

    `span_s` is the time over which all these jobs came, an hour at least; None: from the first to
    the last.
    """
    pairs = [(report, _job(report)) for report in reports if report.tasks]
    pairs.sort(key=lambda pair: pair[1].accepted_s)
    jobs = tuple(job for _, job in pairs)
    leads = [
        min(task.started_s for task in report.tasks) - report.accepted_s for report, _ in pairs
    ]
    if span_s is None:
        span_s = jobs[-1].finished_s - jobs[0].accepted_s if jobs else 0.0
    return Observations(
        jobs=jobs,
        lead_s=max(0.0, min(leads, default=0.0)),
        cold_start_s=cold_start_s,
        span_s=max(span_s, _HOUR_S),
    )


def percentile(values: Sequence[float], share: int) -> float:
    """The smallest value that `share` percent of all are not above. Raises ValueError for none."""
    if not values:
        raise ValueError("no percentile of nothing")
    return sorted(values)[max(1, math.ceil(len(values) * share / 100)) - 1]


def _job(report: Report) -> Job:
    generations = sorted({task.generation for task in report.tasks})
    return Job(
        job=report.job,
        tenant=report.tenant,
        accepted_s=report.accepted_s,
        finished_s=report.finished_s,
        stages=tuple(
            tuple(_task(task) for task in report.tasks if task.generation == generation)
            for generation in generations
        ),
        timeline=report.timeline if report.options.chunk_segments is None else None,
    )


def _task(task: TaskReport) -> Task:
    # A worker's clock may be set back while it works.
    wall_s = max(0.001, task.finished_s - task.started_s)
    return Task(
        wall_s=wall_s,
        cores=task.cpu_ms / 1_000 / wall_s,
        group=task.renditions,
        start=task.start,
        stop=task.stop,
    )
