"""Which tasks have waited for a GPU for too long: by their slots, and by everybody's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set

from functions.jobs import leases
from functions.jobs.plan import Plan, VideoTask
from functions.media.encoding.accelerator import GPU
from functions.ports import Slot, StateStore


def gone(state: StateStore, *, now_s: float, deadline_s: float) -> bool:
    """True where a task, of whichever job, was let in too long ago and no GPU works on any.

    Others wait behind such slots for nothing: each would have its turn, and its own deadline.
    """
    slots = state.granted(GPU)
    if all(now_s - slot.granted_s <= deadline_s for slot in slots):
        return False
    held = [
        each for slot in slots for each in leases.attempts(slot.job, slot.generation, slot.task)
    ]
    return set(state.holders(held).values()) <= {leases.WANTED}


def overdue(
    plan: Plan, done: Set[str], idle: Sequence[Slot], *, now_s: float, deadline_s: float, all_: bool
) -> Iterator[VideoTask]:
    """Of each group of renditions a task that no GPU took in time, or whichever, if `all_` are."""
    late = {
        (slot.generation, slot.task)
        for slot in idle
        if slot.accelerator == GPU and now_s - slot.granted_s > deadline_s
    }
    groups: set[tuple[str, ...]] = set()
    for task in plan.tasks:
        if not isinstance(task, VideoTask) or task.accelerator != GPU or task.id in done:
            continue
        if task.renditions not in groups and (all_ or (plan.generation_of(task), task.id) in late):
            groups.add(task.renditions)
            yield task
