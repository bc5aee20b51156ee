"""Admission: which tasks may be published now, over all jobs.

The state store gives at most G slots an accelerator. Whoever planned, completed or repaired
something asks for what is due and publishes it, of whichever job.

Whose turn it is: first the tenants of the highest priority (KINORA_PRIORITIES), who take turns;
of the one whose turn it is the jobs of the highest priority (option `priority`), which take turns;
of that job the first task of its plan. Both priorities are frozen in the job's manifest. Nothing
in flight is ever stopped for something more urgent: that waits for one task at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Final

from eventing.contract import TaskReady
from functions import environment
from functions.jobs.manifest import Manifest
from functions.jobs.plan import Plan, Task
from functions.media.encoding.accelerator import GPU, Accelerator
from functions.ports import Slot, StateStore, Waiting

SPARE_SLOTS: Final = 2
"""Tasks in flight beyond the encoders' number, so that none waits for the next hand-over."""

SLOT_TTL_S: Final = 900.0
"""Longer than a task may queue and run together (the encoder's Trigger waits eleven minutes).
Whoever works on one that takes longer keeps its slot together with its lease."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """How much may be in flight at once, per accelerator, and for how long a slot is believed."""

    limit: int
    """KINORA_ENCODER_SLOTS: tasks in flight, over all jobs. Default: two more than
    KINORA_ENCODERS."""
    gpu_limit: int = SPARE_SLOTS
    """KINORA_GPU_ENCODER_SLOTS: those of them that a GPU shall do, counted apart. Default: two more
    than KINORA_GPU_ENCODERS."""
    ttl_s: float = SLOT_TTL_S
    """KINORA_SLOT_TTL_S: how long a task may queue and run before its slot counts as lost.
    Default: 900."""

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Window:
        """Raises ValueError for what is wrong."""
        encoders = environment.count(env, "KINORA_ENCODERS", 1)
        gpu_encoders = environment.count(env, "KINORA_GPU_ENCODERS", 0, least=0)
        return cls(
            limit=environment.count(env, "KINORA_ENCODER_SLOTS", encoders + SPARE_SLOTS),
            gpu_limit=environment.count(
                env, "KINORA_GPU_ENCODER_SLOTS", gpu_encoders + SPARE_SLOTS
            ),
            ttl_s=environment.seconds(env, "KINORA_SLOT_TTL_S", SLOT_TTL_S),
        )

    def limit_of(self, accelerator: Accelerator) -> int:
        return self.gpu_limit if accelerator == GPU else self.limit


def register(state: StateStore, plan: Plan, manifest: Manifest, done: Set[str]) -> None:
    """Let every task of `plan` wait that is not in `done`, the ids of those with a receipt.

    Those that wait or hold a slot already stay as they are, so this also repairs. Look for a
    verdict afterwards: one that came meanwhile has forgotten only what was there before.
    """
    noted = [task for task in plan.tasks if task.id in done]
    if noted:
        complete(state, plan, *noted)
    state.enqueue(
        [
            Waiting(
                job=plan.job,
                generation=plan.generation_of(task),
                task=task.id,
                tenant=manifest.tenant,
                accelerator=task.accelerator,
                order=order,
                tenant_priority=manifest.tenant_priority,
                priority=manifest.options.priority,
                length=task.length,
            )
            for order, task in enumerate(plan.tasks)
            if task.id not in done
        ]
    )


def complete(state: StateStore, plan: Plan, *tasks: Task) -> bool:
    """Note receipts of the plan's tasks, which frees their slots. True if all of it are noted."""
    earlier: dict[int, list[str]] = {}
    for task in tasks:
        if plan.generation_of(task) != plan.generation:
            earlier.setdefault(plan.generation_of(task), []).append(task.id)
    for generation, ids in earlier.items():
        withdraw(state, plan.job, generation, *ids)
    return state.complete(
        plan.job, plan.generation, *(task.id for task in tasks), total=len(plan.tasks)
    )


def withdraw(state: StateStore, job: str, generation: int, *tasks: str) -> None:
    """Give back the slots of tasks that a generation need not do any more, and never let them
    wait again."""
    state.complete(job, generation, *tasks, total=len(tasks))


def due(
    state: StateStore, window: Window, accelerators: Iterable[Accelerator], *, cause: str
) -> Iterator[TaskReady]:
    """Give the free slots away and tell of each task that got one, of whichever job.

    `cause` is the id of the event being handled (`contract.identity`): when that event is
    delivered again, the same tasks are told of again.
    """
    for accelerator in sorted(set(accelerators)):
        limit = window.limit_of(accelerator)
        for slot in state.admit(accelerator, cause=cause, limit=limit, ttl_s=window.ttl_s):
            yield ready(slot)


def ready(slot: Slot, copy: int = 0) -> TaskReady:
    """What tells of the task that holds the slot; `copy` 1: once more, while somebody is at it."""
    return TaskReady(
        job=slot.job,
        generation=slot.generation,
        task=slot.task,
        accelerator=slot.accelerator,
        length=slot.length,
        copy=copy,
    )
