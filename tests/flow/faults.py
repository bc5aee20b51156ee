"""Ports as a process sees them that may die, lose a reply or be overtaken at any call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from eventing.errors import Unavailable
from functions.ports import ByteRange, ObjectInfo, ObjectStore, Slot, StateStore, Waiting

T = TypeVar("T")

Kind = Literal["none", "crash", "lost reply", "refused", "overtaken"]


class Killed(BaseException):
    """The process is gone: nothing of it runs any more, whatever it would have cleaned up."""


@dataclass(slots=True)
class Fault:
    """What happens at the n-th call (from 1) that the process makes to a port."""

    kind: Kind = "none"
    at: int = 0
    overtake: Callable[[], None] = lambda: None
    """What another process does right before that call."""
    calls: int = 0
    dead: bool = False
    struck: bool = False

    def around(self, call: Callable[[], T]) -> T:
        if self.dead:
            raise Killed
        self.calls += 1
        if self.calls != self.at:
            return call()
        self.struck = self.kind != "none"
        match self.kind:
            case "crash":
                call()
                self.dead = True
                raise Killed
            case "lost reply":
                call()
                raise Unavailable("the reply was lost")
            case "refused":
                raise Unavailable("no connection")
            case "overtaken":
                self.overtake()
        return call()


@dataclass(frozen=True, slots=True)
class FaultyStore:
    store: ObjectStore
    fault: Fault

    def head(self, key: str) -> ObjectInfo | None:
        return self.fault.around(lambda: self.store.head(key))

    def get(self, key: str) -> bytes:
        return self.fault.around(lambda: self.store.get(key))

    def read(self, key: str, ranges: Sequence[ByteRange], *, etag: str = "") -> Iterator[bytes]:
        return iter(self.fault.around(lambda: list(self.store.read(key, ranges, etag=etag))))

    def create(self, key: str, body: bytes | Path, *, content_type: str = "") -> bool:
        return self.fault.around(lambda: self.store.create(key, body, content_type=content_type))

    def put(
        self, key: str, body: bytes | Path, *, content_type: str = "", match: str | None = None
    ) -> bool:
        return self.fault.around(
            lambda: self.store.put(key, body, content_type=content_type, match=match)
        )

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectInfo]:
        return iter(self.fault.around(lambda: [*self.store.list(prefix, after=after)]))

    def delete(self, key: str) -> None:
        self.fault.around(lambda: self.store.delete(key))


@dataclass(frozen=True, slots=True)
class FaultyState:
    state: StateStore
    fault: Fault

    def acquire(self, lease: str, holder: str, *, ttl_s: float) -> bool:
        return self.fault.around(lambda: self.state.acquire(lease, holder, ttl_s=ttl_s))

    def renew(self, lease: str, holder: str, *, ttl_s: float) -> bool:
        return self.fault.around(lambda: self.state.renew(lease, holder, ttl_s=ttl_s))

    def release(self, lease: str, holder: str) -> None:
        self.fault.around(lambda: self.state.release(lease, holder))

    def release_all(self, holder: str) -> None:
        self.fault.around(lambda: self.state.release_all(holder))

    def held(self, lease: str) -> bool:
        return self.fault.around(lambda: self.state.held(lease))

    def holders(self, leases: Sequence[str]) -> Mapping[str, str]:
        return self.fault.around(lambda: self.state.holders(leases))

    def complete(self, job: str, generation: int, *tasks: str, total: int) -> bool:
        return self.fault.around(lambda: self.state.complete(job, generation, *tasks, total=total))

    def enqueue(self, tasks: Sequence[Waiting]) -> None:
        self.fault.around(lambda: self.state.enqueue(tasks))

    def admit(self, accelerator: str, *, cause: str, limit: int, ttl_s: float) -> list[Slot]:
        return self.fault.around(
            lambda: self.state.admit(accelerator, cause=cause, limit=limit, ttl_s=ttl_s)
        )

    def slots(self, job: str) -> list[Slot]:
        return self.fault.around(lambda: self.state.slots(job))

    def granted(self, accelerator: str) -> list[Slot]:
        return self.fault.around(lambda: self.state.granted(accelerator))

    def keep_slot(self, job: str, generation: int, task: str, *, ttl_s: float) -> None:
        self.fault.around(lambda: self.state.keep_slot(job, generation, task, ttl_s=ttl_s))

    def forget(self, job: str) -> None:
        self.fault.around(lambda: self.state.forget(job))

    def report_progress(self, job: str, generation: int, task: str, frames: int) -> None:
        self.fault.around(lambda: self.state.report_progress(job, generation, task, frames))

    def progress(self, job: str) -> Mapping[str, int]:
        return self.fault.around(lambda: self.state.progress(job))
