"""A chunker and an encoder that keep the contract of the real ones over media that is made up.

What a source is like stands in the source itself: a `Film` behind the first bytes of an MP4.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from fractions import Fraction

from eventing.contract import (
    Event,
    JobAccepted,
    SourcePrepared,
    TaskCompleted,
    TaskFailed,
    TaskReady,
    identity,
)
from eventing.errors import Unavailable
from functions.jobs import admission, ending, latest, layout, leases, record
from functions.jobs.manifest import Manifest
from functions.jobs.plan import (
    PROGRESSIVE_TASK,
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
from functions.media.cutting.timeline import Timeline
from functions.media.encoding.accelerator import CPU, GPU, Accelerator
from functions.media.encoding.rendition import AudioRendition, VideoRendition
from functions.media.streams.segment import Segment, Stored, Track
from functions.ports import Absent, Clock, ObjectStore, StateStore

HEADER = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42"
SEGMENT_FRAMES = 100
LEASE_S = 30.0
HUNG_S = 1800.0
ALWAYS = 99
"""Failures of a task that no attempt gets through."""


@dataclass(frozen=True, slots=True)
class Film:
    """What a made-up source turns out to be."""

    chunks: int = 2
    rungs: int = 2
    split: bool = False
    """Two tasks a chunk, one a rung."""
    sounds: int = 1
    long_sounds: bool = False
    """Each takes longer than a request may."""
    prepare: bool = False
    """It needs a mezzanine first."""
    failing: str = ""
    """The task that fails, "" for none."""
    failures: int = 0
    """How often it does."""
    final: bool = False
    """At its first failure it says that there is no hope."""
    gpu: bool = False
    """Its pictures are planned for one."""
    progressive: bool = False
    """One MP4 is asked for besides."""
    name: str = ""
    """Two films of different names are different bytes."""

    def content(self) -> bytes:
        return HEADER + json.dumps(asdict(self)).encode()

    @classmethod
    def read(cls, data: bytes) -> Film:
        return cls(**json.loads(data[len(HEADER) :]))

    @property
    def frames(self) -> int:
        return self.chunks * SEGMENT_FRAMES - 17

    @property
    def hopeless(self) -> bool:
        known = {task.id for task in _tasks(self)} | ({"m1"} if self.prepare else set())
        known |= {PROGRESSIVE_TASK} if self.progressive else set()
        return (
            self.failing in known and self.failures > 0 and (self.final or self.failures == ALWAYS)
        )


def plan_of(manifest: Manifest, film: Film, generation: int) -> Plan:
    prepare = film.prepare and generation == 1
    timeline = Timeline(
        timebase=Fraction(1, 12800),
        origin=0,
        rate=Fraction(25),
        frames=film.frames,
        constant=True,
        timescale=12800,
        segment_frames=SEGMENT_FRAMES,
    )
    tasks: tuple[Task, ...] = (
        (MezzanineTask(id="m1", cost_ms=10),) if prepare else tuple(_tasks(film))
    )
    return Plan(
        job=manifest.job,
        generation=generation,
        kind="prepare" if prepare else "encode",
        encoder=Fingerprint(version="made up", sha256="0" * 64),
        source=manifest.source,
        format="mov",
        index="",
        video_track=0,
        timeline=None if prepare else timeline,
        video=() if prepare else tuple(_rung(film, number) for number in range(film.rungs)),
        audio=() if prepare else tuple(_sound(film, number) for number in range(film.sounds)),
        tasks=tasks,
    )


def _tasks(film: Film) -> Iterator[VideoTask | AudioTask]:
    names = tuple(_rung(film, number).name for number in range(film.rungs))
    groups = {"-a": names[:1], "-b": names[1:]} if film.split and film.rungs > 1 else {"": names}
    for chunk in range(film.chunks):
        start, stop = chunk * SEGMENT_FRAMES, min((chunk + 1) * SEGMENT_FRAMES, film.frames)
        for suffix, group in groups.items():
            yield VideoTask(
                id=f"v{chunk:04d}{suffix}",
                renditions=group,
                start=start,
                stop=stop,
                first_packet=0,
                stop_packet=0,
                trim_start=start,
                trim_stop=stop,
                cost_ms=20 if film.gpu else 100,
                fallback_ms=100 if film.gpu else 0,
                accelerator=_accelerator(film),
            )
    for number in range(film.sounds):
        yield AudioTask(
            id=f"a{number + 1}",
            renditions=(f"audio-{number + 1}",),
            cost_ms=50,
            length="long" if film.long_sounds else "short",
        )


def _accelerator(film: Film) -> Accelerator:
    return GPU if film.gpu else CPU


def base(task: str) -> str:
    """What the task was called by the generation that cut it."""
    return re.sub(r"-g\d+$", "", task)


def _rung(film: Film, number: int) -> VideoRendition:
    height = 240 * (number + 1)
    return VideoRendition(
        name=f"{height}p",
        width=height * 16 // 9 // 2 * 2,
        height=height,
        preset="medium",
        crf=23,
        maxrate_bps=1_000_000,
        bufsize_bits=2_000_000,
        accelerator=_accelerator(film),
    )


def _sound(film: Film, number: int) -> AudioRendition:
    return AudioRendition(
        name=f"audio-{number + 1}",
        track=number + 1,
        language="und",
        layout="stereo",
        group="stereo",
        sample_rate=48000,
        bitrate_bps=128_000,
        samples=film.frames * 1920,
        origin=0,
        timebase_num=1,
        timebase_den=48000,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunker:
    store: ObjectStore
    state: StateStore
    worker: str
    window: admission.Window

    def job_accepted(self, event: JobAccepted) -> Iterator[Event]:
        yield from self._plan(event, 1)

    def source_prepared(self, event: SourcePrepared) -> Iterator[Event]:
        yield from self._plan(event, event.generation + 1)

    def _plan(self, event: JobAccepted | SourcePrepared, generation: int) -> Iterator[Event]:
        verdict = ending.read(self.store, event.job)
        if verdict is not None:
            yield from ending.conclude(self.store, self.state, verdict)
            return
        manifest = record.load(self.store.get(layout.manifest(event.job)), Manifest)
        key = layout.plan(event.job, generation)
        if self.store.head(key) is None:
            lease = leases.planning(event.job)
            if not self.state.acquire(lease, self.worker, ttl_s=LEASE_S):
                raise Unavailable("somebody else plans")
            try:
                film = Film.read(self.store.get(manifest.source.address))
                self.store.create(key, record.dump(plan_of(manifest, film, generation)))
            finally:
                self.state.release(lease, self.worker)
        plan = latest.plan(self.store, event.job)
        assert plan is not None
        admission.register(self.state, plan, manifest, latest.done(self.store, plan))
        verdict = ending.read(self.store, event.job)
        if verdict is not None:
            yield from ending.conclude(self.store, self.state, verdict)
        accelerators = [task.accelerator for task in plan.tasks]
        yield from admission.due(self.state, self.window, accelerators, cause=identity(event))


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoder:
    store: ObjectStore
    state: StateStore
    clock: Clock
    worker: str
    work: Counter[str] = field(default_factory=Counter)
    """How often each task was really worked on."""
    gpu_works: bool = True
    hangs: bool = False
    """A first attempt goes on for half an hour, and comes to nothing."""

    def task_ready(self, event: TaskReady) -> Iterator[Event]:
        name = (event.job, event.generation, event.task)
        if ending.read(self.store, event.job) is not None:
            self.state.forget(event.job)
            return
        completed = TaskCompleted(job=event.job, generation=event.generation, task=event.task)
        if self.store.head(layout.receipt(*name)) is not None:
            yield completed
            return
        plan = record.load(self.store.get(layout.plan(event.job, event.generation)), Plan)
        accelerator = plan.task(event.task).accelerator
        if accelerator == GPU:
            now = latest.plan(self.store, event.job)
            if now is not None and not now.has(event.generation, event.task):
                return
        failures = [*self.store.list(layout.failures_prefix(*name))]
        if failures:
            last = record.load(self.store.get(failures[-1].key), Failure)
            if last.final:
                yield _failed(last)
                return
        lease = leases.task(*name, event.copy)
        if event.copy:
            self.state.release(lease, leases.WANTED)
        holder = leases.holder(self.worker, self.clock(), "a")
        if self.hangs and not event.copy:
            # It renews its lease, and is never heard of but for that.
            hung = self.state.acquire(lease, holder, ttl_s=HUNG_S)
            self.work["/".join((event.job, str(event.generation), event.task))] += hung
            return
        if not self.state.acquire(lease, holder, ttl_s=LEASE_S):
            return
        try:
            attempt = len(failures) + 1
            if accelerator == GPU and not self.gpu_works:
                ended: TaskFailed | None = self._fail(event, attempt, NO_ACCELERATOR, final=False)
            else:
                ended = self._attempt(event, attempt)
        finally:
            self.state.release(lease, holder)
        if ended is None:
            yield completed
        elif not event.copy:
            yield ended

    def _attempt(self, event: TaskReady, attempt: int) -> TaskFailed | None:
        self.work["/".join((event.job, str(event.generation), event.task))] += 1
        try:
            plan = record.load(self.store.get(layout.plan(event.job, event.generation)), Plan)
            film = Film.read(self.store.get(plan.source.address))
        except Absent:
            raise Unavailable("no plan or no source") from None
        if base(event.task) == film.failing and attempt <= film.failures:
            return self._fail(event, attempt, "decode_failed", final=film.final)
        self.state.report_progress(event.job, event.generation, event.task, 1)
        task = plan.task(event.task)
        tracks = tuple(self._tracks(plan, task, attempt))
        try:
            file = self._file(plan, task) if isinstance(task, ProgressiveTask) else None
        except Absent:
            raise Unavailable("the job was called off meanwhile") from None
        receipt = Receipt(
            job=event.job,
            generation=event.generation,
            task=event.task,
            tracks=tracks,
            worker=self.worker,
            started_s=self.clock(),
            finished_s=self.clock(),
            cpu_ms=100,
            source_bytes_read=1000,
            file=file,
        )
        self.store.create(
            layout.receipt(event.job, event.generation, event.task), record.dump(receipt)
        )
        return None

    def _fail(self, event: TaskReady, attempt: int, code: str, *, final: bool) -> TaskFailed:
        failure = Failure(
            job=event.job,
            generation=event.generation,
            task=event.task,
            attempt=attempt,
            code=code,
            reason="It cannot be done.",
            final=final,
            worker=self.worker,
            failed_s=self.clock(),
        )
        key = layout.failure(event.job, event.generation, event.task, attempt)
        if not event.copy:
            self.store.create(key, record.dump(failure))
        return _failed(failure)

    def _tracks(self, plan: Plan, task: Task, attempt: int) -> Iterator[Track]:
        match task:
            case VideoTask():
                for name in task.renditions:
                    yield self._video(plan, task, name, attempt)
            case AudioTask():
                for name in task.renditions:
                    yield self._audio(plan, name, attempt)

    def _video(self, plan: Plan, task: VideoTask, name: str, attempt: int) -> Track:
        assert plan.timeline is not None
        number, frames = task.start // SEGMENT_FRAMES, task.stop - task.start
        segment = Segment(
            number=number,
            stored=self._put(
                plan, name, number, f"{name} {number} {self.worker} {attempt} {task.accelerator}"
            ),
            start_ticks=task.start * plan.timeline.frame_ticks,
            duration_ticks=frames * plan.timeline.frame_ticks,
            frames=frames,
        )
        return Track(
            rendition=name,
            codecs="avc1.64001f",
            timescale=plan.timeline.timescale,
            init=self._put(plan, name, None, f"{name} by {task.accelerator}"),
            segments=(segment,),
        )

    def _audio(self, plan: Plan, rendition: str, attempt: int) -> Track:
        samples = next(each.samples for each in plan.audio if each.name == rendition) + 1024
        segments = []
        for number, start in enumerate(range(0, samples, 4 * 48000)):
            length = min(4 * 48000, samples - start)
            text = f"{rendition} {number} {self.worker} {attempt}"
            stored = self._put(plan, rendition, number, text)
            segments.append(
                Segment(
                    number=number,
                    stored=stored,
                    start_ticks=start,
                    duration_ticks=length,
                    frames=-(-length // 1024),
                )
            )
        return Track(
            rendition=rendition,
            codecs="mp4a.40.2",
            timescale=48000,
            init=self._put(plan, rendition, None, rendition),
            segments=tuple(segments),
        )

    def _file(self, plan: Plan, task: ProgressiveTask) -> Stored:
        """The bytes of what its renditions' receipts name, one after the other."""
        parts = [
            track
            for name in (task.video, task.audio)
            for part in plan.parts_of(name)
            for track in self._receipt(plan, part).tracks
            if track.rendition == name
        ]
        data = b"".join(self.store.get(each.stored.key) for part in parts for each in part.segments)
        sha256 = hashlib.sha256(data).hexdigest()
        key = layout.progressive(plan.job, sha256)
        self.store.create(key, data)
        return Stored(key=key, size_bytes=len(data), sha256=sha256)

    def _receipt(self, plan: Plan, task: Task) -> Receipt:
        key = layout.receipt(plan.job, plan.generation_of(task), task.id)
        return record.load(self.store.get(key), Receipt)

    def _put(self, plan: Plan, rendition: str, number: int | None, text: str) -> Stored:
        data = text.encode()
        sha256 = hashlib.sha256(data).hexdigest()
        key = (
            layout.init_segment(plan.job, rendition, sha256)
            if number is None
            else layout.media_segment(plan.job, rendition, number, sha256)
        )
        self.store.create(key, data)
        return Stored(key=key, size_bytes=len(data), sha256=sha256)


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
