"""A pod that works: the tasks it has share its cores."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from knative.tuning.workload import Work

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Running(Generic[T]):
    whose: T
    work: Work
    left_ms: float
    """Of its time on a pod of its own."""


@dataclass(slots=True, eq=False)
class Pod(Generic[T]):
    """`T` is what a task belongs to. Times are milliseconds and never go back."""

    cores: float
    since_ms: int
    """Of its creation."""
    ready: bool = False
    leaving: bool = False
    changes: int = 0
    """Grows whenever what was foretold of it is no longer true."""
    _running: list[_Running[T]] = field(default_factory=list)
    _told_ms: int = 0

    def __len__(self) -> int:
        """Tasks that it works on."""
        return len(self._running)

    def begin(self, now_ms: int, whose: T, work: Work) -> None:
        self._pass(now_ms)
        self._running.append(_Running(whose, work, float(work.wall_ms)))

    def ended(self, now_ms: int) -> list[T]:
        """Take out what is done by now."""
        self._pass(now_ms)
        done = [running.whose for running in self._running if running.left_ms < 0.5]
        self._running = [running for running in self._running if running.left_ms >= 0.5]
        return done

    def next_ms(self) -> int | None:
        """When the next task will be done, if nothing changes."""
        if not self._running:
            return None
        left_ms = min(running.left_ms for running in self._running)
        return self._told_ms + math.ceil(left_ms / self._speed)

    @property
    def _speed(self) -> float:
        """1: as alone. What keeps more cores busy than a pod has was measured so."""
        wanted = sum(running.work.cores for running in self._running)
        most = max(running.work.cores for running in self._running)
        return min(1.0, max(self.cores, most) / wanted) if wanted else 1.0

    def _pass(self, now_ms: int) -> None:
        if self._running:
            passed_ms = (now_ms - self._told_ms) * self._speed
            for running in self._running:
                running.left_ms -= passed_ms
        self._told_ms = now_ms
        self.changes += 1
