"""What happened to a job, told from its records alone: also where no broker keeps its events.

A fact is the event that was published when a record was written: same id, type, subject and data.
Its time is the store's time of that record. What no record says is not told: of a plan's tasks
only the first is known to be ready with the plan, the others wait for their turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec

from eventing.cloudevent import timestamp
from eventing.contract import (
    Event,
    JobAccepted,
    JobEncoded,
    ObjectCreated,
    SourcePrepared,
    TaskCompleted,
    TaskFailed,
    TaskReady,
    generation_of,
    identity,
    subject_of,
)
from eventing.topology import VERDICTS
from functions.jobs.refusal import NO_ACCELERATOR
from functions.jobs.trail import Attempt, Trail
from functions.jobs.verdict import event_of

if TYPE_CHECKING:
    from functions.jobs.manifest import Manifest
    from functions.jobs.plan import Plan
    from functions.jobs.verdict import Verdict
    from functions.ports import ObjectStore

_STEPS: Final = (
    ObjectCreated,
    JobAccepted,
    TaskReady,
    TaskFailed,
    TaskCompleted,
    SourcePrepared,
    JobEncoded,
    *VERDICTS,
)
"""What comes first where a store's clock, which may count whole seconds, cannot tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that happened to a job."""

    id: str
    """That of the event (`contract.identity`): the same fact, whoever tells it."""
    event: Event
    time_s: float
    """POSIX time of the record, by the store's clock."""
    producer: str
    """The function that tells of such a thing, "" where several do."""
    cause: str
    """The id of the fact that this one followed from, "" where that is not on record."""

    @property
    def order(self) -> tuple[bool, float, int, int, str]:
        """By time; what a clock of whole seconds cannot tell apart, by what follows from what.

        The verdict comes last, whatever the time of what some task left behind.
        """
        step = _STEPS.index(type(self.event))
        ends = isinstance(self.event, VERDICTS)
        return ends, self.time_s, generation_of(self.event), step, self.id


def read(store: ObjectStore, job: str) -> list[Fact]:
    """The facts of a job, by time: a listing, and each record but the receipts. None, where there
    is no manifest."""
    trail = Trail(store, job)
    trail.follow()
    return History().learn(trail)


def as_json(fact: Fact) -> dict[str, Any]:
    return {
        "id": fact.id,
        "type": fact.event.type,
        "subject": subject_of(fact.event),
        "time": timestamp(fact.time_s),
        "producer": fact.producer or None,
        "cause": fact.cause or None,
        "data": msgspec.to_builtins(fact.event),
    }


@dataclass(slots=True)
class History:
    """Tells each fact of a job once, as its records appear."""

    _told: set[str] = field(default_factory=set)
    _completed: dict[int, set[str]] = field(default_factory=dict)
    """Tasks whose receipts were told of, by generation."""
    _failed: set[Attempt] = field(default_factory=set)

    def learn(self, trail: Trail) -> list[Fact]:
        """The facts that the trail's records tell and that were not told yet, by time.

        The verdict is told together with all that is on record by then. Reads the records that
        it needs and that were not read yet.
        """
        manifest = trail.manifest()
        if manifest is None or trail.manifest_s is None:
            return []
        found = list(_beginning(manifest, trail.manifest_s))
        for generation in sorted(trail.planned_s):
            found += self._of_plan(trail, manifest, generation)
        found += self._of_verdict(trail, manifest)
        fresh = [fact for fact in found if fact.id not in self._told]
        self._told.update(fact.id for fact in fresh)
        return sorted(fresh, key=lambda fact: fact.order)

    def _of_plan(self, trail: Trail, manifest: Manifest, generation: int) -> Iterator[Fact]:
        plan = trail.plan(generation)
        if plan is None or not plan.tasks:
            return
        cause = _drawn_by(trail, manifest, plan)
        first = next(task for task in plan.tasks if not task.since)
        ready = TaskReady(
            job=trail.job,
            generation=generation,
            task=first.id,
            accelerator=first.accelerator,
            length=first.length,
        )
        # A plan that follows from another one may be the assembler's or the sweeper's.
        producer = "" if plan.takes_over else "chunker"
        producer = "assembler" if plan.makes_file else producer
        yield _fact(ready, trail.planned_s[generation], producer, cause)
        began = {first.id: identity(ready)}
        for attempt in trail.failures_s.keys() - self._failed:
            if attempt[0] == generation:
                yield from self._of_failure(trail, attempt, began.get(attempt[1], cause))
        done = trail.done(generation)
        told = self._completed.setdefault(generation, set())
        for task in done.keys() - told:
            told.add(task)
            completed = TaskCompleted(job=trail.job, generation=generation, task=task)
            yield _fact(completed, done[task], "encoder", began.get(task, cause))
        if plan.kind == "prepare" or generation == trail.generation or _is_followed(trail, plan):
            yield from _joined(plan, trail.done_of(plan))

    def _of_failure(self, trail: Trail, attempt: Attempt, cause: str) -> Iterator[Fact]:
        failure = trail.failure(attempt)
        if failure is None:
            return
        self._failed.add(attempt)
        yield _fact(_failed(trail, attempt), trail.failures_s[attempt], "encoder", cause)

    def _of_verdict(self, trail: Trail, manifest: Manifest) -> Iterator[Fact]:
        verdict = trail.verdict()
        if verdict is None or trail.verdict_s is None:
            return
        producer, cause = _ended_by(trail, manifest, verdict)
        yield _fact(event_of(verdict), trail.verdict_s, producer, cause)


