"""The outside world in memory: small, real, and held to the same conformance suites (contract/)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from functions import key as keys
from functions.ports import Absent, ByteRange, Clock, ObjectInfo, Slot, Waiting


class ManualClock:
    """Stands still until somebody advances it."""

    def __init__(self, now_s: float = 1_800_000_000.0) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s

    def advance(self, seconds: float) -> None:
        self.now_s += seconds


class MemoryStore:
    """ObjectStore in memory; like S3 it may hold `a` beside `a/b`."""

    def __init__(self, *, clock: Clock = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._objects: dict[str, tuple[ObjectInfo, bytes]] = {}
        self._writes = 0

    def annotate(self, key: str, metadata: Mapping[str, str]) -> None:
        """Give an object user metadata, as an upload to S3 would."""
        with self._lock:
            info, data = self._objects[key]
            self._objects[key] = replace(info, metadata=dict(metadata)), data

    def head(self, key: str) -> ObjectInfo | None:
        found = self._find(key)
        return found and found[0]

    def get(self, key: str) -> bytes:
        return self._require(key)[1]

    def read(self, key: str, ranges: Sequence[ByteRange], *, etag: str = "") -> Iterator[bytes]:
        pinned = etag or self._require(key)[0].etag
        for wanted in ranges:
            info, data = self._require(key)
            if info.etag != pinned:
                raise Absent(f"{key} with etag {pinned}")
            if wanted.stop > info.size_bytes:
                raise ValueError(f"[{wanted.start}, {wanted.stop}) is beyond the end of {key}")
            yield data[wanted.start : wanted.stop]

    def create(self, key: str, body: bytes | Path, *, content_type: str = "") -> bool:
        return self.put(key, body, content_type=content_type, match="")

    def put(
        self, key: str, body: bytes | Path, *, content_type: str = "", match: str | None = None
    ) -> bool:
        keys.segments(key)
        data = body if isinstance(body, bytes) else body.read_bytes()
        with self._lock:
            there = self._objects.get(key)
            if match is not None and match != (there[0].etag if there else ""):
                return False
            self._writes += 1
            info = ObjectInfo(
                key=key,
                size_bytes=len(data),
                etag=str(self._writes),
                modified_s=self._clock(),
            )
            self._objects[key] = info, data
            return True

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectInfo]:
        with self._lock:
            found = [info for info, _ in self._objects.values()]
        for info in sorted(found, key=lambda info: info.key.encode()):
            if info.key.startswith(prefix) and info.key > after:
                yield info

    def delete(self, key: str) -> None:
        keys.segments(key)
        with self._lock:
            self._objects.pop(key, None)

    def _find(self, key: str) -> tuple[ObjectInfo, bytes] | None:
        keys.segments(key)
        with self._lock:
            return self._objects.get(key)

    def _require(self, key: str) -> tuple[ObjectInfo, bytes]:
        if (found := self._find(key)) is None:
            raise Absent(key)
        return found


_Name = tuple[str, int, str]


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
            granted_s=self.granted_s,
        )


@dataclass
class _Facts:
    leases: dict[str, tuple[str, float]] = field(default_factory=dict)
    done: set[_Name] = field(default_factory=set)
    waiting: dict[_Name, Waiting] = field(default_factory=dict)
    held: dict[_Name, _Held] = field(default_factory=dict)
    served: dict[tuple[str, ...], int] = field(default_factory=dict)
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
            names = (facts.done, facts.waiting, facts.held, facts.progress)
            return {job for each in names for job, _, _ in each}

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

    def complete(self, job: str, generation: int, task: str, *, total: int) -> bool:
        with self._lock:
            facts = self._facts
            facts.done.add((job, generation, task))
            facts.held.pop((job, generation, task), None)
            facts.waiting.pop((job, generation, task), None)
            return sum(name[:2] == (job, generation) for name in facts.done) >= total

    def enqueue(self, tasks: Sequence[Waiting]) -> None:
        with self._lock:
            facts = self._facts
            for task in tasks:
                name = _name(task)
                if name not in facts.held and name not in facts.done:
                    facts.waiting.setdefault(name, task)

    def admit(self, accelerator: str, *, cause: str, limit: int, ttl_s: float) -> list[Slot]:
        with self._lock:
            facts, now = self._facts, self._clock()
            held = [each for each in facts.held.values() if each.task.accelerator == accelerator]
            for each in held:
                if each.expires_s <= now:
                    del facts.held[_name(each.task)]
                    facts.waiting[_name(each.task)] = each.task
            free = limit - sum(each.expires_s > now for each in held)
            for _ in range(free):
                waiting = [
                    task for task in facts.waiting.values() if task.accelerator == accelerator
                ]
                if not waiting:
                    break
                task = min(waiting, key=self._turn)
                del facts.waiting[_name(task)]
                facts.turns += 1
                facts.served[task.accelerator, task.tenant] = facts.turns
                facts.served[task.accelerator, task.tenant, task.job] = facts.turns
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

    def forget(self, job: str) -> None:
        with self._lock:
            facts = self._facts
            facts.done = {name for name in facts.done if name[0] != job}
            facts.waiting = {name: it for name, it in facts.waiting.items() if name[0] != job}
            facts.held = {name: it for name, it in facts.held.items() if name[0] != job}
            facts.progress = {name: it for name, it in facts.progress.items() if name[0] != job}
            facts.served = {name: it for name, it in facts.served.items() if name[2:] != (job,)}

    def report_progress(self, job: str, generation: int, task: str, frames: int) -> None:
        with self._lock:
            self._facts.progress[job, generation, task] = frames

    def progress(self, job: str) -> Mapping[str, int]:
        with self._lock:
            mine = {name: frames for name, frames in self._facts.progress.items() if name[0] == job}
            latest = max((generation for _, generation, _ in mine), default=0)
            return {task: frames for (_, number, task), frames in mine.items() if number == latest}

    def _turn(self, task: Waiting) -> tuple[int, str, int, str, int, int, str]:
        """Smallest first: the tenant least recently served, its job likewise, then the order."""
        served = self._facts.served
        return (
            served.get((task.accelerator, task.tenant), 0),
            task.tenant,
            served.get((task.accelerator, task.tenant, task.job), 0),
            task.job,
            task.order,
            task.generation,
            task.task,
        )


def _name(task: Waiting) -> _Name:
    return task.job, task.generation, task.task
