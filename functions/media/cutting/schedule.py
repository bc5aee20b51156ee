"""Schedules: when so many workers are done with tasks that they take in order. Pure arithmetic.

Whoever is free takes the next task, as encoders do from a queue. Times are milliseconds.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Run:
    """How tasks ended that were taken in order."""

    wall_ms: float
    """From the first start to the last end."""
    idle_ms: float
    """How long the worker that is done first waits for the one that is done last; those count
    that had nothing to do at all."""
    last_ms: float
    """The longest of the tasks that ended a worker's work."""


def run(costs_ms: Iterable[float], workers: int) -> Run:
    """Let the workers, who do one task at a time each, do these in order."""
    free = [(0.0, 0.0)] * max(1, workers)  # done when, and with how long a task
    for cost_ms in costs_ms:
        heapq.heapreplace(free, (free[0][0] + cost_ms, cost_ms))
    ends = [end for end, _ in free]
    return Run(max(ends), max(ends) - min(ends), max(cost for _, cost in free))


def bound_ms(costs_ms: Sequence[float], workers: int) -> float:
    """What no order can stay below: a fair share of all work, or the longest task."""
    if not costs_ms:
        return 0.0
    return max(sum(costs_ms) / max(1, workers), max(costs_ms))


def level(free_ms: Sequence[float], work_ms: float) -> float:
    """When workers who are free at these times would all be done with work that could be poured
    over them like water. Raises ValueError where nobody is there to work."""
    if not free_ms:
        raise ValueError("nobody is there to work")
    wet = free_ms
    while True:
        surface = (sum(wet) + work_ms) / len(wet)
        below = [busy for busy in wet if busy <= surface]
        if len(below) in (0, len(wet)):  # none: what rounding does to equal ones
            return surface
        wet = below
