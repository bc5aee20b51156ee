"""Stragglers: tasks that are worked on for far longer than they were estimated at.

A machine may be slow, or stand still in a way that nobody notices. Such a task is issued a second
time, once, where an encoder has nothing else to do; whoever is first writes the receipt. Without a
spare encoder the copy would only take time from others.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import islice
from typing import Final

from functions.jobs import admission, layout, leases, record
from functions.jobs.admission import Window
from functions.jobs.plan import Plan, Task
from functions.jobs.receipt import Copy, Receipt
from functions.media.encoding.accelerator import Accelerator
from functions.ports import Clock, ObjectStore, Slot, StateStore

FACTOR: Final = 3.0
SPARE_S: Final = 60.0
"""Beyond its estimate, and beyond so many times its estimate: a task that takes longer is one."""
WANTED_S: Final = 90.0
"""How long the second attempt waits for an encoder to take it."""
LOOKED_AT: Final = 8
"""Receipts of the job that tell how quick its encoders are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Straggler:
    """A task that is worked on for too long."""

    slot: Slot
    worker: str
    began_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stragglers:
    """Those of one job."""

    store: ObjectStore
    state: StateStore
    clock: Clock
    window: Window

    def of(
        self, plan: Plan, done: Set[str], slots: Sequence[Slot], holders: Mapping[str, str]
    ) -> Iterator[Straggler]:
        """Those of the slots whose task shall be issued a second time: they take far longer than
        estimated, were not issued again before, and as many encoders are free.

        `holders` are those of the tasks' leases, first and second attempts.
        """
        suspects = [
            each
            for each in self._worked_on(slots, holders)
            if self._is_late(each, plan.task(each.slot.task), 1.0)
        ]
        if not suspects:
            return
        pace = self._pace(plan, done)
        for each in sorted(suspects, key=lambda each: each.began_s):
            slot, task = each.slot, plan.task(each.slot.task)
            key = layout.copy(slot.job, slot.generation, slot.task)
            if (
                self._is_late(each, task, pace)
                and self.store.head(key) is None
                and self._is_somebody_free(task.accelerator)
                and self._want(slot)
            ):
                yield each

    def note(self, straggler: Straggler) -> None:
        """It was issued a second time; it never is again."""
        slot = straggler.slot
        copy = Copy(
            job=slot.job,
            generation=slot.generation,
            task=slot.task,
            worker=straggler.worker,
            began_s=straggler.began_s,
            issued_s=self.clock(),
        )
        record.create(self.store, layout.copy(slot.job, slot.generation, slot.task), copy)

    def _worked_on(self, slots: Sequence[Slot], holders: Mapping[str, str]) -> Iterator[Straggler]:
        for slot in slots:
            both = leases.attempts(slot.job, slot.generation, slot.task)
            first, second = (holders.get(lease, "") for lease in both)
            if first and not second:
                began_s = leases.began_s(first)
                yield Straggler(
                    slot=slot,
                    worker=leases.worker_of(first),
                    began_s=slot.granted_s if began_s is None else began_s,
                )

    def _is_late(self, straggler: Straggler, task: Task, pace: float) -> bool:
        estimate_s = task.cost_ms / 1000 * pace
        limit_s = max(FACTOR * estimate_s, estimate_s + SPARE_S)
        return self.clock() - straggler.began_s > limit_s

    def _pace(self, plan: Plan, done: Set[str]) -> float:
        """How much longer than estimated the job's tasks take here: at least 1."""
        ratios = []
        for task in islice((each for each in plan.tasks if each.id in done), LOOKED_AT):
            key = layout.receipt(plan.job, plan.generation_of(task), task.id)
            receipt = record.read(self.store, key, Receipt)
            if receipt is not None:
                took_ms = (receipt.finished_s - receipt.started_s) * 1000
                ratios.append(took_ms / max(1, task.cost_ms))
        return max(1.0, statistics.median(ratios)) if ratios else 1.0

    def _is_somebody_free(self, accelerator: Accelerator) -> bool:
        """Fewer tasks are in flight than there are encoders, second attempts among them."""
        slots = self.state.granted(accelerator)
        seconds = [leases.task(slot.job, slot.generation, slot.task, 1) for slot in slots]
        busy = len(slots) + len(self.state.holders(seconds))
        return busy < self.window.limit_of(accelerator) - admission.SPARE_SLOTS

    def _want(self, slot: Slot) -> bool:
        lease = leases.task(slot.job, slot.generation, slot.task, 1)
        return self.state.acquire(lease, leases.WANTED, ttl_s=WANTED_S)
