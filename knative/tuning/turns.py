"""Tasks that wait for a slot: tenants take turns, then each one's jobs, then tasks in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Generic, TypeVar

from knative.tuning.workload import Work

T = TypeVar("T")


class Turns(Generic[T]):
    """`T` is a job."""

    def __init__(self) -> None:
        self._tenants: dict[str, deque[tuple[T, deque[Work]]]] = {}

    def add(self, tenant: str, job: T, works: Sequence[Work]) -> None:
        if works:
            self._tenants.setdefault(tenant, deque()).append((job, deque(works)))

    def take(self) -> tuple[T, Work] | None:
        """Whose turn it is; None when nothing waits."""
        for tenant in self._tenants:
            jobs = self._tenants.pop(tenant)
            job, works = jobs.popleft()
            work = works.popleft()
            if works:
                jobs.append((job, works))
            if jobs:
                self._tenants[tenant] = jobs
            return job, work
        return None
