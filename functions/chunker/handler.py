"""The chunker: from an accepted job to its plan and the first tasks.

A plan is written once: whoever comes second reads the first one and goes on with that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from eventing.contract import Event, JobAccepted, SourcePrepared, identity
from eventing.errors import Rejected, Unavailable
from functions.jobs import admission, ending, latest, layout, leases, rates, record
from functions.jobs.manifest import Manifest, SourceObject
from functions.jobs.plan import Fingerprint, Plan
from functions.media.source import guard
from functions.planning import drawing
from functions.planning.drawing import LONG_TASK_S, Setting
from functions.planning.survey import Survey
from functions.ports import Absent, Clock, ObjectStore, StateStore

LEASE_S: Final = 30.0
"""Renewed between steps; how long a job stands still whose chunker died."""


class Surveys(Protocol):
    """See `functions.planning.surveyor.Surveyor`."""

    def original(self, source: SourceObject, beat: Callable[[], None]) -> Survey: ...
    def mezzanine(self, original: SourceObject, beat: Callable[[], None]) -> Survey: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunker:
    """Handles `JobAccepted` and `SourcePrepared`."""

    store: ObjectStore
    state: StateStore
    clock: Clock
    surveys: Surveys
    encoder: Callable[[], Fingerprint]
    window: admission.Window
    workers: int
    gpu_workers: int
    holder: str
    """This instance's name in leases."""
    bounds: guard.Bounds
    long_task_s: float = LONG_TASK_S
    lease_s: float = LEASE_S

    def job_accepted(self, event: JobAccepted) -> Iterator[Event]:
        yield from self._plan(event, event.job, 1)

    def source_prepared(self, event: SourcePrepared) -> Iterator[Event]:
        yield from self._plan(event, event.job, event.generation + 1)

    def _plan(
        self, event: JobAccepted | SourcePrepared, job: str, generation: int
    ) -> Iterator[Event]:
        if verdict := ending.read(self.store, job):
            yield from ending.conclude(self.store, self.state, verdict)
            return
        manifest = self._manifest(job)
        plan = self._read(job, generation)
        if plan is None:
            lease = leases.planning(job)
            if not self.state.acquire(lease, self.holder, ttl_s=self.lease_s):
                return  # somebody is at it; should they die, the sweeper comes back to the job
            try:
                plan = self._read(job, generation) or self._make(manifest, generation, lease)
            except Rejected as rejected:
                verdict = ending.decide(
                    self.store,
                    job=job,
                    tenant=manifest.tenant,
                    state="rejected",
                    code=rejected.code,
                    reason=rejected.reason,
                    now_s=self.clock(),
                )
                yield from ending.conclude(self.store, self.state, verdict)
                return
            finally:
                self.state.release(lease, self.holder)
        # A later generation may have taken its place: what that does without stays undone.
        plan = latest.plan(self.store, job) or plan
        admission.register(self.state, plan, manifest, latest.done(self.store, plan))
        if verdict := ending.read(self.store, job):
            yield from ending.conclude(self.store, self.state, verdict)
            return
        accelerators = [task.accelerator for task in plan.tasks]
        yield from admission.due(self.state, self.window, accelerators, cause=identity(event))

    def _manifest(self, job: str) -> Manifest:
        manifest = record.read(self.store, layout.manifest(job), Manifest)
        if manifest is None:
            raise Unavailable(f"job {job} has no manifest yet")
        return manifest

    def _read(self, job: str, generation: int) -> Plan | None:
        return record.read(self.store, layout.plan(job, generation), Plan)

    def _make(self, manifest: Manifest, generation: int, lease: str) -> Plan:
        """Survey, draw, write. Returns the plan that counts. Raises Rejected."""

        def beat() -> None:
            self.state.renew(lease, self.holder, ttl_s=self.lease_s)

        if generation == 1:
            survey = self.surveys.original(manifest.source, beat)
        else:
            try:
                survey = self.surveys.mezzanine(manifest.source, beat)
            except Absent:
                raise Unavailable("the mezzanine is not there yet") from None
        setting = Setting(
            encoder=self.encoder(),
            workers=self.workers,
            gpu_workers=self.gpu_workers,
            bounds=self.bounds,
            rates=rates.read(self.store),
            long_task_s=self.long_task_s,
        )
        ours = drawing.draw(manifest, generation, survey, setting)
        return record.settle(self.store, layout.plan(manifest.job, generation), ours)
