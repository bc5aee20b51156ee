"""Who waits for a GPU, from the records of the jobs that are open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from functions.jobs import layout, overview
from functions.media.encoding.accelerator import GPU
from functions.ports import ObjectStore
from knative.operating.gpu import Waiting


def gpus(store: ObjectStore) -> Iterator[Waiting]:
    """The jobs, in the order of their ids. Raises Unavailable.

    A job whose records cannot be read is passed over: the sweeper logs it.
    """
    for marker in store.list(layout.OPEN_PREFIX):
        try:
            seen = overview.read(store, marker.key.removeprefix(layout.OPEN_PREFIX))
        except ValueError:
            continue
        if seen is None or seen.plan is None or seen.ended:
            continue
        tasks = sum(
            task.accelerator == GPU and task.id not in seen.done for task in seen.plan.tasks
        )
        if tasks:
            yield Waiting(
                job=seen.job,
                tenant=seen.manifest.tenant,
                tasks=tasks,
                since_s=seen.planned_s or seen.manifest.accepted_s,
            )


def as_values(found: Iterable[Waiting]) -> list[dict[str, Any]]:
    return [
        {"job": each.job, "tenant": each.tenant, "tasks": each.tasks, "since_s": each.since_s}
        for each in found
    ]


def of_values(found: Iterable[dict[str, Any]]) -> list[Waiting]:
    """What `as_values` made. Raises TypeError for anything else."""
    return [Waiting(**each) for each in found]
