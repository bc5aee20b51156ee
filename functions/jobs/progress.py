"""How far a job is: what its receipts and its running tasks say, weighed by the plan."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from functions.jobs.plan import Plan, Task

ENOUGH: Final = Fraction(1, 20)
"""Of the work: from here on what remains is guessed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a job is. `frames` are output frames, averaged over the renditions."""

    frames: int
    frames_total: int
    """0 without pictures or before the plan."""
    tasks: int
    tasks_total: int
    share: Fraction
    """0 to 1 of the work, by the plan's own estimate of each task's cost."""
    rate: Fraction
    """Output frames per second of the picture, 0 without one."""

    def speed(self, elapsed_s: float) -> float | None:
        """Seconds of picture per second of time, None where nothing can be said."""
        if not self.rate or elapsed_s <= 0 or not self.frames:
            return None
        return float(self.frames / self.rate) / elapsed_s

    def remaining_s(self, elapsed_s: float) -> float | None:
        """If it goes on as it went. None before enough is done to say so."""
        if self.share < ENOUGH:
            return None
        return elapsed_s * float((1 - self.share) / self.share)


NOTHING: Final = Progress(
    frames=0, frames_total=0, tasks=0, tasks_total=0, share=Fraction(0), rate=Fraction(0)
)


def of_plan(plan: Plan | None, done: Set[str], frames: Mapping[str, int]) -> Progress:
    """How far the plan is, from its receipts and what running tasks reported."""
    from functions.jobs.plan import VideoTask

    if plan is None or plan.kind != "encode":
        return NOTHING
    lengths = samples(plan)
    # Whole numbers as far as they reach: a plan may have ten thousand tasks.
    total_ms, done_ms, shown = 0, Fraction(0), Fraction(0)
    whole_ms, whole_frames = 0, 0
    for task in plan.tasks:
        cost_ms = max(1, task.cost_ms)
        total_ms += cost_ms
        frames_of = (
            (task.stop - task.start) * len(task.renditions) if isinstance(task, VideoTask) else 0
        )
        if task.id in done:
            whole_ms += cost_ms
            whole_frames += frames_of
        elif task.id in frames:
            part = part_of(task, frames[task.id], lengths)
            done_ms += part * cost_ms
            shown += part * frames_of
    timeline = plan.timeline
    return Progress(
        frames=int((whole_frames + shown) / max(1, len(plan.video))),
        frames_total=timeline.frames if timeline and plan.video else 0,
        tasks=sum(task.id in done for task in plan.tasks),
        tasks_total=len(plan.tasks),
        share=(whole_ms + done_ms) / total_ms if total_ms else Fraction(0),
        rate=timeline.rate if timeline and plan.video else Fraction(0),
    )


def samples(plan: Plan) -> Mapping[str, int]:
    """Samples by sound track: what the progress of its task counts in."""
    return {track.name: track.samples for track in plan.audio}


def part_of(task: Task, reported: int, lengths: Mapping[str, int]) -> Fraction:
    """How much of an unfinished task is done, 0 to 1, by the frames or samples it reported."""
    from functions.jobs.plan import AudioTask, VideoTask

    if isinstance(task, VideoTask):
        length = task.stop - task.start
    elif isinstance(task, AudioTask):
        length = max(1, lengths.get(task.renditions[0], 0))
    else:
        return Fraction(0)
    return Fraction(min(max(reported, 0), length), length)
