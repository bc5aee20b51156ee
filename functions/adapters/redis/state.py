"""StateStore in a Redis: the index of many machines. What it does is written in lua/."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from functions.adapters.redis.address import RedisAddress
from functions.adapters.redis.scripts import RedisScripts
from functions.ports import Clock, Slot, Waiting


class RedisState:
    """See `functions.ports.StateStore`. Safe for many threads, processes and machines.

    Time is the server's own. Nothing is connected before the first call. The server needs no
    persistence, since whatever it loses is rebuilt from the object store, but should evict nothing
    (`maxmemory-policy noeviction`): a key that is gone while others stay costs a tick of the
    sweeper here and there. One that lags behind or fails over is as good as one that lost a little.

    `release_all("")` gives back the leases of everybody who shares the server. Encoders that lose
    theirs go on, and a task may be worked on twice, of which the first receipt counts; but where an
    S3 service ignores conditions, leases also keep writers apart (`Conditions.alone`). A runtime
    that shares its Redis lets the leases of a predecessor that died run out instead.
    """

    def __init__(self, address: RedisAddress, *, clock: Clock | None = None) -> None:
        self._scripts = RedisScripts(address)
        self._clock = clock

    def close(self) -> None:
        """Close the connections. The store can still be used."""
        self._scripts.close()

    def acquire(self, lease: str, holder: str, *, ttl_s: float) -> bool:
        return bool(self._scripts.run("acquire", self._now(), lease, holder, ttl_s))

    def renew(self, lease: str, holder: str, *, ttl_s: float) -> bool:
        return bool(self._scripts.run("renew", self._now(), lease, holder, ttl_s))

    def release(self, lease: str, holder: str) -> None:
        self._scripts.run("release", lease, holder)

    def release_all(self, holder: str) -> None:
        self._scripts.run("release_all", holder)

    def held(self, lease: str) -> bool:
        return bool(self.holders([lease]))

    def holders(self, leases: Sequence[str]) -> Mapping[str, str]:
        return _pairs(self._scripts.run("holders", self._now(), *leases)) if leases else {}

    def complete(self, job: str, generation: int, *tasks: str, total: int) -> bool:
        names = [_name(generation, task) for task in tasks]
        prefix = _name(generation, "").removesuffix(":")
        return bool(self._scripts.run("complete", job, prefix, total, *names))

    def enqueue(self, tasks: Sequence[Waiting]) -> None:
        places = [[*place, *_tasks(list(group))] for place, group in groupby(tasks, _place)]
        if places:
            self._scripts.run("enqueue", json.dumps(places, separators=(",", ":")))

    def admit(self, accelerator: str, *, cause: str, limit: int, ttl_s: float) -> list[Slot]:
        return _slots(self._scripts.run("admit", self._now(), accelerator, cause, limit, ttl_s))

    def slots(self, job: str) -> list[Slot]:
        return _slots(self._scripts.run("slots", self._now(), job))

    def granted(self, accelerator: str) -> list[Slot]:
        return _slots(self._scripts.run("granted", self._now(), accelerator))

    def keep_slot(self, job: str, generation: int, task: str, *, ttl_s: float) -> None:
        self._scripts.run("keep_slot", self._now(), job, _name(generation, task), ttl_s)

    def forget(self, job: str) -> None:
        self._scripts.run("forget", job)

    def report_progress(self, job: str, generation: int, task: str, frames: int) -> None:
        self._scripts.run("report", job, _name(generation, task), frames)

    def progress(self, job: str) -> Mapping[str, int]:
        told = sorted(_pairs(self._scripts.run("progress", job)).items())
        return {name.partition(":")[2]: int(frames) for name, frames in told}

    def _now(self) -> str:
        """A test's time; "" lets the server look at its own clock."""
        return "" if self._clock is None else repr(self._clock())


def _name(generation: int, task: str) -> str:
    """Of a task within its job. Ten digits: names sort as generations do."""
    return f"{generation:010d}:{task}"


def _place(task: Waiting) -> list[str]:
    """Where it waits (lua/queue.lua)."""
    return [
        task.accelerator,
        str(task.tenant_priority),
        task.tenant,
        str(task.priority),
        task.job,
    ]


def _tasks(group: Sequence[Waiting]) -> tuple[list[str | int], list[str]]:
    """Names and orders, in turns; and which of the names are of long tasks."""
    named = [(_name(task.generation, task.task), task) for task in group]
    return (
        [part for name, task in named for part in (name, task.order)],
        [name for name, task in named if task.length == "long"],
    )


def _slots(told: Iterable[tuple[str, str, str, str, str]]) -> list[Slot]:
    """What `tell` (lua/slot.lua) says of each."""
    slots = []
    for job, name, accelerator, length, granted_s in told:
        generation, _, task = name.partition(":")
        slots.append(
            Slot(
                job=job,
                generation=int(generation),
                task=task,
                accelerator=accelerator,
                length=length,
                granted_s=float(granted_s),
            )
        )
    return slots


def _pairs(told: Sequence[str]) -> dict[str, str]:
    return dict(zip(told[::2], told[1::2], strict=True))
