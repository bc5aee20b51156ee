"""Encoding: a task that is ready becomes segments and a receipt, or a failure on record.

Whatever was done before is not done again: a receipt or a final failure is told of once more. The
lease only saves work; what makes attempts that race harmless is that receipts are written once.
"""

from __future__ import annotations

import errno
import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from eventing.contract import Event, TaskCompleted, TaskFailed, TaskReady
from eventing.errors import Rejected, Unavailable
from functions.encoder import mezzanine, outcome, progressive, upload
from functions.encoder.attempt import Attempt
from functions.encoder.fetch import Copy
from functions.encoder.outcome import CalledOff, Failed
from functions.encoder.settings import Settings
from functions.encoder.watch import Watch
from functions.jobs import ending, latest, layout, leases, record
from functions.jobs.plan import (
    AudioTask,
    Fingerprint,
    MezzanineTask,
    Plan,
    ProgressiveTask,
    Task,
    VideoTask,
)
from functions.jobs.receipt import Failure, Receipt
from functions.jobs.refusal import NO_ACCELERATOR
from functions.media.encoding.accelerator import GPU
from functions.media.streams.segment import Stored, Track
from functions.ports import Clock, ObjectStore, Process, StateStore

_log = logging.getLogger(__name__)

PLANS_KEPT: Final = 16
FULL: Final = frozenset((errno.ENOSPC, errno.EDQUOT))


