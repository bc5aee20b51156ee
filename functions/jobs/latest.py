"""The plan of a job that counts, and what of it is done, as the object store has it."""

from __future__ import annotations

from pathlib import PurePosixPath

from functions.jobs import layout, record
from functions.jobs.plan import Plan
from functions.ports import ObjectStore


def generation(store: ObjectStore, job: str) -> int:
    """That of the latest plan, 0 before the first. Raises Unavailable."""
    prefix = layout.plans_prefix(job)
    names = (info.key.removeprefix(prefix) for info in store.list(prefix))
    return max((int(name.removesuffix(".json")) for name in names), default=0)


def plan(store: ObjectStore, job: str) -> Plan | None:
    """The plan of the latest generation, None before the first. Raises Unavailable, ValueError."""
    number = generation(store, job)
    return record.read(store, layout.plan(job, number), Plan) if number else None


def done(store: ObjectStore, plan: Plan) -> set[str]:
    """The ids of the plan's tasks that have a receipt, under whichever generation asked first."""
    found: dict[int, set[str]] = {}
    for generation in {plan.generation_of(task) for task in plan.tasks}:
        listed = store.list(layout.receipts_prefix(plan.job, generation))
        found[generation] = {PurePosixPath(info.key).name for info in listed}
    return {task.id for task in plan.tasks if task.id in found[plan.generation_of(task)]}
