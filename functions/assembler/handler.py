"""The join: what tasks leave becomes streams, and what waits is let in as they end.

`task.completed` notes the receipt, publishes what is due next (of whichever job) and lets the
playlists grow; the last one makes `job.encoded`, which writes the manifests and the verdict.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from typing import Final

from eventing import telemetry
from eventing.contract import (
    Event,
    JobEncoded,
    SourcePrepared,
    TaskCompleted,
    TaskFailed,
    TaskReady,
    identity,
)
from eventing.errors import Unavailable
from functions.assembler import attempts, growth
from functions.assembler.assembly import assemble
from functions.jobs import (
    admission,
    ending,
    fallback,
    latest,
    layout,
    leases,
    progressive,
    rates,
    record,
)
from functions.jobs.manifest import Manifest
from functions.jobs.plan import PROGRESSIVE_TASK, Plan, Task
from functions.jobs.receipt import Receipt
from functions.jobs.refusal import NO_ACCELERATOR, refuse
from functions.jobs.verdict import State
from functions.media.encoding.accelerator import CPU, Accelerator
from functions.ports import Clock, ObjectStore, StateStore

LEASE_S: Final = 30.0
"""How long an assembly may take before another may begin it as well."""
PLANS_KEPT: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembler:
    """Handles `TaskCompleted`, `TaskFailed` and `JobEncoded`."""

    store: ObjectStore
    state: StateStore
    clock: Clock
    worker: str
    window: admission.Window
    lease_s: float = LEASE_S
    _plans: dict[tuple[str, int], Plan] = field(default_factory=dict)
    """Read lately: they never change, and a job tells of each of its tasks."""

    def task_completed(self, event: TaskCompleted) -> Iterator[Event]:
        if self.store.head(layout.receipt(event.job, event.generation, event.task)) is None:
            yield from self._without_receipt(event)
            return
        plan, task = self._found(event)
        counts = plan.has(event.generation, task.id)
        every = counts and admission.complete(self.state, plan, task)
        if not counts:
            admission.withdraw(self.state, event.job, event.generation, event.task)
        # Asked after the state was changed: whoever ended the job meanwhile has not seen that.
        verdict = ending.read(self.store, event.job)
        if verdict is not None:
            yield from ending.conclude(self.store, self.state, verdict)
        yield from self._due(event, task.accelerator)
        if verdict is not None or not counts:
            return
        if growth.grow(self.store, plan, task):
            # Outputs of a job that was called off meanwhile would stay behind.
            verdict = ending.read(self.store, event.job)
            if verdict is not None:
                yield from ending.conclude(self.store, self.state, verdict)
                return
        if every:
            yield self._all_done(plan)

    def task_failed(self, event: TaskFailed) -> Iterator[Event]:
        verdict = ending.read(self.store, event.job)
        if verdict is not None:
            yield from ending.conclude(self.store, self.state, verdict)
            return
        if self.store.head(layout.receipt(event.job, event.generation, event.task)) is not None:
            return  # another attempt came through, and its own event tells of it
        plan, task = self._found(event)
        if event.code == NO_ACCELERATOR or not plan.has(event.generation, task.id):
            yield from self._without_gpu(event, plan, task)
            return
        if not attempts.exhausted(event):
            # It keeps its slot: to fail is not to be done.
            yield TaskReady(
                job=event.job,
                generation=event.generation,
                task=event.task,
                accelerator=task.accelerator,
                length=task.length,
            )
            return
        yield from self._end(event.job, "failed", event.code, event.reason)
        yield from self._due(event, task.accelerator)

    def _without_gpu(self, event: TaskFailed, plan: Plan, task: Task) -> Iterator[Event]:
        """Go on with the generation in which the CPU does what the task is a part of."""
        if plan.has(event.generation, task.id):
            plan = fallback.settle(self.store, plan, task, fallback.broken(task.id))
        before, manifest = self._plan(event.job, event.generation), self._manifest(event.job)
        every = fallback.take_over(self.store, self.state, manifest, before, plan)
        verdict = ending.read(self.store, event.job)
        if verdict is not None:
            yield from ending.conclude(self.store, self.state, verdict)
        yield from self._due(event, CPU, task.accelerator)
        if every and verdict is None:
            yield self._all_done(plan)

    def job_encoded(self, event: JobEncoded) -> Iterator[Event]:
        verdict = ending.read(self.store, event.job)
        if verdict is not None:
            yield from ending.conclude(self.store, self.state, verdict)
            return
        lease = leases.assembly(event.job)
        if not self.state.acquire(lease, self.worker, ttl_s=self.lease_s):
            # Not dropped: should the other die, this event is what carries the job on.
            raise Unavailable("another worker assembles this job", retry_after_s=2)
        try:
            yield from self._assemble(event)
        finally:
            self.state.release(lease, self.worker)

    def _assemble(self, event: JobEncoded) -> Iterator[Event]:
        plan = self._latest(event.job)
        manifest = self._manifest(event.job)
        if plan.generation != event.generation:
            if plan.makes_file:
                # Whoever wrote it may have died before anybody could know of its task.
                yield from self._let_file_in(event, manifest, plan, plan)
            return  # what another generation does without is no whole
        if progressive.lacks(plan, manifest):
            if len(latest.done(self.store, plan)) == len(plan.tasks):
                after = progressive.settle(self.store, plan)
                yield from self._let_file_in(event, manifest, plan, after)
            return
        receipts: dict[str, Receipt] = {}
        for task in plan.tasks:
            receipt = self._receipt(plan, task)
            if receipt is None:
                return  # somebody was mistaken; the task's own end will tell when it is time
            receipts[task.id] = receipt
            generation = plan.generation_of(task)
            telemetry.link(TaskCompleted(job=plan.job, generation=generation, task=task.id))
        ours = plan.names()
        earlier = [
            (task, receipt)
            for generation in range(1, plan.generation)
            for task, receipt in self._done_in(plan.job, generation, besides=ours)
        ]
        try:
            assemble(self.store, manifest, plan, receipts, earlier=earlier)
        except ValueError as error:
            broken = refuse("output_invalid", problem=error)
            yield from self._end(event.job, "failed", broken.code, broken.reason)
        else:
            done = [(task, receipts[task.id]) for task in plan.tasks]
            rates.vote(self.store, plan, [*earlier, *done])
            file = receipts[PROGRESSIVE_TASK].file if plan.makes_file else None
            yield from self._end(
                event.job, "completed", "completed", "", progressive=file.key if file else ""
            )

    def _let_file_in(
        self, event: JobEncoded, manifest: Manifest, before: Plan, after: Plan
    ) -> Iterator[Event]:
        """Go on with the generation that adds the task of a progressive file."""
        fallback.take_over(self.store, self.state, manifest, before, after)
        verdict = ending.read(self.store, event.job)
        if verdict is not None:
            yield from ending.conclude(self.store, self.state, verdict)
        yield from admission.due(self.state, self.window, [CPU], cause=identity(event))

    def _done_in(
        self, job: str, generation: int, *, besides: Set[tuple[int, str]]
    ) -> Iterator[tuple[Task, Receipt]]:
        """What a generation asked for first and `besides` does without, as far as it is done."""
        plan = self._plan(job, generation)
        for task in plan.tasks:
            if task.since or (generation, task.id) in besides:
                continue
            receipt = self._receipt(plan, task)
            if receipt is not None:
                yield task, receipt

    def _receipt(self, plan: Plan, task: Task) -> Receipt | None:
        key = layout.receipt(plan.job, plan.generation_of(task), task.id)
        return record.read(self.store, key, Receipt)

    def _without_receipt(self, event: TaskCompleted) -> Iterator[Event]:
        """Told of what is not there: cleaned away with its job, or not to be seen yet."""
        verdict = ending.read(self.store, event.job)
        if verdict is None:
            raise Unavailable(f"no receipt of {event.task} to be seen")
        yield from ending.conclude(self.store, self.state, verdict)

    def _end(
        self, job: str, state: State, code: str, reason: str, *, progressive: str = ""
    ) -> Iterator[Event]:
        verdict = ending.decide(
            self.store,
            job=job,
            tenant=self._manifest(job).tenant,
            state=state,
            code=code,
            reason=reason,
            now_s=self.clock(),
            progressive=progressive,
        )
        yield from ending.conclude(self.store, self.state, verdict)

    def _due(
        self, event: TaskCompleted | TaskFailed, *accelerators: Accelerator
    ) -> Iterator[Event]:
        yield from admission.due(self.state, self.window, accelerators, cause=identity(event))

    def _all_done(self, plan: Plan) -> Event:
        if plan.kind == "prepare":
            return SourcePrepared(job=plan.job, generation=plan.generation)
        return JobEncoded(job=plan.job, generation=plan.generation)

    def _found(self, event: TaskCompleted | TaskFailed) -> tuple[Plan, Task]:
        """The plan that counts, and the task as it, or its own generation, has it."""
        plan = self._latest(event.job)
        if not plan.has(event.generation, event.task):
            return plan, self._plan(event.job, event.generation).task(event.task)
        return plan, plan.task(event.task)

    def _latest(self, job: str) -> Plan:
        generation = latest.generation(self.store, job)
        if not generation:
            raise Unavailable("no plan to be seen")
        return self._plan(job, generation)

    def _plan(self, job: str, generation: int) -> Plan:
        name = job, generation
        plan = self._plans.get(name)
        if plan is None:
            plan = record.read(self.store, layout.plan(job, generation), Plan)
            if plan is None:
                raise Unavailable(f"no plan {generation} to be seen")
            while len(self._plans) >= PLANS_KEPT:
                self._plans.pop(next(iter(self._plans)), None)
            self._plans[name] = plan
        return plan

    def _manifest(self, job: str) -> Manifest:
        manifest = record.read(self.store, layout.manifest(job), Manifest)
        if manifest is None:
            raise Unavailable("no job manifest to be seen")
        return manifest
