"""The state store in memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

from functions.ports import Clock, Slot, Waiting

_Name = tuple[str, int, str]
_Place = tuple[str | int, ...]
"""Accelerator, tenant's priority, tenant, priority and job."""


@dataclass
class _Held:
    task: Waiting
    cause: str
    granted_s: float
    expires_s: float

    @property
    def slot(self) -> Slot:
        return Slot(
            job=self.task.job,
            generation=self.task.generation,
            task=self.task.task,
            accelerator=self.task.accelerator,
            length=self.task.length,
            granted_s=self.granted_s,
        )


@dataclass
class _Facts:
    leases: dict[str, tuple[str, float]] = field(default_factory=dict)
    done: dict[tuple[str, int], set[str]] = field(default_factory=dict)
    waiting: dict[_Name, Waiting] = field(default_factory=dict)
    queues: dict[_Place, list[tuple[int, int, str]]] = field(default_factory=dict)
    """Heaps of order, generation and id: which of a job's tasks is next, of those that wait."""
    held: dict[_Name, _Held] = field(default_factory=dict)
    served: dict[_Place, int] = field(default_factory=dict)
    turns: int = 0
    progress: dict[_Name, int] = field(default_factory=dict)


class MemoryState:
    """StateStore in memory, written as plainly as its promises read."""

    def __init__(self, *, clock: Clock = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._facts = _Facts()

    def flush(self) -> None:
        """Lose everything, as a store may at any moment."""
        with self._lock:
            self._facts = _Facts()

    def remembered(self) -> set[str]:
        """The jobs of which anything but a lease is noted."""
        with self._lock:
            facts = self._facts
            names = (facts.waiting, facts.held, facts.progress)
            noted = {job for (job, _), tasks in facts.done.items() if tasks}
            return noted | {job for each in names for job, _, _ in each}

    def leases(self) -> set[str]:
        """Those that somebody has."""
        with self._lock:
            now = self._clock()
            return {name for name, (_, ends_s) in self._facts.leases.items() if ends_s > now}

    def acquire(self, lease: str, holder: str, *, ttl_s: float) -> bool:
        with self._lock:
            now = self._clock()
            owner, expires_s = self._facts.leases.get(lease, (holder, now))
            if owner != holder and expires_s > now:
                return False
            self._facts.leases[lease] = holder, now + ttl_s
            return True

    def renew(self, lease: str, holder: str, *, ttl_s: float) -> bool:
        with self._lock:
            now = self._clock()
            owner, expires_s = self._facts.leases.get(lease, ("", now))
            if owner != holder or expires_s <= now:
                return False
            self._facts.leases[lease] = holder, now + ttl_s
            return True

    def release(self, lease: str, holder: str) -> None:
        with self._lock:
            if self._facts.leases.get(lease, ("", 0.0))[0] == holder:
                self._facts.leases.pop(lease, None)

    def release_all(self, holder: str) -> None:
        with self._lock:
            leases = self._facts.leases
            for lease in [name for name in leases if holder in ("", leases[name][0])]:
                del leases[lease]

    def held(self, lease: str) -> bool:
        with self._lock:
            return self._facts.leases.get(lease, ("", 0.0))[1] > self._clock()

    def holders(self, leases: Sequence[str]) -> Mapping[str, str]:
        with self._lock:
            now, known = self._clock(), self._facts.leases
            found = {name: known[name] for name in leases if name in known}
            return {name: holder for name, (holder, ends_s) in found.items() if ends_s > now}

    def complete(self, job: str, generation: int, *tasks: str, total: int) -> bool:
        with self._lock:
            facts = self._facts
            done = facts.done.setdefault((job, generation), set())
            done.update(tasks)
            for name in ((job, generation, task) for task in tasks):
                facts.held.pop(name, None)
                facts.waiting.pop(name, None)
            return len(done) >= total

    def enqueue(self, tasks: Sequence[Waiting]) -> None:
        with self._lock:
            facts = self._facts
            for task in tasks:
                name = _name(task)
                done = facts.done.get((task.job, task.generation), ())
                if name not in facts.held and task.task not in done:
                    self._wait(task)

    def admit(self, accelerator: str, *, cause: str, limit: int, ttl_s: float) -> list[Slot]:
        with self._lock:
            facts, now = self._facts, self._clock()
            held = [each for each in facts.held.values() if each.task.accelerator == accelerator]
            for each in held:
                if each.expires_s <= now:
                    del facts.held[_name(each.task)]
                    self._wait(each.task)
            free = limit - sum(each.expires_s > now for each in held)
            for _ in range(free):
                firsts = [
                    task for place in facts.queues if (task := self._first(place, accelerator))
                ]
                if not firsts:
                    break
                task = min(firsts, key=self._turn)
                del facts.waiting[_name(task)]
                facts.turns += 1
                facts.served[_round(task)] = facts.served[_inner_round(task)] = facts.turns
                facts.held[_name(task)] = _Held(task, cause, now, now + ttl_s)
            return [
                each.slot
                for each in facts.held.values()
                if each.cause == cause and each.task.accelerator == accelerator
            ]

    def slots(self, job: str) -> list[Slot]:
        with self._lock:
            now = self._clock()
            return [
                each.slot
                for each in self._facts.held.values()
                if each.task.job == job and each.expires_s > now
            ]

    def granted(self, accelerator: str) -> list[Slot]:
        with self._lock:
            now = self._clock()
            return [
                each.slot
                for each in self._facts.held.values()
                if each.task.accelerator == accelerator and each.expires_s > now
            ]

    def keep_slot(self, job: str, generation: int, task: str, *, ttl_s: float) -> None:
        with self._lock:
            held = self._facts.held.get((job, generation, task))
            if held is not None:
                held.expires_s = max(held.expires_s, self._clock() + ttl_s)

    def forget(self, job: str) -> None:
        with self._lock:
            facts = self._facts
            facts.done = {name: it for name, it in facts.done.items() if name[0] != job}
            facts.queues = {place: it for place, it in facts.queues.items() if place[4] != job}
            facts.waiting = {name: it for name, it in facts.waiting.items() if name[0] != job}
            facts.held = {name: it for name, it in facts.held.items() if name[0] != job}
            facts.progress = {name: it for name, it in facts.progress.items() if name[0] != job}
            facts.served = {name: it for name, it in facts.served.items() if name[4:] != (job,)}

    def report_progress(self, job: str, generation: int, task: str, frames: int) -> None:
        with self._lock:
            self._facts.progress[job, generation, task] = frames

    def progress(self, job: str) -> Mapping[str, int]:
        with self._lock:
            mine = {name: frames for name, frames in self._facts.progress.items() if name[0] == job}
            return {task: frames for (_, _, task), frames in sorted(mine.items())}

    def _wait(self, task: Waiting) -> None:
        facts = self._facts
        if facts.waiting.setdefault(_name(task), task) is task:
            queue = facts.queues.setdefault(_inner_round(task), [])
            heappush(queue, (task.order, task.generation, task.task))

    def _first(self, place: _Place, accelerator: str) -> Waiting | None:
        """The task of a job that is next, None where none waits."""
        queue = self._facts.queues[place] if place[0] == accelerator else []
        while queue:
            _, generation, id = queue[0]
            task = self._facts.waiting.get((str(place[-1]), generation, id))
            if task is not None and _inner_round(task) == place:
                return task
            heappop(queue)
        return None

    def _turn(self, task: Waiting) -> tuple[int, int, str, int, int, str, int, int, str]:
        """Smallest first: the tenant least recently served, its job likewise, then the order."""
        served = self._facts.served
        return (
            -task.tenant_priority,
            served.get(_round(task), 0),
            task.tenant,
            -task.priority,
            served.get(_inner_round(task), 0),
            task.job,
            task.order,
            task.generation,
            task.task,
        )


def _round(task: Waiting) -> _Place:
    """The place of a tenant among those of the same priority."""
    return task.accelerator, task.tenant_priority, task.tenant


def _inner_round(task: Waiting) -> _Place:
    """The place of a job among its tenant's of the same priority."""
    return *_round(task), task.priority, task.job


def _name(task: Waiting) -> _Name:
    return task.job, task.generation, task.task