@dataclass(frozen=True, kw_only=True)
class Encoder:
    """Handles `TaskReady`."""

    store: ObjectStore
    state: StateStore
    process: Process
    clock: Clock
    settings: Settings
    ffmpeg: Callable[[], Path]
    fingerprint: Callable[[], Fingerprint]
    gpu: Callable[[], bool]
    """True where a GPU works."""
    scratch: Callable[[Path], AbstractContextManager[Path]]
    """An empty folder in the one given, gone afterwards."""
    _plans: dict[tuple[str, int], Plan] = field(default_factory=dict)

    def task_ready(self, ready: TaskReady) -> Iterator[Event]:
        """Raises Unavailable for what is not the task's fault; Rejected for an unknown task."""
        if self._ended(ready):
            return
        if self._is_done(ready):
            yield _completed(ready)
            return
        plan = self._plan(ready)
        try:
            task = plan.task(ready.task)
        except KeyError:
            raise Rejected("task_unknown", "The plan has no such task.") from None
        if task.accelerator == GPU and self._discarded(ready):
            return
        if self.fingerprint().sha256 != plan.encoder.sha256:
            # Another instance has the build that the plan wants, or a next plan will name ours.
            raise Unavailable("the plan wants another build of the encoder", retry_after_s=10)
        failures = self._failures(ready)
        if failures and failures[-1].final:
            yield _failed(failures[-1])
            return
        watch = Watch(
            store=self.store,
            state=self.state,
            clock=self.clock,
            ready=ready,
            holder=leases.holder(self.settings.worker, self.clock(), secrets.token_hex(8)),
            ttl_s=self.settings.lease_ttl_s,
        )
        if not watch.acquire():
            return
        try:
            # Whoever had the lease until now may have written it since we looked.
            done = self._is_done(ready)
            event = _completed(ready) if done else self._attempt(ready, plan, task, watch)
        except CalledOff:
            if self._ended(ready) or not self._is_done(ready):
                return
            # The other attempt was first; should it have died then, this tells of it.
            self._discard(ready)
            event = _completed(ready)
        finally:
            watch.release()
        if event is not None:
            yield event

    def _is_done(self, ready: TaskReady) -> bool:
        return self.store.head(layout.receipt(ready.job, ready.generation, ready.task)) is not None

    def _ended(self, ready: TaskReady) -> bool:
        """True when the job has its verdict; what an attempt wrote for nothing is gone then."""
        verdict = ending.read(self.store, ready.job)
        if verdict is None:
            return False
        ending.discard(self.store, verdict)
        return True

    def _discarded(self, ready: TaskReady) -> bool:
        """True when a later generation does without the task."""
        if self.store.head(layout.plan(ready.job, ready.generation + 1)) is None:
            return False
        plan = latest.plan(self.store, ready.job)
        return plan is not None and not plan.has(ready.generation, ready.task)

    def _plan(self, ready: TaskReady) -> Plan:
        """Plans never change, so those read lately are kept."""
        name = ready.job, ready.generation
        plan = self._plans.get(name)
        if plan is None:
            plan = record.read(self.store, layout.plan(*name), Plan)
            if plan is None:
                raise Unavailable("the plan is not there yet", retry_after_s=5)
            while len(self._plans) >= PLANS_KEPT:
                self._plans.pop(next(iter(self._plans)), None)
            self._plans[name] = plan
        return plan

    def _discard(self, ready: TaskReady) -> None:
        """Remove what this attempt wrote and the receipt does not name: mostly nothing, since the
        same frames make the same bytes."""
        key = layout.receipt(ready.job, ready.generation, ready.task)
        receipt = record.read(self.store, key, Receipt)
        left_over = upload.left_over(self.store, receipt) if receipt is not None else []
        # Asked after they were listed: a generation that has these segments made anew writes its
        # plan before any of them.
        if left_over and not self._discarded(ready):
            for each in left_over:
                self.store.delete(each)

    def _attempt(self, ready: TaskReady, plan: Plan, task: Task, watch: Watch) -> Event | None:
        try:
            if task.accelerator == GPU and not self.gpu():
                # Never on the CPU here: what else the rendition has comes from a GPU.
                raise Failed(NO_ACCELERATOR, problem="a trial encode fails")
            with self.scratch(self.settings.scratch) as folder:
                self._work(ready, plan, task, watch, folder)
        except Failed as failed:
            ours = outcome.of_gpu(failed) if task.accelerator == GPU else failed
            return self._record(ready, ours)
        except Rejected as rejected:
            return self._record(ready, Failed.of(rejected))
        except OSError as error:
            if error.errno in FULL:
                raise Unavailable("no space left on the scratch disk", retry_after_s=30) from error
            raise
        return _completed(ready)

    def _work(self, ready: TaskReady, plan: Plan, task: Task, watch: Watch, folder: Path) -> None:
        """Write the task's outputs, then its receipt, unless another attempt's is there first."""
        started_s = self.clock()
        copy = Copy(store=self.store, plan=plan, folder=folder, beat=watch.beat)
        attempt = Attempt(
            store=self.store,
            process=self.process,
            clock=self.clock,
            ffmpeg=str(self.ffmpeg()),
            tuning=self.settings.tuning,
            memory_bytes=self.settings.memory_bytes,
            maps_more=task.accelerator == GPU,
            stall_s=self.settings.stall_s,
            ends_s=started_s + self.settings.wall_s,
            plan=plan,
            folder=folder,
            watch=watch,
            copy=copy,
        )
        tracks: tuple[Track, ...] = ()
        file: Stored | None = None
        match task:
            case VideoTask():
                tracks = attempt.video(task)
            case AudioTask():
                tracks = attempt.audio(task)
            case MezzanineTask():
                mezzanine.make(attempt, task)
            case ProgressiveTask():
                file = progressive.make(attempt, task)
        receipt = Receipt(
            job=ready.job,
            generation=ready.generation,
            task=ready.task,
            tracks=tracks,
            worker=self.settings.worker,
            started_s=started_s,
            finished_s=self.clock(),
            cpu_ms=round(attempt.cpu_s * 1000),
            source_bytes_read=copy.bytes_read,
            file=file,
            lost=attempt.lost,
        )
        key = layout.receipt(ready.job, ready.generation, ready.task)
        counts = record.create(self.store, key, receipt)
        if not counts:
            self._discard(ready)
        # One line an encode: what was encoded twice can be seen.
        _log.info("encoded", extra={"facts": {"cpu_ms": receipt.cpu_ms, "counts": counts}})

    def _failures(self, ready: TaskReady) -> list[Failure]:
        """The attempts on record, in their order."""
        prefix = layout.failures_prefix(ready.job, ready.generation, ready.task)
        found = [record.load(self.store.get(info.key), Failure) for info in self.store.list(prefix)]
        return sorted(found, key=lambda failure: failure.attempt)

    def _record(self, ready: TaskReady, failed: Failed) -> TaskFailed | None:
        """Write the failure under the next free number, and tell of it. Of a second attempt there
        is nothing to tell: the first one decides."""
        if ready.copy:
            _log.warning("a second attempt failed", extra={"facts": {"problem": str(failed)}})
            return None
        before = self._failures(ready)
        attempt = before[-1].attempt + 1 if before else 1
        while True:
            reason = failed.reason(attempts=attempt)
            failure = Failure(
                job=ready.job,
                generation=ready.generation,
                task=ready.task,
                attempt=attempt,
                code=failed.code,
                reason=reason,
                final=failed.final,
                worker=self.settings.worker,
                failed_s=self.clock(),
                detail=failed.detail,
            )
            key = layout.failure(ready.job, ready.generation, ready.task, attempt)
            if record.create(self.store, key, failure):
                return _failed(failure)
            attempt += 1


def _completed(ready: TaskReady) -> TaskCompleted:
    return TaskCompleted(job=ready.job, generation=ready.generation, task=ready.task)


def _failed(failure: Failure) -> TaskFailed:
    return TaskFailed(
        job=failure.job,
        generation=failure.generation,
        task=failure.task,
        attempt=failure.attempt,
        code=failure.code,
        reason=failure.reason,
        final=failure.final,
    )
