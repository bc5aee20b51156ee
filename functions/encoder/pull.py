"""Pull mode: the tasks that were given a slot and that nobody works on."""

from __future__ import annotations

from eventing.contract import TaskReady
from functions.jobs import leases
from functions.ports import Slot, StateStore


def due(state: StateStore, accelerator: str) -> list[TaskReady]:
    """In the order in which the slots were given. Raises Unavailable.

    Two who ask at once are told the same; the lease of a task decides between them.
    """
    slots = {_lease(slot): slot for slot in state.granted(accelerator)}
    taken = state.holders(list(slots))
    return [
        TaskReady(
            job=slot.job,
            generation=slot.generation,
            task=slot.task,
            accelerator=slot.accelerator,
            length=slot.length,
        )
        for lease, slot in slots.items()
        if lease not in taken
    ]


def _lease(slot: Slot) -> str:
    return leases.task(slot.job, slot.generation, slot.task)
