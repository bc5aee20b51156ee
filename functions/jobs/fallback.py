"""What a GPU does not do, the CPU does: the next generation of a plan, for whole renditions.

It follows from the plan before it alone. Chunks stay as they are, so whoever has no look into the
source can draw it; tasks that stay keep the generation that asked for them first, and with it
their slots, receipts and failures, whether they are done, under way or wait. Of the renditions
that move nothing counts that was done: an init segment of another encoder is another one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Final

import msgspec

from functions.jobs import admission, latest, layout, record
from functions.jobs.manifest import Manifest
from functions.jobs.plan import Plan, Task, VideoTask
from functions.jobs.refusal import NO_ACCELERATOR
from functions.media.encoding.accelerator import CPU
from functions.ports import ObjectStore, StateStore

NONE_THERE: Final = "no encoder has one (KINORA_GPU_ENCODERS is 0)"


def note(why: str, renditions: Collection[str] = ()) -> str:
    """The sentence of the report."""
    what = ", ".join(renditions) if renditions else "all pictures"
    return f"{NO_ACCELERATOR}: a GPU was asked for; the CPU encodes {what}, because {why}"


def broken(task: str) -> str:
    """Why: the worker that took the task has no GPU that works."""
    return f"the worker that took {task} has none that works"


def overdue(task: str, deadline_s: float) -> str:
    """Why: nobody took the task in time."""
    return f"nobody with one took {task} within {deadline_s:g} s"


def settle(store: ObjectStore, plan: Plan, task: Task, why: str) -> Plan:
    """Write the generation in which `task` is the CPU's, unless others were faster.

    `plan` is the latest that is known and has the task. Returns the one in which it is a GPU's no
    more: what this wrote, or somebody before; of a task that is done by now, the latest that has
    it.
    """
    since = plan.generation_of(task)
    receipt = layout.receipt(plan.job, since, task.id)
    while plan.has(since, task.id) and store.head(receipt) is None:
        ours = without(plan, task, why)
        plan = record.settle(store, layout.plan(ours.job, ours.generation), ours)
    return plan


def take_over(
    store: ObjectStore, state: StateStore, manifest: Manifest, before: Plan, after: Plan
) -> bool:
    """Let nobody wait for what the later plan does without, and somebody for what it adds.

    Repeats do no harm, and repair. Look for a verdict afterwards. True if every task of the later
    plan is done.
    """
    for generation, tasks in discarded(before, after).items():
        admission.withdraw(state, before.job, generation, *tasks)
    done = latest.done(store, after)
    admission.register(state, after, manifest, done)
    return len(done) == len(after.tasks)


def without(plan: Plan, task: Task, why: str) -> Plan:
    """The next generation: every rendition that the task has a part of is the CPU's."""
    moved = _moved(plan, task)
    number = plan.generation + 1
    return replace(
        plan,
        generation=number,
        video=tuple(
            replace(each, accelerator=CPU) if each.name in moved else each for each in plan.video
        ),
        tasks=tuple(_next(plan, each, moved, number) for each in plan.tasks),
        takes_over=True,
        notes=(*plan.notes, note(why, [each.name for each in plan.video if each.name in moved])),
    )


def discarded(before: Plan, after: Plan) -> dict[int, list[str]]:
    """The tasks that the later plan does not ask for any more, by generation."""
    gone: dict[int, list[str]] = {}
    for generation, task in sorted(before.names() - after.names()):
        gone.setdefault(generation, []).append(task)
    return gone


def _moved(plan: Plan, task: Task) -> set[str]:
    """The task's renditions and those that share a task with them: no rendition is of two kinds."""
    moved = set(task.renditions) if isinstance(task, VideoTask) else set()
    while True:
        more = {
            name
            for each in plan.tasks
            if isinstance(each, VideoTask) and moved.intersection(each.renditions)
            for name in each.renditions
        }
        if more <= moved:
            return moved
        moved |= more


def _next(plan: Plan, task: Task, moved: set[str], number: int) -> Task:
    if not isinstance(task, VideoTask) or not moved.intersection(task.renditions):
        return msgspec.structs.replace(task, since=plan.generation_of(task))
    return msgspec.structs.replace(
        task,
        # A name that no generation had before: whatever is still said of the other is not of this.
        id=f"{task.id}-g{number}",
        accelerator=CPU,
        cost_ms=task.fallback_ms,
        fallback_ms=0,
        since=0,
    )
