"""The tasks of a job's plan as people look at them: where each is, who works on it, how far."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from functions.jobs import layout, leases, progress

if TYPE_CHECKING:
    from functions.jobs import plan as plans
    from functions.jobs.overview import Overview
    from functions.jobs.plan import Plan
    from functions.jobs.receipt import Receipt
    from functions.ports import ObjectStore, StateStore

Kind = Literal["video", "audio", "mezzanine", "progressive"]
State = Literal["waiting", "running", "done", "failed"]

RECEIPTS: Final = 200
"""Read at a time, at most, for who did a task and what it made: each costs a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a receipt tells of a task that is done."""

    worker: str
    size_bytes: int
    """Of all segments and init segments that it made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task at one moment."""

    id: str
    kind: Kind
    renditions: tuple[str, ...]
    start: int
    stop: int
    """Output frames [start, stop); 0 and 0 for a whole track."""
    state: State
    """`failed` only in a job that has failed, of a task of which every attempt did."""
    worker: str
    """Who works on it, or did it; "" where nobody asked."""
    attempts: int
    """Begun so far, as far as is known."""
    frames_done: int
    """Output frames; 0 for a whole track."""
    share: float
    """0 to 1: how much of it is done."""
    size_bytes: int | None
    """Of what it made, None where nobody asked."""


def of(
    seen: Overview, made: Mapping[str, Made] | None = None, *, but: Set[str] = frozenset()
) -> Iterator[Task]:
    """The tasks of the job's plan in its order, `but` these; none before there is a plan."""
    plan, made = seen.plan, made or {}
    if plan is None:
        return
    lengths = progress.samples(plan)
    for task in plan.tasks:
        if task.id in but:
            continue
        done = task.id in seen.done
        running = not done and not seen.ended and task.id in seen.workers
        failed = seen.failed.get(task.id, 0)
        part = 1 if done else progress.part_of(task, seen.frames.get(task.id, 0), lengths)
        kind, renditions, start, stop = _shape(task)
        state: State = "done" if done else "running" if running else "waiting"
        if failed and not done and seen.state == "failed":
            state = "failed"
        of_it = made.get(task.id)
        yield Task(
            id=task.id,
            kind=kind,
            renditions=renditions,
            start=start,
            stop=stop,
            state=state,
            worker=of_it.worker if of_it else seen.workers.get(task.id, ""),
            attempts=failed + (done or running),
            frames_done=int(part * (stop - start)),
            share=round(float(part), 4),
            size_bytes=of_it.size_bytes if of_it else None,
        )


def _shape(task: plans.Task) -> tuple[Kind, tuple[str, ...], int, int]:
    """What it is, its renditions, and where it starts and stops."""
    from functions.jobs.plan import AudioTask, ProgressiveTask, VideoTask

    match task:
        case VideoTask():
            return "video", task.renditions, task.start, task.stop
        case AudioTask():
            return "audio", task.renditions, 0, 0
        case ProgressiveTask():
            return "progressive", tuple(filter(None, (task.video, task.audio))), 0, 0
    return "mezzanine", (), 0, 0


def as_json(task: Task) -> dict[str, Any]:
    return {
        "id": task.id,
        "kind": task.kind,
        "renditions": list(task.renditions),
        "start": task.start,
        "stop": task.stop,
        "state": task.state,
        "worker": task.worker or None,
        "attempts": task.attempts,
        "frames_done": task.frames_done,
        "share": task.share,
        "size_bytes": task.size_bytes,
    }


def workers(state: StateStore, plan: Plan) -> Mapping[str, str]:
    """Who works on which task, in two requests. Raises Unavailable."""
    ours = plan.names()
    held = {
        slot.task: leases.attempts(plan.job, slot.generation, slot.task)
        for slot in state.slots(plan.job)
        if (slot.generation, slot.task) in ours
    }
    holders = state.holders([each for both in held.values() for each in both])
    return {
        task: leases.worker_of(holders[lease])
        for task, both in held.items()
        # The first attempt's, as long as there is one.
        for lease in reversed(both)
        if holders.get(lease, leases.WANTED) != leases.WANTED
    }


def made(store: ObjectStore, plan: Plan, task: str) -> Made | None:
    """What the task's receipt tells, in one request; None while there is none."""
    from functions.jobs import record
    from functions.jobs.receipt import Receipt

    generation = plan.generation_of(plan.task(task))
    receipt = record.read(store, layout.receipt(plan.job, generation, task), Receipt)
    return None if receipt is None else of_receipt(receipt)


def of_receipt(receipt: Receipt) -> Made:
    return Made(
        worker=receipt.worker,
        size_bytes=sum(
            track.init.size_bytes + sum(each.stored.size_bytes for each in track.segments)
            for track in receipt.tracks
        ),
    )
