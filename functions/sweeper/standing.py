"""A job that is open: what is missing for it to go on. Reads the object store, repairs the state.

Every event here may have been published before; all are the same events again.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

from eventing.contract import (
    Event,
    JobAccepted,
    JobEncoded,
    ObjectCreated,
    SourcePrepared,
)
from functions.jobs import admission, ending, fallback, latest, layout, leases, record
from functions.jobs.manifest import Manifest
from functions.jobs.plan import Plan, Task
from functions.jobs.refusal import refuse
from functions.ports import Clock, ObjectInfo, ObjectStore, Slot, StateStore
from functions.sweeper import gpus
from functions.sweeper.stragglers import Stragglers


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    store: ObjectStore
    state: StateStore
    clock: Clock
    stale_s: float
    """How long something published may take to show an effect."""
    abandoned_s: float
    """How long an open marker may lack everything else."""
    gpu_deadline_s: float
    """How long a task that holds a slot may wait for a GPU to take it."""
    gpus_gone: bool
    """Nobody with one is at work, and somebody waited too long."""
    stragglers: Stragglers

    def push(self, marker: ObjectInfo) -> Iterator[Event]:
        """What carries the job of this open marker on."""
        job = marker.key.removeprefix(layout.OPEN_PREFIX)
        verdict = ending.read(self.store, job)
        if verdict is not None:
            yield from ending.conclude(self.store, self.state, verdict)
            return
        manifest = record.read(self.store, layout.manifest(job), Manifest)
        if manifest is None:
            yield from self._begin(marker)
            return
        if self.clock() > manifest.deadline_s:
            yield from self._give_up(manifest)
            return
        plan = latest.plan(self.store, job)
        if plan is None:
            if self._is_stale(manifest.accepted_s) and not self.state.held(leases.planning(job)):
                yield JobAccepted(job=job, tenant=manifest.tenant)
            return
        yield from self._carry_out(manifest, plan)

    def _begin(self, marker: ObjectInfo) -> Iterator[Event]:
        """The manifest is missing: whoever began the job died, and the marker says with what."""
        if not self._is_stale(marker.modified_s):
            return
        try:
            begun = record.read(self.store, marker.key, ObjectCreated)
        except ValueError:
            if self.clock() - marker.modified_s > self.abandoned_s:
                self.store.delete(marker.key)
            return
        if begun is not None:  # else told and removed in this moment
            yield begun

    def _give_up(self, manifest: Manifest) -> Iterator[Event]:
        late = refuse("deadline", deadline=_in_words(manifest.options.deadline_s))
        verdict = ending.decide(
            self.store,
            job=manifest.job,
            tenant=manifest.tenant,
            state="failed",
            code=late.code,
            reason=late.reason,
            now_s=self.clock(),
        )
        yield from ending.conclude(self.store, self.state, verdict)

    def _carry_out(self, manifest: Manifest, plan: Plan) -> Iterator[Event]:
        job, generation = plan.job, plan.generation
        slots = self.state.slots(job)
        for slot in slots:
            if not plan.has(slot.generation, slot.task):
                # Of an earlier generation: it is done, or nobody wants it any more.
                admission.withdraw(self.state, job, slot.generation, slot.task)
        done = latest.done(self.store, plan)
        admission.register(self.state, plan, manifest, done)
        if (yield from self._ended(job)):
            return
        if all(task.id in done for task in plan.tasks):
            if plan.kind == "prepare":
                if not self.state.held(leases.planning(job)):
                    yield SourcePrepared(job=job, generation=generation)
            elif not self.state.held(leases.assembly(job)):
                yield JobEncoded(job=job, generation=generation)
            return
        ours = [
            slot for slot in slots if plan.has(slot.generation, slot.task) and slot.task not in done
        ]
        holders = self.state.holders([lease for slot in ours for lease in _leases(slot)])
        idle = [slot for slot in ours if not any(lease in holders for lease in _leases(slot))]
        overdue = [
            *gpus.overdue(
                plan,
                done,
                idle,
                now_s=self.clock(),
                deadline_s=self.gpu_deadline_s,
                all_=self.gpus_gone and self.clock() - manifest.accepted_s > self.gpu_deadline_s,
            )
        ]
        if overdue:
            yield from self._without_gpu(manifest, plan, overdue)
            return
        for slot in idle:
            if self._is_stale(slot.granted_s):
                yield admission.ready(slot)
        for straggler in self.stragglers.of(plan, done, ours, holders):
            yield admission.ready(straggler.slot, copy=1)
            self.stragglers.note(straggler)

    def _without_gpu(
        self, manifest: Manifest, before: Plan, overdue: Sequence[Task]
    ) -> Iterator[Event]:
        """Let the CPU do what no GPU took in time: what is due of that, the tick tells of."""
        after = before
        for task in overdue:
            if after.has(before.generation_of(task), task.id):
                why = fallback.overdue(task.id, self.gpu_deadline_s)
                after = fallback.settle(self.store, after, after.task(task.id), why)
        fallback.take_over(self.store, self.state, manifest, before, after)
        yield from self._ended(manifest.job)

    def _ended(self, job: str) -> Generator[Event, None, bool]:
        """True, after what there is to tell of it, where the job has its verdict."""
        verdict = ending.read(self.store, job)
        if verdict is not None:
            yield from ending.conclude(self.store, self.state, verdict)
        return verdict is not None

    def _is_stale(self, since_s: float) -> bool:
        return self.clock() - since_s > self.stale_s


def _leases(slot: Slot) -> tuple[str, str]:
    return leases.attempts(slot.job, slot.generation, slot.task)


def _in_words(seconds: int) -> str:
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds % size == 0 and seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} seconds"
