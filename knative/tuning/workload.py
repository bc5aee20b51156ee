"""The work that would have been done: the same films at the same times, cut for another setup.

What a chunk costs is taken from the tasks that were measured, frame by frame: where a scene was
hard to encode it stays so, wherever the cut is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from functions.media.cutting import chunks, cost
from functions.media.cutting.cut import Costs
from functions.media.cutting.timeline import Timeline
from functions.media.cutting.windows import Chunk
from knative.tuning.observation import Job, Observations, Task
from knative.tuning.setup import Setup

_START_S = cost.START_MS / 1_000


@dataclass(frozen=True, slots=True)
class Work:
    """One task, on a pod of its own."""

    wall_ms: int
    cores: float
    """That it keeps busy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One job."""

    at_ms: int
    """After the first."""
    tenant: str
    lead_ms: int
    """Until its first tasks can start."""
    stages: tuple[tuple[Work, ...], ...]


def arrivals(observations: Observations, setup: Setup) -> list[Arrival]:
    """The jobs that were observed, as this setup would cut them."""
    if not observations.jobs:
        return []
    first_s = observations.jobs[0].accepted_s
    return [
        Arrival(
            at_ms=round((job.accepted_s - first_s) * 1_000),
            tenant=job.tenant,
            lead_ms=round(observations.lead_s * 1_000),
            stages=tuple(_works(job, number, setup) for number in range(len(job.stages))),
        )
        for job in observations.jobs
    ]


def _works(job: Job, stage: int, setup: Setup) -> tuple[Work, ...]:
    tasks = job.stages[stage]
    last = stage == len(job.stages) - 1
    if job.timeline is None or not last or all(task.whole for task in tasks):
        return tuple(_work(task.wall_s, task.cores) for task in tasks)
    return tuple(_recut(tasks, job.timeline, setup))


def _recut(tasks: Sequence[Task], timeline: Timeline, setup: Setup) -> Iterator[Work]:
    wholes = [task for task in tasks if task.whole]
    parts = _joined([task for task in tasks if not task.whole])
    groups = [_Group(parts, group) for group in sorted({part.group for part in parts})]
    cut = chunks.cut(
        timeline,
        Costs(
            frame_ms=sum(group.mean_s for group in groups) * 1_000,
            pre_roll_ms=0.0,  # in what was measured already
            start_ms=cost.START_MS,
            others_ms=tuple(task.wall_s * 1_000 for task in wholes),
        ),
        workers=setup.encoders,
        chunk_s=setup.chunk_s,
    )
    for number in cut.order:
        if number < 0:
            task = wholes[-1 - number]
            yield _work(task.wall_s, task.cores)
        else:
            for group in groups:
                yield _work(_START_S + group.seconds(cut.chunks[number]), group.cores)


def _joined(tasks: Sequence[Task]) -> Sequence[Task]:
    """Where not every chunk has the same tasks (the first one's lowest rung is done before all
    others), one for each chunk."""
    by_chunk: dict[tuple[int, int], list[Task]] = {}
    for task in tasks:
        by_chunk.setdefault((task.start, task.stop), []).append(task)
    if len({tuple(sorted(task.group for task in of_one)) for of_one in by_chunk.values()}) == 1:
        return tasks
    return [_as_one(of_one) for of_one in by_chunk.values()]


def _as_one(tasks: Sequence[Task]) -> Task:
    wall_s = sum(task.wall_s for task in tasks)
    return Task(
        wall_s=wall_s - (len(tasks) - 1) * min(_START_S, wall_s / len(tasks)),
        cores=sum(task.cores * task.wall_s for task in tasks) / wall_s,
        group=tuple(sorted(name for task in tasks for name in task.group)),
        start=tasks[0].start,
        stop=tasks[0].stop,
    )


class _Group:
    """What frames of these renditions cost."""

    def __init__(self, tasks: Sequence[Task], group: tuple[str, ...]) -> None:
        self._tasks = [task for task in tasks if task.group == group and not task.whole]
        wall_s = sum(task.wall_s for task in self._tasks)
        self.mean_s = sum(map(self._pure_s, self._tasks)) / sum(
            task.stop - task.start for task in self._tasks
        )
        """A frame."""
        self.cores = sum(task.cores * task.wall_s for task in self._tasks) / wall_s

    def seconds(self, chunk: Chunk) -> float:
        """Of encoding this chunk."""
        known, total = 0, 0.0
        for task in self._tasks:
            shared = min(task.stop, chunk.stop) - max(task.start, chunk.start)
            if shared > 0:
                known += shared
                total += self._pure_s(task) * shared / (task.stop - task.start)
        return total + (chunk.frames - known) * self.mean_s

    @staticmethod
    def _pure_s(task: Task) -> float:
        return max(0.0, task.wall_s - _START_S)


def _work(wall_s: float, cores: float) -> Work:
    return Work(wall_ms=max(1, round(wall_s * 1_000)), cores=cores)
