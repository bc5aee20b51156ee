"""What a plan will take, task by task and in all: CPU time, bytes to read, time on the wall.

Pure; the estimates are those that the plan was cut by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from functions.jobs.plan import AudioTask, MezzanineTask, Plan, ProgressiveTask, Task, VideoTask
from functions.media.cutting import schedule
from functions.media.encoding.accelerator import CPU, GPU
from functions.media.source.probe import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What one task is expected to take."""

    task: Task
    read_bytes: int
    """Of the source's packets, without its headers; the whole source where it has no index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the whole is expected to take with so many encoders, planned for as many."""

    encoders: int
    tasks: int
    cpu_ms: int
    read_bytes: int
    wall_ms: int
    """With a core for each encoder and nothing else to do."""
    idle_ms: int
    """How long the encoder that is done first waits for the last one."""


def expected(plan: Plan, tables: Mapping[int, Table]) -> list[Expected]:
    """Of each task, in the plan's order."""
    before = [0]
    if plan.index and plan.video_track in tables:
        for packet in tables[plan.video_track].packets:
            before.append(before[-1] + packet.size)
    return [
        Expected(task=task, read_bytes=_bytes(plan, task, tables, before)) for task in plan.tasks
    ]


def _bytes(plan: Plan, task: Task, tables: Mapping[int, Table], before: Sequence[int]) -> int:
    """`before`: of the pictures' packets before each one, and at the end of all."""
    match task:
        case VideoTask() if task.stop_packet:
            return before[task.stop_packet] - before[task.first_packet]
        case AudioTask(spare_bytes=int()) if plan.index:
            tracks = {each.track for each in plan.audio if each.name in task.renditions}
            return sum(packet.size for track in tracks for packet in tables[track].packets)
        case ProgressiveTask():
            return 0
        case VideoTask() | AudioTask() | MezzanineTask():
            return plan.source.size_bytes


def outcome(*stages: Sequence[Expected], encoders: int, gpu_encoders: int = 0) -> Outcome:
    """Of tasks that are taken in their order; a stage begins when all of the one before are done
    (a remux, the film, a file of it)."""
    wall_ms, idle_ms = 0.0, 0.0
    for stage in stages:
        runs = [
            schedule.run(
                [each.task.cost_ms for each in stage if each.task.accelerator == of], workers
            )
            for of, workers in ((CPU, encoders), (GPU, max(1, gpu_encoders)))
        ]
        last = max(runs, key=lambda run: run.wall_ms)
        wall_ms += last.wall_ms
        idle_ms = last.idle_ms if len(stage) > 1 else idle_ms
    every = [each for stage in stages for each in stage]
    return Outcome(
        encoders=encoders,
        tasks=len(every),
        cpu_ms=sum(each.task.cost_ms for each in every),
        read_bytes=sum(each.read_bytes for each in every),
        wall_ms=round(wall_ms),
        idle_ms=round(idle_ms),
    )
