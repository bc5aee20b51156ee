"""Pull mode: the tasks that were given a slot and that nobody works on."""

from __future__ import annotations

from eventing.contract import TaskReady
from functions.jobs import leases
from functions.ports import Slot, StateStore


def due(state: StateStore, accelerator: str) -> list[TaskReady]:
    """In the order in which the slots were given, then those that are wanted a second time.
    Raises Unavailable.

    Two who ask at once are told the same; the lease of a task decides between them.
    """
    slots = state.granted(accelerator)
    held = state.holders([_lease(slot, copy) for slot in slots for copy in (0, 1)])
    untaken = [_ready(slot) for slot in slots if _lease(slot) not in held]
    wanted = [_ready(slot, 1) for slot in slots if held.get(_lease(slot, 1)) == leases.WANTED]
    return [*untaken, *wanted]


def _lease(slot: Slot, copy: int = 0) -> str:
    return leases.task(slot.job, slot.generation, slot.task, copy)


def _ready(slot: Slot, copy: int = 0) -> TaskReady:
    return TaskReady(
        job=slot.job,
        generation=slot.generation,
        task=slot.task,
        accelerator=slot.accelerator,
        length=slot.length,
        copy=copy,
    )