def _fact(event: Event, time_s: float, producer: str, cause: str) -> Fact:
    return Fact(id=identity(event), event=event, time_s=time_s, producer=producer, cause=cause)


def _beginning(manifest: Manifest, at_s: float) -> Iterator[Fact]:
    created = _created(manifest)
    cause = identity(created) if created else ""
    if created:
        yield _fact(created, at_s, "source", "")
    # A source that was refused before it was known what to do with it was never accepted.
    if manifest.profile is not None:
        yield _fact(_accepted(manifest), at_s, "ingest" if created else "gateway", cause)


def _created(manifest: Manifest) -> ObjectCreated | None:
    """The notification that became the job, None for a job that was asked for."""
    created = manifest.source.created
    return created if created.job == manifest.job else None


def _accepted(manifest: Manifest) -> JobAccepted:
    return JobAccepted(job=manifest.job, tenant=manifest.tenant)


def _planned_by(manifest: Manifest, generation: int) -> str:
    if generation == 1:
        return identity(_accepted(manifest))
    return identity(SourcePrepared(job=manifest.job, generation=generation - 1))


def _is_followed(trail: Trail, plan: Plan) -> bool:
    """Whether everything of it was done before the next generation added a file."""
    after = trail.plan(plan.generation + 1)
    return after is not None and after.makes_file


def _drawn_by(trail: Trail, manifest: Manifest, plan: Plan) -> str:
    """What a plan followed from: of one that takes over from another the failure that it answers,
    if it answers one."""
    if not plan.takes_over:
        return _planned_by(manifest, plan.generation)
    before = trail.plan(plan.generation - 1)
    if plan.makes_file:
        return identity(JobEncoded(job=plan.job, generation=plan.generation - 1))
    for attempt in sorted(trail.failures_s, key=lambda each: trail.failures_s[each]):
        failure = trail.failure(attempt)
        if failure is None or failure.code != NO_ACCELERATOR or before is None:
            continue
        task = failure.generation, failure.task
        if before.has(*task) and not plan.has(*task):
            return identity(_failed(trail, attempt))
    return ""


def _failed(trail: Trail, attempt: Attempt) -> TaskFailed:
    failure = trail.failure(attempt)
    assert failure is not None
    return TaskFailed(
        job=failure.job,
        generation=failure.generation,
        task=failure.task,
        attempt=failure.attempt,
        code=failure.code,
        reason=failure.reason,
        final=failure.final,
    )


def _joined(plan: Plan, done: dict[str, float]) -> Iterator[Fact]:
    """What follows from the last receipt of a plan: it is known with it."""
    if any(task.id not in done for task in plan.tasks):
        return
    last = max(plan.tasks, key=lambda task: (done[task.id], task.id))
    joined: SourcePrepared | JobEncoded
    if plan.kind == "prepare":
        joined = SourcePrepared(job=plan.job, generation=plan.generation)
    else:
        joined = JobEncoded(job=plan.job, generation=plan.generation)
    generation = plan.generation_of(last)
    completed = TaskCompleted(job=plan.job, generation=generation, task=last.id)
    yield _fact(joined, done[last.id], "assembler", identity(completed))


def _ended_by(trail: Trail, manifest: Manifest, verdict: Verdict) -> tuple[str, str]:
    """Who decided, and on what event, as far as the records say."""
    generation = trail.generation
    match verdict.state:
        case "completed":
            return "assembler", identity(JobEncoded(job=trail.job, generation=generation))
        case "rejected" if manifest.profile is None:
            created = _created(manifest)
            return ("ingest", identity(created)) if created else ("gateway", "")
        case "rejected":
            return "chunker", _planned_by(manifest, generation + 1)
        case "failed":
            for attempt in sorted(trail.failures_s, key=lambda each: -trail.failures_s[each]):
                failure = trail.failure(attempt)
                if failure and (failure.code, failure.reason) == (verdict.code, verdict.reason):
                    return "assembler", identity(_failed(trail, attempt))
            return ("sweeper" if verdict.code == "deadline" else "assembler"), ""
        case "cancelled":
            return "", ""
