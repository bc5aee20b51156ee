"""What has to happen later, in the order of its time."""

from __future__ import annotations

import heapq
import itertools
from typing import Generic, TypeVar

T = TypeVar("T")


class Waiting(Generic[T]):
    """Things with a due time. Of equal times the first put in comes out first."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, T]] = []
        self._order = itertools.count()

    def __len__(self) -> int:
        return len(self._heap)

    def put(self, thing: T, due_s: float) -> None:
        heapq.heappush(self._heap, (due_s, next(self._order), thing))

    def next_due_s(self) -> float | None:
        """When the first of them is due; None when there is none."""
        return self._heap[0][0] if self._heap else None

    def take(self, now_s: float) -> list[T]:
        """Remove and return everything due by `now_s`, the earliest first."""
        taken = []
        while self._heap and self._heap[0][0] <= now_s:
            taken.append(heapq.heappop(self._heap)[2])
        return taken
