"""What a plan will cost, in numbers. Pure; the estimates are those that the plan was cut by."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from functions.jobs.plan import Plan, VideoTask
from functions.media.encoding.accelerator import CPU, GPU

CONTAINER: Fraction = Fraction(21, 20)
"""What boxes and playlists add to the streams, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    duration_s: float
    chunks: int
    tasks: int
    cpu_s: float
    wall_s: float
    """With as many encoders as were asked for, each with a core of its own and nothing else."""
    bytes_at_most: int
    """What the ladder's `maxrate_kbps` allows; pictures that hold little take far less."""


def of(plan: Plan, *, encoders: int, gpu_encoders: int = 0) -> Forecast:
    # Those with a GPU and the others work side by side.
    shares = ((CPU, encoders), (GPU, max(1, gpu_encoders)))
    wall_ms = max(
        _wall_ms([task.cost_ms for task in plan.tasks if task.accelerator == accelerator], workers)
        for accelerator, workers in shares
    )
    duration_s = _duration_s(plan)
    bits = sum(rung.maxrate_bps for rung in plan.video) * duration_s + sum(
        track.bitrate_bps * Fraction(track.samples, track.sample_rate) for track in plan.audio
    )
    return Forecast(
        duration_s=round(float(duration_s), 3),
        chunks=len({task.start for task in plan.tasks if isinstance(task, VideoTask)}),
        tasks=len(plan.tasks),
        cpu_s=round(sum(task.cost_ms for task in plan.tasks) / 1000, 1),
        wall_s=round(wall_ms / 1000, 1),
        bytes_at_most=round(bits * CONTAINER / 8),
    )


def _duration_s(plan: Plan) -> Fraction:
    if plan.timeline is not None:
        return plan.timeline.duration_s
    return max(
        (Fraction(track.samples, track.sample_rate) for track in plan.audio), default=Fraction(0)
    )


def _wall_ms(costs_ms: Sequence[int], encoders: int) -> int:
    """When the last of the tasks ends, each begun in order by whoever is free first."""
    free = [0] * min(encoders, max(1, len(costs_ms)))
    for cost_ms in costs_ms:
        heapq.heapreplace(free, free[0] + cost_ms)
    return max(free)
