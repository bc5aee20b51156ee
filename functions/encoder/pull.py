"""Pull mode: the tasks that were given a slot and that nobody works on."""

from __future__ import annotations

from eventing.contract import TaskReady
from functions.jobs import admission, leases
from functions.ports import StateStore


def due(state: StateStore, accelerator: str) -> list[TaskReady]:
    """In the order in which the slots were given, then those that are wanted a second time.
    Raises Unavailable.

    Two who ask at once are told the same; the lease of a task decides between them.
    """
    slots = state.granted(accelerator)
    both = {slot: leases.attempts(slot.job, slot.generation, slot.task) for slot in slots}
    held = state.holders([lease for of_one in both.values() for lease in of_one])
    untaken = [admission.ready(slot) for slot, (first, _) in both.items() if first not in held]
    wanted = [
        admission.ready(slot, copy=1)
        for slot, (_, second) in both.items()
        if held.get(second) == leases.WANTED
    ]
    return [*untaken, *wanted]
